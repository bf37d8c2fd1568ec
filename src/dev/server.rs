//! The local gate's HTTP interface: JSON in, JSON out, every answer with `"schema": 1`.
//!
//! There is no authentication. The gate listens on loopback, answers only to its own names (`doors`), and accepts only
//! bodies that say they are JSON.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::{QueryRejection, StringRejection};
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{LocalGate, webhook};
use crate::adapters::embedded::broker::{BrokerError, Execution, Status};
use crate::app;
use crate::ident::RequestId;
use crate::policy::Duration;
use crate::ports::Which;
use crate::request::{ApprovalRequest, ExecutionEnd};

type Gate = State<Arc<LocalGate>>;

pub(super) fn router(gate: Arc<LocalGate>) -> Router {
    Router::new()
        .route("/executions", post(start))
        .route("/executions/{id}", get(execution))
        .route("/executions/{id}/stop", post(stop))
        .route("/executions/{id}/redrive", post(redrive))
        .route("/requests", get(requests))
        .route("/requests/{id}", get(request))
        .route("/requests/{id}/trail", get(trail))
        .route("/notifications", get(notifications))
        .route("/clock", get(clock).post(move_clock))
        .route("/health", get(|| async { answer(StatusCode::OK, json!({ "result": "ok" })) }))
        .layer(middleware::from_fn(only_json))
        .route("/webhooks/github", post(webhook::github))
        .method_not_allowed_fallback(|| async {
            failure(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "this path takes another method")
        })
        .fallback(|| async { failure(StatusCode::NOT_FOUND, "not-found", "there is no such path") })
        .with_state(gate)
}

