//! Checks the simulator's deliveries against GitHub's own schemas.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::github_peers::organization::deliver_everything;
use crate::webhook_door::SECRET;
use crate::webhook_schema::{Schemas, remove};

/// Every delivery of the simulator: `event.action`, and its body.
fn everything() -> Vec<(String, Value)> {
    let host = deliver_everything("http://127.0.0.1:9/", SECRET);
    let name = |event: &str, action: &Option<String>| format!("{event}.{}", action.as_deref().unwrap_or_default());
    let of = |sent: &countersign::adapters::embedded::simulator::delivery::Delivery| {
        (name(sent.event.as_str(), &sent.action), serde_json::from_str(&sent.body).expect("JSON"))
    };
    host.world().deliveries.values().map(|sent| of(sent)).collect()
}

#[test]
fn every_delivery_of_the_simulator_fits_githubs_schema() {
    let schemas = Schemas::github();
    let everything = everything();
    let faults: Vec<String> = everything.iter().flat_map(|(name, payload)| schemas.faults(name, payload)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let names: BTreeSet<&str> = everything.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "check_run.requested_action",
        "check_run.rerequested",
        "deployment_protection_rule.requested",
        "ping.",
        "pull_request.closed",
        "pull_request.edited",
        "pull_request.labeled",
        "pull_request.opened",
        "pull_request.reopened",
        "pull_request.review_request_removed",
        "pull_request.review_requested",
        "pull_request.synchronize",
        "pull_request.unlabeled",
        "pull_request_review.dismissed",
        "pull_request_review.edited",
        "pull_request_review.submitted",
    ];
    assert_eq!(names, BTreeSet::from(expected));
}

#[test]
fn a_delivery_that_github_could_not_send_does_not_fit() {
    let schemas = Schemas::github();
    let whole = everything().into_iter().find(|(name, _)| name == "pull_request_review.submitted").expect("a review");
    let with = |change: &dyn Fn(&mut Value)| {
        let mut payload = whole.1.clone();
        change(&mut payload);
        schemas.faults(&whole.0, &payload)
    };
    assert_eq!(with(&|_| ()), Vec::<String>::new());
    assert_eq!(with(&|payload| payload["review"]["id"] = json!("1")).len(), 1);
    assert_eq!(with(&|payload| payload["action"] = json!("endorsed")).len(), 1);
    assert_eq!(with(&|payload| remove(payload, "/review/commit_id")).len(), 1);
}

#[test]
fn a_check_or_a_deployment_that_github_could_not_send_does_not_fit() {
    let schemas = Schemas::github();
    let everything = everything();
    for (name, pointer, value) in [
        ("check_run.rerequested", "/check_run/details_url", Value::Null),
        ("check_run.requested_action", "/requested_action/identifier", json!(1)),
        ("check_run.requested_action", "/check_run/status", json!("waits")),
        ("deployment_protection_rule.requested", "/deployment/sha", Value::Null),
        ("deployment_protection_rule.requested", "/pull_requests/0/state", json!("merged")),
        ("pull_request.review_requested", "/requested_reviewer", json!("pia")),
    ] {
        let (_, mut payload) = everything.iter().find(|(of, _)| of == name).cloned().expect("it is sent");
        assert_eq!(schemas.faults(name, &payload), Vec::<String>::new());
        *payload.pointer_mut(pointer).expect("a field") = value;
        assert!(!schemas.faults(name, &payload).is_empty(), "{name} {pointer}");
    }
}
