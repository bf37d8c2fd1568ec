//! The tree itself: values and keys with their places. Knows neither how it is read nor what the keys mean.

use crate::finding::{SourceId, Span};

/// Comparing each key with each other is quicker than sorting, up to this many keys.
const FEW_KEYS: usize = 8;

/// A value and its place.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) value: Value,
}

/// A value of YAML's core schema.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(Box<str>),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key with its place, and its value. Entries keep the order of the file.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: Box<str>,
    pub(crate) key_span: Span,
    pub(crate) node: Node,
}

impl Node {
    /// The value of a key. `None` if this is not a mapping, or does not have the key.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// The entry of a key. `None` if this is not a mapping, or does not have the key.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| &*entry.key == key)
    }

    /// The entries of a mapping. Empty if this is something else.
    pub(crate) fn entries(&self) -> &[Entry] {
        if let Value::Map(entries) = &self.value { entries } else { &[] }
    }

    /// The entries of the mapping under a key. Empty if there is none.
    pub(crate) fn entries_under(&self, key: &str) -> &[Entry] {
        self.get(key).map(Self::entries).unwrap_or_default()
    }

    /// The kind of value, for a message.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Integer(_) | Value::Float(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }

    /// How many values and keys it holds, itself included.
    pub(super) fn size(&self) -> usize {
        match &self.value {
            Value::List(items) => 1 + items.iter().map(Self::size).sum::<usize>(),
            Value::Map(entries) => 1 + entries.iter().map(|entry| 1 + entry.node.size()).sum::<usize>(),
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Text(_) => 1,
        }
    }

    /// Sets the file in every span: the readers know one text and no file.
    pub(crate) fn belongs_to(&mut self, source: SourceId) {
        self.span.source = source;
        match &mut self.value {
            Value::List(items) => items.iter_mut().for_each(|item| item.belongs_to(source)),
            Value::Map(entries) => entries.iter_mut().for_each(|entry| {
                entry.key_span.source = source;
                entry.node.belongs_to(source);
            }),
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Text(_) => {}
        }
    }

    /// Merges the two. Mappings are merged key by key; of anything else this one's value is taken.
    pub(crate) fn over(&self, below: &Self) -> Self {
        let (Value::Map(own), Value::Map(others)) = (&self.value, &below.value) else { return self.clone() };
        let merged = |entry: &Entry| {
            let node = below.get(&entry.key).map_or_else(|| entry.node.clone(), |node| entry.node.over(node));
            Entry { node, ..entry.clone() }
        };
        let rest = others.iter().filter(|entry| self.get(&entry.key).is_none()).cloned();
        Self { span: self.span, value: Value::Map(own.iter().map(merged).chain(rest).collect()) }
    }

    /// The value as JSON, with mappings sorted by key.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Integer(value) => (*value).into(),
            Value::Float(value) => (*value).into(),
            Value::Text(value) => (&**value).into(),
            Value::List(items) => items.iter().map(Self::to_json).collect(),
            Value::Map(entries) => entries.iter().map(|entry| (entry.key.to_string(), entry.node.to_json())).collect(),
        }
    }
}

/// The entries of all mappings among the nodes, in their order.
pub(crate) fn entries<'n>(nodes: &[&'n Node]) -> impl Iterator<Item = &'n Entry> {
    nodes.iter().flat_map(|node| node.entries())
}

/// Whether no key appears twice. Sorts instead of hashing, so that no choice of keys makes it slow.
pub(super) fn are_distinct(entries: &[Entry]) -> bool {
    if entries.len() <= FEW_KEYS {
        let mut rest = entries;
        while let [first, others @ ..] = rest {
            if others.iter().any(|other| other.key == first.key) {
                return false;
            }
            rest = others;
        }
        return true;
    }
    let mut keys: Vec<&str> = entries.iter().map(|entry| &*entry.key).collect();
    keys.sort_unstable();
    keys.is_sorted_by(|a, b| a < b)
}
