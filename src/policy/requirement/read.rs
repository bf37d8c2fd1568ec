//! Reads requirements: the short form's grammar, and the map form.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Combination, Leaf, MAX_LEAVES, MAX_LEVELS, Require, Requirement};
use crate::finding::{Code, Finding, Span, closest};
use crate::policy::approver::{ApproverRef, Group, Written};
use crate::policy::condition::{Condition, ConditionNames, read_condition};
use crate::policy::read::{Keys, Named, Place, Reader, did_you_mean, refused};
use crate::policy::yaml::{Entry, Node, Value};

/// The groups of a bundle by name.
pub(crate) type Groups = BTreeMap<Box<str>, Arc<Group>>;

const COMBINATIONS: [&str; 3] = ["all_of", "any_of", "in_order"];
const LEAF_KEYS: Keys = Keys { what: "a requirement", known: &["count", "of", "when", "name"] };
const FORMS: &str = "write `2 of payments`, `\"@login\"`, `all of security`, or a mapping with \
                     `all_of`, `any_of`, `in_order` or `count` and `of`";

/// Reads the value of `require`.
pub(crate) fn read_require(reader: &mut Reader<'_>, node: &Node, names: &ConditionNames<'_>) -> Option<Require> {
    if matches!(&node.value, Value::Text(text) if text.trim() == "none") {
        return Some(Require::Nobody);
    }
    read_people(reader, node, names).map(Require::People)
}

/// Reads the value of an override's `by`: a requirement of people, without conditions.
pub(crate) fn read_override_by(
    reader: &mut Reader<'_>,
    node: &Node,
    names: &ConditionNames<'_>,
) -> Option<Requirement> {
    if matches!(&node.value, Value::Text(text) if text.trim() == "none") {
        reader.report(
            Finding::at(Code::InvalidRequirement, node.span, "`by` is `none`, but somebody must give an override")
                .hint("say who, e.g. `1 of sre`; if nobody may override, leave `override` out"),
        );
        return None;
    }
    let requirement = read_people(reader, node, names)?;
    if !requirement.conditions().is_empty() {
        let span = find_when(node).unwrap_or(node.span);
        reader.report(
            Finding::at(Code::InvalidRequirement, span, "`when` is not allowed in an override's `by`")
                .hint("an override is independent of what is changed: say who may give it, without `when`"),
        );
        return None;
    }
    Some(requirement)
}

/// Where the first `when` of a requirement is written.
fn find_when(node: &Node) -> Option<Span> {
    match &node.value {
        Value::Map(entries) => entries
            .iter()
            .find_map(|entry| if &*entry.key == "when" { Some(entry.key_span) } else { find_when(&entry.node) }),
        Value::List(items) => items.iter().find_map(find_when),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Text(_) => None,
    }
}

fn read_people(reader: &mut Reader<'_>, node: &Node, names: &ConditionNames<'_>) -> Option<Requirement> {
    let requirement = read_requirement(reader, node, names)?;
    let (leaves, levels) = (requirement.leaves().len(), requirement.levels());
    if leaves > MAX_LEAVES || levels > MAX_LEVELS {
        let message = if leaves > MAX_LEAVES {
            format!("this requirement has {leaves} leaves")
        } else {
            format!("this requirement nests {levels} levels deep")
        };
        reader.report(
            Finding::at(Code::TooComplex, node.span, message).hint(format!(
                "at most {MAX_LEAVES} leaves and {MAX_LEVELS} levels: split the rule, or define a group"
            )),
        );
        return None;
    }
    Some(requirement)
}

fn read_requirement(reader: &mut Reader<'_>, node: &Node, names: &ConditionNames<'_>) -> Option<Requirement> {
    match &node.value {
        Value::Text(text) => read_short_form(reader, node.span, text, names.groups).map(Requirement::Leaf),
        Value::Map(entries) => match entries.iter().find(|entry| COMBINATIONS.contains(&&*entry.key)) {
            Some(combination) => read_combination(reader, node, combination, names),
            None => read_leaf(reader, node, names).map(Requirement::Leaf),
        },
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::List(_) => {
            let message = format!("a requirement is {}, and must be a text or a mapping", node.kind());
            reader.report(Finding::at(Code::WrongType, node.span, message).hint(FORMS));
            None
        }
    }
}

