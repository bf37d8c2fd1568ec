//! The claim on a request, which alone lets its execution be resumed, and how it is.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{RequestStore, StoreError, Write, WriteError};
use crate::approval::decision::Decision;
use crate::ident::{ExecutionArn, TaskToken};
use crate::request::record::{Entry, RecordKind};
use crate::request::{ApprovalRequest, CallbackOutcome, End, Refused, Settling, State};

/// The right to resume one execution, once: the proof that a conditional write has claimed its request.
///
/// There is no other way to make one than [`SettleClaim::take`] and [`SettleClaim::take_over`].
#[derive(Debug)]
pub struct SettleClaim {
    request: ApprovalRequest,
    settling: Settling,
    token: TaskToken,
}

/// A claim that was not given.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// The request's state does not allow it.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Another came first, or the store gave no answer.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl From<StoreError> for ClaimError {
    fn from(error: StoreError) -> Self {
        Self::Write(error.into())
    }
}

impl SettleClaim {
    /// Claims a pending request with the decision that ends it.
    ///
    /// # Errors
    /// [`ClaimError`]: somebody else settles it, or the store gave no answer. Either way nothing may be sent.
    pub async fn take(store: &dyn RequestStore, request: &ApprovalRequest, entry: Entry) -> Result<Self, ClaimError> {
        let decision = entry.decision.as_ref().ok_or(Refused::NothingToSettle)?;
        let claimed = request.claim(decision, entry.at)?;
        Self::write(store, claimed, entry).await
    }

    /// Takes over a claim that has lapsed, with the decision that it was taken with.
    ///
    /// # Errors
    /// As [`SettleClaim::take`].
    pub async fn take_over(
        store: &dyn RequestStore,
        request: &ApprovalRequest,
        now: Timestamp,
    ) -> Result<Self, ClaimError> {
        let claimed = request.take_over(now)?;
        let entry = Entry { kind: RecordKind::TakenOver, at: now, decision: None, facts: None };
        Self::write(store, claimed, entry).await
    }

    async fn write(store: &dyn RequestStore, claimed: ApprovalRequest, entry: Entry) -> Result<Self, ClaimError> {
        let State::Settling(settling) = claimed.state.clone() else { return Err(Refused::NotSettling.into()) };
        let write = Write::new(claimed, entry);
        let request = write.request.clone();
        store.write(write).await?;
        let token = store.token(&request.id).await?;
        let token = token.ok_or_else(|| StoreError { detail: "the request has no task token".to_owned() })?;
        Ok(Self { request, settling, token })
    }

    /// The request as it was claimed.
    #[must_use]
    pub const fn request(&self) -> &ApprovalRequest {
        &self.request
    }

    /// What it ends as.
    #[must_use]
    pub const fn end(&self) -> End {
        self.settling.end
    }

    /// Whether nobody has held the claim before.
    #[must_use]
    pub const fn is_first_attempt(&self) -> bool {
        self.settling.attempts <= 1
    }

    /// The decision to send.
    #[must_use]
    pub fn decision(&self) -> &Decision {
        &self.settling.decision
    }

    /// The token to send it with. For callback adapters only.
    #[must_use]
    pub const fn token(&self) -> &TaskToken {
        &self.token
    }
}

/// What an execution is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Go on.
    Success {
        /// JSON, at most 262,144 bytes.
        output: String,
    },
    /// Stop.
    Failure {
        /// A stable name, `Countersign.…`, at most 256 characters.
        error: String,
        /// JSON, at most 32,768 characters.
        cause: String,
    },
}

/// How a waiting execution is resumed.
#[async_trait]
pub trait ExecutionCallback: Send + Sync {
    /// Tells the execution, once. That its token is over is an outcome, not an error.
    ///
    /// Nothing may be repeated behind this call: an attempt whose answer was lost and that a client library repeats by
    /// itself would find the token over because of itself, and be taken for one that came too late.
    ///
    /// # Errors
    /// [`CallbackError`]: it is not known whether the answer was taken. The claim is left to lapse, and the answer sent
    /// again.
    async fn resume(&self, claim: &SettleClaim, answer: &Answer) -> Result<CallbackOutcome, CallbackError>;

    /// Whether the execution still runs, in that run of it; yes, where that cannot be told.
    ///
    /// # Errors
    /// [`CallbackError`]: nobody said.
    async fn is_running(&self, _execution: &ExecutionArn, _redrive: u32) -> Result<bool, CallbackError> {
        Ok(true)
    }

    /// Whether success is the release itself, with no step of the execution's own behind it: then it is verified first.
    fn releases(&self, _execution: &ExecutionArn) -> bool {
        false
    }

    /// Says to whoever waits that it is approved and held all the same. Not every execution can be told.
    async fn hold(&self, _claim: &SettleClaim, _why: &Decision) {}
}

/// It is not known whether the execution took the answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the execution could not be told: {detail}")]
pub struct CallbackError {
    /// What was said.
    pub detail: String,
}
