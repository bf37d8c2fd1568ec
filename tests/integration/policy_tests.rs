//! Runs the policy tests of this repository: the suites for each part of the language, and those of the example
//! organisation.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use countersign::approval::case;
use countersign::finding::{Findings, Source, SourceContent, SourceMap};
use countersign::policy::{Policy, load};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn files_in(folder: &str) -> Vec<PathBuf> {
    let entries = Path::new(ROOT).join(folder).read_dir().expect("the folder is there");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "yaml"));
    files.sort();
    files
}

fn is_test(file: &Path) -> bool {
    file.to_string_lossy().ends_with(".test.yaml")
}

#[expect(clippy::disallowed_methods, reason = "the suites are files of this repository")]
fn source(file: &Path) -> Source {
    let name = file.file_name().expect("a name").to_string_lossy().into_owned();
    Source { name, content: SourceContent::Bytes(std::fs::read(file).expect("the file is readable")) }
}

fn reported(findings: &Findings, sources: &SourceMap) -> Vec<String> {
    let line = |finding: &countersign::finding::Finding| {
        let place = finding.span.map(|span| format!("{}:{}: ", sources.name(span.source), span.line));
        format!("{}{}", place.unwrap_or_default(), finding.message)
    };
    findings.iter().map(line).collect()
}

fn policy_of(bundle: &[PathBuf]) -> Policy {
    let loaded = load(bundle.iter().map(|file| source(file)).collect());
    assert_eq!(reported(&loaded.findings, &loaded.sources), Vec::<String>::new());
    loaded.policy.expect("a policy")
}

/// Runs a test file, and returns how many cases it has and what failed.
fn run(policy: &Policy, file: &Path) -> (usize, Vec<String>) {
    let suites = case::read(vec![source(file)]);
    assert_eq!(reported(&suites.findings, &suites.sources), Vec::<String>::new());
    let cases: Vec<_> = suites.files.iter().flat_map(|suite| &suite.cases).collect();
    assert!(!cases.is_empty(), "{} has no cases", file.display());
    let mut failed = Vec::new();
    for case in &cases {
        for failure in case.run(policy).failures {
            let case::Failure { path, expected, got, .. } = failure;
            failed.push(format!("{} {}: {path}: expected {expected}, got {got}", case.place, case.name));
        }
    }
    (cases.len(), failed)
}

#[test]
fn every_suite_passes() {
    let files = files_in("tests/decisions");
    let mut subjects = BTreeSet::new();
    let mut cases = 0;
    for policy_file in files.iter().filter(|file| !is_test(file)) {
        let test_file = policy_file.with_extension("test.yaml");
        let policy = policy_of(std::slice::from_ref(policy_file));
        let (count, failed) = run(&policy, &test_file);
        assert_eq!(failed, Vec::<String>::new());
        cases += count;
        subjects.insert(test_file);
    }
    let unread: Vec<_> = files.iter().filter(|file| is_test(file) && !subjects.contains(*file)).collect();
    assert!(unread.is_empty(), "test files without a policy beside them: {unread:?}");
    assert!(cases > 250, "only {cases} cases were run");
}

#[test]
fn the_example_organisation_s_policy_loads_and_passes_its_own_tests() {
    let (tests, bundle): (Vec<PathBuf>, Vec<PathBuf>) =
        files_in("policies").into_iter().partition(|file| is_test(file));
    let policy = policy_of(&bundle);
    assert!(!tests.is_empty());
    for test_file in tests {
        let (_, failed) = run(&policy, &test_file);
        assert_eq!(failed, Vec::<String>::new());
    }
}

#[test]
fn completed_facts_can_be_stored_and_decided_like_any_other() {
    let policy = policy_of(&[Path::new(ROOT).join("tests/decisions/reviews.yaml")]);
    let suites = case::read(vec![source(&Path::new(ROOT).join("tests/decisions/reviews.test.yaml"))]);
    for case in suites.files.iter().flat_map(|suite| &suite.cases) {
        let facts = case.facts(&policy);
        let written = serde_json::to_string(&facts).expect("facts are JSON");
        let read: countersign::approval::facts::Facts = serde_json::from_str(&written).expect("facts are read again");
        assert_eq!(read, facts);
        assert_eq!(countersign::approval::decide(&policy, &read), case.run(&policy).decision);
    }
}
