//! Takes values out of a YAML tree, and reports what does not fit instead of stopping at it.
//!
//! Knows types and closed vocabularies in general, and no particular key.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::mention::Mention;
use super::yaml::{Entry, Node, Value};
use crate::finding::{Code, Finding, Findings, SourceMap, Span, closest};
use crate::ident::serde_as_text;

/// `file:line`, where a part of the policy is written. While the bundle is at hand, the exact span as well; two places
/// are the same where file and line are.
#[derive(Debug, Clone)]
pub struct Place {
    file: Arc<str>,
    span: Span,
}

impl Place {
    /// The file, relative to the bundle, and the line in it, from 1.
    #[must_use]
    pub fn new(file: Arc<str>, line: u32) -> Self {
        Self { file, span: Span { line, ..Span::default() } }
    }

    /// Where in the bundle it was loaded from; of one that was read back only the line is known.
    pub(crate) const fn span(&self) -> Span {
        self.span
    }

    /// The file, relative to the bundle.
    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    /// The line in it, from 1.
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
    /// The value.
    pub value: T,
    /// Where.
    pub source: Place,
}

/// The keys of one kind of mapping.
pub(crate) struct Keys {
    /// What the mapping is, for messages.
    pub(crate) what: &'static str,
    pub(crate) known: &'static [&'static str],
}

/// The most problems that are told of one bundle.
const MAX_FINDINGS: usize = 1000;

/// Where problems go while a bundle is read.
pub(crate) struct Reader<'s> {
    pub(crate) sources: &'s SourceMap,
    pub(crate) findings: Findings,
    /// Whom the bundle names, where that is asked for.
    pub(super) mentions: Option<Vec<Mention>>,
    files: Vec<Arc<str>>,
}

impl<'s> Reader<'s> {
    pub(crate) fn new(sources: &'s SourceMap) -> Self {
        Self { sources, findings: Findings::new(), mentions: None, files: Vec::new() }
    }

    /// Keeps the finding; of a hopeless bundle's only the first, since each costs more memory than what it is about.
    pub(crate) fn report(&mut self, finding: Finding) {
        match self.findings.len().cmp(&MAX_FINDINGS) {
            Ordering::Less => self.findings.push(finding),
            Ordering::Equal => {
                let message = format!("there are more than {MAX_FINDINGS} problems, and the rest are not told");
                self.findings.push(Finding::of_bundle(Code::TooManyFindings, message).hint("mend these first"));
            }
            Ordering::Greater => {}
        }
    }

    /// Whether no further problem will be told.
    pub(crate) fn is_full(&self) -> bool {
        self.findings.len() > MAX_FINDINGS
    }

    /// The span as `file:line`.
    pub(crate) fn place(&mut self, span: Span) -> Place {
        let index = usize::try_from(span.source.0).unwrap_or(0);
        while self.files.len() <= index {
            let id = crate::finding::SourceId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
            self.files.push(self.sources.name(id).into());
        }
        let file = self.files.get(index).cloned().unwrap_or_else(|| "".into());
        Place { file, span }
    }

    pub(crate) fn sourced<T>(&mut self, value: T, span: Span) -> Sourced<T> {
        Sourced { value, source: self.place(span) }
    }

    /// The text as it stands in the file, to be repeated in a message.
    pub(crate) fn written(&self, node: &Node) -> String {
        let text = self.sources.text(node.span.source).get(self.sources.range(node.span)).unwrap_or_default();
        text.lines().next().unwrap_or_default().chars().take(60).collect()
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

    /// The entries of a mapping all of whose keys are known; reports the others.
    pub(crate) fn fields(&mut self, node: &Node, keys: &Keys) -> bool {
        let Value::Map(entries) = &node.value else {
            let message = format!("{} is {}, and must be a mapping", keys.what, node.kind());
            self.report(
                Finding::at(Code::WrongType, node.span, message).hint(format!("it takes {}", list(keys.known))),
            );
            return false;
        };
        for entry in entries {
            if keys.known.contains(&&*entry.key) || self.findings.len() > MAX_FINDINGS {
                continue;
            }
            let what = keys.what;
            let key = &entry.key;
            let hint = closest(key, keys.known.iter().copied())
                .map_or_else(|| format!("it takes {}", list(keys.known)), |near| format!("did you mean `{near}`?"));
            self.report(
                Finding::at(Code::UnknownKey, entry.key_span, format!("`{key}` is not a key of {what}")).hint(hint),
            );
        }
        true
    }

    /// The items of a list that must hold something; reports anything else.
    pub(crate) fn list<'n>(&mut self, node: &'n Node, field: &str) -> Option<&'n [Node]> {
        match &node.value {
            Value::List(items) if items.is_empty() => {
                self.report(
                    Finding::at(Code::EmptyList, node.span, format!("`{field}` is an empty list"))
                        .hint("name at least one, or leave the key out"),
                );
                None
            }
            Value::List(items) => Some(items),
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Text(_) | Value::Map(_) => {
                self.wrong_type(node, field, "a list");
                None
            }
        }
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

    /// A text of a type of its own; what does not parse is reported under the code.
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

    /// One word of a closed vocabulary.
    pub(crate) fn word<T: Copy>(&mut self, node: &Node, field: &str, words: &[(&'static str, T)]) -> Option<T> {
        let text = self.text(node, field)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let hint = closest(text, all.iter().copied())
            .map_or_else(|| format!("it takes {}", list(&all)), |near| format!("did you mean `{near}`?"));
        self.report(
            Finding::at(Code::InvalidValue, node.span, format!("`{text}` is not a value of `{field}`")).hint(hint),
        );
        None
    }

    /// Each item of a list, or one item that stands alone.
    pub(crate) fn one_or_list<'n>(&mut self, node: &'n Node, field: &str) -> Vec<&'n Node> {
        if matches!(node.value, Value::Text(_)) {
            return vec![node];
        }
        self.list(node, field).map(|items| items.iter().collect()).unwrap_or_default()
    }
}

/// A parser's error as a finding. By our convention the text ends in what would be right, behind `: expected`: the hint.
pub(crate) fn refused(code: Code, span: Span, error: &impl fmt::Display) -> Finding {
    let said = error.to_string();
    match said.rsplit_once(": expected ") {
        Some((wrong, right)) => Finding::at(code, span, wrong).hint(format!("write {right}")),
        None => Finding::at(code, span, said),
    }
}

/// `a`, `b` or `c`, for a message.
pub(crate) fn list(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}
