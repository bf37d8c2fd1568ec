//! What the gate reads from the simulator.

use crate::adapters::embedded::scene::*;
use crate::adapters::embedded::simulator::change::{
    MergeCommand, NewCommit, NewPullRequest, NewReview, PullRequestEdit, ReviewEvent, TeamEdit,
};
use crate::adapters::embedded::simulator::world::FileChange;
use crate::approval::facts::{BoundBy, DismissedFrom, Person, PullRequestState, ReviewState};
use crate::ident::{PullRequestRef, RepositoryName, Revision};
use crate::ports::{CodeHost as _, CodeHostError, Needs, Reading};

async fn read(scene: &Scene, at: &PullRequestRef) -> Result<Reading, CodeHostError> {
    scene.host.read(at, &Needs::everything()).await
}

fn logins(people: &[Person]) -> Vec<&str> {
    people.iter().map(|person| person.login.as_str()).collect()
}

#[tokio::test]
async fn a_pull_request_has_its_pushers_and_when_its_head_was_first_seen() {
    let scene = Scene::new();
    scene.an_hour_passes();
    let push = push_of("pia", vec![unattributed('b')]);
    scene.host.change(|change| change.push_to_pull(&first(), &push)).unwrap();
    scene.an_hour_passes();
    let pull = read(&scene, &first()).await.unwrap().pull_request;
    assert_eq!(pull.head_first_seen.unwrap().to_string(), "2026-11-18T11:00:00Z");
    assert_eq!(logins(&pull.pushers), ["dave", "pia"]);
    assert!(pull.pushers_complete && pull.commits_complete && pull.files_complete);
    assert_eq!((pull.additions, pull.deletions, pull.files.len()), (20, 4, 2));
    assert_eq!(pull.commits[1].author, None);
    assert_eq!((pull.merge_commit, pull.base_changed_at), (None, None));
}

#[tokio::test]
async fn only_a_merged_pull_request_has_a_merge_commit() {
    let scene = Scene::new();
    let test_merge = scene.pull().merge_commit_sha.unwrap();
    let found = async |revision: Revision| {
        let found = scene.host.pull_requests_of(&repository(), &revision).await.unwrap();
        found.into_iter().map(|one| one.at).collect::<Vec<_>>()
    };
    assert_eq!(found(test_merge).await, []);
    assert_eq!(found(sha('a')).await, [first()]);
    let made = scene.host.change(|change| change.merge(&login("pia"), &first(), &MergeCommand::default())).unwrap();
    let pull = read(&scene, &first()).await.unwrap().pull_request;
    assert_eq!((pull.state, pull.merged), (PullRequestState::Closed, true));
    assert_eq!(pull.merge_commit, Some(made.clone()));
    assert_eq!(found(made).await, [first()]);
}

#[tokio::test]
async fn a_pull_request_has_the_last_change_of_its_base() {
    let scene = Scene::new();
    scene.host.change(|change| change.push(&repository(), "release", &push_of("pia", vec![commit('e')]))).unwrap();
    scene.an_hour_passes();
    let edit = PullRequestEdit { base: Some("release".into()), ..PullRequestEdit::default() };
    scene.host.change(|change| change.edit(&login("dave"), &first(), &edit)).unwrap();
    let pull = read(&scene, &first()).await.unwrap().pull_request;
    assert_eq!(pull.base_changed_at.unwrap().to_string(), "2026-11-18T11:00:00Z");
}

#[tokio::test]
async fn a_dismissed_review_has_its_state_before_and_who_dismissed_it() {
    let scene = Scene::new();
    let id = scene.review("pia", ReviewEvent::RequestChanges).unwrap();
    scene.host.change(|change| change.dismiss(&login("pat"), &first(), id, "settled")).unwrap();
    let reviews = read(&scene, &first()).await.unwrap().reviews;
    let [review] = reviews.as_slice() else { panic!("{reviews:?}") };
    assert_eq!((review.state, review.was), (ReviewState::Dismissed, Some(DismissedFrom::ChangesRequested)));
    assert_eq!(review.dismissed_by.as_ref().unwrap().login, login("pat"));
    assert_eq!(review.bound_by, BoundBy::Api);
}

#[tokio::test]
async fn a_review_of_a_deleted_account_has_no_user() {
    let scene = Scene::new();
    scene.approve("pia");
    scene.host.change(|change| change.delete_account(&login("pia"))).unwrap();
    let reviews = read(&scene, &first()).await.unwrap().reviews;
    assert_eq!(reviews[0].user, None);
}

#[tokio::test]
async fn a_pending_review_is_not_listed() {
    let scene = Scene::new();
    let pending = NewReview { event: None, ..NewReview::default() };
    scene.host.change(|change| change.review(&login("pia"), &first(), &pending)).unwrap();
    assert_eq!(read(&scene, &first()).await.unwrap().reviews, []);
}

