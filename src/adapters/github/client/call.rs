//! One call of GitHub's API, its answer, and its errors. Knows nothing of what a call means or how it is sent.

use http::Method;
use http_body_util::LengthLimitError;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::limits::Resource;
use crate::ident::printable;

/// The most characters of a message of GitHub that are repeated.
const LONGEST_MESSAGE: usize = 300;

/// The identity of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Identity {
    /// The App itself, with a token that it signs: for `/app/…` and for looking up installations.
    App,
    /// The App's installation for an account that owns repositories or teams, or the owner of a personal token.
    Account {
        login: String,
        /// The path that looks up the installation.
        lookup: String,
    },
}

#[derive(Debug, Clone)]
pub(in super::super) struct Call {
    pub(super) method: Method,
    pub(super) resource: Resource,
    /// Path and query, below the URL of the resource.
    pub(super) path: String,
    pub(super) body: Option<Value>,
    /// What it requests, as in `GitHub answered 404 to a request for …`.
    pub(super) what: String,
    pub(super) identity: Identity,
    /// Whether repeating it is safe.
    pub(super) repeatable: bool,
    /// Whether its answer is cached, and requested again only if it has changed.
    pub(super) conditional: bool,
}

impl Call {
    /// A GET is repeatable. Other calls are not, unless [`Call::repeatable`] says so.
    pub(in super::super) fn new(method: Method, path: String, identity: Identity, what: impl Into<String>) -> Self {
        let repeatable = method == Method::GET;
        let resource = Resource::Rest;
        Self { method, resource, path, body: None, what: what.into(), identity, repeatable, conditional: false }
    }

    pub(in super::super) fn get(path: String, identity: Identity, what: impl Into<String>) -> Self {
        Self::new(Method::GET, path, identity, what)
    }

    /// A query in GraphQL. It changes nothing, so it is repeatable.
    pub(in super::super) fn query(text: &str, variables: &Value, identity: Identity, what: impl Into<String>) -> Self {
        let call = Self::new(Method::POST, String::new(), identity, what).repeatable();
        let body = json!({ "query": text, "variables": variables });
        Self { resource: Resource::Graphql, ..call.with_body(body) }
    }

    pub(in super::super) fn with_body(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }

    /// The same call at another path.
    pub(in super::super) fn at(self, path: String) -> Self {
        Self { path, ..self }
    }

    /// Repeating the call is safe.
    pub(in super::super) fn repeatable(self) -> Self {
        Self { repeatable: true, ..self }
    }

    /// The answer, which is no list, is cached, and requested again only if it has changed.
    pub(in super::super) fn conditional(self) -> Self {
        Self { conditional: true, ..self }
    }
}

#[derive(Debug, Clone)]
pub(in super::super) struct Answer {
    pub(super) what: String,
    pub(super) body: Vec<u8>,
    /// Path and query of the next page, below the base URL.
    pub(super) next: Option<String>,
}

impl Answer {
    /// Path and query of the next page, below the base URL.
    pub(in super::super) fn next(&self) -> Option<String> {
        self.next.clone()
    }

    pub(in super::super) fn json<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            // The parser's own message may quote the body.
            let at = format!("line {}, column {}", error.line(), error.column());
            CallError::Unreadable { what: self.what.clone(), why: format!("{:?} error at {at}", error.classify()) }
        })
    }
}

/// Why a call gave no answer. It never contains a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    #[error("GitHub answered {status} to a request for {what}: {message}{}", request_id_text(.request_id.as_deref()))]
    Refused {
        what: String,
        status: u16,
        /// GitHub's message, truncated.
        message: String,
        /// For GitHub's support.
        request_id: Option<String>,
    },
    /// There was no answer in time, or a limit forbids calls now.
    #[error("GitHub gave no answer to a request for {what}: {why}{}", until_text(*.until))]
    Unavailable {
        what: String,
        why: String,
        /// When GitHub answers again, if GitHub said so.
        until: Option<Timestamp>,
    },
    /// GitHub answered a query, but not all of it.
    #[error("GitHub could not fully answer a request for {what}: {why}")]
    Incomplete { what: String, why: String },
    /// The answer is not what GitHub documents.
    #[error("cannot read GitHub's answer to a request for {what}: {why}")]
    Unreadable { what: String, why: String },
}

fn request_id_text(id: Option<&str>) -> String {
    id.map(|id| format!(" (request {id})")).unwrap_or_default()
}

fn until_text(until: Option<Timestamp>) -> String {
    until.map(|until| format!(", until {until}")).unwrap_or_default()
}

impl CallError {
    /// The status of a refusal.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            Self::Unavailable { .. } | Self::Incomplete { .. } | Self::Unreadable { .. } => None,
        }
    }

    pub(super) fn unavailable(call: &Call, why: impl Into<String>) -> Self {
        Self::Unavailable { what: call.what.clone(), why: why.into(), until: None }
    }

    pub(in super::super) fn unreadable(what: &str, why: impl Into<String>) -> Self {
        Self::Unreadable { what: what.to_owned(), why: why.into() }
    }
}

/// The message in the body of a refusal, with the details of a 422.
pub(super) fn message(body: &[u8]) -> String {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return "no message".to_owned() };
    let mut text = body.get("message").and_then(Value::as_str).unwrap_or("no message").to_owned();
    let details: Vec<String> = body.get("errors").and_then(Value::as_array).into_iter().flatten().map(detail).collect();
    if !details.is_empty() {
        text = format!("{text}: {}", details.join("; "));
    }
    printable(&text, LONGEST_MESSAGE)
}

fn detail(error: &Value) -> String {
    let field = |name: &str| error.get(name).and_then(Value::as_str);
    match (error.as_str(), field("message"), field("field"), field("code")) {
        (Some(text), ..) | (None, Some(text), ..) => text.to_owned(),
        (None, None, Some(name), Some(code)) => format!("{name} is {code}"),
        (None, None, ..) => "no detail".to_owned(),
    }
}

/// Why reading a body failed.
pub(super) fn body_error(error: &(dyn std::error::Error + Send + Sync + 'static)) -> String {
    if error.is::<LengthLimitError>() {
        "the answer is too long".to_owned()
    } else {
        "the answer was cut off".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_has_the_request_and_the_message_of_github() {
        let body = br#"{"message": "Validation Failed", "errors": [{"field": "head", "code": "missing"}, "no\ttabs"]}"#;
        let error = CallError::Refused {
            what: "the pull request acme/checkout#1".into(),
            status: 422,
            message: message(body),
            request_id: Some("C0DE".into()),
        };
        assert_eq!(
            error.to_string(),
            "GitHub answered 422 to a request for the pull request acme/checkout#1: Validation Failed: head is missing; \
             notabs (request C0DE)"
        );
        assert_eq!(message(b"<html>"), "no message");
        assert_eq!(message(format!("{{\"message\": \"{}\"}}", "x".repeat(999)).as_bytes()).len(), 300);
    }

    #[test]
    fn an_unreadable_body_is_not_quoted() {
        let answer = Answer { what: "the token".into(), body: b"{\"token\": \"ghs_secret\"}".to_vec(), next: None };
        let error = answer.json::<Vec<u8>>().unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
