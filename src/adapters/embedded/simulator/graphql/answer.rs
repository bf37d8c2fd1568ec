//! Selects what a query asks for.

use serde_json::{Map, Value, json};

use super::Fault;
use super::fields::Reader;
use super::objects::{Found, Object, Page};
use super::parse::{Field, Selected, Selection};
use super::schema::{Query, definition, holds, is_abstract};

/// An answer in progress.
pub(super) struct Answer<'q, 'w> {
    query: Query<'q>,
    reader: &'w Reader<'w>,
    path: Vec<Value>,
    errors: Vec<Fault>,
}

/// A field of an answer. Its selections are those of all places that ask for it.
struct RequestedField<'q> {
    field: &'q Field,
    selections: Vec<&'q [Selection]>,
}

impl<'q, 'w> Answer<'q, 'w> {
    pub(super) fn new(query: Query<'q>, reader: &'w Reader<'w>) -> Self {
        Self { query, reader, path: Vec::new(), errors: Vec::new() }
    }

    /// What is missing in the answer.
    pub(super) fn errors(&self) -> &[Fault] {
        &self.errors
    }

    /// The selected fields of an object of that type.
    pub(super) fn select(
        &mut self,
        object: &Object<'w>,
        kind: &'static str,
        selections: &[&'q [Selection]],
    ) -> Result<Value, Fault> {
        let mut asked = Vec::new();
        for selections in selections {
            self.collect(selections, kind, &mut asked);
        }
        let mut fields = Map::new();
        for RequestedField { field, selections } in asked {
            self.path.push(json!(field.key));
            let value = self.field(object, kind, field, &selections)?;
            self.path.pop();
            fields.insert(field.key.clone(), value);
        }
        Ok(Value::Object(fields))
    }

    fn collect(&self, selections: &'q [Selection], kind: &str, asked: &mut Vec<RequestedField<'q>>) {
        for selection in selections.iter().filter(|selection| self.query.is_answered(selection)) {
            let fragment = match &selection.what {
                Selected::Field(field) => {
                    match asked.iter_mut().find(|asked| asked.field.key == field.key) {
                        Some(known) => known.selections.push(&field.selections),
                        None => asked.push(RequestedField { field, selections: vec![&field.selections] }),
                    }
                    continue;
                }
                Selected::Inline(fragment) => Some(fragment),
                Selected::Spread(name) => self.query.fragment(name),
            };
            let fragment = fragment.filter(|fragment| fragment.on.as_ref().is_none_or(|on| holds(on, kind)));
            if let Some(fragment) = fragment {
                self.collect(&fragment.selections, kind, asked);
            }
        }
    }

    fn field(
        &mut self,
        object: &Object<'w>,
        kind: &'static str,
        field: &'q Field,
        selections: &[&'q [Selection]],
    ) -> Result<Value, Fault> {
        if field.name == "__typename" {
            return Ok(json!(kind));
        }
        let arguments = self.query.arguments(field);
        let of = definition(kind, &field.name).and_then(|definition| definition.kind).unwrap_or_default();
        match self.reader.field(object, kind, &field.name, &arguments) {
            None => Err(self.fault("undefinedField", format!("The simulator lacks {kind}.{}", field.name))),
            Some(Found::Value(value)) => Ok(value),
            Some(Found::Missing(message)) => {
                let fault = self.fault("NOT_FOUND", message);
                self.errors.push(fault);
                Ok(Value::Null)
            }
            Some(Found::Object(None)) => Ok(Value::Null),
            Some(Found::Object(Some(object))) => self.object(&object, of, selections),
            Some(Found::List(objects)) => self.nodes(&objects, of, selections),
            Some(Found::Connection(objects)) => {
                let cursor = || self.fault("INVALID_CURSOR_ARGUMENTS", "`after` is not a valid cursor".to_owned());
                let page = Page::new(objects, &arguments).ok_or_else(cursor)?;
                self.object(&Object::Page(page), of, selections)
            }
        }
    }

    fn nodes(&mut self, nodes: &[Object<'w>], of: &'static str, asked: &[&'q [Selection]]) -> Result<Value, Fault> {
        let mut values = Vec::new();
        for (place, node) in nodes.iter().enumerate() {
            self.path.push(json!(place));
            values.push(self.object(node, of, asked)?);
            self.path.pop();
        }
        Ok(Value::Array(values))
    }

    fn object(&mut self, object: &Object<'w>, of: &'static str, asked: &[&'q [Selection]]) -> Result<Value, Fault> {
        let kind = if is_abstract(of) { object.kind() } else { of };
        self.select(object, kind, asked)
    }

    fn fault(&self, code: &'static str, message: String) -> Fault {
        Fault { code, message, path: self.path.clone() }
    }
}
