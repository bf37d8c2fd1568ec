//! Every call that the client makes, through GitHub's own description.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use countersign::adapters::embedded::clock::MovableClock;
use countersign::adapters::embedded::simulator::GithubSimulator;
use countersign::adapters::github::admin::ReadAs;
use countersign::adapters::github::client::{GithubClient, GithubSettings, GivenSettings};
use countersign::adapters::github::conversion::convert as convert_code;
use countersign::ident::{PullRequestRef, TeamSlug, UserId};
use countersign::ports::{
    CodeHost, Needs, ProtectedRun, Protection, ProtectionComment, ProtectionDesk as _, Publisher as _, Spot,
};
use countersign::request::CallbackOutcome;
use countersign::request::published::{
    Check, CheckStatus, Conclusion, Deployment, DeploymentState, DeploymentStatus, Reviewer,
};
use serde_json::{Value, json};

use super::caller::Caller;
use super::organization::{COMMITS, FILES, checkout, clock, login, pull, sha, simulator};
use super::prism::Inspected;
use crate::github_exchanges::serve;
use crate::github_world::APP_KEY;
use crate::specimen::{at, pending};

const PATIENCE: Duration = Duration::from_secs(120);

pub(super) fn client(given: GivenSettings<'_>) -> GithubClient {
    let settings = GithubSettings::read(given).unwrap_or_else(|error| panic!("{error}"));
    // A proxy that reads a description is slower than GitHub, the more so on a machine that has other work.
    GithubClient::new(settings, Arc::new(MovableClock::real())).expect("a client").within(PATIENCE)
}

/// Reads everything that the client can read.
async fn read_everything(github: &GithubClient) {
    let read = async |at: &PullRequestRef, needs: &Needs| github.read(at, needs).await.expect("a pull request");
    for number in 1..=4 {
        read(&pull(number), &Needs::everything()).await;
        read(&pull(number), &Needs::default()).await;
        github.forget();
    }
    let whole = read(&pull(1), &Needs::everything()).await.pull_request;
    assert_eq!((whole.files.len(), whole.commits.len()), (FILES, COMMITS));
    assert!(whole.files_complete && whole.commits_complete && whole.pushers_complete);
    let teams = [("acme/payments", Some(2)), ("acme/everyone", Some(120)), ("acme/nobodys", None)];
    let teams = teams.map(|(team, members)| (TeamSlug::new(team).expect("a team"), members));
    let slugs = teams.iter().map(|(team, _)| team.clone()).collect();
    let found = read(&pull(1), &Needs { teams: slugs, ..Needs::default() }).await.teams;
    for (team, members) in teams {
        assert_eq!(found.get(&team).map(Vec::len), members, "{team}");
    }
    for commit in [COMMITS, 3000] {
        assert_eq!(github.pull_requests_of(&checkout(), &sha(commit)).await.expect("an answer").len(), 1);
    }
    assert!(github.read(&pull(99), &Needs::everything()).await.is_err());
}

fn check(status: CheckStatus) -> Check {
    Check {
        name: "countersign / checkout / production".into(),
        head: sha(COMMITS),
        request: pending("one", 0).id,
        status,
        started_at: at(0),
        title: "waits".into(),
        summary: "**waits**".into(),
        text: "for pia".into(),
        can_reevaluate: status == CheckStatus::InProgress,
    }
}

/// Publishes checks in every state, which only an App may do.
async fn publish_checks(github: &GithubClient) {
    let put = async |status, spot| github.put_check(&checkout(), &check(status), spot).await.expect("a check");
    let made = put(CheckStatus::Queued, Spot::Unsure).await;
    assert_eq!(put(CheckStatus::InProgress, Spot::Unsure).await, made);
    use Conclusion::{Cancelled, Failure, Neutral, Success, TimedOut};
    for conclusion in [Success, Failure, Neutral, Cancelled, TimedOut] {
        put(CheckStatus::Completed(conclusion), Spot::At(made)).await;
        assert_ne!(put(CheckStatus::Completed(conclusion), Spot::New).await, made);
    }
}

/// Publishes everything else, in every way.
async fn publish_the_rest(github: &GithubClient) {
    let at = pull(1);
    assert!(!github.context(&at).await.expect("a pull request").public);
    let comment = async |spot| github.put_comment(&at, "<!-- ours -->\nwaits", spot).await.expect("a comment");
    let made = comment(Spot::New).await;
    assert_eq!((comment(Spot::Unsure).await, comment(Spot::At(made)).await), (made, made));
    let reviewers: [Reviewer; 3] = ["pia", "dave", "acme/payments-core"].map(|who| who.parse().expect("a reviewer"));
    github.request_reviews(&at, &reviewers).await.expect("reviews are requested");
    assert_eq!(github.context(&at).await.expect("a pull request").requested.len(), 2);

    let deployment = Deployment {
        request: pending("one", 0).id,
        service: "checkout".parse().expect("a service"),
        environment: "production".parse().expect("an environment"),
        revision: sha(COMMITS),
        production: true,
        description: "checkout v2".into(),
    };
    let deploy = async |spot| github.put_deployment(&checkout(), &deployment, spot).await.expect("a deployment");
    let made = deploy(Spot::New).await;
    assert_eq!(deploy(Spot::Unsure).await, made);
    use DeploymentState::{Failure, InProgress, Inactive, Pending, Queued, Success};
    for state in [Pending, Queued, InProgress, Success, Failure, Inactive] {
        let status = DeploymentStatus { state, description: "so".into() };
        github.set_deployment(&checkout(), made, &status).await.expect("a status");
    }
}

