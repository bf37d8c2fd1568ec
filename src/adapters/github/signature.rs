//! Whether a webhook's body comes from who holds the secret.
//!
//! HMAC-SHA256 over the raw bytes, before anything reads them:
//! <https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>. Knows nothing of what is signed.

use std::fmt;

use hmac::digest::InvalidLength;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The fewest bytes of a secret: with less, a signature can be guessed offline from one delivery.
pub const SHORTEST_SECRET: usize = 16;

/// What a signature begins with.
const SCHEME: &str = "sha256=";

/// A webhook secret: at least [`SHORTEST_SECRET`] bytes. It is neither printed nor serialised.
#[derive(Clone)]
pub struct WebhookSecret(Box<[u8]>);

/// Why a text cannot be a webhook secret. The text is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// There is nothing in it. Anybody can sign with an empty secret.
    #[error("the webhook secret is empty")]
    Empty,
    /// It is guessable.
    #[error("the webhook secret has {length} bytes, and at least {SHORTEST_SECRET} are needed")]
    Short {
        /// How many bytes it has, without the newline at its end.
        length: usize,
    },
}

impl WebhookSecret {
    /// Takes a secret as it was stored. One newline at its end, `\n` or `\r\n`, is left off: an editor or `echo` put it
    /// there, and GitHub signs without. Anything else is part of the secret.
    ///
    /// # Errors
    /// A secret that is empty or too short.
    pub fn new(stored: &str) -> Result<Self, SecretError> {
        let secret = stored.strip_suffix("\r\n").or_else(|| stored.strip_suffix('\n')).unwrap_or(stored);
        match secret.len() {
            0 => Err(SecretError::Empty),
            length if length < SHORTEST_SECRET => Err(SecretError::Short { length }),
            _ => Ok(Self(secret.as_bytes().into())),
        }
    }

    /// The header's value for `body`, as GitHub makes it: `sha256=` and 64 lower-case hex digits.
    ///
    /// # Errors
    /// [`SignatureError::Unusable`].
    pub fn sign(&self, body: &[u8]) -> Result<String, SignatureError> {
        let tag = self.mac(body)?.finalize().into_bytes();
        let digits = tag.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let hex = digits.filter_map(|nibble| char::from_digit(u32::from(nibble), 16));
        Ok(SCHEME.chars().chain(hex).collect())
    }

    /// Whether `tag` is this secret's over `body`, in constant time.
    fn matches(&self, tag: &[u8], body: &[u8]) -> Result<bool, SignatureError> {
        Ok(self.mac(body)?.verify_slice(tag).is_ok())
    }

    fn mac(&self, body: &[u8]) -> Result<Hmac<Sha256>, SignatureError> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).map_err(|InvalidLength| SignatureError::Unusable)?;
        mac.update(body);
        Ok(mac)
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(redacted)")
    }
}

/// The secret in use and, while it is being changed, the one before it.
#[derive(Debug, Clone)]
pub struct WebhookSecrets {
    /// What GitHub is set to sign with.
    pub current: WebhookSecret,
    /// What it may still sign with until the change has reached it.
    pub previous: Option<WebhookSecret>,
}

/// Why a signature was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// GitHub sends the header only where the webhook has a secret.
    #[error("the signature is missing")]
    Missing,
    /// Not the one form that GitHub sends.
    #[error("the signature is not `sha256=` and 64 lower-case hex digits")]
    Malformed,
    /// Made with another secret, or over other bytes.
    #[error("the signature does not match the body")]
    Mismatch,
    /// The secret cannot be used as a key; no secret of [`WebhookSecret::new`] is one.
    #[error("the webhook secret cannot be used as a key")]
    Unusable,
}

impl WebhookSecrets {
    /// Accepts `body`, the raw bytes as they came, if `header`, the value of `X-Hub-Signature-256`, is the signature of
    /// either secret over it.
    ///
    /// # Errors
    /// Everything else, with the reason.
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

/// The 32 bytes that a header's value writes, if it has exactly the form that GitHub sends. Other verifiers take upper
/// case and spaces too; what GitHub never sends did not come from GitHub.
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
