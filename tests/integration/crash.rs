//! The real flow, cut off at every call of every port, before and after its effect: what is left behind is completed by
//! the sweep, and the execution has one answer.

use std::collections::BTreeSet;
use std::sync::Arc;

use countersign::adapters::embedded::simulator::change::ReviewEvent;
use countersign::app::{App, sweep, verify};
use countersign::approval::decision::Event;
use countersign::ports::RequestStore as _;
use countersign::request::record::RecordKind;
use countersign::request::{Callback, End, State};

use crate::gate_world::GateWorld;
use crate::gate_world::fuse::{Fuse, Side};
use crate::rounds::rounds;

/// A course of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Story {
    /// A review comes while the execution waits.
    Approve,
    /// The same, and it refuses.
    Reject,
    /// The review is given after the evaluation, and nobody delivers it.
    ApproveBeforeWaiting,
    /// Nobody answers.
    Expire,
    /// A review comes after two reminders and an escalation were missed.
    Remind,
}

impl Story {
    const fn end(self) -> End {
        match self {
            Self::Approve | Self::ApproveBeforeWaiting | Self::Remind => End::Approved,
            Self::Reject => End::Rejected,
            Self::Expire => End::Expired,
        }
    }

    const fn steps(self) -> &'static [Step] {
        match self {
            Self::Approve => {
                &[Step::Evaluate, Step::Open, Step::Review(ReviewEvent::Approve), Step::Deliver, Step::Verify]
            }
            Self::Reject => &[Step::Evaluate, Step::Open, Step::Review(ReviewEvent::RequestChanges), Step::Deliver],
            Self::ApproveBeforeWaiting => {
                &[Step::Evaluate, Step::Review(ReviewEvent::Approve), Step::Open, Step::Verify]
            }
            Self::Expire => &[Step::Evaluate, Step::Open, Step::Pass(61), Step::Sweep],
            // The sweep comes every minute: the second one makes up for the first.
            Self::Remind => &[
                Step::Evaluate,
                Step::Open,
                Step::Pass(31),
                Step::Sweep,
                Step::Sweep,
                Step::Review(ReviewEvent::Approve),
                Step::Deliver,
                Step::Verify,
            ],
        }
    }

    const fn environment(self) -> &'static str {
        match self {
            Self::Approve | Self::Reject | Self::ApproveBeforeWaiting | Self::Expire => "production",
            Self::Remind => "guarded",
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Evaluate,
    Open,
    Review(ReviewEvent),
    Deliver,
    Verify,
    Pass(i64),
    Sweep,
}

async fn take(world: &GateWorld, gate: &App, step: Step, secret: &str) {
    match step {
        Step::Evaluate => world.evaluate(gate).await.expect("a decision"),
        Step::Open => drop(world.open(gate, secret).await.expect("a request")),
        Step::Review(event) => world.review("pia", event),
        Step::Deliver => drop(world.deliver(gate, "3f0c").await.expect("a delivery")),
        // The execution comes here once it was told, and is over then.
        Step::Verify if world.broker.taken() != [End::Approved] || is_released(world).await => {}
        Step::Verify => drop(verify(gate, &GateWorld::execution()).await.expect("a release")),
        Step::Pass(minutes) => world.minutes_pass(minutes),
        Step::Sweep => drop(sweep(gate).await.expect("a sweep")),
    }
}

async fn is_released(world: &GateWorld) -> bool {
    let trail = world.store.trail(&GateWorld::execution().request_id()).await.expect("a trail");
    trail.iter().any(|record| record.kind == RecordKind::Released)
}

