//! JSON pointers (RFC 6901), by which a condition reads the execution's input.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};

use crate::ident::{quoted, serde_as_text};

/// A pointer to a part of a JSON object, such as `/deploy/region`. The pointer to the whole object is not allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer {
    text: Box<str>,
    /// Without escapes.
    names: Box<[Box<str>]>,
}

/// A text that is not a pointer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a JSON pointer: expected `/` before each name, such as `/deploy/region`, with `~1` for a `/` in a name and `~0` for a `~`"
)]
pub struct PointerError(String);

impl Pointer {
    /// The value that it points to. The items of a list have numbers from 0.
    #[must_use]
    pub fn find<'v>(&self, object: &'v Map<String, Value>) -> Option<&'v Value> {
        let (first, below) = self.names.split_first()?;
        below.iter().try_fold(object.get(&**first)?, |value, name| match value {
            Value::Object(object) => object.get(&**name),
            Value::Array(items) => items.get(index(name)?),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        })
    }

    /// Copies the value to the same place in another object, if it is a text, a number or a boolean: only those can be
    /// compared by a condition. Items before it in a list are null in the copy.
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

    /// The text as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Copies the value that the names lead to, and nothing beside it.
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

/// The number of a list item, as RFC 6901 writes it: without a sign or leading zeros.
fn index(name: &str) -> Option<usize> {
    let is_number = name.bytes().all(|b| b.is_ascii_digit()) && (name == "0" || !name.starts_with('0'));
    name.parse().ok().filter(|_| is_number)
}

/// A name without its escapes. `None` if one of them is invalid.
fn unescaped(name: &str) -> Option<Box<str>> {
    let mut parts = name.split('~');
    let mut unescaped = parts.next()?.to_owned();
    for part in parts {
        let (escaped, rest) = match part.strip_prefix('0') {
            Some(rest) => ('~', rest),
            None => ('/', part.strip_prefix('1')?),
        };
        unescaped.push(escaped);
        unescaped.push_str(rest);
    }
    Some(unescaped.into())
}

impl FromStr for Pointer {
    type Err = PointerError;

    fn from_str(text: &str) -> Result<Self, PointerError> {
        let error = || PointerError(quoted(text));
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
    fn only_the_value_of_a_pointer_is_copied_and_the_pointer_finds_it_there() {
        let document = json!({
            "token": "hunter2", "deploy": { "region": "eu", "secret": "hunter2", "list": ["hunter2", { "n": [0, 7, true] }, "x"] }
        });
        let mut copied = serde_json::Map::new();
        for (text, expected) in [
            ("/deploy/list/1/n/1", json!({ "deploy": { "list": [null, { "n": [null, 7] }] } })),
            ("/deploy/region", json!({ "deploy": { "list": [null, { "n": [null, 7] }], "region": "eu" } })),
            // A later item extends the list, and an earlier one fills it.
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
    fn what_is_not_a_pointer_is_refused() {
        for text in ["", "region", "$.region", "#/region", "/a~", "/a~2", "/~/b", "/a\nb"] {
            assert!(text.parse::<Pointer>().is_err(), "{text}");
        }
    }
}
