//! What approvers see on GitHub during a request's life, end to end: checks, the comment, review requests and deployments.

use std::path::Path;
use std::sync::Arc;

use countersign::adapters::embedded::simulator::change::{ReviewEvent, Reviewers};
use countersign::adapters::embedded::simulator::published::{CheckRun, Comment, Deployment};
use countersign::adapters::embedded::simulator::world::World;
use countersign::app;
use countersign::ident::{Login, PullRequestRef};
use countersign::ports::SettleClaim;
use countersign::request::record::{Entry, RecordKind};
use hyper::Method;
use serde_json::json;

use crate::gate_world::GateWorld;
use crate::gate_world::fuse::Fuse;
use crate::local_gate::{Acme, commit, open_pull_request};

/// A gate of its own, a pull request by dave, and an execution of it that waits for production.
async fn waiting(folder: &Path) -> (Acme, u64) {
    let acme = Acme::with_people(folder).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    assert_eq!(acme.start("a", "production", pull).await["status"], "RUNNING");
    (acme, pull)
}

fn world(acme: &Acme) -> Arc<World> {
    acme.local.github.world()
}

fn checks(acme: &Acme) -> Vec<CheckRun> {
    world(acme).checks.values().map(|run| CheckRun::clone(run)).collect()
}

fn check(acme: &Acme) -> CheckRun {
    let checks = checks(acme);
    let [check] = checks.as_slice() else { panic!("{checks:?}") };
    check.clone()
}

fn comment(acme: &Acme) -> Comment {
    let world = world(acme);
    let comments: Vec<&Arc<Comment>> = world.comments.values().collect();
    let [comment] = comments.as_slice() else { panic!("{comments:?}") };
    Comment::clone(comment)
}

fn deployment(acme: &Acme) -> Deployment {
    let world = world(acme);
    let deployments: Vec<&Arc<Deployment>> = world.deployments.values().collect();
    let [deployment] = deployments.as_slice() else { panic!("{deployments:?}") };
    Deployment::clone(deployment)
}

fn states(acme: &Acme) -> Vec<String> {
    deployment(acme).statuses.into_iter().map(|status| status.state).collect()
}

fn text(check: &CheckRun) -> &str {
    check.output.text.as_deref().unwrap_or_default()
}

fn title(check: &CheckRun) -> &str {
    check.output.title.as_deref().unwrap_or_default()
}

fn requested_reviewers(acme: &Acme, pull: u64) -> Vec<String> {
    let world = world(acme);
    let at = PullRequestRef::new(&format!("acme/checkout#{pull}")).expect("a pull request");
    let pull = world.pull(&at).expect("it is there");
    let people = pull.requested_reviewers.iter().filter_map(|id| world.accounts.get(id));
    let teams = pull.requested_teams.iter().map(ToString::to_string);
    people.map(|account| account.login.to_string()).chain(teams).collect()
}

