//! The number of calls for a decision, as published in docs/performance.md.

use std::sync::Arc;

use countersign::adapters::embedded::simulator::change::{NewCommit, NewMember, NewTeam, Push, ReviewEvent};
use countersign::adapters::embedded::simulator::world::{FileChange, MembershipState};
use countersign::app::{self, App, DeliveredObservations};
use countersign::ident::{DeliveryId, RequestId, TeamSlug};
use countersign::policy::Policy;
use countersign::ports::{CodeHost as _, Needs, Remaining, RequestStore as _};
use countersign::request::observation::Observation;
use jiff::SignedDuration;
use serde_json::json;

use crate::gate_world::fuse::Fuse;
use crate::gate_world::{GateWorld, login};
use crate::github_world::Hosted;
use crate::local_gate;
use crate::rounds::rounds;
use crate::specimen::{at, execution, pull_request, revision, token};

fn team(text: &str) -> TeamSlug {
    TeamSlug::new(text).expect("a team")
}

/// Two teams must approve; `files` also looks at files, `pushers` at who pushed, and `sre` asks one team.
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
      sre: { require: 1 of sre, timeout: 4h }
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
        hosted.take_seen();
        Self { world, hosted, gate }
    }

    fn push(&self, commit: NewCommit) {
        self.push_all(vec![commit]);
    }

    fn push_all(&self, commits: Vec<NewCommit>) {
        let push = Push { by: login("dave"), commits, force: false, rebind_reviews: false };
        let pushed = self.world.host.change(|change| change.push_to_pull(&pull_request("acme/checkout#1"), &push));
        pushed.expect("a push");
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

/// Reads that nothing else precedes.
const ONE_CALL: [&str; 1] = ["POST /graphql Facts first"];
const WITH_PUSHES: [&str; 2] =
    ["POST /graphql Facts first", "GET /repos/acme/checkout/activity?ref=refs%2Fheads%2Ffeature&per_page=100"];

#[tokio::test]
async fn a_decision_on_two_teams_and_on_files_costs_one_call() {
    let scene = Scene::new().await;
    for environment in ["production", "files"] {
        scene.open(environment, environment).await;
        assert_eq!(scene.hosted.take_seen(), ONE_CALL, "{environment}");
    }
}

#[tokio::test]
async fn a_delivered_approval_costs_no_more_calls() {
    let scene = Scene::new().await;
    scene.open("a", "production").await;
    scene.world.review("pia", ReviewEvent::Approve);
    scene.hosted.take_seen();
    scene.deliver("1").await;
    assert_eq!(scene.hosted.take_seen(), ONE_CALL);
}

#[tokio::test]
async fn pushers_an_unverified_commit_and_an_approval_known_only_from_the_api_cost_one_more_call() {
    let scene = Scene::new().await;
    scene.open("a", "pushers").await;
    assert_eq!(scene.hosted.take_seen(), WITH_PUSHES, "the rule excludes pushers");

    let scene = Scene::new().await;
    scene.open("a", "production").await;
    // A known head makes no difference: it may have become head again.
    scene.deliver("1").await;
    scene.world.review("pia", ReviewEvent::Approve);
    scene.hosted.take_seen();
    scene.world.clock.advance(SignedDuration::from_mins(11));
    app::sweep(&scene.gate).await.expect("a sweep");
    assert_eq!(scene.hosted.take_seen(), WITH_PUSHES, "only the API reports an approval");

    let scene = Scene::new().await;
    scene.push(NewCommit::default());
    scene.gate.code_host.read(&pull_request("acme/checkout#1"), &Needs::default()).await.expect("facts");
    assert_eq!(scene.hosted.take_seen(), WITH_PUSHES, "a commit has no verified signature");
}

#[tokio::test]
async fn a_token_costs_one_more_call_before_the_others() {
    let scene = Scene::new().await;
    scene.world.host.revoke_tokens();
    scene.world.clock.advance(SignedDuration::from_hours(1));
    scene.open("a", "production").await;
    assert_eq!(scene.hosted.take_seen(), ["POST /app/installations/1/access_tokens", ONE_CALL[0]]);
}

#[tokio::test]
async fn a_moved_file_costs_two_more_calls_if_a_condition_looks_at_paths() {
    let scene = Scene::new().await;
    let moved = FileChange { path: "src/b".into(), previous_path: Some("src/a".into()), additions: 1, deletions: 0 };
    scene.push(NewCommit { verified: true, files: vec![moved], ..NewCommit::default() });
    let read = async |files| {
        let needs = Needs { files, ..Needs::default() };
        scene.gate.code_host.read(&pull_request("acme/checkout#1"), &needs).await.expect("facts");
        scene.hosted.take_seen()
    };
    assert_eq!(read(false).await, ONE_CALL);
    let files = "GET /repos/acme/checkout/pulls/1/files?per_page=100";
    assert_eq!(read(true).await, [ONE_CALL[0], files, "POST /graphql Facts"]);
}

#[tokio::test]
async fn every_further_page_of_all_lists_costs_one_call() {
    let scene = Scene::new().await;
    let commits = (0..119).map(|_| NewCommit { verified: true, ..NewCommit::default() }).collect();
    scene.push_all(commits);
    for _ in 0..120 {
        scene.world.review("pia", ReviewEvent::RequestChanges);
    }
    scene.gate.code_host.read(&pull_request("acme/checkout#1"), &Needs::default()).await.expect("facts");
    let seen = scene.hosted.take_seen();
    assert_eq!(seen, [ONE_CALL[0], "POST /graphql Facts commits reviews", "POST /graphql Facts commits"]);
}

#[tokio::test]
async fn a_team_of_another_organization_costs_one_call_at_the_same_time() {
    let scene = Scene::new().await;
    let elsewhere = TeamSlug::new("globex/audit").expect("a team");
    let made = scene.world.host.change(|change| {
        let members = vec![NewMember { login: login("pat"), state: MembershipState::Active }];
        change.create_team(&NewTeam { team: elsewhere.clone(), name: None, parent: None, members })
    });
    made.expect("a team");
    let needs = Needs { teams: [elsewhere.clone()].into(), ..Needs::default() };
    let read = async || scene.gate.code_host.read(&pull_request("acme/checkout#1"), &needs).await.expect("facts");
    assert_eq!(read().await.teams[&elsewhere].len(), 1);
    scene.hosted.take_seen();
    read().await;
    let mut seen = scene.hosted.take_seen();
    seen.sort();
    assert_eq!(seen, [ONE_CALL[0], "POST /graphql Teams"]);
}

#[tokio::test]
async fn a_decision_costs_one_point_and_points_and_calls_are_counted_apart() {
    let scene = Scene::new().await;
    let client = scene.hosted.client();
    let at = pull_request("acme/checkout#1");
    let needs = Needs { teams: ["acme/payments", "acme/sre"].map(team).into(), ..Needs::everything() };
    client.read(&at, &needs).await.expect("facts");
    let before = client.quota().await;
    client.read(&at, &needs).await.expect("facts");
    let after = client.quota().await;
    let spent = |before: Option<Remaining>, after: Option<Remaining>| {
        before.expect("it is known").left - after.expect("it is known").left
    };
    assert_eq!((spent(before.graphql, after.graphql), spent(before.rest, after.rest)), (1, 1));
    assert_eq!(after.graphql.map(|graphql| graphql.limit), Some(5000));
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
    assert_eq!(scene.hosted.take_seen(), ONE_CALL, "a delivery");
    scene.world.clock.advance(SignedDuration::from_mins(11));
    let swept = app::sweep(&scene.gate).await.expect("a sweep");
    assert_eq!(swept.due, many);
    assert_eq!(scene.hosted.take_seen(), ONE_CALL, "a sweep");
    let open = scene.world.store.open_for(&pull_request("acme/checkout#1")).await.expect("requests");
    assert_eq!(open.len(), many, "all of them wait for the second team");
}

#[tokio::test]
async fn requests_with_different_rules_on_one_pull_request_cost_one_reading() {
    let scene = Scene::new().await;
    for environment in ["production", "files", "pushers", "sre"] {
        scene.open(environment, environment).await;
    }
    scene.hosted.take_seen();
    scene.world.review("pia", ReviewEvent::Comment);
    scene.deliver("1").await;
    assert_eq!(scene.hosted.take_seen(), WITH_PUSHES, "a delivery");
    scene.world.clock.advance(SignedDuration::from_mins(11));
    let swept = app::sweep(&scene.gate).await.expect("a sweep");
    assert_eq!((swept.due, scene.hosted.take_seen()), (4, WITH_PUSHES.map(str::to_owned).to_vec()), "a sweep");
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
    assert!(calls <= 3, "one call with three tries, and not {calls}");
}
