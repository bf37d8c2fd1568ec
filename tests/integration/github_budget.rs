//! The number of calls for a decision, as published in docs/performance.md.

use std::sync::Arc;

use countersign::adapters::embedded::simulator::change::{NewMember, NewTeam, ReviewEvent};
use countersign::adapters::embedded::simulator::world::MembershipState;
use countersign::app::{self, App, DeliveredObservations};
use countersign::ident::{DeliveryId, RequestId, TeamSlug};
use countersign::policy::Policy;
use countersign::ports::{CodeHost as _, Needs, RequestStore as _};
use countersign::request::observation::Observation;
use jiff::SignedDuration;
use serde_json::json;

use crate::gate_world::fuse::Fuse;
use crate::gate_world::{GateWorld, login};
use crate::github_world::Hosted;
use crate::local_gate;
use crate::rounds::rounds;
use crate::specimen::{at, execution, pull_request, revision, token};

/// Two teams must approve; the second environment also looks at files, and the third at who pushed.
const POLICY: &str = r#"
version: 1
groups:
  payments: { teams: [acme/payments] }
  sre: { teams: [acme/sre] }
services:
  checkout:
    repository: acme/checkout
    environments:
      production: { require: { all_of: [1 of payments, 1 of sre] }, timeout: 4h }
      files:
        require:
          all_of: [1 of payments, { count: 1, of: [sre], when: { paths: ["src/"] } }]
        timeout: 4h
      pushers: { require: { all_of: [1 of payments, 1 of sre] }, timeout: 4h, exclude: [author, committers, pushers] }
"#;

struct Scene {
    world: GateWorld,
    hosted: Hosted,
    gate: App,
}

impl Scene {
    async fn new() -> Self {
        let world = GateWorld::new("production");
        world
            .host
            .change(|change| {
                for (team, member) in [("acme/payments", "pia"), ("acme/sre", "pat")] {
                    let team = TeamSlug::new(team).expect("a team");
                    let members = vec![NewMember { login: login(member), state: MembershipState::Active }];
                    change.create_team(&NewTeam { team, name: None, parent: None, members })?;
                }
                Ok(())
            })
            .expect("teams");
        let hosted = Hosted::new(&world.host, &world.clock).await;
        let policy: Arc<Policy> = Arc::new(local_gate::policy(POLICY));
        let gate = App { policy, code_host: Arc::new(hosted.client()), ..world.gate(&Fuse::never()) };
        // The token is minted once an hour, and belongs to no decision.
        gate.code_host.read(&pull_request("acme/checkout#1"), &Needs::default()).await.expect("facts");
        let team = TeamSlug::new("acme/sre").expect("a team");
        gate.code_host.team_members(&team).await.expect("a team");
        hosted.take_seen();
        Self { world, hosted, gate }
    }

    async fn open(&self, name: &str, environment: &str) -> RequestId {
        let run = app::ExecutionRef { arn: execution(name), started_at: at(0), redrive: 0 };
        let input = json!({ "service": "checkout", "environment": environment, "pullRequest": "acme/checkout#1" });
        let pinned = app::Pinned {
            pull_request: Some(pull_request("acme/checkout#1")),
            revision: Some(revision('a')),
            requester: None,
        };
        let wait = app::Wait { token: token(name), retry: 0 };
        app::open_request(&self.gate, &run, &input, pinned, wait).await.expect("it opens")
    }

    /// Delivers the head and all reviews.
    async fn deliver(&self, delivery: &str) {
        let at = pull_request("acme/checkout#1");
        let reading = self.world.host.read(&at, &Needs::everything()).await.expect("facts");
        let head =
            Observation::HeadSeen { head: revision('a'), before: None, pusher: None, at: crate::specimen::at(0) };
        let given = reading.reviews.into_iter().map(|review| Observation::ReviewGiven { review });
        let delivered = DeliveredObservations {
            delivery: DeliveryId::new(delivery).expect("a delivery"),
            pull_request: at,
            observations: given.chain([head]).collect(),
        };
        app::record_delivery(&self.gate, delivered).await.expect("it is recorded");
    }
}

#[tokio::test]
async fn a_decision_on_two_teams_costs_six_calls() {
    let scene = Scene::new().await;
    scene.open("a", "production").await;
    let mut seen = scene.hosted.take_seen();
    seen.sort();
    assert_eq!(
        seen,
        [
            "GET /orgs/acme/teams/payments/members?per_page=100",
            "GET /orgs/acme/teams/sre/members?per_page=100",
            "GET /repos/acme/checkout/issues/1/events?per_page=100",
            "GET /repos/acme/checkout/pulls/1",
            "GET /repos/acme/checkout/pulls/1/commits?per_page=100",
            "GET /repos/acme/checkout/pulls/1/reviews?per_page=100",
        ]
    );
}

