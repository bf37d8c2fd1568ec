//! What `decide` answers: a verdict, the reasons, and what everyone's review came to.
//!
//! A plain value with a fixed JSON form (docs/decisions.md). Everything that is shown to anyone is made from it.

mod truncate;
mod vocabulary;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) use self::truncate::clip;
use crate::ident::{ChannelName, Login, PolicyDigest, PullRequestRef, ReviewId, Revision, Target};
pub use crate::policy::{Event, Mode};
pub use vocabulary::{NextActionKind, ReasonCode, ReviewReason};

/// The shape of decisions that this engine writes.
pub const DECISION_SCHEMA: u32 = 1;

/// The answer to one set of facts under one policy. The same facts give the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Always [`DECISION_SCHEMA`].
    pub schema: u32,
    /// The version of the engine that decided.
    pub engine: String,
    /// The answer.
    pub verdict: Verdict,
    /// The answer in one line.
    pub summary: String,
    /// What it is about.
    pub target: Target,
    /// The rule that applied; none where there is none.
    pub rule: Option<RuleRef>,
    /// The policy it was decided under.
    pub policy_digest: PolicyDigest,
    /// The pull request that was weighed.
    pub pull_request: Option<PullRequestRef>,
    /// The commit that is deployed.
    pub revision: Option<Revision>,
    /// The pull request's head.
    pub head: Option<Revision>,
    /// When people were first asked.
    pub requested_at: Option<Timestamp>,
    /// When it expires, once people were asked.
    pub deadline: Option<Timestamp>,
    /// From asking to the deadline, in seconds.
    pub timeout_seconds: Option<u64>,
    /// With the verdict `wait`: when to decide again.
    pub until: Option<Timestamp>,
    /// When it was decided.
    pub evaluated_at: Timestamp,
    /// The earliest instant at which this could change, or something is due, without anyone acting.
    pub next_action: Option<NextAction>,
    /// The requirement, with who met which part of it.
    pub requirement: Option<Part>,
    /// The leaves that lack people.
    pub unmet: Vec<Unmet>,
    /// Whose approvals count, in the order in which they were given.
    pub counts: Vec<Login>,
    /// Every review, and why it counts or does not.
    pub reviews: Vec<ReviewOutcome>,
    /// Cause the verdict is what it is.
    pub reasons: Vec<Reason>,
    /// Who set the rule aside, and why.
    #[serde(rename = "override")]
    pub overridden: Option<Overridden>,
    /// Who is to be told.
    pub notify: Option<Notify>,
    /// Whether a refusal stops the deployment.
    pub mode: Mode,
}

impl Decision {
    /// Whether the execution goes on at once whatever the verdict: the rule is in audit mode, and it is one. A target
    /// without a rule has none that could say so, audit mode is below every floor, and who was asked is waited for.
    #[must_use]
    pub fn goes_on_in_audit(&self) -> bool {
        let no_rule = |reason: &Reason| matches!(reason.code, ReasonCode::NoRule | ReasonCode::BelowFloor);
        self.mode == Mode::Audit && self.requested_at.is_none() && !self.reasons.iter().any(no_rule)
    }
}

/// The engine's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Release.
    Approved,
    /// Keep waiting for approvals.
    Pending,
    /// Keep waiting: someone with a say has requested changes.
    Blocked,
    /// Not now: decide again at `until`.
    Wait,
    /// Changes were requested.
    Rejected,
    /// The deadline came.
    Expired,
    /// Head or base changed, or the pull request was closed unmerged.
    Superseded,
    /// No rule, or the target does not fit it.
    Denied,
}

impl Verdict {
    /// As it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Pending => "pending",
            Self::Blocked => "blocked",
            Self::Wait => "wait",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Superseded => "superseded",
            Self::Denied => "denied",
        }
    }
}

/// Where a rule came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleRef {
    /// The key under `services` that was chosen.
    pub service_selector: String,
    /// The key under `environments` that was chosen, the service's own before the top-level one.
    pub environment_selector: String,
    /// `file:line` of that environment key.
    pub source: String,
}

/// What is due, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextAction {
    /// What.
    pub kind: NextActionKind,
    /// When.
    pub at: Timestamp,
}

