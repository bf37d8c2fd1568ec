//! What an event does to the facts: what the gate would know after it. An overlay on the facts, and no second evaluator.

use jiff::{SignedDuration, Timestamp};

use super::super::decision::{Decision, Verdict};
use super::super::facts::{
    BoundBy, ChangedFile, DismissedFrom, Facts, Person, PullRequest, PullRequestState, Review, ReviewState,
};
use super::complete::{complete_commit, merge_commit};
use super::event::{Dismissed, Event, NewReview, Push, Step, Time};
use super::given::GivenCommit;
use crate::ident::ReviewId;

/// Moves the time and lays the event over the facts.
///
/// # Errors
/// Cause it cannot happen to these facts, as part of a sentence. Only the time has moved then, if it can.
pub(super) fn apply(step: &Step, facts: &mut Facts) -> Result<(), String> {
    let at = moved(step.time, facts.now)?;
    facts.now = at;
    match &step.event {
        Event::Tick => Ok(()),
        Event::Review(review) => submit(review, facts, at),
        Event::Dismiss { of, by } => dismiss(of, by, facts),
        Event::Push(push) => pushed(push, open(facts, "pushed to")?, at),
        Event::Label { add, remove } => label(add, remove, pull_request(facts)?),
        Event::Base { to } => rebase(to, open(facts, "given another base")?, at),
        Event::Close => {
            open(facts, "closed")?.state = PullRequestState::Closed;
            Ok(())
        }
        Event::Merge { commit } => {
            let pull_request = open(facts, "merged")?;
            pull_request.state = PullRequestState::Closed;
            pull_request.merged = true;
            pull_request.merge_commit = Some(commit.clone().unwrap_or_else(merge_commit));
            Ok(())
        }
    }
}

fn moved(time: Time, now: Timestamp) -> Result<Timestamp, String> {
    let after = |span| now.checked_add(span).map_err(|_| "no clock reaches that far".to_owned());
    match time {
        Time::Next => after(SignedDuration::from_mins(1)),
        Time::After(span) => after(span.signed()),
        Time::At(at) if at < now => Err(format!("time goes forward only, and it is {now} already")),
        Time::At(at) => Ok(at),
    }
}

/// What the gate keeps of a decision: when it asked people, and when it settled the request as approved.
///
/// As `evaluate` and `settle` do: nobody is asked where the requirement is met already or it is not the time to ask, and
/// once they were asked, `wait` says that their part is done.
pub(super) fn remember(decision: &Decision, facts: &mut Facts) {
    let now = facts.now;
    match decision.verdict {
        // What was approved and is so no longer asks nobody again.
        Verdict::Pending | Verdict::Blocked if facts.approved_at.is_none() => {
            facts.requested_at.get_or_insert(now);
        }
        Verdict::Approved => {
            facts.approved_at.get_or_insert(now);
        }
        Verdict::Wait if facts.requested_at.is_some() => {
            facts.approved_at.get_or_insert(now);
        }
        Verdict::Pending
        | Verdict::Blocked
        | Verdict::Wait
        | Verdict::Rejected
        | Verdict::Expired
        | Verdict::Superseded
        | Verdict::Denied => {}
    }
}

fn pull_request(facts: &mut Facts) -> Result<&mut PullRequest, String> {
    facts.pull_request.as_mut().ok_or_else(|| "there is no pull request".to_owned())
}

/// The pull request, for what GitHub only does to one that is open.
fn open<'f>(facts: &'f mut Facts, done: &str) -> Result<&'f mut PullRequest, String> {
    let pull_request = pull_request(facts)?;
    match (pull_request.state, pull_request.merged) {
        (PullRequestState::Open, _) => Ok(pull_request),
        (PullRequestState::Closed, true) => Err(format!("a pull request that is merged cannot be {done}")),
        (PullRequestState::Closed, false) => Err(format!("a pull request that is closed cannot be {done}")),
    }
}

