//! The identity of a call: the App's own token, a token of an installation, or a personal token.
//!
//! Calls share a token, which is renewed before it expires. A token of an installation is also renewed if GitHub refuses it.
//! <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app>

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::Method;
use jiff::{SignedDuration, Timestamp};
use octocrab::jsonwebtoken::{Algorithm, Header, encode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::GithubClient;
use super::call::{Call, CallError, Identity};
use super::limits::Scope;
use super::settings::{Access, AppAccess, Token};

/// A token is renewed this long before it expires: longer than any work that begins with it.
const RENEWED: SignedDuration = SignedDuration::from_mins(5);
/// The App's own token is issued a minute ago, since clocks differ. In seconds from now.
const APP_TOKEN_ISSUED: i64 = -60;
/// The App's own token expires before GitHub's limit of 10 minutes. In seconds from now.
const APP_TOKEN_EXPIRES: i64 = 540;

#[derive(Clone)]
pub(super) struct Authorization {
    pub(super) scope: Scope,
    pub(super) token: Token,
}

#[derive(Clone)]
struct Minted {
    token: Token,
    expires_at: Timestamp,
}

type Slot = Arc<tokio::sync::Mutex<Option<Minted>>>;

/// Known installations and their tokens. A slot is locked while its token is requested, so that other calls wait for it.
#[derive(Default)]
pub(super) struct Tokens {
    slots: Mutex<BTreeMap<u64, Slot>>,
    /// The App's own, stored because signing takes a large part of a process's first call.
    app: Mutex<Option<Minted>>,
    /// By the owner's login in lower case.
    installations: tokio::sync::Mutex<BTreeMap<String, u64>>,
}

#[derive(Serialize)]
struct Claims {
    iat: i64,
    exp: i64,
    iss: u64,
}

#[derive(Deserialize)]
struct Installation {
    id: u64,
}

#[derive(Deserialize)]
struct AccessToken {
    token: String,
    expires_at: Timestamp,
}

impl GithubClient {
    pub(super) async fn authorization(&self, call: &Call) -> Result<Authorization, CallError> {
        let app = match &self.shared.settings.access {
            Access::Token(token) => return Ok(Authorization { scope: Scope::Token, token: token.clone() }),
            Access::App(app) => app,
        };
        let minted = match (&call.identity, app.installation) {
            (Identity::App, _) => {
                return Ok(Authorization { scope: Scope::App, token: self.app_token(app, call)? });
            }
            (Identity::Account { .. }, Some(installation)) => self.as_installation(installation).await,
            (Identity::Account { login, lookup }, None) => self.as_installed_for(login, lookup).await,
        };
        // Getting a token failed. That says nothing about the requested thing: its 404 would be read as a deleted team.
        minted.map_err(|error| match error {
            CallError::Refused { .. } => CallError::unavailable(call, error.to_string()),
            CallError::Unavailable { .. } | CallError::Incomplete { .. } | CallError::Unreadable { .. } => error,
        })
    }

    async fn as_installation(&self, installation: u64) -> Result<Authorization, CallError> {
        let token = self.installation_token(installation).await?;
        Ok(Authorization { scope: Scope::Installation(installation), token })
    }

    /// As the App's installation for an owner. If the App was uninstalled and installed again, its installation has another
    /// id, and GitHub refuses tokens for the known one. Then the id is looked up once more.
    async fn as_installed_for(&self, login: &str, lookup: &str) -> Result<Authorization, CallError> {
        let known = self.installation(login, lookup).await?;
        let refused = match self.as_installation(known).await {
            Err(error) if error.status() == Some(404) => error,
            minted => return minted,
        };
        self.forget_installation(login, known).await;
        let installation = self.installation(login, lookup).await?;
        if installation == known { Err(refused) } else { self.as_installation(installation).await }
    }

    /// Stores the installation of an owner if none is known. A signed delivery names it, which saves the call that looks it up.
    /// If GitHub refuses tokens for it, it is looked up all the same.
    pub fn know_installation(&self, owner: &str, id: u64) {
        // If it is locked, a call is looking an installation up already.
        if let Ok(mut known) = self.shared.tokens.installations.try_lock() {
            known.entry(owner.to_ascii_lowercase()).or_insert(id);
        }
    }

    /// Forgets the id of an owner's installation, unless another call has stored a new one meanwhile.
    async fn forget_installation(&self, login: &str, id: u64) {
        let mut known = self.shared.tokens.installations.lock().await;
        let login = login.to_ascii_lowercase();
        if known.get(&login) == Some(&id) {
            known.remove(&login);
        }
    }

    fn app_token(&self, app: &AppAccess, call: &Call) -> Result<Token, CallError> {
        let now = self.now();
        let mut kept = self.shared.tokens.app.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept.as_ref().filter(|known| known.is_fresh(now)) {
            return Ok(known.token.clone());
        }
        let minted =
            sign(app, now).ok_or_else(|| CallError::unavailable(call, "cannot sign with the App's private key"))?;
        let token = minted.token.clone();
        *kept = Some(minted);
        Ok(token)
    }

    /// The App's installation for an owner, looked up if it is not known.
    async fn installation(&self, login: &str, lookup: &str) -> Result<u64, CallError> {
        let login = login.to_ascii_lowercase();
        let mut known = self.shared.tokens.installations.lock().await;
        if let Some(id) = known.get(&login) {
            return Ok(*id);
        }
        let what = format!("the App's installation for `{login}`");
        let call = Call::get(lookup.to_owned(), Identity::App, what);
        let answer = Box::pin(self.tried(&call)).await.map_err(|error| match error.status() {
            Some(404) => CallError::unavailable(&call, format!("the App is not installed for `{login}`")),
            Some(_) | None => error,
        })?;
        let found: Installation = answer.json()?;
        known.insert(login, found.id);
        Ok(found.id)
    }

    async fn installation_token(&self, installation: u64) -> Result<Token, CallError> {
        let slot = self.shared.tokens.slot(installation);
        let mut minted = slot.lock().await;
        if let Some(known) = minted.as_ref().filter(|known| known.is_fresh(self.now())) {
            return Ok(known.token.clone());
        }
        let what = format!("a token of the App's installation {installation}");
        let path = format!("/app/installations/{installation}/access_tokens");
        // A superfluous token does no harm.
        let call = Call::new(Method::POST, path, Identity::App, &what).with_body(json!({})).repeatable();
        let answer: AccessToken = Box::pin(self.tried(&call)).await?.json()?;
        let token = Token::new(&answer.token).ok_or_else(|| CallError::unreadable(&what, "it contains no token"))?;
        *minted = Some(Minted { token: token.clone(), expires_at: answer.expires_at });
        Ok(token)
    }

    /// Forgets a refused token. Returns whether another one may be accepted.
    pub(super) async fn renewable(&self, refused: &Authorization) -> bool {
        let installation = match refused.scope {
            Scope::Installation(installation) => installation,
            Scope::App => {
                // Another one would be refused as well. If this one was too old for GitHub's clock, the next call signs a new one.
                *self.shared.tokens.app.lock().unwrap_or_else(PoisonError::into_inner) = None;
                return false;
            }
            Scope::Token => return false,
        };
        let slot = self.shared.tokens.slot(installation);
        let mut minted = slot.lock().await;
        // Another call may have renewed it meanwhile.
        if minted.as_ref().is_some_and(|minted| minted.token == refused.token) {
            *minted = None;
        }
        true
    }
}

impl Minted {
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.expires_at.duration_since(now) > RENEWED
    }
}

