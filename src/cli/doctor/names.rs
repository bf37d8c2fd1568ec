//! Checks that the policy's teams and accounts exist, and that each login belongs to the pinned account.

use std::collections::BTreeMap;

use tokio::task::JoinSet;

use super::Check;
use crate::adapters::github::admin::ReadAs;
use crate::approval::facts::AccountKind;
use crate::cli::lookup::{Found, Lookup, refused};
use crate::cli::pin::{accounts as accounts_of, place};
use crate::ident::TeamSlug;
use crate::policy::{Mentioned, Named, UserRef};

/// One check for each team.
pub(super) async fn teams(lookup: &Lookup, mentioned: &Mentioned) -> anyhow::Result<Vec<Check>> {
    let mut named: BTreeMap<&TeamSlug, String> = BTreeMap::new();
    for mention in &mentioned.mentions {
        if let Named::Team(team) = &mention.named {
            named.entry(team).or_insert_with(|| place(&mentioned.sources, mention));
        }
    }
    let mut under_way = JoinSet::new();
    for (team, place) in named {
        let (lookup, team) = (lookup.clone(), team.clone());
        under_way.spawn(async move {
            let by = reader(&lookup, &team);
            let found = match by {
                Some(by) => lookup.client.team(&team, &by).await,
                None => Ok(None),
            };
            (team, place, found)
        });
    }
    let mut checks = BTreeMap::new();
    while let Some(one) = under_way.join_next().await {
        let (team, place, found) = one?;
        let check = match found.map_err(|error| refused(&error))? {
            Some(facts) if facts.members_count > 0 => {
                Check::ok("team", format!("the team `{team}` can be read, and has {} members", facts.members_count))
            }
            Some(_) => {
                let hint = "nobody is eligible through it: add members, or remove it from the policy";
                Check::warning("team", format!("the team `{team}` is empty ({place})"), hint)
            }
            None => {
                let hint = "spell it as in its URL, and install the App in its organisation with `members: read`";
                Check::failed("team", format!("the team `{team}` is not there, or may not be read ({place})"), hint)
            }
        };
        checks.insert(team, check);
    }
    Ok(checks.into_values().collect())
}

/// The installation in the team's organisation, or the token. `None` if there is no such installation.
fn reader(lookup: &Lookup, team: &TeamSlug) -> Option<ReadAs> {
    let Some(installations) = &lookup.installations else { return Some(lookup.by.clone()) };
    let owner = team.as_str().split('/').next().unwrap_or_default();
    let of_owner = installations.iter().find(|it| it.account.login.as_str().eq_ignore_ascii_case(owner));
    of_owner.filter(|installation| installation.suspended_at.is_none()).map(|it| ReadAs::installation_for(&it.account))
}

/// Each account once.
pub(super) async fn accounts(lookup: &Lookup, mentioned: &Mentioned) -> anyhow::Result<Vec<Check>> {
    let named = accounts_of(&mentioned.sources, &mentioned.mentions);
    let found = lookup.accounts(named).await?;
    Ok(found.into_iter().map(|(user, place, found)| account(&user, &place, &found)).collect())
}

fn account(user: &UserRef, place: &str, found: &Found) -> Check {
    let is_bot = user.login.is_bot();
    match (user.id, found) {
        (Some(id), Found::Nobody) => {
            let hint = "nobody can approve as this account any more: remove it from the policy";
            Check::failed("account", format!("no account has the id of `{user}` ({place})"), hint_of(hint, id.0))
        }
        (None, Found::Nobody) => {
            let hint = "check the spelling, and whether the account was renamed";
            Check::failed("account", format!("no account is called `{user}` ({place})"), hint)
        }
        (_, Found::Account(facts))
            if (facts.kind == AccountKind::Bot) != is_bot || facts.kind == AccountKind::Other =>
        {
            let hint = "only people can approve, and Apps that are written as `name[bot]`";
            Check::failed("account", format!("`{user}` is neither a person nor a bot of that name ({place})"), hint)
        }
        (Some(_), Found::Account(facts)) if facts.login != user.login => {
            let text = format!("`{user}` is called `{}` now ({place}); the id still decides", facts.login);
            Check::warning("account", text, "write the new login into the policy, for its readers")
        }
        (Some(_), Found::Account(_)) => Check::ok("account", format!("`{user}` is the account with that id")),
        (None, Found::Account(facts)) => {
            let text = format!("`{user}` is an account, but the policy does not pin its id ({place})");
            let hint = format!(
                "run `countersign pin` to write `{user}#{}`; until then, whoever takes over the login counts",
                facts.id
            );
            Check::warning("account", text, hint)
        }
    }
}

fn hint_of(hint: &str, id: u64) -> String {
    format!("{hint} (id {id})")
}
