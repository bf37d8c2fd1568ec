//! Pull requests that are larger than GitHub lists.

use countersign::adapters::embedded::simulator::change::{Attribution, NewCommit, Push};
use countersign::adapters::embedded::simulator::world::FileChange;
use countersign::app::Settled;
use countersign::request::End;

use super::{Scene, review_text};
use crate::gate_world::login;
use crate::specimen::revision;

/// A request for the head that a push of these commits made.
async fn after_push(environment: &str, mut commits: Vec<NewCommit>) -> Scene {
    if let Some(last) = commits.last_mut() {
        last.sha = Some(revision('b'));
    }
    let push = Push { by: login("dave"), commits, force: false, rebind_reviews: false };
    let scene = Scene::ground().await;
    scene.a_minute_passes();
    scene.change(|change| change.push_to_pull(&scene.pull, &push));
    scene.open(environment, 'b').await
}

fn files(count: usize) -> Vec<NewCommit> {
    let file = |n| FileChange { path: format!("src/{n}"), previous_path: None, additions: 1, deletions: 0 };
    vec![NewCommit { files: (0..count).map(file).collect(), ..NewCommit::default() }]
}

#[tokio::test]
async fn three_thousand_files_are_all_read() {
    // With the file of the first commit.
    let scene = after_push("files", files(2999)).await.approved_by("pia").await;
    assert_eq!(scene.settle().await.expect("it is settled"), Settled::Ended(End::Approved), "none is below infra/");
    assert_eq!((scene.hosted.count("/graphql"), scene.hosted.count("/files")), (30, 0));
}

#[tokio::test]
async fn a_file_beyond_three_thousand_may_be_below_infra() {
    let scene = after_push("files", files(3000)).await.approved_by("pia").await;
    let decision = scene.decides_to_wait().await;
    assert_eq!(decision.unmet.len(), 1, "the approver of infra/ is still needed: {:?}", decision.unmet);
}

#[tokio::test]
async fn a_file_that_was_moved_out_of_infra_needs_its_approver() {
    let moved =
        FileChange { path: "docs/role".into(), previous_path: Some("infra/role".into()), additions: 1, deletions: 0 };
    let scene = after_push("files", vec![NewCommit { files: vec![moved], ..NewCommit::default() }]).await;
    let scene = scene.approved_by("pia").await;
    let decision = scene.decides_to_wait().await;
    assert_eq!(decision.unmet.len(), 1, "{:?}", decision.unmet);
    assert_eq!(scene.hosted.count("/pulls/1/files"), 1);
}

#[tokio::test]
async fn a_thousand_commits_are_all_read_and_one_more_may_be_by_the_approver() {
    // With the first commit.
    let commits = |count: usize| (1..count).map(|_| NewCommit::default()).collect();
    let scene = after_push("production", commits(1000)).await.approved_by("pia").await;
    assert_eq!(scene.settle().await.expect("it is settled"), Settled::Ended(End::Approved));
    assert_eq!((scene.hosted.count("/compare/"), scene.hosted.count("Commits")), (10, 19));

    let scene = after_push("production", commits(1001)).await.approved_by("pia").await;
    let decision = scene.decides_to_wait().await;
    let said = review_text(&decision);
    assert!(said.contains("1,000 are read"), "{said}");
}

#[tokio::test]
async fn a_commit_beyond_those_that_github_lists_excludes_its_author() {
    let by_pia = NewCommit { author: Attribution::Account(login("pia")), ..NewCommit::default() };
    let commits = (0..298).map(|_| NewCommit::default()).chain([by_pia, NewCommit::default()]).collect();
    let scene = after_push("production", commits).await.approved_by("pia").await;
    let decision = scene.decides_to_wait().await;
    assert_eq!(decision.counts, [], "{}", review_text(&decision));
    assert_eq!((scene.hosted.count("/compare/"), scene.hosted.count("Commits")), (4, 6));
}
