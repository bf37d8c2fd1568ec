//! SARIF logs, validated against the schema that OASIS publishes.
#![expect(clippy::disallowed_methods, reason = "the test reads the schema")]

use std::path::Path;

use countersign::finding::Code;
use serde_json::Value;

use crate::command_line::Countersign;

fn schema() -> jsonschema::Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sarif/sarif-schema-2.1.0.json");
    let text = std::fs::read_to_string(path).expect("the schema is there");
    let mut schema: Value = serde_json::from_str(&text).expect("the schema is JSON");
    // The pattern has an unmatched bracket, which JSON Schema does not allow. We do not write this key.
    for of in ["run", "toolComponent"] {
        let language = schema.pointer_mut(&format!("/definitions/{of}/properties/language"));
        assert!(language.and_then(Value::as_object_mut).expect("it is there").remove("pattern").is_some());
    }
    jsonschema::validator_for(&schema).expect("it is a schema")
}

fn problems(document: &Value) -> Vec<String> {
    schema().iter_errors(document).map(|error| format!("{error} at {}", error.instance_path())).collect()
}

const PATHS: &str = "lint/unused-group/bad.yaml lint/unused-waiver/good.yaml lint/duplicate-name/bad lint/version/bad.yaml \
                     lint/sole-approver/bad.yaml sound";

#[test]
fn a_log_matches_the_schema_of_sarif() {
    let ran = Countersign::new(&format!("check --format sarif {PATHS}")).run();
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    let log = ran.json();
    assert_eq!(problems(&log), [""; 0]);
    let mut wrong = log;
    wrong["runs"][0]["results"][0]["level"] = "fatal".into();
    assert_eq!(problems(&wrong).len(), 1, "the schema refuses what is wrong");
}

#[test]
fn a_log_has_every_rule_and_the_results_of_all_bundles() {
    let log = Countersign::new(&format!("check --format sarif --allow unpinned-login {PATHS}")).run().json();
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    assert_eq!(rules.len(), Code::ALL.len());
    let results = run["results"].as_array().expect("results");
    let reported: Vec<(&str, &str)> = results
        .iter()
        .map(|result| (result["ruleId"].as_str().unwrap_or_default(), result["level"].as_str().unwrap_or_default()))
        .collect();
    let expected = [
        ("unused-group", "warning"),
        ("sole-approver", "note"),
        ("duplicate-name", "error"),
        ("version", "error"),
        ("sole-approver", "note"),
    ];
    assert_eq!(reported, expected);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("a small one");
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert_eq!(result["suppressions"].is_null(), result["ruleId"] != "sole-approver" || result == &results[4]);
    }
    let place = &results[0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "lint/unused-group/bad.yaml");
    assert_eq!(place["region"]["startLine"], 4);
    let related = &results[2]["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(related, "lint/duplicate-name/bad/a.yaml");
}

#[test]
fn a_missing_bundle_is_reported_in_the_log() {
    let ran = Countersign::new("check --format sarif lint/nowhere").run();
    assert_eq!(ran.code, Some(1));
    let log = ran.json();
    assert_eq!(problems(&log), [""; 0]);
    assert_eq!(log["runs"][0]["invocations"][0]["executionSuccessful"], false);
    assert!(ran.stderr.starts_with("error: there is no policy at `lint/nowhere`\n"), "{}", ran.stderr);
}
