//! The fields of a rule as JSON and as one line of text, in the words of the policy language.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::ident::ChannelName;
use crate::policy::{
    ApproverRef, Calendar, Escalation, Field, Freeze, FreezeEffect, NotifyRule, Override, Require, Requirement, Rule,
};

/// A field's effective value as JSON. If it is not set and has no default, null or an empty list.
#[must_use]
pub fn value(rule: &Rule<'_>, field: Field) -> Value {
    match field {
        Field::Require => require(rule),
        Field::Timeout => json!(rule.timeout()),
        Field::Explicit => json!(rule.explicit()),
        Field::Remind => json!(rule.remind()),
        Field::Escalate => rule.escalate().iter().map(escalation).collect(),
        Field::Exclude => json!(rule.exclude()),
        Field::Distinct => json!(rule.distinct()),
        Field::OnChangesRequested => json!(rule.on_changes_requested()),
        Field::Veto => refs(rule.veto()),
        Field::MaxAge => json!(rule.max_age()),
        Field::Freeze => rule.freeze().iter().map(freeze).collect(),
        Field::Window => names(rule.window().unwrap_or_default()),
        Field::Wait => json!(rule.wait()),
        Field::Override => rule.override_by().map_or(Value::Null, override_by),
        Field::Notify => notify(rule.notify()),
        Field::Mode => json!(rule.mode()),
    }
}

fn require(rule: &Rule<'_>) -> Value {
    match rule.require() {
        None => Value::Null,
        Some(Require::Nobody) => json!("none"),
        Some(Require::People(requirement)) => as_written(requirement),
    }
}

/// A requirement in its map form.
fn as_written(requirement: &Requirement) -> Value {
    let mut map = Map::new();
    let key = match requirement {
        Requirement::Leaf(leaf) => {
            map.insert("name".to_owned(), json!(leaf.name));
            map.insert("count".to_owned(), json!(leaf.count));
            map.insert("of".to_owned(), refs(&leaf.of));
            None
        }
        Requirement::AllOf(_) => Some("all_of"),
        Requirement::AnyOf(_) => Some("any_of"),
        Requirement::InOrder(_) => Some("in_order"),
    };
    if let Some(key) = key {
        map.insert(key.to_owned(), requirement.parts().iter().map(as_written).collect());
    }
    if let Some(when) = requirement.when() {
        map.insert("when".to_owned(), json!(when.to_string()));
    }
    Value::Object(map)
}

fn refs(refs: &[ApproverRef]) -> Value {
    refs.iter().map(ToString::to_string).collect()
}

fn names(calendars: &[Arc<Calendar>]) -> Value {
    calendars.iter().map(|calendar| calendar.name()).collect()
}

fn escalation(step: &Escalation) -> Value {
    let mut map = Map::new();
    map.insert("after".to_owned(), json!(step.after));
    if !step.notify.is_empty() {
        map.insert("notify".to_owned(), channels(&step.notify));
    }
    if !step.stand_in.is_empty() {
        let by = |stand_in: &crate::policy::StandIn| (stand_in.group.name.to_string(), refs(&stand_in.by));
        map.insert("stand_in".to_owned(), step.stand_in.iter().map(by).collect::<Map<String, Value>>().into());
    }
    Value::Object(map)
}

fn freeze(freeze: &Freeze) -> Value {
    let name = freeze.calendar.name();
    if freeze.effect == FreezeEffect::Deny && freeze.except.is_none() {
        return json!(name);
    }
    let mut map = Map::new();
    map.insert("calendar".to_owned(), json!(name));
    map.insert("effect".to_owned(), json!(freeze.effect));
    if let Some(except) = &freeze.except {
        map.insert("except".to_owned(), json!(except.to_string()));
    }
    Value::Object(map)
}

fn override_by(field: &Override) -> Value {
    let mut map = Map::new();
    map.insert("by".to_owned(), as_written(&field.by));
    map.insert("for".to_owned(), json!(field.valid_for));
    if !field.notify.is_empty() {
        map.insert("notify".to_owned(), channels(&field.notify));
    }
    Value::Object(map)
}

fn channels(channels: &[ChannelName]) -> Value {
    channels.iter().map(ChannelName::as_str).collect()
}

fn notify(notify: Option<&NotifyRule>) -> Value {
    match notify {
        None => json!([]),
        Some(NotifyRule::All(names)) => channels(names),
        Some(NotifyRule::ByEvent(events)) => {
            events.iter().map(|(event, names)| (event.as_str().to_owned(), channels(names))).collect()
        }
    }
}

/// A value in one line: lists without brackets, and leaves by their name.
#[must_use]
pub fn in_line(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => value.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "-".to_owned(),
        Value::Array(items) => items.iter().map(in_line).collect::<Vec<_>>().join(", "),
        Value::Object(map) => match map.get("name") {
            Some(name) => in_line(name),
            None => {
                map.iter().map(|(key, value)| format!("{key}: {}", bracketed(value))).collect::<Vec<_>>().join("; ")
            }
        },
    }
}

fn bracketed(value: &Value) -> String {
    if value.is_array() { format!("[{}]", in_line(value)) } else { in_line(value) }
}
