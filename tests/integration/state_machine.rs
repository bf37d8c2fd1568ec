//! The gate's state machine, as Terraform renders it: every path fails closed, and every error name is one of ours.

use std::collections::BTreeSet;

use countersign::app::Failure;
use serde_json::{Map, Value};

use crate::docs::read;

const TEMPLATE: &str = "terraform/state-machine.asl.json.tftpl";

/// AWS's names of its own failures that are worth another try. A state's time limit is not among them.
const RETRIED: [&str; 9] = [
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Sandbox.Timedout",
    "Runtime.ExitError",
    "Countersign.Unavailable",
];

fn states() -> Map<String, Value> {
    let values = [
        ("${partition}", "aws"),
        ("${gate}", "arn:aws:lambda:eu-central-1:123456789012:function:countersign-gate"),
        ("${timeout_seconds}", "70"),
    ];
    let rendered = values.iter().fold(read(TEMPLATE), |text, (name, value)| {
        assert!(text.contains(name), "{name} is not in {TEMPLATE}");
        text.replace(name, value)
    });
    assert!(!rendered.contains("${") && !rendered.contains("%{"), "a placeholder of {TEMPLATE} is not known here");
    let machine: Value = serde_json::from_str(&rendered).expect("JSON");
    machine["States"].as_object().expect("states").clone()
}

/// The states that call a function.
fn tasks() -> Vec<(String, Value)> {
    states().into_iter().filter(|(_, state)| state["Type"] == "Task").collect()
}

fn list<'v>(state: &'v Value, key: &str) -> &'v [Value] {
    state[key].as_array().map_or(&[], Vec::as_slice)
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().expect("a list").iter().map(|text| text.as_str().expect("text")).collect()
}

