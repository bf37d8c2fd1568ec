//! Problems in a policy, as data: what is wrong, where exactly, and how to fix it.
//!
//! Knows nothing of YAML or of policies: whoever reads a file reports here, and `render` prints it.

mod code;
mod levels;
mod source;
mod suggest;

pub use code::Code;
pub use levels::{Level, Levels, NotALint};
pub use source::{Location, Source, SourceContent, SourceId, SourceMap, Span};
pub use suggest::closest;

use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Note,
    Warning,
    /// The policy cannot be used.
    Error,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub code: Code,
    /// What is wrong, with what the user wrote in backticks.
    pub message: String,
    /// How to fix it.
    pub hint: Option<String>,
    /// `None` if the finding is about the bundle as a whole.
    pub span: Option<Span>,
    /// Other places that belong to the problem.
    pub related: Vec<Related>,
    /// The default of the code, unless [`Levels`] changed it.
    pub(crate) severity: Severity,
}

/// A lint that a comment in the policy waives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waived {
    /// The finding that would have been reported.
    pub finding: Finding,
    /// The reason, as the policy gives it.
    pub reason: String,
    /// The place of the comment.
    pub by: Span,
}

/// Another place that belongs to a problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    pub span: Span,
    pub message: String,
}

impl Finding {
    #[must_use]
    pub fn at(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { span: Some(span), ..Self::of_bundle(code, message) }
    }

    /// A finding about the bundle as a whole.
    #[must_use]
    pub fn of_bundle(code: Code, message: impl Into<String>) -> Self {
        let (message, severity) = (message.into(), code.severity());
        Self { code, message, hint: None, span: None, related: Vec::new(), severity }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    #[must_use]
    pub fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }

    #[must_use]
    pub fn related(mut self, span: Span, message: impl Into<String>) -> Self {
        self.related.push(Related { span, message: message.into() });
        self
    }

    #[must_use]
    pub const fn severity(&self) -> Severity {
        self.severity
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings(Vec<Finding>);

impl Findings {
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    pub fn push(&mut self, finding: Finding) {
        self.0.push(finding);
    }

    /// Sorts by file and place, and removes duplicates.
    pub fn sort(&mut self) {
        self.0.sort_by(|a, b| (a.span, a.code, &a.message).cmp(&(b.span, b.code, &b.message)));
        self.0.dedup();
    }

    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|finding| finding.severity() == Severity::Error)
    }

    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.0.iter().filter(|finding| finding.severity() == severity).count()
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Finding> {
        self.0.iter()
    }

    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl IntoIterator for Findings {
    type Item = Finding;
    type IntoIter = std::vec::IntoIter<Finding>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl FromIterator<Finding> for Findings {
    fn from_iter<I: IntoIterator<Item = Finding>>(findings: I) -> Self {
        Self(findings.into_iter().collect())
    }
}

impl<'f> IntoIterator for &'f Findings {
    type Item = &'f Finding;
    type IntoIter = std::slice::Iter<'f, Finding>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Extend<Finding> for Findings {
    fn extend<I: IntoIterator<Item = Finding>>(&mut self, findings: I) {
        self.0.extend(findings);
    }
}
