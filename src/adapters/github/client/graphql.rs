//! Answers to queries in GraphQL: <https://docs.github.com/en/graphql>. Knows nothing of what a query asks.
//!
//! GitHub answers 200 even if it could not read all that was asked. The parts that it could not read are `null`, and a
//! problem names each of them by its path.

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Map, Value};

use super::GithubClient;
use super::call::{Call, CallError};
use crate::ident::printable;

/// The most characters of a message of GitHub that are repeated.
const LONGEST_MESSAGE: usize = 300;

/// An answer, maybe in part.
#[derive(Debug)]
pub(in super::super) struct Queried {
    what: String,
    data: Map<String, Value>,
    /// Why parts of it are missing.
    pub(in super::super) problems: Vec<Problem>,
}

/// Why a part could not be read.
#[derive(Debug, Clone, Deserialize)]
pub(in super::super) struct Problem {
    /// GitHub's word for it, such as `NOT_FOUND`.
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    path: Option<Vec<Value>>,
    message: String,
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    data: Option<Map<String, Value>>,
    #[serde(default)]
    errors: Option<Vec<Problem>>,
}

impl GithubClient {
    /// Makes a query. Errors if nothing of it was answered.
    pub(in super::super) async fn query(&self, call: Call) -> Result<Queried, CallError> {
        let Body { data, errors } = self.call(&call).await?.json()?;
        let problems = errors.unwrap_or_default();
        match (data, problems.first()) {
            (Some(data), _) => Ok(Queried { what: call.what, data, problems }),
            (None, Some(problem)) => Err(problem.error(&call.what)),
            (None, None) => Err(CallError::unreadable(&call.what, "it holds no data")),
        }
    }
}

impl Queried {
    /// Takes a part of the answer. `None` if it is `null`. Errors if it was not answered at all, or is not as expected.
    pub(in super::super) fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, CallError> {
        let part = self.data.remove(name).ok_or_else(|| self.unreadable(&format!("`{name}` is missing")))?;
        // The parser's own message may quote the answer.
        serde_json::from_value(part).map_err(|_| self.unreadable(&format!("`{name}` is not as GitHub describes it")))
    }

    pub(in super::super) fn unreadable(&self, why: &str) -> CallError {
        CallError::unreadable(&self.what, why)
    }

    /// Errors with the first problem that is left.
    pub(in super::super) fn whole(self) -> Result<(), CallError> {
        self.problems.first().map_or(Ok(()), |problem| Err(problem.error(&self.what)))
    }
}

impl Problem {
    /// Whether GitHub says that what is at this path does not exist, or that the caller may not see it.
    pub(in super::super) fn hides(&self, at: &[&str]) -> bool {
        let path = self.path.as_deref().unwrap_or_default();
        let is_hidden = matches!(self.kind.as_deref(), Some("NOT_FOUND" | "FORBIDDEN"));
        is_hidden && path.len() == at.len() && path.iter().zip(at).all(|(given, name)| given.as_str() == Some(name))
    }

    /// Whether GitHub says that what is at this path does not exist.
    pub(in super::super) fn misses(&self, at: &[&str]) -> bool {
        self.kind.as_deref() == Some("NOT_FOUND") && self.hides(at)
    }

    fn error(&self, what: &str) -> CallError {
        let kind = self.kind.as_deref().map(|kind| format!(" ({})", printable(kind, 60))).unwrap_or_default();
        let message = printable(&self.message, LONGEST_MESSAGE);
        CallError::Incomplete { what: what.to_owned(), why: format!("{message}{kind}") }
    }
}

/// GitHub's message if it refused a query because of its rate limit. It answers 200 then.
pub(super) fn rate_limited(call: &Call, body: &[u8]) -> Option<String> {
    const LIMITED: &str = "RATE_LIMITED";
    #[derive(Deserialize)]
    struct Errors {
        #[serde(rename = "data", default)]
        _data: IgnoredAny,
        errors: Vec<Problem>,
    }
    let may_be = call.resource.is_graphql() && body.windows(LIMITED.len()).any(|part| part == LIMITED.as_bytes());
    let Errors { errors, .. } = serde_json::from_slice(may_be.then_some(body)?).ok()?;
    let limited = errors.into_iter().find(|problem| problem.kind.as_deref() == Some(LIMITED))?;
    Some(printable(&limited.message, LONGEST_MESSAGE))
}
