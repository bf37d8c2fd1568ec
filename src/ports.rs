//! What the use cases need from outside, as small traits with their errors, in the domain's words.
//!
//! Nothing here names AWS, GitHub's API or HTTP: the adapters do.

mod claim;
mod protection;
mod publisher;
pub mod size;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::approval::bears_any_name;
use crate::approval::decision::{Decision, Event};
use crate::approval::facts::{Commit, Person, PullRequest, Review, ReviewState, Veto};
use crate::ident::{
    ChannelName, DeliveryId, ExecutionArn, Login, PullRequestRef, RepositoryName, RequestId, ReviewId, Revision,
    Target, TaskToken, TeamSlug,
};
use crate::request::ApprovalRequest;
use crate::request::observation::{Observation, Observed};
use crate::request::published::Published;
use crate::request::record::{Entry, Record};
use crate::request::turns::Turns;

pub use self::claim::{Answer, CallbackError, ClaimError, ExecutionCallback, SettleClaim};
pub use self::protection::{ProtectedRun, Protection, ProtectionComment, ProtectionDesk, ProtectionRequest};
pub use self::publisher::{PublishContext, Publisher, PublisherError, Spot};

pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}

/// Where pull requests are reviewed.
///
/// An answer is complete or an error: lists are read to the last page, and a list that the host itself caps is marked
/// as incomplete. The use cases overlay the observations of deliveries, not the adapters.
#[async_trait]
pub trait CodeHost: Send + Sync {
    /// The pull request as it is now, with its reviews and all else that a decision needs.
    async fn read(&self, pull_request: &PullRequestRef, needs: &Needs) -> Result<Reading, CodeHostError>;

    /// The repository's pull requests with this revision as their head or merge commit, in the order of their numbers.
    async fn pull_requests_of(
        &self,
        repository: &RepositoryName,
        revision: &Revision,
    ) -> Result<Vec<FoundPullRequest>, CodeHostError>;

    /// The account of a person or of a bot. `None` if there is none. Whoever may read the repository may look it up.
    async fn account(&self, login: &Login, repository: &RepositoryName) -> Result<Option<Person>, CodeHostError>;

    /// How much of the host's limits on calls is left, as of its last answers.
    async fn quota(&self) -> Quota {
        Quota::default()
    }

    /// Drops the answers that are kept for one piece of work. Does nothing if the host keeps none.
    fn forget(&self) {}
}

/// How much of each limit is left. They are counted apart. `None` if the host has not said so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quota {
    /// Calls of the REST interface.
    pub rest: Option<Remaining>,
    /// Points of the GraphQL interface.
    pub graphql: Option<Remaining>,
}

/// What is left of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remaining {
    pub left: u64,
    pub limit: u64,
    /// When the host counts anew.
    pub resets_at: Timestamp,
}

/// A pull request that was found by a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundPullRequest {
    pub at: PullRequestRef,
    pub base: String,
    /// The default branch of the repository.
    pub default_branch: String,
    /// Whether its commits are in another repository. Anybody can open such a pull request.
    pub from_fork: bool,
    pub closed_unmerged: bool,
}

/// A pull request, its reviews and the needed teams at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// With its files and commits, and with its pushers if they are needed and the host names them.
    pub pull_request: PullRequest,
    /// All reviews, oldest first, each bound to its commit by the API only.
    pub reviews: Vec<Review>,
    /// The active members of the needed teams, including those of child teams, in the order of their ids. A team that is
    /// gone, or that may not be read, is absent.
    pub teams: BTreeMap<TeamSlug, Vec<Person>>,
    /// Requests for changes on other pull requests of the head commit that are open or merged, dismissed ones included.
    /// Ordered by pull request and review.
    pub objections: Vec<Objection>,
}

/// A review that requests changes, or may have done so before it was dismissed.
#[derive(Debug, Clone, PartialEq)]
pub struct Objection {
    pub pull_request: PullRequestRef,
    /// Without its text.
    pub review: Review,
}

/// Which parts of a pull request to read. Calls are slow and limited. A list that is not read is marked as incomplete.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    pub files: bool,
    /// Whether the pushers are needed, whatever else is known.
    pub pushers: bool,
    /// Reviews that a delivery has bound to their commit.
    pub known_reviews: BTreeSet<ReviewId>,
    pub teams: BTreeSet<TeamSlug>,
}

impl Needs {
    #[must_use]
    pub fn everything() -> Self {
        Self { files: true, pushers: true, ..Self::default() }
    }

