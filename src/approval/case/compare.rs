//! Where a decision differs from what a case expects.

use serde::Serialize;
use serde_json::Value as Json;

use super::super::decision::Decision;
use super::expect::{DECISION, Expect, REVIEW, Shape};

/// One place where a decision is not what was expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Where in the decision, e.g. `unmet[0].need`, or after a step `steps[1].expect.unmet[0].need`.
    pub path: String,
    pub expected: Json,
    /// `null` if there is nothing.
    pub got: Json,
    /// After which step, numbered from 0. `None`: before all steps.
    #[serde(skip)]
    pub step: Option<usize>,
}

/// All differences after a step, or before all steps if `None`.
pub(super) fn failures(expect: &Expect, decision: &Decision, step: Option<usize>) -> Vec<Failure> {
    // A decision can always be written as JSON.
    let got = serde_json::to_value(decision).unwrap_or_default();
    let mut comparison = Comparison { failures: Vec::new(), step };
    let path = step.map(|number| format!("steps[{number}].expect")).unwrap_or_default();
    comparison.value(&path, &DECISION, &Json::Object(expect.0.clone()), &got);
    comparison.failures
}

struct Comparison {
    failures: Vec<Failure>,
    step: Option<usize>,
}

impl Comparison {
    fn differs(&mut self, path: &str, expected: &Json, got: &Json) {
        let (path, step) = (path.to_owned(), self.step);
        self.failures.push(Failure { path, expected: expected.clone(), got: got.clone(), step });
    }

    fn value(&mut self, path: &str, shape: &Shape, expected: &Json, got: &Json) {
        let same = match (shape, expected, got) {
            (Shape::Map(fields), Json::Object(wanted), Json::Object(_)) => {
                for (key, wanted) in wanted {
                    let Some((_, shape)) = fields.iter().find(|(name, _)| name == key) else { continue };
                    let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    self.value(&inner, shape, wanted, got.get(key).unwrap_or(&Json::Null));
                }
                return;
            }
            (Shape::List(item), Json::Array(wanted), Json::Array(there)) if wanted.len() == there.len() => {
                for (at, (wanted, there)) in wanted.iter().zip(there).enumerate() {
                    self.value(&format!("{path}[{at}]"), item, wanted, there);
                }
                return;
            }
            (Shape::Reviews, Json::Object(wanted), Json::Array(there)) => {
                for (key, wanted) in wanted {
                    self.review(&format!("{path}.{key}"), key, wanted, there);
                }
                return;
            }
            (Shape::Logins, Json::Array(wanted), Json::Array(there)) => sorted(wanted) == sorted(there),
            (Shape::Login, Json::String(wanted), Json::String(there)) => wanted.eq_ignore_ascii_case(there),
            (
                Shape::Text
                | Shape::Number
                | Shape::Flag
                | Shape::Instant
                | Shape::Login
                | Shape::Word(_)
                | Shape::Map(_)
                | Shape::List(_)
                | Shape::Logins
                | Shape::Reviews,
                _,
                _,
            ) => expected == got,
        };
        if !same {
            self.differs(path, expected, got);
        }
    }

    /// Compares the person's last review in the decision's order, or else the review with that id.
    fn review(&mut self, path: &str, key: &str, expected: &Json, reviews: &[Json]) {
        let by_login = |review: &&Json| {
            review.get("user").and_then(Json::as_str).is_some_and(|user| user.eq_ignore_ascii_case(key))
        };
        let by_id = |review: &&Json| review.get("id").and_then(Json::as_u64).is_some_and(|id| key.parse() == Ok(id));
        let Some(found) = reviews.iter().rfind(by_login).or_else(|| reviews.iter().find(by_id)) else {
            return self.differs(path, expected, &Json::Null);
        };
        match expected {
            Json::String(_) => {
                let reason = found.get("reason").unwrap_or(&Json::Null);
                if expected != reason {
                    self.differs(path, expected, reason);
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => {
                self.value(path, &REVIEW, expected, found);
            }
        }
    }
}

/// Logins in lower case, in order.
fn sorted(logins: &[Json]) -> Vec<String> {
    let mut logins: Vec<String> = logins.iter().filter_map(Json::as_str).map(str::to_ascii_lowercase).collect();
    logins.sort_unstable();
    logins
}
