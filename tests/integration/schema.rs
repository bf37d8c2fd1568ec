//! The JSON Schemas of policy files and test files: they are valid, accept what the engine accepts, refuse wrong forms,
//! and have the same keys as the readers. The validator is a third-party crate.
#![expect(clippy::disallowed_methods, reason = "a test reads the files that it is about")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use countersign::approval::case;
use countersign::finding::{Code, Finding, Source, SourceContent};
use countersign::policy::load;
use countersign::render::schema;
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::command_line::{Countersign, assert_expected};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn validator(schema: &Value) -> Validator {
    jsonschema::draft202012::new(schema).unwrap_or_else(|error| panic!("{error}"))
}

/// A YAML text as JSON, as an editor reads it.
fn yaml(text: &str) -> Value {
    // In YAML 1.2, which editors use, `yes` is a text.
    let options = serde_yaml::options! { strict_booleans: true };
    serde_yaml::from_str_with_options(text, options).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The errors of a text under the schema, with their places.
fn complaints(validator: &Validator, text: &str) -> Vec<String> {
    validator.iter_errors(&yaml(text)).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// Every file under a folder and its subfolders whose name matches.
fn files(folder: &str, ends: fn(&str) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder is there") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => folders.push(path),
                false if ends(&path.to_string_lossy()) => found.push(path),
                false => {}
            }
        }
    }
    found.sort();
    found
}

fn is_test(name: &str) -> bool {
    name.ends_with(".test.yaml")
}