/// Goes through the story with a gate that dies at the fuse, and on with a new one; gives how often it died.
async fn live(world: &GateWorld, story: Story, fuse: &Arc<Fuse>) -> usize {
    let mut gate = world.gate(fuse);
    let mut deaths = 0;
    for step in story.steps() {
        if fuse.run(take(world, &gate, *step, "token-1")).await.is_some() {
            continue;
        }
        deaths += 1;
        gate = world.gate(&Fuse::never());
        match step {
            // Step Functions retries what failed, the waiting step with another token; nobody retries the rest.
            Step::Evaluate | Step::Verify => take(world, &gate, *step, "").await,
            Step::Open if world.broker.waits() => take(world, &gate, *step, "token-2").await,
            Step::Open | Step::Review(_) | Step::Deliver | Step::Pass(_) | Step::Sweep => {}
        }
    }
    // The sweep comes every few minutes. What it must make up for is due within eleven.
    for _ in 0..3 {
        world.minutes_pass(11);
        for step in [Step::Sweep, Step::Verify] {
            if fuse.run(take(world, &gate, step, "")).await.is_none() {
                deaths += 1;
                gate = world.gate(&Fuse::never());
            }
        }
    }
    deaths
}

async fn assert_ended(world: &GateWorld, story: Story, cut: &str) {
    let end = story.end();
    assert_eq!(world.broker.taken(), [end], "{cut}: one answer");
    let request = world.request().await;
    let closed = request.closed().unwrap_or_else(|| panic!("{cut}: open: {:?}", request.state));
    assert_eq!(closed.end, end, "{cut}");
    assert!(matches!(closed.callback, Callback::Sent | Callback::PresumedSent), "{cut}: {:?}", closed.callback);
    assert!(request.notified.contains_key(&end.event().into()), "{cut}: {:?}", request.notified);
    let told = world.channel.told();
    let times = |event| told.iter().filter(|one| **one == event).count();
    assert!((1..=2).contains(&times(end.event())), "{cut}: {told:?}");
    // Nobody is asked for what is approved already; who is asked is asked again only where that was cut off.
    let asked = if story == Story::ApproveBeforeWaiting { 0..=0 } else { 1..=2 };
    assert!(asked.contains(&times(Event::Requested)), "{cut}: {told:?}");
    // However many were missed, one is told; it is repeated only where writing that down was cut off.
    let reminded = if story == Story::Remind { 1..=2 } else { 0..=0 };
    assert!(reminded.contains(&times(Event::Reminded)), "{cut}: {told:?}");
    assert!(reminded.contains(&times(Event::Escalated)), "{cut}: {told:?}");
    let ended = told.iter().position(|event| *event == end.event()).expect("it is told");
    let late = told.iter().skip(ended).filter(|event| matches!(event, Event::Reminded | Event::Escalated)).count();
    assert_eq!(late, 0, "{cut}: {told:?}");
    assert!(request.due_at().is_none(), "{cut}: something is still due");
    assert_shown(world, end, cut);
}

/// One check, one comment and one deployment, which say how it ended.
fn assert_shown(world: &GateWorld, end: End, cut: &str) {
    let (conclusion, state) = match end {
        End::Approved => ("success", "success"),
        End::Rejected => ("failure", "failure"),
        End::Expired => ("timed_out", "failure"),
        End::Superseded | End::Denied | End::Canceled => panic!("an end that no story has"),
    };
    let page = world.host.world();
    let checks: Vec<_> = page.checks.values().map(|run| (run.conclusion.as_deref(), run.actions.len())).collect();
    assert_eq!(checks, [(Some(conclusion), 0)], "{cut}: one check");
    let comments: Vec<_> = page.comments.values().map(|comment| comment.body.as_str()).collect();
    assert_eq!(comments.len(), 1, "{cut}: one comment");
    assert!(comments[0].contains(end.as_str()), "{cut}: {}", comments[0]);
    let deployments: Vec<_> =
        page.deployments.values().map(|made| made.statuses.last().map(|status| status.state.as_str())).collect();
    assert_eq!(deployments, [Some(state)], "{cut}: one deployment");
}

