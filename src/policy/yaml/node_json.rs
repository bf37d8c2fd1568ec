//! A tree as JSON that is read quickly: every value in an array behind its place. Knows nothing of what the keys mean.

use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeSeq, Serializer};

use super::tree::{Entry, Node, Value, are_distinct};
use crate::finding::{SourceId, Span};

/// A value behind its place: `[line, column, start, length, value]`.
#[derive(Clone, Copy)]
pub(crate) struct NodeJson<'n>(pub(crate) &'n Node);

/// A value behind the place of its key and its own.
struct EntryJson<'n>(&'n Entry);

struct ValueJson<'n>(&'n Value);

impl Serialize for NodeJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(5))?;
        write_span(&mut seq, self.0.span)?;
        seq.serialize_element(&ValueJson(&self.0.value))?;
        seq.end()
    }
}

impl Serialize for EntryJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(9))?;
        write_span(&mut seq, self.0.key_span)?;
        write_span(&mut seq, self.0.node.span)?;
        seq.serialize_element(&ValueJson(&self.0.node.value))?;
        seq.end()
    }
}

fn write_span<S: SerializeSeq>(seq: &mut S, span: Span) -> Result<(), S::Error> {
    [span.line, span.column, span.start, span.len].iter().try_for_each(|number| seq.serialize_element(number))
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
            // In the order of the file: among patterns it means something.
            Value::Map(entries) => serializer.collect_map(entries.iter().map(|entry| (&*entry.key, EntryJson(entry)))),
        }
    }
}

/// Reads a value behind its place, of this file.
#[derive(Clone, Copy)]
pub(crate) struct Unpack(pub(crate) SourceId);

/// Reads a value behind the place of its key and its own.
#[derive(Clone, Copy)]
struct EntrySeed(SourceId);

#[derive(Clone, Copy)]
struct ValueSeed(SourceId);

impl<'de> DeserializeSeed<'de> for Unpack {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Unpack {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("four numbers and a value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let span = read_span(&mut seq, self.0)?;
        let node = Node { span, value: next(&mut seq, ValueSeed(self.0))? };
        end(&mut seq)?;
        Ok(node)
    }
}

impl<'de> DeserializeSeed<'de> for EntrySeed {
    type Value = (Span, Node);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(Span, Node), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for EntrySeed {
    type Value = (Span, Node);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("eight numbers and a value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(Span, Node), A::Error> {
        let (key_span, span) = (read_span(&mut seq, self.0)?, read_span(&mut seq, self.0)?);
        let node = Node { span, value: next(&mut seq, ValueSeed(self.0))? };
        end(&mut seq)?;
        Ok((key_span, node))
    }
}

fn read_span<'de, A: SeqAccess<'de>>(seq: &mut A, source: SourceId) -> Result<Span, A::Error> {
    let mut number = || next(seq, PhantomData::<u32>);
    Ok(Span { source, line: number()?, column: number()?, start: number()?, len: number()? })
}

fn next<'de, A: SeqAccess<'de>, T: DeserializeSeed<'de>>(seq: &mut A, seed: T) -> Result<T::Value, A::Error> {
    seq.next_element_seed(seed)?.ok_or_else(|| A::Error::custom("a place and a value end too soon"))
}

fn end<'de, A: SeqAccess<'de>>(seq: &mut A) -> Result<(), A::Error> {
    let more = seq.next_element::<IgnoredAny>()?;
    more.map_or(Ok(()), |_| Err(A::Error::custom("something follows a place and a value")))
}

impl<'de> DeserializeSeed<'de> for ValueSeed {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of a policy")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        i64::try_from(value).map(Value::Integer).map_err(|_| E::custom(format!("{value} is too large")))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Unpack(self.0))? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries: Vec<Entry> = Vec::new();
        while let Some(key) = map.next_key::<Box<str>>()? {
            let (key_span, node) = map.next_value_seed(EntrySeed(self.0))?;
            entries.push(Entry { key, key_span, node });
        }
        if !are_distinct(&entries) {
            return Err(A::Error::custom("a key stands twice in one mapping"));
        }
        Ok(Value::Map(entries))
    }
}
