//! Reads values with serde, in both forms that trees are stored in: YAML, and the JSON of `node_json`.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::tree::{Entry, Node, Value};

/// A form that trees are stored in.
pub(super) trait Form {
    /// A value with its place.
    type Node: DeserializeOwned + Into<Node>;
    type Key: DeserializeOwned;
    /// What follows a key.
    type Behind: DeserializeOwned;

    fn entry(key: Self::Key, behind: Self::Behind) -> Entry;

    /// A mapping of these entries.
    fn mapping<E: Error>(entries: Vec<Entry>) -> Result<Value, E>;

    /// A whole number that is larger than any `i64`.
    fn large<E: Error>(number: u64) -> Result<Value, E>;
}

/// A value that is stored in the form `F`.
pub(super) struct Stored<F> {
    pub(super) value: Value,
    form: PhantomData<F>,
}

impl<'de, F: Form> Deserialize<'de> for Stored<F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = deserializer.deserialize_any(ValueVisitor::<F>(PhantomData))?;
        Ok(Self { value, form: PhantomData })
    }
}

struct ValueVisitor<F>(PhantomData<F>);

impl<'de, F: Form> Visitor<'de> for ValueVisitor<F> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of a policy")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        i64::try_from(value).map_or_else(|_| F::large(value), |value| Ok(Value::Integer(value)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element::<F::Node>()? {
            items.push(item.into());
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, behind)) = access.next_entry::<F::Key, F::Behind>()? {
            entries.push(F::entry(key, behind));
        }
        F::mapping(entries)
    }
}
