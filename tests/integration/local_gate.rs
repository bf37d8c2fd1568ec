//! A local gate on loopback with a clock that stands still, and the people who use it. Everything goes over HTTP.

use std::path::Path;
use std::sync::Arc;

use countersign::app::ExecutionRef;
use countersign::dev::client::{Client, ClientError};
use countersign::dev::{LocalGate, Options, Running};
use countersign::finding::{Source, SourceContent};
use countersign::policy::{Policy, load};
use hyper::Method;
use serde_json::{Value, json};

/// The commit with this number.
pub(crate) fn commit(n: u8) -> String {
    format!("{n:02x}").repeat(20)
}

/// Production needs two of payments, canary one, staging none.
pub(crate) const POLICY: &str = r#"
version: 1
groups:
  payments: { teams: [acme/payments] }
channels:
  oncall: { email: [oncall@acme.example] }
services:
  checkout:
    repository: acme/checkout
    environments:
      staging: { require: none }
      production: { require: 2 of payments, timeout: 4h, notify: [oncall] }
      canary: { require: 1 of payments, timeout: 4h }
"#;

pub(crate) fn policy(text: &str) -> Policy {
    let source = Source { name: "policy.yaml".to_owned(), content: SourceContent::Bytes(text.as_bytes().to_vec()) };
    let loaded = load(vec![source]);
    loaded.policy.unwrap_or_else(|| panic!("{:?}", loaded.findings))
}

pub(crate) struct Acme {
    pub(crate) gate: Client,
    pub(crate) github: Client,
    pub(crate) local: Arc<LocalGate>,
    running: Running,
}

impl Acme {
    pub(crate) async fn open(folder: &Path) -> Self {
        Self::open_under(folder, POLICY).await
    }

    async fn open_under(folder: &Path, text: &str) -> Self {
        let loopback = ([127, 0, 0, 1], 0).into();
        let options = Options {
            data: folder.to_owned(),
            listen: loopback,
            github: loopback,
            standing_at: Some("2026-11-18T09:00:00Z".parse().expect("an instant")),
        };
        let local = Arc::new(LocalGate::open(&options, policy(text)).expect("the gate opens"));
        let running = Arc::clone(&local).start(&options).await.expect("the gate starts");
        let (gate, github) = (Client::new(running.gate), Client::new(running.github));
        Self { gate, github, local, running }
    }

    /// With people, a team, and a repository with a commit on main.
    pub(crate) async fn with_people(folder: &Path) -> Self {
        let acme = Self::open(folder).await;
        stage_people(&acme.github).await;
        acme
    }

    /// The same, under another policy.
    pub(crate) async fn under(folder: &Path, text: &str) -> Self {
        let acme = Self::open_under(folder, text).await;
        stage_people(&acme.github).await;
        acme
    }

    pub(crate) async fn close(self) {
        self.running.stop().await;
    }

    pub(crate) async fn start(&self, name: &str, environment: &str, pull: u64) -> Value {
        let input = json!({ "service": "checkout", "environment": environment, "pullRequest": format!("acme/checkout#{pull}") });
        self.gate.post(&format!("/executions?name={name}"), &input).await.expect("it starts");
        self.settle().await;
        self.execution(name).await
    }

    pub(crate) async fn execution(&self, name: &str) -> Value {
        self.gate.get(&format!("/executions/{name}")).await.expect("an execution")
    }

    /// The present run of an execution.
    pub(crate) async fn run_of(&self, name: &str) -> ExecutionRef {
        let Value::Object(mut fields) = self.execution(name).await else { panic!("an object") };
        let mut take = |name: &str| fields.remove(name).expect("a field");
        ExecutionRef {
            arn: serde_json::from_value(take("execution_arn")).expect("an ARN"),
            started_at: serde_json::from_value(take("started_at")).expect("an instant"),
            redrive: serde_json::from_value(take("redrive")).expect("a number"),
        }
    }

    pub(crate) async fn request_of(&self, name: &str) -> Value {
        let execution = self.execution(name).await;
        let id = execution["request_id"].as_str().expect("an id").to_owned();
        self.gate.get(&format!("/requests/{id}")).await.expect("a request")
    }

    pub(crate) async fn start_with(&self, name: &str, input: Value) -> Value {
        self.gate.post(&format!("/executions?name={name}"), &input).await.expect("it starts");
        self.settle().await;
        self.execution(name).await
    }

    /// The records of an execution's request.
    pub(crate) async fn trail_of(&self, name: &str) -> Vec<Value> {
        let id = self.execution(name).await["request_id"].as_str().expect("an id").to_owned();
        let trail = self.gate.get(&format!("/requests/{id}/trail")).await.expect("a trail");
        trail["records"].as_array().expect("records").clone()
    }

