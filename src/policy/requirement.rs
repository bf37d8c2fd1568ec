//! What must hold: so many people out of some, and combinations of that. The short form's grammar stands here.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::approver::{ApproverError, ApproverRef, Group, Written};
use super::read::{Keys, Place, Reader, refused};
use super::yaml::{Node, Value};
use crate::finding::{Code, Finding, Span, closest};

/// The most leaves that one requirement may have.
pub const MAX_LEAVES: usize = 32;
/// The most levels of groups that one requirement may have.
pub const MAX_LEVELS: usize = 4;

/// What a rule asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Require {
    /// Nobody: no pull request is needed, and no review is read.
    Nobody,
    /// People.
    People(Requirement),
}

/// A requirement: a leaf, or a combination of requirements.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Requirement {
    /// So many people out of some.
    Leaf(Leaf),
    /// Every part.
    AllOf(Vec<Requirement>),
    /// One of the parts.
    AnyOf(Vec<Requirement>),
    /// Every part, asked one after the other.
    InOrder(Vec<Requirement>),
}

/// So many people out of some.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaf {
    /// How it is called in every text.
    pub name: Box<str>,
    /// How many different people it takes.
    pub count: u32,
    /// Out of whom: the union.
    pub of: Vec<ApproverRef>,
    /// Where it is written.
    pub source: Place,
}

impl Requirement {
    /// All leaves, as written.
    #[must_use]
    pub fn leaves(&self) -> Vec<&Leaf> {
        match self {
            Self::Leaf(leaf) => vec![leaf],
            Self::AllOf(parts) | Self::AnyOf(parts) | Self::InOrder(parts) => {
                parts.iter().flat_map(Self::leaves).collect()
            }
        }
    }

    /// How many groups are nested, this one included.
    fn levels(&self) -> usize {
        match self {
            Self::Leaf(_) => 0,
            Self::AllOf(parts) | Self::AnyOf(parts) | Self::InOrder(parts) => {
                1 + parts.iter().map(Self::levels).max().unwrap_or(0)
            }
        }
    }
}

/// The groups of a bundle by name.
pub(crate) type Groups = BTreeMap<Box<str>, Arc<Group>>;

const COMBINATIONS: [&str; 3] = ["all_of", "any_of", "in_order"];
const LEAF_KEYS: Keys = Keys { what: "a requirement", known: &["count", "of", "name"], later: &["when"] };
const FORMS: &str = "write `2 of payments`, `\"@login\"`, `all of security`, or a mapping with \
                     `all_of`, `any_of`, `in_order` or `count` and `of`";

/// Reads the value of `require`.
pub(crate) fn read_require(reader: &mut Reader<'_>, node: &Node, groups: &Groups) -> Option<Require> {
    if matches!(&node.value, Value::Text(text) if text.trim() == "none") {
        return Some(Require::Nobody);
    }
    let requirement = read_requirement(reader, node, groups, 0)?;
    let (leaves, levels) = (requirement.leaves().len(), requirement.levels());
    if leaves > MAX_LEAVES || levels > MAX_LEVELS {
        let message = if leaves > MAX_LEAVES {
            format!("this requirement has {leaves} leaves")
        } else {
            format!("this requirement nests groups {levels} levels deep")
        };
        reader.report(
            Finding::at(Code::TooComplex, node.span, message)
                .hint(format!("at most {MAX_LEAVES} leaves and {MAX_LEVELS} levels: split the rule, or name a group")),
        );
        return None;
    }
    Some(Require::People(requirement))
}

fn read_requirement(reader: &mut Reader<'_>, node: &Node, groups: &Groups, depth: usize) -> Option<Requirement> {
    match &node.value {
        Value::Text(text) => read_short_form(reader, node.span, text, groups).map(Requirement::Leaf),
        Value::Map(entries) => {
            let combination = entries.iter().find(|entry| COMBINATIONS.contains(&&*entry.key));
            let Some(combination) = combination else {
                return read_leaf(reader, node, groups).map(Requirement::Leaf);
            };
            let mut sound = true;
            for entry in entries.iter().filter(|entry| entry.key != combination.key) {
                sound = false;
                let message = format!("`{}` cannot stand beside `{}`", entry.key, combination.key);
                let (code, hint) = if &*entry.key == "when" {
                    (Code::NotSupportedYet, "`when` is not supported yet by this version")
                } else {
                    (Code::InvalidRequirement, "one mapping is one requirement: nest the other as a part")
                };
                reader.report(Finding::at(code, entry.key_span, message).hint(hint));
            }
            let parts = read_parts(reader, &combination.node, &combination.key, groups, depth + 1)?;
            sound.then_some(match &*combination.key {
                "all_of" => Requirement::AllOf(parts),
                "any_of" => Requirement::AnyOf(parts),
                _ => Requirement::InOrder(parts),
            })
        }
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::List(_) => {
            let message = format!("a requirement is {}, and must be a text or a mapping", node.kind());
            reader.report(Finding::at(Code::WrongType, node.span, message).hint(FORMS));
            None
        }
    }
}

