//! Findings as text with the place underlined, and as the JSON of `check`.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde_json::{Value, json};

use super::visible;
use crate::finding::{Finding, Findings, Severity, SourceMap, Span, Waived};
use crate::ident::PolicyDigest;

/// How many bytes of a line are printed before the place, and from its beginning. The renderer itself fits lines to a
/// terminal; these limits are for far longer lines.
const BEFORE: usize = 400;
const FROM: usize = 200;

/// Every finding with its place underlined, like the messages of a compiler. Empty if there are no findings.
///
/// Prints one line of the file for each place, and of a long line only the text around the place.
#[must_use]
pub fn text(findings: &Findings, sources: &SourceMap, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut text = String::new();
    for finding in findings {
        text.push_str(&renderer.render(&[group(finding, sources)]));
        text.push_str("\n\n");
    }
    text
}

/// The numbers of findings, such as `2 errors, 1 warning`. Notes are counted if there are any.
#[must_use]
pub fn counted(findings: &Findings) -> String {
    let count = |severity, one: &str| {
        let number = findings.count(severity);
        format!("{number} {one}{}", if number == 1 { "" } else { "s" })
    };
    let mut text = format!("{}, {}", count(Severity::Error, "error"), count(Severity::Warning, "warning"));
    if findings.count(Severity::Note) > 0 {
        text.push_str(&format!(", {}", count(Severity::Note, "note")));
    }
    text
}

/// The JSON of `check`: the findings with their places, their numbers, and the digest of the policy if it is sound.
#[must_use]
pub fn json(findings: &Findings, sources: &SourceMap, digest: Option<&PolicyDigest>) -> Value {
    let each: Vec<Value> = findings.iter().map(|finding| one(finding, sources)).collect();
    json!({
        "schema": 1,
        "findings": each,
        "errors": findings.count(Severity::Error),
        "warnings": findings.count(Severity::Warning),
        "notes": findings.count(Severity::Note),
        "policy_digest": digest,
    })
}

/// The `waived` of `check`: each finding that would have been reported, with the `reason` that the policy gives.
#[must_use]
pub fn waived(waived: &[Waived], sources: &SourceMap) -> Value {
    let each = waived.iter().map(|waived| {
        let mut json = one(&waived.finding, sources);
        if let Some(finding) = json.as_object_mut() {
            finding.insert("reason".to_owned(), waived.reason.as_str().into());
        }
        json
    });
    each.collect()
}

fn one(finding: &Finding, sources: &SourceMap) -> Value {
    let place = finding.span.map(|span| (sources.name(span.source), sources.location(span)));
    let related: Vec<Value> = finding
        .related
        .iter()
        .map(|related| {
            json!({
                "file": sources.name(related.span.source),
                "line": related.span.line,
                "column": related.span.column,
                "message": related.message,
            })
        })
        .collect();
    json!({
        "code": finding.code,
        "severity": finding.severity(),
        "message": finding.message,
        "hint": finding.hint,
        "file": place.map(|(file, _)| file),
        "line": place.map(|(_, at)| at.line),
        "column": place.map(|(_, at)| at.column),
        "end_line": place.map(|(_, at)| at.end_line),
        "end_column": place.map(|(_, at)| at.end_column),
        "related": related,
    })
}

fn group(finding: &Finding, sources: &SourceMap) -> Group<'static> {
    let level = match finding.severity() {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(visible(&finding.message)).id(finding.code.as_str());
    let mut group = Group::with_title(title);
    if let Some(span) = finding.span {
        group = place(group, sources, span, None);
    }
    for related in &finding.related {
        group = place(group, sources, related.span, Some(&related.message));
    }
    match &finding.hint {
        Some(hint) => group.element(Level::HELP.message(visible(hint))),
        None => group,
    }
}

/// Adds `--> file:line:column`, and the line with the place underlined unless it is empty.
fn place(group: Group<'static>, sources: &SourceMap, span: Span, label: Option<&str>) -> Group<'static> {
    let wide = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    let (file, line) = (visible(sources.name(span.source)), wide(span.line));
    let excerpt = Excerpt::new(sources, span);
    let origin = Origin::path(file.clone()).line(line).char_column(wide(span.column));
    if excerpt.text.trim().is_empty() {
        let group = group.element(origin);
        return match label {
            Some(label) => group.element(Level::NOTE.message(visible(label))),
            None => group,
        };
    }
    let annotation = match label {
        Some(label) => AnnotationKind::Context.span(excerpt.marked).label(visible(label)),
        None => AnnotationKind::Primary.span(excerpt.marked),
    };
    let snippet = Snippet::source(excerpt.text).line_start(line).annotation(annotation);
    // The renderer counts columns in the excerpt, which is right only if the excerpt is faithful.
    if excerpt.faithful { group.element(snippet.path(file)) } else { group.element(origin).element(snippet) }
}

/// The part of a line around a place, and the range of the place in it.
struct Excerpt {
    text: String,
    marked: Range<usize>,
    /// Whether the excerpt has as many characters before the place as the file.
    faithful: bool,
}

impl Excerpt {
    /// Reads only a bounded range of the text: a file may be one line of megabytes and have many findings.
    fn new(sources: &SourceMap, span: Span) -> Self {
        let text = sources.text(span.source);
        let place = sources.range(span);
        let boundary =
            |at: usize| (at.saturating_sub(3)..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
        let earliest = boundary(place.start.saturating_sub(BEFORE)).unwrap_or(0);
        let latest = boundary(place.start.saturating_add(FROM).min(text.len())).unwrap_or(text.len());
        let before = text.get(earliest..place.start).unwrap_or_default();
        let (before, cut_before) = match before.rsplit_once('\n') {
            Some((_, line)) => (line, false),
            None => (before, earliest > 0),
        };
        let from = text.get(place.start..latest).unwrap_or_default();
        let (line, cut_after) = match from.split_once('\n') {
            Some((line, _)) => (line.strip_suffix('\r').unwrap_or(line), false),
            None => (from, latest < text.len()),
        };
        let (inside, after) = line.split_at_checked(place.len()).unwrap_or((line, ""));
        // The renderer widens tabs itself, and counts each as one character.
        let printable = |text: &str| text.split('\t').map(visible).collect::<Vec<_>>().join("\t");
        let before_printable = printable(before);
        let faithful = !cut_before && before_printable.chars().count() == before.chars().count();
        let mut excerpt = String::from(if cut_before { "…" } else { "" });
        excerpt.push_str(&before_printable);
        let start = excerpt.len();
        excerpt.push_str(&printable(inside.trim_end()));
        let marked = start..excerpt.len();
        excerpt.push_str(&printable(line.get(inside.trim_end().len()..inside.len()).unwrap_or_default()));
        excerpt.push_str(&printable(after));
        if cut_after {
            excerpt.push('…');
        }
        Self { text: excerpt, marked, faithful }
    }
}
