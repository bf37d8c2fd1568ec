//! Takes values out of a YAML tree. Reports each problem as a finding and reads on.
//!
//! Knows types, names and closed vocabularies in general, and no particular key.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use foldhash::fast::RandomState;
use serde::{Deserialize, Serialize};

use super::approver::UserRef;
use super::pattern::key_of_names;
use super::words::joined;
use super::yaml::{Entry, Node, Value};
use crate::finding::{Code, Finding, Findings, SourceId, SourceMap, Span, closest};
use crate::ident::{TeamSlug, is_name, quoted, serde_as_text};

/// Where a part of the policy is written, stored as `file:line`. A policy that was just loaded knows the exact span as
/// well. Two places are equal if file and line are.
#[derive(Debug, Clone)]
pub struct Place {
    file: Arc<str>,
    span: Span,
}

impl Place {
    /// `file` is relative to the bundle. Lines count from 1.
    #[must_use]
    pub fn new(file: Arc<str>, line: u32) -> Self {
        Self { file, span: Span { line, ..Span::default() } }
    }

    /// The place in the bundle. Only the line is set if the place was read back from `file:line`.
    pub(crate) const fn span(&self) -> Span {
        self.span
    }

    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    pub(crate) const fn line(&self) -> u32 {
        self.span.line
    }
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        (&self.file, self.span.line) == (&other.file, other.span.line)
    }
}

impl Eq for Place {}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.span.line)
    }
}

impl FromStr for Place {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (file, line) = text.rsplit_once(':').ok_or_else(|| format!("`{text}` is not `file:line`"))?;
        let line = line.parse().map_err(|_| format!("`{text}` is not `file:line`"))?;
        Ok(Self::new(file.into(), line))
    }
}

serde_as_text!(Place);

/// A value and where it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sourced<T> {
    pub value: T,
    pub source: Place,
}

/// An account or team that a bundle names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    pub named: Named,
    /// The YAML value with the name. It may hold more than that, e.g. `1 of leads, @dana`.
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// An account: `@login` in a requirement, or `login` in the `users` of a group.
    Account {
        user: UserRef,
        /// Whether it is written with `@`.
        with_at: bool,
    },
    Team(TeamSlug),
}

/// The keys of one kind of mapping.
pub(crate) struct Keys {
    /// The kind of mapping, for messages.
    pub(crate) what: &'static str,
    pub(crate) known: &'static [&'static str],
}

/// The most problems that are reported for one bundle.
const MAX_FINDINGS: usize = 1000;

/// Collects the problems while a bundle is read.
pub(crate) struct Reader<'s> {
    pub(crate) sources: &'s SourceMap,
    pub(crate) findings: Findings,
    /// `None` if mentions are not noted.
    pub(super) mentions: Option<Vec<Mention>>,
    files: Vec<Arc<str>>,
}

impl<'s> Reader<'s> {
    pub(crate) fn new(sources: &'s SourceMap) -> Self {
        Self { sources, findings: Findings::new(), mentions: None, files: Vec::new() }
    }

    /// A reader that notes whom the bundle names.
    pub(super) fn with_mentions(sources: &'s SourceMap) -> Self {
        Self { mentions: Some(Vec::new()), ..Self::new(sources) }
    }

    /// Notes whom the value at `span` names, if mentions are noted.
    pub(super) fn note(&mut self, span: Span, named: impl FnOnce() -> Named) {
        if let Some(mentions) = &mut self.mentions {
            mentions.push(Mention { named: named(), span });
        }
    }

    /// Keeps the first [`MAX_FINDINGS`] findings: each takes more memory than the text that it is about.
    pub(crate) fn report(&mut self, finding: Finding) {
        match self.findings.len().cmp(&MAX_FINDINGS) {
            Ordering::Less => self.findings.push(finding),
            Ordering::Equal => {
                let message = format!("there are more than {MAX_FINDINGS} problems, and the rest are not reported");
                self.findings.push(Finding::of_bundle(Code::TooManyFindings, message).hint("fix these first"));
            }
            Ordering::Greater => {}
        }
    }

    /// Whether no further problem will be reported.
    pub(crate) fn is_full(&self) -> bool {
        self.findings.len() > MAX_FINDINGS
    }

