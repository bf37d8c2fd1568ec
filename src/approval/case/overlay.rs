//! Applies events to facts, so that they hold what the gate would know. Decides nothing.

use jiff::{SignedDuration, Timestamp};

use super::super::decision::{Decision, Verdict};
use super::super::facts::{
    BoundBy, ChangedFile, DismissedFrom, Facts, Person, PullRequest, PullRequestState, Review, ReviewState,
};
use super::complete::{complete_commit, merge_commit};
use super::event::{Dismissed, Event, NewReview, Push, Step, Time};
use super::given::GivenCommit;
use crate::ident::ReviewId;

/// Moves the time and applies the event to the facts.
///
/// # Errors
/// Why the event cannot happen to these facts, as part of a sentence. Then at most the time has moved.
pub(super) fn apply(step: &Step, facts: &mut Facts) -> Result<(), String> {
    let at = moved(step.time, facts.now)?;
    facts.now = at;
    match &step.event {
        Event::Tick => Ok(()),
        Event::Review(review) => submit(review, facts, at),
        Event::Dismiss { of, by } => dismiss(of, by, facts),
        Event::Push(new) => push(new, open(facts, "pushed to")?, at),
        Event::Label { add, remove } => label(add, remove, pull_request(facts)?),
        Event::Base { to } => change_base(to, open(facts, "given another base")?, at),
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
    let after = |span| now.checked_add(span).map_err(|_| "the time is out of range".to_owned());
    match time {
        Time::Next => after(SignedDuration::from_mins(1)),
        Time::After(span) => after(span.signed()),
        Time::At(at) if at < now => Err(format!("time only goes forward, and it is already {now}")),
        Time::At(at) => Ok(at),
    }
}

/// Records what the gate remembers of a decision: when it opened the request, and when the request was approved.
///
/// As in `evaluate` and `settle`: no request is opened if the requirement is already met or it is too early. After
/// the request was opened, `wait` means that people have approved.
pub(super) fn remember(decision: &Decision, facts: &mut Facts) {
    let now = facts.now;
    match decision.verdict {
        // A request that is no longer approved is not opened again.
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

/// The pull request, if it is open.
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
    // As on GitHub, a later review has a greater number.
    let next = facts.reviews.iter().map(|review| review.id.0).max().unwrap_or(0).saturating_add(1);
    let id = new.id.unwrap_or(ReviewId(next));
    if facts.reviews.iter().any(|review| review.id == id) {
        return Err(format!("a review with the `id` {id} already exists"));
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
        edited: new.edited.unwrap_or(false),
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
        return Err(format!("{whose} neither approves nor requests changes, so it cannot be dismissed"));
    };
    review.state = ReviewState::Dismissed;
    review.was = Some(was);
    review.dismissed_by = Some(by.clone());
    Ok(())
}

/// What a review says. `None` if it cannot be dismissed.
const fn dismissed_from(state: ReviewState) -> Option<DismissedFrom> {
    match state {
        ReviewState::Approved => Some(DismissedFrom::Approved),
        ReviewState::ChangesRequested => Some(DismissedFrom::ChangesRequested),
        ReviewState::Commented | ReviewState::Dismissed | ReviewState::Pending => None,
    }
}

fn push(new: &Push, pull_request: &mut PullRequest, at: Timestamp) -> Result<(), String> {
    if pull_request.head == new.head {
        return Err(format!("{} is already the head", new.head));
    }
    if new.force {
        pull_request.commits.clear();
        pull_request.files.clear();
        pull_request.additions = 0;
        pull_request.deletions = 0;
    }
    let one = [GivenCommit::default()];
    let commits = new.commits.as_deref().unwrap_or(&one);
    pull_request.commits.extend(commits.iter().map(|commit| complete_commit(commit, &new.head, Some(&new.by))));
    for file in &new.files {
        touch(file, &mut pull_request.files);
    }
    pull_request.additions = pull_request.additions.saturating_add(new.additions);
    pull_request.deletions = pull_request.deletions.saturating_add(new.deletions);
    if !pull_request.pushers.iter().any(|pusher| pusher.id == new.by.id) {
        pull_request.pushers.push(new.by.clone());
    }
    pull_request.head = new.head.clone();
    pull_request.head_first_seen = Some(at);
    Ok(())
}

/// Adds a file, or replaces what was known of it.
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
            return Err(format!("the pull request does not have the label `{name}`"));
        }
    }
    for name in add {
        if pull_request.labels.iter().any(|label| label.to_lowercase() == name.to_lowercase()) {
            return Err(format!("the pull request already has the label `{name}`"));
        }
        pull_request.labels.push(name.clone());
    }
    Ok(())
}

fn change_base(to: &str, pull_request: &mut PullRequest, at: Timestamp) -> Result<(), String> {
    if pull_request.base == to {
        return Err(format!("`{to}` is already the base"));
    }
    pull_request.base = to.to_owned();
    pull_request.base_changed_at = Some(at);
    Ok(())
}
