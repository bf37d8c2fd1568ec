//! The gate's steps, with the payloads that the state machine sends.

use countersign::adapters::embedded::simulator::change::ReviewEvent;
use countersign::app::Failure;
use countersign::lambda::gate;
use countersign::request::{End, State};
use serde_json::{Value, json};

use super::{Lines, NOWHERE, installation};
use crate::gate_world::GateWorld;
use crate::gate_world::fuse::Fuse;
use crate::specimen::at;

const TOKEN: &str = "AQCEAAAAKgAAAAMAAAAAAAAAAthe-token";

struct Machine {
    world: GateWorld,
    function: countersign::lambda::installation::Installation,
}

impl Machine {
    fn new(environment: &'static str) -> Self {
        let world = GateWorld::new(environment);
        let function = installation(&world, world.gate(&Fuse::never()), &Lines::default(), NOWHERE);
        Self { world, function }
    }

    async fn step(&self, step: &str, more: Value) -> Result<Value, Failure> {
        let input = json!({
            "service": "checkout", "environment": self.world.environment, "pullRequest": "acme/checkout#1"
        });
        let execution = GateWorld::execution();
        let execution = json!({
            "arn": execution.arn, "name": "one", "started": execution.started_at, "redrive": execution.redrive,
            "input": input
        });
        let mut event = json!({ "step": step, "execution": execution });
        event.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        gate::step(&self.function, event).await
    }

    async fn evaluated(&self) -> Value {
        self.step("evaluate", json!({ "pinned": null })).await.expect("a route")
    }

    async fn waits(&self) {
        let pinned = self.evaluated().await["pinned"].clone();
        self.world.broker.wait_with(TOKEN);
        let more = json!({ "pinned": pinned, "token": TOKEN, "retry": 0 });
        let opened = self.step("request-approval", more).await.expect("a request");
        assert_eq!(opened, json!({ "request_id": GateWorld::execution().request_id() }));
    }

    async fn settled(&self, how: &str, failure: Value) -> Value {
        self.step("settle", json!({ "how": how, "failure": failure })).await.expect("an end")
    }
}

#[tokio::test]
async fn an_approval_is_released_with_the_names_of_those_who_gave_it() {
    let machine = Machine::new("production");
    let evaluated = machine.evaluated().await;
    assert_eq!((&evaluated["route"], &evaluated["timeout_seconds"]), (&"request-approval".into(), &3600.into()));
    assert_eq!(evaluated["pinned"]["pull_request"], "acme/checkout#1");
    machine.waits().await;
    machine.world.review("pia", ReviewEvent::Approve);
    machine.world.deliver(&machine.function.app, "one").await.expect("worked");
    assert_eq!(machine.world.broker.taken(), [End::Approved]);
    let verified = machine.step("verify", json!({})).await.expect("a route");
    assert_eq!(verified["route"], "release");
    assert_eq!(verified["output"]["decision"]["counts"], json!(["pia"]));
    assert_eq!((&verified["output"]["approved"], &verified["output"]["enforced"]), (&true.into(), &true.into()));
}

#[tokio::test]
async fn a_pull_request_that_is_approved_already_goes_straight_to_verify() {
    let machine = Machine::new("production");
    machine.world.review("pia", ReviewEvent::Approve);
    machine.world.deliver(&machine.function.app, "one").await.expect("worked");
    assert_eq!(machine.evaluated().await["route"], "verify");
    assert_eq!(machine.step("verify", json!({})).await.expect("a route")["route"], "release");
}

#[tokio::test]
async fn a_refusal_ends_with_its_name_and_with_the_decision_as_its_cause() {
    let machine = Machine::new("nowhere");
    let evaluated = machine.evaluated().await;
    assert_eq!((&evaluated["route"], &evaluated["error"]), (&"end".into(), &"Countersign.Denied".into()));
    let cause: Value = serde_json::from_str(evaluated["cause"].as_str().expect("a text")).expect("JSON");
    assert_eq!(cause["verdict"], "denied");
}

#[tokio::test]
async fn an_approval_that_was_withdrawn_is_refused_at_release_with_a_result() {
    let machine = Machine::new("production");
    machine.waits().await;
    machine.world.review("pia", ReviewEvent::Approve);
    machine.world.deliver(&machine.function.app, "one").await.expect("worked");
    machine.world.review("pat", ReviewEvent::RequestChanges);
    machine.world.deliver(&machine.function.app, "two").await.expect("worked");
    let verified = machine.step("verify", json!({})).await.expect("a route");
    assert_eq!((&verified["route"], &verified["error"]), (&"end".into(), &"Countersign.Rejected".into()));
}

