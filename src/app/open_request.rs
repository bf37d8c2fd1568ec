//! Opens a request: stores the token that the execution waits with, and notifies the approvers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::end_execution::{end_earlier_runs, end_execution, still_runs};
use super::failure::Failure;
use super::gather::{Moments, bare};
use super::input::{ExecutionInput, recorded};
use super::rewrite::TRIES;
use super::settle::Settled;
use super::{App, ExecutionRef, notify, publish, settle};
use crate::approval::decide;
use crate::approval::decision::Event;
use crate::approval::facts::Requester;
use crate::ident::{PullRequestRef, RequestId, Revision, TaskToken};
use crate::policy::Rule;
use crate::ports::{Write, WriteError};
use crate::request::record::{Entry, RecordKind};
use crate::request::{ApprovalRequest, End, ExecutionEnd, Subject};

/// What the first evaluation fixed. The request is for these, whatever happens later.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Pinned {
    pub pull_request: Option<PullRequestRef>,
    pub revision: Option<Revision>,
    pub requester: Option<Requester>,
}

impl From<&Subject> for Pinned {
    fn from(Subject { pull_request, revision, requester, .. }: &Subject) -> Self {
        Self { pull_request: pull_request.clone(), revision: revision.clone(), requester: requester.clone() }
    }
}

/// What the execution waits with.
#[derive(Debug, Clone)]
pub struct Wait {
    /// Resumes the execution.
    pub token: TaskToken,
    /// The try of the step that made the token, from 0. An earlier try that writes late must not replace a later token.
    pub retry: u32,
}

/// Stores the request with its token, and settles it, so that a review that came after Evaluate is not lost. If the
/// request still waits, notifies the approvers. A retry of the step replaces the token, and notifies nobody twice.
///
/// Publishes nothing, so that nothing comes between storing the token and the end of the step. The caller publishes
/// next ([`super::publish_opened`]).
///
/// # Errors
/// [`Failure::InvalidInput`]; [`Failure::OtherSubject`]; [`Failure::Ended`] if the request is over already;
/// [`Failure::Unavailable`] if it could not be stored.
pub async fn open_request(
    app: &App,
    execution: &ExecutionRef,
    input: &Value,
    pinned: Pinned,
    wait: Wait,
) -> Result<RequestId, Failure> {
    let given = ExecutionInput::read(input)?;
    // The pinned rule's conditions say which parts of the input are stored.
    let rule = app.policy.rule(&given.target).ok();
    let subject = Subject {
        input: rule.as_ref().map(|rule| recorded(rule, input)).unwrap_or_default(),
        target: app.policy.spelled(&given.target),
        pull_request: pinned.pull_request,
        revision: pinned.revision,
        version: given.version,
        requester: pinned.requester,
    };

    end_earlier_runs(app, execution).await?;
    if let Some(at) = &subject.pull_request {
        publish::record_pending(app, at, &execution.request_id()).await;
    }
    let request = store(app, execution, (&subject, rule.as_ref()), &wait).await?;
    // The event of a stop comes once, and may have come before the request was stored.
    if !still_runs(app, execution).await {
        end_execution(app, execution, ExecutionEnd::Stopped).await?;
        return Err(Failure::Ended { end: End::Canceled, decision: None });
    }

    match settle::settle(app, &request.id).await {
        Ok(Settled::Waiting(_)) => notify::notify(app, &request, Event::Requested, None).await,
        Ok(Settled::Ended(_) | Settled::Claimed | Settled::Nothing) => {}
        // The request is stored and waits. The next webhook or the sweep reads the facts.
        Err(failure) => {
            tracing::warn!(request.id = %request.id, reason = %failure, "stored a request, could not settle it yet");
            notify::notify(app, &request, Event::Requested, None).await;
        }
    }
    Ok(request.id)
}

/// Stores a new request, or the new token of the one that is stored.
async fn store(
    app: &App,
    execution: &ExecutionRef,
    (subject, rule): (&Subject, Option<&Rule<'_>>),
    wait: &Wait,
) -> Result<ApprovalRequest, Failure> {
    let id = execution.request_id();
    for _ in 0..TRIES {
        let now = app.clock.now();
        let stored = app.store.request(&id).await?;
        let entry = |kind| Entry { kind, at: now, decision: None, facts: None };
        let write = match stored {
            None => {
                let request = ApprovalRequest { retry: wait.retry, ..pending(app, execution, (subject, rule), now)? };
                Write::new(request, entry(RecordKind::Opened))
            }
            Some(request) if !request.subject.is_same(subject) => {
                return Err(Failure::OtherSubject {
                    stored: Box::new(request.subject),
                    wanted: Box::new(subject.clone()),
                });
            }
            Some(request) => match request.retoken(wait.retry) {
                Ok(next) => Write::new(next, entry(RecordKind::Retoken)),
                Err(_) => return Err(ended(&request)),
            },
        };
        let request = write.request.clone();
        match app.store.write(write.with_token(wait.token.clone())).await {
            Ok(()) => return Ok(request),
            Err(WriteError::Conflict { .. }) => {}
            Err(error @ WriteError::Unavailable(_)) => return Err(error.into()),
        }
    }
    Err(Failure::unavailable(format!("other writes changed the request {id} first, {TRIES} times in a row")))
}

fn pending(
    app: &App,
    execution: &ExecutionRef,
    (subject, rule): (&Subject, Option<&Rule<'_>>),
    now: Timestamp,
) -> Result<ApprovalRequest, Failure> {
    let rule = rule.ok_or_else(|| no_rule_any_more(app, subject, now))?;
    let deadline = now.checked_add(rule.timeout().signed()).unwrap_or(Timestamp::MAX);
    Ok(ApprovalRequest {
        requested_at: Some(now),
        deadline: Some(deadline),
        ..ApprovalRequest::new(execution, subject.clone(), app.policy.digest().clone(), rule.pin(), now)
    })
}

/// Evaluate found a rule. If there is none now, another policy was applied in between.
fn no_rule_any_more(app: &App, subject: &Subject, now: Timestamp) -> Failure {
    let decision = decide(&app.policy, &bare(subject, Moments::default(), now));
    Failure::Ended { end: End::Denied, decision: Some(Box::new(decision)) }
}

fn ended(request: &ApprovalRequest) -> Failure {
    match request.closed() {
        Some(closed) => Failure::Ended { end: closed.end, decision: closed.decision.clone() },
        None => Failure::unavailable(format!("a later try of the step is waiting for the request {}", request.id)),
    }
}
