//! Plain HTTP with a token, for calls that our client does not make.

use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// A caller with a token, and the address to call.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    client: Client<HttpConnector, Full<Bytes>>,
    address: String,
    token: String,
    /// Answers with another status than expected.
    unexpected: Arc<Mutex<Vec<String>>>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    /// The path and query of the link `next`.
    pub(crate) next: Option<String>,
    /// The methods of a path, if it was called with another.
    pub(crate) allowed: Vec<String>,
}

impl Caller {
    pub(crate) fn new(address: &str, login: &str) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let unexpected = Arc::default();
        Self { client, address: address.to_owned(), token: format!("standin_{login}"), unexpected }
    }

    /// The same address, called by another account.
    pub(crate) fn by(&self, login: &str) -> Self {
        Self { token: format!("standin_{login}"), ..self.clone() }
    }

    /// `Value::Null` is no body.
    pub(crate) async fn call(&self, method: &str, path: &str, body: &Value) -> Answer {
        let bytes = if body.is_null() { String::new() } else { body.to_string() };
        let request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).expect("a method"))
            .uri(format!("{}{path}", self.address))
            .header("authorization", format!("Bearer {}", self.token))
            .header("accept", "application/vnd.github+json");
        let request = if body.is_null() { request } else { request.header("content-type", "application/json") };
        let request = request.body(Full::new(Bytes::from(bytes))).expect("a request");
        let answer = self.client.request(request).await.expect("an answer");
        let (head, body) = answer.into_parts();
        let bytes = body.collect().await.expect("a whole body").to_bytes();
        let header = |name: &str| head.headers.get(name).map(|value| value.to_str().expect("it is ASCII"));
        let allowed = header("allow").unwrap_or_default().split(',').map(|method| method.trim().to_owned());
        Answer {
            status: head.status.as_u16(),
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
            next: header("link").and_then(next),
            allowed: allowed.collect(),
        }
    }

    /// The text of a page.
    pub(crate) async fn text(&self, path: &str) -> String {
        let request = Request::get(format!("{}{path}", self.address)).body(Full::default()).expect("a request");
        let answer = self.client.request(request).await.expect("an answer");
        let bytes = answer.into_body().collect().await.expect("a whole body").to_bytes();
        String::from_utf8(bytes.to_vec()).expect("UTF-8")
    }

    /// Expects that status. Collects other ones, so that one run reports them all.
    pub(crate) async fn expect(&self, status: u16, method: &str, path: &str, body: Value) -> Value {
        let answer = self.call(method, path, &body).await;
        if answer.status != status {
            let problem = format!("{method} {path}: {} instead of {status}: {}", answer.status, answer.body);
            self.unexpected.lock().unwrap_or_else(PoisonError::into_inner).push(problem);
        }
        answer.body
    }

    pub(crate) fn unexpected(&self) -> Vec<String> {
        self.unexpected.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All items of a list, over all pages.
    pub(crate) async fn all(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut next = Some(path.to_owned());
        while let Some(path) = next {
            let answer = self.call("GET", &path, &Value::Null).await;
            assert_eq!(answer.status, 200, "GET {path}: {}", answer.body);
            items.extend(answer.body.as_array().cloned().expect("a list"));
            next = answer.next;
        }
        items
    }
}

/// The path of the next page in `Link`. Its host is the router's, not the one that was called.
fn next(link: &str) -> Option<String> {
    let (url, _) = link.split(", ").find_map(|part| part.split_once(">; rel=\"next\""))?;
    let after_scheme = url.trim_start_matches('<').split_once("://")?.1;
    after_scheme.split_once('/').map(|(_, path)| format!("/{path}"))
}
