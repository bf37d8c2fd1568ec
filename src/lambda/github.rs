//! Connects to GitHub when it is first needed, so that a function that does not need GitHub reads no secret.
//!
//! Reads the secret again every 15 minutes, so that a new key of the App needs no new containers. Each port's method
//! passes its call on to the client of that moment.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::adapters::aws::secrets::{SecretFields, Secrets};
use crate::adapters::github::client::{GithubClient, GithubSettings, GivenSettings};
use crate::adapters::github::delivery::AppInstallation;
use crate::approval::facts::Person;
use crate::ident::{Login, PullRequestRef, RepositoryName, Revision};
use crate::ports::{
    AttemptId, CallbackError, Clock, CodeHost, CodeHostError, DeliveryAttempt, DeliveryLog, FoundPullRequest, Needs,
    ProtectedRun, Protection, ProtectionComment, ProtectionDesk, PublishContext, Publisher, PublisherError, Quota,
    Reading, Spot,
};
use crate::request::CallbackOutcome;
use crate::request::published::{Check, Deployment, DeploymentStatus, Reviewer};

/// How long a secret is used before it is read again.
const REREAD: SignedDuration = SignedDuration::from_mins(15);

pub struct Github {
    secrets: Secrets,
    arn: String,
    url: String,
    clock: Arc<dyn Clock>,
    connected: Mutex<Option<Connected>>,
    /// The first installation that a delivery named.
    installation: OnceLock<AppInstallation>,
}

struct Connected {
    client: GithubClient,
    fields: SecretFields,
    read_at: Timestamp,
}

impl Github {
    /// Connects to this URL with the secret of this ARN: a JSON object with `app_id`, `private_key` and optionally
    /// `installation_id`, or with `token`.
    #[must_use]
    pub fn new(secrets: Secrets, arn: String, url: String, clock: Arc<dyn Clock>) -> Self {
        Self { secrets, arn, url, clock, connected: Mutex::default(), installation: OnceLock::new() }
    }

    /// Keeps the installation of the App that the first delivery names, so that it need not be looked up.
    pub(super) fn know_installation(&self, installation: Option<AppInstallation>) {
        if let Some(installation) = installation {
            self.installation.get_or_init(|| installation);
        }
    }

    async fn client(&self) -> Result<GithubClient, String> {
        let mut connected = self.connected.lock().await;
        let now = self.clock.now();
        if let Some(known) = connected.as_mut() {
            if now.duration_since(known.read_at).abs() < REREAD {
                return Ok(known.client.clone());
            }
            known.read_at = now;
        }
        let fields = match self.secrets.read(&self.arn).await {
            Ok(fields) => fields,
            Err(error) => {
                let known = connected.as_ref().ok_or_else(|| error.to_string())?;
                tracing::warn!(reason = %error, "could not read GitHub's secret again; using the previous one");
                return Ok(known.client.clone());
            }
        };
        if let Some(known) = connected.as_ref().filter(|known| known.fields == fields) {
            return Ok(known.client.clone());
        }
        let client = self.connect(&fields)?;
        *connected = Some(Connected { client: client.clone(), fields, read_at: now });
        Ok(client)
    }

    fn connect(&self, fields: &SecretFields) -> Result<GithubClient, String> {
        let given = GivenSettings {
            base_url: Some(&self.url),
            app_id: fields.get("app_id"),
            private_key: fields.get("private_key"),
            installation_id: fields.get("installation_id"),
            token: fields.get("token"),
        };
        let settings = GithubSettings::read(given).map_err(|error| format!("the secret `{}`: {error}", self.arn))?;
        let client = GithubClient::new(settings, Arc::clone(&self.clock)).map_err(|error| error.to_string())?;
        if let Some(AppInstallation { owner, id }) = self.installation.get() {
            client.know_installation(owner, *id);
        }
        Ok(client)
    }

    async fn for_facts(&self) -> Result<GithubClient, CodeHostError> {
        self.client().await.map_err(|detail| CodeHostError::Unavailable { detail })
    }

    async fn for_publishing(&self) -> Result<GithubClient, PublisherError> {
        self.client().await.map_err(|detail| PublisherError::Unavailable { detail })
    }
}

#[async_trait]
impl CodeHost for Github {
    async fn read(&self, at: &PullRequestRef, needs: &Needs) -> Result<Reading, CodeHostError> {
        self.for_facts().await?.read(at, needs).await
    }

    async fn pull_requests_of(
        &self,
        repository: &RepositoryName,
        revision: &Revision,
    ) -> Result<Vec<FoundPullRequest>, CodeHostError> {
        self.for_facts().await?.pull_requests_of(repository, revision).await
    }

    async fn account(&self, login: &Login, repository: &RepositoryName) -> Result<Option<Person>, CodeHostError> {
        CodeHost::account(&self.for_facts().await?, login, repository).await
    }

    /// Connects for nothing.
    async fn quota(&self) -> Quota {
        let client = self.connected.lock().await.as_ref().map(|connected| connected.client.clone());
        match client {
            Some(client) => CodeHost::quota(&client).await,
            None => Quota::default(),
        }
    }
}

#[async_trait]
impl DeliveryLog for Github {
    /// A token belongs to no App, and so has no log of deliveries.
    async fn attempts(&self, since: Timestamp) -> Result<Vec<DeliveryAttempt>, CodeHostError> {
        let client = self.for_facts().await?;
        if client.app_id().is_none() {
            return Ok(Vec::new());
        }
        client.attempts(since).await
    }

    async fn redeliver(&self, attempt: AttemptId) -> Result<(), CodeHostError> {
        self.for_facts().await?.redeliver(attempt).await
    }
}

#[async_trait]
impl ProtectionDesk for Github {
    async fn answer(
        &self,
        run: &ProtectedRun,
        protection: Protection,
        comment: &ProtectionComment,
    ) -> Result<CallbackOutcome, CallbackError> {
        let client = self.client().await.map_err(|detail| CallbackError { detail })?;
        client.answer(run, protection, comment).await
    }
}

#[async_trait]
impl Publisher for Github {
    async fn context(&self, at: &PullRequestRef) -> Result<PublishContext, PublisherError> {
        self.for_publishing().await?.context(at).await
    }

    async fn put_check(&self, at: &RepositoryName, check: &Check, spot: Spot) -> Result<u64, PublisherError> {
        self.for_publishing().await?.put_check(at, check, spot).await
    }

    async fn put_comment(&self, at: &PullRequestRef, text: &str, spot: Spot) -> Result<u64, PublisherError> {
        self.for_publishing().await?.put_comment(at, text, spot).await
    }

    async fn request_reviews(&self, at: &PullRequestRef, reviewers: &[Reviewer]) -> Result<(), PublisherError> {
        self.for_publishing().await?.request_reviews(at, reviewers).await
    }

    async fn put_deployment(
        &self,
        at: &RepositoryName,
        deployment: &Deployment,
        spot: Spot,
    ) -> Result<u64, PublisherError> {
        self.for_publishing().await?.put_deployment(at, deployment, spot).await
    }

    async fn set_deployment(
        &self,
        at: &RepositoryName,
        id: u64,
        status: &DeploymentStatus,
    ) -> Result<(), PublisherError> {
        self.for_publishing().await?.set_deployment(at, id, status).await
    }
}
