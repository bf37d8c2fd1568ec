//! Accounts, teams, repositories, the hook and the App.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::{Change, made_up_hash};
use crate::adapters::embedded::simulator::delivery::HookEvent;
use crate::adapters::embedded::simulator::payload;
use crate::adapters::embedded::simulator::refusal::Refusal;
use crate::adapters::embedded::simulator::world::HostedApp;
use crate::adapters::embedded::simulator::world::{
    Account, AccountType, Branch, Hook, HookSecret, MembershipState, Repository, Switches, Team,
};
use crate::ident::{Login, RepositoryName, Revision, TeamSlug, UserId};

/// An account to create.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    pub login: Login,
    /// Default: the next free id.
    #[serde(default)]
    pub id: Option<UserId>,
    #[serde(rename = "type", default)]
    pub kind: AccountType,
}

/// The App to set up.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewApp {
    /// The App acts as `<slug>[bot]`.
    pub slug: String,
    /// PEM.
    pub public_key: String,
}

/// A team to create.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewTeam {
    pub team: TeamSlug,
    /// Default: the slug.
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub parent: Option<TeamSlug>,
    #[serde(default)]
    pub members: Vec<NewMember>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewMember {
    pub login: Login,
    #[serde(default)]
    pub state: MembershipState,
}

/// An edit of a team.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TeamEdit {
    pub readable: Option<bool>,
    /// Replaces all members.
    pub members: Option<Vec<NewMember>>,
}

/// A repository to create.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRepository {
    pub name: RepositoryName,
    /// Default: `main`.
    #[serde(default)]
    pub default_branch: Option<String>,
    #[serde(default)]
    pub switches: Switches,
}

/// Switches to set. The others stay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SwitchEdit {
    pub allow_self_review: Option<bool>,
    pub dismiss_stale_reviews: Option<bool>,
    pub public: Option<bool>,
}

