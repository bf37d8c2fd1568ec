//! Decides on a deployment that the code host holds back, and answers it.
//!
//! The steps are those of an execution: evaluate, open, settle, verify. A deployment that needs no wait is answered
//! here. One that has to wait is answered by whoever settles its request.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::evaluate::{Evaluated, evaluate};
use super::failure::Failure;
use super::open_request::{Pinned, Wait, open_request};
use super::record_delivery::{BegunDelivery, Recorded};
use super::verify::verify;
use super::{App, ExecutionRef, publish};
use crate::approval::decision::{Decision, Verdict};
use crate::ident::{DeliveryId, RepositoryName, ServiceName};
use crate::policy::Policy;
use crate::ports::{Protection, ProtectionComment, ProtectionDesk, ProtectionRequest};
use crate::render::publish::deployment_comment;
use crate::request::{ApprovalRequest, Callback, State};

/// The start of every deployment: the number in its ARN is never given again, so the start need not tell two apart.
const NEVER_REUSED: Timestamp = Timestamp::UNIX_EPOCH;

/// An answer to send now.
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

/// Processes the delivery that requests a deployment. A deployment that is refused, or that belongs to no one service,
/// is rejected with the reason. One that has to wait is reported as waiting, and answered when its request is settled.
///
/// # Errors
/// [`Failure::Unavailable`]: no decision was sent, and the event should be delivered again.
pub async fn protect(
    app: &App,
    desk: &dyn ProtectionDesk,
    delivery: &DeliveryId,
    wanted: &ProtectionRequest,
) -> Result<Recorded, Failure> {
    let Some(begun) = BegunDelivery::begin(app, delivery).await? else { return Ok(Recorded::Before) };
    let reply = reply(&app.reading_once(), wanted).await?;

    if let Some(Reply { protection, text }) = reply {
        let answered = desk.answer(&wanted.run, protection, &comment_of(&text)).await;
        match (answered, protection) {
            (Ok(outcome), _) => {
                tracing::info!(delivery.id = %delivery, ?protection, ?outcome, "answered a deployment");
            }
            // It waits all the same.
            (Err(error), Protection::Waits) => {
                tracing::warn!(delivery.id = %delivery, reason = %error, "could not report that a deployment waits");
            }
            (Err(error), Protection::Approved | Protection::Rejected) => {
                return Err(Failure::unavailable(error.to_string()));
            }
        }
    }
    begun.finish(1).await
}

/// The answer to send now. `None` if it was sent before, or if whoever settles the request sends it.
async fn reply(app: &App, wanted: &ProtectionRequest) -> Result<Option<Reply>, Failure> {
    let service = match service_of(&app.policy, &wanted.run.repository) {
        Ok(service) => service,
        Err(problem) => return Ok(Some(Reply::rejected(problem))),
    };
    let arn = match wanted.execution() {
        Ok(arn) => arn,
        Err(error) => return Ok(Some(Reply::rejected(format!("the environment cannot be in a policy: {error}")))),
    };
    let execution = ExecutionRef { arn, started_at: NEVER_REUSED, redrive: 0 };
    if let Some(request) = app.store.request(&execution.request_id()).await? {
        return again(app, &request).await;
    }
    let input = input(wanted, &service);
    match evaluate(app, &execution, &input, None).await {
        Ok(Evaluated { decision, audited: Some(_), .. }) => {
            Ok(Some(Reply::approved(format!("not enforced (the rule is in audit mode): {}", decision.summary))))
        }
        Ok(Evaluated { decision, pinned, audited: None }) => match decision.verdict {
            Verdict::Approved => released(app, &execution).await.map(Some),
            Verdict::Pending | Verdict::Blocked | Verdict::Wait => {
                open(app, wanted, (&execution, &input), decision.summary, pinned).await
            }
            Verdict::Rejected | Verdict::Expired | Verdict::Superseded | Verdict::Denied => {
                Ok(Some(Reply::rejected(decision.summary)))
            }
        },
        Err(failure) => refused(failure).map(Some),
    }
}

/// The event came before: in another delivery, or in this one, which was not processed to the end.
async fn again(app: &App, request: &ApprovalRequest) -> Result<Option<Reply>, Failure> {
    match &request.state {
        State::Pending | State::Settling(_) => {
            super::settle(app, &request.id).await?;
            Ok(None)
        }
        // Evaluate closed it, and it is not known whether it was answered. GitHub takes no second answer.
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

/// Only Verify releases, even if nobody had to approve.
async fn released(app: &App, execution: &ExecutionRef) -> Result<Reply, Failure> {
    // Everything is read anew: what Evaluate read may be some seconds old.
    app.code_host.forget();
    match verify(app, execution).await {
        Ok(release) if release.decision.verdict == Verdict::Approved => Ok(Reply::approved(release.decision.summary)),
        // It was approved a moment ago, and has to wait now. The next delivery of the event verifies it again.
        Ok(release) => Err(Failure::unavailable(release.decision.summary)),
        Err(failure) => refused(failure),
    }
}

fn refused(failure: Failure) -> Result<Reply, Failure> {
    match failure {
        failure @ (Failure::InvalidInput(_) | Failure::Ended { .. } | Failure::OtherSubject { .. }) => {
            Ok(Reply::rejected(failure.summary()))
        }
        failure @ (Failure::PolicyInvalid { .. } | Failure::Unavailable { .. } | Failure::Limited { .. }) => {
            Err(failure)
        }
    }
}

/// Opens a request. Whoever settles it answers the deployment; until then the deployment says whom it waits for.
async fn open(
    app: &App,
    wanted: &ProtectionRequest,
    (execution, input): (&ExecutionRef, &Value),
    summary: String,
    pinned: Pinned,
) -> Result<Option<Reply>, Failure> {
    let token = match wanted.run.token() {
        Ok(token) => token,
        Err(error) => return Ok(Some(Reply::rejected(error.to_string()))),
    };
    let id = match open_request(app, execution, input, pinned, Wait { token, retry: 0 }).await {
        Ok(id) => id,
        Err(failure) => return refused(failure).map(Some),
    };
    publish::publish_opened(app, execution).await;
    let pending = app.store.request(&id).await?.is_some_and(|request| request.state == State::Pending);
    let waits = || Reply { protection: Protection::Waits, text: format!("waiting for {summary}") };
    Ok(pending.then(waits))
}

/// A text as the comment of an answer.
pub(super) fn comment_of(text: &str) -> ProtectionComment {
    ProtectionComment::new(&deployment_comment(text, ProtectionComment::LONGEST))
}

fn input(wanted: &ProtectionRequest, service: &ServiceName) -> Value {
    json!({
        "service": service,
        "environment": wanted.run.environment,
        "repository": wanted.run.repository,
        "revision": wanted.revision,
        "requestedBy": wanted.requester,
        "actions": { "event": wanted.event, "run_id": wanted.run.run_id },
    })
}

/// The one service whose `repository` is exactly this repository. A pattern, on either side, does not say which service
/// is deployed.
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
            "no service of the policy has the repository {repository}: give one service `repository: {repository}`, \
             without `*` or `?` in either name"
        )),
        Err(found) => {
            let names: Vec<&str> = found.iter().map(ServiceName::as_str).collect();
            Err(format!(
                "several services of the policy have the repository {repository} ({}), and an environment of Actions \
                 does not say which of them is deployed: give `repository: {repository}` to one only",
                names.join(", ")
            ))
        }
    }
}