/// An answer with its schema number.
pub(super) fn answer(status: StatusCode, mut body: Value) -> Response {
    if let Some(fields) = body.as_object_mut() {
        fields.insert("schema".to_owned(), 1.into());
    }
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

pub(super) fn failure(status: StatusCode, code: &str, message: &str) -> Response {
    answer(status, json!({ "error": { "code": code, "message": message } }))
}

/// A `POST` must say that it is JSON. A page of another origin cannot send that without permission.
async fn only_json(headers: HeaderMap, request: Request, next: Next) -> Response {
    let json = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.split(';').next().is_some_and(|kind| kind.trim() == "application/json"));
    if *request.method() == Method::POST && !json {
        let message = "send `content-type: application/json`";
        return failure(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json", message);
    }
    next.run(request).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StartQuery {
    name: Option<String>,
}

async fn start(
    State(gate): Gate,
    query: Result<Query<StartQuery>, QueryRejection>,
    body: Result<String, StringRejection>,
) -> Response {
    let (Query(query), body) = match (query, body) {
        (Ok(query), Ok(body)) => (query, body),
        (Err(why), _) => return failure(why.status(), "bad-query", &why.body_text()),
        (_, Err(why)) => return failure(why.status(), "bad-body", &why.body_text()),
    };
    let input: Value = match serde_json::from_str(&body) {
        Ok(input) => input,
        Err(error) => return failure(StatusCode::BAD_REQUEST, "not-json", &format!("the body is not JSON: {error}")),
    };
    let name = match query.name.map_or_else(new_name, Ok) {
        Ok(name) => name,
        Err(why) => return failure(StatusCode::INTERNAL_SERVER_ERROR, "no-randomness", &why),
    };
    match gate.broker.start(&name, input) {
        Ok(execution) => answer(StatusCode::CREATED, execution_json(&execution)),
        Err(error) => broker_failure(&error),
    }
}

fn new_name() -> Result<String, String> {
    let mut random = [0_u8; 8];
    getrandom::fill(&mut random).map_err(|error| error.to_string())?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

async fn execution(State(gate): Gate, Path(id): Path<String>) -> Response {
    match gate.broker.execution(&id) {
        Ok(execution) => answer(StatusCode::OK, execution_json(&execution)),
        Err(error) => broker_failure(&error),
    }
}

async fn stop(State(gate): Gate, Path(id): Path<String>) -> Response {
    let execution = match gate.broker.execution(&id) {
        Ok(execution) if execution.status == Status::Running => execution,
        Ok(execution) => return answer(StatusCode::OK, execution_json(&execution)),
        Err(error) => return broker_failure(&error),
    };
    // On AWS an event reports to the sweep that an execution ended. Here we end it ourselves. The request goes first:
    // if we crash in between, the execution waits for nobody, and fails at its deadline.
    if let Err(why) = app::end_execution(&gate.app, &execution.reference(), ExecutionEnd::Stopped).await {
        return failure(StatusCode::SERVICE_UNAVAILABLE, why.name(), &why.to_string());
    }
    if let Err(error) = gate.broker.end(&id, Status::Aborted) {
        return broker_failure(&error);
    }
    self::execution(State(gate), Path(id)).await
}

async fn redrive(State(gate): Gate, Path(id): Path<String>) -> Response {
    match gate.machine.redrive(&id) {
        Ok(execution) => answer(StatusCode::OK, execution_json(&execution)),
        Err(error) => broker_failure(&error),
    }
}

fn execution_json(execution: &Execution) -> Value {
    let (status, output, error, cause) = match &execution.status {
        Status::Running => ("RUNNING", None, None, None),
        Status::Succeeded { output } => ("SUCCEEDED", Some(as_json(output)), None, None),
        Status::Failed { error, cause } => ("FAILED", None, Some(error.clone()), Some(as_json(cause))),
        Status::Aborted => ("ABORTED", None, None, None),
    };
    json!({
        "id": execution.name,
        "execution_arn": execution.arn,
        "status": status,
        "input": execution.input,
        "redrive": execution.redrive,
        "started_at": execution.started_at,
        "stopped_at": execution.stopped_at,
        "output": output,
        "error": error,
        "cause": cause,
        "waits": execution.task.is_some(),
        "request_id": execution.reference().request_id(),
    })
}

/// An output or a cause as JSON, or as a string if it is not JSON.
fn as_json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestsQuery {
    #[serde(default)]
    all: bool,
}

async fn requests(State(gate): Gate, query: Result<Query<RequestsQuery>, QueryRejection>) -> Response {
    let query = match query {
        Ok(Query(query)) => query,
        Err(why) => return failure(why.status(), "bad-query", &why.body_text()),
    };
    let which = if query.all { Which::All } else { Which::Open };
    match gate.app.store.requests(which).await {
        Ok(requests) => {
            let requests: Vec<Value> = requests.iter().map(request_json).collect();
            answer(StatusCode::OK, json!({ "requests": requests }))
        }
        Err(error) => failure(StatusCode::SERVICE_UNAVAILABLE, "store", &error.to_string()),
    }
}

async fn request(State(gate): Gate, Path(id): Path<String>) -> Response {
    let request = match find(&gate, &id).await {
        Ok(request) => request,
        Err(response) => return *response,
    };
    match app::inspect(&gate.app, &request).await {
        Ok(decision) => {
            let mut json = request_json(&request);
            if let Some(fields) = json.as_object_mut() {
                fields.insert("decision".to_owned(), json!(decision));
            }
            answer(StatusCode::OK, json)
        }
        Err(why) => failure(StatusCode::SERVICE_UNAVAILABLE, why.name(), &why.to_string()),
    }
}

async fn trail(State(gate): Gate, Path(id): Path<String>) -> Response {
    let request = match find(&gate, &id).await {
        Ok(request) => request,
        Err(response) => return *response,
    };
    match gate.app.store.trail(&request.id).await {
        Ok(records) => answer(StatusCode::OK, json!({ "records": records })),
        Err(error) => failure(StatusCode::SERVICE_UNAVAILABLE, "store", &error.to_string()),
    }
}

async fn find(gate: &LocalGate, id: &str) -> Result<ApprovalRequest, Box<Response>> {
    let missing = || Box::new(failure(StatusCode::NOT_FOUND, "not-found", "there is no such request"));
    let id = RequestId::new(id).map_err(|_| missing())?;
    match gate.app.store.request(&id).await {
        Ok(request) => request.ok_or_else(missing),
        Err(error) => Err(Box::new(failure(StatusCode::SERVICE_UNAVAILABLE, "store", &error.to_string()))),
    }
}

fn request_json(request: &ApprovalRequest) -> Value {
    let closed = request.closed();
    let state = match closed {
        Some(closed) => closed.end.as_str(),
        None if matches!(request.state, crate::request::State::Pending) => "pending",
        None => "settling",
    };
    json!({
        "id": request.id,
        "execution_arn": request.execution,
        "target": request.subject.target,
        "pull_request": request.subject.pull_request,
        "revision": request.subject.revision,
        "version": request.subject.version,
        "requester": request.subject.requester.as_ref().map(|requester| &requester.login),
        "state": state,
        "mode": request.rule.rule().mode(),
        "callback": closed.map(|closed| closed.callback),
        "policy_digest": request.policy_digest,
        "opened_at": request.opened_at,
        "requested_at": request.requested_at,
        "approved_at": request.approved_at,
        "owed_from": request.owed_from,
        "deadline": request.deadline,
        "closed_at": closed.map(|closed| closed.closed_at),
    })
}

async fn notifications(State(gate): Gate) -> Response {
    answer(StatusCode::OK, json!({ "notifications": gate.outbox.sent() }))
}

async fn clock(State(gate): Gate) -> Response {
    answer(StatusCode::OK, json!({ "now": gate.app.clock.now() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    advance: String,
}

async fn move_clock(State(gate): Gate, body: Result<String, StringRejection>) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(why) => return failure(why.status(), "bad-body", &why.body_text()),
    };
    let by = serde_json::from_str::<Move>(&body)
        .map_err(|error| error.to_string())
        .and_then(|body| body.advance.parse::<Duration>().map_err(|error| error.to_string()));
    let by: SignedDuration = match by {
        Ok(by) => by.signed(),
        Err(why) => {
            let message = format!("expected {{\"advance\": \"5h\"}}: {why}");
            return failure(StatusCode::BAD_REQUEST, "not-a-duration", &message);
        }
    };
    match gate.move_clock(by).await {
        Ok(now) => answer(StatusCode::OK, json!({ "now": now })),
        Err(error) => failure(StatusCode::INTERNAL_SERVER_ERROR, "clock", &error.to_string()),
    }
}

fn broker_failure(error: &BrokerError) -> Response {
    let (status, code) = match error {
        BrokerError::AlreadyExists { .. } => (StatusCode::CONFLICT, "ExecutionAlreadyExists"),
        BrokerError::InvalidName { .. } => (StatusCode::BAD_REQUEST, "InvalidName"),
        BrokerError::InputTooLong => (StatusCode::BAD_REQUEST, "InvalidExecutionInput"),
        BrokerError::DoesNotExist { .. } => (StatusCode::NOT_FOUND, "ExecutionDoesNotExist"),
        BrokerError::NotRunning { .. } => (StatusCode::CONFLICT, "ExecutionNotRunning"),
        BrokerError::NotRedrivable { .. } => (StatusCode::CONFLICT, "ExecutionNotRedrivable"),
        BrokerError::Storage(_) => (StatusCode::SERVICE_UNAVAILABLE, "storage"),
    };
    failure(status, code, &error.to_string())
}
