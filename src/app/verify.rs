//! Verify: at the time of use everything is read and decided once more, under the pinned policy and the present one.

use super::failure::Failure;
use super::settle::{facts_of, remember_vetoes};
use super::{App, ExecutionRef};
use crate::approval::decision::{Decision, Reason, ReasonCode, Verdict};
use crate::approval::record::{Entry, RecordKind};
use crate::approval::request::{ApprovalRequest, End, State};
use crate::approval::{decide, decide_under};
use crate::ident::RequestId;
use crate::ports::{Write, WriteError};

/// How often a record that lost to another write is tried again.
const TRIES: usize = 5;

/// What an execution that may go on is given.
#[derive(Debug, Clone, PartialEq)]
pub struct Release {
    /// The request that was released.
    pub request_id: RequestId,
    /// Approved; or `wait`, with `until` when to verify again.
    pub decision: Decision,
}

/// Decides on release.
///
/// # Errors
/// [`Failure::Ended`] where either policy refuses now; [`Failure::Unavailable`] where that could not be found out.
pub async fn verify(app: &App, execution: &ExecutionRef) -> Result<Release, Failure> {
    let id = execution.request_id();
    let request = app.store.request(&id).await?;
    let request = request.ok_or_else(|| Failure::unavailable(format!("there is no request {id} to release")))?;
    if let Some((end, decision)) = not_approved(&request) {
        return Err(Failure::Ended { end, decision });
    }
    let facts = facts_of(app, &request).await?;

    let pinned = decide_under(&request.rule.rule(), &request.policy_digest, &facts);
    let present = decide(&app.policy, &facts);
    let (decision, refused) = weigh(pinned, present);

    if decision.verdict == Verdict::Rejected {
        remember_vetoes(app, &request.subject, &decision, &facts).await?;
    }
    let kind = if refused.is_some() { RecordKind::Withheld } else { RecordKind::Released };
    let entry = Entry { kind, at: facts.now, decision: Some(decision.clone()), facts: Some(facts) };
    record(app, request, entry).await?;
    match refused {
        Some(end) => Err(Failure::Ended { end, decision: Some(Box::new(decision)) }),
        None => Ok(Release { request_id: id, decision }),
    }
}

/// Why a request is not one that could be released. One that is still being settled as approved is: the execution goes
/// on as soon as it is told, and may be here before the request is closed.
fn not_approved(request: &ApprovalRequest) -> Option<(End, Option<Box<Decision>>)> {
    match &request.state {
        State::Settling(settling) if settling.end == End::Approved => None,
        State::Closed(closed) if closed.end == End::Approved => None,
        State::Settling(settling) => Some((settling.end, Some(settling.decision.clone()))),
        State::Closed(closed) => Some((closed.end, closed.decision.clone())),
        State::Pending => Some((End::Canceled, None)),
    }
}

/// The decision of the two that counts, and what it refuses as. The pinned policy speaks first.
fn weigh(pinned: Decision, present: Decision) -> (Decision, Option<End>) {
    let passes = |decision: &Decision| matches!(decision.verdict, Verdict::Approved | Verdict::Wait);
    if !passes(&pinned) {
        return refusal(pinned);
    }
    if !passes(&present) {
        let mut denied = present;
        denied.verdict = Verdict::Denied;
        let text = format!("approved under the policy it was asked under; the present policy says: {}", denied.summary);
        denied.reasons.insert(0, Reason { code: ReasonCode::PolicyChanged, text: text.clone(), source: None });
        denied.summary = text;
        return (denied, Some(End::Denied));
    }
    let waits = present.verdict == Verdict::Wait && present.until >= pinned.until;
    (if waits { present } else { pinned }, None)
}

/// What is no longer approved ends: it does not go back to waiting.
fn refusal(mut decision: Decision) -> (Decision, Option<End>) {
    let end = match decision.verdict {
        Verdict::Pending | Verdict::Blocked => {
            let text = format!("what was approved is approved no longer: {}", decision.summary);
            decision.verdict = Verdict::Rejected;
            decision
                .reasons
                .insert(0, Reason { code: ReasonCode::ApprovalWithdrawn, text: text.clone(), source: None });
            decision.summary = text;
            End::Rejected
        }
        Verdict::Rejected => End::Rejected,
        Verdict::Expired => End::Expired,
        Verdict::Superseded => End::Superseded,
        Verdict::Approved | Verdict::Wait | Verdict::Denied => End::Denied,
    };
    (decision, Some(end))
}

/// Puts the outcome into the request's trail: without that, nothing is released.
async fn record(app: &App, request: ApprovalRequest, entry: Entry) -> Result<(), Failure> {
    let mut current = request;
    for _ in 0..TRIES {
        match app.store.write(Write::new(current.noted(), entry.clone())).await {
            Ok(()) => return Ok(()),
            Err(WriteError::Conflict { stored: Some(stored) }) => current = *stored,
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::unavailable(format!("the request {} changes too fast to be recorded", current.id)))
}
