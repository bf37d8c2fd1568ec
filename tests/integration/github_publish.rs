//! The publishing side of the GitHub client, against the simulator over HTTP with injected faults.

use std::collections::BTreeSet;

use countersign::adapters::github::client::{GithubClient, GivenSettings};
use countersign::ident::{Login, RepositoryName};
use countersign::ports::{Publisher as _, PublisherError, Spot};
use countersign::request::published::{
    Check, CheckStatus, Conclusion, Deployment, DeploymentState, DeploymentStatus, Reviewer,
};
use serde_json::json;

use crate::gate_world::GateWorld;
use crate::github_world::{Fault, Hosted};
use crate::specimen::{at, pending, pull_request, revision};

struct Scene {
    world: GateWorld,
    hosted: Hosted,
    client: GithubClient,
}

async fn scene() -> Scene {
    let world = GateWorld::new("production");
    let hosted = Hosted::new(&world.host, &world.clock).await;
    let client = hosted.client();
    Scene { world, hosted, client }
}

fn repository() -> RepositoryName {
    RepositoryName::new("acme/checkout").expect("a repository")
}

fn check(status: CheckStatus) -> Check {
    Check {
        name: "countersign / checkout / production".into(),
        head: revision('a'),
        request: pending("one", 0).id,
        status,
        started_at: at(0),
        title: "waits".into(),
        summary: "**waits**".into(),
        text: "ä".repeat(32_000),
        can_reevaluate: status == CheckStatus::InProgress,
    }
}

fn deployment() -> Deployment {
    Deployment {
        request: pending("one", 0).id,
        service: "checkout".parse().expect("a service"),
        environment: "production".parse().expect("an environment"),
        revision: revision('a'),
        production: true,
        description: "checkout v2".into(),
    }
}

fn reviewers(names: &[&str]) -> Vec<Reviewer> {
    names.iter().map(|name| name.parse().expect("a reviewer")).collect()
}

impl Scene {
    fn requested(&self) -> BTreeSet<String> {
        let world = self.world.host.world();
        let pull = world.pull(&pull_request("acme/checkout#1")).expect("a pull request");
        let people = pull.requested_reviewers.iter().filter_map(|id| world.accounts.get(id));
        people.map(|account| account.login.to_string()).collect()
    }
}

#[tokio::test]
async fn a_check_is_created_updated_and_completed_with_one_call_each() {
    let Scene { world, hosted, client } = scene().await;
    let made = client.put_check(&repository(), &check(CheckStatus::InProgress), Spot::New).await.expect("created");
    let run = world.host.world().checks[&made].clone();
    assert_eq!((run.status.as_str(), run.actions.len()), ("in_progress", 1));
    assert_eq!(run.external_id, pending("one", 0).id.to_string());
    hosted.take_seen();
    let done = check(CheckStatus::Completed(Conclusion::TimedOut));
    assert_eq!(client.put_check(&repository(), &done, Spot::At(made)).await, Ok(made));
    let run = world.host.world().checks[&made].clone();
    assert_eq!((run.status.as_str(), run.conclusion.as_deref()), ("completed", Some("timed_out")));
    assert_eq!(run.actions, []);
    assert_eq!(hosted.take_seen(), [format!("PATCH /repos/acme/checkout/check-runs/{made}")]);
    // It can be opened again.
    client.put_check(&repository(), &check(CheckStatus::InProgress), Spot::At(made)).await.expect("changed");
    assert_eq!(world.host.world().checks[&made].conclusion, None);
}

#[tokio::test]
async fn what_was_created_is_found_and_not_created_again_if_its_answer_was_lost() {
    let Scene { world, hosted, client } = scene().await;
    let at = pull_request("acme/checkout#1");
    hosted.fault("POST /repos/acme/checkout/check-runs", 1, Fault::LostAnswer);
    hosted.fault("POST /repos/acme/checkout/issues/1/comments", 1, Fault::LostAnswer);
    hosted.fault("POST /repos/acme/checkout/deployments", 1, Fault::LostAnswer);
    let waits = check(CheckStatus::InProgress);
    let lost = client.put_check(&repository(), &waits, Spot::New).await;
    assert!(matches!(lost, Err(PublisherError::Unavailable { .. })), "{lost:?}");
    let lost = client.put_comment(&at, "<!-- ours -->\none", Spot::New).await;
    assert!(matches!(lost, Err(PublisherError::Unavailable { .. })), "{lost:?}");
    let lost = client.put_deployment(&repository(), &deployment(), Spot::New).await;
    assert!(matches!(lost, Err(PublisherError::Unavailable { .. })), "{lost:?}");
    // Each was sent once.
    assert_eq!(hosted.take_seen().iter().filter(|line| line.starts_with("POST /repos")).count(), 3);

    client.put_check(&repository(), &waits, Spot::Unsure).await.expect("found");
    client.put_comment(&at, "<!-- ours -->\ntwo", Spot::Unsure).await.expect("found");
    client.put_deployment(&repository(), &deployment(), Spot::Unsure).await.expect("found");
    let github = world.host.world();
    assert_eq!((github.checks.len(), github.comments.len(), github.deployments.len()), (1, 1, 1));
    assert_eq!(github.comments.values().next().expect("a comment").body, "<!-- ours -->\ntwo");
    assert_eq!(hosted.take_seen().iter().filter(|line| line.starts_with("POST")).count(), 0);
}

