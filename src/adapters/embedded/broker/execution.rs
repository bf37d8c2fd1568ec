//! Executions, the tasks they wait for, and the errors that Step Functions names.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ident::ExecutionArn;

/// An execution of the gate's state machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Execution {
    /// Its ARN, of the form that Step Functions gives.
    pub arn: ExecutionArn,
    /// Its name: the last part of the ARN.
    pub name: String,
    /// What it was started with.
    pub input: Value,
    /// How often it was redriven.
    pub redrive: u32,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it ended.
    pub stopped_at: Option<Timestamp>,
    /// What it is at while it runs, in the words of whoever drives it.
    pub step: Value,
    /// The task that it waits for, if any.
    pub task: Option<Task>,
    /// How far it is.
    pub status: Status,
}

/// A task that waits for its token to be answered. The token itself is kept apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// When it times out.
    pub times_out_at: Timestamp,
    /// What came of it.
    pub outcome: TaskOutcome,
}

/// What came of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskOutcome {
    /// Nothing yet.
    Waiting,
    /// Its token was answered.
    Succeeded(String),
    /// Its token was answered.
    Failed {
        /// The error's name.
        error: String,
        /// More about it.
        cause: String,
    },
    /// It waited as long as it could.
    TimedOut,
}

/// How far an execution is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// It runs, or waits.
    Running,
    /// It came to its end.
    Succeeded {
        /// Its output, as JSON text.
        output: String,
    },
    /// It failed.
    Failed {
        /// The error's name.
        error: String,
        /// More about it.
        cause: String,
    },
    /// Somebody stopped it.
    Aborted,
}

/// An answer that was not taken, by the name that Step Functions gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    /// The token was answered, replaced, or came too late.
    #[error("TaskTimedOut: the task does not exist any more")]
    TaskTimedOut,
    /// There never was such a token.
    #[error("InvalidToken: there is no such token")]
    InvalidToken,
    /// The output is no JSON, or too long. The task goes on waiting.
    #[error("InvalidOutput: the output must be JSON of at most 262144 bytes")]
    InvalidOutput,
    /// The error or cause breaks a limit. The task goes on waiting.
    #[error(
        "ValidationException: an error has at most 256 characters and does not begin with `States.`, a cause 32768"
    )]
    Validation,
}

/// Why an execution was not started, or not found.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// One of this name exists, with another input or ended.
    #[error("ExecutionAlreadyExists: `{name}` was started before, with another input or to its end")]
    AlreadyExists {
        /// The name.
        name: String,
    },
    /// The name is none.
    #[error("InvalidName: `{name}` is not an execution name: letters, digits, `-` and `_`, at most 80")]
    InvalidName {
        /// The name.
        name: String,
    },
    /// The input is longer than Step Functions takes.
    #[error("InvalidExecutionInput: an input has at most 262144 bytes")]
    InputTooLong,
    /// There is none.
    #[error("ExecutionDoesNotExist: there is no execution `{name}`")]
    DoesNotExist {
        /// The name.
        name: String,
    },
    /// It has ended.
    #[error("the execution `{name}` does not run")]
    NotRunning {
        /// The name.
        name: String,
    },
    /// It is not one that can be redriven.
    #[error("ExecutionNotRedrivable: `{name}` has not failed")]
    NotRedrivable {
        /// The name.
        name: String,
    },
    /// The database failed.
    #[error("the database of executions failed: {0}")]
    Storage(String),
}