    /// The notifications that were sent, as `channel: event`.
    pub(crate) async fn notified(&self) -> Vec<String> {
        let sent = self.gate.get("/notifications").await.expect("notifications");
        let sent = sent["notifications"].as_array().expect("a list");
        let line = |one: &Value| {
            format!("{}: {}", one["channel"].as_str().unwrap_or_default(), one["event"].as_str().unwrap_or_default())
        };
        sent.iter().map(line).collect()
    }

    /// The text of the last message of that event.
    pub(crate) async fn last_text(&self, event: &str) -> String {
        let sent = self.gate.get("/notifications").await.expect("notifications");
        let last = sent["notifications"].as_array().expect("a list").iter().rfind(|one| one["event"] == event).cloned();
        last.expect("a message")["text"].as_str().expect("a text").to_owned()
    }

    /// Approves with this text.
    pub(crate) async fn approve(&self, login: &str, pull: u64, body: &str) -> u64 {
        let id = review_saying(&self.github, login, pull, ("APPROVE", body)).await;
        self.settle().await;
        id
    }

    pub(crate) async fn review(&self, login: &str, pull: u64, event: &str) -> u64 {
        let id = review(&self.github, login, pull, event).await;
        self.settle().await;
        id
    }

    pub(crate) async fn push(&self, branch: &str, sha: &str) {
        push(&self.github, branch, sha).await;
        self.settle().await;
    }

    pub(crate) async fn settle(&self) {
        self.local.github.drained().await;
        self.pass("1s").await;
    }

    pub(crate) async fn pass(&self, time: &str) {
        self.gate.post("/clock", &json!({ "advance": time })).await.expect("the clock moves");
    }
}

pub(crate) async fn stage_people(github: &Client) {
    for login in ["dave", "pia", "pat", "zoe"] {
        github.post("/_standin/users", &json!({ "login": login })).await.expect("a user");
    }
    let members = ["dave", "pia", "pat"].map(|login| json!({ "login": login }));
    github.post("/_standin/teams", &json!({ "team": "acme/payments", "members": members })).await.expect("a team");
    let repository = json!({ "name": "acme/checkout", "switches": { "allow_self_review": true } });
    github.post("/_standin/repos", &repository).await.expect("a repository");
    push(github, "main", &commit(1)).await;
}

pub(crate) async fn push(github: &Client, branch: &str, sha: &str) {
    let commits = json!([{ "sha": sha, "author": "dave", "committer": "dave", "files": [{ "path": "a.rs" }] }]);
    let body = json!({ "by": "dave", "commits": commits });
    github.post(&format!("/_standin/repos/acme/checkout/branches/{branch}"), &body).await.expect("a push");
}

/// A pull request by dave, with one commit of his.
pub(crate) async fn open_pull_request(github: &Client, branch: &str, sha: &str) -> u64 {
    push(github, branch, sha).await;
    let body = json!({ "title": branch, "head": branch, "base": "main" });
    let path = "/repos/acme/checkout/pulls";
    let opened = github.send(Method::POST, path, Some("standin_dave"), Some(&body)).await.expect("a pull request");
    opened["number"].as_u64().expect("a number")
}

/// A pull request from a fork of zoe's, into main, with this commit as its head.
pub(crate) async fn open_from_fork(github: &Client, sha: &str) -> u64 {
    github.post("/_standin/repos/acme/checkout/forks", &json!({ "owner": "zoe" })).await.expect("a fork");
    let commits = json!([{ "sha": sha, "author": "dave", "committer": "dave" }]);
    let body = json!({ "by": "zoe", "commits": commits });
    github.post("/_standin/repos/zoe/checkout/branches/twin", &body).await.expect("a push");
    let body = json!({ "title": "twin", "head": "zoe:twin", "base": "main" });
    let path = "/repos/acme/checkout/pulls";
    let opened = github.send(Method::POST, path, Some("standin_zoe"), Some(&body)).await.expect("a pull request");
    opened["number"].as_u64().expect("a number")
}

pub(crate) async fn review(github: &Client, login: &str, pull: u64, event: &str) -> u64 {
    let body = if event == "APPROVE" { "" } else { "please change this" };
    review_saying(github, login, pull, (event, body)).await
}

async fn review_saying(github: &Client, login: &str, pull: u64, (event, body): (&str, &str)) -> u64 {
    let path = format!("/repos/acme/checkout/pulls/{pull}/reviews");
    let body = json!({ "event": event, "body": body });
    let given = github.send(Method::POST, &path, Some(&format!("standin_{login}")), Some(&body)).await;
    given.expect("a review")["id"].as_u64().expect("an id")
}

/// The status of a call's answer.
pub(crate) fn status(result: &Result<Value, ClientError>) -> u16 {
    match result {
        Ok(_) => 200,
        Err(ClientError::Refused { status, .. }) => status.as_u16(),
        Err(error @ ClientError::NoAnswer { .. }) => panic!("{error}"),
    }
}
