//! The contract of every store. `store_contract!` makes its tests for one store.
//!
//! Each case gets a new store. Reopening a store and interrupted writes are tested with the store itself.

mod bounds;
mod observation;

use std::sync::Arc;

use countersign::approval::decide_under;
use countersign::approval::decision::{Event, Mode, Verdict};
use countersign::approval::facts::{BoundBy, Facts, Review, ReviewState, Veto};
use countersign::ident::{DeliveryId, ReviewId};
use countersign::policy::{Field, Rule};
use countersign::ports::{ClaimError, DeliveryState, RequestStore, SettleClaim, Which, Write, WriteError};
use countersign::request::observation::{Observation, Observed};
use countersign::request::published::{DeploymentState, Placed, Published, PublishedRequest};
use countersign::request::record::{Record, RecordKind};
use countersign::request::{ApprovalRequest, CallbackOutcome, ExecutionEnd, REREAD_SECONDS, Subject};

use crate::specimen::*;

pub(crate) use self::bounds::*;
pub(crate) use self::observation::*;

pub(crate) type Store = Arc<dyn RequestStore>;

/// Makes a test of every case, each with a new store from `$fresh`, an async function that returns a [`Store`] and whatever must
/// live as long. Every test gets the attribute in brackets.
macro_rules! store_contract {
    ($fresh:path) => {
        $crate::store_contract::store_contract!([cfg(test)] $fresh);
    };
    ($attribute:tt $fresh:path) => {
        $crate::store_contract::store_contract!($attribute $fresh:
            a_written_request_is_read_back_unchanged,
            a_pinned_rule_with_every_field_is_read_back_unchanged_and_decides_the_same,
            of_concurrent_writes_the_first_wins_and_the_others_get_the_stored_request,
            of_concurrent_claims_one_may_resume,
            a_write_that_does_not_follow_what_is_stored_changes_nothing,
            a_token_stays_until_a_write_replaces_it,
            a_claim_holds_the_token_that_was_stored_when_it_was_taken,
            the_trail_is_one_chain_from_the_first_record,
            a_record_that_does_not_continue_the_trail_is_refused_with_the_whole_write,
            requests_are_due_in_the_order_of_time_and_only_while_something_is_due,
            open_requests_of_a_pull_request_are_found_in_any_case,
            the_runs_of_an_execution_are_found_and_no_other_ones,
            all_requests_are_listed_by_age_or_only_the_open_ones,
            a_delivery_is_processed_until_it_is_done_and_then_never_again,
            observations_are_merged_and_none_is_lost,
            a_veto_stands_once_for_a_person_and_pull_request_with_its_latest_time,
            a_publication_is_saved_only_if_its_last_version_is_known,
            publications_are_due_in_the_order_of_time_and_only_while_they_have_a_due_time,
            the_pull_requests_with_checks_on_a_commit_are_found_once_and_no_other_ones,
            a_request_with_thousands_of_the_longest_reviews_settles_and_expires,
            a_write_that_is_too_long_is_refused_with_its_size_and_changes_nothing,
            nothing_that_is_printed_contains_the_token,
        );
    };
    ($attribute:tt $fresh:path: $($case:ident),* $(,)?) => {$(
        #$attribute
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            let (store, _keep) = $fresh().await;
            $crate::store_contract::$case(store).await;
        }
    )*};
}
pub(crate) use store_contract;

async fn stored(store: &Store, request: &ApprovalRequest) -> ApprovalRequest {
    store.request(&request.id).await.expect("an answer").expect("a request")
}

async fn open(store: &Store, request: ApprovalRequest, secret: &str) -> ApprovalRequest {
    let write = opening(request, secret);
    let written = write.request.clone();
    store.write(write).await.expect("the first write");
    written
}

/// Writes the next state with a record of that kind, and gives what was written.
async fn next(store: &Store, next: ApprovalRequest, kind: RecordKind) -> ApprovalRequest {
    let write = Write::new(next, entry(kind, 1));
    let written = write.request.clone();
    store.write(write).await.expect("a write that follows");
    written
}

