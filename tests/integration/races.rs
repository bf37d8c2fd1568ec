//! The real use cases on several threads at once, over the real store: one answer each time, and the one that the facts
//! of the winning claim call for.

use std::collections::BTreeMap;
use std::sync::Arc;

use countersign::adapters::embedded::simulator::change::ReviewEvent;
use countersign::app::{App, Recorded, sweep};
use countersign::approval::decide_under;
use countersign::approval::facts::ReviewState;
use countersign::ports::RequestStore as _;
use countersign::request::record::RecordKind;
use countersign::request::{Callback, End, State};

use crate::gate_world::GateWorld;
use crate::gate_world::fuse::Fuse;
use crate::rounds::rounds;

/// Most rounds of a race. A machine may favour one side so much that few rounds show only that one.
const MOST: usize = 4_000;

/// A gate whose execution waits.
async fn waiting(environment: &'static str) -> (Arc<GateWorld>, App) {
    let world = Arc::new(GateWorld::new(environment));
    let gate = world.gate(&Fuse::never());
    world.open(&gate, "token-1").await.expect("a request");
    (world, gate)
}

/// Gives the review and delivers it, on a thread of its own.
fn reviewed(
    (world, gate): (&Arc<GateWorld>, &App),
    by: &'static str,
    event: ReviewEvent,
) -> tokio::task::JoinHandle<Recorded> {
    let (world, gate) = (Arc::clone(world), gate.clone());
    tokio::spawn(async move {
        world.review(by, event);
        world.deliver(&gate, by).await.expect("a delivery")
    })
}

/// The execution was told once, what the facts that were read for the claim decide.
async fn assert_one_answer(world: &GateWorld) -> End {
    let request = world.request().await;
    let closed = request.closed().expect("a closed request").clone();
    assert_eq!(world.broker.taken(), [closed.end]);
    assert_eq!(closed.callback, Callback::Sent);
    let trail = world.store.trail(&request.id).await.expect("a trail");
    let mut claims = trail.iter().filter(|record| record.kind == RecordKind::Claimed);
    let (claim, others) = (claims.next().expect("a claim"), claims.count());
    assert_eq!(others, 0, "claimed more than once");
    let (facts, decided) = (claim.facts.as_ref().expect("facts"), claim.decision.as_ref().expect("a decision"));
    let again = decide_under(&request.rule.rule(), &request.policy_digest, facts);
    assert_eq!((&again, End::of(again.verdict)), (decided, Some(closed.end)));
    let refused = facts.reviews.iter().any(|review| review.state == ReviewState::ChangesRequested);
    assert_eq!(closed.end == End::Rejected, refused, "the facts were read otherwise");
    closed.end
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "how the races went is worth knowing")]
async fn an_approval_that_races_a_rejection_gives_one_answer_as_the_facts_were_read() {
    let mut ends = BTreeMap::<&str, usize>::new();
    let rounds = rounds(50, 1_000);
    for round in 0..MOST {
        if round >= rounds && ends.len() == 2 {
            break;
        }
        let (world, gate) = waiting("production").await;
        let both = (&world, &gate);
        let (first, second) = if round % 2 == 0 {
            let first = reviewed(both, "pia", ReviewEvent::Approve);
            (first, reviewed(both, "pat", ReviewEvent::RequestChanges))
        } else {
            let first = reviewed(both, "pat", ReviewEvent::RequestChanges);
            (first, reviewed(both, "pia", ReviewEvent::Approve))
        };
        first.await.expect("a task");
        second.await.expect("a task");
        *ends.entry(assert_one_answer(&world).await.as_str()).or_default() += 1;
    }
    println!("{ends:?}");
    assert!(ends.values().sum::<usize>() >= rounds);
    assert_eq!(ends.len(), 2, "the race is none: {ends:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_that_comes_twice_at_once_gives_one_answer() {
    for _ in 0..rounds(20, 100) {
        let (world, gate) = waiting("production").await;
        world.review("pia", ReviewEvent::Approve);
        let deliver = || {
            let (world, gate) = (Arc::clone(&world), gate.clone());
            tokio::spawn(async move { world.deliver(&gate, "3f0c").await.expect("a delivery") })
        };
        let (one, other) = (deliver(), deliver());
        one.await.expect("a task");
        other.await.expect("a task");
        assert_eq!(assert_one_answer(&world).await, End::Approved);
        assert_eq!(world.deliver(&gate, "3f0c").await.expect("a delivery"), Recorded::Before);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "how the races went is worth knowing")]
async fn an_approval_that_races_the_next_run_of_the_waiting_step_is_taken_at_once_and_once() {
    let (mut given_back, mut in_time) = (0, 0);
    for round in 0..MOST {
        if round >= rounds(20, 100) && given_back > 0 && in_time > 0 {
            break;
        }
        let (world, gate) = waiting("production").await;
        world.broker.wait_with("token-2");
        let webhook = reviewed((&world, &gate), "pia", ReviewEvent::Approve);
        let run = {
            let (world, gate) = (Arc::clone(&world), gate.clone());
            tokio::spawn(async move { world.open(&gate, "token-2").await.expect("a request") })
        };
        webhook.await.expect("a task");
        run.await.expect("a task");
        let request = world.request().await;
        let closed = request.closed().map(|closed| (closed.end, closed.callback));
        assert_eq!(closed, Some((End::Approved, Callback::Sent)));
        assert_eq!(world.broker.taken(), [End::Approved]);
        let trail = world.store.trail(&request.id).await.expect("a trail");
        let back = trail.iter().any(|record| record.kind == RecordKind::GivenBack);
        *if back { &mut given_back } else { &mut in_time } += 1;
    }
    println!("given back: {given_back}, in time: {in_time}");
    assert!(given_back > 0 && in_time > 0, "the race is none");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_second_of_two_approvals_settles_in_either_order_and_at_once() {
    for order in [["pia", "pat"], ["pat", "pia"]] {
        let (world, gate) = waiting("vault").await;
        reviewed((&world, &gate), order[0], ReviewEvent::Approve).await.expect("a task");
        assert_eq!(world.request().await.state, State::Pending);
        assert_eq!(world.broker.taken(), []);
        reviewed((&world, &gate), order[1], ReviewEvent::Approve).await.expect("a task");
        assert_eq!(assert_one_answer(&world).await, End::Approved);
    }
    for _ in 0..rounds(20, 100) {
        let (world, gate) = waiting("vault").await;
        let one = reviewed((&world, &gate), "pia", ReviewEvent::Approve);
        let other = reviewed((&world, &gate), "pat", ReviewEvent::Approve);
        one.await.expect("a task");
        other.await.expect("a task");
        assert_eq!(assert_one_answer(&world).await, End::Approved, "an approval was lost");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_that_races_the_sweep_at_the_deadline_gives_one_answer() {
    for _ in 0..rounds(20, 100) {
        let (world, gate) = waiting("production").await;
        world.minutes_pass(59);
        let webhook = reviewed((&world, &gate), "pia", ReviewEvent::Approve);
        world.minutes_pass(1);
        let swept = {
            let gate = gate.clone();
            tokio::spawn(async move { sweep(&gate).await.expect("a sweep") })
        };
        webhook.await.expect("a task");
        swept.await.expect("a task");
        let end = assert_one_answer(&world).await;
        assert!(matches!(end, End::Approved | End::Expired), "{end:?}");
    }
}
