//! What verified deliveries say about a pull request, and the API does not say reliably.
//!
//! GitHub's API may move a review's `commit_id` to a newer head, returns a text that others may have edited, and does
//! not say who pushed. A delivery is signed, and describes the moment of its event. The rules for merging observations
//! are here, so that every store keeps the same facts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::published::Reviewer;
use crate::approval::facts::{BoundBy, DismissedFrom, Person, PullRequest, Review, ReviewState};
use crate::ident::{ReviewId, Revision};

/// One fact from a verified delivery.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Observation {
    /// A review was submitted. Its commit and text are fixed from now on.
    ReviewGiven {
        /// As it was delivered; the delivery binds it to its commit.
        review: Review,
    },
    /// A review was dismissed.
    ReviewDismissed { review: ReviewId, by: Person },
    /// A commit became the head.
    HeadSeen {
        head: Revision,
        /// Who pushed it. `None` if the delivery does not say, which makes the list of pushers incomplete.
        pusher: Option<Person>,
        /// On the gate's clock, so never earlier than the push.
        at: Timestamp,
    },
    /// Somebody removed a review request.
    #[serde(rename = "review_unasked")]
    ReviewRequestRemoved { reviewer: Reviewer },
    /// The base branch was changed.
    BaseChanged {
        /// On the gate's clock.
        at: Timestamp,
    },
}

/// All observations of one pull request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Observed {
    /// Reviews as they were first delivered.
    pub reviews: BTreeMap<ReviewId, Review>,
    /// Who dismissed each review.
    pub dismissals: BTreeMap<ReviewId, Person>,
    /// When each commit last became the head.
    pub heads: BTreeMap<Revision, Timestamp>,
    pub pushers: Vec<Person>,
    /// Whether a delivery of a push did not say who pushed.
    pub pusher_unknown: bool,
    pub base_changed_at: Option<Timestamp>,
    /// Reviewers whose review request somebody removed. They are not requested again.
    #[serde(rename = "unasked", skip_serializing_if = "BTreeSet::is_empty")]
    pub requests_removed: BTreeSet<Reviewer>,
}

impl Observed {
    /// Adds one observation. Neither the order nor repetitions matter. A review stays as it was first delivered, and of
    /// two times the later one counts, which is stricter.
    pub fn add(&mut self, observation: Observation) {
        match observation {
            Observation::ReviewGiven { review } => {
                self.reviews.entry(review.id).or_insert(Review { bound_by: BoundBy::Delivery, ..review });
            }
            Observation::ReviewDismissed { review, by } => {
                self.dismissals.entry(review).or_insert(by);
            }
            Observation::HeadSeen { head, pusher, at } => {
                let seen = self.heads.entry(head).or_insert(at);
                *seen = at.max(*seen);
                match pusher {
                    Some(pusher) if self.pushers.iter().all(|known| known.id != pusher.id) => {
                        self.pushers.push(pusher);
                        self.pushers.sort_by_key(|person| person.id);
                    }
                    Some(_) => {}
                    None => self.pusher_unknown = true,
                }
            }
            Observation::ReviewRequestRemoved { reviewer } => {
                self.requests_removed.insert(reviewer);
            }
            Observation::BaseChanged { at } => self.base_changed_at = self.base_changed_at.max(Some(at)),
        }
    }

    /// Overlays the observations on the pull request as the API describes it.
    pub fn overlay_pull_request(&self, pull_request: &mut PullRequest) {
        pull_request.head_first_seen = pull_request.head_first_seen.max(self.heads.get(&pull_request.head).copied());
        pull_request.base_changed_at = pull_request.base_changed_at.max(self.base_changed_at);
        for pusher in &self.pushers {
            if !pull_request.pushers.iter().any(|known| known.id == pusher.id) {
                pull_request.pushers.push(pusher.clone());
            }
        }
        pull_request.pushers.sort_by_key(|person| person.id);
        pull_request.pushers_complete &= !self.pusher_unknown;
    }

