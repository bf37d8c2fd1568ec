//! Deliveries that lack one field, as GitHub's schema permits, keep their meaning or hold a deployment back.

use std::collections::BTreeMap;

use countersign::adapters::github::delivery::{DeliveryKind, Fault, Refused};
use countersign::approval::facts::{AccountKind, Person, ReviewState};
use countersign::request::observation::Observation;

use crate::webhook_door::{
    OnPullRequest, RECORDED, Sent, handled, now, on_checks_and_deployments, on_pull_request, on_pull_requests,
};
use crate::webhook_schema::{Schemas, Variant, Without};

/// The expected result of a delivery with one field less than `whole`.
fn without(whole: &OnPullRequest, variant: &Variant) -> OnPullRequest {
    let mut less = whole.clone();
    for observation in &mut less.observations {
        match observation {
            Observation::ReviewGiven { review } => {
                let against = review.state == ReviewState::ChangesRequested;
                match (variant.pointer.as_str(), variant.without) {
                    ("/review/user", Without::Null) => review.user = None,
                    ("/review/user/type", Without::Absent) => {
                        let kind = if against { AccountKind::User } else { AccountKind::Other };
                        review.user = review.user.take().map(|user| Person { kind, ..user });
                    }
                    ("/review/body", Without::Null) => review.body.clear(),
                    ("/review/submitted_at", Without::Null) => review.submitted_at = against.then(now),
                    _ => {}
                }
            }
            Observation::ReviewRequestRemoved { .. } if variant.pointer == "/requested_reviewer" => {
                less.observations.clear();
                break;
            }
            Observation::ReviewDismissed { .. }
            | Observation::Opened { .. }
            | Observation::HeadSeen { .. }
            | Observation::ReviewRequestRemoved { .. } => {}
            Observation::BaseChanged { .. } if variant.pointer == "/changes/base" => {
                less.observations.clear();
                break;
            }
            Observation::BaseChanged { .. } => {}
        }
    }
    less
}

#[test]
fn every_variant_that_githubs_schema_permits_is_handled_and_keeps_its_meaning() {
    let schemas = Schemas::github();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for whole in on_pull_requests() {
        let expected = on_pull_request(&whole);
        for variant in schemas.variants(&whole.name(), &whole.payload) {
            let sent = Sent { payload: variant.payload.clone(), ..whole.clone() };
            assert_eq!(on_pull_request(&sent), without(&expected, &variant), "{} without {variant}", whole.name());
            *counts.entry(whole.name()).or_default() += 1;
        }
    }
    are_enough(&counts, &FEWEST_VARIANTS);
}

fn are_enough(counts: &BTreeMap<String, usize>, fewest: &[(&str, usize)]) {
    for (name, least) in fewest {
        assert!(counts.get(*name).is_some_and(|count| count >= least), "{name}: fewer than {least} in {counts:?}");
    }
    assert_eq!(counts.len(), fewest.len(), "{counts:?}");
}

/// The expected result of a delivery of a check or a deployment with one field less than `whole`. It never releases anything.
fn left_of(whole: &DeliveryKind, event: &str, variant: &Variant) -> Result<DeliveryKind, Refused> {
    let ignored = |action: Option<&str>| {
        Ok(DeliveryKind::Ignored { event: event.to_owned(), action: action.map(ToOwned::to_owned) })
    };
    let missing = |name: &str| Err(Refused::Field { name: name.to_owned(), fault: Fault::Missing });
    match (whole, variant.pointer.as_str()) {
        (_, "/action") => ignored(None),
        // The button is unknown.
        (DeliveryKind::Check { .. }, "/requested_action" | "/requested_action/identifier") => {
            ignored(Some("requested_action"))
        }
        // The schema allows everything to be absent. Without these there is nothing to answer.
        (DeliveryKind::Protection(_), "/repository") => missing("repository.full_name"),
        (DeliveryKind::Protection(_), "/deployment") => missing("deployment.sha"),
        (DeliveryKind::Protection(_), "/environment") => missing("environment"),
        (DeliveryKind::Protection(_), "/deployment_callback_url") => missing("deployment_callback_url"),
        (DeliveryKind::Protection(asked), "/event") => {
            let mut asked = asked.clone();
            asked.event = None;
            Ok(DeliveryKind::Protection(asked))
        }
        // Then the sender is the requester.
        (DeliveryKind::Protection(asked), "/deployment/creator") => {
            let mut asked = asked.clone();
            asked.requester = Some("octocat".parse().expect("a login"));
            Ok(DeliveryKind::Protection(asked))
        }
        _ => Ok(whole.clone()),
    }
}

