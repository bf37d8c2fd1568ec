//! What `decide` returns: a verdict, its reasons, and what each review does.
//!
//! Its JSON form is public (docs/decisions.md). Every message and page is made from it.

mod truncate;
mod vocabulary;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) use self::truncate::clip;
use crate::ident::{ChannelName, Login, PolicyDigest, PullRequestRef, ReviewId, Revision, Target};
pub use crate::policy::{Event, Mode};
pub use vocabulary::{NextActionKind, ReasonCode, ReviewReason};

/// The version of the JSON form of decisions.
pub const DECISION_SCHEMA: u32 = 1;

/// What one set of facts comes to under one policy. The same facts give the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Always [`DECISION_SCHEMA`].
    pub schema: u32,
    /// The version of the engine that decided.
    pub engine: String,
    pub verdict: Verdict,
    /// The decision in one line.
    pub summary: String,
    pub target: Target,
    /// `None` if no rule matches the target.
    pub rule: Option<RuleRef>,
    pub policy_digest: PolicyDigest,
    pub pull_request: Option<PullRequestRef>,
    pub revision: Option<Revision>,
    pub head: Option<Revision>,
    pub requested_at: Option<Timestamp>,
    /// `None` if people were not asked yet.
    pub deadline: Option<Timestamp>,
    /// How long people have from being asked to the deadline.
    pub timeout_seconds: Option<u64>,
    /// When to decide again, if the verdict is `wait`.
    pub until: Option<Timestamp>,
    pub evaluated_at: Timestamp,
    /// When this could next change, or something is due, without anyone acting.
    pub next_action: Option<NextAction>,
    /// The requirement, with who meets which part of it.
    pub requirement: Option<Part>,
    /// The leaves of the reported choice that lack people.
    pub unmet: Vec<Unmet>,
    /// Whose approvals count, in the order given.
    pub counts: Vec<Login>,
    pub reviews: Vec<ReviewOutcome>,
    pub reasons: Vec<Reason>,
    #[serde(rename = "override")]
    pub overridden: Option<Overridden>,
    pub notify: Option<Notify>,
    pub mode: Mode,
}

impl Decision {
    /// Whether the execution goes on at once whatever the verdict, because the rule is in audit mode.
    ///
    /// It does not without a rule, below a floor, or after the request was opened.
    #[must_use]
    pub fn goes_on_in_audit(&self) -> bool {
        let no_rule = |reason: &Reason| matches!(reason.code, ReasonCode::NoRule | ReasonCode::BelowFloor);
        self.mode == Mode::Audit && self.requested_at.is_none() && !self.reasons.iter().any(no_rule)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Approved,
    /// The request waits for approvals.
    Pending,
    /// The request waits: someone who may request changes has done so.
    Blocked,
    /// The release is held: decide again at `until`.
    Wait,
    Rejected,
    Expired,
    /// The head or the base changed, or the pull request was closed without being merged.
    Superseded,
    Denied,
}

impl Verdict {
    /// As in JSON.
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

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleRef {
    /// The key that was chosen under `services`.
    pub service_selector: String,
    /// The key that was chosen under `environments`, the service's own before the top-level one.
    pub environment_selector: String,
    /// `file:line` of that environment key.
    pub source: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextAction {
    pub kind: NextActionKind,
    pub at: Timestamp,
}

/// A part of the requirement, with how far it is met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Part {
    Quorum(Quorum),
    AllOf(Group),
    AnyOf(Group),
    InOrder(Group),
}

impl Part {
    #[must_use]
    pub fn met(&self) -> bool {
        match self {
            Self::Quorum(leaf) => leaf.met,
            Self::AllOf(group) | Self::AnyOf(group) | Self::InOrder(group) => group.met,
        }
    }

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
    /// As in the policy, e.g. `2 of payments`.
    pub name: String,
    pub need: u32,
    pub have: u32,
    pub met: bool,
    pub applies: Applies,
    /// `file:line` where it is written.
    pub source: String,
    /// Whose approvals are assigned to this leaf.
    pub approved_by: Vec<Login>,
    /// Who could still approve.
    pub can_approve: Vec<Login>,
}

/// A group of parts of the requirement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub met: bool,
    pub applies: Applies,
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
    pub name: String,
    pub need: u32,
    pub have: u32,
    pub can_approve: Vec<Login>,
    /// Whether approval is requested now. False for later steps of an `in_order`.
    pub asked: bool,
    /// Whether too few people could ever approve it, alone or together with other leaves.
    pub unsatisfiable: bool,
}

/// What a review does, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewOutcome {
    pub id: ReviewId,
    pub user: Option<Login>,
    pub state: super::facts::ReviewState,
    pub verdict: ReviewVerdict,
    /// The first reason that applies.
    pub reason: ReviewReason,
    /// The reason in words.
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewVerdict {
    Counts,
    Ignored,
    /// Ends the request.
    Rejects,
    /// Holds the request.
    Blocks,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    pub code: ReasonCode,
    pub text: String,
    /// `file:line` of the policy.
    pub source: Option<String>,
}

/// Who overrode the rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overridden {
    pub by: Vec<Login>,
    pub reason: String,
}

/// Whom to notify of what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notify {
    pub event: Event,
    /// In order of their names.
    pub channels: Vec<ChannelName>,
}