#[tokio::test]
async fn what_was_begun_and_never_created_is_created() {
    let Scene { world, hosted: _hosted, client } = scene().await;
    let at = pull_request("acme/checkout#1");
    client.put_check(&repository(), &check(CheckStatus::Queued), Spot::Unsure).await.expect("created");
    client.put_comment(&at, "<!-- ours -->", Spot::Unsure).await.expect("created");
    client.put_deployment(&repository(), &deployment(), Spot::Unsure).await.expect("created");
    let github = world.host.world();
    assert_eq!((github.checks.len(), github.comments.len(), github.deployments.len()), (1, 1, 1));
}

#[tokio::test]
async fn a_comment_of_somebody_else_with_our_marker_is_left_alone() {
    let Scene { world, hosted: _hosted, client } = scene().await;
    let at = pull_request("acme/checkout#1");
    let pia = Login::new("pia").expect("a login");
    let planted =
        world.host.change(|change| change.comment(&pia, &at, "<!-- ours -->\nall approved")).expect("planted");
    let ours = client.put_comment(&at, "<!-- ours -->\nnothing yet", Spot::Unsure).await.expect("created");
    assert_ne!(ours, planted);
    assert_eq!(world.host.world().comments[&planted].body, "<!-- ours -->\nall approved");
}

#[tokio::test]
async fn a_deleted_comment_is_gone_and_invalid_content_is_refused() {
    let Scene { world, hosted, client } = scene().await;
    let at = pull_request("acme/checkout#1");
    let id = client.put_comment(&at, "<!-- ours -->", Spot::New).await.expect("created");
    world.host.change(|change| change.delete_comment(&repository(), id)).expect("deleted");
    let gone = client.put_comment(&at, "<!-- ours -->", Spot::At(id)).await;
    assert!(matches!(gone, Err(PublisherError::Gone { .. })), "{gone:?}");
    let long = Check { summary: "ß".repeat(40_000), ..check(CheckStatus::InProgress) };
    let refused = client.put_check(&repository(), &long, Spot::New).await;
    assert!(matches!(&refused, Err(PublisherError::Refused { detail }) if detail.contains("bytesize")), "{refused:?}");
    // Only Apps create check runs: with a personal token they are refused, and comments work.
    let token = hosted.client_by(GivenSettings { token: Some("standin_pia"), ..GivenSettings::default() });
    let refused = token.put_check(&repository(), &check(CheckStatus::InProgress), Spot::New).await;
    assert!(matches!(refused, Err(PublisherError::Refused { .. })), "{refused:?}");
    token.put_comment(&at, "<!-- ours -->\nby pia", Spot::Unsure).await.expect("created");
    let again = token.put_comment(&at, "<!-- ours -->\nby pia again", Spot::Unsure).await.expect("found");
    assert_eq!(world.host.world().comments[&again].body, "<!-- ours -->\nby pia again");
    assert_eq!(world.host.world().comments.len(), 1);
}

#[tokio::test]
async fn a_reviewer_who_cannot_be_requested_does_not_affect_the_others() {
    let scene = scene().await;
    let at = pull_request("acme/checkout#1");
    scene.client.request_reviews(&at, &reviewers(&["pia", "pat"])).await.expect("requested");
    assert_eq!(scene.hosted.count("POST /repos/acme/checkout/pulls/1/requested_reviewers"), 1);
    assert_eq!(scene.requested(), BTreeSet::from(["pia".into(), "pat".into()]));

    let scene = self::scene().await;
    // The author, somebody unknown, and a team that is not there.
    scene.client.request_reviews(&at, &reviewers(&["dave", "nobody", "acme/none", "pat"])).await.expect("requested");
    assert_eq!(scene.requested(), BTreeSet::from(["pat".into()]));
    let context = scene.client.context(&at).await.expect("a context");
    assert_eq!((context.public, context.requested), (false, reviewers(&["pat"]).into_iter().collect()));
}

#[tokio::test]
async fn a_deployment_is_created_while_our_own_check_waits_and_gets_its_states() {
    let Scene { world, hosted, client } = scene().await;
    client.put_check(&repository(), &check(CheckStatus::InProgress), Spot::New).await.expect("created");
    let id = client.put_deployment(&repository(), &deployment(), Spot::New).await.expect("created");
    for state in [DeploymentState::Pending, DeploymentState::InProgress, DeploymentState::Success] {
        let status = DeploymentStatus { state, description: "ä".repeat(140) };
        client.set_deployment(&repository(), id, &status).await.expect("set");
    }
    let made = world.host.world().deployments[&id].clone();
    let states: Vec<&str> = made.statuses.iter().map(|status| status.state.as_str()).collect();
    assert_eq!(states, ["pending", "in_progress", "success"]);
    assert_eq!((made.task.as_str(), made.production, made.transient), ("deploy", true, false));
    assert_eq!(made.payload, json!({ "request_id": pending("one", 0).id, "service": "checkout" }));
    hosted.fault("/statuses", 9, Fault::Answer(502, Vec::new(), json!({})));
    let status = DeploymentStatus { state: DeploymentState::Failure, description: String::new() };
    let unanswered = client.set_deployment(&repository(), id, &status).await;
    assert!(matches!(unanswered, Err(PublisherError::Unavailable { .. })), "{unanswered:?}");
    assert_eq!(hosted.count("statuses"), 4, "a call that creates something is not sent again");
}
