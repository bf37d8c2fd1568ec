//! Every transition from every state, and what each state keeps for the next.

use super::*;
use crate::approval::decide;
use crate::approval::decision::{Event, Verdict};
use crate::approval::facts::Facts;
use crate::finding::{Source, SourceContent};
use crate::policy::load;

const POLICY: &str = r#"
version: 1
groups: { payments: { users: [pia] } }
channels: { desk: { email: [desk@acme.example] }, oncall: {}, boss: {} }
services:
  checkout:
    repository: acme/checkout
    environments:
      production: { require: "@pia", timeout: 4h, notify: [desk] }
      staging: { require: none, notify: [desk] }
      vault:
        require: 1 of payments
        timeout: 4h
        remind: [1h, 2h]
        escalate: [{ after: 2h, notify: [oncall, boss] }, { after: 3h, notify: [oncall] }]
        override: { by: "@pia", notify: [boss] }
        notify: [desk]
      cellar: { require: 1 of payments, timeout: 4h, remind: 1h, escalate: { after: 2h, stand_in: { payments: ["@pat"] } } }
      garden: { require: 1 of payments, timeout: 4h, mode: audit, notify: { requested: [desk], canceled: [boss] } }
"#;

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

pub(crate) fn channel(name: &str) -> ChannelName {
    ChannelName::new(name).unwrap()
}

pub(crate) fn asked_in(environment: &str) -> (ApprovalRequest, Decision) {
    let source = Source { name: "policy.yaml".into(), content: SourceContent::Bytes(POLICY.into()) };
    let loaded = load(vec![source]);
    let policy = loaded.policy.unwrap_or_else(|| panic!("{:?}", loaded.findings));
    let facts: Facts = serde_json::from_value(serde_json::json!({
        "schema": 1, "now": at(0), "target": { "service": "checkout", "environment": environment }
    }))
    .unwrap();
    let arn = ExecutionArn::new("arn:aws:states:eu-west-1:1:execution:gate:one").unwrap();
    let execution = ExecutionRef { arn, started_at: at(0), redrive: 0 };
    let subject = Subject {
        target: facts.target.clone(),
        pull_request: Some(PullRequestRef::new("acme/checkout#1").unwrap()),
        revision: None,
        version: None,
        requester: None,
        input: Map::new(),
    };
    let rule = policy.rule(&facts.target).unwrap().pin();
    let request = ApprovalRequest {
        requested_at: Some(at(0)),
        deadline: Some(at(4 * 3600)),
        ..ApprovalRequest::new(&execution, subject, policy.digest().clone(), rule, at(0))
    };
    (request, decide(&policy, &facts))
}

pub(crate) fn pending() -> ApprovalRequest {
    asked_in("production").0
}

pub(crate) fn decided(verdict: Verdict) -> Decision {
    Decision { verdict, ..asked_in("production").1 }
}

fn settling(verdict: Verdict) -> ApprovalRequest {
    pending().claim(&decided(verdict), at(10)).unwrap()
}

fn claim_of(request: &ApprovalRequest) -> &Settling {
    match &request.state {
        State::Settling(settling) => settling,
        State::Pending | State::Closed(_) => panic!("not settling: {request:?}"),
    }
}

fn end_of(request: &ApprovalRequest) -> (End, Callback) {
    let closed = request.closed().unwrap();
    (closed.end, closed.callback)
}

#[test]
fn a_claim_holds_what_was_decided_and_when() {
    let request = settling(Verdict::Approved);
    let claim = claim_of(&request);
    assert_eq!((claim.end, claim.attempts), (End::Approved, 1));
    assert_eq!((claim.claimed_at, claim.lapses_at()), (at(10), at(70)));
    assert_eq!((request.version, request.read_at, request.approved_at), (2, at(10), Some(at(10))));
    assert_eq!(settling(Verdict::Rejected).approved_at, None);
}