/// `{ all_of: [...], when: <condition> }`, and the same with `any_of` and `in_order`.
fn read_combination(
    reader: &mut Reader<'_>,
    node: &Node,
    combination: &Entry,
    names: &ConditionNames<'_>,
) -> Option<Requirement> {
    let mut sound = true;
    for entry in node.entries().iter().filter(|entry| entry.key != combination.key && &*entry.key != "when") {
        sound = false;
        let message = format!("`{}` is not allowed beside `{}`", entry.key, combination.key);
        reader.report(
            Finding::at(Code::InvalidRequirement, entry.key_span, message)
                .hint("one mapping is one requirement: nest the other as a part"),
        );
    }
    let parts = read_parts(reader, &combination.node, &combination.key, names);
    let when = read_when(reader, node, names);
    let inner = Combination { parts: parts?, when: when?, source: reader.place(combination.key_span) };
    sound.then_some(match &*combination.key {
        "all_of" => Requirement::AllOf(inner),
        "any_of" => Requirement::AnyOf(inner),
        _ => Requirement::InOrder(inner),
    })
}

/// The condition of a requirement. Returns `None` if it cannot be read, `Some(None)` if there is no `when`.
#[expect(clippy::option_option, reason = "a condition that cannot be read is not the same as no condition")]
fn read_when(reader: &mut Reader<'_>, node: &Node, names: &ConditionNames<'_>) -> Option<Option<Box<Condition>>> {
    match node.get("when") {
        None => Some(None),
        Some(when) => read_condition(reader, when, names).map(|condition| Some(Box::new(condition))),
    }
}

fn read_parts(reader: &mut Reader<'_>, node: &Node, key: &str, names: &ConditionNames<'_>) -> Option<Vec<Requirement>> {
    let items = reader.list(node, key)?;
    let mut parts = Vec::with_capacity(items.len());
    for item in items {
        if matches!(&item.value, Value::Text(text) if text.trim() == "none") {
            reader.report(
                Finding::at(Code::InvalidRequirement, item.span, format!("`none` cannot be a part of `{key}`"))
                    .hint("`none` is only allowed alone: `require: none`"),
            );
            continue;
        }
        parts.extend(read_requirement(reader, item, names));
    }
    // A part that could not be read must not make the rest easier to meet.
    (parts.len() == items.len()).then_some(parts)
}

/// `{ count: 2, of: [payments, "@dana"], name: "payments leads" }`.
fn read_leaf(reader: &mut Reader<'_>, node: &Node, names: &ConditionNames<'_>) -> Option<Leaf> {
    let before = reader.findings.len();
    if !node.entries().iter().any(|entry| LEAF_KEYS.known.contains(&&*entry.key)) {
        let near = node.entries().iter().find_map(|entry| closest(&entry.key, COMBINATIONS).map(|near| (entry, near)));
        if let Some((entry, near)) = near {
            let message = format!("`{}` is not a key of a requirement", entry.key);
            reader
                .report(Finding::at(Code::UnknownKey, entry.key_span, message).hint(format!("did you mean `{near}`?")));
            return None;
        }
    }
    reader.fields(node, &LEAF_KEYS);
    for key in ["count", "of"] {
        if node.get(key).is_none() {
            let message = format!("a requirement in map form needs `{key}`");
            reader.report(Finding::at(Code::MissingKey, node.span, message).hint(FORMS));
        }
    }
    let count = node.get("count").and_then(|count| read_count(reader, count));
    let mut of = Vec::new();
    for item in node.get("of").map(|of| reader.one_or_list(of, "of")).unwrap_or_default() {
        if let Some(text) = reader.text(item, "of") {
            of.extend(resolve(reader, item.span, text, names.groups));
        }
    }
    let name = node.get("name").and_then(|name| reader.text(name, "name")).map(str::trim);
    if let (Some(""), Some(node)) = (name, node.get("name")) {
        reader.report(
            Finding::at(Code::InvalidValue, node.span, "`name` is empty").hint("leave it out, or write a name"),
        );
    }
    let when = read_when(reader, node, names);
    let count = count?;
    let name = name.map_or_else(|| leaf_name(count, &of), Into::into);
    let source = reader.place(node.span);
    let leaf = Leaf { name, count, of, everyone: false, when: when?, source };
    check_count(reader, node.span, &leaf);
    (reader.findings.len() == before).then_some(leaf)
}

fn read_count(reader: &mut Reader<'_>, node: &Node) -> Option<u32> {
    let Value::Integer(count) = node.value else {
        reader.wrong_type(node, "count", "a whole number");
        return None;
    };
    if (1..=1000).contains(&count) {
        return u32::try_from(count).ok();
    }
    reader.report(
        Finding::at(Code::InvalidRequirement, node.span, format!("`count` is {count}"))
            .hint("it must be from 1 to 1000; if nobody needs to approve, write `require: none`"),
    );
    None
}

