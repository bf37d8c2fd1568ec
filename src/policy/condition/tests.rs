//! Conditions read from YAML text, their findings, and how they are displayed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Condition, ConditionNames, Test, read_condition};
use crate::finding::{Code, Finding, SourceMap};
use crate::ident::TeamSlug;
use crate::policy::approver::{Group, UserRef};
use crate::policy::calendar::{Calendar, Calendars};
use crate::policy::pointer::Pointer;
use crate::policy::read::Reader;
use crate::policy::requirement::Groups;
use crate::policy::yaml::{Room, parse};

fn groups() -> Groups {
    let users = vec![UserRef::new("dana").unwrap()];
    let sre = Group { name: "sre".into(), users, teams: vec!["acme/sre".parse().unwrap()] };
    BTreeMap::from([("sre".into(), Arc::new(sre))])
}

fn calendars() -> Calendars {
    let at = |text: &str| text.parse().unwrap();
    let weekend = Calendar::of_span("weekend", at("2026-11-20T16:00:00Z"), at("2026-11-23T08:00:00Z"));
    BTreeMap::from([("weekend".into(), weekend)])
}

fn read(text: &str) -> (Option<Condition>, Vec<Finding>) {
    let mut sources = SourceMap::default();
    let source = sources.add("p.yaml".to_owned(), text.to_owned());
    let node = parse(source, text, &mut Room::default()).unwrap();
    let mut reader = Reader::new(&sources);
    let (groups, calendars) = (groups(), calendars());
    let condition = read_condition(&mut reader, &node, &ConditionNames { groups: &groups, calendars: &calendars });
    (condition, reader.findings.iter().cloned().collect())
}

fn sound(text: &str) -> Condition {
    let (condition, findings) = read(text);
    assert_eq!(findings, [], "{text}");
    condition.unwrap()
}

/// Every key, in the order of the language.
const EVERY_KEY: &str = r##"{ paths: ["infra/", "**/*.tf"], only_paths: docs/, labels: [hotfix], branch: "release/*",
authors: [sre, "@renovate[bot]"], only_authors: "@acme/bots", requester: dave, version: "/v\\d+/", lines: ">= 500",
input: { "/region": [eu, us], "/tier": "1" }, within: weekend, not: { labels: wip }, any: [{ branch: main }, { version: v1 }] }"##;

#[test]
fn a_condition_is_displayed_in_one_line() {
    let cases = [
        ("{ paths: [infra/iam/], not: { labels: hotfix } }", "paths `infra/iam/` and not labels `hotfix`"),
        ("{ any: [{ labels: [a, b] }, { lines: '>500' }] }", "labels `a`, `b` or lines `>500`"),
        (
            "{ branch: main, any: [{ labels: a, version: v1 }, { authors: [sre] }] }",
            "branch `main` and ((labels `a` and version `v1`) or authors `sre`)",
        ),
        ("{ not: { any: [{ labels: a }, { labels: b }] } }", "not (labels `a` or labels `b`)"),
        ("{ not: { not: { labels: a } } }", "not not labels `a`"),
        ("{ not: { any: [{ labels: a }] } }", "not labels `a`"),
        ("{ not: { input: { /a: x, /b: y } } }", "not (input `/a` being `x` and input `/b` being `y`)"),
        ("{ only_paths: docs/, only_authors: '@dana#7' }", "only paths `docs/` and only authors `@dana#7`"),
        ("{ within: [weekend], requester: ci-* }", "within `weekend` and requester `ci-*`"),
    ];
    for (text, words) in cases {
        assert_eq!(sound(text).to_string(), words);
    }
}

