//! The App that GitHub made from a manifest, handed over once for the code that the browser came back with.
//!
//! <https://docs.github.com/en/rest/apps/apps#create-a-github-app-from-a-manifest>. The one call that is made as nobody.

use std::fmt;

use http_body_util::{BodyExt as _, Limited};
use octocrab::OctoBody;
use serde::Deserialize;

use super::client::transport_to;

/// The longest answer that is read.
const LONGEST: usize = 1 << 20;

/// A new App with its secrets. GitHub hands them over this once.
#[derive(Clone)]
pub struct CreatedApp {
    /// Its numeric id.
    pub id: u64,
    /// Its name in URLs.
    pub slug: String,
    /// Its page.
    pub html_url: String,
    /// Its private key, PEM.
    pub private_key: String,
    /// What GitHub signs deliveries with; none where it has no webhook.
    pub webhook_secret: Option<String>,
}

impl fmt::Debug for CreatedApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreatedApp").field("id", &self.id).field("slug", &self.slug).finish_non_exhaustive()
    }
}

/// Why there is no App. No code and no secret is repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConversionError {
    /// A code is used once, and good for an hour.
    #[error("GitHub does not know the code: it was used already, or is over an hour old")]
    UnknownCode,
    /// GitHub answered otherwise.
    #[error("GitHub answered {0} to the code")]
    Refused(u16),
    /// There was no answer.
    #[error("GitHub cannot be reached: {0}")]
    Unreachable(String),
    /// The answer is not what GitHub documents.
    #[error("GitHub's answer to the code cannot be read")]
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

/// Hands the code in at the API of `base_url`, and takes the App. Not repeated: a code is used once.
///
/// # Errors
/// [`ConversionError`].
pub async fn convert(base_url: &str, code: &str) -> Result<CreatedApp, ConversionError> {
    // What GitHub gives is a word; anything else would lead to another path.
    if code.is_empty() || !code.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
        return Err(ConversionError::UnknownCode);
    }
    let transport = transport_to(base_url).map_err(ConversionError::Unreachable)?;
    let request = http::Request::post(format!("/app-manifests/{code}/conversions"))
        .header(http::header::ACCEPT, "application/vnd.github+json")
        .header("x-github-api-version", "2022-11-28")
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
    Ok(CreatedApp { id, slug, html_url, private_key: pem, webhook_secret })
}