/// Ends an open request, without notifying.
async fn end(store: &Store, request: &ApprovalRequest) -> ApprovalRequest {
    let closed = request.execution_ended(ExecutionEnd::Stopped, None, at(50)).expect("an open request");
    next(store, closed, RecordKind::ExecutionEnded).await
}

fn ids(requests: &[ApprovalRequest]) -> Vec<&str> {
    requests.iter().map(|request| request.id.as_str()).collect()
}

pub(crate) async fn a_written_request_is_read_back_unchanged(store: Store) {
    let request = open(&store, pending("one", 0), "secret-1").await;
    assert_eq!(stored(&store, &request).await, request);
    let claimed = request.claim(&decision(Verdict::Approved), at(3)).expect("a claim");
    let claimed = next(&store, claimed, RecordKind::Claimed).await;
    assert_eq!(stored(&store, &request).await, claimed);
    let closed = claimed.close(CallbackOutcome::Taken, at(4)).expect("closed").notified(Event::Approved, &[], at(5));
    let closed = ApprovalRequest { version: claimed.version + 1, ..closed };
    let closed = next(&store, closed, RecordKind::Closed).await;
    assert_eq!(stored(&store, &request).await, closed);
    let other = pending("two", 0);
    assert_eq!(store.request(&other.id).await, Ok(None));
    assert_eq!(store.token(&other.id).await, Ok(None));
    assert_eq!(store.trail(&other.id).await, Ok(Vec::new()));
}

/// A rule that sets every field, and a policy that has all that it can name.
const WHOLE: &str = r#"
version: 1
groups:
  payments: { teams: [acme/payments], users: ["pia#7"] }
  sre: { users: [ana, "deploy[bot]"] }
channels: { desk: { email: [desk@acme.example] }, oncall: {} }
calendars:
  weekend: { timezone: Europe/Berlin, weekly: [{ from: "fri 16:00", to: "mon 08:00" }] }
  hours: { timezone: UTC, weekly: [{ days: [mon, tue], from: "09:00", to: "17:00" }] }
  year-end: { timezone: UTC, dates: [{ from: "2026-12-20 00:00", to: "2027-01-03 00:00" }] }
services:
  "check*":
    repository: ["acme/checkout", "acme/checkout-*"]
    branches: [main, "/release-[0-9]+/"]
    notify: [desk]
    description: pays for things
    environments:
      "prod*":
        require:
          in_order:
            - { count: 2, of: [payments, "@dana"], name: leads, when: { only_paths: ["src/**"], not: { lines: ">500" } } }
            - any_of:
                - all of sre
                - { count: 1, of: ["@acme/security"], when: { any: [{ labels: [hotfix] }, { authors: ["@acme/sre"] }, { within: [hours] }] } }
            - { count: 1, of: [sre], when: { input: { "/deploy/region": ["eu-*", "/us-[0-9]/"] }, version: "v2.*", requester: "dave", branch: main } }
        timeout: 4h
        explicit: true
        remind: [1h, 90m]
        escalate: [{ after: 2h, notify: [oncall], stand_in: { payments: [sre, "@acme/leads"] } }]
        exclude: [author, pushers, requester]
        distinct: false
        on_changes_requested: block
        veto: ["@acme/legal"]
        max_age: 5d
        freeze: [weekend, { calendar: year-end, effect: wait, except: { only_authors: ["@ana"] } }]
        window: [hours]
        wait: 30m
        override: { by: 1 of sre, for: 2h, notify: [oncall] }
        notify: { requested: [desk], escalated: [oncall] }
        mode: audit
"#;

