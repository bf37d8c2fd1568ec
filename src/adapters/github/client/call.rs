//! One call of GitHub's REST interface, its answer, and what is said of one that failed.
//!
//! Knows the words of HTTP, and nothing of what a call means or how it is sent.

use http::Method;
use http_body_util::LengthLimitError;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::ident::printable;

/// The longest text of GitHub's that is repeated.
const SHOWN: usize = 300;

/// Who a call is made as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Identity {
    /// The App itself, with a token that it signs: for `/app/…` and to find installations.
    App,
    /// The App's installation for an account (an owner of repositories or teams); or whoever a personal token is.
    Account {
        /// The account's login.
        login: String,
        /// Where its installation can be looked up.
        lookup: String,
    },
}

/// A call to be made.
#[derive(Debug, Clone)]
pub(in super::super) struct Call {
    pub(super) method: Method,
    /// Path and query, below the base URL.
    pub(super) path: String,
    pub(super) body: Option<Value>,
    /// What it is for, as it reads in `GitHub answered 404 to a request for …`.
    pub(super) what: String,
    pub(super) identity: Identity,
    /// Whether making it twice is the same as making it once.
    pub(super) repeatable: bool,
    /// Whether an answer is kept, and asked for again only if it has changed.
    pub(super) conditional: bool,
}

impl Call {
    /// A call of any method. It is repeated after a failure that leaves open whether it was done only if it is a GET.
    pub(in super::super) fn new(method: Method, path: String, identity: Identity, what: impl Into<String>) -> Self {
        let repeatable = method == Method::GET;
        Self { method, path, body: None, what: what.into(), identity, repeatable, conditional: false }
    }

    /// A GET.
    pub(in super::super) fn get(path: String, identity: Identity, what: impl Into<String>) -> Self {
        Self::new(Method::GET, path, identity, what)
    }

    /// The same, with a body.
    pub(in super::super) fn with_body(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }

    /// The same, of which making it twice is the same as making it once.
    pub(in super::super) fn repeatable(self) -> Self {
        Self { repeatable: true, ..self }
    }

    /// The same, whose answer is asked for again only if it has changed.
    pub(in super::super) fn conditional(self) -> Self {
        Self { conditional: true, ..self }
    }
}

/// A successful answer.
#[derive(Debug, Clone)]
pub(in super::super) struct Answer {
    pub(super) what: String,
    pub(super) body: Vec<u8>,
    /// Path and query of the next page, below the base URL.
    pub(super) next: Option<String>,
}

impl Answer {
    /// The body as JSON of the shape that is read.
    pub(in super::super) fn json<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            // The reader's own message may repeat what it read.
            let at = format!("line {}, column {}", error.line(), error.column());
            CallError::Unreadable { what: self.what.clone(), why: format!("{:?} error at {at}", error.classify()) }
        })
    }
}

/// Why a call gave no answer. It never holds a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// GitHub refused.
    #[error("GitHub answered {status} to a request for {what}: {message}{}", request_id_text(.request_id.as_deref()))]
    Refused {
        /// What was asked for.
        what: String,
        /// The status code.
        status: u16,
        /// GitHub's words, shortened.
        message: String,
        /// What GitHub's support asks for.
        request_id: Option<String>,
    },
    /// There was no answer in time, or none may be asked for now.
    #[error("GitHub gave no answer to a request for {what}: {why}{}", until_text(*.until))]
    Unavailable {
        /// What was asked for.
        what: String,
        /// What happened.
        why: String,
        /// Until when asking is of no use, where GitHub said so.
        until: Option<Timestamp>,
    },
    /// The answer is not what GitHub documents.
    #[error("GitHub's answer to a request for {what} cannot be read: {why}")]
    Unreadable {
        /// What was asked for.
        what: String,
        /// What is wrong with it.
        why: String,
    },
}

fn request_id_text(id: Option<&str>) -> String {
    id.map(|id| format!(" (request {id})")).unwrap_or_default()
}

fn until_text(until: Option<Timestamp>) -> String {
    until.map(|until| format!(", until {until}")).unwrap_or_default()
}

impl CallError {
    /// The status code, where GitHub refused.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            Self::Unavailable { .. } | Self::Unreadable { .. } => None,
        }
    }

    pub(super) fn unavailable(call: &Call, why: impl Into<String>) -> Self {
        Self::Unavailable { what: call.what.clone(), why: why.into(), until: None }
    }

    pub(in super::super) fn unreadable(what: &str, why: impl Into<String>) -> Self {
        Self::Unreadable { what: what.to_owned(), why: why.into() }
    }
}

/// GitHub's words in the body of a refusal: its message, and the details that come with a 422.
pub(super) fn message(body: &[u8]) -> String {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return "no message".to_owned() };
    let mut text = body.get("message").and_then(Value::as_str).unwrap_or("no message").to_owned();
    let details: Vec<String> = body.get("errors").and_then(Value::as_array).into_iter().flatten().map(detail).collect();
    if !details.is_empty() {
        text = format!("{text}: {}", details.join("; "));
    }
    printable(&text, SHOWN)
}

fn detail(error: &Value) -> String {
    let field = |name: &str| error.get(name).and_then(Value::as_str);
    match (error.as_str(), field("message"), field("field"), field("code")) {
        (Some(text), ..) | (None, Some(text), ..) => text.to_owned(),
        (None, None, Some(name), Some(code)) => format!("{name} is {code}"),
        (None, None, ..) => "no detail".to_owned(),
    }
}

/// Why a body that was being read came to no end.
pub(super) fn cut(error: &(dyn std::error::Error + Send + Sync + 'static)) -> String {
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
    fn a_refusal_says_what_was_asked_for_and_what_github_said() {
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
    fn what_cannot_be_read_is_not_repeated() {
        let answer = Answer { what: "the token".into(), body: b"{\"token\": \"ghs_secret\"}".to_vec(), next: None };
        let error = answer.json::<Vec<u8>>().unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
