//! Loads a bundle: its texts are parsed to trees, and a policy is assembled of those. The lints, the mentions and a
//! prepared policy stand on the same two steps.

use super::Policy;
use super::assemble::{Assembled, assemble};
use super::read::Reader;
use super::yaml::{Node, Room, Value, parse};
use crate::finding::{Code, Finding, Findings, Source, SourceContent, SourceId, SourceMap, Span};

/// The largest file that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 4 << 20;
/// The largest bundle that is read, in bytes.
pub const MAX_BUNDLE_BYTES: u64 = 16 << 20;

/// What came of loading a bundle.
#[derive(Debug)]
pub struct Loaded {
    /// `None` if a finding is an error.
    pub policy: Option<Policy>,
    /// In the order of files and places.
    pub findings: Findings,
    /// The texts that the findings point into.
    pub sources: SourceMap,
}

/// Loads a bundle. The sources must be in the order of their names.
#[must_use]
pub fn load(bundle: Vec<Source>) -> Loaded {
    let parsed = Parsed::of(bundle);
    let Assembled { policy, findings, .. } = assemble(Reader::new(&parsed.sources), &parsed);
    Loaded::new(policy, findings, parsed.sources)
}

impl Loaded {
    pub(super) fn new(policy: Option<Policy>, mut findings: Findings, sources: SourceMap) -> Self {
        findings.sort();
        Self { policy, findings, sources }
    }
}

/// The trees of a bundle's files. What the keys mean is not known yet.
pub(super) struct Parsed {
    pub(super) sources: SourceMap,
    /// One for each file that is YAML and not empty.
    pub(super) trees: Vec<Node>,
    pub(super) findings: Findings,
}

impl Parsed {
    pub(super) fn of(bundle: Vec<Source>) -> Self {
        let mut parsed = Self { sources: SourceMap::default(), trees: Vec::new(), findings: Findings::new() };
        if bundle.is_empty() {
            parsed.findings.push(Finding::of_bundle(Code::EmptyBundle, "there is no policy file here").hint(
                "a bundle is a file, or a folder with `*.yaml` files; `*.test.yaml` files are tests and not part of it",
            ));
        }
        let mut room = Room::default();
        for id in decode(bundle, &mut parsed.sources, &mut parsed.findings) {
            match parse(id, parsed.sources.text(id), &mut room) {
                // An empty file holds no key, and does no harm.
                Ok(Node { value: Value::Null, .. }) => {}
                Ok(tree) => parsed.trees.push(tree),
                Err(finding) => parsed.findings.push(finding),
            }
        }
        parsed
    }
}

/// Takes the readable texts into the map, and reports the rest.
pub(crate) fn decode(bundle: Vec<Source>, sources: &mut SourceMap, findings: &mut Findings) -> Vec<SourceId> {
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
