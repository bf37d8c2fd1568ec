//! Lays JSON Schema together: mappings, texts with a pattern, one or several of something.
//!
//! Knows nothing of policies. Only words that draft 7 has as well are used, apart from `$defs`: what editors know of later
//! drafts differs from one to the next.

use serde_json::{Map, Value, json};

/// The draft that the documents say they are written in.
const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// A schema, or a part of one.
#[derive(Debug, Clone)]
pub(super) struct Node(Map<String, Value>);

impl Node {
    fn of(key: &str, value: impl Into<Value>) -> Self {
        Self(Map::from_iter([(key.to_owned(), value.into())]))
    }

    fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    /// Says what it is for, to whoever points at it in an editor.
    pub(super) fn says(self, description: &str) -> Self {
        self.with("description", description)
    }

    /// Says what holds where it is left out.
    pub(super) fn default(self, value: impl Into<Value>) -> Self {
        self.with("default", value)
    }

    /// Shows what can be written.
    pub(super) fn examples(self, values: impl IntoIterator<Item = impl Into<Value>>) -> Self {
        self.with("examples", values.into_iter().map(Into::into).collect::<Value>())
    }

    /// Must be none of these texts.
    pub(super) fn but(self, texts: &[&str]) -> Self {
        self.with("not", json!({ "enum": texts }))
    }

    /// May also be `null`, on purpose.
    pub(super) fn or_null(mut self) -> Self {
        let words = self.0.get_mut("enum").and_then(Value::as_array_mut);
        if let Some(words) = words {
            words.push(Value::Null);
        }
        match self.0.get("type").cloned() {
            Some(kind) => self.with("type", json!([kind, "null"])),
            None => any_of([self, Self::null()]),
        }
    }

    /// Only `null`.
    pub(super) fn null() -> Self {
        Self::of("type", "null")
    }

    /// Of a mapping: holds something.
    pub(super) fn with_some_key(self) -> Self {
        self.with("minProperties", 1)
    }

    /// The JSON of it.
    pub(super) fn value(self) -> Value {
        Value::Object(self.0)
    }
}

/// Any text.
pub(super) fn text() -> Node {
    Node::of("type", "string")
}

/// A text that is not empty.
pub(super) fn some_text() -> Node {
    text().with("minLength", 1)
}

/// A text that matches, in the syntax that regular expressions have in JavaScript and everywhere else.
pub(super) fn matching(pattern: &str) -> Node {
    text().with("pattern", pattern)
}

/// A text that also has to match a second pattern, and is not empty.
pub(super) fn matching_both(pattern: &str, other: &str) -> Node {
    matching(pattern).with("allOf", json!([{ "pattern": other }]))
}

/// One of these words.
pub(super) fn words<'w>(words: impl IntoIterator<Item = &'w str>) -> Node {
    text().with("enum", words.into_iter().collect::<Value>())
}

/// Exactly this value.
pub(super) fn only(value: impl Into<Value>) -> Node {
    Node::of("const", value)
}

/// `true` or `false`.
pub(super) fn flag() -> Node {
    Node::of("type", "boolean")
}

/// A whole number, from the least on.
pub(super) fn number(least: u32) -> Node {
    Node::of("type", "integer").with("minimum", least)
}

/// A whole number, from the least to the most.
pub(super) fn number_to(least: u32, most: u32) -> Node {
    number(least).with("maximum", most)
}

/// Anything at all.
pub(super) fn anything() -> Node {
    Node(Map::new())
}

/// A list, which may be empty.
pub(super) fn list(item: Node) -> Node {
    Node::of("type", "array").with("items", item.value())
}

/// A list that holds something.
pub(super) fn some_of(item: Node) -> Node {
    list(item).with("minItems", 1)
}

/// One that stands alone, or a list that holds something.
pub(super) fn one_or_some(item: Node) -> Node {
    any_of([item.clone(), some_of(item)])
}

/// One that stands alone, or a list, which may be empty.
pub(super) fn one_or_list(item: Node) -> Node {
    any_of([item.clone(), list(item)])
}

/// Whatever one of these is.
pub(super) fn any_of(nodes: impl IntoIterator<Item = Node>) -> Node {
    Node::of("anyOf", nodes.into_iter().map(Node::value).collect::<Value>())
}

/// What is defined under this name.
pub(super) fn defined(name: &str) -> Node {
    Node::of("$ref", format!("#/$defs/{name}"))
}

/// A mapping from keys of this form to values of one kind.
pub(super) fn map_of(key: Node, value: Node) -> Node {
    Node::of("type", "object").with("propertyNames", key.value()).with("additionalProperties", value.value())
}

/// A mapping that may hold these keys and no others.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys {
    properties: Map<String, Value>,
    required: Vec<&'static str>,
    one_of: Vec<&'static str>,
}

/// A mapping with no keys so far.
pub(super) fn keys() -> Keys {
    Keys::default()
}

impl Keys {
    /// May hold the key; the text says what it is for.
    pub(super) fn key(mut self, name: &str, node: Node, description: &str) -> Self {
        self.properties.insert(name.to_owned(), node.says(description).value());
        self
    }

    /// Must hold the key.
    pub(super) fn must(mut self, name: &'static str, node: Node, description: &str) -> Self {
        self.required.push(name);
        self.key(name, node, description)
    }

    /// Must hold one of these at least.
    pub(super) fn one_of(mut self, names: &[&'static str]) -> Self {
        self.one_of.extend(names);
        self
    }

    /// The mapping as a schema.
    pub(super) fn node(self) -> Node {
        let mut node = Node::of("type", "object").with("additionalProperties", false);
        node = node.with("properties", Value::Object(self.properties));
        if !self.required.is_empty() {
            node = node.with("required", self.required.into_iter().collect::<Value>());
        }
        if !self.one_of.is_empty() {
            let each = self.one_of.iter().map(|name| json!({ "required": [name] }));
            node = node.with("anyOf", each.collect::<Value>());
        }
        node
    }
}

/// A whole document: what it is, and what is defined in it by name.
pub(super) fn document(
    id: &str,
    title: &str,
    root: Node,
    defined: impl IntoIterator<Item = (&'static str, Node)>,
) -> Value {
    let defined = defined.into_iter().map(|(name, node)| (name.to_owned(), node.value()));
    root.with("$schema", DRAFT)
        .with("$id", id)
        .with("title", title)
        .with("$defs", Value::Object(defined.collect()))
        .value()
}
