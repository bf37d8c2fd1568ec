//! `countersign test`: runs the policy tests.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::args::{Format, Global};
use super::bundle::load_policy;
use super::test_files::read_test_files;
use super::{Exit, terminal};
use crate::approval::case::{self, Case, Failure, Suite, Suites};
use crate::finding::Findings;
use crate::policy::Policy;
use crate::render;

/// The arguments of `test`.
#[derive(Debug, clap::Args)]
pub struct TestArgs {
    /// Test files, or folders that are searched for `*.test.yaml`. Default: where the policy is.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// The results of all cases, in the form that programs read.
#[derive(Debug, Serialize)]
struct Report {
    schema: u32,
    passed: usize,
    failed: usize,
    cases: Vec<CaseReport>,
}

#[derive(Debug, Serialize)]
struct CaseReport {
    file: String,
    name: String,
    passed: bool,
    failures: Vec<Failure>,
    /// For people: where it stands, and what is said about it.
    #[serde(skip)]
    text: String,
}

pub(super) fn run(args: &TestArgs, global: &Global) -> anyhow::Result<Exit> {
    let files = read_test_files(&args.paths, &global.policy)?;
    let policy = load_policy(global)?;
    let report = run_all(&case::read(files), &policy);
    let exit = if report.failed > 0 || report.cases.is_empty() { Exit::TestFailed } else { Exit::Done };
    let places: Vec<&Path> = args.paths.iter().map(PathBuf::as_path).collect();
    let places = if places.is_empty() { vec![global.policy.as_path()] } else { places };
    print(&report, &places, global.format)?;
    Ok(exit)
}

fn run_all(suites: &Suites, policy: &Policy) -> Report {
    let mut cases = Vec::new();
    for suite in &suites.files {
        cases.extend(malformed(suites, suite));
        cases.extend(suite.cases.iter().map(|case| run_case(suite, case, policy)));
    }
    let passed = cases.iter().filter(|case| case.passed).count();
    Report { schema: 1, passed, failed: cases.len() - passed, cases }
}

fn run_case(suite: &Suite, case: &Case, policy: &Policy) -> CaseReport {
    let outcome = case.run(policy);
    let mut text = format!("FAILED {} {}\n", case.place, case.name);
    for Failure { path, expected, got } in &outcome.failures {
        let _ = writeln!(text, "    {path}: expected {expected}, got {got}");
    }
    let _ = writeln!(text, "    decided: {}: {}", outcome.decision.verdict.as_str(), outcome.decision.summary);
    CaseReport {
        file: suite.file.clone(),
        name: case.name.clone(),
        passed: outcome.failures.is_empty(),
        failures: outcome.failures,
        text,
    }
}

/// A file with findings is a failed case of its own: a test that cannot be read must not look like one that passes.
fn malformed(suites: &Suites, suite: &Suite) -> Option<CaseReport> {
    let mut findings = Findings::new();
    findings.extend(suites.findings_of(suite).cloned());
    if findings.is_empty() {
        return None;
    }
    let shown = render::finding::text(&findings, &suites.sources, terminal::stdout_color());
    let text = format!("FAILED {} cannot be read as a test file\n{shown}", suite.file);
    let mut failures = Vec::with_capacity(findings.len());
    for finding in &findings {
        let place = finding.span.map(|span| format!("{}:{}", span.line, span.column));
        failures.push(Failure {
            path: place.unwrap_or_default(),
            expected: finding.hint.clone().into(),
            got: finding.message.clone().into(),
        });
    }
    let name = "the file can be read as a test file".to_owned();
    Some(CaseReport { file: suite.file.clone(), name, passed: false, failures, text })
}

fn print(report: &Report, places: &[&Path], format: Format) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    match format {
        Format::Json => writeln!(out, "{}", serde_json::to_string(report)?)?,
        Format::Text => {
            for case in report.cases.iter().filter(|case| !case.passed) {
                write!(out, "{}", case.text)?;
            }
            writeln!(out, "{} passed, {} failed", report.passed, report.failed)?;
        }
    }
    if report.cases.is_empty() {
        let mut err = anstream::stderr().lock();
        let places: Vec<String> = places.iter().map(|path| format!("`{}`", path.display())).collect();
        writeln!(err, "there are no policy tests for {}: write some in `*.test.yaml`", places.join(", "))?;
    }
    Ok(())
}