/// Answers a deployment of GitHub Actions in every way.
async fn answer_deployments(host: &GithubSimulator, github: &GithubClient) {
    let answers = [
        (Protection::Waits, CallbackOutcome::Taken),
        (Protection::Approved, CallbackOutcome::Taken),
        (Protection::Rejected, CallbackOutcome::TokenOver),
    ];
    let new = serde_json::from_value(json!({ "by": "dave", "environment": "production", "sha": sha(COMMITS) }));
    let new = new.expect("a run to make");
    let run_id = host.change(|change| change.deploy_from_actions(&checkout(), &new)).expect("a run");
    let run = ProtectedRun { repository: checkout(), run_id, environment: "production".to_owned() };
    for (protection, expected) in answers {
        assert_eq!(
            github.answer(&run, protection, &ProtectionComment::new("so")).await,
            Ok(expected),
            "{protection:?}"
        );
    }
}

#[tokio::test]
#[ignore = "needs Node and packages from npm: scripts/test-github"]
async fn every_call_of_the_client_with_a_token_is_one_that_github_describes() {
    let github = Inspected::new(simulator().router()).await;
    let base_url = Some(github.address.as_str());
    let client = client(GivenSettings { base_url, token: Some("standin_dave"), ..GivenSettings::default() });
    read_everything(&client).await;
    let by = ReadAs::token();
    let dave = client.account(&login("Dave"), &by).await.expect("an answer").expect("dave");
    assert_eq!(client.account_of(dave.id, &by).await.expect("an answer"), Some(dave));
    assert!(client.account(&login("renovate[bot]"), &by).await.expect("an answer").is_some());
    assert_eq!(client.account(&login("nobody"), &by).await.expect("an answer"), None);
    assert_eq!(client.account_of(UserId(999_999), &by).await.expect("an answer"), None);
    let team = TeamSlug::new("acme/payments").expect("a team");
    assert_eq!(client.team(&team, &by).await.expect("an answer").map(|team| team.members_count), Some(2));
    publish_the_rest(&client).await;
    let faults = github.faults().await;
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[tokio::test]
#[ignore = "needs Node and packages from npm: scripts/test-github"]
async fn every_call_of_the_client_as_an_app_is_one_that_github_describes() {
    let host = simulator();
    host.change(|change| change.set_hook("http://127.0.0.1:9/", "a secret of many letters")).expect("a hook");
    let sender = host.start_deliveries();
    host.drained().await;
    let github = Inspected::new(host.router()).await;
    let base_url = Some(github.address.as_str());
    let app = GivenSettings { base_url, app_id: Some("1"), private_key: Some(APP_KEY), ..GivenSettings::default() };
    // The App's own token is of the simulator's time.
    let client =
        GithubClient::new(GithubSettings::read(app).expect("settings"), clock()).expect("a client").within(PATIENCE);
    read_everything(&client).await;
    assert_eq!(client.app().await.expect("the App").slug, "countersign");
    let installations = client.installations().await.expect("installations");
    let by = ReadAs::installation_for(&installations[0].account);
    assert!(client.account(&login("pia"), &by).await.expect("an answer").is_some());
    assert!(client.installation_of(&checkout()).await.expect("an answer").is_some());
    assert!(client.hook_config().await.expect("a webhook").url.is_some());
    let attempts = client.newest_attempts().await.expect("deliveries");
    client.send_again(attempts[0].id).await.expect("another attempt");
    publish_checks(&client).await;
    publish_the_rest(&client).await;
    answer_deployments(&host, &client).await;
    sender.abort();
    let faults = github.faults().await;
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    assert!(github.passed().await.iter().any(|passed| passed.path.ends_with("/access_tokens")));
}

#[tokio::test]
#[ignore = "needs Node and packages from npm: scripts/test-github"]
async fn the_code_of_a_manifest_is_handed_in_as_github_describes_it() {
    let served = serve(simulator().router()).await;
    let owner = Caller::new(&served.address, "dave").call("GET", "/users/acme", &Value::Null).await.body;
    let convert = move || {
        std::future::ready((
            StatusCode::CREATED,
            Json(json!({
                "id": 12345, "node_id": "A_1", "slug": "countersign", "name": "countersign", "description": null,
                "owner": owner, "external_url": "https://github.com/countersign/countersign",
                "html_url": "https://github.com/apps/countersign", "permissions": {"metadata": "read"}, "events": [],
                "created_at": "2026-11-18T10:00:00Z", "updated_at": "2026-11-18T10:00:00Z",
                "client_id": "Iv1.x", "client_secret": "x", "webhook_secret": "of GitHub's making", "pem": "a key",
            })),
        ))
    };
    let github = Inspected::new(Router::new().route("/app-manifests/{code}/conversions", post(convert))).await;
    let app = convert_code(&github.address, "c0de").await.expect("an App");
    let secret = app.webhook_secret.as_ref().map(|secret| secret.expose().as_str());
    assert_eq!((app.id, secret), (12345, Some("of GitHub's making")));
    assert_eq!(github.faults().await, Vec::<String>::new());
    assert_eq!(github.passed().await.len(), 1);
}