    /// Overlays the observations on the reviews that the API lists.
    ///
    /// A review's state is the API's, unless a delivery says that an approval was dismissed. Its commit, text and time
    /// are as first delivered. A delivered request for changes that the API does not list yet is added: the API may
    /// lag, and a veto must not be lost.
    pub fn overlay_reviews(&self, reviews: &mut Vec<Review>) {
        for review in reviews.iter_mut() {
            let given = self.reviews.get(&review.id);
            if let Some(given) = given {
                review.revision.clone_from(&given.revision);
                review.body.clone_from(&given.body);
                review.submitted_at = given.submitted_at.or(review.submitted_at);
                review.bound_by = BoundBy::Delivery;
            }
            // The API may lag behind a dismissal, too. Only an approval is dismissed here: dismissing a request for
            // changes would make things looser.
            if review.state == ReviewState::Approved && self.dismissals.contains_key(&review.id) {
                (review.state, review.was) = (ReviewState::Dismissed, Some(DismissedFrom::Approved));
            }
            if review.state == ReviewState::Dismissed {
                let was = given.and_then(|given| dismissed_from(given.state));
                review.was = was.or(review.was);
                let by = self.dismissals.get(&review.id).cloned();
                review.dismissed_by = by.or_else(|| review.dismissed_by.take());
            }
        }
        for (id, given) in &self.reviews {
            let listed = reviews.iter().any(|review| review.id == *id);
            if !listed && given.state == ReviewState::ChangesRequested {
                reviews.push(given.clone());
            }
        }
    }
}

/// The state that a review delivered in `state` was dismissed from.
const fn dismissed_from(state: ReviewState) -> Option<DismissedFrom> {
    match state {
        ReviewState::Approved => Some(DismissedFrom::Approved),
        ReviewState::ChangesRequested => Some(DismissedFrom::ChangesRequested),
        ReviewState::Commented | ReviewState::Dismissed | ReviewState::Pending => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{DismissedFrom, Observation, Observed, Review, ReviewState};
    use crate::ident::{ReviewId, Revision};

    fn review(state: &str) -> Review {
        serde_json::from_value(serde_json::json!({
            "id": 1, "user": { "id": 7, "login": "pia" }, "state": state, "revision": "a2", "bound_by": "api",
            "submitted_at": "2026-11-18T09:30:00Z", "body": "edited since"
        }))
        .unwrap()
    }

    fn observed() -> Observed {
        let mut observed = Observed::default();
        let given = Review {
            revision: Some("a1".parse().unwrap()),
            body: "as given".to_owned(),
            submitted_at: Some("2026-11-18T09:00:00Z".parse().unwrap()),
            ..review("approved")
        };
        observed.add(Observation::ReviewGiven { review: given });
        observed
    }

    #[test]
    fn the_first_delivery_fixes_a_review_s_commit_text_and_time() {
        let mut observed = observed();
        observed.add(Observation::ReviewGiven { review: review("approved") });
        let mut reviews = vec![review("approved")];
        observed.overlay_reviews(&mut reviews);
        let first = reviews.first().unwrap();
        assert_eq!((first.revision.as_ref().map(Revision::as_str), first.body.as_str()), (Some("a1"), "as given"));
        assert_eq!(first.submitted_at, Some("2026-11-18T09:00:00Z".parse().unwrap()));
    }

    #[test]
    fn a_delivered_dismissal_dismisses_an_approval_although_the_api_lags() {
        let mut observed = observed();
        let by = serde_json::from_value(serde_json::json!({ "id": 8, "login": "pat" })).unwrap();
        observed.add(Observation::ReviewDismissed { review: ReviewId(1), by });
        let mut reviews = vec![review("approved")];
        observed.overlay_reviews(&mut reviews);
        let first = reviews.first().unwrap();
        assert_eq!((first.state, first.was), (ReviewState::Dismissed, Some(DismissedFrom::Approved)));
        assert_eq!(first.dismissed_by.as_ref().map(|by| by.login.as_str()), Some("pat"));
    }

    #[test]
    fn a_delivered_dismissal_of_a_request_for_changes_waits_for_the_api() {
        let mut observed = Observed::default();
        let by = serde_json::from_value(serde_json::json!({ "id": 8, "login": "pat" })).unwrap();
        observed.add(Observation::ReviewDismissed { review: ReviewId(1), by });
        let mut reviews = vec![review("changes_requested")];
        observed.overlay_reviews(&mut reviews);
        assert_eq!(reviews.first().unwrap().state, ReviewState::ChangesRequested);
    }

    #[test]
    fn a_delivered_request_for_changes_that_the_api_does_not_list_is_added_and_an_approval_is_not() {
        for (state, listed) in [("changes_requested", 1), ("approved", 0)] {
            let mut observed = Observed::default();
            observed.add(Observation::ReviewGiven { review: review(state) });
            let mut reviews = Vec::new();
            observed.overlay_reviews(&mut reviews);
            assert_eq!(reviews.len(), listed, "{state}");
        }
    }
}
