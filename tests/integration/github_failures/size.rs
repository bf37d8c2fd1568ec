//! Pull requests that are larger than GitHub lists.

use countersign::adapters::embedded::simulator::change::{NewCommit, Push};
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
    assert_eq!(scene.hosted.count("/files"), 30);
}

#[tokio::test]
async fn a_file_beyond_three_thousand_may_be_below_infra() {
    let scene = after_push("files", files(3000)).await.approved_by("pia").await;
    let decision = scene.decides_to_wait().await;
    assert_eq!(decision.unmet.len(), 1, "the approver of infra/ is still needed: {:?}", decision.unmet);
}

#[tokio::test]
async fn an_unlisted_commit_may_be_by_the_approver() {
    let scene = after_push("production", (0..300).map(|_| NewCommit::default()).collect()).await;
    let scene = scene.approved_by("pia").await;
    let decision = scene.decides_to_wait().await;
    let said = review_text(&decision);
    assert!(said.contains("GitHub lists 250"), "{said}");
    assert_eq!(scene.hosted.count("/commits"), 3);
}
