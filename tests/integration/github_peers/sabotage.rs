//! That the check can fail: calls that GitHub would not accept, and answers that it could not give.

use serde_json::{Value, json};

use super::caller::Caller;
use super::organization::{COMMITS, sha, simulator};
use super::prism::Inspected;
use super::published::publish;
use super::recorded::check;
use crate::github_exchanges::{Exchange, serve};

const PULL: &str = "/repos/acme/checkout/pulls/1";
const DEPLOYMENT: &str = "/repos/acme/checkout/deployments/1";
const RULE: &str = "/repos/acme/checkout/actions/runs/1/deployment_protection_rule";

/// A check run in that status.
fn waits_for(status: &str) -> Value {
    json!({"name": "countersign", "head_sha": "a", "status": status})
}

#[tokio::test]
#[ignore = "needs Node and packages from npm: scripts/test-github"]
async fn a_call_that_github_would_not_take_is_found_whatever_the_simulator_answers() {
    let github = Inspected::new(simulator().router()).await;
    let dave = Caller::new(&github.address, "dave");
    let wrong = [
        ("GET", format!("{PULL}/files?per_page=many"), Value::Null, "per_page must be integer"),
        ("GET", "/repos/acme/checkout/pulls/one".to_owned(), Value::Null, "pull_number must be integer"),
        ("GET", "/repos/acme/checkout/pulls?state=merged".to_owned(), Value::Null, "must be equal to one of"),
        ("GET", "/repos/acme/checkout/nonsense".to_owned(), Value::Null, "no path matched"),
        ("POST", format!("{PULL}/reviews"), json!({"event": "approve"}), "must be equal to one of"),
        ("PUT", format!("{PULL}/reviews/1/dismissals"), json!({}), "'message'"),
        ("POST", "/repos/acme/checkout/check-runs".to_owned(), json!({"name": "countersign"}), "'head_sha'"),
        ("POST", "/repos/acme/checkout/check-runs".to_owned(), waits_for("later"), "must be equal to one of"),
        ("POST", "/repos/acme/checkout/issues/1/comments".to_owned(), json!({"text": "so"}), "'body'"),
        ("POST", format!("{PULL}/requested_reviewers"), json!({"reviewers": "pia"}), "reviewers must be array"),
        ("POST", "/repos/acme/checkout/deployments".to_owned(), json!({"ref": 1}), "ref must be string"),
        ("POST", format!("{DEPLOYMENT}/statuses"), json!({"state": "done"}), "must be equal to one of"),
        ("POST", RULE.to_owned(), json!({"environment_name": "production"}), "'comment'"),
        (
            "POST",
            RULE.to_owned(),
            json!({"environment_name": "production", "state": "maybe"}),
            "must be equal to one of",
        ),
    ];
    for (method, path, body, _) in &wrong {
        dave.call(method, path, body).await;
    }
    let faults: Vec<Option<String>> = github.passed().await.iter().map(super::prism::Passed::fault).collect();
    assert_eq!(faults.len(), wrong.len());
    for ((method, path, _, why), fault) in wrong.iter().zip(faults) {
        let fault = fault.unwrap_or_else(|| panic!("{method} {path} passed"));
        assert!(fault.contains("GitHub would not accept the call") && fault.contains(why), "{fault}");
    }
}

