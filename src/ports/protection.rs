//! Deployments that the code host itself holds back until they are answered: GitHub's custom deployment protection rules.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::CallbackError;
use crate::ident::{ExecutionArn, IdentError, Login, RepositoryName, Revision, TaskToken};
use crate::request::CallbackOutcome;

/// How the identity of such a deployment begins. No execution of Step Functions has one of this form.
const ARN_PREFIX: &str = "arn:github:actions:";
/// The most characters of a comment that GitHub takes.
const LONGEST_COMMENT: usize = 1024;

/// The run that waits, and the environment that it waits for: all that an answer is addressed with. Nothing of it is
/// secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtectedRun {
    /// The repository.
    pub repository: RepositoryName,
    /// The workflow run's number.
    pub run_id: u64,
    /// The environment, in the host's own spelling.
    pub environment: String,
}

/// What the code host asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtectionAsked {
    /// What is to be answered.
    pub run: ProtectedRun,
    /// The repository's number, which stays when it is renamed.
    pub repository_id: u64,
    /// The deployment's number: another for each attempt of a run.
    pub deployment_id: u64,
    /// The commit that is to be deployed.
    pub revision: Revision,
    /// Who began it; none where that is no person.
    pub requester: Option<Login>,
    /// What set the workflow off, `push` say.
    pub event: Option<String>,
}

/// What the host is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// Go on waiting: a report of how it stands, of which GitHub takes 10 a deployment.
    Waits,
    /// Deploy. There is no way back.
    Approved,
    /// Do not.
    Rejected,
}

/// How such deployments are answered.
#[async_trait]
pub trait ProtectionDesk: Send + Sync {
    /// Answers, once: nothing is repeated behind this call. That it was answered before, or waits no longer, is an
    /// outcome and not an error.
    ///
    /// # Errors
    /// [`CallbackError`]: it is not known whether the answer was taken.
    async fn answer(
        &self,
        run: &ProtectedRun,
        protection: Protection,
        comment: &ProtectionComment,
    ) -> Result<CallbackOutcome, CallbackError>;
}

/// Words to an answer, cut to what GitHub takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtectionComment(String);

impl ProtectionComment {
    /// Cuts a text that is too long, and says so by its last character.
    #[must_use]
    pub fn new(text: &str) -> Self {
        if text.chars().nth(LONGEST_COMMENT).is_none() {
            return Self(text.to_owned());
        }
        Self(text.chars().take(LONGEST_COMMENT - 1).chain(['…']).collect())
    }

    /// The words.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ProtectionAsked {
    /// The identity of what waits: the same however often the event comes.
    ///
    /// # Errors
    /// [`IdentError`]: the environment has a name that no policy can hold.
    pub fn execution(&self) -> Result<ExecutionArn, IdentError> {
        let Self { run, repository_id, deployment_id, .. } = self;
        ExecutionArn::new(&format!("{ARN_PREFIX}{repository_id}:{}:{deployment_id}:{}", run.run_id, run.environment))
    }
}

impl ProtectedRun {
    /// Whether an execution is such a deployment.
    #[must_use]
    pub fn is(execution: &ExecutionArn) -> bool {
        execution.as_str().starts_with(ARN_PREFIX)
    }

    /// As what a request is stored with to be answered.
    ///
    /// # Errors
    /// [`IdentError`]: the names are too long.
    pub fn token(&self) -> Result<TaskToken, IdentError> {
        TaskToken::new(&serde_json::to_string(self).unwrap_or_default())
    }

    /// The run that a token was made of.
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

    #[test]
    fn a_comment_is_cut_to_what_github_takes_by_characters() {
        assert_eq!(ProtectionComment::new(&"ä".repeat(1024)).as_str(), "ä".repeat(1024));
        let cut = ProtectionComment::new(&"ä".repeat(1025));
        assert_eq!((cut.as_str().chars().count(), cut.as_str().ends_with('…')), (1024, true));
    }
}
