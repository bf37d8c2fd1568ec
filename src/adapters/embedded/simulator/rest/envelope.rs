//! The headers of every answer of GitHub: its tag, the caller's rate limit, the request's id.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::response::answer;
use crate::adapters::embedded::simulator::GithubSimulator;
use crate::adapters::embedded::simulator::access::{Allowance, Resource};
use crate::adapters::embedded::simulator::graphql::Points;
use crate::ident::sha256_hex;

/// How tokens of the installation begin. They share one limit.
const INSTALLATION: &str = "Bearer ghs_";

/// Adds GitHub's headers to an answer. Answers 304 if the caller has the answer already.
pub(super) async fn envelope(State(host): State<GithubSimulator>, mut request: Request, next: Next) -> Response {
    if request.uri().path().starts_with("/_standin/") {
        return next.run(request).await;
    }
    let is_query = matches!(request.uri().path(), "/graphql" | "/api/graphql");
    let resource = if is_query { Resource::Graphql } else { Resource::Core };
    let caller = caller(request.headers());
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    let is_get = request.method() == Method::GET;
    let allowance = host.allowance(resource, &caller);
    request.extensions_mut().insert(allowance);
    let spent = caller == INSTALLATION && allowance.used >= allowance.limit;
    let response = if spent { limit_reached(resource) } else { next.run(request).await };
    let response = if is_get && response.status() == StatusCode::OK { tagged(response, known).await } else { response };
    // GitHub does not count 304.
    let counts = !spent && response.status() != StatusCode::NOT_MODIFIED;
    let cost = if counts { response.extensions().get::<Points>().map_or(1, |points| points.0) } else { 0 };
    let number = host.count(resource, &caller, cost);
    let allowance = Allowance { used: allowance.used.saturating_add(cost), ..allowance };
    with_headers(response, resource, allowance, number)
}

fn caller(headers: &HeaderMap) -> String {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if given.starts_with(INSTALLATION) { INSTALLATION.to_owned() } else { sha256_hex(given.as_bytes()) }
}

/// As on GitHub, GraphQL says it with 200.
fn limit_reached(resource: Resource) -> Response {
    let message = "API rate limit exceeded for installation ID 1.";
    if resource == Resource::Graphql {
        return answer(StatusCode::OK, &json!({ "errors": [{ "type": "RATE_LIMITED", "message": message }] }));
    }
    let body = json!({ "message": message, "documentation_url": "https://docs.github.com/rest", "status": "403" });
    answer(StatusCode::FORBIDDEN, &body)
}

/// The tag depends on the body and the `Link` header.
async fn tagged(response: Response, known: Option<HeaderValue>) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let links = parts.headers.get(header::LINK).map(|links| links.as_bytes().to_vec()).unwrap_or_default();
    let tag = format!("W/\"{}\"", sha256_hex(&[&bytes[..], &links[..]].concat()));
    let same = known.is_some_and(|known| known.as_bytes() == tag.as_bytes());
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        parts.headers.insert(header::ETAG, tag);
    }
    if same {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}

fn with_headers(mut response: Response, resource: Resource, allowance: Allowance, number: u64) -> Response {
    let Allowance { limit, used, reset } = allowance;
    let headers = [
        ("x-ratelimit-limit", limit.to_string()),
        ("x-ratelimit-remaining", limit.saturating_sub(used).to_string()),
        ("x-ratelimit-used", used.to_string()),
        ("x-ratelimit-reset", reset.as_second().to_string()),
        ("x-ratelimit-resource", resource.as_str().to_owned()),
        ("x-github-request-id", format!("5741:{number:X}")),
    ];
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
