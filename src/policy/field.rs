//! The values that the fields of a rule body take.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::approver::{ApproverRef, Group};
use super::calendar::Calendar;
use super::condition::Condition;
use super::duration::Duration;
use super::event::Event;
use super::read::Place;
use super::requirement::{Leaf, Requirement};
use crate::ident::ChannelName;

/// Whose approvals a rule sets aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exclusion {
    /// Who opened the pull request.
    Author,
    /// Authors and committers of its commits.
    Committers,
    /// Who pushed to its branch.
    Pushers,
    /// Who requested the deployment.
    Requester,
}

impl Exclusion {
    /// Every one, in the order of the language's reference.
    pub const ALL: [Self; 4] = [Self::Author, Self::Committers, Self::Pushers, Self::Requester];

    /// As it stands in YAML and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Author => "author",
            Self::Committers => "committers",
            Self::Pushers => "pushers",
            Self::Requester => "requester",
        }
    }
}

/// Excluded where nothing else is said.
pub const DEFAULT_EXCLUDE: &[Exclusion] = &[Exclusion::Author, Exclusion::Committers];

/// What "changes requested" by someone with a say does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnChangesRequested {
    /// Ends the request.
    Reject,
    /// Holds it until withdrawn.
    Block,
    /// Nothing.
    Ignore,
}

impl OnChangesRequested {
    /// As it stands in YAML and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::Block => "block",
            Self::Ignore => "ignore",
        }
    }
}

/// Who is told of what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotifyRule {
    /// These, of everything.
    All(Vec<ChannelName>),
    /// These, of these events only.
    ByEvent(BTreeMap<Event, Vec<ChannelName>>),
}

impl NotifyRule {
    /// Who is told of the event.
    #[must_use]
    pub fn channels(&self, event: Event) -> &[ChannelName] {
        match self {
            Self::All(channels) => channels,
            Self::ByEvent(events) => events.get(&event).map(Vec::as_slice).unwrap_or_default(),
        }
    }
}

/// What happens where nobody has approved for so long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    /// How long after people were asked.
    pub after: Duration,
    /// Who is told.
    pub notify: Vec<ChannelName>,
    /// Who may approve in whose place from then on.
    pub stand_in: Vec<StandIn>,
    /// Where it is written.
    pub source: Place,
}

impl Escalation {
    /// Who may stand in where the leaf asks: nobody stands in for "all of".
    pub fn stand_ins_of(&self, leaf: &Leaf) -> impl Iterator<Item = &ApproverRef> {
        let asked = |stand_in: &&StandIn| {
            let is_group =
                |of: &ApproverRef| matches!(of, ApproverRef::Group(group) if group.name == stand_in.group.name);
            !leaf.everyone && leaf.of.iter().any(is_group)
        };
        self.stand_in.iter().filter(asked).flat_map(|stand_in| &stand_in.by)
    }
}

/// Approvers who count wherever a group is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandIn {
    /// The group.
    pub group: Arc<Group>,
    /// Who counts in its place.
    pub by: Vec<ApproverRef>,
}

/// A calendar in which nothing is released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freeze {
    /// While inside it.
    pub calendar: Arc<Calendar>,
    /// What it does.
    pub effect: FreezeEffect,
    /// Where this surely holds the freeze does not.
    pub except: Option<Condition>,
    /// Where it is written.
    pub source: Place,
}

/// What a freeze does to what would be released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FreezeEffect {
    /// Refuses it.
    Deny,
    /// Holds it until the freeze ends.
    Wait,
}

/// Break-glass: who may set the rule aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// Who it takes.
    pub by: Requirement,
    /// For how long an override counts from when it was given.
    pub valid_for: Duration,
    /// Who is told besides those who hear of it anyway.
    pub notify: Vec<ChannelName>,
    /// Where it is written.
    pub source: Place,
}

/// Whether a refusal stops the deployment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It does.
    #[default]
    Enforce,
    /// It is recorded, and the execution passes.
    Audit,
}
