//! Everything a decision rests on, as one value.
//!
//! What is not in here cannot change a decision. Facts are gathered by a use case, read by `decide`, and recorded with
//! the decision, so that the same decision can be had again. Knows nothing of where they came from.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::ident::{Login, PullRequestRef, RepositoryName, ReviewId, Revision, Target, TeamSlug, UserId};

/// The shape of facts that this engine reads and writes.
pub const FACTS_SCHEMA: u32 = 1;

/// The facts of one decision. Instants are UTC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// Always [`FACTS_SCHEMA`].
    #[serde(deserialize_with = "schema_one")]
    pub schema: u32,
    /// When the decision is made.
    pub now: Timestamp,
    /// What is to be deployed, and where.
    pub target: Target,
    /// When people were first asked; none: not, or not yet.
    #[serde(default)]
    pub requested_at: Option<Timestamp>,
    /// When the request was settled as approved, also without asking.
    #[serde(default)]
    pub approved_at: Option<Timestamp>,
    /// The parts of the execution's input that the rule's conditions read.
    #[serde(default)]
    pub input: Map<String, Value>,
    /// The version that is deployed.
    #[serde(default)]
    pub version: Option<String>,
    /// `requestedBy`, on the caller's word.
    #[serde(default)]
    pub requester: Option<Login>,
    /// The commit that is deployed. None only where no pull request is asked for.
    #[serde(default)]
    pub revision: Option<Revision>,
    /// The pull request; none where the rule asks for none.
    #[serde(default)]
    pub pull_request: Option<PullRequest>,
    /// Active members, child teams included. A team that could not be read is absent.
    #[serde(default)]
    pub teams: BTreeMap<TeamSlug, Vec<Person>>,
    /// All reviews of the pull request.
    #[serde(default)]
    pub reviews: Vec<Review>,
    /// Changes requested on another pull request for the same target and revision, and not lifted since.
    #[serde(default)]
    pub vetoes: Vec<Veto>,
}

/// The pull request as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PullRequest {
    /// Where it was opened.
    pub repository: RepositoryName,
    /// The branch that rules mean when they name none.
    pub default_branch: String,
    /// Its number.
    pub number: u64,
    /// Open or closed.
    pub state: PullRequestState,
    /// Whether it was merged.
    #[serde(default)]
    pub merged: bool,
    /// The commit that merging made. Never the test merge of an open pull request.
    #[serde(default)]
    pub merge_commit: Option<Revision>,
    /// The newest commit of its branch.
    pub head: Revision,
    /// When `head` became head. None: not known, and then an approval known only from the API is stale.
    #[serde(default)]
    pub head_first_seen: Option<Timestamp>,
    /// The branch it is to go into.
    pub base: String,
    /// When `base` was last changed to another branch. None: never.
    #[serde(default)]
    pub base_changed_at: Option<Timestamp>,
    /// Who opened it. None: the account is gone.
    pub author: Option<Person>,
    /// Label names.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Added lines.
    #[serde(default)]
    pub additions: u64,
    /// Deleted lines.
    #[serde(default)]
    pub deletions: u64,
    /// Changed files.
    #[serde(default)]
    pub files: Vec<ChangedFile>,
    /// Whether `files` holds every one.
    #[serde(default)]
    pub files_complete: bool,
    /// Commits that the pull request adds, over all parents.
    #[serde(default)]
    pub commits: Vec<Commit>,
    /// Whether `commits` holds every one.
    #[serde(default)]
    pub commits_complete: bool,
    /// Who pushed to its branch.
    #[serde(default)]
    pub pushers: Vec<Person>,
    /// Whether `pushers` reaches back to the branch's start.
    #[serde(default)]
    pub pushers_complete: bool,
}

impl PullRequest {
    /// Its name, `owner/name#number`.
    #[must_use]
    pub fn reference(&self) -> PullRequestRef {
        PullRequestRef { repository: self.repository.clone(), number: self.number }
    }
}

/// Whether a pull request still takes commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PullRequestState {
    /// It does.
    Open,
    /// Merged, or closed without.
    Closed,
}

/// A file that the pull request changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangedFile {
    /// From the repository's root.
    pub path: String,
    /// What a renamed file was called before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_path: Option<String>,
}

/// A commit of the pull request. A person is none where GitHub knows no account for the e-mail address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Commit {
    /// Its hash.
    pub sha: Revision,
    /// Who wrote it.
    #[serde(default)]
    pub author: Option<Person>,
    /// Who committed it.
    #[serde(default)]
    pub committer: Option<Person>,
}

/// A GitHub account. The numeric id is the identity; a login may be renamed or taken over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The account's id.
    pub id: UserId,
    /// The account's present login.
    pub login: Login,
    /// What kind of account it is.
    #[serde(rename = "type", default)]
    pub kind: AccountKind,
}

/// GitHub's account types, as far as a rule tells them apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccountKind {
    /// A person.
    #[default]
    User,
    /// A GitHub App.
    Bot,
    /// An organisation, a mannequin, or anything GitHub may add: never an approver.
    #[serde(other)]
    Other,
}

/// A review of the pull request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// GitHub's id of it.
    pub id: ReviewId,
    /// Who gave it. None: the account is gone.
    pub user: Option<Person>,
    /// What it says now.
    pub state: ReviewState,
    /// What a dismissed one said before. None: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<DismissedFrom>,
    /// Who dismissed it. None: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dismissed_by: Option<Person>,
    /// The commit it was given on. None: GitHub no longer knows it.
    pub revision: Option<Revision>,
    /// How `revision` and `body` are known.
    pub bound_by: BoundBy,
    /// When it was given; a pending one has none.
    pub submitted_at: Option<Timestamp>,
    /// Its text.
    #[serde(default)]
    pub body: String,
}

/// A review's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewState {
    /// In favour.
    Approved,
    /// Against.
    ChangesRequested,
    /// Neither.
    Commented,
    /// Taken back, by its giver or somebody else.
    Dismissed,
    /// Not submitted yet.
    Pending,
}

/// What a dismissed review said before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DismissedFrom {
    /// In favour.
    Approved,
    /// Against.
    ChangesRequested,
}

/// How the commit and the text of a review are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BoundBy {
    /// As they stood in the first verified webhook.
    Delivery,
    /// As the API tells them now. GitHub may move `commit_id`, and others may edit the text.
    Api,
}

/// Changes requested that ended an earlier request for the same target and revision on another pull request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Veto {
    /// Who requested changes.
    pub by: Person,
    /// When.
    pub at: Timestamp,
    /// Where.
    pub pull_request: PullRequestRef,
}

fn schema_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let given = u32::deserialize(deserializer)?;
    if given == FACTS_SCHEMA {
        return Ok(given);
    }
    Err(serde::de::Error::custom(format!("`schema` is {given}, and this engine reads {FACTS_SCHEMA}")))
}
