//! Laws that hold for every decision, tested on generated policies and facts.

pub(crate) mod made_up;
mod requirements;

use std::collections::{BTreeMap, BTreeSet};

use countersign::approval::decision::{Decision, ReasonCode, ReviewVerdict, Verdict};
use countersign::approval::facts::Facts;
use countersign::approval::{decide, decide_under};
use countersign::ident::Login;
use countersign::policy::{PinnedRule, Policy};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use made_up::{
    KINDS, NOT_NAMED, PEOPLE, approval, bundle, dismissals, known_facts, later, less_known, loaded, minute, person,
    policy, read, requirement, reviews, rule,
};

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

fn reviews_of(facts: &Value) -> impl Iterator<Item = &Value> {
    facts["reviews"].as_array().expect("reviews").iter()
}

/// Whether the person approved the target later than a review with this time and id, by a review that may since be
/// dismissed.
fn approves_after(facts: &Value, person: &Value, at: &Value, id: u64) -> bool {
    let instant = |at: &Value| at.as_str().expect("a time").parse::<jiff::Timestamp>().expect("an instant");
    reviews_of(facts).any(|review| {
        let approves = review["state"] == "approved" || review["was"] == "approved";
        let names = !NOT_NAMED.contains(&review["body"].as_str().expect("a text"));
        let place = (instant(&review["submitted_at"]), review["id"].as_u64().expect("an id"));
        approves && names && review["user"]["id"] == person["id"] && place > (instant(at), id)
    })
}

