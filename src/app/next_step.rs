//! The step of the state machine that follows a decision: the same for the local gate and for Step Functions.

use jiff::Timestamp;

use super::{Evaluated, Failure, Pinned, Release};
use crate::approval::decision::{Decision, Verdict};
use crate::render::answer;
use crate::request::End;

/// What an execution does next.
#[derive(Debug)]
pub enum NextStep {
    /// Verify, and release what is still approved.
    Verify,
    /// Store a request for what is pinned, and wait for people for so long.
    RequestApproval {
        timeout_seconds: u64,
        pinned: Pinned,
    },
    /// Take the same step again at this time.
    WaitUntil(Timestamp),
    /// The execution succeeds with this JSON. The rule is in audit mode: nobody approved.
    Audited {
        output: String,
    },
    /// The execution succeeds with this JSON.
    Release {
        output: String,
    },
    Fail(Failure),
}

impl NextStep {
    /// The step after Evaluate.
    ///
    /// # Errors
    /// [`Failure::Unavailable`] if a wait has no end.
    pub fn after_evaluation(evaluated: Evaluated) -> Result<Self, Failure> {
        let Evaluated { decision, pinned, audited } = evaluated;
        if let Some(request_id) = audited {
            return Ok(Self::Audited { output: answer::audited(&request_id, &decision) });
        }
        Ok(match decision.verdict {
            Verdict::Approved => Self::Verify,
            Verdict::Pending | Verdict::Blocked => {
                // Without a number, nothing would limit the wait.
                Self::RequestApproval { timeout_seconds: decision.timeout_seconds.unwrap_or_default().max(1), pinned }
            }
            Verdict::Wait => Self::WaitUntil(end_of_wait(&decision)?),
            Verdict::Rejected | Verdict::Expired | Verdict::Superseded | Verdict::Denied => {
                let end = End::of(decision.verdict).unwrap_or(End::Denied);
                Self::Fail(Failure::Ended { end, decision: Some(Box::new(decision)) })
            }
        })
    }

    /// The step after Verify. A refusal is a step; every other failure is an error.
    ///
    /// # Errors
    /// The failure of Verify, and [`Failure::Unavailable`] if a release is neither approved nor has to wait.
    pub fn after_verification(verified: Result<Release, Failure>) -> Result<Self, Failure> {
        let Release { request_id, decision } = match verified {
            Ok(release) => release,
            Err(failure @ (Failure::Ended { .. } | Failure::OtherSubject { .. })) => return Ok(Self::Fail(failure)),
            Err(failure) => return Err(failure),
        };
        match decision.verdict {
            Verdict::Approved => Ok(Self::Release { output: answer::decided(&request_id, &decision) }),
            Verdict::Wait => Ok(Self::WaitUntil(end_of_wait(&decision)?)),
            // Verify returns none of these. If it did, nothing would be released.
            Verdict::Pending
            | Verdict::Blocked
            | Verdict::Rejected
            | Verdict::Expired
            | Verdict::Superseded
            | Verdict::Denied => Err(Failure::unavailable("the release was neither approved nor refused")),
        }
    }
}

fn end_of_wait(decision: &Decision) -> Result<Timestamp, Failure> {
    decision.until.ok_or_else(|| Failure::unavailable("the decision is to wait, but does not say until when"))
}
