//! What a difference is: which part of a rule, in which direction, and what it means. Compares nothing.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::policy::rule::Rule;
use crate::policy::setting::Field;

/// In which direction something changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Some facts are approved by the new policy and not by the old, or it cannot be shown that there are none.
    Looser,
    /// Both.
    Mixed,
    /// Only the other way round.
    Stricter,
    /// Who is told, when, in which words.
    Different,
}

impl Direction {
    /// Every one, the gravest first.
    pub const ALL: [Self; 4] = [Self::Looser, Self::Mixed, Self::Stricter, Self::Different];

    /// As it stands in JSON and in every text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Looser => "looser",
            Self::Mixed => "mixed",
            Self::Stricter => "stricter",
            Self::Different => "different",
        }
    }

    /// Whether something becomes looser, be it beside something stricter.
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

/// What of a target changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Whether there is a rule at all.
    Rule,
    /// Whether the rule falls below a floor, and so the target is denied.
    Floor,
    /// A field of the rule's body.
    Field(Field),
    /// Where the service lives.
    Repository,
    /// Which branches may be deployed.
    Branches,
    /// Who hears of everything of the service.
    ServiceNotify,
    /// What is shown to approvers.
    Description,
}

impl Part {
    /// As it stands in JSON: the key in YAML where there is one.
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

/// What changes in one part.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FieldChange {
    /// Which part.
    pub part: Part,
    /// In which direction.
    pub change: Direction,
    /// What it means, in one sentence.
    pub text: String,
    /// The same, its two sides apart; only where it is mixed.
    pub sides: Option<Sides>,
}

/// What a change that is mixed means on either side.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Sides {
    /// What is approved now and was not before.
    pub looser: String,
    /// What was approved before and is not now.
    pub stricter: String,
}

impl FieldChange {
    pub(super) fn new(part: Part, change: Direction, text: impl Into<String>) -> Self {
        Self { part, change, text: text.into(), sides: None }
    }
}

/// A service or an environment that is compared: a name that is written, or one that stands for all that a pattern
/// matches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// The name. Of a pattern for which none was found, the pattern itself.
    pub name: String,
    /// The pattern that the name stands for; none where the name is written itself.
    pub pattern: Option<String>,
}

/// What changes for one target.
#[derive(Debug, Clone)]
pub struct Change<'p> {
    /// The service.
    pub service: Subject,
    /// The environment.
    pub environment: Subject,
    /// In which direction, all in all.
    pub change: Direction,
    /// What changes, in the order of the language's reference; never empty.
    pub fields: Arc<[FieldChange]>,
    /// The rule before, if there was one.
    pub old: Option<Rule<'p>>,
    /// The rule now, if there is one.
    pub new: Option<Rule<'p>>,
}

/// All that changes between two policies.
#[derive(Debug, Clone, Default)]
pub struct Diff<'p> {
    /// The targets that change, in the order of their names.
    pub changes: Vec<Change<'p>>,
}

impl Diff<'_> {
    /// How many targets change in this direction.
    #[must_use]
    pub fn count(&self, direction: Direction) -> usize {
        self.changes.iter().filter(|change| change.change == direction).count()
    }

    /// Whether something becomes looser, or may.
    #[must_use]
    pub fn loosens(&self) -> bool {
        self.changes.iter().any(|change| change.change.loosens())
    }
}

/// What is found while one part is compared: what speaks for looser, and what for stricter.
#[derive(Debug, Default)]
pub(super) struct Weighed {
    pub(super) looser: Vec<String>,
    pub(super) stricter: Vec<String>,
}

impl Weighed {
    /// As a change. `otherwise` is what is said where it is neither.
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
