//! The command `countersign test`.

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

fn result(output: &Output) -> (Option<i32>, String) {
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
    assert_eq!(result(&output), (Some(0), "1 passed, 0 failed\n".to_owned()));
}

#[test]
fn a_failed_case_is_reported_with_its_place_and_what_was_expected() {
    let tests = test_file(&format!("{HOLDS}{FAILS}"));
    let folder = folder(&[("policies/a.yaml", POLICY), ("policies/a.test.yaml", &tests)]);
    let (code, text) = result(&countersign(folder.path(), &["test"]));
    assert_eq!(code, Some(4));
    assert_eq!(
        text,
        "FAILED policies/a.test.yaml:4 it is not
  counts (- expected, + got)
    - \"pia\"
  verdict
    - expected \"pending\"
    + got      \"approved\"
  decided approved: shop:free needs no approval
    shop:free needs no approval (nothing-asked, a.yaml:2)
1 passed, 1 failed
"
    );
}

#[test]
fn json_has_every_case_with_its_failures() {
    let tests = test_file(&format!("{HOLDS}{FAILS}"));
    let folder = folder(&[("p.yaml", POLICY), ("t/a.test.yaml", &tests)]);
    let output = countersign(folder.path(), &["test", "t", "--policy", "p.yaml", "--format", "json"]);
    assert_eq!(output.status.code(), Some(4));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        report,
        serde_json::json!({
            "schema": 1, "passed": 1, "failed": 1, "left_out": 0,
            "cases": [
                { "file": "t/a.test.yaml", "name": "it is free", "line": 3, "passed": true, "failures": [] },
                { "file": "t/a.test.yaml", "name": "it is not", "line": 4, "passed": false, "failures": [
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
    assert_eq!(result(&output), (Some(4), "0 passed, 0 failed\n".to_owned()));
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
    let (code, text) = result(&countersign(folder.path(), &["test"]));
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
    assert_eq!(result(&output), (Some(0), "1 passed, 0 failed\n".to_owned()));
}

#[test]
fn an_invalid_policy_is_not_tested() {
    let folder = folder(&[("policies/a.yaml", "version: 2\n"), ("policies/a.test.yaml", &test_file(HOLDS))]);
    let output = countersign(folder.path(), &["test"]);
    assert_eq!(result(&output), (Some(3), String::new()));
    assert!(String::from_utf8_lossy(&output.stderr).contains("`version`"));
}

#[test]
fn a_missing_path_cannot_be_tested() {
    let folder = folder(&[("policies/a.yaml", POLICY)]);
    assert_eq!(countersign(folder.path(), &["test", "nowhere"]).status.code(), Some(1));
    assert_eq!(countersign(folder.path(), &["test", "--policy", "nowhere"]).status.code(), Some(1));
}

// Differences are printed side by side.

const PEOPLE: &str = "\
version: 1
groups: { people: { users: [pia, pat, sam] } }
services:
  shop:
    repository: acme/shop
    environments:
      free: { require: none }
      production: { require: { all_of: [2 of people, \"@zoe\"] } }
      unheard-of: { require: 1 of people }
";

#[test]
fn differences_are_printed_element_by_element_with_the_reasons_of_the_decision() {
    let tests = "\
defaults: { service: shop, environment: production, now: 2026-11-18T10:00:00Z }
cases:
- name: much is wrong
  given: { reviews: [{ by: pia, state: approved }, { by: zoe, state: approved }, { by: sam, state: approved, revision: a0 }] }
  expect:
    counts: [PIA, pat]
    unmet: [{ need: 3 }]
    reviews: { sam: counts, kim: counts, pia: { text: counts toward 3 of people } }
    reasons: [{ code: quorum-unmet }, { code: unsatisfiable }]
    deadline: null
";
    let folder = folder(&[("policies/a.yaml", PEOPLE), ("policies/a.test.yaml", tests)]);
    let (code, text) = result(&countersign(folder.path(), &["test"]));
    assert_eq!(code, Some(4));
    assert_eq!(
        text,
        "FAILED policies/a.test.yaml:3 much is wrong
  counts (- expected, + got)
      \"PIA\"
    - \"pat\"
    + \"zoe\"
  deadline
    - expected null
    + got      \"2026-11-19T09:00:00Z\"
  reasons (- expected, + got)
      {\"code\":\"quorum-unmet\"}
    - {\"code\":\"unsatisfiable\"}
  reviews.kim
    - expected \"counts\"
    + got      null
      there is no review by `kim`, only by pia, sam, zoe
  reviews.pia.text
    - expected \"counts toward 3 of people\"
    + got      \"counts toward 2 of people\"
                              ^
      counts toward 2 of people
  reviews.sam
    - expected \"counts\"
    + got      \"stale\"
      was given on a0, but the head is a1
  unmet[0].need
    - expected 3
    + got      2
  decided pending: 1 of 2 people; 1 of 1 @zoe met
    `2 of people` lacks 1 approval (quorum-unmet, a.yaml:8)
0 passed, 1 failed
"
    );
}

const STEPS: &str = "\
defaults: { service: shop, environment: production, now: 2026-11-18T10:00:00Z }
cases:
- name: what came of it
  expect: { verdict: approved }
  steps:
  - review: { by: pia, state: approved }
  - review: { by: pat, state: changes_requested }
    expect: { verdict: blocked }
  - review: { by: pat, state: approved }
    expect: { counts: [pia] }
- name: after the end
  steps:
  - close: {}
  - tick: { by: 1h }
    expect: { verdict: superseded }
- name: what no gate does
  steps:
  - review: { by: pat, state: changes_requested }
    expect: { verdict: rejected }
  - dismiss: { of: pat, by: pat }
    expect: { verdict: pending }
";

#[test]
fn a_failed_step_is_reported_with_its_event_and_a_decision_after_the_end_is_noted() {
    let folder = folder(&[("policies/a.yaml", PEOPLE), ("policies/a.test.yaml", STEPS)]);
    let (code, text) = result(&countersign(folder.path(), &["test"]));
    assert_eq!(code, Some(4));
    assert_eq!(
        text,
        "FAILED policies/a.test.yaml:3 what came of it
  at the start, 2026-11-18T10:00:00Z
    verdict
      - expected \"approved\"
      + got      \"pending\"
    decided pending: 0 of 2 people; 0 of 1 @zoe
      `2 of people` lacks 2 approvals (quorum-unmet, a.yaml:8)
      `@zoe` lacks 1 approval (quorum-unmet, a.yaml:8)
  steps[1]: pat requests changes, 2026-11-18T10:02:00Z
    verdict
      - expected \"blocked\"
      + got      \"rejected\"
    decided rejected: pat requested changes on a1
      pat requested changes on a1 (changes-requested)
  steps[2]: pat approves, 2026-11-18T10:03:00Z
    counts (- expected, + got)
        \"pia\"
      + \"pat\"
    decided pending: 2 of 2 people met; 0 of 1 @zoe
      `@zoe` lacks 1 approval (quorum-unmet, a.yaml:8)
    the request ended as `rejected` with steps[1]
note: policies/a.test.yaml:3 what came of it: steps[2] decides `pending`, and the request ended as `rejected` with \
steps[1]: in a gate this end is final, and only another execution opens a new request
note: policies/a.test.yaml:16 what no gate does: steps[1] decides `pending`, and the request ended as `rejected` with \
steps[0]: in a gate this end is final, and only another execution opens a new request
2 passed, 1 failed
"
        .replace("\\\n", "")
    );
}

#[test]
fn json_has_the_step_in_the_path_and_the_note_in_the_case() {
    let folder = folder(&[("policies/a.yaml", PEOPLE), ("policies/a.test.yaml", STEPS)]);
    let output = countersign(folder.path(), &["test", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        report.pointer("/cases/0/failures/1"),
        Some(&serde_json::json!({ "path": "steps[1].expect.verdict", "expected": "blocked", "got": "rejected" }))
    );
    assert_eq!(report.pointer("/cases/1/note"), None);
    let note = report.pointer("/cases/2/note").and_then(serde_json::Value::as_str).expect("a note");
    assert!(note.contains("steps[1] decides `pending`"), "{note}");
    assert_eq!(report.get("coverage"), None, "not requested");
}

// Which cases are run.

#[test]
fn a_filter_selects_cases_by_a_part_of_their_file_and_name_or_by_a_glob() {
    let folder = folder(&[
        ("policies/a.yaml", POLICY),
        ("policies/shop.test.yaml", &test_file(HOLDS)),
        ("policies/Other.test.yaml", &test_file(HOLDS)),
    ]);
    for (filter, summary) in [
        (&["--filter", "IT IS"][..], "2 passed, 0 failed\n"),
        (&["--filter", "other"], "1 passed, 0 failed, 1 left out\n"),
        (&["--filter", "shop.test.yaml › it"], "1 passed, 0 failed, 1 left out\n"),
        (&["--filter", "*/shop*free"], "1 passed, 0 failed, 1 left out\n"),
        (&["--filter", "other", "--filter", "shop"], "2 passed, 0 failed\n"),
    ] {
        let args: Vec<&str> = ["test"].iter().chain(filter).copied().collect();
        assert_eq!(result(&countersign(folder.path(), &args)), (Some(0), summary.to_owned()), "{filter:?}");
    }
}

#[test]
fn a_filter_that_selects_nothing_is_a_failure() {
    let folder = folder(&[("policies/a.yaml", POLICY), ("policies/a.test.yaml", &test_file(HOLDS))]);
    let output = countersign(folder.path(), &["test", "--filter", "shop*free"]);
    assert_eq!(result(&output), (Some(4), "0 passed, 0 failed, 1 left out\n".to_owned()));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(message, "the only case is left out by the filter `shop*free`\n");
}

#[test]
fn a_file_that_cannot_be_read_fails_whatever_the_filter() {
    let folder = folder(&[
        ("policies/a.yaml", POLICY),
        ("policies/a.test.yaml", &test_file(HOLDS)),
        ("policies/b.test.yaml", "cases: []\n"),
    ]);
    let (code, text) = result(&countersign(folder.path(), &["test", "--filter", "a.test"]));
    assert_eq!(code, Some(4));
    assert!(text.ends_with("1 passed, 1 failed\n"), "{text}");
}

// For other programs.

#[expect(clippy::disallowed_methods, reason = "the command writes a file")]
#[test]
fn results_are_written_as_junit() {
    let tests = test_file(&format!("{HOLDS}{FAILS}"));
    let files = [("policies/a.yaml", POLICY), ("policies/a.test.yaml", &tests), ("policies/b.test.yaml", "cases: [\n")];
    let folder = folder(&files);
    let output = countersign(folder.path(), &["test", "--junit", "results.xml"]);
    assert_eq!(output.status.code(), Some(4));
    let xml = std::fs::read_to_string(folder.path().join("results.xml")).expect("a file");
    for expected in [
        "<testsuites name=\"countersign\" tests=\"3\" failures=\"2\"",
        "<testcase classname=\"policies/a\" name=\"it is free\" file=\"policies/a.test.yaml\" line=\"3\" time=\"0\"/>",
        "name=\"it is not\" file=\"policies/a.test.yaml\" line=\"4\" time=\"0\">",
        "<failure message=\"counts: expected [&quot;pia&quot;], got [] (and 1 more)\" type=\"expectation\">FAILED \
         policies/a.test.yaml:4 it is not\n  counts (- expected, + got)\n",
        "classname=\"policies/b\" name=\"the file can be read as a test file\"",
    ] {
        assert!(xml.contains(expected), "{expected}\n\n{xml}");
    }
    let nowhere = countersign(folder.path(), &["test", "--junit", "no/such/folder/results.xml"]);
    assert_eq!(nowhere.status.code(), Some(1));
}

// What is covered.

#[test]
fn uncovered_parts_are_reported_with_their_place_and_do_not_change_the_exit_code() {
    let folder = folder(&[("policies/a.yaml", PEOPLE), ("policies/a.test.yaml", &test_file(HOLDS))]);
    let (code, text) = result(&countersign(folder.path(), &["test", "--coverage"]));
    assert_eq!(code, Some(0));
    assert_eq!(
        text,
        "1 passed, 0 failed

coverage: 2 of 12 (16 %)
  services      1 of 1
  environments  1 of 3
  requirements  0 of 8

not covered
  a.yaml:8  environment `production` of service `shop`: no case reaches this
  a.yaml:8  `all_of` of `2 of people`, `@zoe`: no case reaches this
  a.yaml:8  `2 of people`: no case reaches this
  a.yaml:8  `@zoe`: no case reaches this
  a.yaml:9  environment `unheard-of` of service `shop`: no case reaches this
  a.yaml:9  `1 of people`: no case reaches this
"
    );
}

#[test]
fn less_coverage_than_required_is_a_failure() {
    let folder = folder(&[("policies/a.yaml", PEOPLE), ("policies/a.test.yaml", &test_file(HOLDS))]);
    assert_eq!(countersign(folder.path(), &["test", "--min-coverage", "16"]).status.code(), Some(0));
    let output = countersign(folder.path(), &["test", "--min-coverage", "17", "--format", "json"]);
    assert_eq!(output.status.code(), Some(4));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "16 % of the policy is covered; at least 17 % is required\n");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let coverage = report.get("coverage").expect("coverage");
    assert_eq!(
        coverage.get("kinds"),
        Some(&serde_json::json!([
            { "kind": "service", "covered": 1, "total": 1 },
            { "kind": "environment", "covered": 1, "total": 3 },
            { "kind": "requirement", "covered": 0, "total": 8 }
        ]))
    );
    assert_eq!(
        coverage.pointer("/missed/3"),
        Some(&serde_json::json!({
            "kind": "requirement", "name": "`@zoe`", "source": "a.yaml:8", "missing": ["met", "unmet"], "untouched": true
        }))
    );
    assert_eq!(countersign(folder.path(), &["test", "--min-coverage", "101"]).status.code(), Some(2));
}
