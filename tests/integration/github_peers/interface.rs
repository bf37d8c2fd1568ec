//! Every operation that the simulator has, through GitHub's own description.

use serde_json::{Value, json};

use super::caller::Caller;
use super::description::{Operation, called, example, operations};
use super::organization::{COMMITS, FILES, login, sha, simulator};
use super::prism::Inspected;
use super::published::{answer_deployments, publish, read_published};
use crate::github_exchanges::serve;

const REPOSITORY: &str = "/repos/acme/checkout";

/// Reads everything there is to read.
async fn read_all(dave: &Caller) {
    let one = async |path: &str| dave.expect(200, "GET", path, Value::Null).await;
    let in_repository = async |path: &str| one(&format!("{REPOSITORY}{path}")).await;
    one("/user").await;
    for path in [
        "/app",
        "/app/installations",
        "/app/installations/1",
        "/app/hook/config",
        "/orgs/acme/installation",
        "/users/eve/installation",
        "/repos/acme/checkout/installation",
    ] {
        one(path).await;
    }
    dave.expect(201, "POST", "/app/installations/1/access_tokens", json!({})).await;
    for who in ["dave", "renovate%5Bbot%5D", "acme"] {
        let account = one(&format!("/users/{who}")).await;
        one(&format!("/user/{}", account["id"])).await;
    }
    for team in ["payments", "payments-core", "everyone"] {
        one(&format!("/orgs/acme/teams/{team}")).await;
    }
    let organization = in_repository("").await["owner"]["id"].clone();
    let team = one("/orgs/acme/teams/payments").await["id"].clone();
    one(&format!("/organizations/{organization}/team/{team}")).await;
    let repository = in_repository("").await["id"].clone();
    one(&format!("/repositories/{repository}")).await;
    for number in 1..=4 {
        in_repository(&format!("/pulls/{number}")).await;
        one(&format!("/repositories/{repository}/pulls/{number}")).await;
        for list in ["files", "reviews"] {
            in_repository(&format!("/pulls/{number}/{list}")).await;
        }
        in_repository(&format!("/issues/{number}/labels")).await;
    }
    in_repository(&format!("/commits/{}/pulls", sha(3000))).await;
    let pull = in_repository("/pulls/1").await;
    let (base, head) =
        (pull["base"]["sha"].as_str().expect("a commit"), pull["head"]["sha"].as_str().expect("a commit"));
    let compared = in_repository(&format!("/compare/{base}...{head}?per_page=50&page=2")).await;
    assert_eq!(compared["total_commits"], json!(COMMITS));
    in_repository("/pulls?state=closed").await;
    in_repository("/pulls?state=open&base=main&head=eve:typo").await;
    for absent in ["/orgs/acme/teams/nobodys", "/repos/acme/checkout/pulls/99"] {
        dave.expect(404, "GET", absent, Value::Null).await;
    }
}

/// Follows every list that is longer than a page, on the paths that GitHub's links have.
async fn read_pages(dave: &Caller) {
    let counted = async |path: &str| dave.all(path).await.len();
    assert_eq!(counted(&format!("{REPOSITORY}/pulls/1/files?per_page=100")).await, FILES);
    assert_eq!(counted(&format!("{REPOSITORY}/pulls?state=all&per_page=2")).await, 4);
    assert_eq!(counted(&format!("{REPOSITORY}/issues/1/labels?per_page=1")).await, 2);
    assert_eq!(counted(&format!("{REPOSITORY}/commits/{}/pulls?per_page=1", sha(1))).await, 1);
    counted(&format!("{REPOSITORY}/activity?per_page=1")).await;
    counted(&format!("{REPOSITORY}/activity?ref=feature&per_page=100")).await;
}

