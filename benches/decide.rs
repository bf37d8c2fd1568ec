//! The cost of a decision with 10, 1,000 and 100,000 rules. `docs/performance.md` has the figures and how to run it.
//!
//! The request is typical for production: two quorums, one of them from a team, and ten reviews.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "without its setup a benchmark cannot measure")]

mod bundle;

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use countersign::approval::decision::Verdict;
use countersign::approval::facts::Facts;
use countersign::approval::{self, decide};
use countersign::ident::Target;
use countersign::policy::{Policy, load};
use divan::{Bencher, black_box};
use serde_json::{Value, json};

use bundle::sources;

const RULES: [usize; 3] = [10, 1_000, 100_000];

static POLICIES: LazyLock<Mutex<HashMap<usize, &'static Policy>>> = LazyLock::new(Mutex::default);

fn main() {
    divan::main();
}

fn policy(rules: usize) -> &'static Policy {
    let mut policies = POLICIES.lock().unwrap();
    policies.entry(rules).or_insert_with(|| {
        let loaded = load(sources(rules));
        assert!(loaded.findings.is_empty(), "{:?}", loaded.findings.iter().next());
        Box::leak(Box::new(loaded.policy.unwrap()))
    })
}

fn facts(rules: usize) -> Facts {
    let person = |id: u64| json!({ "id": id, "login": format!("p{id}"), "type": "User" });
    let reviews: Vec<Value> = (0..10)
        .map(|at| {
            let user = match at {
                8 => json!({ "id": 1008, "login": "dana", "type": "User" }),
                9 => json!({ "id": 1009, "login": "zoe", "type": "User" }),
                at => person(at),
            };
            let state = ["approved", "approved", "commented", "approved"][usize::try_from(at).unwrap() % 4];
            json!({ "id": 9000 + at, "user": user, "state": state, "revision": "a1", "bound_by": "delivery",
                    "submitted_at": format!("2026-11-18T09:{at:02}:00Z"), "body": "" })
        })
        .collect();
    let service = format!("service-{}", rules / 2 + 1);
    serde_json::from_value(json!({
        "schema": 1, "now": "2026-11-18T10:00:00Z", "target": { "service": service, "environment": "production" },
        "requested_at": "2026-11-18T08:00:00Z", "revision": "a1",
        "pull_request": {
            "repository": "acme/checkout", "default_branch": "main", "number": 42, "state": "open", "head": "a1",
            "head_first_seen": "2026-11-18T07:00:00Z", "base": "main", "author": { "id": 99, "login": "dave" },
            "files_complete": true, "commits": [{ "sha": "a1", "author": { "id": 99, "login": "dave" }, "committer": { "id": 99, "login": "dave" }, "verified": true }],
            "commits_complete": true, "pushers": [{ "id": 99, "login": "dave" }], "pushers_complete": true
        },
        "teams": { "acme/payments": (0..8).map(person).collect::<Vec<_>>() },
        "reviews": reviews
    }))
    .unwrap()
}

/// Finds a target's rule, with the index only.
#[divan::bench(args = RULES)]
fn find_rule(bencher: Bencher<'_, '_>, rules: usize) {
    let (policy, target) = (policy(rules), facts(rules).target);
    bencher.bench_local(|| black_box(policy.rule(black_box(&target)).is_ok()));
}

/// Finds the rule of a target that only a pattern matches.
#[divan::bench(args = RULES)]
fn find_rule_by_pattern(bencher: Bencher<'_, '_>, rules: usize) {
    let policy = policy(rules);
    let target: Target =
        serde_json::from_value(json!({ "service": "group-9-x", "environment": "production" })).unwrap();
    assert!(policy.rule(&target).is_ok());
    bencher.bench_local(|| black_box(policy.rule(black_box(&target)).is_ok()));
}

/// The verdict, with its reasons as data.
#[divan::bench(args = RULES)]
fn verdict(bencher: Bencher<'_, '_>, rules: usize) {
    let (policy, facts) = (policy(rules), facts(rules));
    bencher.bench_local(|| approval::verdict(black_box(policy), black_box(&facts)));
}

/// The whole decision, with its texts.
#[divan::bench(args = RULES)]
fn decide_whole(bencher: Bencher<'_, '_>, rules: usize) {
    let (policy, facts) = (policy(rules), facts(rules));
    bencher.bench_local(|| decide(black_box(policy), black_box(&facts)));
}

/// The whole decision while approvals are missing: it also says whether the rest can ever be met.
#[divan::bench(args = RULES)]
fn decide_pending(bencher: Bencher<'_, '_>, rules: usize) {
    let (policy, mut facts) = (policy(rules), facts(rules));
    facts.reviews.truncate(1);
    assert_eq!(approval::verdict(policy, &facts), Verdict::Pending);
    bencher.bench_local(|| decide(black_box(policy), black_box(&facts)));
}

/// The whole decision as JSON.
#[divan::bench(args = RULES)]
fn decide_to_json(bencher: Bencher<'_, '_>, rules: usize) {
    let (policy, facts) = (policy(rules), facts(rules));
    bencher.bench_local(|| serde_json::to_vec(&decide(black_box(policy), black_box(&facts))).unwrap());
}
