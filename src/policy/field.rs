//! The types of the values in a rule body.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::approver::{ApproverRef, Group};
use super::calendar::Calendar;
use super::condition::Condition;
use super::duration::Duration;
use super::read::Place;
use super::requirement::{Leaf, Requirement};
use super::words::vocabulary;
use crate::ident::ChannelName;

vocabulary! {
    /// People whose approvals do not count.
    Exclusion {
        /// The person who opened the pull request.
        Author = "author",
        /// The authors and committers of its commits.
        Committers = "committers",
        /// Everyone who pushed to its branch.
        Pushers = "pushers",
        /// The person who requested the deployment.
        Requester = "requester",
    }
}

impl Exclusion {
    /// In a sentence, after "an approval by".
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Author => "the person who opened the pull request",
            Self::Committers => "people who wrote or committed part of it",
            Self::Pushers => "people who pushed to its branch",
            Self::Requester => "the person who requested the deployment",
        }
    }
}

/// Default of `exclude`.
pub const DEFAULT_EXCLUDE: &[Exclusion] = &[Exclusion::Author, Exclusion::Committers];

vocabulary! {
    /// What happens if someone who may request changes does so.
    OnChangesRequested {
        /// The approval request ends.
        Reject = "reject",
        /// The approval request waits until the changes request is withdrawn.
        Block = "block",
        Ignore = "ignore",
    }
}

/// Which channels are notified of which events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotifyRule {
    /// These channels are notified of every event.
    All(Vec<ChannelName>),
    ByEvent(BTreeMap<Event, Vec<ChannelName>>),
}

impl NotifyRule {
    #[must_use]
    pub fn channels(&self, event: Event) -> &[ChannelName] {
        match self {
            Self::All(channels) => channels,
            Self::ByEvent(events) => events.get(&event).map(Vec::as_slice).unwrap_or_default(),
        }
    }
}

vocabulary! {
    /// An event that channels are notified of.
    Event {
        /// Approval was requested.
        Requested = "requested",
        /// The approvers who are still needed were reminded.
        Reminded = "reminded",
        /// An escalation notified others, who may stand in.
        Escalated = "escalated",
        /// Someone who may request changes did so.
        Blocked = "blocked",
        /// Released by the approvers.
        Approved = "approved",
        /// Ended by a request for changes.
        Rejected = "rejected",
        /// Ended by the deadline.
        Expired = "expired",
        /// Ended by a new commit, another base, or closing.
        Superseded = "superseded",
        /// Ended because there is no rule, or because the pull request does not fit the target.
        Denied = "denied",
        /// Released without the rule.
        Overridden = "overridden",
        /// Ended by other means.
        Canceled = "canceled",
    }
}

/// What happens if the requirement is not met after some time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    /// Counts from when the request is opened.
    pub after: Duration,
    pub notify: Vec<ChannelName>,
    /// Who may approve in place of whom from then on.
    pub stand_in: Vec<StandIn>,
    pub source: Place,
}

impl Escalation {
    /// Who may stand in for the approvers of a leaf. Nobody stands in for "all of".
    pub fn stand_ins_of(&self, leaf: &Leaf) -> impl Iterator<Item = &ApproverRef> {
        let applies = |stand_in: &&StandIn| {
            let is_group =
                |of: &ApproverRef| matches!(of, ApproverRef::Group(group) if group.name == stand_in.group.name);
            !leaf.everyone && leaf.of.iter().any(is_group)
        };
        self.stand_in.iter().filter(applies).flat_map(|stand_in| &stand_in.by)
    }
}

/// Approvers who count in place of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandIn {
    pub group: Arc<Group>,
    pub by: Vec<ApproverRef>,
}

/// A calendar during which nothing is released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freeze {
    pub calendar: Arc<Calendar>,
    pub effect: FreezeEffect,
    /// The freeze does not apply if this condition certainly holds.
    pub except: Option<Condition>,
    pub source: Place,
}

/// What a freeze does with an approval request that would be released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FreezeEffect {
    Deny,
    /// Holds it until the freeze ends.
    Wait,
}

/// Who may release a deployment without the rule (break-glass).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    pub by: Requirement,
    /// How long an override counts after it was given.
    pub valid_for: Duration,
    /// Notified of the override, in addition to the rule's channels.
    pub notify: Vec<ChannelName>,
    pub source: Place,
}

/// Whether a refusal stops the deployment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    #[default]
    Enforce,
    /// The refusal is recorded, and the execution continues.
    Audit,
}
