//! The last check before the release: what may still stop it, and what is remembered of that.

use std::sync::Arc;

use async_trait::async_trait;
use countersign::adapters::embedded::simulator::change::ReviewEvent;
use countersign::app::{self, App, ExecutionRef, Failure, Pinned, Wait};
use countersign::approval::decision::Event;
use countersign::ident::ChannelName;
use countersign::ports::{Message, Notifier, NotifyError};
use countersign::request::End;
use hyper::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::gate_world::GateWorld;
use crate::gate_world::fuse::Fuse;
use crate::local_gate::{Acme, POLICY, commit, open_pull_request, policy};
use crate::specimen::{at, execution, pull_request, token};

/// The same gate under another policy, in which zoe may request changes.
fn with_zoe(acme: &Acme) -> App {
    let text = POLICY.replace(
        "canary: { require: 1 of payments, timeout: 4h }",
        "canary: { require: 1 of payments, timeout: 4h, veto: [\"@zoe\"] }",
    );
    assert_ne!(text, POLICY);
    App { policy: Arc::new(policy(&text)), ..acme.local.app.clone() }
}

/// An execution that no machine drives.
fn run(name: &str) -> ExecutionRef {
    ExecutionRef { arn: execution(name), started_at: at(0), redrive: 0 }
}

fn canary(pull: u64) -> Value {
    json!({ "service": "checkout", "environment": "canary", "pullRequest": format!("acme/checkout#{pull}") })
}

