//! How AWS is reached: region, credentials and address as they are given, one HTTP client for all services.
//!
//! Nothing is looked up: a Lambda function has all of it in its environment, and what a function does not use, as profiles
//! and the instance's metadata, costs it a slow start. Knows nothing of what is called.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

/// For how long a connection may take.
const CONNECT: Duration = Duration::from_millis(1_500);
/// For how long one attempt at a call may take.
const ATTEMPT: Duration = Duration::from_secs(3);
/// For how long a call may take with all attempts: a webhook is to be answered within ten seconds.
const CALL: Duration = Duration::from_secs(6);
/// How often a call is made that may be repeated.
const ATTEMPTS: u32 = 3;

/// What the endpoints of AWS are signed under. The folder with the system's certificates, a hundred and more, costs a start
/// more than all the rest of the connection.
const ROOTS: &[u8] = include_bytes!("roots.pem");

/// Where AWS is, and as whom it is called.
#[derive(Clone)]
pub struct Given {
    /// The region.
    pub region: String,
    /// The access key's id.
    pub access_key_id: String,
    /// The access key's secret.
    pub secret_access_key: String,
    /// The session's token, where the credentials are temporary.
    pub session_token: Option<String>,
    /// Another address than AWS's own, for all services.
    pub endpoint_url: Option<String>,
}

/// AWS. Cheap to clone: clones share connections.
#[derive(Clone)]
pub struct Connection {
    shared: Arc<Shared>,
}

struct Shared {
    given: Given,
    http: OnceLock<aws_sdk_dynamodb::config::SharedHttpClient>,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("region", &self.shared.given.region).finish_non_exhaustive()
    }
}

/// The settings of a service's client, which every SDK crate has in a type of its own.
macro_rules! config {
    ($connection:expr, $sdk:ident, $retry:expr) => {{
        let given = &$connection.shared.given;
        let config = $sdk::Config::builder()
            .behavior_version($sdk::config::BehaviorVersion::latest())
            .region($sdk::config::Region::new(given.region.clone()))
            .credentials_provider($connection.credentials())
            .http_client($connection.http())
            .timeout_config(timeouts())
            .retry_config($retry);
        let config = match &given.endpoint_url {
            Some(url) => config.endpoint_url(url),
            None => config,
        };
        config.build()
    }};
}

impl Connection {
    /// AWS as it is given. Nothing is sent, and nothing is read.
    #[must_use]
    pub fn new(given: Given) -> Self {
        Self { shared: Arc::new(Shared { given, http: OnceLock::new() }) }
    }

    /// DynamoDB. What is written there can be written again: conditions see to that.
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::from_conf(config!(self, aws_sdk_dynamodb, retries()))
    }

    /// Step Functions, without retries: an answer that is repeated behind our back finds its own token over.
    #[must_use]
    pub fn step_functions(&self) -> aws_sdk_sfn::Client {
        aws_sdk_sfn::Client::from_conf(config!(self, aws_sdk_sfn, RetryConfig::disabled()))
    }

    /// SNS.
    #[must_use]
    pub fn sns(&self) -> aws_sdk_sns::Client {
        aws_sdk_sns::Client::from_conf(config!(self, aws_sdk_sns, retries()))
    }

    /// Secrets Manager.
    #[must_use]
    pub fn secrets_manager(&self) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::from_conf(config!(self, aws_sdk_secretsmanager, retries()))
    }

    fn credentials(&self) -> Credentials {
        let given = &self.shared.given;
        Credentials::new(
            given.access_key_id.as_str(),
            given.secret_access_key.as_str(),
            given.session_token.clone(),
            // Lambda starts a new container before its credentials end.
            None,
            "environment",
        )
    }

    fn http(&self) -> aws_sdk_dynamodb::config::SharedHttpClient {
        let make = || {
            let builder = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
            let context = TlsContext::builder().with_trust_store(self.trusted()).build();
            match context {
                Ok(context) => builder.tls_context(context).build_https(),
                // It takes any; were that to change, the system's certificates are trusted.
                Err(_) => builder.build_https(),
            }
        };
        self.shared.http.get_or_init(make).clone()
    }

    fn trusted(&self) -> TrustStore {
        // The endpoints in China are signed under other roots.
        match self.shared.given.region.starts_with("cn-") {
            true => TrustStore::default(),
            false => TrustStore::empty().with_pem_certificate(ROOTS),
        }
    }
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ATTEMPT).operation_timeout(CALL).build()
}

fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(Duration::from_millis(100))
        .with_max_backoff(Duration::from_secs(1))
}
