//! Every finding by example: `tests/lint/<code>/bad…` has it, and `good…` has no finding at all.
//!
//! An example is a file or a folder. Beside each bad one is the output of `check` for it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use countersign::finding::{Code, Severity};
use serde_json::Value;

use crate::command_line::{Countersign, assert_expected};

/// Codes without an example: the reason, and the test in `check.rs` that covers the code.
const WITHOUT_EXAMPLE: [(Code, &str, &str); 3] = [
    (
        Code::UnreadableFile,
        "a repository holds files that can be read",
        "a_pipe_in_the_folder_is_refused_without_waiting",
    ),
    (Code::TooLarge, "a repository should hold no file of 4 MiB", "a_file_of_100_megabytes_is_not_read"),
    (Code::TooManyFindings, "a thousand findings are no example", "too_many_problems_are_reported_in_part"),
];

/// The time at which the examples are checked: some of their calendars have dates.
const AT: &str = "--at 2026-11-18T10:00:00Z";

/// The options for the examples of a code. Only those of `unpinned-login` are about ids: others read better without.
fn options(code: Code) -> String {
    if code == Code::UnpinnedLogin { AT.to_owned() } else { format!("{AT} --allow unpinned-login") }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lint")
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name")).collect()
}

fn codes_with_examples() -> Vec<Code> {
    let without_example = |code: &&Code| WITHOUT_EXAMPLE.iter().any(|(other, ..)| other == *code);
    Code::ALL.iter().filter(|code| !without_example(code)).copied().collect()
}

/// An example: its name without `.yaml`, and with it.
struct Example {
    stem: String,
    name: String,
}

fn examples(code: Code, kind: &str) -> Vec<Example> {
    let of = |name: String| {
        let stem = name.strip_suffix(".yaml").unwrap_or(&name).to_owned();
        let is_one = (stem == kind || stem.starts_with(&format!("{kind}-"))) && !name.ends_with(".expected");
        is_one.then_some(Example { stem, name })
    };
    names(&root().join(code.as_str())).into_iter().filter_map(of).collect()
}

#[test]
fn every_code_has_a_bad_example_with_its_output_and_a_good_example() {
    let codes: BTreeSet<String> = codes_with_examples().iter().map(|code| code.as_str().to_owned()).collect();
    assert_eq!(names(&root()), codes, "a folder for each code, and no other");
    for code in codes_with_examples() {
        let (bad, good) = (examples(code, "bad"), examples(code, "good"));
        for (kind, examples) in [("bad", &bad), ("good", &good)] {
            assert!(examples.iter().any(|example| example.stem == kind), "{}: no {kind} example", code.as_str());
        }
        let expected = bad.iter().map(|example| format!("{}.expected", example.stem));
        let all = bad.iter().chain(&good).map(|example| example.name.clone());
        assert_eq!(names(&root().join(code.as_str())), all.chain(expected).collect(), "{}", code.as_str());
    }
}

#[test]
fn a_code_without_an_example_is_covered_by_a_test() {
    for (code, why, test) in WITHOUT_EXAMPLE {
        let check = include_str!("check.rs");
        let (_, body) = check.split_once(&format!("fn {test}()")).unwrap_or_else(|| panic!("{test} is not there"));
        let body = body.split("\n}\n").next().unwrap_or_default();
        assert!(body.contains(code.as_str()) && !why.is_empty(), "{test} does not cover {}", code.as_str());
    }
}

#[test]
fn every_bad_example_has_its_finding_with_a_place_and_a_hint() {
    for code in codes_with_examples() {
        let severity = code.severity();
        for Example { stem, name } in examples(code, "bad") {
            let path = format!("{}/{name}", code.as_str());
            let arguments = format!("check --format json {}", options(code));
            let ran = Countersign::new(&arguments).within("lint").arg(&path).run();
            let document = ran.json();
            let findings = document["findings"].as_array().expect("findings are a list");
            let codes: Vec<&str> = findings.iter().filter_map(|finding| finding["code"].as_str()).collect();
            assert!(codes.contains(&code.as_str()), "{path}: {codes:?}");
            assert!(stem != "bad" || codes == [code.as_str()], "{path}: {codes:?}");
            for finding in findings {
                assert!(finding["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{path}: {finding}");
                let of_bundle = ["empty-bundle", "version"].contains(&finding["code"].as_str().unwrap_or_default());
                assert!(of_bundle || finding["line"].as_u64().is_some_and(|line| line > 0), "{path}: {finding}");
            }
            let own = findings.iter().find(|finding| finding["code"] == code.as_str()).expect("it is there");
            assert_eq!(own["severity"], serde_json::to_value(severity).expect("a word"), "{path}");
            assert_eq!(ran.code, Some(if severity == Severity::Error { 3 } else { 0 }), "{path}: {}", ran.stderr);
            let refuses = |code: &&str| Code::from_text(code).is_some_and(|code| code.lint().is_none());
            assert_eq!(document["policy_digest"].is_null(), codes.iter().any(refuses), "{path}");
        }
    }
}

#[test]
fn the_output_for_every_bad_example_is_as_committed() {
    for code in codes_with_examples() {
        for Example { stem, name } in examples(code, "bad") {
            let path = format!("{}/{name}", code.as_str());
            let ran = Countersign::new(&format!("check {}", options(code))).within("lint").arg(&path).run();
            assert_expected(&format!("lint/{}/{stem}.expected", code.as_str()), &ran.stdout);
        }
    }
}

#[test]
fn no_good_example_has_any_finding() {
    for code in codes_with_examples() {
        for Example { name, .. } in examples(code, "good") {
            let path = format!("{}/{name}", code.as_str());
            let arguments = format!("check --format json --deny note {}", options(code));
            let ran = Countersign::new(&arguments).within("lint").arg(&path).run();
            assert_eq!((ran.code, &ran.json()["findings"]), (Some(0), &Value::Array(Vec::new())), "{path}");
        }
    }
}

#[test]
fn the_example_policies_have_only_waived_findings() {
    let ran = Countersign::new(&format!("check --format json --deny note ../policies {AT}")).run();
    assert_eq!((ran.code, &ran.json()["findings"]), (Some(0), &Value::Array(Vec::new())));
    assert_eq!(ran.json()["waived"][0]["code"], "committers-counted");
}
