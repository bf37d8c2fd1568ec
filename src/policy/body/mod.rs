//! Reads a rule body: its keys, and the fields that are neither about people nor about time.

mod people;
mod times;

use std::collections::BTreeMap;

use super::calendar::{Calendars, read_calendar_names};
use super::condition::ConditionNames;
use super::field::{Event, Mode, NotifyRule, OnChangesRequested};
use super::read::{Keys, Reader, did_you_mean, list};
use super::requirement::{Groups, read_require};
use super::setting::{Field, RuleBody, Setting};
use super::yaml::{Node, Value};
use crate::finding::{Code, Finding};
use crate::ident::ChannelName;

pub(crate) use people::read_exclude;
use times::read_duration;
pub(crate) use times::read_timeout;

const BODY_KEYS: Keys = Keys { what: "a rule", known: Field::KEYS };

/// The names that a rule body may refer to.
pub(crate) struct Names {
    pub(crate) groups: Groups,
    pub(crate) calendars: Calendars,
    pub(crate) channels: Vec<ChannelName>,
}

impl Names {
    pub(super) const fn of_conditions(&self) -> ConditionNames<'_> {
        ConditionNames { groups: &self.groups, calendars: &self.calendars }
    }
}

/// Reads a mapping that has rule fields only.
pub(crate) fn read_body(reader: &mut Reader<'_>, node: &Node, names: &Names) -> RuleBody {
    reader.fields(node, &BODY_KEYS);
    read_rule_fields(reader, node, names)
}

/// Reads the rule fields of a mapping that may have others as well. The caller checks its keys.
pub(crate) fn read_rule_fields(reader: &mut Reader<'_>, node: &Node, names: &Names) -> RuleBody {
    let mut settings = Vec::new();
    for entry in node.entries() {
        let Some(field) = Field::ALL.iter().find(|field| field.as_str() == &*entry.key) else { continue };
        if let Some(setting) = read_setting(reader, *field, &entry.node, names) {
            settings.push(reader.sourced(setting, entry.key_span));
        }
    }
    settings.sort_by_key(|setting| setting.value.field());
    RuleBody::new(settings)
}

fn read_setting(reader: &mut Reader<'_>, field: Field, node: &Node, names: &Names) -> Option<Setting> {
    let key = field.as_str();
    Some(match field {
        Field::Require => Setting::Require(Box::new(read_require(reader, node, &names.of_conditions())?)),
        Field::Timeout => Setting::Timeout(read_timeout(reader, node, key)?),
        Field::Explicit => Setting::Explicit(reader.bool(node, key)?),
        Field::Remind => Setting::Remind(times::read_remind(reader, node)?),
        Field::Escalate => Setting::Escalate(people::read_escalate(reader, node, names)?),
        Field::Exclude => Setting::Exclude(read_exclude(reader, node)?),
        Field::Distinct => Setting::Distinct(reader.bool(node, key)?),
        Field::OnChangesRequested => Setting::OnChangesRequested(reader.word(node, key, &ON_CHANGES_REQUESTED)?),
        Field::Veto => Setting::Veto(people::read_refs(reader, node, key, &names.groups)?),
        Field::MaxAge => Setting::MaxAge(read_duration(reader, node, key)?),
        Field::Freeze => Setting::Freeze(times::read_freeze(reader, node, names)?),
        Field::Window if is_empty_list(node) => Setting::Window(Vec::new()),
        Field::Window => Setting::Window(read_calendar_names(reader, node, key, &names.calendars)?),
        Field::Wait => Setting::Wait(times::read_bounded(reader, node, key)?),
        Field::Override => Setting::Override(Box::new(people::read_override(reader, node, names)?)),
        Field::Notify => Setting::Notify(read_notify(reader, node, &names.channels)?),
        Field::Mode => Setting::Mode(reader.word(node, key, &MODES)?),
    })
}

const ON_CHANGES_REQUESTED: [(&str, OnChangesRequested); 3] = [
    ("reject", OnChangesRequested::Reject),
    ("block", OnChangesRequested::Block),
    ("ignore", OnChangesRequested::Ignore),
];

const MODES: [(&str, Mode); 2] = [("enforce", Mode::Enforce), ("audit", Mode::Audit)];

/// Whether the value is `[]`, which sets a field back to its default.
fn is_empty_list(node: &Node) -> bool {
    matches!(&node.value, Value::List(items) if items.is_empty())
}

/// Which channels are notified: a list of channels, or a mapping from events to lists.
fn read_notify(reader: &mut Reader<'_>, node: &Node, channels: &[ChannelName]) -> Option<NotifyRule> {
    let Value::Map(entries) = &node.value else {
        return read_channel_list(reader, node, "notify", channels).map(NotifyRule::All);
    };
    let mut events = BTreeMap::new();
    let before = reader.findings.len();
    for entry in entries {
        let Some(event) = Event::ALL.into_iter().find(|event| event.as_str() == &*entry.key) else {
            let words = Event::ALL.map(Event::as_str);
            let hint = did_you_mean(&entry.key, words, || format!("the events are {}", list(&words)));
            let message = format!("`{}` is not an event of `notify`", entry.key);
            reader.report(Finding::at(Code::UnknownKey, entry.key_span, message).hint(hint));
            continue;
        };
        if let Some(notified) = read_channel_list(reader, &entry.node, event.as_str(), channels) {
            events.insert(event, notified);
        }
    }
    (reader.findings.len() == before).then_some(NotifyRule::ByEvent(events))
}

/// A list of defined channels. `[]` is allowed and notifies nobody.
pub(crate) fn read_channel_list(
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
    let mut known = Vec::with_capacity(items.len());
    for item in items {
        let name = reader.text(item, field)?;
        match channels.iter().find(|channel| channel.as_str() == name) {
            Some(channel) => known.push(channel.clone()),
            None => {
                let known = channels.iter().map(ChannelName::as_str);
                let hint = did_you_mean(name, known, || "define it under `channels`".to_owned());
                let message = format!("there is no channel `{name}`");
                reader.report(Finding::at(Code::UnknownName, item.span, message).hint(hint));
            }
        }
    }
    (known.len() == items.len()).then_some(known)
}
