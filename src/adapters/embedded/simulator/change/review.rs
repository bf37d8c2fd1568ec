//! Submitting, editing and dismissing reviews.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Change;
use crate::adapters::embedded::simulator::delivery::HookEvent;
use crate::adapters::embedded::simulator::payload;
use crate::adapters::embedded::simulator::pull::{DismissedFrom, Happening, Review, ReviewState};
use crate::adapters::embedded::simulator::refusal::Refusal;
use crate::adapters::embedded::simulator::world::MembershipState;
use crate::ident::{Login, PullRequestRef, ReviewId, Revision, TeamSlug, UserId};

/// A new review, in the shape of GitHub's REST.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct NewReview {
    /// `None` leaves it pending.
    pub event: Option<ReviewEvent>,
    pub body: Option<String>,
    /// Default: the head. As on GitHub, an older commit is accepted.
    pub commit_id: Option<Revision>,
}

/// The verdict of a review, in GitHub's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReviewEvent {
    Approve,
    RequestChanges,
    Comment,
}

impl ReviewEvent {
    const fn state(self) -> ReviewState {
        match self {
            Self::Approve => ReviewState::Approved,
            Self::RequestChanges => ReviewState::ChangesRequested,
            Self::Comment => ReviewState::Commented,
        }
    }
}

