//! Reads conditions from a YAML tree.

use std::fmt;
use std::str::FromStr;

use super::{Condition, MAX_TERMS, MAX_VALUES, Term, Test};
use crate::finding::{Code, Finding};
use crate::ident::quoted;
use crate::policy::approver::ApproverRef;
use crate::policy::calendar::{Calendars, read_calendar_names};
use crate::policy::comparison::Comparison;
use crate::policy::pattern::Pattern;
use crate::policy::pointer::Pointer;
use crate::policy::read::{Keys, Reader, refused};
use crate::policy::requirement::{Groups, resolve};
use crate::policy::yaml::{Entry, Node, Value};

/// The names that a condition may refer to.
#[derive(Clone, Copy)]
pub(crate) struct ConditionNames<'n> {
    pub(crate) groups: &'n Groups,
    pub(crate) calendars: &'n Calendars,
}

const KEYS: Keys = Keys {
    what: "a condition",
    known: &[
        "paths",
        "only_paths",
        "labels",
        "branch",
        "authors",
        "only_authors",
        "requester",
        "version",
        "lines",
        "input",
        "within",
        "not",
        "any",
    ],
};

/// Reads the value of `when` or `except`. `None` if a part cannot be read, since the rest would have another meaning.
pub(crate) fn read_condition(reader: &mut Reader<'_>, node: &Node, names: &ConditionNames<'_>) -> Option<Condition> {
    let before = reader.findings.len();
    let condition = read(reader, node, *names)?;
    let terms = condition.terms();
    let values: usize = terms.iter().map(|term| term.test.size()).sum();
    if terms.len() > MAX_TERMS || values > MAX_VALUES {
        let message = if terms.len() > MAX_TERMS {
            format!("this condition has {} keys", terms.len())
        } else {
            format!("this condition lists {values} values")
        };
        let hint = format!("at most {MAX_TERMS} keys and {MAX_VALUES} values: use patterns, or split the rule");
        reader.report(Finding::at(Code::TooComplex, node.span, message).hint(hint));
    }
    (reader.findings.len() == before).then_some(condition)
}

fn read(reader: &mut Reader<'_>, node: &Node, names: ConditionNames<'_>) -> Option<Condition> {
    if !reader.fields(node, &KEYS) {
        return None;
    }
    let entries = reader.map(node, "a condition")?;
    if entries.is_empty() {
        let finding = Finding::at(Code::EmptyList, node.span, "this condition is empty");
        reader.report(finding.hint("write what must hold, or leave the condition out"));
        return None;
    }
    let mut parts = Vec::with_capacity(entries.len());
    for entry in entries {
        parts.extend(match &*entry.key {
            "not" => read(reader, &entry.node, names).map(|inner| Condition::Not(Box::new(inner))),
            "any" => {
                read_each(reader, &entry.node, "any", |reader, item| read(reader, item, names)).map(Condition::Any)
            }
            _ => {
                let source = reader.place(entry.key_span);
                read_test(reader, entry, names).map(|test| Condition::Is(Term { test, source }))
            }
        });
    }
    if parts.len() < entries.len() {
        return None;
    }
    if parts.len() == 1 { parts.pop() } else { Some(Condition::All(parts)) }
}

fn read_test(reader: &mut Reader<'_>, entry: &Entry, names: ConditionNames<'_>) -> Option<Test> {
    let (key, node) = (&*entry.key, &entry.node);
    match key {
        "paths" => read_all(reader, node, key, Code::InvalidPattern).map(Test::Paths),
        "only_paths" => read_all(reader, node, key, Code::InvalidPattern).map(Test::OnlyPaths),
        "labels" => read_each(reader, node, key, read_label).map(Test::Labels),
        "branch" => read_all(reader, node, key, Code::InvalidPattern).map(Test::Branch),
        "authors" => read_approvers(reader, node, key, names.groups).map(Test::Authors),
        "only_authors" => read_approvers(reader, node, key, names.groups).map(Test::OnlyAuthors),
        "requester" => read_each(reader, node, key, read_requester).map(Test::Requester),
        "version" => read_all(reader, node, key, Code::InvalidPattern).map(Test::Version),
        "lines" => read_lines(reader, node).map(Test::Lines),
        "input" => read_inputs(reader, node).map(Test::Input),
        "within" => read_calendar_names(reader, node, key, names.calendars).map(Test::Within),
        // Reported as unknown.
        _ => None,
    }
}

