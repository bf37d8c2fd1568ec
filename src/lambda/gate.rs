//! The steps of the gate's state machine. `terraform/state-machine.asl.json.tftpl` defines their events and results.
//!
//! A refusal is a result, with the name and the cause that the execution ends with. An error means that nothing could
//! be decided, and the step is tried again. Only the step that waits returns every end as an error, since its result is
//! ignored.

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};
use serde::Deserialize;
use serde_json::{Value, json};

use super::installation::Installation;
use crate::app::{self, App, ExecutionRef, Failure, NextStep, Pinned, Wait};
use crate::approval::decision::Decision;
use crate::ident::{ExecutionArn, TaskToken};
use crate::render::answer::{self, LONGEST_CAUSE};
use crate::request::ExecutionEnd;

/// An event from the state machine.
#[derive(Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
enum Step {
    /// Decides for the first time, or again after a wait.
    Evaluate { execution: Execution, pinned: Option<Pinned> },
    /// Opens a request, and waits with a token.
    RequestApproval { execution: Execution, pinned: Pinned, token: String, retry: u32 },
    /// Decides whether to release.
    Verify { execution: Execution },
    /// Closes the request of an execution that ends, and returns what the execution ends as.
    Settle { how: How, execution: Execution, failure: Caught },
}

#[derive(Deserialize)]
struct Execution {
    arn: ExecutionArn,
    /// `$$.Execution.StartTime`, which a redrive does not change.
    started: Timestamp,
    redrive: u32,
    input: Value,
}

