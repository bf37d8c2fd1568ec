//! A tree as JSON, which is quicker to read than YAML: each value is in an array behind its place. Does not know what
//! the keys mean.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::tree::{Entry, Node, Value, are_distinct};
use super::visitor::{Form, Stored};
use crate::finding::{SourceId, Span};

/// Writes `[line, column, start, length, value]`. The file is not written.
#[derive(Clone, Copy)]
pub(crate) struct NodeJson<'n>(pub(crate) &'n Node);

/// Writes the place of the key, the place of the value, and the value.
struct EntryJson<'n>(&'n Entry);

struct ValueJson<'n>(&'n Value);

impl Serialize for NodeJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Node { span, value } = self.0;
        (span.line, span.column, span.start, span.len, ValueJson(value)).serialize(serializer)
    }
}

impl Serialize for EntryJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Entry { key_span: key, node: Node { span, value }, .. } = self.0;
        let value = ValueJson(value);
        (key.line, key.column, key.start, key.len, span.line, span.column, span.start, span.len, value)
            .serialize(serializer)
    }
}

impl Serialize for ValueJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Integer(value) => serializer.serialize_i64(*value),
            Value::Float(value) => serializer.serialize_f64(*value),
            Value::Text(value) => serializer.serialize_str(value),
            Value::List(items) => serializer.collect_seq(items.iter().map(NodeJson)),
            // In the order of the file, since the order of patterns has a meaning.
            Value::Map(entries) => serializer.collect_map(entries.iter().map(|entry| (&*entry.key, EntryJson(entry)))),
        }
    }
}

/// A tree that [`NodeJson`] wrote. Its spans have no file yet: see [`Node::belongs_to`].
pub(crate) struct StoredNode(pub(crate) Node);

impl<'de> Deserialize<'de> for StoredNode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (line, column, start, len, stored) = Deserialize::deserialize(deserializer)?;
        Ok(Self(node([line, column, start, len], stored)))
    }
}

impl From<StoredNode> for Node {
    fn from(stored: StoredNode) -> Self {
        stored.0
    }
}

/// What [`EntryJson`] wrote.
struct StoredEntry(Span, Node);

impl<'de> Deserialize<'de> for StoredEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (a, b, c, d, line, column, start, len, stored) = Deserialize::deserialize(deserializer)?;
        Ok(Self(span([a, b, c, d]), node([line, column, start, len], stored)))
    }
}

fn span([line, column, start, len]: [u32; 4]) -> Span {
    Span { source: SourceId::default(), line, column, start, len }
}

fn node(place: [u32; 4], stored: Stored<Json>) -> Node {
    Node { span: span(place), value: stored.value }
}

struct Json;

impl Form for Json {
    type Node = StoredNode;
    type Key = Box<str>;
    type Behind = StoredEntry;

    fn entry(key: Box<str>, StoredEntry(key_span, node): StoredEntry) -> Entry {
        Entry { key, key_span, node }
    }

    fn mapping<E: Error>(entries: Vec<Entry>) -> Result<Value, E> {
        if are_distinct(&entries) {
            Ok(Value::Map(entries))
        } else {
            Err(E::custom("a key appears twice in one mapping"))
        }
    }

    fn large<E: Error>(number: u64) -> Result<Value, E> {
        Err(E::custom(format!("{number} is too large")))
    }
}
