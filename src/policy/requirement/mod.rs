//! Requirements: how many of which people must approve, and combinations of that.

mod read;

use serde::{Deserialize, Serialize};

use super::approver::ApproverRef;
use super::condition::Condition;
use super::field::Escalation;
use super::read::Place;

pub(crate) use read::{Groups, read_override_by, read_require, resolve};

/// The most leaves that one requirement may have.
pub const MAX_LEAVES: usize = 32;
/// The most levels of combinations that one requirement may have.
pub const MAX_LEVELS: usize = 4;

/// The value of `require`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Require {
    /// No pull request is needed, and no review is read.
    Nobody,
    People(Requirement),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Requirement {
    Leaf(Leaf),
    AllOf(Combination),
    AnyOf(Combination),
    /// All parts, each requested when the one before it is met.
    InOrder(Combination),
}

/// A number of people out of a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaf {
    /// Its name in every text.
    pub name: Box<str>,
    /// How many different people must approve.
    pub count: u32,
    /// The set is the union of these.
    pub of: Vec<ApproverRef>,
    /// Whether it is every listed user of a group. Then nobody can stand in.
    pub everyone: bool,
    /// The leaf does not apply if this condition certainly does not hold.
    pub when: Option<Box<Condition>>,
    pub source: Place,
}

/// Several requirements as one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Combination {
    pub parts: Vec<Requirement>,
    /// The combination does not apply if this condition certainly does not hold.
    pub when: Option<Box<Condition>>,
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

    /// Everyone whom it lists, in its conditions too.
    pub(super) fn approvers(&self) -> impl Iterator<Item = &ApproverRef> {
        let required = self.leaves().into_iter().flat_map(|leaf| &leaf.of);
        required.chain(self.conditions().into_iter().flat_map(Condition::approvers))
    }

    /// Every condition in it, as written.
    #[must_use]
    pub fn conditions(&self) -> Vec<&Condition> {
        let mut conditions = Vec::new();
        self.each(&mut |part| conditions.extend(part.when()));
        conditions
    }

    /// The condition under which it applies.
    #[must_use]
    pub fn when(&self) -> Option<&Condition> {
        match self {
            Self::Leaf(leaf) => leaf.when.as_deref(),
            Self::AllOf(inner) | Self::AnyOf(inner) | Self::InOrder(inner) => inner.when.as_deref(),
        }
    }

    #[must_use]
    pub const fn source(&self) -> &Place {
        match self {
            Self::Leaf(leaf) => &leaf.source,
            Self::AllOf(inner) | Self::AnyOf(inner) | Self::InOrder(inner) => &inner.source,
        }
    }

    /// Empty for a leaf.
    #[must_use]
    pub fn parts(&self) -> &[Self] {
        match self {
            Self::Leaf(_) => &[],
            Self::AllOf(inner) | Self::AnyOf(inner) | Self::InOrder(inner) => &inner.parts,
        }
    }

    /// In words, as part of a sentence: `2 of payments and (1 of sre or 1 of security)`.
    #[must_use]
    pub fn in_words(&self) -> String {
        self.phrase(true)
    }

    fn phrase(&self, outermost: bool) -> String {
        let condition = || self.when().map(|when| format!(" where {when}")).unwrap_or_default();
        let word = match self {
            Self::Leaf(leaf) => return format!("{}{}", leaf.name, condition()),
            Self::AllOf(_) => " and ",
            Self::AnyOf(_) => " or ",
            Self::InOrder(_) => ", then ",
        };
        let parts = self.parts();
        let words = parts.iter().map(|part| part.phrase(false)).collect::<Vec<_>>().join(word);
        let alone = (outermost || parts.len() == 1) && self.when().is_none();
        if alone { words } else { format!("({words}){}", condition()) }
    }

    /// Visits itself and all its parts, outside in.
    fn each<'r>(&'r self, visit: &mut impl FnMut(&'r Self)) {
        visit(self);
        for part in self.parts() {
            part.each(visit);
        }
    }

    /// How many combinations are nested, this one included.
    fn levels(&self) -> usize {
        match self {
            Self::Leaf(_) => 0,
            Self::AllOf(_) | Self::AnyOf(_) | Self::InOrder(_) => {
                1 + self.parts().iter().map(Self::levels).max().unwrap_or(0)
            }
        }
    }

    /// The fewest people who could meet it. Floors compare this number.
    ///
    /// A leaf needs its count. It needs 0 people if a bot is among its approvers, since a bot is not a person. A part with
    /// a condition needs 0 people, since it may not apply. That is not so for a part of `any_of`: it cannot meet the
    /// `any_of` if it does not apply.
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
