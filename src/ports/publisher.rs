//! What people see on a pull request, as the use cases write it.

use std::collections::BTreeSet;

use async_trait::async_trait;

use crate::ident::{PullRequestRef, RepositoryName};
use crate::request::published::{Check, Deployment, DeploymentStatus, Reviewer};

/// What people see on the pull request. Everything is put there as it is to be, so that doing it again does no harm.
#[async_trait]
pub trait Publisher: Send + Sync {
    /// What the page itself says.
    ///
    /// # Errors
    /// [`PublisherError`].
    async fn context(&self, at: &PullRequestRef) -> Result<PublishContext, PublisherError>;

    /// Puts a check on its commit, or brings it up to date, and gives its id.
    ///
    /// # Errors
    /// [`PublisherError`].
    async fn put_check(&self, at: &RepositoryName, check: &Check, spot: Spot) -> Result<u64, PublisherError>;

    /// Writes the comment, or edits it, and gives its id. Its first line is what it is found by.
    ///
    /// # Errors
    /// [`PublisherError`].
    async fn put_comment(&self, at: &PullRequestRef, text: &str, spot: Spot) -> Result<u64, PublisherError>;

    /// Asks for reviews. One who cannot be asked keeps nobody else from being asked, and is no error.
    ///
    /// # Errors
    /// [`PublisherError::Unavailable`]: some may have been asked.
    async fn request_reviews(&self, at: &PullRequestRef, reviewers: &[Reviewer]) -> Result<(), PublisherError>;

    /// Makes a deployment, or finds it, and gives its id. One that is there is never changed.
    ///
    /// # Errors
    /// [`PublisherError`].
    async fn put_deployment(
        &self,
        at: &RepositoryName,
        deployment: &Deployment,
        spot: Spot,
    ) -> Result<u64, PublisherError>;

    /// Adds a status to a deployment.
    ///
    /// # Errors
    /// [`PublisherError`].
    async fn set_deployment(
        &self,
        at: &RepositoryName,
        id: u64,
        status: &DeploymentStatus,
    ) -> Result<(), PublisherError>;
}

/// Where something is to be put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spot {
    /// Nowhere yet.
    New,
    /// It may be there: an earlier attempt was not heard of. It is looked for first.
    Unsure,
    /// In the place of this one.
    At(u64),
}

/// What a page says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishContext {
    /// Whether everybody may read it.
    pub public: bool,
    /// Who is asked for a review at present.
    pub requested: BTreeSet<Reviewer>,
}

/// Something was not put on a page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublisherError {
    /// It was there, and is no longer.
    #[error("{what} is gone")]
    Gone {
        /// What.
        what: String,
    },
    /// It is not taken, and would not be if it were tried again.
    #[error("it was refused: {detail}")]
    Refused {
        /// What was said.
        detail: String,
    },
    /// It is not known whether it was taken.
    #[error("the code host did not answer: {detail}")]
    Unavailable {
        /// What was said.
        detail: String,
    },
}
