//! An App's authentication, verified by somebody else's GitHub.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{ChildStdin, Stdio};

use countersign::adapters::github::admin::ReadAs;
use countersign::adapters::github::client::GivenSettings;
use serde_json::Value;

use super::client::client;
use super::organization::login;
use super::prism::{Running, node};

/// Somebody else's GitHub with one App, whose key it makes.
struct Emulated {
    address: String,
    key: String,
    /// It ends when this does.
    _stdin: ChildStdin,
    _process: Running,
}

impl Emulated {
    fn start() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/github/emulate.mjs");
        let child = node(&script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("Node starts");
        let mut process = Running(child);
        let stdout = process.0.stdout.take().expect("stdout is a pipe");
        let line = BufReader::new(stdout).lines().next().expect("it says where it listens").expect("UTF-8");
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let text = |key: &str| said[key].as_str().unwrap_or_else(|| panic!("{line}")).to_owned();
        let stdin = process.0.stdin.take().expect("stdin is a pipe");
        Self { address: text("listening"), key: text("key"), _stdin: stdin, _process: process }
    }

    fn settings<'a>(&'a self, key: &'a str) -> GivenSettings<'a> {
        let base_url = Some(self.address.as_str());
        GivenSettings { base_url, app_id: Some("12345"), private_key: Some(key), ..GivenSettings::default() }
    }
}

#[tokio::test]
#[ignore = "needs Node and packages from npm: scripts/test-github"]
async fn an_apps_key_gets_a_token_from_emulate_that_reads() {
    let github = Emulated::start();
    let client = client(github.settings(&github.key));
    assert_eq!(client.app().await.expect("the App").slug, "countersign");
    let installations = client.installations().await.expect("installations");
    let [installation] = installations.as_slice() else { panic!("{installations:?}") };
    let by = ReadAs::installation_for(&installation.account);
    let dave = client.account(&login("dave"), &by).await.expect("an answer");
    assert!(dave.is_some());
}

#[tokio::test]
#[ignore = "needs Node and packages from npm: scripts/test-github"]
async fn another_key_is_refused_by_emulate() {
    let (github, other) = (Emulated::start(), Emulated::start());
    let client = client(github.settings(&other.key));
    assert_eq!(client.app().await.expect_err("the key is another's").status(), Some(401));
    assert_eq!(client.installations().await.expect_err("the key is another's").status(), Some(401));
}
