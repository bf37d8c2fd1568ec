//! `countersign doctor`: what is well, what is not, and what to do about it.

use countersign::ident::TeamSlug;
use serde_json::{Value, json};

use crate::command_line::{Countersign, Ran};
use crate::github_town::{Town, login};

/// Outcome and text of every check of that kind.
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
async fn a_token_looks_at_the_teams_and_accounts_of_the_policy() {
    let town = Town::new().await;
    let ran = town.run("doctor --format json").await;
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(checks(&ran, "team"), [line("ok", "the team `acme/payments` can be read, and has 2 members")]);
    let accounts = checks(&ran, "account");
    assert_eq!(accounts.len(), 4);
    assert_eq!(
        accounts[0],
        line("warning", "`dana` is an account, and the policy does not pin its id (policy.yaml:6)")
    );
    assert_eq!(
        ran.json()["checks"][2]["hint"],
        json!("whoever takes the login over would count: `countersign pin` writes `dana#583231`")
    );
    town.run("pin").await;
    let pinned = checks(&town.run("doctor --format json").await, "account");
    assert!(pinned.iter().all(|(outcome, _)| outcome == "ok"), "{pinned:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_fails_with_its_place() {
    let town = Town::new().await;
    town.rewrite("dana,", "dana-nobody,");
    town.host
        .change(|change| change.delete_team(&TeamSlug::new("acme/payments").expect("a team")))
        .expect("the team goes");
    let ran = town.run("doctor").await;
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
async fn a_pinned_account_is_held_against_its_id() {
    let town = Town::new().await;
    town.run("pin").await;
    town.host
        .change(|change| {
            change.rename_account(&login("dana"), &login("dana-m"))?;
            change.delete_account(&login("lee"))
        })
        .expect("accounts change");
    let ran = town.run("doctor --format json").await;
    let accounts = checks(&ran, "account");
    assert!(accounts.contains(&line("failed", "no account has the id of `Lee#102` (policy.yaml:6)")), "{accounts:?}");
    let renamed = "`dana#583231` is called `dana-m` now (policy.yaml:6): the id decides, whatever the login is";
    assert!(accounts.contains(&line("warning", renamed)), "{accounts:?}");
    assert_eq!(ran.code, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_policy_is_told_as_by_every_command() {
    let town = Town::new().await;
    town.rewrite("version: 1", "version: 2");
    assert_eq!(town.run("doctor").await.code, Some(3));
    assert_eq!(town.run("pin").await.code, Some(3));
    let half = town.run_as(Countersign::new("doctor --app-id 1")).await;
    assert_eq!(half.code, Some(2), "{}", half.stderr);
}
