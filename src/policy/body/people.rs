//! Reads the fields of a rule body that are about people: `exclude`, `veto`, `escalate` and `override`.

use super::times::{read_bounded, read_duration};
use super::{Names, is_empty_list, read_channel_list};
use crate::finding::{Code, Finding};
use crate::policy::approver::ApproverRef;
use crate::policy::duration::Duration;
use crate::policy::field::{Escalation, Exclusion, Override, StandIn};
use crate::policy::read::{Keys, Reader, did_you_mean};
use crate::policy::requirement::{Groups, read_override_by, resolve};
use crate::policy::yaml::{Node, Value};

/// `[]` is allowed, and means that nobody is excluded.
pub(crate) fn read_exclude(reader: &mut Reader<'_>, node: &Node) -> Option<Vec<Exclusion>> {
    let Value::List(items) = &node.value else {
        reader.wrong_type(node, "exclude", "a list");
        return None;
    };
    let words = Exclusion::ALL.map(|exclusion| (exclusion.as_str(), exclusion));
    let mut exclude: Vec<Exclusion> = items.iter().filter_map(|item| reader.word(item, "exclude", &words)).collect();
    if exclude.len() < items.len() {
        return None;
    }
    exclude.sort_unstable();
    exclude.dedup();
    Some(exclude)
}

/// A list of approvers, or `[]`.
pub(super) fn read_refs(
    reader: &mut Reader<'_>,
    node: &Node,
    field: &str,
    groups: &Groups,
) -> Option<Vec<ApproverRef>> {
    if is_empty_list(node) {
        return Some(Vec::new());
    }
    let items = reader.one_or_list(node, field);
    let mut refs = Vec::with_capacity(items.len());
    for item in &items {
        let text = reader.text(item, field)?;
        refs.extend(resolve(reader, item.span, text, groups));
    }
    (!items.is_empty() && refs.len() == items.len()).then_some(refs)
}

const ESCALATION_KEYS: Keys = Keys { what: "an escalation", known: &["after", "notify", "stand_in"] };

/// Escalations in the order of time, or `[]`.
pub(super) fn read_escalate(reader: &mut Reader<'_>, node: &Node, names: &Names) -> Option<Vec<Escalation>> {
    if is_empty_list(node) {
        return Some(Vec::new());
    }
    let is_one = matches!(node.value, Value::Map(_));
    let items = if is_one { std::slice::from_ref(node) } else { reader.list(node, "escalate")? };
    let mut steps: Vec<Escalation> = items.iter().filter_map(|item| read_escalation(reader, item, names)).collect();
    steps.sort_by_key(|step| step.after);
    (steps.len() == items.len()).then_some(steps)
}

fn read_escalation(reader: &mut Reader<'_>, node: &Node, names: &Names) -> Option<Escalation> {
    let before = reader.findings.len();
    if !reader.fields(node, &ESCALATION_KEYS) {
        return None;
    }
    let after = match node.get("after") {
        Some(after) => read_duration(reader, after, "after"),
        None => {
            reader.report(
                Finding::at(Code::MissingKey, node.span, "an escalation needs `after`")
                    .hint("write how long after the request is opened: `after: 2h`"),
            );
            None
        }
    };
    if node.get("notify").is_none() && node.get("stand_in").is_none() {
        let message = "an escalation without `notify` and `stand_in` does nothing";
        reader.report(
            Finding::at(Code::MissingKey, node.span, message)
                .hint("add `notify: [channel]` or `stand_in: { group: [approvers] }`"),
        );
    }
    let notify = node.get("notify").and_then(|notify| read_channel_list(reader, notify, "notify", &names.channels));
    let stand_in = node.get("stand_in").map(|stand_in| read_stand_ins(reader, stand_in, &names.groups));
    let step = Escalation {
        after: after?,
        notify: notify.unwrap_or_default(),
        stand_in: stand_in.unwrap_or_default(),
        source: reader.place(node.span),
    };
    (reader.findings.len() == before).then_some(step)
}

/// `{ payments: [sre] }`: who counts in place of the group.
fn read_stand_ins(reader: &mut Reader<'_>, node: &Node, groups: &Groups) -> Vec<StandIn> {
    let mut stand_ins = Vec::new();
    for entry in reader.map(node, "stand_in").unwrap_or_default() {
        let Some(group) = groups.get(&entry.key) else {
            let hint = did_you_mean(&entry.key, groups.keys().map(AsRef::as_ref), || {
                "the key is the group that is replaced: define it under `groups`".to_owned()
            });
            let message = format!("there is no group `{}`", entry.key);
            reader.report(Finding::at(Code::UnknownName, entry.key_span, message).hint(hint));
            continue;
        };
        if is_empty_list(&entry.node) {
            let message = format!("nobody stands in for `{}`", entry.key);
            reader.report(Finding::at(Code::EmptyList, entry.node.span, message).hint("name at least one approver"));
            continue;
        }
        if let Some(by) = read_refs(reader, &entry.node, "stand_in", groups) {
            stand_ins.push(StandIn { group: group.clone(), by });
        }
    }
    stand_ins
}

const OVERRIDE_KEYS: Keys = Keys { what: "an override", known: &["by", "for", "notify"] };

pub(super) fn read_override(reader: &mut Reader<'_>, node: &Node, names: &Names) -> Option<Override> {
    let before = reader.findings.len();
    if !reader.fields(node, &OVERRIDE_KEYS) {
        return None;
    }
    let by = match node.get("by") {
        Some(by) => read_override_by(reader, by, &names.of_conditions()),
        None => {
            reader.report(
                Finding::at(Code::MissingKey, node.span, "an override needs `by`")
                    .hint("say who may give it: `override: { by: 1 of sre }`"),
            );
            None
        }
    };
    let valid_for: Option<Duration> = match node.get("for") {
        Some(written) => read_bounded(reader, written, "for"),
        None => Some(Duration::DEFAULT_OVERRIDE),
    };
    let notify = node.get("notify").and_then(|notify| read_channel_list(reader, notify, "notify", &names.channels));
    let field = Override {
        by: by?,
        valid_for: valid_for?,
        notify: notify.unwrap_or_default(),
        source: reader.place(node.span),
    };
    (reader.findings.len() == before).then_some(field)
}
