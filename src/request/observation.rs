//! What verified webhooks have told of a pull request that the API cannot be trusted for.
//!
//! GitHub's API may move a review's `commit_id` to a newer head, shows a text that others may have edited, and does not
//! say who pushed. A delivery is signed and says how things stood when they happened. The rules of merging stand here,
//! so that every store keeps the same facts. Knows nothing of webhooks or of storage.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::published::Reviewer;
use crate::approval::facts::{BoundBy, DismissedFrom, Person, PullRequest, Review, ReviewState};
use crate::ident::{ReviewId, Revision};

/// One thing that a verified delivery told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Observation {
    /// A review was submitted: its commit and text stand fixed from here on.
    ReviewGiven {
        /// As it was delivered, bound by the delivery.
        review: Review,
    },
    /// A review was dismissed.
    ReviewDismissed {
        /// Which.
        review: ReviewId,
        /// Who did it.
        by: Person,
    },
    /// A commit became the head.
    HeadSeen {
        /// The commit.
        head: Revision,
        /// Who pushed it; none where the delivery does not say, and then who pushed is not known in full.
        pusher: Option<Person>,
        /// When, on the gate's clock: never earlier than it was.
        at: Timestamp,
    },
    /// Somebody took back that a review was asked for.
    ReviewUnasked {
        /// Whose.
        reviewer: Reviewer,
    },
    /// The base branch was changed.
    BaseChanged {
        /// When, on the gate's clock.
        at: Timestamp,
    },
}

/// All that was observed of one pull request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Observed {
    /// Reviews as first delivered.
    pub reviews: BTreeMap<ReviewId, Review>,
    /// Who dismissed which review.
    pub dismissals: BTreeMap<ReviewId, Person>,
    /// When a commit last became the head.
    pub heads: BTreeMap<Revision, Timestamp>,
    /// Who pushed.
    pub pushers: Vec<Person>,
    /// Whether a push was delivered that does not say whose it was.
    pub pusher_unknown: bool,
    /// When the base was last changed.
    pub base_changed_at: Option<Timestamp>,
    /// Whose review somebody no longer asks for: we do not ask for it again.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub unasked: BTreeSet<Reviewer>,
}

impl Observed {
    /// Adds one observation. The order in which they arrive does not matter, and neither does a repetition:
    /// the first word on a review stands, and of two instants the later one, which is the stricter.
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
            Observation::ReviewUnasked { reviewer } => {
                self.unasked.insert(reviewer);
            }
            Observation::BaseChanged { at } => self.base_changed_at = self.base_changed_at.max(Some(at)),
        }
    }

    /// Lays what was observed over what the API tells of the pull request.
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

    /// Lays what was observed over the reviews that the API lists.
    ///
    /// The API's word on a review's present state stands, unless a delivery has taken an approval back; its commit, text
    /// and time are as first delivered. A delivered request for changes that the API does not list yet is added: the API
    /// may lag, and a veto must not be lost to that.
    pub fn overlay_reviews(&self, reviews: &mut Vec<Review>) {
        for review in reviews.iter_mut() {
            let given = self.reviews.get(&review.id);
            if let Some(given) = given {
                review.revision.clone_from(&given.revision);
                review.body.clone_from(&given.body);
                review.submitted_at = given.submitted_at.or(review.submitted_at);
                review.bound_by = BoundBy::Delivery;
            }
            // The API may lag behind a dismissal too. A request for changes it is left to tell of: that only loosens.
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

/// What a review that was delivered in `state` was dismissed from.
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
        let laid = reviews.first().unwrap();
        assert_eq!((laid.revision.as_ref().map(Revision::as_str), laid.body.as_str()), (Some("a1"), "as given"));
        assert_eq!(laid.submitted_at, Some("2026-11-18T09:00:00Z".parse().unwrap()));
    }

    #[test]
    fn a_delivered_dismissal_takes_an_approval_back_though_the_api_lags() {
        let mut observed = observed();
        let by = serde_json::from_value(serde_json::json!({ "id": 8, "login": "pat" })).unwrap();
        observed.add(Observation::ReviewDismissed { review: ReviewId(1), by });
        let mut reviews = vec![review("approved")];
        observed.overlay_reviews(&mut reviews);
        let laid = reviews.first().unwrap();
        assert_eq!((laid.state, laid.was), (ReviewState::Dismissed, Some(DismissedFrom::Approved)));
        assert_eq!(laid.dismissed_by.as_ref().map(|by| by.login.as_str()), Some("pat"));
    }

    #[test]
    fn a_delivered_dismissal_of_changes_requested_waits_for_the_api() {
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
