//! Who may call the simulator: with tokens of its App, tokens of the installation, and how often.
//!
//! Tokens and counts are in memory only: after a restart a client requests a new token. Knows nothing of routes.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::GithubSimulator;
use super::delivery::APP_ID;
use super::refusal::Refusal;
use super::world::HostedApp;

/// How long an installation's token is valid.
const TOKEN_LIFETIME: SignedDuration = SignedDuration::from_hours(1);
/// The longest lifetime of an App's own token.
const LONGEST: SignedDuration = SignedDuration::from_mins(10);
/// How much clocks may differ.
const DRIFT: SignedDuration = SignedDuration::from_secs(60);
/// How many calls and points a caller has in an hour. Can be set.
const CALLS: u64 = 5000;
const WINDOW: SignedDuration = SignedDuration::from_hours(1);

/// Valid tokens and counted calls.
#[derive(Debug, Default)]
pub(super) struct Access {
    tokens: BTreeMap<String, Timestamp>,
    /// Those that were set.
    limits: BTreeMap<Resource, u64>,
    windows: BTreeMap<(Resource, String), Window>,
    calls: u64,
}

/// What GitHub counts apart: calls of REST, and points of GraphQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Resource {
    Core,
    Graphql,
}

impl Resource {
    /// GitHub's word.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Graphql => "graphql",
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Window {
    ends: Timestamp,
    used: u64,
}

/// How many calls a caller may make and has made.
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

    /// Revokes every token of the installation, as a suspension does.
    pub fn revoke_tokens(&self) {
        self.access(|access| access.tokens.clear());
    }

    /// Sets how many REST calls the installation has in an hour.
    pub fn set_rate_limit(&self, limit: u64) {
        self.access(|access| access.limits.insert(Resource::Core, limit));
    }

    /// Sets how many points of GraphQL the installation has in an hour.
    pub fn set_graphql_limit(&self, limit: u64) {
        self.access(|access| access.limits.insert(Resource::Graphql, limit));
    }

    /// How many calls were answered so far, from all callers.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.access(|access| access.calls)
    }

    /// A new token of the installation, and when it expires.
    pub(super) fn mint(&self) -> Result<(String, Timestamp), Refusal> {
        let mut random = [0_u8; 20];
        getrandom::fill(&mut random).map_err(|_| Refusal::Unavailable)?;
        let token = random.iter().fold("ghs_".to_owned(), |token, byte| format!("{token}{byte:02x}"));
        let ends = self.now().checked_add(TOKEN_LIFETIME).unwrap_or(Timestamp::MAX);
        self.access(|access| access.tokens.insert(token.clone(), ends));
        Ok((token, ends))
    }

    /// Whether this is a valid token of the installation.
    pub(super) fn is_minted(&self, token: &str) -> bool {
        let now = self.now();
        self.access(|access| access.tokens.get(token).is_some_and(|ends| now < *ends))
    }

    /// Errors unless the App has signed the token and it is valid now.
    pub(super) fn verify_app_token(&self, app: &HostedApp, token: &str) -> Result<(), Refusal> {
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

    /// What the caller has used in the current hour. The limit holds for the installation only, not for people.
    pub(super) fn allowance(&self, resource: Resource, caller: &str) -> Allowance {
        let now = self.now();
        self.access(|access| {
            let ends = now.checked_add(WINDOW).unwrap_or(Timestamp::MAX);
            let window = access.windows.entry((resource, caller.to_owned())).or_insert(Window { ends, used: 0 });
            if window.ends <= now {
                *window = Window { ends, used: 0 };
            }
            let limit = access.limits.get(&resource).copied().unwrap_or(CALLS);
            Allowance { limit, used: window.used, reset: window.ends }
        })
    }

    /// Counts an answer, and what it cost.
    pub(super) fn count(&self, resource: Resource, caller: &str, cost: u64) -> u64 {
        self.access(|access| {
            access.calls = access.calls.saturating_add(1);
            if let Some(window) = access.windows.get_mut(&(resource, caller.to_owned())) {
                window.used = window.used.saturating_add(cost);
            }
            access.calls
        })
    }
}
