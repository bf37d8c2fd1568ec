//! The gate from end to end: executions and signed deliveries in, one answer out.

use countersign::adapters::embedded::simulator::change::ReviewEvent;
use countersign::adapters::github::delivery::{Delivery, DeliveryKind, PullRequestEvent};
use countersign::adapters::github::signature::WebhookSecret;
use countersign::dev::client::ClientError;
use countersign::ident::DeliveryId;
use countersign::ports::RequestStore as _;
use countersign::webhook::{end_of_patience, work};
use serde_json::{Value, json};

use crate::gate_world::GateWorld;
use crate::gate_world::fuse::{Fuse, Side};
use crate::local_gate::{Acme, commit, open_from_fork, open_pull_request, status};
use crate::specimen::{pull_request, revision};
use crate::webhook_door::GUID;

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} in {value}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_waits_for_its_approvers_and_goes_on_with_what_they_approved() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::with_people(folder.path()).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    assert_eq!(acme.start("a", "production", pull).await["status"], "RUNNING");
    acme.review("pia", pull, "APPROVE").await;
    assert_eq!(acme.execution("a").await["status"], "RUNNING");
    acme.review("pat", pull, "APPROVE").await;
    let execution = acme.execution("a").await;
    assert_eq!(execution["status"], "SUCCEEDED");
    assert_eq!(execution["output"]["approved"], true);
    assert_eq!(execution["output"]["decision"]["counts"], json!(["pia", "pat"]));
    assert_eq!(text(&execution, "/output/decision/revision"), commit(2));
    assert_eq!(text(&execution, "/output/decision/target/environment"), "production");
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_requirement_that_is_met_already_notifies_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::with_people(folder.path()).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.review("pia", pull, "APPROVE").await;
    assert_eq!(acme.start("a", "canary", pull).await["status"], "SUCCEEDED");
    let sent = acme.gate.get("/notifications").await.expect("notifications");
    assert_eq!(sent["notifications"], json!([]));
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_review_serves_every_request_of_its_commit() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::with_people(folder.path()).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.start("canary", "canary", pull).await;
    acme.start("production", "production", pull).await;
    acme.review("pia", pull, "APPROVE").await;
    assert_eq!(acme.execution("canary").await["status"], "SUCCEEDED");
    assert_eq!(acme.execution("production").await["status"], "RUNNING");
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_changes_ends_the_execution_with_its_name_and_is_remembered_past_a_redrive() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::with_people(folder.path()).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.start("a", "production", pull).await;
    acme.review("pat", pull, "REQUEST_CHANGES").await;
    let execution = acme.execution("a").await;
    assert_eq!(execution["error"], "Countersign.Rejected");
    assert_eq!(execution["cause"]["verdict"], "rejected");
    acme.gate.post("/executions/a/redrive", &json!({})).await.expect("a redrive");
    acme.settle().await;
    assert_eq!(acme.execution("a").await["error"], "Countersign.Rejected");
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_pull_request_of_the_same_commit_does_not_remove_a_veto() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::with_people(folder.path()).await;
    let first = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.start("a", "canary", first).await;
    let objection = acme.review("pat", first, "REQUEST_CHANGES").await;
    assert_eq!(acme.execution("a").await["error"], "Countersign.Rejected");

    let second = open_pull_request(&acme.github, "again", &commit(2)).await;
    acme.review("pia", second, "APPROVE").await;
    assert_eq!(acme.start("b", "canary", second).await["error"], "Countersign.Rejected");

    // Its author takes it back on the first pull request, which lifts it on the second, too.
    let path = format!("/repos/acme/checkout/pulls/{first}/reviews/{objection}/dismissals");
    let body = json!({ "message": "it is mended elsewhere", "event": "DISMISS" });
    let dismissed = acme.github.send(hyper::Method::PUT, &path, Some("standin_pat"), Some(&body)).await;
    dismissed.expect("a dismissal");
    assert_eq!(acme.start("c", "canary", second).await["status"], "SUCCEEDED");
    acme.close().await;
}

/// Opens the commit of a pull request again, and closes the first.
async fn opened_again(acme: &Acme, first: u64, sha: &str) -> u64 {
    let path = format!("/repos/acme/checkout/pulls/{first}");
    let body = json!({ "state": "closed" });
    let closed = acme.github.send(hyper::Method::PATCH, &path, Some("standin_dave"), Some(&body));
    closed.await.expect("it closes");
    let again = open_pull_request(&acme.github, "again", sha).await;
    acme.review("pia", again, "APPROVE").await;
    again
}

const MODES: &str = r#"
version: 1
groups:
  payments: { teams: [acme/payments] }
