//! Deployments that the code host holds back until it gets an answer: GitHub's custom deployment protection rules.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::CallbackError;
use crate::ident::{ExecutionArn, IdentError, Login, RepositoryName, Revision, TaskToken};
use crate::request::CallbackOutcome;

/// The prefix of such a deployment's ARN. No execution of Step Functions has an ARN of this form.
const ARN_PREFIX: &str = "arn:github:actions:";

/// The workflow run that waits, and the environment it waits for: the address of an answer. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtectedRun {
    pub repository: RepositoryName,
    pub run_id: u64,
    /// In the host's spelling.
    pub environment: String,
}

/// The code host asks whether a run may deploy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtectionRequest {
    pub run: ProtectedRun,
    /// Stays the same when the repository is renamed.
    pub repository_id: u64,
    /// Another one for each attempt of a run.
    pub deployment_id: u64,
    pub revision: Revision,
    /// Who started the run. `None` if that is not a person.
    pub requester: Option<Login>,
    /// The event that triggered the workflow, such as `push`.
    pub event: Option<String>,
}

/// The answer to the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// The deployment still waits: a status report. GitHub accepts 10 of them for a deployment.
    Waits,
    /// Deploy. This cannot be taken back.
    Approved,
    Rejected,
}

#[async_trait]
pub trait ProtectionDesk: Send + Sync {
    /// Answers once; an implementation must not repeat the call. A deployment that was answered before, or that no
    /// longer waits, is an outcome, not an error.
    async fn answer(
        &self,
        run: &ProtectedRun,
        protection: Protection,
        comment: &ProtectionComment,
    ) -> Result<CallbackOutcome, CallbackError>;
}

/// The comment of an answer, as Markdown of the length that GitHub allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtectionComment(String);

impl ProtectionComment {
    /// The most characters that GitHub allows.
    pub const LONGEST: usize = 1024;

    /// `markdown` has nothing in it that others wrote unless it is escaped. What is too long is left out.
    #[must_use]
    pub fn new(markdown: &str) -> Self {
        Self(markdown.chars().take(Self::LONGEST).collect())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ProtectionRequest {
    /// The ARN of what waits. It is the same however often the event comes.
    ///
    /// # Errors
    /// The environment has a name that no policy can contain.
    pub fn execution(&self) -> Result<ExecutionArn, IdentError> {
        let Self { run, repository_id, deployment_id, .. } = self;
        let environment = run.environment.to_ascii_lowercase();
        ExecutionArn::new(&format!("{ARN_PREFIX}{repository_id}:{}:{deployment_id}:{environment}", run.run_id))
    }
}

impl ProtectedRun {
    /// Whether the execution is a deployment that the code host holds back.
    #[must_use]
    pub fn is(execution: &ExecutionArn) -> bool {
        execution.as_str().starts_with(ARN_PREFIX)
    }

    /// The token that a request is stored with: the address of the answer, as JSON.
    ///
    /// # Errors
    /// The names are too long.
    pub fn token(&self) -> Result<TaskToken, IdentError> {
        TaskToken::new(&serde_json::to_string(self).unwrap_or_default())
    }

    /// The run that a token was made from. `None` if the token is another execution's.
    #[must_use]
    pub fn of(token: &TaskToken) -> Option<Self> {
        serde_json::from_str(token.expose()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_comes_back_from_its_token() {
        let repository = RepositoryName::new("acme/checkout").unwrap();
        let run = ProtectedRun { repository, run_id: 7, environment: "production".to_owned() };
        assert_eq!(ProtectedRun::of(&run.token().unwrap()), Some(run));
        assert_eq!(ProtectedRun::of(&TaskToken::new("opaque").unwrap()), None);
    }
}
