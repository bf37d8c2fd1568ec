//! Verifies that the sender of a webhook's body has the secret.
//!
//! HMAC-SHA256 over the raw bytes, before they are parsed:
//! <https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>.

use hmac::digest::InvalidLength;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::ident::Secret;

/// The fewest bytes of a secret. A shorter one can be guessed offline from one delivery.
pub const SHORTEST_SECRET: usize = 16;

const SCHEME: &str = "sha256=";

/// A webhook secret of at least [`SHORTEST_SECRET`] bytes.
#[derive(Debug, Clone)]
pub struct WebhookSecret(Secret<Box<[u8]>>);

/// Why a text cannot be a webhook secret. The message does not contain the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Anyone can sign with an empty secret.
    #[error("the webhook secret is empty")]
    Empty,
    #[error("the webhook secret has {length} bytes, but needs at least {SHORTEST_SECRET}")]
    Short {
        /// In bytes, without the newline at its end.
        length: usize,
    },
}

impl WebhookSecret {
    /// Reads a stored secret. One newline at its end, `\n` or `\r\n`, is removed: an editor or `echo` added it, and GitHub
    /// signs without it. Everything else is part of the secret.
    ///
    /// # Errors
    /// The secret is empty or too short.
    pub fn new(stored: &str) -> Result<Self, SecretError> {
        let secret = stored.strip_suffix("\r\n").or_else(|| stored.strip_suffix('\n')).unwrap_or(stored);
        match secret.len() {
            0 => Err(SecretError::Empty),
            length if length < SHORTEST_SECRET => Err(SecretError::Short { length }),
            _ => Ok(Self(Secret::new(secret.as_bytes().into()))),
        }
    }

    /// The header's value for `body`: `sha256=` and 64 lower-case hex digits.
    pub fn sign(&self, body: &[u8]) -> Result<String, SignatureError> {
        let tag = self.mac(body)?.finalize().into_bytes();
        let digits = tag.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let hex = digits.filter_map(|nibble| char::from_digit(u32::from(nibble), 16));
        Ok(SCHEME.chars().chain(hex).collect())
    }

    /// Compares in constant time.
    fn matches(&self, tag: &[u8], body: &[u8]) -> Result<bool, SignatureError> {
        Ok(self.mac(body)?.verify_slice(tag).is_ok())
    }

    fn mac(&self, body: &[u8]) -> Result<Hmac<Sha256>, SignatureError> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.0.expose()).map_err(|InvalidLength| SignatureError::Unusable)?;
        mac.update(body);
        Ok(mac)
    }
}

/// The secret in use and, during a change, the one before.
#[derive(Debug, Clone)]
pub struct WebhookSecrets {
    pub current: WebhookSecret,
    /// GitHub may sign with it until the change takes effect.
    pub previous: Option<WebhookSecret>,
}

/// Why a signature was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// GitHub sends the header only if the webhook has a secret.
    #[error("the signature is missing")]
    Missing,
    #[error("the signature is not `sha256=` and 64 lower-case hex digits")]
    Malformed,
    /// Another secret, or other bytes.
    #[error("the signature does not match the body")]
    Mismatch,
    /// Never happens with a secret from [`WebhookSecret::new`].
    #[error("the webhook secret cannot be used as a key")]
    Unusable,
}

impl WebhookSecrets {
    /// Errors unless `header`, the value of `X-Hub-Signature-256`, is the signature of either secret over the raw `body`.
    pub fn verify(&self, header: Option<&str>, body: &[u8]) -> Result<(), SignatureError> {
        let tag = tag(header.ok_or(SignatureError::Missing)?).ok_or(SignatureError::Malformed)?;
        for secret in std::iter::once(&self.current).chain(&self.previous) {
            if secret.matches(&tag, body)? {
                return Ok(());
            }
        }
        Err(SignatureError::Mismatch)
    }
}

/// The 32 bytes of a header's value, if it has exactly GitHub's form. Other verifiers accept upper case and spaces too, but
/// GitHub never sends them.
fn tag(header: &str) -> Option<Vec<u8>> {
    let hex = header.strip_prefix(SCHEME)?.as_bytes();
    if hex.len() != 64 {
        return None;
    }
    hex.chunks_exact(2).map(byte).collect()
}

fn byte(digits: &[u8]) -> Option<u8> {
    digits.iter().try_fold(0_u8, |value, digit| {
        let nibble = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(value << 4 | nibble)
    })
}