#[test]
fn each_verdict_that_ends_a_request_ends_it_as_that_and_waiting_for_release_is_approved() {
    for (verdict, end) in [
        (Verdict::Approved, End::Approved),
        (Verdict::Wait, End::Approved),
        (Verdict::Rejected, End::Rejected),
        (Verdict::Expired, End::Expired),
        (Verdict::Superseded, End::Superseded),
        (Verdict::Denied, End::Denied),
    ] {
        assert_eq!(claim_of(&settling(verdict)).end, end);
    }
}

#[test]
fn a_decision_to_go_on_waiting_claims_nothing() {
    for verdict in [Verdict::Pending, Verdict::Blocked] {
        assert_eq!(pending().claim(&decided(verdict), at(10)), Err(Refused::NothingToSettle));
    }
}

#[test]
fn only_a_pending_request_can_be_claimed() {
    let claimed = settling(Verdict::Rejected);
    assert_eq!(claimed.claim(&decided(Verdict::Approved), at(1_000)), Err(Refused::Settling));
    let closed = claimed.close(CallbackOutcome::Taken, at(11)).unwrap();
    assert_eq!(closed.claim(&decided(Verdict::Approved), at(1_000)), Err(Refused::Closed));
}

#[test]
fn a_claim_is_taken_over_only_once_it_has_lapsed_and_keeps_its_decision() {
    let claimed = settling(Verdict::Rejected);
    assert_eq!(claimed.take_over(at(69)), Err(Refused::Settling));
    let taken = claimed.take_over(at(70)).unwrap();
    let claim = claim_of(&taken);
    assert_eq!((claim.end, claim.attempts, claim.claimed_at), (End::Rejected, 2, at(70)));
    assert_eq!(taken.take_over(at(189)), Err(Refused::Settling));
    assert!(taken.take_over(at(190)).is_ok());
    assert_eq!(pending().take_over(at(1_000)), Err(Refused::NotSettling));
    let closed = claimed.close(CallbackOutcome::Taken, at(11)).unwrap();
    assert_eq!(closed.take_over(at(1_000)), Err(Refused::Closed));
}

#[test]
fn attempts_grow_rarer_up_to_a_bound() {
    let mut request = settling(Verdict::Approved);
    let mut held = Vec::new();
    for _ in 0..12 {
        let claim = claim_of(&request);
        held.push(claim.lapses_at().duration_since(claim.claimed_at).as_secs());
        request = request.take_over(claim.lapses_at()).unwrap();
    }
    assert_eq!(held.get(..6), Some(&[60, 120, 240, 480, 900, 900][..]));
    assert!(held.iter().all(|seconds| *seconds <= LONGEST_CLAIM_SECONDS));
}

#[test]
fn an_answer_that_was_taken_closes_the_request_as_decided() {
    let closed = settling(Verdict::Approved).close(CallbackOutcome::Taken, at(11)).unwrap();
    assert_eq!(end_of(&closed), (End::Approved, Callback::Sent));
    assert_eq!(closed.approved_at, Some(at(10)));
    let closed = settling(Verdict::Rejected).close(CallbackOutcome::Taken, at(11)).unwrap();
    assert_eq!(end_of(&closed), (End::Rejected, Callback::Sent));
}

#[test]
fn a_token_that_is_over_at_the_first_attempt_shows_that_the_answer_came_too_late() {
    let early = settling(Verdict::Approved).close(CallbackOutcome::TokenOver, at(11)).unwrap();
    assert_eq!(end_of(&early), (End::Canceled, Callback::TokenOver));
    assert_eq!(early.approved_at, None);
    let late = settling(Verdict::Approved).close(CallbackOutcome::TokenOver, at(4 * 3600)).unwrap();
    assert_eq!(end_of(&late), (End::Expired, Callback::TokenOver));
}

#[test]
fn if_the_token_is_over_at_a_later_attempt_an_earlier_answer_is_presumed_accepted() {
    let again = settling(Verdict::Approved).take_over(at(70)).unwrap();
    let closed = again.close(CallbackOutcome::TokenOver, at(71)).unwrap();
    assert_eq!(end_of(&closed), (End::Approved, Callback::PresumedSent));
    assert_eq!(closed.approved_at, Some(at(10)));
}

