//! Settle: reads the facts of an open request again and decides. If that ends the request, resumes its execution once.

use super::end_execution::still_runs;
use super::failure::Failure;
use super::gather::facts_of;
use super::protect::comment_of;
use super::rewrite::{TRIES, rewrite};
use super::verify::{Release, verify};
use super::vetoes::remember_vetoes;
use super::{App, notify};
use crate::approval::decide_under;
use crate::approval::decision::{Decision, Event, Verdict};
use crate::ident::RequestId;
use crate::ports::{Answer, ClaimError, SettleClaim, Write, WriteError};
use crate::render::answer;
use crate::request::record::{Entry, RecordKind};
use crate::request::{ApprovalRequest, Callback, CallbackOutcome, End, Refused, State};

/// What came of settling.
#[derive(Debug, Clone, PartialEq)]
pub enum Settled {
    /// It goes on waiting.
    Waiting(Box<Waiting>),
    /// It ended. The execution got the answer, or is over.
    Ended(End),
    /// It is decided, but not closed. Somebody else holds the claim, or the execution could not be answered yet: Step
    /// Functions does not answer, or the waiting step is being run again.
    Claimed,
    /// It was over before, or there is no such request.
    Nothing,
}

/// A request that goes on waiting.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// As it was written after its facts were read.
    pub request: ApprovalRequest,
    /// The decision on those facts: whom it waits for.
    pub decision: Decision,
}

/// Brings a request to its end, if the facts end it.
///
/// # Errors
/// [`Failure::Unavailable`] if the facts could not be read, or the store gave no answer. The request stays as it is.
pub async fn settle(app: &App, id: &RequestId) -> Result<Settled, Failure> {
    match app.store.request(id).await? {
        Some(request) => settle_read(app, request).await,
        None => Ok(Settled::Nothing),
    }
}

/// As [`settle`], with a request that was read a moment ago. If it has changed since, it is read again.
pub(super) async fn settle_read(app: &App, mut request: ApprovalRequest) -> Result<Settled, Failure> {
    for _ in 0..TRIES {
        let claim = match &request.state {
            State::Pending => {
                let facts = facts_of(app, &request).await?;
                let decision = decide_under(&request.rule.rule(), &request.policy_digest, &facts);
                if matches!(decision.verdict, Verdict::Rejected | Verdict::Blocked) {
                    remember_vetoes(app, &decision, &facts).await?;
                }
                if End::of(decision.verdict).is_none() {
                    return wait(app, &request, decision).await;
                }
                let (at, kind) = (facts.now, RecordKind::Claimed);
                let entry = Entry { kind, at, decision: Some(decision), facts: Some(facts) };
                SettleClaim::take(app.store.as_ref(), &request, entry).await
            }
            State::Settling(_) => SettleClaim::take_over(app.store.as_ref(), &request, app.clock.now()).await,
            State::Closed(_) => return Ok(Settled::Nothing),
        };
        match claim {
            Ok(claim) => match resume(app, &claim).await? {
                Some(settled) => return Ok(settled),
                None => app.code_host.forget(),
            },
            Err(ClaimError::Refused(Refused::Settling)) => return Ok(Settled::Claimed),
            // The other writer may have seen newer facts.
            Err(ClaimError::Refused(_) | ClaimError::Write(WriteError::Conflict { .. })) => app.code_host.forget(),
            Err(error @ ClaimError::Write(WriteError::Unavailable(_))) => return Err(error.into()),
        }
        match app.store.request(&request.id).await? {
            Some(changed) => request = changed,
            None => return Ok(Settled::Nothing),
        }
    }
    // An error, so that the delivery that wanted to settle it is not marked as done.
    Err(Failure::unavailable(format!("other writes changed the request {} first, {TRIES} times in a row", request.id)))
}

/// Records that the facts were read, and notifies a request for changes that blocks the request.
async fn wait(app: &App, request: &ApprovalRequest, decision: Decision) -> Result<Settled, Failure> {
    let at = decision.evaluated_at;
    let read = rewrite(app, request, |current| {
        let entry = Entry { kind: RecordKind::Read, at, decision: None, facts: None };
        matches!(current.state, State::Pending).then(|| (current.read(at), entry))
    });
    // It was decided meanwhile, and waits for nobody.
    let Some(request) = read.await? else { return Ok(Settled::Claimed) };
    if decision.verdict == Verdict::Blocked {
        notify::notify(app, &request, Event::Blocked, Some(&decision)).await;
    }
    Ok(Settled::Waiting(Box::new(Waiting { request, decision })))
}

/// Answers the execution, and closes the request with what came of that. Returns `None` if the request has to be
/// settled again.
async fn resume(app: &App, claim: &SettleClaim) -> Result<Option<Settled>, Failure> {
    let request = claim.request();
    let answer = match answer_of(claim) {
        // Nobody verifies after this answer, so it is verified first.
        Answer::Success { .. } if app.callback.releases(&request.execution) => match release(app, claim).await {
            Some(answer) => answer,
            None => return Ok(Some(Settled::Claimed)),
        },
        answer @ (Answer::Success { .. } | Answer::Failure { .. }) => answer,
    };
    let outcome = match app.callback.resume(claim, &answer).await {
        Ok(outcome) => outcome,
        Err(error) => {
            tracing::error!(request.id = %request.id, execution.arn = %request.execution, reason = %error,
                "could not answer the execution; the sweep tries again when the claim has lapsed");
            return Ok(Some(Settled::Claimed));
        }
    };
    if outcome == CallbackOutcome::TokenOver && step_is_retried(app, claim).await {
        return give_back(app, claim).await;
    }
    close(app, claim, outcome).await.map(Some)
}

