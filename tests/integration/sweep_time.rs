//! How long a sweep goes on after it has handled what is due: a slow GitHub does not use up the time of the next sweep,
//! which continues with what is left.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use countersign::adapters::embedded::simulator::change::{NewCommit, NewPullRequest, Push};
use countersign::app::{self, App, Redelivery, SweepTime};
use countersign::ident::{DeliveryId, RepositoryName};
use countersign::ports::{AttemptId, CodeHostError, DeliveryAttempt, DeliveryLog, RequestStore as _};
use countersign::request::published::Published;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::gate_world::fuse::Fuse;
use crate::gate_world::{GateWorld, login};
use crate::github_world::{Fault, Hosted};
use crate::specimen::{at, execution, pull_request, revision, token};

/// A log of two failed deliveries. It answers at once, or never.
#[derive(Default)]
struct Log {
    silent: bool,
    redelivered: Mutex<Vec<AttemptId>>,
}

#[async_trait]
impl DeliveryLog for Log {
    async fn attempts(&self, _: Timestamp) -> Result<Vec<DeliveryAttempt>, CodeHostError> {
        let delivery = |id| DeliveryId::new(&format!("d-{id}")).expect("a delivery");
        let attempt = |id| DeliveryAttempt { id: AttemptId(id), delivery: delivery(id), at: at(0), taken: false };
        Ok(vec![attempt(1), attempt(2)])
    }

    async fn redeliver(&self, attempt: AttemptId) -> Result<(), CodeHostError> {
        self.redelivered.lock().unwrap_or_else(PoisonError::into_inner).push(attempt);
        if self.silent { std::future::pending().await } else { Ok(()) }
    }
}

/// Requests on three pull requests, of which nothing is published yet.
async fn three_are_waiting(log: &Arc<Log>) -> (GateWorld, Hosted, App) {
    let world = GateWorld::new("production");
    let repository = RepositoryName::new("acme/checkout").expect("a repository");
    let opened = world.host.change(|change| {
        for (branch, digit) in [("second", 'b'), ("third", 'c')] {
            let commits = vec![NewCommit { sha: Some(revision(digit)), ..NewCommit::default() }];
            let push = Push { by: login("dave"), commits, force: false, rebind_reviews: false };
            change.push(&repository, branch, &push)?;
            let new = NewPullRequest { head: branch.into(), base: "main".into(), ..NewPullRequest::default() };
            change.open(&login("dave"), &repository, &new)?;
        }
        Ok(())
    });
    opened.expect("three pull requests");
    let hosted = Hosted::new(&world.host, &world.clock).await;
    let redelivery = Some(Arc::new(Redelivery::new(log.clone())));
    let gate = App { publisher: Some(Arc::new(hosted.client())), redelivery, ..world.gate(&Fuse::never()) };
    for (number, digit) in [(1, 'a'), (2, 'b'), (3, 'c')] {
        let run = app::ExecutionRef { arn: execution(&format!("e{number}")), started_at: at(0), redrive: 0 };
        let pull = pull_request(&format!("acme/checkout#{number}"));
        let input = json!({ "service": "checkout", "environment": "production", "pullRequest": pull });
        let pinned = app::Pinned { pull_request: Some(pull), revision: Some(revision(digit)), requester: None };
        let wait = app::Wait { token: token("secret"), retry: 0 };
        app::open_request(&gate, &run, &input, pinned, wait).await.expect("it opens");
        // Only the sweep itself may find that it is due.
        let at = pull_request(&format!("acme/checkout#{number}"));
        let stored = world.store.published(&at).await.expect("an answer");
        let never_due = Published { due_at: None, version: stored.version + 1, ..stored };
        assert_eq!(world.store.save_published(&at, &never_due).await, Ok(true));
    }
    world.clock.advance(SignedDuration::from_mins(11));
    (world, hosted, gate)
}

/// So long for publishing and deliveries.
fn afterwards(afterwards: Duration) -> SweepTime {
    SweepTime { afterwards, ..SweepTime::default() }
}

#[tokio::test]
async fn requests_without_time_are_left_to_the_next_sweep_and_deliveries_keep_their_time() {
    let log = Arc::default();
    let (_world, _hosted, gate) = three_are_waiting(&log).await;
    let swept = app::sweep_within(&gate, SweepTime { due: Duration::ZERO, ..SweepTime::default() }).await;
    let swept = swept.expect("a sweep");
    assert_eq!((swept.due, swept.left, swept.redelivered), (3, 3, 2), "deliveries have their time");
    let swept = app::sweep(&gate).await.expect("a sweep");
    assert_eq!((swept.due, swept.left), (3, 0));
}

#[tokio::test]
async fn a_pull_request_that_hangs_leaves_the_others_to_the_next_sweep_and_deliveries_their_time() {
    let log = Arc::default();
    let (world, hosted, gate) = three_are_waiting(&log).await;
    hosted.fault("/repos/acme/checkout/pulls/", 99, Fault::Silence);
    let swept = app::sweep_within(&gate, afterwards(Duration::from_millis(600))).await.expect("a sweep");
    assert_eq!((swept.due, swept.failed, swept.redelivered), (3, 0, 2));
    assert!(hosted.count("/repos/acme/checkout/pulls/") <= 1, "{:#?}", hosted.seen());
    assert_eq!(world.host.world().checks.len(), 0);

    hosted.mend();
    world.clock.advance(SignedDuration::from_mins(1));
    let due = world.store.publications_due(gate.clock.now()).await.expect("an answer");
    assert_eq!(due.len(), 3, "{due:?}");
    let swept = app::sweep(&gate).await.expect("a sweep");
    assert_eq!((swept.due, world.host.world().checks.len()), (0, 3), "all are published now");
}

#[tokio::test]
async fn a_delivery_log_that_hangs_delays_the_sweep_no_longer_than_its_time() {
    let log = Arc::new(Log { silent: true, ..Log::default() });
    let (world, _hosted, gate) = three_are_waiting(&log).await;
    let swept = app::sweep_within(&gate, afterwards(Duration::from_secs(2))).await.expect("a sweep");
    assert_eq!((swept.due, swept.redelivered), (3, 0));
    assert_eq!(*log.redelivered.lock().expect("calls"), [AttemptId(1)]);
    assert_eq!(world.host.world().checks.len(), 3, "what comes first had its time");
}

#[tokio::test]
async fn without_time_left_nothing_is_begun_and_everything_stays_due() {
    let log = Arc::default();
    let (world, hosted, gate) = three_are_waiting(&log).await;
    let swept = app::sweep_within(&gate, afterwards(Duration::ZERO)).await.expect("a sweep");
    assert_eq!((swept.due, hosted.count("/pulls/")), (3, 0), "{:#?}", hosted.seen());
    world.clock.advance(SignedDuration::from_mins(1));
    assert_eq!(world.store.publications_due(gate.clock.now()).await.expect("an answer").len(), 3);
}
