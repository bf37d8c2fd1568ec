//! Reads what a case expects of a decision, checked against the form of a decision: a misspelt key is an error.

use serde_json::{Map, Value as Json};

use super::super::decision::{Event, NextActionKind, ReasonCode, ReviewReason, Verdict};
use super::value::instant;
use crate::finding::{Code, Finding, closest};
use crate::policy::read::{Reader, list};
use crate::policy::yaml::{Entry, Node, Value};

/// A part of the JSON form of a decision, which the decision must contain.
#[derive(Debug, Clone)]
pub(super) struct Expect(pub(super) Map<String, Json>);

/// How a value of a decision is read and compared. Any value may also be `null`.
#[derive(Debug)]
pub(super) enum Shape {
    Text,
    Number,
    Flag,
    /// Compared as an instant, in whatever form it is written.
    Instant,
    /// Compared without case.
    Login,
    /// One of a closed vocabulary.
    Word(fn() -> Vec<&'static str>),
    /// Each key that is given must match.
    Map(&'static [(&'static str, Self)]),
    /// Of the same length, and compared element by element.
    List(&'static Self),
    /// All logins, in any order.
    Logins,
    /// By login or review id: the reason alone, or a mapping.
    Reviews,
}

pub(super) static DECISION: Shape = Shape::Map(&[
    ("schema", Shape::Number),
    ("engine", Shape::Text),
    ("verdict", Shape::Word(verdicts)),
    ("summary", Shape::Text),
    ("target", Shape::Map(&[("service", Shape::Text), ("environment", Shape::Text)])),
    (
        "rule",
        Shape::Map(&[
            ("service_selector", Shape::Text),
            ("environment_selector", Shape::Text),
            ("source", Shape::Text),
        ]),
    ),
    ("policy_digest", Shape::Text),
    ("pull_request", Shape::Text),
    ("revision", Shape::Text),
    ("head", Shape::Text),
    ("requested_at", Shape::Instant),
    ("deadline", Shape::Instant),
    ("timeout_seconds", Shape::Number),
    ("until", Shape::Instant),
    ("evaluated_at", Shape::Instant),
    ("next_action", Shape::Map(&[("kind", Shape::Word(next_actions)), ("at", Shape::Instant)])),
    ("requirement", Shape::Map(PART)),
    ("unmet", Shape::List(&Shape::Map(UNMET))),
    ("counts", Shape::Logins),
    ("reviews", Shape::Reviews),
    ("reasons", Shape::List(&Shape::Map(REASON))),
    ("override", Shape::Map(&[("by", Shape::List(&Shape::Login)), ("reason", Shape::Text)])),
    ("notify", Shape::Map(&[("event", Shape::Word(events)), ("channels", Shape::List(&Shape::Text))])),
    ("mode", Shape::Word(modes)),
]);

/// A part of the requirement, of any kind.
static PART: &[(&str, Shape)] = &[
    ("kind", Shape::Word(part_kinds)),
    ("name", Shape::Text),
    ("need", Shape::Number),
    ("have", Shape::Number),
    ("met", Shape::Flag),
    ("applies", Shape::Word(applies)),
    ("source", Shape::Text),
    ("approved_by", Shape::List(&Shape::Login)),
    ("can_approve", Shape::List(&Shape::Login)),
    ("parts", Shape::List(&PARTS)),
];
static PARTS: Shape = Shape::Map(PART);

const UNMET: &[(&str, Shape)] = &[
    ("name", Shape::Text),
    ("need", Shape::Number),
    ("have", Shape::Number),
    ("can_approve", Shape::List(&Shape::Login)),
    ("asked", Shape::Flag),
    ("unsatisfiable", Shape::Flag),
];

const REASON: &[(&str, Shape)] = &[("code", Shape::Word(reason_codes)), ("text", Shape::Text), ("source", Shape::Text)];

pub(super) static REVIEW: Shape = Shape::Map(&[
    ("id", Shape::Number),
    ("user", Shape::Login),
    ("state", Shape::Word(review_states)),
    ("verdict", Shape::Word(review_verdicts)),
    ("reason", Shape::Word(review_reasons)),
    ("text", Shape::Text),
]);

