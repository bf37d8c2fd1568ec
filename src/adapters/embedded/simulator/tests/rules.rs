//! GitHub's rules.

use super::*;
use crate::adapters::embedded::simulator::change::{MergeCommand, PullRequestEdit, SwitchEdit};
use crate::adapters::embedded::simulator::pull::{DismissedFrom, Happening, PullState, ReviewState};

fn refused<T: std::fmt::Debug>(answer: Result<T, Refusal>) -> (u16, String) {
    let refusal = answer.unwrap_err();
    (refusal.status(), refusal.to_string())
}

#[test]
fn an_author_may_comment_but_neither_approve_nor_request_changes() {
    let scene = Scene::new();
    let approve = scene.review("dave", ReviewEvent::Approve);
    assert_eq!(refused(approve), (422, "Can not approve your own pull request".into()));
    let request = scene.review("dave", ReviewEvent::RequestChanges);
    assert_eq!(refused(request), (422, "Can not request changes on your own pull request".into()));
    assert!(scene.review("dave", ReviewEvent::Comment).is_ok());
    assert_eq!(scene.pull().reviews.len(), 1);
}

#[test]
fn a_switch_accepts_the_review_of_the_author() {
    let scene = Scene::new();
    let edit = SwitchEdit { allow_self_review: Some(true), ..SwitchEdit::default() };
    scene.host.change(|change| change.set_switches(&repository(), edit)).unwrap();
    let id = scene.approve("dave");
    assert_eq!(scene.given(id).state, ReviewState::Approved);
}

#[test]
fn a_review_is_bound_to_the_head_unless_it_names_another_commit_of_the_pull_request() {
    let scene = Scene::new();
    scene.push('b');
    let id = scene.approve("pia");
    assert_eq!(scene.given(id).commit_id, Some(sha('b')));
    let on = |digit| NewReview { commit_id: Some(sha(digit)), ..review_of(ReviewEvent::Approve) };
    let old = scene.host.change(|change| change.review(&login("pat"), &first(), &on('a'))).unwrap();
    assert_eq!(scene.given(old).commit_id, Some(sha('a')));
    let unknown = scene.host.change(|change| change.review(&login("pat"), &first(), &on('f')));
    assert_eq!(refused(unknown).0, 422);
}

#[test]
fn a_push_leaves_approvals_where_they_are() {
    let scene = Scene::new();
    let id = scene.approve("pia");
    scene.push('b');
    let pull = scene.pull();
    assert_eq!((pull.head.sha, pull.commits.len()), (sha('b'), 2));
    assert_eq!(scene.given(id).commit_id, Some(sha('a')));
}

#[test]
fn a_force_push_replaces_the_commits_and_moves_approvals_on_request() {
    let scene = Scene::new();
    let (approved, commented) = (scene.approve("pia"), scene.review("pat", ReviewEvent::Comment).unwrap());
    let push = Push { force: true, rebind_reviews: true, ..push_of("dave", vec![commit('c')]) };
    scene.host.change(|change| change.push_to_pull(&first(), &push)).unwrap();
    let pull = scene.pull();
    assert_eq!(pull.commits.iter().map(|commit| commit.sha.clone()).collect::<Vec<_>>(), [sha('c')]);
    assert_eq!(scene.given(approved).commit_id, Some(sha('c')));
    assert_eq!(scene.given(commented).commit_id, Some(sha('a')));
    assert!(pull.seen.contains(&sha('a')));
}

#[test]
fn a_push_dismisses_stale_approvals_if_the_switch_is_on() {
    let scene = Scene::new();
    let edit = SwitchEdit { dismiss_stale_reviews: Some(true), ..SwitchEdit::default() };
    scene.host.change(|change| change.set_switches(&repository(), edit)).unwrap();
    let (approval, request) = (scene.approve("pia"), scene.review("pat", ReviewEvent::RequestChanges).unwrap());
    scene.push('b');
    assert_eq!(scene.given(approval).state, ReviewState::Dismissed);
    assert_eq!(scene.given(request).state, ReviewState::ChangesRequested);
    let dave = scene.pull().author;
    let dismissal = scene.pull().events.into_iter().find(|event| event.what.dismissal().is_some()).unwrap();
    assert_eq!((dismissal.actor, dismissal.what.dismissal()), (dave, Some((approval, DismissedFrom::Approved))));
}

#[test]
fn a_dismissal_needs_a_message_and_happens_once() {
    let scene = Scene::new();
    let id = scene.approve("pia");
    let dismiss = |message| scene.host.change(|change| change.dismiss(&login("dave"), &first(), id, message));
    assert_eq!(refused(dismiss(" ")).0, 422);
    dismiss("not looked at").unwrap();
    assert_eq!(scene.given(id).state, ReviewState::Dismissed);
    assert_eq!(refused(dismiss("again")).0, 422);
    let comment = scene.review("pat", ReviewEvent::Comment).unwrap();
    let of_comment = scene.host.change(|change| change.dismiss(&login("dave"), &first(), comment, "why"));
    assert_eq!(refused(of_comment).0, 422);
}

#[test]
fn a_pending_review_is_submitted_once_and_only_by_its_author() {
    let scene = Scene::new();
    let pending = NewReview { event: None, ..review_of(ReviewEvent::Approve) };
    let id = scene.host.change(|change| change.review(&login("pia"), &first(), &pending)).unwrap();
    assert_eq!((scene.given(id).state, scene.given(id).submitted_at), (ReviewState::Pending, None));
    let submit = |by: &str| {
        scene.host.change(|change| change.submit(&login(by), &first(), id, &review_of(ReviewEvent::Approve)))
    };
    assert_eq!(refused(submit("pat")).0, 404);
    submit("pia").unwrap();
    assert_eq!(scene.given(id).state, ReviewState::Approved);
    assert_eq!(refused(submit("pia")).0, 404);
}