#[tokio::test]
async fn an_incomplete_input_is_an_error_whose_message_names_the_field() {
    let machine = Machine::new("production");
    let execution = json!({
        "arn": GateWorld::execution().arn, "started": at(0), "redrive": 0, "input": { "service": "checkout" }
    });
    let event = json!({ "step": "evaluate", "execution": execution, "pinned": null });
    let failure = gate::step(&machine.function, event).await.expect_err("refused");
    assert_eq!(failure.name(), "Countersign.InvalidInput");
    assert!(failure.cause().contains("`environment`"), "{}", failure.cause());
}

#[tokio::test]
async fn an_event_of_another_release_is_refused_and_nothing_of_it_is_repeated() {
    let machine = Machine::new("production");
    let execution = json!({ "arn": GateWorld::execution().arn, "started": at(0), "redrive": 0, "input": {} });
    for event in [
        json!({ "step": TOKEN, "execution": execution }),
        json!({ "step": "request-approval", "execution": execution, "pinned": {}, "token": { "is": TOKEN }, "retry": 0 }),
        json!({ "step": "request-approval", "execution": execution, "token": TOKEN, "pinned": TOKEN, "retry": 0 }),
        json!({ "step": "verify" }),
        json!([TOKEN]),
    ] {
        let failure = gate::step(&machine.function, event).await.expect_err("refused");
        assert_eq!(failure.name(), "Countersign.Unavailable");
        assert!(!format!("{failure:?} {}", failure.cause()).contains(TOKEN), "{failure}");
    }
}

#[tokio::test]
async fn a_step_that_is_retried_takes_the_new_token_and_notifies_nobody_twice() {
    let machine = Machine::new("production");
    machine.waits().await;
    let sent = machine.world.channel.notified().len();
    machine.world.broker.wait_with("another");
    let pinned = machine.evaluated().await["pinned"].clone();
    let more = json!({ "pinned": pinned, "token": "another", "retry": 1 });
    machine.step("request-approval", more).await.expect("the same request");
    assert_eq!(machine.world.channel.notified().len(), sent);
    machine.world.review("pia", ReviewEvent::Approve);
    machine.world.deliver(&machine.function.app, "one").await.expect("worked");
    assert_eq!(machine.world.broker.taken(), [End::Approved]);
}

#[tokio::test]
async fn without_an_answer_in_time_the_request_is_closed_and_the_execution_ends_as_expired() {
    let machine = Machine::new("production");
    machine.waits().await;
    machine.world.minutes_pass(61);
    let end = machine.settled("timed-out", json!({ "Error": "States.Timeout", "Cause": "" })).await;
    assert_eq!(end["error"], "Countersign.Expired");
    let cause: Value = serde_json::from_str(end["cause"].as_str().expect("a text")).expect("JSON");
    assert_eq!(cause["verdict"], "expired");
    assert!(matches!(machine.world.request().await.state, State::Closed(closed) if closed.end == End::Expired));
}

#[tokio::test]
async fn a_rejection_that_was_sent_is_what_the_execution_ends_with() {
    let machine = Machine::new("production");
    machine.waits().await;
    machine.world.review("pat", ReviewEvent::RequestChanges);
    machine.world.deliver(&machine.function.app, "one").await.expect("worked");
    let cause = r#"{"verdict":"rejected"}"#;
    let end = machine.settled("stopped", json!({ "Error": "Countersign.Rejected", "Cause": cause })).await;
    assert_eq!(end, json!({ "error": "Countersign.Rejected", "cause": cause }));
    assert!(matches!(machine.world.request().await.state, State::Closed(closed) if closed.end == End::Rejected));
}

#[tokio::test]
async fn a_step_that_failed_for_good_closes_the_request_and_says_so() {
    let machine = Machine::new("production");
    machine.waits().await;
    let end = machine.settled("stopped", json!({ "Error": "Lambda.Unknown", "Cause": TOKEN })).await;
    assert_eq!(end["error"], "Countersign.Unavailable");
    assert!(!end.to_string().contains(TOKEN));
    assert!(matches!(machine.world.request().await.state, State::Closed(closed) if closed.end == End::Canceled));
}

#[tokio::test]
async fn an_execution_without_a_request_is_settled_as_well() {
    let machine = Machine::new("production");
    let end = machine.settled("stopped", json!({ "Error": "Countersign.PolicyInvalid" })).await;
    assert_eq!(end["error"], "Countersign.PolicyInvalid");
    assert_eq!(
        machine.settled("timed-out", json!({ "Error": "States.Timeout" })).await["error"],
        "Countersign.Expired"
    );
}
