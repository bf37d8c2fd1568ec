//! GitHub's own schemas of deliveries, and the variants that they permit.
//!
//! A published example has one shape; the schema permits many. A variant of a payload lacks one field: it is null if the
//! field may be null, or absent if the field is optional.

use std::fmt;

use serde_json::{Map, Value, json};

/// The depth of varied fields: deeper than the owner of a head's repository.
const DEPTH: usize = 8;

/// A payload that lacks one field.
#[derive(Debug)]
pub(crate) struct Variant {
    /// The field, as a JSON pointer.
    pub(crate) pointer: String,
    pub(crate) without: Without,
    pub(crate) payload: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Without {
    Null,
    Absent,
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.pointer, self.without)
    }
}

pub(crate) struct Schemas(Map<String, Value>);

impl Schemas {
    pub(crate) fn github() -> Self {
        Self(serde_json::from_str(include_str!("../deliveries/schema.json")).expect("schemas by name"))
    }

    /// All variants of `payload` in one field that the schema of `name`, `event.action`, permits.
    pub(crate) fn variants(&self, name: &str, payload: &Value) -> Vec<Variant> {
        let mut found = Vec::new();
        self.walk(&self.alternatives(self.named(name)), payload, "", &mut found);
        let variant = |(pointer, without): (String, Without)| {
            let payload = vary(payload.clone(), &pointer, without);
            Variant { pointer, without, payload }
        };
        found.into_iter().map(variant).collect()
    }

    /// What GitHub's schema of `name`, `event.action`, finds wrong with `payload`.
    pub(crate) fn faults(&self, name: &str, payload: &Value) -> Vec<String> {
        let components = as_json_schema(&Value::Object(self.0.clone()));
        self.named(name);
        let schema = json!({
            "components": { "schemas": components },
            "allOf": [{ "$ref": format!("#/components/schemas/{name}") }],
        });
        let validator = jsonschema::draft4::new(&schema).unwrap_or_else(|error| panic!("{error}"));
        let fault = |error: jsonschema::ValidationError<'_>| format!("{name} {}: {error:.200}", error.instance_path());
        validator.iter_errors(payload).map(fault).collect()
    }

    fn named(&self, name: &str) -> &Value {
        self.0.get(name).unwrap_or_else(|| panic!("no schema of {name}"))
    }

    /// The schema, and all schemas that it refers to or consists of.
    fn alternatives<'a>(&'a self, schema: &'a Value) -> Vec<&'a Value> {
        if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
            return self.alternatives(self.named(name));
        }
        let parts = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|key| schema[key].as_array()).flatten();
        std::iter::once(schema).chain(parts.flat_map(|part| self.alternatives(part))).collect()
    }

    fn walk(&self, schemas: &[&Value], value: &Value, pointer: &str, found: &mut Vec<(String, Without)>) {
        if pointer.matches('/').count() >= DEPTH {
            return;
        }
        if let Some(first) = value.as_array().and_then(|items| items.first()) {
            let items: Vec<_> =
                schemas.iter().filter_map(|s| s.get("items")).flat_map(|s| self.alternatives(s)).collect();
            self.walk(&items, first, &format!("{pointer}/0"), found);
        }
        for (key, child) in value.as_object().into_iter().flatten() {
            let properties = schemas.iter().filter_map(|schema| schema["properties"].get(key));
            let properties: Vec<_> = properties.flat_map(|schema| self.alternatives(schema)).collect();
            if properties.is_empty() {
                continue;
            }
            let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
            if properties.iter().any(|schema| schema["nullable"] == true) && !child.is_null() {
                found.push((pointer.clone(), Without::Null));
            }
            let requires =
                |schema: &&Value| schema["required"].as_array().is_some_and(|keys| keys.iter().any(|k| k == key));
            if !schemas.iter().any(requires) {
                found.push((pointer.clone(), Without::Absent));
            }
            self.walk(&properties, child, &pointer, found);
        }
    }
}

/// OpenAPI 3.0 writes `nullable` where JSON Schema writes a type.
fn as_json_schema(node: &Value) -> Value {
    match node {
        Value::Array(items) => items.iter().map(as_json_schema).collect(),
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(key, _)| !matches!(key.as_str(), "nullable" | "discriminator"));
            let schema: Map<String, Value> = kept.map(|(key, value)| (key.clone(), as_json_schema(value))).collect();
            let nullable = fields.get("nullable") == Some(&Value::Bool(true));
            if nullable { json!({ "anyOf": [schema, { "type": "null" }] }) } else { Value::Object(schema) }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => node.clone(),
    }
}

fn vary(mut payload: Value, pointer: &str, without: Without) -> Value {
    match without {
        Without::Null => *payload.pointer_mut(pointer).expect("a field") = Value::Null,
        Without::Absent => remove(&mut payload, pointer),
    }
    payload
}

/// Removes the field at `pointer`.
pub(crate) fn remove(payload: &mut Value, pointer: &str) {
    let (parent, key) = pointer.rsplit_once('/').expect("a field");
    let object = payload.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object");
    object.remove(key).expect("a field of it");
}
