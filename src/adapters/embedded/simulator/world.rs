//! The state of the simulator: accounts, teams, repositories, pull requests and deliveries.
//!
//! Plain records as the database stores them, and how to find one. Records are shared and copied on write, so that a
//! refused change leaves nothing behind. Knows neither rules nor HTTP nor storage.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::delivery::Delivery;
use super::published::{CheckRun, Comment, Deployment};
use super::pull::PullRequest;
use crate::ident::{Login, PullRequestRef, RepositoryName, Revision, Secret, TeamSlug, UserId};

/// A repository's id and a pull request's number.
pub(super) type PullKey = (u64, u64);

/// The App that is installed on every repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostedApp {
    /// Its account is `<slug>[bot]`.
    pub slug: String,
    /// PEM.
    pub public_key: String,
    pub created_at: Timestamp,
}

/// The whole state at one moment.
#[derive(Debug, Clone, Default)]
pub struct World {
    pub settings: Arc<Settings>,
    pub accounts: BTreeMap<UserId, Arc<Account>>,
    pub teams: BTreeMap<TeamSlug, Arc<Team>>,
    pub repositories: BTreeMap<u64, Arc<Repository>>,
    pub pulls: BTreeMap<PullKey, Arc<PullRequest>>,
    /// By id, in the order in which they are sent.
    pub deliveries: BTreeMap<u64, Arc<Delivery>>,
    pub checks: BTreeMap<u64, Arc<CheckRun>>,
    pub comments: BTreeMap<u64, Arc<Comment>>,
    pub deployments: BTreeMap<u64, Arc<Deployment>>,
}

/// Everything that exists once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The last id that was assigned. One sequence for everything, so that a story has the same ids in every run.
    pub last_id: u64,
    /// Whether every REST call is answered with 503. Deliveries are still sent.
    pub unavailable: bool,
    /// The base of URLs in bodies. Default: an address that does not exist, and never the real GitHub.
    pub address: String,
    /// `None` if no App is set up.
    #[serde(default)]
    pub app: Option<HostedApp>,
    /// Without a hook, no deliveries are created.
    pub hook: Option<Hook>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { last_id: 0, unavailable: false, address: "http://github.invalid".into(), app: None, hook: None }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// In `X-GitHub-Hook-ID`.
    pub id: u64,
    /// Plain HTTP.
    pub url: String,
    pub secret: HookSecret,
    pub created_at: Timestamp,
}

/// A webhook secret. The database stores it as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Box<str>", into = "Box<str>")]
pub struct HookSecret(Secret<Box<str>>);

impl HookSecret {
    /// `None` if `text` is empty: anybody can sign with an empty secret.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self(Secret::new(text.into())))
    }

    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl From<Box<str>> for HookSecret {
    fn from(text: Box<str>) -> Self {
        Self(Secret::new(text))
    }
}

impl From<HookSecret> for Box<str> {
    fn from(secret: HookSecret) -> Self {
        secret.expose().into()
    }
}

/// A person, an App or an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub id: UserId,
    pub login: Login,
    #[serde(rename = "type")]
    pub kind: AccountType,
    pub created_at: Timestamp,
}

/// GitHub's `type` of an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccountType {
    #[default]
    User,
    /// A GitHub App.
    Bot,
    Organization,
}

impl AccountType {
    /// GitHub's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Bot => "Bot",
            Self::Organization => "Organization",
        }
    }
}

/// A team of an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Team {
    pub id: u64,
    pub slug: TeamSlug,
    pub name: String,
    /// Members of a child team are members of its parent as well.
    pub parent: Option<TeamSlug>,
    /// Without the members of child teams.
    pub members: BTreeMap<UserId, MembershipState>,
    /// Whether callers may see it. If not, the simulator answers as if it did not exist.
    pub readable: bool,
    pub created_at: Timestamp,
}

/// Whether an invitation to a team was accepted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MembershipState {
    /// Invited, and not yet a member.
    Pending,
    #[default]
    Active,
}

impl MembershipState {
    /// GitHub's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Pending => "pending",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    pub id: u64,
    pub name: RepositoryName,
    pub default_branch: String,
    pub fork: bool,
    pub switches: Switches,
    /// The number of its latest pull request.
    pub last_number: u64,
    pub branches: BTreeMap<String, Branch>,
    /// Every push, oldest first.
    pub activity: Vec<Activity>,
    pub created_at: Timestamp,
}

/// Settings of a repository.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Switches {
    /// Accepts an author's approval or request for changes, which GitHub refuses with 422. Such reviews exist all the
    /// same (imported repositories, Apps that act for people), and a gate must not count them.
    pub allow_self_review: bool,
    /// GitHub's "dismiss stale pull request approvals when new commits are pushed".
    pub dismiss_stale_reviews: bool,
    pub public: bool,
}

