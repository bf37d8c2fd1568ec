//! Answers to Step Functions: what is sent, how often, and the meaning of each error.

use countersign::adapters::aws::stepfunctions::StepFunctions;
use countersign::adapters::embedded::store::EmbeddedStore;
use countersign::approval::decision::Verdict;
use countersign::ports::{
    Answer, CallbackError, ExecutionCallback as _, ProtectionComment, RequestStore as _, SettleClaim,
};
use countersign::request::record::{Entry, RecordKind};
use countersign::request::{CallbackOutcome, ExecutionRef};
use serde_json::json;

use super::cloud::{Cloud, nowhere};
use crate::specimen::{at, decision, execution, opening, pending};

const TOKEN: &str = "AQCEAAAAKgAAAAMAAAAAAAAAAthe-token";

async fn claim() -> SettleClaim {
    let store = EmbeddedStore::in_memory().expect("a store");
    let request = pending("one", 0);
    store.write(opening(request.clone(), TOKEN)).await.expect("a request");
    let request = store.request(&request.id).await.expect("an answer").expect("a request");
    let entry =
        Entry { kind: RecordKind::Claimed, at: at(1), decision: Some(decision(Verdict::Approved)), facts: None };
    SettleClaim::take(&store, &request, entry).await.expect("a claim")
}

fn success() -> Answer {
    Answer::Success { output: r#"{"approved":true}"#.to_owned(), comment: ProtectionComment::new("") }
}

fn failure() -> Answer {
    let comment = ProtectionComment::new("");
    Answer::Failure { error: "Countersign.Rejected".to_owned(), cause: r#"{"verdict":"rejected"}"#.to_owned(), comment }
}

async fn resumed(cloud: &Cloud, answer: &Answer) -> Result<CallbackOutcome, CallbackError> {
    StepFunctions::new(cloud.connection()).resume(&claim().await, answer).await
}

#[tokio::test]
async fn an_answer_is_sent_once_with_the_token_and_what_was_decided() {
    let cloud = Cloud::new([(200, "{}".to_owned())]).await;
    for (answer, target, sent) in [
        (success(), "SendTaskSuccess", json!({ "taskToken": TOKEN, "output": r#"{"approved":true}"# })),
        (
            failure(),
            "SendTaskFailure",
            json!({ "taskToken": TOKEN, "error": "Countersign.Rejected", "cause": r#"{"verdict":"rejected"}"# }),
        ),
    ] {
        assert_eq!(resumed(&cloud, &answer).await, Ok(CallbackOutcome::Taken));
        let call = cloud.calls().pop().expect("a call");
        assert_eq!((call.target.as_str(), call.json()), (format!("AWSStepFunctions.{target}").as_str(), sent));
    }
    assert_eq!(cloud.calls().len(), 2);
}

#[tokio::test]
async fn a_token_without_a_waiting_task_is_no_longer_valid() {
    for code in ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"] {
        let cloud = Cloud::new([(400, json!({ "__type": code, "message": TOKEN }).to_string())]).await;
        for answer in [success(), failure()] {
            assert_eq!(resumed(&cloud, &answer).await, Ok(CallbackOutcome::TokenOver), "{code}");
        }
    }
}

#[tokio::test]
async fn an_execution_runs_if_step_functions_says_so_and_otherwise_it_is_unknown() {
    let described_at = |started: i64, status: &str, redrives: u32| {
        let arn = execution("one");
        let described = json!({
            "executionArn": arn, "stateMachineArn": arn, "status": status, "redriveCount": redrives,
            "startDate": at(started).as_second()
        });
        described.to_string()
    };
    let described = |status: &str, redrives: u32| described_at(0, status, redrives);
    let run = ExecutionRef { arn: execution("one"), started_at: at(0), redrive: 1 };
    for (status, body, expected) in [
        (200, described("RUNNING", 1), Some(true)),
        (200, described("ABORTED", 1), Some(false)),
        (200, described("RUNNING", 2), Some(false)),
        // Step Functions may describe the run before for a moment.
        (200, described("ABORTED", 0), Some(true)),
        (200, described("PENDING_REDRIVE", 1), Some(false)),
        // Another execution has the same name now.
        (200, described_at(90 * 86_400, "RUNNING", 1), Some(false)),
        (200, described_at(90 * 86_400, "RUNNING", 0), Some(false)),
        (400, json!({ "__type": "ExecutionDoesNotExist" }).to_string(), None),
    ] {
        let cloud = Cloud::new([(status, body)]).await;
        let said = StepFunctions::new(cloud.connection()).is_running(&run).await;
        assert_eq!(said.ok(), expected);
        let call = cloud.calls().pop().expect("a call");
        assert_eq!(call.json(), json!({ "executionArn": execution("one") }));
    }
}

#[tokio::test]
async fn an_unclear_result_is_an_error_without_the_token_and_is_not_repeated() {
    let refused = |code: &str| json!({ "__type": code, "message": format!("invalid: {TOKEN}") }).to_string();
    for (status, body) in [
        (400, refused("ThrottlingException")),
        (400, refused("ValidationException")),
        (500, refused("InternalFailure")),
        (503, String::new()),
    ] {
        let cloud = Cloud::new([(status, body)]).await;
        let error = resumed(&cloud, &success()).await.expect_err("it is not known");
        assert_eq!(cloud.calls().len(), 1, "{error}");
        assert!(!format!("{error} {error:?}").contains(TOKEN), "{error}");
    }
    let error = StepFunctions::new(nowhere().await).resume(&claim().await, &success()).await.expect_err("nobody");
    assert!(error.detail.contains("no connection"), "{error}");
}