/// `2 of payments`, `1 of payments, "@acme/sre"`, `"@dana"`, `all of security`.
fn read_short_form(reader: &mut Reader<'_>, span: Span, text: &str, groups: &Groups) -> Option<Leaf> {
    let source = reader.place(span);
    let text = text.trim();
    if text.starts_with('@') && !text.contains(',') {
        let of = vec![resolve(reader, span, text, groups)?];
        return Some(Leaf { name: leaf_name(1, &of), count: 1, of, everyone: false, when: None, source });
    }
    let wrong = |reader: &mut Reader<'_>, hint: String| {
        reader.report(Finding::at(Code::InvalidRequirement, span, format!("`{text}` is not a requirement")).hint(hint));
        None
    };
    let Some((head, refs)) = text.split_once(" of ") else {
        let hint = if groups.contains_key(text) { format!("say how many: `1 of {text}`") } else { FORMS.to_owned() };
        return wrong(reader, hint);
    };
    let before = reader.findings.len();
    let of: Vec<ApproverRef> = refs
        .split(',')
        .map(|entry| entry.trim().trim_matches('"'))
        .filter_map(|entry| resolve(reader, span, entry, groups))
        .collect();
    if reader.findings.len() > before {
        return None;
    }
    if head.trim() == "all" {
        return read_all_of(reader, span, of, source);
    }
    let count = match head.trim().parse::<u32>() {
        Ok(count @ 1..=1000) if head.trim().bytes().all(|b| b.is_ascii_digit()) => count,
        Ok(_) | Err(_) => {
            return wrong(reader, "the count must be a whole number from 1 to 1000, or `all`".to_owned());
        }
    };
    let leaf = Leaf { name: leaf_name(count, &of), count, of, everyone: false, when: None, source };
    check_count(reader, span, &leaf).then_some(leaf)
}

/// Every listed user of one group.
fn read_all_of(reader: &mut Reader<'_>, span: Span, of: Vec<ApproverRef>, source: Place) -> Option<Leaf> {
    let [ApproverRef::Group(group)] = of.as_slice() else {
        reader.report(
            Finding::at(Code::InvalidRequirement, span, "`all of` takes one group")
                .hint("combine several with `all_of`"),
        );
        return None;
    };
    if !group.teams.is_empty() {
        let message = format!("`all of {}` cannot be used: the group has teams, whose members change", group.name);
        reader.report(
            Finding::at(Code::UnusableRef, span, message)
                .hint("use a group that lists users only, or require a number: `2 of …`"),
        );
        return None;
    }
    let count = u32::try_from(group.users.len()).ok()?;
    Some(Leaf { name: format!("all of {}", group.name).into(), count, of, everyone: true, when: None, source })
}

fn leaf_name(count: u32, of: &[ApproverRef]) -> Box<str> {
    match of {
        [single @ (ApproverRef::User(_) | ApproverRef::Team(_))] if count == 1 => single.to_string().into(),
        _ => {
            let refs: Vec<String> = of.iter().map(ToString::to_string).collect();
            format!("{count} of {}", refs.join(", ")).into()
        }
    }
}

/// Reads one approver, and looks up its group.
pub(crate) fn resolve(reader: &mut Reader<'_>, span: Span, text: &str, groups: &Groups) -> Option<ApproverRef> {
    match Written::new(text) {
        Ok(Written::User(user)) => {
            reader.note(span, || Named::Account { user: user.clone(), with_at: true });
            Some(ApproverRef::User(user))
        }
        Ok(Written::Team(team)) => {
            reader.note(span, || Named::Team(team.clone()));
            Some(ApproverRef::Team(team))
        }
        Ok(Written::Group(name)) => match groups.get(&name) {
            Some(group) => Some(ApproverRef::Group(Arc::clone(group))),
            None => {
                let hint = did_you_mean(&name, groups.keys().map(AsRef::as_ref), || {
                    format!("define it under `groups`, or write `@{name}` for the GitHub account")
                });
                reader.report(Finding::at(Code::UnknownName, span, format!("there is no group `{name}`")).hint(hint));
                None
            }
        },
        Err(error) => {
            reader.report(refused(error.code(), span, &error));
            None
        }
    }
}

/// Returns whether the listed users can reach the count, and reports it if not. With a team among them they can.
fn check_count(reader: &mut Reader<'_>, span: Span, leaf: &Leaf) -> bool {
    if leaf.of.iter().any(|entry| !entry.teams().is_empty()) {
        return true;
    }
    let users = leaf.of.iter().flat_map(ApproverRef::users);
    let mut users: Vec<String> = users.map(|user| user.login.as_str().to_ascii_lowercase()).collect();
    users.sort_unstable();
    users.dedup();
    if usize::try_from(leaf.count).is_ok_and(|count| count <= users.len()) {
        return true;
    }
    let message = format!("`{}` requires {} of {} people", leaf.name, leaf.count, users.len());
    reader.report(
        Finding::at(Code::CountTooHigh, span, message)
            .hint("one person counts once: lower the count, or list more people or a team"),
    );
    false
}