/// The App's own token as of now. `None` if signing fails.
fn sign(app: &AppAccess, now: Timestamp) -> Option<Minted> {
    let in_seconds = |offset: i64| now.as_second().saturating_add(offset);
    let expires_at = Timestamp::from_second(in_seconds(APP_TOKEN_EXPIRES)).ok()?;
    let claims = Claims { iat: in_seconds(APP_TOKEN_ISSUED), exp: expires_at.as_second(), iss: app.id };
    let jwt = encode(&Header::new(Algorithm::RS256), &claims, app.key.expose()).ok()?;
    Some(Minted { token: Token::new(&jwt)?, expires_at })
}

impl Tokens {
    fn slot(&self, installation: u64) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(installation).or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::super::settings::{GithubSettings, GivenSettings};
    use super::*;
    use crate::ports::Clock;

    const KEY: &str = include_str!("../../../../tests/keys/app.pem");

    #[derive(Default)]
    struct Seconds(AtomicI64);

    impl Clock for Seconds {
        fn now(&self) -> Timestamp {
            Timestamp::from_second(self.0.load(Ordering::SeqCst)).unwrap()
        }
    }

    #[tokio::test]
    async fn the_apps_own_token_is_signed_again_before_it_expires_and_after_it_was_refused() {
        let clock = Arc::new(Seconds::default());
        let given = GivenSettings { app_id: Some("1"), private_key: Some(KEY), ..GivenSettings::default() };
        let client = GithubClient::new(GithubSettings::read(given).unwrap(), clock.clone()).unwrap();
        let call = Call::get("/app".to_owned(), Identity::App, "the App".to_owned());
        let at = async |second| {
            clock.0.store(second, Ordering::SeqCst);
            client.authorization(&call).await.unwrap()
        };
        let first = at(1000).await;
        assert!(at(1239).await.token == first.token);
        let second = at(1240).await;
        assert!(second.token != first.token);
        assert!(!client.renewable(&second).await, "another would be refused alike");
        assert!(at(1241).await.token != second.token);
    }
}
