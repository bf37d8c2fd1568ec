//! Whose account it is: who requested a deployment, who pushed to a fork, and who lifts a request for changes.

use countersign::app::{self, ExecutionRef, Pinned};
use countersign::approval::facts::Requester;
use hyper::Method;
use serde_json::{Value, json};

use crate::local_gate::{Acme, commit, open_from_fork, open_pull_request, status};
use crate::specimen::{at, execution, pull_request};

const POLICY: &str = "
version: 1
groups:
  payments: { teams: [acme/payments] }
services:
  checkout:
    repository: acme/checkout
    environments:
      plain: { require: 1 of payments, timeout: 4h }
      asked: { require: 1 of payments, timeout: 4h, exclude: [author, committers, requester] }
      own: { require: 1 of payments, timeout: 4h, exclude: [author, committers, pushers] }
      elsewhere: { require: 1 of payments, timeout: 4h }
";

fn input(environment: &str, pull: u64, requested_by: &str) -> Value {
    let pull_request = format!("acme/checkout#{pull}");
    json!({ "service": "checkout", "environment": environment, "pullRequest": pull_request, "requestedBy": requested_by })
}

async fn rename(acme: &Acme, login: &str, to: &str) {
    let path = format!("/_standin/users/{login}");
    acme.github.send(Method::PATCH, &path, None, Some(&json!({ "login": to }))).await.expect("a new login");
}