#[test]
fn a_claim_whose_answer_was_not_accepted_is_given_back_and_a_new_decision_can_be_made() {
    let back = settling(Verdict::Approved).held(at(10)).give_back().unwrap();
    assert_eq!(back, ApprovalRequest { version: 4, read_at: at(10), ..pending() });
    assert_eq!(claim_of(&back.claim(&decided(Verdict::Rejected), at(20)).unwrap()).attempts, 1);
}

#[test]
fn a_claim_whose_answer_may_have_been_accepted_is_not_given_back() {
    let again = settling(Verdict::Approved).take_over(at(70)).unwrap();
    assert_eq!(again.give_back(), Err(Refused::PerhapsSent));
    assert_eq!(pending().give_back(), Err(Refused::NotSettling));
    let closed = settling(Verdict::Approved).close(CallbackOutcome::Taken, at(11)).unwrap();
    assert_eq!(closed.give_back(), Err(Refused::Closed));
}

#[test]
fn another_token_leaves_a_claim_with_its_attempts_since_an_earlier_run_may_write_late() {
    let retried = settling(Verdict::Approved).retoken(1).unwrap();
    assert_eq!(retried.state, settling(Verdict::Approved).state);
    let closed = retried.take_over(at(70)).unwrap().close(CallbackOutcome::TokenOver, at(71)).unwrap();
    assert_eq!(end_of(&closed), (End::Approved, Callback::PresumedSent));
}

#[test]
fn another_token_leaves_a_pending_request_pending_and_is_refused_by_a_closed_one() {
    let retried = pending().retoken(1).unwrap();
    assert_eq!(retried, ApprovalRequest { version: 2, retry: 1, ..pending() });
    assert_eq!(retried.retoken(0), Err(Refused::EarlierTry));
    let closed = settling(Verdict::Approved).close(CallbackOutcome::Taken, at(11)).unwrap();
    assert_eq!(closed.retoken(1), Err(Refused::Closed));
}

#[test]
fn a_request_closes_only_with_a_claim_and_only_once() {
    assert_eq!(pending().close(CallbackOutcome::Taken, at(11)), Err(Refused::NotSettling));
    let closed = settling(Verdict::Approved).close(CallbackOutcome::Taken, at(11)).unwrap();
    assert_eq!(closed.close(CallbackOutcome::TokenOver, at(12)), Err(Refused::Closed));
    assert_eq!(closed.execution_ended(ExecutionEnd::TimedOut, None, at(12)), Err(Refused::Closed));
    assert_eq!(closed.execution_ended(ExecutionEnd::Stopped, None, at(12)), Err(Refused::Closed));
}

#[test]
fn a_pending_request_ends_with_its_execution() {
    let expired = pending().execution_ended(ExecutionEnd::TimedOut, Some(decided(Verdict::Expired)), at(20)).unwrap();
    assert_eq!(end_of(&expired), (End::Expired, Callback::NotNeeded));
    assert!(expired.closed().is_some_and(|closed| closed.decision.is_some()));
    let stopped = pending().execution_ended(ExecutionEnd::Stopped, None, at(20)).unwrap();
    assert_eq!(end_of(&stopped), (End::Canceled, Callback::NotNeeded));
}

#[test]
fn a_wait_that_timed_out_ends_a_claim_and_an_execution_that_is_over_does_not() {
    let claimed = settling(Verdict::Approved);
    let expired = claimed.execution_ended(ExecutionEnd::TimedOut, None, at(20)).unwrap();
    assert_eq!(end_of(&expired), (End::Expired, Callback::TokenOver));
    assert_eq!(expired.approved_at, None);
    assert_eq!(claimed.execution_ended(ExecutionEnd::Stopped, None, at(20)), Err(Refused::Settling));
}

