//! Verify: right before the release, reads everything and decides again, under the pinned policy and the present one.

use jiff::{SignedDuration, Timestamp};

use super::failure::Failure;
use super::gather::{facts_of, facts_under};
use super::rewrite::rewrite;
use super::vetoes::remember_vetoes;
use super::{App, ExecutionRef, notify, publish};
use crate::approval::decision::{Decision, NextAction, NextActionKind, Reason, ReasonCode, Verdict};
use crate::approval::facts::Facts;
use crate::approval::{decide, decide_under};
use crate::ident::RequestId;
use crate::render::publish::instant;
use crate::request::record::{Entry, RecordKind};
use crate::request::{ApprovalRequest, End, State};

/// The last check passed.
#[derive(Debug, Clone, PartialEq)]
pub struct Release {
    pub request_id: RequestId,
    /// `approved`: release now. `wait`: verify again at `until`.
    pub decision: Decision,
}

/// Decides whether an execution's request is released.
///
/// # Errors
/// [`Failure::Ended`] if either policy refuses now; [`Failure::Unavailable`] if that could not be found out.
pub async fn verify(app: &App, execution: &ExecutionRef) -> Result<Release, Failure> {
    let request = newest_request(app, execution).await?;
    if let Some((end, decision)) = not_approved(&request) {
        return Err(Failure::Ended { end, decision });
    }
    let request = notify::notify_approval(app, request).await;
    let app = &app.reading_once();
    let Check { decision, facts, refused_as } = match check(app, &request).await {
        Ok(check) => check,
        Err(Failure::Limited { detail, until }) => return wait_for_limit(app, &request, &detail, until).await,
        Err(failure) => return Err(failure),
    };

    if refused_as.is_some() {
        remember_vetoes(app, &decision, &facts).await?;
    }
    let kind = match refused_as {
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
    if let Some(end) = refused_as {
        notify::notify(app, &request, end.event(), Some(&decision)).await;
    } else {
        // The override that settled the request was notified with its end.
        let settled_by_it = request.decision().is_some_and(|settled| settled.overridden.is_some());
        if decision.overridden.is_some() && !settled_by_it {
            notify::notify_override(app, &request, &decision).await;
        }
    }
    publish::publish_request(app, &request).await;
    match refused_as {
        Some(end) => Err(Failure::Ended { end, decision: Some(Box::new(decision)) }),
        None => Ok(Release { request_id: request.id, decision }),
    }
}

/// Verifies again when the code host answers again. The record has no facts: none were read.
async fn wait_for_limit(
    app: &App,
    request: &ApprovalRequest,
    detail: &str,
    until: Timestamp,
) -> Result<Release, Failure> {
    let at = app.clock.now();
    // The host's clock may be behind ours. Asking again at once would only prolong the limit.
    let until = until.max(at.saturating_add(SignedDuration::from_secs(5)).unwrap_or(at));
    let settled = request.decision().ok_or_else(|| Failure::unavailable(detail))?;
    let text =
        format!("approved, and not checked again yet: GitHub's limit on calls is reached until {}", instant(until));
    let decision = Decision {
        verdict: Verdict::Wait,
        summary: text.clone(),
        reasons: vec![Reason { code: ReasonCode::RateLimited, text, source: None }],
        until: Some(until),
        evaluated_at: at,
        next_action: Some(NextAction { kind: NextActionKind::Evaluate, at: until }),
        notify: None,
        ..settled.clone()
    };
    tracing::warn!(request.id = %request.id, reason = detail, %until, "a release waits for the end of a rate limit");
    let recorded = rewrite(app, request, |current| {
        let entry = Entry { kind: RecordKind::Held, at, decision: Some(decision.clone()), facts: None };
        Some((current.held(at), entry))
    });
    recorded.await?;
    Ok(Release { request_id: request.id.clone(), decision })
}

/// The request of this run of the execution. A redrive from Verify makes none, and releases that of the run before.
async fn newest_request(app: &App, execution: &ExecutionRef) -> Result<ApprovalRequest, Failure> {
    let requests = app.store.of_execution(&execution.arn, execution.started_at).await?;
    let newest = requests.into_iter().filter(|request| request.redrive <= execution.redrive).max_by_key(|r| r.redrive);
    newest.ok_or_else(|| Failure::unavailable(format!("the execution {} has no request to release", execution.arn)))
}

/// What the pinned policy and the present one decide. Each is decided on the facts that it needs: its own teams, and the
/// vetoes of those who may request changes.
async fn check(app: &App, request: &ApprovalRequest) -> Result<Check, Failure> {
    let pinned = Check::under_pinned_policy(app, request).await?;
    if app.policy.digest() == &request.policy_digest {
        return Ok(pinned);
    }
    let present = Check::under_present_policy(app, request).await?;
    Ok(if pinned.refused_as.is_none() { stricter(pinned, present) } else { pinned })
}

/// What one policy decides at release.
struct Check {
    decision: Decision,
    facts: Facts,
    /// The outcome if the policy refuses. `None` if it releases, now or after a wait.
    refused_as: Option<End>,
}

impl Check {
    /// What is no longer approved ends: it does not go back to waiting.
    async fn under_pinned_policy(app: &App, request: &ApprovalRequest) -> Result<Self, Failure> {
        let facts = facts_of(app, request).await?;
        let mut decision = decide_under(&request.rule.rule(), &request.policy_digest, &facts);
        let refused_as = match decision.verdict {
            Verdict::Approved | Verdict::Wait => None,
            Verdict::Pending | Verdict::Blocked => {
                let text = format!("no longer approved: {}", decision.summary);
                refuse(&mut decision, Verdict::Rejected, ReasonCode::ApprovalWithdrawn, text);
                Some(End::Rejected)
            }
            Verdict::Rejected | Verdict::Expired | Verdict::Superseded | Verdict::Denied => End::of(decision.verdict),
        };
        Ok(Self { decision, facts, refused_as })
    }

    async fn under_present_policy(app: &App, request: &ApprovalRequest) -> Result<Self, Failure> {
        let rule = app.policy.rule(&request.subject.target).ok();
        let facts = facts_under(app, rule.as_ref(), request).await?;
        let mut decision = decide(&app.policy, &facts);
        if matches!(decision.verdict, Verdict::Approved | Verdict::Wait) {
            return Ok(Self { decision, facts, refused_as: None });
        }
        let text =
            format!("approved under the policy it was opened under, but the present policy says: {}", decision.summary);
        refuse(&mut decision, Verdict::Denied, ReasonCode::PolicyChanged, text);
        Ok(Self { decision, facts, refused_as: Some(End::Denied) })
    }
}

fn refuse(decision: &mut Decision, verdict: Verdict, code: ReasonCode, text: String) {
    decision.verdict = verdict;
    decision.reasons.insert(0, Reason { code, text: text.clone(), source: None });
    decision.summary = text;
}

/// The stricter check of the two, if the pinned policy releases: a refusal, the longer wait, or the one that needed an
/// override.
fn stricter(pinned: Check, present: Check) -> Check {
    let (before, now) = (&pinned.decision, &present.decision);
    let waits_longer = now.verdict == Verdict::Wait && now.until >= before.until;
    let pinned_waits = before.verdict == Verdict::Wait;
    let overridden = now.overridden.is_some() && before.overridden.is_none() && !pinned_waits;
    if present.refused_as.is_some() || waits_longer || overridden { present } else { pinned }
}

/// Why a request cannot be released. `None` if it is approved, or is being settled as approved: the execution goes on
/// as soon as it has the answer, and may get here before the request is closed.
fn not_approved(request: &ApprovalRequest) -> Option<(End, Option<Box<Decision>>)> {
    match &request.state {
        State::Settling(settling) if settling.end == End::Approved => None,
        State::Closed(closed) if closed.end == End::Approved => None,
        State::Settling(settling) => Some((settling.end, Some(settling.decision.clone()))),
        State::Closed(closed) => Some((closed.end, closed.decision.clone())),
        State::Pending => Some((End::Canceled, None)),
    }
}
