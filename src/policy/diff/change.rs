//! The result of a comparison: which part of a rule changes, in which direction, and what that means.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::policy::rule::Rule;
use crate::policy::setting::Field;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// The new policy approves in some case in which the old one does not, or may do so.
    Looser,
    /// Looser and stricter.
    Mixed,
    /// The new policy approves in fewer cases.
    Stricter,
    /// Only notifications, times of notifications or texts change.
    Different,
}

impl Direction {
    pub const ALL: [Self; 4] = [Self::Looser, Self::Mixed, Self::Stricter, Self::Different];

    /// The word in JSON and in texts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Looser => "looser",
            Self::Mixed => "mixed",
            Self::Stricter => "stricter",
            Self::Different => "different",
        }
    }

    /// Whether something becomes looser, even if something else becomes stricter.
    #[must_use]
    pub const fn loosens(self) -> bool {
        matches!(self, Self::Looser | Self::Mixed)
    }

    const fn tightens(self) -> bool {
        matches!(self, Self::Stricter | Self::Mixed)
    }

    pub(super) const fn of(looser: bool, stricter: bool) -> Self {
        match (looser, stricter) {
            (true, false) => Self::Looser,
            (false, true) => Self::Stricter,
            (true, true) => Self::Mixed,
            (false, false) => Self::Different,
        }
    }

    /// The direction of several changes together.
    pub(super) fn together(changes: &[FieldChange]) -> Self {
        Self::of(
            changes.iter().any(|field| field.change.loosens()),
            changes.iter().any(|field| field.change.tightens()),
        )
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The part of a target that changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Whether there is a rule at all.
    Rule,
    /// Whether the rule falls below a floor, which denies the target.
    Floor,
    Field(Field),
    Repository,
    Branches,
    ServiceNotify,
    Description,
}

impl Part {
    /// The word in JSON: the key in YAML, if there is one.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Floor => "floor",
            Self::Field(field) => field.as_str(),
            Self::Repository => "repository",
            Self::Branches => "branches",
            Self::ServiceNotify => "service_notify",
            Self::Description => "description",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FieldChange {
    pub part: Part,
    pub change: Direction,
    /// What it means, in one sentence.
    pub text: String,
    /// Both sides of the text. `None` unless the change is mixed.
    pub sides: Option<Sides>,
}

/// The two sides of a mixed change.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Sides {
    pub looser: String,
    pub stricter: String,
}

impl FieldChange {
    pub(super) fn new(part: Part, change: Direction, text: impl Into<String>) -> Self {
        Self { part, change, text: text.into(), sides: None }
    }
}

/// A service or an environment that is compared: a name from a policy, or an example for all names that a pattern
/// matches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// The name. If no example was found, the pattern itself.
    pub name: String,
    /// The pattern that the name is an example for. `None` if a policy has the name itself.
    pub pattern: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Change<'p> {
    pub service: Subject,
    pub environment: Subject,
    /// The direction of all changes together.
    pub change: Direction,
    /// In the order of the language's reference; never empty.
    pub fields: Arc<[FieldChange]>,
    /// The rule before, if there was one.
    pub old: Option<Rule<'p>>,
    /// The rule now, if there is one.
    pub new: Option<Rule<'p>>,
}

#[derive(Debug, Clone, Default)]
pub struct Diff<'p> {
    /// The targets that change, in the order of their names.
    pub changes: Vec<Change<'p>>,
}

impl Diff<'_> {
    #[must_use]
    pub fn count(&self, direction: Direction) -> usize {
        self.changes.iter().filter(|change| change.change == direction).count()
    }

    #[must_use]
    pub fn loosens(&self) -> bool {
        self.changes.iter().any(|change| change.change.loosens())
    }
}

/// What becomes looser and what stricter in one part, each as part of a sentence.
#[derive(Debug, Default)]
pub(super) struct Effects {
    pub(super) looser: Vec<String>,
    pub(super) stricter: Vec<String>,
}

impl Effects {
    /// The change of a part. `otherwise` is the text if nothing becomes looser or stricter.
    pub(super) fn change(self, part: Part, otherwise: &str) -> FieldChange {
        let change = Direction::of(!self.looser.is_empty(), !self.stricter.is_empty());
        let (looser, stricter) = (self.looser.join("; "), self.stricter.join("; "));
        match change {
            Direction::Looser => FieldChange::new(part, change, looser),
            Direction::Stricter => FieldChange::new(part, change, stricter),
            Direction::Different => FieldChange::new(part, change, otherwise),
            Direction::Mixed => {
                let text = format!("{looser}; {stricter}");
                FieldChange { sides: Some(Sides { looser, stricter }), ..FieldChange::new(part, change, text) }
            }
        }
    }
}
