//! Protect: a deployment that the code host holds back is decided on by the same steps as an execution, and answered.
//!
//! Evaluate, open, settle and verify are those of an execution. Only what is over at once is answered here; what has to
//! wait is answered by whoever settles it.

use serde_json::{Value, json};

use super::evaluate::{Evaluated, evaluate};
use super::failure::Failure;
use super::input::InvalidInput;
use super::open_request::{Pinned, Wait, open_request};
use super::record_delivery::{BegunDelivery, Recorded};
use super::verify::verify;
use super::{App, ExecutionRef, publish};
use crate::approval::decision::{Decision, Verdict};
use crate::ident::{DeliveryId, RepositoryName, ServiceName};
use crate::policy::Policy;
use crate::ports::{CallbackError, Protection, ProtectionAsked, ProtectionComment, ProtectionDesk};
use crate::request::{ApprovalRequest, Callback, State};

/// What is said at once.
struct Reply {
    protection: Protection,
    text: String,
}

impl Reply {
    fn rejected(text: impl Into<String>) -> Self {
        Self { protection: Protection::Rejected, text: text.into() }
    }

    fn approved(text: impl Into<String>) -> Self {
        Self { protection: Protection::Approved, text: text.into() }
    }
}

/// Works the delivery that asks for a deployment. What cannot be mapped to one service, or is refused, is rejected with
/// the reason; what has to wait is reported as waiting, and answered when it is settled.
///
/// # Errors
/// [`Failure::Unavailable`]: nothing, or a report only, was answered, and it should be delivered again.
pub async fn protect(
    app: &App,
    desk: &dyn ProtectionDesk,
    delivery: &DeliveryId,
    asked: &ProtectionAsked,
) -> Result<Recorded, Failure> {
    let Some(begun) = BegunDelivery::begin(app, delivery).await? else { return Ok(Recorded::Before) };
    let app = &app.reading_once();
    let reply = reply(app, asked).await?;

    if let Some(Reply { protection, text }) = reply {
        let comment = ProtectionComment::new(&text);
        let told = desk.answer(&asked.run, protection, &comment).await;
        match (told, protection) {
            (Ok(outcome), _) => {
                tracing::info!(delivery.id = %delivery, ?protection, ?outcome, "a deployment was answered");
            }
            // It waits either way.
            (Err(error), Protection::Waits) => {
                tracing::warn!(delivery.id = %delivery, reason = %error, "that a deployment waits was not told");
            }
            (Err(error), Protection::Approved | Protection::Rejected) => return Err(unanswered(&error)),
        }
    }
    begun.finish(1).await
}

fn unanswered(error: &CallbackError) -> Failure {
    Failure::unavailable(error.to_string())
}

/// What is to be said now; none where it was said, or is said by whoever settles the request.
async fn reply(app: &App, asked: &ProtectionAsked) -> Result<Option<Reply>, Failure> {
    let repository = &asked.run.repository;
    let service = match service_of(&app.policy, repository) {
        Ok(service) => service,
        Err(problem) => return Ok(Some(Reply::rejected(problem))),
    };
    let arn = match asked.execution() {
        Ok(arn) => arn,
        Err(error) => return Ok(Some(Reply::rejected(format!("the environment cannot be in a policy: {error}")))),
    };
    let execution = ExecutionRef { arn, redrive: 0 };
    if let Some(request) = app.store.request(&execution.request_id()).await? {
        return again(app, &request).await;
    }
    let input = input(asked, &service);
    match evaluate(app, &execution, &input, None).await {
        Ok(Evaluated::Audited { decision, .. }) => {
            Ok(Some(Reply::approved(format!("not enforced (the rule is in audit mode): {}", decision.summary))))
        }
        Ok(Evaluated::Decided(decision)) => match decision.verdict {
            Verdict::Approved => released(app, &execution).await.map(Some),
            Verdict::Pending | Verdict::Blocked | Verdict::Wait => open(app, asked, &execution, &input, decision).await,
            Verdict::Rejected | Verdict::Expired | Verdict::Superseded | Verdict::Denied => {
                Ok(Some(Reply::rejected(decision.summary)))
            }
        },
        Err(failure) => refused(failure).map(Some),
    }
}

