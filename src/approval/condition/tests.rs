//! When conditions hold: each key in a table, and the laws of three-valued logic on generated conditions.
#![expect(clippy::needless_pass_by_value, reason = "facts are made of literals")]

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::approval::decision::Applies::{self, No, Unknown, Yes};
use crate::approval::facts::Facts;
use crate::policy::{Calendar, Condition, Place, Term, Test};

fn holds(condition: &Condition, facts: &Facts) -> Applies {
    super::holds(condition, facts, facts.now)
}

fn is(test: Value) -> Condition {
    serde_json::from_value(json!({ "is": { "test": test, "source": "p.yaml:1" } })).unwrap()
}

fn not(condition: &Condition) -> Condition {
    Condition::Not(Box::new(condition.clone()))
}

fn person(id: u64, login: &str) -> Value {
    json!({ "id": id, "login": login, "type": if login.ends_with("[bot]") { "Bot" } else { "User" } })
}

/// Facts that are fully known, with these fields of the pull request replaced.
fn facts(pull_request: Value) -> Facts {
    let dave = person(4, "dave");
    let mut own = json!({
        "repository": "acme/checkout", "default_branch": "main", "number": 7, "state": "open", "head": "a1", "base": "main",
        "author": dave, "labels": ["HotFix", "größer"], "additions": 400, "deletions": 100,
        "files": [{ "path": "src/lib.rs" }, { "path": "docs/new.md", "previous_path": "infra/old.md" }],
        "files_complete": true,
        "commits": [{ "sha": "a1", "author": dave, "committer": person(19_864_447, "web-flow") }],
        "commits_complete": true, "pushers": [dave], "pushers_complete": true,
    });
    own.as_object_mut().unwrap().extend(pull_request.as_object().unwrap().clone());
    with(json!({ "pull_request": own }))
}

fn with(fields: Value) -> Facts {
    let mut facts = json!({
        "schema": 1, "now": "2026-11-18T10:00:00Z", "target": { "service": "checkout", "environment": "production" },
        "teams": { "acme/sre": [person(9, "sam")] },
    });
    facts.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    serde_json::from_value(facts).unwrap()
}

fn check(cases: impl IntoIterator<Item = (Value, Facts, Applies)>) {
    for (test, facts, expected) in cases {
        assert_eq!(holds(&is(test.clone()), &facts), expected, "{test}\n{:?}", facts.pull_request);
    }
}

#[test]
fn paths_hold_if_a_changed_file_matches_by_its_old_or_new_name() {
    let cut = || facts(json!({ "files_complete": false }));
    check([
        (json!({ "paths": ["src/"] }), facts(json!({})), Yes),
        (json!({ "paths": ["docs/"] }), facts(json!({})), Yes),
        (json!({ "paths": ["infra/"] }), facts(json!({})), Yes),
        (json!({ "paths": ["tests/", "*.toml"] }), facts(json!({})), No),
        (json!({ "paths": ["tests/", "*.rs"] }), facts(json!({})), Yes),
        (json!({ "paths": ["infra/"] }), cut(), Yes),
        (json!({ "paths": ["tests/"] }), cut(), Unknown),
        (json!({ "paths": ["*"] }), facts(json!({ "files": [] })), No),
        (json!({ "paths": ["*"] }), facts(json!({ "files": [], "files_complete": false })), Unknown),
    ]);
}

#[test]
fn only_paths_hold_if_a_file_changed_and_every_name_of_every_file_matches() {
    let cut = || facts(json!({ "files_complete": false }));
    check([
        (json!({ "only_paths": ["src/", "docs/", "infra/"] }), facts(json!({})), Yes),
        (json!({ "only_paths": ["src/", "docs/"] }), facts(json!({})), No),
        (json!({ "only_paths": ["src/", "infra/"] }), facts(json!({})), No),
        (json!({ "only_paths": ["src/", "docs/", "infra/"] }), cut(), Unknown),
        (json!({ "only_paths": ["src/", "docs/"] }), cut(), No),
        (json!({ "only_paths": ["*"] }), facts(json!({ "files": [] })), No),
        (json!({ "only_paths": ["*"] }), facts(json!({ "files": [], "files_complete": false })), Unknown),
    ]);
}

