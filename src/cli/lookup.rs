//! Looks up accounts on GitHub, several at a time. Results have the order of the requests.

use tokio::task::JoinSet;

use super::failure::Failure;
use crate::adapters::github::admin::{AccountFacts, InstallationFacts, ReadAs};
use crate::adapters::github::client::{CallError, GithubClient};
use crate::policy::UserRef;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    Account(AccountFacts),
    Nobody,
}

#[derive(Debug, Clone)]
pub(super) struct Lookup {
    pub(super) client: GithubClient,
    pub(super) by: ReadAs,
    /// `None` if a token is used instead of an App.
    pub(super) installations: Option<Vec<InstallationFacts>>,
}

impl Lookup {
    /// Reads as the App's first installation that is not suspended, or with the token.
    ///
    /// Errors if GitHub refuses the App, or if there is no such installation.
    pub(super) async fn new(client: GithubClient, as_app: bool) -> anyhow::Result<Self> {
        if !as_app {
            return Ok(Self { client, by: ReadAs::token(), installations: None });
        }
        let installations = client.installations().await.map_err(|error| refused(&error))?;
        let first = installations.iter().find(|installation| installation.suspended_at.is_none());
        let hint = "install it on the repositories that you deploy, on its page on GitHub";
        let nowhere = || Failure::new("not-installed", "the App is not installed anywhere").hint(hint);
        let by = ReadAs::installation_for(&first.ok_or_else(nowhere)?.account);
        Ok(Self { client, by, installations: Some(installations) })
    }

    /// Finds each account by its id if it has one, otherwise by its login. The text is passed through.
    ///
    /// Errors if GitHub fails to answer for any of them.
    pub(super) async fn accounts(
        &self,
        users: Vec<(&UserRef, String)>,
    ) -> anyhow::Result<Vec<(UserRef, String, Found)>> {
        let mut under_way = JoinSet::new();
        for (number, (user, place)) in users.into_iter().enumerate() {
            let (lookup, user) = (self.clone(), user.clone());
            under_way.spawn(async move {
                let found = match user.id {
                    Some(id) => lookup.client.account_of(id, &lookup.by).await,
                    None => lookup.client.account(&user.login, &lookup.by).await,
                };
                (number, user, place, found)
            });
        }
        let mut found = Vec::new();
        while let Some(one) = under_way.join_next().await {
            let (number, user, place, account) = one?;
            let account = account.map_err(|error| refused(&error))?;
            found.push((number, user, place, account.map_or(Found::Nobody, Found::Account)));
        }
        found.sort_by_key(|(number, ..)| *number);
        Ok(found.into_iter().map(|(_, user, place, account)| (user, place, account)).collect())
    }
}

/// The failure for a call that GitHub refused or did not answer.
pub(super) fn refused(error: &CallError) -> Failure {
    let failure = Failure::new("github-unavailable", error.to_string());
    match error.status() {
        Some(401) => failure
            .hint("check that the key belongs to this App, or that the token is valid, and that it was not deleted"),
        Some(403) => failure.hint("a permission is missing: `countersign github manifest` lists those that are needed"),
        Some(_) | None => failure,
    }
}