async fn available(acme: &Acme, available: bool) {
    let body = json!({ "unavailable": !available });
    acme.github.send(Method::PATCH, "/_standin/host", None, Some(&body)).await.expect("it is set");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_request_is_published_as_a_check_a_comment_a_review_request_and_a_deployment() {
    let folder = tempfile::tempdir().expect("a folder");
    let (acme, pull) = waiting(folder.path()).await;
    let check = check(&acme);
    assert_eq!((check.name.as_str(), check.status.as_str()), ("countersign / checkout / production", "in_progress"));
    assert_eq!(check.head_sha.as_str(), commit(2));
    assert_eq!(check.external_id, acme.request_of("a").await["id"]);
    assert_eq!(title(&check), "waits for approval: 0 of 2 payments");
    assert_eq!(check.actions.len(), 1);
    let comment = comment(&acme);
    assert!(
        comment.body.starts_with("<!-- countersign-requests -->\n") && comment.body.contains("checkout:production")
    );
    assert_eq!(requested_reviewers(&acme, pull), ["acme/payments"]);
    let deployment = deployment(&acme);
    assert_eq!((deployment.sha.as_str(), deployment.environment.as_str()), (commit(2).as_str(), "production"));
    assert!(deployment.production && states(&acme) == ["pending"]);
    acme.close().await;
}

/// Another pull request of a branch, into another base.
async fn opened_into(acme: &Acme, branch: &str, base: &str) -> u64 {
    crate::local_gate::push(&acme.github, base, &commit(9)).await;
    let body = json!({ "title": "the same into another base", "head": branch, "base": base });
    let path = "/repos/acme/checkout/pulls";
    let opened = acme.github.send(Method::POST, path, Some("standin_dave"), Some(&body)).await;
    opened.expect("a pull request")["number"].as_u64().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_check_of_a_commit_with_two_pull_requests_reports_the_youngest_request_that_still_waits() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = crate::local_gate::POLICY
        .replace("repository: acme/checkout", "repository: acme/checkout\n    branches: [\"*\"]");
    let acme = Acme::under(folder.path(), &text).await;
    let first = open_pull_request(&acme.github, "feature", &commit(2)).await;
    assert_eq!(acme.start("a", "canary", first).await["status"], "RUNNING");
    let second = opened_into(&acme, "feature", "release").await;
    assert_eq!(acme.start("b", "canary", second).await["status"], "RUNNING");
    let reports = async |name: &str, status: &str| {
        let check = check(&acme);
        assert_eq!(check.external_id, acme.request_of(name).await["id"], "{}", title(&check));
        assert_eq!(check.status, status);
    };
    reports("b", "in_progress").await;
    acme.review("pia", second, "APPROVE").await;
    assert_eq!(acme.execution("b").await["status"], "SUCCEEDED");
    reports("a", "in_progress").await;
    // Neither the sweep nor the next request of the first pull request turns it back.
    acme.pass("15m").await;
    reports("a", "in_progress").await;
    acme.review("pia", first, "APPROVE").await;
    assert_eq!(acme.execution("a").await["status"], "SUCCEEDED");
    acme.pass("15m").await;
    reports("b", "completed").await;
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_webhook_of_a_review_publishes_why_it_does_not_count() {
    let folder = tempfile::tempdir().expect("a folder");
    let (acme, pull) = waiting(folder.path()).await;
    crate::local_gate::review(&acme.github, "dave", pull, "APPROVE").await;
    acme.local.github.drained().await;
    assert!(text(&check(&acme)).contains("| dave | approved | does not count | dave opened the pull request |"));
    crate::local_gate::review(&acme.github, "zoe", pull, "APPROVE").await;
    acme.local.github.drained().await;
    assert!(
        text(&check(&acme))
            .contains("| zoe | approved | does not count | zoe is not an approver for checkout:production |")
    );
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_if_nothing_changed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (acme, pull) = waiting(folder.path()).await;
    let before = (check(&acme).writes, comment(&acme).writes, deployment(&acme).statuses.len());
    assert_eq!(before, (1, 1, 1));
    // Labels are delivered, and the sweep reads everything again, several times.
    let path = format!("/repos/acme/checkout/issues/{pull}/labels");
    acme.github.send(Method::POST, &path, Some("standin_dave"), Some(&json!(["hotfix"]))).await.expect("a label");
    acme.settle().await;
    for _ in 0..3 {
        acme.pass("11m").await;
    }
    assert_eq!((check(&acme).writes, comment(&acme).writes, deployment(&acme).statuses.len()), before);
    // One approval: the check, and the comment, which has the count.
    acme.review("pia", pull, "APPROVE").await;
    assert_eq!((check(&acme).writes, comment(&acme).writes, deployment(&acme).statuses.len()), (2, 2, 1));
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_published_as_such() {
    let folder = tempfile::tempdir().expect("a folder");
    let (acme, pull) = waiting(folder.path()).await;
    acme.review("pia", pull, "APPROVE").await;
    acme.review("pat", pull, "APPROVE").await;
    assert_eq!(acme.execution("a").await["status"], "SUCCEEDED");
    let check = check(&acme);
    assert_eq!((check.conclusion.as_deref(), title(&check)), (Some("success"), "approved by pia, pat"));
    assert_eq!(check.actions, []);
    // The first approval is published, and the second together with the release.
    assert_eq!((check.writes, states(&acme)), (3, vec!["pending".to_owned(), "success".to_owned()]));
    assert!(comment(&acme).body.contains("✅ released"));
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_completes_the_check_of_the_old_head_and_the_next_request_has_one_on_the_new() {
    let folder = tempfile::tempdir().expect("a folder");
    let (acme, pull) = waiting(folder.path()).await;
    acme.review("pia", pull, "APPROVE").await;
    acme.push("feature", &commit(3)).await;
    let old = check(&acme);
    assert_eq!((old.head_sha.as_str(), old.conclusion.as_deref()), (commit(2).as_str(), Some("cancelled")));
    assert!(title(&old).starts_with("superseded: the head is now 0303030"));
    assert_eq!(states(&acme), ["pending", "inactive"]);
    acme.start("b", "production", pull).await;
    let both = checks(&acme);
    let [old, new] = both.as_slice() else { panic!("{both:?}") };
    assert_eq!(old.conclusion.as_deref(), Some("cancelled"));
    assert_eq!((new.head_sha.as_str(), new.status.as_str()), (commit(3).as_str(), "in_progress"));
    assert!(text(new).contains("| pia | approved | does not count | was given on 0202020, but the head is 0303030 |"));
    // Her review answered for the team, whose review is requested again on the new head.
    assert_eq!(requested_reviewers(&acme, pull), ["acme/payments"]);
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reviewer_who_was_removed_is_not_requested_again_not_even_on_another_head() {
    let folder = tempfile::tempdir().expect("a folder");
    let (acme, pull) = waiting(folder.path()).await;
    let at = PullRequestRef::new(&format!("acme/checkout#{pull}")).expect("a pull request");
    let team = Reviewers { reviewers: Vec::new(), team_reviewers: vec!["payments".into()] };
    let dave = Login::new("dave").expect("a login");
    acme.local.github.change(|change| change.unrequest_reviews(&dave, &at, &team)).expect("removed");
    acme.settle().await;
    acme.review("zoe", pull, "COMMENT").await;
    assert_eq!(requested_reviewers(&acme, pull), [""; 0]);
    acme.push("feature", &commit(3)).await;
    acme.start("b", "production", pull).await;
    assert_eq!(requested_reviewers(&acme, pull), [""; 0]);
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_published_delays_no_decision_and_is_published_by_the_sweep() {
    let folder = tempfile::tempdir().expect("a folder");
    let (acme, _) = waiting(folder.path()).await;
    // Four hours pass at once, while GitHub does not answer at all: the deadline is kept without it.
    available(&acme, false).await;
    acme.pass("4h").await;
    let open = check(&acme);
    assert_eq!(open.status, "in_progress");
    available(&acme, true).await;
    acme.pass("2m").await;
    acme.pass("2m").await;
    assert_eq!(acme.execution("a").await["error"], "Countersign.Expired");
    let check = check(&acme);
    assert_eq!((check.conclusion.as_deref(), check.id), (Some("timed_out"), open.id));
    assert_eq!(states(&acme), ["pending", "failure"]);
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_execution_is_published_as_canceled() {
    let folder = tempfile::tempdir().expect("a folder");
    let (acme, _) = waiting(folder.path()).await;
    acme.gate.post("/executions/a/stop", &json!({})).await.expect("stopped");
    let check = check(&acme);
    assert_eq!(check.conclusion.as_deref(), Some("cancelled"));
    assert_eq!(title(&check), "canceled: the execution that requested it has ended");
    assert_eq!(states(&acme), ["pending", "inactive"]);
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_button_makes_the_gate_read_the_facts_again_and_send_the_check_even_if_unchanged() {
    let folder = tempfile::tempdir().expect("a folder");
    let (acme, pull) = waiting(folder.path()).await;
    // A team gains a member, for which a pull request has no webhook. zoe's approval counts from then on.
    acme.review("zoe", pull, "APPROVE").await;
    assert_eq!(title(&check(&acme)), "waits for approval: 0 of 2 payments");
    let members = ["dave", "pia", "pat", "zoe"].map(|login| json!({ "login": login }));
    let team = json!({ "members": members });
    acme.github.send(Method::PATCH, "/_standin/teams/acme/payments", None, Some(&team)).await.expect("a member");
    let id = check(&acme).id;
    let press = json!({ "by": "dave", "identifier": "re-evaluate" });
    acme.github.post(&format!("/_standin/repos/acme/checkout/check-runs/{id}/buttons"), &press).await.expect("pressed");
    acme.local.github.drained().await;
    assert_eq!(title(&check(&acme)), "waits for approval: 1 of 2 payments");
    // GitHub is asked to run the check again: it is sent even though nothing is new.
    let writes = check(&acme).writes;
    let path = format!("/repos/acme/checkout/check-runs/{id}/rerequest");
    acme.github.send(Method::POST, &path, Some("standin_dave"), None).await.expect("rerun");
    acme.local.github.drained().await;
    assert_eq!(check(&acme).writes, writes + 1);
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_comment_is_written_if_nobody_had_to_be_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::with_people(folder.path()).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.review("pia", pull, "APPROVE").await;
    assert_eq!(acme.start("a", "canary", pull).await["status"], "SUCCEEDED");
    assert_eq!(check(&acme).conclusion.as_deref(), Some("success"));
    assert!(world(&acme).comments.is_empty());
    assert_eq!(states(&acme).last().map(String::as_str), Some("success"));
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_pull_request_shows_who_may_approve_by_group() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::with_people(folder.path()).await;
    let public = json!({ "public": true });
    acme.github.send(Method::PATCH, "/_standin/repos/acme/checkout", None, Some(&public)).await.expect("public");
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.start("a", "production", pull).await;
    let check = check(&acme);
    let text = format!("{:?}{}", check.output, comment(&acme).body);
    assert!(!text.contains("pia") && !text.contains("pat"), "{text}");
    assert!(text.contains("from <code>payments</code>"), "{text}");
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_requests_for_one_target_share_its_check_which_reports_the_one_that_still_waits() {
    let folder = tempfile::tempdir().expect("a folder");
    let (acme, pull) = waiting(folder.path()).await;
    acme.start("b", "production", pull).await;
    assert_eq!(check(&acme).external_id, acme.request_of("b").await["id"]);
    acme.gate.post("/executions/b/stop", &json!({})).await.expect("stopped");
    let check = check(&acme);
    assert_eq!(check.external_id, acme.request_of("a").await["id"]);
    assert_eq!(check.status, "in_progress");
    assert_eq!(world(&acme).deployments.len(), 2);
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn simultaneous_deliveries_publish_each_check_and_comment_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::with_people(folder.path()).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    let input = |environment: &str| json!({ "service": "checkout", "environment": environment, "pullRequest": format!("acme/checkout#{pull}") });
    let starts = (0..6).map(|n| {
        let (gate, input) = (acme.gate.clone(), input(["production", "canary"][n % 2]));
        tokio::spawn(async move { gate.post(&format!("/executions?name=e{n}"), &input).await })
    });
    for start in starts.collect::<Vec<_>>() {
        start.await.expect("a task").expect("it starts");
    }
    acme.settle().await;
    for _ in 0..3 {
        acme.pass("2m").await;
    }
    assert_eq!(checks(&acme).len(), 2);
    comment(&acme);
    assert_eq!(world(&acme).deployments.len(), 6);
    acme.close().await;
}

/// More targets than one round may write.
const MANY: usize = 30;

#[tokio::test(flavor = "multi_thread")]
async fn many_requests_on_one_pull_request_are_published_in_several_rounds() {
    let folder = tempfile::tempdir().expect("a folder");
    let rules = "version: 1\ngroups: { payments: { teams: [acme/payments] } }\nservices:\n  \
                \"svc-*\": { repository: acme/checkout, environments: { qa: { require: 1 of payments, timeout: 4h } } }\n";
    let acme = Acme::under(folder.path(), rules).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    for n in 0..MANY {
        let input = json!({ "service": format!("svc-{n}"), "environment": "qa", "pullRequest": format!("acme/checkout#{pull}") });
        acme.gate.post(&format!("/executions?name=e{n}"), &input).await.expect("it starts");
    }
    acme.settle().await;
    acme.pass("2m").await;
    assert_eq!(checks(&acme).len(), MANY);
    let written = |acme: &Acme| checks(acme).iter().map(|run| run.writes).sum::<u64>();
    let before = written(&acme);
    // A review changes all of them: the webhook writes at most 20, and the sweep the rest.
    crate::local_gate::review(&acme.github, "zoe", pull, "APPROVE").await;
    acme.local.github.drained().await;
    let by_webhook = written(&acme) - before;
    assert!((1..=20).contains(&by_webhook), "{by_webhook}");
    acme.pass("2m").await;
    acme.pass("2m").await;
    assert!(checks(&acme).iter().all(|run| text(run).contains("| zoe |")));
    assert_eq!(written(&acme) - before, u64::try_from(MANY).expect("a number"));
    acme.close().await;
}

#[tokio::test]
async fn an_approval_is_published_by_the_check_before_release_or_else_by_the_sweep() {
    let world = GateWorld::new("production");
    let gate = world.gate(&Fuse::never());
    world.open(&gate, "token").await.expect("a request");
    let check = || {
        let github = world.host.world();
        github.checks.values().next().map(|run| (run.writes, run.status.clone())).expect("a check")
    };
    assert_eq!(check(), (1, "in_progress".to_owned()));
    // Nothing is new, and the pull request is due in ten minutes again.
    world.minutes_pass(2);
    app::sweep(&gate).await.expect("swept");
    assert_eq!(check().0, 1);
    for by in ["pia", "pat"] {
        world.review(by, ReviewEvent::Approve);
    }
    world.deliver(&gate, "reviews").await.expect("worked");
    assert_eq!(world.broker.taken().len(), 1, "the execution goes on");
    assert_eq!(check().0, 1);
    // The check before release never comes.
    world.minutes_pass(8);
    app::sweep(&gate).await.expect("swept");
    assert_eq!(check().0, 1);
    world.minutes_pass(3);
    app::sweep(&gate).await.expect("swept");
    assert_eq!(check().0, 2);
}

#[tokio::test]
async fn a_release_before_the_request_is_closed_is_published_as_such() {
    let world = GateWorld::new("production");
    let gate = world.gate(&Fuse::never());
    world.open(&gate, "token").await.expect("a request");
    for by in ["pia", "pat"] {
        world.review(by, ReviewEvent::Approve);
    }
    let request = world.request().await;
    let decision = app::inspect(&gate, &request).await.expect("facts").expect("a decision");
    let entry = Entry { kind: RecordKind::Claimed, at: decision.evaluated_at, decision: Some(decision), facts: None };
    SettleClaim::take(&world.store, &request, entry).await.expect("a claim");
    app::verify(&gate, &GateWorld::execution()).await.expect("released");
    let github = world.host.world();
    let states: Vec<&str> =
        github.deployments.values().flat_map(|made| &made.statuses).map(|status| status.state.as_str()).collect();
    assert_eq!(states, ["pending", "success"]);
    assert!(github.comments.values().any(|comment| comment.body.contains("✅ released")));
}
