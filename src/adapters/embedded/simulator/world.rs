//! What the stand-in knows: accounts, teams, repositories, pull requests and the deliveries it owes.
//!
//! Plain records, as they are kept in the database, and how to find one. Every record is shared and copied on write, so
//! that a change which is refused leaves nothing behind. Knows neither rules nor HTTP nor storage.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::access::HostedApp;
use super::delivery::Delivery;
use super::published::{CheckRun, Comment, Deployment};
use super::pull::PullRequest;
use crate::ident::{Login, PullRequestRef, RepositoryName, Revision, TeamSlug, UserId};

/// A repository's id and a pull request's number.
pub(super) type PullKey = (u64, u64);

/// All of it, as of one moment.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// Counters, the hook, and how the host behaves.
    pub settings: Arc<Settings>,
    /// People, Apps and organisations.
    pub accounts: BTreeMap<UserId, Arc<Account>>,
    /// Teams by `org/slug`.
    pub teams: BTreeMap<TeamSlug, Arc<Team>>,
    /// Repositories by id.
    pub repositories: BTreeMap<u64, Arc<Repository>>,
    /// Pull requests by repository id and number.
    pub pulls: BTreeMap<PullKey, Arc<PullRequest>>,
    /// Webhook deliveries by id, which is also the order in which they are sent.
    pub deliveries: BTreeMap<u64, Arc<Delivery>>,
    /// Check runs by id.
    pub checks: BTreeMap<u64, Arc<CheckRun>>,
    /// Comments by id.
    pub comments: BTreeMap<u64, Arc<Comment>>,
    /// Deployments by id.
    pub deployments: BTreeMap<u64, Arc<Deployment>>,
}

/// What there is one of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The last id that was given out. One sequence for everything, so ids are the same in every run of a story.
    pub last_id: u64,
    /// Whether every REST call is answered with 503. Deliveries still go out.
    pub unavailable: bool,
    /// What URLs in bodies begin with. The default leads nowhere: never to the real GitHub.
    pub address: String,
    /// The App, where one is set up.
    #[serde(default)]
    pub app: Option<HostedApp>,
    /// Where deliveries go. None: no delivery is made.
    pub hook: Option<Hook>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { last_id: 0, unavailable: false, address: "http://github.invalid".into(), app: None, hook: None }
    }
}

/// The App's webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// Its id, in `X-GitHub-Hook-ID`.
    pub id: u64,
    /// Where deliveries are posted: plain HTTP.
    pub url: String,
    /// What they are signed with.
    pub secret: HookSecret,
    /// When it was set.
    pub created_at: Timestamp,
}

/// A webhook secret: kept in the database as GitHub keeps it, and never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HookSecret(Box<str>);

impl HookSecret {
    /// Takes a secret; none for an empty one, with which anybody could sign.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self(text.into()))
    }

    /// The secret itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for HookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HookSecret(redacted)")
    }
}

/// Somebody or something with a login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The numeric id.
    pub id: UserId,
    /// The login.
    pub login: Login,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: AccountType,
    /// When it was made.
    pub created_at: Timestamp,
}

/// GitHub's `type` of an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccountType {
    /// A person.
    #[default]
    User,
    /// A GitHub App.
    Bot,
    /// An organisation.
    Organization,
}

impl AccountType {
    /// As GitHub writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Bot => "Bot",
            Self::Organization => "Organization",
        }
    }
}

/// A team of an organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Team {
    /// The numeric id.
    pub id: u64,
    /// `org/slug`.
    pub slug: TeamSlug,
    /// What it is called.
    pub name: String,
    /// The team it is a child of; its members are members of that one, too.
    pub parent: Option<TeamSlug>,
    /// Its own members.
    pub members: BTreeMap<UserId, MembershipState>,
    /// Whether the stand-in's callers may see it. Where not, it is answered as if it did not exist.
    pub readable: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Whether an invitation to a team was taken up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MembershipState {
    /// Not yet: no member so far.
    Pending,
    /// A member.
    #[default]
    Active,
}

impl MembershipState {
    /// As GitHub writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Pending => "pending",
        }
    }
}

