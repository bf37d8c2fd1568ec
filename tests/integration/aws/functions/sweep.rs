//! The sweep's events: from the schedule, and at the end of an execution.

use countersign::approval::decision::Verdict;
use countersign::lambda::sweep::{Done, Event, sweep};
use countersign::ports::{Clock as _, SettleClaim};
use countersign::request::record::{Entry, RecordKind};
use countersign::request::{End, State};
use serde_json::{Value, json};

use super::{Lines, NOWHERE, installation};
use crate::gate_world::GateWorld;
use crate::gate_world::fuse::Fuse;
use crate::specimen::{at, decision};

fn event(event: Value) -> Event {
    serde_json::from_value(event).expect("an event")
}

/// As EventBridge's schedules send it.
fn scheduled() -> Event {
    event(json!({ "version": "0", "source": "aws.events", "detail-type": "Scheduled Event", "detail": {} }))
}

/// As Step Functions reports an execution that ended at this second.
fn ended(second: i64) -> Event {
    ended_of(0, second)
}

/// The same of one that was started at this second.
fn ended_of(started: i64, second: i64) -> Event {
    event(json!({
        "version": "0", "source": "aws.states", "detail-type": "Step Functions Execution Status Change",
        "detail": {
            "executionArn": GateWorld::execution().arn, "status": "ABORTED", "input": "{}", "output": null,
            "startDate": at(started).as_millisecond(), "stopDate": at(second).as_millisecond()
        }
    }))
}

#[tokio::test]
async fn the_schedule_makes_it_settle_what_is_due_and_measure_what_waits() {
    let world = GateWorld::new("production");
    let (app, lines) = (world.gate(&Fuse::never()), Lines::default());
    let function = installation(&world, app.clone(), &lines, NOWHERE);
    sweep(&function, &scheduled()).await.expect("swept");
    assert_eq!((lines.of("OldestPending"), lines.of("UnsentCallbacks")), (vec![0], vec![0]));
    world.open(&app, "token").await.expect("a request");
    world.minutes_pass(11);
    let done = sweep(&function, &scheduled()).await.expect("swept");
    assert_eq!((done.due, done.ended, done.failed), (1, 0, 0));
    assert_eq!(lines.of("OldestPending"), [0, 660]);
    world.minutes_pass(50);
    assert_eq!(sweep(&function, &scheduled()).await.expect("swept").ended, 1);
    assert_eq!(lines.of("OldestPending"), [0, 660, 0]);
}

#[tokio::test]
async fn an_answer_that_could_not_be_sent_is_measured_until_it_is() {
    let world = GateWorld::new("production");
    let (app, lines) = (world.gate(&Fuse::never()), Lines::default());
    world.open(&app, "token").await.expect("a request");
    // The holder of the claim died.
    let entry = Entry {
        kind: RecordKind::Claimed,
        at: world.clock.now(),
        decision: Some(decision(Verdict::Approved)),
        facts: None,
    };
    SettleClaim::take(&world.store, &world.request().await, entry).await.expect("a claim");
    let function = installation(&world, app, &lines, NOWHERE);
    sweep(&function, &scheduled()).await.expect("swept");
    assert_eq!((lines.of("UnsentCallbacks"), world.broker.taken()), (vec![1], vec![]));
    world.minutes_pass(2);
    sweep(&function, &scheduled()).await.expect("swept");
    assert_eq!((lines.of("UnsentCallbacks"), world.broker.taken()), (vec![1, 0], vec![End::Approved]));
}

#[tokio::test]
async fn an_execution_that_was_stopped_has_its_request_canceled() {
    let world = GateWorld::new("production");
    let app = world.gate(&Fuse::never());
    world.open(&app, "token").await.expect("a request");
    let function = installation(&world, app, &Lines::default(), NOWHERE);
    let done = sweep(&function, &ended(60)).await.expect("worked");
    assert_eq!(done, Done { due: 1, ended: 1, ..Done::default() });
    assert!(matches!(world.request().await.state, State::Closed(closed) if closed.end == End::Canceled));
    assert_eq!(sweep(&function, &ended(60)).await.expect("worked"), Done::default());
}

#[tokio::test]
async fn a_late_event_of_an_earlier_end_leaves_the_request_of_a_redrive_open() {
    let world = GateWorld::new("production");
    let app = world.gate(&Fuse::never());
    world.minutes_pass(1);
    world.open(&app, "token").await.expect("a request");
    let function = installation(&world, app, &Lines::default(), NOWHERE);
    assert_eq!(sweep(&function, &ended(50)).await.expect("worked"), Done::default());
    assert!(world.request().await.is_open());
}

#[tokio::test]
async fn the_end_of_another_execution_with_the_same_name_leaves_the_request_open() {
    let world = GateWorld::new("production");
    let app = world.gate(&Fuse::never());
    world.open(&app, "token").await.expect("a request");
    let function = installation(&world, app, &Lines::default(), NOWHERE);
    let before = -91 * 86_400;
    assert_eq!(sweep(&function, &ended_of(before, 60)).await.expect("worked"), Done::default());
    assert!(world.request().await.is_open());
}

#[tokio::test]
async fn the_end_of_an_execution_whose_start_is_not_reported_is_an_error() {
    let world = GateWorld::new("production");
    let function = installation(&world, world.gate(&Fuse::never()), &Lines::default(), NOWHERE);
    let detail = json!({ "executionArn": GateWorld::execution().arn, "status": "ABORTED" });
    let kind = "Step Functions Execution Status Change";
    sweep(&function, &event(json!({ "detail-type": kind, "detail": detail }))).await.expect_err("it is not known");
}
