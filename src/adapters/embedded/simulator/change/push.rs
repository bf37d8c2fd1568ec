//! Pushes to a branch, and their effect on the pull requests of that branch.

use std::sync::Arc;

use serde::{Deserialize, Deserializer};
use serde_json::json;

use super::{Change, made_up_hash};
use crate::adapters::embedded::simulator::pull::{DismissedFrom, Happening, PullState, Review, ReviewState};
use crate::adapters::embedded::simulator::refusal::Refusal;
use crate::adapters::embedded::simulator::world::{
    Account, Activity, ActivityKind, Branch, Commit, FileChange, Repository,
};
use crate::ident::{Login, PullRequestRef, RepositoryName, ReviewId, Revision, UserId};

/// Commits to push.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Push {
    pub by: Login,
    /// Oldest first, and at least one.
    pub commits: Vec<NewCommit>,
    /// Whether they replace the branch's own commits.
    #[serde(default)]
    pub force: bool,
    /// Whether approvals of the old head silently move to the new one, as on GitHub after a force-push that changes nothing
    /// and on "Update branch".
    #[serde(default)]
    pub rebind_reviews: bool,
}

/// A commit to push.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NewCommit {
    /// A full hash. Default: a made-up one.
    pub sha: Option<Revision>,
    pub author: Attribution,
    pub committer: Attribution,
    /// Its `Co-authored-by` lines name co-authors.
    pub message: Option<String>,
    /// Whether GitHub verifies its signature.
    pub verified: bool,
    /// Default: the commit before it.
    pub parents: Option<Vec<Revision>>,
    pub files: Vec<FileChange>,
}

/// The account of a commit's e-mail address. In JSON: absent, null, or a login.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Attribution {
    #[default]
    Pusher,
    /// GitHub knows no account for the address.
    Nobody,
    Account(Login),
}

impl<'de> Deserialize<'de> for Attribution {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<Login>::deserialize(deserializer)?.map_or(Self::Nobody, Self::Account))
    }
}

struct Moved {
    before: Revision,
    after: Revision,
    kind: ActivityKind,
}