pub(crate) async fn a_pinned_rule_with_every_field_is_read_back_unchanged_and_decides_the_same(store: Store) {
    let policy = crate::local_gate::policy(WHOLE);
    let request = pending("one", 0);
    let rule = policy.rule(&request.subject.target).map(|rule| rule.pin()).expect("a rule");
    assert!(Field::ALL.iter().all(|field| rule.rule().set_at(*field).is_some()), "a field is left out");
    let subject = Subject {
        version: Some("v2.3.1".to_owned()),
        input: serde_json::from_str(r#"{"deploy":{"stages":[null,{"region":"eu-1"}]}}"#).expect("an input"),
        ..request.subject.clone()
    };
    let request = ApprovalRequest { rule, subject, policy_digest: policy.digest().clone(), ..request };
    let written = open(&store, request, "secret").await;
    let read = stored(&store, &written).await;
    assert_eq!(read, written);
    assert_eq!(read.policy_digest, *policy.digest());
    assert_eq!((read.due_at(), read.overdue(at(8_000))), (written.due_at(), written.overdue(at(8_000))));
    let facts: Facts = serde_json::from_value(serde_json::json!({
        "schema": 1, "now": at(9_000), "requested_at": at(0), "target": target(), "revision": "a1", "requester": "dave",
        "version": "v2.3.1", "input": read.subject.input,
        "pull_request": {
            "repository": "acme/checkout", "default_branch": "main", "number": 1, "state": "open", "head": "a1", "base": "main",
            "author": { "id": 3, "login": "dave" }, "files": [{ "path": "src/a.rs" }], "files_complete": true
        },
        "teams": { "acme/payments": [{ "id": 1, "login": "pat" }], "acme/leads": [{ "id": 2, "login": "lea" }] }
    }))
    .expect("facts");
    let under = |rule: &Rule<'_>| decide_under(rule, policy.digest(), &facts);
    let by_policy = under(&policy.rule(&target()).expect("a rule"));
    assert_eq!(under(&read.rule.rule()), by_policy);
    assert!(by_policy.requirement.is_some() && by_policy.mode == Mode::Audit);
}

pub(crate) async fn of_concurrent_writes_the_first_wins_and_the_others_get_the_stored_request(store: Store) {
    for round in 0..15 {
        let request = open(&store, pending(&format!("race-{round}"), 0), "secret").await;
        let racers = (0..24).map(|racer| {
            let (store, read) = (Arc::clone(&store), request.read(at(racer)));
            tokio::spawn(async move {
                let write = Write::new(read, entry(RecordKind::Read, racer));
                let written = write.request.clone();
                (written, store.write(write).await)
            })
        });
        let mut won = Vec::new();
        let mut lost = Vec::new();
        for racer in racers.collect::<Vec<_>>() {
            let (written, outcome) = racer.await.expect("a racer");
            match outcome {
                Ok(()) => won.push(written),
                Err(WriteError::Conflict { stored: Some(stored) }) => lost.push(*stored),
                Err(error) => panic!("{error:?}"),
            }
        }
        assert_eq!((won.len(), lost.len()), (1, 23), "round {round}");
        assert!(lost.iter().all(|seen| Some(seen) == won.first()), "round {round}: a loser saw something else");
        assert_eq!(Some(&stored(&store, &request).await), won.first());
        assert_eq!(store.trail(&request.id).await.expect("a trail").len(), 2);
    }
}

pub(crate) async fn of_concurrent_claims_one_may_resume(store: Store) {
    for round in 0..15 {
        let request = open(&store, pending(&format!("claims-{round}"), 0), "secret").await;
        let racers = (0..24).map(|racer| {
            let (store, request) = (Arc::clone(&store), request.clone());
            let verdict = if racer % 2 == 0 { Verdict::Approved } else { Verdict::Rejected };
            tokio::spawn(async move {
                let mut entry = entry(RecordKind::Claimed, racer);
                entry.decision = Some(decision(verdict));
                SettleClaim::take(store.as_ref(), &request, entry).await
            })
        });
        let mut claims = Vec::new();
        for racer in racers.collect::<Vec<_>>() {
            match racer.await.expect("a racer") {
                Ok(claim) => claims.push(claim),
                Err(ClaimError::Write(WriteError::Conflict { stored: Some(_) })) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        assert_eq!(claims.len(), 1, "round {round}");
        assert_eq!(claims.first().map(|claim| claim.request().clone()), Some(stored(&store, &request).await));
    }
}

pub(crate) async fn a_write_that_does_not_follow_what_is_stored_changes_nothing(store: Store) {
    let request = pending("one", 0);
    let early = Write::new(request.noted(), entry(RecordKind::Read, 0)).with_token(token("early"));
    let refused = store.write(early).await;
    assert!(matches!(refused, Err(WriteError::Conflict { stored: None })), "{refused:?}");
    assert_eq!(store.token(&request.id).await, Ok(None));

    let first = open(&store, request.clone(), "secret-1").await;
    let second = next(&store, first.noted(), RecordKind::Read).await;
    for late in [opening(request, "late"), Write::new(first.noted(), entry(RecordKind::Read, 2)).with_token(token("l"))]
    {
        match store.write(late).await {
            Err(WriteError::Conflict { stored: Some(stored) }) => assert_eq!(*stored, second),
            outcome => panic!("{outcome:?}"),
        }
    }
    let ahead = ApprovalRequest { version: second.version + 2, ..second.clone() };
    let refused = store.write(Write::new(ahead, entry(RecordKind::Read, 2))).await;
    assert!(matches!(refused, Err(WriteError::Conflict { stored: Some(_) })), "{refused:?}");
    assert_eq!(stored(&store, &second).await, second);
    assert_eq!(store.token(&second.id).await, Ok(Some(token("secret-1"))));
    assert_eq!(store.trail(&second.id).await.expect("a trail").len(), 2);
}

pub(crate) async fn a_token_stays_until_a_write_replaces_it(store: Store) {
    let request = open(&store, pending("one", 0), "secret-1").await;
    let request = next(&store, request.read(at(1)), RecordKind::Read).await;
    assert_eq!(store.token(&request.id).await, Ok(Some(token("secret-1"))));
    let write = Write::new(request.retoken(1).expect("open"), entry(RecordKind::Retoken, 2));
    let retried = write.request.clone();
    // As long as one may be, with what a token may hold.
    let longest = "+/=".repeat(682);
    store.write(write.with_token(token(&longest))).await.expect("a retry");
    assert_eq!(store.token(&request.id).await, Ok(Some(token(&longest))));
    next(&store, retried.read(at(3)), RecordKind::Read).await;
    assert_eq!(store.token(&request.id).await, Ok(Some(token(&longest))));
}

pub(crate) async fn a_claim_holds_the_token_that_was_stored_when_it_was_taken(store: Store) {
    let request = open(&store, pending("one", 0), "secret-1").await;
    let mut entry_of = entry(RecordKind::Claimed, 1);
    entry_of.decision = Some(decision(Verdict::Approved));
    let claim = SettleClaim::take(store.as_ref(), &request, entry_of.clone()).await.expect("a claim");
    assert_eq!(claim.token(), &token("secret-1"));
    let retried = claim.request().retoken(1).expect("open");
    let write = Write::new(retried, entry(RecordKind::Retoken, 2)).with_token(token("secret-2"));
    store.write(write).await.expect("a retry");
    assert_eq!(claim.token(), &token("secret-1"));
    let retried = stored(&store, &request).await;
    let again = SettleClaim::take_over(store.as_ref(), &retried, at(61)).await.expect("a claim that has lapsed");
    assert_eq!(again.token(), &token("secret-2"));
    let refused = SettleClaim::take(store.as_ref(), &request, entry_of).await;
    assert!(matches!(refused, Err(ClaimError::Write(WriteError::Conflict { .. }))), "{refused:?}");
}

pub(crate) async fn the_trail_is_one_chain_from_the_first_record(store: Store) {
    let mut request = open(&store, pending("one", 0), "secret").await;
    for seconds in 1..=12 {
        request = next(&store, request.read(at(seconds)), RecordKind::Read).await;
    }
    let trail = store.trail(&request.id).await.expect("a trail");
    assert_eq!(trail.iter().map(|record| record.sequence).collect::<Vec<_>>(), (1..=13).collect::<Vec<_>>());
    assert_chain(&request, &trail);
}

/// The trail is whole, unchanged, and the request's.
pub(crate) fn assert_chain(request: &ApprovalRequest, trail: &[Record]) {
    let mut previous = String::new();
    for (index, record) in trail.iter().enumerate() {
        assert_eq!(record.request_id, request.id);
        assert_eq!(record.sequence, index as u64 + 1, "the trail has a gap");
        assert!(record.follows(&previous), "record {} was changed", record.sequence);
        previous.clone_from(&record.hash);
    }
    assert_eq!((request.trail.length, &request.trail.hash), (trail.len() as u64, &previous));
}

pub(crate) async fn a_record_that_does_not_continue_the_trail_is_refused_with_the_whole_write(store: Store) {
    let first = open(&store, pending("one", 0), "secret").await;
    let good = Write::new(first.read(at(1)), entry(RecordKind::Read, 1));
    let foreign = Write::new(pending("two", 0).noted(), entry(RecordKind::Read, 1)).record;
    let again = Write::new(good.request.clone(), entry(RecordKind::Read, 2)).record;
    let broken = [
        Record { kind: RecordKind::Released, ..good.record.clone() },
        Record { previous: "0".repeat(64), ..good.record.clone() },
        Record { sequence: 1, ..good.record.clone() },
        foreign,
        again,
    ];
    for record in broken {
        let write = Write { record, token: Some(token("other")), ..good.clone() };
        let refused = store.write(write).await;
        assert!(matches!(refused, Err(WriteError::Unavailable(_))), "{refused:?}");
        assert_eq!(stored(&store, &first).await, first);
        assert_eq!(store.token(&first.id).await, Ok(Some(token("secret"))));
        assert_eq!(store.trail(&first.id).await.expect("a trail").len(), 1);
    }
    // A request that forgets where its trail stands.
    let mut forgetful = good.clone();
    forgetful.request.trail = first.trail.clone();
    assert!(store.write(forgetful).await.is_err());
    store.write(good).await.expect("the record that does follow");
}

pub(crate) async fn requests_are_due_in_the_order_of_time_and_only_while_something_is_due(store: Store) {
    let mut open_at = Vec::new();
    for (name, opened) in [("c", 30), ("a", 10), ("b", 20)] {
        open_at.push(open(&store, pending(name, opened), "secret").await);
    }
    let [c, a, b] = &open_at[..] else { panic!("three requests") };
    assert_eq!(store.due(at(REREAD_SECONDS + 9)).await, Ok(Vec::new()));
    assert_eq!(ids(&store.due(at(REREAD_SECONDS + 10)).await.expect("due")), [a.id.as_str()]);
    let all = store.due(at(REREAD_SECONDS + 30)).await.expect("due");
    assert_eq!(ids(&all), [a.id.as_str(), b.id.as_str(), c.id.as_str()]);

    // Read again: due later. Claimed: due when the claim lapses. Closed: due until its end was notified.
    next(&store, a.read(at(500)), RecordKind::Read).await;
    let claimed = b.claim(&decision(Verdict::Approved), at(40)).expect("a claim");
    let claimed = next(&store, claimed, RecordKind::Claimed).await;
    let closed = end(&store, c).await;
    let later = at(REREAD_SECONDS + 400);
    let due = store.due(later).await.expect("due");
    assert_eq!(ids(&due), [claimed.id.as_str(), closed.id.as_str()]);
    assert_eq!(due, [claimed.clone(), closed.clone()]);
    let channels = closed.unnotified(Event::Canceled);
    next(&store, closed.notified(Event::Canceled, &channels, at(60)), RecordKind::Notified).await;
    assert_eq!(store.due(later).await, Ok(vec![claimed]));
}

pub(crate) async fn open_requests_of_a_pull_request_are_found_in_any_case(store: Store) {
    let older = open(&store, pending("older", 0), "secret").await;
    let younger = open(&store, pending("younger", 10), "secret").await;
    let mut elsewhere = pending("elsewhere", 0);
    elsewhere.subject.pull_request = Some(pull_request("acme/checkout#12"));
    let elsewhere = open(&store, elsewhere, "secret").await;
    let mut shouted = pending("shouted", 20);
    shouted.subject.pull_request = Some(pull_request("ACME/Checkout#1"));
    let shouted = open(&store, shouted, "secret").await;

    for name in ["acme/checkout#1", "Acme/CHECKOUT#1"] {
        let found = store.open_for(&pull_request(name)).await.expect("open");
        assert_eq!(found, [older.clone(), younger.clone(), shouted.clone()]);
    }
    assert_eq!(store.open_for(&pull_request("acme/checkout#12")).await, Ok(vec![elsewhere]));
    assert_eq!(store.open_for(&pull_request("acme/checkout#2")).await, Ok(Vec::new()));

    let claimed = younger.claim(&decision(Verdict::Approved), at(11)).expect("a claim");
    let claimed = next(&store, claimed, RecordKind::Claimed).await;
    end(&store, &older).await;
    end(&store, &shouted).await;
    assert_eq!(store.open_for(&pull_request("acme/checkout#1")).await, Ok(vec![claimed]));
}

pub(crate) async fn the_runs_of_an_execution_are_found_and_no_other_ones(store: Store) {
    let first = open(&store, run_of("one", 0, 0), "secret").await;
    let third = open(&store, run_of("one", 2, 20), "secret").await;
    let second = open(&store, run_of("one", 1, 10), "secret").await;
    open(&store, run_of("one-and-more", 0, 0), "secret").await;
    let first = end(&store, &first).await;
    assert_eq!(store.of_execution(&execution("one"), at(0)).await, Ok(vec![first, second, third]));
    assert_eq!(store.of_execution(&execution("none"), at(0)).await, Ok(Vec::new()));
    // A later execution with the same name.
    assert_eq!(store.of_execution(&execution("one"), at(90 * 86_400)).await, Ok(Vec::new()));
}

pub(crate) async fn all_requests_are_listed_by_age_or_only_the_open_ones(store: Store) {
    assert_eq!(store.requests(Which::All).await, Ok(Vec::new()));
    let young = open(&store, pending("young", 30), "secret").await;
    let old = open(&store, pending("old", 10), "secret").await;
    let middle = open(&store, pending("middle", 20), "secret").await;
    let middle = end(&store, &middle).await;
    assert_eq!(store.requests(Which::All).await, Ok(vec![old.clone(), middle, young.clone()]));
    assert_eq!(store.requests(Which::Open).await, Ok(vec![old, young]));
}

pub(crate) async fn nothing_that_is_printed_contains_the_token(store: Store) {
    const SECRET: &str = "AAAAKgAAAAIAAAAAtopsecret";
    let write = opening(pending("one", 0), SECRET);
    let mut prints = vec![format!("{write:?}"), format!("{write:#?}")];
    let request = write.request.clone();
    store.write(write).await.expect("written");
    let mut entry_of = entry(RecordKind::Claimed, 1);
    entry_of.decision = Some(decision(Verdict::Approved));
    let claim = SettleClaim::take(store.as_ref(), &request, entry_of).await.expect("a claim");
    let held = stored(&store, &request).await;
    prints.push(format!("{claim:?}{claim:#?}{held:?}{:?}", store.token(&request.id).await));
    prints.push(serde_json::to_string(&held).expect("JSON"));
    prints.push(serde_json::to_string(&store.trail(&request.id).await.expect("a trail")).expect("JSON"));
    prints.push(format!("{:?}", store.write(opening(request, SECRET)).await));
    assert_eq!(claim.token().expose(), SECRET);
    assert!(prints.iter().all(|print| !print.contains(SECRET) && !print.contains("topsecret")));
}
