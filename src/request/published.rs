//! What is published on a pull request (checks, a comment, review requests, deployments), and the record that is kept of
//! it, so that nothing is sent twice. Values only.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::record::RecordKind;
use super::{ApprovalRequest, End, State};
use crate::approval::decision::Decision;
use crate::ident::{EnvironmentName, IdentError, Login, RequestId, Revision, ServiceName, TeamSlug, serde_as_text};
use crate::policy::words::vocabulary;

/// For how long the process that writes to a pull request excludes others.
pub const LEASE_SECONDS: i64 = 60;
/// How often a pull request with open requests is published again, even if nothing is known to have changed.
pub const REPUBLISH_SECONDS: i64 = 10 * 60;
/// How many requests that are over the record keeps.
pub const ENDED_KEPT: usize = 10;

/// How the name of every check begins.
pub const CHECK_PREFIX: &str = "countersign / ";

/// A button on a check. GitHub accepts 20, 40 and 20 characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Button {
    pub label: &'static str,
    pub description: &'static str,
    /// What the webhook gets when the button is pressed.
    pub identifier: &'static str,
}

/// Makes the gate read the facts of a request again.
pub const REEVALUATE: Button =
    Button { label: "Re-evaluate", description: "Read the pull request again", identifier: "re-evaluate" };

/// How far a request is, as it is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Stored, but nothing could be decided yet.
    Unread,
    /// Waits for people.
    Waiting,
    /// People have approved; the check before release is still to come.
    Approved,
    /// People have approved, and the release is held.
    Held,
    /// The execution was resumed.
    Released,
    /// Ended otherwise.
    Ended(End),
    /// Only recorded: the execution continued whatever was decided.
    Audited,
}

impl Stage {
    /// Derives the stage from the result of the last check before release, if there was one, and the decision now.
    #[must_use]
    pub fn of(request: &ApprovalRequest, release: Option<RecordKind>, decision: Option<&Decision>) -> Self {
        let end = match &request.state {
            State::Pending => return if decision.is_some() { Self::Waiting } else { Self::Unread },
            State::Settling(settling) => settling.end,
            State::Closed(_) if request.is_audited() => return Self::Audited,
            State::Closed(closed) => closed.end,
        };
        match (end, release) {
            (End::Approved, Some(RecordKind::Released)) => Self::Released,
            (End::Approved, Some(RecordKind::Held)) => Self::Held,
            (End::Approved, Some(RecordKind::Withheld)) => {
                Self::Ended(decision.and_then(|decision| End::of(decision.verdict)).unwrap_or(End::Denied))
            }
            (End::Approved, _) => Self::Approved,
            (End::Rejected | End::Expired | End::Superseded | End::Denied | End::Canceled, _) => Self::Ended(end),
        }
    }

    /// Whether nothing can follow.
    #[must_use]
    pub const fn is_last(self) -> bool {
        match self {
            Self::Unread | Self::Waiting | Self::Approved | Self::Held => false,
            Self::Released | Self::Ended(_) | Self::Audited => true,
        }
    }
}

/// A check on a commit: one for each target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// `countersign / <service> / <environment>`.
    pub name: String,
    pub head: Revision,
    /// The request that it reports.
    pub request: RequestId,
    pub status: CheckStatus,
    /// When approval was requested, or the request was stored.
    pub started_at: Timestamp,
    /// One line of plain text.
    pub title: String,
    /// Markdown.
    pub summary: String,
    /// Markdown.
    pub text: String,
    /// Whether it has the button [`REEVALUATE`].
    pub can_reevaluate: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    Queued,
    InProgress,
    Completed(Conclusion),
}

vocabulary! {
    Conclusion {
        Success = "success",
        Failure = "failure",
        /// Recorded only.
        Neutral = "neutral",
        /// Superseded or canceled.
        Cancelled = "cancelled",
        TimedOut = "timed_out",
    }
}

/// A deployment that a request is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deployment {
    pub request: RequestId,
    pub service: ServiceName,
    pub environment: EnvironmentName,
    pub revision: Revision,
    /// Whether users meet this environment.
    pub production: bool,
    /// At most 140 characters.
    pub description: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeploymentStatus {
    pub state: DeploymentState,
    /// At most 140 characters.
    pub description: String,
}

