//! For each kind of part: what makes it count as covered.

use super::super::read;
use super::Coverage;
use crate::finding::{Source, SourceContent};
use crate::policy::load;

const HEAD: &str = "version: 1
groups: { people: { users: [pia, pat] }, sre: { users: [sam] } }
calendars:
  noon: { timezone: UTC, dates: [{ from: \"2026-11-18 12:00\", to: \"2026-11-18 13:00\" }] }
  day: { timezone: UTC, dates: [{ from: \"2026-11-18 00:00\", to: \"2026-11-19 00:00\" }] }
";

fn source(text: &str) -> Vec<Source> {
    vec![Source { name: "p.yaml".to_owned(), content: SourceContent::Bytes(text.as_bytes().to_vec()) }]
}

/// What the cases leave uncovered of the given kinds under a rule, as `name: way, way`.
fn missed(kinds: &[&str], rule: &str, cases: &[&str]) -> Vec<String> {
    let service =
        format!("services: {{ shop: {{ repository: acme/shop, environments: {{ prod: {{ {rule} }} }} }} }}\n");
    let policy = load(source(&format!("{HEAD}{service}"))).policy.unwrap_or_else(|| panic!("{rule}"));
    let mut text = "defaults: { service: shop, environment: prod, now: 2026-11-18T10:00:00Z }\ncases:\n".to_owned();
    for (number, given) in cases.iter().enumerate() {
        text += &format!("- {{ name: case {number}, given: {{ {given} }}, expect: {{ mode: enforce }} }}\n");
    }
    let suites = read(source(&text));
    let findings: Vec<&str> = suites.findings.iter().map(|finding| &*finding.message).collect();
    let mut coverage = Coverage::new(&policy);
    let all: Vec<_> = suites.files.iter().flat_map(|suite| &suite.cases).collect();
    assert_eq!(all.len(), cases.len(), "{findings:?}\n{text}");
    for case in all {
        let outcome = case.run_watched(&policy, &mut |facts, decision| coverage.add(facts, decision));
        assert_eq!(outcome.failures, []);
    }
    let missed = coverage.report().missed.into_iter().filter(|missed| kinds.contains(&missed.kind.as_str()));
    let words = missed.map(|missed| {
        let ways: Vec<&str> = missed.missing.iter().map(|way| way.as_str()).collect();
        format!("{}: {}", missed.name, ways.join(", "))
    });
    words.collect()
}

#[track_caller]
fn check(kind: &str, rule: &str, table: &[(&[&str], &[&str])]) {
    for (cases, expected) in table {
        assert_eq!(missed(&[kind], rule, cases), *expected, "{cases:?}");
    }
}

const NOON: &str = "now: 2026-11-18T12:30:00Z";
const HOTFIX: &str = "pull_request: { labels: [hotfix] }";
const APPROVED: &str = "reviews: [{ by: pia, state: approved }]";

#[test]
fn a_condition_is_covered_if_it_held_in_one_case_and_not_in_another() {
    let rule = "require: { all_of: [1 of people, { count: 1, of: [sre], when: { labels: [hotfix] } }] }";
    let name = "when labels `hotfix`";
    let lacks = |ways: &str| format!("{name}: {ways}");
    let (both, held, not_held) = (lacks("held, not_held"), lacks("held"), lacks("not_held"));
    check(
        "condition",
        rule,
        &[
            (&[], &[&both]),
            (&[HOTFIX], &[&not_held]),
            (&[APPROVED], &[&held]),
            (&[HOTFIX, APPROVED], &[]),
            (&["environment: other"], &[&both]),
        ],
    );
    // An unknown condition shows neither.
    let rule = "require: { all_of: [1 of people, { count: 1, of: [sre], when: { input: { /region: eu } } }] }";
    assert_eq!(missed(&["condition"], rule, &[APPROVED]).len(), 1);
    assert_eq!(missed(&["condition"], rule, &["input: { region: eu }", "input: { region: us }"]), [""; 0]);
}

#[test]
fn a_calendar_is_covered_by_a_time_inside_and_a_time_outside() {
    // No rule names `day`. It is reported as well.
    let day = "calendar `day`: inside, outside";
    let lacks = |ways: &str| format!("calendar `noon`: {ways}");
    let (both, inside, outside) = (lacks("inside, outside"), lacks("inside"), lacks("outside"));
    for rule in [
        "require: 1 of people, freeze: [noon]",
        "require: 1 of people, window: [noon]",
        "require: { all_of: [1 of people, { count: 1, of: [sre], when: { within: [noon] } }] }",
    ] {
        check(
            "calendar",
            rule,
            &[
                (&[], &[&both, day]),
                (&[APPROVED], &[&inside, day]),
                (&[NOON], &[&outside, day]),
                (&[NOON, APPROVED], &[day]),
            ],
        );
    }
}

#[test]
fn a_freeze_is_covered_if_it_held_a_release() {
    let frozen = "now: 2026-11-18T12:30:00Z, reviews: [{ by: pia, state: approved }]";
    let asked = "now: 2026-11-18T12:30:00Z, requested_at: 2026-11-18T11:00:00Z";
    for effect in ["deny", "wait"] {
        let rule = format!("require: 1 of people, freeze: [{{ calendar: noon, effect: {effect} }}]");
        // Neither outside of it, nor while approvals are missing.
        let none = &["freeze `noon`: in_force"][..];
        check("freeze", &rule, &[(&[], none), (&[APPROVED], none), (&[asked], none), (&[frozen], &[])]);
    }
    let excepted = "require: 1 of people, freeze: [{ calendar: noon, except: { labels: [hotfix] } }, day]";
    let both = "now: 2026-11-18T12:30:00Z, pull_request: { labels: [hotfix] }, reviews: [{ by: pia, state: approved }]";
    assert_eq!(missed(&["freeze"], excepted, &[both]), ["freeze `noon`: in_force"]);
    assert_eq!(missed(&["freeze"], excepted, &[frozen]), [""; 0]);
}

#[test]
fn an_override_is_covered_if_enough_people_override() {
    let rule = "require: 2 of people, override: { by: 1 of sre }";
    let none = &["override: met"][..];
    let by = |who: &str, body: &str| format!("reviews: [{{ by: {who}, state: approved, body: \"{body}\" }}]");
    let (met, other, reasonless) =
        (by("sam", "/override prod down"), by("pia", "/override prod down"), by("sam", "/override prod"));
    check(
        "override",
        rule,
        &[(&[], none), (&[APPROVED], none), (&[&other], none), (&[&reasonless], none), (&[&met], &[])],
    );
}
