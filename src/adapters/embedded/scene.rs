//! A simulator to test with: a small organisation with one open pull request.

use std::sync::Arc;

use jiff::SignedDuration;

use super::clock::MovableClock;
use super::simulator::change::{
    Attribution, Change, NewAccount, NewCommit, NewMember, NewPullRequest, NewRepository, NewReview, NewTeam, Push,
    ReviewEvent,
};
use super::simulator::pull::{PullRequest, Review};
use super::simulator::world::{AccountType, FileChange, MembershipState, Switches};
use super::simulator::{GithubSimulator, Refusal};
use crate::ident::{Login, PullRequestRef, RepositoryName, ReviewId, Revision, TeamSlug};

/// A simulator and its clock. dave opened acme/checkout#1. pia and pat are in acme/payments, pat through a child team;
/// lee is only invited.
pub(super) struct Scene {
    pub(super) host: GithubSimulator,
    pub(super) clock: Arc<MovableClock>,
}

pub(super) fn login(text: &str) -> Login {
    Login::new(text).unwrap()
}

pub(super) fn repository() -> RepositoryName {
    RepositoryName::new("acme/checkout").unwrap()
}

pub(super) fn first() -> PullRequestRef {
    PullRequestRef::new("acme/checkout#1").unwrap()
}

pub(super) fn team(text: &str) -> TeamSlug {
    TeamSlug::new(text).unwrap()
}

pub(super) fn sha(digit: char) -> Revision {
    Revision::new(&digit.to_string().repeat(40)).unwrap()
}

pub(super) fn commit(digit: char) -> NewCommit {
    let file = FileChange { path: format!("src/{digit}.rs"), previous_path: None, additions: 10, deletions: 2 };
    NewCommit { sha: Some(sha(digit)), files: vec![file], ..NewCommit::default() }
}

pub(super) fn push_of(by: &str, commits: Vec<NewCommit>) -> Push {
    Push { by: login(by), commits, force: false, rebind_reviews: false }
}

pub(super) fn review_of(event: ReviewEvent) -> NewReview {
    NewReview { event: Some(event), body: Some("so".into()), commit_id: None }
}

pub(super) fn populate(change: &mut Change<'_>) -> Result<(), Refusal> {
    for name in ["dave", "pia", "pat", "lee"] {
        change.create_account(&NewAccount { login: login(name), id: None, kind: AccountType::User })?;
    }
    let bot = NewAccount { login: login("countersign[bot]"), id: None, kind: AccountType::Bot };
    change.create_account(&bot)?;
    let active = |name: &str| NewMember { login: login(name), state: MembershipState::Active };
    let invited = NewMember { login: login("lee"), state: MembershipState::Pending };
    let parent = NewTeam {
        team: team("acme/payments"),
        name: Some("Payments".into()),
        parent: None,
        members: vec![active("pia"), invited],
    };
    change.create_team(&parent)?;
    let child = NewTeam {
        team: team("acme/payments-core"),
        name: None,
        parent: Some(team("acme/payments")),
        members: vec![active("pat")],
    };
    change.create_team(&child)?;
    let checkout = NewRepository { name: repository(), default_branch: None, switches: Switches::default() };
    change.create_repository(&checkout)?;
    change.push(&repository(), "feature", &push_of("dave", vec![commit('a')]))?;
    let new = NewPullRequest {
        title: "Retry payments".into(),
        head: "feature".into(),
        base: "main".into(),
        ..NewPullRequest::default()
    };
    change.open(&login("dave"), &repository(), &new)?;
    Ok(())
}

impl Scene {
    pub(super) fn new() -> Self {
        let clock = Arc::new(MovableClock::fixed("2026-11-18T10:00:00Z".parse().unwrap()));
        let host = GithubSimulator::in_memory(clock.clone()).unwrap();
        host.change(populate).unwrap();
        Self { host, clock }
    }

    pub(super) fn pull(&self) -> PullRequest {
        PullRequest::clone(self.host.world().pull(&first()).unwrap())
    }

    pub(super) fn review(&self, by: &str, event: ReviewEvent) -> Result<ReviewId, Refusal> {
        self.host.change(|change| change.review(&login(by), &first(), &review_of(event)))
    }

    pub(super) fn approve(&self, by: &str) -> ReviewId {
        self.review(by, ReviewEvent::Approve).unwrap()
    }

    pub(super) fn push(&self, digit: char) {
        self.host.change(|change| change.push_to_pull(&first(), &push_of("dave", vec![commit(digit)]))).unwrap();
    }

    pub(super) fn given(&self, id: ReviewId) -> Review {
        self.pull().review(id).unwrap().clone()
    }

    pub(super) fn an_hour_passes(&self) {
        self.clock.advance(SignedDuration::from_hours(1));
    }
}

pub(super) fn unattributed(digit: char) -> NewCommit {
    NewCommit { author: Attribution::Nobody, committer: Attribution::Nobody, ..commit(digit) }
}
