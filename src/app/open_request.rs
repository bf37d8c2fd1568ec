//! Open: people are asked, and the execution waits with its token.

use serde_json::Value;

use super::failure::Failure;
use super::input::ExecutionInput;
use super::settle::Settled;
use super::{App, ExecutionRef, announce, end_execution, settle};
use crate::approval::decision::{Decision, Event};
use crate::approval::record::{Entry, RecordKind};
use crate::approval::request::{ApprovalRequest, State, Subject, Trail};
use crate::ident::{PullRequestRef, RequestId, Revision, TaskToken};
use crate::ports::{Write, WriteError};

/// How often a write that lost to another is tried again with what is stored now.
const TRIES: usize = 5;

/// What Evaluate fixed: the request is for these, whatever has happened since.
#[derive(Debug, Clone, PartialEq)]
pub struct Pinned {
    /// The pull request.
    pub pull_request: Option<PullRequestRef>,
    /// The commit.
    pub revision: Option<Revision>,
}

impl From<&Decision> for Pinned {
    fn from(decision: &Decision) -> Self {
        Self { pull_request: decision.pull_request.clone(), revision: decision.revision.clone() }
    }
}

/// Stores the request with its token, asks people, and decides again, so that a review which came in since Evaluate is
/// not lost. A retry of the step brings a new token, which replaces the old one, and asks nobody twice.
///
/// # Errors
/// [`Failure::InvalidInput`]; [`Failure::Ended`] where the request is over already; [`Failure::Unavailable`] where it
/// could not be stored.
pub async fn open_request(
    app: &App,
    execution: &ExecutionRef,
    input: &Value,
    pinned: Pinned,
    token: TaskToken,
) -> Result<RequestId, Failure> {
    let input = ExecutionInput::read(input)?;
    let subject = Subject {
        target: input.target,
        pull_request: pinned.pull_request,
        revision: pinned.revision,
        version: input.version,
        requester: input.requester,
        input: serde_json::Map::new(),
    };

    end_execution::end_earlier_runs(app, execution).await?;
    let request = store(app, execution, &subject, &token).await?;

    match settle::settle(app, &request.id).await {
        Ok(Settled::Waiting) => announce::announce(app, &request, Event::Requested).await,
        Ok(Settled::Ended(_) | Settled::Claimed | Settled::Nothing) => {}
        // What cannot be read now is read by the next webhook or the sweep: the request is stored, and waits.
        Err(failure) => {
            tracing::warn!(request.id = %request.id, reason = %failure, "stored, and not decided again yet");
            announce::announce(app, &request, Event::Requested).await;
        }
    }
    Ok(request.id)
}

/// Stores a new request, or the new token in the one that stands.
async fn store(
    app: &App,
    execution: &ExecutionRef,
    subject: &Subject,
    token: &TaskToken,
) -> Result<ApprovalRequest, Failure> {
    let id = execution.request_id();
    for _ in 0..TRIES {
        let now = app.clock.now();
        let stored = app.store.request(&id).await?;
        let entry = |kind| Entry { kind, at: now, decision: None, facts: None };
        let write = match stored {
            None => Write::new(pending(app, execution, subject, now)?, entry(RecordKind::Opened)),
            Some(request) => match request.retoken() {
                Ok(next) => Write::new(next, entry(RecordKind::Retoken)),
                Err(_) => return Err(ended(&request)),
            },
        };
        let request = write.request.clone();
        match app.store.write(write.with_token(token.clone())).await {
            Ok(()) => return Ok(request),
            Err(WriteError::Conflict { .. }) => {}
            Err(error @ WriteError::Unavailable(_)) => return Err(error.into()),
        }
    }
    Err(Failure::unavailable(format!("the request {id} changes too fast to be stored")))
}

fn pending(
    app: &App,
    execution: &ExecutionRef,
    subject: &Subject,
    now: jiff::Timestamp,
) -> Result<ApprovalRequest, Failure> {
    // Evaluate found a rule; that it is gone since means that another policy was applied in between.
    let rule = app.policy.rule(&subject.target).map_err(|_| {
        Failure::unavailable(format!("the rule for {} is gone since the execution was evaluated", subject.target))
    })?;
    let deadline = now.checked_add(rule.timeout().signed()).unwrap_or(jiff::Timestamp::MAX);
    Ok(ApprovalRequest {
        id: execution.request_id(),
        version: 1,
        execution: execution.arn.clone(),
        redrive: execution.redrive,
        subject: subject.clone(),
        policy_digest: app.policy.digest().clone(),
        rule: rule.pin(),
        opened_at: now,
        requested_at: Some(now),
        approved_at: None,
        deadline: Some(deadline),
        state: State::Pending,
        announced: std::collections::BTreeSet::new(),
        read_at: now,
        trail: Trail::default(),
    })
}

fn ended(request: &ApprovalRequest) -> Failure {
    match request.closed() {
        Some(closed) => Failure::Ended { end: closed.end, decision: closed.decision.clone() },
        None => Failure::unavailable(format!("the request {} is being settled", request.id)),
    }
}
