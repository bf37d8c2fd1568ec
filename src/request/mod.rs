//! An approval request and its states, as pure transitions: `pending → settling → closed`, and back to pending if no
//! answer can have been accepted yet.
//!
//! A transition returns the request as it would be. Only a store's conditional write makes it so.

mod due;
mod notify;
pub mod observation;
pub mod occasion;
pub mod published;
pub mod record;
mod state;
pub mod turns;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::due::{LAST_RENOTIFY_SECONDS, RENOTIFY_SECONDS, REREAD_SECONDS};
pub use self::state::{Callback, CallbackOutcome, Closed, End, ExecutionEnd, Refused, Settling, State};

use self::occasion::Occasion;
use crate::approval::decision::Decision;
use crate::approval::facts::Requester;
use crate::ident::{ChannelName, ExecutionArn, PolicyDigest, PullRequestRef, RequestId, Revision, Target};
use crate::policy::PinnedRule;

/// How long a claim holds at first. Its holder has this long to call Step Functions and to close the request.
pub const CLAIM_SECONDS: i64 = 60;
/// How long a claim holds at most. While a dependency is down, each attempt waits longer than the last, up to this.
pub const LONGEST_CLAIM_SECONDS: i64 = 15 * 60;

/// What a request is for: the execution's input, read and pinned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    pub target: Target,
    /// `None` if the rule needs none.
    pub pull_request: Option<PullRequestRef>,
    /// Pinned at the first evaluation.
    pub revision: Option<Revision>,
    /// As the caller says.
    pub version: Option<String>,
    /// `requestedBy`, as the caller says. Its account is looked up if the rule excludes the requester.
    pub requester: Option<Requester>,
    /// The parts of the input that the rule's conditions read.
    #[serde(default)]
    pub input: Map<String, Value>,
}

impl Subject {
    /// Whether both are about the same target, pull request and revision.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let identity =
            |subject: &Self| (subject.target.clone(), subject.pull_request.clone(), subject.revision.clone());
        identity(self) == identity(other)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.target)?;
        if let Some(pull_request) = &self.pull_request {
            write!(f, ", {pull_request}")?;
        }
        match &self.revision {
            Some(revision) => write!(f, " at {}", revision.short()),
            None => Ok(()),
        }
    }
}

/// One request for approval by one run of an execution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApprovalRequest {
    /// Derived from the execution, its start and its redrive.
    pub id: RequestId,
    /// Grows by one with every write. A write names the version that it replaces.
    pub version: u64,
    pub execution: ExecutionArn,
    /// When the execution was started. A later execution may have the same ARN.
    pub started_at: Timestamp,
    /// The run of the execution, 0 for the first.
    pub redrive: u32,
    pub subject: Subject,
    /// The policy it was opened under.
    pub policy_digest: PolicyDigest,
    /// The rule in that policy.
    pub rule: PinnedRule,
    pub opened_at: Timestamp,
    /// When approval was requested. `None` if nobody had to approve.
    pub requested_at: Option<Timestamp>,
    /// When it was settled as approved.
    pub approved_at: Option<Timestamp>,
    /// From when on the answer to its execution is overdue, if a release had to wait. `None` if not: it is overdue
    /// since the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owed_from: Option<Timestamp>,
    /// When it expires. `None` if nobody had to approve.
    pub deadline: Option<Timestamp>,
    pub state: State,
    /// The channels that were notified of each occasion. An empty set says that it was tried.
    pub notified: BTreeMap<Occasion, BTreeSet<ChannelName>>,
    /// When its facts were last read; once it is closed, when channels were last notified.
    pub read_at: Timestamp,
    /// The try of the waiting step that stored the token, from 0.
    pub retry: u32,
    pub trail: Trail,
}

/// One run of an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionRef {
    pub arn: ExecutionArn,
    /// When the execution was started, in whole milliseconds. A redrive does not change it.
    pub started_at: Timestamp,
    /// How often the execution was redriven, 0 for its first run.
    pub redrive: u32,
}

impl ExecutionRef {
    /// The id of the request that this run makes.
    #[must_use]
    pub fn request_id(&self) -> RequestId {
        RequestId::of(&self.arn, self.started_at, self.redrive)
    }
}

/// The end of a request's audit trail. The next record continues it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trail {
    /// The number of records.
    pub length: u64,
    /// The hash of the last record. Empty before the first.
    pub hash: String,
}

