//! Generates policies in the whole language, and facts for them.

use countersign::approval::facts::Facts;
use countersign::finding::{Source, SourceContent};
use countersign::policy::{Policy, load};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

/// Everyone. `vera` is only on the veto list, and `ned` is on no list.
pub(super) const PEOPLE: [&str; 9] = ["pia", "pat", "sam", "lee", "zoe", "dana", "vera", "ned", "helper[bot]"];

const FIRST_INSTANT: &str = "2026-11-18T08:00:00Z";

pub(super) fn person(login: &str) -> Value {
    let id = PEOPLE.iter().position(|known| *known == login).map_or(99, |at| at + 1);
    json!({ "id": id, "login": login, "type": if login.ends_with("[bot]") { "Bot" } else { "User" } })
}

/// An instant of the made-up day, in minutes from its first one.
pub(super) fn minute(minutes: i64) -> jiff::Timestamp {
    let first: jiff::Timestamp = FIRST_INSTANT.parse().expect("an instant");
    first + jiff::SignedDuration::from_mins(minutes)
}

fn someone() -> impl Strategy<Value = &'static str> {
    select(PEOPLE.to_vec())
}

fn boxed<T: std::fmt::Debug + 'static>(strategy: impl Strategy<Value = T> + 'static) -> BoxedStrategy<T> {
    strategy.boxed()
}

/// A mapping of the fields that are present.
fn fields(fields: impl IntoIterator<Item = (&'static str, Option<Value>)>) -> Value {
    let there = fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Value::Object(there.collect::<Map<String, Value>>())
}

/// Each kind of key, so that it may hold, not hold, or be unknown.
fn conditions() -> BoxedStrategy<Value> {
    let terms = select(vec![
        json!({ "paths": ["a/"] }),
        json!({ "only_paths": ["a/", "b"] }),
        json!({ "labels": ["hotfix"] }),
        json!({ "branch": ["main"] }),
        json!({ "lines": ">500" }),
        json!({ "authors": ["@dana", "@acme/c"] }),
        json!({ "only_authors": ["@dana", "@helper[bot]"] }),
        json!({ "requester": ["ned"] }),
        json!({ "version": ["v1"] }),
        json!({ "input": { "/region": "eu" } }),
        json!({ "within": ["morning"] }),
        json!({ "within": ["hourly"] }),
        json!({ "paths": ["b"], "version": ["v1"] }),
    ]);
    boxed(terms.prop_recursive(2, 6, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| json!({ "not": inner })),
            prop::collection::vec(inner, 1..3).prop_map(|parts| json!({ "any": parts })),
        ]
    }))
}

fn leaf() -> BoxedStrategy<Value> {
    let groups = select(vec![json!(["a"]), json!(["b"]), json!(["c"]), json!(["d", "@zoe"]), json!(["a", "bots"])]);
    let one = select(vec![json!(["@pia"]), json!(["bots"]), json!(["@acme/c"]), json!(["a"]), json!(["b"])]);
    let of = prop_oneof![1 => groups.prop_map(|of| (2, of)), 3 => one.prop_map(|of| (1, of))];
    let counted = (of, prop::option::weighted(0.3, conditions()))
        .prop_map(|((count, of), when)| fields([("count", Some(json!(count))), ("of", Some(of)), ("when", when)]));
    boxed(prop_oneof![6 => counted, 1 => select(vec![json!("all of a"), json!("all of b")])])
}

pub(super) fn requirement() -> BoxedStrategy<Value> {
    boxed(leaf().prop_recursive(3, 5, 2, |inner| {
        let kind = select(vec!["all_of", "any_of", "in_order"]);
        (kind, prop::collection::vec(inner, 1..3), prop::option::weighted(0.2, conditions()))
            .prop_map(|(kind, parts, when)| fields([(kind, Some(Value::Array(parts))), ("when", when)]))
    }))
}

fn freeze() -> BoxedStrategy<Value> {
    let one = (
        select(vec!["morning", "hourly", "over"]),
        select(vec!["deny", "wait"]),
        prop::option::weighted(0.4, conditions()),
    )
        .prop_map(|(calendar, effect, except)| {
            fields([("calendar", Some(json!(calendar))), ("effect", Some(json!(effect))), ("except", except)])
        });
    boxed(prop::collection::vec(one, 1..3).prop_map(Value::Array))
}

