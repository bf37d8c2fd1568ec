//! Closes the open request of an execution that ended without our answer.

use super::failure::Failure;
use super::gather::facts_of;
use super::rewrite::rewrite;
use super::{App, ExecutionRef, notify, publish};
use crate::approval::decide_under;
use crate::approval::decision::{Decision, Verdict};
use crate::request::record::{Entry, RecordKind};
use crate::request::{ApprovalRequest, End, ExecutionEnd};

/// Closes the open request of an execution that timed out or was stopped. Returns what the request ended as; `None` if
/// there is no request, or somebody holds a claim on it.
///
/// # Errors
/// [`Failure::Unavailable`] if the store gave no answer.
pub async fn end_execution(app: &App, execution: &ExecutionRef, how: ExecutionEnd) -> Result<Option<End>, Failure> {
    match app.store.request(&execution.request_id()).await? {
        Some(request) => close(app, request, how).await,
        None => Ok(None),
    }
}

/// Closes the request of an execution whose wait for people timed out. Returns what the execution fails with.
///
/// # Errors
/// [`Failure::Unavailable`] if the store gave no answer.
pub async fn expire_execution(app: &App, execution: &ExecutionRef) -> Result<Failure, Failure> {
    end_execution(app, execution, ExecutionEnd::TimedOut).await?;
    let request = app.store.request(&execution.request_id()).await?;
    let decision = request.and_then(|request| request.closed().and_then(|closed| closed.decision.clone()));
    Ok(Failure::Ended { end: End::Expired, decision })
}

/// Whether the execution still runs, and so may wait. `true` if that is not known.
pub(super) async fn still_runs(app: &App, execution: &ExecutionRef) -> bool {
    app.callback.is_running(execution).await.unwrap_or_else(|error| {
        tracing::warn!(execution.arn = %execution.arn, reason = %error, "unknown whether the execution still runs");
        true
    })
}

/// Closes the requests that earlier runs of the execution left open.
pub(super) async fn end_earlier_runs(app: &App, execution: &ExecutionRef) -> Result<(), Failure> {
    if execution.redrive == 0 {
        return Ok(());
    }
    for request in app.store.of_execution(&execution.arn, execution.started_at).await? {
        if request.redrive < execution.redrive && request.is_open() {
            close(app, request, ExecutionEnd::Stopped).await?;
        }
    }
    Ok(())
}

async fn close(app: &App, request: ApprovalRequest, how: ExecutionEnd) -> Result<Option<End>, Failure> {
    if !request.is_open() {
        return Ok(request.closed().map(|closed| closed.end));
    }
    let decision = if how == ExecutionEnd::TimedOut { expired(app, &request).await } else { None };
    let closed = rewrite(app, &request, |current| {
        let now = app.clock.now();
        let closed = current.execution_ended(how, decision.clone(), now).ok()?;
        Some((closed, Entry { kind: RecordKind::ExecutionEnded, at: now, decision: decision.clone(), facts: None }))
    });
    match closed.await? {
        Some(closed) => {
            notify::notify_end(app, &closed).await;
            publish::publish_request(app, &closed).await;
            Ok(closed.closed().map(|closed| closed.end))
        }
        // It was closed meanwhile, or somebody holds a claim on it and will find out.
        None => {
            let stored = app.store.request(&request.id).await?;
            Ok(stored.and_then(|request| request.closed().map(|closed| closed.end)))
        }
    }
}

/// The decision for the record, if the facts can still be read. The request is closed without it, too.
async fn expired(app: &App, request: &ApprovalRequest) -> Option<Decision> {
    let facts = facts_of(app, request).await.ok()?;
    let decision = decide_under(&request.rule.rule(), &request.policy_digest, &facts);
    (decision.verdict == Verdict::Expired).then_some(decision)
}
