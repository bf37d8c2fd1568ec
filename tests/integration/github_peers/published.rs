//! What an App and people publish on a pull request, and answers to deployments, as calls to the simulator.

use countersign::adapters::embedded::simulator::GithubSimulator;
use serde_json::{Value, json};

use super::caller::Caller;
use super::organization::{COMMITS, checkout, sha};

const REPOSITORY: &str = "/repos/acme/checkout";

async fn expect(status: u16, by: &Caller, method: &str, path: &str, body: Value) -> Value {
    by.expect(status, method, &format!("{REPOSITORY}{path}"), body).await
}

async fn read(by: &Caller, path: &str) -> Value {
    expect(200, by, "GET", path, Value::Null).await
}

/// Publishes everything on acme/checkout#1, as the App and as pia.
pub(super) async fn publish(dave: &Caller) {
    let app = dave.by("countersign[bot]");
    check(dave, &app).await;
    comments(&dave.by("pia"), &app).await;
    reviewers(dave, &app).await;
    deployments(&dave.by("pia"), &app).await;
}

/// Reads what was published.
pub(super) async fn read_published(dave: &Caller) {
    for path in [
        &format!("/commits/{}/check-runs?filter=all", sha(COMMITS)),
        "/issues/1/comments",
        "/pulls/1/requested_reviewers",
        "/deployments",
    ] {
        read(dave, path).await;
    }
    for deployment in dave.all(&format!("{REPOSITORY}/deployments")).await {
        read(dave, &format!("/deployments/{}/statuses", deployment["id"])).await;
    }
}

async fn check(dave: &Caller, app: &Caller) {
    let new = json!({
        "name": "countersign / checkout / production", "head_sha": sha(COMMITS), "external_id": "req-1",
        "status": "in_progress", "started_at": "2026-11-18T10:00:00Z",
        "output": { "title": "waits", "summary": "**waits**", "text": "for pia" },
        "actions": [{ "label": "Re-evaluate", "description": "Read it again", "identifier": "re-evaluate" }],
    });
    expect(403, dave, "POST", "/check-runs", new.clone()).await;
    let first = expect(201, app, "POST", "/check-runs", new.clone()).await["id"].clone();
    expect(201, dave, "POST", &format!("/check-runs/{first}/rerequest"), Value::Null).await;
    let other = json!({ "name": "other", "head_sha": sha(COMMITS) });
    expect(201, app, "POST", "/check-runs", other).await;
    let second = expect(201, app, "POST", "/check-runs", new).await["id"].clone();
    let ends = [
        json!({ "status": "completed", "conclusion": "success", "completed_at": "2026-11-18T10:00:00Z" }),
        json!({ "status": "queued" }),
        json!({ "conclusion": "timed_out", "actions": [] }),
    ];
    for change in ends {
        expect(200, app, "PATCH", &format!("/check-runs/{second}"), change).await;
        read(dave, &format!("/check-runs/{second}")).await;
    }
    let list = format!("/commits/{}/check-runs", sha(COMMITS));
    for (query, count) in [
        ("", 2),
        ("?filter=all", 3),
        ("?check_name=other&app_id=1&filter=latest&per_page=100", 1),
        ("?status=completed", 1),
        ("?app_id=2", 0),
    ] {
        assert_eq!(read(dave, &format!("{list}{query}")).await["total_count"], count, "{query}");
    }
    // A list within an object has links, too.
    let page = dave.call("GET", &format!("{REPOSITORY}{list}?per_page=1"), &Value::Null).await;
    dave.expect(200, "GET", &page.next.expect("a second page"), Value::Null).await;
    expect(404, dave, "GET", "/check-runs/999999", Value::Null).await;
}

