//! The states of a request, its ends, and what is known about the answer to its execution.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{CLAIM_SECONDS, LONGEST_CLAIM_SECONDS, later};
use crate::approval::decision::{Decision, Event, Verdict};
use crate::policy::words::vocabulary;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// It waits for people.
    Pending,
    /// It is decided and claimed. The holder of the claim may call Step Functions.
    Settling(Settling),
    Closed(Closed),
}

/// A claim on a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settling {
    /// What the request ends as.
    pub end: End,
    /// The decision to send. Later attempts send the same.
    pub decision: Box<Decision>,
    pub claimed_at: Timestamp,
    /// How often it was claimed, from 1.
    pub attempts: u32,
}

impl Settling {
    /// When the claim lapses. It holds twice as long at each attempt, up to [`LONGEST_CLAIM_SECONDS`].
    #[must_use]
    pub fn lapses_at(&self) -> Timestamp {
        let doublings = self.attempts.saturating_sub(1).min(8);
        later(self.claimed_at, (CLAIM_SECONDS << doublings).min(LONGEST_CLAIM_SECONDS))
    }
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Closed {
    pub end: End,
    pub callback: Callback,
    /// The last decision. `None` if the execution ended before anything was decided.
    pub decision: Option<Box<Decision>>,
    pub closed_at: Timestamp,
}

vocabulary! {
    /// What a request ended as.
    End {
        /// The people's part is done. The release has a check of its own.
        Approved = "approved",
        /// Changes were requested.
        Rejected = "rejected",
        Expired = "expired",
        /// The head or base changed, or the pull request was closed unmerged.
        Superseded = "superseded",
        /// No rule any more, or the target does not fit it.
        Denied = "denied",
        /// The execution ended by other means.
        Canceled = "canceled",
    }
}

impl End {
    /// The outcome that a verdict gives a pending request. `None` if the request goes on waiting. `wait` gives `approved`:
    /// the last check before the release does the waiting.
    #[must_use]
    pub const fn of(verdict: Verdict) -> Option<Self> {
        match verdict {
            Verdict::Approved | Verdict::Wait => Some(Self::Approved),
            Verdict::Pending | Verdict::Blocked => None,
            Verdict::Rejected => Some(Self::Rejected),
            Verdict::Expired => Some(Self::Expired),
            Verdict::Superseded => Some(Self::Superseded),
            Verdict::Denied => Some(Self::Denied),
        }
    }

    /// The event that channels are notified of.
    #[must_use]
    pub const fn event(self) -> Event {
        match self {
            Self::Approved => Event::Approved,
            Self::Rejected => Event::Rejected,
            Self::Expired => Event::Expired,
            Self::Superseded => Event::Superseded,
            Self::Denied => Event::Denied,
            Self::Canceled => Event::Canceled,
        }
    }
}

/// What is known about the answer to the execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Callback {
    /// The execution accepted it.
    Sent,
    /// The token was over at a later attempt to send the same answer. An earlier attempt was accepted, unless it was
    /// cut short before the call and the token ended by other means. Only the execution's own history shows which.
    PresumedSent,
    /// No answer was accepted: the token was over at the only attempt, or the wait timed out.
    TokenOver,
    /// The execution was not waiting, or ended by itself.
    NotNeeded,
}

/// What the execution did with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallbackOutcome {
    /// It accepted the answer.
    Taken,
    TokenOver,
}

/// How an execution, or its wait, ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecutionEnd {
    /// The state machine says that the waiting step timed out, so it accepted no answer.
    TimedOut,
    /// The execution is over: stopped, failed or even succeeded. It may have accepted an answer before.
    Stopped,
}

/// A transition that the request's state does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the request is closed")]
    Closed,
    #[error("the request is being settled")]
    Settling,
    #[error("the request is not being settled")]
    NotSettling,
    #[error("a later try of the waiting step has stored its token")]
    EarlierTry,
    #[error("the decision is to go on waiting")]
    NothingToSettle,
    #[error("the decision may have been sent before")]
    PerhapsSent,
}
