//! Two ways past a rule: audit mode, which waits for nobody, and overrides, which are always notified.

use std::sync::Arc;

use countersign::app::{self, App};
use serde_json::{Value, json};

use crate::local_gate::{Acme, commit, open_pull_request, policy};

const AUDIT: &str = r#"
version: 1
groups:
  payments: { teams: [acme/payments] }
channels:
  desk: { email: [desk@acme.example] }
calendars:
  morning: { timezone: UTC, dates: [{ from: "2026-11-18 08:00", to: "2026-11-18 12:00" }] }
defaults: { mode: audit, notify: [desk] }
services:
  checkout:
    repository: acme/checkout
    environments:
      production: { require: 2 of payments, timeout: 4h }
      canary: { require: 1 of payments, freeze: [{ calendar: morning, effect: wait }] }
      staging: { require: 1 of payments, freeze: [morning] }
      "prod-*": { require: 2 of payments }
floor:
  "*-eu": { approvals: 1 }
"#;

const OVERRIDE: &str = r#"
version: 1
groups:
  payments: { teams: [acme/payments] }
  sre: { users: [zoe] }
channels:
  desk: { email: [desk@acme.example] }
  board: { email: [board@acme.example] }
calendars:
  morning: { timezone: UTC, dates: [{ from: "2026-11-18 08:00", to: "2026-11-18 12:00" }] }
services:
  checkout:
    repository: acme/checkout
    environments:
      frozen: { require: 1 of payments, freeze: [morning], override: { by: 1 of sre, notify: [board] }, notify: [desk] }
      held: { require: 1 of payments, wait: 2h, override: { by: 1 of sre, notify: [board] }, notify: [desk] }
      open: { require: 1 of payments, override: { by: 1 of sre, notify: [board] }, notify: [desk] }
"#;