/// Does everything that people do.
async fn act(dave: &Caller) {
    let (pia, pat) = (dave.by("pia"), dave.by("pat"));
    let expect = async |status, by: &Caller, method: &str, path: &str, body: Value| {
        by.expect(status, method, &format!("{REPOSITORY}{path}"), body).await
    };
    let opened = json!({"title": "Second thoughts", "head": "orphan", "base": "main"});
    expect(200, dave, "PATCH", "/pulls/4", json!({"state": "closed"})).await;
    expect(201, dave, "POST", "/pulls", opened.clone()).await;
    expect(422, dave, "POST", "/pulls", opened).await;
    expect(200, dave, "PATCH", "/pulls/1", json!({"title": "Retry payments twice"})).await;
    expect(200, dave, "POST", "/issues/1/labels", json!({"labels": ["urgent"]})).await;
    expect(200, dave, "DELETE", "/issues/1/labels/urgent", Value::Null).await;

    expect(422, dave, "POST", "/pulls/1/reviews", json!({"event": "APPROVE"})).await;
    let review = async |by: &Caller, body: Value| expect(200, by, "POST", "/pulls/1/reviews", body).await["id"].clone();
    review(&pia, json!({"event": "COMMENT", "body": "looks odd"})).await;
    let approval = review(&pia, json!({"event": "APPROVE", "body": "", "commit_id": sha(1)})).await;
    expect(200, &pia, "GET", &format!("/pulls/1/reviews/{approval}"), Value::Null).await;
    expect(200, &pia, "PUT", &format!("/pulls/1/reviews/{approval}"), json!({"body": "fine"})).await;
    let pending = review(&pat, json!({"body": "not yet"})).await;
    let submitted = json!({"event": "REQUEST_CHANGES", "body": "not yet"});
    expect(200, &pat, "POST", &format!("/pulls/1/reviews/{pending}/events"), submitted).await;
    let dismissed = format!("/pulls/1/reviews/{pending}/dismissals");
    expect(200, dave, "PUT", &dismissed, json!({"message": "done since"})).await;
    expect(422, dave, "PUT", &dismissed, json!({"message": "done since"})).await;
    expect(200, dave, "GET", "/pulls/1/reviews", Value::Null).await;
    expect(409, dave, "PUT", "/pulls/1/merge", json!({"sha": sha(1)})).await;
    expect(200, dave, "PUT", "/pulls/1/merge", json!({})).await;
    expect(200, dave, "GET", "/pulls/1", Value::Null).await;
}

#[tokio::test]
#[ignore = "needs Node and packages from npm: scripts/test-github"]
async fn every_call_to_the_simulator_and_every_answer_is_one_that_github_describes() {
    let host = simulator();
    host.change(|change| change.set_hook("http://127.0.0.1:9/", "a secret of many letters")).expect("a hook");
    let sender = host.start_deliveries();
    let github = Inspected::new(host.router()).await;
    let dave = Caller::new(&github.address, "dave");
    read_all(&dave).await;
    read_pages(&dave).await;
    publish(&dave).await;
    answer_deployments(&host, &dave).await;
    act(&dave).await;

    host.drained().await;
    let failed = dave.call("GET", "/app/hook/deliveries?status=failure", &Value::Null).await;
    let id = failed.body[0]["id"].as_u64().unwrap_or_else(|| panic!("no delivery failed: {}", failed.body));
    dave.expect(202, "POST", &format!("/app/hook/deliveries/{id}/attempts"), Value::Null).await;
    sender.abort();

    host.change(|change| change.delete_account(&login("pia"))).expect("an account goes");
    for list in ["pulls/1", "pulls/1/reviews", "activity"] {
        dave.expect(200, "GET", &format!("{REPOSITORY}/{list}"), Value::Null).await;
    }
    read_published(&dave).await;

    let faults = [github.faults().await, dave.unexpected()].concat();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    everything_was_called(&github).await;
}

/// That an operation which the simulator has is not forgotten above. A path that it has knows which methods it takes.
async fn everything_was_called(github: &Inspected) {
    let passed = github.passed().await;
    let missed: Vec<Operation> =
        operations().into_iter().filter(|operation| !passed.iter().any(|passed| called(operation, passed))).collect();
    let served = serve(simulator().router()).await;
    let dave = Caller::new(&served.address, "dave");
    for Operation { method, template } in &missed {
        let by_id = template.starts_with("/repositories/") || template.starts_with("/organizations/");
        let allowed = dave.call("OPTIONS", &example(template), &Value::Null).await.allowed;
        let has = allowed.iter().any(|allowed| allowed == method);
        assert!(by_id || !has, "the simulator has {method} {template}, and no call of it is held against GitHub's");
    }
    assert!(!missed.is_empty(), "and where all were called, this shows nothing");
}
