//! `countersign test`: runs the policy tests.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::bundle::{PolicyArgs, load_policy};
use super::exit::Exit;
use super::format::{Format, FormatArgs};
use super::terminal;
use super::test_files::read_test_files;
use super::test_report::{CaseReport, Report};
use crate::approval::case::coverage::Coverage;
use crate::approval::case::{self, Case, Failure, Suite, Suites};
use crate::finding::Findings;
use crate::policy::{Pattern, Policy};
use crate::render;

#[derive(Debug, clap::Args)]
pub struct TestArgs {
    /// Test files, or folders to search for `*.test.yaml` [default: the policy's folder].
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Run only the cases whose `FILE › NAME` contains this text, or matches this glob. Ignores case. May be given
    /// several times: a case runs if one of them matches.
    #[arg(long, value_name = "TEXT")]
    filter: Vec<String>,
    /// Also write the results as JUnit XML, for a continuous integration system.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Report which services, environments and requirements no case exercises.
    #[arg(long)]
    coverage: bool,
    /// Fail if the cases cover less of the policy than this, in per cent.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    min_coverage: Option<u8>,
    #[command(flatten)]
    pub output: FormatArgs,
    #[command(flatten)]
    pub policy: PolicyArgs,
}

pub(super) fn run(args: &TestArgs) -> anyhow::Result<Exit> {
    let policy_path = args.policy.path.as_path();
    let files = read_test_files(&args.paths, policy_path)?;
    let policy = load_policy(policy_path)?;
    let suites = case::read(files);
    let mut coverage = (args.coverage || args.min_coverage.is_some()).then(|| Coverage::new(&policy));
    let mut report = run_all(&suites, &Filter::new(&args.filter), &policy, coverage.as_mut());
    report.coverage = coverage.map(|coverage| coverage.report());
    if let Some(path) = &args.junit {
        write_junit(path, &report)?;
    }
    match args.output.format {
        Format::Json => terminal::print_json(&report)?,
        Format::Text => terminal::print(&report.text())?,
    }
    let too_little = args.min_coverage.filter(|least| report.percent_covered() < usize::from(*least));
    let exit = if report.failed > 0 || report.cases.is_empty() || too_little.is_some() {
        Exit::TestFailed
    } else {
        Exit::Done
    };
    if report.cases.is_empty() {
        terminal::eprint(&nothing_run(args, policy_path, report.left_out));
    }
    if let Some(least) = too_little {
        let percent = report.percent_covered();
        terminal::eprint(&format!("{percent} % of the policy is covered; at least {least} % is required\n"));
    }
    Ok(exit)
}

/// Which cases run.
struct Filter {
    texts: Vec<String>,
    globs: Vec<Pattern>,
}

impl Filter {
    fn new(texts: &[String]) -> Self {
        let texts: Vec<String> = texts.iter().map(|text| text.to_lowercase()).collect();
        let globs = texts.iter().filter(|text| text.contains(['*', '?']) && !text.starts_with('/'));
        Self { globs: globs.filter_map(|text| text.parse().ok()).collect(), texts }
    }

    fn lets_pass(&self, suite: &Suite, case: &Case) -> bool {
        if self.texts.is_empty() {
            return true;
        }
        let title = format!("{} › {}", suite.file, case.name).to_lowercase();
        self.texts.iter().any(|text| title.contains(text)) || self.globs.iter().any(|glob| glob.matches(&title))
    }
}

fn run_all<'p>(
    suites: &Suites,
    filter: &Filter,
    policy: &'p Policy,
    mut coverage: Option<&mut Coverage<'p>>,
) -> Report {
    let mut report = Report::default();
    for suite in &suites.files {
        // Independent of the filter, since the names of its cases are unknown.
        report.cases.extend(malformed(suites, suite));
        for case in &suite.cases {
            if filter.lets_pass(suite, case) {
                report.cases.push(run_case(suite, case, policy, coverage.as_deref_mut()));
            } else {
                report.left_out += 1;
            }
        }
    }
    report.passed = report.cases.iter().filter(|case| case.passed).count();
    report.failed = report.cases.len() - report.passed;
    report
}

fn run_case<'p>(suite: &Suite, case: &Case, policy: &'p Policy, coverage: Option<&mut Coverage<'p>>) -> CaseReport {
    let outcome = match coverage {
        Some(coverage) => case.run_watched(policy, &mut |facts, decision| coverage.add(facts, decision)),
        None => case.run(policy),
    };
    let passed = outcome.failures.is_empty();
    let text = |color| if passed { String::new() } else { render::case::failed(case, &outcome, color) };
    CaseReport {
        file: suite.file.clone(),
        name: case.name.clone(),
        line: case.place.line(),
        passed,
        note: render::case::note(case, &outcome),
        text: text(terminal::stdout_color()),
        plain: text(false),
        failures: outcome.failures,
    }
}

/// A file with findings becomes a failed case, since a test that cannot be read must not count as passed.
fn malformed(suites: &Suites, suite: &Suite) -> Option<CaseReport> {
    let mut findings = Findings::new();
    findings.extend(suites.findings_of(suite).cloned());
    let first = findings.iter().next()?;
    let line = first.span.map_or(1, |span| span.line);
    let text = |color| {
        let findings = render::finding::text(&findings, &suites.sources, color);
        format!("FAILED {} cannot be read as a test file\n{findings}", render::visible(&suite.file))
    };
    let mut failures = Vec::with_capacity(findings.len());
    for finding in &findings {
        let place = finding.span.map(|span| format!("{}:{}", span.line, span.column));
        failures.push(Failure {
            path: place.unwrap_or_default(),
            expected: finding.hint.clone().into(),
            got: finding.message.clone().into(),
            step: None,
        });
    }
    Some(CaseReport {
        file: suite.file.clone(),
        name: "the file can be read as a test file".to_owned(),
        line,
        passed: false,
        failures,
        note: None,
        text: text(terminal::stdout_color()),
        plain: text(false),
    })
}

#[expect(clippy::disallowed_methods, reason = "the command line is the edge at which files are written")]
fn write_junit(path: &Path, report: &Report) -> anyhow::Result<()> {
    let xml = render::junit::xml(&report.junit());
    std::fs::write(path, xml).with_context(|| format!("cannot write `{}`", path.display()))
}

/// Why no case ran, and what to do about it.
fn nothing_run(args: &TestArgs, policy_path: &Path, left_out: usize) -> String {
    if left_out > 0 {
        let filters: Vec<String> = args.filter.iter().map(|text| format!("`{text}`")).collect();
        let which = if left_out == 1 { "the only case is".to_owned() } else { format!("all {left_out} cases are") };
        return format!("{}\n", render::visible(&format!("{which} left out by the filter {}", filters.join(", "))));
    }
    let places: Vec<&Path> = args.paths.iter().map(PathBuf::as_path).collect();
    let places = if places.is_empty() { vec![policy_path] } else { places };
    let places: Vec<String> = places.iter().map(|path| format!("`{}`", path.display())).collect();
    let message = format!("there are no policy tests for {}: write some in `*.test.yaml`", places.join(", "));
    format!("{}\n", render::visible(&message))
}