fn read_parts(
    reader: &mut Reader<'_>,
    node: &Node,
    key: &str,
    groups: &Groups,
    depth: usize,
) -> Option<Vec<Requirement>> {
    let items = reader.list(node, key)?;
    let mut parts = Vec::with_capacity(items.len());
    for item in items {
        if matches!(&item.value, Value::Text(text) if text.trim() == "none") {
            reader.report(
                Finding::at(Code::InvalidRequirement, item.span, format!("`none` cannot be a part of `{key}`"))
                    .hint("`none` stands alone: `require: none`"),
            );
            continue;
        }
        parts.extend(read_requirement(reader, item, groups, depth));
    }
    // A part that could not be read must not make the rest easier to meet.
    (parts.len() == items.len()).then_some(parts)
}

/// `{ count: 2, of: [payments, "@dana"], name: "payments leads" }`.
fn read_leaf(reader: &mut Reader<'_>, node: &Node, groups: &Groups) -> Option<Leaf> {
    let before = reader.findings.len();
    if let Value::Map(entries) = &node.value
        && !entries.iter().any(|entry| LEAF_KEYS.known.contains(&&*entry.key))
    {
        let near = entries.iter().find_map(|entry| closest(&entry.key, COMBINATIONS).map(|near| (entry, near)));
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
            of.extend(resolve(reader, item.span, text, groups));
        }
    }
    let name = node.get("name").and_then(|name| reader.text(name, "name")).map(str::trim);
    if let (Some(""), Some(node)) = (name, node.get("name")) {
        reader.report(Finding::at(Code::InvalidValue, node.span, "`name` is empty").hint("leave it out, or say what"));
    }
    let count = count?;
    let name = name.map_or_else(|| leaf_name(count, &of), Into::into);
    let source = reader.place(node.span);
    let leaf = Leaf { name, count, of, source };
    check_count(reader, node.span, &leaf);
    (reader.findings.len() == before).then_some(leaf)
}

fn read_count(reader: &mut Reader<'_>, node: &Node) -> Option<u32> {
    match node.value {
        Value::Integer(count) if (1..=1000).contains(&count) => u32::try_from(count).ok(),
        Value::Integer(count) => {
            reader.report(
                Finding::at(Code::InvalidRequirement, node.span, format!("`count` is {count}"))
                    .hint("it must be from 1 to 1000: where nobody is asked, write `require: none`"),
            );
            None
        }
        Value::Null | Value::Bool(_) | Value::Float(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => {
            reader.wrong_type(node, "count", "a whole number");
            None
        }
    }
}

/// `2 of payments`, `1 of payments, "@acme/sre"`, `"@dana"`, `all of security`.
fn read_short_form(reader: &mut Reader<'_>, span: Span, text: &str, groups: &Groups) -> Option<Leaf> {
    let source = reader.place(span);
    let text = text.trim();
    if text.starts_with('@') && !text.contains(',') {
        let of = vec![resolve(reader, span, text, groups)?];
        return Some(Leaf { name: leaf_name(1, &of), count: 1, of, source });
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
    let leaf = Leaf { name: leaf_name(count, &of), count, of, source };
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
        let message = format!("`all of {}` cannot be: the group has teams, and who is in them changes", group.name);
        reader.report(
            Finding::at(Code::UnusableRef, span, message)
                .hint("use a group that lists users only, or ask for a number: `2 of …`"),
        );
        return None;
    }
    let count = u32::try_from(group.users.len()).ok()?;
    Some(Leaf { name: format!("all of {}", group.name).into(), count, of, source })
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

/// Reads one approver and looks its group up.
pub(crate) fn resolve(reader: &mut Reader<'_>, span: Span, text: &str, groups: &Groups) -> Option<ApproverRef> {
    match Written::new(text) {
        Ok(Written::User(user)) => Some(ApproverRef::User(user)),
        Ok(Written::Team(team)) => Some(ApproverRef::Team(team)),
        Ok(Written::Group(name)) => match groups.get(&name) {
            Some(group) => Some(ApproverRef::Group(Arc::clone(group))),
            None => {
                let hint = match closest(&name, groups.keys().map(AsRef::as_ref)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("define it under `groups`, or write `@{name}` for the GitHub account"),
                };
                reader.report(Finding::at(Code::UnknownName, span, format!("there is no group `{name}`")).hint(hint));
                None
            }
        },
        Err(error) => {
            let code = match error {
                ApproverError::Unusable(_) => Code::UnusableRef,
                ApproverError::Login(_) | ApproverError::Team(_) | ApproverError::Form(_) => Code::InvalidApprover,
            };
            reader.report(refused(code, span, &error));
            None
        }
    }
}

/// Reports a count that the listed users can never reach, where no team is among them.
fn check_count(reader: &mut Reader<'_>, span: Span, leaf: &Leaf) -> bool {
    if leaf.of.iter().any(|entry| !entry.teams().is_empty()) {
        return true;
    }
    let mut users: Vec<String> = Vec::new();
    for user in leaf.of.iter().flat_map(ApproverRef::users) {
        users.push(user.login.as_str().to_ascii_lowercase());
    }
    users.sort_unstable();
    users.dedup();
    if usize::try_from(leaf.count).is_ok_and(|count| count <= users.len()) {
        return true;
    }
    let message = format!("`{}` asks for {} of {} people", leaf.name, leaf.count, users.len());
    reader.report(
        Finding::at(Code::CountTooHigh, span, message)
            .hint("one person counts once: lower the count, or list more people or a team"),
    );
    false
}
