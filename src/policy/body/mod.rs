//! Reads a rule body: the keys it takes, and which reader each value goes to.

mod notify;
mod people;
mod times;

use super::calendar::{Calendars, read_calendar_names};
use super::condition::ConditionNames;
use super::field::{Mode, OnChangesRequested};
use super::read::{Keys, Reader, Sourced};
use super::requirement::{Groups, read_require};
use super::setting::{Field, RuleBody, Setting};
use super::yaml::{Node, Value};
use crate::ident::ChannelName;

pub(crate) use notify::read_channel_list;
pub(crate) use people::read_exclude;
use times::read_duration;
pub(crate) use times::read_timeout;

/// What `defaults` may hold: two fields of services, and those of a rule body.
pub(crate) const DEFAULTS_KEYS: &[&str] = &[
    "repository",
    "branches",
    "require",
    "timeout",
    "explicit",
    "remind",
    "escalate",
    "exclude",
    "distinct",
    "on_changes_requested",
    "veto",
    "max_age",
    "freeze",
    "window",
    "wait",
    "override",
    "notify",
    "mode",
];

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

/// Reads a mapping that is a rule body and nothing else.
pub(crate) fn read_body(reader: &mut Reader<'_>, node: &Node, names: &Names) -> RuleBody {
    reader.fields(node, &BODY_KEYS);
    read_rule_fields(reader, node, names)
}

/// Reads the rule fields of a mapping that may hold others as well; the caller has checked its keys.
pub(crate) fn read_rule_fields(reader: &mut Reader<'_>, node: &Node, names: &Names) -> RuleBody {
    let Value::Map(entries) = &node.value else { return RuleBody::default() };
    let mut settings = Vec::new();
    for entry in entries {
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
        Field::Notify => Setting::Notify(notify::read_notify(reader, node, &names.channels)?),
        Field::Mode => Setting::Mode(reader.word(node, key, &MODES)?),
    })
}

const ON_CHANGES_REQUESTED: [(&str, OnChangesRequested); 3] = [
    ("reject", OnChangesRequested::Reject),
    ("block", OnChangesRequested::Block),
    ("ignore", OnChangesRequested::Ignore),
];

const MODES: [(&str, Mode); 2] = [("enforce", Mode::Enforce), ("audit", Mode::Audit)];

/// `[]`, which sets a field back to what is built in: a higher layer replaces a field whole.
fn is_empty_list(node: &Node) -> bool {
    matches!(&node.value, Value::List(items) if items.is_empty())
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

#[cfg(test)]
mod tests {
    use super::{DEFAULTS_KEYS, Field};

    #[test]
    fn defaults_take_every_field_of_a_rule_and_two_of_services() {
        assert_eq!(DEFAULTS_KEYS.split_at(2), (["repository", "branches"].as_slice(), Field::KEYS));
    }
}
