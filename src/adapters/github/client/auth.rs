//! Who a call is made as: the App's own token, its installations' tokens, or a personal one.
//!
//! A token is made once and shared, and renewed before it ends; an installation's also where GitHub refuses it.
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
use super::secret::Secret;
use super::settings::{Access, AppAccess};

/// A token is renewed when it has this long to live: longer than any work takes that was begun with it.
const RENEWED: SignedDuration = SignedDuration::from_mins(5);
/// The App's own token is made as from a minute ago, since clocks differ, and for less than GitHub's 10 minutes.
const APP_TOKEN: (i64, i64) = (-60, 540);

/// What a call is made with.
#[derive(Clone)]
pub(super) struct Authorization {
    pub(super) scope: Scope,
    pub(super) token: Secret,
}

#[derive(Clone)]
struct Minted {
    token: Secret,
    expires_at: Timestamp,
}

type Slot = Arc<tokio::sync::Mutex<Option<Minted>>>;

/// Installations and their tokens, as far as they are known. A slot is held while its token is minted, so that others
/// wait for the same one.
#[derive(Default)]
pub(super) struct Tokens {
    slots: Mutex<BTreeMap<u64, Slot>>,
    /// The App's own: signing is a good part of what the first call of a process costs.
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
    /// What the call is to be made with.
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
        // Who asks could not be made out. A refusal of that says nothing of what was asked for: its 404 would be read as
        // a team that was deleted.
        minted.map_err(|error| match error {
            CallError::Refused { .. } => CallError::unavailable(call, error.to_string()),
            CallError::Unavailable { .. } | CallError::Unreadable { .. } => error,
        })
    }

    async fn as_installation(&self, installation: u64) -> Result<Authorization, CallError> {
        let token = self.installation_token(installation).await?;
        Ok(Authorization { scope: Scope::Installation(installation), token })
    }

    /// As the App's installation for an owner. Where the App was taken out and installed again, the installation has
    /// another id than the one that is known: GitHub has no tokens for that any more, and it is looked up once more.
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

    /// Takes for known which installation is an owner's, where none is: a signed delivery names it, and looking it up is a
    /// call. One that is no more is looked up all the same, as soon as GitHub has no token for it.
    pub fn know_installation(&self, owner: &str, id: u64) {
        // While somebody looks one up there is nothing to spare.
        if let Ok(mut known) = self.shared.tokens.installations.try_lock() {
            known.entry(owner.to_ascii_lowercase()).or_insert(id);
        }
    }

    /// Forgets the id of an owner's installation, unless another call has learned the new one meanwhile.
    async fn forget_installation(&self, login: &str, id: u64) {
        let mut known = self.shared.tokens.installations.lock().await;
        let login = login.to_ascii_lowercase();
        if known.get(&login) == Some(&id) {
            known.remove(&login);
        }
    }

    fn app_token(&self, app: &AppAccess, call: &Call) -> Result<Secret, CallError> {
        let now = self.now();
        let mut kept = self.shared.tokens.app.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept.as_ref().filter(|known| known.is_good(now)) {
            return Ok(known.token.clone());
        }
        let minted =
            sign(app, now).ok_or_else(|| CallError::unavailable(call, "the App's private key does not sign"))?;
        let token = minted.token.clone();
        *kept = Some(minted);
        Ok(token)
    }

    /// The App's installation for an owner, looked up where it is not known.
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

    async fn installation_token(&self, installation: u64) -> Result<Secret, CallError> {
        let slot = self.shared.tokens.slot(installation);
        let mut minted = slot.lock().await;
        if let Some(known) = minted.as_ref().filter(|known| known.is_good(self.now())) {
            return Ok(known.token.clone());
        }
        let what = format!("a token of the App's installation {installation}");
        let path = format!("/app/installations/{installation}/access_tokens");
        // One token more than is needed does no harm.
        let call = Call::new(Method::POST, path, Identity::App, &what).with_body(json!({})).repeatable();
        let answer: AccessToken = Box::pin(self.tried(&call)).await?.json()?;
        let token =
            Secret::new(&answer.token).ok_or_else(|| CallError::unreadable(&what, "there is no token in it"))?;
        *minted = Some(Minted { token: token.clone(), expires_at: answer.expires_at });
        Ok(token)
    }

    /// Forgets a token that was refused, and says whether there can be another.
    pub(super) async fn renewable(&self, refused: &Authorization) -> bool {
        let installation = match refused.scope {
            Scope::Installation(installation) => installation,
            Scope::App => {
                // Another would be refused alike; were this one too old for GitHub's clock, the next call makes its own.
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
    fn is_good(&self, now: Timestamp) -> bool {
        self.expires_at.duration_since(now) > RENEWED
    }
}

/// The App's own token as of now; none where its key does not sign.
fn sign(app: &AppAccess, now: Timestamp) -> Option<Minted> {
    let (from, to) = APP_TOKEN;
    let expires_at = Timestamp::from_second(now.as_second().saturating_add(to)).ok()?;
    let claims = Claims { iat: now.as_second().saturating_add(from), exp: expires_at.as_second(), iss: app.id };
    let jwt = encode(&Header::new(Algorithm::RS256), &claims, &app.key).ok()?;
    Some(Minted { token: Secret::new(&jwt)?, expires_at })
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
    async fn the_apps_own_token_is_signed_once_and_anew_before_it_ends_or_once_it_was_refused() {
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
