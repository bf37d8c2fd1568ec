//! Deliveries between the simulator, our receiver, and a library that others receive GitHub's webhooks with.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};

use countersign::adapters::embedded::simulator::GithubSimulator;
use countersign::adapters::github::delivery::{DeliveryHeaders, Refused, receive};
use countersign::adapters::github::signature::{SignatureError, WebhookSecrets};
use serde_json::{Value, json};

use super::organization::deliver_everything;
use super::prism::{Running, node};
use crate::webhook_door::{GUID, SECRET, handled, now, secret};

/// Another than [`SECRET`].
const OTHER: &str = "Nobody's secret at all";

fn script(name: &str) -> Command {
    node(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/github").join(name))
}

/// Somebody else's receiver.
struct Receiver {
    _process: Running,
    /// It ends when this does.
    stdin: ChildStdin,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    url: String,
}

impl Receiver {
    fn start(secret: &str) -> Self {
        let mut command = script("receive.mjs");
        let child = command.env("COUNTERSIGN_TEST_SECRET", secret).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut process = Running(child.expect("Node starts"));
        let mut lines = BufReader::new(process.0.stdout.take().expect("stdout is a pipe")).lines();
        let first: Value = lines.next().map(|line| parse(&line.expect("UTF-8"))).expect("it says where it listens");
        let url = first["listening"].as_str().expect("a URL").to_owned();
        let stdin = process.0.stdin.take().expect("stdin is a pipe");
        Self { _process: process, stdin, lines, url }
    }

    /// Everything that it let in.
    fn end(self) -> Vec<Value> {
        drop(self.stdin);
        self.lines.map(|line| parse(&line.expect("UTF-8"))).collect()
    }
}

fn parse(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

/// Sends every kind of delivery to a receiver. Returns its answers, oldest first.
async fn send_everything_to(receiver: &Receiver) -> (GithubSimulator, Vec<u16>) {
    let host = deliver_everything(&receiver.url, SECRET);
    let sender = host.start_deliveries();
    host.drained().await;
    sender.abort();
    let world = host.world();
    let status = world.deliveries.values().map(|delivery| delivery.outcome.as_ref().expect("it was sent").status_code);
    (host, status.collect())
}

#[tokio::test]
#[ignore = "needs Node and packages from npm: scripts/test-github"]
async fn deliveries_that_the_simulator_signs_are_accepted_by_octokit() {
    let receiver = Receiver::start(SECRET);
    let (host, answers) = send_everything_to(&receiver).await;
    assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
    let world = host.world();
    let sent: Vec<Value> = world
        .deliveries
        .values()
        .map(|sent| json!({"id": sent.guid, "name": sent.event.as_str(), "payload": parse(&sent.body)}))
        .collect();
    assert_eq!(receiver.end(), sent);
    assert!(sent.len() >= 12, "{}", sent.len());
}

#[tokio::test]
#[ignore = "needs Node and packages from npm: scripts/test-github"]
async fn deliveries_with_another_secret_are_refused_by_octokit() {
    let receiver = Receiver::start(OTHER);
    let (_, answers) = send_everything_to(&receiver).await;
    assert!(!answers.is_empty() && answers.iter().all(|status| *status == 400), "{answers:?}");
    assert_eq!(receiver.end(), Vec::<Value>::new());
}

/// Octokit's signatures of these bodies.
fn signed(secret: &str, bodies: &[String]) -> Vec<String> {
    let mut child = script("sign.mjs").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("Node starts");
    let input = json!({"secret": secret, "bodies": bodies}).to_string();
    child.stdin.take().expect("stdin is a pipe").write_all(input.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    serde_json::from_slice(&output.stdout).expect("signatures")
}

fn bodies() -> Vec<(String, String)> {
    let odd =
        ["{\"zen\":\"naïve 🙂 \\u2028\\ud83d\\ude00\"}", " {\"zen\" : 1.0e3}\r\n", "{\"zen\":\"<>&'\u{7f}\u{85}\"}"];
    let whole = handled().into_iter().map(|sent| (sent.event.clone(), sent.payload.to_string()));
    whole.chain(odd.map(|body| ("ping".to_owned(), body.to_owned()))).collect()
}

#[test]
#[ignore = "needs Node and packages from npm: scripts/test-github"]
fn deliveries_that_octokit_signs_are_accepted_and_none_with_another_secret() {
    let sent = bodies();
    let texts: Vec<String> = sent.iter().map(|(_, body)| body.clone()).collect();
    let secrets = WebhookSecrets { current: secret(SECRET), previous: None };
    let received = |event: &str, body: &str, signature: &str| {
        let headers = DeliveryHeaders { event: Some(event), delivery: Some(GUID), signature: Some(signature) };
        receive(&secrets, &headers, body.as_bytes(), now())
    };
    let (right, wrong) = (signed(SECRET, &texts), signed(OTHER, &texts));
    assert_eq!((right.len(), wrong.len()), (sent.len(), sent.len()));
    for (((event, body), right), wrong) in sent.iter().zip(&right).zip(&wrong) {
        assert!(received(event, body, right).is_ok(), "{event}: {body:.200}");
        assert_eq!(received(event, body, wrong), Err(Refused::Signature(SignatureError::Mismatch)), "{event}");
        let moved = format!("{body} ");
        assert_eq!(received(event, &moved, right), Err(Refused::Signature(SignatureError::Mismatch)), "{event}");
    }
}
