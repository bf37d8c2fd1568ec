//! What `diff` does not call looser or mixed lets nothing through that was held back: random pairs of policies, and random
//! facts that both decide on.

use std::path::Path;

use countersign::approval::decision::Verdict;
use countersign::approval::facts::Facts;
use countersign::approval::with_judgment;
use countersign::finding::{Source, SourceContent};
use countersign::ident::Target;
use countersign::policy::{Direction, Policy, diff, load};
use serde_json::{Value, json};

use crate::rounds::rounds;

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(most).expect("small")).expect("small")
    }

    fn one_in(&mut self, most: usize) -> bool {
        self.below(most) == 0
    }

    fn of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    /// Some of the items, at least one.
    fn some(&mut self, items: &[&str]) -> String {
        let chosen: Vec<&str> = items.iter().copied().filter(|_| self.one_in(2)).collect();
        if chosen.is_empty() { self.of(items).to_owned() } else { chosen.join(", ") }
    }
}

const PEOPLE: [&str; 6] = ["ana", "abe", "ali", "bob", "bea", "cat"];
const TEAMS: [&str; 2] = ["acme/t", "acme/u"];
const CONDITIONS: [&str; 6] = [
    "{ paths: [infra/] }",
    "{ labels: [hotfix] }",
    "{ not: { paths: [infra/] } }",
    "{ within: [c] }",
    "{ any: [{ labels: [hotfix] }, { paths: [infra/] }] }",
    "{ requester: [\"a*\"] }",
];
const SPANS: [&str; 5] = [
    "{ from: \"fri 16:00\", to: \"mon 08:00\" }",
    "{ from: \"sat 00:00\", to: \"sun 00:00\" }",
    "{ from: \"mon 00:00\", to: \"fri 16:00\" }",
    "{ from: \"wed 08:00\", to: \"wed 18:00\" }",
    "{ from: \"mon 00:00\", to: \"sun 24:00\" }",
];

/// A policy in parts, so that some can be made anew.
#[derive(Clone)]
struct Parts {
    groups: [String; 2],
    calendars: [String; 2],
    fields: Vec<(&'static str, String)>,
}

const FIELDS: [&str; 15] = [
    "require",
    "require",
    "require",
    "timeout",
    "explicit",
    "escalate",
    "exclude",
    "distinct",
    "on_changes_requested",
    "veto",
    "max_age",
    "freeze",
    "window",
    "wait",
    "override",
];

fn group(dice: &mut Dice) -> String {
    let users = dice.some(&PEOPLE);
    let users = if dice.one_in(6) { format!("{users}, dan#6") } else { users };
    match dice.below(4) {
        0 => format!("{{ teams: [{}] }}", dice.some(&TEAMS)),
        1 => format!("{{ users: [{users}], teams: [{}] }}", dice.some(&TEAMS)),
        _ => format!("{{ users: [{users}] }}"),
    }
}

fn calendar(dice: &mut Dice) -> String {
    let zone = if dice.one_in(4) { "Europe/Berlin" } else { "UTC" };
    let dates = if dice.one_in(4) { ", dates: [{ from: \"2026-11-18 00:00\", to: \"2026-11-20 00:00\" }]" } else { "" };
    format!("{{ timezone: {zone}, weekly: [{}]{dates} }}", dice.some(&SPANS))
}

fn refs(dice: &mut Dice) -> String {
    dice.some(&["a", "b", "\"@cat\"", "\"@acme/t\"", "\"@bob\""])
}

fn leaf(dice: &mut Dice, when: bool) -> String {
    let count = 1 + dice.below(2);
    let when = if when && dice.one_in(4) { format!(", when: {}", dice.of(&CONDITIONS)) } else { String::new() };
    format!("{{ count: {count}, of: [{}]{when} }}", refs(dice))
}

fn requirement(dice: &mut Dice, depth: usize, when: bool) -> String {
    if depth == 0 || dice.one_in(2) {
        return leaf(dice, when);
    }
    let word = dice.of(&["all_of", "any_of", "in_order"]).to_string();
    let parts: Vec<String> = (0..1 + dice.below(3)).map(|_| requirement(dice, depth - 1, when)).collect();
    let when = if when && dice.one_in(5) { format!(", when: {}", dice.of(&CONDITIONS)) } else { String::new() };
    format!("{{ {word}: [{}]{when} }}", parts.join(", "))
}

fn field(dice: &mut Dice, name: &str) -> String {
    match name {
        "require" if dice.one_in(15) => "none".to_owned(),
        "require" => requirement(dice, 2, true),
        "timeout" => dice.of(&["90m", "3h", "6h"]).to_string(),
        "explicit" | "distinct" => dice.of(&["true", "false"]).to_string(),
        "escalate" => {
            let after = dice.of(&["30m", "80m"]);
            format!("[{{ after: {after}, stand_in: {{ {}: [{}] }} }}]", dice.of(&["a", "b"]), refs(dice))
        }
        "exclude" => format!("[{}]", dice.some(&["author", "committers", "pushers", "requester"])),
        "on_changes_requested" => dice.of(&["reject", "block", "ignore"]).to_string(),
        "veto" => format!("[{}]", refs(dice)),
        "max_age" => dice.of(&["40m", "3h", "5h"]).to_string(),
        "freeze" => {
            let except = if dice.one_in(2) { format!(", except: {}", dice.of(&CONDITIONS)) } else { String::new() };
            let effect = dice.of(&["deny", "wait"]);
            format!("[{{ calendar: {}, effect: {effect}{except} }}]", dice.of(&["c", "d"]))
        }
        "window" => format!("[{}]", dice.some(&["c", "d"])),
        "wait" => dice.of(&["10m", "1h"]).to_string(),
        _ => format!("{{ by: {}, for: {} }}", requirement(dice, 1, false), dice.of(&["1h", "4h"])),
    }
}

impl Parts {
    fn random(dice: &mut Dice) -> Self {
        let mut parts = Self {
            groups: [group(dice), group(dice)],
            calendars: [calendar(dice), calendar(dice)],
            fields: vec![("require", field(dice, "require"))],
        };
        for name in &FIELDS[3..] {
            if dice.one_in(4) {
                parts.fields.push((name, field(dice, name)));
            }
        }
        parts
    }

