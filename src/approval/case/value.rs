//! Reads the values of a case by their type.

use std::fmt::Display;
use std::str::FromStr;

use jiff::Timestamp;
use serde_json::Map;

use super::super::facts::{AccountKind, Person};
use crate::finding::{Code, Finding};
use crate::ident::{Login, PullRequestRef, UserId};
use crate::policy::read::{Keys, Reader};
use crate::policy::yaml::{Node, Value};

/// A value that may be `null`. The outer `None`: it is left out.
pub(super) type Nullable<T> = Option<Option<T>>;

const PERSON_KEYS: Keys = Keys { what: "a person", known: &["login", "id", "type"] };
const ACCOUNT_KINDS: [(&str, AccountKind); 5] = [
    ("User", AccountKind::User),
    ("Bot", AccountKind::Bot),
    ("Organization", AccountKind::Other),
    ("Mannequin", AccountKind::Other),
    ("Other", AccountKind::Other),
];

/// A bare login, or a mapping that has one.
pub(super) fn person(reader: &mut Reader<'_>, node: &Node, key: &str) -> Option<Person> {
    let bare = matches!(node.value, Value::Text(_));
    if !bare && !matches!(node.value, Value::Map(_)) {
        reader.wrong_type(node, key, "a login, or a mapping with `login`, `id` and `type`");
        return None;
    }
    let login: Login = if bare {
        parsed(reader, node, key)?
    } else {
        reader.fields(node, &PERSON_KEYS);
        required(reader, node, "login", &PERSON_KEYS).and_then(|login| parsed(reader, login, "login"))?
    };
    let id = get(reader, node, "id", number).map_or_else(|| UserId::derived(&login), UserId);
    let by_login = if login.is_bot() { AccountKind::Bot } else { AccountKind::User };
    let kind = get(reader, node, "type", |reader, node, key| reader.word(node, key, &ACCOUNT_KINDS));
    Some(Person { id, login, kind: kind.unwrap_or(by_login) })
}

/// Which of two names of a key is used.
pub(super) fn either(
    reader: &mut Reader<'_>,
    node: &Node,
    short: &'static str,
    long: &'static str,
) -> Option<&'static str> {
    match (node.get(short).is_some(), node.entry(long)) {
        (true, Some(entry)) => {
            let message = format!("`{long}` and `{short}` are two names of the same key");
            reader.report(Finding::at(Code::DuplicateKey, entry.key_span, message).hint("keep one of the two"));
            Some(short)
        }
        (true, None) => Some(short),
        (false, Some(_)) => Some(long),
        (false, None) => None,
    }
}

pub(super) fn required<'n>(reader: &mut Reader<'_>, node: &'n Node, key: &str, keys: &Keys) -> Option<&'n Node> {
    let value = node.get(key);
    if value.is_none() {
        let message = format!("{} needs `{key}`", keys.what);
        reader.report(Finding::at(Code::MissingKey, node.span, message).hint(format!("write `{key}:`")));
    }
    value
}

/// The value of a key. `None` if it is left out.
pub(super) fn get<T>(
    reader: &mut Reader<'_>,
    node: &Node,
    key: &str,
    read: impl FnOnce(&mut Reader<'_>, &Node, &str) -> Option<T>,
) -> Option<T> {
    node.get(key).and_then(|value| read(reader, value, key))
}

/// The value of a key that may also be `null`.
pub(super) fn nullable<T>(
    reader: &mut Reader<'_>,
    node: &Node,
    key: &str,
    read: impl FnOnce(&mut Reader<'_>, &Node, &str) -> Option<T>,
) -> Nullable<T> {
    let value = node.get(key)?;
    if matches!(value.value, Value::Null) { Some(None) } else { read(reader, value, key).map(Some) }
}

/// Reads each item of a list. The list may be empty.
pub(super) fn list<T>(
    reader: &mut Reader<'_>,
    node: &Node,
    key: &str,
    read: impl Fn(&mut Reader<'_>, &Node, &str) -> Option<T>,
) -> Option<Vec<T>> {
    let Value::List(items) = &node.value else {
        reader.wrong_type(node, key, "a list");
        return None;
    };
    Some(items.iter().filter_map(|item| read(reader, item, key)).collect())
}

pub(super) fn parsed<T: FromStr<Err: Display>>(reader: &mut Reader<'_>, node: &Node, key: &str) -> Option<T> {
    reader.parsed(node, key, Code::InvalidValue)
}

pub(super) fn text(reader: &mut Reader<'_>, node: &Node, key: &str) -> Option<String> {
    reader.text(node, key).map(ToOwned::to_owned)
}

pub(super) fn flag(reader: &mut Reader<'_>, node: &Node, key: &str) -> Option<bool> {
    reader.bool(node, key)
}

pub(super) fn object(reader: &mut Reader<'_>, node: &Node, key: &str) -> Option<Map<String, serde_json::Value>> {
    reader
        .map(node, key)
        .map(|entries| entries.iter().map(|entry| (entry.key.to_string(), entry.node.to_json())).collect())
}

pub(super) fn number(reader: &mut Reader<'_>, node: &Node, key: &str) -> Option<u64> {
    let number = match node.value {
        Value::Integer(number) => u64::try_from(number).ok(),
        Value::Null | Value::Bool(_) | Value::Float(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => None,
    };
    if number.is_none() {
        reader.report(
            Finding::at(Code::WrongType, node.span, format!("`{key}` must be a whole number, not below 0"))
                .hint(format!("`{}` is {}", reader.written(node), node.kind())),
        );
    }
    number
}

/// A word in lower case, or in upper case as in GitHub's API.
pub(super) fn any_case<T: Copy>(
    reader: &mut Reader<'_>,
    node: &Node,
    key: &str,
    words: &[(&'static str, T)],
) -> Option<T> {
    let lower = reader.text(node, key)?.to_ascii_lowercase();
    reader.word(&Node { span: node.span, value: Value::Text(lower.into()) }, key, words)
}

/// An instant, with its offset from UTC.
pub(super) fn instant(reader: &mut Reader<'_>, node: &Node, key: &str) -> Option<Timestamp> {
    let text = reader.text(node, key)?;
    let instant = text.parse().ok();
    if instant.is_none() {
        reader.report(
            Finding::at(Code::InvalidValue, node.span, format!("`{key}`: `{text}` is not an instant"))
                .hint("write it as `2026-01-01T00:00:00Z`"),
        );
    }
    instant
}

/// `owner/name#number`.
pub(super) fn reference(reader: &mut Reader<'_>, node: &Node, key: &str) -> Option<PullRequestRef> {
    let text = reader.text(node, key)?;
    match PullRequestRef::new(text) {
        Ok(reference) => Some(reference),
        Err(error) => {
            reader.report(Finding::at(Code::InvalidValue, node.span, format!("`{key}`: {error}")));
            None
        }
    }
}
