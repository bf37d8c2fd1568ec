//! Cuts facts to what a store can hold, before anything is decided on them. So the recorded facts give the recorded decision.
//!
//! A cut is never looser than the whole: a list that was cut is marked as incomplete, and no objection is left out that
//! stands.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::command::kept;
use super::eligibility::{is_one_of, lacks_team};
use super::facts::{AccountKind, Facts, Person, Review, ReviewState};
use super::standing::{may_be_objection, place_in_order};
use crate::ident::{ReviewId, UserId};
use crate::policy::{ApproverRef, Requirement, Rule};

/// How many comments and reviews of people without a part in the rule are kept together.
const MOST_OF_OTHERS: usize = 100;
/// How many reviews of the people with a part in the rule are kept.
const MOST_REVIEWS: usize = 1_000;
/// The most bytes of the lists, as JSON. Together with two decisions and two inputs they stay within a transaction.
const MOST_REVIEW_BYTES: usize = 1_000_000;
const MOST_FILE_BYTES: usize = 500_000;
const MOST_COMMIT_BYTES: usize = 800_000;

/// Leaves of a review's text what the gate keeps. A comment keeps none.
pub fn cut_text(review: &mut Review) {
    review.body = match review.state {
        ReviewState::Commented => String::new(),
        ReviewState::Approved | ReviewState::ChangesRequested | ReviewState::Dismissed | ReviewState::Pending => {
            kept(&review.body)
        }
    };
}

/// Cuts the lists of the facts for a decision under the rule.
pub fn cut_lists(rule: &Rule<'_>, facts: &mut Facts) {
    let others = reviews_of_others(rule, facts);
    drop_oldest(&mut facts.reviews, |review| others.contains(&review.id), MOST_OF_OTHERS);
    cut_reviews(&mut facts.reviews);
    if let Some(pull_request) = &mut facts.pull_request {
        pull_request.files_complete &= !cut_list(&mut pull_request.files, MOST_FILE_BYTES);
        pull_request.commits_complete &= !cut_list(&mut pull_request.commits, MOST_COMMIT_BYTES);
    }
}

/// The comments, and the reviews of people who may neither approve, override nor request changes under the rule, at any
/// time. While a team cannot be read, every person may request changes.
fn reviews_of_others(rule: &Rule<'_>, facts: &Facts) -> BTreeSet<ReviewId> {
    let approving = rule.requirement().map(Requirement::leaves).unwrap_or_default();
    let overriding = rule.override_by().map(|field| field.by.leaves()).unwrap_or_default();
    let stand_ins = rule.escalate().iter().flat_map(|step| &step.stand_in).map(|stand_in| &*stand_in.by);
    let mut objecting: Vec<&[ApproverRef]> = approving.iter().map(|leaf| &*leaf.of).collect();
    objecting.extend(stand_ins.chain([rule.veto()]));
    let unreadable = objecting.iter().any(|refs| lacks_team(*refs, &facts.teams));
    objecting.extend(overriding.iter().map(|leaf| &*leaf.of));
    let takes_part = |person: &Person| {
        (unreadable && person.kind == AccountKind::User)
            || objecting.iter().any(|refs| is_one_of(person, refs, &facts.teams))
    };
    let is_of_another =
        |review: &&Review| review.state == ReviewState::Commented || !review.user.as_ref().is_some_and(takes_part);
    facts.reviews.iter().filter(is_of_another).map(|review| review.id).collect()
}

/// Drops the oldest of some reviews until so many are left.
fn drop_oldest(reviews: &mut Vec<Review>, is_among: impl Fn(&Review) -> bool, left: usize) {
    let mut among: Vec<_> = reviews.iter().filter(|review| is_among(review)).map(in_order).collect();
    among.sort_unstable();
    among.truncate(among.len().saturating_sub(left));
    let dropped: BTreeSet<_> = among.into_iter().collect();
    reviews.retain(|review| !is_among(review) || !dropped.contains(&in_order(review)));
}

fn in_order(review: &Review) -> (Timestamp, ReviewId) {
    (place_in_order(review), review.id)
}

/// Drops reviews that are too many. Of each person the latest objection is kept: it replaces everything before it. Of the
/// others the oldest are dropped, since a review never acts on later ones.
fn cut_reviews(reviews: &mut Vec<Review>) {
    let bytes = |reviews: &[Review]| reviews.iter().map(json_bytes).sum::<usize>();
    if reviews.len() <= MOST_REVIEWS + MOST_OF_OTHERS && bytes(reviews) <= MOST_REVIEW_BYTES {
        return;
    }
    let mut latest: BTreeMap<UserId, (Timestamp, ReviewId)> = BTreeMap::new();
    for review in reviews.iter().filter(|review| may_be_objection(review)) {
        if let Some(user) = &review.user {
            let last = latest.entry(user.id).or_insert(in_order(review));
            *last = in_order(review).max(*last);
        }
    }
    reviews.retain(|review| {
        let last = review.user.as_ref().and_then(|user| latest.get(&user.id));
        last.is_none_or(|last| in_order(review) >= *last)
    });
    let objections: usize = reviews.iter().filter(|review| may_be_objection(review)).map(json_bytes).sum();
    let mut newest: Vec<_> = reviews.iter().filter(|review| !may_be_objection(review)).collect();
    newest.sort_by_key(|review| Reverse(in_order(review)));
    let mut left = MOST_REVIEW_BYTES.saturating_sub(objections);
    let fits = newest.into_iter().take(MOST_REVIEWS).take_while(|review| {
        let rest = left.checked_sub(json_bytes(review));
        left = rest.unwrap_or(0);
        rest.is_some()
    });
    let count = fits.count();
    drop_oldest(reviews, |review| !may_be_objection(review), count);
}

/// Cuts a list to so many bytes. Returns whether something was cut.
fn cut_list(list: &mut Vec<impl Serialize>, most: usize) -> bool {
    let mut bytes = 0;
    let fits = list.iter().take_while(|item| {
        bytes += json_bytes(item);
        bytes <= most
    });
    let (all, fits) = (list.len(), fits.count());
    list.truncate(fits);
    fits < all
}

/// The bytes of an item of a list, as JSON with its comma.
fn json_bytes(item: &impl Serialize) -> usize {
    serde_json::to_vec(item).unwrap_or_default().len().saturating_add(1)
}
