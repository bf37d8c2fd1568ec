//! An approval request and its states, as pure transitions: `pending → settling → closed`, and back to pending where
//! nobody could have taken the answer yet.
//!
//! A transition gives the request as it would be; only a store's conditional write makes it so. Nothing here waits,
//! reads a clock or calls anyone.

mod due;
mod notify;
pub mod observation;
pub mod occasion;
pub mod published;
pub mod record;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::due::{LAST_RENOTIFY_SECONDS, RENOTIFY_SECONDS, REREAD_SECONDS};

use self::occasion::Occasion;
use crate::approval::decision::{Decision, Event, Verdict};
use crate::ident::{ChannelName, ExecutionArn, Login, PolicyDigest, PullRequestRef, RequestId, Revision, Target};
use crate::policy::PinnedRule;

/// How long a claim holds at first. Whoever took it has this long to call Step Functions and to close the request.
pub const CLAIM_SECONDS: i64 = 60;
/// How long a claim holds at most: attempts on a dependency that is down grow rarer up to this.
pub const LONGEST_CLAIM_SECONDS: i64 = 15 * 60;
/// What was asked for: the execution's input, after it was read and pinned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    /// What is to be deployed, and where.
    pub target: Target,
    /// The pull request; none where the rule asks for none.
    pub pull_request: Option<PullRequestRef>,
    /// The commit, pinned when the gate first evaluated.
    pub revision: Option<Revision>,
    /// The version, on the caller's word.
    pub version: Option<String>,
    /// `requestedBy`, on the caller's word.
    pub requester: Option<Login>,
    /// The parts of the input that the rule's conditions read.
    #[serde(default)]
    pub input: Map<String, Value>,
}

/// One request for approval: of one execution, in one run of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApprovalRequest {
    /// Derived from the execution and its redrive.
    pub id: RequestId,
    /// Grows by one with every write; a write names the version that it replaces.
    pub version: u64,
    /// Who waits.
    pub execution: ExecutionArn,
    /// The run of the execution, 0 for the first.
    pub redrive: u32,
    /// What was asked for.
    pub subject: Subject,
    /// The policy it was opened under.
    pub policy_digest: PolicyDigest,
    /// The rule as it was then.
    pub rule: PinnedRule,
    /// When it was stored.
    pub opened_at: Timestamp,
    /// When people were first asked; none where nobody had to be.
    pub requested_at: Option<Timestamp>,
    /// When it was settled as approved.
    pub approved_at: Option<Timestamp>,
    /// From when on its execution should have been told, where a release that was held has moved that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owed_from: Option<Timestamp>,
    /// When it expires, once people were asked.
    pub deadline: Option<Timestamp>,
    /// How far it is.
    pub state: State,
    /// Which channels were told of what; with no channels: it was tried.
    pub notified: BTreeMap<Occasion, BTreeSet<ChannelName>>,
    /// When its facts were last read, or once it is closed, when channels were last told.
    pub read_at: Timestamp,
    /// Which try of the waiting step its token is of, from 0.
    pub retry: u32,
    /// The end of its audit trail.
    pub trail: Trail,
}

/// One run of an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionRef {
    pub arn: ExecutionArn,
    /// How often the execution was redriven, 0 for its first run.
    pub redrive: u32,
}

impl ExecutionRef {
    /// The id of the request that this run makes.
    #[must_use]
    pub fn request_id(&self) -> RequestId {
        RequestId::of(&self.arn, self.redrive)
    }
}

/// Where a request's audit trail stands: the next record continues it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trail {
    /// How many records there are.
    pub length: u64,
    /// The hash of the last one; empty before the first.
    pub hash: String,
}

/// How far a request is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// Waiting for people.
    Pending,
    /// Decided, and claimed: whoever holds the claim may call Step Functions.
    Settling(Settling),
    /// Over.
    Closed(Closed),
}