fn ended<T: std::fmt::Debug>(result: Result<T, Failure>) -> End {
    match result {
        Err(Failure::Ended { end, .. }) => end,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approved_request_is_released_again_on_the_same_facts_even_in_a_redriven_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::with_people(folder.path()).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.review("pia", pull, "APPROVE").await;
    assert_eq!(acme.start("a", "canary", pull).await["status"], "SUCCEEDED");
    let first = acme.run_of("a").await;
    for redrive in [0, 1] {
        let run = ExecutionRef { redrive, ..first.clone() };
        let released = app::verify(&acme.local.app, &run).await.expect("a release");
        assert_eq!(released.request_id, first.request_id());
    }
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_that_uses_a_name_again_is_not_released_by_the_approval_of_the_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::with_people(folder.path()).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.review("pia", pull, "APPROVE").await;
    assert_eq!(acme.start("a", "canary", pull).await["status"], "SUCCEEDED");
    let first = acme.run_of("a").await;
    let started_at = first.started_at.checked_add(SignedDuration::from_hours(91 * 24)).expect("an instant");
    let again = ExecutionRef { started_at, ..first.clone() };
    assert_eq!((again.arn.clone(), again.redrive), (first.arn.clone(), first.redrive));

    let app = &acme.local.app;
    assert!(matches!(app::verify(app, &again).await, Err(Failure::Unavailable { .. })));
    let refused = open_pull_request(&acme.github, "refused", &commit(3)).await;
    acme.review("pat", refused, "REQUEST_CHANGES").await;
    let evaluated = app::evaluate(app, &again, &canary(refused), None).await.expect("a decision");
    assert_eq!(evaluated.decision.verdict.as_str(), "rejected");
    assert_eq!(ended(app::verify(app, &again).await), End::Rejected);
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_request_is_not_accepted_for_another_pull_request_target_or_revision() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::with_people(folder.path()).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    let other = open_pull_request(&acme.github, "other", &commit(3)).await;
    acme.review("pia", pull, "APPROVE").await;
    assert_eq!(acme.start("a", "canary", pull).await["status"], "SUCCEEDED");
    let (app, run) = (&acme.local.app, acme.run_of("a").await);
    let staging =
        json!({ "service": "checkout", "environment": "staging", "pullRequest": format!("acme/checkout#{pull}") });
    let superseded = |failure: Failure| {
        let said = failure.to_string();
        assert!(said.contains(&format!("checkout:canary, acme/checkout#{pull} at 0202020")), "{said}");
        failure.name()
    };
    for input in [canary(other), staging] {
        let refused = app::evaluate(app, &run, &input, None).await.expect_err("another subject");
        assert_eq!(superseded(refused), "Countersign.Superseded");
    }
    let pinned =
        Pinned { pull_request: Some(pull_request(&format!("acme/checkout#{other}"))), revision: None, requester: None };
    let wait = Wait { token: token("secret"), retry: 0 };
    let refused = app::open_request(app, &run, &canary(other), pinned, wait).await.expect_err("another subject");
    assert_eq!(superseded(refused), "Countersign.Superseded");
    // A retry of the step after the head has moved.
    acme.push("feature", &commit(4)).await;
    let refused = app::evaluate(app, &run, &canary(pull), None).await.expect_err("another subject");
    assert_eq!(superseded(refused), "Countersign.Superseded");
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_that_was_withdrawn_since_is_rejected_and_notified() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::with_people(folder.path()).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    let first = acme.review("pia", pull, "APPROVE").await;
    acme.review("pat", pull, "APPROVE").await;
    assert_eq!(acme.start("a", "production", pull).await["status"], "SUCCEEDED");
    let path = format!("/repos/acme/checkout/pulls/{pull}/reviews/{first}/dismissals");
    let body = json!({ "message": "on second thought", "event": "DISMISS" });
    acme.github.send(Method::PUT, &path, Some("standin_pia"), Some(&body)).await.expect("a dismissal");
    acme.settle().await;
    match app::verify(&acme.local.app, &acme.run_of("a").await).await {
        Err(Failure::Ended { end: End::Rejected, decision: Some(decision) }) => {
            assert_eq!(decision.reasons[0].code.as_str(), "approval-withdrawn");
        }
        other => panic!("{other:?}"),
    }
    let sent = acme.gate.get("/notifications").await.expect("notifications");
    let events: Vec<&str> =
        sent["notifications"].as_array().expect("a list").iter().filter_map(|n| n["event"].as_str()).collect();
    assert_eq!(events, ["approved", "rejected"]);
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_veto_that_only_the_present_policy_knows_stops_the_release() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::with_people(folder.path()).await;
    let present = with_zoe(&acme);
    let first = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.review("zoe", first, "REQUEST_CHANGES").await;
    let refused = app::evaluate(&present, &run("first"), &canary(first), None).await.expect("a decision");
    assert_eq!(refused.decision.verdict.as_str(), "rejected");

    let second = open_pull_request(&acme.github, "again", &commit(2)).await;
    acme.review("pia", second, "APPROVE").await;
    assert_eq!(acme.start("second", "canary", second).await["status"], "SUCCEEDED");
    assert_eq!(ended(app::verify(&present, &acme.run_of("second").await).await), End::Denied);
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_the_input_that_only_the_present_policy_reads_is_unknown_and_makes_the_decision_stricter() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::with_people(folder.path()).await;
    let under = |pointer: &str| {
        let second = format!("{{ count: 1, of: [\"@zoe\"], when: {{ input: {{ \"{pointer}\": \"eu\" }} }} }}");
        let text = POLICY.replace(
            "canary: { require: 1 of payments, timeout: 4h }",
            &format!("canary: {{ require: {{ all_of: [1 of payments, {second}] }}, timeout: 4h }}"),
        );
        App { policy: Arc::new(policy(&text)), ..acme.local.app.clone() }
    };
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.review("pia", pull, "APPROVE").await;
    let mut input = canary(pull);
    input["region"] = json!("us");
    input["zone"] = json!("us");
    let first = app::evaluate(&under("/region"), &run("first"), &input, None).await.expect("a decision");
    assert_eq!(first.decision.verdict.as_str(), "approved");
    app::verify(&under("/region"), &run("first")).await.expect("a release");
    match app::verify(&under("/zone"), &run("first")).await {
        Err(Failure::Ended { end: End::Denied, decision: Some(decision) }) => {
            let codes: Vec<&str> = decision.reasons.iter().map(|reason| reason.code.as_str()).collect();
            assert_eq!(codes, ["policy-changed", "quorum-unmet", "condition-unknown"]);
        }
        other => panic!("{other:?}"),
    }
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_veto_that_stops_a_release_is_remembered_for_the_next_pull_request_of_the_commit() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::with_people(folder.path()).await;
    let present = with_zoe(&acme);
    let first = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.review("pia", first, "APPROVE").await;
    acme.review("zoe", first, "REQUEST_CHANGES").await;
    assert_eq!(acme.start("first", "canary", first).await["status"], "SUCCEEDED");
    assert_eq!(ended(app::verify(&present, &acme.run_of("first").await).await), End::Denied);

    let second = open_pull_request(&acme.github, "again", &commit(2)).await;
    acme.review("pia", second, "APPROVE").await;
    let refused = app::evaluate(&present, &run("second"), &canary(second), None).await.expect("a decision");
    assert_eq!(refused.decision.reasons[0].code.as_str(), "vetoed");
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn merging_another_pull_request_of_the_commit_does_not_remove_a_veto() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::with_people(folder.path()).await;
    let first = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.review("pat", first, "REQUEST_CHANGES").await;
    assert_eq!(acme.start("a", "canary", first).await["error"], "Countersign.Rejected");
    let second = open_pull_request(&acme.github, "again", &commit(2)).await;
    acme.review("pia", second, "APPROVE").await;
    let merge = format!("/repos/acme/checkout/pulls/{second}/merge");
    acme.github.send(Method::PUT, &merge, Some("standin_pia"), Some(&json!({}))).await.expect("a merge");
    let execution = acme.start("b", "canary", second).await;
    assert_eq!(execution["error"], "Countersign.Rejected", "{execution}");
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_at_the_first_evaluation_is_stored_and_notified() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::with_people(folder.path()).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    let mut input = canary(pull);
    input["environment"] = json!("production");
    input["revision"] = json!(commit(9));
    acme.gate.post("/executions?name=a", &input).await.expect("it starts");
    acme.settle().await;
    assert_eq!(acme.execution("a").await["error"], "Countersign.Denied");
    let request = acme.request_of("a").await;
    assert_eq!(
        (&request["state"], &request["decision"]["reasons"][0]["code"]),
        (&json!("denied"), &json!("wrong-revision"))
    );
    let sent = acme.gate.get("/notifications").await.expect("notifications");
    assert_eq!(
        (&sent["notifications"][0]["event"], &sent["notifications"][0]["channel"]),
        (&json!("denied"), &json!("oncall"))
    );
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_that_is_stopped_as_soon_as_it_is_started_leaves_no_open_request() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::with_people(folder.path()).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    for n in 0..20 {
        acme.gate.post(&format!("/executions?name=e{n}"), &canary(pull)).await.expect("it starts");
        acme.gate.post(&format!("/executions/e{n}/stop"), &json!({})).await.expect("it stops");
    }
    acme.settle().await;
    let open = acme.gate.get("/requests").await.expect("requests");
    assert_eq!(open["requests"], json!([]));
    acme.close().await;
}

#[tokio::test]
async fn an_execution_that_was_stopped_while_its_request_was_stored_notifies_nobody() {
    let world = GateWorld::new("production");
    let gate = world.gate(&Fuse::never());
    world.broker.stop();
    assert_eq!(ended(world.open(&gate, "token").await), End::Canceled);
    assert!(!world.request().await.is_open());
    assert!(!world.channel.notified().contains(&Event::Requested), "{:?}", world.channel.notified());
}

#[tokio::test]
async fn verify_notifies_an_approval_once_and_the_webhook_that_brought_it_does_not_wait_for_that() {
    let world = GateWorld::new("production");
    let gate = world.gate(&Fuse::never());
    world.open(&gate, "token").await.expect("a request");
    world.review("pia", ReviewEvent::Approve);
    world.deliver(&gate, "one").await.expect("a delivery");
    assert_eq!((world.broker.taken(), world.channel.notified()), (vec![End::Approved], vec![Event::Requested]));
    for _ in 0..2 {
        app::verify(&gate, &GateWorld::execution()).await.expect("a release");
        assert_eq!(world.channel.notified(), [Event::Requested, Event::Approved]);
    }
}

#[tokio::test]
async fn an_approval_that_verify_refuses_is_notified_before_the_refusal() {
    let world = GateWorld::new("production");
    let gate = world.gate(&Fuse::never());
    world.open(&gate, "token").await.expect("a request");
    world.review("pia", ReviewEvent::Approve);
    world.deliver(&gate, "one").await.expect("a delivery");
    world.review("pia", ReviewEvent::RequestChanges);
    assert_eq!(ended(app::verify(&gate, &GateWorld::execution()).await), End::Rejected);
    assert_eq!(world.channel.notified(), [Event::Requested, Event::Approved, Event::Rejected]);
}

#[tokio::test]
async fn the_sweep_notifies_an_approval_that_nobody_verifies() {
    let world = GateWorld::new("production");
    let gate = world.gate(&Fuse::never());
    world.open(&gate, "token").await.expect("a request");
    world.review("pia", ReviewEvent::Approve);
    world.deliver(&gate, "one").await.expect("a delivery");
    world.minutes_pass(9);
    app::sweep(&gate).await.expect("a sweep");
    assert_eq!(world.channel.notified(), [Event::Requested]);
    world.minutes_pass(1);
    app::sweep(&gate).await.expect("a sweep");
    assert_eq!(world.channel.notified(), [Event::Requested, Event::Approved]);
    app::verify(&gate, &GateWorld::execution()).await.expect("a release");
    assert_eq!(world.channel.notified(), [Event::Requested, Event::Approved]);
}

/// A channel that never answers.
struct Hangs;

#[async_trait]
impl Notifier for Hangs {
    async fn notify(&self, _: &ChannelName, _: &Message) -> Result<(), NotifyError> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_channel_that_hangs_does_not_hold_up_a_release() {
    let world = GateWorld::new("production");
    let gate = world.gate(&Fuse::never());
    world.open(&gate, "token").await.expect("a request");
    world.review("pia", ReviewEvent::Approve);
    world.deliver(&gate, "one").await.expect("a delivery");
    let hangs = App { notifier: Arc::new(Hangs), ..gate.clone() };
    app::verify(&hangs, &GateWorld::execution()).await.expect("a release");
    assert!(world.request().await.due_at().is_some(), "the sweep has nothing left to notify");
    world.minutes_pass(10);
    app::sweep(&gate).await.expect("a sweep");
    assert_eq!(world.channel.notified(), [Event::Requested, Event::Approved]);
}