/// The reason of the last review in a request's decision.
async fn last_reason(acme: &Acme, execution: &str) -> Value {
    let request = acme.request_of(execution).await;
    let reviews = request["decision"]["reviews"].as_array().expect("reviews").clone();
    reviews.last().expect("a review")["reason"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_requester_whom_github_does_not_know_is_invalid_input_and_nothing_is_stored() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::under(folder.path(), POLICY).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.review("pia", pull, "APPROVE").await;
    let execution = acme.start_with("a", input("asked", pull, "nobody-of-that-name")).await;
    assert_eq!(execution["error"], "Countersign.InvalidInput");
    let said = execution["cause"].to_string();
    assert!(said.contains("requestedBy") && said.contains("nobody-of-that-name"), "{said}");
    let request = format!("/requests/{}", execution["request_id"].as_str().expect("an id"));
    assert_eq!(status(&acme.gate.get(&request).await), 404);
    assert_eq!(acme.notified().await, Vec::<String>::new());
    // A rule that does not exclude the requester does not need the account.
    assert_eq!(acme.start_with("b", input("plain", pull, "nobody-of-that-name")).await["status"], "SUCCEEDED");
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_requester_stays_the_same_account_under_another_login() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::under(folder.path(), POLICY).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    assert_eq!(acme.start_with("a", input("asked", pull, "PAT")).await["status"], "RUNNING");
    rename(&acme, "pat", "pat-2").await;
    acme.review("pat-2", pull, "APPROVE").await;
    assert_eq!(acme.execution("a").await["status"], "RUNNING");
    assert_eq!(last_reason(&acme, "a").await, "requester");
    acme.review("pia", pull, "APPROVE").await;
    assert_eq!(acme.execution("a").await["status"], "SUCCEEDED");
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_evaluation_pins_the_account_of_the_requester_for_the_next_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::under(folder.path(), POLICY).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    let (app, run) = (&acme.local.app, ExecutionRef { arn: execution("a"), started_at: at(0), redrive: 0 });
    let first = app::evaluate(app, &run, &input("asked", pull, "pat"), None).await.expect("a decision").pinned;
    let id = first.requester.as_ref().and_then(|requester| requester.id);
    assert!(id.is_some(), "{first:?}");
    // Somebody else takes the login over while the execution waits.
    rename(&acme, "pat", "pat-2").await;
    rename(&acme, "zoe", "pat").await;
    let carried: Pinned =
        serde_json::from_value(serde_json::to_value(&first).expect("JSON")).expect("it is read again");
    let second = app::evaluate(app, &run, &input("asked", pull, "pat"), Some(carried)).await.expect("a decision");
    assert_eq!(second.pinned.requester, Some(Requester { id, login: "pat".parse().expect("a login") }));
    acme.close().await;
}

/// Pushes to the branch of the fork that `open_from_fork` opens.
async fn push_to_fork(acme: &Acme, by: &str, sha: &str) {
    let body = json!({ "by": by, "commits": [{ "sha": sha, "author": "zoe", "committer": "zoe" }] });
    acme.github.post("/_standin/repos/zoe/checkout/branches/twin", &body).await.expect("a push");
    acme.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pushers_of_a_fork_are_known_if_its_opening_and_every_push_since_were_delivered() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::under(folder.path(), POLICY).await;
    let pull = open_from_fork(&acme.github, &commit(2)).await;
    push_to_fork(&acme, "zoe", &commit(3)).await;
    acme.review("pia", pull, "APPROVE").await;
    assert_eq!(acme.start("a", "own", pull).await["status"], "SUCCEEDED");
    // Pia pushes herself, under zoe's name.
    push_to_fork(&acme, "pia", &commit(4)).await;
    acme.review("pia", pull, "APPROVE").await;
    for environment in ["plain", "own"] {
        assert_eq!(acme.start(environment, environment, pull).await["status"], "RUNNING");
        assert_eq!(last_reason(&acme, environment).await, "committer", "no commit of the simulator is signed");
    }
    // Dave wrote the first commit, before the pull request was opened.
    acme.review("dave", pull, "APPROVE").await;
    assert_eq!(last_reason(&acme, "plain").await, "committer");
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pushers_of_a_fork_are_not_known_if_a_delivery_of_a_push_is_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::under(folder.path(), POLICY).await;
    let pull = open_from_fork(&acme.github, &commit(2)).await;
    acme.settle().await;
    let mut hook = acme.github.get("/_standin/world").await.expect("the world")["hook"].clone();
    hook["secret"] = json!(std::fs::read_to_string(folder.path().join("webhook-secret")).expect("a secret").trim());
    hook.as_object_mut().expect("a hook").remove("id");
    acme.github.send(Method::DELETE, "/_standin/hook", None, None).await.expect("no hook");
    push_to_fork(&acme, "pia", &commit(3)).await;
    acme.github.send(Method::PUT, "/_standin/hook", None, Some(&hook)).await.expect("the hook");
    push_to_fork(&acme, "zoe", &commit(4)).await;
    acme.review("pat", pull, "APPROVE").await;
    assert_eq!(acme.start("a", "own", pull).await["status"], "RUNNING");
    assert_eq!(last_reason(&acme, "a").await, "exclusion-unknown");
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_of_the_same_commit_on_a_third_pull_request_lifts_a_request_for_changes() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::under(folder.path(), POLICY).await;
    let first = open_pull_request(&acme.github, "first", &commit(2)).await;
    acme.review("pat", first, "REQUEST_CHANGES").await;
    let second = open_pull_request(&acme.github, "second", &commit(2)).await;
    acme.review("pia", second, "APPROVE").await;
    assert_eq!(acme.start("a", "plain", second).await["error"], "Countersign.Rejected");
    let third = open_pull_request(&acme.github, "third", &commit(2)).await;
    acme.approve("pat", third, "/approve elsewhere").await;
    assert_eq!(acme.start("b", "plain", second).await["error"], "Countersign.Rejected", "it is for another target");
    acme.approve("pat", third, "").await;
    assert_eq!(acme.start("c", "plain", second).await["status"], "SUCCEEDED");
    // What was stored of the approval is no request for changes, also if its pull request can no longer be read.
    let stored = acme.local.app.store.vetoes(&commit(2).parse().expect("a commit")).await.expect("vetoes");
    assert!(stored.iter().any(|veto| veto.pull_request == pull_request(&format!("acme/checkout#{third}"))));
    // A later one on the third counts again.
    acme.review("pat", third, "REQUEST_CHANGES").await;
    assert_eq!(acme.start("d", "plain", second).await["error"], "Countersign.Rejected");
    acme.close().await;
}
