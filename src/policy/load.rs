//! Sources → a policy and everything that is wrong with it, in one go.

use std::collections::HashMap;

use super::body::{DEFAULTS_KEYS, Names, field, read_body, read_channel_list, read_rule_fields};
use super::calendar::read_calendars;
use super::canonical::digest;
use super::check::{Sections, check};
use super::floor::{Floor, read_floor};
use super::lint::{self, Look};
use super::mention::Mention;
use super::names::{read_channels, read_groups};
use super::pattern::Pattern;
use super::read::{Keys, Reader, refused};
use super::selector::Selectors;
use super::service::{Layer, RepositoryPattern, Service};
use super::setting::Field;
use super::yaml::{Entry, Node, Room, Value, parse};
use super::{Defaults, Policy};
use crate::finding::{Code, Finding, Findings, Source, SourceContent, SourceMap, Span};
use crate::ident::is_name;

/// The largest file that is read.
pub const MAX_FILE_BYTES: u64 = 4 << 20;
/// The largest bundle that is read.
pub const MAX_BUNDLE_BYTES: u64 = 16 << 20;

/// What came of loading a bundle.
#[derive(Debug)]
pub struct Loaded {
    /// The policy; none where there are errors.
    pub policy: Option<Policy>,
    /// All that was found, in the order of files and places.
    pub findings: Findings,
    /// The texts that the findings point into.
    pub sources: SourceMap,
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

/// Loads a bundle. The sources stand in the order of their names.
#[must_use]
pub fn load(bundle: Vec<Source>) -> Loaded {
    read(bundle, None, None)
}

/// Loads a bundle, and has a look at it while its tree is still there if it is sound. Notes whom it names, where that
/// is asked for.
pub(super) fn read(bundle: Vec<Source>, mut look: Option<&mut Look>, mentions: Option<&mut Vec<Mention>>) -> Loaded {
    let mut sources = SourceMap::default();
    let mut early = Findings::new();
    if bundle.is_empty() {
        early
            .push(Finding::of_bundle(Code::EmptyBundle, "there is no policy file here").hint(
                "a bundle is a file, or a folder with `*.yaml` files; `*.test.yaml` are tests and no part of it",
            ));
    }
    let texts = decode(bundle, &mut sources, &mut early);
    let (mut roots, mut room) = (Vec::new(), Room::default());
    for id in texts {
        match parse(id, sources.text(id), &mut room) {
            // An empty file holds no key, and does no harm.
            Ok(Node { value: Value::Null, .. }) => {}
            Ok(root) => {
                roots.push(root);
                look.iter_mut().for_each(|look| look.texts.push(id));
            }
            Err(finding) => early.push(finding),
        }
    }
    let mut reader = Reader::new(&sources);
    reader.findings = early;
    reader.mentions = mentions.is_some().then(Vec::new);
    let policy = assemble(&mut reader, &roots, look);
    if let (Some(mentions), Some(noted)) = (mentions, reader.mentions) {
        mentions.extend(noted);
    }
    let mut findings = reader.findings;
    findings.sort();
    let policy = if findings.has_errors() { None } else { policy };
    Loaded { policy, findings, sources }
}

/// Takes the readable texts into the map, and reports the rest.
pub(crate) fn decode(
    bundle: Vec<Source>,
    sources: &mut SourceMap,
    findings: &mut Findings,
) -> Vec<crate::finding::SourceId> {
    let mut ids = Vec::new();
    let mut left = MAX_BUNDLE_BYTES;
    for Source { name, content } in bundle {
        let mut refuse = |sources: &mut SourceMap, name, finding: Finding| {
            let source = sources.add(name, String::new());
            let span = Span { source, line: 1, column: 1, ..finding.span.unwrap_or_default() };
            findings.push(Finding { span: Some(span), ..finding });
        };
        let bytes = match content {
            SourceContent::Bytes(bytes) => bytes,
            SourceContent::TooLarge(size) => {
                refuse(sources, name, too_large(size));
                continue;
            }
            SourceContent::Unreadable(why) => {
                let message = format!("the file cannot be read: {why}");
                refuse(sources, name, Finding::of_bundle(Code::UnreadableFile, message));
                continue;
            }
        };
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if size > MAX_FILE_BYTES.min(left) {
            refuse(sources, name, too_large(size));
            continue;
        }
        left -= size;
        match String::from_utf8(bytes) {
            Ok(text) => ids.push(sources.add(name, text)),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let good = String::from_utf8_lossy(error.as_bytes().get(..at).unwrap_or_default()).into_owned();
                let line = u32::try_from(good.matches('\n').count() + 1).unwrap_or(u32::MAX);
                let column = good.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
                let source = sources.add(name, good);
                let column = u32::try_from(column).unwrap_or(u32::MAX);
                let start = u32::try_from(at).unwrap_or(u32::MAX);
                let message = format!("byte {at} is not UTF-8 text");
                let hint = "save the file as UTF-8";
                let span = Span { source, line, column, start, len: 0 };
                findings.push(Finding::at(Code::NotUtf8, span, message).hint(hint));
            }
        }
    }
    ids
}

