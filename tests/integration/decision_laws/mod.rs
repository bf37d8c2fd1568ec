//! Laws that hold for every decision, tested on generated policies and facts.

pub(crate) mod made_up;
mod requirements;

use std::collections::BTreeMap;

use countersign::approval::decision::{Decision, ReasonCode, ReviewVerdict, Verdict};
use countersign::approval::facts::Facts;
use countersign::approval::{decide, decide_under};
use countersign::policy::{PinnedRule, Policy};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use made_up::{KINDS, PEOPLE, known_facts, less_known, minute, person, policy, read, requirement, rule};

fn flips() -> impl Strategy<Value = Vec<bool>> {
    prop::collection::vec(prop::bool::weighted(0.12), KINDS)
}

fn is_for(decision: &Decision, code: ReasonCode) -> bool {
    decision.reasons.iter().any(|reason| reason.code == code)
}

/// A review of the head by someone, delivered after all others.
fn later_review(facts: &mut Value, by: &str, state: &str) {
    let reviews = facts["reviews"].as_array_mut().expect("reviews");
    reviews.push(json!({
        "id": 1000 + reviews.len(), "user": person(by), "state": state, "body": if state == "approved" { "/approve production" } else { "" },
        "submitted_at": minute(180), "revision": "a1", "bound_by": "delivery",
    }));
}

fn at(facts: &Facts, now: jiff::Timestamp) -> Facts {
    Facts { now, ..facts.clone() }
}

fn has_reviewed(facts: &Value, login: &str) -> bool {
    facts["reviews"].as_array().expect("reviews").iter().any(|review| review["user"]["login"] == login)
}

/// Whether only time can change the decision, because the gate has already recorded what it records at once.
fn is_at_rest(decision: &Decision, facts: &Facts) -> bool {
    match decision.verdict {
        Verdict::Pending | Verdict::Blocked => facts.requested_at.is_some() || facts.approved_at.is_some(),
        Verdict::Approved => facts.approved_at.is_some(),
        Verdict::Wait => facts.approved_at.is_some() || facts.requested_at.is_none(),
        Verdict::Rejected | Verdict::Expired | Verdict::Superseded | Verdict::Denied => false,
    }
}

fn pinned(policy: &Policy, facts: &Facts) -> PinnedRule {
    let rule = policy.rule(&facts.target).expect("a rule").pin();
    serde_json::from_str(&serde_json::to_string(&rule).expect("a pinned rule is JSON")).expect("and is read again")
}

