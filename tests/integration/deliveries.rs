//! How recorded and made-up deliveries are received.

use std::collections::BTreeMap;

use countersign::adapters::github::delivery::{DeliveryKind, PullRequestEvent, Refused};
use countersign::approval::facts::{AccountKind, BoundBy, Person, Review, ReviewState};
use countersign::ident::{Login, PullRequestRef, RepositoryName, ReviewId, Revision, UserId};
use countersign::ports::{ProtectedRun, ProtectionRequest};
use countersign::request::observation::Observation;
use serde_json::{Value, json};

use crate::webhook_door::{
    OnPullRequest, RECORDED, Sent, deliver, handled_with, now, on_checks_and_deployments, on_pull_request,
    on_pull_requests, sent,
};
use crate::webhook_schema::remove;

fn the_pull_request() -> PullRequestRef {
    PullRequestRef::new("Codertocat/Hello-World#2").expect("a pull request")
}

fn person(login: &str, id: u64) -> Person {
    Person { id: UserId(id), login: Login::new(login).expect("a login"), kind: AccountKind::User }
}

fn head() -> Revision {
    Revision::new("ec26c3e57ca3a959ca5aad62de7213c562f8c821").expect("a commit")
}

/// The head before the recorded push.
fn before() -> Revision {
    Revision::new("f95f852bd8fca8fcc58a9a2d6c842781e32a215e").expect("a commit")
}

fn opened_at() -> jiff::Timestamp {
    "2019-05-15T15:20:33Z".parse().expect("an instant")
}

fn review_in(state: ReviewState, body: &str) -> Review {
    Review {
        id: ReviewId(237_895_671),
        user: Some(person("octocat", 583_231)),
        state,
        was: None,
        dismissed_by: None,
        revision: Some(head()),
        bound_by: BoundBy::Delivery,
        submitted_at: Some("2019-05-15T15:20:38Z".parse().expect("an instant")),
        edited: false,
        body: body.to_owned(),
    }
}

fn submitted(state: &str) -> Sent {
    handled_with("pull_request_review.submitted", "/review/state", state)
}

/// The one review that `sent` gives.
fn given(sent: &Sent) -> Review {
    match on_pull_request(sent).observations.as_slice() {
        [Observation::ReviewGiven { review }] => review.clone(),
        other => panic!("not one review: {other:?}"),
    }
}

#[test]
fn every_recorded_payload_is_accepted_as_what_it_is() {
    let mut counts = BTreeMap::new();
    for (event, text) in RECORDED {
        for payload in serde_json::from_str::<Vec<Value>>(text).expect("a list of payloads") {
            let sent = Sent { event: event.to_owned(), payload };
            let delivery = sent.deliver().unwrap_or_else(|refused| panic!("{}: {refused}", sent.name()));
            let kind = match delivery.kind {
                DeliveryKind::Ping => "ping",
                DeliveryKind::Ignored { event: named, action } => {
                    assert_eq!(format!("{named}.{}", action.expect("an action")), sent.name());
                    "ignored"
                }
                DeliveryKind::Check { .. } => panic!("none of these checks is ours"),
                DeliveryKind::Protection(_) => panic!("none of these is a deployment"),
                DeliveryKind::PullRequest { reference, .. } => {
                    assert_eq!(reference.number, sent.payload["pull_request"]["number"]);
                    assert_eq!(reference.repository.as_str(), sent.payload["repository"]["full_name"]);
                    "handled"
                }
            };
            *counts.entry((event, kind)).or_insert(0) += 1;
        }
    }
    // Opened is there four times, closed, labeled, reopened and unlabeled twice, synchronize once.
    let expected = [
        (("check_run", "ignored"), 9),
        (("ping", "ping"), 4),
        (("pull_request", "handled"), 14),
        (("pull_request", "ignored"), 15),
        (("pull_request_review", "handled"), 4),
    ];
    assert_eq!(counts, BTreeMap::from(expected));
}

