//! Reads a rule body, and the lists that only rule bodies and services have.

use std::collections::BTreeMap;

use super::approver::ApproverRef;
use super::duration::Duration;
use super::event::Event;
use super::read::{Keys, Reader, Sourced};
use super::requirement::{Groups, read_require, resolve};
use super::rule::{Exclusion, NotifyRule, OnChangesRequested, RuleBody};
use super::yaml::{Node, Value};
use crate::finding::{Code, Finding, closest};
use crate::ident::ChannelName;

/// What `defaults` may hold: two fields of services, and those of a rule body.
pub(crate) const DEFAULTS_KEYS: &[&str] = &[
    "repository",
    "branches",
    "require",
    "timeout",
    "explicit",
    "exclude",
    "distinct",
    "on_changes_requested",
    "veto",
    "max_age",
    "notify",
];
/// The fields of a rule body that are built.
pub(crate) const RULE_KEYS: &[&str] = DEFAULTS_KEYS.split_at(2).1;
/// The fields that the language has beyond them.
pub(crate) const LATER_RULE_KEYS: &[&str] = &["remind", "escalate", "freeze", "window", "wait", "override", "mode"];

const BODY_KEYS: Keys = Keys { what: "a rule", known: RULE_KEYS, later: LATER_RULE_KEYS };

/// The names that a rule body may refer to.
pub(crate) struct Names {
    pub(crate) groups: Groups,
    pub(crate) channels: Vec<ChannelName>,
}

/// Reads a mapping that is a rule body and nothing else.
pub(crate) fn read_body(reader: &mut Reader<'_>, node: &Node, names: &Names) -> RuleBody {
    reader.fields(node, &BODY_KEYS);
    read_rule_fields(reader, node, names)
}

/// Reads the rule fields of a mapping that may hold others as well; the caller has checked its keys.
pub(crate) fn read_rule_fields(reader: &mut Reader<'_>, node: &Node, names: &Names) -> RuleBody {
    RuleBody {
        require: field(reader, node, "require", |reader, node| read_require(reader, node, &names.groups)),
        timeout: field(reader, node, "timeout", read_timeout),
        explicit: field(reader, node, "explicit", |reader, node| reader.bool(node, "explicit")),
        exclude: field(reader, node, "exclude", read_exclude),
        distinct: field(reader, node, "distinct", |reader, node| reader.bool(node, "distinct")),
        on_changes_requested: field(reader, node, "on_changes_requested", |reader, node| {
            reader.word(node, "on_changes_requested", &ON_CHANGES_REQUESTED)
        }),
        veto: field(reader, node, "veto", |reader, node| read_veto(reader, node, &names.groups)),
        max_age: field(reader, node, "max_age", |reader, node| read_duration(reader, node, "max_age")),
        notify: field(reader, node, "notify", |reader, node| read_notify(reader, node, &names.channels)),
    }
}

