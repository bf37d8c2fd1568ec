//! `countersign doctor`: reports what works, what does not, and what to do about it.

use axum::Router;
use axum::http::StatusCode;
use countersign::ident::TeamSlug;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::command_line::{Countersign, Ran};
use crate::docs::{blocks, read};
use crate::github_exchanges::{Served, serve};
use crate::github_simulator::{SimulatedGithub, login};
use crate::github_world::{APP_KEY, OTHER_KEY};
use crate::webhook_door::SECRET;

/// Outcome and text of every check of this kind.
fn checks(ran: &Ran, kind: &str) -> Vec<(String, String)> {
    let document = ran.json();
    let text = |check: &Value, key: &str| check[key].as_str().expect("a text").to_owned();
    let all = document["checks"].as_array().expect("checks");
    all.iter()
        .filter(|check| check["check"] == kind)
        .map(|check| (text(check, "outcome"), text(check, "text")))
        .collect()
}

fn line(outcome: &str, text: &str) -> (String, String) {
    (outcome.to_owned(), text.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_token_it_checks_the_teams_and_accounts_of_the_policy() {
    let github = SimulatedGithub::new().await;
    let ran = github.run("doctor --format json").await;
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(checks(&ran, "team"), [line("ok", "the team `acme/payments` can be read, and has 2 members")]);
    let accounts = checks(&ran, "account");
    assert_eq!(accounts.len(), 4);
    assert_eq!(
        accounts[0],
        line("warning", "`dana` is an account, but the policy does not pin its id (policy.yaml:6)")
    );
    assert_eq!(
        ran.json()["checks"][2]["hint"],
        json!("run `countersign pin` to write `dana#583231`; until then, whoever takes over the login counts")
    );
    github.run("pin").await;
    let pinned = checks(&github.run("doctor --format json").await, "account");
    assert!(pinned.iter().all(|(outcome, _)| outcome == "ok"), "{pinned:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_team_or_account_fails_with_its_place() {
    let github = SimulatedGithub::new().await;
    github.rewrite("dana,", "dana-nobody,");
    github
        .host
        .change(|change| change.delete_team(&TeamSlug::new("acme/payments").expect("a team")))
        .expect("the team goes");
    let ran = github.run("doctor").await;
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stdout.contains("failed   the team `acme/payments` is not there, or may not be read (policy.yaml:4)"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("failed   no account is called `dana-nobody` (policy.yaml:6)"), "{}", ran.stdout);
    assert!(ran.stdout.ends_with("2 failed\n"), "{}", ran.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pinned_account_is_compared_with_its_id() {
    let github = SimulatedGithub::new().await;
    github.run("pin").await;
    github
        .host
        .change(|change| {
            change.rename_account(&login("dana"), &login("dana-m"))?;
            change.delete_account(&login("lee"))
        })
        .expect("accounts change");
    let ran = github.run("doctor --format json").await;
    let accounts = checks(&ran, "account");
    assert!(accounts.contains(&line("failed", "no account has the id of `Lee#102` (policy.yaml:6)")), "{accounts:?}");
    let renamed = "`dana#583231` is called `dana-m` now (policy.yaml:6); the id still decides";
    assert!(accounts.contains(&line("warning", renamed)), "{accounts:?}");
    assert_eq!(ran.code, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_policy_is_reported_as_by_every_command() {
    let github = SimulatedGithub::new().await;
    github.rewrite("version: 1", "version: 2");
    assert_eq!(github.run("doctor").await.code, Some(3));
    assert_eq!(github.run("pin").await.code, Some(3));
    let half = github.run_as(Countersign::new("doctor --app-id 1")).await;
    assert_eq!(half.code, Some(2), "{}", half.stderr);
}

/// A webhook that answers everything with this status.
async fn webhook(github: &SimulatedGithub, status: u16) -> (Served, JoinHandle<()>) {
    let answer = StatusCode::from_u16(status).expect("a status");
    let served = serve(Router::new().fallback(move || std::future::ready(answer))).await;
    github.host.change(|change| change.set_hook(&format!("{}/webhook", served.address), SECRET)).expect("a hook");
    let sender = github.host.start_deliveries();
    github.host.drained().await;
    (served, sender)
}

fn sent(github: &SimulatedGithub) -> usize {
    github.host.world().deliveries.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_working_set_up_is_reported_line_by_line() {
    let github = SimulatedGithub::new().await;
    github.run("pin").await;
    let (receiver, sender) = webhook(&github, 202).await;
    let ran = github.run_as_app("doctor", APP_KEY).await;
    // docs/github.md shows exactly this output.
    let page = read("docs/github.md");
    let block = blocks(&page)
        .into_iter()
        .find(|block| block.text.starts_with("ok "))
        .expect("the page shows the output of doctor");
    let expected = block.text.replace("https://gate.acme.example", &receiver.address);
    assert_eq!((ran.code, ran.stdout, ran.stderr), (Some(0), expected, String::new()));
    assert_eq!(sent(&github), 2, "the ping was sent again");
    sender.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_with_another_secret_is_found_by_sending_a_delivery_again() {
    let github = SimulatedGithub::new().await;
    let (_receiver, sender) = webhook(&github, 401).await;
    let ran = github.run_as_app("doctor --format json", APP_KEY).await;
    assert_eq!(ran.code, Some(1));
    let refused = "the gate refused a `ping` delivery, because it was not signed with the gate's secret";
    assert!(checks(&ran, "webhook").contains(&line("failed", refused)), "{}", ran.stdout);
    let sent_before = sent(&github);
    let ran = github.run_as_app("doctor --passive --format json", APP_KEY).await;
    assert!(checks(&ran, "webhook").contains(&line("failed", refused)), "{}", ran.stdout);
    assert_eq!(sent(&github), sent_before, "--passive sends nothing");
    sender.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_missing_at_github_fails_and_says_what_to_do() {
    let github = SimulatedGithub::new().await;
    github.rewrite("repository: acme/checkout", "repository: acme/check-out");
    let ran = github.run_as_app("doctor --protection-rule --format json", APP_KEY).await;
    assert_eq!(ran.code, Some(1));
    assert_eq!(checks(&ran, "webhook")[0], line("failed", "the App has no webhook"));
    let lacks = "the App lacks `actions: read` (answers custom deployment protection rules of GitHub Actions)";
    assert!(checks(&ran, "permission").contains(&line("failed", lacks)), "{}", ran.stdout);
    let missing = "the App is not installed on `acme/check-out`, or the repository does not exist";
    assert_eq!(checks(&ran, "installation"), [line("failed", missing)]);
    let hints_match = ran.json()["checks"]
        .as_array()
        .expect("checks")
        .iter()
        .all(|check| (check["outcome"] == "ok") == check["hint"].is_null());
    assert!(hints_match, "{}", ran.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_another_app_is_refused() {
    let github = SimulatedGithub::new().await;
    let ran = github.run_as_app("doctor", OTHER_KEY).await;
    assert_eq!(ran.code, Some(1));
    assert!(ran.stdout.starts_with("failed   GitHub answered 401 to a request for the App"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("PRIVATE") && !ran.stderr.contains("PRIVATE"));
    let pin = github.run_as_app("pin", OTHER_KEY).await;
    assert_eq!(pin.code, Some(1));
    let pinned = github.run_as_app("pin", APP_KEY).await;
    assert_eq!(pinned.code, Some(0), "{}", pinned.stderr);
}