/// The items of a list that is not empty, or the one value in place of a list. `None` if one cannot be read.
fn read_each<'s, T>(
    reader: &mut Reader<'s>,
    node: &Node,
    field: &str,
    read: impl Fn(&mut Reader<'s>, &Node) -> Option<T>,
) -> Option<Vec<T>> {
    let is_list = matches!(node.value, Value::List(_));
    let items = if is_list { reader.list(node, field)? } else { std::slice::from_ref(node) };
    let values: Vec<T> = items.iter().filter_map(|item| read(reader, item)).collect();
    (values.len() == items.len()).then_some(values)
}

fn read_all<T: FromStr<Err: fmt::Display>>(
    reader: &mut Reader<'_>,
    node: &Node,
    field: &str,
    code: Code,
) -> Option<Vec<T>> {
    read_each(reader, node, field, |reader, item| reader.parsed(item, field, code))
}

fn read_requester(reader: &mut Reader<'_>, node: &Node) -> Option<Pattern> {
    let text = reader.text(node, "requester")?;
    Pattern::of_names(text).map_err(|error| reader.report(refused(Code::InvalidPattern, node.span, &error))).ok()
}

fn read_label(reader: &mut Reader<'_>, node: &Node) -> Option<Box<str>> {
    let text = reader.text(node, "labels")?;
    if !text.is_empty() && text.trim() == text && !text.chars().any(char::is_control) {
        return Some(text.into());
    }
    reader.report(
        Finding::at(Code::InvalidValue, node.span, format!("`{}` is not a label", quoted(text)))
            .hint("write the label's name as on GitHub, without spaces around it"),
    );
    None
}

fn read_approvers(reader: &mut Reader<'_>, node: &Node, field: &str, groups: &Groups) -> Option<Vec<ApproverRef>> {
    read_each(reader, node, field, |reader, item| {
        let text = reader.text(item, field)?;
        resolve(reader, item.span, text, groups)
    })
}

fn read_lines(reader: &mut Reader<'_>, node: &Node) -> Option<Comparison> {
    if let Value::Integer(number) = node.value {
        reader.report(
            Finding::at(Code::InvalidValue, node.span, format!("`lines` is {number}, and must be a comparison"))
                .hint("write e.g. `\">500\"`; the operators are `>`, `>=`, `<`, `<=` and `=`"),
        );
        return None;
    }
    reader.parsed(node, "lines", Code::InvalidValue)
}

/// `{ "/region": "eu-*", "/tier": ["1", "2"] }`.
fn read_inputs(reader: &mut Reader<'_>, node: &Node) -> Option<Vec<(Pointer, Vec<Pattern>)>> {
    let entries = reader.map(node, "input")?;
    if entries.is_empty() {
        let finding = Finding::at(Code::EmptyList, node.span, "`input` is an empty mapping");
        reader.report(finding.hint("name at least one, such as `\"/region\": \"eu-*\"`, or leave the key out"));
        return None;
    }
    let mut inputs = Vec::with_capacity(entries.len());
    for entry in entries {
        let pointer: Option<Pointer> = match entry.key.parse() {
            Ok(pointer) => Some(pointer),
            Err(error) => {
                reader.report(refused(Code::InvalidValue, entry.key_span, &error));
                None
            }
        };
        let patterns = read_all(reader, &entry.node, &entry.key, Code::InvalidPattern);
        inputs.extend(pointer.zip(patterns));
    }
    (inputs.len() == entries.len()).then_some(inputs)
}
