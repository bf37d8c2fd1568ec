//! Conditions of `when` and `except`: tests on facts, joined by and, or and not. Does not evaluate them.

mod read;

pub(crate) use read::{ConditionNames, read_condition};

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::approver::ApproverRef;
use super::calendar::Calendar;
use super::comparison::Comparison;
use super::path::PathPattern;
use super::pattern::{Pattern, read_patterns_of_names};
use super::pointer::Pointer;
use super::read::Place;
use crate::ident::TeamSlug;

/// The most keys that one condition may have, over all its parts.
pub const MAX_TERMS: usize = 64;
/// The most values that all keys of one condition may list.
pub const MAX_VALUES: usize = 1000;

/// When a part of a rule applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Is(Term),
}

/// One key of a condition, and where it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    pub test: Test,
    /// Where its key is written.
    pub source: Place,
}

/// A test on the facts. A list holds if one of its items does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// A changed file matches, by its old or its new name.
    Paths(Vec<PathPattern>),
    /// There are changed files, and all match. A renamed file matches by both names.
    OnlyPaths(Vec<PathPattern>),
    /// The pull request has the label, compared without case.
    Labels(Vec<Box<str>>),
    /// The base branch matches.
    Branch(Vec<Pattern>),
    /// Someone who opened, committed or pushed is among these.
    Authors(Vec<ApproverRef>),
    /// Everyone who opened, committed or pushed is among these.
    OnlyAuthors(Vec<ApproverRef>),
    /// `requestedBy` matches, without case, as logins are compared.
    Requester(#[serde(deserialize_with = "read_patterns_of_names")] Vec<Pattern>),
    /// The deployed version matches.
    Version(Vec<Pattern>),
    /// The sum of added and deleted lines.
    Lines(Comparison),
    /// Each pointer's value matches one of its patterns. A number or a boolean is compared as JSON writes it. The value is
    /// unknown if it is missing, `null`, a list or an object.
    Input(Vec<(Pointer, Vec<Pattern>)>),
    /// The current time is inside a calendar.
    Within(Vec<Arc<Calendar>>),
}

impl Condition {
    /// All tests, in the order in which they are written.
    #[must_use]
    pub fn terms(&self) -> Vec<&Term> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::terms).collect(),
            Self::Not(inner) => inner.terms(),
            Self::Is(term) => vec![term],
        }
    }

    /// The teams whose members must be known.
    #[must_use]
    pub fn teams(&self) -> Vec<&TeamSlug> {
        self.approvers().into_iter().flat_map(ApproverRef::teams).collect()
    }

    /// Everyone whom it lists.
    #[must_use]
    pub fn approvers(&self) -> Vec<&ApproverRef> {
        self.terms().into_iter().flat_map(|term| term.test.approvers()).collect()
    }

    /// Where it reads the execution's input.
    #[must_use]
    pub fn pointers(&self) -> Vec<&Pointer> {
        self.terms().into_iter().flat_map(|term| term.test.inputs()).map(|(pointer, _)| pointer).collect()
    }

    #[must_use]
    pub fn calendars(&self) -> Vec<&Arc<Calendar>> {
        self.terms().into_iter().flat_map(|term| term.test.calendars()).collect()
    }

    /// Whether the result depends on a pull request.
    #[must_use]
    pub fn needs_pull_request(&self) -> bool {
        self.terms().into_iter().any(|term| term.test.needs_pull_request())
    }

    /// Whether its text needs parentheses beside others.
    fn is_compound(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.len() > 1 || parts.iter().any(Self::is_compound),
            Self::Not(_) => false,
            Self::Is(term) => term.test.inputs().len() > 1,
        }
    }
}