/// A node of the requirement, with how far it is met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Part {
    /// So many people out of some.
    Quorum(Quorum),
    /// Every part.
    AllOf(Group),
    /// One of the parts.
    AnyOf(Group),
    /// Every part, asked one after the other.
    InOrder(Group),
}

impl Part {
    /// Whether it is met.
    #[must_use]
    pub fn met(&self) -> bool {
        match self {
            Self::Quorum(leaf) => leaf.met,
            Self::AllOf(group) | Self::AnyOf(group) | Self::InOrder(group) => group.met,
        }
    }
}

impl Part {
    /// Whether it applies.
    #[must_use]
    pub fn applies(&self) -> Applies {
        match self {
            Self::Quorum(leaf) => leaf.applies,
            Self::AllOf(group) | Self::AnyOf(group) | Self::InOrder(group) => group.applies,
        }
    }
}

/// A leaf of the requirement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quorum {
    /// As the policy has it, e.g. `2 of payments`.
    pub name: String,
    /// How many people it takes.
    pub need: u32,
    /// How many there are.
    pub have: u32,
    /// Whether that is enough.
    pub met: bool,
    /// Whether the leaf's condition holds.
    pub applies: Applies,
    /// `file:line` where it is written.
    pub source: String,
    /// Whose approvals were laid to this leaf.
    pub approved_by: Vec<Login>,
    /// Who could still give one.
    pub can_approve: Vec<Login>,
}

/// An inner node of the requirement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Whether it is met.
    pub met: bool,
    /// Whether its condition holds.
    pub applies: Applies,
    /// Its parts, as written.
    pub parts: Vec<Part>,
}

/// Whether a condition holds, in Kleene's three-valued logic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Applies {
    Yes,
    No,
    /// A fact that the condition needs is not known.
    Unknown,
}

impl Applies {
    /// The opposite. Of `Unknown` it is `Unknown`.
    pub(super) const fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
        }
    }

    /// Whether both hold. One `No` decides.
    pub(super) const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Yes, Self::Yes) => Self::Yes,
        }
    }

    /// Whether one of the two holds. One `Yes` decides.
    pub(super) const fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }

    /// Whether all hold. Stops at the first `No`.
    pub(super) fn all(answers: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Self::Yes;
        for answer in answers {
            all = all.and(answer);
            if all == Self::No {
                break;
            }
        }
        all
    }

    /// Whether one of them holds. Stops at the first `Yes`.
    pub(super) fn any(answers: impl IntoIterator<Item = Self>) -> Self {
        Self::all(answers.into_iter().map(Self::not)).not()
    }
}

impl From<bool> for Applies {
    fn from(known: bool) -> Self {
        if known { Self::Yes } else { Self::No }
    }
}

/// A leaf that lacks people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unmet {
    /// As the policy has it.
    pub name: String,
    /// How many people it takes.
    pub need: u32,
    /// How many there are.
    pub have: u32,
    /// Who could still give an approval.
    pub can_approve: Vec<Login>,
    /// Whether people are asked for it now; not so for later steps of an `in_order`.
    pub asked: bool,
    /// Whether there are too few people who could ever approve.
    pub unsatisfiable: bool,
}

/// What a review came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewOutcome {
    /// GitHub's id of it.
    pub id: ReviewId,
    /// Who gave it.
    pub user: Option<Login>,
    /// What it says.
    pub state: super::facts::ReviewState,
    /// What it does.
    pub verdict: ReviewVerdict,
    /// The first reason that applies.
    pub reason: ReviewReason,
    /// The same in words.
    pub text: String,
}

/// What a review does to the decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewVerdict {
    /// It is an approval that counts.
    Counts,
    /// It does nothing.
    Ignored,
    /// It ends the request.
    Rejects,
    /// It holds the request.
    Blocks,
}

/// One reason for the verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Which.
    pub code: ReasonCode,
    /// In words.
    pub text: String,
    /// `file:line` of the policy that it rests on.
    pub source: Option<String>,
}

/// Who set the rule aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overridden {
    /// Whose overrides they are.
    pub by: Vec<Login>,
    /// What they gave as the reason.
    pub reason: String,
}

/// Who is to be told of what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notify {
    /// What happened.
    pub event: Event,
    /// Who hears of it, in the order of their names.
    pub channels: Vec<ChannelName>,
}