#[test]
fn a_handled_delivery_gives_its_event_and_observations() {
    let author = person("Codertocat", 21_031_067);
    let review = |state, body| vec![Observation::ReviewGiven { review: review_in(state, body) }];
    let removed = |who: &str| vec![Observation::ReviewRequestRemoved { reviewer: who.parse().expect("a reviewer") }];
    let expected = [
        (PullRequestEvent::ReviewSubmitted, review(ReviewState::Approved, "/approve checkout:production")),
        (PullRequestEvent::ReviewSubmitted, review(ReviewState::ChangesRequested, "not yet")),
        (PullRequestEvent::Commented, vec![]),
        (PullRequestEvent::ReviewEdited, vec![]),
        (
            PullRequestEvent::ReviewDismissed,
            vec![Observation::ReviewDismissed { review: ReviewId(237_895_671), by: author.clone() }],
        ),
        (
            PullRequestEvent::Opened,
            vec![Observation::Opened { head: head(), by: Some(author.clone()), from_fork: false, at: opened_at() }],
        ),
        (
            PullRequestEvent::Synchronized,
            vec![Observation::HeadSeen { head: head(), before: Some(before()), pusher: Some(author), at: now() }],
        ),
        (PullRequestEvent::Closed, vec![]),
        (PullRequestEvent::Reopened, vec![]),
        (PullRequestEvent::Labeled, vec![]),
        (PullRequestEvent::Unlabeled, vec![]),
        (PullRequestEvent::Edited, vec![]),
        (PullRequestEvent::Edited, vec![Observation::BaseChanged { at: now() }]),
        (PullRequestEvent::ReviewRequestRemoved, removed("octocat")),
        (PullRequestEvent::ReviewRequestRemoved, removed("Codertocat/github")),
    ];
    let expected =
        expected.map(|(what, observations)| OnPullRequest { reference: the_pull_request(), what, observations });
    let all: Vec<_> = on_pull_requests().iter().map(on_pull_request).collect();
    assert_eq!(all, expected);
}

#[test]
fn an_edited_comment_is_a_comment_and_an_edited_approval_is_not() {
    for (state, what) in [("commented", PullRequestEvent::Commented), ("approved", PullRequestEvent::ReviewEdited)] {
        let mut sent = handled_with("pull_request_review.submitted", "/review/state", state);
        sent.payload["action"] = "edited".into();
        assert_eq!((on_pull_request(&sent).what, on_pull_request(&sent).observations), (what, vec![]));
    }
}

/// No payload of a waiting deployment is published. This one is made of parts of published payloads.
#[test]
fn a_requested_check_and_a_waiting_deployment_are_read() {
    let repository = |name: &str| RepositoryName::new(name).expect("a repository");
    let check = |name: &str| DeliveryKind::Check {
        repository: repository(name),
        name: "countersign / hello / production".to_owned(),
        request: format!("req-{:032x}", 7).parse().expect("a request"),
    };
    let asked = ProtectionRequest {
        run: ProtectedRun {
            repository: repository("Codertocat/Hello-World"),
            run_id: 289_782_451,
            environment: "production".to_owned(),
        },
        repository_id: 186_853_002,
        deployment_id: 145_988_746,
        revision: Revision::new("f95f852bd8fca8fcc58a9a2d6c842781e32a215e").expect("a commit"),
        requester: Login::new("Codertocat").ok(),
        event: Some("push".to_owned()),
    };
    let expected = [check("github/hello-world"), check("electron/electron"), DeliveryKind::Protection(Box::new(asked))];
    let all: Vec<_> = on_checks_and_deployments().iter().map(|sent| sent.deliver().expect("let in").kind).collect();
    assert_eq!(all, expected);
}

#[test]
fn a_requested_check_or_a_waiting_deployment_is_nothing_under_another_event() {
    for whole in on_checks_and_deployments() {
        let names = ["pull_request", "pull_request_review", "check_run", "deployment_protection_rule", "check_suite"];
        for event in names.into_iter().filter(|event| *event != whole.event) {
            let sent = Sent { event: event.to_owned(), ..whole.clone() };
            let came = sent.deliver().map(|delivery| delivery.kind);
            let refused = came == Err(Refused::OtherEvent);
            let named = whole.payload["action"].as_str().map(ToOwned::to_owned);
            let ignored = Ok(DeliveryKind::Ignored { event: event.to_owned(), action: named });
            assert!(refused || came == ignored, "{} as {event}: {came:?}", whole.name());
        }
    }
}