#[test]
fn labels_are_compared_without_case() {
    check([
        (json!({ "labels": ["hotfix"] }), facts(json!({})), Yes),
        (json!({ "labels": ["wip", "GRÖSSER"] }), facts(json!({})), No),
        (json!({ "labels": ["wip", "GRÖßER"] }), facts(json!({})), Yes),
        (json!({ "labels": ["hot"] }), facts(json!({})), No),
        (json!({ "labels": ["hot*"] }), facts(json!({})), No),
        (json!({ "labels": ["hotfix"] }), facts(json!({ "labels": [] })), No),
    ]);
}

#[test]
fn branch_is_the_base_and_lines_are_additions_and_deletions() {
    check([
        (json!({ "branch": ["release/*", "main"] }), facts(json!({})), Yes),
        (json!({ "branch": ["release/*"] }), facts(json!({})), No),
        (json!({ "lines": ">=500" }), facts(json!({})), Yes),
        (json!({ "lines": ">500" }), facts(json!({})), No),
        (json!({ "lines": ">500" }), facts(json!({ "additions": u64::MAX, "deletions": 2 })), Yes),
    ]);
}

#[test]
fn without_a_pull_request_conditions_on_it_are_unknown() {
    for test in [
        json!({ "paths": ["a"] }),
        json!({ "only_paths": ["a"] }),
        json!({ "labels": ["a"] }),
        json!({ "branch": ["a"] }),
        json!({ "authors": [{ "user": "dave" }] }),
        json!({ "only_authors": [{ "user": "dave" }] }),
        json!({ "lines": "<5" }),
    ] {
        assert_eq!(holds(&is(test.clone()), &with(json!({}))), Unknown, "{test}");
    }
}

/// Facts in which not everyone is known, in each way that can happen.
fn not_everyone_known() -> Vec<Facts> {
    let (dave, web_flow) = (person(4, "dave"), person(19_864_447, "web-flow"));
    [
        json!({ "author": null }),
        json!({ "commits_complete": false }),
        json!({ "commits": [] }),
        json!({ "commits": [{ "sha": "a1", "author": dave, "committer": null }] }),
        json!({ "commits": [{ "sha": "a1", "author": null, "committer": dave }] }),
        json!({ "commits": [{ "sha": "a1", "author": web_flow, "committer": web_flow }] }),
        json!({ "pushers_complete": false }),
        json!({ "pushers": [] }),
    ]
    .map(facts)
    .into()
}

fn with_co_author(who: &Value) -> Value {
    let dave = person(4, "dave");
    json!([{ "sha": "a1", "author": dave, "committer": dave, "co_authors": [who] }])
}

#[test]
fn authors_hold_if_someone_who_opened_committed_or_pushed_is_listed() {
    let (sam, bot) = (person(9, "sam"), person(29, "renovate[bot]"));
    let committed = |who: &Value| json!([{ "sha": "a1", "author": person(4, "dave"), "committer": who }]);
    let users =
        |users: &[&str]| json!({ "authors": users.iter().map(|user| json!({ "user": user })).collect::<Vec<_>>() });
    let group = json!({ "authors": [{ "group": { "name": "sre", "users": ["kim"], "teams": ["acme/sre"] } }] });
    let unread = json!({ "authors": [{ "team": "acme/unread" }] });
    check([
        (users(&["dave"]), facts(json!({})), Yes),
        (users(&["lee", "DAVE"]), facts(json!({})), Yes),
        (users(&["dave#4"]), facts(json!({})), Yes),
        (users(&["dave#5"]), facts(json!({})), No),
        (users(&["sam"]), facts(json!({})), No),
        (users(&["sam"]), facts(json!({ "author": sam })), Yes),
        (users(&["sam"]), facts(json!({ "commits": committed(&sam) })), Yes),
        (users(&["sam"]), facts(json!({ "pushers": [person(4, "dave"), sam] })), Yes),
        (users(&["sam"]), facts(json!({ "commits": with_co_author(&sam) })), Yes),
        (users(&["web-flow"]), facts(json!({})), No),
        (users(&["web-flow"]), facts(json!({ "pushers": [person(4, "dave"), person(19_864_447, "web-flow")] })), No),
        (users(&["renovate[bot]"]), facts(json!({ "author": bot })), Yes),
        (users(&["renovate"]), facts(json!({ "author": bot })), No),
        (group.clone(), facts(json!({ "author": sam })), Yes),
        (group, facts(json!({})), No),
        (unread.clone(), facts(json!({})), Unknown),
        (json!({ "authors": [{ "team": "acme/unread" }, { "user": "dave" }] }), facts(json!({})), Yes),
    ]);
    for facts in not_everyone_known() {
        check([(users(&["sam"]), facts.clone(), Unknown), (users(&["dave"]), facts, Yes)]);
    }
}

