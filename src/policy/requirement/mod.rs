//! What must hold: so many people out of some, and combinations of that.

mod read;

use serde::{Deserialize, Serialize};

use super::approver::ApproverRef;
use super::condition::Condition;
use super::field::Escalation;
use super::read::Place;

pub(crate) use read::{Groups, read_override_by, read_require, resolve};

/// The most leaves that one requirement may have.
pub const MAX_LEAVES: usize = 32;
/// The most levels of groups that one requirement may have.
pub const MAX_LEVELS: usize = 4;

/// What a rule asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Require {
    /// Nobody: no pull request is needed, and no review is read.
    Nobody,
    /// People.
    People(Requirement),
}

/// A requirement: a leaf, or a combination of requirements.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Requirement {
    /// So many people out of some.
    Leaf(Leaf),
    /// Every part.
    AllOf(Combination),
    /// One of the parts.
    AnyOf(Combination),
    /// Every part, asked one after the other.
    InOrder(Combination),
}

/// So many people out of some.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaf {
    /// How it is called in every text.
    pub name: Box<str>,
    /// How many different people it takes.
    pub count: u32,
    /// Out of whom: the union.
    pub of: Vec<ApproverRef>,
    /// Whether it is every listed user of a group, in whose place nobody can stand.
    pub everyone: bool,
    /// Where it surely does not hold, the leaf is left out.
    pub when: Option<Box<Condition>>,
    /// Where it is written.
    pub source: Place,
}

/// Several requirements as one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Combination {
    /// The requirements, as written.
    pub parts: Vec<Requirement>,
    /// Where it surely does not hold, all of it is left out.
    pub when: Option<Box<Condition>>,
    /// Where it is written.
    pub source: Place,
}

impl Requirement {
    /// All leaves, as written.
    #[must_use]
    pub fn leaves(&self) -> Vec<&Leaf> {
        let mut leaves = Vec::new();
        self.each(&mut |part| {
            if let Self::Leaf(leaf) = part {
                leaves.push(leaf);
            }
        });
        leaves
    }

    /// Every condition in it, as written.
    #[must_use]
    pub fn conditions(&self) -> Vec<&Condition> {
        let mut conditions = Vec::new();
        self.each(&mut |part| conditions.extend(part.when()));
        conditions
    }

    /// Where it is left out.
    #[must_use]
    pub fn when(&self) -> Option<&Condition> {
        match self {
            Self::Leaf(leaf) => leaf.when.as_deref(),
            Self::AllOf(inner) | Self::AnyOf(inner) | Self::InOrder(inner) => inner.when.as_deref(),
        }
    }

    /// Where it is written.
    #[must_use]
    pub const fn source(&self) -> &Place {
        match self {
            Self::Leaf(leaf) => &leaf.source,
            Self::AllOf(inner) | Self::AnyOf(inner) | Self::InOrder(inner) => &inner.source,
        }
    }

    /// Its parts, as written; a leaf has none.
    #[must_use]
    pub fn parts(&self) -> &[Self] {
        match self {
            Self::Leaf(_) => &[],
            Self::AllOf(inner) | Self::AnyOf(inner) | Self::InOrder(inner) => &inner.parts,
        }
    }

    /// As part of a sentence: `2 of payments and (1 of sre or 1 of security)`.
    #[must_use]
    pub fn in_words(&self) -> String {
        self.said(true)
    }

    fn said(&self, outermost: bool) -> String {
        let where_it_applies = || self.when().map(|when| format!(" where {when}")).unwrap_or_default();
        let word = match self {
            Self::Leaf(leaf) => return format!("{}{}", leaf.name, where_it_applies()),
            Self::AllOf(_) => " and ",
            Self::AnyOf(_) => " or ",
            Self::InOrder(_) => ", then ",
        };
        let parts = self.parts();
        let words = parts.iter().map(|part| part.said(false)).collect::<Vec<_>>().join(word);
        let alone = (outermost || parts.len() == 1) && self.when().is_none();
        if alone { words } else { format!("({words}){}", where_it_applies()) }
    }

    /// Itself and everything in it, as written.
    fn each<'r>(&'r self, look: &mut impl FnMut(&'r Self)) {
        look(self);
        for part in self.parts() {
            part.each(look);
        }
    }

    /// How many groups are nested, this one included.
    fn levels(&self) -> usize {
        match self {
            Self::Leaf(_) => 0,
            Self::AllOf(_) | Self::AnyOf(_) | Self::InOrder(_) => {
                1 + self.parts().iter().map(Self::levels).max().unwrap_or(0)
            }
        }
    }

    /// The fewest people who could satisfy it, as a floor measures it.
    ///
    /// A leaf takes its count, or nobody if a bot is among those who could approve, since a bot is nobody. A part with a
    /// condition may be left out, so it takes nobody, except as a part of `any_of`: there it satisfies nothing where it
    /// does not apply.
    #[must_use]
    pub fn fewest_people(&self, distinct: bool, escalate: &[Escalation]) -> u32 {
        if self.when().is_some() { 0 } else { self.fewest_if_it_applies(distinct, escalate) }
    }

    fn fewest_if_it_applies(&self, distinct: bool, escalate: &[Escalation]) -> u32 {
        match self {
            Self::Leaf(leaf) => {
                let stand_ins = escalate.iter().flat_map(|step| step.stand_ins_of(leaf));
                let mut users = leaf.of.iter().chain(stand_ins).flat_map(ApproverRef::users);
                if users.any(|user| user.login.is_bot()) { 0 } else { leaf.count }
            }
            Self::AnyOf(inner) => {
                let parts = inner.parts.iter().map(|part| part.fewest_if_it_applies(distinct, escalate));
                parts.min().unwrap_or(0)
            }
            Self::AllOf(inner) | Self::InOrder(inner) => {
                let parts = inner.parts.iter().map(|part| part.fewest_people(distinct, escalate));
                if distinct { parts.fold(0, u32::saturating_add) } else { parts.max().unwrap_or(0) }
            }
        }
    }
}
