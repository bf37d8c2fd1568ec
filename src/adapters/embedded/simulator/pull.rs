//! A pull request's record: its commits, reviews and issue events.
//!
//! Plain data and what follows from it. Knows neither rules nor HTTP nor storage.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::world::{Commit, FileChange};
use crate::ident::{RepositoryName, ReviewId, Revision, TeamSlug, UserId};

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullRequest {
    /// The numeric id, which is not its number.
    pub id: u64,
    /// The id of the repository it was opened in.
    pub repository: u64,
    /// Its number.
    pub number: u64,
    /// Its title.
    pub title: String,
    /// Its text.
    pub body: Option<String>,
    /// Open, closed or merged.
    pub state: PullState,
    /// Whether it is a draft.
    pub draft: bool,
    /// Who opened it.
    pub author: UserId,
    /// Where its commits come from.
    pub head: Head,
    /// The branch it is to go into.
    pub base: String,
    /// Where that branch stood when the pull request was opened or its base changed.
    pub base_sha: Revision,
    /// The labels' names.
    pub labels: BTreeSet<String>,
    /// The commits it adds, oldest first.
    pub commits: Vec<Commit>,
    /// Every commit it ever had: a review may be given on any of them.
    pub seen: BTreeSet<Revision>,
    /// Its reviews, oldest first.
    pub reviews: Vec<Review>,
    /// What happened to it, oldest first.
    pub events: Vec<IssueEvent>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it was closed or merged.
    pub closed_at: Option<Timestamp>,
    /// Who merged it.
    pub merged_by: Option<UserId>,
    /// Of an open one the test merge, which says nothing; of a merged one the commit that merging made.
    pub merge_commit_sha: Option<Revision>,
    /// Who is asked for a review.
    #[serde(default)]
    pub requested_reviewers: BTreeSet<UserId>,
    /// Which teams are.
    #[serde(default)]
    pub requested_teams: BTreeSet<TeamSlug>,
}

/// Whether a pull request is open. GitHub's REST calls the last two `closed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PullState {
    /// It takes commits.
    Open,
    /// Closed without merging.
    Closed,
    /// Merged.
    Merged,
}

/// Where a pull request's commits come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The repository of the branch: another one than the pull request's if it comes from a fork.
    pub repository: RepositoryName,
    /// The branch.
    pub branch: String,
    /// Its newest commit.
    pub sha: Revision,
}

/// A review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// Its id.
    pub id: ReviewId,
    /// Who gave it.
    pub user: UserId,
    /// What it says now.
    pub state: ReviewState,
    /// Its text.
    pub body: String,
    /// The commit it is bound to now.
    pub commit_id: Option<Revision>,
    /// When it was submitted; a pending one has none.
    pub submitted_at: Option<Timestamp>,
}

/// A review's state.
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
    /// Its id.
    pub id: u64,
    /// Who did it.
    pub actor: UserId,
    /// When.
    pub created_at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub what: Happening,
}

/// What happened to a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Happening {
    /// A review was dismissed.
    ReviewDismissed {
        /// Which.
        review: ReviewId,
        /// What it said before.
        was: DismissedFrom,
        /// Why, in the dismisser's words.
        message: Option<String>,
        /// The push that did it, if one did.
        commit: Option<Revision>,
    },
    /// The base branch was changed.
    BaseRefChanged,
    /// A label was added.
    Labeled {
        /// Which.
        label: String,
    },
    /// A label was taken off.
    Unlabeled {
        /// Which.
        label: String,
    },
    /// It was closed.
    Closed,
    /// It was opened again.
    Reopened,
    /// It was merged.
    Merged {
        /// The commit that this made.
        commit: Revision,
    },
    /// Its commits were replaced.
    HeadRefForcePushed {
        /// The new head.
        commit: Revision,
    },
}

impl Happening {
    /// The review that was dismissed and what it said before, where this is a dismissal.
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
    /// The files that its commits change, each once, in the order in which they first appear.
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

    /// Whether the review's giver wrote the pull request.
    #[must_use]
    pub fn is_author(&self, user: UserId) -> bool {
        self.author == user
    }

    /// The review of that id.
    #[must_use]
    pub fn review(&self, id: ReviewId) -> Option<&Review> {
        self.reviews.iter().find(|review| review.id == id)
    }

    /// Whether it is merged.
    #[must_use]
    pub const fn is_merged(&self) -> bool {
        matches!(self.state, PullState::Merged)
    }

    /// Open or closed, as GitHub writes it.
    #[must_use]
    pub const fn state_text(&self) -> &'static str {
        match self.state {
            PullState::Open => "open",
            PullState::Closed | PullState::Merged => "closed",
        }
    }
}
