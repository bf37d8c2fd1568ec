//! For how long a sweep goes on, and with what it begins: a GitHub that is slow does not take the next sweep's time, and
//! what there was no time for is left to it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use countersign::adapters::embedded::codehost::GithubStandIn;
use countersign::adapters::embedded::codehost::change::{NewCommit, NewPullRequest, Push, ReviewEvent};
use countersign::app::{self, App, Redelivery, SweepTime, Swept};
use countersign::approval::facts::Person;
use countersign::approval::request::{CallbackOutcome, End, State};
use countersign::approval::shown::Shown;
use countersign::ident::{DeliveryId, ExecutionArn, PullRequestRef, RepositoryName, Revision, TeamSlug};
use countersign::ports::{
    Answer, AttemptId, CallbackError, CodeHost, CodeHostError, DeliveryAttempt, DeliveryLog, ExecutionCallback, Needs,
    Reading, RequestStore as _, SettleClaim,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::gate_world::fuse::Fuse;
use crate::gate_world::{GateWorld, login};
use crate::github_world::{Fault, Hosted};
use crate::specimen::{at, execution, pull_request, revision, token};

/// Two deliveries that failed. It answers at once, or never.
#[derive(Default)]
struct Log {
    silent: bool,
    asked: Mutex<Vec<AttemptId>>,
}

#[async_trait]
impl DeliveryLog for Log {
    async fn attempts(&self, _: Timestamp) -> Result<Vec<DeliveryAttempt>, CodeHostError> {
        let delivery = |id| DeliveryId::new(&format!("d-{id}")).expect("a delivery");
        let attempt = |id| DeliveryAttempt { id: AttemptId(id), delivery: delivery(id), at: at(0), taken: false };
        Ok(vec![attempt(1), attempt(2)])
    }

    async fn redeliver(&self, attempt: AttemptId) -> Result<(), CodeHostError> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(attempt);
        if self.silent { std::future::pending().await } else { Ok(()) }
    }
}

/// Requests on three pull requests, of which nothing is shown yet.
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
    let gate = App { page: Some(Arc::new(hosted.client())), redelivery, ..world.gate(&Fuse::never()) };
    for (number, digit) in [(1, 'a'), (2, 'b'), (3, 'c')] {
        let run = app::ExecutionRef { arn: execution(&format!("e{number}")), redrive: 0 };
        let pull = pull_request(&format!("acme/checkout#{number}"));
        let input = json!({ "service": "checkout", "environment": "production", "pullRequest": pull });
        let pinned = app::Pinned { pull_request: Some(pull), revision: Some(revision(digit)) };
        let wait = app::Wait { token: token("secret"), retry: 0 };
        app::open_request(&gate, &run, &input, pinned, wait).await.expect("it opens");
        // That it is due must come of the sweep itself.
        let at = pull_request(&format!("acme/checkout#{number}"));
        let shown = world.store.shown(&at).await.expect("an answer");
        let never_due = Shown { due_at: None, version: shown.version + 1, ..shown };
        assert_eq!(world.store.remember_shown(&at, &never_due).await, Ok(true));
    }
    world.clock.advance(SignedDuration::from_mins(11));
    (world, hosted, gate)
}

/// A GitHub that takes longer for one pull request than a sweep has, and then has no answer.
struct Slow {
    host: GithubStandIn,
    number: u64,
}

/// For how long the sweeps of a slow GitHub begin requests: the first one that is asked for takes longer.
const SHORT: Duration = Duration::from_millis(400);

#[async_trait]
impl CodeHost for Slow {
    async fn read(&self, at: &PullRequestRef, needs: &Needs) -> Result<Reading, CodeHostError> {
        if at.number == self.number {
            tokio::time::sleep(SHORT).await;
            return Err(CodeHostError::Unavailable { detail: "it is slow".to_owned() });
        }
        self.host.read(at, needs).await
    }

    async fn pull_requests_of(
        &self,
        repository: &RepositoryName,
        revision: &Revision,
    ) -> Result<Vec<PullRequestRef>, CodeHostError> {
        self.host.pull_requests_of(repository, revision).await
    }

    async fn team_members(&self, team: &TeamSlug) -> Result<Option<Vec<Person>>, CodeHostError> {
        self.host.team_members(team).await
    }
}

/// A sweep of a gate whose GitHub is slow with that pull request.
async fn swept_slowly(world: &GateWorld, gate: &App, number: u64) -> Swept {
    let gate = App { code_host: Arc::new(Slow { host: world.host.clone(), number }), ..gate.clone() };
    let time = SweepTime { due: SHORT, afterwards: Duration::ZERO };
    app::sweep_within(&gate, time).await.expect("a sweep")
}

/// Step Functions cannot be reached.
struct Unreachable;

#[async_trait]
impl ExecutionCallback for Unreachable {
    async fn resume(&self, _: &SettleClaim, _: &Answer) -> Result<CallbackOutcome, CallbackError> {
        Err(CallbackError { detail: "nobody hears".to_owned() })
    }

