//! `countersign pin`: writes ids into the policy's files, and changes nothing else.

use countersign::ident::Login;
use serde_json::json;

use crate::command_line::Countersign;
use crate::github_simulator::{POLICY, SimulatedGithub, login};

fn pinned() -> String {
    let users = "[dana#583231, \"Lee#102\", 'renovate[bot]#29139614']";
    POLICY.replace("[dana, \"Lee\", 'renovate[bot]']", users).replace("@dave", "@dave#103")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_login_gets_its_id_in_place_and_nothing_else_changes() {
    let github = SimulatedGithub::new().await;
    let ran = github.run("pin").await;
    let policy = github.policy.path().join("policy.yaml");
    let expected = format!(
        "`dana` is now pinned to 583231 (policy.yaml:6)\n`dave` is now pinned to 103 (policy.yaml:12)\n\
         `Lee` is now pinned to 102 (policy.yaml:6)\n`renovate[bot]` is now pinned to 29139614 (policy.yaml:6)\nwrote {}\n",
        policy.display()
    );
    assert_eq!((ran.code, ran.stdout, ran.stderr), (Some(0), expected, String::new()));
    assert_eq!(github.text(), pinned());
    let again = github.run("pin").await;
    assert_eq!((again.code, again.stdout.as_str()), (Some(0), "every login has its id\n"));
    assert_eq!(github.text(), pinned());
}

#[tokio::test(flavor = "multi_thread")]
async fn check_writes_nothing_and_lists_what_is_not_pinned() {
    let github = SimulatedGithub::new().await;
    let ran = github.run("pin --check --format json").await;
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert_eq!(ran.json()["pins"][1], json!({"login": "dave", "id": 103, "places": ["policy.yaml:12"]}));
    assert_eq!((ran.json()["written"].clone(), ran.json()["files"].clone()), (json!(false), json!([])));
    assert_eq!(github.text(), POLICY);
    assert_eq!(github.run("pin").await.code, Some(0));
    assert_eq!(github.run("pin --check").await.code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_if_a_login_has_no_account() {
    let github = SimulatedGithub::new().await;
    github.rewrite("\"Lee\"", "leee");
    let before = github.text();
    let ran = github.run("pin --format json").await;
    assert_eq!(ran.code, Some(1));
    let message = "no account is called `leee` (policy.yaml:6); nothing was written";
    assert_eq!(
        (&ran.json()["error"]["code"], &ran.json()["error"]["message"]),
        (&json!("no-such-account"), &json!(message))
    );
    assert_eq!(github.text(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pinned_account_with_a_new_login_is_reported_and_stays_pinned() {
    let github = SimulatedGithub::new().await;
    github.run("pin").await;
    let renamed = |from: &Login, to: &Login| github.host.change(|change| change.rename_account(from, to).map(drop));
    renamed(&login("dana"), &login("dana-m")).expect("dana is renamed");
    // Another account has the old login now. Only the id decides.
    renamed(&login("pia"), &login("dana")).expect("pia takes dana's login");
    let ran = github.run("pin --check").await;
    let expected = "`dana#583231` is called `dana-m` now; the id still decides (policy.yaml:6)\n";
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), expected));
    assert_eq!(github.run("pin").await.code, Some(0));
    assert_eq!(github.text(), pinned());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_if_github_does_not_answer() {
    let github = SimulatedGithub::new().await;
    let refused = github.run_as(Countersign::new("pin").env("GITHUB_TOKEN", "ghp_of-nobody")).await;
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("GitHub answered 401"), "{}", refused.stderr);
    assert!(!refused.stderr.contains("ghp_of-nobody"), "{}", refused.stderr);
    let nothing = github.run_as(Countersign::new("pin")).await;
    assert!(nothing.stderr.contains("there are no credentials for GitHub"), "{}", nothing.stderr);
    assert_eq!(github.text(), POLICY);
}
