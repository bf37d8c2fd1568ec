//! Checks calls and answers against GitHub's own API description with Prism as a proxy, and those of GraphQL against its
//! published schema.
//!
//! Every call goes through our recorder to Prism, and from there to a router. A call that Prism refuses never reaches the
//! router. An answer that GitHub could not give comes back changed or marked. The recorder compares both ends, so that no
//! fault is hidden by Prism's log or by a client that takes a refusal for an answer.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::graphql;
use crate::github_exchanges::{Served, serve};

/// The header with an exchange's number.
pub(crate) const NUMBER: &str = "x-exchange";
/// The header with the violations that Prism found, as JSON.
const VIOLATIONS: &str = "sl-violations";

/// A variable that `scripts/test-github` sets.
pub(crate) fn given(variable: &str) -> PathBuf {
    std::env::var_os(variable).unwrap_or_else(|| panic!("{variable} is not set: scripts/test-github sets it")).into()
}

/// Runs a file of an installed package or of `tests/github` with Node.
pub(crate) fn node(script: &std::path::Path) -> Command {
    let mut command = Command::new(given("COUNTERSIGN_TEST_NODE"));
    command.arg("--no-deprecation").arg(script).stdin(Stdio::null()).env("SCARF_ANALYTICS", "false");
    command
}

/// A process that ends with the test.
#[derive(Debug)]
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A call and its result.
#[derive(Debug, Clone)]
pub(crate) struct Passed {
    pub(crate) method: String,
    pub(crate) path: String,
    /// The status from the router, if the call reached it.
    pub(crate) reached: Option<u16>,
    /// The status from Prism.
    pub(crate) status: u16,
    pub(crate) violations: Vec<String>,
}

impl Passed {
    pub(crate) fn fault(&self) -> Option<String> {
        let said = self.violations.join("; ");
        let at = format!("{} {}", self.method, self.path);
        match self.reached {
            None => Some(format!("{at}: GitHub would not accept the call: {said}")),
            Some(answer) if answer != self.status => Some(format!("{at}: GitHub could not give the answer: {said}")),
            Some(answer) if !self.violations.is_empty() => Some(format!("{at}: {answer}: {said}")),
            Some(_) => None,
        }
    }
}

type Exchanges = Arc<Mutex<Vec<Passed>>>;
type Queries = Arc<Mutex<Vec<graphql::Exchange>>>;
type UnderWay = Arc<Mutex<Vec<JoinHandle<()>>>>;
type Sender = Client<HttpConnector, Full<Bytes>>;

/// A router behind GitHub's description.
#[derive(Debug)]
pub(crate) struct Inspected {
    /// Where to call: `http://127.0.0.1:…`.
    pub(crate) address: String,
    exchanges: Exchanges,
    queries: Queries,
    under_way: UnderWay,
    _recorder: Served,
    _prism: Running,
    _router: Served,
}

impl Inspected {
    /// Puts a router behind GitHub's description.
    pub(crate) async fn new(router: Router) -> Self {
        let exchanges = Exchanges::default();
        let router = serve(router.layer(from_fn_with_state(exchanges.clone(), reached))).await;
        let (prism, listening) = start(&router.address);
        let client: Sender = Client::builder(TokioExecutor::new()).build_http();
        let (under_way, queries) = (UnderWay::default(), Queries::default());
        let recorder = Recorder {
            exchanges: exchanges.clone(),
            queries: queries.clone(),
            under_way: under_way.clone(),
            client,
            listening,
            router: router.address.clone(),
        };
        let recorder = serve(Router::new().fallback(pass).with_state(recorder)).await;
        Self {
            address: recorder.address.clone(),
            exchanges,
            queries,
            under_way,
            _recorder: recorder,
            _prism: prism,
            _router: router,
        }
    }