#[tokio::test]
async fn team_members_are_the_active_ones_with_those_of_child_teams() {
    let scene = Scene::new();
    let teams = [team("acme/payments"), team("acme/payments-core")];
    let needs = Needs { teams: teams.clone().into(), ..Needs::default() };
    let read = scene.host.read(&first(), &needs).await.unwrap().teams;
    assert_eq!((logins(&read[&teams[0]]), logins(&read[&teams[1]])), (vec!["pia", "pat"], vec!["pat"]));
}

#[tokio::test]
async fn a_missing_or_unreadable_team_has_no_members() {
    let scene = Scene::new();
    let edit = TeamEdit { readable: Some(false), members: None };
    scene.host.change(|change| change.edit_team(&team("acme/payments"), &edit)).unwrap();
    let needs = Needs { teams: [team("acme/nobody"), team("acme/payments")].into(), ..Needs::default() };
    assert!(scene.host.read(&first(), &needs).await.unwrap().teams.is_empty());
}

#[tokio::test]
async fn files_over_githubs_limit_are_truncated_and_marked_incomplete_and_commits_are_whole() {
    let scene = Scene::new();
    let file = |n| FileChange { path: format!("f{n}"), previous_path: None, additions: 1, deletions: 0 };
    let many = NewCommit { files: (0..3000).map(file).collect(), ..NewCommit::default() };
    let commits = std::iter::once(many).chain((0..250).map(|_| NewCommit::default())).collect();
    scene.host.change(|change| change.push_to_pull(&first(), &push_of("dave", commits))).unwrap();
    let pull = read(&scene, &first()).await.unwrap().pull_request;
    assert_eq!((pull.commits.len(), pull.commits_complete), (252, true));
    assert_eq!((pull.files.len(), pull.files_complete), (100, false));
}

#[tokio::test]
async fn a_commit_has_its_co_authors_signature_and_parents() {
    let scene = Scene::new();
    let message = "Fix\n\nCo-authored-by: pat <pat@users.noreply.github.com>";
    let new = NewCommit { message: Some(message.into()), verified: true, ..commit('b') };
    scene.host.change(|change| change.push_to_pull(&first(), &push_of("dave", vec![new]))).unwrap();
    let commits = read(&scene, &first()).await.unwrap().pull_request.commits;
    assert_eq!((logins(&commits[1].co_authors), commits[1].verified), (vec!["pat"], true));
    assert_eq!(commits[1].parents, [sha('a')]);
    assert!(commits[0].co_authors.is_empty() && !commits[0].verified);
}

#[tokio::test]
async fn a_review_is_edited_once_somebody_has_changed_its_text() {
    let scene = Scene::new();
    let id = scene.approve("pia");
    let edited = async || read(&scene, &first()).await.unwrap().reviews[0].edited;
    assert!(!edited().await);
    scene.host.change(|change| change.edit_review(&login("dave"), &first(), id, "LGTM")).unwrap();
    assert!(edited().await);
}

#[tokio::test]
async fn a_fork_has_neither_pushers_nor_when_its_head_was_first_seen() {
    let scene = Scene::new();
    let at = scene
        .host
        .change(|change| {
            let fork = change.create_fork(&repository(), &login("lee"))?;
            change.push(&fork.name, "idea", &push_of("lee", vec![commit('d')]))?;
            let new = NewPullRequest { head: "lee:idea".into(), base: "main".into(), ..NewPullRequest::default() };
            change.open(&login("lee"), &repository(), &new)
        })
        .unwrap();
    let pull = read(&scene, &at).await.unwrap().pull_request;
    assert_eq!((pull.pushers.len(), pull.pushers_complete, pull.head_first_seen), (0, false, None));
}

#[tokio::test]
async fn a_pusher_whose_account_was_deleted_makes_the_list_incomplete() {
    let scene = Scene::new();
    let push = push_of("pia", vec![commit('b')]);
    scene.host.change(|change| change.push_to_pull(&first(), &push)).unwrap();
    scene.host.change(|change| change.delete_account(&login("pia"))).unwrap();
    let pull = read(&scene, &first()).await.unwrap().pull_request;
    assert_eq!((logins(&pull.pushers), pull.pushers_complete), (vec!["dave"], false));
}

#[tokio::test]
async fn an_unavailable_simulator_answers_nothing() {
    let scene = Scene::new();
    scene
        .host
        .change(|change| {
            change.set_unavailable(true);
            Ok(())
        })
        .unwrap();
    assert!(matches!(read(&scene, &first()).await, Err(CodeHostError::Unavailable { .. })));
}

#[tokio::test]
async fn a_missing_pull_request_or_repository_is_not_found() {
    let scene = Scene::new();
    let missing = PullRequestRef::new("acme/checkout#9").unwrap();
    let error = read(&scene, &missing).await.unwrap_err();
    assert_eq!(error.to_string(), "the pull request `acme/checkout#9` was not found");
    let nowhere = RepositoryName::new("acme/nowhere").unwrap();
    assert!(matches!(scene.host.pull_requests_of(&nowhere, &sha('a')).await, Err(CodeHostError::NotFound { .. })));
}
