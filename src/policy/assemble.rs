//! Makes a policy of the trees of a bundle's files, and reports all that is wrong with it in one go.

use std::fmt::Display;
use std::str::FromStr;

use super::body::{Names, read_body, read_channel_list, read_rule_fields};
use super::calendar::read_calendars;
use super::canonical::digest;
use super::check::check;
use super::floor::{Floor, read_floor};
use super::load::Parsed;
use super::names::{read_channels, read_groups};
use super::pattern::Pattern;
use super::read::{Keys, Mention, Reader, Sourced, refused};
use super::selector::Selectors;
use super::service::{Layer, Service};
use super::setting::Field;
use super::yaml::{Entry, Node, Value};
use super::{Defaults, Policy};
use crate::finding::{Code, Finding, Findings, Span};

/// A policy with the trees that it was made of, which know every place.
pub(super) struct Assembled<'n> {
    /// `None` if a finding is an error.
    pub(super) policy: Option<Policy>,
    pub(super) sections: Vec<Section<'n>>,
    /// In the order in which they were reported.
    pub(super) findings: Findings,
    /// Empty unless the reader notes mentions.
    pub(super) mentions: Vec<Mention>,
}

/// One top-level key with its values from all files that have it.
pub(super) struct Section<'n> {
    pub(super) key: &'static str,
    pub(super) nodes: Vec<&'n Node>,
    pub(super) key_spans: Vec<Span>,
}

const TOP_KEYS: Keys = Keys {
    what: "a policy file",
    known: &["version", "groups", "channels", "calendars", "defaults", "environments", "services", "floor"],
};

/// Makes the policy of a parsed bundle.
pub(super) fn assemble<'n>(mut reader: Reader<'_>, parsed: &'n Parsed) -> Assembled<'n> {
    reader.findings = parsed.findings.clone();
    let reader = &mut reader;
    // A file that could not be read may hold `version`. An empty file holds nothing.
    let all_read = !reader.findings.has_errors();
    let sections = collect_sections(reader, &parsed.trees);
    let nodes = |key: &str| nodes(&sections, key);
    check_version(reader, sections.iter().find(|section| section.key == "version"), all_read);
    let groups = read_groups(reader, nodes("groups"));
    let channels = read_channels(reader, nodes("channels"));
    let calendars = read_calendars(reader, nodes("calendars"));
    let names = Names { groups, calendars, channels: channels.keys().cloned().collect() };
    let defaults = sections.iter().find(|section| section.key == "defaults");
    let defaults = defaults.map(|section| read_defaults(reader, section, &names)).unwrap_or_default();
    let environments =
        read_selectors(reader, nodes("environments"), "environment", |reader, entry| read_layer(reader, entry, &names));
    let services =
        read_selectors(reader, nodes("services"), "service", |reader, entry| read_service(reader, entry, &names));
    let floors = read_floors(reader, nodes("floor"));
    let digest = digest(&sections);
    let Names { groups, calendars, .. } = names;
    let policy = Policy { digest, defaults, environments, services, floors, groups, calendars, channels };
    check(reader, &policy, &sections);
    let findings = std::mem::take(&mut reader.findings);
    let policy = if findings.has_errors() { None } else { Some(policy) };
    Assembled { policy, sections, findings, mentions: reader.mentions.take().unwrap_or_default() }
}

/// The values of a top-level key, from all files that have it.
pub(super) fn nodes<'s, 'n>(sections: &'s [Section<'n>], key: &str) -> &'s [&'n Node] {
    sections.iter().find(|section| section.key == key).map(|section| section.nodes.as_slice()).unwrap_or_default()
}

fn collect_sections<'n>(reader: &mut Reader<'_>, roots: &'n [Node]) -> Vec<Section<'n>> {
    let mut sections: Vec<Section<'n>> =
        TOP_KEYS.known.iter().map(|key| Section { key, nodes: Vec::new(), key_spans: Vec::new() }).collect();
    for root in roots {
        if !reader.fields(root, &TOP_KEYS) {
            continue;
        }
        for section in &mut sections {
            if let Some(entry) = root.entry(section.key) {
                section.nodes.push(&entry.node);
                section.key_spans.push(entry.key_span);
            }
        }
    }
    sections.retain(|section| !section.nodes.is_empty());
    sections
}

fn check_version(reader: &mut Reader<'_>, section: Option<&Section<'_>>, all_read: bool) {
    let Some(section) = section else {
        if all_read {
            reader.report(
                Finding::of_bundle(Code::Version, "no file of the bundle has `version`")
                    .hint("write `version: 1` at the top of one file"),
            );
        }
        return;
    };
    for node in &section.nodes {
        if !matches!(node.value, Value::Integer(1)) {
            let message = format!("`version` is `{}`", reader.written(node));
            reader.report(Finding::at(Code::Version, node.span, message).hint("this engine reads `version: 1`"));
        }
    }
    if let [first, again, ..] = section.key_spans.as_slice() {
        reader.report(
            Finding::at(Code::Version, *again, "`version` is in a second file")
                .related(*first, "it is already here")
                .hint("keep it in one file"),
        );
    }
}

