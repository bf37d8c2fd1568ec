//! Reads which channels a rule notifies: lists of channels, and maps from events to them.

use std::collections::BTreeMap;

use crate::finding::{Code, Finding, closest};
use crate::ident::ChannelName;
use crate::policy::event::Event;
use crate::policy::field::NotifyRule;
use crate::policy::read::{Reader, list};
use crate::policy::yaml::{Node, Value};

pub(super) fn read_notify(reader: &mut Reader<'_>, node: &Node, channels: &[ChannelName]) -> Option<NotifyRule> {
    let Value::Map(entries) = &node.value else {
        return read_channel_list(reader, node, "notify", channels).map(NotifyRule::All);
    };
    let mut events = BTreeMap::new();
    let before = reader.findings.len();
    for entry in entries {
        let Some(event) = Event::ALL.into_iter().find(|event| event.as_str() == &*entry.key) else {
            let words = Event::ALL.map(Event::as_str);
            let hint = closest(&entry.key, words)
                .map_or_else(|| format!("the events are {}", list(&words)), |near| format!("did you mean `{near}`?"));
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

/// A list of channels that are defined. `[]` is allowed and notifies nobody.
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
                let hint = closest(name, channels.iter().map(ChannelName::as_str))
                    .map_or_else(|| "define it under `channels`".to_owned(), |near| format!("did you mean `{near}`?"));
                let message = format!("there is no channel `{name}`");
                reader.report(Finding::at(Code::UnknownName, item.span, message).hint(hint));
            }
        }
    }
    (known.len() == items.len()).then_some(known)
}
