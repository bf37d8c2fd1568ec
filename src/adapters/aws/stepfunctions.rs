//! Step Functions: resumes a waiting execution once.
//!
//! Error codes: <https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html>.

use std::cmp::Ordering;
use std::sync::OnceLock;

use async_trait::async_trait;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::types::ExecutionStatus;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::connection::Connection;
use super::error::{SdkError, describe};
use crate::ports::{Answer, CallbackError, ExecutionCallback, SettleClaim};
use crate::request::{CallbackOutcome, ExecutionRef};

/// The token is no longer valid: it timed out, was answered, or its execution has ended.
const OVER: [&str; 3] = ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"];

/// By how much two reports of the start of one execution may differ.
const SAME_START_SECONDS: i64 = 60;

pub struct StepFunctions {
    connection: Connection,
    client: OnceLock<Client>,
}

impl StepFunctions {
    /// Sends nothing before the first answer.
    #[must_use]
    pub const fn new(connection: Connection) -> Self {
        Self { connection, client: OnceLock::new() }
    }

    fn client(&self) -> &Client {
        self.client.get_or_init(|| self.connection.step_functions())
    }
}

#[async_trait]
impl ExecutionCallback for StepFunctions {
    async fn resume(&self, claim: &SettleClaim, answer: &Answer) -> Result<CallbackOutcome, CallbackError> {
        let client = self.client();
        let token = claim.token().expose();
        match answer {
            Answer::Success { output, comment: _ } => {
                outcome(client.send_task_success().task_token(token).output(output).send().await)
            }
            Answer::Failure { error, cause, comment: _ } => {
                outcome(client.send_task_failure().task_token(token).error(error).cause(cause).send().await)
            }
        }
    }

    async fn is_running(&self, execution: &ExecutionRef) -> Result<bool, CallbackError> {
        let ExecutionRef { arn, started_at, redrive } = execution;
        let redrive = *redrive;
        let call = self.client().describe_execution().execution_arn(arn.as_str());
        match call.send().await {
            // Another execution with the same name, which Step Functions allows 90 days after the end of the first.
            Ok(described) if described.start_date().secs() > started_at.as_second() + SAME_START_SECONDS => Ok(false),
            Ok(described) => {
                let running = *described.status() == ExecutionStatus::Running;
                let described_run = described.redrive_count().map_or(i64::from(redrive), i64::from);
                Ok(match described_run.cmp(&i64::from(redrive)) {
                    // The description may be a moment old. One of an earlier run says nothing about this run.
                    Ordering::Less => true,
                    Ordering::Equal => running,
                    // A later run begins after this one has ended.
                    Ordering::Greater => false,
                })
            }
            Err(error) => Err(CallbackError { detail: format!("Step Functions: {}", describe(&error)) }),
        }
    }
}

fn outcome<T, E: ProvideErrorMetadata>(sent: Result<T, SdkError<E>>) -> Result<CallbackOutcome, CallbackError> {
    let Err(error) = sent else { return Ok(CallbackOutcome::Taken) };
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
    if code.is_some_and(|code| OVER.contains(&code)) {
        return Ok(CallbackOutcome::TokenOver);
    }
    Err(CallbackError { detail: format!("Step Functions: {}", describe(&error)) })
}
