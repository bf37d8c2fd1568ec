//! One-time tokens and idempotent starts, as in Step Functions.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Broker, BrokerError, Status, TaskError, TaskOutcome};
use crate::adapters::embedded::clock::MovableClock;
use crate::ident::TaskToken;
use crate::ports::ExecutionCallback as _;
use crate::request::ExecutionRef;

fn broker() -> (Broker, Arc<MovableClock>) {
    let clock = Arc::new(MovableClock::fixed("2026-11-18T10:00:00Z".parse::<Timestamp>().unwrap()));
    (Broker::in_memory(clock.clone()).unwrap(), clock)
}

fn waiting(broker: &Broker) -> TaskToken {
    broker.start("a", json!({})).unwrap();
    broker.wait_for_token("a", &Value::Null, 60).unwrap()
}

#[test]
fn the_first_answer_is_accepted_and_every_later_one_times_out() {
    let (broker, _) = broker();
    let token = waiting(&broker);
    assert_eq!(broker.send_task_success(&token, "{}").unwrap(), Ok(()));
    assert_eq!(broker.send_task_failure(&token, "No", "").unwrap(), Err(TaskError::TaskTimedOut));
    let task = broker.execution("a").unwrap().task.unwrap();
    assert_eq!(task.outcome, TaskOutcome::Succeeded("{}".to_owned()));
}

#[test]
fn an_answer_at_the_timeout_is_late_even_before_the_timeout_is_noticed() {
    let (broker, clock) = broker();
    let token = waiting(&broker);
    clock.advance(SignedDuration::from_secs(60));
    assert_eq!(broker.send_task_success(&token, "{}").unwrap(), Err(TaskError::TaskTimedOut));
    broker.expire_tasks().unwrap();
    assert_eq!(broker.execution("a").unwrap().task.unwrap().outcome, TaskOutcome::TimedOut);
}

#[test]
fn a_retry_gets_a_new_token_and_invalidates_the_old_one() {
    let (broker, _) = broker();
    let old = waiting(&broker);
    let new = broker.wait_for_token("a", &Value::Null, 60).unwrap();
    assert_eq!(broker.send_task_success(&old, "{}").unwrap(), Err(TaskError::TaskTimedOut));
    assert_eq!(broker.send_task_success(&new, "{}").unwrap(), Ok(()));
}

#[test]
fn an_answer_that_breaks_a_limit_is_refused_and_the_task_keeps_waiting() {
    let (broker, _) = broker();
    let token = waiting(&broker);
    assert_eq!(broker.send_task_success(&token, "{").unwrap(), Err(TaskError::InvalidOutput));
    assert_eq!(broker.send_task_failure(&token, "States.Nope", "").unwrap(), Err(TaskError::Validation));
    assert_eq!(broker.send_task_failure(&token, "A", &"x".repeat(32_769)).unwrap(), Err(TaskError::Validation));
    assert_eq!(broker.send_task_success(&token, "{}").unwrap(), Ok(()));
}

#[test]
fn an_unknown_token_is_invalid_and_one_of_an_ended_execution_has_timed_out() {
    let (broker, _) = broker();
    let token = waiting(&broker);
    let made_up = TaskToken::new("nobody/0").unwrap();
    assert_eq!(broker.send_task_success(&made_up, "{}").unwrap(), Err(TaskError::InvalidToken));
    broker.end("a", Status::Aborted).unwrap();
    assert_eq!(broker.send_task_success(&token, "{}").unwrap(), Err(TaskError::TaskTimedOut));
}

#[test]
fn starting_is_idempotent_while_the_execution_runs() {
    let (broker, _) = broker();
    broker.start("a", json!({ "n": 1 })).unwrap();
    assert!(broker.start("a", json!({ "n": 1 })).is_ok());
    assert!(matches!(broker.start("a", json!({ "n": 2 })), Err(BrokerError::AlreadyExists { .. })));
    broker.end("a", Status::Aborted).unwrap();
    assert!(matches!(broker.start("a", json!({ "n": 1 })), Err(BrokerError::AlreadyExists { .. })));
    assert!(matches!(broker.start("a b", json!({})), Err(BrokerError::InvalidName { .. })));
}

#[test]
fn a_failed_execution_is_redriven_with_the_same_input_and_a_finished_one_is_not() {
    let (broker, _) = broker();
    waiting(&broker);
    assert!(matches!(broker.redrive("a", &Value::Null), Err(BrokerError::NotRedrivable { .. })));
    broker.end("a", Status::Failed { error: "E".to_owned(), cause: String::new() }).unwrap();
    assert_eq!(broker.redrive("a", &Value::Null).unwrap().redrive, 1);
}

#[tokio::test]
async fn an_execution_runs_in_its_newest_run_only_and_until_that_ends() {
    let (broker, _) = broker();
    waiting(&broker);
    let failed = Status::Failed { error: "E".to_owned(), cause: String::new() };
    broker.end("a", failed.clone()).unwrap();
    let second = broker.redrive("a", &Value::Null).unwrap().reference();
    let first = ExecutionRef { redrive: 0, ..second.clone() };
    let other = ExecutionRef { started_at: Timestamp::UNIX_EPOCH, ..second.clone() };
    assert_eq!(broker.is_running(&second).await, Ok(true));
    assert_eq!((broker.is_running(&first).await, broker.is_running(&other).await), (Ok(false), Ok(false)));
    broker.end("a", failed).unwrap();
    assert_eq!(broker.is_running(&second).await, Ok(false));
}

#[test]
fn a_waiting_execution_survives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(MovableClock::real());
    let token = waiting(&Broker::open(folder.path(), clock.clone()).unwrap());
    let again = Broker::open(folder.path(), clock).unwrap();
    assert_eq!(again.running().unwrap().len(), 1);
    assert_eq!(again.send_task_success(&token, "{}").unwrap(), Ok(()));
}

#[test]
fn an_execution_does_not_contain_its_token() {
    let (broker, _) = broker();
    let token = waiting(&broker);
    let secret = token.expose().split_once('/').unwrap().1;
    let printed = serde_json::to_string(&broker.execution("a").unwrap()).unwrap();
    assert!(!printed.contains(secret) && !format!("{token:?}").contains(secret));
}

#[test]
fn an_input_that_is_too_long_for_step_functions_is_refused() {
    let (broker, _) = broker();
    let long = json!({ "x": "y".repeat(262_144) });
    assert!(matches!(broker.start("a", long), Err(BrokerError::InputTooLong)));
}

#[test]
fn only_running_executions_are_listed() {
    let (broker, _) = broker();
    waiting(&broker);
    broker.start("b", json!({})).unwrap();
    broker.end("a", Status::Aborted).unwrap();
    let names: Vec<String> = broker.running().unwrap().into_iter().map(|execution| execution.name).collect();
    assert_eq!(names, ["b"]);
}
