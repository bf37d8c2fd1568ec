//! Executions, the tasks they wait for, and the errors that Step Functions names.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ident::ExecutionArn;
use crate::request::ExecutionRef;

/// An execution of the gate's state machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Execution {
    /// In the form of Step Functions.
    pub arn: ExecutionArn,
    /// The last part of the ARN.
    pub name: String,
    pub input: Value,
    /// How often it was redriven.
    pub redrive: u32,
    pub started_at: Timestamp,
    pub stopped_at: Option<Timestamp>,
    /// Its current step, in the words of the code that drives it.
    pub step: Value,
    /// The task that it waits for.
    pub task: Option<Task>,
    pub status: Status,
}

impl Execution {
    #[must_use]
    pub fn reference(&self) -> ExecutionRef {
        ExecutionRef { arn: self.arn.clone(), started_at: self.started_at, redrive: self.redrive }
    }
}

/// A task that waits for an answer to its token. The token itself is stored separately.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    pub times_out_at: Timestamp,
    pub outcome: TaskOutcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskOutcome {
    Waiting,
    Succeeded(String),
    Failed { error: String, cause: String },
    TimedOut,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// It runs, or waits.
    Running,
    Succeeded {
        /// JSON text.
        output: String,
    },
    Failed {
        error: String,
        cause: String,
    },
    /// Somebody stopped it.
    Aborted,
}

/// Why an answer was refused, with the error names of Step Functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    /// The token was answered before, was replaced, or is late.
    #[error("TaskTimedOut: the task no longer exists")]
    TaskTimedOut,
    #[error("InvalidToken: there is no such token")]
    InvalidToken,
    /// The task keeps waiting.
    #[error("InvalidOutput: the output must be JSON of at most 262144 bytes")]
    InvalidOutput,
    /// The task keeps waiting.
    #[error(
        "ValidationException: an error has at most 256 characters and does not begin with `States.`, a cause has at most \
         32768"
    )]
    Validation,
}

/// Why an execution was not started, or not found.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    #[error("ExecutionAlreadyExists: `{name}` was started before with another input, or has ended")]
    AlreadyExists { name: String },
    #[error("InvalidName: `{name}` is not an execution name: letters, digits, `-` and `_`, at most 80")]
    InvalidName { name: String },
    #[error("InvalidExecutionInput: an input has at most 262144 bytes")]
    InputTooLong,
    #[error("ExecutionDoesNotExist: there is no execution `{name}`")]
    DoesNotExist { name: String },
    #[error("the execution `{name}` is not running")]
    NotRunning { name: String },
    #[error("ExecutionNotRedrivable: `{name}` has not failed")]
    NotRedrivable { name: String },
    #[error("the database of executions failed: {0}")]
    Storage(String),
}
