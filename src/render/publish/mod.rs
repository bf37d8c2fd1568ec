//! What a pull request shows of its requests: a check for each target, one comment, whom to ask for review, deployments.
//!
//! Pure: a request, what is decided of it, and the others of its pull request, to values. Who could approve is shown by
//! group or team where everybody may read the page. Knows nothing of how a page is written.

mod asking;
mod check;
mod comment;
mod deployment;
mod markdown;
mod people;
mod sheet;

use jiff::Timestamp;

pub use asking::reviewers;
pub use check::{check, check_name};
pub use comment::{MARKER, comment};
pub use deployment::{deployment, deployment_status};

use crate::approval::decision::{Decision, Verdict};
use crate::ident::Revision;
use crate::request::published::Stage;
use crate::request::{ApprovalRequest, Callback, End};

/// A request with what is decided of it.
#[derive(Debug, Clone, Copy)]
pub struct RequestStatus<'a> {
    /// The request.
    pub request: &'a ApprovalRequest,
    /// What is decided of it now, or was last; none where nothing could be yet.
    pub decision: Option<&'a Decision>,
    /// How far it is.
    pub stage: Stage,
}

/// A request among the others of its pull request.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// It.
    pub card: RequestStatus<'a>,
    /// All of the pull request.
    pub all: &'a [RequestStatus<'a>],
    /// Whether everybody may read the page.
    pub public: bool,
}

impl RequestStatus<'_> {
    /// The commit that its check stands on: the head that people were asked for.
    #[must_use]
    pub fn head(&self) -> Option<&Revision> {
        use crate::approval::decision::ReasonCode::HeadChanged;
        let moved = self.decision.is_some_and(|d| d.reasons.iter().any(|reason| reason.code == HeadChanged));
        let head = self.decision.and_then(|decision| decision.head.as_ref()).filter(|_| !moved);
        head.or(self.request.subject.revision.as_ref())
    }

    /// How far it is, in a few words.
    fn headline(&self) -> &'static str {
        let verdict = self.decision.map(|decision| decision.verdict);
        let late = self.request.closed().is_some_and(|closed| closed.callback == Callback::TokenOver);
        match self.stage {
            Stage::Unread => "being looked at",
            Stage::Waiting if verdict == Some(Verdict::Blocked) => "on hold: changes requested",
            Stage::Waiting => "waits for approval",
            Stage::Approved => "approved",
            Stage::Held => "approved, and not released yet",
            Stage::Released => "released",
            Stage::Audited => "recorded only (audit mode)",
            Stage::Ended(End::Expired) if late => "expired: what was decided came too late",
            Stage::Ended(End::Canceled) if late => "canceled: what was decided came too late",
            Stage::Ended(End::Approved) => "approved",
            Stage::Ended(End::Rejected) => "rejected",
            Stage::Ended(End::Expired) => "expired",
            Stage::Ended(End::Superseded) => "superseded",
            Stage::Ended(End::Denied) => "denied",
            Stage::Ended(End::Canceled) => "canceled",
        }
    }

    /// What is decided, in one line.
    fn summary(&self) -> &str {
        match (self.decision, self.stage) {
            (_, Stage::Ended(End::Canceled)) => "the execution that asked for it is over",
            (Some(decision), _) => &decision.summary,
            (None, Stage::Unread) => "the pull request has not been read yet",
            (None, _) => "it ended before anything was decided",
        }
    }

    /// Whether people are waited for, or nobody knows yet.
    const fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Unread | Stage::Waiting)
    }

    /// Whether only an approval that names the target counts.
    fn must_be_named(&self) -> bool {
        self.request.rule.rule().explicit()
    }
}

/// An instant as it is shown: never relative to a now that passes.
fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
