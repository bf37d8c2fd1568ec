//! Open: people are asked, and the execution waits with its token.

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
use crate::approval::decision::{Decision, Event};
use crate::ident::{PullRequestRef, RequestId, Revision, TaskToken};
use crate::policy::Rule;
use crate::ports::{Write, WriteError};
use crate::request::record::{Entry, RecordKind};
use crate::request::{ApprovalRequest, End, ExecutionEnd, State, Subject, Trail};

/// What the first evaluation fixed: the request is for these, whatever has happened since.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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

/// What the execution waits with.
#[derive(Debug, Clone)]
pub struct Wait {
    /// The key that resumes it.
    pub token: TaskToken,
    /// Which try of the step made it, from 0: an earlier try that writes late must not replace a later one's token.
    pub retry: u32,
}

/// Stores the request with its token, asks people, and decides again, so that a review which came in since Evaluate is
/// not lost. A retry of the step brings a new token, which replaces the old one, and asks nobody twice.
///
/// The pull request is not written here: whoever has opened a request shows it next ([`super::publish_opened`]), so that
/// nothing lies between storing the token and being done.
///
/// # Errors
/// [`Failure::InvalidInput`]; [`Failure::Ended`] where the request is over already; [`Failure::Unavailable`] where it
/// could not be stored.
pub async fn open_request(
    app: &App,
    execution: &ExecutionRef,
    input: &Value,
    pinned: Pinned,
    wait: Wait,
) -> Result<RequestId, Failure> {
    let given = ExecutionInput::read(input)?;
    // The rule that the request is pinned to says what of the input its conditions read.
    let rule = app.policy.rule(&given.target).ok();
    let subject = Subject {
        input: rule.as_ref().map(|rule| recorded(rule, input)).unwrap_or_default(),
        target: given.target,
        pull_request: pinned.pull_request,
        revision: pinned.revision,
        version: given.version,
        requester: given.requester,
    };

    end_earlier_runs(app, execution).await?;
    if let Some(at) = &subject.pull_request {
        publish::record_pending(app, at, &execution.request_id()).await;
    }
    let request = store(app, execution, (&subject, rule.as_ref()), &wait).await?;
    // One that was stopped while its request was stored is not told of a second time.
    if !still_runs(app, execution).await {
        end_execution(app, execution, ExecutionEnd::Stopped).await?;
        return Err(Failure::Ended { end: End::Canceled, decision: None });
    }

    match settle::settle(app, &request.id).await {
        Ok(Settled::Waiting(_)) => notify::notify(app, &request, Event::Requested, None).await,
        Ok(Settled::Ended(_) | Settled::Claimed | Settled::Nothing) => {}
        // What cannot be read now is read by the next webhook or the sweep: the request is stored, and waits.
        Err(failure) => {
            tracing::warn!(request.id = %request.id, reason = %failure, "stored, and not decided again yet");
            notify::notify(app, &request, Event::Requested, None).await;
        }
    }
    Ok(request.id)
}

/// Stores a new request, or the new token in the one that stands.
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
    Err(Failure::unavailable(format!("the request {id} changes too fast to be stored")))
}

fn pending(
    app: &App,
    execution: &ExecutionRef,
    (subject, rule): (&Subject, Option<&Rule<'_>>),
    now: jiff::Timestamp,
) -> Result<ApprovalRequest, Failure> {
    let rule = rule.ok_or_else(|| no_rule_any_more(app, subject, now))?;
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
        owed_from: None,
        deadline: Some(deadline),
        state: State::Pending,
        notified: std::collections::BTreeMap::new(),
        read_at: now,
        retry: 0,
        trail: Trail::default(),
    })
}

/// Evaluate found a rule; that it is gone since means that another policy was applied in between.
fn no_rule_any_more(app: &App, subject: &Subject, now: jiff::Timestamp) -> Failure {
    let decision = decide(&app.policy, &bare(subject, Moments::default(), now));
    Failure::Ended { end: End::Denied, decision: Some(Box::new(decision)) }
}

fn ended(request: &ApprovalRequest) -> Failure {
    match request.closed() {
        Some(closed) => Failure::Ended { end: closed.end, decision: closed.decision.clone() },
        None => Failure::unavailable(format!("a later try of the step waits for the request {}", request.id)),
    }
}
