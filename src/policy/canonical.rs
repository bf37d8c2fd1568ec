//! The canonical form of a bundle, which the digest is taken over.
//!
//! Aliases resolved and keys sorted; patterns as a list in their order, since that order means something. Comments, the
//! layout of files and the order of other keys leave no trace.

use serde_json::{Map, Value as Json, json};

use super::load::Section;
use super::pattern::Pattern;
use super::yaml::{Node, Value};

/// The canonical JSON of a bundle's sections.
pub(super) fn canonical(sections: &[Section<'_>]) -> Json {
    let mut bundle = Map::new();
    for section in sections {
        let value = match section.key {
            "services" => selectors(section.nodes.iter().copied(), service),
            "environments" => selectors(section.nodes.iter().copied(), Node::to_json),
            _ => {
                let mut merged = Json::Null;
                for node in &section.nodes {
                    merge(&mut merged, node.to_json());
                }
                merged
            }
        };
        bundle.insert(section.key.to_owned(), value);
    }
    Json::Object(bundle)
}

/// Two mappings become one; anything else stands by itself. Duplicates were refused before.
fn merge(into: &mut Json, value: Json) {
    match (into, value) {
        (Json::Object(into), Json::Object(value)) => into.extend(value),
        (into, value) => *into = value,
    }
}

fn service(node: &Node) -> Json {
    let mut json = node.to_json();
    if let (Some(fields), Some(environments)) = (json.as_object_mut(), node.get("environments")) {
        fields.insert("environments".to_owned(), selectors(std::iter::once(environments), Node::to_json));
    }
    json
}

/// Exact keys and the bare star as a mapping, patterns as a list of pairs.
fn selectors<'n>(nodes: impl Iterator<Item = &'n Node>, of: fn(&Node) -> Json) -> Json {
    let (mut exact, mut patterns) = (Map::new(), Vec::new());
    for node in nodes {
        let Value::Map(entries) = &node.value else { continue };
        for entry in entries {
            let ordered = entry.key.parse::<Pattern>().is_ok_and(|key| !key.is_exact() && !key.is_star());
            if ordered {
                patterns.push(json!([&*entry.key, of(&entry.node)]));
            } else {
                exact.insert(entry.key.to_string(), of(&entry.node));
            }
        }
    }
    json!({ "exact": exact, "patterns": patterns })
}