fn too_large(size: u64) -> Finding {
    Finding::of_bundle(Code::TooLarge, format!("the file has {size} bytes, and was not read")).hint(format!(
        "a file may have {MAX_FILE_BYTES} bytes and the bundle {MAX_BUNDLE_BYTES}: split it into several files"
    ))
}

/// The policy of trees that were read before, with what a load would find.
pub(super) fn from_trees(sources: &SourceMap, roots: &[Node]) -> (Option<Policy>, Findings) {
    let mut reader = Reader::new(sources);
    let policy = assemble(&mut reader, roots, None);
    let findings = reader.findings;
    (policy.filter(|_| !findings.has_errors()), findings)
}

fn assemble(reader: &mut Reader<'_>, roots: &[Node], look: Option<&mut Look>) -> Option<Policy> {
    // `version` may stand in a file that could not be read; an empty file, though, says nothing.
    let all_read = !reader.findings.has_errors();
    let sections = collect_sections(reader, roots);
    let nodes = |key: &str| {
        sections.iter().find(|section| section.key == key).map(|section| section.nodes.clone()).unwrap_or_default()
    };
    check_version(reader, sections.iter().find(|section| section.key == "version"), all_read);
    let groups = read_groups(reader, &nodes("groups"));
    let channels = read_channels(reader, &nodes("channels"));
    let calendars = read_calendars(reader, &nodes("calendars"));
    let names = Names { groups, calendars, channels: channels.keys().cloned().collect() };
    let defaults = sections.iter().find(|section| section.key == "defaults");
    let defaults = defaults.map(|section| read_defaults(reader, section, &names)).unwrap_or_default();
    let environments = read_selectors(reader, &nodes("environments"), "environment", |reader, entry| {
        read_layer(reader, entry, &names)
    });
    let services =
        read_selectors(reader, &nodes("services"), "service", |reader, entry| read_service(reader, entry, &names));
    let floors = read_floors(reader, &nodes("floor"));
    let digest = digest(&sections);
    let Names { groups, calendars, .. } = names;
    let policy = Policy { digest, defaults, environments, services, floors, groups, calendars, channels };
    let of_rules =
        Sections { defaults: &nodes("defaults"), environments: &nodes("environments"), services: &nodes("services") };
    check(reader, &policy, &of_rules);
    if let Some(look) = look.filter(|_| !reader.findings.has_errors()) {
        lint::look(look, &policy, &sections);
    }
    Some(policy)
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
                Finding::of_bundle(Code::Version, "no file of the bundle says `version`")
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
            Finding::at(Code::Version, *again, "`version` stands in a second file")
                .related(*first, "it stands here already")
                .hint("keep it in one file"),
        );
    }
}

