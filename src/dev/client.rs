//! A small JSON client over plain HTTP: the demo and the tests use it to call a local gate.

use std::net::SocketAddr;

use axum::body::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Method, Request, StatusCode};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// Calls one address.
#[derive(Debug, Clone)]
pub struct Client {
    http: HyperClient<HttpConnector, Full<Bytes>>,
    address: SocketAddr,
}

#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("{method} {path} got no answer: {why}")]
    NoAnswer { method: Method, path: String, why: String },
    /// The status is not a success.
    #[error("{method} {path} was answered {status}: {body}")]
    Refused { method: Method, path: String, status: StatusCode, body: String },
}

impl Client {
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self { http: HyperClient::builder(TokioExecutor::new()).build_http(), address }
    }

    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends a request, with a bearer token and a JSON body if given. Returns the JSON answer; null if it is empty.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Value, ClientError> {
        let no_answer = |why: String| ClientError::NoAnswer { method: method.clone(), path: path.to_owned(), why };
        let mut request = Request::builder()
            .method(method.clone())
            .uri(format!("http://{}{path}", self.address))
            .header("content-type", "application/json");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let bytes = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let request = request.body(Full::new(bytes)).map_err(|error| no_answer(error.to_string()))?;
        let response = self.http.request(request).await.map_err(|error| no_answer(error.to_string()))?;
        let status = response.status();
        let bytes = response.into_body().collect().await.map_err(|error| no_answer(error.to_string()))?.to_bytes();
        if !status.is_success() {
            let body = String::from_utf8_lossy(&bytes).chars().take(500).collect();
            return Err(ClientError::Refused { method, path: path.to_owned(), status, body });
        }
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&bytes).map_err(|error| no_answer(error.to_string()))
    }

    /// `POST`s bytes and headers as they are. Returns the status, whatever it is.
    pub async fn post_bytes(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<StatusCode, ClientError> {
        let no_answer = |why: String| ClientError::NoAnswer { method: Method::POST, path: path.to_owned(), why };
        let mut request = Request::builder().method(Method::POST).uri(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::copy_from_slice(body))).map_err(|e| no_answer(e.to_string()))?;
        Ok(self.http.request(request).await.map_err(|error| no_answer(error.to_string()))?.status())
    }

    pub async fn get(&self, path: &str) -> Result<Value, ClientError> {
        self.send(Method::GET, path, None, None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, ClientError> {
        self.send(Method::POST, path, None, Some(body)).await
    }
}