fn escalations() -> BoxedStrategy<Value> {
    let stand_in = select(vec![
        json!({ "a": ["b"] }),
        json!({ "b": ["@zoe"], "a": ["@acme/c"] }),
        json!({ "c": ["a"] }),
        json!({ "d": ["@ned"] }),
    ]);
    let one = (1..5_u32, stand_in).prop_map(|(after, by)| json!({ "after": format!("{after}h"), "stand_in": by }));
    boxed(prop::collection::vec(one, 1..3).prop_map(Value::Array))
}

fn overrides() -> BoxedStrategy<Value> {
    let by = select(vec![json!("1 of b"), json!("1 of a"), json!({ "any_of": ["2 of c", "@ned"] })]);
    boxed((by, select(vec!["30m", "4h"])).prop_map(|(by, valid)| json!({ "by": by, "for": valid })))
}

/// A rule that may have every field, `require` among them.
pub(crate) fn rule() -> impl Strategy<Value = Value> {
    let some = |chance, strategy: BoxedStrategy<Value>| prop::option::weighted(chance, strategy);
    let words = |words: Vec<Value>| boxed(select(words));
    let people = (
        requirement(),
        subsequence(vec!["author", "committers", "pushers", "requester"], 0..=2),
        any::<bool>(),
        select(vec!["reject", "block", "ignore"]),
        prop::bool::weighted(0.1),
        some(0.4, overrides()),
    );
    let time = (
        some(0.2, freeze()),
        some(0.2, words(vec![json!(["hourly"]), json!(["morning"]), json!([])])),
        some(0.2, words(vec![json!("20m")])),
        some(0.2, words(vec![json!("2h"), json!("4h")])),
        some(0.4, escalations()),
    );
    (people, time).prop_map(|(people, (freeze, window, wait, max_age, escalate))| {
        let (require, exclude, distinct, on_changes_requested, explicit, by) = people;
        fields([
            ("require", Some(require)),
            ("exclude", Some(json!(exclude))),
            ("distinct", Some(json!(distinct))),
            ("on_changes_requested", Some(json!(on_changes_requested))),
            ("explicit", Some(json!(explicit))),
            ("veto", Some(json!(["@vera"]))),
            ("timeout", Some(json!("6h"))),
            ("remind", Some(json!(["90m"]))),
            ("override", by),
            ("freeze", freeze),
            ("window", window),
            ("wait", wait),
            ("max_age", max_age),
            ("escalate", escalate),
        ])
    })
}

/// The policy that has this rule for `world` in `production`.
pub(super) fn policy(rule: &Value) -> Policy {
    loaded(&bundle(rule))
}

pub(super) fn bundle(rule: &Value) -> Value {
    json!({
        "version": 1,
        "groups": {
            "a": { "users": ["pia", "pat", "dana"] },
            "b": { "users": ["sam", "lee"] },
            "c": { "teams": ["acme/c"] },
            "d": { "users": ["pia", "sam#3"], "teams": ["acme/d"] },
            "bots": { "users": ["zoe", "helper[bot]"] },
        },
        "calendars": {
            "morning": { "timezone": "UTC", "dates": [{ "from": "2026-11-18 09:00", "to": "2026-11-18 12:00" }] },
            "hourly": { "timezone": "Europe/Berlin", "weekly": [
                { "days": ["wed", "thu"], "from": "10:00", "to": "10:40" }, { "days": ["wed"], "from": "12:00", "to": "13:15" },
            ] },
            "over": { "timezone": "UTC", "dates": [{ "from": "2026-01-01 00:00", "to": "2026-01-02 00:00" }] },
        },
        "services": { "world": {
            "repository": "acme/world", "environments": { "production": rule, "staging": { "require": "@vera" } },
        } },
    })
}

pub(super) fn loaded(bundle: &Value) -> Policy {
    let content = SourceContent::Bytes(bundle.to_string().into_bytes());
    let loaded = load(vec![Source { name: "p.yaml".to_owned(), content }]);
    let messages: Vec<&str> = loaded.findings.iter().map(|finding| &*finding.message).collect();
    loaded.policy.unwrap_or_else(|| panic!("{messages:?} in {bundle:#}"))
}