    /// Whether a reading for these needs also has what `other` needs.
    #[must_use]
    pub fn cover(&self, other: &Self) -> bool {
        // Known reviews were left out. With fewer of them, more was read.
        self.files >= other.files
            && self.pushers >= other.pushers
            && self.teams.is_superset(&other.teams)
            && (self.pushers || self.known_reviews.is_subset(&other.known_reviews))
    }

    /// The needs of both.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        Self {
            files: self.files || other.files,
            pushers: self.pushers || other.pushers,
            known_reviews: self.known_reviews.intersection(&other.known_reviews).copied().collect(),
            teams: self.teams.union(&other.teams).cloned().collect(),
        }
    }

    /// Whether the push activity has to be read besides: if the pushers are needed, if a commit could bear anyone's name,
    /// or if only the API reports an approval. Such an approval is compared with the time at which the head became the
    /// head. An earlier delivery of that time is not enough: the branch may have been pushed back to that commit since,
    /// and the delivery of that may be lost.
    #[must_use]
    pub fn push_activity(&self, commits: &[Commit], reviews: &[Review]) -> bool {
        let only_the_api_reports =
            |review: &Review| review.state == ReviewState::Approved && !self.known_reviews.contains(&review.id);
        self.pushers || commits.iter().any(bears_any_name) || reviews.iter().any(only_the_api_reports)
    }
}

/// The code host's log of its deliveries. A delivery that failed is made again only on request.
#[async_trait]
pub trait DeliveryLog: Send + Sync {
    /// The attempts since then, newest first. If there are very many, only the newest.
    async fn attempts(&self, since: Timestamp) -> Result<Vec<DeliveryAttempt>, CodeHostError>;

    /// Requests another attempt at a delivery. It may be made even if this fails.
    async fn redeliver(&self, attempt: AttemptId) -> Result<(), CodeHostError>;
}

/// The host's number of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttemptId(pub u64);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryAttempt {
    pub id: AttemptId,
    /// The same for all attempts at a delivery.
    pub delivery: DeliveryId,
    pub at: Timestamp,
    /// Whether the receiver accepted it.
    pub taken: bool,
}

/// Why the code host gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodeHostError {
    /// It does not exist, or we may not see it.
    #[error("{what} was not found")]
    NotFound { what: String },
    #[error("the code host did not answer: {detail}")]
    Unavailable { detail: String },
    /// Its limit on calls is reached.
    #[error("the code host did not answer: {detail}")]
    Limited { detail: String, until: Timestamp },
}

/// One change of a request, with its record in the audit trail and maybe a new token. A store writes all of it or
/// nothing.
#[derive(Debug, Clone)]
pub struct Write {
    /// The request after the change. Its version is one above the stored one, and 1 for a new request.
    pub request: ApprovalRequest,
    pub record: Record,
    /// A new task token. `None` keeps the stored one.
    pub token: Option<TaskToken>,
}

impl Write {
    /// Appends the record of what happened to the request's trail. Decisions are truncated as far as they would not fit
    /// a transaction. The facts are never changed: they were cut before the decision.
    #[must_use]
    pub fn new(mut request: ApprovalRequest, mut entry: Entry) -> Self {
        request.truncate_decision(size::DECISION);
        if let Some(decision) = entry.decision.take() {
            let rest = size::VALUES.saturating_sub(json_bytes(&request)).saturating_sub(json_bytes(&entry.facts));
            entry.decision = Some(decision.within(rest));
        }
        let record = Record::append(&mut request, entry);
        Self { request, record, token: None }
    }

    #[must_use]
    pub fn with_token(mut self, token: TaskToken) -> Self {
        self.token = Some(token);
        self
    }
}

fn json_bytes(value: &impl serde::Serialize) -> usize {
    serde_json::to_vec(value).map_or(0, |json| json.len())
}

/// How far a delivery was processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// Not to the end: it is processed now, again if necessary.
    Recorded,
    /// To the end: it changes nothing any more.
    Done,
}

/// Where requests, deliveries and their observations are stored. A write that succeeded is durable, and the next read
/// returns it.
#[async_trait]
pub trait RequestStore: Send + Sync {
    /// Writes if the stored version is the one before (none for version 1).
    ///
    /// # Errors
    /// [`WriteError::Conflict`] with what is stored instead, else [`WriteError::Unavailable`].
    async fn write(&self, write: Write) -> Result<(), WriteError>;

    async fn request(&self, id: &RequestId) -> Result<Option<ApprovalRequest>, StoreError>;

