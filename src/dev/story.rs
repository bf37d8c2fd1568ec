//! The demo: a day at acme, played over HTTP against a local gate, with a line for everything that happens.
//!
//! Nothing is faked. Executions are started, commits pushed and reviews given through the same HTTP interfaces that
//! anybody can use. Deliveries are signed, and the lines show what the gate answers. If an answer is not the expected
//! one, the story ends with an error.

use hyper::Method;
use serde::Serialize;
use serde_json::{Value, json};

use super::client::{Client, ClientError};
use crate::adapters::embedded::simulator::GithubSimulator;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The gate's time, `HH:MM`. `None` for lines that are not an answer of the gate.
    pub at: Option<String>,
    pub kind: LineKind,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// The heading of a scene.
    Scene,
    /// Something that somebody does.
    Act,
    /// An answer of the gate.
    Gate,
    /// More about an answer of the gate.
    Detail,
}

#[derive(Debug, thiserror::Error)]
pub enum StoryError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("the demo expected {expected}, but the gate says {got}")]
    Otherwise { expected: String, got: String },
}

pub struct Story<'s> {
    pub gate: Client,
    pub github: Client,
    /// Only used to wait until all deliveries are sent.
    pub deliveries: &'s GithubSimulator,
    /// Called with every line.
    pub on_line: &'s mut (dyn FnMut(&Line) + Send),
}

/// The author's commits. Any hashes would do.
const COMMITS: [&str; 4] = [
    "a11ce5ca1ab1e0ddba11c0ffee0defaced0c0de1",
    "b0a710adab1e5eed0fca5cade0decade0facade2",
    "c0ffee00decafbadc0ded00dfeedfacecab005e3",
    "d15ea5edba0babb1edeadbea7f00dbabe0ff1ce4",
];

