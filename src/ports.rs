//! What the use cases ask of the world, in the domain's words.
//!
//! Small traits and their errors. Nothing here names AWS, GitHub's API or HTTP: that is the adapters' business.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::approval::facts::{Person, PullRequest, Review};
use crate::ident::{PullRequestRef, RepositoryName, Revision, TeamSlug};

/// The time.
pub trait Clock: Send + Sync {
    /// Now, in UTC.
    fn now(&self) -> Timestamp;
}

/// Where pull requests are reviewed.
///
/// An answer is whole or an error: lists are paged to the end, and where the host itself caps one, the fact is marked
/// incomplete. What a verified delivery told is laid over the answers by the use cases, not here.
#[async_trait]
pub trait CodeHost: Send + Sync {
    /// The pull request as it is now, with its files, commits and, as far as the host tells, pushers.
    ///
    /// # Errors
    /// [`CodeHostError::NotFound`] where there is none, else [`CodeHostError::Unavailable`].
    async fn pull_request(&self, pull_request: &PullRequestRef) -> Result<PullRequest, CodeHostError>;

    /// All its reviews, in the order in which they were given, each bound by the API only.
    ///
    /// # Errors
    /// As [`CodeHost::pull_request`].
    async fn reviews(&self, pull_request: &PullRequestRef) -> Result<Vec<Review>, CodeHostError>;

    /// The team's active members, those of child teams included. None: the team is gone, or may not be read.
    ///
    /// # Errors
    /// [`CodeHostError::Unavailable`].
    async fn team_members(&self, team: &TeamSlug) -> Result<Option<Vec<Person>>, CodeHostError>;

    /// The pull requests of the repository whose head or merge commit the revision is.
    ///
    /// # Errors
    /// As [`CodeHost::pull_request`].
    async fn pull_requests_of(
        &self,
        repository: &RepositoryName,
        revision: &Revision,
    ) -> Result<Vec<PullRequestRef>, CodeHostError>;
}

/// Why the code host gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodeHostError {
    /// There is no such thing, or we may not see it.
    #[error("{what} was not found")]
    NotFound {
        /// What was asked for.
        what: String,
    },
    /// It could not answer now.
    #[error("the code host did not answer: {detail}")]
    Unavailable {
        /// What it said.
        detail: String,
    },
}