fn review() -> impl Strategy<Value = Value> {
    let what = prop_oneof![
        20 => Just(("approved", None)),
        1 => Just(("changes_requested", None)),
        2 => Just(("commented", None)),
        1 => Just(("dismissed", Some("approved"))),
        1 => Just(("dismissed", Some("changes_requested"))),
    ];
    (
        someone(),
        what,
        body(),
        prop::option::of(someone()),
        0..180_i64,
        prop::bool::weighted(0.9),
        (prop::bool::weighted(0.8), prop::bool::weighted(0.1)),
    )
        .prop_map(|(by, (state, was), body, dismissed_by, at, on_head, (delivered, edited))| {
            let mut review = json!({
                "user": person(by), "state": state, "body": body, "submitted_at": minute(at), "edited": edited,
                "revision": if on_head { "a1" } else { "a0" }, "bound_by": if delivered { "delivery" } else { "api" },
            });
            if state == "dismissed" {
                review["was"] = json!(was);
                review["dismissed_by"] = json!(dismissed_by.map(person));
            }
            review
        })
}

/// Texts that are not for `production`.
pub(super) const NOT_NAMED: [&str; 5] =
    ["/approve staging", "/approve", "/aprove production", "approve staging", "/override staging it is down"];

fn body() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        8 => Just(""),
        3 => Just("/approve production"),
        2 => select(NOT_NAMED.to_vec()),
        4 => Just("/override production the site is down"),
    ]
}

/// An approval by anybody, of any commit, at any time, however it is known.
pub(super) fn approval() -> impl Strategy<Value = Value> {
    (someone(), body(), 0..180_i64, prop::bool::weighted(0.8), any::<bool>(), any::<bool>()).prop_map(
        |(by, body, at, on_head, delivered, edited)| {
            json!({
                "user": person(by), "state": "approved", "body": body, "submitted_at": minute(at), "edited": edited,
                "revision": if on_head { "a1" } else { "a0" }, "bound_by": if delivered { "delivery" } else { "api" },
            })
        },
    )
}

/// What may come of facts while policy, teams and head stay the same: reviews, and dismissals of reviews.
pub(super) fn later(known: &Value, more: Vec<Value>, dismissals: &[Option<&str>]) -> Value {
    let mut facts = known.clone();
    let reviews = facts["reviews"].as_array_mut().expect("reviews");
    for (review, by) in reviews.iter_mut().zip(dismissals) {
        if let (Some(by), Some(was @ ("approved" | "changes_requested"))) = (by, review["state"].as_str()) {
            review["was"] = json!(was);
            review["state"] = json!("dismissed");
            review["dismissed_by"] = person(by);
        }
    }
    reviews.extend(more);
    for (at, review) in reviews.iter_mut().enumerate() {
        review["id"] = json!(at + 1);
    }
    facts
}

/// A list of reviews of all kinds.
pub(super) fn reviews(number: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec(review(), number)
}

/// Who dismisses each of some reviews.
pub(super) fn dismissals() -> impl Strategy<Value = Vec<Option<&'static str>>> {
    prop::collection::vec(prop::option::weighted(0.3, someone()), 14)
}

fn pull_request() -> impl Strategy<Value = Value> {
    let file = select(vec!["a/x", "b", "c"]);
    (
        select(vec!["dana", "helper[bot]", "mallory"]),
        prop::collection::vec(
            (someone(), someone(), prop::option::weighted(0.2, someone()), prop::bool::weighted(0.7)),
            1..2,
        ),
        subsequence(PEOPLE.to_vec(), 1..2),
        prop::collection::vec(file, 0..3),
        (
            any::<bool>(),
            any::<bool>(),
            prop::bool::weighted(0.1),
            select(vec!["open", "open", "open", "open", "open", "open", "open", "open", "merged", "closed"]),
        ),
    )
        .prop_map(|(author, commits, pushers, files, (hotfix, large, base_changed, state))| {
            let commits: Vec<Value> = commits
                .iter()
                .map(|(author, committer, co_author, verified)| {
                    json!({
                        "sha": "a1", "author": person(author), "committer": person(committer), "verified": verified,
                        "co_authors": co_author.map(person).into_iter().collect::<Vec<_>>(),
                    })
                })
                .collect();
            json!({
                "repository": "acme/world", "default_branch": "main", "number": 7, "head": "a1", "base": "main",
                "state": if state == "open" { "open" } else { "closed" }, "merged": state == "merged",
                "merge_commit": (state == "merged").then_some("m1"),
                "head_first_seen": minute(30), "base_changed_at": base_changed.then(|| minute(20)),
                "author": person(author), "labels": if hotfix { vec!["hotfix"] } else { vec![] },
                "additions": if large { 600 } else { 6 }, "deletions": 0,
                "files": files.iter().map(|path| json!({ "path": path })).collect::<Vec<_>>(), "files_complete": true,
                "commits": commits, "commits_complete": true,
                "pushers": pushers.iter().map(|login| person(login)).collect::<Vec<_>>(), "pushers_complete": true,
            })
        })
}

