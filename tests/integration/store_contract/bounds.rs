//! The contract for requests with very many and very long reviews.

use std::sync::LazyLock;

use countersign::approval::{cut_lists, cut_text};
use countersign::ports::size::PART;
use countersign::request::End;
use countersign::request::record::Entry;
use serde_json::json;

use super::*;

/// The most characters of a review on GitHub.
const LONGEST_BODY: usize = 65_536;

/// 1,000 reviews by eligible approvers and 5,000 comments, each with a text of the greatest length, and at last an approval.
fn flood() -> Vec<Review> {
    let text = |begin: &str| format!("{begin}{}", "\u{1f600}".repeat(LONGEST_BODY - begin.len()));
    let (slip, comment) = (text("/approve production "), text(""));
    let review = |id: u64| {
        let (state, by, body) = match id {
            6_000 => (ReviewState::Approved, person(1, "pia"), "Fine."),
            id if id % 6 == 0 && id % 12 == 0 => (ReviewState::Approved, person(1, "pia"), slip.as_str()),
            id if id % 6 == 0 => (ReviewState::Approved, person(2, "pat"), slip.as_str()),
            _ => (ReviewState::Commented, person(9, "mallory"), comment.as_str()),
        };
        let mut review = Review {
            id: ReviewId(id),
            user: Some(by),
            state,
            was: None,
            dismissed_by: None,
            revision: Some(revision('a')),
            bound_by: BoundBy::Delivery,
            submitted_at: Some(at(i64::try_from(id).expect("a number") / 10)),
            edited: false,
            body: body.to_owned(),
        };
        cut_text(&mut review);
        review
    };
    (1..=6_000).map(review).collect()
}

fn flooded(request: &ApprovalRequest, seconds: i64) -> Facts {
    static FLOOD: LazyLock<Vec<Review>> = LazyLock::new(flood);
    let given = json!({
        "schema": 1, "now": at(seconds), "target": request.subject.target, "requested_at": request.requested_at,
        "revision": revision('a'),
        "pull_request": {
            "repository": "acme/checkout", "default_branch": "main", "number": 1, "state": "open", "head": revision('a'),
            "base": "main", "author": person(3, "dave"), "head_first_seen": at(0),
            "commits": [{ "sha": revision('a'), "author": person(3, "dave"), "committer": person(3, "dave") }],
            "commits_complete": true, "pushers": [person(3, "dave")], "pushers_complete": true,
        },
    });
    let mut facts: Facts = serde_json::from_value(given).expect("facts");
    facts.reviews.clone_from(&FLOOD);
    cut_lists(&request.rule.rule(), &mut facts);
    facts
}

pub(crate) async fn a_request_with_thousands_of_the_longest_reviews_settles_and_expires(store: Store) {
    for (name, seconds, end) in [("settles", 1_000, End::Approved), ("expires", 4_000, End::Expired)] {
        let request = open(&store, pending(name, 0), "secret").await;
        let facts = flooded(&request, seconds);
        let decide = |facts: &Facts| decide_under(&request.rule.rule(), &request.policy_digest, facts);
        let decision = decide(&facts);
        assert_eq!(End::of(decision.verdict), Some(end), "{}", decision.summary);
        let entry = Entry { kind: RecordKind::Claimed, at: facts.now, decision: Some(decision), facts: Some(facts) };
        let claim = SettleClaim::take(store.as_ref(), &request, entry).await.expect("a claim that fits");
        let closed = claim.request().close(CallbackOutcome::Taken, at(seconds)).expect("closed");
        let closed = next(&store, closed, RecordKind::Closed).await;
        assert_eq!(stored(&store, &request).await, closed);
        let trail = store.trail(&request.id).await.expect("a trail");
        assert_chain(&closed, &trail);
        let recorded = &trail[1];
        let again = recorded.facts.as_ref().map(decide);
        assert!(again.is_some() && recorded.decision == again, "the recorded facts give the recorded decision");
    }
}

pub(crate) async fn a_write_that_is_too_long_is_refused_with_its_size_and_changes_nothing(store: Store) {
    let request = open(&store, pending("one", 0), "secret").await;
    let mut facts = flooded(&request, 1_000);
    facts.version = Some("x".repeat(12 * PART));
    let decision = decide_under(&request.rule.rule(), &request.policy_digest, &facts);
    let entry = Entry { kind: RecordKind::Claimed, at: facts.now, decision: Some(decision), facts: Some(facts) };
    match SettleClaim::take(store.as_ref(), &request, entry).await {
        Err(ClaimError::Write(WriteError::Unavailable(error))) => {
            assert!(error.detail.contains("is too long to store"), "{error}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(stored(&store, &request).await, request);

    let here = pull_request("acme/checkout#1");
    let mut review = flood().remove(0);
    review.body = "x".repeat(410_000);
    let error = store.observe(&here, Observation::ReviewGiven { review }).await.expect_err("too long");
    assert!(error.detail.contains("is too long to store"), "{error}");
    assert_eq!(store.observed(&here).await, Ok(Observed::default()));
}
