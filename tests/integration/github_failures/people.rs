//! Whose approval it is, and of what: forks, renamed and taken-over logins, approvals that GitHub moved.

use countersign::adapters::embedded::simulator::change::{NewAccount, NewCommit, NewPullRequest, Push};
use countersign::adapters::embedded::simulator::world::AccountType;
use countersign::app::{self, Recorded, Reevaluation, Settled};
use countersign::ident::{DeliveryId, RepositoryName, UserId};
use countersign::request::End;

use super::{Scene, review_text};
use crate::gate_world::login;
use crate::specimen::revision;

pub(super) fn push(by: &str, digit: char) -> Push {
    let commit = NewCommit { sha: Some(revision(digit)), verified: true, ..NewCommit::default() };
    Push { by: login(by), commits: vec![commit], force: true, rebind_reviews: true }
}

#[tokio::test]
async fn an_approval_of_a_fork_counts_only_once_it_was_delivered() {
    let scene = Scene::ground().await;
    let repository = RepositoryName::new("acme/checkout").expect("a repository");
    let pull = scene.change(|change| {
        let fork = change.create_fork(&repository, &login("dave"))?;
        change.push(&fork.name, "idea", &push("dave", 'd'))?;
        let new = NewPullRequest { head: "dave:idea".into(), base: "main".into(), ..NewPullRequest::default() };
        change.open(&login("dave"), &repository, &new)
    });
    let scene = Scene { pull, ..scene }.open("production", 'd').await.approved_by("pia").await;
    let decision = scene.decides_to_wait().await;
    let said = review_text(&decision);
    assert!(decision.counts.is_empty() && said.contains("known"), "{said}");
    assert_eq!(scene.hosted.count("/activity"), 0, "GitHub does not list a fork's pushes");
    assert_eq!(scene.deliver("d-1").await.expect("worked"), Recorded::Worked { requests: 1 });
    assert_eq!(scene.world.broker.taken(), [End::Approved]);
}

#[tokio::test]
async fn a_member_who_was_renamed_still_counts() {
    let scene = Scene::new().await.approved_by("pia").await;
    scene.change(|change| change.rename_account(&login("pia"), &login("maria")));
    assert_eq!(scene.settle().await.expect("it is settled"), Settled::Ended(End::Approved));
}

#[tokio::test]
async fn a_person_with_a_taken_over_login_is_another_person() {
    let scene = Scene::ground().await;
    scene.change(|change| {
        change.rename_account(&login("pia"), &login("maria"))?;
        let taken = NewAccount { login: login("pia"), id: Some(UserId(77)), kind: AccountType::User };
        change.create_account(&taken)
    });
    let scene = scene.open("pinned", 'a').await.approved_by("pia").await;
    assert_eq!(scene.decides_to_wait().await.counts, []);
    scene.review("maria");
    scene.goes_on().await;
}

#[tokio::test]
async fn an_approval_that_github_moved_to_a_newer_head_is_stale() {
    let scene = Scene::ground().await.approved_by("pia").await;
    scene.a_minute_passes();
    scene.change(|change| change.push_to_pull(&scene.pull, &push("dave", 'b')));
    let moved = scene.host().world().pull(&scene.pull).expect("a pull request").reviews[0].commit_id.clone();
    assert_eq!(moved, Some(revision('b')), "GitHub says that it is of the new head");
    let scene = scene.open("production", 'b').await;
    let decision = scene.decides_to_wait().await;
    let said = review_text(&decision);
    assert!(decision.counts.is_empty() && said.contains("not given after"), "{said}");
    scene.a_minute_passes();
    scene.review("pat");
    scene.goes_on().await;
}

#[tokio::test]
async fn an_approval_is_bound_to_the_commit_in_its_delivery_wherever_github_moves_it() {
    let scene = Scene::ground().await.approved_by("pia").await;
    scene.deliver("d-1").await.expect("the delivery is recorded");
    scene.a_minute_passes();
    scene.change(|change| change.push_to_pull(&scene.pull, &push("dave", 'b')));
    let scene = scene.open("production", 'b').await;
    let decision = scene.decides_to_wait().await;
    let said = review_text(&decision);
    assert!(decision.counts.is_empty() && said.contains("aaaaaaa"), "{said}");
}

#[tokio::test]
async fn an_approval_of_another_head_does_not_count_when_the_branch_is_pushed_back_to_a_known_one() {
    let scene = Scene::new().await;
    // The last delivery that arrives.
    scene.deliver_head('a').await;
    scene.a_minute_passes();
    scene.change(|change| change.push_to_pull(&scene.pull, &push("dave", 'b')));
    let scene = scene.approved_by("pia").await;
    scene.a_minute_passes();
    scene.change(|change| change.push_to_pull(&scene.pull, &push("dave", 'a')));
    let decision = scene.decides_to_wait().await;
    assert_eq!(decision.counts, [], "{}", review_text(&decision));
    assert_eq!(scene.hosted.count("/activity"), 1);
}

#[tokio::test]
async fn a_check_of_another_app_can_cause_an_evaluation_and_nothing_else() {
    let scene = Scene::new().await;
    let asked = |delivery: &str| Reevaluation {
        delivery: DeliveryId::new(delivery).expect("a delivery"),
        request: scene.id.clone(),
        repository: scene.pull.repository.clone(),
        check: "countersign / checkout / production".to_owned(),
    };
    let worked = app::reevaluate(&scene.gate, asked("d-1")).await.expect("worked");
    assert_eq!(worked, Recorded::Worked { requests: 1 });
    let seen = scene.hosted.take_seen();
    assert_eq!(seen, ["POST /graphql Facts first"]);
    assert_eq!(app::reevaluate(&scene.gate, asked("d-1")).await.expect("worked"), Recorded::Before);
    scene.decides_to_wait().await;
    let elsewhere = Reevaluation { check: "countersign / checkout / staging".to_owned(), ..asked("d-2") };
    let worked = app::reevaluate(&scene.gate, elsewhere).await.expect("worked");
    assert_eq!(worked, Recorded::Worked { requests: 0 });
    scene.still_waits().await;
}