    /// The same with one to three parts made anew, or dropped.
    fn changed(&self, dice: &mut Dice) -> Self {
        let mut parts = self.clone();
        for _ in 0..1 + dice.below(2) {
            match dice.below(10) {
                0 => parts.groups[dice.below(2)] = group(dice),
                1 => parts.calendars[dice.below(2)] = calendar(dice),
                _ => {
                    let name = dice.of(&FIELDS);
                    let dropped = name != "require" && dice.one_in(3);
                    parts.fields.retain(|(other, _)| *other != name);
                    if !dropped {
                        parts.fields.push((name, field(dice, name)));
                    }
                }
            }
        }
        parts
    }

    fn text(&self) -> String {
        let [a, b] = &self.groups;
        let [c, d] = &self.calendars;
        let fields: Vec<String> = self.fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        format!(
            "version: 1\ngroups: {{ a: {a}, b: {b} }}\ncalendars: {{ c: {c}, d: {d} }}\nservices:\n  shop:\n    \
             repository: acme/shop\n    environments:\n      production: {{ {} }}\n",
            fields.join(", ")
        )
    }
}

fn policy(text: &str) -> Option<Policy> {
    let content = SourceContent::Bytes(text.as_bytes().to_vec());
    load(vec![Source { name: "p.yaml".to_owned(), content }]).policy
}

fn person(login: &str) -> Value {
    let id = PEOPLE.iter().position(|other| *other == login).map_or(99, |at| at + 1);
    json!({ "id": id, "login": login, "type": "User" })
}

fn facts(dice: &mut Dice) -> Facts {
    let now: jiff::Timestamp = dice
        .of(&["2026-11-18T10:00:00Z", "2026-11-21T10:00:00Z", "2026-11-20T16:30:00Z", "2026-11-23T07:30:00Z"])
        .parse()
        .expect("an instant");
    let ago = |minutes: i64| now - jiff::SignedDuration::from_mins(minutes);
    let asked = dice.of(&[None, Some(20), Some(60), Some(120), Some(240)]);
    let settled = dice.of(&[None, None, Some(5), Some(30)]);
    let author = dice.of(&["ana", "bob", "eve"]);
    let mut reviews = Vec::new();
    for (at, login) in PEOPLE.iter().enumerate() {
        for again in 0..dice.below(3) {
            let state = dice.of(&["approved", "approved", "approved", "approved", "changes_requested", "dismissed"]);
            let by = dice.of(&PEOPLE);
            let body = dice.of(&["", "", "/approve production", "/override production why not", "/approve staging"]);
            reviews.push(json!({
                "id": 100 * (again + 1) + at, "user": person(login), "state": state,
                "was": if state == "dismissed" { json!(dice.of(&["approved", "changes_requested"])) } else { Value::Null },
                "dismissed_by": if state == "dismissed" { person(by) } else { Value::Null },
                "revision": if dice.one_in(10) { "a0" } else { "a1" },
                "bound_by": if dice.one_in(5) { "api" } else { "delivery" },
                "submitted_at": ago(i64::try_from(dice.below(200)).expect("small")), "body": body,
            }));
        }
    }
    let members = |dice: &mut Dice| -> Vec<Value> {
        PEOPLE.iter().filter(|_| dice.one_in(3)).map(|login| person(login)).collect()
    };
    let mut teams = serde_json::Map::new();
    for team in TEAMS {
        if !dice.one_in(8) {
            teams.insert(team.to_owned(), members(dice).into());
        }
    }
    let labels: &[&str] = if dice.one_in(2) { &["hotfix"] } else { &[] };
    let files: &[Value] = &[json!({ "path": dice.of(&["infra/iam.tf", "src/lib.rs"]) })];
    let document = json!({
        "schema": 1, "now": now, "target": { "service": "shop", "environment": "production" },
        "requested_at": asked.map(ago), "approved_at": settled.map(ago), "input": {}, "version": null,
        "requester": dice.of(&[None, Some("ana"), Some("bea")]), "revision": "a1",
        "pull_request": {
            "repository": if dice.one_in(20) { "acme/other" } else { "acme/shop" }, "default_branch": "main",
            "number": 1, "state": "open", "merged": false, "merge_commit": null, "head": "a1",
            "head_first_seen": ago(150), "base": "main", "base_changed_at": null, "author": person(author),
            "labels": labels, "additions": 1, "deletions": 1, "files": files, "files_complete": !dice.one_in(4),
            "commits": [{ "sha": "a1", "author": person(author), "committer": person(dice.of(&["abe", "eve"])) }],
            "commits_complete": true, "pushers": [person(dice.of(&["ali", "eve"]))], "pushers_complete": !dice.one_in(8),
        },
        "teams": teams, "reviews": reviews, "vetoes": [],
    });
    serde_json::from_value(document).expect("facts")
}

fn approves(policy: &Policy, facts: &Facts) -> bool {
    with_judgment(policy, facts, |judgment| judgment.verdict == Verdict::Approved)
}

/// The direction of the one target.
fn direction(old: &Policy, new: &Policy) -> Option<Direction> {
    let diff = diff(old, new);
    let target: Target =
        serde_json::from_value(json!({ "service": "shop", "environment": "production" })).expect("one");
    let is_it = |change: &&countersign::policy::Change<'_>| {
        change.service.name == target.service.as_str() && change.environment.name == target.environment.as_str()
    };
    diff.changes.iter().find(is_it).map(|change| change.change)
}

