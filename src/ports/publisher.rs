//! Writing to pull requests: checks, the comment, review requests and deployments.

use std::collections::BTreeSet;

use async_trait::async_trait;

use crate::ident::{PullRequestRef, RepositoryName};
use crate::request::published::{Check, Deployment, DeploymentStatus, Reviewer};

/// Writes what people see on a pull request. A call gives the whole content, so that repeating it does no harm.
#[async_trait]
pub trait Publisher: Send + Sync {
    /// Reads what decides how to publish.
    async fn context(&self, at: &PullRequestRef) -> Result<PublishContext, PublisherError>;

    /// Creates or updates a check on its commit. Returns its id.
    async fn put_check(&self, at: &RepositoryName, check: &Check, spot: Spot) -> Result<u64, PublisherError>;

    /// Creates or updates the comment. Returns its id. The comment is found by its first line.
    async fn put_comment(&self, at: &PullRequestRef, text: &str, spot: Spot) -> Result<u64, PublisherError>;

    /// Requests reviews. A reviewer who cannot be requested does not affect the others, and is no error.
    ///
    /// # Errors
    /// [`PublisherError::Unavailable`]: some may have been requested.
    async fn request_reviews(&self, at: &PullRequestRef, reviewers: &[Reviewer]) -> Result<(), PublisherError>;

    /// Creates a deployment, or finds it, and returns its id. An existing one is never changed.
    async fn put_deployment(
        &self,
        at: &RepositoryName,
        deployment: &Deployment,
        spot: Spot,
    ) -> Result<u64, PublisherError>;

    /// Adds a status to a deployment.
    async fn set_deployment(
        &self,
        at: &RepositoryName,
        id: u64,
        status: &DeploymentStatus,
    ) -> Result<(), PublisherError>;
}

/// Where to put something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spot {
    /// It does not exist yet.
    New,
    /// It may exist, since the answer to an earlier attempt was lost. It is looked for first.
    Unsure,
    /// Replace the one with this id.
    At(u64),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishContext {
    /// Whether everybody may read the pull request.
    pub public: bool,
    /// Whose review is requested now.
    pub requested: BTreeSet<Reviewer>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublisherError {
    /// It existed, and no longer does.
    #[error("{what} is gone")]
    Gone { what: String },
    /// Another attempt with the same content would be refused too.
    #[error("the code host refused it: {detail}")]
    Refused { detail: String },
    /// The code host may or may not have done it.
    #[error("the code host did not answer: {detail}")]
    Unavailable { detail: String },
}
