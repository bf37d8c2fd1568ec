//! An execution ended without an answer of ours: what it still asked for is closed.

use super::failure::Failure;
use super::settle::facts_of;
use super::{App, ExecutionRef, announce};
use crate::approval::decide_under;
use crate::approval::decision::{Decision, Verdict};
use crate::approval::record::{Entry, RecordKind};
use crate::approval::request::{ApprovalRequest, End, ExecutionEnd};
use crate::ports::{Write, WriteError};

/// How often a request that another changed in the meantime is looked at again.
const TRIES: usize = 5;

/// Closes the open request of an execution that timed out or was stopped, and says what the request ended as; none where
/// there is none, or where a claim on it goes on.
///
/// # Errors
/// [`Failure::Unavailable`] where the store gave no answer.
pub async fn end_execution(app: &App, execution: &ExecutionRef, how: ExecutionEnd) -> Result<Option<End>, Failure> {
    match app.store.request(&execution.request_id()).await? {
        Some(request) => close(app, request, how).await,
        None => Ok(None),
    }
}

/// Closes what earlier runs of the execution left open.
pub(super) async fn end_earlier_runs(app: &App, execution: &ExecutionRef) -> Result<(), Failure> {
    if execution.redrive == 0 {
        return Ok(());
    }
    for request in app.store.of_execution(&execution.arn).await? {
        if request.redrive < execution.redrive && request.is_open() {
            close(app, request, ExecutionEnd::Stopped).await?;
        }
    }
    Ok(())
}

async fn close(app: &App, request: ApprovalRequest, how: ExecutionEnd) -> Result<Option<End>, Failure> {
    let decision = if how == ExecutionEnd::TimedOut { expired(app, &request).await } else { None };
    let mut current = request;
    for _ in 0..TRIES {
        let now = app.clock.now();
        let Ok(closed) = current.execution_ended(how, decision.clone(), now) else {
            return Ok(current.closed().map(|closed| closed.end));
        };
        let entry = Entry { kind: RecordKind::ExecutionEnded, at: now, decision: decision.clone(), facts: None };
        let write = Write::new(closed, entry);
        let closed = write.request.clone();
        match app.store.write(write).await {
            Ok(()) => {
                announce::announce_end(app, &closed).await;
                return Ok(closed.closed().map(|closed| closed.end));
            }
            Err(WriteError::Conflict { stored: Some(stored) }) => current = *stored,
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::unavailable(format!("the request {} changes too fast to be closed", current.id)))
}

/// The decision that says why, where the facts can still be had: it is for the record, and not worth failing for.
async fn expired(app: &App, request: &ApprovalRequest) -> Option<Decision> {
    let facts = facts_of(app, request).await.ok()?;
    let decision = decide_under(&request.rule.rule(), &request.policy_digest, &facts);
    (decision.verdict == Verdict::Expired).then_some(decision)
}
