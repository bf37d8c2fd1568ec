//! What the use cases ask of the world, in the domain's words.
//!
//! Small traits and their errors. Nothing here names AWS, GitHub's API or HTTP: that is the adapters' business.

mod claim;
mod protection;
mod publisher;

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::approval::decision::{Decision, Event};
use crate::approval::facts::{Commit, Person, PullRequest, Review, ReviewState, Veto};
use crate::approval::is_unattributed;
use crate::ident::{
    ChannelName, DeliveryId, ExecutionArn, PullRequestRef, RepositoryName, RequestId, ReviewId, Revision, Target,
    TaskToken, TeamSlug,
};
use crate::request::ApprovalRequest;
use crate::request::observation::{Observation, Observed};
use crate::request::published::Published;
use crate::request::record::{Entry, Record};

pub use self::claim::{Answer, CallbackError, ClaimError, ExecutionCallback, SettleClaim};
pub use self::protection::{ProtectedRun, Protection, ProtectionAsked, ProtectionComment, ProtectionDesk};
pub use self::publisher::{PublishContext, Publisher, PublisherError, Spot};

/// The time.
pub trait Clock: Send + Sync {
    /// Now, in UTC.
    fn now(&self) -> Timestamp;
}

/// Where pull requests are reviewed.
///
/// An answer is whole or an error: lists are paged to the end, and where the host itself caps one, the fact is marked
/// incomplete. What a verified delivery told is laid over the answers by the use cases, not here.
#[async_trait]
pub trait CodeHost: Send + Sync {
    /// The pull request as it is now, and its reviews: see [`Reading`].
    ///
    /// # Errors
    /// [`CodeHostError::NotFound`] where there is none, else [`CodeHostError::Unavailable`].
    async fn read(&self, pull_request: &PullRequestRef, needs: &Needs) -> Result<Reading, CodeHostError>;

    /// The team's active members, those of child teams included. None: the team is gone, or may not be read.
    ///
    /// # Errors
    /// [`CodeHostError::Unavailable`].
    async fn team_members(&self, team: &TeamSlug) -> Result<Option<Vec<Person>>, CodeHostError>;

    /// The pull requests of the repository whose head or merge commit the revision is.
    ///
    /// # Errors
    /// As [`CodeHost::read`].
    async fn pull_requests_of(
        &self,
        repository: &RepositoryName,
        revision: &Revision,
    ) -> Result<Vec<PullRequestRef>, CodeHostError>;

    /// Drops what was read before and is kept for one piece of work. A host that keeps nothing does nothing.
    fn forget(&self) {}
}

/// A pull request and its reviews, as one moment's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// With its files, commits and, as far as the host tells and they are needed, pushers.
    pub pull_request: PullRequest,
    /// All, in the order in which they were given, each bound by the API only.
    pub reviews: Vec<Review>,
}

/// What of a pull request has to be read: every list is a call, which is slow and counted. What is not needed and not
/// read is marked incomplete.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Whether anything looks at changed files.
    pub files: bool,
    /// Whether anything looks at who pushed, whatever else is known.
    pub pushers: bool,
    /// Reviews that a delivery has bound to their commit.
    pub known_reviews: BTreeSet<ReviewId>,
}

impl Needs {
    /// Everything.
    #[must_use]
    pub fn everything() -> Self {
        Self { files: true, pushers: true, ..Self::default() }
    }

    /// Whether what was read for these serves the other, too.
    #[must_use]
    pub fn cover(&self, other: &Self) -> bool {
        // What is known was left out: with less of it, more was read.
        self.files >= other.files
            && self.pushers >= other.pushers
            && (self.pushers || self.known_reviews.is_subset(&other.known_reviews))
    }

    /// What serves both.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        Self {
            files: self.files || other.files,
            pushers: self.pushers || other.pushers,
            known_reviews: self.known_reviews.intersection(&other.known_reviews).copied().collect(),
        }
    }

    /// Whether push activity is needed of what was read: for who pushed, also where a commit is of no account, and for
    /// when the head became head, which an approval that only the API tells of is held against. That a delivery once told
    /// when it became head is not enough: a branch that was pushed back to it has it for head anew, and the delivery of
    /// that may be lost.
    #[must_use]
    pub fn push_activity(&self, commits: &[Commit], reviews: &[Review]) -> bool {
        let approved_in_secret =
            |review: &Review| review.state == ReviewState::Approved && !self.known_reviews.contains(&review.id);
        self.pushers || commits.iter().any(is_unattributed) || reviews.iter().any(approved_in_secret)
    }
}

/// What the code host remembers of the deliveries it made: one that failed is not made again unless it is asked for.
#[async_trait]
pub trait DeliveryLog: Send + Sync {
    /// Attempts since then, the newest first. Of very many only the newest.
    ///
    /// # Errors
    /// [`CodeHostError`].
    async fn attempts(&self, since: Timestamp) -> Result<Vec<DeliveryAttempt>, CodeHostError>;

    /// Asks for what an attempt was to deliver to be delivered again.
    ///
    /// # Errors
    /// [`CodeHostError`]: it may have been taken all the same.
    async fn redeliver(&self, attempt: AttemptId) -> Result<(), CodeHostError>;
}

/// The host's number of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttemptId(pub u64);

/// One attempt at a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryAttempt {
    /// Which attempt.
    pub id: AttemptId,
    /// At which delivery: the same for all attempts at it.
    pub delivery: DeliveryId,
    /// When.
    pub at: Timestamp,
    /// Whether it was taken.
    pub taken: bool,
}

/// Why the code host gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodeHostError {
    /// There is no such thing, or we may not see it.
    #[error("{what} was not found")]
    NotFound {
        /// What was asked for.
        what: String,
    },
    /// It could not answer now.
    #[error("the code host did not answer: {detail}")]
    Unavailable {
        /// What it said.
        detail: String,
    },
}

