//! The App's webhook deliveries.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::answer;
use super::call::Call;
use crate::adapters::embedded::codehost::delivery::{Delivery, Outcome};
use crate::adapters::embedded::codehost::refusal::Refusal;
use crate::adapters::embedded::codehost::shape::Shapes;

type Answer = Result<Response, Refusal>;

/// `GET /app/hook/deliveries?status=success|failure`, newest first; those that were sent.
pub(super) async fn deliveries(call: Call) -> Answer {
    let wanted = |outcome: &Outcome| match call.asked("status") {
        Some("success") => outcome.is_success(),
        Some("failure") => !outcome.is_success(),
        Some(_) | None => true,
    };
    let now = call.host.now();
    let sent: Vec<(u64, &Arc<Delivery>)> = call
        .world
        .deliveries
        .values()
        .rev()
        .filter(|delivery| delivery.is_kept(now) && delivery.outcome.as_ref().is_some_and(wanted))
        .map(|delivery| (delivery.id, delivery))
        .collect();
    call.page_from("cursor", &sent, |delivery| Shapes(&call.world).delivery(delivery).unwrap_or(Value::Null))
}

/// `POST /app/hook/deliveries/{delivery}/attempts`.
pub(super) async fn redeliver(call: Call) -> Answer {
    let id = call.number("delivery")?;
    call.host.change(|change| change.redeliver(id))?;
    Ok(answer(StatusCode::ACCEPTED, &json!({})))
}