fn verdicts() -> Vec<&'static str> {
    use Verdict::{Approved, Blocked, Denied, Expired, Pending, Rejected, Superseded, Wait};
    [Approved, Pending, Blocked, Wait, Rejected, Expired, Superseded, Denied].map(Verdict::as_str).to_vec()
}

fn next_actions() -> Vec<&'static str> {
    NextActionKind::ALL.iter().map(|kind| kind.as_str()).collect()
}

fn events() -> Vec<&'static str> {
    Event::ALL.iter().map(|event| event.as_str()).collect()
}

fn reason_codes() -> Vec<&'static str> {
    ReasonCode::ALL.iter().map(|code| code.as_str()).collect()
}

pub(super) fn review_reasons() -> Vec<&'static str> {
    ReviewReason::ALL.iter().map(|reason| reason.as_str()).collect()
}

fn modes() -> Vec<&'static str> {
    vec!["enforce", "audit"]
}

fn part_kinds() -> Vec<&'static str> {
    vec!["quorum", "all_of", "any_of", "in_order"]
}

fn applies() -> Vec<&'static str> {
    vec!["yes", "no", "unknown"]
}

fn review_states() -> Vec<&'static str> {
    vec!["approved", "changes_requested", "commented", "dismissed", "pending"]
}

fn review_verdicts() -> Vec<&'static str> {
    vec!["counts", "ignored", "rejects", "blocks"]
}

/// Reads `expect`. Reports keys that no decision has, and values that none can have.
pub(super) fn read_expect(reader: &mut Reader<'_>, node: &Node) -> Option<Expect> {
    let entries = reader.map(node, "expect")?;
    if entries.is_empty() {
        reader.report(
            Finding::at(Code::EmptyList, node.span, "`expect` is empty, so it would always hold")
                .hint("write what the decision must contain, e.g. `verdict: approved`"),
        );
        return None;
    }
    match read_value(reader, node, "expect", &DECISION)? {
        Json::Object(map) => Some(Expect(map)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => None,
    }
}

fn read_value(reader: &mut Reader<'_>, node: &Node, key: &str, shape: &Shape) -> Option<Json> {
    if matches!(node.value, Value::Null) {
        return Some(Json::Null);
    }
    match shape {
        Shape::Text | Shape::Login => reader.text(node, key).map(Json::from),
        Shape::Flag => reader.bool(node, key).map(Json::from),
        Shape::Number => {
            if let Value::Integer(number) = node.value {
                return Some(number.into());
            }
            reader.wrong_type(node, key, "a whole number");
            None
        }
        Shape::Instant => instant(reader, node, key).map(|at| at.to_string().into()),
        Shape::Word(words) => read_word(reader, node, key, &words()),
        Shape::Map(fields) => read_map(reader, node, key, fields),
        Shape::List(item) => read_list(reader, node, key, item),
        Shape::Logins => read_list(reader, node, key, &Shape::Login),
        Shape::Reviews => {
            let entries = reader.map(node, key)?;
            let read = |entry: &Entry| Some((entry.key.to_string(), read_review(reader, entry)?));
            Some(Json::Object(entries.iter().filter_map(read).collect()))
        }
    }
}

/// The reason alone, or a mapping.
fn read_review(reader: &mut Reader<'_>, entry: &Entry) -> Option<Json> {
    if matches!(entry.node.value, Value::Text(_)) {
        return read_word(reader, &entry.node, "reason", &review_reasons());
    }
    if !matches!(entry.node.value, Value::Map(_)) {
        reader.wrong_type(
            &entry.node,
            &entry.key,
            "a reason, or a mapping with `verdict`, `reason`, `state` or `text`",
        );
        return None;
    }
    read_value(reader, &entry.node, "reviews", &REVIEW)
}

fn read_word(reader: &mut Reader<'_>, node: &Node, key: &str, words: &[&'static str]) -> Option<Json> {
    let words: Vec<(&'static str, &'static str)> = words.iter().map(|word| (*word, *word)).collect();
    reader.word(node, key, &words).map(Json::from)
}

