//! Deliveries that are refused or ignored: fields that are missing or wrong, other events, and any bytes.

use countersign::adapters::github::delivery::{DeliveryKind, Fault, Refused};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::webhook_door::{Sent, deliver, handled, on_pull_requests, sent};
use crate::webhook_schema::remove;

#[test]
fn a_missing_required_field_is_named() {
    let cases = [
        ("pull_request_review.submitted", "/pull_request/number"),
        ("pull_request_review.submitted", "/pull_request"),
        ("pull_request_review.submitted", "/repository/full_name"),
        ("pull_request_review.submitted", "/repository"),
        ("pull_request_review.submitted", "/review/id"),
        ("pull_request_review.submitted", "/review/state"),
        ("pull_request_review.submitted", "/review/user/id"),
        ("pull_request_review.submitted", "/review/user/login"),
        ("pull_request_review.dismissed", "/review/id"),
        ("pull_request_review.dismissed", "/sender/id"),
        ("pull_request.synchronize", "/sender/login"),
        ("pull_request.labeled", "/pull_request/number"),
        ("pull_request.labeled", "/repository/full_name"),
    ];
    for (name, pointer) in cases {
        let field = |inner: &str| Refused::Field { name: inner.to_owned(), fault: Fault::Missing };
        let dotted = pointer.trim_start_matches('/').replace('/', ".");
        let dotted = match pointer {
            "/pull_request" => "pull_request.number",
            "/repository" => "repository.full_name",
            _ => &dotted,
        };
        let mut sent = sent(name);
        remove(&mut sent.payload, pointer);
        let refused = sent.deliver().expect_err(pointer);
        assert_eq!((&refused, refused.status()), (&field(dotted), 422), "{name}");
        assert_eq!(refused.to_string(), format!("`{dotted}` is missing"));
    }
}

#[test]
fn a_field_of_the_wrong_type_is_named_but_not_quoted() {
    let odd = ["ghp_secret", "-1", "acme", "a b/c"].map(Value::from).into_iter();
    for value in odd.chain([json!(-1), json!(1.5), json!(0), json!([]), json!({"ghp_secret": 1})]) {
        for pointer in ["/pull_request/number", "/repository/full_name"] {
            let mut sent = sent("pull_request.labeled");
            *sent.payload.pointer_mut(pointer).expect("a field") = value.clone();
            let refused = sent.deliver().expect_err(pointer);
            let name = pointer.trim_start_matches('/').replace('/', ".");
            assert_eq!(refused.to_string(), format!("`{name}` cannot be read"), "{value}");
            assert_eq!(refused.status(), 422);
        }
    }
}

#[test]
fn a_header_that_names_another_event_than_the_body_is_refused() {
    let events = ["ping", "pull_request", "pull_request_review", "pull_request_review_comment", "check_run"];
    for whole in on_pull_requests() {
        for event in events.into_iter().filter(|event| *event != whole.event) {
            let sent = Sent { event: event.to_owned(), ..whole.clone() };
            let refused = sent.deliver().expect_err(event);
            assert_eq!((&refused, refused.status()), (&Refused::OtherEvent, 400), "{} as {event}", whole.name());
        }
    }
}

#[test]
fn a_body_that_only_resembles_a_pull_request_event_is_refused() {
    for other in ["comment", "thread", "review"] {
        let mut sent = sent("pull_request.labeled");
        sent.payload[other] = json!({"id": 1});
        assert_eq!(sent.deliver(), Err(Refused::OtherEvent), "{other}");
    }
    assert_eq!(deliver("pull_request", b"{}"), Err(Refused::OtherEvent));
    assert_eq!(deliver("pull_request_review", b"{}"), Err(Refused::OtherEvent));
}

#[test]
fn an_unknown_event_or_action_is_ignored() {
    let ignored = |event: &str, body: &Value| match deliver(event, body.to_string().as_bytes()).expect("let in").kind {
        DeliveryKind::Ignored { event, action } => (event, action),
        kind @ (DeliveryKind::Ping
        | DeliveryKind::Check { .. }
        | DeliveryKind::Protection(_)
        | DeliveryKind::PullRequest { .. }) => {
            panic!("{kind:?}")
        }
    };
    let named = |event: &str, action: &str| (event.to_owned(), Some(action.to_owned()));
    assert_eq!(ignored("check_run", &json!({"action": "completed"})), named("check_run", "completed"));
    assert_eq!(ignored("push", &json!({"ref": "refs/heads/main"})), ("push".to_owned(), None));
    let mut sent = sent("pull_request_review.submitted");
    sent.payload["action"] = json!("endorsed");
    assert_eq!(ignored(&sent.event, &sent.payload), named("pull_request_review", "endorsed"));
    for action in [Value::Null, json!(1), json!("Submitted"), json!("a\nb"), json!("a".repeat(65))] {
        sent.payload["action"] = action;
        assert_eq!(ignored(&sent.event, &sent.payload), ("pull_request_review".to_owned(), None));
    }
}

/// Any JSON, with a text that no refusal may quote.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(|text| Value::from(format!("tell-tale{text}"))),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,8}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

/// The fields that are read, and their parents.
const READ: [&str; 44] = [
    "/action",
    "/after",
    "/before",
    "/changes",
    "/changes/base",
    "/check_run",
    "/check_run/external_id",
    "/check_run/name",
    "/deployment",
    "/deployment/creator",
    "/deployment/id",
    "/deployment/sha",
    "/deployment_callback_url",
    "/environment",
    "/event",
    "/number",
    "/pull_request",
    "/pull_request/base",
    "/pull_request/base/repo",
    "/pull_request/base/repo/id",
    "/pull_request/created_at",
    "/pull_request/head",
    "/pull_request/head/repo",
    "/pull_request/head/repo/id",
    "/pull_request/head/sha",
    "/pull_request/number",
    "/repository",
    "/repository/full_name",
    "/repository/id",
    "/requested_action",
    "/requested_action/identifier",
    "/requested_reviewer",
    "/requested_team/slug",
    "/review",
    "/review/body",
    "/review/commit_id",
    "/review/id",
    "/review/state",
    "/review/submitted_at",
    "/review/user",
    "/review/user/id",
    "/review/user/login",
    "/review/user/type",
    "/sender",
];

proptest! {
    #[test]
    fn no_bytes_cause_a_panic(event in "[a-z_]{0,20}", body in prop::collection::vec(any::<u8>(), 0..512)) {
        let _ = deliver(&event, &body);
        let _ = deliver("pull_request_review", &body);
    }

    #[test]
    fn no_value_in_any_field_causes_a_panic_or_is_quoted(
        at in any::<prop::sample::Index>(),
        fields in prop::collection::vec((prop::sample::select(&READ[..]), any_json()), 1..3),
    ) {
        let mut sent = at.get(&handled()).clone();
        for (pointer, value) in fields {
            if let Some(field) = sent.payload.pointer_mut(pointer) {
                *field = value;
            }
        }
        if let Err(refused) = sent.deliver() {
            prop_assert!(!refused.to_string().contains("tell-tale"));
            prop_assert!((400..500).contains(&refused.status()));
        }
    }
}
