//! Answers a verified delivery: passes it to its use case, and makes an HTTP status of the outcome.
//!
//! The local gate and the function on AWS both use this, and so answer alike.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::adapters::github::delivery::{Delivery, DeliveryKind, PullRequestEvent, Refused};
use crate::app::{self, App, DeliveredObservations, Failure, Recorded, Reevaluation};
use crate::ports::ProtectionDesk;

/// GitHub gives up after 10 seconds. The sweep does what is not done by then.
const PATIENCE: Duration = Duration::from_secs(9);

/// An answer over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    /// JSON, with its schema number.
    pub body: Value,
}

impl Reply {
    fn new(status: u16, mut body: Value) -> Self {
        if let Some(fields) = body.as_object_mut() {
            fields.insert("schema".to_owned(), 1.into());
        }
        Self { status, body }
    }

    fn failure(status: u16, code: &str, message: &str) -> Self {
        Self::new(status, json!({ "error": { "code": code, "message": message } }))
    }

    /// The answer to a delivery that is refused. It repeats nothing from the delivery.
    #[must_use]
    pub fn refused(refused: &Refused) -> Self {
        tracing::warn!(status = refused.status(), reason = %refused, "refused a delivery");
        Self::failure(refused.status(), "delivery-refused", &refused.to_string())
    }

    /// The answer to a delivery that cannot be processed now, and should come again.
    #[must_use]
    pub fn later(failure: &Failure) -> Self {
        Self::failure(503, failure.name(), "could not process the delivery; deliver it again")
    }
}

/// Until when a delivery that came just now may be processed.
#[must_use]
pub fn end_of_patience() -> Instant {
    let now = Instant::now();
    now.checked_add(PATIENCE).unwrap_or(now)
}

/// Processes a verified delivery until `until`. The time includes that of its verification.
pub async fn work(app: &App, desk: &dyn ProtectionDesk, delivery: Delivery, until: Instant) -> Reply {
    let Delivery { id, kind, installation: _ } = delivery;
    let work = async {
        match kind {
            DeliveryKind::Ping => Ok(Reply::new(200, json!({ "result": "pong" }))),
            DeliveryKind::Ignored { .. } => Ok(Reply::new(202, json!({ "result": "ignored" }))),
            DeliveryKind::Check { repository, name, request } => {
                let wanted = Reevaluation { delivery: id.clone(), request, repository, check: name };
                app::reevaluate(app, wanted).await.map(recorded)
            }
            DeliveryKind::Protection(wanted) => app::protect(app, desk, &id, &wanted).await.map(recorded),
            // Nothing is read for a comment.
            DeliveryKind::PullRequest { what: PullRequestEvent::Commented, .. } => {
                app::note_delivery(app, &id).await.map(recorded)
            }
            DeliveryKind::PullRequest { reference, observations, .. } => {
                let delivered = DeliveredObservations { delivery: id.clone(), pull_request: reference, observations };
                app::record_delivery(app, delivered).await.map(recorded)
            }
        }
    };
    match tokio::time::timeout_at(until, work).await {
        Ok(Ok(reply)) => {
            tracing::info!(delivery.id = %id, status = reply.status, "processed a delivery");
            reply
        }
        Ok(Err(failure)) => {
            tracing::warn!(delivery.id = %id, reason = %failure, "could not process a delivery");
            Reply::later(&failure)
        }
        Err(_) => {
            tracing::warn!(delivery.id = %id, "could not process a delivery in time");
            Reply::failure(503, "slow", "could not process the delivery in time; deliver it again")
        }
    }
}

fn recorded(recorded: Recorded) -> Reply {
    match recorded {
        Recorded::Worked { requests } => Reply::new(200, json!({ "result": "worked", "requests": requests })),
        Recorded::Before => Reply::new(200, json!({ "result": "worked before" })),
    }
}
