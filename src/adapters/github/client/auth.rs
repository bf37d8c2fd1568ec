//! Who a call is made as: the App's own token, its installations' tokens, or a personal one.
//!
//! An installation's token is minted once and shared, renewed before it ends, and once more where GitHub refuses it.
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

    /// Forgets the id of an owner's installation, unless another call has learned the new one meanwhile.
    async fn forget_installation(&self, login: &str, id: u64) {
        let mut known = self.shared.tokens.installations.lock().await;
        let login = login.to_ascii_lowercase();
        if known.get(&login) == Some(&id) {
            known.remove(&login);
        }
    }

    fn app_token(&self, app: &AppAccess, call: &Call) -> Result<Secret, CallError> {
        let now = self.now().as_second();
        let (from, to) = APP_TOKEN;
        let claims = Claims { iat: now.saturating_add(from), exp: now.saturating_add(to), iss: app.id };
        let signed = encode(&Header::new(Algorithm::RS256), &claims, &app.key).ok().and_then(|jwt| Secret::new(&jwt));
        signed.ok_or_else(|| CallError::unavailable(call, "the App's private key does not sign"))
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
        if let Some(known) = minted.as_ref().filter(|known| known.expires_at.duration_since(self.now()) > RENEWED) {
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
        let Scope::Installation(installation) = refused.scope else { return false };
        let slot = self.shared.tokens.slot(installation);
        let mut minted = slot.lock().await;
        // Another call may have renewed it meanwhile.
        if minted.as_ref().is_some_and(|minted| minted.token == refused.token) {
            *minted = None;
        }
        true
    }
}

impl Tokens {
    fn slot(&self, installation: u64) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(installation).or_default())
    }
}