#[test]
fn only_authors_hold_if_everyone_who_opened_committed_or_pushed_is_listed() {
    let (dave, sam, bot) = (person(4, "dave"), person(9, "sam"), person(29, "renovate[bot]"));
    let users = |users: &[&str]| json!({ "only_authors": users.iter().map(|user| json!({ "user": user })).collect::<Vec<_>>() });
    let unread = json!({ "only_authors": [{ "team": "acme/unread" }] });
    check([
        (users(&["dave"]), facts(json!({})), Yes),
        (users(&["sam"]), facts(json!({})), No),
        (users(&["dave"]), facts(json!({ "author": sam })), No),
        (users(&["dave"]), facts(json!({ "pushers": [dave, sam] })), No),
        (users(&["dave"]), facts(json!({ "commits": [{ "sha": "a1", "author": sam, "committer": dave }] })), No),
        (users(&["dave", "sam"]), facts(json!({ "author": sam })), Yes),
        (users(&["dave"]), facts(json!({ "commits": with_co_author(&sam) })), No),
        (users(&["dave", "sam"]), facts(json!({ "commits": with_co_author(&sam) })), Yes),
        (users(&["dave"]), facts(json!({ "pushers": [dave, person(19_864_447, "web-flow")] })), Yes),
        // A bot's pull request may carry a person's commits.
        (users(&["renovate[bot]"]), facts(json!({ "author": bot })), No),
        (
            users(&["renovate[bot]"]),
            facts(
                json!({ "author": bot, "pushers": [bot], "commits": [{ "sha": "a1", "author": bot, "committer": bot }] }),
            ),
            Yes,
        ),
        (unread.clone(), facts(json!({})), Unknown),
        // A bot is in no team, whether the team can be read or not.
        (unread.clone(), facts(json!({ "author": bot })), No),
        (json!({ "only_authors": [{ "team": "acme/unread" }, { "user": "dave" }] }), facts(json!({})), Yes),
        (
            users(&["dave"]),
            facts(json!({ "author": null, "commits": [], "pushers": [], "commits_complete": false })),
            Unknown,
        ),
    ]);
    for facts in not_everyone_known() {
        check([(users(&["dave"]), facts.clone(), Unknown), (users(&["sam"]), facts, No)]);
    }
}

#[test]
fn requester_and_version_are_unknown_if_they_are_not_given() {
    let given = || with(json!({ "requester": "Dave", "version": "v2.3.1" }));
    check([
        (json!({ "requester": ["dave"] }), given(), Yes),
        (json!({ "requester": ["ci-*", "DA*"] }), given(), Yes),
        (json!({ "requester": ["/dav[e]/"] }), given(), Yes),
        (json!({ "requester": ["lee"] }), given(), No),
        (json!({ "requester": ["dave"] }), with(json!({})), Unknown),
        (json!({ "version": ["v2.*"] }), given(), Yes),
        (json!({ "version": ["V2.*"] }), given(), No),
        (json!({ "version": ["*"] }), with(json!({})), Unknown),
    ]);
}