impl ApprovalRequest {
    /// A request as it is first stored: pending, without a deadline.
    #[must_use]
    pub fn new(
        execution: &ExecutionRef,
        subject: Subject,
        policy_digest: PolicyDigest,
        rule: PinnedRule,
        now: Timestamp,
    ) -> Self {
        Self {
            id: execution.request_id(),
            version: 1,
            execution: execution.arn.clone(),
            started_at: execution.started_at,
            redrive: execution.redrive,
            subject,
            policy_digest,
            rule,
            opened_at: now,
            requested_at: None,
            approved_at: None,
            owed_from: None,
            deadline: None,
            state: State::Pending,
            notified: BTreeMap::new(),
            read_at: now,
            retry: 0,
            trail: Trail::default(),
        }
    }

    #[must_use]
    pub fn execution_ref(&self) -> ExecutionRef {
        ExecutionRef { arn: self.execution.clone(), started_at: self.started_at, redrive: self.redrive }
    }

    /// Whether it waits or is being settled.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.state, State::Pending | State::Settling(_))
    }

    #[must_use]
    pub const fn closed(&self) -> Option<&Closed> {
        match &self.state {
            State::Closed(closed) => Some(closed),
            State::Pending | State::Settling(_) => None,
        }
    }

    /// The decision it was settled with. `None` while it is pending, or if there was none.
    #[must_use]
    pub fn decision(&self) -> Option<&Decision> {
        match &self.state {
            State::Pending => None,
            State::Settling(settling) => Some(&settling.decision),
            State::Closed(closed) => closed.decision.as_deref(),
        }
    }

    /// Truncates its decision if that is longer than so many bytes of JSON.
    pub fn truncate_decision(&mut self, bytes: usize) {
        let decision = match &mut self.state {
            State::Pending => return,
            State::Settling(settling) => &mut settling.decision,
            State::Closed(Closed { decision: Some(decision), .. }) => decision,
            State::Closed(Closed { decision: None, .. }) => return,
        };
        **decision = (**decision).clone().within(bytes);
    }

    fn with(&self, state: State) -> Self {
        Self { version: self.version + 1, state, ..self.clone() }
    }

    /// The request after its facts were read at `now` and nothing was settled.
    #[must_use]
    pub fn read(&self, now: Timestamp) -> Self {
        Self { read_at: now, ..self.with(self.state.clone()) }
    }

    /// The request with a new version, for a write that only adds to the trail.
    #[must_use]
    pub fn noted(&self) -> Self {
        self.with(self.state.clone())
    }

    /// The request after a check at `now` found that its release has to wait. No answer is overdue until the next
    /// check, which comes at the latest when a claim lapses.
    #[must_use]
    pub fn held(&self, now: Timestamp) -> Self {
        Self { owed_from: Some(later(now, LONGEST_CLAIM_SECONDS)), ..self.noted() }
    }

    /// The request after a check at `now` found that its release need not wait.
    #[must_use]
    pub fn not_held(&self, now: Timestamp) -> Self {
        Self { owed_from: self.owed_from.map(|from| from.min(now)), ..self.noted() }
    }

    /// From when on the answer to its execution is overdue. `None` unless it is being settled.
    #[must_use]
    pub fn unsent_since(&self) -> Option<Timestamp> {
        match &self.state {
            State::Settling(settling) => Some(self.owed_from.unwrap_or(settling.decision.evaluated_at)),
            State::Pending | State::Closed(_) => None,
        }
    }

    /// The request after these channels were notified of the occasion at `now`, or after that was tried.
    #[must_use]
    pub fn notified(&self, occasion: impl Into<Occasion>, channels: &[ChannelName], now: Timestamp) -> Self {
        let mut next = self.noted();
        next.notified.entry(occasion.into()).or_default().extend(channels.iter().cloned());
        if !next.is_open() {
            next.read_at = now;
        }
        next
    }

    /// The request with the task token of a retry of the waiting step. A claim stays, with its attempts: another token
    /// does not show that no answer was accepted, since an earlier run of the step may write late.
    ///
    /// # Errors
    /// [`Refused::Closed`], and [`Refused::EarlierTry`] if the token of a later try is stored already.
    pub fn retoken(&self, retry: u32) -> Result<Self, Refused> {
        match &self.state {
            State::Pending | State::Settling(_) if retry < self.retry => Err(Refused::EarlierTry),
            State::Pending | State::Settling(_) => Ok(Self { retry, ..self.noted() }),
            State::Closed(_) => Err(Refused::Closed),
        }
    }

    /// Claims a pending request with the decision that ends it.
    ///
    /// # Errors
    /// It is not pending, or the decision is to go on waiting.
    pub fn claim(&self, decision: &Decision, now: Timestamp) -> Result<Self, Refused> {
        match &self.state {
            State::Pending => {}
            State::Settling(_) => return Err(Refused::Settling),
            State::Closed(_) => return Err(Refused::Closed),
        }
        let end = End::of(decision.verdict).ok_or(Refused::NothingToSettle)?;
        let decision = Box::new(decision.clone());
        let settling = Settling { end, decision, claimed_at: now, attempts: 1 };
        let mut next = self.with(State::Settling(settling));
        next.read_at = now;
        if end == End::Approved {
            next.approved_at = Some(now);
        }
        Ok(next)
    }

    /// Takes over a claim that has lapsed. The decision stays: it may have been sent already.
    ///
    /// # Errors
    /// There is no claim, or it still holds.
    pub fn take_over(&self, now: Timestamp) -> Result<Self, Refused> {
        match &self.state {
            State::Settling(settling) if now >= settling.lapses_at() => {
                let attempts = settling.attempts.saturating_add(1);
                Ok(self.with(State::Settling(Settling { claimed_at: now, attempts, ..settling.clone() })))
            }
            State::Settling(_) => Err(Refused::Settling),
            State::Pending => Err(Refused::NotSettling),
            State::Closed(_) => Err(Refused::Closed),
        }
    }

    /// Gives back a claim whose answer was not accepted: the token was over at the only attempt, but the execution
    /// runs. Its waiting step is being run again. The next run stores its token, and decides on the facts of that time.
    ///
    /// # Errors
    /// There is no claim, or it is not the first attempt ([`Refused::PerhapsSent`]).
    pub fn give_back(&self) -> Result<Self, Refused> {
        match &self.state {
            State::Settling(settling) if settling.attempts > 1 => Err(Refused::PerhapsSent),
            State::Settling(_) => Ok(Self { approved_at: None, owed_from: None, ..self.with(State::Pending) }),
            State::Pending => Err(Refused::NotSettling),
            State::Closed(_) => Err(Refused::Closed),
        }
    }

    /// Closes a claimed request with what the execution did with the answer.
    ///
    /// A token that is over at the only attempt shows that the answer came too late. The request ends as expired, or
    /// before the deadline, as canceled. At a later attempt, an earlier answer is assumed to be accepted
    /// ([`Callback::PresumedSent`]), and the request ends as decided.
    ///
    /// # Errors
    /// Nobody has claimed it.
    pub fn close(&self, outcome: CallbackOutcome, now: Timestamp) -> Result<Self, Refused> {
        let settling = match &self.state {
            State::Settling(settling) => settling,
            State::Pending => return Err(Refused::NotSettling),
            State::Closed(_) => return Err(Refused::Closed),
        };
        let late = || if self.deadline.is_some_and(|deadline| now >= deadline) { End::Expired } else { End::Canceled };
        let (end, callback) = match outcome {
            CallbackOutcome::Taken => (settling.end, Callback::Sent),
            CallbackOutcome::TokenOver if settling.attempts > 1 => (settling.end, Callback::PresumedSent),
            CallbackOutcome::TokenOver => (late(), Callback::TokenOver),
        };
        let decision = Some(settling.decision.clone());
        let mut next = self.with(State::Closed(Closed { end, callback, decision, closed_at: now }));
        if end != End::Approved {
            next.approved_at = None;
        }
        Ok(next)
    }

    /// Closes a request whose execution ended without our answer.
    ///
    /// A claimed request is closed only if the wait timed out, which shows that no answer was accepted. An execution
    /// that is over for another reason may be over because of the claimed answer. The holder of the claim finds out.
    ///
    /// # Errors
    /// [`Refused::Closed`], and [`Refused::Settling`] if the claim stays.
    pub fn execution_ended(
        &self,
        how: ExecutionEnd,
        decision: Option<Decision>,
        now: Timestamp,
    ) -> Result<Self, Refused> {
        let (end, callback) = match (&self.state, how) {
            (State::Pending, ExecutionEnd::TimedOut) => (End::Expired, Callback::NotNeeded),
            (State::Pending, ExecutionEnd::Stopped) => (End::Canceled, Callback::NotNeeded),
            (State::Settling(_), ExecutionEnd::TimedOut) => (End::Expired, Callback::TokenOver),
            (State::Settling(_), ExecutionEnd::Stopped) => return Err(Refused::Settling),
            (State::Closed(_), ExecutionEnd::TimedOut | ExecutionEnd::Stopped) => return Err(Refused::Closed),
        };
        let decision = decision.map(Box::new);
        let mut next = self.with(State::Closed(Closed { end, callback, decision, closed_at: now }));
        next.approved_at = None;
        Ok(next)
    }
}

fn later(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
pub(crate) mod tests;
