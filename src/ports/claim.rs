//! The claim on a request. Only a claim can resume the request's execution.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{ProtectionComment, RequestStore, StoreError, Write, WriteError};
use crate::approval::decision::Decision;
use crate::ident::{ExecutionArn, TaskToken};
use crate::request::record::{Entry, RecordKind};
use crate::request::{ApprovalRequest, CallbackOutcome, End, ExecutionRef, Refused, Settling, State};

/// The right to resume one execution once: the proof that a conditional write has claimed its request.
///
/// Only [`SettleClaim::take`] and [`SettleClaim::take_over`] make one.
#[derive(Debug)]
pub struct SettleClaim {
    request: ApprovalRequest,
    settling: Settling,
    token: TaskToken,
}

/// A claim that was not made.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    #[error(transparent)]
    Refused(#[from] Refused),
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
    /// Somebody else settles the request, or the store gave no answer. Either way nothing may be sent.
    pub async fn take(store: &dyn RequestStore, request: &ApprovalRequest, entry: Entry) -> Result<Self, ClaimError> {
        let decision = entry.decision.as_ref().ok_or(Refused::NothingToSettle)?;
        let claimed = request.claim(decision, entry.at)?;
        Self::write(store, claimed, entry).await
    }

    /// Takes over a claim that has lapsed, with the same decision.
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
        let write = Write::new(claimed, entry);
        let request = write.request.clone();
        let State::Settling(settling) = request.state.clone() else { return Err(Refused::NotSettling.into()) };
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

    /// What the request ends as.
    #[must_use]
    pub const fn end(&self) -> End {
        self.settling.end
    }

    /// Whether nobody held the claim before.
    #[must_use]
    pub const fn is_first_attempt(&self) -> bool {
        self.settling.attempts <= 1
    }

    /// The decision to send.
    #[must_use]
    pub fn decision(&self) -> &Decision {
        &self.settling.decision
    }

    /// The token to answer with. For callback adapters only.
    #[must_use]
    pub const fn token(&self) -> &TaskToken {
        &self.token
    }
}

/// The answer to a waiting execution. The comment is for an execution that is a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Success {
        /// JSON, at most 262,144 bytes.
        output: String,
        comment: ProtectionComment,
    },
    Failure {
        /// A stable name, `Countersign.…`, at most 256 characters.
        error: String,
        /// JSON, at most 32,768 characters.
        cause: String,
        comment: ProtectionComment,
    },
}

#[async_trait]
pub trait ExecutionCallback: Send + Sync {
    /// Answers the execution once. A token that is over is an outcome, not an error.
    ///
    /// An implementation must not repeat the call. If the response to the first call is lost, a repeated call finds the
    /// token over because of the first, and looks like one that came too late.
    ///
    /// # Errors
    /// It is not known whether the answer was accepted. The claim lapses, and the answer is sent again.
    async fn resume(&self, claim: &SettleClaim, answer: &Answer) -> Result<CallbackOutcome, CallbackError>;

    /// Whether this run of the execution still runs. `true` if the implementation has no way to know.
    async fn is_running(&self, _execution: &ExecutionRef) -> Result<bool, CallbackError> {
        Ok(true)
    }

    /// Whether success is itself the release, so that no step of the execution verifies after it. It is verified
    /// before.
    fn releases(&self, _execution: &ExecutionArn) -> bool {
        false
    }

    /// Reports that the request is approved, but its release has to wait. Does nothing if the execution cannot show
    /// that.
    async fn hold(&self, _claim: &SettleClaim, _comment: &ProtectionComment) {}
}

/// It is not known whether the execution accepted the answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("could not answer the execution: {detail}")]
pub struct CallbackError {
    pub detail: String,
}