#[test]
fn input_is_compared_as_text_and_unknown_if_absent() {
    let given = || {
        with(json!({ "input": {
            "region": "eu-1", "replicas": 3, "share": 0.5, "dry": false, "none": null, "list": ["a", {}], "deep": { "a/b": "x" }
        } }))
    };
    let cases = [
        ("/region", "eu-*", Yes),
        ("/region", "us-*", No),
        ("/replicas", "3", Yes),
        ("/replicas", "4", No),
        ("/share", "0.5", Yes),
        ("/dry", "false", Yes),
        ("/dry", "true", No),
        ("/list/0", "a", Yes),
        ("/deep/a~1b", "x", Yes),
        ("/none", "*", Unknown),
        ("/none", "null", Unknown),
        ("/list", "*", Unknown),
        ("/list/1", "*", Unknown),
        ("/deep", "*", Unknown),
        ("/missing", "*", Unknown),
        ("/region/x", "*", Unknown),
    ];
    check(cases.map(|(pointer, pattern, expected)| (json!({ "input": [[pointer, [pattern]]] }), given(), expected)));
    check([
        (json!({ "input": [["/region", ["us-*", "eu-*"]], ["/replicas", ["3"]]] }), given(), Yes),
        (json!({ "input": [["/region", ["eu-*"]], ["/replicas", ["4"]]] }), given(), No),
        (json!({ "input": [["/region", ["us-*"]], ["/missing", ["*"]]] }), given(), No),
        (json!({ "input": [["/region", ["eu-*"]], ["/missing", ["*"]]] }), given(), Unknown),
    ]);
}

fn within(from: &str, to: &str) -> Condition {
    let calendar = Calendar::of_span("freeze", from.parse().unwrap(), to.parse().unwrap());
    let source = "p.yaml:1".parse::<Place>().unwrap();
    Condition::Is(Term { test: Test::Within(vec![calendar]), source })
}

#[test]
fn within_uses_the_time_of_the_decision() {
    let facts = with(json!({}));
    assert_eq!(holds(&within("2026-11-18T10:00:00Z", "2026-11-18T11:00:00Z"), &facts), Yes);
    assert_eq!(holds(&within("2026-11-18T09:00:00Z", "2026-11-18T10:00:00Z"), &facts), No);
}

#[test]
fn the_connectives_are_those_of_three_valued_logic() {
    let facts = with(json!({ "version": "v1" }));
    let (yes, no, unknown) =
        (is(json!({ "version": ["v1"] })), is(json!({ "version": ["v2"] })), is(json!({ "requester": ["x"] })));
    let all = |a: &Condition, b: &Condition| holds(&Condition::All(vec![a.clone(), b.clone()]), &facts);
    let any = |a: &Condition, b: &Condition| holds(&Condition::Any(vec![a.clone(), b.clone()]), &facts);
    for (a, b, both, either) in [
        (&yes, &yes, Yes, Yes),
        (&yes, &no, No, Yes),
        (&yes, &unknown, Unknown, Yes),
        (&no, &no, No, No),
        (&no, &unknown, No, Unknown),
        (&unknown, &unknown, Unknown, Unknown),
    ] {
        assert_eq!((all(a, b), all(b, a), any(a, b), any(b, a)), (both, both, either, either), "{a} {b}");
    }
    assert_eq!([&yes, &no, &unknown].map(|condition| holds(&not(condition), &facts)), [No, Yes, Unknown]);
}

/// One test for each kind of fact that may be unknown.
fn terms() -> impl Strategy<Value = Condition> {
    prop::sample::select(vec![
        json!({ "paths": ["a/"] }),
        json!({ "paths": ["b", "/c"] }),
        json!({ "only_paths": ["a/", "b"] }),
        json!({ "labels": ["hotfix"] }),
        json!({ "lines": ">500" }),
        json!({ "authors": [{ "user": "dave" }] }),
        json!({ "authors": [{ "team": "acme/late" }, { "user": "renovate[bot]" }] }),
        json!({ "only_authors": [{ "user": "dave" }, { "user": "renovate[bot]" }] }),
        json!({ "only_authors": [{ "team": "acme/late" }, { "team": "acme/sre" }] }),
        json!({ "requester": ["dave"] }),
        json!({ "version": ["v1"] }),
        json!({ "input": [["/region", ["eu"]], ["/tier", ["1"]]] }),
    ])
    .prop_map(is)
}

fn conditions() -> impl Strategy<Value = Condition> {
    terms().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Condition::All),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Condition::Any),
            inner.prop_map(|inner| not(&inner)),
        ]
    })
}

fn someone() -> impl Strategy<Value = Value> {
    let logins = [(4, "dave"), (9, "sam"), (29, "renovate[bot]"), (19_864_447, "web-flow")];
    prop::sample::select(logins.map(|(id, login)| person(id, login)).to_vec())
}