/// Whether the token is over because the waiting step failed and is being run again. It is if the execution runs,
/// nothing was sent before, and the deadline has not come. An answer that is itself the release belongs to no step.
async fn step_is_retried(app: &App, claim: &SettleClaim) -> bool {
    let request = claim.request();
    let in_time = request.deadline.is_none_or(|deadline| app.clock.now() < deadline);
    let execution = request.execution_ref();
    in_time && claim.is_first_attempt() && !app.callback.releases(&execution.arn) && still_runs(app, &execution).await
}

/// Gives the claim back: the next run of the step stores its token, and settles. Returns `None` if that run has stored
/// its token already. It then met our claim, and nobody else would settle the request soon.
async fn give_back(app: &App, claim: &SettleClaim) -> Result<Option<Settled>, Failure> {
    let request = claim.request();
    tracing::warn!(request.id = %request.id, execution.arn = %request.execution,
        "the token is over, but the execution still runs: its step is run again, and the request goes back to waiting");
    let given = rewrite(app, request, |current| {
        let entry = Entry { kind: RecordKind::GivenBack, at: app.clock.now(), decision: None, facts: None };
        let ours = current.state == request.state;
        current.give_back().ok().filter(|_| ours).map(|next| (next, entry))
    });
    if given.await?.is_none() {
        return Ok(Some(Settled::Claimed));
    }
    let same_token = app.store.token(&request.id).await?.as_ref() == Some(claim.token());
    Ok(same_token.then_some(Settled::Claimed))
}

/// The answer of Verify. `None` if the release has to wait, or could not be verified. The claim then lapses, and
/// whoever takes it over verifies again.
async fn release(app: &App, claim: &SettleClaim) -> Option<Answer> {
    let request = claim.request();
    let execution = request.execution_ref();
    app.code_host.forget();
    match verify(app, &execution).await {
        Ok(Release { request_id, decision }) if decision.verdict == Verdict::Approved => {
            Some(success(&request_id, &decision))
        }
        Ok(Release { decision, .. }) => {
            app.callback.hold(claim, &comment_of(&format!("approved, and held: {}", decision.summary))).await;
            None
        }
        Err(failure @ (Failure::Ended { .. } | Failure::OtherSubject { .. })) => {
            let comment = comment_of(&failure.summary());
            Some(Answer::Failure { error: failure.name().to_owned(), cause: failure.cause(), comment })
        }
        Err(
            failure @ (Failure::Unavailable { .. }
            | Failure::Limited { .. }
            | Failure::PolicyInvalid { .. }
            | Failure::InvalidInput(_)),
        ) => {
            tracing::warn!(request.id = %request.id, reason = %failure, "could not verify an approval yet");
            None
        }
    }
}

/// Closes the request with what came of the answer. Others may write to the request meanwhile (a notification, a
/// release). As long as the claim stands, the outcome is written over that. That a token is over says nothing about a
/// token that has replaced it since.
async fn close(app: &App, claim: &SettleClaim, outcome: CallbackOutcome) -> Result<Settled, Failure> {
    let mut current = claim.request().clone();
    for _ in 0..TRIES {
        let now = app.clock.now();
        let closed = current.close(outcome, now).map_err(ClaimError::from)?;
        let entry = Entry { kind: RecordKind::Closed, at: now, decision: None, facts: None };
        let write = Write::new(closed, entry);
        let closed = write.request.clone();
        match app.store.write(write).await {
            Ok(()) => {
                let end = closed.closed().map_or(End::Canceled, |closed| closed.end);
                warn_if_not_accepted(&closed, claim);
                notify::notify_closed(app, &closed).await;
                return Ok(Settled::Ended(end));
            }
            Err(WriteError::Conflict { stored: Some(stored) }) if stored.state == claim.request().state => {
                let same_token = app.store.token(&stored.id).await?.as_ref() == Some(claim.token());
                if outcome == CallbackOutcome::TokenOver && !same_token {
                    return Ok(Settled::Claimed);
                }
                current = *stored;
            }
            // The wait timed out, or the claim lapsed and was taken over. Whoever wrote that goes on from there.
            Err(WriteError::Conflict { .. }) => return Ok(Settled::Claimed),
            Err(error @ WriteError::Unavailable(_)) => return Err(error.into()),
        }
    }
    Ok(Settled::Claimed)
}

/// Logs that the execution did not take the answer, or that this is not known.
fn warn_if_not_accepted(request: &ApprovalRequest, claim: &SettleClaim) {
    let Some(closed) = request.closed() else { return };
    match closed.callback {
        Callback::Sent | Callback::NotNeeded => {}
        Callback::PresumedSent => tracing::warn!(request.id = %request.id, execution.arn = %request.execution,
            closed = closed.end.as_str(), "execution no longer waiting; assuming an earlier answer was accepted"),
        Callback::TokenOver => tracing::error!(request.id = %request.id, execution.arn = %request.execution,
            decided = claim.end().as_str(), closed = closed.end.as_str(),
            "execution no longer waiting; it got no answer"),
    }
}

fn answer_of(claim: &SettleClaim) -> Answer {
    let decision = claim.decision();
    match claim.end() {
        End::Approved => success(&claim.request().id, decision),
        end @ (End::Rejected | End::Expired | End::Superseded | End::Denied | End::Canceled) => Answer::Failure {
            error: super::failure::end_name(end).to_owned(),
            cause: answer::cause(decision),
            comment: comment_of(&decision.summary),
        },
    }
}

fn success(request: &RequestId, decision: &Decision) -> Answer {
    Answer::Success { output: answer::decided(request, decision), comment: comment_of(&decision.summary) }
}