/// Reads one field where it is written, and keeps its place.
pub(crate) fn field<T>(
    reader: &mut Reader<'_>,
    node: &Node,
    key: &str,
    read: impl FnOnce(&mut Reader<'_>, &Node) -> Option<T>,
) -> Option<Sourced<T>> {
    let entry = node.entry(key)?;
    let value = read(reader, &entry.node)?;
    Some(reader.sourced(value, entry.key_span))
}

fn read_duration(reader: &mut Reader<'_>, node: &Node, field: &str) -> Option<Duration> {
    if let Value::Integer(number) = node.value {
        reader.report(
            Finding::at(Code::InvalidDuration, node.span, format!("`{field}` is {number} without a unit"))
                .hint(format!("write the unit: `{number}m` or `{number}h`")),
        );
        return None;
    }
    reader.parsed(node, field, Code::InvalidDuration)
}

fn read_timeout(reader: &mut Reader<'_>, node: &Node) -> Option<Duration> {
    let timeout = read_duration(reader, node, "timeout")?;
    if (Duration::MIN_TIMEOUT..=Duration::MAX_TIMEOUT).contains(&timeout) {
        return Some(timeout);
    }
    reader.report(
        Finding::at(Code::InvalidDuration, node.span, format!("`timeout` is {}", reader.written(node)))
            .hint("it must be from `1m` to `90d`"),
    );
    None
}

const EXCLUSIONS: [(&str, Exclusion); 4] = [
    ("author", Exclusion::Author),
    ("committers", Exclusion::Committers),
    ("pushers", Exclusion::Pushers),
    ("requester", Exclusion::Requester),
];

const ON_CHANGES_REQUESTED: [(&str, OnChangesRequested); 3] = [
    ("reject", OnChangesRequested::Reject),
    ("block", OnChangesRequested::Block),
    ("ignore", OnChangesRequested::Ignore),
];

/// `exclude: []` is allowed: it says that nobody is excluded.
fn read_exclude(reader: &mut Reader<'_>, node: &Node) -> Option<Vec<Exclusion>> {
    let items = match &node.value {
        Value::List(items) => items.as_slice(),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Text(_) | Value::Map(_) => {
            reader.wrong_type(node, "exclude", "a list");
            return None;
        }
    };
    let mut exclude: Vec<Exclusion> =
        items.iter().filter_map(|item| reader.word(item, "exclude", &EXCLUSIONS)).collect();
    if exclude.len() < items.len() {
        return None;
    }
    exclude.sort_unstable();
    exclude.dedup();
    Some(exclude)
}

fn read_veto(reader: &mut Reader<'_>, node: &Node, groups: &Groups) -> Option<Vec<ApproverRef>> {
    let items = reader.one_or_list(node, "veto");
    let mut veto = Vec::with_capacity(items.len());
    for item in &items {
        let text = reader.text(item, "veto")?;
        veto.extend(resolve(reader, item.span, text, groups));
    }
    (!items.is_empty() && veto.len() == items.len()).then_some(veto)
}

fn read_notify(reader: &mut Reader<'_>, node: &Node, channels: &[ChannelName]) -> Option<NotifyRule> {
    let Value::Map(entries) = &node.value else {
        return read_told(reader, node, "notify", channels).map(NotifyRule::All);
    };
    let mut events = BTreeMap::new();
    let before = reader.findings.len();
    for entry in entries {
        let Some(event) = Event::ALL.into_iter().find(|event| event.as_str() == &*entry.key) else {
            let words = Event::ALL.map(Event::as_str);
            let hint = closest(&entry.key, words).map_or_else(
                || format!("the events are {}", super::read::list(&words)),
                |near| format!("did you mean `{near}`?"),
            );
            let message = format!("`{}` is not an event of `notify`", entry.key);
            reader.report(Finding::at(Code::UnknownKey, entry.key_span, message).hint(hint));
            continue;
        };
        if let Some(told) = read_told(reader, &entry.node, event.as_str(), channels) {
            events.insert(event, told);
        }
    }
    (reader.findings.len() == before).then_some(NotifyRule::ByEvent(events))
}

/// A list of channels that are defined. `[]` is allowed: it says that nobody is told.
pub(crate) fn read_told(
    reader: &mut Reader<'_>,
    node: &Node,
    field: &str,
    channels: &[ChannelName],
) -> Option<Vec<ChannelName>> {
    let items = match &node.value {
        Value::List(items) => items.as_slice(),
        Value::Text(_) => std::slice::from_ref(node),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Map(_) => {
            reader.wrong_type(node, field, "a list of channels");
            return None;
        }
    };
    let mut told = Vec::with_capacity(items.len());
    for item in items {
        let name = reader.text(item, field)?;
        match channels.iter().find(|channel| channel.as_str() == name) {
            Some(channel) => told.push(channel.clone()),
            None => {
                let hint = closest(name, channels.iter().map(ChannelName::as_str))
                    .map_or_else(|| "define it under `channels`".to_owned(), |near| format!("did you mean `{near}`?"));
                let message = format!("there is no channel `{name}`");
                reader.report(Finding::at(Code::UnknownName, item.span, message).hint(hint));
            }
        }
    }
    (told.len() == items.len()).then_some(told)
}
