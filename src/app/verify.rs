//! Verify: at the time of use everything is read and decided once more, under the pinned policy and the present one.

use super::failure::Failure;
use super::gather::{facts_of, facts_under};
use super::rewrite::rewrite;
use super::vetoes::remember_vetoes;
use super::{App, ExecutionRef, notify, publish};
use crate::approval::decision::{Decision, Reason, ReasonCode, Verdict};
use crate::approval::facts::Facts;
use crate::approval::{decide, decide_under};
use crate::ident::RequestId;
use crate::request::record::{Entry, RecordKind};
use crate::request::{ApprovalRequest, End, State};

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
    let request = newest_request(app, execution).await?;
    if let Some((end, decision)) = not_approved(&request) {
        return Err(Failure::Ended { end, decision });
    }
    let request = notify::notify_approval(app, request).await;
    let app = &app.reading_once();
    let pinned = decided(app, &request, Under::Pinned).await?;
    // Each policy is asked on the facts that it needs: its own teams, and the vetoes of those who have a say under it.
    let present = match app.policy.digest() == &request.policy_digest {
        true => None,
        false => Some(decided(app, &request, Under::Present).await?),
    };

    let (pinned, facts) = pinned;
    let (decision, refused, facts) = match present {
        Some((present, present_facts)) if passes(&pinned) => weigh((pinned, facts), (present, present_facts)),
        Some(_) | None => refusal(pinned, facts),
    };

    if refused.is_some() {
        remember_vetoes(app, &decision, &facts).await?;
    }
    let kind = match refused {
        Some(_) => RecordKind::Withheld,
        None if decision.verdict == Verdict::Wait => RecordKind::Held,
        None => RecordKind::Released,
    };
    let at = facts.now;
    let recorded = rewrite(app, &request, |current| {
        let entry = Entry { kind, at, decision: Some(decision.clone()), facts: Some(facts.clone()) };
        let next = if kind == RecordKind::Held { current.held(at) } else { current.not_held(at) };
        Some((next, entry))
    });
    // Without the record nothing is released.
    let request = recorded.await?.unwrap_or(request);
    if let Some(end) = refused {
        notify::notify(app, &request, end.event(), Some(&decision)).await;
    } else {
        // One that the request was settled by is told with its end.
        let settled_by_it = request.decision().is_some_and(|settled| settled.overridden.is_some());
        if decision.overridden.is_some() && !settled_by_it {
            notify::notify_override(app, &request, &decision).await;
        }
    }
    publish::publish_request(app, &request).await;
    match refused {
        Some(end) => Err(Failure::Ended { end, decision: Some(Box::new(decision)) }),
        None => Ok(Release { request_id: request.id, decision }),
    }
}

/// The request of this run of the execution; where only the release is run again, that of the run before.
async fn newest_request(app: &App, execution: &ExecutionRef) -> Result<ApprovalRequest, Failure> {
    let requests = app.store.of_execution(&execution.arn).await?;
    let newest = requests.into_iter().filter(|request| request.redrive <= execution.redrive).max_by_key(|r| r.redrive);
    newest.ok_or_else(|| Failure::unavailable(format!("there is no request of {} to release", execution.arn)))
}

/// Which policy decides.
#[derive(Clone, Copy)]
enum Under {
    Pinned,
    Present,
}

async fn decided(app: &App, request: &ApprovalRequest, under: Under) -> Result<(Decision, Facts), Failure> {
    match under {
        Under::Pinned => {
            let facts = facts_of(app, request).await?;
            Ok((decide_under(&request.rule.rule(), &request.policy_digest, &facts), facts))
        }
        Under::Present => {
            let rule = app.policy.rule(&request.subject.target).ok();
            let facts = facts_under(app, rule.as_ref(), request).await?;
            Ok((decide(&app.policy, &facts), facts))
        }
    }
}

fn passes(decision: &Decision) -> bool {
    matches!(decision.verdict, Verdict::Approved | Verdict::Wait)
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

/// The decision of the two that counts, where the pinned policy passes, and what it refuses as. One that had to be
/// overridden is not to be lost behind one that had not.
fn weigh(pinned: (Decision, Facts), present: (Decision, Facts)) -> (Decision, Option<End>, Facts) {
    let (mut denied, facts) = present;
    if passes(&denied) {
        let waits = denied.verdict == Verdict::Wait && denied.until >= pinned.0.until;
        let waited_for = pinned.0.verdict == Verdict::Wait;
        let overridden = denied.overridden.is_some() && pinned.0.overridden.is_none() && !waited_for;
        return if waits || overridden { (denied, None, facts) } else { (pinned.0, None, pinned.1) };
    }
    denied.verdict = Verdict::Denied;
    let text = format!("approved under the policy it was asked under; the present policy says: {}", denied.summary);
    denied.reasons.insert(0, Reason { code: ReasonCode::PolicyChanged, text: text.clone(), source: None });
    denied.summary = text;
    (denied, Some(End::Denied), facts)
}

/// What is no longer approved ends: it does not go back to waiting.
fn refusal(mut decision: Decision, facts: Facts) -> (Decision, Option<End>, Facts) {
    let end = match decision.verdict {
        Verdict::Approved | Verdict::Wait => None,
        Verdict::Pending | Verdict::Blocked => {
            let text = format!("what was approved is approved no longer: {}", decision.summary);
            decision.verdict = Verdict::Rejected;
            let reason = Reason { code: ReasonCode::ApprovalWithdrawn, text: text.clone(), source: None };
            decision.reasons.insert(0, reason);
            decision.summary = text;
            Some(End::Rejected)
        }
        Verdict::Rejected => Some(End::Rejected),
        Verdict::Expired => Some(End::Expired),
        Verdict::Superseded => Some(End::Superseded),
        Verdict::Denied => Some(End::Denied),
    };
    (decision, end, facts)
}
