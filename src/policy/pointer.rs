//! JSON pointers (RFC 6901): which part of the execution's input a condition reads.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};

use crate::ident::{printable, serde_as_text};

/// A pointer to a part of a JSON object, such as `/deploy/region`; not the one to the whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer {
    text: Box<str>,
    /// Its names without escapes.
    names: Box<[Box<str>]>,
}

/// A text that is no pointer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a JSON pointer: expected `/` before each name, such as `/deploy/region`, with `~1` for a `/` in a name and `~0` for a `~`"
)]
pub struct PointerError(String);

impl Pointer {
    /// What it points to, if that is there. An item of a list goes by its number, from 0.
    #[must_use]
    pub fn find<'v>(&self, object: &'v Map<String, Value>) -> Option<&'v Value> {
        let (first, below) = self.names.split_first()?;
        below.iter().try_fold(object.get(&**first)?, |value, name| match value {
            Value::Object(object) => object.get(&**name),
            Value::Array(items) => items.get(index(name)?),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        })
    }

    /// Copies what it points to into another object, to the same place, where it is a text, a number or a boolean: all
    /// that a condition can compare. What lies before it in a list is null there.
    pub fn copy(&self, from: &Map<String, Value>, into: &mut Map<String, Value>) {
        let comparable = |value: &&Value| matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_));
        if self.find(from).filter(comparable).is_none() {
            return;
        }
        if let Some((first, below)) = self.names.split_first()
            && let Some(value) = from.get(&**first)
        {
            place(value, below, into.entry(&**first).or_insert(Value::Null));
        }
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Copies what the names lead to below the value, and nothing beside it.
fn place(from: &Value, names: &[Box<str>], into: &mut Value) {
    let Some((name, below)) = names.split_first() else {
        into.clone_from(from);
        return;
    };
    match from {
        Value::Object(object) => {
            if !into.is_object() {
                *into = Value::Object(Map::new());
            }
            if let (Some(value), Value::Object(copied)) = (object.get(&**name), into) {
                place(value, below, copied.entry(&**name).or_insert(Value::Null));
            }
        }
        Value::Array(items) => {
            if !into.is_array() {
                *into = Value::Array(Vec::new());
            }
            if let (Some(at), Value::Array(copied)) = (index(name), into)
                && let Some(value) = items.get(at)
            {
                copied.resize(copied.len().max(at + 1), Value::Null);
                if let Some(slot) = copied.get_mut(at) {
                    place(value, below, slot);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// RFC 6901 has one way to write a number: no sign, and no zero before others.
fn index(name: &str) -> Option<usize> {
    let plain = name.bytes().all(|b| b.is_ascii_digit()) && (name == "0" || !name.starts_with('0'));
    name.parse().ok().filter(|_| plain)
}

/// A name without its escapes; none if one of them is no escape.
fn unescaped(name: &str) -> Option<Box<str>> {
    let mut parts = name.split('~');
    let mut plain = parts.next()?.to_owned();
    for part in parts {
        let (escaped, rest) = match part.strip_prefix('0') {
            Some(rest) => ('~', rest),
            None => ('/', part.strip_prefix('1')?),
        };
        plain.push(escaped);
        plain.push_str(rest);
    }
    Some(plain.into())
}

impl FromStr for Pointer {
    type Err = PointerError;

    fn from_str(text: &str) -> Result<Self, PointerError> {
        let error = || PointerError(printable(text, 60));
        let names = text.strip_prefix('/').filter(|_| !text.chars().any(char::is_control)).ok_or_else(error)?;
        let names = names.split('/').map(unescaped).collect::<Option<_>>().ok_or_else(error)?;
        Ok(Self { text: text.into(), names })
    }
}

serde_as_text!(Pointer);

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::Pointer;
    use serde_json::json;

    #[test]
    fn a_pointer_finds_what_the_json_library_finds() {
        let document = json!({
            "region": "eu", "": "nameless", "a/b": 1, "m~n": 2, "~1": 3, "list": ["x", { "y": [true] }], "deep": { "er": null }
        });
        let object = document.as_object().unwrap();
        for text in [
            "/region",
            "/",
            "/a~1b",
            "/m~0n",
            "/~01",
            "/list/0",
            "/list/1/y/0",
            "/list/00",
            "/list/+0",
            "/list/2",
            "/list/-",
            "/list/",
            "/deep/er",
            "/deep/er/x",
            "/region/0",
            "/none",
            "/deep",
        ] {
            let pointer: Pointer = text.parse().unwrap();
            assert_eq!(pointer.find(object), document.pointer(text), "{text}");
            assert_eq!(pointer.as_str(), text);
        }
    }

    #[test]
    fn what_a_pointer_finds_is_copied_to_where_it_finds_it_again_and_nothing_else_is() {
        let document = json!({
            "token": "hunter2", "deploy": { "region": "eu", "secret": "hunter2", "list": ["hunter2", { "n": [0, 7, true] }, "x"] }
        });
        let mut copied = serde_json::Map::new();
        for (text, expected) in [
            ("/deploy/list/1/n/1", json!({ "deploy": { "list": [null, { "n": [null, 7] }] } })),
            ("/deploy/region", json!({ "deploy": { "list": [null, { "n": [null, 7] }], "region": "eu" } })),
            // Later places lengthen a list, and earlier ones fill it.
            ("/deploy/list/2", json!({ "deploy": { "list": [null, { "n": [null, 7] }, "x"], "region": "eu" } })),
            ("/deploy/list/1/n/0", json!({ "deploy": { "list": [null, { "n": [0, 7] }, "x"], "region": "eu" } })),
        ] {
            let pointer: Pointer = text.parse().unwrap();
            pointer.copy(document.as_object().unwrap(), &mut copied);
            assert_eq!(serde_json::Value::Object(copied.clone()), expected, "{text}");
            assert_eq!(pointer.find(&copied), document.pointer(text), "{text}");
        }
        assert!(!json!(copied).to_string().contains("hunter2"));
    }

    #[test]
    fn what_a_condition_cannot_compare_is_not_copied() {
        let document = json!({ "object": { "secret": "hunter2" }, "list": ["hunter2"], "nothing": null, "text": "x" });
        let mut copied = serde_json::Map::new();
        for text in ["/object", "/list", "/nothing", "/missing", "/text/0", "/list/1", "/list/-", "/object/0"] {
            text.parse::<Pointer>().unwrap().copy(document.as_object().unwrap(), &mut copied);
        }
        assert!(copied.is_empty(), "{copied:?}");
    }

    #[test]
    fn what_is_no_pointer_is_refused() {
        for text in ["", "region", "$.region", "#/region", "/a~", "/a~2", "/~/b", "/a\nb"] {
            assert!(text.parse::<Pointer>().is_err(), "{text}");
        }
    }
}
