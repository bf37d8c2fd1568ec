//! The fields that are read from GitHub's answers, and their conversion into facts.
//!
//! Unknown fields are ignored. If GitHub leaves something out, it is read so that it holds a deployment back.

use jiff::Timestamp;
use serde::Deserialize;

use crate::adapters::github::client::CallError;
use crate::adapters::github_rest::GHOST;
use crate::approval::facts::{
    AccountKind, BoundBy, ChangedFile, Commit, DismissedFrom, Person, Review as ReviewFact, ReviewState,
};
use crate::approval::kept;
use crate::ident::{Login, RepositoryName, ReviewId, Revision, UserId};

/// An account. GitHub gives `null` or `{}` if it knows none.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Account {
    id: Option<UserId>,
    login: Option<Login>,
    /// An account without a type is not taken for a person.
    #[serde(rename = "type")]
    kind: Option<AccountKind>,
}

/// The account as facts have it. `None` if GitHub knows none.
pub(super) fn person(account: Option<Account>) -> Option<Person> {
    // On an Enterprise Server another account has this id.
    let is_ghost = |account: &Account| {
        account.id == Some(GHOST) && account.login.as_ref().is_some_and(|login| login.as_str() == "ghost")
    };
    let Account { id, login, kind } = account.filter(|account| !is_ghost(account))?;
    Some(Person { id: id?, login: login?, kind: kind.unwrap_or(AccountKind::Other) })
}

/// `pull-request`, and `pull-request-simple` without the counts.
#[derive(Debug, Deserialize)]
pub(super) struct Pull {
    pub(super) number: u64,
    pub(super) state: String,
    #[serde(default)]
    pub(super) merged: bool,
    pub(super) merged_at: Option<Timestamp>,
    pub(super) merge_commit_sha: Option<Revision>,
    pub(super) head: Side,
    pub(super) base: Side,
    pub(super) user: Option<Account>,
    #[serde(default)]
    pub(super) labels: Vec<Label>,
    #[serde(default)]
    pub(super) additions: u64,
    #[serde(default)]
    pub(super) deletions: u64,
    pub(super) changed_files: Option<u64>,
    pub(super) commits: Option<u64>,
}

impl Pull {
    /// Whether both have the same lists: the same head on the same base, and equal counts.
    pub(super) fn has_the_lists_of(&self, other: &Self) -> bool {
        let lists = |pull: &Self| {
            let Self { head, base, changed_files, commits, .. } = pull;
            (head.sha.clone(), base.branch.clone(), base.sha.clone(), *changed_files, *commits)
        };
        lists(self) == lists(other)
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Side {
    #[serde(rename = "ref")]
    pub(super) branch: String,
    pub(super) sha: Revision,
    /// `None` if the fork was deleted.
    pub(super) repo: Option<Repository>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Repository {
    pub(super) id: u64,
    pub(super) full_name: RepositoryName,
    pub(super) default_branch: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Label {
    pub(super) name: String,
}

/// `diff-entry`.
#[derive(Debug, Deserialize)]
pub(super) struct File {
    filename: String,
    previous_filename: Option<String>,
}

impl From<File> for ChangedFile {
    fn from(file: File) -> Self {
        Self { path: file.filename, previous_path: file.previous_filename }
    }
}

/// `commit`. The commit's own author and committer are free text, so only GitHub's accounts are read.
#[derive(Debug, Deserialize)]
pub(super) struct CommitShape {
    sha: Revision,
    author: Option<Account>,
    committer: Option<Account>,
}

impl From<CommitShape> for Commit {
    fn from(commit: CommitShape) -> Self {
        Self { sha: commit.sha, author: person(commit.author), committer: person(commit.committer) }
    }
}

/// What the gate keeps of a text. It is cut page by page: the texts of all pages together may not fit the memory.
fn kept_text<'de, D: serde::Deserializer<'de>>(text: D) -> Result<String, D::Error> {
    Ok(Option::<String>::deserialize(text)?.as_deref().map(kept).unwrap_or_default())
}

/// `pull-request-review`.
#[derive(Debug, Deserialize)]
pub(super) struct Review {
    id: ReviewId,
    user: Option<Account>,
    #[serde(default, deserialize_with = "kept_text")]
    body: String,
    state: String,
    commit_id: Option<Revision>,
    submitted_at: Option<Timestamp>,
}

impl Review {
    pub(super) fn fact(self, what: &str) -> Result<ReviewFact, CallError> {
        let state = match self.state.to_ascii_uppercase().as_str() {
            "APPROVED" => ReviewState::Approved,
            "CHANGES_REQUESTED" => ReviewState::ChangesRequested,
            "COMMENTED" => ReviewState::Commented,
            "DISMISSED" => ReviewState::Dismissed,
            "PENDING" => ReviewState::Pending,
            // It may be a new word for requested changes.
            _ => return Err(CallError::unreadable(what, format!("review {} has an unknown state", self.id))),
        };
        Ok(ReviewFact {
            id: self.id,
            user: person(self.user),
            state,
            was: None,
            dismissed_by: None,
            revision: self.commit_id,
            bound_by: BoundBy::Api,
            submitted_at: self.submitted_at,
            body: self.body,
        })
    }
}

/// `issue-event-for-issue`.
#[derive(Debug, Deserialize)]
pub(super) struct Event {
    event: String,
    actor: Option<Account>,
    created_at: Option<Timestamp>,
    dismissed_review: Option<DismissedReview>,
}

#[derive(Debug, Deserialize)]
struct DismissedReview {
    review_id: Option<ReviewId>,
    state: Option<String>,
}

/// When the base last changed. GitHub itself changes it if the branch is deleted or renamed.
pub(super) fn base_changed_at(events: &[Event]) -> Option<Timestamp> {
    let changed =
        |event: &&Event| matches!(event.event.as_str(), "base_ref_changed" | "automatic_base_change_succeeded");
    events.iter().filter(changed).filter_map(|event| event.created_at).max()
}

/// Adds to dismissed reviews their state before and who dismissed them.
pub(super) fn add_dismissals(reviews: &mut [ReviewFact], events: Vec<Event>) {
    for event in events.into_iter().filter(|event| event.event == "review_dismissed") {
        let Some(dismissed) = event.dismissed_review else { continue };
        let Some(review) = reviews.iter_mut().find(|review| Some(review.id) == dismissed.review_id) else { continue };
        review.was = match dismissed.state.as_deref().map(str::to_ascii_lowercase).as_deref() {
            Some("approved") => Some(DismissedFrom::Approved),
            Some("changes_requested") => Some(DismissedFrom::ChangesRequested),
            Some(_) | None => None,
        };
        review.dismissed_by = person(event.actor);
    }
}

/// `activity`.
#[derive(Debug, Deserialize)]
pub(super) struct Activity {
    pub(super) after: Revision,
    pub(super) timestamp: Timestamp,
    pub(super) activity_type: String,
    pub(super) actor: Option<Account>,
}