/// Every text anywhere under one of these keys.
fn under<'v>(value: &'v Value, keys: &[&str], found: &mut BTreeSet<&'v str>) {
    let mut all = |value: &'v Value| match value {
        Value::String(text) => _ = found.insert(text),
        Value::Array(list) => found.extend(list.iter().filter_map(Value::as_str)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {}
    };
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                if keys.contains(&key.as_str()) {
                    all(inner);
                }
            }
            for inner in map.values() {
                under(inner, keys, found);
            }
        }
        Value::Array(list) => list.iter().for_each(|inner| under(inner, keys, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn ours(names: &BTreeSet<&str>) -> BTreeSet<String> {
    names.iter().filter(|name| name.starts_with("Countersign.")).map(ToString::to_string).collect()
}

fn failure_names() -> BTreeSet<String> {
    Failure::NAMES.iter().map(ToString::to_string).collect()
}

#[test]
fn every_failure_has_an_end_state_and_every_end_state_has_a_failure() {
    let states = Value::Object(states());
    let (mut ends, mut chosen) = (BTreeSet::new(), BTreeSet::new());
    under(&states, &["Error"], &mut ends);
    under(&states["End"], &["StringEquals"], &mut chosen);
    assert_eq!(ours(&ends), failure_names());
    assert_eq!(ours(&chosen), failure_names());
    assert_eq!(ends.len(), failure_names().len(), "every end has a name of ours: {ends:?}");
}

#[test]
fn every_end_state_is_named_after_its_error_and_its_cause_is_the_decision() {
    for name in Failure::NAMES {
        let end = name.trim_start_matches("Countersign.");
        let state = &states()[end];
        assert_eq!((&state["Type"], &state["Error"]), (&Value::from("Fail"), &Value::from(name)));
        assert_eq!(state["CausePath"], "$.cause", "{end}");
    }
}

#[test]
fn every_step_catches_every_failure_by_name_and_all_others_last() {
    let steps: Vec<_> =
        tasks().into_iter().filter(|(name, _)| !["Settle", "Expire"].contains(&name.as_str())).collect();
    assert_eq!(
        steps.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["Evaluate", "RequestApproval", "Verify"]
    );
    for (name, state) in steps {
        let mut caught = BTreeSet::new();
        under(&state["Catch"], &["ErrorEquals"], &mut caught);
        assert_eq!(ours(&caught), failure_names(), "{name}");
        let last = list(&state, "Catch").last().expect("a catch");
        assert_eq!(
            (texts(&last["ErrorEquals"]), &last["Next"]),
            (vec!["States.ALL"], &Value::from("Settle")),
            "{name}"
        );
    }
}

#[test]
fn every_catch_of_a_step_settles_the_request_and_if_that_fails_the_execution_ends_with_a_name() {
    for (name, state) in tasks() {
        let caught: Vec<(Vec<&str>, &str)> = list(&state, "Catch")
            .iter()
            .map(|catch| (texts(&catch["ErrorEquals"]), catch["Next"].as_str().expect("a next")))
            .collect();
        if ["Settle", "Expire"].contains(&name.as_str()) {
            let ends = [(vec!["Countersign.PolicyInvalid"], "PolicyUnusable"), (vec!["States.ALL"], "Unsettled")];
            assert_eq!(caught, ends, "{name}");
        } else {
            assert!(caught.iter().all(|(_, next)| ["Settle", "Expire"].contains(next)), "{name} → {caught:?}");
        }
    }
    let error = |state: &str| states()[state]["Error"].clone();
    assert_eq!(
        (error("PolicyUnusable"), error("Unsettled")),
        ("Countersign.PolicyInvalid".into(), "Countersign.Unavailable".into())
    );
    for (state, how) in [("Settle", "stopped"), ("Expire", "timed-out")] {
        let payload = &states()[state]["Parameters"]["Payload"];
        assert_eq!((&payload["step"], &payload["how"]), (&Value::from("settle"), &Value::from(how)));
    }
}

#[test]
fn the_wait_for_people_has_a_time_limit_and_running_into_it_expires_the_request() {
    let state = &states()["RequestApproval"];
    assert_eq!(state["TimeoutSecondsPath"], "$.timeout_seconds");
    let timed_out = list(state, "Catch").iter().find(|catch| catch["Next"] == "Expire").expect("a catch");
    assert_eq!(texts(&timed_out["ErrorEquals"]), ["States.HeartbeatTimeout", "States.Timeout"]);
    for (name, state) in tasks() {
        assert!(state["TimeoutSeconds"].is_number() || name == "RequestApproval", "{name} may hang");
    }
}

#[test]
fn only_named_errors_are_retried_so_that_no_rejection_is() {
    for (name, state) in tasks() {
        for retry in list(&state, "Retry") {
            for error in texts(&retry["ErrorEquals"]) {
                assert!(RETRIED.contains(&error), "{name} tries again on {error}");
            }
        }
    }
}

#[test]
fn every_state_is_reached_and_every_next_state_exists() {
    let states = states();
    let whole = Value::Object(states.clone());
    let mut named = BTreeSet::new();
    under(&whole, &["Next", "Default"], &mut named);
    named.insert("Begin");
    let there: BTreeSet<&str> = states.keys().map(String::as_str).collect();
    assert_eq!(named, there);
}

#[test]
fn every_choice_fails_closed_by_default() {
    let choices: Vec<_> = states().into_iter().filter(|(_, state)| state["Type"] == "Choice").collect();
    assert_eq!(choices.len(), 3);
    for (name, state) in choices {
        assert_eq!(states()[state["Default"].as_str().expect("a default")]["Type"], "Fail", "{name}");
    }
}

#[test]
fn only_verify_leads_to_release_and_only_if_its_output_says_so() {
    let all = states();
    let leads: Vec<_> = all.iter().filter(|(_, state)| state.to_string().contains("\"Next\":\"Released\"")).collect();
    assert_eq!(leads.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["Verified"]);
    let release = list(leads[0].1, "Choices").iter().find(|choice| choice["Next"] == "Released").expect("a choice");
    for (path, value) in [("$.output.approved", true), ("$.output.enforced", true)] {
        let required =
            list(release, "And").iter().any(|part| part["Variable"] == path && part["BooleanEquals"] == value);
        assert!(required, "{path}");
    }
    let before: Vec<_> = all.iter().filter(|(_, state)| state["Next"] == "Verified").map(|(name, _)| name).collect();
    assert_eq!(before, ["Verify"]);
}

#[test]
fn the_task_token_goes_to_the_gate_and_nowhere_else() {
    for (name, state) in states() {
        let holds = state.to_string().contains("$$.Task.Token");
        assert_eq!(holds, name == "RequestApproval", "{name}");
    }
    assert_eq!(states()["RequestApproval"]["ResultPath"], Value::Null);
}

#[test]
fn every_step_gets_the_execution_and_its_run() {
    for (name, state) in tasks() {
        let execution = &state["Parameters"]["Payload"]["execution"];
        assert_eq!(execution["arn.$"], "$$.Execution.Id", "{name}");
        assert_eq!(execution["started.$"], "$$.Execution.StartTime", "{name}");
        assert_eq!(execution["redrive.$"], "$$.Execution.RedriveCount", "{name}");
        assert_eq!(execution["input.$"], "$$.Execution.Input", "{name}");
    }
    assert_eq!(states()["RequestApproval"]["Parameters"]["Payload"]["retry.$"], "$$.State.RetryCount");
}