/// The facts with names in another case: of the target, people, teams, the repository and labels, and in commands.
fn recased(facts: &Value, key: &str, upper: &mut impl Iterator<Item = bool>) -> Value {
    let mut cased = |text: &str| if upper.next() == Some(true) { text.to_ascii_uppercase() } else { text.to_owned() };
    match facts {
        Value::String(text)
            if matches!(key, "service" | "environment" | "login" | "requester" | "repository" | "labels" | "body") =>
        {
            cased(text).into()
        }
        Value::Array(items) => items.iter().map(|item| recased(item, key, upper)).collect(),
        Value::Object(entries) => {
            let mut others = serde_json::Map::new();
            for (name, value) in entries {
                let other =
                    if key == "teams" && upper.next() == Some(true) { name.to_ascii_uppercase() } else { name.clone() };
                others.insert(other, recased(value, name, upper));
            }
            Value::Object(others)
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => facts.clone(),
    }
}

/// A law that never applies proves nothing: the generated facts must lead to every verdict.
#[test]
fn generated_facts_lead_to_every_verdict_and_enough_approvals() {
    let mut runner = TestRunner::deterministic();
    let made = (rule(), known_facts(), flips());
    let mut verdicts = BTreeMap::new();
    let (mut closed, mut overridden, mut doubted) = (0, 0, 0);
    for _ in 0..400 {
        let (rule, known, flips) = made.new_tree(&mut runner).expect("a value").current();
        let policy = policy(&rule);
        let decision = decide(&policy, &read(&known));
        let less = decide(&policy, &read(&less_known(&known, &flips, rule["explicit"] == true)));
        closed += usize::from(decision.verdict == Verdict::Approved && less.verdict != Verdict::Approved);
        overridden += usize::from(decision.overridden.is_some());
        doubted += usize::from(is_for(&less, ReasonCode::ConditionUnknown));
        *verdicts.entry(decision.verdict.as_str()).or_insert(0) += 1;
    }
    assert_eq!(verdicts.len(), 8, "{verdicts:?}");
    assert!(
        verdicts["approved"] > 40 && closed > 5 && overridden > 2 && doubted > 2,
        "{verdicts:?}, {closed}, {overridden}, {doubted}"
    );
}

/// Half the usual number of cases, since each loads a policy. `PROPTEST_CASES` sets the usual number.
fn config() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: usual.cases / 2, failure_persistence: None, ..usual }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn an_approved_requirement_is_met_or_overridden(rule in rule(), known in known_facts(), flips in flips()) {
        let facts = read(&less_known(&known, &flips, false));
        let decision = decide(&policy(&rule), &facts);
        if decision.verdict == Verdict::Approved {
            let met = decision.requirement.as_ref().is_some_and(countersign::approval::decision::Part::met);
            prop_assert!(met || decision.overridden.is_some(), "{:?}", decision);
        }
        if let Some(part) = decision.requirement.as_ref().filter(|_| decision.verdict == Verdict::Pending) {
            prop_assert!(!part.met(), "{:?}", decision);
        }
        let counted = decision.reviews.iter().filter(|review| review.verdict == ReviewVerdict::Counts).count();
        prop_assert_eq!(decision.counts.len(), counted);
        prop_assert_eq!(decision.until.is_some(), decision.verdict == Verdict::Wait);
    }

    #[test]
    fn one_more_approval_of_the_head_never_takes_an_approval_away(
        rule in rule(), known in known_facts(), flips in flips(), people in Just(PEOPLE.to_vec()).prop_shuffle()
    ) {
        let before = less_known(&known, &flips, false);
        let Some(by) = people.into_iter().find(|by| !has_reviewed(&before, by)) else { return Ok(()) };
        let mut after = before.clone();
        later_review(&mut after, by, "approved");
        let policy = policy(&rule);
        let (before, after) = (decide(&policy, &read(&before)), decide(&policy, &read(&after)));
        if before.verdict == Verdict::Approved {
            prop_assert_eq!(after.verdict, Verdict::Approved, "{:?}", after);
        }
    }

    #[test]
    fn the_case_of_names_changes_nothing(
        rule in rule(), known in known_facts(), flips in flips(), upper in prop::collection::vec(any::<bool>(), 16)
    ) {
        let known = less_known(&known, &flips, false);
        let policy = policy(&rule);
        let lower = |decision: &Decision| serde_json::to_string(decision).expect("JSON").to_lowercase();
        let recased = recased(&known, "", &mut upper.into_iter().cycle());
        prop_assert_eq!(lower(&decide(&policy, &read(&known))), lower(&decide(&policy, &read(&recased))));
    }

    #[test]
    fn the_order_in_which_facts_list_reviews_does_not_matter(
        rule in rule(), (known, shuffled) in known_facts().prop_flat_map(|known| {
            let reviews = known["reviews"].as_array().expect("reviews").clone();
            (Just(known), Just(reviews).prop_shuffle())
        })
    ) {
        let mut other = known.clone();
        other["reviews"] = Value::Array(shuffled);
        let policy = policy(&rule);
        prop_assert_eq!(decide(&policy, &read(&known)), decide(&policy, &read(&other)));
    }

    #[test]
    fn the_order_of_approvals_does_not_matter_if_each_person_gives_one(
        require in requirement(), distinct in any::<bool>(),
        givers in Just(PEOPLE.to_vec()).prop_shuffle(), others in Just(PEOPLE.to_vec()).prop_shuffle(), number in 0..7_usize
    ) {
        let rule = json!({ "require": require, "distinct": distinct, "exclude": [] });
        let policy = policy(&rule);
        let chosen: Vec<&str> = givers.into_iter().take(number).collect();
        let mut facts = json!({
            "schema": 1, "now": minute(200), "target": { "service": "world", "environment": "production" },
            "requested_at": minute(0), "revision": "a1", "teams": { "acme/c": [person("lee"), person("ned")], "acme/d": [person("pat")] },
            "pull_request": { "repository": "acme/world", "default_branch": "main", "number": 7, "state": "open", "head": "a1",
                "base": "main", "author": person("dana"), "files_complete": true, "commits_complete": true, "pushers_complete": true },
            "reviews": [],
        });
        let mut verdicts = Vec::new();
        for order in [chosen.clone(), others.into_iter().filter(|login| chosen.contains(login)).collect()] {
            facts["reviews"] = json!([]);
            for login in order {
                later_review(&mut facts, login, "approved");
            }
            let decision = decide(&policy, &read(&facts));
            let missing: u32 = decision.unmet.iter().map(|unmet| unmet.need - unmet.have).sum();
            verdicts.push((decision.verdict, missing));
        }
        prop_assert_eq!(verdicts[0], verdicts[1]);
    }

    #[test]
    fn changes_requested_on_the_head_by_someone_who_may_beat_every_approval(
        rule in rule(), known in known_facts(), flips in flips(), by_approver in any::<bool>()
    ) {
        if rule["on_changes_requested"] == "ignore" {
            return Ok(());
        }
        let mut facts = less_known(&known, &flips, false);
        let names_a = rule["require"].to_string();
        let by = if by_approver && (names_a.contains("\"a\"") || names_a.contains("all of a")) { "dana" } else { "vera" };
        later_review(&mut facts, by, "changes_requested");
        let decision = decide(&policy(&rule), &read(&facts));
        prop_assert!(decision.verdict != Verdict::Approved || decision.overridden.is_some(), "{:?}", decision);
    }

    #[test]
    fn fewer_known_facts_never_approve_what_was_not_approved(rule in rule(), known in known_facts(), flips in flips()) {
        let policy = policy(&rule);
        let explicit = rule["explicit"] == true;
        let more = decide(&policy, &read(&known));
        let less = decide(&policy, &read(&less_known(&known, &flips, explicit)));
        // A part that may apply is required. A part that is known not to apply can leave a rule empty.
        if less.verdict == Verdict::Approved && !is_for(&more, ReasonCode::NothingRequired) {
            prop_assert_eq!(more.verdict, Verdict::Approved, "{:#?}\n{:#?}", more, less);
        }
    }

    #[test]
    fn a_pinned_rule_decides_as_the_rule_does(rule in rule(), known in known_facts(), flips in flips()) {
        let policy = policy(&rule);
        let facts = read(&less_known(&known, &flips, false));
        let pinned = pinned(&policy, &facts);
        prop_assert_eq!(decide_under(&pinned.rule(), policy.digest(), &facts), decide(&policy, &facts));
    }

    #[test]
    fn a_decision_does_not_change_before_its_next_action(rule in rule(), known in known_facts(), flips in flips(), part in 0.0..1.0_f64) {
        let policy = policy(&rule);
        let facts = read(&less_known(&known, &flips, false));
        let decision = decide(&policy, &facts);
        if !is_at_rest(&decision, &facts) {
            return Ok(());
        }
        let next = decision.next_action.as_ref().map_or(minute(60 * 24 * 30), |next| next.at);
        prop_assert!(next > facts.now, "{:?}", decision.next_action);
        // The last instant before, and one in between.
        let span = next.duration_since(facts.now);
        for now in [next - jiff::SignedDuration::from_nanos(1), facts.now + span.mul_f64(part)] {
            if now >= facts.now && now < next {
                let later = decide(&policy, &at(&facts, now));
                prop_assert_eq!(later.verdict, decision.verdict, "at {}: {:?}\n{:?}", now, decision, later.reasons);
            }
        }
    }

    #[test]
    fn a_wait_comes_to_an_end_or_outlives_the_execution(rule in rule(), known in known_facts()) {
        let policy = policy(&rule);
        let mut facts = read(&known);
        // Step Functions ends an execution after a year. A window that is frozen whenever it opens takes longer.
        let year = facts.now + jiff::SignedDuration::from_hours(366 * 24);
        for _ in 0..20 {
            let decision = decide(&policy, &facts);
            let Some(until) = decision.until.filter(|until| *until < year) else { return Ok(()) };
            prop_assert!(until > facts.now);
            facts.now = until;
        }
        prop_assert!(false, "twenty waits, one after the other");
    }

    #[test]
    fn facts_that_lack_almost_everything_can_be_decided_on(
        rule in rule(), known in known_facts(), without in prop::collection::vec(prop::bool::weighted(0.3), 8)
    ) {
        let mut facts = known;
        let lacks = |at: usize| without[at];
        for (at, key) in ["pull_request", "revision", "requested_at", "approved_at"].into_iter().enumerate() {
            if lacks(at) {
                facts[key] = Value::Null;
            }
        }
        if lacks(4) {
            facts["teams"] = json!({});
        }
        for review in facts["reviews"].as_array_mut().expect("reviews").iter_mut().skip(1).step_by(2) {
            for (at, key) in ["user", "submitted_at", "revision"].into_iter().enumerate() {
                if lacks(at + 5) {
                    review[key] = Value::Null;
                }
            }
        }
        let decision = decide(&policy(&rule), &read(&facts));
        let cannot_ask = facts["pull_request"].is_null() || facts["revision"].is_null();
        prop_assert!(!cannot_ask || matches!(decision.verdict, Verdict::Denied | Verdict::Superseded), "{:?}", decision);
    }
}
