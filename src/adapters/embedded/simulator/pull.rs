//! The record of a pull request: its commits, reviews and issue events. Knows neither rules nor HTTP nor storage.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::world::{Commit, FileChange};
use crate::ident::{RepositoryName, ReviewId, Revision, TeamSlug, UserId};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullRequest {
    /// Not its number.
    pub id: u64,
    /// The id of the repository it was opened in.
    pub repository: u64,
    pub number: u64,
    pub title: String,
    pub body: Option<String>,
    pub state: PullState,
    pub draft: bool,
    pub author: UserId,
    pub head: Head,
    /// The branch it merges into.
    pub base: String,
    /// The commit of that branch when the pull request was opened or its base changed.
    pub base_sha: Revision,
    pub labels: BTreeSet<String>,
    /// The commits it adds, oldest first.
    pub commits: Vec<Commit>,
    /// Every commit it ever had. A review may name any of them.
    pub seen: BTreeSet<Revision>,
    /// Oldest first.
    pub reviews: Vec<Review>,
    /// Oldest first.
    pub events: Vec<IssueEvent>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// When it was closed or merged.
    pub closed_at: Option<Timestamp>,
    pub merged_by: Option<UserId>,
    /// If merged, the commit that merging made. If open, a test merge, which proves nothing.
    pub merge_commit_sha: Option<Revision>,
    #[serde(default)]
    pub requested_reviewers: BTreeSet<UserId>,
    #[serde(default)]
    pub requested_teams: BTreeSet<TeamSlug>,
}

/// Whether a pull request is open. GitHub's REST calls the last two `closed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PullState {
    Open,
    /// Closed without merging.
    Closed,
    Merged,
}

/// Where a pull request's commits come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Another repository than the pull request's if it comes from a fork.
    pub repository: RepositoryName,
    pub branch: String,
    pub sha: Revision,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    pub id: ReviewId,
    pub user: UserId,
    pub state: ReviewState,
    pub body: String,
    /// Whether `body` was edited after it was submitted.
    #[serde(default)]
    pub edited: bool,
    /// The commit that it names now. GitHub may move it.
    pub commit_id: Option<Revision>,
    /// `None` while pending.
    pub submitted_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewState {
    Approved,
    ChangesRequested,
    Commented,
    Dismissed,
    /// Not submitted: visible to its author only.
    Pending,
}

impl ReviewState {
    /// The word in webhooks. REST has the same in capitals.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::ChangesRequested => "changes_requested",
            Self::Commented => "commented",
            Self::Dismissed => "dismissed",
            Self::Pending => "pending",
        }
    }
}

/// The state of a review before it was dismissed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DismissedFrom {
    Approved,
    ChangesRequested,
}

impl DismissedFrom {
    /// GitHub's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::ChangesRequested => "changes_requested",
        }
    }
}

/// Something that happened to a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueEvent {
    pub id: u64,
    pub actor: UserId,
    pub created_at: Timestamp,
    #[serde(flatten)]
    pub what: Happening,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Happening {
    ReviewDismissed {
        review: ReviewId,
        was: DismissedFrom,
        message: Option<String>,
        /// The head of the push that dismissed it. `None` if a person did.
        commit: Option<Revision>,
    },
    BaseRefChanged,
    Labeled {
        label: String,
    },
    Unlabeled {
        label: String,
    },
    Closed,
    Reopened,
    Merged {
        commit: Revision,
    },
    HeadRefForcePushed {
        commit: Revision,
    },
}

impl Happening {
    /// The dismissed review and its state before. `None` if this is no dismissal.
    #[must_use]
    pub const fn dismissal(&self) -> Option<(ReviewId, DismissedFrom)> {
        match self {
            Self::ReviewDismissed { review, was, .. } => Some((*review, *was)),
            Self::BaseRefChanged
            | Self::Labeled { .. }
            | Self::Unlabeled { .. }
            | Self::Closed
            | Self::Reopened
            | Self::Merged { .. }
            | Self::HeadRefForcePushed { .. } => None,
        }
    }
}

impl PullRequest {
    /// The changed files, each once, in the order of their first appearance.
    #[must_use]
    pub fn files(&self) -> Vec<FileChange> {
        let mut files: Vec<FileChange> = Vec::new();
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        for change in self.commits.iter().flat_map(|commit| &commit.files) {
            match places.get(change.path.as_str()).and_then(|place| files.get_mut(*place)) {
                Some(file) => {
                    file.additions += change.additions;
                    file.deletions += change.deletions;
                    file.previous_path = file.previous_path.take().or_else(|| change.previous_path.clone());
                }
                None => {
                    places.insert(&change.path, files.len());
                    files.push(change.clone());
                }
            }
        }
        files
    }

    /// Added and deleted lines.
    #[must_use]
    pub fn line_counts(&self) -> (u64, u64) {
        let changes = || self.commits.iter().flat_map(|commit| &commit.files);
        (changes().map(|file| file.additions).sum(), changes().map(|file| file.deletions).sum())
    }

    #[must_use]
    pub fn is_author(&self, user: UserId) -> bool {
        self.author == user
    }

    #[must_use]
    pub fn review(&self, id: ReviewId) -> Option<&Review> {
        self.reviews.iter().find(|review| review.id == id)
    }

    #[must_use]
    pub const fn is_merged(&self) -> bool {
        matches!(self.state, PullState::Merged)
    }

    /// GitHub's word: `open` or `closed`.
    #[must_use]
    pub const fn state_text(&self) -> &'static str {
        match self.state {
            PullState::Open => "open",
            PullState::Closed | PullState::Merged => "closed",
        }
    }
}