fn is_policy(name: &str) -> bool {
    (name.ends_with(".yaml") || name.ends_with(".yml")) && !is_test(name)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_command_prints_the_committed_schemas() {
    let print = |arguments: &str| {
        let ran = Countersign::new(arguments).run();
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
        ran.stdout
    };
    assert_expected("../schema/policy.schema.json", &print("schema"));
    assert_expected("../schema/test.schema.json", &print("schema --tests"));
    assert_eq!(print("schema"), print("schema --format json"));
}

#[test]
fn both_schemas_are_valid_and_name_their_draft_and_address() {
    for (schema, id) in [(schema::policy(), schema::POLICY_ID), (schema::tests(), schema::TEST_ID)] {
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(schema["$id"], id);
        jsonschema::meta::validate(&schema).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn every_reference_has_a_definition_and_every_definition_is_used() {
    for schema in [schema::policy(), schema::tests()] {
        let text = schema.to_string();
        let defined: BTreeSet<String> = schema["$defs"].as_object().expect("a mapping").keys().cloned().collect();
        let used: BTreeSet<String> = text
            .split("\"$ref\":\"#/$defs/")
            .skip(1)
            .filter_map(|rest| rest.split_once('"'))
            .map(|(name, _)| name.to_owned())
            .collect();
        assert_eq!(used, defined);
    }
}

#[test]
fn every_sound_policy_of_this_repository_is_accepted() {
    let validator = validator(&schema::policy());
    let mut policies = vec![root().join("src/cli/starter/policy.yaml")];
    for folder in ["policies", "tests/sound", "tests/decisions", "tests/matrix", "tests/schema/sound"] {
        policies.extend(files(folder, is_policy));
    }
    assert!(policies.len() > 10, "the policies are found");
    for path in policies {
        assert_eq!(complaints(&validator, &read(&path)), [""; 0], "{}", path.display());
    }
}

#[test]
fn every_test_file_of_this_repository_is_accepted() {
    let validator = validator(&schema::tests());
    let mut suites = vec![root().join("src/cli/starter/policy.test.yaml")];
    for folder in ["policies", "tests/decisions", "tests/schema/sound"] {
        suites.extend(files(folder, is_test));
    }
    assert!(suites.len() > 8, "the suites are found");
    for path in suites {
        assert_eq!(complaints(&validator, &read(&path)), [""; 0], "{}", path.display());
    }
}

/// The broken policies whose form is wrong, so that an editor can show it.
const WRONG_IN_FORM: [&str; 24] = [
    "lint/invalid-approver/bad.yaml",
    "lint/invalid-value/bad-address.yaml",
    "lint/invalid-duration/bad.yaml",
    "lint/invalid-value/bad-repository.yaml",
    "lint/invalid-requirement/bad-bare-group-name.yaml",
    "lint/empty-list/bad-bare-group.yaml",
    "lint/invalid-duration/bad-duration-without-unit.yaml",
    "lint/empty-list/bad.yaml",
    "lint/unknown-key/bad-escape-sequence.yaml",
    "lint/unusable-ref/bad-github-actions.yaml",
    "lint/wrong-type/bad-list-at-the-top.yaml",
    "lint/invalid-value/bad.yaml",
    "lint/none-for-all/bad-none-in-defaults.yaml",
    "lint/unknown-key/bad-rule-field-on-service.yaml",
    "lint/wrong-type/bad.yaml",
    "lint/unknown-key/bad-umlaut-before.yaml",
    "lint/unknown-key/bad.yaml",
    "lint/version/bad-version-2.yaml",
    "lint/invalid-requirement/bad.yaml",
    "lint/missing-key/bad-calendar.yaml",
    "schema/broken/days-without-days.yaml",
    "schema/broken/end-of-day.yaml",
    "schema/broken/freeze-effect.yaml",
    "schema/broken/weak-floor.yaml",
];

#[test]
fn every_policy_that_is_wrong_in_form_is_refused() {
    let validator = validator(&schema::policy());
    for name in WRONG_IN_FORM {
        let text = read(&root().join("tests").join(name));
        assert_ne!(complaints(&validator, &text), [""; 0], "{name}");
    }
}

#[test]
fn a_short_requirement_is_accepted_in_its_forms_only() {
    let validator = validator(&schema::policy());
    let refused = |text: &str| {
        let policy = json!({ "environments": { "e": { "require": text } } });
        !validator.is_valid(&policy)
    };
    for text in [
        "none",
        "2 of payments",
        "1 of payments, \"@acme/sre\"",
        "1000 of a, @b, @c/d, @e#12, @f[bot]",
        "@dana",
        "@acme/sre",
        "@dana#583231",
        "all of security",
        " 2  of  payments ",
    ] {
        assert!(!refused(text), "{text}");
    }
    for text in
        ["", "payments", "0 of payments", "-1 of a", "1001 of a", "two of a", "1 of", "1 of a b", "@a b", "all of @a"]
    {
        assert!(refused(text), "{text}");
    }
}

#[test]
fn the_schema_accepts_the_same_durations_as_the_engine() {
    let validator = validator(&schema::policy());
    for text in [
        "90m",
        "1h30m",
        "2d",
        "1w1d1h1m1s",
        "1h0m",
        "",
        "5",
        "0m",
        "0h0m",
        "-1h",
        "1.5h",
        "30m1h",
        "1h 30m",
        "h",
        "1H",
        "1m1m",
    ] {
        let accepted = validator.is_valid(&json!({ "environments": { "e": { "wait": text } } }));
        assert_eq!(accepted, text.parse::<countersign::policy::Duration>().is_ok(), "{text}");
    }
}

#[test]
fn every_key_has_a_description() {
    fn look(path: &str, value: &Value) {
        let Value::Object(map) = value else {
            value.as_array().into_iter().flatten().for_each(|item| look(path, item));
            return;
        };
        if map.get("additionalProperties") == Some(&json!(false)) {
            for (key, of) in map["properties"].as_object().expect("a mapping") {
                assert!(of["description"].as_str().is_some_and(|text| text.ends_with('.')), "{path}.{key}: {of}");
            }
        }
        map.iter().for_each(|(key, value)| look(&format!("{path}.{key}"), value));
    }
    look("policy", &schema::policy());
    look("tests", &schema::tests());
}

// The schemas and the readers have the same keys.

/// The keys of each mapping of a schema, by the place of the mapping.
fn mappings(schema: &Value) -> BTreeMap<String, BTreeSet<String>> {
    fn look(path: &str, value: &Value, found: &mut BTreeMap<String, BTreeSet<String>>) {
        match value {
            Value::Object(map) => {
                if let Some(properties) = map.get("properties").and_then(Value::as_object) {
                    found.insert(path.to_owned(), properties.keys().cloned().collect());
                }
                for (key, value) in map {
                    let name =
                        if matches!(key.as_str(), "$defs" | "properties" | "anyOf" | "items") { "" } else { key };
                    let below = if name.is_empty() { path.to_owned() } else { format!("{path}/{name}") };
                    look(&below, value, found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| look(path, item, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut found = BTreeMap::new();
    look("", schema, &mut found);
    found
}

/// Each mapping of the policy's schema, and a policy in which `…` stands for its keys.
const IN_POLICIES: [(&str, &str); 20] = [
    ("/file", "{ … }"),
    ("/group", "groups: { g: { … } }"),
    ("/channel", "channels: { c: { … } }"),
    ("/file/defaults", "defaults: { … }"),
    ("/rule", "environments: { e: { … } }"),
    ("/service", "services: { s: { … } }"),
    ("/notify", "environments: { e: { notify: { … } } }"),
    ("/leaf", "environments: { e: { require: { count: 1, of: [\"@x\"], … } } }"),
    ("/all_of", "environments: { e: { require: { all_of: [\"@x\"], … } } }"),
    ("/any_of", "environments: { e: { require: { any_of: [\"@x\"], … } } }"),
    ("/in_order", "environments: { e: { require: { in_order: [\"@x\"], … } } }"),
    ("/condition", "environments: { e: { require: { count: 1, of: [\"@x\"], when: { … } } } }"),
    ("/calendar", "calendars: { c: { … } }"),
    ("/span_of_week", "calendars: { c: { timezone: UTC, weekly: [{ … }] } }"),
    ("/span_of_days", "calendars: { c: { timezone: UTC, weekly: [{ days: [mon], … }] } }"),
    ("/span_of_dates", "calendars: { c: { timezone: UTC, dates: [{ … }] } }"),
    ("/freeze", "environments: { e: { freeze: [{ … }] } }"),
    ("/escalation", "environments: { e: { escalate: [{ … }] } }"),
    ("/override", "environments: { e: { override: { … } } }"),
    ("/floor", "floor: { e: { … } }"),
];

/// The same for test files.
const IN_TESTS: [(&str, &str); 29] = [
    ("", "{ … }"),
    ("/case", "cases: [{ … }]"),
    ("/given", "cases: [{ name: x, given: { … }, expect: {} }]"),
    ("/requester", "cases: [{ name: x, given: { requester: { … } }, expect: {} }]"),
    ("/person", "cases: [{ name: x, given: { pull_request: { author: { … } } }, expect: {} }]"),
    ("/pull_request", "cases: [{ name: x, given: { pull_request: { … } }, expect: {} }]"),
    ("/changed_file", "cases: [{ name: x, given: { pull_request: { files: [{ … }] } }, expect: {} }]"),
    ("/commit", "cases: [{ name: x, given: { pull_request: { commits: [{ … }] } }, expect: {} }]"),
    ("/review", "cases: [{ name: x, given: { reviews: [{ … }] }, expect: {} }]"),
    ("/veto", "cases: [{ name: x, given: { vetoes: [{ … }] }, expect: {} }]"),
    ("/decision", "cases: [{ name: x, expect: { … } }]"),
    ("/decision/target", "cases: [{ name: x, expect: { target: { … } } }]"),
    ("/decision/rule", "cases: [{ name: x, expect: { rule: { … } } }]"),
    ("/decision/next_action", "cases: [{ name: x, expect: { next_action: { … } } }]"),
    ("/decision/override", "cases: [{ name: x, expect: { override: { … } } }]"),
    ("/decision/notify", "cases: [{ name: x, expect: { notify: { … } } }]"),
    ("/decision/unmet", "cases: [{ name: x, expect: { unmet: [{ … }] } }]"),
    ("/decision/reasons", "cases: [{ name: x, expect: { reasons: [{ … }] } }]"),
    ("/part", "cases: [{ name: x, expect: { requirement: { … } } }]"),
    ("/review_outcome", "cases: [{ name: x, expect: { reviews: { pia: { … } } } }]"),
    ("/step", "cases: [{ name: x, steps: [{ … }] }]"),
    ("/step/review", "cases: [{ name: x, steps: [{ review: { … } }] }]"),
    ("/step/dismiss", "cases: [{ name: x, steps: [{ dismiss: { … } }] }]"),
    ("/step/push", "cases: [{ name: x, steps: [{ push: { … } }] }]"),
    ("/step/label", "cases: [{ name: x, steps: [{ label: { … } }] }]"),
    ("/step/base", "cases: [{ name: x, steps: [{ base: { … } }] }]"),
    ("/step/close", "cases: [{ name: x, steps: [{ close: { … } }] }]"),
    ("/step/merge", "cases: [{ name: x, steps: [{ merge: { … } }] }]"),
    ("/step/tick", "cases: [{ name: x, steps: [{ tick: { … } }] }]"),
];

/// Keys that only another mapping of the same reader has in the schema.
const APART: [(&str, &str); 1] = [("/span_of_week", "days")];

/// The findings of the reader if this is the text of the mapping.
fn findings(tests: bool, template: &str, inner: &str) -> Vec<Finding> {
    let text = template.replace('…', inner);
    let source = Source { name: "x.yaml".to_owned(), content: SourceContent::Bytes(text.into()) };
    let findings = if tests { case::read(vec![source]).findings } else { load(vec![source]).findings };
    findings.iter().cloned().collect()
}

/// The words in backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// Compares the keys of a mapping with those that its reader accepts.
fn compare(tests: bool, path: &str, template: &str, keys: &BTreeSet<String>) {
    const STRANGE: &str = "qqqqqqqqqqqq";
    for key in
        keys.iter().filter(|key| !template.contains(&format!("{{ {key}:")) && !template.contains(&format!(", {key}:")))
    {
        let found = findings(tests, template, &format!("{key}: null"));
        let unknown =
            |finding: &Finding| finding.code == Code::UnknownKey && finding.message.starts_with(&format!("`{key}`"));
        assert!(!found.iter().any(unknown), "{path}: the schema has `{key}`, and the reader does not: {found:?}");
    }
    let found = findings(tests, template, &format!("{STRANGE}: null"));
    let about = found.iter().find(|finding| finding.message.starts_with(&format!("`{STRANGE}`")));
    match about {
        Some(finding) if finding.code == Code::UnknownKey => {
            let hint = finding.hint.as_deref().unwrap_or_default();
            assert!(!quoted(hint).is_empty(), "{path}: {hint}");
            for key in quoted(hint) {
                assert!(
                    keys.contains(key) || APART.contains(&(path, key)),
                    "{path}: the reader accepts `{key}`, and the schema does not have it"
                );
            }
        }
        Some(finding) => assert_eq!(finding.code, Code::InvalidRequirement, "{path}: {found:?}"),
        None => panic!("{path}: a strange key is not reported: {found:?}"),
    }
}

fn compare_all(tests: bool, schema: &Value, table: &[(&str, &str)]) {
    let mappings = mappings(schema);
    let listed: BTreeSet<&str> = table.iter().map(|(path, _)| *path).collect();
    assert_eq!(listed, mappings.keys().map(String::as_str).collect(), "the table has every mapping of the schema");
    for (path, template) in table {
        compare(tests, path, template, &mappings[*path]);
    }
}

#[test]
fn the_schema_of_policies_has_the_keys_of_its_reader() {
    compare_all(false, &schema::policy(), &IN_POLICIES);
}

#[test]
fn the_schema_of_test_files_has_the_keys_of_its_reader() {
    compare_all(true, &schema::tests(), &IN_TESTS);
}