impl Change<'_> {
    /// Pushes to a branch, and creates it if missing. Its open pull requests follow.
    ///
    /// # Errors
    /// The repository or account does not exist, there are no commits, or a hash is not a full one.
    pub fn push(&mut self, name: &RepositoryName, branch: &str, push: &Push) -> Result<Revision, Refusal> {
        let repository = self.repository(name)?;
        let by = self.account(&push.by)?;
        let moved = self.move_branch(&repository, branch, push)?;
        let from_here: Vec<PullRequestRef> = self
            .world
            .pulls
            .values()
            .filter(|pull| pull.state == PullState::Open)
            .filter(|pull| pull.head.repository == *name && pull.head.branch == branch)
            .filter_map(|pull| {
                let repository = self.world.repositories.get(&pull.repository)?.name.clone();
                Some(PullRequestRef { repository, number: pull.number })
            })
            .collect();
        for pull in &from_here {
            self.follow(pull, &by, &moved, push.rebind_reviews)?;
        }
        Ok(moved.after)
    }

    /// Pushes to a pull request's branch.
    ///
    /// # Errors
    /// As [`Change::push`].
    pub fn push_to_pull(&mut self, at: &PullRequestRef, push: &Push) -> Result<Revision, Refusal> {
        let head = self.pull(at)?.head.clone();
        self.push(&head.repository, &head.branch, push)
    }

    fn move_branch(&mut self, repository: &Repository, branch: &str, push: &Push) -> Result<Moved, Refusal> {
        let by = self.account(&push.by)?;
        let old = repository.branches.get(branch);
        let root = repository.branches.get(&repository.default_branch).map(|default| default.head.clone());
        let root = root.ok_or(Refusal::NotFound)?;
        // A force-push starts from the parent of the branch's first commit.
        let start = |old: &Branch| old.commits.first().and_then(|first| first.parents.first()).cloned();
        let (mut commits, mut parent, kind) = match old {
            None => (Vec::new(), root, ActivityKind::BranchCreation),
            Some(old) if push.force => (Vec::new(), start(old).unwrap_or(root), ActivityKind::ForcePush),
            Some(old) => (old.commits.clone(), old.head.clone(), ActivityKind::Push),
        };
        let before = match old {
            Some(old) => old.head.clone(),
            None => Revision::new(&"0".repeat(40))?,
        };
        for new in &push.commits {
            let commit = self.commit(new, &by, parent)?;
            parent = commit.sha.clone();
            commits.push(commit);
        }
        if push.commits.is_empty() {
            return Err(Refusal::rule("a push holds at least one commit"));
        }
        let after = parent;
        self.set_branch(repository.id, branch, Branch { head: after.clone(), commits })?;
        self.log_activity(repository.id, branch, &by, Moved { before: before.clone(), after: after.clone(), kind })?;
        Ok(Moved { before, after, kind })
    }

    fn commit(&mut self, new: &NewCommit, by: &Account, parent: Revision) -> Result<Commit, Refusal> {
        let sha = match &new.sha {
            Some(sha) if sha.is_full_hash() => sha.clone(),
            Some(sha) => return Err(Refusal::rule(format!("`{sha}` is not a full commit hash"))),
            None => made_up_hash(&["commit", parent.as_str(), &self.next_id().to_string()])?,
        };
        let account = |attribution: &Attribution| match attribution {
            Attribution::Pusher => Ok(Some(by.id)),
            Attribution::Nobody => Ok(None),
            Attribution::Account(login) => self.account(login).map(|account| Some(account.id)),
        };
        let message = new.message.clone().unwrap_or_else(|| "Change something".to_owned());
        Ok(Commit {
            author: account(&new.author)?,
            committer: account(&new.committer)?,
            co_authors: self.co_authors(&message),
            verified: new.verified,
            message,
            parents: new.parents.clone().unwrap_or_else(|| vec![parent]),
            files: new.files.clone(),
            at: self.now,
            sha,
        })
    }

    fn co_authors(&self, message: &str) -> Vec<Option<UserId>> {
        let addresses = message.lines().skip(1).filter_map(|line| {
            let (word, person) = line.split_once(':')?;
            let is_trailer = word.trim().eq_ignore_ascii_case("co-authored-by");
            is_trailer.then(|| person.rsplit_once('<')?.1.split_once('>').map(|(email, _)| email)).flatten()
        });
        addresses.map(|email| self.world.account_of_email(email.trim()).map(|account| account.id)).collect()
    }

    fn set_branch(&mut self, repository: u64, name: &str, branch: Branch) -> Result<(), Refusal> {
        self.repository_mut(repository)?.branches.insert(name.to_owned(), branch);
        Ok(())
    }

    fn log_activity(&mut self, repository: u64, branch: &str, by: &Account, moved: Moved) -> Result<(), Refusal> {
        let activity = Activity {
            id: self.next_id(),
            before: moved.before,
            after: moved.after,
            reference: format!("refs/heads/{branch}"),
            timestamp: self.now,
            kind: moved.kind,
            actor: by.id,
        };
        self.repository_mut(repository)?.activity.push(activity);
        Ok(())
    }

    /// Moves the base branch to the commit that a merge made.
    pub(super) fn merge_into(
        &mut self,
        repository: &Repository,
        base: &str,
        by: &Account,
        commit: Commit,
    ) -> Result<(), Refusal> {
        let mut branch = repository.branches.get(base).cloned().ok_or(Refusal::NotFound)?;
        let before = std::mem::replace(&mut branch.head, commit.sha.clone());
        let after = commit.sha.clone();
        // No pull request needs the commits of the default branch, so they are not stored.
        if base != repository.default_branch {
            branch.commits.push(commit);
        }
        self.set_branch(repository.id, base, branch)?;
        self.log_activity(repository.id, base, by, Moved { before, after, kind: ActivityKind::PrMerge })
    }

    /// Updates an open pull request to its branch, and queues a delivery.
    fn follow(&mut self, at: &PullRequestRef, by: &Account, moved: &Moved, rebind: bool) -> Result<(), Refusal> {
        let repository = self.repository(&at.repository)?;
        let pull = self.pull(at)?;
        let source = self.repository(&pull.head.repository)?;
        let commits = source.branches.get(&pull.head.branch).map(|branch| branch.commits.clone());
        let test_merge = made_up_hash(&["test merge", moved.after.as_str(), pull.base_sha.as_str()])?;
        let changed = self.pull_mut(at)?;
        changed.head.sha = moved.after.clone();
        changed.commits = commits.unwrap_or_default();
        changed.seen.extend(changed.commits.iter().map(|commit| commit.sha.clone()));
        changed.merge_commit_sha = Some(test_merge);
        if rebind {
            let of_old_head = |review: &&mut Review| {
                review.state == ReviewState::Approved && review.commit_id.as_ref() == Some(&moved.before)
            };
            for review in changed.reviews.iter_mut().filter(of_old_head) {
                review.commit_id = Some(moved.after.clone());
            }
        }
        if moved.kind == ActivityKind::ForcePush {
            self.record(at, by.id, Happening::HeadRefForcePushed { commit: moved.after.clone() })?;
        }
        self.queue_pull_request(at, by.id, "synchronize", json!({ "before": moved.before, "after": moved.after }))?;
        if repository.switches.dismiss_stale_reviews {
            self.dismiss_stale(at, by.id, &moved.after)?;
        }
        Ok(())
    }

    fn dismiss_stale(&mut self, at: &PullRequestRef, by: UserId, head: &Revision) -> Result<(), Refusal> {
        let stale: Vec<ReviewId> = self
            .pull(at)?
            .reviews
            .iter()
            .filter(|review| review.state == ReviewState::Approved && review.commit_id.as_ref() != Some(head))
            .map(|review| review.id)
            .collect();
        for review in stale {
            let what = Happening::ReviewDismissed {
                review,
                was: DismissedFrom::Approved,
                message: None,
                commit: Some(head.clone()),
            };
            self.mark_dismissed(at, by, review, what)?;
        }
        Ok(())
    }

    /// The head branch of a new pull request: `branch`, or `owner:branch` of a fork.
    pub(super) fn source(&mut self, into: &Repository, head: &str) -> Result<(Arc<Repository>, String), Refusal> {
        let Some((owner, branch)) = head.split_once(':') else {
            return Ok((self.repository(&into.name)?, head.to_owned()));
        };
        let (own, name) = into.name.parts();
        if owner.eq_ignore_ascii_case(own) {
            return Ok((self.repository(&into.name)?, branch.to_owned()));
        }
        let fork = RepositoryName::new(&format!("{owner}/{name}"))?;
        Ok((self.repository(&fork)?, branch.to_owned()))
    }

    /// Creates a fork for `owner`. An existing fork stays as it is.
    ///
    /// # Errors
    /// The repository or account does not exist.
    pub fn create_fork(&mut self, of: &RepositoryName, owner: &Login) -> Result<Arc<Repository>, Refusal> {
        let repository = self.repository(of)?;
        let owner = self.account(owner)?;
        let name = RepositoryName::new(&format!("{}/{}", owner.login, of.parts().1))?;
        self.fork(&repository, &name)
    }
}
