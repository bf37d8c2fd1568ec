//! What Apps and people put on a repository's pages: check runs, comments and deployments.
//!
//! Plain records. Knows neither rules nor HTTP nor storage.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ident::{Revision, UserId};

/// A check run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRun {
    /// Its id.
    pub id: u64,
    /// The repository's id.
    pub repository: u64,
    /// The commit it stands on.
    pub head_sha: Revision,
    /// Its name.
    pub name: String,
    /// What its maker calls it.
    pub external_id: String,
    /// `queued`, `in_progress` or `completed`.
    pub status: String,
    /// How it ended.
    pub conclusion: Option<String>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// What it says.
    pub output: CheckOutput,
    /// Its buttons.
    pub actions: Vec<CheckAction>,
    /// How often it was written, 1 for once.
    pub writes: u64,
}

/// What a check run says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CheckOutput {
    /// One line.
    pub title: Option<String>,
    /// Markdown.
    pub summary: Option<String>,
    /// Markdown.
    pub text: Option<String>,
}

/// A button of a check run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckAction {
    /// What stands on it.
    pub label: String,
    /// What it does.
    pub description: String,
    /// What its maker is told when it is pressed.
    pub identifier: String,
}

/// A comment on a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// Its id.
    pub id: u64,
    /// The repository's id.
    pub repository: u64,
    /// The pull request's number.
    pub number: u64,
    /// Who wrote it.
    pub user: UserId,
    /// Its text.
    pub body: String,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it was last edited.
    pub updated_at: Timestamp,
    /// How often it was written, 1 for once.
    pub writes: u64,
}

/// A deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// Its id.
    pub id: u64,
    /// The repository's id.
    pub repository: u64,
    /// The commit.
    pub sha: Revision,
    /// What was asked to be deployed.
    #[serde(rename = "ref")]
    pub reference: String,
    /// What kind of deployment.
    pub task: String,
    /// Where.
    pub environment: String,
    /// In its maker's words.
    pub description: Option<String>,
    /// For programs.
    pub payload: Value,
    /// Who made it.
    pub creator: UserId,
    /// Whether it will not be there for long.
    pub transient: bool,
    /// Whether users meet it there.
    pub production: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// How it went, oldest first.
    pub statuses: Vec<DeploymentStatus>,
    /// The workflow run that it is of, which waits for the App's answer.
    #[serde(default)]
    pub protection: Option<Protected>,
}

/// A workflow run that a custom protection rule holds back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protected {
    /// The run's id.
    pub run_id: u64,
    /// What the App has told, oldest first.
    pub answers: Vec<ProtectionAnswer>,
}

/// What the App told of a deployment that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtectionAnswer {
    /// `approved` or `rejected`; none: it goes on waiting.
    pub state: Option<String>,
    /// In words.
    pub comment: String,
}

/// One thing that is told of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentStatus {
    /// Its id.
    pub id: u64,
    /// Who told it.
    pub creator: UserId,
    /// `pending`, `success`, …
    pub state: String,
    /// In words.
    pub description: String,
    /// When.
    pub created_at: Timestamp,
}
