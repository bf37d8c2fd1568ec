//! Looks accounts up on GitHub, several at a time. What is found is told in the order in which it was asked for.

use tokio::task::JoinSet;

use super::failure::Failure;
use crate::adapters::github::admin::{AccountFacts, InstallationFacts, ReadAs};
use crate::adapters::github::client::{CallError, GithubClient};
use crate::policy::UserRef;

/// Who is at a login or an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// This one.
    Account(AccountFacts),
    /// None.
    Nobody,
}

/// GitHub, and as whom it is read.
#[derive(Debug, Clone)]
pub(super) struct Lookup {
    pub(super) client: GithubClient,
    pub(super) by: ReadAs,
    /// Where the App is installed; none where no App asks.
    pub(super) installations: Option<Vec<InstallationFacts>>,
}

impl Lookup {
    /// The first installation of the App reads; or whoever the token is.
    ///
    /// # Errors
    /// GitHub refuses the App, or it is installed nowhere.
    pub(super) async fn new(client: GithubClient, as_app: bool) -> anyhow::Result<Self> {
        if !as_app {
            return Ok(Self { client, by: ReadAs::token(), installations: None });
        }
        let installations = client.installations().await.map_err(|error| refused(&error))?;
        let first = installations.iter().find(|installation| installation.suspended_at.is_none());
        let hint = "install it on the repositories that are deployed, at its page on GitHub";
        let nowhere = || Failure::new("not-installed", "the App is installed nowhere").hint(hint);
        let by = ReadAs::installation_for(&first.ok_or_else(nowhere)?.account);
        Ok(Self { client, by, installations: Some(installations) })
    }

    /// Who they are: by their id where they have one, else by their login. With each comes what came with it.
    ///
    /// # Errors
    /// GitHub gave no answer to one of them: then nothing is known of any.
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

/// Why GitHub did not answer as it must.
pub(super) fn refused(error: &CallError) -> Failure {
    let failure = Failure::new("github-unavailable", error.to_string());
    match error.status() {
        Some(401) => failure.hint("the App's key or the token is not taken: is it this App's, and still there?"),
        Some(403) => {
            failure.hint("what is asked for is not allowed: `countersign github manifest` lists what is needed")
        }
        Some(_) | None => failure,
    }
}
