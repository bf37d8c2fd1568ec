//! Generates facts from bytes. It uses few names and instants, so that they match each other and the policy, and some
//! instants at the limits of the format.

use arbitrary::{Result, Unstructured};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const TARGETS: [(&str, &str); 14] = [
    ("checkout", "production"),
    ("checkout", "staging"),
    ("checkout", "night"),
    ("checkout", "steps"),
    ("checkout", "either"),
    ("checkout", "conditions"),
    ("checkout", "loose"),
    ("checkout", "audited"),
    ("checkout", "held"),
    ("checkout", "eu-west"),
    ("pay-eu", "production"),
    ("internal-tools", "production"),
    ("internal-tools", "preview-1"),
    ("nowhere", "production"),
];
const LOGINS: [&str; 12] =
    ["dave", "pia", "pat", "sam", "ana", "dana", "lee", "zoe", "Pia", "web-flow", "helper[bot]", "github-actions[bot]"];
const COMMITS: [&str; 4] = ["a1", "a2", "b1", "0123456789abcdef0123456789abcdef01234567"];
const REPOSITORIES: [&str; 4] = ["acme/checkout", "Acme/Checkout", "acme/internal-tools", "evil/checkout"];
const BRANCHES: [&str; 4] = ["main", "release/1", "next", ""];
const PATHS: [&str; 6] = ["src/lib.rs", "infra/iam/a.tf", "README.md", "docs/a/b.md", "", "infra"];
const LABELS: [&str; 4] = ["hotfix", "Hotfix", "size/XL", ""];
const TEAMS: [&str; 4] = ["acme/payments", "acme/sre", "acme/unknown", "Acme/Payments"];
const STATES: [&str; 5] = ["approved", "changes_requested", "commented", "dismissed", "pending"];
const TYPES: [&str; 3] = ["User", "Bot", "Mannequin"];
const BODIES: [&str; 10] = [
    "",
    "looks good",
    "/approve production",
    "/approve checkout:production, staging",
    "/approve nowhere:production",
    "/approve",
    "/override production the shop is down",
    "/override checkout:production",
    "/override checkout:night now\nreally",
    "/unknown production",
];
const ENDS: [&str; 2] = ["-009999-01-02T01:59:59Z", "9999-12-30T22:00:00.999999999Z"];
/// Events happen around these instants: a working day, a weekend's start, the end of the year, both clock changes.
const AROUND: [&str; 6] = [
    "2026-11-18T10:00:00Z",
    "2026-11-20T15:00:00Z",
    "2026-12-31T23:00:00Z",
    "2026-03-29T01:00:00Z",
    "2026-10-25T01:00:00Z",
    "2028-02-29T00:00:00Z",
];

type Bytes<'b, 'a> = &'b mut Unstructured<'a>;

/// One set of facts, as JSON.
pub fn facts(bytes: Bytes<'_, '_>) -> Result<Value> {
    let (service, environment) = *bytes.choose(&TARGETS)?;
    let around: Timestamp = bytes.choose(&AROUND)?.parse().expect("an instant");
    Ok(json!({
        "schema": 1,
        "now": instant(bytes, around)?,
        "target": { "service": service, "environment": environment },
        "requested_at": maybe(bytes, |bytes| instant(bytes, around))?,
        "approved_at": maybe(bytes, |bytes| instant(bytes, around))?,
        "input": input(bytes)?,
        "version": maybe(bytes, |bytes| text(bytes, &["v2.3.1", "v3.0.0-rc1", ""]))?,
        "requester": maybe(bytes, |bytes| Ok(json!(bytes.choose(&LOGINS)?)))?,
        "revision": maybe(bytes, |bytes| Ok(json!(bytes.choose(&COMMITS)?)))?,
        "pull_request": if bytes.ratio(15, 16)? { pull_request(bytes, around)? } else { Value::Null },
        "teams": teams(bytes)?,
        "reviews": several(bytes, 24, |bytes| review(bytes, around))?,
        "vetoes": several(bytes, 2, |bytes| veto(bytes, around))?,
    }))
}

fn pull_request(bytes: Bytes<'_, '_>, around: Timestamp) -> Result<Value> {
    Ok(json!({
        "repository": bytes.choose(&REPOSITORIES)?,
        "default_branch": bytes.choose(&BRANCHES)?,
        "number": bytes.arbitrary::<u64>()?,
        "state": bytes.choose(&["open", "closed"])?,
        "merged": bytes.ratio(1, 4)?,
        "merge_commit": maybe(bytes, |bytes| Ok(json!(bytes.choose(&COMMITS)?)))?,
        "head": bytes.choose(&COMMITS)?,
        "head_first_seen": maybe(bytes, |bytes| instant(bytes, around))?,
        "base": bytes.choose(&BRANCHES)?,
        "base_changed_at": maybe(bytes, |bytes| instant(bytes, around))?,
        "author": maybe(bytes, person)?,
        "labels": several(bytes, 3, |bytes| text(bytes, &LABELS))?,
        "additions": lines(bytes)?,
        "deletions": lines(bytes)?,
        "files": several(bytes, 4, file)?,
        "files_complete": bytes.ratio(3, 4)?,
        "commits": several(bytes, 3, |bytes| {
            Ok(json!({
                "sha": bytes.choose(&COMMITS)?,
                "author": maybe(bytes, person)?,
                "committer": maybe(bytes, person)?,
                "co_authors": several(bytes, 2, person)?,
                "verified": bytes.ratio(3, 4)?,
            }))
        })?,
        "commits_complete": bytes.ratio(3, 4)?,
        "pushers": several(bytes, 3, person)?,
        "pushers_complete": bytes.ratio(3, 4)?,
    }))
}