/// A claim on a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settling {
    /// What it is to end as.
    pub end: End,
    /// The decision to send. A later attempt sends the same.
    pub decision: Box<Decision>,
    /// When the claim was taken.
    pub claimed_at: Timestamp,
    /// How often it was taken, from 1.
    pub attempts: u32,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Closed {
    /// As what.
    pub end: End,
    /// What came of telling the execution.
    pub callback: Callback,
    /// The last decision; none where the execution ended before there was any.
    pub decision: Option<Box<Decision>>,
    /// When.
    pub closed_at: Timestamp,
}

/// The final states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The people's part is done.
    Approved,
    /// Changes were requested.
    Rejected,
    /// The deadline came.
    Expired,
    /// Head or base changed, or the pull request was closed unmerged.
    Superseded,
    /// No rule any more, or the target does not fit it.
    Denied,
    /// The execution ended by other means.
    Canceled,
}

impl End {
    /// As it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Superseded => "superseded",
            Self::Denied => "denied",
            Self::Canceled => "canceled",
        }
    }

    /// What a verdict ends a pending request as; none where it goes on waiting. `wait` ends the people's part: the last
    /// check before release does the waiting.
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

    /// What channels are told of it.
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

/// What came of telling the execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Callback {
    /// It took the answer.
    Sent,
    /// Its token was over at a later attempt to send the same answer. An earlier one was taken, unless it was cut short
    /// before it was made and the token died otherwise: that, only the execution's own history tells.
    PresumedSent,
    /// Its token was over at the only attempt, or the wait timed out: no answer was taken.
    TokenOver,
    /// It was not waiting, or ended by itself.
    NotNeeded,
}

/// What the execution said to an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallbackOutcome {
    /// It took it.
    Taken,
    /// Its token is over.
    TokenOver,
}

/// How an execution ended, or ended its wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecutionEnd {
    /// The waiting step itself timed out, on the state machine's word: so it took no answer.
    TimedOut,
    /// The execution is over: stopped, failed or even succeeded. It may have taken an answer before.
    Stopped,
}

/// A transition that the request's state does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is over.
    #[error("the request is closed")]
    Closed,
    /// Somebody holds a claim on it.
    #[error("the request is being settled")]
    Settling,
    /// Nobody has claimed it.
    #[error("the request is not being settled")]
    NotSettling,
    /// A later try of the waiting step has stored its token.
    #[error("a later try of the step has stored its token")]
    EarlierTry,
    /// The decision is to go on waiting.
    #[error("the decision ends nothing")]
    NothingToSettle,
    /// An earlier attempt to send the decision may have been taken.
    #[error("the decision may have been sent before")]
    PerhapsSent,
}

impl ApprovalRequest {
    /// A request that is stored for the first time: pending, with nobody asked and no deadline.
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

    /// The run of the execution that waits for it.
    #[must_use]
    pub fn execution_ref(&self) -> ExecutionRef {
        ExecutionRef { arn: self.execution.clone(), redrive: self.redrive }
    }

