//! The connection of octocrab: HTTP/1.1, TLS and the trusted root certificates. Knows nothing of tokens and calls.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use http::header::{HeaderValue, USER_AGENT};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use octocrab::service::middleware::base_uri::BaseUriLayer;
use octocrab::service::middleware::extra_headers::ExtraHeadersLayer;
use octocrab::{AuthState, OctoBody, Octocrab, OctocrabBuilder};

use super::settings::BaseUrl;

/// The timeout of a connection.
const CONNECT: Duration = Duration::from_secs(3);
/// GitHub requires a user agent:
/// <https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api#user-agent>.
const AGENT: HeaderValue = HeaderValue::from_static(concat!("countersign/", env!("CARGO_PKG_VERSION")));

/// Paths are below that URL. Must be called within a tokio runtime.
///
/// # Errors
/// The system's root certificates are needed and cannot be read.
pub(super) fn transport(base: &BaseUrl, below: Uri) -> io::Result<Octocrab> {
    let builder = HttpsConnectorBuilder::new();
    // GitHub's certificates have public roots, which are compiled in: reading the system's folder would take most of a start.
    // An Enterprise Server may have a company's own root.
    let builder =
        if base.is_an_enterprise_server() { builder.with_native_roots()? } else { builder.with_webpki_roots() };
    let mut connector = TimeoutConnector::new(builder.https_or_http().enable_http1().build());
    connector.set_connect_timeout(Some(CONNECT));
    let client = Client::builder(TokioExecutor::new()).build::<_, OctoBody>(connector);
    let built = OctocrabBuilder::new_empty()
        .with_service(client)
        .with_layer(&ExtraHeadersLayer::new(Arc::new(vec![(USER_AGENT, AGENT)])))
        .with_layer(&BaseUriLayer::new(below))
        .with_auth(AuthState::None)
        .build();
    match built {
        Ok(octocrab) => Ok(octocrab),
        Err(never) => match never {},
    }
}
