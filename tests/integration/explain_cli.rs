//! `countersign explain`: the rule, where each field comes from, or why there is no rule.

use serde_json::{Value, json};

use crate::command_line::{Countersign, assert_expected};

#[test]
fn a_rule_is_printed_field_by_field_with_the_place_that_set_it() {
    let ran = Countersign::new("explain checkout production --policy sound").run();
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_expected("explain/checkout-production.expected", &ran.stdout);
}

#[test]
fn an_environment_that_needs_no_approval_says_so() {
    let ran = Countersign::new("explain internal-billing staging --policy sound").run();
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_expected("explain/internal-staging.expected", &ran.stdout);
}

#[test]
fn the_same_as_json_has_a_value_and_a_source_for_every_field() {
    let ran = Countersign::new("explain checkout production --policy sound --format json").run();
    let document = ran.json();
    assert_eq!(document["schema"], 1);
    assert_eq!(document["target"], json!({ "service": "checkout", "environment": "production" }));
    assert_eq!(document["rule"]["timeout"], json!({ "value": "4h", "source": "checkout.yaml:24" }));
    assert_eq!(document["rule"]["notify"], json!({ "value": ["oncall"], "source": "checkout.yaml:13" }));
    assert_eq!(document["rule"]["distinct"], json!({ "value": true, "source": null }));
    assert_eq!(document["rule"]["require"]["value"]["all_of"][0]["count"], 2);
    assert_eq!(document.get("decision"), None);
}

#[test]
fn a_target_without_a_rule_is_reported_with_the_reason_and_is_no_failure() {
    let ran = Countersign::new("explain billing production --policy sound").run();
    assert_eq!(ran.code, Some(0));
    assert!(ran.stdout.contains("(no-rule): no service of the policy matches `billing`"), "{}", ran.stdout);
    let document = Countersign::new("explain checkout preview --policy sound --format json").run().json();
    assert_eq!(document["rule"], Value::Null);
    assert_eq!(document["reason"]["code"], "no-rule");
    assert_eq!(document["service_selector"], "checkout");
}

#[test]
fn with_facts_the_decision_is_printed_with_the_rule() {
    let explain = "explain checkout production --policy sound --facts facts/checkout.json";
    let ran = Countersign::new(explain).run();
    assert!(ran.stdout.contains("\ndecision: pending: 1 of 2 payments; 1 of 1 security met\n"), "{}", ran.stdout);
    let document = Countersign::new(explain).arg("--format=json").run().json();
    assert_eq!(document["decision"]["verdict"], "pending");
}

#[test]
fn facts_about_another_target_are_refused() {
    let ran = Countersign::new("explain checkout staging --policy sound --facts facts/checkout.json").run();
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("the facts are about checkout:production"), "{}", ran.stderr);
}

#[test]
fn an_invalid_policy_exits_with_3_and_its_findings_go_to_stderr() {
    let ran = Countersign::new("explain checkout production --policy lint/invalid-requirement/bad.yaml").run();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), ""));
    assert!(ran.stderr.contains("error[invalid-requirement]") && ran.stderr.contains("\nhint: "), "{}", ran.stderr);
    let ran =
        Countersign::new("explain checkout production --policy lint/invalid-requirement/bad.yaml --format json").run();
    let document = ran.json();
    assert_eq!((ran.code, &document["schema"]), (Some(3), &json!(1)));
    assert_eq!(document["error"]["code"], "policy-invalid");
    assert_eq!(document["findings"][0]["code"], "invalid-requirement");
}

#[test]
fn an_invalid_name_is_a_usage_error() {
    let ran = Countersign::new("explain check:out production --policy sound").run();
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("is not a service name"), "{}", ran.stderr);
}