fn read_list(reader: &mut Reader<'_>, node: &Node, key: &str, item: &Shape) -> Option<Json> {
    let Value::List(items) = &node.value else {
        reader.wrong_type(node, key, "a list");
        return None;
    };
    Some(Json::Array(items.iter().filter_map(|node| read_value(reader, node, key, item)).collect()))
}

fn read_map(reader: &mut Reader<'_>, node: &Node, key: &str, fields: &[(&'static str, Shape)]) -> Option<Json> {
    let mut map = Map::new();
    for entry in reader.map(node, key)? {
        let Some((name, shape)) = fields.iter().find(|(name, _)| *name == &*entry.key) else {
            let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
            let hint = closest(&entry.key, names.iter().copied())
                .map_or_else(|| format!("it has {}", list(&names)), |near| format!("did you mean `{near}`?"));
            let whose = if key == "expect" { "a decision".to_owned() } else { format!("a decision's `{key}`") };
            let message = format!("`{}` is not a key of {whose}", entry.key);
            reader.report(Finding::at(Code::UnknownKey, entry.key_span, message).hint(hint));
            continue;
        };
        if let Some(value) = read_value(reader, &entry.node, name, shape) {
            map.insert((*name).to_owned(), value);
        }
    }
    Some(Json::Object(map))
}

#[cfg(test)]
mod tests {
    use super::super::super::decision::{Decision, NextAction, Overridden};
    use super::{DECISION, Json, NextActionKind, REVIEW, Shape};
    use crate::finding::{Source, SourceContent};
    use crate::ident::Login;

    fn source(text: &str) -> Vec<Source> {
        vec![Source { name: "x.yaml".to_owned(), content: SourceContent::Bytes(text.into()) }]
    }

    /// A decision without an empty value.
    fn full() -> Decision {
        let policy = "version: 1\ngroups: { people: { users: [pia, pat] } }\nservices: { shop: { repository: a/b, \
                      environments: { e: { require: { all_of: [2 of people, { any_of: [\"@zoe\"] }] } } } } }";
        let cases = "cases: [{ name: x, given: { service: shop, environment: e, requested_at: null, \
                     reviews: [{ by: pia, state: approved }, { by: pat, state: commented }] }, \
                     expect: { verdict: pending } }]";
        let policy = crate::policy::load(source(policy)).policy.unwrap();
        let mut decision = super::super::read(source(cases)).files[0].cases[0].run(&policy).decision;
        decision.overridden = Some(Overridden { by: vec![Login::new("pia").unwrap()], reason: "x".to_owned() });
        decision.next_action = Some(NextAction { kind: NextActionKind::Expire, at: decision.evaluated_at });
        decision
    }

    /// Asserts that the shape has every key of the value, and that the value has the shape.
    fn covers(path: &str, shape: &Shape, value: &Json) {
        match (shape, value) {
            (_, Json::Null) | (Shape::Text | Shape::Login | Shape::Instant, Json::String(_)) => {}
            (Shape::Number, Json::Number(_)) | (Shape::Flag, Json::Bool(_)) => {}
            (Shape::Word(words), Json::String(word)) => assert!(words().contains(&word.as_str()), "{path}: {word}"),
            (Shape::Map(fields), Json::Object(map)) => {
                for (key, value) in map {
                    let field = fields.iter().find(|(name, _)| name == key);
                    covers(&format!("{path}.{key}"), &field.unwrap_or_else(|| panic!("{path}.{key}")).1, value);
                }
            }
            (Shape::List(item), Json::Array(items)) => items.iter().for_each(|value| covers(path, item, value)),
            (Shape::Logins, Json::Array(items)) => items.iter().for_each(|value| covers(path, &Shape::Login, value)),
            (Shape::Reviews, Json::Array(items)) => items.iter().for_each(|value| covers(path, &REVIEW, value)),
            (shape, value) => panic!("{path}: {shape:?} is not the shape of {value}"),
        }
    }

    #[test]
    fn every_key_of_a_decision_can_be_expected_and_no_other() {
        let decision = serde_json::to_value(full()).unwrap();
        covers("", &DECISION, &decision);
        let Shape::Map(fields) = DECISION else { panic!("a decision is a mapping") };
        for (name, _) in fields {
            assert!(decision.get(name).is_some(), "{name}");
        }
    }
}