fn submit(new: &NewReview, facts: &mut Facts, at: Timestamp) -> Result<(), String> {
    let head = pull_request(facts)?.head.clone();
    // As on GitHub, a later review has the greater number.
    let next = facts.reviews.iter().map(|review| review.id.0).max().unwrap_or(0).saturating_add(1);
    let id = new.id.unwrap_or(ReviewId(next));
    if facts.reviews.iter().any(|review| review.id == id) {
        return Err(format!("there is a review with the `id` {id} already"));
    }
    facts.reviews.push(Review {
        id,
        user: Some(new.by.clone()),
        state: new.state,
        was: None,
        dismissed_by: None,
        revision: new.revision.clone().unwrap_or(Some(head)),
        bound_by: new.bound_by.unwrap_or(BoundBy::Delivery),
        submitted_at: Some(at),
        body: new.body.clone().unwrap_or_default(),
    });
    Ok(())
}

fn dismiss(of: &Dismissed, by: &Person, facts: &mut Facts) -> Result<(), String> {
    pull_request(facts)?;
    let reviews = facts.reviews.iter_mut();
    let (found, whose) = match of {
        Dismissed::Id(id) => {
            (reviews.filter(|review| review.id == *id).max_by_key(|review| review.submitted_at), format!("review {id}"))
        }
        Dismissed::Login(login) => {
            let own = |review: &&mut Review| {
                dismissed_from(review.state).is_some()
                    && review.user.as_ref().is_some_and(|user| user.login.as_str().eq_ignore_ascii_case(login))
            };
            (reviews.filter(own).max_by_key(|review| (review.submitted_at, review.id)), format!("review of `{login}`"))
        }
    };
    let Some(review) = found else { return Err(format!("there is no {whose} that could be dismissed")) };
    let Some(was) = dismissed_from(review.state) else {
        return Err(format!("{whose} neither approves nor requests changes, and cannot be dismissed"));
    };
    review.state = ReviewState::Dismissed;
    review.was = Some(was);
    review.dismissed_by = Some(by.clone());
    Ok(())
}

/// What a review that can be dismissed says.
const fn dismissed_from(state: ReviewState) -> Option<DismissedFrom> {
    match state {
        ReviewState::Approved => Some(DismissedFrom::Approved),
        ReviewState::ChangesRequested => Some(DismissedFrom::ChangesRequested),
        ReviewState::Commented | ReviewState::Dismissed | ReviewState::Pending => None,
    }
}

fn pushed(push: &Push, pull_request: &mut PullRequest, at: Timestamp) -> Result<(), String> {
    if pull_request.head == push.head {
        return Err(format!("{} is the head already", push.head));
    }
    if push.force {
        pull_request.commits.clear();
        pull_request.files.clear();
        pull_request.additions = 0;
        pull_request.deletions = 0;
    }
    let one = [GivenCommit { sha: None, author: None, committer: None }];
    let commits = push.commits.as_deref().unwrap_or(&one);
    pull_request.commits.extend(commits.iter().map(|commit| complete_commit(commit, &push.head, Some(&push.by))));
    for file in &push.files {
        touch(file, &mut pull_request.files);
    }
    pull_request.additions = pull_request.additions.saturating_add(push.additions);
    pull_request.deletions = pull_request.deletions.saturating_add(push.deletions);
    if !pull_request.pushers.iter().any(|pusher| pusher.id == push.by.id) {
        pull_request.pushers.push(push.by.clone());
    }
    pull_request.head = push.head.clone();
    pull_request.head_first_seen = Some(at);
    Ok(())
}

/// Adds a file, in place of what was known of it.
fn touch(file: &ChangedFile, files: &mut Vec<ChangedFile>) {
    files.retain(|known| known.path != file.path);
    files.push(file.clone());
}

/// Labels are compared without case, as GitHub does.
fn label(add: &[String], remove: &[String], pull_request: &mut PullRequest) -> Result<(), String> {
    for name in remove {
        let before = pull_request.labels.len();
        pull_request.labels.retain(|label| label.to_lowercase() != name.to_lowercase());
        if pull_request.labels.len() == before {
            return Err(format!("the label `{name}` is not there to be removed"));
        }
    }
    for name in add {
        if pull_request.labels.iter().any(|label| label.to_lowercase() == name.to_lowercase()) {
            return Err(format!("the label `{name}` is there already"));
        }
        pull_request.labels.push(name.clone());
    }
    Ok(())
}

fn rebase(to: &str, pull_request: &mut PullRequest, at: Timestamp) -> Result<(), String> {
    if pull_request.base == to {
        return Err(format!("`{to}` is the base already"));
    }
    pull_request.base = to.to_owned();
    pull_request.base_changed_at = Some(at);
    Ok(())
}