/// Fully known facts, as JSON.
pub(super) fn known_facts() -> impl Strategy<Value = Value> {
    let moments = (180..500_i64, prop::option::weighted(0.8, 60..180_i64), prop::option::weighted(0.3, 170..300_i64));
    let teams = (subsequence(PEOPLE.to_vec(), 0..6), subsequence(PEOPLE.to_vec(), 0..6));
    let given = (select(vec!["ned", "pat"]), select(vec!["v1", "v2"]), select(vec!["eu", "us"]));
    (pull_request(), prop::collection::vec(review(), 3..14), moments, teams, given, prop::bool::weighted(0.05))
        .prop_map(
            |(pull_request, mut reviews, (now, requested, approved), (c, d), (requester, version, region), vetoed)| {
                for (at, review) in reviews.iter_mut().enumerate() {
                    review["id"] = json!(at + 1);
                }
                let people = |logins: Vec<&str>| logins.into_iter().map(person).collect::<Vec<_>>();
                let veto = json!({ "by": person("pia"), "at": minute(40), "pull_request": "acme/world#6" });
                json!({
                    "schema": 1, "now": minute(now), "target": { "service": "world", "environment": "production" },
                    "requested_at": requested.map(minute),
                    "approved_at": approved.filter(|approved| *approved <= now).map(minute),
                    "input": { "region": region }, "version": version, "requester": { "id": person(requester)["id"], "login": requester }, "revision": "a1",
                    "pull_request": pull_request, "teams": { "acme/c": people(c), "acme/d": people(d) },
                    "reviews": reviews, "vetoes": if vetoed { vec![veto] } else { vec![] },
                })
            },
        )
}

/// How many kinds of facts [`less_known`] can take away.
pub(super) const KINDS: usize = 16;

/// The same facts without those that the flips select.
///
/// Keeps facts whose absence does not fall to the stricter side: an account that no longer exists opened nothing, and a
/// commit without an account excludes those who pushed.
pub(super) fn less_known(known: &Value, flips: &[bool]) -> Value {
    let mut facts = known.clone();
    let flip = |at: usize| flips.get(at).copied().unwrap_or_default();
    for (at, key) in ["files", "commits", "pushers"].into_iter().enumerate().filter(|(at, _)| flip(*at)) {
        facts["pull_request"][format!("{key}_complete")] = json!(false);
        if let Some(list) = facts["pull_request"][key].as_array_mut() {
            list.truncate(usize::from(flip(at + 3)));
        }
    }
    if flip(6) {
        facts["pull_request"]["head_first_seen"] = Value::Null;
    }
    for (at, (whole, key)) in
        [("", "requester"), ("", "version"), ("/input", "region"), ("/teams", "acme/c")].into_iter().enumerate()
    {
        if flip(at + 7)
            && let Some(map) = facts.pointer_mut(whole).and_then(Value::as_object_mut)
        {
            map.remove(key);
        }
    }
    let last = |reviews: &mut Vec<Value>, change: &dyn Fn(&mut Value)| reviews.iter_mut().step_by(2).for_each(change);
    if let Some(reviews) = facts["reviews"].as_array_mut() {
        if flip(11) {
            last(reviews, &|review| {
                if review["state"] == "dismissed" {
                    review["was"] = Value::Null;
                    review["dismissed_by"] = Value::Null;
                }
            });
        }
        if flip(12) {
            last(reviews, &|review| review["bound_by"] = json!("api"));
        }
        if flip(13) {
            last(reviews, &|review| drop(review.as_object_mut().and_then(|review| review.remove("edited"))));
        }
    }
    if flip(14)
        && let Some(commits) = facts["pull_request"]["commits"].as_array_mut()
    {
        commits.iter_mut().for_each(|commit| drop(commit.as_object_mut().and_then(|commit| commit.remove("verified"))));
    }
    if flip(15) && facts["requester"].is_object() {
        facts["requester"]["id"] = Value::Null;
    }
    facts
}

pub(super) fn read(facts: &Value) -> Facts {
    serde_json::from_value(facts.clone()).unwrap_or_else(|error| panic!("{error} in {facts:#}"))
}
