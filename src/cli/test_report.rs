//! What the policy tests came to, as text, as JSON, and as JUnit has it. Runs nothing.

use std::fmt::Write as _;

use serde::Serialize;

use crate::approval::case::Failure;
use crate::approval::case::coverage;
use crate::render;

/// The results of all cases, in the form that programs read.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    schema: u32,
    pub(super) passed: usize,
    pub(super) failed: usize,
    /// How many a filter has left out.
    pub(super) left_out: usize,
    pub(super) cases: Vec<CaseReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) coverage: Option<coverage::Report>,
}

impl Default for Report {
    fn default() -> Self {
        Self { schema: 1, passed: 0, failed: 0, left_out: 0, cases: Vec::new(), coverage: None }
    }
}

/// The result of one case.
#[derive(Debug, Serialize)]
pub(super) struct CaseReport {
    pub(super) file: String,
    pub(super) name: String,
    pub(super) line: u32,
    pub(super) passed: bool,
    pub(super) failures: Vec<Failure>,
    /// What is no failure, and worth knowing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<String>,
    /// For people: where it stands, and what is said about it.
    #[serde(skip)]
    pub(super) text: String,
    /// The same without colour.
    #[serde(skip)]
    pub(super) plain: String,
}

impl Report {
    /// How much of the policy is covered; all of it, where nobody asked.
    pub(super) fn percent_covered(&self) -> usize {
        self.coverage.as_ref().map_or(100, |coverage| coverage.percent)
    }

    /// What failed, what else is worth knowing, and the numbers.
    pub(super) fn text(&self) -> String {
        let mut text: String = self.cases.iter().map(|case| case.text.as_str()).collect();
        for note in self.cases.iter().filter_map(|case| case.note.as_ref()) {
            let _ = writeln!(text, "note: {note}");
        }
        let left_out = if self.left_out > 0 { format!(", {} left out", self.left_out) } else { String::new() };
        let _ = writeln!(text, "{} passed, {} failed{left_out}", self.passed, self.failed);
        if let Some(coverage) = &self.coverage {
            text.push('\n');
            text.push_str(&render::coverage::text(coverage));
        }
        text
    }

    /// The cases file by file: those of one file follow each other.
    pub(super) fn junit(&self) -> Vec<render::junit::Suite> {
        let mut suites: Vec<render::junit::Suite> = Vec::new();
        for case in &self.cases {
            let shown = case.junit();
            match suites.last_mut() {
                Some(suite) if suite.file == case.file => suite.cases.push(shown),
                Some(_) | None => {
                    suites.push(render::junit::Suite { file: case.file.clone(), cases: vec![shown] });
                }
            }
        }
        suites
    }
}

impl CaseReport {
    fn junit(&self) -> render::junit::Case {
        let message = match self.failures.as_slice() {
            [] => None,
            [one] => Some(render::case::in_a_line(one)),
            [first, rest @ ..] => Some(format!("{} (and {} more)", render::case::in_a_line(first), rest.len())),
        };
        let failure = message.map(|message| render::junit::Failure { message, text: self.plain.clone() });
        render::junit::Case { name: self.name.clone(), line: self.line, failure }
    }
}