/// The event came before, in another delivery or in this one that was cut short.
async fn again(app: &App, request: &ApprovalRequest) -> Result<Option<Reply>, Failure> {
    match &request.state {
        State::Pending | State::Settling(_) => {
            super::settle(app, &request.id).await?;
            Ok(None)
        }
        // It was over at once, and it is not known whether that was answered: a second answer is not taken.
        State::Closed(closed) if closed.callback == Callback::NotNeeded => {
            let decision = closed.decision.as_deref();
            if decision.is_some_and(Decision::goes_on_in_audit) {
                return Ok(Some(Reply::approved("not enforced (the rule is in audit mode)")));
            }
            released(app, &request.execution_ref()).await.map(Some)
        }
        State::Closed(_) => Ok(None),
    }
}

/// Verify is what releases, also where nobody had to be asked.
async fn released(app: &App, execution: &ExecutionRef) -> Result<Reply, Failure> {
    match verify(app, execution).await {
        Ok(release) if release.decision.verdict == Verdict::Approved => Ok(Reply::approved(release.decision.summary)),
        // Approved a moment ago, and to be waited for now: the next delivery finds out.
        Ok(release) => Err(Failure::unavailable(release.decision.summary)),
        Err(failure) => refused(failure),
    }
}

fn refused(failure: Failure) -> Result<Reply, Failure> {
    match failure {
        Failure::InvalidInput(problems) => Ok(Reply::rejected(problems.to_string())),
        Failure::Ended { decision: Some(decision), .. } => Ok(Reply::rejected(decision.summary)),
        Failure::Ended { end, decision: None } => Ok(Reply::rejected(format!("the request ended as {}", end.as_str()))),
        failure @ (Failure::PolicyInvalid { .. } | Failure::Unavailable { .. }) => Err(failure),
    }
}

/// Asks people. Whoever settles the request answers; until then the deployment shows whom it waits for.
async fn open(
    app: &App,
    asked: &ProtectionAsked,
    execution: &ExecutionRef,
    input: &Value,
    decision: Decision,
) -> Result<Option<Reply>, Failure> {
    let token = asked.run.token().map_err(|error| InvalidInput::one(error.to_string()));
    let token = match token {
        Ok(token) => token,
        Err(problem) => return refused(problem.into()).map(Some),
    };
    let id = match open_request(app, execution, input, Pinned::from(&decision), Wait { token, retry: 0 }).await {
        Ok(id) => id,
        Err(failure) => return refused(failure).map(Some),
    };
    publish::publish_opened(app, execution).await;
    let pending = app.store.request(&id).await?.is_some_and(|request| request.state == State::Pending);
    let waits = || Reply { protection: Protection::Waits, text: format!("waiting for {}", decision.summary) };
    Ok(pending.then(waits))
}

fn input(asked: &ProtectionAsked, service: &ServiceName) -> Value {
    json!({
        "service": service,
        "environment": asked.run.environment,
        "repository": asked.run.repository,
        "revision": asked.revision,
        "requestedBy": asked.requester,
        "actions": { "event": asked.event, "run_id": asked.run.run_id },
    })
}

/// The one service that is written with the repository's own name. A pattern names no one service: which of them is
/// deployed could not be told.
fn service_of(policy: &Policy, repository: &RepositoryName) -> Result<ServiceName, String> {
    let mut found = Vec::new();
    for (pattern, service) in policy.services() {
        let lives_in = service.repository.iter().flat_map(|repositories| &repositories.value);
        let named = lives_in.into_iter().any(|one| one.as_str().eq_ignore_ascii_case(repository.as_str()));
        if let (true, Ok(name)) = (named, ServiceName::new(pattern.as_str())) {
            found.push(name);
        }
    }
    match <[ServiceName; 1]>::try_from(found) {
        Ok([one]) => Ok(one),
        Err(found) if found.is_empty() => Err(format!(
            "no service of the policy lives in {repository}: give one service `repository: {repository}`, without `*` and \
             `?` in either name"
        )),
        Err(found) => {
            let names: Vec<&str> = found.iter().map(ServiceName::as_str).collect();
            Err(format!(
                "several services of the policy live in {repository} ({}), and an environment of Actions does not say \
                 which is deployed: give `repository: {repository}` to one only",
                names.join(", ")
            ))
        }
    }
}
