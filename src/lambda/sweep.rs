//! What is due, and executions that ended by other means.
//!
//! The clock calls it every minute, and EventBridge with each execution of the gate that failed, timed out or was stopped:
//! <https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html>.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::installation::Installation;
use crate::app::{self, Failure};
use crate::ident::ExecutionArn;
use crate::ports::Which;
use crate::request::ExecutionEnd;

const EXECUTION_ENDED: &str = "Step Functions Execution Status Change";
/// How far our clock may be behind that of Step Functions: what was opened as late after the end of an execution is of
/// that run, and not of its redrive.
const SKEW: SignedDuration = SignedDuration::from_secs(5);

/// What EventBridge sends.
#[derive(Debug, Deserialize)]
pub struct Event {
    #[serde(rename = "detail-type", default)]
    kind: String,
    #[serde(default)]
    detail: Detail,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    execution_arn: Option<ExecutionArn>,
    /// Milliseconds since 1970.
    stop_date: Option<i64>,
}

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Done {
    /// How many requests were due, or open for the execution.
    pub due: usize,
    /// How many of them ended.
    pub ended: usize,
    /// How many could not be brought further.
    pub failed: usize,
    /// How many deliveries that failed were asked for again.
    pub redelivered: usize,
}

/// Works an event.
///
/// # Errors
/// [`Failure::Unavailable`] where the store does not answer.
pub async fn sweep(installation: &Installation, event: &Event) -> Result<Done, Failure> {
    match (&event.detail.execution_arn, event.kind.as_str()) {
        (Some(execution), EXECUTION_ENDED) => ended(installation, execution, event.detail.stop_date).await,
        _ => swept(installation).await,
    }
}

async fn swept(installation: &Installation) -> Result<Done, Failure> {
    let app = &installation.app;
    let swept = app::sweep(app).await?;
    installation.meter.waiting(app.clock.now(), &app.store.requests(Which::Open).await?);
    tracing::info!(
        due = swept.due,
        left = swept.left,
        ended = swept.ended,
        failed = swept.failed,
        redelivered = swept.redelivered,
        "swept"
    );
    Ok(Done { due: swept.due, ended: swept.ended, failed: swept.failed, redelivered: swept.redelivered })
}

/// Closes what the ended run still asks for. The event does not say which run it was: a request that was opened after its
/// end is of a redrive, and lives.
async fn ended(installation: &Installation, arn: &ExecutionArn, stopped: Option<i64>) -> Result<Done, Failure> {
    let app = &installation.app;
    let until = stopped
        .and_then(|at| Timestamp::from_millisecond(at).ok())
        .and_then(|at| at.checked_add(SKEW).ok())
        .unwrap_or(Timestamp::MAX);
    let mut done = Done::default();
    for request in app.store.of_execution(arn).await? {
        if request.is_open() && request.opened_at <= until {
            done.due += 1;
            let ended = app::end_execution(app, &request.execution_ref(), ExecutionEnd::Stopped).await?;
            done.ended += usize::from(ended.is_some());
        }
    }
    tracing::info!(execution.arn = %arn, due = done.due, ended = done.ended, "an execution ended");
    Ok(done)
}
