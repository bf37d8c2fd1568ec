//! `POST /webhooks/github`: from HTTP to the webhook door, and from its answer to the use case.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;

use super::LocalGate;
use super::server::{answer, failure};
use crate::adapters::github::delivery::{
    DELIVERY_HEADER, DeliveryHeaders, DeliveryKind, EVENT_HEADER, LARGEST_BODY, Refused, SIGNATURE_HEADER, receive,
};
use crate::app::{self, Asked, Failure, Recorded, Told};
use crate::ident::DeliveryId;

/// GitHub gives up after 10 seconds; what is not done by then is done by the sweep.
const PATIENCE: Duration = Duration::from_secs(9);

pub(super) async fn github(State(gate): State<Arc<LocalGate>>, headers: HeaderMap, body: Body) -> Response {
    let Ok(body) = axum::body::to_bytes(body, LARGEST_BODY).await else {
        return refuse(&Refused::TooLarge);
    };
    let (event, delivery, signature) =
        (header(&headers, EVENT_HEADER), header(&headers, DELIVERY_HEADER), header(&headers, SIGNATURE_HEADER));
    let given =
        DeliveryHeaders { event: event.as_deref(), delivery: delivery.as_deref(), signature: signature.as_deref() };
    let delivery = match receive(&gate.secrets, &given, &body, gate.app.clock.now()) {
        Ok(delivery) => delivery,
        Err(refused) => {
            tracing::warn!(status = refused.status(), reason = %refused, "a delivery was refused");
            return refuse(&refused);
        }
    };
    let (pull_request, observations) = match delivery.kind {
        DeliveryKind::Ping => return answer(StatusCode::OK, json!({ "result": "pong" })),
        DeliveryKind::Ignored { .. } => return answer(StatusCode::ACCEPTED, json!({ "result": "ignored" })),
        DeliveryKind::Check { repository, name, request } => {
            let asked = Asked { delivery: delivery.id.clone(), request, repository, check: name };
            return worked(&delivery.id, app::reevaluate(&gate.app, asked)).await;
        }
        DeliveryKind::Protection(asked) => {
            return worked(&delivery.id, app::protect(&gate.app, &gate.github, &delivery.id, &asked)).await;
        }
        DeliveryKind::PullRequest { reference, observations, .. } => (reference, observations),
    };
    let told = Told { delivery: delivery.id.clone(), pull_request, observations };
    worked(&delivery.id, app::record_delivery(&gate.app, told)).await
}

/// The answer to a delivery that is worked.
async fn worked(delivery: &DeliveryId, work: impl Future<Output = Result<Recorded, Failure>>) -> Response {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(Ok(Recorded::Worked { requests })) => {
            tracing::info!(delivery.id = %delivery, requests, "a delivery was worked");
            answer(StatusCode::OK, json!({ "result": "worked", "requests": requests }))
        }
        Ok(Ok(Recorded::Before)) => answer(StatusCode::OK, json!({ "result": "worked before" })),
        Ok(Err(why)) => failure(StatusCode::SERVICE_UNAVAILABLE, why.name(), "not worked to the end; deliver it again"),
        Err(_) => failure(StatusCode::SERVICE_UNAVAILABLE, "slow", "not worked to the end in time; deliver it again"),
    }
}

fn refuse(refused: &Refused) -> Response {
    let status = StatusCode::from_u16(refused.status()).unwrap_or(StatusCode::BAD_REQUEST);
    failure(status, "delivery-refused", &refused.to_string())
}

/// A header's one value. Several are joined, as HTTP reads them, and then fit no form: none of them is picked.
fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let values: Option<Vec<&str>> = headers.get_all(name).iter().map(|value| value.to_str().ok()).collect();
    values.filter(|values| !values.is_empty()).map(|values| values.join(", "))
}
