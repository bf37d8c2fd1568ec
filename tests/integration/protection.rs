//! Deployments of GitHub Actions that wait for the gate's answer, over real webhooks.

use std::path::Path;

use countersign::adapters::github::delivery::{DeliveryKind, Fault as Wrong, Refused};
use countersign::ident::{Login, RepositoryName};
use countersign::ports::{ProtectedRun, Protection, ProtectionComment, ProtectionDesk};
use countersign::request::CallbackOutcome;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::gate_world::GateWorld;
use crate::github_world::{Fault, Hosted};
use crate::local_gate::{Acme, commit, open_from_fork, open_pull_request};
use crate::webhook_door::Sent;
use crate::webhook_schema::Schemas;

const POLICY: &str = r#"
version: 1
groups:
  payments: { teams: [acme/payments] }
channels:
  desk: {}
services:
  checkout:
    repository: acme/checkout
    environments:
      staging: { require: none }
      production: { require: 1 of payments, timeout: 4h }
      timed: { require: 1 of payments, timeout: 4h, wait: 30m, notify: [desk] }
"#;

async fn acme(folder: &Path, policy: &str) -> Acme {
    Acme::under(folder, policy).await
}

fn folder() -> TempDir {
    TempDir::new().expect("a folder")
}

/// Starts a run by dave that wants to deploy to the environment, and waits until the gate has its event.
async fn deploy(acme: &Acme, environment: &str, sha: &str) {
    let body = json!({ "by": "dave", "environment": environment, "sha": sha });
    acme.github.post("/_standin/repos/acme/checkout/deployments", &body).await.expect("a run");
    acme.settle().await;
}

/// The answers to the latest run, as `state: comment`.
async fn answers(acme: &Acme) -> Vec<String> {
    let all = acme.github.get("/_standin/repos/acme/checkout/deployments").await.expect("deployments");
    let mut runs = all["deployments"].as_array().expect("a list").iter().filter(|one| !one["protection"].is_null());
    let latest = runs.next_back().expect("a run")["protection"]["answers"].as_array().expect("answers").clone();
    let line = |one: &Value| {
        format!("{}: {}", one["state"].as_str().unwrap_or("waits"), one["comment"].as_str().unwrap_or_default())
    };
    latest.iter().map(line).collect()
}

