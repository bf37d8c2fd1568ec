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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::call::Identity;
    use super::*;

    fn problem(kind: &str, path: &[&str]) -> Problem {
        serde_json::from_value(json!({ "type": kind, "path": path, "message": "no" })).unwrap()
    }

    #[test]
    fn only_a_missing_or_forbidden_part_is_hidden_and_only_at_its_own_place() {
        let at = ["team0", "team"];
        for (kind, path, hidden) in [
            ("NOT_FOUND", ["team0", "team"].as_slice(), true),
            ("FORBIDDEN", &["team0", "team"], true),
            ("INTERNAL", &["team0", "team"], false),
            ("NOT_FOUND", &["team0"], false),
            ("NOT_FOUND", &["team0", "team", "members"], false),
            ("NOT_FOUND", &["team1", "team"], false),
            ("NOT_FOUND", &[], false),
        ] {
            assert_eq!(problem(kind, path).hides(&at), hidden, "{kind} {path:?}");
        }
        assert!(problem("NOT_FOUND", &at).misses(&at) && !problem("FORBIDDEN", &at).misses(&at));
    }

    #[test]
    fn a_refusal_for_the_rate_limit_is_recognized_by_its_type_alone() {
        let query = Call::query("query { viewer { login } }", &json!({}), Identity::App, "the viewer");
        let limited = |call: &Call, body: Value| rate_limited(call, body.to_string().as_bytes());
        let errors = json!([{ "type": "RATE_LIMITED", "message": "API rate limit exceeded" }]);
        let refusal = json!({ "errors": errors });
        assert_eq!(limited(&query, refusal.clone()).as_deref(), Some("API rate limit exceeded"));
        assert!(limited(&query, json!({ "data": null, "errors": errors })).is_some());
        for other in [
            json!({ "data": { "body": "RATE_LIMITED" } }),
            json!({ "errors": [{ "type": "NOT_FOUND", "message": "RATE_LIMITED" }] }),
            json!([]),
        ] {
            assert_eq!(limited(&query, other.clone()), None, "{other}");
        }
        let rest = Call::get("/user".to_owned(), Identity::App, "the user");
        assert_eq!(limited(&rest, refusal), None);
    }
}
