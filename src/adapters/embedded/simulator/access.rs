//! Who may call the stand-in: its App's own tokens, the tokens of its installation, and how many calls are left.
//!
//! Tokens and counts are in memory: another process has none, and a client mints anew. Knows nothing of routes.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::GithubSimulator;
use super::delivery::APP_ID;
use super::refusal::Refusal;

/// For how long an installation's token is good.
const TOKEN_LIVES: SignedDuration = SignedDuration::from_hours(1);
/// For how long an App's own token may be made.
const LONGEST: SignedDuration = SignedDuration::from_mins(10);
/// What clocks may differ by.
const DRIFT: SignedDuration = SignedDuration::from_secs(60);
/// What a caller may send in an hour, unless it is set otherwise.
const CALLS: u64 = 5000;
const WINDOW: SignedDuration = SignedDuration::from_hours(1);

/// The App that is installed on every repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostedApp {
    /// What its pages and its account are called: `<slug>[bot]`.
    pub slug: String,
    /// Its public key, PEM.
    pub public_key: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Tokens that were minted, and calls that were counted.
#[derive(Debug)]
pub(super) struct Access {
    tokens: BTreeMap<String, Timestamp>,
    limit: u64,
    windows: BTreeMap<String, Window>,
    calls: u64,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    ends: Timestamp,
    used: u64,
}

impl Default for Access {
    fn default() -> Self {
        Self { tokens: BTreeMap::new(), limit: CALLS, windows: BTreeMap::new(), calls: 0 }
    }
}

/// How many calls a caller has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance {
    pub(super) limit: u64,
    pub(super) used: u64,
    pub(super) reset: Timestamp,
}

#[derive(Deserialize)]
struct Claims {
    iss: Value,
    iat: i64,
    exp: i64,
}

/// GitHub's words for a token that is none, or that another key has signed.
const UNREADABLE: Refusal = Refusal::Unauthenticated { detail: "A JSON web token could not be decoded" };

/// The claims of a token that the App has signed. Their times are not compared with any clock.
#[cfg(feature = "github")]
fn signed_claims(app: &HostedApp, token: &str) -> Result<Claims, Refusal> {
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
    let key = DecodingKey::from_rsa_pem(app.public_key.as_bytes()).map_err(|_| UNREADABLE)?;
    let mut validation = Validation::new(Algorithm::RS256);
    validation.validate_exp = false;
    validation.required_spec_claims.clear();
    decode::<Claims>(token, &key, &validation).map(|token| token.claims).map_err(|_| UNREADABLE)
}

/// A build without the GitHub client signs no tokens, and has no RSA to verify others' with.
#[cfg(not(feature = "github"))]
fn signed_claims(_app: &HostedApp, _token: &str) -> Result<Claims, Refusal> {
    Err(Refusal::Unauthenticated { detail: "This build of countersign does not verify JSON web tokens" })
}

impl GithubSimulator {
    fn access<T>(&self, work: impl FnOnce(&mut Access) -> T) -> T {
        work(&mut self.inner.access.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes back every token of the installation, as where somebody suspends it for a moment.
    pub fn revoke_tokens(&self) {
        self.access(|access| access.tokens.clear());
    }

    /// Sets how many calls the installation has in an hour.
    pub fn set_rate_limit(&self, limit: u64) {
        self.access(|access| access.limit = limit);
    }

    /// How many REST calls were answered so far, of whomever.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.access(|access| access.calls)
    }

    /// A new token of the installation, and when it ends.
    pub(super) fn mint(&self) -> Result<(String, Timestamp), Refusal> {
        let mut random = [0_u8; 20];
        getrandom::fill(&mut random).map_err(|_| Refusal::Unavailable)?;
        let token = random.iter().fold("ghs_".to_owned(), |token, byte| format!("{token}{byte:02x}"));
        let ends = self.now().checked_add(TOKEN_LIVES).unwrap_or(Timestamp::MAX);
        self.access(|access| access.tokens.insert(token.clone(), ends));
        Ok((token, ends))
    }

    /// Whether this is a token of the installation that is still good.
    pub(super) fn is_minted(&self, token: &str) -> bool {
        let now = self.now();
        self.access(|access| access.tokens.get(token).is_some_and(|ends| now < *ends))
    }

    /// Whether the App itself has signed this.
    pub(super) fn is_signed(&self, app: &HostedApp, token: &str) -> Result<(), Refusal> {
        let claims = signed_claims(app, token)?;
        let at = |seconds| Timestamp::from_second(seconds).map_err(|_| UNREADABLE);
        let (now, made, ends) = (self.now(), at(claims.iat)?, at(claims.exp)?);
        let issuer = claims.iss.as_u64().or_else(|| claims.iss.as_str()?.parse().ok());
        let detail = if issuer != Some(APP_ID) {
            "'Issuer' claim ('iss') must be the App's id"
        } else if made.duration_since(now) > DRIFT {
            "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
        } else if ends <= now {
            "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires"
        } else if ends.duration_since(now) > LONGEST {
            "'Expiration time' claim ('exp') is too far in the future"
        } else {
            return Ok(());
        };
        Err(Refusal::Unauthenticated { detail })
    }

    /// What a caller has left before a call. Only the installation is held to it: people play on this machine.
    pub(super) fn allowance(&self, caller: &str) -> Allowance {
        let now = self.now();
        self.access(|access| {
            let ends = now.checked_add(WINDOW).unwrap_or(Timestamp::MAX);
            let window = access.windows.entry(caller.to_owned()).or_insert(Window { ends, used: 0 });
            if window.ends <= now {
                *window = Window { ends, used: 0 };
            }
            Allowance { limit: access.limit, used: window.used, reset: window.ends }
        })
    }

    /// Counts an answer. GitHub does not count those that have not changed against the limit.
    pub(super) fn count(&self, caller: &str, against_limit: bool) -> u64 {
        self.access(|access| {
            access.calls = access.calls.saturating_add(1);
            if let (true, Some(window)) = (against_limit, access.windows.get_mut(caller)) {
                window.used = window.used.saturating_add(1);
            }
            access.calls
        })
    }
}
