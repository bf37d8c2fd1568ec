//! What a pull request shows of its requests: a check for each target, one comment, review requests and deployments.
//!
//! Pure. If everybody may read the pull request (`public`), those who could approve are shown by group or team.

mod check;
mod comment;
mod deployment;
mod markdown;
mod people;
mod sheet;

use jiff::Timestamp;

pub use check::{check, check_name};
pub use comment::{MARKER, comment};
pub use deployment::{deployment, deployment_comment, deployment_status};
pub use people::reviewers;

use crate::approval::decision::{Decision, Verdict};
use crate::ident::Revision;
use crate::request::published::Stage;
use crate::request::{ApprovalRequest, Callback, End};

/// A request with its decision.
#[derive(Debug, Clone)]
pub struct RequestStatus {
    pub request: ApprovalRequest,
    /// The decision now, or the last one. `None` if nothing could be decided yet.
    pub decision: Option<Decision>,
    pub stage: Stage,
}

impl RequestStatus {
    /// The commit that its check stands on: the head for which approval was requested.
    #[must_use]
    pub fn head(&self) -> Option<&Revision> {
        use crate::approval::decision::ReasonCode::HeadChanged;
        let moved = |decision: &Decision| decision.reasons.iter().any(|reason| reason.code == HeadChanged);
        let decision = self.decision.as_ref().filter(|decision| !moved(decision));
        decision.and_then(|decision| decision.head.as_ref()).or(self.request.subject.revision.as_ref())
    }

    fn headline(&self) -> &'static str {
        let verdict = self.decision.as_ref().map(|decision| decision.verdict);
        let late = self.request.closed().is_some_and(|closed| closed.callback == Callback::TokenOver);
        match self.stage {
            Stage::Unread => "not evaluated yet",
            Stage::Waiting if verdict == Some(Verdict::Blocked) => "on hold: changes requested",
            Stage::Waiting => "waits for approval",
            Stage::Approved => "approved",
            Stage::Held => "approved, and not released yet",
            Stage::Released => "released",
            Stage::Audited => "recorded only (audit mode)",
            Stage::Ended(End::Expired) if late => "expired: the decision came too late",
            Stage::Ended(End::Canceled) if late => "canceled: the decision came too late",
            Stage::Ended(End::Approved) => "approved",
            Stage::Ended(End::Rejected) => "rejected",
            Stage::Ended(End::Expired) => "expired",
            Stage::Ended(End::Superseded) => "superseded",
            Stage::Ended(End::Denied) => "denied",
            Stage::Ended(End::Canceled) => "canceled",
        }
    }

    /// The decision in one line.
    fn summary(&self) -> &str {
        match (&self.decision, self.stage) {
            (_, Stage::Ended(End::Canceled)) => "the execution that requested it has ended",
            (Some(decision), _) => &decision.summary,
            (None, Stage::Unread) => "the pull request has not been read yet",
            (None, _) => "it ended before anything was decided",
        }
    }

    /// Whether it waits for people, or could not be decided yet.
    const fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Unread | Stage::Waiting)
    }

    /// Whether only an approval that names the target counts.
    fn must_be_named(&self) -> bool {
        self.request.rule.rule().explicit()
    }

    /// When the gate evaluates an approved request again, if its release is held.
    fn held_until(&self) -> Option<Timestamp> {
        self.decision.as_ref().and_then(|decision| decision.until).filter(|_| self.stage == Stage::Held)
    }
}

/// A time for people. Never relative: a published text does not change as time passes.
#[must_use]
pub fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
