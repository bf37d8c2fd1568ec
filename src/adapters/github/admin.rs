//! What is asked of GitHub to make the App and to look a set-up over: the App itself, where it is installed, its
//! webhook, and whether accounts, teams and repositories are there. No decision rests on it.

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

/// The App, as GitHub has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AppFacts {
    /// Its numeric id.
    pub id: u64,
    /// Its name in URLs.
    pub slug: String,
    /// What it asks for, in GitHub's words: `read`, `write`, `admin`.
    pub permissions: BTreeMap<String, String>,
    /// What it is told of.
    pub events: Vec<String>,
}

/// The App in one account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct InstallationFacts {
    /// Its numeric id.
    pub id: u64,
    /// Whose.
    pub account: Owner,
    /// What the account has agreed to.
    pub permissions: BTreeMap<String, String>,
    /// What the account has agreed to that the App is told of.
    pub events: Vec<String>,
    /// When the account suspended it.
    pub suspended_at: Option<Timestamp>,
}

/// An account that repositories belong to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Owner {
    /// Its login.
    pub login: Login,
    /// A person, or else an organisation.
    #[serde(rename = "type")]
    pub kind: AccountKind,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AccountFacts {
    /// Its numeric id, which stays when the login changes.
    pub id: UserId,
    /// Its login now.
    pub login: Login,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: AccountKind,
}

/// A team.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TeamFacts {
    /// How many are in it, child teams included.
    pub members_count: u64,
}

/// Where the App's deliveries go.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct HookConfig {
    /// The URL; none: nowhere.
    #[serde(default)]
    pub url: Option<String>,
    /// `json` or `form`.
    #[serde(default)]
    pub content_type: Option<String>,
    /// Stars, where there is a secret.
    #[serde(default)]
    pub secret: Option<String>,
}

/// One attempt at a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AttemptFacts {
    /// Its id.
    pub id: u64,
    /// The delivery's, the same for every attempt.
    pub guid: String,
    /// GitHub's name of the event.
    pub event: String,
    /// `OK`, or what was wrong.
    pub status: String,
    /// What the receiver answered.
    pub status_code: u16,
    /// When.
    pub delivered_at: Timestamp,
}

/// As whom something is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadAs(Identity);

impl ReadAs {
    /// The App's installation for that account; or whoever a personal token is.
    #[must_use]
    pub fn installation_for(Owner { login, kind }: &Owner) -> Self {
        let lookup = match kind {
            AccountKind::User => format!("/users/{login}/installation"),
            AccountKind::Bot | AccountKind::Other => format!("/orgs/{login}/installation"),
        };
        Self(Identity::Account { login: login.to_string(), lookup })
    }

    /// Whoever a personal token is.
    #[must_use]
    pub const fn token() -> Self {
        Self(Identity::App)
    }
}

impl GithubClient {
    /// The App whose key we hold.
    ///
    /// # Errors
    /// [`CallError`]; refused with 401 where the key is not the App's.
    pub async fn app(&self) -> Result<AppFacts, CallError> {
        self.call(&Call::get("/app".to_owned(), Identity::App, "the App")).await?.json()
    }

    /// Where the App is installed.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn installations(&self) -> Result<Vec<InstallationFacts>, CallError> {
        let path = "/app/installations?per_page=100".to_owned();
        let call = Call::get(path, Identity::App, "the App's installations");
        Ok(self.list(call, PAGES, Longer::Refused).await?.items)
    }

    /// Whether the App is installed where the repository is; none where not, or where there is no such repository.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn installation_of(&self, repository: &RepositoryName) -> Result<Option<InstallationFacts>, CallError> {
        let what = format!("the installation for {repository}");
        self.found(Call::get(format!("/repos/{repository}/installation"), Identity::App, what)).await
    }

    /// Where the App's deliveries go.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn hook_config(&self) -> Result<HookConfig, CallError> {
        let call = Call::get("/app/hook/config".to_owned(), Identity::App, "the App's webhook");
        self.call(&call).await?.json()
    }

    /// The newest attempts at deliveries, newest first.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn newest_attempts(&self) -> Result<Vec<AttemptFacts>, CallError> {
        let path = "/app/hook/deliveries?per_page=50".to_owned();
        self.call(&Call::get(path, Identity::App, "the App's deliveries")).await?.json()
    }

    /// Has a delivery sent once more.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn send_again(&self, attempt: u64) -> Result<(), CallError> {
        let path = format!("/app/hook/deliveries/{attempt}/attempts");
        // A receiver takes the same delivery for the same, however often it comes.
        let call = Call::new(Method::POST, path, Identity::App, "another attempt at a delivery").repeatable();
        self.call(&call).await.map(drop)
    }

    /// The account that has that login now.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn account(&self, login: &Login, by: &ReadAs) -> Result<Option<AccountFacts>, CallError> {
        let path = format!("/users/{}", login.as_str().replace('[', "%5B").replace(']', "%5D"));
        let found = self.found(Call::get(path, by.0.clone(), format!("the account `{login}`"))).await?;
        // A name that leads to another account is not that account's.
        Ok(found.filter(|account: &AccountFacts| account.login == *login))
    }

    /// The account that has that id, whatever it is called now.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn account_of(&self, id: UserId, by: &ReadAs) -> Result<Option<AccountFacts>, CallError> {
        self.found(Call::get(format!("/user/{id}"), by.0.clone(), format!("the account with the id {id}"))).await
    }

    /// The team; none where there is none, or it may not be seen.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn team(&self, team: &TeamSlug, by: &ReadAs) -> Result<Option<TeamFacts>, CallError> {
        let (org, slug) = team.as_str().split_once('/').unwrap_or((team.as_str(), ""));
        let path = format!("/orgs/{org}/teams/{slug}");
        self.found(Call::get(path, by.0.clone(), format!("the team `{team}`"))).await
    }

    /// What is there; none for 404.
    async fn found<T: DeserializeOwned>(&self, call: Call) -> Result<Option<T>, CallError> {
        match self.call(&call).await {
            Ok(answer) => answer.json().map(Some),
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
