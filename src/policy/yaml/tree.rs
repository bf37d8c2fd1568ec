//! The tree itself: values and keys with their places. Knows neither how it is read nor what it means.

use crate::finding::{SourceId, Span};

/// Up to so many keys, comparing each with each is quicker than sorting them.
const FEW_KEYS: usize = 8;

/// A value and its place.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) value: Value,
}

/// What YAML's core schema knows.
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
    /// The value of a key, where this is a mapping that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// A key with its place and value, where this is a mapping that has it.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|entry| &*entry.key == key),
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Text(_) | Value::List(_) => {
                None
            }
        }
    }

    /// What kind of value this is, in words for a message.
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

    /// How many values it holds, itself included.
    pub(super) fn size(&self) -> usize {
        match &self.value {
            Value::List(items) => 1 + items.iter().map(Self::size).sum::<usize>(),
            Value::Map(entries) => 1 + entries.iter().map(|entry| 1 + entry.node.size()).sum::<usize>(),
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Text(_) => 1,
        }
    }

    /// Writes the file into every span: the YAML reader knows one text and no file.
    pub(super) fn belongs_to(&mut self, source: SourceId) {
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

    /// This laid over another: deep under mappings, whole under everything else. What this says stands.
    pub(crate) fn over(&self, below: &Self) -> Self {
        let (Value::Map(own), Value::Map(others)) = (&self.value, &below.value) else { return self.clone() };
        let laid = |entry: &Entry| {
            let node = below.get(&entry.key).map_or_else(|| entry.node.clone(), |node| entry.node.over(node));
            Entry { node, ..entry.clone() }
        };
        let rest = others.iter().filter(|entry| self.get(&entry.key).is_none()).cloned();
        Self { span: self.span, value: Value::Map(own.iter().map(laid).chain(rest).collect()) }
    }

    /// The same as JSON, with mappings sorted by key.
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

/// Whether no key stands twice. Sorted and not hashed: a file of our choosing could not make that slow.
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
