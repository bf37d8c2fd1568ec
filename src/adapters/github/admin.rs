//! Calls for setting up and checking an installation: the App, its installations and webhook, and whether accounts, teams
//! and repositories exist. No decision depends on them.

use std::collections::BTreeMap;

use http::Method;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::client::{Call, CallError, GithubClient, Identity, Longer};
use crate::approval::facts::AccountKind;
use crate::ident::{Login, RepositoryName, TeamSlug, UserId};

/// The most pages of installations that are read: 10,000 installations.
const PAGES: usize = 100;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AppFacts {
    pub id: u64,
    /// Its name in URLs.
    pub slug: String,
    /// The permissions that it requests, in GitHub's words: `read`, `write`, `admin`.
    pub permissions: BTreeMap<String, String>,
    /// The events that it subscribes to.
    pub events: Vec<String>,
}

/// An installation of the App in an account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct InstallationFacts {
    pub id: u64,
    pub account: Owner,
    /// The permissions that the account has granted.
    pub permissions: BTreeMap<String, String>,
    /// The events that the account has accepted.
    pub events: Vec<String>,
    /// `None` if it is not suspended.
    pub suspended_at: Option<Timestamp>,
}

/// An account that owns repositories.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Owner {
    pub login: Login,
    /// Anything but `User` is an organization.
    #[serde(rename = "type")]
    pub kind: AccountKind,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AccountFacts {
    /// It stays when the login changes.
    pub id: UserId,
    pub login: Login,
    #[serde(rename = "type")]
    pub kind: AccountKind,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TeamFacts {
    /// Including those of child teams.
    pub members_count: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct HookConfig {
    /// `None` if no deliveries are sent.
    #[serde(default)]
    pub url: Option<String>,
    /// `json` or `form`.
    #[serde(default)]
    pub content_type: Option<String>,
    /// Asterisks if there is a secret.
    #[serde(default)]
    pub secret: Option<String>,
}

/// One attempt of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AttemptFacts {
    pub id: u64,
    /// The delivery's id, the same for every attempt.
    pub guid: String,
    pub event: String,
    /// `OK`, or the problem.
    pub status: String,
    pub status_code: u16,
    pub delivered_at: Timestamp,
}

/// The identity for reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadAs(pub(super) Identity);

impl ReadAs {
    /// The App's installation for that account, or the owner of a personal token.
    #[must_use]
    pub fn installation_for(Owner { login, kind }: &Owner) -> Self {
        let lookup = match kind {
            AccountKind::User => format!("/users/{login}/installation"),
            AccountKind::Bot | AccountKind::Other => format!("/orgs/{login}/installation"),
        };
        Self(Identity::Account { login: login.to_string(), lookup })
    }

    /// The owner of a personal token.
    #[must_use]
    pub const fn token() -> Self {
        Self(Identity::App)
    }
}

impl GithubClient {
    /// # Errors
    /// [`CallError`]. GitHub refuses with 401 if the key is not the App's.
    pub async fn app(&self) -> Result<AppFacts, CallError> {
        self.call(&Call::get("/app".to_owned(), Identity::App, "the App")).await?.json()
    }

    pub async fn installations(&self) -> Result<Vec<InstallationFacts>, CallError> {
        let path = "/app/installations?per_page=100".to_owned();
        let call = Call::get(path, Identity::App, "the App's installations");
        Ok(self.list(call, PAGES, Longer::Refused).await?.items)
    }

    /// The installation for a repository. `None` if the App is not installed there, or the repository does not exist.
    pub async fn installation_of(&self, repository: &RepositoryName) -> Result<Option<InstallationFacts>, CallError> {
        let what = format!("the installation for {repository}");
        self.found(Call::get(format!("/repos/{repository}/installation"), Identity::App, what)).await
    }

    pub async fn hook_config(&self) -> Result<HookConfig, CallError> {
        let call = Call::get("/app/hook/config".to_owned(), Identity::App, "the App's webhook");
        self.call(&call).await?.json()
    }

    /// The latest attempts of deliveries, newest first.
    pub async fn newest_attempts(&self) -> Result<Vec<AttemptFacts>, CallError> {
        let path = "/app/hook/deliveries?per_page=50".to_owned();
        self.call(&Call::get(path, Identity::App, "the App's deliveries")).await?.json()
    }

    /// Requests another attempt of a delivery.
    pub async fn send_again(&self, attempt: u64) -> Result<(), CallError> {
        let path = format!("/app/hook/deliveries/{attempt}/attempts");
        // A receiver recognizes a repeated delivery by its id.
        let call = Call::new(Method::POST, path, Identity::App, "another attempt of a delivery").repeatable();
        self.call(&call).await.map(drop)
    }

    /// `None` if no account has that login now.
    pub async fn account(&self, login: &Login, by: &ReadAs) -> Result<Option<AccountFacts>, CallError> {
        let path = format!("/users/{}", login.as_str().replace('[', "%5B").replace(']', "%5D"));
        let found = self.found(Call::get(path, by.0.clone(), format!("the account `{login}`"))).await?;
        // GitHub may redirect to an account with another login.
        Ok(found.filter(|account: &AccountFacts| account.login == *login))
    }

    /// `None` if no account has that id.
    pub async fn account_of(&self, id: UserId, by: &ReadAs) -> Result<Option<AccountFacts>, CallError> {
        self.found(Call::get(format!("/user/{id}"), by.0.clone(), format!("the account with the id {id}"))).await
    }

    /// `None` if the team does not exist or may not be read.
    pub async fn team(&self, team: &TeamSlug, by: &ReadAs) -> Result<Option<TeamFacts>, CallError> {
        let (org, slug) = team.parts();
        let path = format!("/orgs/{org}/teams/{slug}");
        self.found(Call::get(path, by.0.clone(), format!("the team `{team}`"))).await
    }

    /// `None` for 404.
    async fn found<T: DeserializeOwned>(&self, call: Call) -> Result<Option<T>, CallError> {
        match self.call(&call).await {
            Ok(answer) => answer.json().map(Some),
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
