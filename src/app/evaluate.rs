//! Evaluate: the first decision on what an execution wants to deploy. Never waits.

use serde_json::Value;

use super::candidates::the_one;
use super::failure::Failure;
use super::gather::{GatherError, Moments, gather};
use super::input::{ExecutionInput, InvalidInput, recorded};
use super::open_request::Pinned;
use super::vetoes::remember_vetoes;
use super::{App, ExecutionRef, end_execution, notify, publish};
use crate::approval::decide;
use crate::approval::decision::{Decision, Verdict};
use crate::approval::facts::Requester;
use crate::ident::RequestId;
use crate::policy::{Exclusion, Rule};
use crate::ports::{CodeHostError, Write, WriteError};
use crate::request::record::{Entry, RecordKind};
use crate::request::{ApprovalRequest, Callback, Closed, End, State, Subject};

/// What came of an evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluated {
    /// Its verdict decides what the execution does next, except in audit mode.
    pub decision: Decision,
    pub pinned: Pinned,
    /// The request, if the rule is in audit mode: the execution succeeds at once, whatever the verdict. That is not an
    /// approval.
    pub audited: Option<RequestId>,
}

/// Decides on an execution's input, and pins what it is about. `pinned` is what an earlier evaluation of the same
/// execution pinned before it waited.
///
/// If the requirement is met already, or there is none, stores the request as approved. If the target is refused, or
/// the rule is in audit mode, stores and notifies that. If the execution has to wait, stores nothing.
///
/// # Errors
/// [`Failure::InvalidInput`]; [`Failure::OtherSubject`] if the execution has a request for something else, since the
/// head moved before a retry of this step, for example; and [`Failure::Unavailable`] if the facts could not be read or stored.
pub async fn evaluate(
    app: &App,
    execution: &ExecutionRef,
    input: &Value,
    pinned: Option<Pinned>,
) -> Result<Evaluated, Failure> {
    let mut given = ExecutionInput::read(input)?;
    given.target = app.policy.spelled(&given.target);
    let rule = app.policy.rule(&given.target).ok();
    let mut subject = find(app, rule.as_ref(), given, pinned.unwrap_or_default()).await?;
    subject.input = rule.as_ref().map(|rule| recorded(rule, input)).unwrap_or_default();
    let facts = gather(app, rule.as_ref(), &subject, Moments::default()).await.map_err(unreadable)?;
    subject.revision.clone_from(&facts.revision);
    if let Some(stored) = app.store.request(&execution.request_id()).await? {
        Failure::unless_same(&stored.subject, &subject)?;
    }

    let decision = decide(&app.policy, &facts);

    end_execution::end_earlier_runs(app, execution).await?;
    if matches!(decision.verdict, Verdict::Rejected | Verdict::Blocked) {
        remember_vetoes(app, &decision, &facts).await?;
    }
    let pinned = Pinned::from(&subject);
    let (Some((end, kind)), Some(rule)) = (over_at_once(&decision), rule) else {
        return Ok(Evaluated { decision, pinned, audited: None });
    };
    let now = decision.evaluated_at;
    let request = ApprovalRequest {
        approved_at: (end == End::Approved).then_some(now),
        state: State::Closed(Closed {
            end,
            callback: Callback::NotNeeded,
            decision: Some(Box::new(decision.clone())),
            closed_at: now,
        }),
        ..ApprovalRequest::new(execution, subject, app.policy.digest().clone(), rule.pin(), now)
    };
    let entry = Entry { kind, at: facts.now, decision: Some(decision.clone()), facts: Some(facts) };
    let write = Write::new(request, entry);
    let request = write.request.clone();
    if let Some(at) = &request.subject.pull_request {
        publish::record_pending(app, at, &request.id).await;
    }
    let stands = match app.store.write(write).await {
        Ok(()) => {
            notify::notify_closed(app, &request).await;
            publish::publish_request(app, &request).await;
            decision
        }
        // A retry of this step: what was stored the first time stands.
        Err(WriteError::Conflict { stored: Some(stored) }) => {
            Failure::unless_same(&stored.subject, &request.subject)?;
            stored.decision().cloned().unwrap_or(decision)
        }
        Err(error) => return Err(error.into()),
    };
    let audited = stands.goes_on_in_audit().then_some(request.id);
    Ok(Evaluated { decision: stands, pinned, audited })
}

/// The outcome of a request that need not wait for people, and how it is recorded. `None` if it has to wait.
fn over_at_once(decision: &Decision) -> Option<(End, RecordKind)> {
    // With `wait`, not even the people's part is known to be done.
    let end = End::of(decision.verdict).filter(|_| decision.verdict != Verdict::Wait);
    if decision.goes_on_in_audit() {
        // In audit mode nobody waits.
        return Some((end.unwrap_or(End::Canceled), RecordKind::Audited));
    }
    end.map(|end| (end, if end == End::Approved { RecordKind::Passed } else { RecordKind::Withheld }))
}

fn unreadable(error: GatherError) -> Failure {
    match error {
        GatherError::CodeHost(CodeHostError::NotFound { what }) => {
            InvalidInput::one(format!("`pullRequest`: {what} was not found, or the gate may not see it")).into()
        }
        GatherError::CodeHost(error @ (CodeHostError::Unavailable { .. } | CodeHostError::Limited { .. })) => {
            error.into()
        }
        GatherError::Store(error) => error.into(),
    }
}

/// What the input wants to deploy, with its pull request: named, or found by the revision.
async fn find(app: &App, rule: Option<&Rule<'_>>, input: ExecutionInput, pinned: Pinned) -> Result<Subject, Failure> {
    let mut subject = Subject {
        target: input.target,
        pull_request: pinned.pull_request.or(input.pull_request),
        revision: pinned.revision.or(input.revision),
        version: input.version,
        requester: pinned.requester.or(input.requester.map(|login| Requester { id: None, login })),
        input: serde_json::Map::new(),
    };
    let Some(rule) = rule.filter(|rule| rule.requirement().is_some()) else { return Ok(subject) };
    let excludes_requester = rule.exclude().contains(&Exclusion::Requester);
    if excludes_requester && subject.requester.is_none() {
        let problem = format!("`requestedBy` is missing: the rule for {} excludes the requester", subject.target);
        return Err(InvalidInput::one(problem).into());
    }
    if subject.pull_request.is_none() {
        subject.pull_request = Some(match (&input.repository, &subject.revision) {
            (Some(repository), Some(revision)) => {
                let found = app.code_host.pull_requests_of(repository, revision).await;
                the_one(rule, found.map_err(GatherError::from).map_err(unreadable)?, revision)?
            }
            _ => {
                let problem = format!(
                    "`pullRequest` is missing: {} needs approvals; give `owner/name#number`, or `repository` and `revision`",
                    subject.target
                );
                return Err(InvalidInput::one(problem).into());
            }
        });
    }
    let unknown = subject.requester.as_mut().filter(|requester| excludes_requester && requester.id.is_none());
    if let (Some(requester), Some(at)) = (unknown, &subject.pull_request) {
        let account = app.code_host.account(&requester.login, &at.repository).await;
        let account = account.map_err(GatherError::from).map_err(unreadable)?.ok_or_else(|| {
            let login = &requester.login;
            InvalidInput::one(format!("`requestedBy`: GitHub knows no account `{login}`: expected a login of GitHub"))
        })?;
        *requester = Requester { id: Some(account.id), login: account.login };
    }
    Ok(subject)
}
