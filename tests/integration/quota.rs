//! How few readings of GitHub are enough: deliveries that share one, sweeps that leave half of what is left, and a release
//! that waits for the end of a rate limit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use countersign::adapters::embedded::simulator::GithubSimulator;
use countersign::adapters::embedded::simulator::change::ReviewEvent;
use countersign::app::{self, App, Recorded};
use countersign::approval::decision::{ReasonCode, Verdict};
use countersign::approval::facts::Person;
use countersign::ident::{Login, PullRequestRef, RepositoryName, Revision};
use countersign::ports::{
    Clock, CodeHost, CodeHostError, FoundPullRequest, Needs, Quota, Reading, Remaining, RequestStore as _,
};
use countersign::request::record::RecordKind;
use countersign::request::{End, REREAD_SECONDS};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::gate_world::GateWorld;
use crate::gate_world::fuse::Fuse;
use crate::github_world::{Fault, Hosted};
use crate::specimen::{at, execution, pull_request, revision, token};

/// A code host whose answers are from the moment of the call, and come when the test lets them.
struct Slow {
    host: GithubSimulator,
    called: Semaphore,
    answers: Semaphore,
}

#[async_trait]
impl CodeHost for Slow {
    async fn read(&self, at: &PullRequestRef, needs: &Needs) -> Result<Reading, CodeHostError> {
        let reading = self.host.read(at, needs).await;
        self.called.add_permits(1);
        self.answers.acquire().await.expect("a permit").forget();
        reading
    }

    async fn account(&self, login: &Login, repository: &RepositoryName) -> Result<Option<Person>, CodeHostError> {
        self.host.account(login, repository).await
    }

