//! The connection to AWS: given region, credentials and endpoint, and one HTTP client for all services.
//!
//! It looks nothing up. A Lambda function has all of it in its environment, and looking for profiles and instance metadata
//! would slow its start.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

/// The timeout of a connection.
const CONNECT: Duration = Duration::from_millis(1_500);
/// The timeout of one attempt of a call.
const ATTEMPT: Duration = Duration::from_secs(3);
/// The timeout of a call with all attempts. A webhook must be answered within ten seconds.
const CALL: Duration = Duration::from_secs(6);
/// How often a repeatable call is attempted.
const ATTEMPTS: u32 = 3;

/// The root certificates of the AWS endpoints. Loading the system's folder with over a hundred certificates would cost more
/// of a start than all the rest of the connection.
const ROOTS: &[u8] = include_bytes!("roots.pem");

/// The settings of a connection.
#[derive(Clone)]
pub struct Given {
    pub region: String,
    pub access_key_id: String,
    pub secret_access_key: String,
    /// Only for temporary credentials.
    pub session_token: Option<String>,
    /// For all services. Default: the endpoints of AWS.
    pub endpoint_url: Option<String>,
}

/// A connection to AWS. Cheap to clone: clones share the HTTP client.
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

/// The settings of a service's client. Every SDK crate has its own type for them.
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
    /// Sends nothing and reads nothing.
    #[must_use]
    pub fn new(given: Given) -> Self {
        Self { shared: Arc::new(Shared { given, http: OnceLock::new() }) }
    }

    /// With retries: conditions make every write repeatable.
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::from_conf(config!(self, aws_sdk_dynamodb, retries()))
    }

    /// Without retries: a silent retry of an answer would find its own token used.
    #[must_use]
    pub fn step_functions(&self) -> aws_sdk_sfn::Client {
        aws_sdk_sfn::Client::from_conf(config!(self, aws_sdk_sfn, RetryConfig::disabled()))
    }

    #[must_use]
    pub fn sns(&self) -> aws_sdk_sns::Client {
        aws_sdk_sns::Client::from_conf(config!(self, aws_sdk_sns, retries()))
    }

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
            // Lambda starts a new container before its credentials expire.
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
                // Never happens today. If it does, the system's certificates are trusted.
                Err(_) => builder.build_https(),
            }
        };
        self.shared.http.get_or_init(make).clone()
    }

    fn trusted(&self) -> TrustStore {
        // The endpoints in China have other root certificates.
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
