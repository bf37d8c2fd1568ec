//! The results of the policy tests, as text, JSON and JUnit. Runs nothing.

use std::fmt::Write as _;

use serde::Serialize;

use crate::approval::case::Failure;
use crate::approval::case::coverage;
use crate::render;

/// The results of all cases. Serialised, it is the JSON output.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    schema: u32,
    pub(super) passed: usize,
    pub(super) failed: usize,
    /// The number of cases that the filter excluded.
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

#[derive(Debug, Serialize)]
pub(super) struct CaseReport {
    pub(super) file: String,
    pub(super) name: String,
    pub(super) line: u32,
    pub(super) passed: bool,
    pub(super) failures: Vec<Failure>,
    /// A remark that is not a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<String>,
    /// The failure in words, with its place. Coloured if stdout is.
    #[serde(skip)]
    pub(super) text: String,
    /// The same, without colour.
    #[serde(skip)]
    pub(super) plain: String,
}

impl Report {
    /// 100 if coverage was not measured.
    pub(super) fn percent_covered(&self) -> usize {
        self.coverage.as_ref().map_or(100, |coverage| coverage.percent)
    }

    /// The failures, the notes and the totals.
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

    /// The cases grouped by file. Relies on the cases of one file being adjacent.
    pub(super) fn junit(&self) -> Vec<render::junit::Suite> {
        let mut suites: Vec<render::junit::Suite> = Vec::new();
        for case in &self.cases {
            let junit = case.junit();
            match suites.last_mut() {
                Some(suite) if suite.file == case.file => suite.cases.push(junit),
                Some(_) | None => {
                    suites.push(render::junit::Suite { file: case.file.clone(), cases: vec![junit] });
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
