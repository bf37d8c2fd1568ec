//! Failures of GitHub. Nothing is approved wrongly or lost: the gate reads through the client, and its request keeps waiting
//! until the approval is certain.

mod answers;
mod partial;
mod people;
mod redelivery;
mod size;

use std::sync::Arc;

use countersign::adapters::embedded::simulator::change::{Change, NewMember, NewReview, NewTeam, ReviewEvent};
use countersign::adapters::embedded::simulator::world::MembershipState;
use countersign::adapters::embedded::simulator::{GithubSimulator, Refusal};
use countersign::app::{self, App, DeliveredObservations, Failure, Recorded, Settled};
use countersign::approval::decision::Decision;
use countersign::ident::{DeliveryId, PullRequestRef, RequestId, TeamSlug};
use countersign::ports::{CodeHost as _, Needs, RequestStore as _};
use countersign::request::observation::Observation;
use countersign::request::{End, State};
use jiff::SignedDuration;
use serde_json::json;

use crate::gate_world::fuse::Fuse;
use crate::gate_world::{GateWorld, login};
use crate::github_world::Hosted;
use crate::local_gate;
use crate::specimen::{at, execution, pull_request, revision, token};

const POLICY: &str = r#"
version: 1
groups:
  payments: { teams: [acme/payments] }
  pia: { users: ["pia#1"] }
services:
  checkout:
    repository: acme/checkout
    environments:
      production: { require: 1 of payments, timeout: 4h }
      files:
        require: { all_of: [1 of payments, { count: 1, of: ["@dave"], when: { paths: [infra/] } }] }
        timeout: 4h
        exclude: []
      pinned: { require: 1 of pia, timeout: 4h }
"#;

/// A gate whose one request waits for pia or pat, both of acme/payments.
struct Scene {
    world: GateWorld,
    hosted: Hosted,
    gate: App,
    id: RequestId,
    pull: PullRequestRef,
}

impl Scene {
    /// The request waits for an approval of `a`, in production.
    async fn new() -> Self {
        Self::ground().await.open("production", 'a').await
    }

    /// No approval is requested yet.
    async fn ground() -> Self {
        let world = GateWorld::new("production");
        world.host.change(payments).expect("a team");
        let hosted = Hosted::new(&world.host, &world.clock).await;
        let policy = Arc::new(local_gate::policy(POLICY));
        let gate = App { policy, code_host: Arc::new(hosted.client()), ..world.gate(&Fuse::never()) };
        let id = RequestId::of(&execution("one"), at(0), 0);
        Self { world, hosted, gate, id, pull: pull_request("acme/checkout#1") }
    }

    /// A minute later, approval for a commit is requested.
    async fn open(self, environment: &str, digit: char) -> Self {
        self.a_minute_passes();
        let run = app::ExecutionRef { arn: execution("one"), started_at: at(0), redrive: 0 };
        let input = json!({ "service": "checkout", "environment": environment, "pullRequest": self.pull });
        let pinned =
            app::Pinned { pull_request: Some(self.pull.clone()), revision: Some(revision(digit)), requester: None };
        self.world.broker.wait_with("secret");
        let wait = app::Wait { token: token("secret"), retry: 0 };
        app::open_request(&self.gate, &run, &input, pinned, wait).await.expect("it opens");
        self.still_waits().await;
        self.hosted.take_seen();
        self
    }

    fn a_minute_passes(&self) {
        self.world.clock.advance(SignedDuration::from_mins(1));
    }

    /// Somebody approves, without a delivery.
    fn review(&self, by: &str) {
        let review = NewReview { event: Some(ReviewEvent::Approve), body: None, commit_id: None };
        self.change(|change| change.review(&login(by), &self.pull, &review));
    }

    /// A minute later somebody approves, without a delivery.
    async fn approved_by(self, by: &str) -> Self {
        self.a_minute_passes();
        self.review(by);
        self
    }

    async fn settle(&self) -> Result<Settled, Failure> {
        app::settle(&self.gate, &self.id).await
    }

    /// Delivers every review as it is now.
    async fn deliver(&self, delivery: &str) -> Result<Recorded, Failure> {
        let at = self.pull.clone();
        let reading = self.world.host.read(&at, &Needs::everything()).await.expect("facts");
        let delivered = DeliveredObservations {
            delivery: DeliveryId::new(delivery).expect("a delivery"),
            pull_request: at,
            observations: reading.reviews.into_iter().map(|review| Observation::ReviewGiven { review }).collect(),
        };
        app::record_delivery(&self.gate, delivered).await
    }

    /// Delivers a new head.
    async fn deliver_head(&self, digit: char) {
        let head =
            Observation::HeadSeen { head: revision(digit), before: None, pusher: None, at: self.gate.clock.now() };
        let delivered = DeliveredObservations {
            delivery: DeliveryId::new("head").expect("a delivery"),
            pull_request: self.pull.clone(),
            observations: vec![head],
        };
        app::record_delivery(&self.gate, delivered).await.expect("it is recorded");
    }

    /// The execution got no answer, and the sweep will evaluate the request again.
    async fn still_waits(&self) {
        assert_eq!(self.world.broker.taken(), []);
        let request = self.world.store.request(&self.id).await.expect("an answer").expect("a request");
        assert_eq!(request.state, State::Pending);
        let later = self.gate.clock.now() + SignedDuration::from_mins(11);
        let due = self.world.store.due(later).await.expect("an answer");
        assert!(due.iter().any(|due| due.id == self.id), "the sweep looks at it again");
    }

    /// Settling fails, and the request keeps waiting. Returns the error.
    async fn fails_and_waits(&self) -> String {
        let said = match self.settle().await {
            Err(Failure::Unavailable { detail } | Failure::Limited { detail, .. }) => detail,
            other => panic!("{other:?}"),
        };
        assert!(!said.contains("ghs_") && !said.contains("ey"), "it contains no token: {said}");
        self.still_waits().await;
        said
    }

    /// The facts are read, and do not suffice.
    async fn decides_to_wait(&self) -> Decision {
        let decision = match self.settle().await {
            Ok(Settled::Waiting(waiting)) => waiting.decision,
            other => panic!("{other:?}"),
        };
        self.still_waits().await;
        decision
    }

    /// The faults end, and the sweep finds the approval.
    async fn goes_on(&self) {
        self.hosted.mend();
        self.world.clock.advance(SignedDuration::from_mins(11));
        let swept = app::sweep(&self.gate).await.expect("a sweep");
        assert_eq!((swept.ended, self.world.broker.taken()), (1, vec![End::Approved]));
    }

    fn change<T>(&self, change: impl FnOnce(&mut Change<'_>) -> Result<T, Refusal>) -> T {
        self.world.host.change(change).expect("a change")
    }

    fn host(&self) -> &GithubSimulator {
        &self.world.host
    }
}

fn payments(change: &mut Change<'_>) -> Result<(), Refusal> {
    let member = |name| NewMember { login: login(name), state: MembershipState::Active };
    let members = vec![member("pia"), member("pat")];
    let team = TeamSlug::new("acme/payments").expect("a team");
    change.create_team(&NewTeam { team, name: None, parent: None, members }).map(drop)
}

/// The text about the only review.
fn review_text(decision: &Decision) -> String {
    let [review] = decision.reviews.as_slice() else { panic!("{:?}", decision.reviews) };
    review.text.to_string()
}
