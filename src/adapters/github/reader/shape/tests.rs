use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::adapters::github_rest::GHOST;

fn read<T: DeserializeOwned>(value: &Value) -> Option<T> {
    serde_json::from_value(value.clone()).ok()
}

fn account(kind: &str, login: &str, id: u64) -> Value {
    json!({ "__typename": kind, "login": login, "databaseId": id })
}

fn commit() -> Value {
    let dave = json!({ "user": account("User", "dave", 4) });
    json!({
        "oid": "a1", "committedViaWeb": false, "author": dave, "committer": dave,
        "authors": { "totalCount": 1, "nodes": [dave] },
        "signature": { "isValid": true },
        "parents": { "totalCount": 1, "nodes": [{ "oid": "a0" }] },
    })
}

fn review() -> Value {
    json!({
        "fullDatabaseId": "9001", "author": account("User", "pia", 1), "state": "APPROVED", "body": "fine\n/approve staging",
        "submittedAt": "2026-11-18T09:00:00Z", "lastEditedAt": null, "commit": { "oid": "a1" },
    })
}

/// The value with a part changed.
fn with(mut value: Value, part: &str, changed: Value) -> Value {
    *value.pointer_mut(part).unwrap_or_else(|| panic!("{part}")) = changed;
    value
}

/// Every value that lacks one part of this one, with the part's place.
fn lacking_one(value: &Value, at: &str) -> Vec<(String, Value)> {
    let mut lacking = Vec::new();
    match value {
        Value::Object(fields) => {
            for (name, part) in fields {
                let at = format!("{at}/{name}");
                let mut fewer = fields.clone();
                fewer.remove(name);
                lacking.push((at.clone(), Value::Object(fewer)));
                for (at, part) in lacking_one(part, &at) {
                    let mut fields = fields.clone();
                    fields.insert(name.clone(), part);
                    lacking.push((at, Value::Object(fields)));
                }
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                for (at, item) in lacking_one(item, &format!("{at}/{number}")) {
                    let mut items = items.clone();
                    items[number] = item;
                    lacking.push((at, Value::Array(items)));
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    lacking
}

fn fact(commit: &Value) -> facts::Commit {
    read::<Commit>(commit).expect("a commit").fact().expect("it is whole")
}

#[test]
fn no_part_of_a_commit_or_a_review_may_be_missing() {
    for (at, commit) in lacking_one(&commit(), "") {
        // An account without a number is no account.
        assert!(at.ends_with("/databaseId") || read::<Commit>(&commit).is_none(), "{at}");
    }
    for (at, review) in lacking_one(&review(), "") {
        let read = read::<Review>(&review).map(Review::fact);
        assert!(matches!(read, None | Some(Err(_))), "{at}");
    }
}

#[test]
fn a_bot_has_its_suffix_once_and_other_accounts_are_no_people() {
    for (kind, login, is) in [
        ("User", "pia", ("pia", AccountKind::User)),
        ("Bot", "renovate", ("renovate[bot]", AccountKind::Bot)),
        ("Bot", "renovate[bot]", ("renovate[bot]", AccountKind::Bot)),
        ("User", "renovate[bot]", ("renovate[bot]", AccountKind::Bot)),
        ("Mannequin", "old", ("old", AccountKind::Other)),
        ("Organization", "acme", ("acme", AccountKind::Other)),
        ("Robot", "new", ("new", AccountKind::Other)),
    ] {
        let person = read::<Account>(&account(kind, login, 7)).unwrap().person().unwrap();
        assert_eq!((person.login.as_str(), person.kind), is);
    }
}

#[test]
fn the_account_of_deleted_accounts_is_nobody() {
    assert_eq!(read::<Account>(&account("User", "ghost", GHOST.0)).unwrap().person(), None);
    assert!(read::<Account>(&account("User", "somebody", GHOST.0)).unwrap().person().is_some());
}

#[test]
fn an_actor_without_a_number_is_an_error_and_no_actor_is_nobody() {
    let unnumbered = read(&json!({ "__typename": "EnterpriseUserAccount", "login": "pia" }));
    assert_eq!(actor(unnumbered), Err("the account `pia` has no number".to_owned()));
    assert_eq!(actor(None), Ok(None));
}

#[test]
fn a_review_is_edited_if_its_text_was_and_its_number_may_be_a_text() {
    let fact = |value: &Value| read::<Review>(value).unwrap().fact().unwrap().unwrap();
    let one = fact(&review());
    assert_eq!((one.id, one.edited, one.body.as_str()), (ReviewId(9001), false, "/approve staging"));
    assert!(fact(&with(review(), "/lastEditedAt", json!("2026-11-18T09:30:00Z"))).edited);
    assert_eq!(fact(&with(review(), "/fullDatabaseId", json!(9001))).id, ReviewId(9001));
    assert_eq!(fact(&with(review(), "/author", Value::Null)).user, None);
    assert_eq!(fact(&with(review(), "/commit", Value::Null)).revision, None);
    for odd in [json!("9001x"), json!(-1), json!(1.5), Value::Null, json!("")] {
        assert!(read::<Review>(&with(review(), "/fullDatabaseId", odd)).is_none());
    }
}

#[test]
fn a_pending_review_is_left_out_and_an_unknown_state_is_an_error() {
    let fact = |state: &str| read::<Review>(&with(review(), "/state", json!(state))).unwrap().fact();
    assert_eq!(fact("PENDING"), Ok(None));
    for unknown in ["OBJECTED", "approved", ""] {
        assert_eq!(fact(unknown), Err("review 9001 has an unknown state".to_owned()));
    }
}

#[test]
fn a_commit_has_its_author_its_co_authors_and_its_parents() {
    let (dave, eve, bot) = (account("User", "dave", 4), account("User", "eve", 5), account("Bot", "renovate", 9));
    let authors = json!([{ "user": dave }, { "user": eve }, { "user": bot }, { "user": eve }]);
    let commit = with(commit(), "/authors", json!({ "totalCount": 4, "nodes": authors }));
    let fact = fact(&commit);
    let logins: Vec<&str> = fact.co_authors.iter().map(|person| person.login.as_str()).collect();
    assert_eq!((logins, fact.verified), (vec!["eve", "renovate[bot]"], true));
    assert_eq!(fact.parents, [Revision::new("a0").unwrap()]);
}

#[test]
fn a_commit_is_verified_only_if_its_signature_is_valid_and_every_co_author_has_an_account() {
    assert!(fact(&commit()).verified);
    for unsigned in [Value::Null, json!({ "isValid": false })] {
        assert!(!fact(&with(commit(), "/signature", unsigned)).verified);
    }
    let dave = account("User", "dave", 4);
    let nameless = json!({ "totalCount": 2, "nodes": [{ "user": dave }, { "user": null }] });
    assert!(!fact(&with(commit(), "/authors", nameless)).verified);
    // The one without an account is the author.
    let nobody = with(commit(), "/author", json!({ "user": null }));
    let of_nobody = fact(&with(nobody, "/authors", json!({ "totalCount": 1, "nodes": [{ "user": null }] })));
    assert_eq!((of_nobody.author, of_nobody.verified), (None, true));
}

#[test]
fn githubs_own_account_is_the_committer_of_a_signed_commit_from_its_pages() {
    let from_a_page = with(with(commit(), "/committedViaWeb", json!(true)), "/committer", json!({ "user": null }));
    let committer = fact(&from_a_page).committer.expect("web-flow");
    assert_eq!((committer.id, committer.login.as_str()), (UserId::WEB_FLOW, "web-flow"));
    assert_eq!(fact(&with(from_a_page.clone(), "/signature", Value::Null)).committer, None);
    assert_eq!(fact(&with(from_a_page, "/committedViaWeb", json!(false))).committer, None);
}

#[test]
fn a_commit_with_more_authors_or_parents_than_were_read_is_not_known() {
    for list in ["/authors/totalCount", "/parents/totalCount"] {
        assert_eq!(read::<Commit>(&with(commit(), list, json!(101))).unwrap().fact(), None, "{list}");
    }
}

#[test]
fn a_file_may_be_moved_unless_github_says_that_it_is_not() {
    for (kind, moved) in [
        ("ADDED", false),
        ("CHANGED", false),
        ("DELETED", false),
        ("MODIFIED", false),
        ("RENAMED", true),
        ("COPIED", true),
    ] {
        let file: File = read(&json!({ "path": "a", "changeType": kind })).unwrap();
        assert_eq!(file.may_be_moved(), moved, "{kind}");
    }
    assert!(read::<File>(&json!({ "path": "a", "changeType": "SOMETHING_NEW" })).unwrap().may_be_moved());
}

#[test]
fn a_dismissal_says_by_whom_and_what_the_review_said_before() {
    let dismissal = |was: &str| {
        let event = json!({
            "__typename": "ReviewDismissedEvent", "previousReviewState": was, "actor": account("User", "dave", 4),
            "review": { "fullDatabaseId": "9001" },
        });
        let mut reviews =
            [read::<Review>(&with(review(), "/state", json!("DISMISSED"))).unwrap().fact().unwrap().unwrap()];
        add_dismissals(&mut reviews, vec![read(&event).expect("an event")]).unwrap();
        let [review] = reviews;
        (review.was, review.dismissed_by.map(|by| by.id))
    };
    assert_eq!(dismissal("APPROVED"), (Some(DismissedFrom::Approved), Some(UserId(4))));
    assert_eq!(dismissal("CHANGES_REQUESTED"), (Some(DismissedFrom::ChangesRequested), Some(UserId(4))));
    assert_eq!(dismissal("SOMETHING_NEW"), (None, Some(UserId(4))), "it counts as requested changes");
}

#[test]
fn the_base_changed_with_the_last_event_by_people_or_by_github() {
    let event = |kind: &str, at: &str| read(&json!({ "__typename": kind, "createdAt": at })).expect("an event");
    let (first, last) = ("2026-11-18T09:00:00Z", "2026-11-18T10:00:00Z");
    let events = [event("AutomaticBaseChangeSucceededEvent", last), event("BaseRefChangedEvent", first)];
    assert_eq!(base_changed_at(&events), Some(last.parse().unwrap()));
    assert_eq!(base_changed_at(&[]), None);
    assert!(read::<Event>(&json!({ "__typename": "SomethingNew", "createdAt": first })).is_none());
}
