//! Reminders and escalations at the local gate: told once, to whom they are for, and never of what is over.

use serde_json::json;

use crate::local_gate::{Acme, commit, open_pull_request};

const POLICY: &str = r#"
version: 1
groups:
  payments: { teams: [acme/payments] }
  sre: { users: [zoe] }
channels:
  payments: { email: [payments@acme.example] }
  oncall: { email: [oncall@acme.example] }
services:
  checkout:
    repository: acme/checkout
    notify: [payments]
    environments:
      production:
        require: 2 of payments
        timeout: 4h
        remind: [1h, 90m]
        escalate: [{ after: 2h, notify: [oncall], stand_in: { payments: [sre] } }]
"#;

async fn waiting(folder: &std::path::Path) -> (Acme, u64) {
    let acme = Acme::under(folder, POLICY).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    assert_eq!(acme.start("a", "production", pull).await["status"], "RUNNING");
    (acme, pull)
}

#[tokio::test(flavor = "multi_thread")]
async fn those_still_needed_are_reminded_once_at_each_time_and_told_who_and_until_when() {
    let folder = tempfile::tempdir().expect("a folder");
    let (acme, pull) = waiting(folder.path()).await;
    acme.review("pia", pull, "APPROVE").await;
    acme.pass("59m").await;
    for _ in 0..3 {
        acme.pass("1s").await;
    }
    acme.pass("10m").await;
    assert_eq!(acme.told().await, ["payments: requested", "payments: reminded"]);
    let text = acme.last_text("reminded").await;
    assert!(text.contains("Still needed for 2 of payments: 1 more; pat can approve."), "{text}");
    assert!(text.contains("It expires at 2026-11-18T13:00:00Z."), "{text}");
    acme.pass("21m").await;
    assert_eq!(acme.told().await, ["payments: requested", "payments: reminded", "payments: reminded"]);
    let told = acme.gate.get("/notifications").await.expect("notifications");
    let numbers: Vec<_> =
        told["notifications"].as_array().expect("a list").iter().map(|one| one["number"].clone()).collect();
    assert_eq!(numbers, [json!(null), json!(1), json!(2)]);
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reminders_that_were_missed_are_told_as_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let (acme, _) = waiting(folder.path()).await;
    acme.pass("3h").await;
    acme.pass("30m").await;
    assert_eq!(
        acme.told().await,
        ["payments: requested", "payments: reminded", "oncall: escalated", "payments: escalated"]
    );
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_reminded_of_a_request_that_is_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let (acme, pull) = waiting(folder.path()).await;
    acme.review("pat", pull, "REQUEST_CHANGES").await;
    acme.pass("3h").await;
    acme.start("b", "production", open_pull_request(&acme.github, "other", &commit(3)).await).await;
    // All times of the second have passed at once, and so has its deadline.
    acme.pass("5h").await;
    let told = acme.told().await;
    assert_eq!(told, ["payments: requested", "payments: rejected", "payments: requested", "payments: expired"]);
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_github_does_not_answer_reminders_wait_and_then_one_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let (acme, _) = waiting(folder.path()).await;
    let host = |unavailable: bool| json!({ "unavailable": unavailable });
    acme.github.send(hyper::Method::PATCH, "/_standin/host", None, Some(&host(true))).await.expect("down");
    acme.pass("100m").await;
    assert_eq!(acme.told().await, ["payments: requested"]);
    acme.github.send(hyper::Method::PATCH, "/_standin/host", None, Some(&host(false))).await.expect("up");
    acme.pass("1s").await;
    assert_eq!(acme.told().await, ["payments: requested", "payments: reminded"]);
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_escalation_tells_its_own_channels_and_those_who_may_stand_in_approve_from_then_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let (acme, pull) = waiting(folder.path()).await;
    acme.review("pia", pull, "APPROVE").await;
    acme.pass("2h").await;
    let escalated: Vec<String> = acme.told().await.into_iter().filter(|one| one.ends_with("escalated")).collect();
    assert_eq!(escalated, ["oncall: escalated", "payments: escalated"]);
    let text = acme.last_text("escalated").await;
    assert!(text.contains("Still needed for 2 of payments: 1 more; zoe, pat can approve."), "{text}");
    assert!(text.contains("From now on sre may approve in place of payments."), "{text}");
    acme.review("zoe", pull, "APPROVE").await;
    let execution = acme.execution("a").await;
    assert_eq!(execution["status"], "SUCCEEDED", "{execution}");
    assert_eq!(execution["output"]["decision"]["counts"], json!(["pia", "zoe"]));
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_given_before_counts_from_the_escalation_on_and_then_nobody_is_told_of_that() {
    let folder = tempfile::tempdir().expect("a folder");
    let (acme, pull) = waiting(folder.path()).await;
    acme.review("pia", pull, "APPROVE").await;
    acme.review("zoe", pull, "APPROVE").await;
    acme.pass("1h59m").await;
    assert_eq!(acme.execution("a").await["status"], "RUNNING");
    // At the moment itself, and not when the facts would be read again anyway.
    acme.pass("1m").await;
    assert_eq!(acme.execution("a").await["status"], "SUCCEEDED");
    let told = acme.told().await;
    assert_eq!(told, ["payments: requested", "payments: reminded", "payments: approved"]);
    acme.close().await;
}
