//! `countersign github`: the manifest, and the setup through the browser with its secrets.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::Child;

use axum::extract::Path as Segment;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::command_line::Countersign;
use crate::github_exchanges::{Served, serve};
use crate::github_peers::caller::Caller;

const KEY: &str = "-----BEGIN RSA PRIVATE KEY-----\nnot really\n-----END RSA PRIVATE KEY-----\n";
const SECRET: &str = "a secret of GitHub's own making";

#[test]
fn the_manifest_has_a_reason_for_every_permission_and_event() {
    let ran = Countersign::new("github manifest --format json --webhook-url https://gate.acme.example/webhook").run();
    let document = ran.json();
    assert_eq!(
        document["manifest"]["hook_attributes"],
        json!({"url": "https://gate.acme.example/webhook", "active": true})
    );
    let permissions = document["manifest"]["default_permissions"].as_object().expect("permissions");
    let explained = document["permissions"].as_array().expect("explanations");
    assert_eq!(explained.len(), permissions.len());
    for one in explained.iter().chain(document["events"].as_array().expect("events")) {
        assert!(one["why"].as_str().is_some_and(|why| why.len() > 10), "{one:?}");
    }
    let more = Countersign::new("github manifest --protection-rule --format json").run().json();
    assert_eq!(more["manifest"]["default_permissions"]["actions"], "read");
}

#[test]
fn invalid_settings_are_refused_before_anything_happens() {
    for (words, said) in [
        ("github manifest --name a-name-that-is-much-too-long-for-github", "is empty or longer than 34 characters"),
        ("github manifest --webhook-url http://gate.acme.example/", "is not a URL for GitHub's deliveries"),
        ("github setup --no-browser", "there is no place for the App's secrets"),
        ("github setup --no-browser --store cat --write-secrets x", "both to a command and into files"),
    ] {
        let ran = Countersign::new(words).run();
        assert_eq!(ran.code, Some(2), "{words}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{words}: {}", ran.stderr);
    }
}

/// A GitHub that knows one code, once.
async fn github() -> Served {
    let used = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let convert = async move |Segment(code): Segment<String>| {
        if code != "c0de" || used.swap(true, std::sync::atomic::Ordering::Relaxed) {
            return (StatusCode::NOT_FOUND, Json(json!({"message": "Not Found"})));
        }
        let app = json!({
            "id": 12345, "slug": "countersign-acme", "html_url": "https://github.com/apps/countersign-acme",
            "pem": KEY, "webhook_secret": SECRET, "client_id": "Iv1.x", "client_secret": "unused",
        });
        (StatusCode::CREATED, Json(app))
    };
    let convert = move |code| {
        let convert = convert.clone();
        async move { convert(code).await }
    };
    serve(Router::new().route("/app-manifests/{code}/conversions", post(convert))).await
}

/// The command, waiting for the browser, and where its page is.
fn begin(command: &Countersign) -> (Child, BufReader<std::process::ChildStderr>, String) {
    let mut child = command.command().spawn().expect("the command starts");
    let mut stderr = BufReader::new(child.stderr.take().expect("stderr is a pipe"));
    let mut line = String::new();
    stderr.read_line(&mut line).expect("a line");
    let address = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap_or_else(|| panic!("{line}"));
    let address = address.trim_end_matches('/').to_owned();
    (child, stderr, address)
}

/// Plays the browser to GitHub's answer; gives what the command printed, said, and ended with.
async fn through_the_browser(github: &Served, command: Countersign, code: &str) -> (String, String, Option<i32>) {
    let command = command.arg("--base-url").arg(&github.address).memory_kib(2_000_000);
    let (child, mut stderr, here) = begin(&command);
    let browser = Caller::new(&here, "nobody");
    let page = browser.text("/").await;
    let form = format!("action=\"{}/organizations/acme/settings/apps/new?state=", github.address);
    let (_, after) = page.split_once(&form).unwrap_or_else(|| panic!("{page}"));
    let state = after.split('"').next().expect("the state").to_owned();
    assert!(page.contains(&format!("&quot;redirect_url&quot;:&quot;{here}/created&quot;")), "{page}");
    for wrong in [format!("code={code}"), format!("code={code}&state=0"), format!("state={state}")] {
        assert_eq!(browser.call("GET", &format!("/created?{wrong}"), &Value::Null).await.status, 400, "{wrong}");
    }
    let back = browser.call("GET", &format!("/created?code={code}&state={state}"), &Value::Null).await;
    assert_eq!(back.status, 200);
    tokio::task::spawn_blocking(move || {
        let output = child.wait_with_output().expect("the command ends");
        let mut said = String::new();
        stderr.read_to_string(&mut said).expect("UTF-8");
        (String::from_utf8(output.stdout).expect("UTF-8"), said, output.status.code())
    })
    .await
    .expect("it ends")
}

fn setup() -> Countersign {
    Countersign::new("github setup --no-browser --organization acme --webhook-url https://gate.acme.example/webhook")
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().expect("it is there").permissions().mode() & 0o777
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_written_to_files_of_their_owner_on_request() {
    let (github, folder) = (github().await, tempfile::tempdir().expect("a folder"));
    let secrets = folder.path().join("secrets");
    let command = setup().arg("--write-secrets").arg(&secrets);
    let (stdout, said, code) = through_the_browser(&github, command, "c0de").await;
    assert_eq!(code, Some(0), "{said}");
    let (key, secret) = (secrets.join("private-key.pem"), secrets.join("webhook-secret"));
    assert_eq!(std::fs::read_to_string(&key).expect("the key"), KEY);
    assert_eq!(std::fs::read_to_string(&secret).expect("the secret"), SECRET);
    assert_eq!((mode(&secrets), mode(&key), mode(&secret)), (0o700, 0o600, 0o600));
    assert!(stdout.contains("`countersign-acme` (12345)") && stdout.contains("countersign doctor"), "{stdout}");
    assert!(!stdout.contains("not really") && !stdout.contains(SECRET), "{stdout}");
    let again = setup().arg("--write-secrets").arg(&secrets).run();
    assert!(again.stderr.contains("already exists"), "{}", again.stderr);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_sent_to_a_command_and_are_neither_printed_nor_written() {
    let (github, folder) = (github().await, tempfile::tempdir().expect("a folder"));
    let taken = folder.path().join("taken");
    let command = setup().arg("--format").arg("json").arg("--store").arg(format!("/bin/cat > {}", taken.display()));
    let (stdout, said, code) = through_the_browser(&github, command, "c0de").await;
    assert_eq!(code, Some(0), "{said}");
    let kept: Value = serde_json::from_slice(&std::fs::read(&taken).expect("it was taken")).expect("JSON");
    assert_eq!(kept, json!({"app_id": 12345, "private_key": KEY, "webhook_secret": SECRET}));
    let printed: Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!(printed["app"]["install_url"], "https://github.com/apps/countersign-acme/installations/new");
    for text in [stdout, said] {
        assert!(!text.contains("not really") && !text.contains(SECRET), "{text}");
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn secrets_that_could_not_be_stored_are_reported_with_what_to_do() {
    let (stdout, said, code) = through_the_browser(&github().await, setup().arg("--store").arg("exit 3"), "c0de").await;
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(said.contains("could not be stored") && said.contains("create a new private key"), "{said}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_code_creates_no_app() {
    let (stdout, said, code) = through_the_browser(&github().await, setup().arg("--store").arg("cat"), "0ther").await;
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(said.contains("GitHub does not know the code"), "{said}");
}
