//! Facts from the simulator in process and from GitHub's client over HTTP, which must be equal.

use countersign::adapters::embedded::simulator::change::{
    Attribution, Change, MergeCommand, NewAccount, NewCommit, NewMember, NewPullRequest, NewReview, NewTeam,
    PullRequestEdit, Push, ReviewEvent, TeamEdit,
};
use countersign::adapters::embedded::simulator::world::{AccountType, FileChange, MembershipState};
use countersign::adapters::embedded::simulator::{GithubSimulator, Refusal};
use countersign::approval::facts::{DismissedFrom, PullRequestState, ReviewState};
use countersign::ident::{PullRequestRef, RepositoryName, ReviewId, Revision, TeamSlug};
use countersign::ports::{CodeHost, CodeHostError, FoundPullRequest, Needs, Reading};
use jiff::SignedDuration;

use crate::gate_world::{GateWorld, login};
use crate::github_world::Hosted;
use crate::specimen::{pull_request, revision};

fn first() -> PullRequestRef {
    pull_request("acme/checkout#1")
}

fn repository() -> RepositoryName {
    RepositoryName::new("acme/checkout").expect("a repository")
}

fn commit(digit: char) -> NewCommit {
    let file = FileChange { path: format!("src/{digit}.rs"), previous_path: None, additions: 1, deletions: 1 };
    NewCommit { sha: Some(revision(digit)), files: vec![file], ..NewCommit::default() }
}

fn push(by: &str, commits: Vec<NewCommit>) -> Push {
    Push { by: login(by), commits, force: false, rebind_reviews: false }
}

fn review(change: &mut Change<'_>, by: &str, event: ReviewEvent) -> Result<ReviewId, Refusal> {
    change.review(&login(by), &first(), &NewReview { event: Some(event), body: Some("so".into()), commit_id: None })
}