impl Story<'_> {
    /// Plays all scenes. Stops at the first answer that is not the expected one.
    pub async fn play(&mut self) -> Result<(), StoryError> {
        self.set_the_stage().await?;
        self.staging_passes().await?;
        self.production_waits_and_is_released().await?;
        self.changes_requested_end_it().await?;
        self.nobody_answers().await
    }

    async fn set_the_stage(&mut self) -> Result<(), StoryError> {
        for login in ["dave", "pia", "pat", "dana", "lee", "sam"] {
            self.stage("users", json!({ "login": login })).await?;
        }
        let payments = ["dave", "pia", "pat"].map(|login| json!({ "login": login }));
        self.stage("teams", json!({ "team": "acme/payments", "members": payments })).await?;
        self.stage("teams", json!({ "team": "acme/sre", "members": [{ "login": "sam" }] })).await?;
        // GitHub lets nobody approve their own pull request. Imported reviews and Apps can, so the simulator allows it.
        let switches = json!({ "allow_self_review": true });
        self.stage("repos", json!({ "name": "acme/checkout", "switches": switches })).await?;
        self.push("main", COMMITS[0]).await
    }

    async fn staging_passes(&mut self) -> Result<(), StoryError> {
        self.scene("A deployment to staging: it needs no approval");
        let input = json!({ "service": "checkout", "environment": "staging", "version": "v2.3.1" });
        self.start("staging-1", input).await?;
        self.expect_end("staging-1", "SUCCEEDED").await.map(|_| ())
    }

    async fn production_waits_and_is_released(&mut self) -> Result<(), StoryError> {
        self.scene("A deployment to production: two of payments and one of security must approve");
        let pull = self.open_pull_request("retry-card-payments", COMMITS[1], "Retry card payments").await?;
        self.start("production-1", production(pull)).await?;
        self.expect_waiting("production-1").await?;

        self.review("dave", pull, "APPROVE", "").await?;
        self.say_review("production-1", "dave", "author").await?;
        self.review("pia", pull, "APPROVE", "").await?;
        self.say_review("production-1", "pia", "counts").await?;

        self.act("dave pushes another commit");
        self.push("retry-card-payments", COMMITS[2]).await?;
        self.expect_end("production-1", "FAILED").await?;
        self.start("production-2", production(pull)).await?;
        self.expect_waiting("production-2").await?;
        self.say_review("production-2", "pia", "stale").await?;

        self.review("pat", pull, "APPROVE", "").await?;
        self.say_review("production-2", "pat", "counts").await?;
        self.review("dana", pull, "APPROVE", "/approve checkout:production").await?;
        self.say_review("production-2", "dana", "counts").await?;
        self.review("pia", pull, "APPROVE", "").await?;
        let ended = self.expect_end("production-2", "SUCCEEDED").await?;
        let decision = field(&ended, "/output/decision");
        self.detail(format!(
            "released: {} at {}",
            field(decision, "/target/service").as_str().unwrap_or_default(),
            short(field(decision, "/revision"))
        ));
        Ok(())
    }

    async fn changes_requested_end_it(&mut self) -> Result<(), StoryError> {
        self.scene("Changes requested: one no beats every yes");
        let pull = self.open_pull_request("log-card-numbers", COMMITS[3], "Log card numbers").await?;
        self.start("production-3", production(pull)).await?;
        self.expect_waiting("production-3").await?;
        self.review("pia", pull, "APPROVE", "").await?;
        self.review("lee", pull, "REQUEST_CHANGES", "card numbers must not be logged").await?;
        self.expect_end("production-3", "FAILED").await.map(|_| ())
    }

    async fn nobody_answers(&mut self) -> Result<(), StoryError> {
        self.scene("Nobody answers: the request expires at its deadline");
        let hash = "e1e0fca5cadefacadebadc0ffee5eed0dec0ded5";
        let pull = self.open_pull_request("round-prices", hash, "Round prices").await?;
        self.start("production-4", production(pull)).await?;
        self.expect_waiting("production-4").await?;
        self.act("four hours pass");
        self.pass("4h").await?;
        self.expect_end("production-4", "FAILED").await.map(|_| ())
    }

    // What people do.

    async fn stage(&self, what: &str, body: Value) -> Result<Value, StoryError> {
        Ok(self.github.post(&format!("/_standin/{what}"), &body).await?)
    }

    async fn push(&mut self, branch: &str, sha: &str) -> Result<(), StoryError> {
        let files = json!([{ "path": "src/cards.rs" }]);
        let commits = json!([{ "sha": sha, "author": "dave", "committer": "dave", "files": files }]);
        let path = format!("repos/acme/checkout/branches/{branch}");
        self.stage(&path, json!({ "by": "dave", "commits": commits })).await?;
        self.settle().await
    }

    async fn open_pull_request(&mut self, branch: &str, sha: &str, title: &str) -> Result<u64, StoryError> {
        self.push(branch, sha).await?;
        let body = json!({ "title": title, "head": branch, "base": "main" });
        let opened = self.as_user("dave", Method::POST, "/repos/acme/checkout/pulls", &body).await?;
        let number = field(&opened, "/number").as_u64().unwrap_or_default();
        self.act(format!("dave opens acme/checkout#{number}, \"{title}\""));
        Ok(number)
    }

    async fn review(&mut self, login: &str, pull: u64, event: &str, body: &str) -> Result<(), StoryError> {
        let does = if event == "APPROVE" { "approves" } else { "requests changes" };
        let says = if body.is_empty() { String::new() } else { format!(", writing \"{body}\"") };
        self.act(format!("{login} {does}{says}"));
        let path = format!("/repos/acme/checkout/pulls/{pull}/reviews");
        self.pass("59s").await?;
        self.as_user(login, Method::POST, &path, &json!({ "event": event, "body": body })).await?;
        self.settle().await
    }

    async fn as_user(&self, login: &str, method: Method, path: &str, body: &Value) -> Result<Value, StoryError> {
        let token = format!("standin_{login}");
        Ok(self.github.send(method, path, Some(&token), Some(body)).await?)
    }

    async fn start(&mut self, name: &str, input: Value) -> Result<(), StoryError> {
        let target = format!("{}:{}", text(field(&input, "/service")), text(field(&input, "/environment")));
        self.act(format!("the pipeline starts the gate for {target} ({name})"));
        self.pass("59s").await?;
        self.gate.post(&format!("/executions?name={name}"), &input).await?;
        self.settle().await
    }

    /// Waits until every delivery is sent. Moving the clock makes the gate do all that is due.
    async fn settle(&mut self) -> Result<(), StoryError> {
        self.deliveries.drained().await;
        self.pass("1s").await
    }

    async fn pass(&mut self, time: &str) -> Result<(), StoryError> {
        self.gate.post("/clock", &json!({ "advance": time })).await?;
        Ok(())
    }

    // What the gate says.

    async fn expect_waiting(&mut self, name: &str) -> Result<(), StoryError> {
        let execution = self.gate.get(&format!("/executions/{name}")).await?;
        expect(
            field(&execution, "/status") == "RUNNING" && field(&execution, "/waits") == true,
            "an execution that waits",
            &execution,
        )?;
        let decision = self.decision_on(name).await?;
        let until = text(field(&decision, "/deadline"));
        let until = until.get(11..16).unwrap_or_default();
        self.say(format!(
            "{} until {until}: {}",
            text(field(&decision, "/verdict")),
            text(field(&decision, "/summary"))
        ))
        .await
    }

    /// Says how the gate judged a person's last review.
    async fn say_review(&mut self, name: &str, login: &str, reason: &str) -> Result<(), StoryError> {
        let decision = self.decision_on(name).await?;
        let reviews = field(&decision, "/reviews").as_array().cloned().unwrap_or_default();
        let last = reviews.into_iter().rfind(|review| field(review, "/user") == login).unwrap_or_default();
        expect(field(&last, "/reason") == reason, &format!("{login}'s review to be `{reason}`"), &last)?;
        let does = if field(&last, "/verdict") == "counts" { "" } else { "does not count: " };
        self.say(format!("{login}'s review {does}{}", text(field(&last, "/text")))).await?;
        self.detail(format!("so far: {}", text(field(&decision, "/summary"))));
        Ok(())
    }

    async fn decision_on(&self, name: &str) -> Result<Value, StoryError> {
        let execution = self.gate.get(&format!("/executions/{name}")).await?;
        let request = self.gate.get(&format!("/requests/{}", text(field(&execution, "/request_id")))).await?;
        Ok(field(&request, "/decision").clone())
    }

    async fn expect_end(&mut self, name: &str, status: &str) -> Result<Value, StoryError> {
        let execution = self.gate.get(&format!("/executions/{name}")).await?;
        expect(field(&execution, "/status") == status, &format!("`{name}` to end as {status}"), &execution)?;
        let (how, decision) = match field(&execution, "/error").as_str() {
            Some(error) => (format!("the execution fails with {error}"), field(&execution, "/cause")),
            None => ("the execution goes on".to_owned(), field(&execution, "/output/decision")),
        };
        let summary = text(field(decision, "/summary")).to_owned();
        self.say(format!("{how}: {summary}")).await?;
        Ok(execution)
    }

    fn scene(&mut self, title: &str) {
        (self.on_line)(&Line { at: None, kind: LineKind::Scene, text: title.to_owned() });
    }

    fn act(&mut self, text: impl Into<String>) {
        (self.on_line)(&Line { at: None, kind: LineKind::Act, text: text.into() });
    }

    async fn say(&mut self, text: String) -> Result<(), StoryError> {
        let now = self.gate.get("/clock").await?;
        let at = self::text(field(&now, "/now")).get(11..16).map(str::to_owned);
        (self.on_line)(&Line { at, kind: LineKind::Gate, text });
        Ok(())
    }

    fn detail(&mut self, text: String) {
        (self.on_line)(&Line { at: None, kind: LineKind::Detail, text });
    }
}

fn production(pull: u64) -> Value {
    json!({
        "service": "checkout",
        "environment": "production",
        "pullRequest": format!("acme/checkout#{pull}"),
        "version": "v2.4.0",
        "requestedBy": "dave",
    })
}

/// A part of an answer, by its JSON pointer. Null if the answer does not have it.
fn field<'v>(value: &'v Value, pointer: &str) -> &'v Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn short(revision: &Value) -> String {
    text(revision).chars().take(7).collect()
}

fn expect(holds: bool, expected: &str, got: &Value) -> Result<(), StoryError> {
    if holds {
        return Ok(());
    }
    Err(StoryError::Otherwise { expected: expected.to_owned(), got: got.to_string() })
}