#[expect(clippy::print_stdout, reason = "how much was tried is worth knowing")]
async fn cut_off_everywhere(story: Story) {
    let whole = GateWorld::new(story.environment());
    let counting = Fuse::never();
    assert_eq!(live(&whole, story, &counting).await, 0);
    assert_ended(&whole, story, "uncut").await;
    let told = whole.channel.told();
    assert_eq!(told.iter().collect::<BTreeSet<_>>().len(), told.len(), "uncut, everything is told once: {told:?}");
    let request = whole.request().await;
    assert_eq!(request.closed().map(|closed| closed.callback), Some(Callback::Sent));
    let calls = counting.calls();
    assert!(calls >= 20, "the flow makes only {calls} calls");

    let mut deaths = 0;
    let mut presumed = 0;
    // Every third call by default, and in each story others.
    let every = rounds(3, 1);
    let cuts: Vec<usize> = (story as usize % every..calls).step_by(every).collect();
    for &call in &cuts {
        for side in [Side::Before, Side::After] {
            let world = GateWorld::new(story.environment());
            assert_eq!(live(&world, story, &Fuse::at(call, side)).await, 1, "{story:?}, call {call}, {side:?}");
            deaths += 1;
            let cut = format!("{story:?}, call {call}, {side:?}");
            assert_ended(&world, story, &cut).await;
            let request = world.request().await;
            presumed += usize::from(request.closed().is_some_and(|c| c.callback == Callback::PresumedSent));

            // Whatever is delivered again changes nothing.
            let gate = world.gate(&Fuse::never());
            for _ in 0..2 {
                world.deliver(&gate, "3f0c").await.expect("a delivery");
                sweep(&gate).await.expect("a sweep");
            }
            assert_eq!(world.request().await, request, "{cut}");
            assert_ended(&world, story, &cut).await;
        }
    }
    println!("{story:?}: {calls} calls, {deaths} deaths, {presumed} presumed");
    // After the answer was taken, and before that is written: the only two places at which it has to be presumed.
    assert!(presumed == 2 || every > 1 && presumed < 2, "{presumed}");
    assert_eq!(deaths, 2 * cuts.len());
}

#[tokio::test]
async fn a_review_that_comes_while_the_waiting_step_is_run_again_is_taken_by_the_next_run() {
    let world = GateWorld::new("production");
    let gate = world.gate(&Fuse::never());
    world.open(&gate, "token-1").await.expect("a request");
    // The run that stored this token failed all the same, and the next one has not begun.
    world.broker.wait_with("token-2");
    world.review("pia", ReviewEvent::Approve);
    world.deliver(&gate, "3f0c").await.expect("a delivery");
    assert_eq!((world.request().await.state, world.broker.taken()), (State::Pending, vec![]));
    assert_eq!(world.channel.told(), [Event::Requested]);

    world.open(&gate, "token-2").await.expect("a request");
    take(&world, &gate, Step::Verify, "").await;
    assert_ended(&world, Story::Approve, "between two runs").await;
}

#[tokio::test]
async fn an_approval_that_nobody_waits_for_any_more_ends_canceled_before_the_deadline_and_expired_after_it() {
    for (stopped, minutes, end) in [(true, 0, End::Canceled), (true, 61, End::Expired), (false, 61, End::Expired)] {
        let world = GateWorld::new("production");
        let gate = world.gate(&Fuse::never());
        world.open(&gate, "token-1").await.expect("a request");
        world.broker.wait_with("token-2");
        if stopped {
            world.broker.stop();
        }
        world.minutes_pass(minutes);
        world.review("pia", ReviewEvent::Approve);
        world.deliver(&gate, "3f0c").await.expect("a delivery");
        let request = world.request().await;
        let closed = request.closed().map(|closed| (closed.end, closed.callback));
        assert_eq!((closed, world.broker.taken()), (Some((end, Callback::TokenOver)), vec![]));
    }
}

#[tokio::test]
async fn an_approval_that_is_cut_off_anywhere_ends_approved_once() {
    cut_off_everywhere(Story::Approve).await;
}

#[tokio::test]
async fn a_rejection_that_is_cut_off_anywhere_ends_rejected_once() {
    cut_off_everywhere(Story::Reject).await;
}

#[tokio::test]
async fn an_approval_found_while_the_request_is_opened_and_cut_off_anywhere_ends_approved_once() {
    cut_off_everywhere(Story::ApproveBeforeWaiting).await;
}

#[tokio::test]
async fn a_deadline_that_is_cut_off_anywhere_ends_expired_once() {
    cut_off_everywhere(Story::Expire).await;
}

#[tokio::test]
async fn reminders_that_are_cut_off_anywhere_are_told_once_and_never_after_the_end() {
    cut_off_everywhere(Story::Remind).await;
}