/// No payload of `deployment_protection_rule` is published. This one is made of parts of published payloads.
#[test]
fn every_variant_of_a_check_and_of_a_deployment_keeps_its_meaning_or_releases_nothing() {
    let schemas = Schemas::github();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for whole in on_checks_and_deployments() {
        let expected = whole.deliver().expect("a delivery").kind;
        for variant in schemas.variants(&whole.name(), &whole.payload) {
            let sent = Sent { payload: variant.payload.clone(), ..whole.clone() };
            let kind = sent.deliver().map(|delivery| delivery.kind);
            assert_eq!(kind, left_of(&expected, &whole.event, &variant), "{} without {variant}", whole.name());
            *counts.entry(whole.name()).or_default() += 1;
        }
    }
    let fewest = [
        ("check_run.rerequested", 39),
        ("check_run.requested_action", 51),
        ("deployment_protection_rule.requested", 55),
    ];
    are_enough(&counts, &fewest);
}

#[test]
fn every_variant_of_a_published_check_is_accepted_and_ignored() {
    let schemas = Schemas::github();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let (_, checks) = RECORDED.into_iter().find(|(event, _)| *event == "check_run").expect("checks");
    for payload in serde_json::from_str::<Vec<serde_json::Value>>(checks).expect("a list of payloads") {
        let whole = Sent { event: "check_run".to_owned(), payload };
        for variant in schemas.variants(&whole.name(), &whole.payload) {
            let sent = Sent { payload: variant.payload.clone(), ..whole.clone() };
            let kind = sent.deliver().unwrap_or_else(|refused| panic!("{} {variant}: {refused}", whole.name())).kind;
            assert!(matches!(kind, DeliveryKind::Ignored { .. }), "{} without {variant}: {kind:?}", whole.name());
            *counts.entry(whole.name()).or_default() += 1;
        }
    }
    let fewest = [
        ("check_run.completed", 144),
        ("check_run.created", 131),
        ("check_run.requested_action", 51),
        ("check_run.rerequested", 78),
    ];
    are_enough(&counts, &fewest);
}

/// The number of variants that the schema permits for each event and action. Fewer would mean that the walk misses some.
const FEWEST_VARIANTS: [(&str, usize); 11] = [
    ("pull_request.closed", 49),
    ("pull_request.edited", 88),
    ("pull_request.labeled", 198),
    ("pull_request.opened", 42),
    ("pull_request.reopened", 42),
    ("pull_request.review_request_removed", 317),
    ("pull_request.synchronize", 148),
    ("pull_request.unlabeled", 147),
    ("pull_request_review.dismissed", 159),
    ("pull_request_review.edited", 160),
    ("pull_request_review.submitted", 485),
];

#[test]
fn the_variants_reach_every_optional_field_that_is_read() {
    let schemas = Schemas::github();
    let mut seen: Vec<String> = Vec::new();
    for sent in handled() {
        let variants = schemas.variants(&sent.name(), &sent.payload);
        seen.extend(variants.iter().map(|variant| format!("{} {variant}", sent.name())));
    }
    for expected in [
        "pull_request_review.submitted /review/user Null",
        "pull_request_review.submitted /review/user/type Absent",
        "pull_request_review.submitted /review/body Null",
        "pull_request_review.submitted /review/submitted_at Null",
        "pull_request.edited /sender Absent",
        "pull_request.edited /changes/base Absent",
        "pull_request.synchronize /pull_request/user Null",
        "pull_request.labeled /pull_request/head/repo Null",
        "pull_request.review_request_removed /requested_reviewer Null",
        "check_run.rerequested /action Absent",
        "check_run.requested_action /requested_action Absent",
        "check_run.requested_action /requested_action/identifier Absent",
        "deployment_protection_rule.requested /deployment Null",
        "deployment_protection_rule.requested /deployment/creator Null",
        "deployment_protection_rule.requested /deployment_callback_url Absent",
        "deployment_protection_rule.requested /sender Absent",
    ] {
        assert!(seen.iter().any(|seen| seen == expected), "{expected} is no variant");
    }
}