async fn comments(pia: &Caller, app: &Caller) {
    expect(201, pia, "POST", "/issues/1/comments", json!({ "body": "why?" })).await;
    expect(422, pia, "POST", "/issues/1/comments", json!({ "body": " " })).await;
    let body = json!({ "body": "<!-- ours -->\nwaits" });
    let kept = expect(201, app, "POST", "/issues/1/comments", body.clone()).await["id"].clone();
    let gone = expect(201, app, "POST", "/issues/1/comments", body.clone()).await["id"].clone();
    expect(200, app, "PATCH", &format!("/issues/comments/{kept}"), json!({ "body": "<!-- ours -->\ndone" })).await;
    expect(204, app, "DELETE", &format!("/issues/comments/{gone}"), Value::Null).await;
    expect(404, app, "PATCH", &format!("/issues/comments/{gone}"), body).await;
    assert_eq!(pia.all(&format!("{REPOSITORY}/issues/1/comments?per_page=1")).await.len(), 2);
}

async fn reviewers(dave: &Caller, app: &Caller) {
    let requested = "/pulls/1/requested_reviewers";
    expect(201, app, "POST", requested, json!({ "reviewers": ["pia"], "team_reviewers": ["payments-core"] })).await;
    expect(201, app, "POST", requested, json!({ "reviewers": ["pat"] })).await;
    expect(422, app, "POST", requested, json!({ "reviewers": ["dave"], "team_reviewers": [] })).await;
    for path in [requested, "/pulls/1", "/pulls"] {
        read(dave, path).await;
    }
    expect(200, dave, "DELETE", requested, json!({ "reviewers": ["pat"], "team_reviewers": [] })).await;
}

async fn deployments(pia: &Caller, app: &Caller) {
    let new = json!({
        "ref": sha(COMMITS), "task": "deploy", "auto_merge": false, "required_contexts": [],
        "payload": { "request_id": "req-1" }, "environment": "staging", "description": "checkout v2",
        "transient_environment": false, "production_environment": false,
    });
    // A check has timed out, and all of them are required.
    expect(409, pia, "POST", "/deployments", json!({ "ref": "feature" })).await;
    let mut made = Vec::new();
    for by in [pia, app] {
        made.push(expect(201, by, "POST", "/deployments", new.clone()).await["id"].clone());
    }
    // GitHub takes a payload as text, too.
    let texts = json!({ "ref": "feature", "required_contexts": [], "payload": "{}" });
    made.push(expect(201, app, "POST", "/deployments", texts).await["id"].clone());
    let states = ["pending", "queued", "in_progress", "success", "failure", "error", "inactive"];
    for (by, deployment) in [pia, app].into_iter().zip(&made) {
        for state in states {
            let status = json!({ "state": state, "description": "so", "auto_inactive": true });
            expect(201, by, "POST", &format!("/deployments/{deployment}/statuses"), status).await;
        }
        read(by, &format!("/deployments/{deployment}")).await;
        let statuses = pia.all(&format!("{REPOSITORY}/deployments/{deployment}/statuses?per_page=3")).await;
        assert_eq!(statuses.len(), states.len());
    }
    let long = json!({ "state": "success", "description": "x".repeat(141) });
    expect(422, app, "POST", &format!("/deployments/{}/statuses", made[0]), long).await;
    assert_eq!(pia.all(&format!("{REPOSITORY}/deployments?per_page=1")).await.len(), made.len());
    let wanted = format!("{REPOSITORY}/deployments?sha={}&environment=staging&task=deploy", sha(COMMITS));
    assert_eq!(pia.all(&wanted).await.len(), 2);
}

/// Answers deployments of GitHub Actions in every way.
pub(super) async fn answer_deployments(host: &GithubSimulator, dave: &Caller) {
    let app = dave.by("countersign[bot]");
    let answer = async |status: u16, run: u64, body: Value| {
        expect(status, &app, "POST", &format!("/actions/runs/{run}/deployment_protection_rule"), body).await;
    };
    for state in ["approved", "rejected"] {
        let new = json!({ "by": "dave", "environment": "production", "sha": sha(COMMITS) });
        let new = serde_json::from_value(new).expect("a run to make");
        let run = host.change(|change| change.deploy_from_actions(&checkout(), &new)).expect("a run");
        answer(204, run, json!({ "environment_name": "production", "comment": "waits" })).await;
        let whole = json!({ "environment_name": "production", "state": state, "comment": "so" });
        answer(204, run, whole.clone()).await;
        answer(422, run, whole.clone()).await;
        answer(404, 999_999, whole).await;
    }
}
