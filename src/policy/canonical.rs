//! The canonical form of a bundle: JSON, over which the digest is computed.
//!
//! Aliases are resolved and keys are sorted. Patterns are a list in their order, since their order has a meaning. The
//! digest does not depend on comments, on the layout of files or on the order of other keys. The form is written into
//! the hash piece by piece, and is never held as a whole.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::assemble::Section;
use super::pattern::is_ordered;
use super::yaml::{Entry, Node, Value, entries};
use crate::ident::{DigestWriter, PolicyDigest};

/// The digest over the canonical JSON of a bundle's sections.
pub(super) fn digest(sections: &[Section<'_>]) -> PolicyDigest {
    let mut writer = std::io::BufWriter::new(DigestWriter::default());
    // Writing into a hash never fails, nor do the forms below.
    let written = serde_json::to_writer(&mut writer, &Bundle(sections)).map_err(std::io::Error::from);
    let hashed = written.and_then(|()| writer.into_inner().map_err(std::io::IntoInnerError::into_error));
    hashed.unwrap_or_default().finish()
}

struct Bundle<'s, 'n>(&'s [Section<'n>]);

/// A part of a bundle, and how it is written.
#[derive(Clone, Copy)]
enum Form<'n> {
    /// As it is, with mappings sorted by key.
    Plain(&'n Node),
    /// The mappings of all files as one.
    Merged(&'n [&'n Node]),
    /// A service: its field `environments` is a level of selectors.
    Service(&'n Node),
    /// The environments of a service.
    Environments(&'n Node),
    /// A level of selectors over all files.
    Level(Level<'n>),
    /// Its exact keys and the bare star.
    Exact(Level<'n>),
    /// Its patterns as pairs.
    Patterns(Level<'n>),
}

#[derive(Clone, Copy)]
struct Level<'n> {
    nodes: &'n [&'n Node],
    of: fn(&Node) -> Form<'_>,
}

impl Serialize for Bundle<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sections: Vec<&Section<'_>> = self.0.iter().collect();
        sections.sort_unstable_by_key(|section| section.key);
        serializer.collect_map(sections.into_iter().map(|section| {
            let nodes = section.nodes.as_slice();
            let form = match section.key {
                "services" => Form::Level(Level { nodes, of: |node| Form::Service(node) }),
                "environments" => Form::Level(Level { nodes, of: |node| Form::Plain(node) }),
                _ => Form::Merged(nodes),
            };
            (section.key, form)
        }))
    }
}

impl Serialize for Form<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Form::Plain(node) => match &node.value {
                Value::Null => serializer.serialize_unit(),
                Value::Bool(value) => serializer.serialize_bool(*value),
                Value::Integer(value) => serializer.serialize_i64(*value),
                Value::Float(value) => serializer.serialize_f64(*value),
                Value::Text(value) => serializer.serialize_str(value),
                Value::List(items) => serializer.collect_seq(items.iter().map(Form::Plain)),
                Value::Map(entries) => sorted(serializer, entries.iter(), |entry| Form::Plain(&entry.node)),
            },
            // Only mappings are merged. Anything else is in one file only, or was reported.
            Form::Merged(nodes) => match nodes.last() {
                Some(node) if !matches!(node.value, Value::Map(_)) => Form::Plain(node).serialize(serializer),
                Some(_) | None => sorted(serializer, entries(nodes), |entry| Form::Plain(&entry.node)),
            },
            Form::Service(node) => {
                let Value::Map(fields) = &node.value else { return Form::Plain(node).serialize(serializer) };
                sorted(serializer, fields.iter(), |field| match &*field.key {
                    "environments" => Form::Environments(&field.node),
                    _ => Form::Plain(&field.node),
                })
            }
            Form::Environments(node) => {
                Form::Level(Level { nodes: &[node], of: |node| Form::Plain(node) }).serialize(serializer)
            }
            Form::Level(level) => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("exact", &Form::Exact(level))?;
                map.serialize_entry("patterns", &Form::Patterns(level))?;
                map.end()
            }
            Form::Exact(Level { nodes, of }) => {
                sorted(serializer, entries(nodes).filter(|entry| !is_ordered(&entry.key)), |entry| of(&entry.node))
            }
            Form::Patterns(Level { nodes, of }) => {
                let patterns = entries(nodes).filter(|entry| is_ordered(&entry.key));
                serializer.collect_seq(patterns.map(|entry| (&*entry.key, of(&entry.node))))
            }
        }
    }
}