#[test]
fn a_review_of_a_deleted_account_has_no_user() {
    let mut sent = submitted("approved");
    sent.payload["review"]["user"] = Value::Null;
    assert_eq!(given(&sent).user, None);
}

#[test]
fn an_account_of_an_unknown_type_is_no_person() {
    for state in ["approved", "changes_requested"] {
        let mut sent = submitted(state);
        sent.payload["review"]["user"]["type"] = json!("Mannequin");
        assert_eq!(given(&sent).user.map(|user| user.kind), Some(AccountKind::Other), "{state}");
    }
}

#[test]
fn a_review_without_a_commit_is_bound_to_none() {
    let mut sent = submitted("approved");
    sent.payload["review"]["commit_id"] = Value::Null;
    assert_eq!(given(&sent).revision, None);
    remove(&mut sent.payload, "/review/commit_id");
    assert_eq!(given(&sent).revision, None);
}

#[test]
fn a_review_in_an_unknown_state_gives_no_observation() {
    for state in ["APPROVED", "Approved", "approve", "approved ", "dismissed", "pending", "endorsed", ""] {
        let mut sent = submitted("approved");
        sent.payload["review"]["state"] = json!(state);
        let expected = OnPullRequest {
            reference: the_pull_request(),
            what: PullRequestEvent::ReviewSubmitted,
            observations: Vec::new(),
        };
        assert_eq!(on_pull_request(&sent), expected, "{state}");
    }
}

#[test]
fn an_edit_never_gives_a_review() {
    let mut sent = sent("pull_request_review.edited");
    sent.payload["review"]["body"] = json!("/approve everything");
    sent.payload["review"]["commit_id"] = json!("f".repeat(40));
    assert_eq!(on_pull_request(&sent).observations, []);
}

#[test]
fn a_dismissal_without_a_sender_gives_no_observation() {
    let mut sent = sent("pull_request_review.dismissed");
    sent.payload["sender"] = Value::Null;
    assert_eq!(
        (on_pull_request(&sent).what, on_pull_request(&sent).observations),
        (PullRequestEvent::ReviewDismissed, vec![])
    );
    remove(&mut sent.payload, "/sender");
    assert_eq!(on_pull_request(&sent).observations, []);
}

#[test]
fn a_push_names_its_new_commit_or_otherwise_the_head() {
    let mut sent = sent("pull_request.synchronize");
    remove(&mut sent.payload, "/sender");
    sent.payload["pull_request"]["head"]["sha"] = json!("b".repeat(40));
    let seen = |head, before| [Observation::HeadSeen { head, before, pusher: None, at: now() }];
    assert_eq!(on_pull_request(&sent).observations, seen(head(), Some(before())));
    remove(&mut sent.payload, "/after");
    remove(&mut sent.payload, "/before");
    assert_eq!(on_pull_request(&sent).observations, seen(Revision::new(&"b".repeat(40)).expect("a commit"), None));
}

#[test]
fn a_pull_request_is_from_a_fork_only_if_both_repositories_are_known() {
    let opened = sent("pull_request.opened");
    for (pointer, value, expected) in [
        ("/pull_request/head/repo/id", json!(7), true),
        ("/pull_request/base/repo/id", json!(7), true),
        ("/pull_request/head/repo", Value::Null, false),
        ("/pull_request/base/repo/id", Value::Null, false),
    ] {
        let mut sent = opened.clone();
        *sent.payload.pointer_mut(pointer).expect("a field") = value;
        let by = Some(person("Codertocat", 21_031_067));
        let seen = Observation::Opened { head: head(), by, from_fork: expected, at: opened_at() };
        assert_eq!(on_pull_request(&sent).observations, [seen], "{pointer}");
    }
}

