//! The webhook's secrets, read when the first delivery comes, and again when one does not fit: a rotation needs no new
//! containers.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::adapters::aws::secrets::Secrets;
use crate::adapters::github::delivery::{Delivery, DeliveryHeaders, Refused, receive};
use crate::adapters::github::signature::{SignatureError, WebhookSecret, WebhookSecrets};

/// How often at most they are read again: anybody can send what does not fit.
const REREAD: SignedDuration = SignedDuration::from_mins(1);

/// How long what was read is good for, whatever fits it.
const GOOD_FOR: SignedDuration = SignedDuration::from_mins(15);

/// The webhook's secrets, in Secrets Manager.
pub struct WebhookKeys {
    secrets: Secrets,
    arn: String,
    kept: Mutex<Option<(Timestamp, WebhookSecrets)>>,
}

/// Why a delivery was not let in.
pub(super) enum NotLetIn {
    /// It is refused for good.
    Refused(Refused),
    /// The secrets cannot be had: it should come again.
    NoSecret(String),
}

impl WebhookKeys {
    /// The secret of that ARN: a JSON object with `current` and, while it is changed, `previous`.
    #[must_use]
    pub fn new(secrets: Secrets, arn: String) -> Self {
        Self { secrets, arn, kept: Mutex::default() }
    }

    /// Lets a delivery in, if it is signed.
    pub(super) async fn receive(
        &self,
        headers: &DeliveryHeaders<'_>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Delivery, NotLetIn> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let age = kept.as_ref().map(|(read_at, _)| now.duration_since(*read_at).abs());
        let refused = match kept {
            Some((_, known)) => match receive(&known, headers, body, now) {
                Err(refused @ Refused::Signature(SignatureError::Mismatch)) if age >= Some(REREAD) => refused,
                // A secret that was taken back is not believed for much longer: what it signs fits what is kept.
                Ok(_) if age >= Some(GOOD_FOR) => Refused::Signature(SignatureError::Mismatch),
                done => return done.map_err(NotLetIn::Refused),
            },
            // What is malformed costs nothing: no secret is read for it.
            None => match headers.signature {
                None => return Err(NotLetIn::Refused(Refused::Signature(SignatureError::Missing))),
                Some(_) => Refused::Signature(SignatureError::Mismatch),
            },
        };
        match self.read().await {
            Ok(read) => {
                *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, read.clone()));
                receive(&read, headers, body, now).map_err(NotLetIn::Refused)
            }
            Err(why) if age.is_some_and(|age| age < GOOD_FOR) => {
                tracing::warn!(reason = why, "the webhook's secrets were not read again");
                Err(NotLetIn::Refused(refused))
            }
            // Whether it is still good is not known: it comes again.
            Err(why) => Err(NotLetIn::NoSecret(why)),
        }
    }

    async fn read(&self) -> Result<WebhookSecrets, String> {
        let fields = self.secrets.read(&self.arn).await.map_err(|error| error.to_string())?;
        let unusable = |error: &dyn std::fmt::Display| format!("the secret `{}`: {error}", self.arn);
        let secret =
            |name: &str| fields.get(name).map(WebhookSecret::new).transpose().map_err(|error| unusable(&error));
        let current = secret("current")?.ok_or_else(|| unusable(&"`current` is missing"))?;
        Ok(WebhookSecrets { current, previous: secret("previous")? })
    }
}
