//! The webhook's secrets. They are read at the first delivery, and again when a signature does not match, so that a
//! rotation needs no new containers.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::adapters::aws::secrets::Secrets;
use crate::adapters::github::delivery::{Delivery, DeliveryHeaders, Refused, receive};
use crate::adapters::github::signature::{SignatureError, WebhookSecret, WebhookSecrets};

/// The shortest time between two reads on a mismatch: anybody can send a wrong signature.
const REREAD: SignedDuration = SignedDuration::from_mins(1);

/// How long the secrets are used before they are read again.
const GOOD_FOR: SignedDuration = SignedDuration::from_mins(15);

pub struct WebhookKeys {
    secrets: Secrets,
    arn: String,
    kept: Mutex<Option<(Timestamp, WebhookSecrets)>>,
}

/// Why a delivery was not accepted.
pub(super) enum NotAccepted {
    /// It is refused for good.
    Refused(Refused),
    /// The secrets cannot be read. It should be delivered again.
    NoSecret(String),
}

impl WebhookKeys {
    /// Reads the secret of this ARN: a JSON object with `current`, and during a rotation `previous`.
    #[must_use]
    pub fn new(secrets: Secrets, arn: String) -> Self {
        Self { secrets, arn, kept: Mutex::default() }
    }

    /// Accepts a delivery with a valid signature.
    pub(super) async fn receive(
        &self,
        headers: &DeliveryHeaders<'_>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Delivery, NotAccepted> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let age = kept.as_ref().map(|(read_at, _)| now.duration_since(*read_at).abs());
        let refused = match kept {
            Some((_, known)) => match receive(&known, headers, body, now) {
                Err(refused @ Refused::Signature(SignatureError::Mismatch)) if age >= Some(REREAD) => refused,
                // A removed secret still matches what is kept, so it has to be read again.
                Ok(_) if age >= Some(GOOD_FOR) => Refused::Signature(SignatureError::Mismatch),
                done => return done.map_err(NotAccepted::Refused),
            },
            // No secret is read for a delivery without a signature.
            None => match headers.signature {
                None => return Err(NotAccepted::Refused(Refused::Signature(SignatureError::Missing))),
                Some(_) => Refused::Signature(SignatureError::Mismatch),
            },
        };
        match self.read().await {
            Ok(read) => {
                *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, read.clone()));
                receive(&read, headers, body, now).map_err(NotAccepted::Refused)
            }
            Err(why) if age.is_some_and(|age| age < GOOD_FOR) => {
                tracing::warn!(reason = why, "could not read the webhook's secrets again");
                Err(NotAccepted::Refused(refused))
            }
            // The signature may be valid or not. The delivery should come again.
            Err(why) => Err(NotAccepted::NoSecret(why)),
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