#[test]
fn merging_is_refused_if_the_head_has_moved_and_otherwise_makes_a_commit() {
    let scene = Scene::new();
    let test_merge = scene.pull().merge_commit_sha;
    let merge = |digit| {
        let command = MergeCommand { sha: Some(sha(digit)), commit_title: None };
        scene.host.change(|change| change.merge(&login("pia"), &first(), &command))
    };
    assert_eq!(refused(merge('b')).0, 409);
    let made = merge('a').unwrap();
    let pull = scene.pull();
    assert_eq!((pull.state, pull.merge_commit_sha.as_ref()), (PullState::Merged, Some(&made)));
    assert_ne!(test_merge, Some(made.clone()));
    let world = scene.host.world();
    assert_eq!(world.repository(&repository()).unwrap().branches["main"].head, made);
    assert_eq!(refused(merge('a')).0, 405);
}

#[test]
fn a_closed_pull_request_catches_up_when_it_is_opened_again() {
    let scene = Scene::new();
    let set = |state: &str| {
        let edit = PullRequestEdit { state: Some(state.into()), ..PullRequestEdit::default() };
        scene.host.change(|change| change.edit(&login("dave"), &first(), &edit))
    };
    set("closed").unwrap();
    scene.push('b');
    assert_eq!((scene.pull().state, scene.pull().head.sha), (PullState::Closed, sha('a')));
    set("open").unwrap();
    assert_eq!((scene.pull().state, scene.pull().head.sha), (PullState::Open, sha('b')));
    assert_eq!(refused(set("ajar")).0, 422);
}

#[test]
fn a_merged_pull_request_cannot_be_opened_again() {
    let scene = Scene::new();
    scene.host.change(|change| change.merge(&login("pia"), &first(), &MergeCommand::default())).unwrap();
    let edit = PullRequestEdit { state: Some("open".into()), ..PullRequestEdit::default() };
    assert_eq!(refused(scene.host.change(|change| change.edit(&login("dave"), &first(), &edit))).0, 422);
}

#[test]
fn a_change_of_the_base_is_an_event_of_its_own() {
    let scene = Scene::new();
    scene.host.change(|change| change.push(&repository(), "release", &push_of("pia", vec![commit('e')]))).unwrap();
    let edit = |base: &str| {
        let edit = PullRequestEdit { base: Some(base.into()), ..PullRequestEdit::default() };
        scene.host.change(|change| change.edit(&login("dave"), &first(), &edit))
    };
    assert_eq!(refused(edit("nowhere")).0, 422);
    edit("release").unwrap();
    edit("release").unwrap();
    let changes = scene.pull().events.into_iter().filter(|event| event.what == Happening::BaseRefChanged).count();
    assert_eq!((scene.pull().base.as_str(), changes), ("release", 1));
}

#[test]
fn a_label_is_added_once_and_removed_once() {
    let scene = Scene::new();
    let labels = ["hotfix".to_owned(), "hotfix".to_owned()];
    scene.host.change(|change| change.label(&login("dave"), &first(), &labels)).unwrap();
    assert_eq!(scene.pull().labels.len(), 1);
    scene.host.change(|change| change.unlabel(&login("dave"), &first(), "hotfix")).unwrap();
    assert_eq!(refused(scene.host.change(|change| change.unlabel(&login("dave"), &first(), "hotfix"))).0, 404);
}

#[test]
fn a_second_pull_request_of_the_same_branches_is_refused() {
    let scene = Scene::new();
    let open = |head: &str| {
        let new = NewPullRequest { head: head.into(), base: "main".into(), ..NewPullRequest::default() };
        scene.host.change(|change| change.open(&login("dave"), &repository(), &new))
    };
    assert_eq!(refused(open("feature")).0, 422);
    assert_eq!(refused(open("nowhere")).0, 422);
    assert_eq!(refused(open("main")).0, 422);
}

#[test]
fn a_refused_change_leaves_nothing_behind() {
    let scene = Scene::new();
    let before = scene.pull();
    let refused = scene.host.change(|change| {
        change.review(&login("pia"), &first(), &review_of(ReviewEvent::Approve))?;
        change.push_to_pull(&first(), &push_of("dave", Vec::new()))
    });
    assert!(refused.is_err());
    assert_eq!(scene.pull(), before);
}

#[test]
fn a_short_hash_is_refused() {
    let scene = Scene::new();
    let short = NewCommit { sha: Some(Revision::new("a1").unwrap()), ..NewCommit::default() };
    let push = push_of("dave", vec![short]);
    assert_eq!(refused(scene.host.change(|change| change.push_to_pull(&first(), &push))).0, 422);
}

#[test]
fn the_hook_needs_a_secret_and_plain_http() {
    let scene = Scene::new();
    let set = |url: &str, secret: &str| scene.host.change(|change| change.set_hook(url, secret));
    assert_eq!(refused(set("https://example.invalid/", "s")).0, 422);
    assert_eq!(refused(set("http://127.0.0.1:1/", "")).0, 422);
    set("http://127.0.0.1:1/", "s3cret").unwrap();
    let printed = format!("{:?}", scene.host.world().settings);
    assert!(!printed.contains("s3cret"), "{printed}");
}
