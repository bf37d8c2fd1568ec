//! The use cases over the ports on AWS and GitHub, put together once for a process.

use std::sync::Arc;

use crate::adapters::aws::connection::Connection;
use crate::adapters::aws::dynamodb::DynamoDbStore;
use crate::adapters::aws::secrets::Secrets;
use crate::adapters::aws::sns::Topics;
use crate::adapters::aws::stepfunctions::StepFunctions;
use crate::adapters::github::protection::ProtectionRouter;
use crate::adapters::system_clock::SystemClock;
use crate::app::{App, Redelivery};
use crate::ident::PolicyDigest;
use crate::policy::{Policy, read_prepared};
use crate::ports::{Clock, ProtectionDesk};

use super::github::Github;
use super::keys::WebhookKeys;
use super::settings::{Role, Settings};
use super::telemetry::{Meter, to_stdout};

/// What a function works with.
pub struct Installation {
    /// The use cases and their ports.
    pub app: App,
    /// How deployments of GitHub Actions are answered.
    pub desk: Arc<dyn ProtectionDesk>,
    /// The metrics.
    pub meter: Meter,
    /// The webhook's secrets, which only the webhook has.
    pub keys: Option<WebhookKeys>,
    /// GitHub, for how many calls are left.
    pub github: Arc<Github>,
}

/// Reads a prepared policy, which must be the one that was installed.
///
/// # Errors
/// What is wrong with it.
pub fn policy(prepared: &str, installed: &PolicyDigest) -> Result<Policy, String> {
    let policy = read_prepared(prepared).map_err(|error| error.to_string())?;
    if policy.digest() == installed {
        return Ok(policy);
    }
    Err(format!(
        "the policy of the layer has the digest {}, and the one that was installed {installed}",
        policy.digest()
    ))
}

impl Installation {
    /// Puts everything together. Nothing is sent, and no secret read.
    #[must_use]
    pub fn new(role: Role, settings: Settings, policy: Policy) -> Self {
        let connection = Connection::new(settings.aws);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let secrets = Secrets::new(connection.clone());
        let github =
            Arc::new(Github::new(secrets.clone(), settings.github_secret, settings.github_url, Arc::clone(&clock)));
        let meter = Meter::new(&settings.namespace, &settings.name, Arc::new(to_stdout));
        let store = DynamoDbStore::new(connection.clone(), &settings.table, settings.retention, Arc::clone(&clock));
        let written = meter.clone();
        let app = App {
            policy: Arc::new(policy),
            store: Arc::new(store.watched_by(Arc::new(move |write| written.written(write)))),
            callback: Arc::new(ProtectionRouter::new(
                Arc::clone(&github) as Arc<dyn ProtectionDesk>,
                Arc::new(StepFunctions::new(connection.clone())),
            )),
            code_host: Arc::clone(&github) as _,
            notifier: Arc::new(Topics::new(connection.clone(), settings.topics, &settings.pages)),
            redelivery: (role == Role::Sweep).then(|| Arc::new(Redelivery::new(Arc::clone(&github) as _))),
            publisher: Some(Arc::clone(&github) as _),
            clock,
        };
        let keys = settings.webhook_secret.map(|arn| WebhookKeys::new(secrets, arn));
        Self { app, desk: Arc::clone(&github) as _, meter, keys, github }
    }

    /// Writes how many calls GitHub lets us make, where any was made.
    pub(super) async fn measure_calls_left(&self) {
        if let Some(left) = self.github.calls_left().await {
            self.meter.github_calls_left(self.app.clock.now(), left);
        }
    }
}