impl Change<'_> {
    /// Creates an account. An existing one of the same kind stays as it is.
    ///
    /// # Errors
    /// The login or the id belongs to another account.
    pub fn create_account(&mut self, new: &NewAccount) -> Result<Arc<Account>, Refusal> {
        if let Some(known) = self.world.account(&new.login) {
            let same = known.kind == new.kind && new.id.is_none_or(|id| id == known.id);
            let taken = || Refusal::rule(format!("`{}` is another account already", new.login));
            return same.then(|| Arc::clone(known)).ok_or_else(taken);
        }
        let id = match new.id {
            Some(id) => id,
            None => self.free_account_id(),
        };
        if self.world.accounts.contains_key(&id) {
            return Err(Refusal::rule(format!("the id {id} belongs to another account")));
        }
        let account = Account { id, login: new.login.clone(), kind: new.kind, created_at: self.now };
        let account = Arc::new(account);
        self.world.accounts.insert(id, Arc::clone(&account));
        Ok(account)
    }

    fn free_account_id(&mut self) -> UserId {
        loop {
            let id = UserId(self.next_id());
            if !self.world.accounts.contains_key(&id) {
                return id;
            }
        }
    }

    /// Deletes an account. What it did stays, and belongs to nobody.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub fn delete_account(&mut self, login: &Login) -> Result<(), Refusal> {
        let id = self.world.account(login).map(|account| account.id).ok_or(Refusal::NotFound)?;
        self.world.accounts.remove(&id);
        for team in self.world.teams.values_mut().filter(|team| team.members.contains_key(&id)) {
            Arc::make_mut(team).members.remove(&id);
        }
        Ok(())
    }

    /// Changes the login. The id stays, and the old login is free.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], or the new login is taken.
    pub fn rename_account(&mut self, from: &Login, to: &Login) -> Result<Arc<Account>, Refusal> {
        let id = self.world.account(from).map(|account| account.id).ok_or(Refusal::NotFound)?;
        if self.world.account(to).is_some_and(|other| other.id != id) {
            return Err(Refusal::rule(format!("`{to}` is another account already")));
        }
        let account = self.world.accounts.get_mut(&id).ok_or(Refusal::NotFound)?;
        Arc::make_mut(account).login = to.clone();
        Ok(Arc::clone(account))
    }

    /// Creates a team, and the organization if missing. Replaces an existing team; its id stays.
    ///
    /// # Errors
    /// A member is unknown, or the parent is no team.
    pub fn create_team(&mut self, new: &NewTeam) -> Result<Arc<Team>, Refusal> {
        if let Some(parent) = &new.parent
            && !self.world.teams.contains_key(parent)
        {
            return Err(Refusal::rule(format!("there is no team `{parent}`")));
        }
        let (org, slug) = new.team.parts();
        self.owner(org)?;
        let members = self.members(&new.members)?;
        let known = self.world.teams.get(&new.team).cloned();
        let team = Arc::new(Team {
            id: known.as_ref().map_or_else(|| self.next_id(), |team| team.id),
            slug: new.team.clone(),
            name: new.name.clone().unwrap_or_else(|| slug.to_owned()),
            parent: new.parent.clone(),
            members,
            readable: true,
            created_at: known.map_or(self.now, |team| team.created_at),
        });
        self.world.teams.insert(new.team.clone(), Arc::clone(&team));
        Ok(team)
    }

    /// # Errors
    /// [`Refusal::NotFound`], or a member is unknown.
    pub fn edit_team(&mut self, slug: &TeamSlug, edit: &TeamEdit) -> Result<Arc<Team>, Refusal> {
        let members = edit.members.as_deref().map(|members| self.members(members)).transpose()?;
        let team = self.world.teams.get_mut(slug).ok_or(Refusal::NotFound)?;
        let changed = Arc::make_mut(team);
        changed.readable = edit.readable.unwrap_or(changed.readable);
        if let Some(members) = members {
            changed.members = members;
        }
        Ok(Arc::clone(team))
    }

    /// # Errors
    /// [`Refusal::NotFound`].
    pub fn delete_team(&mut self, slug: &TeamSlug) -> Result<(), Refusal> {
        self.world.teams.remove(slug).map(drop).ok_or(Refusal::NotFound)
    }

    fn members(&self, members: &[NewMember]) -> Result<BTreeMap<UserId, MembershipState>, Refusal> {
        members.iter().map(|member| Ok((self.account(&member.login)?.id, member.state))).collect()
    }

    /// Creates a repository with its default branch, and the organization that owns it if no account has that login. An
    /// existing repository stays as it is.
    ///
    /// # Errors
    /// The owner's name is no login.
    pub fn create_repository(&mut self, new: &NewRepository) -> Result<Arc<Repository>, Refusal> {
        if let Some(known) = self.world.repository(&new.name) {
            return Ok(Arc::clone(known));
        }
        self.owner(new.name.parts().0)?;
        let branch = new.default_branch.clone().unwrap_or_else(|| "main".to_owned());
        let head = made_up_hash(&["root", new.name.as_str(), &branch])?;
        self.add_repository(new, (branch, head), false)
    }

    /// The fork of a repository that belongs to another owner.
    pub(super) fn fork(&mut self, of: &Repository, name: &RepositoryName) -> Result<Arc<Repository>, Refusal> {
        if let Some(known) = self.world.repository(name) {
            return Ok(Arc::clone(known));
        }
        let new = NewRepository { name: name.clone(), default_branch: None, switches: Switches::default() };
        let branch = of.default_branch.clone();
        let head = of.branches.get(&branch).map(|branch| branch.head.clone()).ok_or(Refusal::NotFound)?;
        self.add_repository(&new, (branch, head), true)
    }

    fn add_repository(
        &mut self,
        new: &NewRepository,
        (branch, head): (String, Revision),
        fork: bool,
    ) -> Result<Arc<Repository>, Refusal> {
        let branches = BTreeMap::from([(branch.clone(), Branch { head, commits: Vec::new() })]);
        let repository = Arc::new(Repository {
            id: self.next_id(),
            name: new.name.clone(),
            default_branch: branch,
            fork,
            switches: new.switches,
            last_number: 0,
            branches,
            activity: Vec::new(),
            created_at: self.now,
        });
        self.world.repositories.insert(repository.id, Arc::clone(&repository));
        Ok(repository)
    }

    fn owner(&mut self, login: &str) -> Result<(), Refusal> {
        let login = Login::new(login)?;
        if self.world.account(&login).is_none() {
            self.create_account(&NewAccount { login, id: None, kind: AccountType::Organization })?;
        }
        Ok(())
    }

    /// # Errors
    /// [`Refusal::NotFound`].
    pub fn set_switches(&mut self, name: &RepositoryName, edit: SwitchEdit) -> Result<Arc<Repository>, Refusal> {
        let id = self.repository(name)?.id;
        let switches = &mut self.repository_mut(id)?.switches;
        switches.allow_self_review = edit.allow_self_review.unwrap_or(switches.allow_self_review);
        switches.dismiss_stale_reviews = edit.dismiss_stale_reviews.unwrap_or(switches.dismiss_stale_reviews);
        switches.public = edit.public.unwrap_or(switches.public);
        self.repository(name)
    }

    /// Sets where deliveries go and the secret that signs them, and queues a ping. Equal values change nothing.
    ///
    /// # Errors
    /// The URL is not plain HTTP, or the secret is empty.
    pub fn set_hook(&mut self, url: &str, secret: &str) -> Result<(), Refusal> {
        if !url.starts_with("http://") {
            return Err(Refusal::rule(
                "the hook's url must begin with http://: the simulator sends to this machine only",
            ));
        }
        let secret = HookSecret::new(secret).ok_or_else(|| Refusal::rule("the hook's secret must not be empty"))?;
        let known = self.world.settings.hook.as_ref();
        if known.is_some_and(|hook| hook.url == url && hook.secret == secret) {
            return Ok(());
        }
        let id = match known {
            Some(hook) => hook.id,
            None => self.next_id(),
        };
        let hook = Hook { id, url: url.to_owned(), secret, created_at: self.now };
        let ping = payload::ping(self.world, &hook);
        Arc::make_mut(&mut self.world.settings).hook = Some(hook);
        self.queue(HookEvent::Ping, None, &ping);
        Ok(())
    }

    /// Removes the hook, and the deliveries that were not sent yet.
    pub fn remove_hook(&mut self) {
        self.world.deliveries.retain(|_, delivery| delivery.outcome.is_some());
        Arc::make_mut(&mut self.world.settings).hook = None;
    }

    /// Sets up the App, installed on every repository. Replaces the App before.
    ///
    /// # Errors
    /// The slug is no login.
    pub fn set_app(&mut self, new: &NewApp) -> Result<(), Refusal> {
        let login = Login::new(&format!("{}[bot]", new.slug))?;
        self.create_account(&NewAccount { login, id: None, kind: AccountType::Bot })?;
        let app = HostedApp { slug: new.slug.clone(), public_key: new.public_key.clone(), created_at: self.now };
        Arc::make_mut(&mut self.world.settings).app = Some(app);
        Ok(())
    }

    /// Makes every REST call and every call in process fail, or work again.
    pub fn set_unavailable(&mut self, unavailable: bool) {
        Arc::make_mut(&mut self.world.settings).unavailable = unavailable;
    }

    /// Sets the base of URLs in bodies, e.g. `http://127.0.0.1:8080`.
    pub fn set_address(&mut self, address: &str) {
        address.trim_end_matches('/').clone_into(&mut Arc::make_mut(&mut self.world.settings).address);
    }
}