#[test]
fn all_keys_of_a_mapping_must_hold_in_the_order_in_which_they_stand() {
    let condition = sound(EVERY_KEY);
    let keys: Vec<&str> = condition.terms().iter().map(|term| term.test.key()).collect();
    let expected = [
        "paths",
        "only_paths",
        "labels",
        "branch",
        "authors",
        "only_authors",
        "requester",
        "version",
        "lines",
        "input",
        "within",
        "labels",
        "branch",
        "version",
    ];
    assert_eq!(keys, expected);
    assert!(matches!(&condition, Condition::All(parts) if parts.len() == 13));
    let lines: Vec<String> = condition.terms().iter().map(|term| term.source.to_string()).collect();
    assert_eq!((lines[0].as_str(), lines[4].as_str(), lines[9].as_str()), ("p.yaml:1", "p.yaml:2", "p.yaml:3"));
}

#[test]
fn a_condition_lists_the_facts_that_it_needs() {
    let condition = sound(EVERY_KEY);
    let teams: Vec<&str> = condition.teams().into_iter().map(TeamSlug::as_str).collect();
    assert_eq!(teams, ["acme/sre", "acme/bots"]);
    let pointers: Vec<&str> = condition.pointers().into_iter().map(Pointer::as_str).collect();
    assert_eq!(pointers, ["/region", "/tier"]);
    let calendars: Vec<&str> = condition.calendars().into_iter().map(|calendar| calendar.name()).collect();
    assert_eq!(calendars, ["weekend"]);
    assert!(condition.needs_pull_request());
    assert!(!sound("{ within: weekend, version: v1, requester: x, input: { /a: x } }").needs_pull_request());
    for key in ["paths: a", "only_paths: a", "labels: a", "branch: a", "authors: sre", "only_authors: sre", "lines: =1"]
    {
        assert!(sound(&format!("{{ version: v1, not: {{ {key} }} }}")).needs_pull_request(), "{key}");
    }
}

#[test]
fn a_condition_is_the_same_after_it_was_stored() {
    let condition = sound(EVERY_KEY);
    let stored = serde_json::to_string(&condition).unwrap();
    assert_eq!(serde_json::from_str::<Condition>(&stored).unwrap(), condition);
    let json = serde_json::to_value(sound("{ lines: '> 5', not: { paths: [a/] } }")).unwrap();
    let expected = serde_json::json!({ "all": [
        { "is": { "test": { "lines": ">5" }, "source": "p.yaml:1" } },
        { "not": { "is": { "test": { "paths": ["a/"] }, "source": "p.yaml:1" } } },
    ] });
    assert_eq!(json, expected);
}