#[tokio::test]
#[ignore = "needs Node and packages from npm: scripts/test-github"]
async fn an_answer_that_github_could_not_give_is_found() {
    let served = serve(simulator().router()).await;
    let whole = Caller::new(&served.address, "dave").call("GET", PULL, &Value::Null).await.body;
    let answer = |pointer: &str, value: Value, status: u16| {
        let mut body = whole.clone();
        *body.pointer_mut(pointer).expect("a field") = value;
        Exchange { status, ..exchange(PULL, &body.to_string()) }
    };
    let title = whole["title"].clone();
    let wrong = [
        (answer("/id", json!("1"), 200), "id must be integer"),
        (answer("/state", json!("merged"), 200), "must be equal to one of"),
        (answer("/head", json!({"sha": "a"}), 200), "'label'"),
        (answer("/title", title.clone(), 299), "Unable to match the returned status code"),
    ];
    let mut exchanges = vec![answer("/title", title, 200)];
    exchanges.extend(wrong.iter().map(|(exchange, _)| exchange.clone()));
    let faults = check(exchanges).await;
    assert_eq!(faults.len(), wrong.len(), "{faults:?}");
    for (fault, (_, why)) in faults.iter().zip(wrong) {
        assert!(fault.contains(why), "{fault}");
    }
}

#[tokio::test]
#[ignore = "needs Node and packages from npm: scripts/test-github"]
async fn an_answer_about_what_is_shown_that_github_could_not_give_is_found() {
    let served = serve(simulator().router()).await;
    let dave = Caller::new(&served.address, "dave");
    publish(&dave).await;
    assert_eq!(dave.unexpected(), Vec::<String>::new());
    let deployments = "/repos/acme/checkout/deployments".to_owned();
    let statuses = format!("{deployments}/{}/statuses", dave.all(&deployments).await[1]["id"]);
    let checks = format!("/repos/acme/checkout/commits/{}/check-runs", sha(COMMITS));
    let comments = "/repos/acme/checkout/issues/1/comments".to_owned();
    let wrong = [
        (&checks, "/check_runs/0/conclusion", json!("approved"), "must be equal to one of"),
        (&checks, "/total_count", json!("2"), "total_count must be integer"),
        (&comments, "/0/id", Value::Null, "id must be integer"),
        (&deployments, "/0/created_at", json!("yesterday"), "must match format"),
        (&statuses, "/0/state", json!("done"), "must be equal to one of"),
        (&statuses, "/0/target_url", json!("nowhere"), "must match format"),
    ];
    let mut exchanges = Vec::new();
    for (path, pointer, value, _) in &wrong {
        let mut body = dave.call("GET", path, &Value::Null).await.body;
        *body.pointer_mut(pointer).unwrap_or_else(|| panic!("{path} has no {pointer}")) = value.clone();
        exchanges.push(exchange(path, &body.to_string()));
    }
    // An answer to a deployment of Actions has no body.
    let sent = json!({"environment_name": "production", "comment": "waits"}).to_string();
    let sent_headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    exchanges.push(Exchange { method: "POST".to_owned(), sent, sent_headers, ..exchange(RULE, "{}") });
    let faults = check(exchanges).await;
    assert_eq!(faults.len(), wrong.len() + 1, "{faults:?}");
    for (fault, why) in faults.iter().zip(wrong.map(|(.., why)| why).into_iter().chain(["Unable to match"])) {
        assert!(fault.contains(why), "{why}: {fault}");
    }
}

/// A call that was answered.
fn exchange(path: &str, answered: &str) -> Exchange {
    Exchange {
        method: "GET".to_owned(),
        path: path.to_owned(),
        sent_headers: Vec::new(),
        sent: String::new(),
        status: 200,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        answered: answered.to_owned(),
    }
}

#[tokio::test]
#[ignore = "needs Node and packages from npm: scripts/test-github"]
async fn an_exchange_that_was_written_down_is_held_against_the_description_as_if_it_were_made() {
    let labels = "/repos/acme/checkout/issues/1/labels";
    let good = exchange(labels, "[]");
    let faults = check(vec![good.clone(), exchange(labels, "{}"), exchange("/repos/acme/labels-of/1", "[]")]).await;
    let found: Vec<bool> =
        ["could not give", "would not accept"].iter().map(|why| faults.iter().any(|f| f.contains(why))).collect();
    assert_eq!((faults.len(), found), (2, vec![true, true]), "{faults:?}");
    assert_eq!(check(vec![good]).await, Vec::<String>::new());
}
