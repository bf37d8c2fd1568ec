//! The records of check runs, comments and deployments. Knows neither rules nor HTTP nor storage.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ident::{Revision, UserId};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRun {
    pub id: u64,
    pub repository: u64,
    pub head_sha: Revision,
    pub name: String,
    /// The App's own id for it.
    pub external_id: String,
    /// `queued`, `in_progress` or `completed`.
    pub status: String,
    pub conclusion: Option<String>,
    pub started_at: Option<Timestamp>,
    pub completed_at: Option<Timestamp>,
    pub output: CheckOutput,
    pub actions: Vec<CheckAction>,
    /// How often it was written. At least 1.
    pub writes: u64,
}

/// The text of a check run. `summary` and `text` are Markdown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CheckOutput {
    pub title: Option<String>,
    pub summary: Option<String>,
    pub text: Option<String>,
}

/// A button of a check run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckAction {
    pub label: String,
    pub description: String,
    /// The App gets it when the button is pressed.
    pub identifier: String,
}

/// A comment on a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    pub id: u64,
    pub repository: u64,
    pub number: u64,
    pub user: UserId,
    pub body: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// How often it was written. At least 1.
    pub writes: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    pub id: u64,
    pub repository: u64,
    pub sha: Revision,
    /// As requested: a commit, branch or tag.
    #[serde(rename = "ref")]
    pub reference: String,
    /// GitHub's kind of deployment, usually `deploy`.
    pub task: String,
    pub environment: String,
    pub description: Option<String>,
    pub payload: Value,
    pub creator: UserId,
    /// Whether the environment is short-lived.
    pub transient: bool,
    /// Whether users see the environment.
    pub production: bool,
    pub created_at: Timestamp,
    /// Oldest first.
    pub statuses: Vec<DeploymentStatus>,
    /// The workflow run that waits for the App's answer.
    #[serde(default)]
    pub protection: Option<Protected>,
}

/// A workflow run that a custom protection rule holds back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protected {
    pub run_id: u64,
    /// Oldest first.
    pub answers: Vec<ProtectionAnswer>,
}

/// An answer of the App to a deployment that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtectionAnswer {
    /// `approved` or `rejected`. `None` is a report: the deployment keeps waiting.
    pub state: Option<String>,
    pub comment: String,
}

/// A status of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentStatus {
    pub id: u64,
    pub creator: UserId,
    /// `pending`, `success`, …
    pub state: String,
    pub description: String,
    pub created_at: Timestamp,
}
