//! The local gate as a process: killed without warning and started again on the same folder.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use countersign::dev::client::Client;
use regex::bytes::Regex;
use serde_json::{Value, json};

use crate::local_gate::{POLICY, commit, open_pull_request, review, stage_people};

/// How often to poll for an answer. Each poll is a round trip, during which the gate works.
const POLLS: usize = 5_000;

struct Process {
    child: Child,
    gate: Client,
    github: Client,
    log: std::thread::JoinHandle<String>,
}

impl Process {
    fn start(folder: &Path) -> Self {
        std::fs::write(folder.join("policy.yaml"), POLICY).expect("a policy");
        let mut child = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(["dev", "--format", "json", "--listen", "127.0.0.1:0", "--github", "127.0.0.1:0"])
            .arg("--policy")
            .arg(folder.join("policy.yaml"))
            .arg("--data")
            .arg(folder.join("data"))
            .env_clear()
            .env("COUNTERSIGN_LOG", "trace")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the gate starts");
        let mut said = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
        stdout.read_line(&mut said).expect("it says where it listens");
        let said: Value = serde_json::from_str(&said).expect("it says so in JSON");
        let client = |key: &str| {
            let url = said[key].as_str().expect("an address");
            Client::new(url.trim_start_matches("http://").parse::<SocketAddr>().expect("an address"))
        };
        let mut stderr = child.stderr.take().expect("stderr is a pipe");
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            stderr.read_to_string(&mut log).expect("the log is text");
            log
        });
        Self { gate: client("gate"), github: client("github"), child, log }
    }

    /// Sends SIGKILL, after which nothing is written.
    fn kill(mut self) -> String {
        self.child.kill().expect("it is killed");
        self.child.wait().expect("it ends");
        self.log.join().expect("the log is read")
    }

    /// Sends SIGTERM: the gate ends running work. Returns the exit code and the log.
    fn stop(mut self) -> (Option<i32>, String) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs");
        assert!(sent.success());
        let ended = self.child.wait().expect("it ends");
        (ended.code(), self.log.join().expect("the log is read"))
    }

    async fn until(&self, path: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        for _ in 0..POLLS {
            last = self.gate.get(path).await.unwrap_or_default();
            if holds(&last) {
                return last;
            }
        }
        panic!("{path} is still {last}");
    }
}

async fn waiting(process: &Process) -> u64 {
    stage_people(&process.github).await;
    let pull = open_pull_request(&process.github, "feature", &commit(2)).await;
    start(process, pull).await;
    process.until("/executions/a", |execution| execution["waits"] == true).await;
    process.until("/requests", |requests| requests["requests"][0]["state"] == "pending").await;
    pull
}

async fn start(process: &Process, pull: u64) {
    let input =
        json!({ "service": "checkout", "environment": "canary", "pullRequest": format!("acme/checkout#{pull}") });
    process.gate.post("/executions?name=a", &input).await.expect("it starts");
}

