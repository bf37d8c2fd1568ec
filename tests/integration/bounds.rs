//! What is cut from facts that are too long to store, and that the cut never makes a decision looser.

use countersign::approval::decision::{Decision, ReviewReason, Verdict};
use countersign::approval::facts::Facts;
use countersign::approval::{cut_lists, decide};
use serde_json::{Value, json};

use crate::specimen::{at, person, policy, revision, target};

fn review(id: i64, by: (u64, &str), state: &str) -> Value {
    json!({
        "id": id, "user": person(by.0, by.1), "state": state, "revision": revision('a'), "bound_by": "delivery",
        "submitted_at": at(id), "body": "",
    })
}

fn facts(reviews: &[Value]) -> Facts {
    let given = json!({
        "schema": 1, "now": at(3_000), "target": target(), "requested_at": at(0), "revision": revision('a'),
        "pull_request": {
            "repository": "acme/checkout", "default_branch": "main", "number": 1, "state": "open", "head": revision('a'),
            "base": "main", "author": person(3, "dave"), "head_first_seen": at(0),
            "commits": [{ "sha": revision('a'), "author": person(3, "dave"), "committer": person(3, "dave") }],
            "commits_complete": true, "pushers": [person(3, "dave")], "pushers_complete": true, "files_complete": true,
        },
        "reviews": reviews,
    });
    serde_json::from_value(given).expect("facts")
}

fn cut(mut facts: Facts) -> (Facts, Decision, Decision) {
    let whole = decide(&policy(), &facts);
    cut_lists(&policy().rule(&target()).expect("a rule"), &mut facts);
    let decision = decide(&policy(), &facts);
    (facts, whole, decision)
}

const PIA: (u64, &str) = (1, "pia");
const PAT: (u64, &str) = (2, "pat");
const MALLORY: (u64, &str) = (9, "mallory");

#[test]
fn of_comments_and_reviews_by_others_the_latest_hundred_are_kept_and_the_verdict_stays() {
    for (by, verdict) in [(PIA, Verdict::Approved), (MALLORY, Verdict::Pending)] {
        let mut given = vec![review(1, by, "approved"), review(2, PAT, "commented")];
        given.extend(
            (3..150).map(|id| review(id, MALLORY, ["approved", "changes_requested", "commented"][id as usize % 3])),
        );
        let (facts, whole, decision) = cut(facts(&given));
        assert_eq!((decision.verdict, whole.verdict), (verdict, verdict));
        assert_eq!(decision.counts, whole.counts);
        let kept: Vec<u64> = facts.reviews.iter().map(|review| review.id.0).collect();
        let latest: Vec<u64> = (50..150).collect();
        let expected = if by == PIA { [&[1], latest.as_slice()].concat() } else { latest };
        assert_eq!(kept, expected);
    }
}

#[test]
fn an_early_objection_of_an_approver_outlasts_any_number_of_reviews() {
    let mut given = vec![review(1, PIA, "changes_requested"), review(2, PAT, "changes_requested")];
    given.extend((3..2_000).map(|id| review(id, if id % 2 == 0 { PAT } else { MALLORY }, "approved")));
    given.extend((2_000..2_900).map(|id| review(id, PAT, "approved")));
    let (facts, whole, decision) = cut(facts(&given));
    assert_eq!((whole.verdict, decision.verdict), (Verdict::Rejected, Verdict::Rejected));
    assert!(facts.reviews.len() <= 1_102, "{}", facts.reviews.len());
    let objection = decision.reviews.iter().find(|review| review.id.0 == 1).expect("the objection");
    assert_eq!(objection.reason, ReviewReason::ChangesRequested);
}

#[test]
fn of_the_many_objections_of_an_approver_the_latest_is_kept() {
    let mut given: Vec<Value> = (1..1_500).map(|id| review(id, PIA, "changes_requested")).collect();
    given.push(review(1_500, PIA, "approved"));
    let (facts, whole, decision) = cut(facts(&given));
    assert_eq!(facts.reviews.iter().map(|review| review.id.0).collect::<Vec<_>>(), [1_499, 1_500]);
    assert_eq!((whole.verdict, decision.verdict), (Verdict::Approved, Verdict::Approved));
}

#[test]
fn lists_of_files_and_commits_that_are_too_long_are_cut_and_then_incomplete() {
    let mut long = facts(&[review(1, PIA, "approved")]);
    let pull_request = long.pull_request.as_mut().expect("a pull request");
    let commit = pull_request.commits[0].clone();
    pull_request.commits = vec![commit; 10_000];
    let path = |at: usize| format!("{}/{at}", "directory".repeat(50));
    pull_request.files =
        (0..3_000).map(|at| serde_json::from_value(json!({ "path": path(at) })).expect("a file")).collect();
    let (facts, whole, decision) = cut(long);
    let pull_request = facts.pull_request.expect("a pull request");
    assert!(!pull_request.files_complete && !pull_request.commits_complete);
    assert!(pull_request.files.len() > 500 && pull_request.commits.len() > 2_000, "{}", pull_request.commits.len());
    assert_eq!((whole.verdict, decision.verdict), (Verdict::Approved, Verdict::Pending), "no approval counts");
    assert!(serde_json::to_vec(&pull_request).expect("JSON").len() < 1_400_000);
}