async fn kinds(acme: &Acme) -> Vec<String> {
    let all = acme.gate.get("/requests?all=true").await.expect("requests");
    let all = all["requests"].as_array().expect("a list").clone();
    all.iter().map(|one| one["state"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn an_environment_in_another_case_has_the_same_rule_and_is_spelled_as_in_the_policy() {
    let folder = folder();
    let policy = POLICY.replace("      timed:", "      \"*\": { require: 1 of anyone }\n      timed:");
    let policy = policy.replace("  payments: {", "  anyone: { teams: [acme/anyone] }\n  payments: {");
    let acme = acme(folder.path(), &policy).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    deploy(&acme, "PRODUCTION", &commit(2)).await;
    assert_eq!(answers(&acme).await, ["waits: waiting for 0 of 1 payments"]);
    let open = acme.gate.get("/requests").await.expect("requests");
    assert_eq!(open["requests"][0]["target"], json!({ "service": "checkout", "environment": "production" }));
    acme.review("pia", pull, "APPROVE").await;
    assert!(answers(&acme).await[1].starts_with("approved: "));
    acme.close().await;
}

#[tokio::test]
async fn a_twin_from_a_fork_does_not_get_a_deployment_rejected() {
    let folder = folder();
    let acme = acme(folder.path(), POLICY).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    open_from_fork(&acme.github, &commit(2)).await;
    deploy(&acme, "production", &commit(2)).await;
    assert_eq!(answers(&acme).await, ["waits: waiting for 0 of 1 payments"]);
    acme.review("pia", pull, "APPROVE").await;
    assert!(answers(&acme).await[1].starts_with("approved: "));
    acme.close().await;
}

#[tokio::test]
async fn a_deployment_waits_for_its_approvals_and_is_approved_once() {
    let folder = folder();
    let acme = acme(folder.path(), POLICY).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    deploy(&acme, "production", &commit(2)).await;
    assert_eq!(answers(&acme).await, ["waits: waiting for 0 of 1 payments"]);
    acme.review("pia", pull, "APPROVE").await;
    let answered = answers(&acme).await;
    assert_eq!((answered.len(), answered[1].starts_with("approved: ")), (2, true), "{answered:?}");
    acme.review("pat", pull, "APPROVE").await;
    acme.pass("2h").await;
    assert_eq!(answers(&acme).await, answered);
    assert_eq!(kinds(&acme).await, ["approved"]);
    acme.close().await;
}

#[tokio::test]
async fn a_deployment_that_nobody_approves_in_time_is_rejected() {
    let folder = folder();
    let acme = acme(folder.path(), POLICY).await;
    open_pull_request(&acme.github, "feature", &commit(2)).await;
    deploy(&acme, "production", &commit(2)).await;
    acme.pass("5h").await;
    let answered = answers(&acme).await;
    assert_eq!((answered.len(), answered[1].starts_with("rejected: ")), (2, true), "{answered:?}");
    assert_eq!(kinds(&acme).await, ["expired"]);
    acme.close().await;
}

#[tokio::test]
async fn a_deployment_that_needs_nobody_is_approved_at_once_and_one_without_a_rule_is_rejected() {
    let folder = folder();
    let acme = acme(folder.path(), POLICY).await;
    deploy(&acme, "staging", &commit(1)).await;
    let answered = answers(&acme).await;
    assert_eq!((answered.len(), answered[0].starts_with("approved: ")), (1, true), "{answered:?}");
    deploy(&acme, "moon", &commit(1)).await;
    let answered = answers(&acme).await;
    assert_eq!((answered.len(), answered[0].starts_with("rejected: ")), (1, true), "{answered:?}");
    deploy(&acme, "my moon", &commit(1)).await;
    assert!(answers(&acme).await[0].contains("cannot be in a policy"));
    acme.close().await;
}

#[tokio::test]
async fn a_deployment_whose_pull_request_cannot_be_found_is_rejected_although_the_event_lists_one() {
    let folder = folder();
    let acme = acme(folder.path(), POLICY).await;
    acme.github.post("/_standin/repos", &json!({ "name": "acme/other" })).await.expect("a repository");
    let push = |sha: &str| json!({ "by": "dave", "commits": [{ "sha": sha, "files": [{ "path": "a.rs" }] }] });
    for (branch, sha) in [("main", commit(8)), ("feature", commit(9))] {
        let path = format!("/_standin/repos/acme/other/branches/{branch}");
        acme.github.post(&path, &push(&sha)).await.expect("a push");
    }
    let (new, dave) = (json!({ "title": "x", "head": "feature", "base": "main" }), Some("standin_dave"));
    acme.github.send(hyper::Method::POST, "/repos/acme/other/pulls", dave, Some(&new)).await.expect("a pull request");
    deploy(&acme, "production", &commit(9)).await;
    let answered = answers(&acme).await;
    assert!(
        answered.len() == 1 && answered[0].starts_with("rejected: <code>revision</code>: no pull request has"),
        "{answered:?}"
    );
    let sent = last_event(&acme);
    assert_eq!(sent.payload["pull_requests"][0]["base"]["repo"]["full_name"], "acme/other");
    assert_eq!(kinds(&acme).await, Vec::<String>::new());
    acme.close().await;
}

#[tokio::test]
async fn a_repository_of_no_service_or_of_several_is_rejected_with_what_to_write() {
    let two = POLICY.replace("  checkout:", "  billing: { repository: [acme/checkout] }\n  checkout:");
    let glob = POLICY.replace("repository: acme/checkout", "repository: acme/*");
    for (policy, part) in
        [(two, "(billing, checkout)"), (glob, "give one service <code>repository: acme/checkout</code>")]
    {
        let folder = folder();
        let acme = acme(folder.path(), &policy).await;
        deploy(&acme, "staging", &commit(1)).await;
        let answered = answers(&acme).await;
        assert!(
            answered.len() == 1 && answered[0].starts_with("rejected: ") && answered[0].contains(part),
            "{answered:?}"
        );
        acme.close().await;
    }
}

#[tokio::test]
async fn an_approval_is_verified_before_it_is_sent_and_a_timer_holds_it() {
    let folder = folder();
    let acme = acme(folder.path(), POLICY).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    deploy(&acme, "timed", &commit(2)).await;
    acme.review("pia", pull, "APPROVE").await;
    let held = answers(&acme).await;
    assert!(held.len() == 2 && held[1].starts_with("waits: approved, and held: "), "{held:?}");
    let all = acme.gate.get("/requests?all=true").await.expect("requests");
    let owed_from = all["requests"][0]["owed_from"].as_str().map(str::to_owned);
    assert!(owed_from > Some(acme.gate.get("/clock").await.expect("a clock")["now"].as_str().expect("now").to_owned()));
    acme.pass("10m").await;
    assert_eq!(answers(&acme).await, held);
    acme.review("pat", pull, "REQUEST_CHANGES").await;
    acme.pass("1h").await;
    let answered = answers(&acme).await;
    assert!(answered.len() == 3 && answered[2].starts_with("rejected: "), "{answered:?}");
    // The last notification is the final one.
    let sent = acme.gate.get("/notifications").await.expect("notifications");
    let events = sent["notifications"].as_array().expect("a list").iter().filter_map(|one| one["event"].as_str());
    assert_eq!(events.collect::<Vec<_>>(), ["requested", "approved", "rejected"]);
    acme.close().await;
}

#[tokio::test]
async fn a_held_deployment_is_approved_when_its_timer_has_run() {
    let folder = folder();
    let acme = acme(folder.path(), POLICY).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    deploy(&acme, "timed", &commit(2)).await;
    acme.review("pia", pull, "APPROVE").await;
    acme.pass("31m").await;
    let answered = answers(&acme).await;
    assert!(answered.len() == 3 && answered[2].starts_with("approved: "), "{answered:?}");
    acme.close().await;
}

#[tokio::test]
async fn an_event_that_comes_again_requests_and_answers_nothing_again() {
    let folder = folder();
    let acme = acme(folder.path(), POLICY).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    deploy(&acme, "production", &commit(2)).await;
    let again = || {
        let world = acme.local.github.world();
        let id = world.deliveries.values().rev().find(|one| one.event.as_str() == "deployment_protection_rule");
        let id = id.expect("an event").id;
        acme.local.github.change(|change| change.redeliver(id)).expect("a delivery");
    };
    again();
    acme.settle().await;
    assert_eq!(answers(&acme).await.len(), 1);
    acme.review("pia", pull, "APPROVE").await;
    again();
    acme.settle().await;
    assert_eq!(answers(&acme).await.len(), 2);
    assert_eq!(kinds(&acme).await, ["approved"]);
    acme.close().await;
}

#[tokio::test]
async fn a_deployment_approved_while_github_is_down_is_answered_when_it_is_back() {
    let folder = folder();
    let acme = acme(folder.path(), POLICY).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    deploy(&acme, "production", &commit(2)).await;
    acme.github
        .send(
            hyper::Method::POST,
            &format!("/repos/acme/checkout/pulls/{pull}/reviews"),
            Some("standin_pia"),
            Some(&json!({ "event": "APPROVE", "body": "" })),
        )
        .await
        .expect("a review");
    let down = |down: bool| json!({ "unavailable": down });
    acme.github.send(hyper::Method::PATCH, "/_standin/host", None, Some(&down(true))).await.expect("it is down");
    acme.settle().await;
    acme.pass("1h").await;
    acme.github.send(hyper::Method::PATCH, "/_standin/host", None, Some(&down(false))).await.expect("it is back");
    acme.pass("20m").await;
    let answered = answers(&acme).await;
    assert!(answered.len() == 2 && answered[1].starts_with("approved: "), "{answered:?}");
    acme.close().await;
}

/// The last event as the simulator sent it.
fn last_event(acme: &Acme) -> Sent {
    let world = acme.local.github.world();
    let sent = world.deliveries.values().rev().find(|one| one.event.as_str() == "deployment_protection_rule");
    let payload = serde_json::from_str(&sent.expect("an event").body).expect("JSON");
    Sent { event: "deployment_protection_rule".to_owned(), payload }
}

#[tokio::test]
async fn the_event_matches_githubs_schema_and_names_what_waits() {
    let folder = folder();
    let acme = acme(folder.path(), POLICY).await;
    open_pull_request(&acme.github, "feature", &commit(2)).await;
    deploy(&acme, "production", &commit(2)).await;
    let sent = last_event(&acme);
    assert_eq!(Schemas::github().faults(&sent.name(), &sent.payload), Vec::<String>::new());
    let kind = sent.deliver().expect("it is let in").kind;
    let DeliveryKind::Protection(wanted) = kind else { panic!("{kind:?}") };
    assert_eq!(wanted.run.environment, "production");
    assert_eq!(wanted.revision.as_str(), commit(2));
    assert_eq!(wanted.requester.as_ref().map(Login::as_str), Some("dave"));

    let mut other = sent.clone();
    let url = sent.payload["deployment_callback_url"].as_str().expect("a URL");
    other.payload["deployment_callback_url"] = json!(url.replace("acme/checkout", "acme/else"));
    let field = |name: &str, fault| Err(Refused::Field { name: name.to_owned(), fault });
    assert_eq!(other.deliver(), field("deployment_callback_url", Wrong::Unreadable));
    other.payload["deployment_callback_url"] =
        json!("https://api.github.com/repos/acme/checkout/actions/runs/1x/deployment_protection_rule");
    assert_eq!(other.deliver(), field("deployment_callback_url", Wrong::Unreadable));
    let mut bare = sent.clone();
    bare.payload["deployment"] = Value::Null;
    assert_eq!(bare.deliver(), field("deployment.sha", Wrong::Missing));
    acme.close().await;
}

#[tokio::test]
async fn the_client_answers_once_and_learns_that_it_was_too_late() {
    let world = GateWorld::new("production");
    let hosted = Hosted::new(&world.host, &world.clock).await;
    let (client, name) = (hosted.client(), RepositoryName::new("acme/checkout").expect("a repository"));
    let new = serde_json::from_value(json!({ "by": "dave", "environment": "production", "sha": commit(1) }));
    let new = new.expect("a run to make");
    let run_id = world.host.change(|change| change.deploy_from_actions(&name, &new)).expect("a run");
    let run = ProtectedRun { repository: name, run_id, environment: "production".to_owned() };
    let comment = ProtectionComment::new(&"so ".repeat(1000));
    assert_eq!(client.answer(&run, Protection::Waits, &comment).await, Ok(CallbackOutcome::Taken));

    hosted.fault("deployment_protection_rule", 1, Fault::LostAnswer);
    let lost = client.answer(&run, Protection::Approved, &comment).await;
    assert!(lost.is_err(), "{lost:?}");
    assert_eq!(hosted.count("deployment_protection_rule"), 2);

    assert_eq!(client.answer(&run, Protection::Rejected, &comment).await, Ok(CallbackOutcome::TokenOver));
    let gone = ProtectedRun { run_id: 999_999, ..run };
    assert_eq!(client.answer(&gone, Protection::Approved, &comment).await, Ok(CallbackOutcome::TokenOver));
}
