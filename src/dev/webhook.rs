//! `POST /webhooks/github` of the local gate.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};

use super::LocalGate;
use crate::adapters::github::delivery::{
    DELIVERY_HEADER, DeliveryHeaders, EVENT_HEADER, LARGEST_BODY, Refused, SIGNATURE_HEADER, receive,
};
use crate::webhook::{self, Reply};

pub(super) async fn github(State(gate): State<Arc<LocalGate>>, headers: HeaderMap, body: Body) -> Response {
    let until = webhook::end_of_patience();
    let reply = match axum::body::to_bytes(body, LARGEST_BODY).await {
        Ok(body) => {
            let header = |name| header(&headers, name);
            let (event, delivery, signature) =
                (header(EVENT_HEADER), header(DELIVERY_HEADER), header(SIGNATURE_HEADER));
            let given = DeliveryHeaders {
                event: event.as_deref(),
                delivery: delivery.as_deref(),
                signature: signature.as_deref(),
            };
            match receive(&gate.secrets, &given, &body, gate.app.clock.now()) {
                Ok(delivery) => webhook::work(&gate.app, &gate.github, delivery, until).await,
                Err(refused) => Reply::refused(&refused),
            }
        }
        Err(_) => Reply::refused(&Refused::TooLarge),
    };
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(CONTENT_TYPE, "application/json")], reply.body.to_string()).into_response()
}

/// A header's value. Several values are joined, as in HTTP, so that none of them is picked.
fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let values: Option<Vec<&str>> = headers.get_all(name).iter().map(|value| value.to_str().ok()).collect();
    values.filter(|values| !values.is_empty()).map(|values| values.join(", "))
}