#[test]
fn what_is_not_called_looser_approves_no_facts_that_were_not_approved() {
    let mut dice = Dice(17);
    // How many pairs were told in each direction, and in how many a fact showed the new policy to be looser.
    let (mut pairs, mut told, mut shown, mut stricter) = (0_u32, [0_u32; 5], 0_u32, 0_u32);
    let enough = u32::try_from(rounds(400, 2_000)).expect("a number");
    while pairs < enough {
        let parts = Parts::random(&mut dice);
        let changed = parts.changed(&mut dice);
        let (Some(old), Some(new)) = (policy(&parts.text()), policy(&changed.text())) else { continue };
        pairs += 1;
        let direction = direction(&old, &new);
        told[direction.map_or(4, |direction| direction as usize)] += 1;
        let loosens = direction.is_some_and(Direction::loosens);
        let (mut looser_seen, mut stricter_seen) = (false, false);
        for _ in 0..20 {
            let facts = facts(&mut dice);
            let (before, now) = (approves(&old, &facts), approves(&new, &facts));
            let text = || {
                let facts = serde_json::to_string(&facts).expect("facts");
                format!("{direction:?}\n--- old\n{}\n--- new\n{}\n--- facts\n{facts}", parts.text(), changed.text())
            };
            assert!(loosens || before || !now, "approved now and not before: {}", text());
            let tightens = !matches!(direction, None | Some(Direction::Looser | Direction::Different));
            assert!(tightens || !before || now, "approved before and not now: {}", text());
            looser_seen |= now && !before;
            stricter_seen |= before && !now;
        }
        shown += u32::from(looser_seen);
        stricter += u32::from(stricter_seen);
    }
    assert!(told.iter().all(|count| *count > enough / 50), "every direction is met: {told:?}");
    assert!(
        shown > enough / 20 && stricter > enough / 20,
        "the facts tell policies apart: {shown} looser, {stricter} stricter"
    );
}

#[test]
fn no_policy_differs_from_itself() {
    let mut dice = Dice(4);
    for _ in 0..rounds(100, 500) {
        let text = Parts::random(&mut dice).text();
        if let (Some(old), Some(new)) = (policy(&text), policy(&text)) {
            assert!(diff(&old, &new).changes.is_empty(), "{text}");
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for folder in ["policies", "tests/decisions", "tests/sound"] {
        let files = std::fs::read_dir(root.join(folder)).expect("the folder is there");
        let mut sources = Vec::new();
        for path in files.map(|entry| entry.expect("an entry").path()) {
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
            let is_policy = (name.ends_with(".yaml") || name.ends_with(".yml")) && !name.contains(".test.");
            if is_policy {
                sources.push(Source { name, content: SourceContent::Bytes(std::fs::read(&path).expect("a file")) });
            }
        }
        sources.sort_by(|a, b| a.name.cmp(&b.name));
        // The decisions' policies stand alone, the others are bundles.
        let alone = folder == "tests/decisions";
        let bundles = if alone { sources.into_iter().map(|source| vec![source]).collect() } else { vec![sources] };
        for bundle in bundles {
            let policy = load(bundle.clone()).policy.unwrap_or_else(|| panic!("{folder}: {:?}", bundle[0].name));
            let again = load(bundle).policy.expect("as before");
            assert!(diff(&policy, &again).changes.is_empty(), "{folder}");
            seen += 1;
        }
    }
    assert!(seen > 8, "{seen}");
}
