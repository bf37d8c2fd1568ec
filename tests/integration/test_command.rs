//! `countersign test` as it is called.

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

const POLICY: &str = "version: 1\nservices: { shop: { environments: { free: { require: none } } } }\n";
const DEFAULTS: &str = "defaults: { service: shop, environment: free }\n";

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        #[expect(clippy::disallowed_methods, reason = "the command reads files")]
        std::fs::create_dir_all(path.parent().expect("a parent"))
            .and_then(|()| std::fs::write(path, text))
            .expect("a file is written");
    }
    folder
}

fn countersign(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(args)
        .current_dir(folder)
        .env_clear()
        .output()
        .expect("the command runs")
}

fn told(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

fn test_file(cases: &str) -> String {
    format!("{DEFAULTS}cases:\n{cases}")
}

const HOLDS: &str = "- { name: it is free, expect: { verdict: approved } }\n";
const FAILS: &str = "- { name: it is not, expect: { verdict: pending, counts: [pia] } }\n";

#[test]
fn all_passed_is_success() {
    let folder = folder(&[("policies/a.yaml", POLICY), ("policies/deep/er/b.test.yml", &test_file(HOLDS))]);
    let output = countersign(folder.path(), &["test"]);
    assert_eq!(told(&output), (Some(0), "1 passed, 0 failed\n".to_owned()));
}

#[test]
fn a_case_that_fails_is_told_with_its_place_and_what_was_expected() {
    let tests = test_file(&format!("{HOLDS}{FAILS}"));
    let folder = folder(&[("policies/a.yaml", POLICY), ("policies/a.test.yaml", &tests)]);
    let (code, text) = told(&countersign(folder.path(), &["test"]));
    assert_eq!(code, Some(4));
    assert_eq!(
        text,
        "FAILED policies/a.test.yaml:4 it is not\n    counts: expected [\"pia\"], got []\n    verdict: expected \
         \"pending\", got \"approved\"\n    decided: approved: shop:free needs no approval\n1 passed, 1 failed\n"
    );
}

#[test]
fn programs_get_every_case_with_its_failures() {
    let tests = test_file(&format!("{HOLDS}{FAILS}"));
    let folder = folder(&[("p.yaml", POLICY), ("t/a.test.yaml", &tests)]);
    let output = countersign(folder.path(), &["test", "t", "--policy", "p.yaml", "--format", "json"]);
    assert_eq!(output.status.code(), Some(4));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        report,
        serde_json::json!({
            "schema": 1, "passed": 1, "failed": 1,
            "cases": [
                { "file": "t/a.test.yaml", "name": "it is free", "passed": true, "failures": [] },
                { "file": "t/a.test.yaml", "name": "it is not", "passed": false, "failures": [
                    { "path": "counts", "expected": ["pia"], "got": [] },
                    { "path": "verdict", "expected": "pending", "got": "approved" }
                ] }
            ]
        })
    );
}

#[test]
fn no_test_at_all_is_a_failure() {
    let folder = folder(&[("policies/a.yaml", POLICY), ("policies/.b.test.yaml", &test_file(HOLDS))]);
    let output = countersign(folder.path(), &["test"]);
    assert_eq!(told(&output), (Some(4), "0 passed, 0 failed\n".to_owned()));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no policy tests"));
}

#[test]
fn a_test_file_that_is_malformed_fails_and_the_rest_is_still_run() {
    let broken = test_file("- { name: x, expect: { verdit: approved } }\n");
    let folder = folder(&[
        ("policies/a.yaml", POLICY),
        ("policies/a.test.yaml", &broken),
        ("policies/b.test.yaml", &test_file(HOLDS)),
    ]);
    let (code, text) = told(&countersign(folder.path(), &["test"]));
    assert_eq!(code, Some(4));
    assert!(text.contains("error[unknown-key]: `verdit` is not a key of a decision"), "{text}");
    assert!(text.contains("--> policies/a.test.yaml:3:24"), "{text}");
    assert!(text.contains("did you mean `verdict`?"), "{text}");
    assert!(text.ends_with("1 passed, 1 failed\n"), "{text}");
}

#[test]
fn a_policy_that_is_a_file_has_its_tests_beside_it() {
    let folder = folder(&[
        ("p/one.yaml", POLICY),
        ("p/one.test.yaml", &test_file(HOLDS)),
        ("p/two.test.yaml", &test_file(FAILS)),
    ]);
    let output = countersign(folder.path(), &["test", "--policy", "p/one.yaml"]);
    assert_eq!(told(&output), (Some(0), "1 passed, 0 failed\n".to_owned()));
}

#[test]
fn an_invalid_policy_is_not_tested() {
    let folder = folder(&[("policies/a.yaml", "version: 2\n"), ("policies/a.test.yaml", &test_file(HOLDS))]);
    let output = countersign(folder.path(), &["test"]);
    assert_eq!(told(&output), (Some(3), String::new()));
    assert!(String::from_utf8_lossy(&output.stderr).contains("`version`"));
}

#[test]
fn a_path_that_is_not_there_cannot_be_tested() {
    let folder = folder(&[("policies/a.yaml", POLICY)]);
    assert_eq!(countersign(folder.path(), &["test", "nowhere"]).status.code(), Some(1));
    assert_eq!(countersign(folder.path(), &["test", "--policy", "nowhere"]).status.code(), Some(1));
}
