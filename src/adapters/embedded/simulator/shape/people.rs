//! Accounts, teams and labels in GitHub's JSON.

use serde_json::{Value, json};

use super::{Shapes, node_id, with};
use crate::adapters::embedded::simulator::pull::PullRequest;
use crate::adapters::embedded::simulator::world::{Account, AccountType, MembershipState, Team};
use crate::adapters::github_rest::{GHOST, escaped};
use crate::ident::{Login, RepositoryName, UserId, sha256_hex};

impl Shapes<'_> {
    /// `simple-user`.
    pub(in super::super) fn account(&self, account: &Account) -> Value {
        let login = account.login.as_str();
        let api = self.api(&format!("/users/{}", login.replace('[', "%5B").replace(']', "%5D")));
        let prefix = match account.kind {
            AccountType::User => "U",
            AccountType::Bot => "BOT",
            AccountType::Organization => "O",
        };
        json!({
            "login": login,
            "id": account.id,
            "node_id": node_id(prefix, account.id.0),
            "avatar_url": self.web(&format!("/avatars/{}", account.id)),
            "gravatar_id": "",
            "url": api,
            "html_url": self.web(&format!("/{}", login.trim_end_matches("[bot]"))),
            "followers_url": format!("{api}/followers"),
            "following_url": format!("{api}/following{{/other_user}}"),
            "gists_url": format!("{api}/gists{{/gist_id}}"),
            "starred_url": format!("{api}/starred{{/owner}}{{/repo}}"),
            "subscriptions_url": format!("{api}/subscriptions"),
            "organizations_url": format!("{api}/orgs"),
            "repos_url": format!("{api}/repos"),
            "events_url": format!("{api}/events{{/privacy}}"),
            "received_events_url": format!("{api}/received_events"),
            "type": account.kind.as_str(),
            "user_view_type": "public",
            "site_admin": false,
        })
    }

    /// The account that GitHub puts in place of a deleted one if its description does not allow null:
    /// <https://docs.github.com/en/account-and-profile/concepts/account-management#about-deletion-of-your-personal-account>.
    pub(super) fn ghost(&self) -> Value {
        let created_at = jiff::Timestamp::UNIX_EPOCH;
        let login = Login::new("ghost").ok();
        let ghost = login.map(|login| Account { id: GHOST, login, kind: AccountType::User, created_at });
        ghost.map_or(Value::Null, |ghost| self.account(&ghost))
    }

    /// `public-user`.
    pub(in super::super) fn profile(&self, account: &Account) -> Value {
        let more = json!({
            "name": account.login, "company": null, "blog": "", "location": null, "email": null, "hireable": null,
            "bio": null, "twitter_username": null, "public_repos": 0, "public_gists": 0, "followers": 0,
            "following": 0, "created_at": account.created_at, "updated_at": account.created_at,
        });
        with(self.account(account), more)
    }

    /// `organization-simple-webhooks`, for the owner of a repository or team. `None` if it is no organization.
    pub(in super::super) fn organization(&self, login: &str) -> Option<Value> {
        let login = Login::new(login).ok()?;
        let account = self.0.account(&login).filter(|account| account.kind == AccountType::Organization)?;
        let api = self.api(&format!("/orgs/{login}"));
        Some(json!({
            "login": login,
            "id": account.id,
            "node_id": node_id("O", account.id.0),
            "url": api,
            "repos_url": format!("{api}/repos"),
            "events_url": format!("{api}/events"),
            "hooks_url": format!("{api}/hooks"),
            "issues_url": format!("{api}/issues"),
            "members_url": format!("{api}/members{{/member}}"),
            "public_members_url": format!("{api}/public_members{{/member}}"),
            "avatar_url": self.web(&format!("/avatars/{}", account.id)),
            "description": null,
        }))
    }

    /// The fields of `organization-full` that `organization-simple` lacks.
    fn organization_full(&self, login: &str) -> Value {
        let simple = self.organization(login).unwrap_or(Value::Null);
        let made = Login::new(login).ok().and_then(|login| self.0.account(&login).map(|account| account.created_at));
        let more = json!({
            "has_organization_projects": false, "has_repository_projects": false, "public_repos": 0,
            "public_gists": 0, "followers": 0, "following": 0, "html_url": self.web(&format!("/{login}")),
            "type": "Organization", "created_at": made, "updated_at": made, "archived_at": null,
        });
        with(simple, more)
    }

    /// `team-full`.
    pub(in super::super) fn team(&self, team: &Team) -> Value {
        let (org, _) = team.slug.parts();
        let parent = team.parent.as_ref().and_then(|parent| self.0.teams.get(parent));
        let members = self.0.team_members(&team.slug).map_or(0, |members| members.len());
        let more = json!({
            "parent": parent.map(|parent| self.team_simple(parent)),
            "members_count": members, "repos_count": 0,
            "created_at": team.created_at, "updated_at": team.created_at,
            "organization": self.organization_full(org),
        });
        with(self.team_simple(team), more)
    }

    fn team_simple(&self, team: &Team) -> Value {
        let (org, slug) = team.slug.parts();
        let organization = Login::new(org).ok().and_then(|login| self.0.account(&login).map(|account| account.id));
        let organization = organization.unwrap_or(UserId(0));
        let api = self.api(&format!("/organizations/{organization}/team/{}", team.id));
        json!({
            "id": team.id,
            "node_id": node_id("T", team.id),
            "url": api,
            "html_url": self.web(&format!("/orgs/{org}/teams/{slug}")),
            "name": team.name,
            "slug": slug,
            "description": null,
            "privacy": "closed",
            "notification_setting": "notifications_enabled",
            "permission": "pull",
            "members_url": format!("{api}/members{{/member}}"),
            "repositories_url": format!("{api}/repos"),
            "type": "organization",
            "organization_id": organization,
        })
    }

    /// `label`. Labels have no records, so the id is derived from the name.
    pub(in super::super) fn label(&self, repository: &RepositoryName, label: &str) -> Value {
        let hash = sha256_hex(format!("{repository}\n{label}").as_bytes());
        let id = u64::from_str_radix(hash.get(..8).unwrap_or_default(), 16).unwrap_or(1);
        json!({
            "id": id,
            "node_id": node_id("LA", id),
            "url": self.api(&format!("/repos/{repository}/labels/{}", escaped(label))),
            "name": label,
            "color": hash.get(8..14).unwrap_or("ededed"),
            "default": false,
            "description": "",
        })
    }

    /// `author_association`: how an account relates to a repository. It authorizes nothing.
    pub(super) fn association(&self, pull: &PullRequest, user: UserId) -> &'static str {
        let owner = self.0.repositories.get(&pull.repository).map(|repository| repository.name.parts().0);
        let Some((account, owner)) = self.0.accounts.get(&user).zip(owner) else { return "NONE" };
        let active = |team: &Team| team.members.get(&user) == Some(&MembershipState::Active);
        match account.kind {
            AccountType::Bot | AccountType::Organization => "NONE",
            AccountType::User if account.login.as_str().eq_ignore_ascii_case(owner) => "OWNER",
            AccountType::User if self.0.teams.values().any(|team| team.slug.is_of(owner) && active(team)) => "MEMBER",
            AccountType::User if pull.is_author(user) => "CONTRIBUTOR",
            AccountType::User => "NONE",
        }
    }
}
