//! Puts the use cases and the adapters of AWS and GitHub together, once for each process.

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

pub struct Installation {
    pub app: App,
    /// Answers deployments of GitHub Actions.
    pub desk: Arc<dyn ProtectionDesk>,
    pub meter: Meter,
    /// The webhook's secrets. `None` in other functions.
    pub keys: Option<WebhookKeys>,
    /// For the metric of calls left.
    pub github: Arc<Github>,
}

/// Reads a prepared policy. Errors if it is not the installed one.
pub fn policy(prepared: &str, installed: &PolicyDigest) -> Result<Policy, String> {
    let policy = read_prepared(prepared).map_err(|error| error.to_string())?;
    if policy.digest() == installed {
        return Ok(policy);
    }
    Err(format!("the policy in the layer has the digest {}, but the installed policy has {installed}", policy.digest()))
}

impl Installation {
    /// Sends nothing, and reads no secret.
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

    /// Writes what GitHub still allows, if it has said so.
    pub(super) async fn measure_quota(&self) {
        self.meter.github_left(self.app.clock.now(), self.app.code_host.quota().await);
    }
}