#[test]
fn an_opening_without_a_time_or_a_sender_is_of_now_and_of_nobody() {
    let mut sent = sent("pull_request.opened");
    remove(&mut sent.payload, "/pull_request/created_at");
    remove(&mut sent.payload, "/sender");
    let seen = Observation::Opened { head: head(), by: None, from_fork: false, at: now() };
    assert_eq!(on_pull_request(&sent).observations, [seen]);
}

#[test]
fn an_edit_without_its_changes_may_have_changed_the_base() {
    let mut sent = sent("pull_request.edited");
    for changes in [Value::Null, json!("base"), json!({"base": null})] {
        sent.payload["changes"] = changes;
        assert_eq!(
            on_pull_request(&sent).observations,
            [Observation::BaseChanged { at: now() }],
            "{}",
            sent.payload["changes"]
        );
    }
}

#[test]
fn a_request_on_a_check_of_ours_is_accepted_and_on_no_other() {
    let id = format!("req-{}", "0".repeat(32));
    let body = |pointer: &str, value: Value| {
        let mut body = json!({
            "action": "requested_action", "requested_action": { "identifier": "re-evaluate" },
            "check_run": { "name": "countersign / a / b", "external_id": id, "pull_requests": [] },
            "repository": { "full_name": "acme/checkout" },
        });
        *body.pointer_mut(pointer).expect("a field") = value;
        body
    };
    let check = |body: &Value| match deliver("check_run", body.to_string().as_bytes()).expect("let in").kind {
        DeliveryKind::Check { repository, name, request } => Some(format!("{repository} {name} {request}")),
        DeliveryKind::Ignored { .. } => None,
        kind @ (DeliveryKind::Ping | DeliveryKind::Protection(_) | DeliveryKind::PullRequest { .. }) => {
            panic!("{kind:?}")
        }
    };
    let expected = Some(format!("acme/checkout countersign / a / b {id}"));
    assert_eq!(check(&body("/action", json!("requested_action"))), expected);
    assert_eq!(check(&body("/action", json!("rerequested"))), expected);
    for (pointer, value) in [
        ("/action", json!("completed")),
        ("/requested_action/identifier", json!("fix")),
        ("/requested_action", Value::Null),
        ("/check_run/name", json!("Octocoders-linter")),
        ("/check_run/external_id", json!("")),
        ("/check_run/external_id", json!("42")),
        ("/check_run", Value::Null),
        ("/repository/full_name", json!("acme")),
    ] {
        assert_eq!(check(&body(pointer, value.clone())), None, "{pointer} {value}");
    }
}

#[test]
fn a_removed_review_request_is_observed() {
    let removed = |who: Value| {
        let mut body = json!({
            "action": "review_request_removed", "number": 7, "pull_request": { "number": 7 },
            "repository": { "full_name": "Acme/checkout" }, "sender": { "id": 1, "login": "dave", "type": "User" },
        });
        body.as_object_mut().expect("an object").extend(who.as_object().expect("an object").clone());
        match deliver("pull_request", body.to_string().as_bytes()).expect("let in").kind {
            DeliveryKind::PullRequest { what: PullRequestEvent::ReviewRequestRemoved, observations, .. } => {
                observations
            }
            kind @ (DeliveryKind::Ping
            | DeliveryKind::Ignored { .. }
            | DeliveryKind::Check { .. }
            | DeliveryKind::Protection(_)
            | DeliveryKind::PullRequest { .. }) => panic!("{kind:?}"),
        }
    };
    let kept =
        |reviewer: &str| vec![Observation::ReviewRequestRemoved { reviewer: reviewer.parse().expect("a reviewer") }];
    assert_eq!(removed(json!({ "requested_reviewer": { "id": 2, "login": "pia" } })), kept("pia"));
    assert_eq!(removed(json!({ "requested_team": { "id": 3, "slug": "sre", "name": "SRE" } })), kept("acme/sre"));
    assert_eq!(removed(json!({ "requested_team": { "id": 3, "name": "gone", "deleted": true } })), []);
}