fn read_defaults(reader: &mut Reader<'_>, section: &Section<'_>, names: &Names) -> Defaults {
    const KEYS: Keys = Keys { what: "`defaults`", known: Field::DEFAULTS_KEYS };
    if let [first, again, ..] = section.key_spans.as_slice() {
        reader.report(
            Finding::at(Code::DuplicateName, *again, "`defaults` is in a second file")
                .related(*first, "it is already here")
                .hint("keep it in one file"),
        );
    }
    let Some(node) = section.nodes.first() else { return Defaults::default() };
    reader.fields(node, &KEYS);
    Defaults {
        body: read_rule_fields(reader, node, names),
        repository: read_texts(reader, node, "repository", Code::InvalidValue),
        branches: read_texts(reader, node, "branches", Code::InvalidPattern),
    }
}

/// Reads one level of selectors over all files.
fn read_selectors<T>(
    reader: &mut Reader<'_>,
    nodes: &[&Node],
    what: &str,
    mut read: impl FnMut(&mut Reader<'_>, &Entry) -> T,
) -> Selectors<T> {
    let entries = reader.entries_once(nodes, what);
    let mut selectors = Selectors::with_capacity(entries.len());
    for entry in entries {
        let value = read(reader, entry);
        match Pattern::of_names(&entry.key) {
            Ok(key) if !key.is_exact() || reader.check_name(entry, what) => selectors.add(key, value),
            Ok(_) => {}
            Err(error) => reader.report(refused(Code::InvalidPattern, entry.key_span, &error)),
        }
    }
    selectors
}

fn read_floors(reader: &mut Reader<'_>, nodes: &[&Node]) -> Vec<Floor> {
    let mut floors = Vec::new();
    for entry in reader.entries_once(nodes, "floor") {
        let source = reader.place(entry.key_span);
        match Pattern::of_names(&entry.key) {
            Ok(key) if !key.is_exact() || reader.check_name(entry, "environment") => {
                floors.push(read_floor(reader, &entry.node, key, source));
            }
            Ok(_) => {}
            Err(error) => reader.report(refused(Code::InvalidPattern, entry.key_span, &error)),
        }
    }
    floors
}

fn read_layer(reader: &mut Reader<'_>, entry: &Entry, names: &Names) -> Layer {
    Layer { source: reader.place(entry.key_span), body: read_body(reader, &entry.node, names) }
}

const SERVICE_KEYS: Keys =
    Keys { what: "a service", known: &["repository", "branches", "notify", "description", "environments"] };

fn read_service(reader: &mut Reader<'_>, entry: &Entry, names: &Names) -> Service {
    let node = &entry.node;
    let is_misplaced = |field: &&Entry| Field::KEYS.contains(&&*field.key) && &*field.key != "notify";
    if let Some(misplaced) = node.entries().iter().find(is_misplaced) {
        let message = format!("`{}` is a field of a rule, and a service has no rule fields of its own", misplaced.key);
        let hint = "write it under the service's `environments:`, e.g. `environments: { production: { … } }`";
        reader.report(Finding::at(Code::UnknownKey, misplaced.key_span, message).hint(hint));
    } else {
        reader.fields(node, &SERVICE_KEYS);
    }
    let environments: Vec<&Node> = node.get("environments").into_iter().collect();
    Service {
        source: reader.place(entry.key_span),
        repository: read_texts(reader, node, "repository", Code::InvalidValue),
        branches: read_texts(reader, node, "branches", Code::InvalidPattern),
        notify: node
            .get("notify")
            .and_then(|notify| read_channel_list(reader, notify, "notify", &names.channels))
            .unwrap_or_default(),
        description: node.get("description").and_then(|text| reader.text(text, "description")).map(Into::into),
        environments: read_selectors(reader, &environments, "environment", |reader, entry| {
            read_layer(reader, entry, names)
        }),
    }
}

/// A field with one or more texts, each of which parses as `T`.
fn read_texts<T: FromStr<Err: Display>>(
    reader: &mut Reader<'_>,
    node: &Node,
    key: &str,
    code: Code,
) -> Option<Sourced<Vec<T>>> {
    let entry = node.entry(key)?;
    let items = reader.one_or_list(&entry.node, key);
    let read: Vec<T> = items.iter().filter_map(|item| reader.parsed(item, key, code)).collect();
    let all_read = !items.is_empty() && read.len() == items.len();
    all_read.then(|| reader.sourced(read, entry.key_span))
}
