//! A failed policy test as text: what was expected, what was decided, and why.

use serde_json::{Map, Value};

use super::visible;
use crate::approval::case::{Case, Ended, Failure, Outcome};
use crate::approval::decision::{Decision, ReviewOutcome, Verdict};
use crate::ident::Login;

/// Two values that are longer than this get a mark at the first difference.
const LONG: usize = 24;

/// Every difference, as what was expected (`-`) and what was decided (`+`), and the reasons of the decision. Reads the
/// same without colour.
#[must_use]
pub fn failed(case: &Case, outcome: &Outcome, color: bool) -> String {
    let mut lines = Lines { text: String::new(), color };
    lines.push(0, Mark::None, &format!("FAILED {} {}", case.place, case.name));
    let of = |step: Option<usize>| outcome.failures.iter().filter(move |failure| failure.step == step);
    let depth = usize::from(!outcome.steps.is_empty());
    if of(None).next().is_some() {
        if depth > 0 {
            lines.push(1, Mark::None, &format!("at the start, {}", outcome.decision.evaluated_at));
        }
        moment(&mut lines, depth + 1, of(None), &outcome.decision);
    }
    for (number, step) in outcome.steps.iter().enumerate().filter(|(number, _)| of(Some(*number)).next().is_some()) {
        lines.push(1, Mark::None, &format!("steps[{number}]: {}, {}", step.event, step.at));
        moment(&mut lines, depth + 1, of(Some(number)), &step.decision);
        if let Some(ended) = step.ended {
            lines.push(depth + 1, Mark::None, &format!("the request {}", ended_as(ended)));
        }
    }
    lines.text
}

/// A note if the decision of a step contradicts the end that the request has already come to, for the first such step.
#[must_use]
pub fn note(case: &Case, outcome: &Outcome) -> Option<String> {
    let (number, step, ended) = outcome
        .steps
        .iter()
        .enumerate()
        .find_map(|(number, step)| step.contradicts().map(|ended| (number, step, ended)))?;
    let then = match ended.verdict {
        Verdict::Approved => {
            "a gate has already released it, or ends it as `rejected` because it is no longer approved"
        }
        Verdict::Pending
        | Verdict::Blocked
        | Verdict::Wait
        | Verdict::Rejected
        | Verdict::Expired
        | Verdict::Superseded
        | Verdict::Denied => "in a gate this end is final, and only another execution opens a new request",
    };
    Some(visible(&format!(
        "{} {}: steps[{number}] decides `{}`, and the request {}: {then}",
        case.place,
        case.name,
        step.decision.verdict.as_str(),
        ended_as(ended),
    )))
}

/// A failure in one line.
#[must_use]
pub fn in_a_line(failure: &Failure) -> String {
    let Failure { path, expected, got, .. } = failure;
    visible(&format!("{path}: expected {expected}, got {got}"))
}

fn ended_as(ended: Ended) -> String {
    let when = ended.step.map_or_else(|| "at the start".to_owned(), |number| format!("with steps[{number}]"));
    format!("ended as `{}` {when}", ended.verdict.as_str())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    None,
    Expected,
    Got,
}

/// The text so far. Every line that is added is made safe to print.
struct Lines {
    text: String,
    color: bool,
}

impl Lines {
    fn push(&mut self, depth: usize, mark: Mark, text: &str) {
        let text = visible(text);
        let indent = "  ".repeat(depth);
        let line = match (mark, self.color) {
            (Mark::None, _) => format!("{indent}{text}\n"),
            (Mark::Expected, false) => format!("{indent}- {text}\n"),
            (Mark::Expected, true) => format!("{indent}\u{1b}[31m- {text}\u{1b}[0m\n"),
            (Mark::Got, false) => format!("{indent}+ {text}\n"),
            (Mark::Got, true) => format!("{indent}\u{1b}[32m+ {text}\u{1b}[0m\n"),
        };
        self.text.push_str(&line);
    }
}

/// The failures of one decision, and the decision.
fn moment<'f>(lines: &mut Lines, depth: usize, failures: impl Iterator<Item = &'f Failure>, decision: &Decision) {
    for failure in failures {
        let path = failure.path.split_once(".expect.").map_or(failure.path.as_str(), |(_, path)| path);
        match (&failure.expected, &failure.got) {
            (Value::Array(expected), Value::Array(got)) => {
                lines.push(depth, Mark::None, &format!("{path} (- expected, + got)"));
                list(lines, depth + 1, path.ends_with("counts"), (expected, got));
            }
            (expected, got) => {
                lines.push(depth, Mark::None, path);
                pair(lines, depth + 1, &expected.to_string(), &got.to_string());
                if let Some(about) = path.strip_prefix("reviews.").map(|key| about_review(key, decision)) {
                    lines.push(depth + 2, Mark::None, &about);
                }
            }
        }
    }
    lines.push(depth, Mark::None, &format!("decided {}: {}", decision.verdict.as_str(), decision.summary));
    for reason in &decision.reasons {
        let source = reason.source.as_deref().map(|source| format!(", {source}")).unwrap_or_default();
        lines.push(depth + 1, Mark::None, &format!("{} ({}{source})", reason.text, reason.code.as_str()));
    }
}