/// A mapping in the order of its keys. No key appears twice: that was refused before.
fn sorted<'n, S: Serializer>(
    serializer: S,
    entries: impl Iterator<Item = &'n Entry>,
    form: impl Fn(&'n Entry) -> Form<'n>,
) -> Result<S::Ok, S::Error> {
    let mut entries: Vec<&Entry> = entries.collect();
    entries.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    serializer.collect_map(entries.into_iter().map(|entry| (&*entry.key, form(entry))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value as Json, json};

    use super::super::assemble::Section;
    use super::super::pattern::Pattern;
    use super::super::yaml::{Node, Room, parse};
    use super::{Bundle, digest};
    use crate::finding::SourceId;
    use crate::ident::PolicyDigest;

    fn node(text: &str) -> Node {
        parse(SourceId(0), text, &mut Room::default()).unwrap()
    }

    fn section<'n>(key: &'static str, nodes: &[&'n Node]) -> Section<'n> {
        Section { key, nodes: nodes.to_vec(), key_spans: Vec::new() }
    }

    /// The form as a tree, made in the obvious, slower way: every key is parsed to see whether it is a pattern.
    fn selectors(nodes: &[&Node], of: fn(&Node) -> Json) -> Json {
        let (mut exact, mut patterns) = (Map::new(), Vec::new());
        for node in nodes {
            for entry in node.entries() {
                if entry.key.parse::<Pattern>().is_ok_and(|key| !key.is_exact() && !key.is_star()) {
                    patterns.push(json!([&*entry.key, of(&entry.node)]));
                } else {
                    exact.insert(entry.key.to_string(), of(&entry.node));
                }
            }
        }
        json!({ "exact": exact, "patterns": patterns })
    }

    fn service(node: &Node) -> Json {
        let mut json = node.to_json();
        if let (Some(fields), Some(environments)) = (json.as_object_mut(), node.get("environments")) {
            fields.insert("environments".to_owned(), selectors(&[environments], Node::to_json));
        }
        json
    }

    #[test]
    fn the_form_has_sorted_keys_and_ordered_patterns_over_all_files() {
        let (first, second) =
            (node("{b: {environments: {\"p*\": 1, a: 2}}, \"z-*\": 1}"), node("{a: ~, \"a-*\": [2]}"));
        let (one, other) = (node("{b: 1.5, a: \"\\n\"}"), node("{aa: true}"));
        let sections = [section("services", &[&first, &second]), section("groups", &[&one, &other])];
        let form = concat!(
            r#"{"groups":{"a":"\n","aa":true,"b":1.5},"#,
            r#""services":{"exact":{"a":null,"b":{"environments":{"exact":{"a":2},"patterns":[["p*",1]]}}},"#,
            r#""patterns":[["z-*",1],["a-*",[2]]]}}"#
        );
        assert_eq!(serde_json::to_string(&Bundle(&sections)).unwrap(), form);
        assert_eq!(digest(&sections), PolicyDigest::of(form.as_bytes()));
    }

    /// Trees whose keys are exact, patterns, and the one that has a meaning in a service.
    fn tree() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("~".to_owned()),
            Just("true".to_owned()),
            any::<i64>().prop_map(|number| number.to_string()),
            (-1e9..1e9).prop_map(|number: f64| format!("{number:?}")),
            any::<String>().prop_map(|text| json!(text).to_string()),
        ];
        let key = prop_oneof!["[ab]{1,2}", Just("*".to_owned()), "[ab]\\*", "/[ab]/", Just("environments".to_owned())];
        leaf.prop_recursive(4, 40, 5, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
                proptest::collection::vec((key.clone(), inner), 0..5).prop_map(|mut entries| {
                    let mut seen = std::collections::HashSet::new();
                    entries.retain(|(key, _)| seen.insert(key.clone()));
                    let entries: Vec<String> =
                        entries.iter().map(|(key, value)| format!("{}: {value}", json!(key))).collect();
                    format!("{{{}}}", entries.join(", "))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_hash_is_computed_over_the_form_as_a_tree(text in tree()) {
            let Ok(node) = parse(SourceId(0), &text, &mut Room::default()) else { return Ok(()) };
            let nodes = [&node];
            let sections = ["services", "environments", "groups"].map(|key| section(key, &nodes));
            let expected = json!({
                "services": selectors(&nodes, service),
                "environments": selectors(&nodes, Node::to_json),
                "groups": node.to_json(),
            });
            prop_assert_eq!(serde_json::to_string(&Bundle(&sections)).unwrap(), expected.to_string());
        }
    }
}
