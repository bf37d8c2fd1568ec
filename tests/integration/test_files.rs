//! Mistakes in a test file are reported at their places, and what a case leaves out takes its default.
#![expect(clippy::indexing_slicing, reason = "a test that finds too little fails by a panic")]

use countersign::approval::case::{self, Failure, Suites};
use countersign::approval::facts::{AccountKind, Facts};
use countersign::finding::{Source, SourceContent};
use countersign::policy::{Policy, load};
use serde_json::json;

fn source(name: &str, text: &str) -> Source {
    Source { name: name.to_owned(), content: SourceContent::Bytes(text.as_bytes().to_vec()) }
}

fn policy() -> Policy {
    let text = "\
version: 1
groups: { people: { users: [pia, pat] } }
services:
  shop:
    repository: [\"acme/shop-?-*\", acme/other]
    branches: [\"/v[0-9]/\", \"release/*\"]
    environments: { production: { require: 1 of people }, free: { require: none } }
";
    load(vec![source("policy.yaml", text)]).policy.expect("a policy")
}

fn read(text: &str) -> Suites {
    case::read(vec![source("x.test.yaml", text)])
}

/// `line:column code message (hint)`, one after the other.
fn findings(text: &str) -> Vec<String> {
    let suites = read(text);
    let lines = suites.findings.iter().map(|finding| {
        let span = finding.span.expect("a place");
        let hint = finding.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{}:{} {} {}{hint}", span.line, span.column, finding.code.as_str(), finding.message)
    });
    lines.collect()
}

/// The findings of one case with these facts and this expectation.
fn findings_of_case(given: &str, expect: &str) -> Vec<String> {
    findings(&format!(
        "cases:\n- name: x\n  given: {{ service: shop, environment: production, {given} }}\n  expect: {expect}\n"
    ))
}

fn facts(given: &str) -> Facts {
    let text = format!(
        "cases:\n- name: x\n  given: {{ service: shop, environment: production, {given} }}\n  expect: {{ mode: enforce }}\n"
    );
    assert_eq!(findings(&text), Vec::<String>::new());
    read(&text).files[0].cases[0].facts(&policy())
}

fn failures(given: &str, expect: &str) -> Vec<Failure> {
    let text = format!(
        "cases:\n- name: x\n  given: {{ service: shop, environment: production, {given} }}\n  expect: {expect}\n"
    );
    assert_eq!(findings(&text), Vec::<String>::new());
    read(&text).files[0].cases[0].run(&policy()).failures
}

#[test]
fn a_misspelt_key_is_reported_anywhere() {
    assert_eq!(
        findings("case: []\n"),
        [
            "1:1 missing-key the test file has no `cases` (write `cases:`)",
            "1:1 unknown-key `case` is not a key of a test file (did you mean `cases`?)",
        ]
    );
    let text = "defaults: { servce: shop }\ncases:\n- { nam: x, given: { revews: [] }, expects: {} }\n";
    let found = findings(text).join("\n");
    for expected in [
        "1:13 unknown-key `servce` is not a key of the facts of a case (did you mean `service`?)",
        "3:5 unknown-key `nam` is not a key of a case (did you mean `name`?)",
        "3:22 unknown-key `revews` is not a key of the facts of a case (did you mean `reviews`?)",
        "3:36 unknown-key `expects` is not a key of a case (did you mean `expect`?)",
        "missing-key the case has no `name`",
        "missing-key the case has no `expect`",
    ] {
        assert!(found.contains(expected), "{expected}\n\n{found}");
    }
    let given = "pull_request: { heads: a1, author: { logn: x } }, reviews: [{ by: pia, state: approved, when: x }]";
    let found = findings_of_case(given, "{ verdict: approved }").join("\n");
    for expected in [
        "`heads` is not a key of `pull_request` (did you mean `head`?)",
        "`logn` is not a key of a person (did you mean `login`?)",
        "missing-key a person needs `login`",
        "`when` is not a key of a review",
    ] {
        assert!(found.contains(expected), "{expected}\n\n{found}");
    }
}

#[test]
fn a_key_or_word_that_no_decision_has_is_reported() {
    for (expect, expected) in [
        ("{ verdit: approved }", "4:13 unknown-key `verdit` is not a key of a decision (did you mean `verdict`?)"),
        ("{ verdict: aproved }", "4:22 invalid-value `aproved` is not a value of `verdict` (did you mean `approved`?)"),
        ("{ unmet: [{ ned: 1 }] }", "unknown-key `ned` is not a key of a decision's `unmet` (did you mean `need`?)"),
        ("{ reviews: { pia: autor } }", "`autor` is not a value of `reason` (did you mean `author`?)"),
        (
            "{ reviews: { pia: { raeson: author } } }",
            "`raeson` is not a key of a decision's `reviews` (did you mean `reason`?)",
        ),
        ("{ requirement: { parts: [{ parts: [{ meet: true }] }] } }", "`meet` is not a key of a decision's `parts`"),
        ("{ counts: pia }", "wrong-type `counts` is a text, and must be a list"),
        ("{ deadline: tomorrow }", "`deadline`: `tomorrow` is not an instant"),
        ("{}", "4:11 empty-list `expect` is empty, so it would always hold"),
    ] {
        let found = findings_of_case("", expect);
        assert!(matches!(found.as_slice(), [one] if one.contains(expected)), "{expect}: {found:?}");
    }
}

#[test]
fn a_value_of_the_wrong_kind_is_reported() {
    for (given, expected) in [
        (
            "now: yesterday",
            "3:57 invalid-value `now`: `yesterday` is not an instant (write it as `2026-01-01T00:00:00Z`)",
        ),
        ("revision: 12", "wrong-type `revision` is a number, and must be a text (put it in quotes: `\"12\"`)"),
        ("reviews: [{ by: pia, state: aproved }]", "`aproved` is not a value of `state` (did you mean `approved`?)"),
        ("reviews: [{ state: approved }]", "missing-key the review has no `by`"),
        ("reviews: [{ by: pia }]", "missing-key a review needs `state`"),
        (
            "reviews: [{ by: pia, user: pia, state: approved }]",
            "duplicate-key `user` and `by` are two names of the same key",
        ),
        (
            "reviews: [{ id: 3, by: pia, state: approved }, { id: 3, by: pat, state: approved }]",
            "two reviews have the `id` 3",
        ),
        ("reviews: { by: pia }", "wrong-type `reviews` is a mapping, and must be a list"),
        ("teams: { people: [pia] }", "invalid-value `teams`: `people` is not a GitHub team: expected `org/slug`"),
        ("pull_request: { number: -1 }", "wrong-type `number` must be a whole number, not below 0"),
        ("pull_request: { state: merged }", "`merged` is not a value of `state` (it takes `open` or `closed`)"),
        ("pull_request: { files_complete: maybe }", "`files_complete` is a text, and must be `true` or `false`"),
        ("pull_request: { author: [dave] }", "`author` is a list, and must be a login"),
        ("vetoes: [{ by: pia, pull_request: 7 }]", "wrong-type `pull_request` is a number"),
        ("vetoes: [{ at: 2026-01-01T00:00:00Z }]", "missing-key a veto needs `by`"),
    ] {
        let found = findings_of_case(given, "{ verdict: approved }");
        assert!(matches!(found.as_slice(), [one] if one.contains(expected)), "{given}: {found:?}");
    }
}

#[test]
fn two_cases_of_one_name_are_reported_with_both_places() {
    let case = "- name: twice\n  given: { service: shop, environment: free }\n  expect: { verdict: approved }\n";
    let text = format!("cases:\n{case}{case}");
    assert_eq!(
        findings(&text),
        ["5:9 duplicate-name a second case is called `twice` (give it a name that tells them apart)"]
    );
    let suites = read(&text);
    assert_eq!(suites.findings.iter().next().expect("one").related[0].span.line, 2);
    assert_eq!(suites.files[0].cases.len(), 1);
}

#[test]
fn a_file_that_is_not_yaml_or_is_empty_is_reported() {
    assert!(findings("cases: [\n")[0].contains("yaml-syntax"));
    assert!(findings("cases: []\n")[0].contains("empty-list `cases` is an empty list"));
    assert!(findings("")[0].contains("missing-key the test file is empty"));
    assert!(findings("- x\n")[0].contains("wrong-type"));
    assert!(
        findings("cases:\n- name: x\n  expect: { verdict: denied }\n").join(" ").contains("the case has no `service`")
    );
}

#[test]
fn what_a_case_leaves_out_takes_its_default() {
    let facts =
        facts("reviews: [{ by: pia, state: approved }, { by: PIA, state: dismissed }, { by: pat, state: pending }]");
    let person = |login: &str| json!({ "id": facts.pull_request.as_ref().unwrap().author.as_ref().unwrap().id, "login": login, "type": "User" });
    let mut got = serde_json::to_value(&facts).expect("JSON");
    let reviews = got["reviews"].take();
    assert_eq!(
        got,
        json!({
            "schema": 1, "now": "2026-01-01T00:00:00Z", "target": { "service": "shop", "environment": "production" },
            "requested_at": "2025-12-31T23:00:00Z", "approved_at": null, "input": {}, "version": null, "requester": null,
            "revision": "a1",
            "pull_request": {
                "repository": "acme/shop-x-any", "default_branch": "main", "number": 1, "state": "open", "merged": false,
                "merge_commit": null, "head": "a1", "head_first_seen": "2025-12-31T00:00:00Z", "base": "release/any",
                "base_changed_at": null, "author": person("author"), "labels": [], "additions": 0, "deletions": 0,
                "files": [], "files_complete": true,
                "commits": [{
                    "sha": "a1", "author": person("author"), "committer": person("author"), "co_authors": [],
                    "verified": true, "parents": []
                }],
                "commits_complete": true, "pushers": [person("author")], "pushers_complete": true
            },
            "teams": {}, "reviews": null, "vetoes": []
        })
    );
    assert_eq!(reviews[0]["id"], 1);
    assert_eq!(reviews[0]["submitted_at"], "2025-12-31T23:30:00Z");
    assert_eq!(reviews[0]["revision"], "a1");
    assert_eq!(reviews[0]["bound_by"], "delivery");
    assert_eq!(reviews[1]["was"], "approved");
    assert_eq!(reviews[1]["user"]["id"], reviews[0]["user"]["id"], "an id comes from the login in lower case");
    assert_eq!(reviews[2]["submitted_at"], json!(null), "what is not submitted has no time");
}

#[test]
fn null_is_not_the_same_as_left_out() {
    let nulls = facts("requested_at: null, revision: null, pull_request: { author: null, head_first_seen: null }");
    let pull_request = nulls.pull_request.expect("a pull request");
    assert_eq!((nulls.requested_at, nulls.revision), (None, None));
    let named = facts("requester: { login: Dave, id: null }").requester.expect("a requester");
    assert_eq!((named.id, named.login.as_str()), (None, "Dave"), "an account that is not known");
    assert!(facts("requester: Dave").requester.is_some_and(|requester| requester.id.is_some()));
    assert_eq!((pull_request.author, pull_request.head_first_seen), (None, None));
    assert_eq!(pull_request.commits[0].author, None, "what is left out of a commit is the author's");
    assert_eq!(facts("pull_request: null").pull_request, None);
}

#[test]
fn people_files_and_reviews_have_a_short_and_a_full_form() {
    let facts = facts(
        "pull_request: { merged: true, files: [a, { path: b, previous_path: c }], author: { login: dave, id: 4 }, \
         commits: [{ sha: x, author: null }, { committer: \"helper[bot]\" }] }, \
         reviews: [{ user: { login: org, type: Organization }, state: APPROVED, submitted_at: 2025-12-31T12:00:00+02:00 }, \
         { id: 1, by: pia, state: commented }], \
         vetoes: [{ by: pia }]",
    );
    let pull_request = facts.pull_request.expect("a pull request");
    assert_eq!(
        serde_json::to_value(&pull_request.files).unwrap(),
        json!([{ "path": "a" }, { "path": "b", "previous_path": "c" }])
    );
    assert_eq!(serde_json::to_value(pull_request.state).unwrap(), "closed", "what is merged is closed");
    let dave = pull_request.author.expect("an author");
    assert_eq!(dave.id.0, 4);
    assert_eq!(pull_request.commits[0].author, None);
    assert_eq!(pull_request.commits[0].committer.as_ref(), Some(&dave));
    assert_eq!(pull_request.commits[1].sha.as_str(), "a1");
    assert_eq!(pull_request.commits[1].committer.as_ref().unwrap().kind, AccountKind::Bot);
    let review = &facts.reviews[0];
    assert_eq!(review.user.as_ref().unwrap().kind, AccountKind::Other);
    assert_eq!(review.submitted_at.unwrap().to_string(), "2025-12-31T10:00:00Z");
    assert_eq!(review.id.0, 2, "a number that is given is not given again");
    assert_eq!(facts.vetoes[0].at.to_string(), "2025-12-31T23:30:00Z");
    assert_eq!(facts.vetoes[0].pull_request.to_string(), "example/another#1");
}

#[test]
fn defaults_are_merged_into_mappings_and_replaced_by_lists() {
    let text = "\
defaults:
  service: shop
  environment: production
  pull_request: { number: 7, author: dave, labels: [a, b] }
  reviews: [{ by: pia, state: approved }]
cases:
- name: x
  given: { environment: free, pull_request: { author: null, labels: [c] } }
  expect: { verdict: approved }
- name: y
  given: { reviews: [] }
  expect: { verdict: approved }
- name: z
  expect: { verdict: approved }
";
    let suites = read(text);
    assert_eq!(suites.findings.len(), 0);
    let facts: Vec<Facts> = suites.files[0].cases.iter().map(|case| case.facts(&policy())).collect();
    let first = facts[0].pull_request.as_ref().unwrap();
    assert_eq!((first.number, &first.author, &first.labels), (7, &None, &vec!["c".to_owned()]));
    assert_eq!(facts[0].target.to_string(), "shop:free");
    assert_eq!((facts[0].reviews.len(), facts[1].reviews.len(), facts[2].reviews.len()), (1, 0, 1));
    assert_eq!(facts[2].pull_request.as_ref().unwrap().labels.len(), 2);
}

#[test]
fn an_unexpected_decision_is_reported_with_the_path_and_both_values() {
    let given = "reviews: [{ by: pia, state: approved, revision: a0 }, { by: zoe, state: approved }]";
    let failure = |path: &str, expected, got| Failure { path: path.to_owned(), expected, got, step: None };
    assert_eq!(
        failures(
            given,
            "{ verdict: approved, counts: [pia], unmet: [{ need: 2, name: 1 of people }], \
             reviews: { pia: author, zoe: { verdict: counts, reason: not-eligible }, nobody: counts, \"2\": not-eligible }, \
             rule: { environment_selector: production, service_selector: s }, override: { reason: x } }"
        ),
        [
            failure("counts", json!(["pia"]), json!([])),
            failure("override", json!({ "reason": "x" }), json!(null)),
            failure("reviews.nobody", json!("counts"), json!(null)),
            failure("reviews.pia", json!("author"), json!("stale")),
            failure("reviews.zoe.verdict", json!("counts"), json!("ignored")),
            failure("rule.service_selector", json!("s"), json!("shop")),
            failure("unmet[0].need", json!(2), json!(1)),
            failure("verdict", json!("approved"), json!("pending")),
        ]
    );
    assert_eq!(failures(given, "{ unmet: [] }").len(), 1, "a list must be as long");
    assert_eq!(failures(given, "{ deadline: null }").len(), 1, "null is nothing, and nothing else");
}

#[test]
fn expectations_ignore_order_case_and_notation() {
    let given = "reviews: [{ by: pia, state: approved }, { by: pat, state: approved }]";
    let expect = "{ counts: [PAT, Pia], deadline: 2026-01-02T00:00:00+01:00, reviews: { PIA: counts, \"1\": { user: Pia } }, \
                  requirement: { approved_by: [PIA] } }";
    assert_eq!(failures(given, expect), []);
}
