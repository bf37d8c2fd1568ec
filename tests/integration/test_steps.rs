//! The steps of a case: impossible ones are reported, and the others change what the gate would know.
#![expect(clippy::indexing_slicing, reason = "a test that finds less than it wrote says so by failing")]

use countersign::approval::case::coverage::{Coverage, Missed, Report, Way};
use countersign::approval::case::{self, Ended, Outcome, Suites};
use countersign::approval::decision::Verdict;
use countersign::approval::facts::Facts;
use countersign::finding::{Source, SourceContent};
use countersign::policy::{Policy, load};
use serde_json::{Value, json};

fn source(name: &str, text: &str) -> Source {
    Source { name: name.to_owned(), content: SourceContent::Bytes(text.as_bytes().to_vec()) }
}

fn policy() -> Policy {
    let text = "\
version: 1
groups: { people: { users: [pia, pat] } }
defaults: { repository: acme/shop, require: 1 of people }
environments:
  production: {}
services:
  shop: { description: x }
  lib: { branches: [\"release/*\"] }
  other:
    environments:
      production: { require: { any_of: [\"@zoe\", { in_order: [1 of people, \"@zoe\"] }] } }
      free: { require: none }
";
    load(vec![source("policy.yaml", text)]).policy.expect("a policy")
}

fn read(text: &str) -> Suites {
    case::read(vec![source("x.test.yaml", text)])
}

/// A case of the shop with these facts and steps, one step per line from line 5.
fn case_of(given: &str, steps: &[&str]) -> String {
    let steps: String = steps.iter().map(|step| format!("  - {{ {step} }}\n")).collect();
    format!(
        "cases:\n- name: x\n  given: {{ service: shop, environment: production, {given} }}\n  steps:\n{steps}  expect: \
         {{ mode: enforce }}\n"
    )
}

/// Each finding as `line:column code message (hint)`.
fn findings(text: &str) -> Vec<String> {
    let suites = read(text);
    let texts = suites.findings.iter().map(|finding| {
        let span = finding.span.expect("a place");
        let hint = finding.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{}:{} {} {}{hint}", span.line, span.column, finding.code.as_str(), finding.message)
    });
    texts.collect()
}

fn outcome(text: &str) -> Outcome {
    assert_eq!(findings(text), Vec::<String>::new());
    read(text).files[0].cases[0].run(&policy())
}

/// The facts after the last of the steps.
fn facts_after(given: &str, steps: &[&str]) -> Facts {
    let text = case_of(given, steps);
    assert_eq!(findings(&text), Vec::<String>::new());
    let mut seen = Vec::new();
    let _ = read(&text).files[0].cases[0].run_watched(&policy(), &mut |facts, _| seen.push(facts.clone()));
    assert_eq!(seen.len(), steps.len() + 1);
    seen.pop().expect("facts")
}

fn pull_request(given: &str, steps: &[&str]) -> Value {
    serde_json::to_value(facts_after(given, steps).pull_request.expect("a pull request")).expect("JSON")
}

// What is wrong with a step.

#[test]
fn a_malformed_step_is_reported() {
    for (step, expected) in [
        (
            "reviw: { by: pia, state: approved }",
            "5:7 unknown-key `reviw` is not a key of a step (did you mean `review`?)",
        ),
        ("expect: { verdict: approved }", "5:5 missing-key the step has no event (write one of `review`, `dismiss`, "),
        (
            "close: {}, merge: {}",
            "5:18 invalid-value `merge` is a second event in one step (write it as a step of its own",
        ),
        ("review: { by: pia }", "missing-key a `review` step needs `state`"),
        ("review: { state: approved }", "missing-key a `review` step needs `by`"),
        (
            "review: { by: pia, state: dismissed }",
            "`dismissed` is not a value of `state` (it takes `approved`, `changes_requested` or `commented`)",
        ),
        ("review: { by: pia, state: approved, was: approved }", "`was` is not a key of a `review` step"),
        ("review: { by: pia, state: approved, at: noon }", "`at`: `noon` is not an instant"),
        ("dismiss: { of: pia }", "missing-key a `dismiss` step needs `by`"),
        ("dismiss: { of: [pia], by: pat }", "`of` is a list, and must be the login or the number of a review"),
        ("push: { by: pia }", "missing-key a `push` step needs `head`"),
        ("push: { by: pia, head: a2, commits: [] }", "empty-list `commits` is an empty list"),
        ("label: {}", "missing-key a `label` step needs `add` or `remove`"),
        ("label: { add: [] }", "empty-list `add` is an empty list"),
        ("base: main", "a `base` step is a text, and must be a mapping"),
        ("close: true", "a `close` step is true or false, and must be a mapping"),
        ("merge: { comit: m1 }", "`comit` is not a key of a `merge` step (did you mean `commit`?)"),
        ("tick: { by: 1h, to: 2026-01-01T00:00:00Z }", "a `tick` step takes one of `by` and `to`"),
        ("tick: {}", "a `tick` step takes one of `by` and `to`"),
        ("tick: { by: 0s }", "invalid-duration"),
        ("tick: { by: 1h, at: 2026-01-01T00:00:00Z }", "`at` is not a key of a `tick` step"),
        (
            "tick: { by: 1h }, expect: { verdit: approved }",
            "`verdit` is not a key of a decision (did you mean `verdict`?)",
        ),
        ("tick: { by: 1h }, expect: {}", "`expect` is empty, so it would always hold"),
    ] {
        let found = findings(&case_of("", &[step]));
        assert!(matches!(found.as_slice(), [one] if one.contains(expected)), "{step}: {found:?}");
    }
}

#[test]
fn an_impossible_event_is_reported_at_its_place() {
    let pia = "review: { by: pia, state: approved }";
    for (given, steps, expected) in [
        (
            "",
            &["dismiss: { of: pat, by: pia }"][..],
            "5:7 invalid-value this cannot happen: there is no review of `pat` that could be dismissed (each step",
        ),
        (
            "",
            &[pia, "dismiss: { of: pia, by: pia }", "dismiss: { of: pia, by: pia }"],
            "7:7 invalid-value this cannot happen: there is no review of `pia`",
        ),
        ("", &[pia, "dismiss: { of: 2, by: pia }"], "there is no review 2 that could be dismissed"),
        (
            "",
            &["review: { by: pia, state: commented }", "dismiss: { of: 1, by: pia }"],
            "review 1 neither approves nor requests changes",
        ),
        (
            "reviews: [{ by: pat, state: approved }]",
            &["review: { by: pia, state: approved, id: 1 }"],
            "a review with the `id` 1 already exists",
        ),
        (
            "pull_request: { labels: [Hot] }",
            &["label: { remove: [hot] }", "label: { remove: [hot] }"],
            "6:7 invalid-value this cannot happen: the pull request does not have the label `hot`",
        ),
        ("pull_request: { labels: [Hot] }", &["label: { add: [HOT] }"], "the pull request already has the label `HOT`"),
        ("", &["push: { by: dave, head: a1 }"], "a1 is already the head"),
        ("", &["base: { to: next }", "base: { to: next }"], "`next` is already the base"),
        ("pull_request: { base: main }", &["base: { to: main }"], "`main` is already the base"),
        ("", &["close: {}", "close: {}"], "a pull request that is closed cannot be closed"),
        ("", &["merge: {}", "push: { by: dave, head: a2 }"], "a pull request that is merged cannot be pushed to"),
        ("", &["close: {}", "merge: {}"], "a pull request that is closed cannot be merged"),
        (
            "pull_request: { state: closed }",
            &["base: { to: next }"],
            "a pull request that is closed cannot be given another base",
        ),
        ("pull_request: null", &[pia], "there is no pull request"),
        (
            "now: 2026-01-02T00:00:00Z",
            &["tick: { to: 2026-01-01T23:59:59Z }"],
            "time only goes forward, and it is already 2026-01-02T00:00:00Z",
        ),
        (
            "",
            &[pia, "close: { at: 2026-01-01T00:00:59Z }"],
            "6:7 invalid-value this cannot happen: time only goes forward, and it is already 2026-01-01T00:01:00Z",
        ),
        ("", &["tick: { by: 9999999w }"], "the time is out of range"),
    ] {
        let found = findings(&case_of(given, steps));
        assert!(matches!(found.as_slice(), [one] if one.contains(expected)), "{steps:?}: {found:?}");
    }
}

#[test]
fn a_case_expects_something_at_the_start_or_after_a_step() {
    let case =
        |rest: &str| findings(&format!("cases:\n- name: x\n  given: {{ service: shop, environment: e }}\n  {rest}\n"));
    assert_eq!(case("steps: [{ tick: { by: 1h }, expect: { verdict: denied } }]"), Vec::<String>::new());
    assert!(case("steps: [{ tick: { by: 1h } }]")[0].contains("missing-key the case has no `expect`"));
    assert!(case("steps: []")[0].contains("empty-list `steps` is an empty list"));
    assert_eq!(case("steps: [{ tick: {} }]").len(), 1, "steps that cannot be read may have an `expect`");
}

#[test]
fn a_step_that_only_the_policy_makes_impossible_fails_when_the_case_runs() {
    let text = case_of("service: lib", &["base: { to: release/any }"]).replace("service: shop, ", "");
    let outcome = outcome(&text);
    let failure = outcome.failures.first().expect("a failure");
    assert_eq!((failure.path.as_str(), failure.step), ("steps[0]", Some(0)));
    assert_eq!(failure.got, json!("`release/any` is already the base"));
}

// What a step does.

#[test]
fn a_review_is_given_on_the_present_head_and_has_the_next_number() {
    let given = "reviews: [{ by: pat, state: commented, id: 40 }]";
    let steps = ["push: { by: dave, head: a2 }", "review: { by: pia, state: APPROVED, body: \"/approve x\" }"];
    let facts = serde_json::to_value(&facts_after(given, &steps).reviews[1]).expect("JSON");
    assert_eq!(
        facts,
        json!({
            "id": 41, "user": facts["user"], "state": "approved", "revision": "a2", "bound_by": "delivery",
            "submitted_at": "2026-01-01T00:02:00Z", "edited": false, "body": "/approve x"
        })
    );
}

#[test]
fn a_dismissal_records_what_the_review_said_and_who_dismissed_it() {
    let given = "reviews: [{ by: pat, state: changes_requested }, { by: PAT, state: commented }]";
    let facts = facts_after(given, &["dismiss: { of: Pat, by: dave }"]);
    let review = serde_json::to_value(&facts.reviews[0]).expect("JSON");
    assert_eq!((&review["state"], &review["was"]), (&json!("dismissed"), &json!("changes_requested")));
    assert_eq!(review["dismissed_by"]["login"], "dave");
    assert_eq!(review["submitted_at"], "2025-12-31T23:30:00Z", "when it was given does not change");
    assert_eq!(serde_json::to_value(facts.reviews[1].state).expect("JSON"), "commented");
}

#[test]
fn a_push_adds_commits_files_and_a_pusher() {
    let given = "pull_request: { author: dave, files: [a, b], additions: 3, deletions: 1 }";
    let push = "push: { by: pat, head: a2, at: 2026-01-01T08:00:00Z, files: [{ path: b, previous_path: c }, d], additions: 4 }";
    let got = pull_request(given, &[push, "push: { by: pat, head: a3, commits: [{ sha: x }, { author: null }] }"]);
    assert_eq!((&got["head"], &got["head_first_seen"]), (&json!("a3"), &json!("2026-01-01T08:01:00Z")));
    assert_eq!(got["files"], json!([{ "path": "a" }, { "path": "b", "previous_path": "c" }, { "path": "d" }]));
    assert_eq!((&got["additions"], &got["deletions"]), (&json!(7), &json!(1)));
    let shas: Vec<&Value> = got["commits"].as_array().expect("a list").iter().map(|commit| &commit["sha"]).collect();
    assert_eq!(shas, ["a1", "a2", "x", "a3"]);
    assert_eq!(got["commits"][1]["committer"]["login"], "pat");
    assert_eq!(got["commits"][3]["author"], json!(null));
    let pushers: Vec<&Value> =
        got["pushers"].as_array().expect("a list").iter().map(|pusher| &pusher["login"]).collect();
    assert_eq!(pushers, ["dave", "pat"]);
}

#[test]
fn a_forced_push_removes_everything_that_was_there() {
    let given = "pull_request: { files: [a], additions: 3, deletions: 1, commits: [{ sha: x }, {}] }";
    let got = pull_request(given, &["push: { by: pat, head: a2, force: true, files: [b], deletions: 2 }"]);
    assert_eq!(got["files"], json!([{ "path": "b" }]));
    assert_eq!((&got["additions"], &got["deletions"]), (&json!(0), &json!(2)));
    assert_eq!(got["commits"].as_array().map(Vec::len), Some(1));
}

#[test]
fn labels_the_base_and_the_end_of_a_pull_request_change_it() {
    let got = pull_request("pull_request: { labels: [a, B] }", &["label: { add: [c], remove: [b] }"]);
    assert_eq!(got["labels"], json!(["a", "c"]));
    let got = pull_request("", &["base: { to: next, at: 2026-01-01T08:00:00Z }"]);
    assert_eq!((&got["base"], &got["base_changed_at"]), (&json!("next"), &json!("2026-01-01T08:00:00Z")));
    let got = pull_request("", &["close:"]);
    assert_eq!((&got["state"], &got["merged"], &got["merge_commit"]), (&json!("closed"), &json!(false), &json!(null)));
    let got = pull_request("", &["merge: { commit: f00 }"]);
    assert_eq!((&got["state"], &got["merged"], &got["merge_commit"]), (&json!("closed"), &json!(true), &json!("f00")));
}

#[test]
fn each_step_takes_a_minute_unless_it_gives_a_time() {
    let now = |steps: &[&str]| facts_after("now: 2026-01-01T12:00:00Z", steps).now.to_string();
    assert_eq!(now(&["label: { add: [a] }", "label: { add: [b] }"]), "2026-01-01T12:02:00Z");
    assert_eq!(now(&["label: { add: [a], at: 2026-01-01T12:00:00Z }"]), "2026-01-01T12:00:00Z");
    assert_eq!(now(&["tick: { by: 1h30m }"]), "2026-01-01T13:30:00Z");
    assert_eq!(now(&["tick: { to: 2026-01-03T00:00:00+01:00 }", "close: {}"]), "2026-01-02T23:01:00Z");
}

#[test]
fn the_request_is_opened_and_settled_when_the_decision_says_so() {
    let moments = |given: &str, steps: &[&str]| {
        let facts = facts_after(given, steps);
        (facts.requested_at.map(|at| at.to_string()), facts.approved_at.map(|at| at.to_string()))
    };
    let at = |minute: u32| Some(format!("2026-01-01T00:0{minute}:00Z"));
    let pia = "review: { by: pia, state: approved }";
    assert_eq!(moments("requested_at: null", &["tick: { by: 1m }"]), (at(0), None));
    assert_eq!(moments("requested_at: null", &[pia, "tick: { by: 1h }", "tick: { by: 1h }"]), (at(0), at(1)));
    assert_eq!(
        moments("requested_at: null, reviews: [{ by: pia, state: approved }]", &["tick: { by: 1h }"]),
        (None, at(0))
    );
    let withdrawn = ["dismiss: { of: 1, by: pia }", "tick: { by: 1h }"];
    assert_eq!(
        moments("requested_at: null, reviews: [{ by: pia, state: approved }]", &withdrawn),
        (None, at(0)),
        "a request approved at once waits for nobody later"
    );
    let requested_before = Some("2025-12-31T23:00:00Z".to_owned());
    assert_eq!(moments("", &["tick: { by: 1h }"]), (requested_before.clone(), None));
    assert_eq!(moments("", &["close: {}", "tick: { by: 1h }"]), (requested_before, None));
    assert_eq!(moments("requested_at: null, revision: b7", &["tick: { by: 1h }"]), (None, None), "denied");
}

// What is reported.

#[test]
fn a_failure_names_the_step_and_the_outcome_says_what_happened() {
    let text = "cases:\n- name: x\n  given: { service: shop, environment: production }\n  expect: { verdict: approved }\n  \
                steps:\n  - review: { by: pia, state: changes_requested }\n    expect: { reviews: { pia: counts } }\n  - \
                dismiss: { of: pia, by: pia }\n    expect: { verdict: pending, counts: [pia] }\n";
    let outcome = outcome(text);
    let paths: Vec<_> = outcome.failures.iter().map(|failure| (failure.path.as_str(), failure.step)).collect();
    assert_eq!(
        paths,
        [("verdict", None), ("steps[0].expect.reviews.pia", Some(0)), ("steps[1].expect.counts", Some(1))]
    );
    let events: Vec<_> = outcome.steps.iter().map(|step| format!("{} {}", step.at, step.event)).collect();
    assert_eq!(
        events,
        ["2026-01-01T00:01:00Z pia requests changes", "2026-01-01T00:02:00Z pia dismisses the review of pia"]
    );
    assert_eq!(outcome.steps[0].ended, None);
    assert_eq!(outcome.steps[1].contradicts(), Some(Ended { verdict: Verdict::Rejected, step: Some(0) }));
}

#[test]
fn an_approved_request_may_be_refused_at_release_but_does_not_wait_again() {
    let contradicted = |steps: &[&str]| {
        let parts = |ended: Ended| (ended.verdict, ended.step);
        outcome(&case_of("", steps)).steps.iter().map(|step| step.contradicts().map(parts)).collect::<Vec<_>>()
    };
    let (pia, push) = ("review: { by: pia, state: approved }", "push: { by: dave, head: a2 }");
    let back = "push: { by: dave, head: a1, force: true }";
    assert_eq!(contradicted(&[pia, "tick: { by: 1h }", push]), [None, None, None]);
    assert_eq!(contradicted(&[pia, push, back]), [None, None, Some((Verdict::Superseded, Some(1)))]);
    assert_eq!(contradicted(&[pia, "dismiss: { of: pia, by: pia }"]), [None, Some((Verdict::Approved, Some(0)))]);
}

#[test]
fn every_event_has_a_sentence() {
    let steps = [
        ("review: { by: pat, state: commented }", "pat comments"),
        ("review: { by: pat, state: approved }", "pat approves"),
        ("dismiss: { of: 2, by: pia }", "pia dismisses review 2"),
        ("push: { by: dave, head: c0ffee00decafbadc0ded00dfeedfacecab005e3 }", "dave pushes c0ffee0"),
        ("label: { add: [a, b] }", "it is labelled a, b"),
        ("label: { add: [c], remove: [a] }", "it is labelled c, and no longer labelled a"),
        ("base: { to: next }", "its base becomes next"),
        ("tick: { by: 90m }", "1h30m passes"),
        ("tick: { to: 2026-01-02T00:00:00Z }", "it becomes 2026-01-02T00:00:00Z"),
        ("merge: {}", "it is merged"),
    ];
    let outcome = outcome(&case_of("", &steps.map(|(step, _)| step)));
    let events: Vec<&str> = outcome.steps.iter().map(|step| step.event.as_str()).collect();
    assert_eq!(events, steps.map(|(_, sentence)| sentence));
}

// What is covered.

fn covered(cases: &[(&str, &str)]) -> Report {
    let policy = policy();
    let mut coverage = Coverage::new(&policy);
    for (given, step) in cases {
        let text = case_of(given, &[step]).replacen("service: shop, environment: production, ", "", 1);
        assert_eq!(findings(&text), Vec::<String>::new());
        let _ =
            read(&text).files[0].cases[0].run_watched(&policy, &mut |facts, decision| coverage.add(facts, decision));
    }
    coverage.report()
}

fn missed(report: &Report) -> Vec<(&str, &[Way])> {
    report.missed.iter().map(|missed| (missed.name.as_str(), missed.missing.as_slice())).collect()
}

#[test]
fn every_service_environment_and_requirement_must_be_covered() {
    let report = covered(&[]);
    let both = &[Way::Met, Way::Unmet][..];
    assert_eq!(
        missed(&report),
        [
            ("`1 of people`", both),
            ("environment `production`", &[Way::Reached]),
            ("service `shop`", &[Way::Reached]),
            ("service `lib`", &[Way::Reached]),
            ("service `other`", &[Way::Reached]),
            ("environment `production` of service `other`", &[Way::Reached]),
            ("`any_of` of `@zoe`, `1 of people`, `@zoe`", both),
            ("`@zoe`", both),
            ("`in_order` of `1 of people`, `@zoe`", both),
            ("`1 of people`", both),
            ("`@zoe`", both),
            ("environment `free` of service `other`", &[Way::Reached]),
        ]
    );
    assert_eq!((report.covered, report.total, report.percent), (0, 18, 0));
    let places: Vec<&str> = report.missed.iter().map(|missed| missed.source.as_str()).collect();
    assert_eq!(places[..3], ["policy.yaml:3", "policy.yaml:5", "policy.yaml:7"]);
}

#[test]
fn a_decision_covers_its_layers_and_the_requirement_as_met_or_unmet() {
    let approves = |login: &str| format!("review: {{ by: {login}, state: approved }}");
    let (pia, zoe) = (approves("pia"), approves("zoe"));
    let shop = "service: shop, environment: production";
    let other = "service: other, environment: production";
    let report = covered(&[(shop, &pia)]);
    assert_eq!(report.covered, 4, "the service, the environment, and the requirement of `defaults` before and after");
    let report = covered(&[(shop, &pia), (other, &zoe), ("service: lib, environment: nowhere", "tick: { by: 1h }")]);
    assert_eq!(
        missed(&report),
        [
            ("`in_order` of `1 of people`, `@zoe`", &[Way::Met][..]),
            ("`1 of people`", &[Way::Met]),
            ("`@zoe`", &[Way::Met]),
            ("environment `free` of service `other`", &[Way::Reached]),
        ]
    );
    assert!(report.missed.iter().map(|missed: &Missed| missed.untouched).eq([false, false, false, true]));
    assert_eq!((report.covered, report.total, report.percent), (14, 18, 77));
}

#[test]
fn a_requirement_that_was_not_evaluated_is_not_covered() {
    let report = covered(&[("service: shop, environment: production, pull_request: null", "tick: { by: 1h }")]);
    assert_eq!(report.covered, 2, "the service and the environment");
}
