//! Reads the input of an execution, and reports all problems with it at once.
//!
//! Whoever may start the gate writes it. It can name any target, and it approves nothing.

use std::fmt;

use serde_json::{Map, Value};

use crate::ident::{
    EnvironmentName, Login, PullRequestRef, RepositoryName, Revision, ServiceName, Target, is_hidden, quoted,
};
use crate::policy::{Condition, Rule};

/// The keys of an execution's input that the gate reads.
#[derive(Debug, Clone, PartialEq)]
pub struct ExecutionInput {
    pub target: Target,
    pub pull_request: Option<PullRequestRef>,
    /// With `revision`, finds the pull request if none is named.
    pub repository: Option<RepositoryName>,
    pub revision: Option<Revision>,
    pub requester: Option<Login>,
    pub version: Option<String>,
}

/// Everything that is wrong with an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidInput {
    /// One sentence for each field.
    pub problems: Vec<String>,
}

impl InvalidInput {
    pub(super) fn one(problem: impl Into<String>) -> Self {
        Self { problems: vec![problem.into()] }
    }
}

impl fmt::Display for InvalidInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problems.join("; "))
    }
}

impl std::error::Error for InvalidInput {}

impl ExecutionInput {
    /// Reads an execution's input. Keys may be in camelCase or in `snake_case`. Unknown keys are the caller's own.
    ///
    /// # Errors
    /// [`InvalidInput`] names every field that is missing or malformed, the value, and what is expected.
    pub fn read(input: &Value) -> Result<Self, InvalidInput> {
        let Value::Object(fields) = input else {
            return Err(InvalidInput::one("the input is not a JSON object"));
        };
        let mut reader = InputReader { fields, problems: Vec::new() };
        let service = reader.required("service", "service", |text| ServiceName::new(text).map_err(|e| e.to_string()));
        let environment =
            reader.required("environment", "environment", |text| EnvironmentName::new(text).map_err(|e| e.to_string()));
        let pull_request =
            reader.optional("pullRequest", "pull_request", |text| PullRequestRef::new(text).map_err(|e| e.to_string()));
        let repository =
            reader.optional("repository", "repository", |text| RepositoryName::new(text).map_err(|e| e.to_string()));
        let revision = reader.optional("revision", "revision", read_revision);
        let requester = reader.optional("requestedBy", "requested_by", |text| {
            Login::new(text.strip_prefix('@').unwrap_or(text)).map_err(|e| e.to_string())
        });
        let version = reader.optional("version", "version", read_version);
        match (service, environment) {
            (Some(service), Some(environment)) if reader.problems.is_empty() => Ok(Self {
                target: Target { service, environment },
                pull_request,
                repository,
                revision,
                requester,
                version,
            }),
            _ => Err(InvalidInput { problems: reader.problems }),
        }
    }
}

/// The parts of an input that the rule's conditions read, at their places. Nothing else is stored: an input may hold
/// secrets.
pub(super) fn recorded(rule: &Rule<'_>, input: &Value) -> Map<String, Value> {
    let mut parts = Map::new();
    if let Value::Object(given) = input {
        rule.conditions().flat_map(Condition::pointers).for_each(|pointer| pointer.copy(given, &mut parts));
    }
    parts
}

fn read_revision(text: &str) -> Result<Revision, String> {
    let form = || format!("`{}` is not a revision: expected the full commit hash, 40 or 64 hex digits", quoted(text));
    let revision = Revision::new(&text.to_ascii_lowercase()).map_err(|_| form())?;
    if revision.is_full_hash() { Ok(revision) } else { Err(form()) }
}

fn read_version(text: &str) -> Result<String, String> {
    if text.len() > 256 || text.chars().any(is_hidden) {
        return Err(format!("`{}` is not a version: expected at most 256 printable characters", quoted(text)));
    }
    Ok(text.to_owned())
}

struct InputReader<'i> {
    fields: &'i Map<String, Value>,
    problems: Vec<String>,
}

impl InputReader<'_> {
    fn required<T>(&mut self, camel: &str, snake: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let before = self.problems.len();
        let value = self.optional(camel, snake, read);
        if value.is_none() && self.problems.len() == before {
            self.problems.push(format!("`{camel}` is missing"));
        }
        value
    }

    fn optional<T>(&mut self, camel: &str, snake: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let given = self.fields.get(camel);
        let other = if camel == snake { None } else { self.fields.get(snake) };
        let value = match (given, other) {
            (Some(_), Some(_)) => {
                self.problems.push(format!("`{camel}` and `{snake}` are both given: keep one"));
                return None;
            }
            (Some(value), None) | (None, Some(value)) => value,
            (None, None) => return None,
        };
        match value {
            Value::Null => None,
            Value::String(text) => match read(text) {
                Ok(value) => Some(value),
                Err(problem) => {
                    self.problems.push(format!("`{camel}`: {problem}"));
                    None
                }
            },
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                self.problems.push(format!("`{camel}` must be a text"));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ExecutionInput;
    use serde_json::json;

    #[test]
    fn keys_may_be_in_camel_case_or_in_snake_case_and_unknown_keys_are_ignored() {
        let camel = ExecutionInput::read(&json!({
            "service": "checkout", "environment": "production", "pullRequest": "acme/checkout#42", "requestedBy": "dave", "ticket": 7
        }));
        let snake = ExecutionInput::read(&json!({
            "service": "checkout", "environment": "production",
            "pull_request": "https://github.com/acme/checkout/pull/42/files", "requested_by": "@dave"
        }));
        assert_eq!(camel, snake);
        assert!(camel.is_ok());
    }

    #[test]
    fn every_problem_is_reported_with_the_value_and_what_is_expected() {
        let error = ExecutionInput::read(&json!({
            "service": "no spaces please", "revision": "abc", "pullRequest": "42", "pull_request": "acme/checkout#42", "version": 3
        }))
        .unwrap_err();
        let text = error.to_string();
        for part in [
            "`service`: `no spaces please` is not a service name",
            "`environment` is missing",
            "`revision`: `abc` is not a revision: expected the full commit hash",
            "`pullRequest` and `pull_request` are both given",
            "`version` must be a text",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn characters_that_hide_or_reorder_text_are_refused_and_not_repeated() {
        for (field, value) in [
            ("service", "checkout\u{200b}"),
            ("requestedBy", "dave\u{200b}"),
            ("pullRequest", "acme/checkout#1\u{202e}"),
            ("version", "v\u{202e}2"),
            ("version", "v\u{1b}[31m"),
        ] {
            let mut input = json!({ "service": "checkout", "environment": "production" });
            input[field] = value.into();
            let text = ExecutionInput::read(&input).unwrap_err().to_string();
            assert!(text.contains(field) && !text.contains(['\u{200b}', '\u{202e}', '\u{1b}']), "{text:?}");
        }
    }

    #[test]
    fn an_input_that_is_not_an_object_is_refused() {
        assert!(ExecutionInput::read(&json!([])).is_err());
    }
}