async fn passed(acme: &Acme, name: &str, verdict: &str) -> Value {
    let execution = acme.execution(name).await;
    assert_eq!(execution["status"], "SUCCEEDED", "{execution}");
    let output = &execution["output"];
    assert_eq!((&output["approved"], &output["enforced"]), (&json!(true), &json!(false)));
    assert_eq!((&output["decision"]["verdict"], &output["decision"]["mode"]), (&json!(verdict), &json!("audit")));
    let request = acme.request_of(name).await;
    assert_eq!((&request["id"], &request["decision"]), (&output["request_id"], &output["decision"]));
    assert_eq!(request["mode"], "audit");
    let kinds: Vec<Value> = acme.trail_of(name).await.into_iter().map(|record| record["kind"].clone()).collect();
    assert_eq!(kinds.first(), Some(&json!("audited")), "{kinds:?}");
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn in_audit_mode_every_verdict_is_recorded_and_notified_and_nothing_waits() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::under(folder.path(), AUDIT).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.start("pending", "production", pull).await;
    acme.start("frozen", "staging", pull).await;
    acme.start("waits", "canary", pull).await;
    for (name, verdict, state) in
        [("pending", "pending", "canceled"), ("frozen", "denied", "denied"), ("waits", "wait", "canceled")]
    {
        let request = passed(&acme, name, verdict).await;
        assert_eq!((&request["state"], &request["callback"]), (&json!(state), &json!("not-needed")));
        assert_eq!(request["approved_at"], json!(null));
    }
    assert_eq!(acme.notified().await, ["desk: requested", "desk: denied"]);
    let text = acme.last_text("requested").await;
    assert!(text.contains("audit mode") && text.contains("0 of 2 payments"), "{text}");
    assert!(!text.contains("Approve by") && !text.contains("expires"), "{text}");

    acme.review("pia", pull, "APPROVE").await;
    acme.review("pat", pull, "REQUEST_CHANGES").await;
    acme.start("rejected", "production", pull).await;
    assert_eq!(passed(&acme, "rejected", "rejected").await["state"], "rejected");
    acme.review("pat", pull, "APPROVE").await;
    acme.start("approved", "production", pull).await;
    assert_eq!(passed(&acme, "approved", "approved").await["state"], "approved");
    assert_eq!(acme.notified().await.split_off(2), ["desk: rejected", "desk: approved"]);
    assert_eq!(acme.gate.get("/requests").await.expect("requests")["requests"], json!([]));
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_mode_does_not_pass_a_missing_rule_a_rule_below_its_floor_or_an_unusable_input() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::under(folder.path(), AUDIT).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    for (name, environment, error) in [
        ("a", "nowhere", "Countersign.Denied"),
        ("b", "prod-eu", "Countersign.Denied"),
        ("c", "no environment", "Countersign.InvalidInput"),
    ] {
        let execution = acme.start(name, environment, pull).await;
        assert_eq!((&execution["status"], &execution["error"]), (&json!("FAILED"), &json!(error)), "{environment}");
        assert_eq!(execution["output"], json!(null));
    }
    assert_eq!(acme.execution("b").await["cause"]["reasons"][0]["code"], "below-floor");
    // Nor does the message say that it goes on.
    assert!(!acme.last_text("denied").await.contains("goes on"));
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enforced_approval_says_that_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::under(folder.path(), OVERRIDE).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.review("pia", pull, "APPROVE").await;
    let execution = acme.start("a", "open", pull).await;
    assert_eq!(
        (&execution["output"]["enforced"], &execution["output"]["decision"]["override"]),
        (&json!(true), &json!(null))
    );
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_override_releases_out_of_a_freeze_and_notifies_those_it_names_with_its_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::under(folder.path(), OVERRIDE).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    assert_eq!(acme.start("a", "frozen", pull).await["cause"]["reasons"][0]["code"], "frozen");
    acme.approve("zoe", pull, "/override checkout:frozen the shop is down").await;
    let execution = acme.start("b", "frozen", pull).await;
    assert_eq!(execution["status"], "SUCCEEDED", "{execution}");
    let given = json!({ "by": ["zoe"], "reason": "the shop is down" });
    assert_eq!(execution["output"]["decision"]["override"], given);
    assert_eq!(execution["output"]["enforced"], true);
    assert_eq!(acme.notified().await, ["desk: denied", "board: overridden", "desk: overridden"]);
    assert!(acme.last_text("overridden").await.contains("the shop is down"));
    let recorded = acme.trail_of("b").await;
    assert!(recorded.iter().any(|record| record["kind"] == "released" && record["decision"]["override"] == given));
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_override_ends_a_waiting_request_and_is_notified_instead_of_an_approval_even_if_it_was_not_needed() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::under(folder.path(), OVERRIDE).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.start("waits", "open", pull).await;
    acme.approve("zoe", pull, "/override open cannot wait").await;
    assert_eq!(acme.execution("waits").await["status"], "SUCCEEDED");
    assert_eq!(acme.notified().await, ["desk: requested", "board: overridden", "desk: overridden"]);
    acme.review("pia", pull, "APPROVE").await;
    acme.start("met", "open", pull).await;
    assert_eq!(acme.notified().await.split_off(3), ["board: overridden", "desk: overridden"]);
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_override_that_only_the_last_check_finds_is_notified_as_well() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::under(folder.path(), OVERRIDE).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.review("pia", pull, "APPROVE").await;
    acme.start("a", "held", pull).await;
    acme.pass("1h").await;
    acme.approve("zoe", pull, "/override held no time to lose").await;
    acme.review("pat", pull, "REQUEST_CHANGES").await;
    assert_eq!(acme.notified().await, ["desk: approved"]);
    acme.pass("1h").await;
    assert_eq!(acme.execution("a").await["status"], "SUCCEEDED");
    assert_eq!(acme.notified().await.split_off(1), ["board: overridden", "desk: overridden"]);
    acme.pass("30m").await;
    assert_eq!(acme.notified().await.len(), 3, "once");
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_override_sets_a_remembered_veto_aside_and_does_not_lift_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::under(folder.path(), OVERRIDE).await;
    let first = open_pull_request(&acme.github, "first", &commit(2)).await;
    acme.start("a", "open", first).await;
    acme.review("pat", first, "REQUEST_CHANGES").await;
    assert_eq!(acme.execution("a").await["error"], "Countersign.Rejected");

    let second = open_pull_request(&acme.github, "second", &commit(2)).await;
    acme.approve("zoe", second, "/override open cannot wait").await;
    assert_eq!(acme.start("b", "open", second).await["status"], "SUCCEEDED");

    let third = open_pull_request(&acme.github, "third", &commit(2)).await;
    acme.review("pia", third, "APPROVE").await;
    let refused = acme.start("c", "open", third).await;
    assert_eq!(refused["cause"]["reasons"][0]["code"], "vetoed", "{refused}");
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_override_of_only_the_present_policy_notifies_those_that_this_policy_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let without = OVERRIDE.replace(
        "held: { require: 1 of payments, wait: 2h, override: { by: 1 of sre, notify: [board] }",
        "held: { require: 1 of payments",
    );
    assert_ne!(without, OVERRIDE);
    let acme = Acme::under(folder.path(), &without).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.approve("zoe", pull, "/override held no time to lose").await;
    acme.review("pia", pull, "APPROVE").await;
    acme.start("a", "held", pull).await;
    let present = App { policy: Arc::new(policy(OVERRIDE)), ..acme.local.app.clone() };
    let released = app::verify(&present, &acme.run_of("a").await).await.expect("a release");
    assert_eq!(released.decision.overridden.map(|given| given.reason), Some("no time to lose".to_owned()));
    assert_eq!(acme.notified().await, ["desk: approved", "board: overridden", "desk: overridden"]);
    acme.close().await;
}