/// The entries of a section's mappings over all files, each name once; a second definition is reported.
pub(super) fn entries_once<'n>(reader: &mut Reader<'_>, nodes: &[&'n Node], what: &str) -> Vec<&'n Entry> {
    let mut kept = Vec::new();
    // No key stands twice in one mapping: the reader of YAML refuses that.
    if let [Node { value: Value::Map(entries), .. }] = nodes {
        kept.extend(entries);
        return kept;
    }
    let mut first: HashMap<&str, Span> = HashMap::new();
    for node in nodes {
        for entry in reader.map(node, &format!("{what}s")).unwrap_or_default() {
            if let Some(span) = first.get(&*entry.key) {
                reader.report(
                    Finding::at(
                        Code::DuplicateName,
                        entry.key_span,
                        format!("the {what} `{}` is defined twice", entry.key),
                    )
                    .related(*span, "it is defined here already")
                    .hint("keep one of the two, or join them"),
                );
                continue;
            }
            first.insert(&entry.key, entry.key_span);
            kept.push(entry);
        }
    }
    kept
}

pub(super) fn check_name(reader: &mut Reader<'_>, entry: &Entry, what: &str) -> bool {
    if is_name(&entry.key) {
        return true;
    }
    reader.report(
        Finding::at(Code::InvalidName, entry.key_span, format!("`{}` is not a name of a {what}", entry.key))
            .hint("a name is a letter or digit, then letters, digits, `.`, `_`, `/` or `-`, at most 128 characters"),
    );
    false
}

fn read_defaults(reader: &mut Reader<'_>, section: &Section<'_>, names: &Names) -> Defaults {
    const KEYS: Keys = Keys { what: "`defaults`", known: DEFAULTS_KEYS };
    if let [first, again, ..] = section.key_spans.as_slice() {
        reader.report(
            Finding::at(Code::DuplicateName, *again, "`defaults` stands in a second file")
                .related(*first, "it stands here already")
                .hint("keep it in one file"),
        );
    }
    let Some(node) = section.nodes.first() else { return Defaults::default() };
    reader.fields(node, &KEYS);
    Defaults {
        body: read_rule_fields(reader, node, names),
        repository: field(reader, node, "repository", read_repositories),
        branches: field(reader, node, "branches", read_branches),
    }
}

/// Reads one level of selectors over all files.
fn read_selectors<T>(
    reader: &mut Reader<'_>,
    nodes: &[&Node],
    what: &str,
    mut read: impl FnMut(&mut Reader<'_>, &Entry) -> T,
) -> Selectors<T> {
    let entries = entries_once(reader, nodes, what);
    let mut selectors = Selectors::with_capacity(entries.len());
    for entry in entries {
        let value = read(reader, entry);
        match entry.key.parse::<Pattern>() {
            Ok(key) if !key.is_exact() || check_name(reader, entry, what) => selectors.add(key, value),
            Ok(_) => {}
            Err(error) => reader.report(refused(Code::InvalidPattern, entry.key_span, &error)),
        }
    }
    selectors
}

/// The entries of `floor`, as written.
fn read_floors(reader: &mut Reader<'_>, nodes: &[&Node]) -> Vec<Floor> {
    let mut floors = Vec::new();
    for entry in entries_once(reader, nodes, "floor") {
        let source = reader.place(entry.key_span);
        match entry.key.parse::<Pattern>() {
            Ok(key) if !key.is_exact() || check_name(reader, entry, "environment") => {
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
    if let Value::Map(fields) = &node.value
        && let Some(misplaced) =
            fields.iter().find(|field| Field::KEYS.contains(&&*field.key) && &*field.key != "notify")
    {
        let message = format!("`{}` is a rule field, and a service holds none itself", misplaced.key);
        let hint = "write it under `environments:` of the service, e.g. `environments: { production: { … } }`";
        reader.report(Finding::at(Code::UnknownKey, misplaced.key_span, message).hint(hint));
    } else {
        reader.fields(node, &SERVICE_KEYS);
    }
    let environments: Vec<&Node> = node.get("environments").into_iter().collect();
    Service {
        source: reader.place(entry.key_span),
        repository: field(reader, node, "repository", read_repositories),
        branches: field(reader, node, "branches", read_branches),
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

fn read_repositories(reader: &mut Reader<'_>, node: &Node) -> Option<Vec<RepositoryPattern>> {
    let items = reader.one_or_list(node, "repository");
    let read: Vec<_> = items.iter().filter_map(|item| reader.parsed(item, "repository", Code::InvalidValue)).collect();
    (!items.is_empty() && read.len() == items.len()).then_some(read)
}

fn read_branches(reader: &mut Reader<'_>, node: &Node) -> Option<Vec<Pattern>> {
    let items = reader.one_or_list(node, "branches");
    let read: Vec<_> = items.iter().filter_map(|item| reader.parsed(item, "branches", Code::InvalidPattern)).collect();
    (!items.is_empty() && read.len() == items.len()).then_some(read)
}