/// Makes a change an hour later.
fn changed<T>(world: &GateWorld, work: impl FnOnce(&mut Change<'_>) -> Result<T, Refusal>) -> T {
    world.clock.advance(SignedDuration::from_hours(1));
    world.host.change(work).expect("a change")
}

/// Everything that a host answers, to compare.
#[derive(Debug, PartialEq)]
struct Answers {
    readings: Vec<Result<Reading, CodeHostError>>,
    teams: Vec<Option<Vec<countersign::approval::facts::Person>>>,
    found: Vec<Result<Vec<FoundPullRequest>, CodeHostError>>,
}

async fn answers(host: &dyn CodeHost, simulator: &GithubSimulator) -> Answers {
    let world = simulator.world();
    let numbers: Vec<u64> = world.pulls.values().map(|pull| pull.number).chain([99]).collect();
    let commits: Vec<Revision> =
        world.pulls.values().flat_map(|pull| pull.merge_commit_sha.iter().chain([&pull.head.sha]).cloned()).collect();
    let (mut readings, mut teams, mut found) = (Vec::new(), Vec::new(), Vec::new());
    for number in numbers {
        let at = PullRequestRef { repository: repository(), number };
        for needs in [Needs::everything(), Needs::default(), Needs { files: true, ..Needs::default() }] {
            readings.push(host.read(&at, &needs).await);
        }
    }
    for team in ["acme/payments", "acme/payments-core", "acme/nobody"] {
        teams.push(host.team_members(&TeamSlug::new(team).expect("a team")).await.expect("an answer"));
    }
    for sha in commits.iter().chain([&revision('9')]) {
        found.push(host.pull_requests_of(&repository(), sha).await);
    }
    let nowhere = RepositoryName::new("acme/nowhere").expect("a repository");
    found.push(host.pull_requests_of(&nowhere, &revision('a')).await);
    Answers { readings, teams, found }
}

/// A change, and an assertion about the facts of the first pull request. Each is a test of the simulator in process and a test
/// of the client over HTTP, which must have the same answers.
macro_rules! code_host_contract {
    ($($name:ident: $world:expr, $check:expr;)*) => {
        mod in_process {
            use super::*;
            $(#[tokio::test]
            async fn $name() {
                let world = GateWorld::new("production");
                ($world)(&world);
                let reading = world.host.read(&first(), &Needs::everything()).await.expect("facts");
                ($check)(&reading);
            })*
        }

        mod over_http {
            use super::*;
            $(#[tokio::test]
            async fn $name() {
                let world = GateWorld::new("production");
                ($world)(&world);
                let hosted = Hosted::new(&world.host, &world.clock).await;
                let client = hosted.client();
                let reading = client.read(&first(), &Needs::everything()).await.expect("facts");
                ($check)(&reading);
                assert_eq!(answers(&client, &world.host).await, answers(&world.host, &world.host).await);
            })*
        }
    };
}

fn logins(people: &[countersign::approval::facts::Person]) -> Vec<&str> {
    people.iter().map(|person| person.login.as_str()).collect()
}

code_host_contract! {
    a_pull_request_as_it_was_opened: |_: &GateWorld| {}, |reading: &Reading| {
        let pull = &reading.pull_request;
        assert_eq!((pull.state, pull.merged, pull.files.len(), pull.commits.len()), (PullRequestState::Open, false, 1, 1));
        assert!(pull.files_complete && pull.commits_complete && pull.pushers_complete);
        assert_eq!((logins(&pull.pushers), pull.head_first_seen.is_some()), (vec!["dave"], true));
        assert_eq!((&pull.merge_commit, pull.base_changed_at), (&None, None));
    };
    every_push_with_who_made_it: |world: &GateWorld| {
        changed(world, |change| change.push_to_pull(&first(), &push("pia", vec![commit('b')])));
        changed(world, |change| change.label(&login("dave"), &first(), &["zebra".into(), "ant hill".into()]));
    }, |reading: &Reading| {
        let pull = &reading.pull_request;
        assert_eq!((logins(&pull.pushers), pull.labels.join(", ")), (vec!["pia", "dave"], "ant hill, zebra".into()));
        assert_eq!(pull.head_first_seen, Some(crate::specimen::at(3600)));
    };
    a_branch_with_a_name_that_must_be_escaped: |world: &GateWorld| {
        changed(world, |change| {
            change.push(&repository(), "fix/a&b=c #1", &push("dave", vec![commit('c')]))?;
            let new = NewPullRequest { head: "fix/a&b=c #1".into(), base: "main".into(), ..NewPullRequest::default() };
            change.open(&login("dave"), &repository(), &new)
        });
    }, |_: &Reading| {};
    commits_of_no_account_and_renamed_files: |world: &GateWorld| {
        let file = FileChange { path: "b".into(), previous_path: Some("a".into()), additions: 0, deletions: 0 };
        let new = NewCommit { files: vec![file], author: Attribution::Nobody, ..NewCommit::default() };
        changed(world, |change| change.push_to_pull(&first(), &push("dave", vec![new])));
    }, |reading: &Reading| {
        let pull = &reading.pull_request;
        assert_eq!((&pull.commits[1].author, pull.commits[1].committer.is_some()), (&None, true));
        assert_eq!(pull.files[1].previous_path.as_deref(), Some("a"));
    };
    reviews_of_every_state_but_pending: |world: &GateWorld| {
        changed(world, |change| review(change, "pia", ReviewEvent::Approve));
        changed(world, |change| review(change, "pat", ReviewEvent::RequestChanges));
        changed(world, |change| review(change, "pia", ReviewEvent::Comment));
        changed(world, |change| change.review(&login("pat"), &first(), &NewReview::default()));
    }, |reading: &Reading| {
        let states: Vec<ReviewState> = reading.reviews.iter().map(|review| review.state).collect();
        assert_eq!(states, [ReviewState::Approved, ReviewState::ChangesRequested, ReviewState::Commented]);
    };
    a_dismissed_review_with_what_it_was_and_who_dismissed_it: |world: &GateWorld| {
        let id = changed(world, |change| review(change, "pat", ReviewEvent::RequestChanges));
        changed(world, |change| change.dismiss(&login("pia"), &first(), id, "settled"));
    }, |reading: &Reading| {
        let review = &reading.reviews[0];
        assert_eq!((review.state, review.was), (ReviewState::Dismissed, Some(DismissedFrom::ChangesRequested)));
        assert_eq!(review.dismissed_by.as_ref().map(|by| by.login.as_str()), Some("pia"));
    };
    deleted_accounts: |world: &GateWorld| {
        changed(world, |change| review(change, "pat", ReviewEvent::Approve));
        changed(world, |change| change.push_to_pull(&first(), &push("pat", vec![commit('b')])));
        changed(world, |change| change.delete_account(&login("pat")));
    }, |reading: &Reading| {
        assert_eq!((&reading.reviews[0].user, &reading.pull_request.commits[1].author), (&None, &None));
        assert!(!reading.pull_request.pushers_complete);
    };
    the_last_change_of_the_base: |world: &GateWorld| {
        changed(world, |change| change.push(&repository(), "release", &push("pia", vec![commit('e')])));
        let edit = PullRequestEdit { base: Some("release".into()), ..PullRequestEdit::default() };
        changed(world, |change| change.edit(&login("dave"), &first(), &edit));
    }, |reading: &Reading| {
        let pull = &reading.pull_request;
        assert_eq!((pull.base.as_str(), pull.base_changed_at), ("release", Some(crate::specimen::at(7200))));
    };
    a_merge_and_the_commit_that_it_made: |world: &GateWorld| {
        changed(world, |change| change.merge(&login("pia"), &first(), &MergeCommand::default()));
    }, |reading: &Reading| {
        let pull = &reading.pull_request;
        assert!(pull.merged && pull.merge_commit.is_some() && pull.state == PullRequestState::Closed);
    };
    a_fork_without_its_pushes: |world: &GateWorld| {
        changed(world, |change| {
            let fork = change.create_fork(&repository(), &login("pat"))?;
            change.push(&fork.name, "idea", &push("pat", vec![commit('d')]))?;
            let new = NewPullRequest { head: "pat:idea".into(), base: "main".into(), ..NewPullRequest::default() };
            change.open(&login("pat"), &repository(), &new)
        });
    }, |_: &Reading| {};
    lists_over_githubs_limits_truncated_and_marked_incomplete: |world: &GateWorld| {
        let file = |n| FileChange { path: format!("f{n}"), previous_path: None, additions: 1, deletions: 0 };
        let many = NewCommit { files: (0..3000).map(file).collect(), ..NewCommit::default() };
        let commits = std::iter::once(many).chain((0..250).map(|_| NewCommit::default())).collect();
        changed(world, |change| change.push_to_pull(&first(), &push("dave", commits)));
    }, |reading: &Reading| {
        let pull = &reading.pull_request;
        assert_eq!((pull.commits.len(), pull.commits_complete, pull.files.len(), pull.files_complete), (250, false, 3000, false));
    };
    lists_at_githubs_limits_complete: |world: &GateWorld| {
        let file = |n| FileChange { path: format!("f{n}"), previous_path: None, additions: 1, deletions: 0 };
        let many = NewCommit { files: (0..2999).map(file).collect(), ..NewCommit::default() };
        let commits = std::iter::once(many).chain((0..248).map(|_| NewCommit::default())).collect();
        changed(world, |change| change.push_to_pull(&first(), &push("dave", commits)));
    }, |reading: &Reading| {
        let pull = &reading.pull_request;
        assert_eq!((pull.commits.len(), pull.commits_complete, pull.files.len(), pull.files_complete), (250, true, 3000, true));
    };
    teams_with_their_active_members_and_child_teams: |world: &GateWorld| {
        changed(world, teams);
    }, |_: &Reading| {};
    a_hidden_team: |world: &GateWorld| {
        changed(world, teams);
        let edit = TeamEdit { readable: Some(false), members: None };
        changed(world, |change| change.edit_team(&TeamSlug::new("acme/payments").expect("a team"), &edit));
    }, |_: &Reading| {};
    many_pushes_over_many_pages: |world: &GateWorld| {
        for _ in 0..120 {
            changed(world, |change| change.push_to_pull(&first(), &push("pat", vec![NewCommit::default()])));
        }
    }, |reading: &Reading| {
        let pull = &reading.pull_request;
        assert_eq!((logins(&pull.pushers), pull.pushers_complete), (vec!["pat", "dave"], true));
    };
}

fn teams(change: &mut Change<'_>) -> Result<(), Refusal> {
    let member = |name: &str, state| NewMember { login: login(name), state };
    for n in 0..120 {
        let name = login(&format!("member-{n}"));
        change.create_account(&NewAccount { login: name, id: None, kind: AccountType::User })?;
    }
    let mut members: Vec<NewMember> =
        (0..120).map(|n| member(&format!("member-{n}"), MembershipState::Active)).collect();
    members.push(member("dave", MembershipState::Pending));
    let slug = |text: &str| TeamSlug::new(text).expect("a team");
    change.create_team(&NewTeam { team: slug("acme/payments"), name: None, parent: None, members })?;
    change.create_team(&NewTeam {
        team: slug("acme/payments-core"),
        name: None,
        parent: Some(slug("acme/payments")),
        members: vec![member("pat", MembershipState::Active)],
    })?;
    Ok(())
}

#[tokio::test]
async fn a_review_with_an_unknown_state_is_an_error() {
    let world = GateWorld::new("production");
    changed(&world, |change| review(change, "pat", ReviewEvent::RequestChanges));
    let hosted = Hosted::new(&world.host, &world.clock).await;
    let bless = crate::github_world::Fault::Rewritten(|reviews| reviews[0]["state"] = "OBJECTED".into());
    hosted.fault("/pulls/1/reviews", 1, bless);
    let error = hosted.client().read(&first(), &Needs::default()).await.unwrap_err();
    assert!(error.to_string().contains("has an unknown state"), "{error}");
}

#[tokio::test]
async fn an_account_without_a_type_is_not_taken_for_a_person() {
    let world = GateWorld::new("production");
    changed(&world, |change| review(change, "pat", ReviewEvent::Approve));
    let hosted = Hosted::new(&world.host, &world.clock).await;
    let untyped = crate::github_world::Fault::Rewritten(|reviews| {
        reviews[0]["user"].as_object_mut().expect("a user").remove("type");
        reviews[0]["surprise"] = true.into();
    });
    hosted.fault("/pulls/1/reviews", 1, untyped);
    let reading = hosted.client().read(&first(), &Needs::default()).await.expect("facts");
    let user = reading.reviews[0].user.as_ref().expect("a user");
    assert_eq!(user.kind, countersign::approval::facts::AccountKind::Other);
}

#[tokio::test]
async fn githubs_empty_account_is_nobody() {
    let world = GateWorld::new("production");
    let hosted = Hosted::new(&world.host, &world.clock).await;
    let empty = crate::github_world::Fault::Rewritten(|commits| commits[0]["author"] = serde_json::json!({}));
    hosted.fault("/pulls/1/commits", 1, empty);
    let reading = hosted.client().read(&first(), &Needs::default()).await.expect("facts");
    assert_eq!(reading.pull_request.commits[0].author, None);
    assert_eq!(logins(&reading.pull_request.pushers), ["dave"], "then the pushes are read");
}

fn to_first(digits: &str, force: bool) -> Push {
    Push { force, ..push("pat", digits.chars().map(commit).collect()) }
}

fn meanwhile(host: &GithubSimulator, change: impl FnOnce(&mut Change<'_>) -> Result<Revision, Refusal>) {
    host.change(change).expect("a change");
}

/// Reads while something happens just before GitHub answers a call.
async fn read_while(part: &str, happens: fn(&GithubSimulator), needs: Needs) -> Result<Reading, CodeHostError> {
    let world = GateWorld::new("production");
    changed(&world, |change| change.push(&repository(), "release", &push("pia", vec![commit('e')])));
    changed(&world, |change| change.push_to_pull(&first(), &to_first("b", false)));
    let hosted = Hosted::new(&world.host, &world.clock).await;
    let client = hosted.client();
    client.read(&first(), &needs).await.expect("facts while nothing happens");
    hosted.fault(part, 1, crate::github_world::Fault::Meanwhile(happens));
    let read = client.read(&first(), &needs).await;
    // Afterwards it can be read.
    client.read(&first(), &needs).await.expect("facts");
    read
}

fn pushed(host: &GithubSimulator) {
    meanwhile(host, |change| change.push_to_pull(&first(), &to_first("c", false)));
}

fn pushed_back(host: &GithubSimulator) {
    meanwhile(host, |change| change.push_to_pull(&first(), &to_first("a", true)));
}

fn replaced(host: &GithubSimulator) {
    meanwhile(host, |change| change.push_to_pull(&first(), &to_first("cd", true)));
}

fn base_changed(host: &GithubSimulator) {
    let edit = PullRequestEdit { base: Some("release".into()), ..PullRequestEdit::default() };
    host.change(|change| change.edit(&login("dave"), &first(), &edit)).expect("a change");
}

#[tokio::test]
async fn a_pull_request_that_changes_while_it_is_read_is_an_error() {
    let files = Needs { files: true, ..Needs::default() };
    let pushers = Needs { pushers: true, ..Needs::default() };
    for (happens, what) in [
        (pushed as fn(&GithubSimulator), "a push"),
        (pushed_back, "a push back"),
        (replaced, "as many other commits"),
        (base_changed, "another base"),
    ] {
        for (part, needs) in [
            ("/pulls/1/files", &files),
            ("/pulls/1/commits", &files),
            ("/pulls/1/commits", &pushers),
            ("/activity", &pushers),
            ("/issues/1/events", &Needs::everything()),
        ] {
            let read = read_while(part, happens, needs.clone()).await;
            let detail = "the pull request `acme/checkout#1` changed while it was read".to_owned();
            assert_eq!(read, Err(CodeHostError::Unavailable { detail }), "{what} at {part}");
        }
    }
}

#[tokio::test]
async fn commits_of_another_head_are_not_taken_for_those_of_this_head() {
    for (happens, what) in
        [(pushed as fn(&GithubSimulator), "a push"), (pushed_back, "a push back"), (replaced, "as many other commits")]
    {
        for part in ["/pulls/1/commits", "/pulls/1/reviews"] {
            let Ok(Reading { pull_request: pull, .. }) = read_while(part, happens, Needs::default()).await else {
                panic!("it is read");
            };
            // The gate does not take a list without the head for complete.
            let whole = pull.commits_complete && pull.commits.iter().any(|commit| commit.sha == pull.head);
            let of_head = pull.commits.last().is_some_and(|last| last.sha == pull.head);
            assert!(!whole || of_head, "{what} at {part}: {:?} of {}", pull.commits, pull.head);
        }
    }
}

#[tokio::test]
async fn a_list_that_is_longer_than_its_count_is_incomplete() {
    let world = GateWorld::new("production");
    let hosted = Hosted::new(&world.host, &world.clock).await;
    for part in ["/pulls/1/commits", "/pulls/1/files"] {
        let longer = crate::github_world::Fault::Rewritten(|list| {
            let list = list.as_array_mut().expect("a list");
            list.push(list[0].clone());
        });
        hosted.fault(part, 1, longer);
    }
    let pull = hosted.client().read(&first(), &Needs::everything()).await.expect("facts").pull_request;
    assert_eq!((pull.commits_complete, pull.files_complete), (false, false));
}

#[tokio::test]
async fn a_change_of_the_base_during_reading_is_among_the_facts() {
    for part in ["/pulls/1/commits", "/pulls/1/reviews", "/issues/1/events"] {
        let read = read_while(part, base_changed, Needs::default()).await.expect("facts");
        assert!(read.pull_request.base_changed_at.is_some(), "{part}");
    }
}
