//! Reads bytes as facts, and decides on them under a policy that uses the whole language.
//!
//! Bytes that start with `{` are the JSON that `countersign decide` reads. From other bytes, `given` generates facts.

use std::sync::LazyLock;

use arbitrary::Unstructured;
use countersign::approval::decision::{Decision, NextActionKind, Verdict};
use countersign::approval::facts::Facts;
use countersign::approval::{decide, objectors};
use countersign::finding::{Source, SourceContent};
use countersign::policy::{Policy, load};
use countersign::render;
use serde_json::Value;

use crate::given;

const TEXT: &str = include_str!("../policies/whole-language.yaml");

static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    let content = SourceContent::Bytes(TEXT.as_bytes().to_vec());
    let loaded = load(vec![Source { name: "whole-language.yaml".to_owned(), content }]);
    let said = render::finding::text(&loaded.findings, &loaded.sources, false);
    loaded.policy.unwrap_or_else(|| panic!("the policy is sound: {said}"))
});

/// Decides on the facts, if the bytes contain any.
pub fn check(bytes: &[u8]) {
    let facts = if bytes.starts_with(b"{") {
        serde_json::from_slice::<Facts>(bytes).ok()
    } else {
        let drawn = given::facts(&mut Unstructured::new(bytes)).ok();
        drawn.map(|drawn| serde_json::from_value(drawn).expect("what is drawn is facts"))
    };
    if let Some(facts) = facts {
        sound(&facts);
    }
}

fn sound(facts: &Facts) {
    let decision = decide(&POLICY, facts);
    let json = serde_json::to_value(&decision).expect("a decision is JSON");
    hangs_together(facts, &decision, &json);

    // Recorded facts must give the recorded decision.
    let recorded = serde_json::to_vec(facts).expect("facts are JSON");
    let read: Facts = serde_json::from_slice(&recorded).expect("recorded facts are facts");
    assert_eq!(&read, facts);
    assert_eq!(serde_json::to_value(decide(&POLICY, &read)).expect("a decision is JSON"), json);

    let _ = render::decision::text(&decision, false);
    let cause = render::answer::cause(&decision);
    assert!(cause.chars().count() <= 32_768, "the cause fits Step Functions");
    serde_json::from_str::<Value>(&cause).expect("the cause is JSON");
    if let Ok(rule) = POLICY.rule(&facts.target) {
        let _ = objectors(&rule, facts);
    }
}

fn hangs_together(facts: &Facts, decision: &Decision, json: &Value) {
    let met = json.pointer("/requirement/met").and_then(Value::as_bool);
    if decision.verdict == Verdict::Approved {
        assert!(met != Some(false) || decision.overridden.is_some(), "approved, and not met: {json}");
    } else {
        assert!(!decision.reasons.is_empty(), "not approved, and no reason: {json}");
    }
    if decision.verdict == Verdict::Wait {
        assert!(decision.until.is_some_and(|until| until > facts.now), "a wait has an end ahead: {json}");
    }
    if let Some(next) = &decision.next_action {
        // The next action is in the future. Only an expired deadline may be past, because it is due immediately.
        assert!(next.at > facts.now || next.kind == NextActionKind::Expire, "what comes next is ahead: {json}");
    }
    assert!(!decision.summary.is_empty());
}