/// Two values, one under the other. If both are long, a mark is put under the first character that differs.
fn pair(lines: &mut Lines, depth: usize, expected: &str, got: &str) {
    lines.push(depth, Mark::Expected, &format!("expected {expected}"));
    lines.push(depth, Mark::Got, &format!("got      {got}"));
    let (expected, got) = (visible(expected), visible(got));
    let alike = expected.chars().zip(got.chars()).take_while(|(a, b)| a == b).count();
    if expected.chars().count() > LONG && got.chars().count() > LONG && alike > 1 {
        lines.push(depth, Mark::None, &format!("{:width$}^", "", width = "- expected ".len() + alike));
    }
}

/// Two lists, element by element. Elements of both are printed once. The order of a set does not matter.
fn list(lines: &mut Lines, depth: usize, set: bool, (expected, got): (&[Value], &[Value])) {
    if set {
        for element in expected {
            let there = got.iter().any(|other| holds(element, other));
            element_line(lines, depth, if there { Mark::None } else { Mark::Expected }, element);
        }
        for element in got.iter().filter(|element| !expected.iter().any(|other| holds(other, element))) {
            element_line(lines, depth, Mark::Got, element);
        }
        return;
    }
    let alike = |pair: &(&Value, &Value)| holds(pair.0, pair.1);
    let first = expected.iter().zip(got).take_while(alike).count();
    let last = expected.iter().skip(first).rev().zip(got.iter().skip(first).rev()).take_while(alike).count();
    let named = named_in(expected);
    let differing = |length: usize| length.saturating_sub(first + last);
    for element in got.iter().take(first) {
        element_line(lines, depth, Mark::None, &narrowed(element, &named));
    }
    for element in expected.iter().skip(first).take(differing(expected.len())) {
        element_line(lines, depth, Mark::Expected, element);
    }
    for element in got.iter().skip(first).take(differing(got.len())) {
        element_line(lines, depth, Mark::Got, &narrowed(element, &named));
    }
    for element in got.iter().skip(first + differing(got.len())) {
        element_line(lines, depth, Mark::None, &narrowed(element, &named));
    }
}

fn element_line(lines: &mut Lines, depth: usize, mark: Mark, element: &Value) {
    // Aligns elements of both with those behind a mark.
    let indent = if mark == Mark::None { "  " } else { "" };
    lines.push(depth, mark, &format!("{indent}{element}"));
}

/// Whether an element is as expected: keys that are not expected do not matter, nor does the case of texts.
fn holds(expected: &Value, got: &Value) -> bool {
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => {
            expected.iter().all(|(key, value)| holds(value, got.get(key).unwrap_or(&Value::Null)))
        }
        (Value::Array(expected), Value::Array(got)) => {
            expected.len() == got.len() && expected.iter().zip(got).all(|(expected, got)| holds(expected, got))
        }
        (Value::String(expected), Value::String(got)) => expected.eq_ignore_ascii_case(got),
        (expected, got) => expected == got,
    }
}

/// The keys that the expected elements name.
fn named_in(expected: &[Value]) -> Vec<&str> {
    expected.iter().filter_map(Value::as_object).flat_map(Map::keys).map(String::as_str).collect()
}

/// An element without the keys that are not expected.
fn narrowed(element: &Value, named: &[&str]) -> Value {
    match element {
        Value::Object(map) if !named.is_empty() => {
            let kept = map.iter().filter(|(key, _)| named.contains(&key.as_str()));
            Value::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            element.clone()
        }
    }
}

/// The outcome of the review in words, or who gave reviews.
fn about_review(key: &str, decision: &Decision) -> String {
    let key = key.split('.').next().unwrap_or(key);
    let by_login =
        |review: &&ReviewOutcome| review.user.as_ref().is_some_and(|user| user.as_str().eq_ignore_ascii_case(key));
    let by_id = |review: &&ReviewOutcome| key.parse() == Ok(review.id.0);
    let reviews = &decision.reviews;
    if let Some(review) = reviews.iter().rfind(by_login).or_else(|| reviews.iter().find(by_id)) {
        return review.text.clone();
    }
    let mut given: Vec<&str> = reviews.iter().filter_map(|review| review.user.as_ref()).map(Login::as_str).collect();
    given.sort_unstable();
    given.dedup();
    match given.as_slice() {
        [] => "there are no reviews".to_owned(),
        given => format!("there is no review by `{key}`, only by {}", given.join(", ")),
    }
}