impl Execution {
    fn reference(&self) -> ExecutionRef {
        ExecutionRef { arn: self.arn.clone(), started_at: self.started, redrive: self.redrive }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum How {
    /// Nobody answered in time.
    TimedOut,
    Stopped,
}

/// What a `Catch` caught.
#[derive(Deserialize)]
struct Caught {
    #[serde(rename = "Error")]
    error: String,
    #[serde(rename = "Cause")]
    cause: Option<String>,
}

/// Takes a step. The state machine catches errors by their names.
pub async fn step(installation: &Installation, event: Value) -> Result<Value, Failure> {
    let app = &installation.app;
    // The message repeats nothing from the event, which may contain a token.
    let unknown = |_| Failure::Unavailable {
        detail: "the event is unknown: the function and the state machine are from different releases".to_owned(),
    };
    match serde_json::from_value(event).map_err(unknown)? {
        Step::Evaluate { execution, pinned } => evaluate(app, &execution, pinned).await,
        Step::RequestApproval { execution, pinned, token, retry } => {
            let token = TaskToken::new(&token).map_err(|error| Failure::Unavailable { detail: error.to_string() })?;
            request_approval(app, &execution, pinned, Wait { token, retry }).await
        }
        Step::Verify { execution } => verify(app, &execution).await,
        Step::Settle { how, execution, failure } => settle(app, &execution, how, &failure).await,
    }
}

async fn evaluate(app: &App, execution: &Execution, pinned: Option<Pinned>) -> Result<Value, Failure> {
    let app = &app.reading_once();
    let evaluated = app::evaluate(app, &execution.reference(), &execution.input, pinned).await?;
    log(execution, &evaluated.decision);
    let (verdict, pinned) = (evaluated.decision.verdict, json!(evaluated.pinned));
    let mut route = route(NextStep::after_evaluation(evaluated)?);
    if let Some(fields) = route.as_object_mut() {
        fields.insert("verdict".to_owned(), verdict.as_str().into());
        fields.insert("pinned".to_owned(), pinned);
    }
    Ok(route)
}

async fn request_approval(app: &App, execution: &Execution, pinned: Pinned, wait: Wait) -> Result<Value, Failure> {
    let app = &app.reading_once();
    let reference = execution.reference();
    let request_id = app::open_request(app, &reference, &execution.input, pinned, wait).await?;
    app::publish_opened(app, &reference).await;
    tracing::info!(request.id = %request_id, execution.arn = %execution.arn, "opened a request");
    Ok(json!({ "request_id": request_id }))
}

async fn verify(app: &App, execution: &Execution) -> Result<Value, Failure> {
    let verified = app::verify(app, &execution.reference()).await;
    if let Ok(release) = &verified {
        log(execution, &release.decision);
    }
    let step = NextStep::after_verification(verified)?;
    if let NextStep::Fail(failure) = &step {
        tracing::info!(execution.arn = %execution.arn, error = failure.name(), "refused a release");
    }
    Ok(route(step))
}

/// The next step, as the state machine's choices read it.
fn route(step: NextStep) -> Value {
    match step {
        NextStep::Verify => json!({ "route": "verify" }),
        NextStep::RequestApproval { timeout_seconds, .. } => {
            json!({ "route": "request-approval", "timeout_seconds": timeout_seconds })
        }
        NextStep::WaitUntil(until) => json!({ "route": "wait", "until": whole_second(until) }),
        NextStep::Audited { output } => json!({ "route": "audited", "output": parsed(&output) }),
        NextStep::Release { output } => json!({ "route": "release", "output": parsed(&output) }),
        NextStep::Fail(failure) => json!({ "route": "end", "error": failure.name(), "cause": failure.cause() }),
    }
}

/// Rounds up to a whole second. A wait that ends a moment early would decide again for nothing.
fn whole_second(at: Timestamp) -> Timestamp {
    at.round(TimestampRound::new().smallest(Unit::Second).mode(RoundMode::Ceil)).unwrap_or(at)
}

async fn settle(app: &App, execution: &Execution, how: How, caught: &Caught) -> Result<Value, Failure> {
    let reference = execution.reference();
    let (error, cause) = match how {
        How::TimedOut => {
            let expired = app::expire_execution(app, &reference).await?;
            (expired.name(), expired.cause())
        }
        How::Stopped => {
            app::end_execution(app, &reference, ExecutionEnd::Stopped).await?;
            failed_with(caught)
        }
    };
    tracing::info!(execution.arn = %execution.arn, error, caught = caught.error, "an execution ends");
    Ok(json!({ "error": error, "cause": cause }))
}

/// The name and the cause to end with. An error that is not ours means that nothing could be decided. Its cause is not
/// repeated, since it may contain what was sent.
fn failed_with(caught: &Caught) -> (&'static str, String) {
    let of_ours = Failure::NAMES.into_iter().find(|name| *name == caught.error);
    match (of_ours, caught.cause.as_deref().and_then(unwrapped)) {
        (Some(name), Some(cause)) => (name, cause),
        (Some(name), None) => (name, answer::plain_cause(name, "the error has no cause")),
        (None, _) => {
            let name = "Countersign.Unavailable";
            (name, answer::plain_cause(name, &format!("a step of the gate failed with `{}`", caught.error)))
        }
    }
}

/// Our cause, as it was sent or inside Lambda's error object. `None` if it is not ours.
fn unwrapped(cause: &str) -> Option<String> {
    let object: serde_json::Map<String, Value> = serde_json::from_str(cause).ok()?;
    let message = match object.get("errorMessage") {
        Some(message) => message.as_str().filter(|text| serde_json::from_str::<Value>(text).is_ok())?,
        None => cause,
    };
    (message.chars().count() <= LONGEST_CAUSE).then(|| message.to_owned())
}

fn parsed(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_default()
}

fn log(execution: &Execution, decision: &Decision) {
    tracing::info!(
        execution.arn = %execution.arn, target.service = %decision.target.service,
        target.environment = %decision.target.environment, policy.digest = %decision.policy_digest,
        verdict = decision.verdict.as_str(), "decided"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caught(error: &str, cause: Option<&str>) -> (&'static str, String) {
        failed_with(&Caught { error: error.to_owned(), cause: cause.map(str::to_owned) })
    }

    #[test]
    fn a_cause_is_kept_as_it_was_sent_and_one_that_lambda_wrapped_is_unwrapped() {
        let decision = r#"{"schema":1,"verdict":"rejected"}"#;
        let wrapped = json!({ "errorType": "Countersign.Rejected", "errorMessage": decision, "trace": [] }).to_string();
        for cause in [decision, &wrapped] {
            assert_eq!(caught("Countersign.Rejected", Some(cause)), ("Countersign.Rejected", decision.to_owned()));
        }
    }

    #[test]
    fn an_error_that_is_not_ours_is_unavailable_and_its_cause_is_not_repeated() {
        for (error, cause) in [
            ("Lambda.Unknown", Some("the process died with AQCEAAAAtoken")),
            ("States.TaskFailed", None),
            ("Countersign.Approved", Some("{}")),
        ] {
            let (name, cause) = caught(error, cause);
            assert_eq!(name, "Countersign.Unavailable");
            assert!(cause.contains(error) && !cause.contains("AQCE"), "{cause}");
        }
        let (name, cause) = caught("Countersign.Denied", Some("not JSON"));
        assert_eq!((name, cause.contains("the error has no cause")), ("Countersign.Denied", true));
    }

    #[test]
    fn a_wait_ends_on_the_whole_second_after_its_end() {
        let whole = |text: &str| whole_second(text.parse().unwrap()).to_string();
        assert_eq!(whole("2026-11-18T10:00:00.1Z"), "2026-11-18T10:00:01Z");
        assert_eq!(whole("2026-11-18T10:00:00Z"), "2026-11-18T10:00:00Z");
    }
}
