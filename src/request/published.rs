//! What a pull request shows of its requests: checks, a comment, who is asked for review, deployments; and what is kept
//! of it, so that nothing is sent twice. Values only: words nothing, sends nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::record::RecordKind;
use super::{ApprovalRequest, End, State};
use crate::approval::decision::Decision;
use crate::ident::{EnvironmentName, IdentError, Login, RequestId, Revision, ServiceName, TeamSlug, serde_as_text};

/// For how long whoever writes a page keeps others from it.
pub const LEASE_SECONDS: i64 = 60;
/// How often a page with requests that are not over is looked at again, even where nobody said that it changed.
pub const REPUBLISH_SECONDS: i64 = 10 * 60;
/// How many requests that are over a page keeps.
pub const ENDED_KEPT: usize = 10;

/// How the name of every check begins.
pub const CHECK_PREFIX: &str = "countersign / ";

/// A button on a check. GitHub takes 20, 40 and 20 characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Button {
    /// What stands on it.
    pub label: &'static str,
    /// What it does.
    pub description: &'static str,
    /// What is told when it is pressed.
    pub identifier: &'static str,
}

/// Has the facts of a request read again.
pub const REEVALUATE: Button =
    Button { label: "Re-evaluate", description: "Read the pull request again", identifier: "re-evaluate" };

/// How far a request is, as people are published it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It is stored, and nothing could be decided yet.
    Unread,
    /// It waits for people.
    Waiting,
    /// The people's part is done.
    Approved,
    /// The people's part is done, and the release waits.
    Held,
    /// The execution was let go on.
    Released,
    /// It ended otherwise.
    Ended(End),
    /// It was only recorded: the execution went on whatever was decided.
    Audited,
}

impl Stage {
    /// Of a request, by what the last check before release came to, if there was one, and by what is decided now.
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
    /// The commit it stands on.
    pub head: Revision,
    /// The request it tells of.
    pub request: RequestId,
    /// How far it is.
    pub status: CheckStatus,
    /// When people were asked, or the request was stored.
    pub started_at: Timestamp,
    /// One line of plain text.
    pub title: String,
    /// Markdown.
    pub summary: String,
    /// Markdown.
    pub text: String,
    /// Whether people can ask for the facts to be read again.
    pub can_reevaluate: bool,
}

/// How far a check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// Not looked at yet.
    Queued,
    /// It waits.
    InProgress,
    /// It is over.
    Completed(Conclusion),
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Conclusion {
    /// Approved.
    Success,
    /// Refused.
    Failure,
    /// Only recorded.
    Neutral,
    /// Nobody waits for it any more.
    Cancelled,
    /// The deadline came.
    TimedOut,
}

impl Conclusion {
    /// As code hosts write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Neutral => "neutral",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed_out",
        }
    }
}

/// A deployment that a request is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deployment {
    /// The request it is of.
    pub request: RequestId,
    /// What is deployed.
    pub service: ServiceName,
    /// Where.
    pub environment: EnvironmentName,
    /// The commit.
    pub revision: Revision,
    /// Whether users meet it there.
    pub production: bool,
    /// At most 140 characters.
    pub description: String,
}

/// How far a deployment is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeploymentStatus {
    /// In the code host's words.
    pub state: DeploymentState,
    /// At most 140 characters.
    pub description: String,
}

/// The states of a deployment that a gate can speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeploymentState {
    /// People are waited for.
    Pending,
    /// Approved, and the release waits.
    Queued,
    /// Approved, and about to be checked for the last time.
    InProgress,
    /// Released.
    Success,
    /// Refused, or the deadline came.
    Failure,
    /// Nobody wants it any more.
    Inactive,
}

impl DeploymentState {
    /// As code hosts write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Queued => "queued",
            Self::InProgress => "in_progress",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Inactive => "inactive",
        }
    }
}

/// Somebody who can be asked for a review. As text a login, or `org/slug`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reviewer {
    /// A person.
    Person(Login),
    /// A team.
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

/// What is kept of one pull request's page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Published {
    /// Grows by one with every write; a write follows the version before. 0: nothing is stored.
    pub version: u64,
    /// Until when somebody writes the page.
    pub lease: Option<Timestamp>,
    /// Whether something changed while somebody wrote.
    pub again: bool,
    /// When the sweep should look at it, if ever.
    pub due_at: Option<Timestamp>,
    /// Whether everybody may see the repository, as last known.
    pub public: Option<bool>,
    /// The comment.
    pub comment: Option<Placed>,
    /// Checks by [`check_key`].
    pub checks: BTreeMap<String, Placed>,
    /// The requests that it tells of.
    pub requests: BTreeMap<RequestId, PublishedRequest>,
    /// Who was asked for a review, on which head last.
    pub asked: BTreeMap<Reviewer, Revision>,
}

/// Something that was put on a page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Placed {
    /// Its id; none where it is not there, or that is not known.
    pub id: Option<u64>,
    /// Of what was put there last.
    pub digest: String,
    /// It was begun to put it there, and not heard whether that was done.
    pub begun: bool,
}

/// What is kept of a request on a page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PublishedRequest {
    /// Which version of the request was published last; 0 for none.
    pub version: u64,
    /// The commit that its check stands on.
    pub head: Option<Revision>,
    /// Nothing can follow.
    pub last: bool,
    /// Its deployment.
    pub deployment: Option<Placed>,
    /// The state that the deployment was given last.
    pub state: Option<DeploymentState>,
}

/// What a check is kept under.
#[must_use]
pub fn check_key(name: &str, head: &Revision) -> String {
    format!("{head} {name}")
}

impl Published {
    /// Whether somebody writes the page now.
    #[must_use]
    pub fn is_held(&self, now: Timestamp) -> bool {
        self.lease.is_some_and(|until| now < until)
    }

    /// Has the sweep look at it within so many seconds.
    pub fn due_within(&mut self, now: Timestamp, seconds: i64) {
        let at = now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX);
        self.due_at = Some(self.due_at.map_or(at, |due| due.min(at)));
    }

    /// Drops all but the last few requests that are over, and the checks of those that are gone. `order` has the requests
    /// in the order of time.
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

    /// Takes over what another has written meanwhile: requests to tell of, and that something changed.
    pub fn join(&mut self, stored: &Self) {
        self.version = stored.version;
        self.again |= stored.again;
        for (id, request) in &stored.requests {
            self.requests.entry(id.clone()).or_insert_with(|| request.clone());
        }
        self.due_at = [self.due_at, stored.due_at].into_iter().flatten().min();
    }
}
