//! The simulator on loopback with faults in front of it, and a client for it.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use countersign::adapters::embedded::clock::MovableClock;
use countersign::adapters::embedded::simulator::GithubSimulator;
use countersign::adapters::embedded::simulator::change::NewApp;
use countersign::adapters::github::client::{GithubClient, GithubSettings, GivenSettings};
use hyper::body::Frame;
use serde_json::Value;
use tokio::task::JoinHandle;
use tower::ServiceExt as _;

use crate::github_exchanges;

pub(crate) const APP_KEY: &str = include_str!("../../keys/app.pem");
pub(crate) const APP_PUBLIC_KEY: &str = include_str!("../../keys/app.public.pem");
pub(crate) const OTHER_KEY: &str = include_str!("../../keys/other.pem");

/// A fault of a call.
#[derive(Clone)]
pub(crate) enum Fault {
    /// It is answered without reaching GitHub.
    Answer(u16, Vec<(&'static str, String)>, Value),
    /// It is never answered.
    Silence,
    /// The connection ends in the middle of the answer.
    CutMidBody,
    /// It reaches GitHub, which does it, and the answer is lost on the way back.
    LostAnswer,
    /// Its answer is another one.
    Rewritten(fn(&mut Value)),
    /// Something happens at GitHub just before it is answered.
    Meanwhile(fn(&GithubSimulator)),
    /// Its answer says that the next page is somewhere else.
    NextIs(&'static str),
}

struct Rule {
    part: String,
    times: usize,
    fault: Fault,
}

/// Between the client and the simulator. Records all calls.
pub(crate) struct Between {
    host: GithubSimulator,
    rules: Mutex<Vec<Rule>>,
    seen: Mutex<Vec<String>>,
}

/// The simulator with an App, on loopback.
pub(crate) struct Hosted {
    pub(crate) host: GithubSimulator,
    clock: Arc<MovableClock>,
    between: Arc<Between>,
    address: String,
    server: JoinHandle<()>,
}

impl Drop for Hosted {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Hosted {
    pub(crate) async fn new(host: &GithubSimulator, clock: &Arc<MovableClock>) -> Self {
        let app = NewApp { slug: "countersign".into(), public_key: APP_PUBLIC_KEY.into() };
        host.change(|change| change.set_app(&app)).expect("an App");
        let (rules, seen) = (Mutex::default(), Mutex::default());
        let between = Arc::new(Between { host: host.clone(), rules, seen });
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let router = axum::Router::new().fallback(pass).with_state(Arc::clone(&between));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { host: host.clone(), clock: Arc::clone(clock), between, address, server }
    }

    #[cfg(feature = "lambda")]
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// A client as the App.
    pub(crate) fn client(&self) -> GithubClient {
        self.client_by(GivenSettings { app_id: Some("1"), private_key: Some(APP_KEY), ..GivenSettings::default() })
    }

    pub(crate) fn client_by(&self, given: GivenSettings<'_>) -> GithubClient {
        let given = GivenSettings { base_url: Some(&self.address), ..given };
        let settings = GithubSettings::read(given).expect("settings");
        let client = GithubClient::new(settings, self.clock.clone()).expect("a client");
        client.pausing(Duration::from_millis(1))
    }

    /// From now on a call whose `METHOD /path` holds `part` goes wrong, so many times.
    pub(crate) fn fault(&self, part: &str, times: usize, fault: Fault) {
        lock(&self.between.rules).push(Rule { part: part.to_owned(), times, fault });
    }

    /// Nothing goes wrong any more.
    pub(crate) fn mend(&self) {
        lock(&self.between.rules).clear();
    }

    /// The calls so far, as `METHOD /path?query`, and what a query reads, in order.
    pub(crate) fn seen(&self) -> Vec<String> {
        lock(&self.between.seen).clone()
    }

    /// The calls so far that hold `part`.
    pub(crate) fn count(&self, part: &str) -> usize {
        self.seen().iter().filter(|line| line.contains(part)).count()
    }

    /// Forgets the calls so far, and gives them.
    pub(crate) fn take_seen(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.between.seen))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Between {
    fn fault(&self, line: &str) -> Option<Fault> {
        let mut rules = lock(&self.rules);
        let rule = rules.iter_mut().find(|rule| rule.times > 0 && line.contains(&rule.part))?;
        rule.times -= 1;
        Some(rule.fault.clone())
    }
}

async fn pass(State(between): State<Arc<Between>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    let line = format!("{} {}{}", parts.method, parts.uri, queried(&body));
    let request = Request::from_parts(parts, Body::from(body));
    let fault = between.fault(&line);
    lock(&between.seen).push(line);
    let answer = || async { github_exchanges::router(&between.host).oneshot(request).await.expect("an answer") };
    match fault {
        None => answer().await,
        Some(Fault::Answer(status, headers, body)) => answered(status, &headers, &body),
        Some(Fault::Silence) => std::future::pending().await,
        Some(Fault::CutMidBody) => {
            let (parts, body) = answer().await.into_parts();
            let bytes = to_bytes(body, usize::MAX).await.expect("a body");
            let mut cut = Response::from_parts(parts, Body::new(Cut(Some(bytes.slice(..bytes.len() / 2)), false)));
            cut.headers_mut().insert("content-length", HeaderValue::from(bytes.len()));
            cut
        }
        Some(Fault::LostAnswer) => {
            answer().await;
            answered(502, &[], &serde_json::json!({ "message": "Bad Gateway" }))
        }
        Some(Fault::Rewritten(rewrite)) => {
            let (mut parts, body) = answer().await.into_parts();
            let bytes = to_bytes(body, usize::MAX).await.expect("a body");
            let mut value = serde_json::from_slice(&bytes).expect("JSON");
            rewrite(&mut value);
            parts.headers.remove("content-length");
            Response::from_parts(parts, Body::from(value.to_string()))
        }
        Some(Fault::Meanwhile(happens)) => {
            happens(&between.host);
            answer().await
        }
        Some(Fault::NextIs(url)) => linked(answer().await, url),
    }
}

/// What a query reads: its name, and `first`, or the lists of which it reads a further page.
fn queried(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let Some(query) = body["query"].as_str() else { return String::new() };
    let name = query.split("query ").nth(1).and_then(|rest| rest.split(['(', ' ']).next()).unwrap_or_default();
    let wanted = body["variables"].as_object().into_iter().flatten().filter(|(_, value)| **value == true);
    let lists: Vec<&str> = wanted.map(|(list, _)| list.as_str()).collect();
    let what = if lists.contains(&"lastCommit") { "first".to_owned() } else { lists.join(" ") };
    format!(" {name} {what}").trim_end().to_owned()
}

/// A body that breaks off.
struct Cut(Option<Bytes>, bool);

impl HttpBody for Cut {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if let Some(half) = self.0.take() {
            return Poll::Ready(Some(Ok(Frame::data(half))));
        }
        // What was given so far is sent while it is waited for more.
        if !std::mem::replace(&mut self.1, true) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(std::io::ErrorKind::BrokenPipe.into())))
    }
}

fn linked(mut answer: Response<Body>, url: &str) -> Response<Body> {
    let link = HeaderValue::from_str(&format!("<{url}>; rel=\"next\"")).expect("a link");
    answer.headers_mut().insert("link", link);
    answer
}

fn answered(status: u16, headers: &[(&'static str, String)], body: &Value) -> Response<Body> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(HeaderName::from_static(name), value.parse().expect("a header"));
    }
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    *response.headers_mut() = map;
    response
}
