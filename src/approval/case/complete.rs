//! Completes the facts of a case with defaults.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::super::facts::{
    BoundBy, Commit, DismissedFrom, FACTS_SCHEMA, Facts, Person, PullRequest, PullRequestState, Review, ReviewState,
    Veto,
};
use super::given::{Given, GivenCommit, GivenPullRequest, GivenReview};
use crate::ident::{Login, PullRequestRef, RepositoryName, ReviewId, Revision, UserId};
use crate::policy::{Pattern, Rule};

/// 2026-01-01T00:00:00Z, in seconds since 1970.
const NOW: i64 = 1_767_225_600;
const HEAD: &str = "a1";
const MERGE_COMMIT: &str = "m1";
const AUTHOR: &str = "author";
const DEFAULT_BRANCH: &str = "main";
/// Used if the rule names no repository, or there is no rule.
const REPOSITORY: &str = "example/repository";
const ANOTHER_REPOSITORY: &str = "example/another";

/// The facts with all defaults. The repository and the base branch are ones that the rule allows.
pub(super) fn facts(given: &Given, rule: Option<&Rule<'_>>) -> Facts {
    let now = given.now.unwrap_or_else(|| Timestamp::from_second(NOW).unwrap_or_default());
    let pull_request = match &given.pull_request {
        None => Some(pull_request(&GivenPullRequest::default(), rule, now)),
        Some(given) => given.as_ref().map(|given| pull_request(given, rule, now)),
    };
    let head = pull_request.as_ref().and_then(|pull_request| pull_request.head.clone().into());
    Facts {
        schema: FACTS_SCHEMA,
        now,
        target: given.target.clone(),
        requested_at: given.requested_at.unwrap_or_else(|| Some(before(now, SignedDuration::from_hours(1)))),
        approved_at: given.approved_at.flatten(),
        input: given.input.clone(),
        version: given.version.clone().flatten(),
        requester: given.requester.clone().flatten(),
        revision: given.revision.clone().unwrap_or_else(|| head.clone()),
        pull_request,
        teams: given.teams.clone(),
        reviews: reviews(&given.reviews, head.as_ref(), now),
        vetoes: vetoes(given, now),
    }
}

fn before(now: Timestamp, span: SignedDuration) -> Timestamp {
    now.checked_sub(span).unwrap_or(Timestamp::MIN)
}

fn half_an_hour_before(now: Timestamp) -> Timestamp {
    before(now, SignedDuration::from_mins(30))
}

fn pull_request(given: &GivenPullRequest, rule: Option<&Rule<'_>>, now: Timestamp) -> PullRequest {
    let author = given.author.clone().unwrap_or_else(|| Login::new(AUTHOR).ok().map(person));
    let head = given.head.clone().unwrap_or_else(|| fixed(HEAD, Revision::new));
    let merged = given.merged.unwrap_or(false);
    let state = given.state.unwrap_or(if merged { PullRequestState::Closed } else { PullRequestState::Open });
    let default_branch = given.default_branch.clone().unwrap_or_else(|| DEFAULT_BRANCH.to_owned());
    let one = [GivenCommit::default()];
    let commits = given.commits.as_deref().unwrap_or(&one);
    let day_before = before(now, SignedDuration::from_hours(24));
    PullRequest {
        repository: given.repository.clone().unwrap_or_else(|| repository(rule)),
        number: given.number.unwrap_or(1),
        state,
        merged,
        merge_commit: given.merge_commit.clone().flatten(),
        head_first_seen: given.head_first_seen.unwrap_or(Some(day_before)),
        base: given.base.clone().unwrap_or_else(|| base(rule, &default_branch)),
        default_branch,
        base_changed_at: given.base_changed_at.flatten(),
        labels: given.labels.clone().unwrap_or_default(),
        additions: given.additions.unwrap_or(0),
        deletions: given.deletions.unwrap_or(0),
        files: given.files.clone().unwrap_or_default(),
        files_complete: given.files_complete.unwrap_or(true),
        commits: commits.iter().map(|commit| complete_commit(commit, &head, author.as_ref())).collect(),
        commits_complete: given.commits_complete.unwrap_or(true),
        pushers: given.pushers.clone().unwrap_or_else(|| author.iter().cloned().collect()),
        pushers_complete: given.pushers_complete.unwrap_or(true),
        head,
        author,
    }
}