vocabulary! {
    /// The states of a deployment that a gate can know.
    DeploymentState {
        /// Waits for people.
        Pending = "pending",
        /// Approved, and the release is held.
        Queued = "queued",
        /// Approved, and about to be checked for the last time.
        InProgress = "in_progress",
        Success = "success",
        /// Rejected, denied or expired.
        Failure = "failure",
        /// Superseded or canceled.
        Inactive = "inactive",
    }
}

/// Whose review can be requested. As text: a login, or `org/slug`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reviewer {
    Person(Login),
    Team(TeamSlug),
}

impl fmt::Display for Reviewer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(login) => login.fmt(f),
            Self::Team(team) => team.fmt(f),
        }
    }
}

impl FromStr for Reviewer {
    type Err = IdentError;
    fn from_str(text: &str) -> Result<Self, IdentError> {
        // No login holds a slash, and every team does.
        if text.contains('/') { TeamSlug::new(text).map(Self::Team) } else { Login::new(text).map(Self::Person) }
    }
}

serde_as_text!(Reviewer);

/// The record of what is published on one pull request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Published {
    /// Grows by one with every write. A write succeeds only on the version before it. 0 if nothing is stored.
    pub version: u64,
    /// Until when one process excludes others.
    pub lease: Option<Timestamp>,
    /// Whether something changed under the lease, so that its holder should look again.
    pub again: bool,
    /// When the sweep should publish, if ever.
    pub due_at: Option<Timestamp>,
    /// Whether everybody may see the repository, as last known.
    pub public: Option<bool>,
    pub comment: Option<Placed>,
    /// Checks by [`check_key`].
    pub checks: BTreeMap<String, Placed>,
    pub requests: BTreeMap<RequestId, PublishedRequest>,
    /// The reviewers that were requested, each with the last head that this was for.
    #[serde(rename = "asked")]
    pub requested: BTreeMap<Reviewer, Revision>,
}

/// Something that was published.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Placed {
    /// `None` if it does not exist, or its id is not known.
    pub id: Option<u64>,
    /// The digest of its last content.
    pub digest: String,
    /// Whether its creation was begun and the answer is not known.
    pub begun: bool,
}

/// The record of what is published of one request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PublishedRequest {
    /// The version of the request that was published last, or 0.
    pub version: u64,
    /// The commit that its check stands on.
    pub head: Option<Revision>,
    /// Whether nothing can follow.
    pub last: bool,
    pub deployment: Option<Placed>,
    /// The state that the deployment was given last.
    pub state: Option<DeploymentState>,
}

/// The key of a check in [`Published::checks`]. Its name, which holds those of the target, is in lower case.
#[must_use]
pub fn check_key(name: &str, head: &Revision) -> String {
    format!("{head} {}", name.to_ascii_lowercase())
}

impl Published {
    /// Whether a process holds the lease.
    #[must_use]
    pub fn is_leased(&self, now: Timestamp) -> bool {
        self.lease.is_some_and(|until| now < until)
    }

    /// Makes the sweep publish within so many seconds.
    pub fn due_within(&mut self, now: Timestamp, seconds: i64) {
        let at = now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX);
        self.due_at = Some(self.due_at.map_or(at, |due| due.min(at)));
    }

    /// Drops all but the last [`ENDED_KEPT`] requests that are over, and the checks that then belong to no request. `order`
    /// has the requests in the order of time.
    pub fn forget_old(&mut self, order: &[RequestId]) {
        let over: Vec<&RequestId> =
            order.iter().filter(|id| self.requests.get(id).is_some_and(|request| request.last)).collect();
        let surplus = over.len().saturating_sub(ENDED_KEPT);
        for id in over.into_iter().take(surplus) {
            self.requests.remove(id);
        }
        let heads: BTreeSet<&str> =
            self.requests.values().filter_map(|request| request.head.as_ref()).map(Revision::as_str).collect();
        self.checks.retain(|key, _| key.split_once(' ').is_some_and(|(head, _)| heads.contains(head)));
    }

    /// Adds what another process has written meanwhile: requests to publish, the due date, and whether something changed.
    pub fn merge(&mut self, stored: &Self) {
        self.version = stored.version;
        self.again |= stored.again;
        for (id, request) in &stored.requests {
            self.requests.entry(id.clone()).or_insert_with(|| request.clone());
        }
        self.due_at = [self.due_at, stored.due_at].into_iter().flatten().min();
    }
}
