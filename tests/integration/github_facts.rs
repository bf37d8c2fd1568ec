//! Facts from the simulator in process and from GitHub's client over HTTP, which must be equal.

use std::collections::BTreeSet;

use countersign::adapters::embedded::simulator::change::{
    Attribution, Change, MergeCommand, NewAccount, NewCommit, NewMember, NewPullRequest, NewReview, NewTeam,
    PullRequestEdit, Push, ReviewEvent, TeamEdit,
};
use countersign::adapters::embedded::simulator::world::{AccountType, FileChange, MembershipState};
use countersign::adapters::embedded::simulator::{GithubSimulator, Refusal};
use countersign::approval::facts::{self, DismissedFrom, PullRequestState, ReviewState};
use countersign::ident::{PullRequestRef, RepositoryName, ReviewId, Revision, TeamSlug};
use countersign::ports::{CodeHost, CodeHostError, FoundPullRequest, Needs, Objection, Reading};
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
    found: Vec<Result<Vec<FoundPullRequest>, CodeHostError>>,
}

async fn answers(host: &dyn CodeHost, simulator: &GithubSimulator) -> Answers {
    let world = simulator.world();
    let numbers: Vec<u64> = world.pulls.values().map(|pull| pull.number).chain([99]).collect();
    let commits: Vec<Revision> =
        world.pulls.values().flat_map(|pull| pull.merge_commit_sha.iter().chain([&pull.head.sha]).cloned()).collect();
    let (mut readings, mut found) = (Vec::new(), Vec::new());
    let teams: BTreeSet<TeamSlug> =
        ["acme/payments", "acme/payments-core", "acme/nobody"].map(|team| TeamSlug::new(team).expect("a team")).into();
    for number in numbers {
        let at = PullRequestRef { repository: repository(), number };
        let with_teams = Needs { teams: teams.clone(), ..Needs::everything() };
        for needs in [with_teams, Needs::default(), Needs { files: true, ..Needs::default() }] {
            readings.push(host.read(&at, &needs).await);
        }
    }
    for sha in commits.iter().chain([&revision('9')]) {
        found.push(host.pull_requests_of(&repository(), sha).await);
    }
    let nowhere = RepositoryName::new("acme/nowhere").expect("a repository");
    found.push(host.pull_requests_of(&nowhere, &revision('a')).await);
    Answers { readings, found }
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
    commits_with_signatures_parents_and_co_authors: |world: &GateWorld| {
        let co_authored = |email: &str| Some(format!("Retry\n\nCo-authored-by: Somebody <{email}>"));
        let by = |message| NewCommit { verified: true, message, ..NewCommit::default() };
        changed(world, |change| change.push_to_pull(&first(), &push("dave", vec![
            by(co_authored("pat@users.noreply.github.com")),
            by(co_authored("nobody@nowhere.example")),
            NewCommit { verified: false, ..by(None) },
        ])));
    }, |reading: &Reading| {
        let commits = &reading.pull_request.commits;
        let verified: Vec<bool> = commits.iter().map(|commit| commit.verified).collect();
        assert_eq!((verified, logins(&commits[1].co_authors)), (vec![true, true, false, false], vec!["pat"]));
        assert_eq!(commits[1].parents, [revision('a')]);
    };
    edited_reviews: |world: &GateWorld| {
        let id = changed(world, |change| review(change, "pat", ReviewEvent::Approve));
        changed(world, |change| review(change, "pia", ReviewEvent::Approve));
        changed(world, |change| change.edit_review(&login("dave"), &first(), id, "/approve production"));
    }, |reading: &Reading| {
        let edited: Vec<bool> = reading.reviews.iter().map(|review| review.edited).collect();
        assert_eq!((edited, reading.reviews[0].body.as_str()), (vec![true, false], "/approve production"));
    };
    objections_on_other_pull_requests_of_the_head: |world: &GateWorld| {
        let twin = |change: &mut Change<'_>, base: &str| {
            change.push(&repository(), base, &push("pia", vec![commit('e')]))?;
            let new = NewPullRequest { head: "feature".into(), base: base.into(), ..NewPullRequest::default() };
            change.open(&login("dave"), &repository(), &new)
        };
        let object = |change: &mut Change<'_>, by: &str, at: &PullRequestRef, event| {
            change.review(&login(by), at, &NewReview { event: Some(event), body: Some("so".into()), commit_id: None })
        };
        changed(world, |change| {
            let open = twin(change, "release")?;
            object(change, "pia", &open, ReviewEvent::Approve)?;
            object(change, "pat", &open, ReviewEvent::Comment)?;
            object(change, "pat", &open, ReviewEvent::RequestChanges)?;
            let dismissed = object(change, "pia", &open, ReviewEvent::RequestChanges)?;
            change.dismiss(&login("dave"), &open, dismissed, "no")?;
            let closed = twin(change, "next")?;
            object(change, "pat", &closed, ReviewEvent::RequestChanges)?;
            let edit = PullRequestEdit { state: Some("closed".into()), ..PullRequestEdit::default() };
            change.edit(&login("dave"), &closed, &edit)
        });
    }, |reading: &Reading| {
        let by = |objection: &Objection| objection.review.user.as_ref().expect("a person").login.to_string();
        let objections: Vec<_> = reading.objections.iter().map(|one| (one.pull_request.number, by(one))).collect();
        assert_eq!(objections, [(2, "pat".to_owned()), (2, "pia".to_owned())]);
        let states: Vec<_> = reading.objections.iter().map(|one| one.review.state).collect();
        assert_eq!(states, [ReviewState::ChangesRequested, ReviewState::Dismissed]);
    };
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
    lists_over_the_limits_truncated_and_marked_incomplete: |world: &GateWorld| {
        let file = |n| FileChange { path: format!("f{n}"), previous_path: None, additions: 1, deletions: 0 };
        let many = NewCommit { files: (0..3000).map(file).collect(), ..NewCommit::default() };
        let commits = std::iter::once(many).chain((0..250).map(|_| NewCommit::default())).collect();
        changed(world, |change| change.push_to_pull(&first(), &push("dave", commits)));
    }, |reading: &Reading| {
        let pull = &reading.pull_request;
        assert_eq!((pull.commits.len(), pull.commits_complete, pull.files_complete), (252, true, false));
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

/// With more than a page of files, commits and reviews, and a moved file.
fn large(world: &GateWorld) {
    let file = |n| FileChange { path: format!("f{n}"), previous_path: None, additions: 1, deletions: 0 };
    let moved = FileChange { previous_path: Some("old".into()), ..file(0) };
    let first_commit = NewCommit { files: (1..120).map(file).chain([moved]).collect(), ..NewCommit::default() };
    let commits = std::iter::once(first_commit).chain((0..60).map(|_| NewCommit::default())).collect();
    changed(world, |change| change.push_to_pull(&first(), &push("pat", commits)));
}

/// Reads a large pull request while something happens just before GitHub answers a call.
async fn large_read_while(part: &str, happens: fn(&GithubSimulator)) -> Result<Reading, CodeHostError> {
    let world = GateWorld::new("production");
    changed(&world, |change| change.push(&repository(), "release", &push("pia", vec![commit('e')])));
    large(&world);
    let hosted = Hosted::new(&world.host, &world.clock).await;
    let client = hosted.client();
    hosted.fault(part, 1, crate::github_world::Fault::Meanwhile(happens));
    let read = client.read(&first(), &Needs::everything()).await;
    // Afterwards it can be read.
    client.read(&first(), &Needs::everything()).await.expect("facts");
    read
}

#[tokio::test]
async fn a_pull_request_that_changes_while_its_lists_are_read_is_an_error() {
    for (happens, what) in [
        (pushed as fn(&GithubSimulator), "a push"),
        (pushed_back, "a push back"),
        (replaced, "other commits"),
        (base_changed, "another base"),
    ] {
        for part in ["Facts commits files", "/pulls/1/files"] {
            let read = large_read_while(part, happens).await;
            let Err(CodeHostError::Unavailable { detail }) = read else { panic!("{what} at {part}: {read:?}") };
            // A shorter list may no longer have the place at which a page begins.
            let cursor = detail.contains("not a valid cursor");
            assert!(cursor || detail == "the pull request `acme/checkout#1` changed while it was read", "{detail}");
        }
    }
}

#[tokio::test]
async fn a_change_after_the_query_changes_nothing_that_was_read_but_the_pushers() {
    let quiet = read_while("nothing", pushed, Needs::everything()).await.expect("facts");
    for happens in [pushed as fn(&GithubSimulator), pushed_back, replaced, base_changed] {
        let read = read_while("/activity", happens, Needs::everything()).await.expect("facts");
        let pull = facts::PullRequest { pushers: quiet.pull_request.pushers.clone(), ..read.pull_request.clone() };
        let same = facts::PullRequest { head_first_seen: pull.head_first_seen, ..quiet.pull_request.clone() };
        assert_eq!((pull, read.reviews), (same, quiet.reviews.clone()));
        assert!(quiet.pull_request.pushers.iter().all(|pusher| read.pull_request.pushers.contains(pusher)));
        assert!(read.pull_request.head_first_seen >= quiet.pull_request.head_first_seen);
    }
}

#[tokio::test]
async fn a_review_that_comes_while_the_reviews_are_read_is_no_error() {
    let reviewed = |host: &GithubSimulator| {
        host.change(|change| review(change, "pia", ReviewEvent::Approve)).expect("a review");
    };
    let world = GateWorld::new("production");
    for _ in 0..150 {
        changed(&world, |change| review(change, "pat", ReviewEvent::Approve));
    }
    let hosted = Hosted::new(&world.host, &world.clock).await;
    hosted.fault("Facts reviews", 1, crate::github_world::Fault::Meanwhile(reviewed));
    let reading = hosted.client().read(&first(), &Needs::default()).await.expect("facts");
    assert_eq!(reading.reviews.len(), 151);
}

#[tokio::test]
async fn more_than_a_page_of_other_pull_requests_and_of_their_reviews_is_read() {
    let world = GateWorld::new("production");
    changed(&world, |change| {
        for n in 0..12 {
            let base = format!("release-{n}");
            change.push(&repository(), &base, &push("pia", vec![commit('e')]))?;
            let new = NewPullRequest { head: "feature".into(), base, ..NewPullRequest::default() };
            let twin = change.open(&login("dave"), &repository(), &new)?;
            let object =
                NewReview { event: Some(ReviewEvent::RequestChanges), body: Some("no".into()), commit_id: None };
            for _ in 0..(if n == 11 { 101 } else { 1 }) {
                change.review(&login("pat"), &twin, &object)?;
            }
        }
        Ok(())
    });
    let hosted = Hosted::new(&world.host, &world.clock).await;
    let reading = hosted.client().read(&first(), &Needs::default()).await.expect("facts");
    assert_eq!(reading.objections.len(), 112);
    assert_eq!(reading, world.host.read(&first(), &Needs::default()).await.expect("facts"));
}

#[tokio::test]
async fn a_list_that_is_longer_than_its_count_is_incomplete() {
    let world = GateWorld::new("production");
    let hosted = Hosted::new(&world.host, &world.clock).await;
    let longer = crate::github_world::Fault::Rewritten(|answer| {
        let pull = &mut answer["data"]["repository"]["pullRequest"];
        for list in ["commits", "files"] {
            let nodes = pull[list]["nodes"].as_array_mut().expect("a list");
            let again = nodes[0].clone();
            nodes.push(again);
            pull[list]["totalCount"] = 2.into();
        }
    });
    hosted.fault("/graphql", 1, longer);
    let pull = hosted.client().read(&first(), &Needs::everything()).await.expect("facts").pull_request;
    assert_eq!((pull.commits_complete, pull.files_complete), (false, false));
}