    async fn pull_requests_of(
        &self,
        repository: &RepositoryName,
        revision: &Revision,
    ) -> Result<Vec<FoundPullRequest>, CodeHostError> {
        self.host.pull_requests_of(repository, revision).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deliveries_that_come_while_their_pull_request_is_read_share_one_further_reading_that_begins_after_them() {
    let world = Arc::new(GateWorld::new("production"));
    let gate = world.gate(&Fuse::never());
    world.open(&gate, "token").await.expect("a request");
    let slow = Arc::new(Slow { host: world.host.clone(), called: Semaphore::new(0), answers: Semaphore::new(0) });
    let gate = App { code_host: slow.clone(), ..gate };
    let deliver = |name: String| {
        let (world, gate) = (Arc::clone(&world), gate.clone());
        async move { world.deliver(&gate, &name).await }
    };

    let first = tokio::spawn(deliver("first".to_owned()));
    slow.called.acquire().await.expect("the first reads at once").forget();
    world.review("pia", ReviewEvent::Approve);
    let mut others = JoinSet::new();
    (0..6).for_each(|number| drop(others.spawn(deliver(format!("other-{number}")))));
    // All but one leave it to that one, although nothing has been answered yet.
    for _ in 0..5 {
        let recorded = others.join_next().await.expect("another").expect("a task").expect("recorded");
        assert_eq!(recorded, Recorded::Worked { requests: 1 });
    }
    assert_eq!(slow.called.available_permits(), 0, "nobody else reads meanwhile");
    slow.answers.add_permits(2);
    first.await.expect("a task").expect("the first reading");
    assert_eq!(world.broker.taken(), [], "the first reading began before the approval");
    others.join_next().await.expect("the last").expect("a task").expect("the shared reading");
    assert_eq!((world.broker.taken(), slow.called.available_permits()), (vec![End::Approved], 1));

    let again = deliver("later".to_owned()).await.expect("recorded");
    assert_eq!(again, Recorded::Worked { requests: 0 }, "nothing is open any more, and nothing is read");
}

#[tokio::test]
async fn a_release_waits_for_the_end_of_a_rate_limit_and_is_checked_then() {
    let world = GateWorld::new("production");
    let hosted = Hosted::new(&world.host, &world.clock).await;
    let gate = App { code_host: Arc::new(hosted.client()), publisher: None, ..world.gate(&Fuse::never()) };
    world.open(&gate, "token").await.expect("a request");
    world.review("pia", ReviewEvent::Approve);
    world.deliver(&gate, "one").await.expect("a delivery");
    let ends = Timestamp::from_second(world.clock.now().as_second() + 900).expect("an instant");
    let headers = vec![("x-ratelimit-remaining", "0".to_owned()), ("x-ratelimit-reset", ends.as_second().to_string())];
    let limit = json!({ "message": "API rate limit exceeded for installation ID 1." });
    hosted.fault("/graphql", 99, Fault::Answer(403, headers, limit));

    let waits = app::verify(&gate, &GateWorld::execution()).await.expect("no failure").decision;
    assert_eq!((waits.verdict, waits.until), (Verdict::Wait, Some(ends)));
    assert_eq!(waits.reasons[0].code, ReasonCode::RateLimited);
    assert!(waits.summary.contains("GitHub's limit on calls is reached until"), "{}", waits.summary);
    let trail = world.store.trail(&GateWorld::execution().request_id()).await.expect("a trail");
    let held = trail.last().expect("a record");
    assert_eq!((held.kind, held.facts.as_ref(), held.decision.as_ref()), (RecordKind::Held, None, Some(&waits)));
    assert_eq!(world.request().await.unsent_since(), None);

    hosted.mend();
    world.minutes_pass(16);
    let released = app::verify(&gate, &GateWorld::execution()).await.expect("a release");
    assert_eq!(released.decision.verdict, Verdict::Approved);
}

/// A code host with limits. Every reading costs one point, and so many calls.
struct Metered {
    clock: Arc<dyn Clock>,
    calls: u64,
    broken: BTreeSet<u64>,
    state: Mutex<Meter>,
}

struct Meter {
    rest: Remaining,
    graphql: Remaining,
    /// When each pull request was read, in order.
    read: Vec<(u64, Timestamp)>,
}

impl Metered {
    fn meter<T>(&self, work: impl FnOnce(&mut Meter) -> T) -> T {
        let now = self.clock.now();
        let mut meter = self.state.lock().expect("a lock");
        for limit in [&mut *meter].into_iter().flat_map(|meter| [&mut meter.rest, &mut meter.graphql]) {
            if now >= limit.resets_at {
                *limit = Remaining { left: limit.limit, resets_at: now + SignedDuration::from_hours(1), ..*limit };
            }
        }
        work(&mut meter)
    }
}

#[async_trait]
impl CodeHost for Metered {
    async fn read(&self, of: &PullRequestRef, _: &Needs) -> Result<Reading, CodeHostError> {
        let now = self.clock.now();
        self.meter(|meter| {
            meter.rest.left -= self.calls;
            meter.graphql.left -= 1;
            meter.read.push((of.number, now));
        });
        if self.broken.contains(&of.number) {
            return Err(CodeHostError::Unavailable { detail: "it cannot be read".to_owned() });
        }
        let pull = json!({
            "repository": of.repository, "default_branch": "main", "number": of.number, "state": "open",
            "head": revision('a'), "base": "main", "author": { "id": 3, "login": "dave" },
            "commits": [{ "sha": revision('a'), "author": { "id": 3, "login": "dave" } }], "commits_complete": true,
        });
        Ok(Reading {
            pull_request: serde_json::from_value(pull).expect("a pull request"),
            reviews: Vec::new(),
            teams: BTreeMap::new(),
            objections: Vec::new(),
        })
    }

    async fn account(&self, _: &Login, _: &RepositoryName) -> Result<Option<Person>, CodeHostError> {
        Ok(None)
    }

    async fn pull_requests_of(&self, _: &RepositoryName, _: &Revision) -> Result<Vec<FoundPullRequest>, CodeHostError> {
        Ok(Vec::new())
    }

    async fn quota(&self) -> Quota {
        self.meter(|meter| Quota { rest: Some(meter.rest), graphql: Some(meter.graphql) })
    }
}

struct Crowd {
    world: GateWorld,
    host: Arc<Metered>,
    gate: App,
}

impl Crowd {
    /// So many requests on as many pull requests. Those on pull request `n` are opened `n * apart` seconds after the start.
    async fn new(requests: u64, pulls: u64, apart: i64, calls: u64) -> Self {
        let world = GateWorld::new("vault");
        let limit = Remaining { left: 1_000_000, limit: 5_000, resets_at: at(1_000_000) };
        let state = Mutex::new(Meter { rest: limit, graphql: limit, read: Vec::new() });
        let host = Arc::new(Metered { clock: world.clock.clone(), calls, broken: BTreeSet::new(), state });
        let gate = App { code_host: host.clone(), publisher: None, ..world.gate(&Fuse::never()) };
        for pull in 1..=pulls {
            for number in (0..requests).filter(|number| number % pulls + 1 == pull) {
                let run = app::ExecutionRef { arn: execution(&format!("e{number}")), started_at: at(0), redrive: 0 };
                let pull = pull_request(&format!("acme/checkout#{pull}"));
                let input = json!({ "service": "checkout", "environment": "vault", "pullRequest": pull });
                let pinned = app::Pinned { pull_request: Some(pull), revision: Some(revision('a')), requester: None };
                let wait = app::Wait { token: token("secret"), retry: 0 };
                app::open_request(&gate.reading_once(), &run, &input, pinned, wait).await.expect("it opens");
            }
            world.clock.advance(SignedDuration::from_secs(apart));
        }
        Self { world, host, gate }
    }

    fn allow(&self, left: u64) {
        let resets_at = self.world.clock.now() + SignedDuration::from_hours(1);
        let limit = Remaining { left, limit: 5_000, resets_at };
        self.host.meter(|meter| *meter = Meter { rest: limit, graphql: limit, read: Vec::new() });
    }

    /// Sweeps, and gives the pull requests that were read, in order.
    async fn sweep(&self) -> Vec<u64> {
        let before = self.host.quota().await;
        let read = self.host.meter(|meter| meter.read.len());
        app::sweep(&self.gate).await.expect("a sweep");
        let after = self.host.quota().await;
        for (before, after) in [(before.rest, after.rest), (before.graphql, after.graphql)] {
            let (before, after) = (before.expect("known").left, after.expect("known").left);
            assert!(after >= before.div_ceil(2), "a sweep used {} of {before}", before - after);
        }
        self.host.meter(|meter| meter.read.iter().skip(read).map(|(number, _)| *number).collect())
    }
}

/// As docs/performance.md publishes it: a point and at most one call of REST for a reading.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_requests_on_two_hundred_pull_requests_are_read_in_time_within_half_of_the_limits() {
    let crowd = Crowd::new(1_000, 200, 0, 1).await;
    crowd.allow(5_000);
    let began = crowd.world.clock.now();
    let minutes = 25;
    for _ in 0..minutes {
        crowd.world.minutes_pass(1);
        crowd.sweep().await;
    }
    let read = crowd.host.meter(|meter| meter.read.clone());
    let mut last: BTreeMap<u64, Timestamp> = (1..=200).map(|number| (number, began)).collect();
    for (number, when) in &read {
        let gap = when.duration_since(last.insert(*number, *when).expect("one of them")).as_secs();
        assert!(gap <= REREAD_SECONDS + 60, "{number} was not read for {gap} seconds");
    }
    assert!(last.values().all(|when| *when > began), "each was read");
    let an_hour = read.len() * 60 / minutes;
    assert!(an_hour <= 5_000 / 2, "{an_hour} readings an hour");
    assert_eq!(read.len(), 2 * 200, "one reading serves all requests of a pull request");
}

#[tokio::test]
async fn a_sweep_with_few_calls_left_reads_the_least_recently_read_first_and_leaves_half() {
    let crowd = Crowd::new(40, 40, 1, 6).await;
    crowd.world.minutes_pass(11);
    crowd.allow(300);
    let read = crowd.sweep().await;
    assert_eq!(read, (1..=24).collect::<Vec<_>>());
    crowd.world.minutes_pass(1);
    crowd.allow(300);
    assert_eq!(crowd.sweep().await, (25..=40).collect::<Vec<_>>());
}

#[tokio::test]
async fn pull_requests_that_cannot_be_read_do_not_keep_a_sweep_from_the_others() {
    let crowd = Crowd::new(12, 12, 1, 1).await;
    let host = Arc::new(Metered {
        clock: crowd.world.clock.clone(),
        calls: 1,
        broken: (1..=10).collect(),
        state: Mutex::new(crowd.host.meter(|meter| Meter { read: Vec::new(), ..*meter })),
    });
    let crowd = Crowd { gate: App { code_host: host.clone(), ..crowd.gate }, host, world: crowd.world };
    crowd.world.minutes_pass(11);
    let mut read = BTreeSet::new();
    for _ in 0..12 {
        crowd.allow(28);
        read.extend(crowd.sweep().await);
        crowd.world.minutes_pass(1);
    }
    assert!(read.contains(&11) && read.contains(&12), "{read:?}");
}
