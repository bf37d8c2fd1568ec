//! Every delivery that differs in one field from a whole one, as GitHub's schema permits, is handled and means the same,
//! or errs on the side that holds a deployment back.

use std::collections::BTreeMap;

use countersign::approval::facts::{AccountKind, Person, ReviewState};
use countersign::approval::observation::Observation;

use crate::webhook_door::{Sent, Told, handled, now, told};
use crate::webhook_schema::{Schemas, Variant, Without};

/// What a delivery that tells `whole` tells without one field: the same, but for the fields that are kept of it.
fn without(whole: &Told, variant: &Variant) -> Told {
    let mut told = whole.clone();
    for observation in &mut told.observations {
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
            Observation::ReviewDismissed { .. } | Observation::HeadSeen { .. } | Observation::ReviewUnasked { .. } => {}
            Observation::BaseChanged { .. } if variant.pointer == "/changes/base" => {
                told.observations.clear();
                break;
            }
            Observation::BaseChanged { .. } => {}
        }
    }
    told
}

#[test]
fn every_variant_that_githubs_schema_permits_is_handled_and_keeps_its_meaning() {
    let schemas = Schemas::github();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for whole in handled() {
        let expected = told(&whole);
        for variant in schemas.variants(&whole.name(), &whole.payload) {
            let sent = Sent { payload: variant.payload.clone(), ..whole.clone() };
            assert_eq!(told(&sent), without(&expected, &variant), "{} without {variant}", whole.name());
            *counts.entry(whole.name()).or_default() += 1;
        }
    }
    for (name, least) in FEWEST_VARIANTS {
        assert!(counts.get(name).is_some_and(|count| *count >= least), "{name}: fewer than {least} in {counts:?}");
    }
    assert_eq!(counts.len(), FEWEST_VARIANTS.len(), "{counts:?}");
}

/// What the schema of today permits, over all payloads of an event and action. Fewer, and the walk has lost its way.
const FEWEST_VARIANTS: [(&str, usize); 9] = [
    ("pull_request.closed", 49),
    ("pull_request.edited", 88),
    ("pull_request.labeled", 198),
    ("pull_request.reopened", 42),
    ("pull_request.synchronize", 148),
    ("pull_request.unlabeled", 147),
    ("pull_request_review.dismissed", 159),
    ("pull_request_review.edited", 160),
    ("pull_request_review.submitted", 485),
];

#[test]
fn the_variants_reach_every_field_that_the_door_reads_and_the_schema_lets_go() {
    let schemas = Schemas::github();
    let mut met: Vec<String> = Vec::new();
    for sent in handled() {
        let variants = schemas.variants(&sent.name(), &sent.payload);
        met.extend(variants.iter().map(|variant| format!("{} {variant}", sent.name())));
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
    ] {
        assert!(met.iter().any(|met| met == expected), "{expected} is no variant");
    }
}
