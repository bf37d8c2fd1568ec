//! What only REST gives: the pull requests of a commit, the old paths of files, and who pushed.
//!
//! Unknown fields are ignored. If GitHub leaves something out, it is read so that it holds a deployment back.

use jiff::Timestamp;
use serde::Deserialize;

use super::shape::File as Listed;
use super::{escaped, get, of};
use crate::adapters::github::client::{Call, CallError, GithubClient, Longer};
use crate::adapters::github_rest::{FILES_LISTED, PAGE, is_ghost};
use crate::approval::facts::{AccountKind, ChangedFile, Person};
use crate::ident::{Login, PullRequestRef, RepositoryName, Revision, UserId};
use crate::ports::FoundPullRequest;

const FILE_PAGES: usize = FILES_LISTED.div_ceil(PAGE);
/// At most 1,000 pushes. The list of a branch with more is incomplete.
const PUSH_PAGES: usize = 10;

/// An account. GitHub gives `null` or `{}` if it knows none.
#[derive(Debug, Clone, Deserialize)]
struct Account {
    id: Option<UserId>,
    login: Option<Login>,
    /// An account without a type is not taken for a person.
    #[serde(rename = "type")]
    kind: Option<AccountKind>,
}

/// The account as facts have it. `None` if GitHub knows none.
fn person(account: Option<Account>) -> Option<Person> {
    let Account { id, login, kind } = account?;
    let login = login.filter(|login| !is_ghost(id, login.as_str()))?;
    Some(Person { id: id?, login, kind: kind.unwrap_or(AccountKind::Other) })
}

/// `pull-request-simple`.
#[derive(Debug, Deserialize)]
pub(super) struct Pull {
    number: u64,
    state: String,
    merged_at: Option<Timestamp>,
    merge_commit_sha: Option<Revision>,
    head: Side,
    base: Side,
}

#[derive(Debug, Deserialize)]
struct Side {
    #[serde(rename = "ref")]
    branch: String,
    sha: Revision,
    /// `None` if the fork was deleted.
    repo: Option<Repository>,
}

#[derive(Debug, Deserialize)]
struct Repository {
    id: u64,
    full_name: RepositoryName,
    default_branch: String,
}

impl Pull {
    /// Whether the commit is its head or its merge commit.
    pub(super) fn is_of(&self, revision: &Revision) -> bool {
        let merged_as = self.merge_commit_sha.as_ref().filter(|_| self.merged_at.is_some());
        self.head.sha == *revision || merged_as == Some(revision)
    }

    /// `None` if GitHub does not say in which repository it is.
    pub(super) fn found(self) -> Option<FoundPullRequest> {
        let base = self.base.repo?;
        Some(FoundPullRequest {
            // The repository of the head is missing if the fork was deleted.
            from_fork: self.head.repo.is_none_or(|head| head.id != base.id),
            at: PullRequestRef { repository: base.full_name, number: self.number },
            base: self.base.branch,
            default_branch: base.default_branch,
            closed_unmerged: self.state != "open" && self.merged_at.is_none(),
        })
    }
}

/// `diff-entry`.
#[derive(Debug, Deserialize)]
struct File {
    filename: String,
    previous_filename: Option<String>,
}

/// `activity`.
#[derive(Debug, Deserialize)]
struct Activity {
    after: Revision,
    timestamp: Timestamp,
    activity_type: String,
    actor: Option<Account>,
}

/// The known pushes to a branch. Default: none.
#[derive(Debug, Default)]
pub(super) struct Pushes {
    /// Ordered by id.
    pub(super) by: Vec<Person>,
    /// Whether `by` has everybody since the branch was created.
    pub(super) complete: bool,
    /// When the head last became head.
    pub(super) head_first_seen: Option<Timestamp>,
}

impl GithubClient {
    /// The files with their old paths. Without asking if none was moved.
    pub(super) async fn files(&self, at: &PullRequestRef, listed: Vec<Listed>) -> Result<Vec<ChangedFile>, CallError> {
        if !listed.iter().any(Listed::may_be_moved) {
            return Ok(listed.into_iter().map(|file| ChangedFile { path: file.path, previous_path: None }).collect());
        }
        let call = get(at, "/files?per_page=100", format!("the files of `{at}`"));
        let files = self.list::<File>(call, FILE_PAGES, Longer::Cut).await?.items;
        let file = |file: File| ChangedFile { path: file.filename, previous_path: file.previous_filename };
        Ok(files.into_iter().map(file).collect())
    }

    /// Who pushed to a branch of the repository itself, and when its head became head: from GitHub's repository activity,
    /// which no commit can forge. Nothing without permission to read contents.
    /// <https://docs.github.com/en/rest/repos/repos#list-repository-activities>
    pub(super) async fn pushes(
        &self,
        repository: &RepositoryName,
        branch: &str,
        head: &Revision,
    ) -> Result<Pushes, CallError> {
        let reference = escaped(&format!("refs/heads/{branch}"));
        let path = format!("/repos/{repository}/activity?ref={reference}&per_page=100");
        let what = format!("the pushes to `{branch}` in `{repository}`");
        let activity = match self.list::<Activity>(Call::get(path, of(repository), what), PUSH_PAGES, Longer::Cut).await
        {
            Ok(activity) => activity,
            Err(error) if matches!(error.status(), Some(403 | 404 | 422)) => {
                tracing::warn!(repository = %repository, reason = %error, "cannot read who pushed");
                return Ok(Pushes::default());
            }
            Err(error) => return Err(error),
        };
        // Newest first.
        let from_start = activity.items.last().is_some_and(|first| first.activity_type == "branch_creation");
        let made_head = activity.items.iter().find(|activity| activity.after == *head);
        let head_first_seen = made_head.map(|activity| activity.timestamp);
        let pushers: Vec<Option<Person>> = activity.items.into_iter().map(|activity| person(activity.actor)).collect();
        let complete = activity.whole && from_start && pushers.iter().all(Option::is_some);
        let mut by: Vec<Person> = pushers.into_iter().flatten().collect();
        by.sort_by_key(|person| person.id);
        by.dedup_by_key(|person| person.id);
        Ok(Pushes { by, complete, head_first_seen })
    }
}