    /// Whether it can still change by anything that people do.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.state, State::Pending | State::Settling(_))
    }

    /// How it ended, if it has.
    #[must_use]
    pub const fn closed(&self) -> Option<&Closed> {
        match &self.state {
            State::Closed(closed) => Some(closed),
            State::Pending | State::Settling(_) => None,
        }
    }

    /// The decision that stands: the one it is settled with. None while it waits.
    #[must_use]
    pub fn decision(&self) -> Option<&Decision> {
        match &self.state {
            State::Pending => None,
            State::Settling(settling) => Some(&settling.decision),
            State::Closed(closed) => closed.decision.as_deref(),
        }
    }

    fn with(&self, state: State) -> Self {
        Self { version: self.version + 1, state, ..self.clone() }
    }

    /// The same, with its facts read at `now` and nothing settled.
    #[must_use]
    pub fn read(&self, now: Timestamp) -> Self {
        Self { read_at: now, ..self.with(self.state.clone()) }
    }

    /// The same, with nothing changed but what its trail says.
    #[must_use]
    pub fn noted(&self) -> Self {
        self.with(self.state.clone())
    }

    /// The same, with its release found to have to wait at `now`: its execution is owed nothing until that is looked at
    /// again, at the latest when a claim lapses.
    #[must_use]
    pub fn held(&self, now: Timestamp) -> Self {
        Self { owed_from: Some(later(now, LONGEST_CLAIM_SECONDS)), ..self.noted() }
    }

    /// The same, with its release found not to have to wait at `now`.
    #[must_use]
    pub fn not_held(&self, now: Timestamp) -> Self {
        Self { owed_from: self.owed_from.map(|from| from.min(now)), ..self.noted() }
    }

    /// Since when its execution should have been told, or from when on it should be, where it is decided and was not.
    #[must_use]
    pub fn unsent_since(&self) -> Option<Timestamp> {
        match &self.state {
            State::Settling(settling) => Some(self.owed_from.unwrap_or(settling.decision.evaluated_at)),
            State::Pending | State::Closed(_) => None,
        }
    }

    /// The same, with these channels told of the occasion, or tried at `now`.
    #[must_use]
    pub fn notified(&self, occasion: impl Into<Occasion>, told: &[ChannelName], now: Timestamp) -> Self {
        let mut next = self.noted();
        next.notified.entry(occasion.into()).or_default().extend(told.iter().cloned());
        if !next.is_open() {
            next.read_at = now;
        }
        next
    }

    /// The same, with another task token: a retry of the step that waits. A claim stands, with its attempts: that there
    /// is another token does not show that no answer was taken, for an earlier run of the step may write late.
    ///
    /// # Errors
    /// [`Refused::Closed`], and [`Refused::EarlierTry`] where a later try's token is stored already.
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
    /// [`Refused`], where it is not pending or the decision is to go on waiting.
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
    /// [`Refused`], where there is no claim, or it still holds.
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

    /// Gives a claim back whose answer nobody took: at the only attempt the token was over, though the execution runs. Its
    /// waiting step is being run again, and the next run stores its token and decides by the facts of that time.
    ///
    /// # Errors
    /// [`Refused`], where there is no claim, and [`Refused::PerhapsSent`] at a later attempt.
    pub fn give_back(&self) -> Result<Self, Refused> {
        match &self.state {
            State::Settling(settling) if settling.attempts > 1 => Err(Refused::PerhapsSent),
            State::Settling(_) => Ok(Self { approved_at: None, owed_from: None, ..self.with(State::Pending) }),
            State::Pending => Err(Refused::NotSettling),
            State::Closed(_) => Err(Refused::Closed),
        }
    }

    /// Closes a claimed request with what the execution said.
    ///
    /// A token that is over at the only attempt shows that the answer came too late: the request ends as expired, or as
    /// canceled where the deadline has not come. At a later attempt it is held that an earlier one was taken: the people's
    /// part ended as decided either way, and [`Callback::PresumedSent`] says what is not known.
    ///
    /// # Errors
    /// [`Refused`], where nobody has claimed it.
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

    /// Closes a request whose execution ended without an answer of ours.
    ///
    /// A claimed one is closed only where the wait timed out, which shows that no answer was taken. Where the execution
    /// is over for another reason, it may be so because of the very answer that was claimed: whoever holds the claim, or
    /// takes it over, finds out.
    ///
    /// # Errors
    /// [`Refused::Closed`], and [`Refused::Settling`] where the claim goes on.
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

impl Settling {
    /// When the claim lapses: it holds twice as long at each attempt, up to a bound.
    #[must_use]
    pub fn lapses_at(&self) -> Timestamp {
        let doublings = self.attempts.saturating_sub(1).min(8);
        later(self.claimed_at, (CLAIM_SECONDS << doublings).min(LONGEST_CLAIM_SECONDS))
    }
}

fn later(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
pub(crate) mod tests;