services:
  checkout:
    repository: acme/checkout
    environments:
      rejected: { require: 1 of payments, timeout: 4h }
      blocked: { require: 1 of payments, timeout: 4h, on_changes_requested: block }
      ignored: { require: 1 of payments, timeout: 4h, on_changes_requested: ignore }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn changes_requested_before_any_request_count_against_the_commit_in_every_mode() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::under(folder.path(), MODES).await;
    let first = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.review("pat", first, "REQUEST_CHANGES").await;
    let again = opened_again(&acme, first, &commit(2)).await;
    assert_eq!(acme.start("a", "rejected", again).await["error"], "Countersign.Rejected");
    assert_eq!(acme.start("b", "blocked", again).await["status"], "RUNNING");
    assert_eq!(acme.request_of("b").await["decision"]["verdict"], "blocked");
    assert_eq!(acme.start("c", "ignored", again).await["status"], "SUCCEEDED");
    // Its giver approves the same commit on the other pull request, which lifts it.
    acme.review("pat", again, "APPROVE").await;
    assert_eq!(acme.execution("b").await["status"], "SUCCEEDED");
    assert_eq!(acme.start("d", "rejected", again).await["status"], "SUCCEEDED");
    acme.close().await;
}

#[tokio::test]
async fn changes_requested_are_remembered_when_they_are_delivered_and_else_when_they_are_read() {
    for delivered in [true, false] {
        let world = GateWorld::new("production");
        let gate = world.gate(&Fuse::never());
        world.review("pia", ReviewEvent::Approve);
        world.review("pat", ReviewEvent::RequestChanges);
        if delivered {
            world.deliver(&gate, "one").await.expect("worked");
        } else {
            world.evaluate(&gate).await.expect("a decision");
        }
        let stored = world.store.vetoes(&revision('a')).await.expect("vetoes");
        assert_eq!(stored.iter().map(|veto| veto.by.login.as_str()).collect::<Vec<_>>(), ["pat"], "{delivered}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_requested_under_one_target_count_for_every_other_target_of_the_commit() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::under(folder.path(), MODES).await;
    let first = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.start("a", "ignored", first).await;
    acme.review("pat", first, "REQUEST_CHANGES").await;
    let again = opened_again(&acme, first, &commit(2)).await;
    assert_eq!(acme.start("b", "rejected", again).await["error"], "Countersign.Rejected");
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_requested_on_an_earlier_commit_count_against_the_head_that_they_blocked() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::under(folder.path(), MODES).await;
    let first = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.review("pat", first, "REQUEST_CHANGES").await;
    acme.push("feature", &commit(3)).await;
    assert_eq!(acme.start("a", "blocked", first).await["status"], "RUNNING");
    assert_eq!(acme.request_of("a").await["decision"]["verdict"], "blocked");
    let again = opened_again(&acme, first, &commit(3)).await;
    assert_eq!(acme.start("b", "blocked", again).await["status"], "RUNNING");
    assert_eq!(acme.request_of("b").await["decision"]["verdict"], "blocked");
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_requested_by_somebody_who_may_not_request_changes_count_on_no_pull_request() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::under(folder.path(), MODES).await;
    let first = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.review("zoe", first, "REQUEST_CHANGES").await;
    let again = opened_again(&acme, first, &commit(2)).await;
    assert_eq!(acme.start("a", "rejected", again).await["status"], "SUCCEEDED");
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_twin_from_a_fork_does_not_make_a_revision_ambiguous() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::with_people(folder.path()).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    open_from_fork(&acme.github, &commit(2)).await;
    let input = json!({
        "service": "checkout", "environment": "canary", "repository": "acme/checkout", "revision": commit(2)
    });
    assert_eq!(acme.start_with("a", input).await["status"], "RUNNING");
    assert_eq!(acme.request_of("a").await["pull_request"], format!("acme/checkout#{pull}"));
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_supersedes_the_request() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::with_people(folder.path()).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.start("a", "production", pull).await;
    acme.push("feature", &commit(3)).await;
    assert_eq!(acme.execution("a").await["error"], "Countersign.Superseded");
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_deadline_the_execution_expires_and_a_late_approval_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::with_people(folder.path()).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.start("a", "canary", pull).await;
    acme.pass("4h").await;
    let execution = acme.execution("a").await;
    assert_eq!(execution["error"], "Countersign.Expired");
    assert_eq!(execution["cause"]["verdict"], "expired");
    acme.review("pia", pull, "APPROVE").await;
    assert_eq!(acme.execution("a").await, execution);
    assert_eq!(acme.request_of("a").await["state"], "expired");
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_github_does_not_answer_nothing_is_decided_and_the_sweep_catches_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::with_people(folder.path()).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.start("a", "canary", pull).await;
    let host = |unavailable: bool| json!({ "unavailable": unavailable });
    crate::local_gate::review(&acme.github, "pia", pull, "COMMENT").await;
    acme.local.github.drained().await;
    // The approval is given, and its delivery finds a host that does not answer.
    acme.local
        .github
        .change(|change| change.set_hook("http://127.0.0.1:9/nobody", "0123456789abcdef0123456789abcdef"))
        .expect("a hook");
    acme.review("pia", pull, "APPROVE").await;
    acme.github.send(hyper::Method::PATCH, "/_standin/host", None, Some(&host(true))).await.expect("down");
    acme.pass("11m").await;
    assert_eq!(acme.execution("a").await["status"], "RUNNING");
    acme.github.send(hyper::Method::PATCH, "/_standin/host", None, Some(&host(false))).await.expect("up");
    acme.pass("11m").await;
    assert_eq!(acme.execution("a").await["status"], "SUCCEEDED");
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_execution_closes_its_request_as_canceled() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::with_people(folder.path()).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.start("a", "canary", pull).await;
    acme.gate.post("/executions/a/stop", &json!({})).await.expect("a stop");
    assert_eq!(acme.execution("a").await["status"], "ABORTED");
    assert_eq!(acme.request_of("a").await["state"], "canceled");
    acme.review("pia", pull, "APPROVE").await;
    assert_eq!(acme.execution("a").await["status"], "ABORTED");
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unusable_input_fails_at_once_and_names_every_field() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::with_people(folder.path()).await;
    for (name, input, problem) in [
        ("a", json!({ "service": "checkout" }), "`environment` is missing"),
        ("b", json!({ "service": "checkout", "environment": "production" }), "`pullRequest` is missing"),
        (
            "c",
            json!({ "service": "checkout", "environment": "production", "pullRequest": "acme/checkout#99" }),
            "was not found",
        ),
    ] {
        acme.gate.post(&format!("/executions?name={name}"), &input).await.expect("it starts");
        acme.settle().await;
        let execution = acme.execution(name).await;
        assert_eq!(execution["error"], "Countersign.InvalidInput");
        assert!(text(&execution, "/cause/error/message").contains(problem), "{execution}");
    }
    let requests = acme.gate.get("/requests?all=true").await.expect("requests");
    assert_eq!(requests["requests"], json!([]));
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_is_found_by_its_revision_if_it_is_the_only_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::with_people(folder.path()).await;
    open_pull_request(&acme.github, "feature", &commit(2)).await;
    let input =
        json!({ "service": "checkout", "environment": "canary", "repository": "acme/checkout", "revision": commit(2) });
    acme.gate.post("/executions?name=a", &input).await.expect("it starts");
    acme.settle().await;
    assert_eq!(acme.execution("a").await["status"], "RUNNING");
    open_pull_request(&acme.github, "again", &commit(2)).await;
    acme.gate.post("/executions?name=b", &input).await.expect("it starts");
    acme.settle().await;
    let message = acme.execution("b").await;
    assert!(text(&message, "/cause/error/message").contains("several pull requests"), "{message}");
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_without_a_rule_is_denied() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::with_people(folder.path()).await;
    let input = json!({ "service": "chekout", "environment": "staging" });
    acme.gate.post("/executions?name=a", &input).await.expect("it starts");
    acme.settle().await;
    let execution = acme.execution("a").await;
    assert_eq!(execution["error"], "Countersign.Denied");
    assert_eq!(text(&execution, "/cause/reasons/0/code"), "no-rule");
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_page_of_another_origin_cannot_start_anything() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::with_people(folder.path()).await;
    let answer = raw_post(&acme, "/executions?name=a", &[("content-type", "text/plain")], b"{}").await;
    assert_eq!(answer, 415);
    assert_eq!(status(&acme.gate.get("/executions/a").await), 404);
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_name_that_was_rebound_to_this_machine_opens_neither_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::with_people(folder.path()).await;
    let json = ("content-type", "application/json");
    for (what, header, expected) in
        [("another host", ("host", "evil.example"), 421), ("another origin", ("origin", "http://evil.example"), 403)]
    {
        let answer = raw_post(&acme, "/executions?name=a", &[json, header], b"{}").await;
        assert_eq!(answer, expected, "{what}, at the gate");
        let answer = acme.github.post_bytes("/_standin/users", &[json, header], b"{\"login\":\"eve\"}").await;
        assert_eq!(answer.expect("an answer").as_u16(), expected, "{what}, at the simulator");
    }
    assert_eq!(status(&acme.gate.get("/executions/a").await), 404);
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_of_the_gate_is_json_that_says_what_is_wrong() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::with_people(folder.path()).await;
    for (method, path) in [
        (hyper::Method::GET, "/nowhere"),
        (hyper::Method::PUT, "/executions"),
        (hyper::Method::GET, "/requests?all=perhaps"),
        (hyper::Method::GET, "/requests?al=true"),
        (hyper::Method::POST, "/executions?nmae=x"),
        (hyper::Method::GET, "/executions/none"),
        (hyper::Method::GET, "/requests/none"),
        (hyper::Method::POST, "/clock"),
    ] {
        match acme.gate.send(method.clone(), path, None, Some(&json!({}))).await {
            Err(ClientError::Refused { status, body, .. }) => {
                let said: Value = serde_json::from_str(&body).unwrap_or_else(|_| panic!("{method} {path}: {body}"));
                assert!(status.is_client_error() && said["schema"] == 1, "{method} {path}: {body}");
                assert!(said["error"]["message"].is_string(), "{method} {path}: {body}");
            }
            other => panic!("{method} {path}: {other:?}"),
        }
    }
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_is_refused_gets_its_status_and_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::with_people(folder.path()).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.start("a", "canary", pull).await;
    let before = acme.request_of("a").await;
    let body = br#"{"action":"submitted"}"#;
    let good = "sha256=0000000000000000000000000000000000000000000000000000000000000000";
    let large = vec![b' '; 25 * 1024 * 1024 + 1];
    let cases: [(&str, Option<&str>, &[u8], u16); 6] = [
        ("a wrong signature", Some(good), body, 401),
        ("no signature", None, body, 401),
        ("a truncated signature", Some("sha256=00"), body, 401),
        (
            "an upper-case prefix",
            Some("SHA256=0000000000000000000000000000000000000000000000000000000000000000"),
            body,
            401,
        ),
        ("a body over the cap", Some(good), &large, 413),
        ("malformed JSON, not signed", Some(good), b"{", 401),
    ];
    for (what, signature, body, expected) in cases {
        let mut headers = vec![("x-github-event", "pull_request_review"), ("x-github-delivery", "d-1")];
        headers.extend(signature.map(|signature| ("x-hub-signature-256", signature)));
        assert_eq!(raw_post(&acme, "/webhooks/github", &headers, body).await, expected, "{what}");
    }
    let secret = std::fs::read_to_string(folder.path().join("webhook-secret")).expect("the secret");
    let secret = WebhookSecret::new(&secret).expect("a secret");
    for (what, body, expected) in [
        ("malformed JSON, signed", &b"{"[..], 400),
        ("text that is not UTF-8, signed", &b"\xff"[..], 400),
        ("an event without a review, signed", &body[..], 400),
    ] {
        let signature = secret.sign(body).expect("a signature");
        let headers = [
            ("x-github-event", "pull_request_review"),
            ("x-github-delivery", "d-1"),
            ("x-hub-signature-256", signature.as_str()),
        ];
        let answer = raw_post(&acme, "/webhooks/github", &headers, body).await;
        assert_eq!(answer, expected, "{what}");
    }
    assert_eq!(acme.request_of("a").await, before);
    acme.close().await;
}

async fn raw_post(acme: &Acme, path: &str, headers: &[(&str, &str)], body: &[u8]) -> u16 {
    acme.gate.post_bytes(path, headers, body).await.expect("an answer").as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_comes_again_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::with_people(folder.path()).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.start("a", "canary", pull).await;
    acme.review("pia", pull, "APPROVE").await;
    let id = text(&acme.execution("a").await, "/request_id").to_owned();
    let trail = acme.gate.get(&format!("/requests/{id}/trail")).await.expect("a trail");
    let deliveries = acme.github.send(hyper::Method::GET, "/app/hook/deliveries", Some("standin_dave"), None).await;
    let deliveries = deliveries.expect("deliveries");
    let last = deliveries.as_array().and_then(|list| list.first()).expect("a delivery")["id"].clone();
    let again = format!("/app/hook/deliveries/{last}/attempts");
    acme.github.send(hyper::Method::POST, &again, Some("standin_dave"), Some(&json!({}))).await.expect("a redelivery");
    acme.settle().await;
    assert_eq!(acme.gate.get(&format!("/requests/{id}/trail")).await.expect("a trail"), trail);
    let closed =
        trail["records"].as_array().expect("records").iter().filter(|record| record["kind"] == "closed").count();
    assert_eq!(closed, 1);
    acme.close().await;
}

#[tokio::test]
async fn a_delivery_is_processed_until_its_time_is_over() {
    let world = GateWorld::new("production");
    let stuck = world.gate(&Fuse::at(0, Side::Before));
    let delivery = || Delivery {
        id: DeliveryId::new(GUID).expect("a delivery"),
        installation: None,
        kind: DeliveryKind::PullRequest {
            reference: pull_request("acme/checkout#1"),
            what: PullRequestEvent::ReviewSubmitted,
            observations: Vec::new(),
        },
    };
    let over = work(&stuck, &world.host, delivery(), tokio::time::Instant::now()).await;
    assert_eq!((over.status, &over.body["error"]["code"]), (503, &json!("slow")));
    let gate = world.gate(&Fuse::never());
    assert_eq!(work(&gate, &world.host, delivery(), end_of_patience()).await.status, 200);
}
