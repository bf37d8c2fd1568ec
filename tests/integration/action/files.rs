//! The action's files as GitHub reads them, and the workflows in its documentation.

use std::fs;
use std::path::Path;

use regex::Regex;
use serde_json::Value;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn yaml(text: &str) -> Value {
    // In YAML 1.2 `on` is a text, not a boolean.
    let options = serde_yaml::options! { strict_booleans: true };
    serde_yaml::from_str_with_options(text, options).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The workflows in docs/policy/action.md.
fn examples() -> Vec<String> {
    let page = read("docs/policy/action.md");
    let blocks = page.split("```yaml\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap_or_default().to_owned()).collect()
}

/// The text of every action and workflow, by name.
fn texts() -> Vec<(String, String)> {
    let files = ["action/action.yml", ".github/workflows/policy.yml"];
    let mut texts: Vec<_> = files.iter().map(|path| ((*path).to_owned(), read(path))).collect();
    texts.extend(examples().into_iter().enumerate().map(|(at, text)| (format!("example {at}"), text)));
    texts
}

fn steps(document: &Value) -> Vec<Value> {
    let of = |value: &Value| value["steps"].as_array().cloned().unwrap_or_default();
    let jobs = document["jobs"].as_object().cloned().unwrap_or_default();
    of(&document["runs"]).into_iter().chain(jobs.values().flat_map(of)).collect()
}

#[test]
fn no_script_of_a_step_contains_an_expression() {
    let mut seen = 0;
    for (name, text) in texts() {
        for step in steps(&yaml(&text)) {
            if let Some(script) = step["run"].as_str() {
                assert!(!script.contains("${{"), "{name}: {script}");
                seen += 1;
            }
        }
        assert!(!text.contains("github.event"), "{name} reads the event by its file, if at all");
        assert!(!text.contains("pull_request_target:"), "{name}");
    }
    assert!(seen >= 6, "found only {seen} steps");
}

#[test]
fn actions_of_others_are_pinned_to_a_commit() {
    let at_a_commit = Regex::new("^[a-z-]+/[a-z-]+@[0-9a-f]{40}$").expect("the pattern is one");
    let mut seen = 0;
    for (name, text) in texts() {
        let uses = steps(&yaml(&text)).into_iter().filter_map(|step| step["uses"].as_str().map(str::to_owned));
        for used in uses.filter(|used| !used.starts_with("./") && !used.starts_with("countersign/")) {
            assert!(at_a_commit.is_match(&used), "{name}: {used}");
            seen += 1;
        }
    }
    assert!(seen >= 4, "{seen}");
}

#[test]
fn only_the_comment_may_write_and_no_credentials_stay_in_the_checkout() {
    let allowed = |permissions: &Value| {
        permissions.as_object().is_none_or(|given| {
            given.iter().all(|(key, value)| value == "read" && key == "contents" || key == "pull-requests")
        })
    };
    for (name, text) in texts() {
        let document = yaml(&text);
        if name != "action/action.yml" {
            assert!(document["permissions"].is_object(), "{name} declares its permissions");
        }
        assert!(allowed(&document["permissions"]), "{name}");
        for job in document["jobs"].as_object().into_iter().flatten() {
            assert!(allowed(&job.1["permissions"]), "{name}");
        }
        for step in steps(&document) {
            if step["uses"].as_str().is_some_and(|used| used.starts_with("actions/checkout@")) {
                assert_eq!(step["with"]["persist-credentials"], false, "{name}");
            }
        }
    }
}

#[test]
fn the_steps_that_read_the_policy_get_no_token() {
    let action = yaml(&read("action/action.yml"));
    for step in steps(&action) {
        let given = step["env"].to_string().contains("inputs.token");
        let script = step["run"].as_str().unwrap_or_default();
        let may = script.contains("comment.sh") || script.contains("verdict.sh");
        assert_eq!(given, may, "{script}");
    }
}

#[test]
fn defaults_are_the_same_in_the_action_the_workflow_and_the_documentation() {
    let action = yaml(&read("action/action.yml"));
    let workflow = yaml(&read(".github/workflows/policy.yml"));
    let page = read("docs/policy/action.md");
    for input in ["policy", "label"] {
        let default = action["inputs"][input]["default"].as_str().expect("a default");
        assert_eq!(workflow["on"]["workflow_call"]["inputs"][input]["default"], default);
        assert!(page.contains(&format!("| `{input}` | `{default}` |")), "{input}");
    }
    for (name, _) in action["inputs"].as_object().expect("inputs") {
        assert!(page.contains(&format!("| `{name}` |")), "the page describes `{name}`");
    }
}

#[test]
fn the_workflows_in_the_documentation_run_when_a_label_changes() {
    let examples = examples();
    assert!(examples.len() >= 2);
    for text in examples {
        let types = &yaml(&text)["on"]["pull_request"]["types"];
        for wanted in ["opened", "reopened", "synchronize", "labeled", "unlabeled"] {
            assert!(
                types.as_array().is_some_and(|types| types.iter().any(|given| given == wanted)),
                "{wanted}: {text}"
            );
        }
    }
}

#[test]
fn every_script_stops_at_the_first_error() {
    for script in ["install.sh", "review.sh", "comment.sh", "verdict.sh"] {
        assert!(read(&format!("action/{script}")).contains("\nset -euo pipefail\n"), "{script}");
    }
}