#[tokio::test]
async fn a_delivered_approval_costs_no_more_calls() {
    let scene = Scene::new().await;
    scene.open("a", "production").await;
    scene.world.review("pia", ReviewEvent::Approve);
    scene.hosted.take_seen();
    scene.deliver("1").await;
    assert_eq!(scene.hosted.take_seen().len(), 6);
}

#[tokio::test]
async fn a_rule_about_files_or_pushers_costs_two_more_calls() {
    let scene = Scene::new().await;
    for (environment, list) in [("files", "/files"), ("pushers", "/activity")] {
        scene.open(environment, environment).await;
        assert_eq!((scene.hosted.count(list), scene.hosted.count("/pulls/1")), (1, 4 + usize::from(list == "/files")));
        assert_eq!(scene.hosted.take_seen().len(), 8);
    }
}

#[tokio::test]
async fn lists_without_a_head_are_read_between_two_readings_of_the_pull_request() {
    let scene = Scene::new().await;
    scene.open("a", "files").await;
    let seen = scene.hosted.take_seen();
    let at = |end: &str| seen.iter().position(|line| line.ends_with(end)).expect("the call was made");
    let (first, last) = (at("/pulls/1"), seen.iter().rposition(|line| line.ends_with("/pulls/1")).expect("again"));
    for list in ["/files?per_page=100", "/commits?per_page=100", "/events?per_page=100"] {
        assert!(first < at(list) && at(list) < last, "{seen:#?}");
    }
}

#[tokio::test]
async fn events_are_read_after_everything_that_a_change_of_the_base_affects() {
    let scene = Scene::new().await;
    scene.open("a", "production").await;
    let seen = scene.hosted.take_seen();
    let of_pull: Vec<&String> = seen.iter().filter(|line| line.contains("/acme/checkout/")).collect();
    assert_eq!(of_pull.len(), 4, "{seen:#?}");
    assert!(of_pull[3].ends_with("/events?per_page=100"), "{seen:#?}");
}

#[tokio::test]
async fn an_approval_known_only_from_the_api_costs_one_more_call() {
    let scene = Scene::new().await;
    scene.open("a", "production").await;
    // A known head makes no difference: it may have become head again.
    scene.deliver("1").await;
    scene.world.review("pia", ReviewEvent::Approve);
    scene.hosted.take_seen();
    scene.world.clock.advance(SignedDuration::from_mins(11));
    app::sweep(&scene.gate).await.expect("a sweep");
    assert_eq!((scene.hosted.count("/activity"), scene.hosted.take_seen().len()), (1, 7));
}

#[tokio::test]
async fn many_requests_on_one_pull_request_cost_as_many_calls_as_one() {
    let (scene, many) = (Scene::new().await, rounds(40, 200));
    for n in 0..many {
        scene.open(&format!("r{n}"), "production").await;
    }
    scene.hosted.take_seen();
    scene.world.review("pia", ReviewEvent::Approve);
    scene.deliver("1").await;
    assert_eq!(scene.hosted.take_seen().len(), 6, "a delivery");
    scene.world.clock.advance(SignedDuration::from_mins(11));
    let swept = app::sweep(&scene.gate).await.expect("a sweep");
    assert_eq!(swept.due, many);
    assert_eq!(scene.hosted.take_seen().len(), 6, "a sweep");
    let open = scene.world.store.open_for(&pull_request("acme/checkout#1")).await.expect("requests");
    assert_eq!(open.len(), many, "all of them wait for the second team");
}

#[tokio::test]
async fn while_github_is_unavailable_many_requests_do_not_make_many_calls() {
    let (scene, many) = (Scene::new().await, rounds(40, 200));
    for n in 0..many {
        scene.open(&format!("r{n}"), "production").await;
    }
    let down = |change: &mut countersign::adapters::embedded::simulator::change::Change<'_>| {
        change.set_unavailable(true);
        Ok(())
    };
    scene.world.host.change(down).expect("it is down");
    scene.hosted.take_seen();
    scene.world.clock.advance(SignedDuration::from_mins(11));
    let swept = app::sweep(&scene.gate).await.expect("a sweep");
    assert_eq!((swept.due, swept.failed), (many, many));
    let calls = scene.hosted.take_seen().len();
    assert!(calls <= 18, "six calls with three tries each, and not {calls}");
}