#[test]
fn what_cannot_be_read_is_a_finding_with_a_hint() {
    let cases = [
        ("{}", Code::EmptyList, "this condition is empty", "leave the condition out"),
        ("{ not: {} }", Code::EmptyList, "this condition is empty", "leave the condition out"),
        ("{ any: [] }", Code::EmptyList, "`any` is an empty list", "at least one"),
        ("{ any: [{}] }", Code::EmptyList, "this condition is empty", "leave the condition out"),
        ("{ labels: [] }", Code::EmptyList, "`labels` is an empty list", "at least one"),
        ("{ input: {} }", Code::EmptyList, "`input` is an empty mapping", "/region"),
        ("{ input: { /a: [] } }", Code::EmptyList, "`/a` is an empty list", "at least one"),
        ("hotfix", Code::WrongType, "a condition is a text", "`paths`, "),
        ("{ not: [{ labels: a }] }", Code::WrongType, "a condition is a list", "`paths`, "),
        ("{ labels: }", Code::WrongType, "`labels` is nothing", "write a value"),
        ("{ labels: [[a]] }", Code::WrongType, "`labels` is a list", "a text"),
        ("{ version: 1.10 }", Code::WrongType, "`version` is a number", "`\"1.10\"`"),
        ("{ input: { /replicas: 3 } }", Code::WrongType, "`/replicas` is a number", "`\"3\"`"),
        ("{ input: region }", Code::WrongType, "`input` is a text", "a mapping"),
        ("{ lines: ['>5'] }", Code::WrongType, "`lines` is a list", "a text"),
        ("{ lines: 500 }", Code::InvalidValue, "`lines` is 500", "`\">500\"`"),
        ("{ lines: '=>500' }", Code::InvalidValue, "`=>500` is not a comparison", "`>=`"),
        ("{ labels: ' a' }", Code::InvalidValue, "` a` is not a label", "without spaces"),
        ("{ labels: '' }", Code::InvalidValue, "`` is not a label", "as on GitHub"),
        ("{ input: { region: eu } }", Code::InvalidValue, "`region` is not a JSON pointer", "`/deploy/region`"),
        ("{ branch: '/(/' }", Code::InvalidPattern, "the regular expression `(`", "`regex` crate"),
        ("{ paths: '!docs/' }", Code::InvalidPattern, "`!docs/` is negated", "`not: { paths: [...] }`"),
        ("{ only_paths: [a, 'b[c]'] }", Code::InvalidPattern, "has `[`", "`?`"),
        ("{ authors: [srre] }", Code::UnknownName, "no group `srre`", "did you mean `sre`?"),
        ("{ only_authors: '@a b' }", Code::InvalidApprover, "`a b` is not a GitHub login", "`login"),
        ("{ authors: '@github-actions[bot]' }", Code::UnusableRef, "can never approve", "a bot of your own"),
        ("{ within: [weekends] }", Code::UnknownName, "no calendar `weekends`", "did you mean `weekend`?"),
        ("{ path: a }", Code::UnknownKey, "`path` is not a key of a condition", "did you mean `paths`?"),
        ("{ labels: a, all: [{ labels: b }] }", Code::UnknownKey, "`all` is not a key", "`not` or `any`"),
    ];
    for (text, code, message, hint) in cases {
        let (condition, findings) = read(text);
        assert_eq!(condition, None, "{text}");
        let [finding] = findings.as_slice() else { panic!("{text}: {findings:?}") };
        assert_eq!(finding.code, code, "{text}: {}", finding.message);
        assert!(finding.message.contains(message), "{text}: {}", finding.message);
        let given = finding.hint.as_deref().unwrap();
        assert!(given.contains(hint), "{text}: {given}");
    }
}

#[test]
fn every_mistake_in_a_condition_is_reported_at_once() {
    let (condition, findings) =
        read("{ path: a, labels: [], any: [{ lines: x }, { branch: '' }], not: { within: y } }");
    assert_eq!(condition, None);
    let codes: Vec<Code> = findings.iter().map(|finding| finding.code).collect();
    let expected = [Code::UnknownKey, Code::EmptyList, Code::InvalidValue, Code::InvalidPattern, Code::UnknownName];
    assert_eq!(codes, expected);
}

#[test]
fn a_condition_that_is_too_complex_is_refused() {
    let of = |count: usize| format!("{{ any: [{}] }}", vec!["{ labels: a }"; count].join(", "));
    assert_eq!(sound(&of(super::MAX_TERMS)).terms().len(), super::MAX_TERMS);
    let (condition, findings) = read(&of(super::MAX_TERMS + 1));
    assert_eq!((condition, findings[0].code, findings.len()), (None, Code::TooComplex, 1));
    assert!(findings[0].message.contains("65 keys"), "{}", findings[0].message);

    let of = |count: usize| format!("{{ labels: [{}], version: v1 }}", vec!["a"; count].join(", "));
    sound(&of(super::MAX_VALUES - 1));
    let (condition, findings) = read(&of(super::MAX_VALUES));
    assert_eq!((condition, findings[0].code, findings.len()), (None, Code::TooComplex, 1));
    assert!(findings[0].message.contains("1001 values"), "{}", findings[0].message);
}

#[test]
fn a_single_value_is_a_list_of_one() {
    let alone = sound("{ paths: a/ }");
    let Condition::Is(term) = &alone else { panic!("{alone:?}") };
    assert!(matches!(&term.test, Test::Paths(paths) if paths.len() == 1));
    assert_eq!(alone, sound("{ paths: [a/] }"));
}