/// A repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// The numeric id.
    pub id: u64,
    /// `owner/name`.
    pub name: RepositoryName,
    /// The branch that pull requests go into unless they say otherwise.
    pub default_branch: String,
    /// Whether it is a fork, made by a pull request from another owner's branch.
    pub fork: bool,
    /// Behaviour that GitHub lets one set, or that the stand-in lets one set.
    pub switches: Switches,
    /// The number of its latest pull request.
    pub last_number: u64,
    /// Branches by name.
    pub branches: BTreeMap<String, Branch>,
    /// Every push, oldest first.
    pub activity: Vec<Activity>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What can be set for a repository.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Switches {
    /// Lets an author's approval or request for changes in, which GitHub refuses with 422. It is here because such
    /// reviews exist all the same (imported repositories, Apps that act for people), and a gate must not count them.
    pub allow_self_review: bool,
    /// GitHub's "dismiss stale pull request approvals when new commits are pushed".
    pub dismiss_stale_reviews: bool,
    /// Whether everybody may see it.
    pub public: bool,
}

/// A branch: where it points, and what it adds to the branch it was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branch {
    /// Its newest commit.
    pub head: Revision,
    /// Its commits, oldest first.
    pub commits: Vec<Commit>,
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Its hash.
    pub sha: Revision,
    /// The account its author's e-mail address belongs to.
    pub author: Option<UserId>,
    /// The account its committer's e-mail address belongs to.
    pub committer: Option<UserId>,
    /// Its text.
    pub message: String,
    /// What it follows.
    pub parents: Vec<Revision>,
    /// What it changes.
    pub files: Vec<FileChange>,
    /// When it was made.
    pub at: Timestamp,
}

/// A changed file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileChange {
    /// From the repository's root.
    pub path: String,
    /// What it was called before.
    #[serde(default)]
    pub previous_path: Option<String>,
    /// Added lines.
    #[serde(default)]
    pub additions: u64,
    /// Deleted lines.
    #[serde(default)]
    pub deletions: u64,
}

/// What happened to a branch: a record that the server makes, and no commit can forge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// Its id.
    pub id: u64,
    /// The branch's commit before; zeros for a new branch.
    pub before: Revision,
    /// The branch's commit after.
    pub after: Revision,
    /// `refs/heads/…`.
    #[serde(rename = "ref")]
    pub reference: String,
    /// When.
    pub timestamp: Timestamp,
    /// What.
    pub kind: ActivityKind,
    /// Who.
    pub actor: UserId,
}

/// GitHub's `activity_type`, as far as the stand-in makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActivityKind {
    /// Commits were added.
    Push,
    /// Commits were replaced.
    ForcePush,
    /// The branch was made.
    BranchCreation,
    /// A pull request was merged into it.
    PrMerge,
}

impl ActivityKind {
    /// As GitHub writes it.
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
    /// The account of that login.
    #[must_use]
    pub fn account(&self, login: &Login) -> Option<&Arc<Account>> {
        self.accounts.values().find(|account| account.login == *login)
    }

    /// The repository of that name.
    #[must_use]
    pub fn repository(&self, name: &RepositoryName) -> Option<&Arc<Repository>> {
        self.repositories.values().find(|repository| repository.name == *name)
    }

    /// The pull request of that name.
    #[must_use]
    pub fn pull(&self, reference: &PullRequestRef) -> Option<&Arc<PullRequest>> {
        let repository = self.repository(&reference.repository)?;
        self.pulls.get(&(repository.id, reference.number))
    }

    /// A repository's pull requests, oldest first.
    pub fn pulls_of(&self, repository: u64) -> impl Iterator<Item = &Arc<PullRequest>> {
        self.pulls.range((repository, 0)..=(repository, u64::MAX)).map(|(_, pull)| pull)
    }

    /// The team and all below it that may be seen. Empty where the team itself may not.
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

    /// Active members of the team and its child teams, by id. None: no such team, or it may not be seen.
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

    /// Whether the account belongs to the team or a child team; active beats pending.
    #[must_use]
    pub fn membership(&self, slug: &TeamSlug, id: UserId) -> Option<MembershipState> {
        self.team_tree(slug).iter().filter_map(|team| team.members.get(&id).copied()).max()
    }

    /// The first delivery that has not been sent yet.
    #[must_use]
    pub fn next_delivery(&self) -> Option<&Arc<Delivery>> {
        self.deliveries.values().find(|delivery| delivery.outcome.is_none())
    }
}
