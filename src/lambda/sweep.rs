//! Processes what is due, and closes the requests of executions that ended by other means.
//!
//! EventBridge calls it every minute, and for each execution of the gate that failed, timed out or was stopped:
//! <https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html>.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::installation::Installation;
use crate::app::{self, Failure};
use crate::ident::ExecutionArn;
use crate::ports::Which;
use crate::request::ExecutionEnd;

const EXECUTION_ENDED: &str = "Step Functions Execution Status Change";
/// How far our clock may differ from that of Step Functions. A request that was opened this soon after the end of an
/// execution still belongs to the run that ended, not to its redrive.
const SKEW: SignedDuration = SignedDuration::from_secs(5);

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
    start_date: Option<i64>,
    /// Milliseconds since 1970.
    stop_date: Option<i64>,
}

/// The function's result, in numbers of requests and deliveries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Done {
    /// Requests that were due, or open for the execution.
    pub due: usize,
    /// Requests that ended.
    pub ended: usize,
    /// Requests that could not be settled now.
    pub failed: usize,
    /// Failed deliveries that were requested again.
    pub redelivered: usize,
}

pub async fn sweep(installation: &Installation, event: &Event) -> Result<Done, Failure> {
    match (&event.detail.execution_arn, event.kind.as_str()) {
        (Some(execution), EXECUTION_ENDED) => ended(installation, execution, &event.detail).await,
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

/// Closes the open request of the run that ended. The event does not say which run that is: a request that was opened
/// after the end belongs to a redrive, and stays open.
async fn ended(installation: &Installation, arn: &ExecutionArn, detail: &Detail) -> Result<Done, Failure> {
    let app = &installation.app;
    let started_at = detail.start_date.and_then(|at| Timestamp::from_millisecond(at).ok()).ok_or_else(|| {
        Failure::Unavailable { detail: "the event of an execution's end does not say when it was started".to_owned() }
    })?;
    let until = detail
        .stop_date
        .and_then(|at| Timestamp::from_millisecond(at).ok())
        .and_then(|at| at.checked_add(SKEW).ok())
        .unwrap_or(Timestamp::MAX);
    let mut done = Done::default();
    for request in app.store.of_execution(arn, started_at).await? {
        if request.is_open() && request.opened_at <= until {
            done.due += 1;
            let ended = app::end_execution(app, &request.execution_ref(), ExecutionEnd::Stopped).await?;
            done.ended += usize::from(ended.is_some());
        }
    }
    tracing::info!(execution.arn = %arn, due = done.due, ended = done.ended, "an execution ended");
    Ok(done)
}