    /// All calls so far. Waits also for calls that their caller has given up.
    pub(crate) async fn passed(&self) -> Vec<Passed> {
        let under_way = std::mem::take(&mut *self.under_way.lock().unwrap_or_else(PoisonError::into_inner));
        for call in under_way {
            call.await.expect("a call ends");
        }
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All faults so far.
    pub(crate) async fn faults(&self) -> Vec<String> {
        let mut faults: Vec<String> = self.passed().await.iter().filter_map(Passed::fault).collect();
        faults.extend(graphql::faults(&[], &self.queries.lock().unwrap_or_else(PoisonError::into_inner)));
        faults
    }
}

/// Starts Prism. Returns its address.
fn start(upstream: &str) -> (Running, String) {
    let script = given("COUNTERSIGN_TEST_PACKAGES").join("@stoplight/prism-cli/dist/index.js");
    let description = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/github/description.json");
    let mut command = node(&script);
    command.args(["proxy", "--errors", "--host", "127.0.0.1", "--port", "0", description, upstream]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("Node starts");
    let mut lines = BufReader::new(child.stdout.take().expect("stdout is a pipe")).lines();
    let child = Running(child);
    let mut said = Vec::new();
    while let Some(Ok(line)) = lines.next() {
        if let Some((_, address)) = line.split_once("Prism is listening on ") {
            let address = address.trim().to_owned();
            // Prism would stop if nobody read its log from the pipe.
            std::thread::spawn(move || lines.for_each(drop));
            return (child, address);
        }
        said.push(line);
    }
    panic!("Prism does not start:\n{}", said.join("\n"));
}

#[derive(Clone)]
struct Recorder {
    exchanges: Exchanges,
    queries: Queries,
    under_way: UnderWay,
    client: Sender,
    listening: String,
    /// The address behind Prism, whose description does not have GraphQL.
    router: String,
}

/// Passes a call to Prism and its answer back. Continues if the caller gives up.
async fn pass(State(recorder): State<Recorder>, request: Request) -> Response {
    let (answer, answered) = oneshot::channel();
    let under_way = Arc::clone(&recorder.under_way);
    let call = tokio::spawn(async move {
        let _ = answer.send(hand_over(&recorder, request).await);
    });
    under_way.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    answered.await.expect("an answer")
}

async fn hand_over(recorder: &Recorder, request: Request) -> Response {
    let (mut head, body) = request.into_parts();
    let path = head.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let number = {
        let mut exchanges = recorder.exchanges.lock().unwrap_or_else(PoisonError::into_inner);
        let method = head.method.to_string();
        exchanges.push(Passed { method, path: path.clone(), reached: None, status: 0, violations: Vec::new() });
        exchanges.len() - 1
    };
    let body = to_bytes(body, usize::MAX).await.expect("a whole body");
    let is_query = graphql::is_query(&path);
    let sent = is_query.then(|| String::from_utf8_lossy(&body).into_owned());
    let to = if is_query { &recorder.router } else { &recorder.listening };
    head.uri = format!("{to}{path}").parse().expect("a URL");
    head.headers.remove(header::HOST);
    head.headers.insert(NUMBER, number.into());
    let answer = recorder.client.request(Request::from_parts(head, Full::new(body))).await.expect("Prism answers");
    let (head, body) = answer.into_parts();
    let body = body.collect().await.expect("a whole body").to_bytes();
    if let Some(sent) = sent.filter(|_| head.status == StatusCode::OK) {
        let answered = String::from_utf8_lossy(&body).into_owned();
        let exchange = graphql::Exchange { sent, answered };
        recorder.queries.lock().unwrap_or_else(PoisonError::into_inner).push(exchange);
    }
    let mut exchanges = recorder.exchanges.lock().unwrap_or_else(PoisonError::into_inner);
    let passed = &mut exchanges[number];
    passed.status = head.status.as_u16();
    passed.violations = violations(head.status, &head.headers, &body);
    drop(exchanges);
    Response::from_parts(head, Body::from(body))
}

/// Records that a call reached the router, and the status.
async fn reached(State(exchanges): State<Exchanges>, request: Request, next: Next) -> Response {
    let number = request.headers().get(NUMBER).and_then(|number| number.to_str().ok()?.parse::<usize>().ok());
    let answer = next.run(request).await;
    if let Some(number) = number {
        exchanges.lock().unwrap_or_else(PoisonError::into_inner)[number].reached = Some(answer.status().as_u16());
    }
    answer
}

/// The violations that Prism reports, in its header or in a body of its own.
///
/// GitHub's description lacks many failures and 304. A status that is not in the description is no violation if it is one of
/// these.
fn violations(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(text) = headers.get(VIOLATIONS).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()) {
        match serde_json::from_str::<Vec<Value>>(&text) {
            Ok(all) => found.extend(all),
            Err(_) => found.push(Value::String(text)),
        }
    }
    let problem = serde_json::from_slice::<Value>(body).unwrap_or_default();
    if problem["type"].as_str().is_some_and(|kind| kind.starts_with("https://stoplight.io/prism/errors#")) {
        found.push(problem["title"].clone());
        found.extend(problem["validation"].as_array().into_iter().flatten().cloned());
    }
    let unlisted = |violation: &Value| {
        (status.as_u16() >= 400 || status == StatusCode::NOT_MODIFIED)
            && violation["severity"] == "Warning"
            && violation["message"].as_str().is_some_and(|text| text.starts_with("Unable to match the returned status"))
    };
    let mut texts: Vec<String> = found.iter().filter(|violation| !unlisted(violation)).map(text).collect();
    texts.dedup();
    texts.truncate(8);
    texts
}

fn text(violation: &Value) -> String {
    match violation["message"].as_str() {
        Some(message) => {
            let place: Vec<String> = violation["location"].as_array().into_iter().flatten().map(unquoted).collect();
            format!("{}: {message}", place.join("."))
        }
        None => unquoted(violation),
    }
}

fn unquoted(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