    pub(crate) fn place(&mut self, span: Span) -> Place {
        let index = usize::try_from(span.source.0).unwrap_or(0);
        while self.files.len() <= index {
            let id = SourceId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
            self.files.push(self.sources.name(id).into());
        }
        let file = self.files.get(index).cloned().unwrap_or_else(|| "".into());
        Place { file, span }
    }

    pub(crate) fn sourced<T>(&mut self, value: T, span: Span) -> Sourced<T> {
        Sourced { value, source: self.place(span) }
    }

    /// The start of the value as it is written in the file, to be quoted in a message.
    pub(crate) fn written(&self, node: &Node) -> String {
        let text = self.sources.text(node.span.source).get(self.sources.range(node.span)).unwrap_or_default();
        quoted(text.lines().next().unwrap_or_default())
    }

    pub(crate) fn wrong_type(&mut self, node: &Node, field: &str, expected: &str) {
        let kind = node.kind();
        let hint = match &node.value {
            Value::Null => format!("write a value after `{field}:`, or leave the key out"),
            Value::Integer(_) | Value::Float(_) | Value::Bool(_) if expected.starts_with("a text") => {
                format!("put it in quotes: `\"{}\"`", self.written(node))
            }
            Value::Integer(_) | Value::Float(_) | Value::Bool(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => {
                format!("`{field}` takes {expected}")
            }
        };
        let message = format!("`{field}` is {kind}, and must be {expected}");
        self.report(Finding::at(Code::WrongType, node.span, message).hint(hint));
    }

    /// The entries of a mapping; reports anything else.
    pub(crate) fn map<'n>(&mut self, node: &'n Node, field: &str) -> Option<&'n [Entry]> {
        if let Value::Map(entries) = &node.value {
            return Some(entries);
        }
        self.wrong_type(node, field, "a mapping");
        None
    }

    /// Returns whether the node is a mapping, and reports its unknown keys.
    pub(crate) fn fields(&mut self, node: &Node, keys: &Keys) -> bool {
        let Value::Map(entries) = &node.value else {
            let message = format!("{} is {}, and must be a mapping", keys.what, node.kind());
            self.report(
                Finding::at(Code::WrongType, node.span, message).hint(format!("it takes {}", list(keys.known))),
            );
            return false;
        };
        for entry in entries {
            if keys.known.contains(&&*entry.key) || self.is_full() {
                continue;
            }
            let (key, what) = (&entry.key, keys.what);
            let hint = did_you_mean(key, keys.known.iter().copied(), || format!("it takes {}", list(keys.known)));
            self.report(
                Finding::at(Code::UnknownKey, entry.key_span, format!("`{key}` is not a key of {what}")).hint(hint),
            );
        }
        true
    }

    /// The entries of a section's mappings over all files, each name once. Reports a second definition, also one whose
    /// name differs only in case.
    pub(super) fn entries_once<'n>(&mut self, nodes: &[&'n Node], what: &str) -> Vec<&'n Entry> {
        // No key appears twice in one mapping, as the YAML reader refuses that. Most mappings have few keys.
        if let [Node { value: Value::Map(entries), .. }] = nodes
            && entries.len() <= FEW_KEYS
            && !differ_in_case_only(entries)
        {
            return entries.iter().collect();
        }
        let mut kept = Vec::new();
        let mut first: HashMap<Cow<'n, str>, &'n Entry, RandomState> = HashMap::default();
        for node in nodes {
            for entry in self.map(node, &format!("{what}s")).unwrap_or_default() {
                let key = key_of_names(&entry.key);
                match first.get(&key) {
                    Some(defined) => self.report(defined_twice(defined, entry, what)),
                    None => {
                        first.insert(key, entry);
                        kept.push(entry);
                    }
                }
            }
        }
        kept
    }

    /// Returns whether the key is a name, and reports it if not.
    pub(super) fn check_name(&mut self, entry: &Entry, what: &str) -> bool {
        if is_name(&entry.key) {
            return true;
        }
        self.report(
            Finding::at(Code::InvalidName, entry.key_span, format!("`{}` is not a valid {what} name", entry.key)).hint(
                "a name is a letter or digit, then letters, digits, `.`, `_`, `/` or `-`, at most 128 characters",
            ),
        );
        false
    }

    /// The items of a list that is not empty; reports anything else.
    pub(crate) fn list<'n>(&mut self, node: &'n Node, field: &str) -> Option<&'n [Node]> {
        let Value::List(items) = &node.value else {
            self.wrong_type(node, field, "a list");
            return None;
        };
        if items.is_empty() {
            self.report(
                Finding::at(Code::EmptyList, node.span, format!("`{field}` is an empty list"))
                    .hint("name at least one, or leave the key out"),
            );
            return None;
        }
        Some(items)
    }

    pub(crate) fn text<'n>(&mut self, node: &'n Node, field: &str) -> Option<&'n str> {
        if let Value::Text(text) = &node.value {
            return Some(text);
        }
        self.wrong_type(node, field, "a text");
        None
    }

    pub(crate) fn bool(&mut self, node: &Node, field: &str) -> Option<bool> {
        if let Value::Bool(value) = node.value {
            return Some(value);
        }
        self.wrong_type(node, field, "`true` or `false`");
        None
    }

    /// A text that parses as `T`; reports anything else under `code`.
    pub(crate) fn parsed<T: FromStr<Err: fmt::Display>>(&mut self, node: &Node, field: &str, code: Code) -> Option<T> {
        let text = self.text(node, field)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.report(refused(code, node.span, &error));
                None
            }
        }
    }

    /// A word of a closed vocabulary; reports anything else.
    pub(crate) fn word<T: Copy>(&mut self, node: &Node, field: &str, words: &[(&'static str, T)]) -> Option<T> {
        let text = self.text(node, field)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let hint = did_you_mean(text, all.iter().copied(), || format!("it takes {}", list(&all)));
        self.report(
            Finding::at(Code::InvalidValue, node.span, format!("`{text}` is not a value of `{field}`")).hint(hint),
        );
        None
    }

    /// The items of a list, or the one text in place of a list. Reports anything else.
    pub(crate) fn one_or_list<'n>(&mut self, node: &'n Node, field: &str) -> Vec<&'n Node> {
        if matches!(node.value, Value::Text(_)) {
            return vec![node];
        }
        self.list(node, field).map(|items| items.iter().collect()).unwrap_or_default()
    }
}

