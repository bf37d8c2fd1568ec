//! Fetches the App that GitHub created from a manifest, with the one-time code that the browser received.
//!
//! <https://docs.github.com/en/rest/apps/apps#create-a-github-app-from-a-manifest>. The only call without a token.

use http_body_util::{BodyExt as _, Limited};
use octocrab::OctoBody;
use serde::Deserialize;

use super::client::{API_VERSION, transport_to};
use crate::ident::Secret;

/// The most bytes of an answer.
const LONGEST: usize = 1 << 20;

/// A new App with its secrets. GitHub returns them only once.
#[derive(Debug, Clone)]
pub struct CreatedApp {
    pub id: u64,
    /// Its name in URLs.
    pub slug: String,
    pub html_url: String,
    /// PEM.
    pub private_key: Secret<String>,
    /// `None` if the App has no webhook.
    pub webhook_secret: Option<Secret<String>>,
}

/// The messages contain neither the code nor a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConversionError {
    /// A code is valid once, for an hour.
    #[error("GitHub does not know the code: it was used before, or is over an hour old")]
    UnknownCode,
    #[error("GitHub answered {0} to the code")]
    Refused(u16),
    #[error("cannot reach GitHub: {0}")]
    Unreachable(String),
    #[error("cannot read GitHub's answer to the code")]
    Unreadable,
}

#[derive(Deserialize)]
struct Answer {
    id: u64,
    slug: String,
    html_url: String,
    pem: String,
    webhook_secret: Option<String>,
}

/// Exchanges the code at the API of `base_url` for the App. Never repeated, since a code is valid once.
pub async fn convert(base_url: &str, code: &str) -> Result<CreatedApp, ConversionError> {
    // Other characters would change the path.
    if code.is_empty() || !code.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
        return Err(ConversionError::UnknownCode);
    }
    let transport = transport_to(base_url).map_err(ConversionError::Unreachable)?;
    let request = http::Request::post(format!("/app-manifests/{code}/conversions"))
        .header(http::header::ACCEPT, "application/vnd.github+json")
        .header("x-github-api-version", API_VERSION)
        .body(OctoBody::empty())
        .map_err(|_| ConversionError::UnknownCode)?;
    let answer = transport.send(request).await;
    let answer = answer.map_err(|_| ConversionError::Unreachable("the connection failed".to_owned()))?;
    let status = answer.status().as_u16();
    match status {
        200..=299 => {}
        404 => return Err(ConversionError::UnknownCode),
        _ => return Err(ConversionError::Refused(status)),
    }
    let body = Limited::new(answer.into_body(), LONGEST).collect().await;
    let body = body.map_err(|_| ConversionError::Unreadable)?.to_bytes();
    let Answer { id, slug, html_url, pem, webhook_secret } =
        serde_json::from_slice(&body).map_err(|_| ConversionError::Unreadable)?;
    let (private_key, webhook_secret) = (Secret::new(pem), webhook_secret.map(Secret::new));
    Ok(CreatedApp { id, slug, html_url, private_key, webhook_secret })
}
