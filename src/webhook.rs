//! What a delivery is answered, wherever it comes in: each kind to its use case, and what came of it to a status.
//!
//! The local gate and the function on AWS answer alike, since both answer here. Knows nothing of HTTP servers, nor of how
//! a signature is checked.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::adapters::github::delivery::{Delivery, DeliveryKind, Refused};
use crate::app::{self, App, Asked, Failure, Recorded, Told};
use crate::ports::ProtectionDesk;

/// GitHub gives up after 10 seconds; what is not done by then is done by the sweep.
const PATIENCE: Duration = Duration::from_secs(9);

/// An answer over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status.
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

    /// To a delivery that was not let in. Nothing of it is repeated.
    #[must_use]
    pub fn refused(refused: &Refused) -> Self {
        tracing::warn!(status = refused.status(), reason = %refused, "a delivery was refused");
        Self::failure(refused.status(), "delivery-refused", &refused.to_string())
    }

    /// To a delivery that cannot be worked now, and should come again.
    #[must_use]
    pub fn later(failure: &Failure) -> Self {
        Self::failure(503, failure.name(), "not worked to the end; deliver it again")
    }
}

/// Until when a delivery that has come just now may be worked.
#[must_use]
pub fn end_of_patience() -> Instant {
    let now = Instant::now();
    now.checked_add(PATIENCE).unwrap_or(now)
}

/// Works a delivery that was let in, until then: what it took to let it in is part of the same time.
pub async fn work(app: &App, desk: &dyn ProtectionDesk, delivery: Delivery, until: Instant) -> Reply {
    let Delivery { id, kind, installation: _ } = delivery;
    let work = async {
        match kind {
            DeliveryKind::Ping => Ok(Reply::new(200, json!({ "result": "pong" }))),
            DeliveryKind::Ignored { .. } => Ok(Reply::new(202, json!({ "result": "ignored" }))),
            DeliveryKind::Check { repository, name, request } => {
                let asked = Asked { delivery: id.clone(), request, repository, check: name };
                app::reevaluate(app, asked).await.map(recorded)
            }
            DeliveryKind::Protection(asked) => app::protect(app, desk, &id, &asked).await.map(recorded),
            DeliveryKind::PullRequest { reference, observations, .. } => {
                let told = Told { delivery: id.clone(), pull_request: reference, observations };
                app::record_delivery(app, told).await.map(recorded)
            }
        }
    };
    match tokio::time::timeout_at(until, work).await {
        Ok(Ok(reply)) => {
            tracing::info!(delivery.id = %id, status = reply.status, "a delivery was worked");
            reply
        }
        Ok(Err(failure)) => {
            tracing::warn!(delivery.id = %id, reason = %failure, "a delivery was not worked to the end");
            Reply::later(&failure)
        }
        Err(_) => {
            tracing::warn!(delivery.id = %id, "a delivery was not worked to the end in time");
            Reply::failure(503, "slow", "not worked to the end in time; deliver it again")
        }
    }
}

fn recorded(recorded: Recorded) -> Reply {
    match recorded {
        Recorded::Worked { requests } => Reply::new(200, json!({ "result": "worked", "requests": requests })),
        Recorded::Before => Reply::new(200, json!({ "result": "worked before" })),
    }
}
