//! Everything a decision depends on, as one value.
//!
//! A use case gathers facts, `decide` reads them, and they are recorded with the decision, so that it can be repeated.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::ident::{Login, PullRequestRef, RepositoryName, ReviewId, Revision, Target, TeamSlug, UserId};

/// The version of the JSON form of facts.
pub const FACTS_SCHEMA: u32 = 1;

/// The facts of one decision. Instants are UTC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// Always [`FACTS_SCHEMA`].
    #[serde(deserialize_with = "schema_one")]
    pub schema: u32,
    pub now: Timestamp,
    pub target: Target,
    /// When people were first asked. `None` if they were not, or not yet.
    #[serde(default)]
    pub requested_at: Option<Timestamp>,
    /// When the request was approved, also if nobody had to be asked.
    #[serde(default)]
    pub approved_at: Option<Timestamp>,
    /// The parts of the execution's input that the rule's conditions read.
    #[serde(default)]
    pub input: Map<String, Value>,
    #[serde(default)]
    pub version: Option<String>,
    /// `requestedBy`, as the caller gives it: the claim is not verified, only the account is.
    #[serde(default)]
    pub requester: Option<Requester>,
    /// The commit that is deployed. `None` only if no pull request is needed.
    #[serde(default)]
    pub revision: Option<Revision>,
    /// `None` if the rule needs none.
    #[serde(default)]
    pub pull_request: Option<PullRequest>,
    /// Active members, child teams included. A team that could not be read is absent.
    #[serde(default)]
    pub teams: BTreeMap<TeamSlug, Vec<Person>>,
    #[serde(default)]
    pub reviews: Vec<Review>,
    /// Changes requested on the head or the revision, on another pull request, that still stand.
    #[serde(default)]
    pub vetoes: Vec<Veto>,
}

/// The pull request as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PullRequest {
    pub repository: RepositoryName,
    /// The branch that may be deployed if a rule names none.
    pub default_branch: String,
    pub number: u64,
    pub state: PullRequestState,
    #[serde(default)]
    pub merged: bool,
    /// The commit that the merge made. Never the test merge of an open pull request.
    #[serde(default)]
    pub merge_commit: Option<Revision>,
    pub head: Revision,
    /// When `head` became the head. `None` if not known: then an approval known only from the API is stale.
    #[serde(default)]
    pub head_first_seen: Option<Timestamp>,
    /// The branch it would be merged into.
    pub base: String,
    /// When `base` was last changed to another branch. `None` if never.
    #[serde(default)]
    pub base_changed_at: Option<Timestamp>,
    /// Who opened it. `None` if the account no longer exists.
    pub author: Option<Person>,
    #[serde(default)]
    pub labels: Vec<String>,
    /// Lines added.
    #[serde(default)]
    pub additions: u64,
    /// Lines deleted.
    #[serde(default)]
    pub deletions: u64,
    #[serde(default)]
    pub files: Vec<ChangedFile>,
    /// Whether `files` is complete.
    #[serde(default)]
    pub files_complete: bool,
    /// The commits that the pull request adds, over all parents.
    #[serde(default)]
    pub commits: Vec<Commit>,
    /// Whether `commits` is complete.
    #[serde(default)]
    pub commits_complete: bool,
    #[serde(default)]
    pub pushers: Vec<Person>,
    /// Whether `pushers` includes everyone since the branch began.
    #[serde(default)]
    pub pushers_complete: bool,
}

impl PullRequest {
    #[must_use]
    pub fn reference(&self) -> PullRequestRef {
        PullRequestRef { repository: self.repository.clone(), number: self.number }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PullRequestState {
    Open,
    /// Merged, or closed without being merged.
    Closed,
}

/// A file that the pull request changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangedFile {
    /// Relative to the repository's root.
    pub path: String,
    /// The former path of a renamed file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_path: Option<String>,
}

/// A commit of the pull request. A person is `None` if GitHub knows no account of the e-mail address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Commit {
    pub sha: Revision,
    #[serde(default)]
    pub author: Option<Person>,
    #[serde(default)]
    pub committer: Option<Person>,
    /// The accounts of its `Co-authored-by` lines.
    #[serde(default)]
    pub co_authors: Vec<Person>,
    /// Whether GitHub has verified its signature. Without that, anybody may have written the names above.
    #[serde(default)]
    pub verified: bool,
    /// In their order.
    #[serde(default)]
    pub parents: Vec<Revision>,
}

/// Who requested the deployment. Reads a bare login, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "GivenRequester")]
pub struct Requester {
    /// `None` if no rule has needed it yet.
    pub id: Option<UserId>,
    pub login: Login,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum GivenRequester {
    Login(Login),
    Account(RequesterAccount),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequesterAccount {
    #[serde(default)]
    id: Option<UserId>,
    login: Login,
}

impl From<GivenRequester> for Requester {
    fn from(given: GivenRequester) -> Self {
        match given {
            GivenRequester::Login(login) => Self { id: None, login },
            GivenRequester::Account(RequesterAccount { id, login }) => Self { id, login },
        }
    }
}

/// A GitHub account. The numeric id is the identity; a login may be renamed or taken over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    pub id: UserId,
    pub login: Login,
    #[serde(rename = "type", default)]
    pub kind: AccountKind,
}

/// GitHub's account types, as far as a rule distinguishes them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccountKind {
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
    pub id: ReviewId,
    /// The reviewer. `None` if the account no longer exists.
    pub user: Option<Person>,
    pub state: ReviewState,
    /// What a dismissed review said before. `None` if not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<DismissedFrom>,
    /// `None` if not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dismissed_by: Option<Person>,
    /// The commit it was given on. `None` if GitHub no longer knows it.
    pub revision: Option<Revision>,
    /// How `revision` and `body` are known.
    pub bound_by: BoundBy,
    /// `None` if the review is pending.
    pub submitted_at: Option<Timestamp>,
    /// Whether `body` was edited after it was submitted. If not given, it counts as edited.
    #[serde(default = "unknown_is_edited")]
    pub edited: bool,
    #[serde(default)]
    pub body: String,
}

const fn unknown_is_edited() -> bool {
    true
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewState {
    Approved,
    ChangesRequested,
    Commented,
    /// Dismissed by the reviewer or somebody else.
    Dismissed,
    Pending,
}

/// What a dismissed review said before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DismissedFrom {
    Approved,
    ChangesRequested,
}

/// How the commit and the text of a review are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BoundBy {
    /// From the first verified webhook delivery.
    Delivery,
    /// From the API, as of now. GitHub may move `commit_id`, and others may edit the text.
    Api,
}

/// Changes requested on a commit, on another pull request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Veto {
    pub by: Person,
    pub at: Timestamp,
    pub pull_request: PullRequestRef,
}

fn schema_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let given = u32::deserialize(deserializer)?;
    if given == FACTS_SCHEMA {
        return Ok(given);
    }
    Err(serde::de::Error::custom(format!("`schema` is {given}, but this engine reads {FACTS_SCHEMA}")))
}