/// Whether somebody dismissed the request for changes, or its author approved or requested changes later.
fn is_lifted(facts: &Value, id: u64) -> bool {
    let objection = reviews_of(facts).find(|review| review["id"] == id).expect("the review");
    let dismissed = objection["state"] == "dismissed" && !objection["dismissed_by"].is_null();
    let replaced = reviews_of(facts).any(|review| {
        review["user"]["id"] == objection["user"]["id"]
            && (review["state"] == "changes_requested" || review["was"] == "changes_requested")
            && (review["submitted_at"].as_str(), review["id"].as_u64())
                > (objection["submitted_at"].as_str(), objection["id"].as_u64())
    });
    dismissed || replaced || approves_after(facts, &objection["user"], &objection["submitted_at"], id)
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

/// Facts or a policy with names in another case: of targets, people, teams, repositories and labels, and in commands.
fn recased(facts: &Value, key: &str, upper: &mut impl Iterator<Item = bool>) -> Value {
    // GitHub writes the end of a bot's login in lower case.
    let upper_case = |text: &str| text.to_ascii_uppercase().replace("[BOT]", "[bot]");
    let mut cased = |text: &str| if upper.next() == Some(true) { upper_case(text) } else { text.to_owned() };
    match facts {
        Value::String(text)
            if text.starts_with('@')
                || matches!(
                    key,
                    "service"
                        | "environment"
                        | "login"
                        | "repository"
                        | "labels"
                        | "body"
                        | "users"
                        | "teams"
                        | "pull_request"
                ) =>
        {
            cased(text).into()
        }
        Value::Array(items) => items.iter().map(|item| recased(item, key, upper)).collect(),
        Value::Object(entries) => {
            let mut others = serde_json::Map::new();
            for (name, value) in entries {
                let named = matches!(key, "teams" | "services" | "environments") && upper.next() == Some(true);
                let other = if named { name.to_ascii_uppercase() } else { name.clone() };
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
        let less = decide(&policy, &read(&less_known(&known, &flips)));
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
        let facts = read(&less_known(&known, &flips));
        let decision = decide(&policy(&rule), &facts);
        if decision.verdict == Verdict::Approved {
            let met = decision.requirement.as_ref().is_some_and(countersign::approval::decision::Part::met);
            prop_assert!(met || decision.overridden.is_some(), "{:?}", decision);
        }
        if let Some(part) = decision.requirement.as_ref().filter(|_| decision.verdict == Verdict::Pending) {
            prop_assert!(!part.met(), "{:?}", decision);
        }
        let counted = decision.reviews.iter().filter(|review| review.verdict == ReviewVerdict::Counts);
        let counted: BTreeSet<_> = counted.filter_map(|review| review.user.clone()).collect();
        prop_assert_eq!(decision.counts.iter().cloned().collect::<BTreeSet<_>>(), counted);
        prop_assert!(decision.counts.iter().enumerate().all(|(at, login)| !decision.counts[..at].contains(login)));
        prop_assert_eq!(decision.until.is_some(), decision.verdict == Verdict::Wait);
    }

    #[test]
    fn one_more_approval_never_takes_an_approval_away(
        rule in rule(), known in known_facts(), flips in flips(), mut more in approval(), other in approval()
    ) {
        let before = less_known(&known, &flips);
        let policy = policy(&rule);
        let first = decide(&policy, &read(&before));
        if first.verdict != Verdict::Approved {
            return Ok(());
        }
        // Also by somebody whose own review matters.
        more["id"] = json!(1000);
        for user in [more["user"].clone(), before["reviews"][0]["user"].clone(), other["user"].clone()] {
            more["user"] = user;
            let mut after = before.clone();
            after["reviews"].as_array_mut().expect("reviews").push(more.clone());
            let after = decide(&policy, &read(&after));
            prop_assert_eq!(after.verdict, Verdict::Approved, "{:?}\n{:?}", first, after);
        }
    }

    #[test]
    fn an_explicit_rule_never_approves_what_the_same_rule_does_not(
        rule in rule(), known in known_facts(), flips in flips()
    ) {
        let facts = read(&less_known(&known, &flips));
        let with = |explicit: bool| {
            let mut rule = rule.clone();
            rule["explicit"] = json!(explicit);
            decide(&policy(&rule), &facts)
        };
        let (strict, plain) = (with(true), with(false));
        if strict.verdict == Verdict::Approved {
            prop_assert_eq!(plain.verdict, Verdict::Approved, "{:#?}\n{:#?}", strict, plain);
        }
    }

    #[test]
    fn only_lifting_every_request_for_changes_or_an_override_leads_from_rejected_to_approved(
        rule in rule(), known in known_facts(), flips in flips(), mut more in reviews(1..8), dismissals in dismissals(), hours in 0..3_i64
    ) {
        let before = less_known(&known, &flips);
        let policy = policy(&rule);
        let first = decide(&policy, &read(&before));
        if first.verdict != Verdict::Rejected {
            return Ok(());
        }
        // Those who requested changes review again, and everybody else approves.
        let objectors: Vec<&str> = first
            .reviews
            .iter()
            .filter(|review| review.verdict == ReviewVerdict::Rejects)
            .filter_map(|review| review.user.as_ref().map(Login::as_str))
            .collect();
        for (review, by) in more.iter_mut().zip(objectors.iter().cycle()) {
            review["user"] = person(by);
        }
        let mut after = later(&before, more, &dismissals);
        PEOPLE.iter().filter(|by| !objectors.contains(by)).for_each(|by| later_review(&mut after, by, "approved"));
        let facts = read(&after);
        let second = decide(&policy, &at(&facts, facts.now + jiff::SignedDuration::from_hours(hours)));
        if second.verdict != Verdict::Approved || second.overridden.is_some() {
            return Ok(());
        }
        let objections = first.reviews.iter().filter(|review| review.verdict == ReviewVerdict::Rejects);
        for objection in objections {
            prop_assert!(is_lifted(&after, objection.id.0), "{:?}\n{:#}", objection, after);
        }
        for veto in after["vetoes"].as_array().expect("vetoes") {
            prop_assert!(approves_after(&after, &veto["by"], &veto["at"], 0), "{:#}", after);
        }
    }

    #[test]
    fn the_case_of_names_changes_nothing(
        rule in rule(), known in known_facts(), flips in flips(), upper in prop::collection::vec(any::<bool>(), 16)
    ) {
        let known = less_known(&known, &flips);
        let policy = policy(&rule);
        let lower = |decision: &Decision| serde_json::to_string(decision).expect("JSON").to_lowercase();
        let recased = recased(&known, "", &mut upper.into_iter().cycle());
        prop_assert_eq!(lower(&decide(&policy, &read(&known))), lower(&decide(&policy, &read(&recased))));
    }

    #[test]
    fn the_case_of_names_in_the_policy_changes_nothing(
        rule in rule(), known in known_facts(), flips in flips(), upper in prop::collection::vec(any::<bool>(), 16)
    ) {
        let facts = read(&less_known(&known, &flips));
        let bundle = bundle(&rule);
        let recased = recased(&bundle, "", &mut upper.into_iter().cycle());
        let (one, other) = (decide(&loaded(&bundle), &facts), decide(&loaded(&recased), &facts));
        prop_assert_eq!(one.verdict, other.verdict);
        let lower = |of: &Decision| {
            serde_json::to_string(&(&of.reviews, &of.counts, &of.overridden)).expect("JSON").to_lowercase()
        };
        prop_assert_eq!(lower(&one), lower(&other));
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
        let mut facts = less_known(&known, &flips);
        let names_a = rule["require"].to_string();
        let by = if by_approver && (names_a.contains("\"a\"") || names_a.contains("all of a")) { "dana" } else { "vera" };
        later_review(&mut facts, by, "changes_requested");
        let decision = decide(&policy(&rule), &read(&facts));
        prop_assert!(decision.verdict != Verdict::Approved || decision.overridden.is_some(), "{:?}", decision);
    }

    #[test]
    fn fewer_known_facts_never_approve_what_was_not_approved(rule in rule(), known in known_facts(), flips in flips()) {
        let policy = policy(&rule);
        let more = decide(&policy, &read(&known));
        // Each kind alone, and several of them.
        let alone = (0..KINDS).map(|kind| (0..KINDS).map(|at| at == kind).collect::<Vec<bool>>());
        for flips in alone.chain([flips]) {
            let less = decide(&policy, &read(&less_known(&known, &flips)));
            // A part that may apply is required. A part that is known not to apply can leave a rule empty.
            if less.verdict == Verdict::Approved && !is_for(&more, ReasonCode::NothingRequired) {
                prop_assert_eq!(more.verdict, Verdict::Approved, "{:?} {:#?}\n{:#?}", flips, more, less);
            }
        }
    }

    #[test]
    fn a_pinned_rule_decides_as_the_rule_does(rule in rule(), known in known_facts(), flips in flips()) {
        let policy = policy(&rule);
        let facts = read(&less_known(&known, &flips));
        let pinned = pinned(&policy, &facts);
        prop_assert_eq!(decide_under(&pinned.rule(), policy.digest(), &facts), decide(&policy, &facts));
    }

    #[test]
    fn a_decision_does_not_change_before_its_next_action(rule in rule(), known in known_facts(), flips in flips(), part in 0.0..1.0_f64) {
        let policy = policy(&rule);
        let facts = read(&less_known(&known, &flips));
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