impl Test {
    /// The key in YAML.
    #[must_use]
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Paths(_) => "paths",
            Self::OnlyPaths(_) => "only_paths",
            Self::Labels(_) => "labels",
            Self::Branch(_) => "branch",
            Self::Authors(_) => "authors",
            Self::OnlyAuthors(_) => "only_authors",
            Self::Requester(_) => "requester",
            Self::Version(_) => "version",
            Self::Lines(_) => "lines",
            Self::Input(_) => "input",
            Self::Within(_) => "within",
        }
    }

    /// Whether the result depends on a pull request.
    #[must_use]
    pub const fn needs_pull_request(&self) -> bool {
        match self {
            Self::Paths(_)
            | Self::OnlyPaths(_)
            | Self::Labels(_)
            | Self::Branch(_)
            | Self::Authors(_)
            | Self::OnlyAuthors(_)
            | Self::Lines(_) => true,
            Self::Requester(_) | Self::Version(_) | Self::Input(_) | Self::Within(_) => false,
        }
    }

    fn approvers(&self) -> &[ApproverRef] {
        if let Self::Authors(refs) | Self::OnlyAuthors(refs) = self { refs } else { &[] }
    }

    fn inputs(&self) -> &[(Pointer, Vec<Pattern>)] {
        if let Self::Input(inputs) = self { inputs } else { &[] }
    }

    fn calendars(&self) -> &[Arc<Calendar>] {
        if let Self::Within(calendars) = self { calendars } else { &[] }
    }

    /// The number of values.
    fn size(&self) -> usize {
        match self {
            Self::Paths(paths) | Self::OnlyPaths(paths) => paths.len(),
            Self::Labels(labels) => labels.len(),
            Self::Branch(patterns) | Self::Requester(patterns) | Self::Version(patterns) => patterns.len(),
            Self::Authors(refs) | Self::OnlyAuthors(refs) => refs.len(),
            Self::Lines(_) => 1,
            Self::Input(inputs) => inputs.iter().map(|(_, patterns)| patterns.len()).sum(),
            Self::Within(calendars) => calendars.len(),
        }
    }
}

impl fmt::Display for Condition {
    /// One line for people, such as ``paths `infra/iam/` and not labels `hotfix` ``.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |f: &mut fmt::Formatter<'_>, part: &Self| {
            if part.is_compound() { write!(f, "({part})") } else { part.fmt(f) }
        };
        let (parts, word) = match self {
            Self::All(parts) => (parts, " and "),
            Self::Any(parts) => (parts, " or "),
            Self::Not(inner) => {
                f.write_str("not ")?;
                return part(f, inner);
            }
            Self::Is(term) => return term.test.fmt(f),
        };
        if let [only] = parts.as_slice() {
            return only.fmt(f);
        }
        for (i, inner) in parts.iter().enumerate() {
            f.write_str(if i == 0 { "" } else { word })?;
            part(f, inner)?;
        }
        Ok(())
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Paths(paths) => in_words(f, "paths", paths),
            Self::OnlyPaths(paths) => in_words(f, "only paths", paths),
            Self::Labels(labels) => in_words(f, "labels", labels),
            Self::Branch(patterns) => in_words(f, "branch", patterns),
            Self::Authors(refs) => in_words(f, "authors", refs),
            Self::OnlyAuthors(refs) => in_words(f, "only authors", refs),
            Self::Requester(patterns) => in_words(f, "requester", patterns),
            Self::Version(patterns) => in_words(f, "version", patterns),
            Self::Lines(comparison) => in_words(f, "lines", [comparison]),
            Self::Input(inputs) => {
                for (i, (pointer, patterns)) in inputs.iter().enumerate() {
                    f.write_str(if i == 0 { "" } else { " and " })?;
                    in_words(f, &format!("input `{pointer}` being"), patterns)?;
                }
                Ok(())
            }
            Self::Within(calendars) => in_words(f, "within", calendars.iter().map(|calendar| calendar.name())),
        }
    }
}

/// What is tested, and its values in backticks.
fn in_words(
    f: &mut fmt::Formatter<'_>,
    what: &str,
    values: impl IntoIterator<Item = impl fmt::Display>,
) -> fmt::Result {
    f.write_str(what)?;
    for (i, value) in values.into_iter().enumerate() {
        write!(f, "{} `{value}`", if i == 0 { "" } else { "," })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
