//! The parts of GitHub's answers to the query for facts, and their conversion into facts.
//!
//! Every part must be answered. A part that may be `null` is read so that it holds a deployment back.

mod commit;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

pub(super) use self::commit::Commit;
use super::list::{Page, nullable};
use crate::adapters::github_rest::is_ghost;
use crate::approval::facts::{self, AccountKind, BoundBy, DismissedFrom, Person, PullRequestState, ReviewState};
use crate::approval::kept;
use crate::ident::{Login, RepositoryName, ReviewId, Revision, UserId};

/// The pull request and its repository.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Repository {
    #[serde(deserialize_with = "nullable")]
    pub(super) database_id: Option<u64>,
    pub(super) name_with_owner: RepositoryName,
    /// `None` if the repository is empty.
    #[serde(deserialize_with = "nullable")]
    pub(super) default_branch_ref: Option<Named>,
    #[serde(deserialize_with = "nullable")]
    pub(super) pull_request: Option<Pull>,
    #[serde(default)]
    pub(super) twins: Option<Twins>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Named {
    pub(super) name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pull {
    pub(super) number: u64,
    pub(super) state: PullState,
    #[serde(deserialize_with = "nullable")]
    pub(super) merge_commit: Option<Oid>,
    pub(super) head_ref_oid: Revision,
    pub(super) head_ref_name: String,
    /// `None` if the fork was deleted.
    #[serde(deserialize_with = "nullable")]
    pub(super) head_repository: Option<Numbered>,
    pub(super) base_ref_oid: Revision,
    pub(super) base_ref_name: String,
    #[serde(deserialize_with = "nullable")]
    pub(super) author: Option<Account>,
    pub(super) additions: u64,
    pub(super) deletions: u64,
    pub(super) changed_files: usize,
    // Each of these only if it was asked for.
    #[serde(default)]
    pub(super) labels: Option<Page<Named>>,
    #[serde(default)]
    pub(super) files: Option<Page<File>>,
    #[serde(default)]
    pub(super) reviews: Option<Page<Review>>,
    #[serde(default)]
    pub(super) comments: Option<Nodes<ReviewWithoutText>>,
    #[serde(default)]
    pub(super) commits: Option<Page<CommitNode<Commit>>>,
    #[serde(default)]
    pub(super) timeline_items: Option<Page<Event>>,
    #[serde(default)]
    pub(super) last_commit: Option<Nodes<CommitNode<Twins>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum PullState {
    Open,
    Closed,
    Merged,
}

impl PullState {
    pub(super) const fn fact(self) -> PullRequestState {
        match self {
            Self::Open => PullRequestState::Open,
            Self::Closed | Self::Merged => PullRequestState::Closed,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Oid {
    pub(super) oid: Revision,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Numbered {
    #[serde(deserialize_with = "nullable")]
    pub(super) database_id: Option<u64>,
}

/// A list that is not read on.
#[derive(Debug, Deserialize)]
pub(super) struct Nodes<T> {
    pub(super) nodes: Vec<T>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CommitNode<T> {
    pub(super) commit: T,
}

/// An account. Its login is as facts have it: that of a bot ends in `[bot]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "GivenAccount")]
pub(super) struct Account {
    id: Option<UserId>,
    login: Login,
    kind: AccountKind,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GivenAccount {
    #[serde(rename = "__typename")]
    kind: String,
    login: String,
    #[serde(default)]
    database_id: Option<UserId>,
}

impl TryFrom<GivenAccount> for Account {
    type Error = crate::ident::IdentError;

    fn try_from(given: GivenAccount) -> Result<Self, Self::Error> {
        let kind = match given.kind.as_str() {
            // The account of a commit is of the type `User`, even if it is a bot. Only bots have such logins.
            "User" if !given.login.ends_with("[bot]") => AccountKind::User,
            "User" | "Bot" => AccountKind::Bot,
            // A mannequin, an organization, or a new kind.
            _ => AccountKind::Other,
        };
        let login = match kind {
            AccountKind::Bot if !given.login.ends_with("[bot]") => Login::new(&format!("{}[bot]", given.login)),
            AccountKind::User | AccountKind::Bot | AccountKind::Other => Login::new(&given.login),
        }?;
        Ok(Self { id: given.database_id, login, kind })
    }
}

impl Account {
    /// `None` if GitHub gives it no number, or if it stands for deleted accounts.
    pub(super) fn person(self) -> Option<Person> {
        let id = self.id.filter(|id| !is_ghost(Some(*id), self.login.as_str()))?;
        Some(Person { id, login: self.login, kind: self.kind })
    }
}

/// `None` if there is no account. Errors if there is one without a number: it could be anybody's.
pub(super) fn actor(account: Option<Account>) -> Result<Option<Person>, String> {
    match account {
        Some(Account { id: None, login, .. }) => Err(format!("the account `{login}` has no number")),
        Some(account) => Ok(account.person()),
        None => Ok(None),
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct File {
    pub(super) path: String,
    pub(super) change_type: String,
}

impl File {
    /// Whether it may have had another path, which only REST gives.
    pub(super) fn may_be_moved(&self) -> bool {
        !matches!(self.change_type.as_str(), "ADDED" | "CHANGED" | "DELETED" | "MODIFIED")
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Review {
    #[serde(flatten)]
    review: ReviewWithoutText,
    body: String,
    #[serde(deserialize_with = "nullable")]
    last_edited_at: Option<Timestamp>,
}

impl Review {
    /// As [`ReviewWithoutText::fact`].
    pub(super) fn fact(self) -> Result<Option<facts::Review>, String> {
        let (edited, body) = (self.last_edited_at.is_some(), kept(&self.body));
        Ok(self.review.fact()?.map(|review| facts::Review { edited, body, ..review }))
    }
}

/// A review without its text.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReviewWithoutText {
    #[serde(deserialize_with = "big_int")]
    full_database_id: u64,
    #[serde(deserialize_with = "nullable")]
    author: Option<Account>,
    state: String,
    #[serde(deserialize_with = "nullable")]
    submitted_at: Option<Timestamp>,
    #[serde(deserialize_with = "nullable")]
    commit: Option<Oid>,
}

impl ReviewWithoutText {
    /// `None` if it is pending: GitHub lists it to its author only. Errors if GitHub does not say whose it is, or if its
    /// state is unknown: it may be a new word for requested changes.
    pub(super) fn fact(self) -> Result<Option<facts::Review>, String> {
        let id = ReviewId(self.full_database_id);
        let state = match self.state.as_str() {
            "APPROVED" => ReviewState::Approved,
            "CHANGES_REQUESTED" => ReviewState::ChangesRequested,
            "COMMENTED" => ReviewState::Commented,
            "DISMISSED" => ReviewState::Dismissed,
            "PENDING" => return Ok(None),
            _ => return Err(format!("review {id} has an unknown state")),
        };
        Ok(Some(facts::Review {
            id,
            user: actor(self.author).map_err(|why| format!("review {id}: {why}"))?,
            state,
            was: None,
            dismissed_by: None,
            revision: self.commit.map(|commit| commit.oid),
            bound_by: BoundBy::Api,
            submitted_at: self.submitted_at,
            edited: true,
            body: String::new(),
        }))
    }
}

/// GitHub's `BigInt`: a number, or one in a text.
fn big_int<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        Number(u64),
        Text(String),
    }
    match Given::deserialize(deserializer)? {
        Given::Number(number) => Ok(number),
        Given::Text(text) => text.parse().map_err(|_| serde::de::Error::custom("not a whole number")),
    }
}

#[derive(Debug, Deserialize)]
#[serde(tag = "__typename", rename_all_fields = "camelCase")]
pub(super) enum Event {
    #[serde(rename = "BaseRefChangedEvent")]
    BaseChanged { created_at: Timestamp },
    /// GitHub itself changes the base if the branch is deleted or renamed.
    #[serde(rename = "AutomaticBaseChangeSucceededEvent")]
    BaseChangedByGithub { created_at: Timestamp },
    #[serde(rename = "ReviewDismissedEvent")]
    ReviewDismissed {
        previous_review_state: String,
        #[serde(deserialize_with = "nullable")]
        actor: Option<Account>,
        #[serde(deserialize_with = "nullable")]
        review: Option<Dismissed>,
    },
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Dismissed {
    #[serde(deserialize_with = "big_int")]
    full_database_id: u64,
}

/// When the base last changed.
pub(super) fn base_changed_at(events: &[Event]) -> Option<Timestamp> {
    let changed = |event: &Event| match event {
        Event::BaseChanged { created_at } | Event::BaseChangedByGithub { created_at } => Some(*created_at),
        Event::ReviewDismissed { .. } => None,
    };
    events.iter().filter_map(changed).max()
}

/// Adds to dismissed reviews their state before and who dismissed them.
pub(super) fn add_dismissals(reviews: &mut [facts::Review], events: Vec<Event>) -> Result<(), String> {
    for event in events {
        let Event::ReviewDismissed { previous_review_state, actor: by, review: Some(dismissed) } = event else {
            continue;
        };
        let dismissed = ReviewId(dismissed.full_database_id);
        let Some(review) = reviews.iter_mut().find(|review| review.id == dismissed) else { continue };
        review.was = match previous_review_state.as_str() {
            "APPROVED" => Some(DismissedFrom::Approved),
            "CHANGES_REQUESTED" => Some(DismissedFrom::ChangesRequested),
            _ => None,
        };
        review.dismissed_by = actor(by)?;
    }
    Ok(())
}

/// The pull requests of a commit.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Twins {
    pub(super) oid: Revision,
    pub(super) associated_pull_requests: Page<Twin>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Twin {
    pub(super) number: u64,
    pub(super) base_repository: InRepository,
    pub(super) reviews: Page<ReviewWithoutText>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InRepository {
    pub(super) name_with_owner: RepositoryName,
}

#[cfg(test)]
mod tests;
