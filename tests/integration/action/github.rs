//! An HTTP server for the comments and labels of one pull request.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// The state of the pull request, and what the token may do.
#[derive(Default)]
pub(super) struct Stage {
    /// `(id, author, body)`, oldest first.
    pub(super) comments: Vec<(u64, String, String)>,
    pub(super) labels: Vec<String>,
    /// The status with which every write fails. `None`: writes succeed.
    pub(super) refuses: Option<u16>,
    /// The status with which every read fails. `None`: reads succeed.
    pub(super) silent: Option<u16>,
    /// `METHOD path` of every request so far.
    pub(super) requests: Vec<String>,
}

pub(super) struct Github {
    pub(super) url: String,
    pub(super) stage: Arc<Mutex<Stage>>,
    _runtime: Runtime,
}

pub(super) const TOKEN: &str = "a-token-for-one-job";
pub(super) const AUTHOR: &str = "github-actions[bot]";

impl Github {
    pub(super) fn start() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let stage = Arc::new(Mutex::new(Stage::default()));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&stage));
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { url, stage, _runtime: runtime }
    }

    pub(super) fn comments(&self) -> Vec<(u64, String, String)> {
        self.stage.lock().expect("no test broke").comments.clone()
    }

    pub(super) fn requests(&self) -> Vec<String> {
        self.stage.lock().expect("no test broke").requests.clone()
    }

    pub(super) fn set(&self, change: impl FnOnce(&mut Stage)) {
        change(&mut self.stage.lock().expect("no test broke"));
    }
}

async fn answer(State(stage): State<Arc<Mutex<Stage>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
    let mut stage = stage.lock().expect("no test broke");
    let path = parts.uri.path().to_owned();
    stage.requests.push(format!("{} {}", parts.method, parts.uri));
    let given = parts.headers.get("authorization").and_then(|value| value.to_str().ok());
    if given != Some(&format!("Bearer {TOKEN}")) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let refused = if parts.method == Method::GET { stage.silent } else { stage.refuses };
    if let Some(status) = refused {
        return StatusCode::from_u16(status).expect("a status").into_response();
    }
    let query = parts.uri.query().unwrap_or_default();
    match (parts.method.as_str(), path.trim_start_matches("/repos/acme/policy/issues/")) {
        ("GET", "7/comments") => list(&stage, query),
        ("POST", "7/comments") => match text(&body) {
            Some(text) => {
                let id = 1000 + u64::try_from(stage.comments.len()).expect("a few");
                stage.comments.push((id, AUTHOR.to_owned(), text));
                (StatusCode::CREATED, json!({ "id": id }).to_string()).into_response()
            }
            None => StatusCode::UNPROCESSABLE_ENTITY.into_response(),
        },
        ("GET", "7/labels") => {
            let labels: Vec<Value> = stage.labels.iter().map(|label| json!({ "name": label })).collect();
            Value::Array(labels).to_string().into_response()
        }
        ("DELETE", path) if path.starts_with("7/labels/") => {
            stage.labels.clear();
            "[]".into_response()
        }
        ("PATCH", path) if path.starts_with("comments/") => {
            let wanted = path.trim_start_matches("comments/").to_owned();
            let text = text(&body);
            match (stage.comments.iter_mut().find(|(id, ..)| id.to_string() == wanted), text) {
                (Some(comment), Some(text)) => {
                    comment.2 = text;
                    "{}".into_response()
                }
                (None, _) | (_, None) => StatusCode::UNPROCESSABLE_ENTITY.into_response(),
            }
        }
        (_, _) => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A comment's text. `None` if GitHub would not accept it.
fn text(body: &Bytes) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let text = body["body"].as_str()?;
    (text.chars().count() <= 65_536).then(|| text.to_owned())
}

fn list(stage: &Stage, query: &str) -> Response {
    let of = |key: &str| {
        let value = query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
        value.and_then(|value| value.parse::<usize>().ok())
    };
    let (size, page) = (of("per_page").unwrap_or(30).min(100), of("page").unwrap_or(1));
    let one = |(id, who, body): &(u64, String, String)| json!({ "id": id, "user": { "login": who }, "body": body });
    let page: Vec<Value> = stage.comments.iter().skip(size * (page - 1)).take(size).map(one).collect();
    Value::Array(page).to_string().into_response()
}