    /// The token that the request's execution waits with.
    async fn token(&self, id: &RequestId) -> Result<Option<TaskToken>, StoreError>;

    /// The open requests or all requests, oldest first.
    async fn requests(&self, which: Which) -> Result<Vec<ApprovalRequest>, StoreError>;

    async fn open_for(&self, pull_request: &PullRequestRef) -> Result<Vec<ApprovalRequest>, StoreError>;

    /// The requests of the execution that was started then, from all its runs.
    async fn of_execution(
        &self,
        execution: &ExecutionArn,
        started_at: Timestamp,
    ) -> Result<Vec<ApprovalRequest>, StoreError>;

    /// The requests that are due by then, the longest due first.
    async fn due(&self, by: Timestamp) -> Result<Vec<ApprovalRequest>, StoreError>;

    /// The request's audit trail, from the first record.
    async fn trail(&self, id: &RequestId) -> Result<Vec<Record>, StoreError>;

    /// Stores that a delivery came. Returns how far it was processed before.
    async fn begin_delivery(&self, id: &DeliveryId, now: Timestamp) -> Result<DeliveryState, StoreError>;

    /// Marks a delivery as done.
    async fn finish_delivery(&self, id: &DeliveryId, now: Timestamp) -> Result<(), StoreError>;

    /// Adds an observation to those of the pull request ([`Observed::add`]).
    async fn observe(&self, pull_request: &PullRequestRef, observation: Observation) -> Result<(), StoreError>;

    /// All observations of the pull request.
    async fn observed(&self, pull_request: &PullRequestRef) -> Result<Observed, StoreError>;

    /// Stores a request for changes to a commit: once for each person and pull request.
    async fn remember_veto(&self, revision: &Revision, veto: Veto) -> Result<(), StoreError>;

    /// The requests for changes to a commit, oldest first.
    async fn vetoes(&self, revision: &Revision) -> Result<Vec<Veto>, StoreError>;

    /// What is published on a pull request. The default if nothing is stored.
    async fn published(&self, pull_request: &PullRequestRef) -> Result<Published, StoreError>;

    /// Stores `published` if the stored version is the one before (none for version 1). Returns whether it did.
    async fn save_published(&self, pull_request: &PullRequestRef, published: &Published) -> Result<bool, StoreError>;

    /// Stores that checks of the pull request are published on this commit.
    async fn publish_on(&self, pull_request: &PullRequestRef, head: &Revision) -> Result<(), StoreError>;

    /// The pull requests of the repository whose checks are published on this commit, in the order of their numbers.
    async fn published_on(
        &self,
        repository: &RepositoryName,
        head: &Revision,
    ) -> Result<Vec<PullRequestRef>, StoreError>;

    /// The turns at reading a pull request. The default if nothing is stored.
    async fn turns(&self, pull_request: &PullRequestRef) -> Result<Turns, StoreError>;

    /// Stores `turns` if the stored version is the one before (none for version 1). Returns whether it did.
    async fn save_turns(&self, pull_request: &PullRequestRef, turns: &Turns) -> Result<bool, StoreError>;

    /// The pull requests whose publication is due by then, the longest due first.
    async fn publications_due(&self, by: Timestamp) -> Result<Vec<PullRequestRef>, StoreError>;
}

/// Which requests to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those that wait or are being settled.
    Open,
    All,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the store did not answer: {detail}")]
pub struct StoreError {
    pub detail: String,
}

/// A write that did not happen.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("another write changed the request in the meantime")]
    Conflict {
        /// What is stored instead. `None` if nothing is.
        stored: Option<Box<ApprovalRequest>>,
    },
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// With the event and its number, lets a receiver drop a repetition.
    pub request_id: RequestId,
    pub target: Target,
    /// `None` if the rule requires no approval.
    pub pull_request: Option<PullRequestRef>,
    pub revision: Option<Revision>,
    pub event: Event,
    /// Which of the rule's reminders or escalations it is, from 1. `None` for events that happen once.
    pub number: Option<usize>,
    /// One line, under 100 characters.
    pub subject: String,
    /// For people.
    pub text: String,
    /// For programs. `None` if nothing was decided yet.
    pub decision: Option<Decision>,
}

#[async_trait]
pub trait Notifier: Send + Sync {
    /// Sends a message to one channel.
    async fn notify(&self, channel: &ChannelName, message: &Message) -> Result<(), NotifyError>;
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("could not notify the channel `{channel}`: {detail}")]
pub struct NotifyError {
    pub channel: ChannelName,
    pub detail: String,
}
