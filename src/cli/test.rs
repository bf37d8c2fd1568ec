//! `countersign test`: runs the policy tests.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::json;

use super::Exit;
use super::args::{Format, Global};
use super::test_files::read_test_files;
use crate::approval::case::{self, Case, Failure, Suite, Suites};
use crate::finding::{Finding, Findings, SourceMap};
use crate::policy::{Policy, load};

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
    let loaded = load(stand_in::read_bundle(&global.policy)?);
    let Some(policy) = loaded.policy else {
        refuse_policy(&loaded.findings, &loaded.sources, global.format)?;
        return Ok(Exit::PolicyInvalid);
    };
    let report = run_all(&case::read(files), &policy);
    let exit = if report.failed > 0 || report.cases.is_empty() { Exit::TestFailed } else { Exit::Done };
    print(&report, &global.policy, global.format)?;
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
    let findings: Vec<&Finding> = suites.findings_of(suite).collect();
    if findings.is_empty() {
        return None;
    }
    let mut text = format!("FAILED {} cannot be read as a test file\n", suite.file);
    let mut failures = Vec::with_capacity(findings.len());
    for finding in findings {
        let _ = writeln!(text, "{}", stand_in::line(finding, &suites.sources));
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

fn print(report: &Report, policy: &Path, format: Format) -> anyhow::Result<()> {
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
        writeln!(err, "there are no policy tests for `{}`: write some in `*.test.yaml`", policy.display())?;
    }
    Ok(())
}

fn refuse_policy(findings: &Findings, sources: &SourceMap, format: Format) -> anyhow::Result<()> {
    let mut err = anstream::stderr().lock();
    for finding in findings {
        writeln!(err, "{}", stand_in::line(finding, sources))?;
    }
    if matches!(format, Format::Json) {
        let error = json!({
            "code": "policy-invalid",
            "message": "the policy has errors, and cannot be tested",
            "hint": "run `countersign check`",
        });
        writeln!(anstream::stdout().lock(), "{}", json!({ "schema": 1, "error": error }))?;
    }
    Ok(())
}

// To be replaced at merge by `cli::bundle::read_bundle` and `render::finding::text`.
mod stand_in {
    use std::path::{Path, PathBuf};

    use anyhow::Context as _;

    use crate::finding::{Finding, Source, SourceContent, SourceMap};

    pub(super) fn line(finding: &Finding, sources: &SourceMap) -> String {
        let place = finding.span.map(|span| format!("{}:{}:{}: ", sources.name(span.source), span.line, span.column));
        let hint = finding.hint.as_ref().map(|hint| format!("\n    {hint}")).unwrap_or_default();
        format!("{}{}: {}{hint}", place.unwrap_or_default(), finding.code.as_str(), finding.message)
    }

    pub(super) fn read_bundle(path: &Path) -> anyhow::Result<Vec<Source>> {
        let mut files = Vec::new();
        find(path, &mut files)?;
        files.sort_unstable_by(|a, b| a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes()));
        files.iter().map(|file| read(path, file)).collect()
    }

    fn find(path: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
        let cannot = || format!("`{}` cannot be read", path.display());
        if !std::fs::metadata(path).with_context(cannot)?.is_dir() {
            files.push(path.to_owned());
            return Ok(());
        }
        for entry in std::fs::read_dir(path).with_context(cannot)? {
            let entry = entry.with_context(cannot)?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let kind = entry.file_type().with_context(cannot)?;
            if name.starts_with('.') || kind.is_symlink() {
                continue;
            }
            let stem = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml"));
            if kind.is_dir() {
                find(&entry.path(), files)?;
            } else if stem.is_some_and(|stem| !stem.ends_with(".test")) {
                files.push(entry.path());
            }
        }
        Ok(())
    }

    #[expect(clippy::disallowed_methods, reason = "the command line is where files are read")]
    fn read(root: &Path, file: &Path) -> anyhow::Result<Source> {
        let relative = file.strip_prefix(root).ok().filter(|path| !path.as_os_str().is_empty());
        let name = relative.or_else(|| file.file_name().map(Path::new)).unwrap_or(file).to_string_lossy();
        let bytes = std::fs::read(file).with_context(|| format!("`{}` cannot be read", file.display()))?;
        Ok(Source { name: name.replace('\\', "/"), content: SourceContent::Bytes(bytes) })
    }
}