impl Change<'_> {
    /// Adds a review.
    ///
    /// # Errors
    /// The author approves or requests changes (unless the repository's switch accepts it), the pull request never had the
    /// commit, or the body is blank and GitHub requires one.
    pub fn review(&mut self, by: &Login, at: &PullRequestRef, new: &NewReview) -> Result<ReviewId, Refusal> {
        let by = self.account(by)?.id;
        let pull = self.pull(at)?;
        let body = new.body.clone().unwrap_or_default();
        if let Some(event) = new.event {
            self.check_review(by, at, event, &body)?;
        }
        let commit = new.commit_id.clone().unwrap_or_else(|| pull.head.sha.clone());
        if !pull.seen.contains(&commit) {
            return Err(Refusal::rule("The commit_id is not part of the pull request"));
        }
        if pull.reviews.iter().any(|review| review.user == by && review.state == ReviewState::Pending) {
            return Err(Refusal::rule("User can only have one pending review per pull request"));
        }
        let id = ReviewId(self.next_id());
        let review = Review {
            id,
            user: by,
            state: new.event.map_or(ReviewState::Pending, ReviewEvent::state),
            body,
            edited: false,
            commit_id: Some(commit),
            submitted_at: new.event.map(|_| self.now),
        };
        self.pull_mut(at)?.reviews.push(review);
        if new.event.is_some() {
            self.fulfil_review_requests(at, by)?;
            self.queue_review(at, by, id, ("submitted", json!({})))?;
        }
        Ok(id)
    }

    /// Submits a pending review.
    ///
    /// # Errors
    /// The person has no such pending review, or [`Change::review`] refuses it.
    pub fn submit(&mut self, by: &Login, at: &PullRequestRef, id: ReviewId, new: &NewReview) -> Result<(), Refusal> {
        let by = self.account(by)?.id;
        let pull = self.pull(at)?;
        let pending = pull.review(id).filter(|review| review.user == by && review.state == ReviewState::Pending);
        let body = new.body.clone().unwrap_or_else(|| pending.map(|review| review.body.clone()).unwrap_or_default());
        let event = new.event.ok_or_else(|| Refusal::rule("event is missing"))?;
        if pending.is_none() {
            return Err(Refusal::NotFound);
        }
        self.check_review(by, at, event, &body)?;
        let now = self.now;
        let review = self.review_mut(at, id)?;
        review.state = event.state();
        review.body = body;
        review.submitted_at = Some(now);
        self.fulfil_review_requests(at, by)?;
        self.queue_review(at, by, id, ("submitted", json!({})))
    }

    /// Removes the review requests to a reviewer and to the reviewer's teams.
    fn fulfil_review_requests(&mut self, at: &PullRequestRef, by: UserId) -> Result<(), Refusal> {
        let teams = self.pull(at)?.requested_teams.clone();
        let answered = |team: &TeamSlug| self.world.membership(team, by) == Some(MembershipState::Active);
        let open: BTreeSet<TeamSlug> = teams.into_iter().filter(|team| !answered(team)).collect();
        let pull = self.pull_mut(at)?;
        pull.requested_reviewers.remove(&by);
        pull.requested_teams = open;
        Ok(())
    }

    fn check_review(&self, by: UserId, at: &PullRequestRef, event: ReviewEvent, body: &str) -> Result<(), Refusal> {
        let own = self.pull(at)?.is_author(by) && !self.repository(&at.repository)?.switches.allow_self_review;
        match event {
            ReviewEvent::Approve if own => Err(Refusal::rule("Can not approve your own pull request")),
            ReviewEvent::RequestChanges if own => {
                Err(Refusal::rule("Can not request changes on your own pull request"))
            }
            ReviewEvent::RequestChanges | ReviewEvent::Comment if body.trim().is_empty() => {
                Err(Refusal::rule("Body can not be blank"))
            }
            ReviewEvent::Approve | ReviewEvent::RequestChanges | ReviewEvent::Comment => Ok(()),
        }
    }

    /// Changes a review's text. Its state and commit stay.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub fn edit_review(&mut self, by: &Login, at: &PullRequestRef, id: ReviewId, body: &str) -> Result<(), Refusal> {
        let by = self.account(by)?.id;
        let review = self.review_mut(at, id)?;
        let from = std::mem::replace(&mut review.body, body.to_owned());
        if review.state == ReviewState::Pending {
            return Ok(());
        }
        review.edited = true;
        self.queue_review(at, by, id, ("edited", json!({ "changes": { "body": { "from": from } } })))
    }

    /// # Errors
    /// The review does not exist, the message is blank, or the review neither approves nor requests changes now.
    pub fn dismiss(&mut self, by: &Login, at: &PullRequestRef, id: ReviewId, message: &str) -> Result<(), Refusal> {
        let by = self.account(by)?.id;
        let state = self.pull(at)?.review(id).map(|review| review.state).ok_or(Refusal::NotFound)?;
        if message.trim().is_empty() {
            return Err(Refusal::rule("message is missing"));
        }
        let was = match state {
            ReviewState::Approved => DismissedFrom::Approved,
            ReviewState::ChangesRequested => DismissedFrom::ChangesRequested,
            ReviewState::Dismissed => return Err(Refusal::rule("Can not dismiss a dismissed pull request review")),
            ReviewState::Commented => return Err(Refusal::rule("Can not dismiss a commented pull request review")),
            ReviewState::Pending => return Err(Refusal::rule("Can not dismiss a pending pull request review")),
        };
        let what = Happening::ReviewDismissed { review: id, was, message: Some(message.to_owned()), commit: None };
        self.mark_dismissed(at, by, id, what)
    }

    pub(super) fn mark_dismissed(
        &mut self,
        at: &PullRequestRef,
        by: UserId,
        id: ReviewId,
        what: Happening,
    ) -> Result<(), Refusal> {
        self.review_mut(at, id)?.state = ReviewState::Dismissed;
        self.record(at, by, what)?;
        self.queue_review(at, by, id, ("dismissed", json!({})))
    }

    fn review_mut(&mut self, at: &PullRequestRef, id: ReviewId) -> Result<&mut Review, Refusal> {
        self.pull_mut(at)?.reviews.iter_mut().find(|review| review.id == id).ok_or(Refusal::NotFound)
    }

    fn queue_review(
        &mut self,
        at: &PullRequestRef,
        by: UserId,
        id: ReviewId,
        action: (&str, Value),
    ) -> Result<(), Refusal> {
        let pull = self.pull(at)?;
        let review = pull.review(id).ok_or(Refusal::NotFound)?;
        let payload = payload::review(self.world, (&pull, review), by, action);
        self.queue(HookEvent::PullRequestReview, Some(pull.repository), &payload);
        Ok(())
    }
}
