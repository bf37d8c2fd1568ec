//! That the check can fail: calls that GitHub would not take, and answers that it could not give.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use serde_json::{Value, json};

use super::caller::Caller;
use super::prism::Inspected;
use super::recorded::hold;
use super::world::stand_in;
use crate::github_exchanges::Exchange;

const PULL: &str = "/repos/acme/checkout/pulls/1";

#[tokio::test]
#[ignore = "needs Node and packages from npm: scripts/test-github"]
async fn a_call_that_github_would_not_take_is_found_whatever_the_stand_in_makes_of_it() {
    let github = Inspected::new(stand_in().router()).await;
    let dave = Caller::new(&github.address, "dave");
    let wrong = [
        ("GET", format!("{PULL}/files?per_page=many"), Value::Null, "per_page must be integer"),
        ("GET", "/repos/acme/checkout/pulls/one".to_owned(), Value::Null, "pull_number must be integer"),
        ("GET", "/repos/acme/checkout/pulls?state=merged".to_owned(), Value::Null, "must be equal to one of"),
        ("GET", "/repos/acme/checkout/nonsense".to_owned(), Value::Null, "no path matched"),
        ("POST", format!("{PULL}/reviews"), json!({"event": "approve"}), "must be equal to one of"),
        ("PUT", format!("{PULL}/reviews/1/dismissals"), json!({}), "'message'"),
        ("POST", "/repos/acme/checkout/check-runs".to_owned(), json!({"name": "countersign"}), "'head_sha'"),
        ("POST", "/repos/acme/checkout/deployments".to_owned(), json!({"ref": 1}), "ref must be string"),
    ];
    for (method, path, body, _) in &wrong {
        dave.call(method, path, body).await;
    }
    let faults: Vec<Option<String>> = github.passed().iter().map(super::prism::Passed::fault).collect();
    assert_eq!(faults.len(), wrong.len());
    for ((method, path, _, why), fault) in wrong.iter().zip(faults) {
        let fault = fault.unwrap_or_else(|| panic!("{method} {path} passed"));
        assert!(fault.contains("GitHub would not take the call") && fault.contains(why), "{fault}");
    }
}

/// The stand-in, but for one field of its JSON or its status.
async fn sabotaged(pointer: &'static str, value: Value, status: u16) -> Vec<String> {
    let change = async move |request: Request, next: Next| -> Response {
        let (mut head, body) = next.run(request).await.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.expect("a whole body");
        let mut body: Value = serde_json::from_slice(&bytes).expect("JSON");
        *body.pointer_mut(pointer).expect("a field") = value.clone();
        head.status = StatusCode::from_u16(status).expect("a status");
        head.headers.remove("content-length");
        Response::from_parts(head, Body::from(body.to_string()))
    };
    let change = move |request, next| {
        let change = change.clone();
        async move { change(request, next).await }
    };
    let github = Inspected::new(stand_in().router().layer(from_fn(change))).await;
    Caller::new(&github.address, "dave").call("GET", PULL, &Value::Null).await;
    github.faults()
}

#[tokio::test]
#[ignore = "needs Node and packages from npm: scripts/test-github"]
async fn an_answer_that_github_could_not_give_is_found() {
    assert_eq!(sabotaged("/title", json!("Retry payments"), 200).await, Vec::<String>::new());
    for (pointer, value, status, why) in [
        ("/id", json!("1"), 200, "id must be integer"),
        ("/state", json!("merged"), 200, "must be equal to one of"),
        ("/head", json!({"sha": "a"}), 200, "'label'"),
        ("/title", json!("Retry payments"), 299, "Unable to match the returned status code"),
    ] {
        let faults = sabotaged(pointer, value, status).await;
        assert!(matches!(faults.as_slice(), [fault] if fault.contains(why)), "{pointer}: {faults:?}");
    }
}

#[tokio::test]
#[ignore = "needs Node and packages from npm: scripts/test-github"]
async fn an_exchange_that_was_written_down_is_held_against_the_description_as_if_it_were_made() {
    let exchange = |path: &str, answered: &str| Exchange {
        method: "GET".to_owned(),
        path: path.to_owned(),
        sent_headers: Vec::new(),
        sent: String::new(),
        status: 200,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        answered: answered.to_owned(),
    };
    let members = "/orgs/acme/teams/payments/members";
    let good = exchange(members, "[]");
    let faults =
        hold(vec![good.clone(), exchange(members, "{}"), exchange("/orgs/acme/members-of/payments", "[]")]).await;
    let found: Vec<bool> =
        ["could not give", "would not take"].iter().map(|why| faults.iter().any(|f| f.contains(why))).collect();
    assert_eq!((faults.len(), found), (2, vec![true, true]), "{faults:?}");
    assert_eq!(hold(vec![good]).await, Vec::<String>::new());
}
