//! Reads bytes as the text of an approving review, and decides with it under two rules that differ in `explicit` only.
//!
//! The first byte says who approves, how the gate knows the text, and whether it was edited.

use std::sync::LazyLock;

use countersign::approval::decide;
use countersign::approval::decision::{Decision, Verdict};
use countersign::approval::facts::Facts;
use countersign::finding::{Source, SourceContent};
use countersign::policy::{Policy, load};
use serde_json::{Value, json};

static PLAIN: LazyLock<Policy> = LazyLock::new(|| policy(false));
static EXPLICIT: LazyLock<Policy> = LazyLock::new(|| policy(true));

fn policy(explicit: bool) -> Policy {
    let rule = format!("{{ require: 1 of payments, explicit: {explicit}, override: {{ by: 1 of sre }} }}");
    let text = format!(
        "version: 1\ngroups: {{ payments: {{ users: [pia] }}, sre: {{ users: [sam] }} }}\nservices:\n  checkout:\n    \
         repository: acme/checkout\n    environments: {{ production: {rule}, staging: {rule} }}\n"
    );
    let content = SourceContent::Bytes(text.into_bytes());
    load(vec![Source { name: "commands.yaml".to_owned(), content }]).policy.expect("a policy")
}

fn facts(body: &str, by: &str, (delivered, edited): (bool, bool), environment: &str) -> Facts {
    let id = if by == "pia" { 1 } else { 21 };
    let dave = json!({ "id": 4, "login": "dave", "type": "User" });
    let facts = json!({
        "schema": 1, "now": "2026-11-18T10:00:00Z",
        "target": { "service": "checkout", "environment": environment },
        "requested_at": "2026-11-18T09:00:00Z", "revision": "a1",
        "pull_request": {
            "repository": "acme/checkout", "default_branch": "main", "number": 1, "state": "open", "head": "a1",
            "head_first_seen": "2026-11-18T08:00:00Z", "base": "main", "author": dave,
            "commits": [{ "sha": "a1", "author": dave, "committer": dave }], "commits_complete": true,
            "pushers": [dave], "pushers_complete": true,
        },
        "reviews": [{
            "id": 1, "user": { "id": id, "login": by, "type": "User" }, "state": "approved", "revision": "a1",
            "bound_by": if delivered { "delivery" } else { "api" }, "submitted_at": "2026-11-18T09:30:00Z",
            "edited": edited, "body": body,
        }],
    });
    serde_json::from_value(facts).expect("facts")
}

/// Decides on the text for both targets under both rules.
pub fn check(bytes: &[u8]) {
    let Some((how, text)) = bytes.split_first() else { return };
    let body = String::from_utf8_lossy(text);
    let by = if how & 1 == 0 { "pia" } else { "sam" };
    let (delivered, edited) = (how & 2 == 0, how & 4 != 0);
    let decided = |policy: &Policy, environment: &str| {
        let facts = facts(&body, by, (delivered, edited), environment);
        let decision = decide(policy, &facts);
        assert_eq!(decision, decide(policy, &facts), "the same facts give the same decision");
        holds(&body, by, &decision);
        let known = delivered || !edited;
        assert!(known || decision.verdict != Verdict::Approved, "an edited text approves: {body:?}");
        decision
    };
    for environment in ["production", "staging"] {
        let (plain, explicit) = (decided(&PLAIN, environment), decided(&EXPLICIT, environment));
        // What must be named is stricter.
        if explicit.verdict == Verdict::Approved {
            assert_eq!(plain.verdict, Verdict::Approved, "{body:?}");
            let said = body.to_lowercase();
            assert!(said.contains(environment), "approved where it must be named, and not named: {body:?}");
            assert!(said.contains("/approve") || said.contains("/override"), "approved without a command: {body:?}");
        }
    }
}

fn holds(body: &str, by: &str, decision: &Decision) {
    let said = body.to_lowercase();
    if decision.overridden.is_some() {
        assert!(by == "sam" && said.contains("/override"), "overridden without a command: {body:?}");
    }
    if by == "sam" && decision.verdict == Verdict::Approved {
        assert!(decision.overridden.is_some(), "sam may only override: {body:?}");
    }
    let json = serde_json::to_value(decision).expect("a decision is JSON");
    let reason = json.pointer("/reviews/0/reason").and_then(Value::as_str);
    assert!(reason.is_some(), "a review has a reason: {json}");
    if reason == Some("not-named") {
        let text = json.pointer("/reviews/0/text").and_then(Value::as_str).unwrap_or_default();
        assert!(!text.is_empty() && text.chars().count() < 2_000, "the reason has a text of bounded length: {text:?}");
        assert!(!text.chars().any(char::is_control), "a quoted text has no control characters: {text:?}");
    }
}
