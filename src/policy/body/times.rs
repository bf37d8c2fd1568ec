//! Reads the fields of a rule body that are about time.

use std::sync::Arc;

use super::{Names, is_empty_list};
use crate::finding::{Code, Finding};
use crate::policy::calendar::{Calendar, read_calendar_names};
use crate::policy::condition::read_condition;
use crate::policy::duration::Duration;
use crate::policy::field::{Freeze, FreezeEffect};
use crate::policy::read::{Keys, Reader};
use crate::policy::yaml::{Node, Value};

/// A duration. The hint for a bare number is to write its unit.
pub(crate) fn read_duration(reader: &mut Reader<'_>, node: &Node, field: &str) -> Option<Duration> {
    if let Value::Integer(number) = node.value {
        reader.report(
            Finding::at(Code::InvalidDuration, node.span, format!("`{field}` is {number} without a unit"))
                .hint(format!("write the unit: `{number}m` or `{number}h`")),
        );
        return None;
    }
    reader.parsed(node, field, Code::InvalidDuration)
}

/// A duration from one minute to 90 days.
pub(crate) fn read_timeout(reader: &mut Reader<'_>, node: &Node, field: &str) -> Option<Duration> {
    let timeout = read_duration(reader, node, field)?;
    if (Duration::MIN_TIMEOUT..=Duration::MAX_TIMEOUT).contains(&timeout) {
        return Some(timeout);
    }
    let message = format!("`{field}` is {}", reader.written(node));
    reader.report(Finding::at(Code::InvalidDuration, node.span, message).hint("it must be from `1m` to `90d`"));
    None
}

/// A duration of at most 90 days, since an execution itself runs for at most a year.
pub(super) fn read_bounded(reader: &mut Reader<'_>, node: &Node, field: &str) -> Option<Duration> {
    let duration = read_duration(reader, node, field)?;
    if duration <= Duration::MAX_TIMEOUT {
        return Some(duration);
    }
    let message = format!("`{field}` is {}", reader.written(node));
    reader.report(Finding::at(Code::InvalidDuration, node.span, message).hint("it must be at most `90d`"));
    None
}

/// Reminders, ascending and each once, or `[]`.
pub(super) fn read_remind(reader: &mut Reader<'_>, node: &Node) -> Option<Vec<Duration>> {
    if is_empty_list(node) {
        return Some(Vec::new());
    }
    let items = reader.one_or_list(node, "remind");
    let mut remind: Vec<Duration> = items.iter().filter_map(|item| read_duration(reader, item, "remind")).collect();
    let sound = !items.is_empty() && remind.len() == items.len();
    remind.sort_unstable();
    remind.dedup();
    sound.then_some(remind)
}

const FREEZE_KEYS: Keys = Keys { what: "a freeze", known: &["calendar", "effect", "except"] };
const EFFECTS: [(&str, FreezeEffect); 2] = [("deny", FreezeEffect::Deny), ("wait", FreezeEffect::Wait)];

/// Names of calendars and mappings with `calendar`, or `[]`.
pub(super) fn read_freeze(reader: &mut Reader<'_>, node: &Node, names: &Names) -> Option<Vec<Freeze>> {
    if is_empty_list(node) {
        return Some(Vec::new());
    }
    let is_one = matches!(node.value, Value::Map(_));
    let items = if is_one { vec![node] } else { reader.one_or_list(node, "freeze") };
    let freezes: Vec<Freeze> = items.iter().filter_map(|item| read_single_freeze(reader, item, names)).collect();
    (!items.is_empty() && freezes.len() == items.len()).then_some(freezes)
}

fn read_single_freeze(reader: &mut Reader<'_>, node: &Node, names: &Names) -> Option<Freeze> {
    let source = reader.place(node.span);
    if !matches!(node.value, Value::Map(_)) {
        let calendar = read_calendar(reader, node, "freeze", names)?;
        return Some(Freeze { calendar, effect: FreezeEffect::Deny, except: None, source });
    }
    let before = reader.findings.len();
    reader.fields(node, &FREEZE_KEYS);
    let Some(calendar) = node.get("calendar") else {
        reader.report(
            Finding::at(Code::MissingKey, node.span, "a freeze in map form needs `calendar`")
                .hint("write `{ calendar: weekend, effect: wait }`"),
        );
        return None;
    };
    let calendar = read_calendar(reader, calendar, "calendar", names);
    let effect = match node.get("effect") {
        Some(effect) => reader.word(effect, "effect", &EFFECTS),
        None => Some(FreezeEffect::Deny),
    };
    let except = node.get("except").map(|except| read_condition(reader, except, &names.of_conditions()));
    let freeze = Freeze { calendar: calendar?, effect: effect?, except: except.flatten(), source };
    // Without an exception that cannot be read, it would be another freeze.
    (reader.findings.len() == before).then_some(freeze)
}

fn read_calendar(reader: &mut Reader<'_>, node: &Node, field: &str, names: &Names) -> Option<Arc<Calendar>> {
    reader.text(node, field)?;
    read_calendar_names(reader, node, field, &names.calendars)?.into_iter().next()
}