#[test]
fn reading_recording_and_notifying_do_not_change_the_state() {
    for request in [pending(), settling(Verdict::Approved)] {
        assert_eq!(request.noted(), ApprovalRequest { version: request.version + 1, ..request.clone() });
        assert_eq!(request.read(at(99)), ApprovalRequest { read_at: at(99), ..request.noted() });
        let oncall = [channel("oncall")];
        let notified = request.notified(Event::Requested, &oncall, at(9)).notified(Event::Requested, &oncall, at(9));
        assert_eq!((notified.notified.len(), &notified.state), (1, &request.state));
    }
}

#[test]
fn a_pending_request_is_due_to_be_read_again_or_at_its_deadline_whichever_comes_first() {
    assert_eq!(pending().due_at(), Some(at(REREAD_SECONDS)));
    assert_eq!(pending().read(at(4 * 3600 - 60)).due_at(), Some(at(4 * 3600)));
    assert_eq!(ApprovalRequest { deadline: None, ..pending() }.read(at(7)).due_at(), Some(at(7 + REREAD_SECONDS)));
}

#[test]
fn a_claimed_request_is_due_when_its_claim_lapses_and_a_closed_one_until_every_channel_is_notified() {
    assert_eq!(settling(Verdict::Approved).due_at(), Some(at(70)));
    let closed = settling(Verdict::Approved).close(CallbackOutcome::Taken, at(11)).unwrap();
    assert_eq!(closed.due_at(), Some(at(11 + RENOTIFY_SECONDS)));
    let tried = closed.notified(Event::Approved, &[], at(700));
    assert_eq!(tried.due_at(), Some(at(700 + RENOTIFY_SECONDS)));
    let channels = closed.unnotified(Event::Approved);
    assert!(!channels.is_empty());
    assert_eq!(closed.notified(Event::Approved, &channels, at(20)).due_at(), None);
    assert_eq!(closed.notified(Event::Approved, &[], at(11 + LAST_RENOTIFY_SECONDS)).due_at(), None);
}

#[test]
fn an_answer_is_overdue_since_the_decision_or_if_the_release_is_held_since_the_next_check() {
    let decided = settling(Verdict::Approved);
    assert_eq!((pending().unsent_since(), decided.unsent_since()), (None, Some(at(0))));
    let held = decided.held(at(20));
    assert_eq!(held.unsent_since(), Some(at(20 + LONGEST_CLAIM_SECONDS)));
    let released = held.not_held(at(300));
    assert_eq!(released.unsent_since(), Some(at(300)));
    assert_eq!(released.not_held(at(360)).unsent_since(), Some(at(300)), "each attempt checks it again");
    assert_eq!(decided.not_held(at(20)).unsent_since(), Some(at(0)));
    assert_eq!(released.close(CallbackOutcome::Taken, at(400)).unwrap().unsent_since(), None);
}

#[test]
fn only_pending_and_settling_requests_are_open() {
    let closed = settling(Verdict::Approved).close(CallbackOutcome::Taken, at(11)).unwrap();
    assert!(pending().is_open() && settling(Verdict::Approved).is_open() && !closed.is_open());
}

#[test]
fn a_request_reads_back_as_it_was_written() {
    let closed = settling(Verdict::Rejected).close(CallbackOutcome::Taken, at(11)).unwrap();
    for request in
        [pending(), settling(Verdict::Approved), closed.notified(Event::Rejected, &[channel("oncall")], at(12))]
    {
        let json = serde_json::to_string(&request).unwrap();
        assert_eq!(serde_json::from_str::<ApprovalRequest>(&json).unwrap(), request);
    }
}

#[test]
fn each_start_of_an_execution_and_each_redrive_of_it_has_a_request_of_its_own() {
    let first = pending().execution_ref();
    let ids = [
        first.request_id(),
        ExecutionRef { redrive: 1, ..first.clone() }.request_id(),
        ExecutionRef { started_at: at(1), ..first.clone() }.request_id(),
    ];
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 3);
    assert_eq!(ids.first(), Some(&pending().id));
}