/// The execution went on, and its request was closed once.
async fn resumed_once(process: &Process) {
    let execution = process.until("/executions/a", |execution| execution["status"] != "RUNNING").await;
    assert_eq!(execution["status"], "SUCCEEDED", "{execution}");
    let id = execution["request_id"].as_str().expect("an id");
    let request = process.until(&format!("/requests/{id}"), |request| request["state"] == "approved").await;
    assert_eq!(request["state"], "approved");
    let trail = process.gate.get(&format!("/requests/{id}/trail")).await.expect("a trail");
    let records = trail["records"].as_array().expect("records");
    let of_kind = |kind: &str| records.iter().filter(|record| record["kind"] == kind).count();
    assert_eq!((of_kind("opened"), of_kind("closed"), of_kind("released")), (1, 1, 1), "{records:#?}");
    let requests = process.gate.get("/requests?all=true").await.expect("requests");
    assert_eq!(requests["requests"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_waited_when_the_gate_was_killed_is_resumed_by_a_review_after_the_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = Process::start(folder.path());
    let pull = waiting(&first).await;
    let before = first.gate.get("/requests").await.expect("requests");
    first.kill();

    let second = Process::start(folder.path());
    assert_eq!(second.gate.get("/requests").await.expect("requests"), before);
    review(&second.github, "pia", pull, "APPROVE").await;
    resumed_once(&second).await;
    second.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_that_was_just_started_when_the_gate_was_killed_is_driven_on_after_the_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = Process::start(folder.path());
    stage_people(&first.github).await;
    let pull = open_pull_request(&first.github, "feature", &commit(2)).await;
    start(&first, pull).await;
    first.kill();

    let second = Process::start(folder.path());
    second.until("/requests", |requests| requests["requests"][0]["state"] == "pending").await;
    review(&second.github, "pia", pull, "APPROVE").await;
    resumed_once(&second).await;
    second.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_that_was_just_given_when_the_gate_was_killed_is_delivered_after_the_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = Process::start(folder.path());
    let pull = waiting(&first).await;
    review(&first.github, "pia", pull, "APPROVE").await;
    first.kill();

    let second = Process::start(folder.path());
    // If the gate died with a claim, the claim has to lapse first.
    let minutes = json!({ "advance": "2m" });
    second.gate.post("/clock", &minutes).await.expect("the clock is moved");
    resumed_once(&second).await;
    second.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_that_gets_sigterm_ends_in_order_and_its_folder_can_be_opened_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = Process::start(folder.path());
    waiting(&first).await;
    let (code, log) = first.stop();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("stopping"), "{log}");
    let lines = log.lines().map(serde_json::from_str::<Value>);
    assert!(lines.into_iter().all(|line| line.is_ok_and(|line| line["level"].is_string())), "{log}");
    let second = Process::start(folder.path());
    assert_eq!(second.gate.get("/executions/a").await.expect("an execution")["status"], "RUNNING");
    second.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_ends_its_request_does_not_keep_the_gate_from_stopping() {
    use std::io::Write as _;
    let folder = tempfile::tempdir().expect("a folder");
    let process = Process::start(folder.path());
    let address = process.gate.address();
    let mut client = std::net::TcpStream::connect(address).expect("a connection");
    let head = format!(
        "POST /executions HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{{"
    );
    client.write_all(head.as_bytes()).expect("half a request");
    let (code, log) = process.stop();
    assert_eq!(code, Some(0), "{log}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_was_open_to_others_is_closed_to_them() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    std::fs::create_dir(&data).expect("a folder");
    std::fs::set_permissions(&data, PermissionsExt::from_mode(0o755)).expect("a mode");
    let process = Process::start(folder.path());
    let mode = std::fs::metadata(&data).expect("metadata").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    process.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_another_gate_has_open_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = Process::start(folder.path());
    let second = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["dev", "--listen", "127.0.0.1:0", "--github", "127.0.0.1:0", "--policy"])
        .arg(folder.path().join("policy.yaml"))
        .arg("--data")
        .arg(folder.path().join("data"))
        .output()
        .expect("it runs");
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains("cannot be opened") && said.contains("data"), "{said}");
    first.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_the_log_nor_any_answer_holds_a_task_token_or_the_webhook_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let process = Process::start(folder.path());
    let pull = waiting(&process).await;
    review(&process.github, "pia", pull, "APPROVE").await;
    resumed_once(&process).await;
    let mut output = String::new();
    for path in ["/executions/a", "/requests?all=true", "/notifications"] {
        output += &process.gate.get(path).await.expect("an answer").to_string();
    }
    let id = process.gate.get("/executions/a").await.expect("an execution")["request_id"].clone();
    let id = id.as_str().expect("an id");
    for path in [format!("/requests/{id}"), format!("/requests/{id}/trail")] {
        output += &process.gate.get(&path).await.expect("an answer").to_string();
    }
    output += &process.github.get("/_standin/world").await.expect("the world").to_string();
    let (_, log) = process.stop();
    assert!(log.contains("processed a delivery"), "the log was not captured: {log}");
    output += &log;

    let data = folder.path().join("data");
    let secret = std::fs::read_to_string(data.join("webhook-secret")).expect("the secret");
    assert_eq!(secret.len(), 64);
    let kept = std::fs::read(data.join("executions.redb")).expect("the executions");
    let token = Regex::new("a/([0-9a-f]{64})").expect("an expression").captures(&kept).expect("a token is kept");
    let token = String::from_utf8_lossy(&token[1]).into_owned();
    for (what, hidden) in [("the secret", &secret), ("a token", &token)] {
        assert!(!output.contains(hidden.as_str()), "{what} is in the output");
    }
}