/// A branch with the commits that it adds to the branch it was created from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branch {
    pub head: Revision,
    /// Oldest first.
    pub commits: Vec<Commit>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    pub sha: Revision,
    /// The account of the author's e-mail address.
    pub author: Option<UserId>,
    /// The account of the committer's e-mail address.
    pub committer: Option<UserId>,
    /// Of each `Co-authored-by` line of the message. `None` if no account has the e-mail address.
    pub co_authors: Vec<Option<UserId>>,
    /// Whether GitHub has verified its signature.
    pub verified: bool,
    pub message: String,
    pub parents: Vec<Revision>,
    pub files: Vec<FileChange>,
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileChange {
    /// From the repository's root.
    pub path: String,
    /// The path before a rename.
    #[serde(default)]
    pub previous_path: Option<String>,
    #[serde(default)]
    pub additions: u64,
    #[serde(default)]
    pub deletions: u64,
}

/// A change of a branch. The server records it; no commit can forge it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    pub id: u64,
    /// Zeros for a new branch.
    pub before: Revision,
    pub after: Revision,
    /// `refs/heads/…`.
    #[serde(rename = "ref")]
    pub reference: String,
    pub timestamp: Timestamp,
    pub kind: ActivityKind,
    pub actor: UserId,
}

/// The values of GitHub's `activity_type` that the simulator has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActivityKind {
    Push,
    ForcePush,
    BranchCreation,
    PrMerge,
}

impl ActivityKind {
    /// GitHub's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::ForcePush => "force_push",
            Self::BranchCreation => "branch_creation",
            Self::PrMerge => "pr_merge",
        }
    }
}

impl World {
    #[must_use]
    pub fn account(&self, login: &Login) -> Option<&Arc<Account>> {
        self.accounts.values().find(|account| account.login == *login)
    }

    /// The account of an e-mail address: one that GitHub gives to accounts, or that the simulator shows for one.
    #[must_use]
    pub fn account_of_email(&self, email: &str) -> Option<&Arc<Account>> {
        let (local, domain) = email.rsplit_once('@')?;
        let is_known = ["users.noreply.github.com", "users.noreply.invalid"];
        if !is_known.iter().any(|known| domain.eq_ignore_ascii_case(known)) {
            return None;
        }
        let (id, login) = local.split_once('+').map_or((None, local), |(id, login)| (Some(id), login));
        let by_id = id.and_then(|id| self.accounts.get(&UserId(id.parse().ok()?)));
        // Whoever writes a test knows the login, and need not know the id.
        by_id.or_else(|| self.account(&Login::new(login).ok()?))
    }

    #[must_use]
    pub fn repository(&self, name: &RepositoryName) -> Option<&Arc<Repository>> {
        self.repositories.values().find(|repository| repository.name == *name)
    }

    #[must_use]
    pub fn pull(&self, reference: &PullRequestRef) -> Option<&Arc<PullRequest>> {
        let repository = self.repository(&reference.repository)?;
        self.pulls.get(&(repository.id, reference.number))
    }

    /// The repository's pull requests, oldest first.
    pub fn pulls_of(&self, repository: u64) -> impl Iterator<Item = &Arc<PullRequest>> {
        self.pulls.range((repository, 0)..=(repository, u64::MAX)).map(|(_, pull)| pull)
    }

    /// The team and its child teams that callers may see. Empty if they may not see the team itself.
    #[must_use]
    pub fn team_tree(&self, slug: &TeamSlug) -> Vec<&Arc<Team>> {
        let mut tree: Vec<&Arc<Team>> = Vec::new();
        let mut seen = BTreeSet::new();
        let mut waiting = vec![slug];
        while let Some(slug) = waiting.pop() {
            let Some(team) = self.teams.get(slug).filter(|team| team.readable) else { continue };
            if seen.insert(slug) {
                tree.push(team);
                waiting.extend(self.teams.values().filter(|t| t.parent.as_ref() == Some(slug)).map(|t| &t.slug));
            }
        }
        tree
    }

    /// Active members of the team and its child teams, ordered by id. `None` if the team does not exist or may not be seen.
    #[must_use]
    pub fn team_members(&self, slug: &TeamSlug) -> Option<Vec<&Arc<Account>>> {
        let tree = self.team_tree(slug);
        let members: BTreeSet<UserId> = tree
            .iter()
            .flat_map(|team| &team.members)
            .filter(|(_, state)| **state == MembershipState::Active)
            .map(|(id, _)| *id)
            .collect();
        (!tree.is_empty()).then(|| members.iter().filter_map(|id| self.accounts.get(id)).collect())
    }

    /// The account's membership of the team or a child team. `Active` wins over `Pending`.
    #[must_use]
    pub fn membership(&self, slug: &TeamSlug, id: UserId) -> Option<MembershipState> {
        self.team_tree(slug).iter().filter_map(|team| team.members.get(&id).copied()).max()
    }

    /// The first delivery that was not sent yet.
    #[must_use]
    pub fn next_delivery(&self) -> Option<&Arc<Delivery>> {
        self.deliveries.values().find(|delivery| delivery.outcome.is_none())
    }
}
