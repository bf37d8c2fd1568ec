//! Builds JSON Schema: mappings, texts with a pattern, one or several of something.
//!
//! Uses only keywords that draft 7 has as well, apart from `$defs`: editors differ in what they know of later drafts.

use serde_json::{Map, Value, json};

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

    /// Sets the description, which editors show.
    pub(super) fn says(self, description: &str) -> Self {
        self.with("description", description)
    }

    pub(super) fn default(self, value: impl Into<Value>) -> Self {
        self.with("default", value)
    }

    pub(super) fn examples(self, values: impl IntoIterator<Item = impl Into<Value>>) -> Self {
        self.with("examples", values.into_iter().map(Into::into).collect::<Value>())
    }

    /// Forbids these texts.
    pub(super) fn but(self, texts: &[&str]) -> Self {
        self.with("not", json!({ "enum": texts }))
    }

    /// Also allows `null`.
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

    pub(super) fn null() -> Self {
        Self::of("type", "null")
    }

    /// Requires at least one key.
    pub(super) fn with_some_key(self) -> Self {
        self.with("minProperties", 1)
    }

    pub(super) fn value(self) -> Value {
        Value::Object(self.0)
    }
}

pub(super) fn text() -> Node {
    Node::of("type", "string")
}

/// Text that is not empty.
pub(super) fn some_text() -> Node {
    text().with("minLength", 1)
}

/// Text that matches a regular expression, in the syntax that JavaScript and all others share.
pub(super) fn matching(pattern: &str) -> Node {
    text().with("pattern", pattern)
}

/// Text that matches both patterns.
pub(super) fn matching_both(pattern: &str, other: &str) -> Node {
    matching(pattern).with("allOf", json!([{ "pattern": other }]))
}

pub(super) fn words<'w>(words: impl IntoIterator<Item = &'w str>) -> Node {
    text().with("enum", words.into_iter().collect::<Value>())
}

pub(super) fn only(value: impl Into<Value>) -> Node {
    Node::of("const", value)
}

pub(super) fn flag() -> Node {
    Node::of("type", "boolean")
}

/// A whole number of at least this.
pub(super) fn number(least: u32) -> Node {
    Node::of("type", "integer").with("minimum", least)
}

pub(super) fn number_to(least: u32, most: u32) -> Node {
    number(least).with("maximum", most)
}

pub(super) fn anything() -> Node {
    Node(Map::new())
}

/// A list that may be empty.
pub(super) fn list(item: Node) -> Node {
    Node::of("type", "array").with("items", item.value())
}

/// A list that is not empty.
pub(super) fn some_of(item: Node) -> Node {
    list(item).with("minItems", 1)
}

/// One value alone, or a list that is not empty.
pub(super) fn one_or_some(item: Node) -> Node {
    any_of([item.clone(), some_of(item)])
}

/// One value alone, or a list that may be empty.
pub(super) fn one_or_list(item: Node) -> Node {
    any_of([item.clone(), list(item)])
}

pub(super) fn any_of(nodes: impl IntoIterator<Item = Node>) -> Node {
    Node::of("anyOf", nodes.into_iter().map(Node::value).collect::<Value>())
}

/// A reference to a definition.
pub(super) fn defined(name: &str) -> Node {
    Node::of("$ref", format!("#/$defs/{name}"))
}

/// A mapping whose keys and values have one form each.
pub(super) fn map_of(key: Node, value: Node) -> Node {
    Node::of("type", "object").with("propertyNames", key.value()).with("additionalProperties", value.value())
}

/// A mapping that allows these keys and no others.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys {
    properties: Map<String, Value>,
    required: Vec<&'static str>,
    one_of: Vec<&'static str>,
}

pub(super) fn keys() -> Keys {
    Keys::default()
}

impl Keys {
    /// Allows the key.
    pub(super) fn key(mut self, name: &str, node: Node, description: &str) -> Self {
        self.properties.insert(name.to_owned(), node.says(description).value());
        self
    }

    /// Requires the key.
    pub(super) fn must(mut self, name: &'static str, node: Node, description: &str) -> Self {
        self.required.push(name);
        self.key(name, node, description)
    }

    /// Requires at least one of these keys.
    pub(super) fn one_of(mut self, names: &[&'static str]) -> Self {
        self.one_of.extend(names);
        self
    }

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

/// A whole document with its named definitions.
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