    async fn is_running(&self, _: &ExecutionArn, _: u32) -> Result<bool, CallbackError> {
        Err(CallbackError { detail: "nobody hears".to_owned() })
    }
}

/// So long for pages and deliveries.
fn afterwards(afterwards: Duration) -> SweepTime {
    SweepTime { afterwards, ..SweepTime::default() }
}

#[tokio::test]
async fn requests_that_there_is_no_time_for_are_left_to_the_next_sweep_and_take_no_others_time() {
    let log = Arc::default();
    let (_world, _hosted, gate) = three_are_waiting(&log).await;
    let swept = app::sweep_within(&gate, SweepTime { due: Duration::ZERO, ..SweepTime::default() }).await;
    let swept = swept.expect("a sweep");
    assert_eq!((swept.due, swept.left, swept.redelivered), (3, 3, 2), "deliveries have their time");
    let swept = app::sweep(&gate).await.expect("a sweep");
    assert_eq!((swept.due, swept.left), (3, 0));
}

#[tokio::test]
async fn one_whose_facts_cannot_be_read_does_not_take_the_time_of_the_same_others_every_minute() {
    let (world, _hosted, gate) = three_are_waiting(&Arc::default()).await;
    let unread = async || {
        let due = world.store.due(gate.clock.now()).await.expect("an answer");
        due.into_iter().filter_map(|request| Some(request.subject.pull_request?.number)).collect::<Vec<_>>()
    };
    let due = unread().await;
    assert_eq!(due.len(), 3);
    for _ in 0..3 {
        assert_eq!(swept_slowly(&world, &gate, due[0]).await.failed, 1);
        world.clock.advance(SignedDuration::from_mins(1));
    }
    assert_eq!(unread().await, due[..1], "the others had their turn");
}

#[tokio::test]
async fn what_is_decided_is_worked_before_anything_whose_facts_are_to_be_read() {
    let (world, _hosted, gate) = three_are_waiting(&Arc::default()).await;
    world.review("pia", ReviewEvent::Approve);
    world.review("pat", ReviewEvent::Approve);
    let nobody_hears = App { callback: Arc::new(Unreachable), ..gate.clone() };
    world.deliver(&nobody_hears, "approvals").await.expect("a delivery");
    world.clock.advance(SignedDuration::from_mins(2));
    let due = world.store.due(gate.clock.now()).await.expect("an answer");
    let decided: Vec<bool> = due.iter().map(|request| matches!(request.state, State::Settling(_))).collect();
    assert_eq!(decided, [false, false, true], "the decided one is the last by its time");
    world.broker.wait_with("secret");
    assert_eq!(swept_slowly(&world, &gate, 2).await.ended, 1);
    assert_eq!(world.broker.taken(), [End::Approved]);
}

#[tokio::test]
async fn a_page_that_hangs_leaves_the_others_to_the_next_sweep_and_deliveries_their_time() {
    let log = Arc::default();
    let (world, hosted, gate) = three_are_waiting(&log).await;
    hosted.fault("/repos/acme/checkout/pulls/", 99, Fault::Silence);
    let swept = app::sweep_within(&gate, afterwards(Duration::from_millis(600))).await.expect("a sweep");
    assert_eq!((swept.due, swept.failed, swept.redelivered), (3, 0, 2));
    assert!(hosted.count("/repos/acme/checkout/pulls/") <= 1, "{:#?}", hosted.seen());
    assert_eq!(world.host.world().checks.len(), 0);

    hosted.mend();
    world.clock.advance(SignedDuration::from_mins(1));
    let due = world.store.pages_due(gate.clock.now()).await.expect("an answer");
    assert_eq!(due.len(), 3, "{due:?}");
    let swept = app::sweep(&gate).await.expect("a sweep");
    assert_eq!((swept.due, world.host.world().checks.len()), (0, 3), "all are shown now");
}

#[tokio::test]
async fn a_delivery_log_that_hangs_holds_the_sweep_up_no_longer_than_it_has() {
    let log = Arc::new(Log { silent: true, ..Log::default() });
    let (world, _hosted, gate) = three_are_waiting(&log).await;
    let swept = app::sweep_within(&gate, afterwards(Duration::from_secs(2))).await.expect("a sweep");
    assert_eq!((swept.due, swept.redelivered), (3, 0));
    assert_eq!(*log.asked.lock().expect("calls"), [AttemptId(1)]);
    assert_eq!(world.host.world().checks.len(), 3, "what comes first had its time");
}

#[tokio::test]
async fn where_no_time_is_left_nothing_is_begun_and_everything_stays_due() {
    let log = Arc::default();
    let (world, hosted, gate) = three_are_waiting(&log).await;
    let swept = app::sweep_within(&gate, afterwards(Duration::ZERO)).await.expect("a sweep");
    assert_eq!((swept.due, hosted.count("/pulls/")), (3, 0), "{:#?}", hosted.seen());
    world.clock.advance(SignedDuration::from_mins(1));
    assert_eq!(world.store.pages_due(gate.clock.now()).await.expect("an answer").len(), 3);
}
