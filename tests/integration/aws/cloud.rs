//! A service of AWS with prepared answers, which records its calls.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use countersign::adapters::aws::connection::{Connection, Given};
use serde_json::Value;
use tokio::task::JoinHandle;

/// A call, by the name that its protocol gives it.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) target: String,
    pub(crate) body: String,
}

impl Call {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }
}

type Answers = VecDeque<(u16, String)>;

/// Gives its answers in order, and then repeats the last.
pub(crate) struct Cloud {
    pub(crate) url: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    answers: Mutex<Answers>,
    calls: Mutex<Vec<Call>>,
}

impl Drop for Cloud {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|name| name.to_str().ok()).unwrap_or_default().to_owned();
    let call = Call { target, body: String::from_utf8_lossy(&body).into_owned() };
    shared.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    let mut answers = shared.answers.lock().unwrap_or_else(PoisonError::into_inner);
    let next = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
    let (status, body) = next.expect("an answer");
    (StatusCode::from_u16(status).expect("a status"), body).into_response()
}

impl Cloud {
    pub(crate) async fn new(answers: impl IntoIterator<Item = (u16, String)>) -> Self {
        let shared = Arc::new(Shared { answers: Mutex::new(answers.into_iter().collect()), ..Shared::default() });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("a server") });
        Self { url, shared, task }
    }

    pub(crate) fn connection(&self) -> Connection {
        connection(&self.url)
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.shared.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// AWS at that address.
pub(crate) fn connection(endpoint: &str) -> Connection {
    Connection::new(Given {
        region: "eu-central-1".to_owned(),
        access_key_id: "key".to_owned(),
        secret_access_key: "secret".to_owned(),
        session_token: None,
        endpoint_url: Some(endpoint.to_owned()),
    })
}

/// An address at which nobody listens.
pub(crate) async fn nowhere() -> Connection {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    connection(&format!("http://{}", listener.local_addr().expect("an address")))
}
