//! Opening, editing, closing, merging and labelling pull requests.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::json;

use super::{Change, made_up_hash};
use crate::adapters::embedded::simulator::pull::{Happening, Head, PullRequest, PullState};
use crate::adapters::embedded::simulator::refusal::Refusal;
use crate::adapters::embedded::simulator::shape::Shapes;
use crate::adapters::embedded::simulator::world::{Account, Commit};
use crate::ident::{Login, PullRequestRef, RepositoryName, Revision};

/// A pull request to open, in the shape of GitHub's REST.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct NewPullRequest {
    pub title: String,
    /// `branch`, or `owner:branch` of a fork.
    pub head: String,
    /// The branch it merges into.
    pub base: String,
    #[serde(default)]
    pub body: Option<String>,
    #[serde(default)]
    pub draft: bool,
}

/// An edit of a pull request, in the shape of GitHub's REST.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PullRequestEdit {
    pub title: Option<String>,
    /// `open` or `closed`.
    pub state: Option<String>,
    pub base: Option<String>,
}

/// A merge, in the shape of GitHub's REST.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct MergeCommand {
    /// The expected head. Default: any.
    pub sha: Option<Revision>,
    pub commit_title: Option<String>,
}

impl Change<'_> {
    /// # Errors
    /// The account, the repository or a branch does not exist, or an open pull request has the same two branches.
    pub fn open(&mut self, by: &Login, name: &RepositoryName, new: &NewPullRequest) -> Result<PullRequestRef, Refusal> {
        let invalid = |field, detail: String| Refusal::Invalid { resource: "PullRequest", field, detail };
        let by = self.account(by)?;
        let repository = self.repository(name)?;
        let (source, branch) = self.source(&repository, &new.head)?;
        let head = source.branches.get(&branch).ok_or_else(|| invalid("head", "does not exist".into()))?;
        let base = repository.branches.get(&new.base).ok_or_else(|| invalid("base", "does not exist".into()))?;
        if head.commits.is_empty() {
            let detail = format!("No commits between {} and {}", new.base, new.head);
            return Err(invalid("head", detail));
        }
        let twin = self.world.pulls_of(repository.id).any(|pull| {
            let same_head = pull.head.branch == branch && pull.head.repository == source.name;
            pull.state == PullState::Open && same_head && pull.base == new.base
        });
        if twin {
            return Err(invalid("head", format!("A pull request already exists for {}.", new.head)));
        }
        let pull = PullRequest {
            id: self.next_id(),
            repository: repository.id,
            number: repository.last_number + 1,
            title: new.title.clone(),
            body: new.body.clone(),
            state: PullState::Open,
            draft: new.draft,
            author: by.id,
            head: Head { repository: source.name.clone(), branch, sha: head.head.clone() },
            base: new.base.clone(),
            base_sha: base.head.clone(),
            labels: BTreeSet::new(),
            commits: head.commits.clone(),
            seen: head.commits.iter().map(|commit| commit.sha.clone()).collect(),
            reviews: Vec::new(),
            events: Vec::new(),
            created_at: self.now,
            updated_at: self.now,
            closed_at: None,
            merged_by: None,
            merge_commit_sha: Some(made_up_hash(&["test merge", head.head.as_str(), base.head.as_str()])?),
            requested_reviewers: BTreeSet::new(),
            requested_teams: BTreeSet::new(),
        };
        self.repository_mut(repository.id)?.last_number = pull.number;
        let at = PullRequestRef { repository: repository.name.clone(), number: pull.number };
        self.world.pulls.insert((repository.id, pull.number), pull.into());
        self.queue_pull_request(&at, by.id, "opened", json!({}))?;
        Ok(at)
    }

    /// Changes title, base and state, in this order. Equal values change nothing.
    ///
    /// # Errors
    /// It does not exist, the state or branch is unknown, or it is merged and should be opened.
    pub fn edit(&mut self, by: &Login, at: &PullRequestRef, edit: &PullRequestEdit) -> Result<(), Refusal> {
        let by = self.account(by)?;
        let pull = self.pull(at)?;
        if let Some(title) = edit.title.as_ref().filter(|title| **title != pull.title) {
            self.pull_mut(at)?.title.clone_from(title);
            self.queue_pull_request(at, by.id, "edited", json!({ "changes": { "title": { "from": pull.title } } }))?;
        }
        if let Some(base) = edit.base.as_ref().filter(|base| **base != pull.base) {
            self.change_base(&by, at, base, Happening::BaseRefChanged)?;
        }
        match edit.state.as_deref() {
            None => Ok(()),
            Some("open") => self.reopen(&by, at),
            Some("closed") => self.close(&by, at),
            Some(other) => Err(Refusal::Invalid {
                resource: "PullRequest",
                field: "state",
                detail: format!("`{other}` is neither open nor closed"),
            }),
        }
    }

    fn change_base(&mut self, by: &Account, at: &PullRequestRef, base: &str, how: Happening) -> Result<(), Refusal> {
        let pull = self.pull(at)?;
        if pull.state != PullState::Open {
            return Err(Refusal::rule("Cannot change the base branch of a closed pull request."));
        }
        let branch = self.repository(&at.repository)?.branches.get(base).cloned();
        let branch = branch.ok_or_else(|| Refusal::Invalid {
            resource: "PullRequest",
            field: "base",
            detail: "does not exist".into(),
        })?;
        let test_merge = made_up_hash(&["test merge", pull.head.sha.as_str(), branch.head.as_str()])?;
        let changed = self.pull_mut(at)?;
        base.clone_into(&mut changed.base);
        changed.base_sha = branch.head;
        changed.merge_commit_sha = Some(test_merge);
        self.record(at, by.id, how)?;
        let from = json!({ "base": { "ref": { "from": pull.base }, "sha": { "from": pull.base_sha } } });
        self.queue_pull_request(at, by.id, "edited", json!({ "changes": from }))
    }

    /// Deletes a branch. As on GitHub, open pull requests into it move to the base of the merged pull request whose head it
    /// was. Without one they are closed, as are those from it.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], or it is the default branch.
    pub fn delete_branch(&mut self, by: &Login, name: &RepositoryName, branch: &str) -> Result<(), Refusal> {
        let (by, repository) = (self.account(by)?, self.repository(name)?);
        if branch == repository.default_branch {
            return Err(Refusal::rule("Cannot delete the default branch"));
        }
        let is_head = |pull: &PullRequest| pull.head.branch == branch && pull.head.repository == *name;
        let merged = self.world.pulls_of(repository.id).filter(|pull| pull.is_merged() && is_head(pull)).last();
        let base = merged.map(|pull| pull.base.clone());
        let open = self.world.pulls_of(repository.id).filter(|pull| pull.state == PullState::Open);
        let affected = open.filter(|pull| pull.base == branch || is_head(pull));
        for (number, moves) in affected.map(|pull| (pull.number, pull.base == branch)).collect::<Vec<_>>() {
            let at = PullRequestRef { repository: repository.name.clone(), number };
            match base.as_deref().filter(|_| moves) {
                Some(base) => self.change_base(&by, &at, base, Happening::AutomaticBaseChange)?,
                None => self.close(&by, &at)?,
            }
        }
        self.repository_mut(repository.id)?.branches.remove(branch).map(drop).ok_or(Refusal::NotFound)
    }

    fn close(&mut self, by: &Account, at: &PullRequestRef) -> Result<(), Refusal> {
        if self.pull(at)?.state != PullState::Open {
            return Ok(());
        }
        let now = self.now;
        let pull = self.pull_mut(at)?;
        pull.state = PullState::Closed;
        pull.closed_at = Some(now);
        self.record(at, by.id, Happening::Closed)?;
        self.queue_pull_request(at, by.id, "closed", json!({}))
    }

    fn reopen(&mut self, by: &Account, at: &PullRequestRef) -> Result<(), Refusal> {
        match self.pull(at)?.state {
            PullState::Open => Ok(()),
            PullState::Merged => Err(Refusal::Invalid {
                resource: "PullRequest",
                field: "state",
                detail: "state cannot be changed. The pull request is merged.".into(),
            }),
            PullState::Closed => {
                self.catch_up(at)?;
                let pull = self.pull_mut(at)?;
                pull.state = PullState::Open;
                pull.closed_at = None;
                self.record(at, by.id, Happening::Reopened)?;
                self.queue_pull_request(at, by.id, "reopened", json!({}))
            }
        }
    }

    /// Adds the commits that were pushed while the pull request was closed.
    fn catch_up(&mut self, at: &PullRequestRef) -> Result<(), Refusal> {
        let pull = self.pull(at)?;
        let source = self.repository(&pull.head.repository)?;
        let branch = source.branches.get(&pull.head.branch).ok_or(Refusal::NotFound)?;
        let changed = self.pull_mut(at)?;
        changed.head.sha = branch.head.clone();
        changed.commits.clone_from(&branch.commits);
        changed.seen.extend(branch.commits.iter().map(|commit| commit.sha.clone()));
        Ok(())
    }

    /// Returns the merge commit.
    ///
    /// # Errors
    /// [`Refusal::HeadMoved`] if the head is not the given one. [`Refusal::NotAllowed`] if it is a draft or not open.
    pub fn merge(&mut self, by: &Login, at: &PullRequestRef, command: &MergeCommand) -> Result<Revision, Refusal> {
        let by = self.account(by)?;
        let pull = self.pull(at)?;
        if pull.state != PullState::Open || pull.draft {
            return Err(Refusal::NotAllowed { detail: "Pull Request is not mergeable" });
        }
        if command.sha.as_ref().is_some_and(|sha| *sha != pull.head.sha) {
            return Err(Refusal::HeadMoved);
        }
        let repository = self.repository(&at.repository)?;
        let base_head = repository.branches.get(&pull.base).map(|branch| branch.head.clone());
        let base_head = base_head.ok_or(Refusal::NotFound)?;
        let sha = made_up_hash(&["merge", &at.to_string(), base_head.as_str(), pull.head.sha.as_str()])?;
        let title = || format!("Merge pull request #{} from {}", pull.number, pull.head.branch);
        let commit = Commit {
            sha: sha.clone(),
            author: Some(by.id),
            committer: Some(by.id),
            co_authors: Vec::new(),
            verified: true,
            message: command.commit_title.clone().unwrap_or_else(title),
            parents: vec![base_head, pull.head.sha.clone()],
            files: Vec::new(),
            at: self.now,
        };
        self.merge_into(&repository, &pull.base, &by, commit)?;
        let now = self.now;
        let changed = self.pull_mut(at)?;
        changed.state = PullState::Merged;
        changed.closed_at = Some(now);
        changed.merged_by = Some(by.id);
        changed.merge_commit_sha = Some(sha.clone());
        self.record(at, by.id, Happening::Merged { commit: sha.clone() })?;
        self.record(at, by.id, Happening::Closed)?;
        self.queue_pull_request(at, by.id, "closed", json!({}))?;
        Ok(sha)
    }

    /// Adds labels, except for those that it has.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], or a label without a name.
    pub fn label(&mut self, by: &Login, at: &PullRequestRef, labels: &[String]) -> Result<(), Refusal> {
        let by = self.account(by)?;
        for label in labels {
            if label.trim().is_empty() {
                return Err(Refusal::Invalid { resource: "Label", field: "name", detail: "must not be blank".into() });
            }
            if self.pull_mut(at)?.labels.insert(label.clone()) {
                self.record(at, by.id, Happening::Labeled { label: label.clone() })?;
                let shape = Shapes(self.world).label(&at.repository, label);
                self.queue_pull_request(at, by.id, "labeled", json!({ "label": shape }))?;
            }
        }
        Ok(())
    }

    /// # Errors
    /// [`Refusal::NotFound`], also if it does not have the label.
    pub fn unlabel(&mut self, by: &Login, at: &PullRequestRef, label: &str) -> Result<(), Refusal> {
        let by = self.account(by)?;
        if !self.pull_mut(at)?.labels.remove(label) {
            return Err(Refusal::NotFound);
        }
        self.record(at, by.id, Happening::Unlabeled { label: label.to_owned() })?;
        let shape = Shapes(self.world).label(&at.repository, label);
        self.queue_pull_request(at, by.id, "unlabeled", json!({ "label": shape }))
    }
}