/// One change of a request: what it becomes, what is recorded of it, and the token that comes with it.
///
/// A store writes all three or none.
#[derive(Debug, Clone)]
pub struct Write {
    /// The request as it is to be. Its version is one above what is replaced, and 1 for a new one.
    pub request: ApprovalRequest,
    /// The next record of its trail.
    pub record: Record,
    /// A new task token; none: the one that is stored stays.
    pub token: Option<TaskToken>,
}

impl Write {
    /// Puts the record of what happened behind the request's trail.
    #[must_use]
    pub fn new(mut request: ApprovalRequest, entry: Entry) -> Self {
        let record = Record::append(&mut request, entry);
        Self { request, record, token: None }
    }

    /// The same, with a new task token.
    #[must_use]
    pub fn with_token(mut self, token: TaskToken) -> Self {
        self.token = Some(token);
        self
    }
}

/// How far a delivery was worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// Not to the end: it is worked, or worked again.
    Recorded,
    /// To the end: it changes nothing any more.
    Done,
}

/// Where requests, deliveries and what they told are kept. What was answered is durable, and what was written is what
/// the next reading gives.
#[async_trait]
pub trait RequestStore: Send + Sync {
    /// Writes if the stored version is the one before (none for version 1).
    ///
    /// # Errors
    /// [`WriteError::Conflict`] with what is stored instead, else [`WriteError::Unavailable`].
    async fn write(&self, write: Write) -> Result<(), WriteError>;

    /// A request.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn request(&self, id: &RequestId) -> Result<Option<ApprovalRequest>, StoreError>;

    /// The token that the request's execution waits with.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn token(&self, id: &RequestId) -> Result<Option<TaskToken>, StoreError>;

    /// All requests that are open, or all there are, by the time at which they were opened.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn requests(&self, which: Which) -> Result<Vec<ApprovalRequest>, StoreError>;

    /// The open requests of a pull request.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn open_for(&self, pull_request: &PullRequestRef) -> Result<Vec<ApprovalRequest>, StoreError>;

    /// The requests that an execution made, in all its runs.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn of_execution(&self, execution: &ExecutionArn) -> Result<Vec<ApprovalRequest>, StoreError>;

    /// The open requests that are due by then, the longest due first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn due(&self, by: Timestamp) -> Result<Vec<ApprovalRequest>, StoreError>;

    /// The request's audit trail, from the first record.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn trail(&self, id: &RequestId) -> Result<Vec<Record>, StoreError>;

    /// Records that a delivery came, and tells how far it was worked before.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn begin_delivery(&self, id: &DeliveryId, now: Timestamp) -> Result<DeliveryState, StoreError>;

    /// Marks a delivery as worked to the end.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn finish_delivery(&self, id: &DeliveryId, now: Timestamp) -> Result<(), StoreError>;

    /// Adds what a delivery told to what is known of the pull request ([`Observed::add`]).
    ///
    /// # Errors
    /// [`StoreError`].
    async fn observe(&self, pull_request: &PullRequestRef, observation: Observation) -> Result<(), StoreError>;

    /// All that deliveries told of the pull request.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn observed(&self, pull_request: &PullRequestRef) -> Result<Observed, StoreError>;

    /// Remembers whose request for changes ended a request. The same person's on the same pull request stands once.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn remember_veto(&self, target: &Target, revision: &Revision, veto: Veto) -> Result<(), StoreError>;

    /// What was remembered of a target and revision, in the order of time.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn vetoes(&self, target: &Target, revision: &Revision) -> Result<Vec<Veto>, StoreError>;

    /// What is kept of a pull request's page; the default of it where nothing is.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn published(&self, pull_request: &PullRequestRef) -> Result<Published, StoreError>;

    /// Keeps it if the stored version is the one before its own (none for version 1), and says whether it was.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn save_published(&self, pull_request: &PullRequestRef, published: &Published) -> Result<bool, StoreError>;

    /// The pull requests whose pages are due by then, the longest due first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn publications_due(&self, by: Timestamp) -> Result<Vec<PullRequestRef>, StoreError>;
}

/// Which requests are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those that still wait or are being settled.
    Open,
    /// All.
    All,
}

/// The store gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the store did not answer: {detail}")]
pub struct StoreError {
    /// What it said.
    pub detail: String,
}

/// A write that did not happen.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Another came first.
    #[error("the request was changed by another in the meantime")]
    Conflict {
        /// What is stored; none: nothing is.
        stored: Option<Box<ApprovalRequest>>,
    },
    /// The store gave no answer.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

/// What a channel is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The request it is about. With the event and its number a receiver can drop a repetition.
    pub request_id: RequestId,
    /// What is to be deployed, and where.
    pub target: Target,
    /// Where it is reviewed; none where the rule asks for nobody.
    pub pull_request: Option<PullRequestRef>,
    /// The commit.
    pub revision: Option<Revision>,
    /// What happened.
    pub event: Event,
    /// Which of the rule's reminders or escalations, from 1; none for what comes once.
    pub number: Option<usize>,
    /// One line, under 100 characters.
    pub subject: String,
    /// For people.
    pub text: String,
    /// For programs; none where nothing was decided yet.
    pub decision: Option<Decision>,
}

/// How channels are told.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Tells one channel.
    ///
    /// # Errors
    /// [`NotifyError`].
    async fn notify(&self, channel: &ChannelName, message: &Message) -> Result<(), NotifyError>;
}

/// A channel that was not told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the channel `{channel}` could not be told: {detail}")]
pub struct NotifyError {
    /// Which.
    pub channel: ChannelName,
    /// What was said.
    pub detail: String,
}