/// Up to this many keys, comparing each with each is quicker than any hash.
const FEW_KEYS: usize = 8;

fn differ_in_case_only(entries: &[Entry]) -> bool {
    let same = |a: &Entry, b: &Entry| a.key.len() == b.key.len() && key_of_names(&a.key) == key_of_names(&b.key);
    entries.iter().enumerate().any(|(at, entry)| entries.iter().take(at).any(|other| same(entry, other)))
}

fn defined_twice(first: &Entry, again: &Entry, what: &str) -> Finding {
    let key = &again.key;
    let finding = if first.key == again.key {
        Finding::at(Code::DuplicateName, again.key_span, format!("the {what} `{key}` is defined twice"))
            .hint("keep one of the two, or join them")
    } else {
        let message = format!("the {what} `{key}` differs from `{}` only in case", first.key);
        Finding::at(Code::DuplicateName, again.key_span, message)
            .hint("keep one of the two, join them, or give one another name")
    };
    finding.related(first.key_span, "it is already defined here")
}

/// A parser's error as a finding. By our convention, what follows `: expected` in its text is the hint.
pub(crate) fn refused(code: Code, span: Span, error: &impl fmt::Display) -> Finding {
    let said = error.to_string();
    match said.rsplit_once(": expected ") {
        Some((wrong, right)) => Finding::at(code, span, wrong).hint(format!("write {right}")),
        None => Finding::at(code, span, said),
    }
}

/// A hint with the nearest of the known words, or `otherwise` if none is near.
pub(crate) fn did_you_mean<'w>(
    given: &str,
    known: impl IntoIterator<Item = &'w str>,
    otherwise: impl FnOnce() -> String,
) -> String {
    closest(given, known).map_or_else(otherwise, |near| format!("did you mean `{near}`?"))
}

/// `a`, `b` or `c`, for a message.
pub(crate) fn list(words: &[&str]) -> String {
    joined(words.iter().map(|word| format!("`{word}`")), "or")
}
