//! What verified deliveries say about a pull request, and the API does not say reliably.
//!
//! GitHub's API may move a review's `commit_id` to a newer head, returns a text that others may have edited, and does
//! not say who pushed to a fork. A delivery is signed, and describes the moment of its event. The rules for merging observations
//! are here, so that every store keeps the same facts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::published::Reviewer;
use crate::approval::facts::{BoundBy, DismissedFrom, Person, PullRequest, Review, ReviewState};
use crate::approval::people_of;
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
    /// The pull request was opened. What was pushed before counts as pushed by whoever opened it.
    Opened {
        head: Revision,
        /// `None` if the delivery does not say, which makes the list of pushers incomplete.
        by: Option<Person>,
        /// Whether its branch is surely one of another repository.
        from_fork: bool,
        at: Timestamp,
    },
    /// A commit became the head.
    HeadSeen {
        head: Revision,
        /// The head before. `None` if the delivery does not say.
        before: Option<Revision>,
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
    /// The head with which the pull request was opened, if its branch is one of another repository.
    pub opened_from_fork: Option<Revision>,
    /// The heads before and after each push.
    pub pushes: BTreeSet<(Option<Revision>, Revision)>,
    /// Who opened it, and who pushed since.
    pub pushers: Vec<Person>,
    /// Whether a delivery did not say who that was.
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
            Observation::Opened { head, by, from_fork, at } => {
                self.see_head(head.clone(), by, at);
                if from_fork {
                    self.opened_from_fork.get_or_insert(head);
                }
            }
            Observation::HeadSeen { head, before, pusher, at } => {
                self.pushes.insert((before, head.clone()));
                self.see_head(head, pusher, at);
            }
            Observation::ReviewRequestRemoved { reviewer } => {
                self.requests_removed.insert(reviewer);
            }
            Observation::BaseChanged { at } => self.base_changed_at = self.base_changed_at.max(Some(at)),
        }
    }

    fn see_head(&mut self, head: Revision, pusher: Option<Person>, at: Timestamp) {
        let seen = self.heads.entry(head).or_insert(at);
        *seen = at.max(*seen);
        match pusher {
            Some(pusher) => add_person(&mut self.pushers, &pusher),
            None => self.pusher_unknown = true,
        }
    }

    /// Whether every push since the opening was delivered, up to this head: each begins where another ends. Only for the
    /// branch of a fork, since what was pushed to it before counts as pushed by whoever opened the pull request.
    fn knows_pushes_to_fork(&self, head: &Revision) -> bool {
        let Some(opened) = &self.opened_from_fork else { return false };
        let mut after: BTreeMap<Option<&Revision>, Vec<&Revision>> = BTreeMap::new();
        for (before, head) in &self.pushes {
            after.entry(before.as_ref()).or_default().push(head);
        }
        let (mut reached, mut next) = (BTreeSet::from([opened]), vec![opened]);
        while let Some(before) = next.pop() {
            next.extend(after.get(&Some(before)).into_iter().flatten().filter(|head| reached.insert(*head)));
        }
        reached.contains(head) && after.keys().all(|before| before.is_some_and(|before| reached.contains(before)))
    }

    /// Overlays the observations on the pull request as the API describes it. Its `commits_complete` must be final.
    pub fn overlay_pull_request(&self, pull_request: &mut PullRequest) {
        // If another head came later, the branch was pushed back to this one, and nobody reported when.
        let is_latest = |at: &Timestamp| self.heads.values().all(|other| other <= at);
        let seen = self.heads.get(&pull_request.head).copied().filter(is_latest);
        pull_request.head_first_seen = pull_request.head_first_seen.max(seen);
        pull_request.base_changed_at = pull_request.base_changed_at.max(self.base_changed_at);
        pull_request.pushers.sort_by_key(|person| person.id);
        self.pushers.iter().for_each(|pusher| add_person(&mut pull_request.pushers, pusher));
        if !pull_request.pushers_complete
            && pull_request.commits_complete
            && self.knows_pushes_to_fork(&pull_request.head)
        {
            let PullRequest { commits, pushers, .. } = pull_request;
            commits.iter().flat_map(people_of).for_each(|person| add_person(pushers, person));
            pull_request.pushers_complete = true;
        }
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

/// Adds a person who is not there yet. The list is ordered by id.
fn add_person(people: &mut Vec<Person>, person: &Person) {
    if let Err(at) = people.binary_search_by_key(&person.id, |known| known.id) {
        people.insert(at, person.clone());
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
    use super::{DismissedFrom, Observation, Observed, Person, PullRequest, Review, ReviewState};
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

    fn person(id: u64, login: &str) -> Person {
        serde_json::from_value(serde_json::json!({ "id": id, "login": login })).unwrap()
    }

    fn opened(head: &str, from_fork: bool) -> Observation {
        let at = "2026-11-18T09:00:00Z".parse().unwrap();
        Observation::Opened { head: head.parse().unwrap(), by: Some(person(5, "erin")), from_fork, at }
    }

    fn pushed(before: Option<&str>, head: &str, pusher: Option<Person>) -> Observation {
        let (before, at) = (before.map(|before| before.parse().unwrap()), "2026-11-18T09:10:00Z".parse().unwrap());
        Observation::HeadSeen { head: head.parse().unwrap(), before, pusher, at }
    }

    /// A pull request with this head, and one commit by erin, whose pushers the API does not say.
    fn overlaid(observed: &Observed, head: &str, complete: bool) -> PullRequest {
        let erin = person(5, "erin");
        let mut pull_request: PullRequest = serde_json::from_value(serde_json::json!({
            "repository": "acme/checkout", "default_branch": "main", "number": 1, "state": "open", "head": head, "base": "main",
            "author": erin, "commits": [{ "sha": head, "author": erin, "committer": person(7, "kim"), "co_authors": [person(8, "lou")] }],
            "commits_complete": complete,
        }))
        .unwrap();
        observed.overlay_pull_request(&mut pull_request);
        pull_request
    }

    fn logins(pull_request: &PullRequest) -> Vec<&str> {
        pull_request.pushers.iter().map(|person| person.login.as_str()).collect()
    }

    #[test]
    fn pushes_to_a_fork_are_known_if_each_begins_where_another_ends_in_whatever_order_they_come() {
        let pat = || Some(person(2, "pat"));
        let [open, one, two] = [opened("a1", true), pushed(Some("a1"), "a2", pat()), pushed(Some("a2"), "a3", pat())];
        let mut observed = Observed::default();
        for (observation, whole) in [(two, false), (open, false), (one, true)] {
            observed.add(observation);
            assert_eq!(overlaid(&observed, "a3", true).pushers_complete, whole);
        }
        let whole = overlaid(&observed, "a3", true);
        assert_eq!(logins(&whole), ["pat", "erin", "kim", "lou"], "and those whom the commits name");
        assert!(!overlaid(&observed, "a9", true).pushers_complete, "another push made the head");
        assert!(!overlaid(&observed, "a3", false).pushers_complete, "not all commits are known");
        // Back to an earlier commit, and on.
        observed.add(pushed(Some("a3"), "a1", pat()));
        observed.add(pushed(Some("a1"), "a4", pat()));
        assert!(overlaid(&observed, "a4", true).pushers_complete && overlaid(&observed, "a1", true).pushers_complete);
    }

    #[test]
    fn pushes_to_a_fork_are_not_known_if_one_begins_elsewhere_or_nobody_is_named() {
        let pat = || Some(person(2, "pat"));
        for broken in [pushed(Some("b1"), "a2", pat()), pushed(None, "a2", pat()), pushed(Some("a1"), "a2", None)] {
            let mut observed = Observed::default();
            for observation in [opened("a1", true), pushed(Some("a1"), "a2", pat()), broken] {
                observed.add(observation);
            }
            assert!(!overlaid(&observed, "a2", true).pushers_complete);
        }
    }

    #[test]
    fn deliveries_alone_never_say_all_who_pushed_to_a_branch_of_the_repository() {
        let mut observed = Observed::default();
        observed.add(opened("a1", false));
        observed.add(pushed(Some("a1"), "a2", Some(person(2, "pat"))));
        let whole = overlaid(&observed, "a2", true);
        assert_eq!((logins(&whole), whole.pushers_complete), (vec!["pat", "erin"], false));
    }
}