fn perhaps<T: std::fmt::Debug + Clone + 'static>(
    values: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = Option<T>> {
    prop::option::of(values)
}

/// Fully known facts, as two lists of fields: the pull request's, and the others.
fn known() -> impl Strategy<Value = (Value, Value)> {
    let path = || prop::sample::select(vec!["a/x", "b", "c", "d/b/y"]);
    let file =
        (path(), perhaps(path())).prop_map(|(path, previous)| json!({ "path": path, "previous_path": previous }));
    let commit = (someone(), someone())
        .prop_map(|(author, committer)| json!({ "sha": "a1", "author": author, "committer": committer }));
    let pull_request = (
        someone(),
        prop::collection::vec(file, 0..4),
        prop::collection::vec(commit, 1..4),
        prop::collection::vec(someone(), 1..3),
    )
        .prop_map(|(author, files, commits, pushers)| {
            json!({ "author": author, "files": files, "commits": commits, "pushers": pushers })
        });
    let word = |words: [&'static str; 2]| prop::sample::select(words.to_vec());
    let rest = (prop::collection::vec(someone(), 0..3), word(["dave", "lee"]), word(["v1", "v2"]), word(["eu", "us"]))
        .prop_map(|(members, requester, version, region)| {
            json!({
                "teams": { "acme/sre": [person(9, "sam")], "acme/late": members },
                "requester": requester, "version": version, "input": { "region": region, "tier": 1 },
            })
        });
    (pull_request, rest)
}

/// The same facts without those that the flips select.
fn less_known(known: &(Value, Value), flips: &[bool]) -> Facts {
    let (mut pull_request, mut rest) = known.clone();
    let flip = |i: usize| flips[i];
    for (i, key) in ["files", "commits", "pushers"].into_iter().enumerate() {
        if flip(i) {
            pull_request[format!("{key}_complete")] = json!(false);
            pull_request[key].as_array_mut().unwrap().truncate(usize::from(flip(i + 3)));
        }
    }
    if flip(6) {
        pull_request["author"] = Value::Null;
    }
    if flip(7)
        && let Some(commit) = pull_request["commits"].get_mut(0)
    {
        commit["author"] = Value::Null;
    }
    for (i, (whole, key)) in
        [("", "requester"), ("", "version"), ("/teams", "acme/late"), ("/input", "region")].into_iter().enumerate()
    {
        if flip(i + 8) {
            rest.pointer_mut(whole).unwrap().as_object_mut().unwrap().remove(key);
        }
    }
    let mut facts = with(rest);
    facts.pull_request = if flip(12) { None } else { self::facts(pull_request).pull_request };
    facts
}

proptest! {
    #[test]
    fn not_inverts_the_answer(condition in conditions(), known in known(), flips in prop::collection::vec(prop::bool::weighted(0.3), 13)) {
        let facts = less_known(&known, &flips);
        let expected = match holds(&condition, &facts) { Yes => No, No => Yes, Unknown => Unknown };
        prop_assert_eq!(holds(&not(&condition), &facts), expected);
    }

    #[test]
    fn not_all_is_any_not_and_not_any_is_all_not(
        parts in prop::collection::vec(conditions(), 1..4), known in known(), flips in prop::collection::vec(prop::bool::weighted(0.3), 13)
    ) {
        let facts = less_known(&known, &flips);
        let negated: Vec<Condition> = parts.iter().map(not).collect();
        let (all, any) = (Condition::All(parts.clone()), Condition::Any(parts));
        prop_assert_eq!(holds(&not(&all), &facts), holds(&Condition::Any(negated.clone()), &facts));
        prop_assert_eq!(holds(&not(&any), &facts), holds(&Condition::All(negated), &facts));
    }

    #[test]
    fn more_facts_never_turn_a_yes_or_a_no_into_anything_else(
        condition in conditions(), known in known(), flips in prop::collection::vec(prop::bool::weighted(0.3), 13)
    ) {
        let (before, after) = (holds(&condition, &less_known(&known, &flips)), holds(&condition, &less_known(&known, &[false; 13])));
        prop_assert!(before == Unknown || before == after, "{} was {:?} and is {:?}", condition, before, after);
    }
}