pub(super) fn complete_commit(given: &GivenCommit, head: &Revision, author: Option<&Person>) -> Commit {
    Commit {
        sha: given.sha.clone().unwrap_or_else(|| head.clone()),
        author: given.author.clone().unwrap_or_else(|| author.cloned()),
        committer: given.committer.clone().unwrap_or_else(|| author.cloned()),
        co_authors: given.co_authors.clone().unwrap_or_default(),
        verified: given.verified.unwrap_or(true),
        parents: given.parents.clone().unwrap_or_default(),
    }
}

fn person(login: Login) -> Person {
    Person { id: UserId::derived(&login), login, kind: Default::default() }
}

/// The merge commit, if a case does not give one.
pub(super) fn merge_commit() -> Revision {
    fixed(MERGE_COMMIT, Revision::new)
}

/// A repository that the rule allows.
fn repository(rule: Option<&Rule<'_>>) -> RepositoryName {
    let allowed = rule.and_then(|rule| rule.repository.first()).map(|pattern| filled_in(pattern.as_str()));
    let allowed = allowed.and_then(|name| RepositoryName::new(&name).ok());
    allowed.unwrap_or_else(|| fixed(REPOSITORY, RepositoryName::new))
}

/// A branch that the rule allows: the default branch if possible, otherwise one that matches a pattern.
fn base(rule: Option<&Rule<'_>>, default_branch: &str) -> String {
    let branches = rule.and_then(|rule| rule.branches).unwrap_or_default();
    if branches.is_empty() || branches.iter().any(|branch| branch.matches(default_branch)) {
        return default_branch.to_owned();
    }
    let matching = |branch: &Pattern| Some(filled_in(branch.as_str())).filter(|name| branch.matches(name));
    branches.iter().find_map(matching).unwrap_or_else(|| default_branch.to_owned())
}

/// A glob with its wildcards filled in.
fn filled_in(glob: &str) -> String {
    glob.replace('*', "any").replace('?', "x")
}

/// Parses a constant of this file.
fn fixed<T, E: std::fmt::Debug>(text: &str, new: impl Fn(&str) -> Result<T, E>) -> T {
    #[expect(clippy::expect_used, reason = "the texts are constants of this file, and a test reads each")]
    new(text).expect("a well-formed constant")
}

/// The reviews. Those without an id get the first numbers that are free.
fn reviews(given: &[GivenReview], head: Option<&Revision>, now: Timestamp) -> Vec<Review> {
    let taken: BTreeSet<ReviewId> = given.iter().filter_map(|review| review.id).collect();
    let mut numbers = (1..).map(ReviewId).filter(|id| !taken.contains(id));
    let mut reviews = Vec::with_capacity(given.len());
    for review in given {
        let Some(id) = review.id.or_else(|| numbers.next()) else { break };
        reviews.push(complete_review(review, id, head, now));
    }
    reviews
}

fn complete_review(given: &GivenReview, id: ReviewId, head: Option<&Revision>, now: Timestamp) -> Review {
    let (was, at) = match given.state {
        ReviewState::Dismissed => (Some(DismissedFrom::Approved), Some(half_an_hour_before(now))),
        ReviewState::Pending => (None, None),
        ReviewState::Approved | ReviewState::ChangesRequested | ReviewState::Commented => {
            (None, Some(half_an_hour_before(now)))
        }
    };
    Review {
        id,
        user: given.user.clone(),
        state: given.state,
        was: given.was.unwrap_or(was),
        dismissed_by: given.dismissed_by.clone().flatten(),
        revision: given.revision.clone().unwrap_or_else(|| head.cloned()),
        bound_by: given.bound_by.unwrap_or(BoundBy::Delivery),
        submitted_at: given.at.unwrap_or(at),
        edited: given.edited.unwrap_or(false),
        body: given.body.clone().unwrap_or_default(),
    }
}

fn vetoes(given: &Given, now: Timestamp) -> Vec<Veto> {
    let another = || PullRequestRef { repository: fixed(ANOTHER_REPOSITORY, RepositoryName::new), number: 1 };
    let complete = |veto: &super::given::GivenVeto| Veto {
        by: veto.by.clone(),
        at: veto.at.unwrap_or_else(|| half_an_hour_before(now)),
        pull_request: veto.pull_request.clone().unwrap_or_else(another),
    };
    given.vetoes.iter().map(complete).collect()
}