fn review(bytes: Bytes<'_, '_>, around: Timestamp) -> Result<Value> {
    let mut review = json!({
        "id": bytes.arbitrary::<u16>()?,
        "user": maybe(bytes, person)?,
        "state": bytes.choose(&STATES)?,
        "revision": maybe(bytes, |bytes| Ok(json!(bytes.choose(&COMMITS)?)))?,
        "bound_by": bytes.choose(&["delivery", "api"])?,
        "submitted_at": maybe(bytes, |bytes| instant(bytes, around))?,
        "edited": bytes.arbitrary::<bool>()?,
        "body": text(bytes, &BODIES)?,
    });
    if review["state"] == "dismissed" && bytes.ratio(3, 4)? {
        review["was"] = json!(bytes.choose(&["approved", "changes_requested"])?);
        review["dismissed_by"] = maybe(bytes, person)?;
    }
    Ok(review)
}

fn veto(bytes: Bytes<'_, '_>, around: Timestamp) -> Result<Value> {
    Ok(json!({ "by": person(bytes)?, "at": instant(bytes, around)?, "pull_request": "acme/checkout#41" }))
}

fn teams(bytes: Bytes<'_, '_>) -> Result<Value> {
    let mut teams = serde_json::Map::new();
    for team in TEAMS {
        if bytes.ratio(1, 2)? {
            teams.insert(team.to_owned(), several(bytes, 4, person)?);
        }
    }
    Ok(Value::Object(teams))
}

/// Usually each login has one person, and each person one login.
fn person(bytes: Bytes<'_, '_>) -> Result<Value> {
    let at = bytes.choose_index(LOGINS.len())?;
    let login = LOGINS.get(at).copied().unwrap_or("dave");
    let id = if bytes.ratio(1, 16)? { bytes.arbitrary::<u64>()? } else { at as u64 + 1 };
    let kind = match bytes.ratio(1, 8)? {
        true => bytes.choose(&TYPES)?,
        false if login.ends_with("[bot]") => "Bot",
        false => "User",
    };
    Ok(json!({ "id": id, "login": login, "type": kind }))
}

fn file(bytes: Bytes<'_, '_>) -> Result<Value> {
    let mut file = json!({ "path": text(bytes, &PATHS)? });
    if bytes.ratio(1, 4)? {
        file["previous_path"] = text(bytes, &PATHS)?;
    }
    Ok(file)
}

fn input(bytes: Bytes<'_, '_>) -> Result<Value> {
    Ok(match bytes.choose_index(5)? {
        0 => json!({}),
        1 => json!({ "stage": "canary", "nested": { "list": [1, "two"] } }),
        2 => json!({ "stage": text(bytes, &["canary"])? }),
        3 => json!({ "stage": bytes.arbitrary::<i64>()?, "a/b": { "~": null } }),
        _ => json!({ "stage": { "stage": ["canary"] } }),
    })
}

fn lines(bytes: Bytes<'_, '_>) -> Result<u64> {
    if bytes.ratio(1, 8)? { bytes.arbitrary() } else { bytes.int_in_range(0..=600) }
}

/// Usually within two days of `around`, in steps of five minutes.
fn instant(bytes: Bytes<'_, '_>, around: Timestamp) -> Result<Value> {
    if bytes.ratio(1, 32)? {
        return Ok(json!(bytes.choose(&ENDS)?));
    }
    let minutes = i64::from(bytes.int_in_range(-576_i16..=576)?) * 5;
    let shifted = around.checked_add(SignedDuration::from_mins(minutes)).expect("an instant");
    Ok(json!(shifted.to_string()))
}

fn text(bytes: Bytes<'_, '_>, known: &[&str]) -> Result<Value> {
    if bytes.ratio(1, 8)? {
        let length = bytes.int_in_range(0..=40)?;
        return Ok(json!(String::from_utf8_lossy(bytes.bytes(length)?)));
    }
    Ok(json!(bytes.choose(known)?))
}

fn maybe<'a>(bytes: Bytes<'_, 'a>, draw: impl FnOnce(&mut Unstructured<'a>) -> Result<Value>) -> Result<Value> {
    if bytes.ratio(7, 8)? { draw(bytes) } else { Ok(Value::Null) }
}

fn several<'a>(
    bytes: Bytes<'_, 'a>,
    most: usize,
    mut draw: impl FnMut(&mut Unstructured<'a>) -> Result<Value>,
) -> Result<Value> {
    let number = bytes.int_in_range(0..=most)?;
    let mut drawn = Vec::new();
    for _ in 0..number {
        if bytes.is_empty() {
            break;
        }
        drawn.push(draw(bytes)?);
    }
    Ok(Value::Array(drawn))
}
