//! The sweep: settles what is due, and completes what a crash or a lost webhook left behind.

use std::collections::BTreeSet;
use std::hash::BuildHasher as _;
use std::time::Duration;

use foldhash::fast::FixedState;
use jiff::Timestamp;
use tokio::time::Instant;

use super::failure::Failure;
use super::settle::{Settled, settle};
use super::{App, notify, publish, redeliver};
use crate::approval::decision::Event;
use crate::ident::PullRequestRef;
use crate::request::{ApprovalRequest, State};

/// What a sweep did, in numbers of requests and deliveries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    pub due: usize,
    /// Due requests that there was no time for. They stay due.
    pub left: usize,
    /// Due requests that ended.
    pub ended: usize,
    /// Due requests that could not be settled now.
    pub failed: usize,
    /// Failed deliveries that were requested again.
    pub redelivered: usize,
}

/// How long a sweep may take. The next one starts within a minute, and does what was left.
#[derive(Debug, Clone, Copy)]
pub struct SweepTime {
    /// How long due requests are started. A slow GitHub and hundreds of due requests must leave time for publishing and
    /// redeliveries.
    pub due: Duration,
    /// How long publishing and redeliveries may take together after that.
    pub afterwards: Duration,
}

impl Default for SweepTime {
    /// The sum, and usually the request that was started last, fit the function's time limit:
    /// `functions.sweep.timeout_seconds` of the Terraform module is at least 120.
    fn default() -> Self {
        Self { due: Duration::from_secs(60), afterwards: Duration::from_secs(30) }
    }
}

/// A third of the time afterwards is kept for redeliveries. Otherwise slow publishing could leave no time, sweep after
/// sweep, until the code host forgets the failed deliveries.
const FOR_DELIVERIES: u32 = 3;

/// Processes everything that is due: deadlines, reminders, escalations, facts to read again, lapsed claims, missed
/// notifications and publications. Every ten minutes it also requests failed deliveries again.
///
/// # Errors
/// [`Failure::Unavailable`] if the store does not say what is due. A request that fails does not stop the others.
pub async fn sweep(app: &App) -> Result<Swept, Failure> {
    sweep_within(app, SweepTime::default()).await
}

/// As [`sweep`], with another time limit.
pub async fn sweep_within(app: &App, time: SweepTime) -> Result<Swept, Failure> {
    let now = app.clock.now();
    let due = in_turn(app.store.due(now).await?, now);
    let app = &app.reading_once_for(&due);
    let mut swept = Swept { due: due.len(), ..Swept::default() };
    let mut changed: BTreeSet<PullRequestRef> = BTreeSet::new();
    let until = after(time.due);
    for request in due {
        if Instant::now() >= until {
            swept.left += 1;
            continue;
        }
        changed.extend(request.subject.pull_request.clone());
        match &request.state {
            // Read again, as settling does: its end may have been notified since this sweep began.
            State::Closed(_) => match app.store.request(&request.id).await {
                Ok(current) => notify::notify_end(app, current.as_ref().unwrap_or(&request)).await,
                Err(error) => {
                    tracing::warn!(request.id = %request.id, reason = %error, "could not notify a request's end yet");
                    swept.failed += 1;
                }
            },
            // Settle first, as on opening: a request that is decided already needs no notification.
            State::Pending | State::Settling(_) => match settle(app, &request.id).await {
                Ok(Settled::Ended(_)) => swept.ended += 1,
                Ok(Settled::Waiting(waiting)) => {
                    notify_requested(app, &request).await;
                    notify::notify_overdue(app, &waiting.request, &waiting.decision).await;
                }
                Ok(Settled::Claimed | Settled::Nothing) => {}
                // It may be decided already, so reminders wait until the facts can be read.
                Err(failure) => {
                    tracing::warn!(request.id = %request.id, reason = %failure, "could not settle a due request");
                    notify_requested(app, &request).await;
                    swept.failed += 1;
                }
            },
        }
    }
    if swept.left > 0 {
        tracing::warn!(left = swept.left, "the sweep ran out of time; the next one settles the requests that are left");
    }
    let (publish_until, redeliver_until) =
        (after(time.afterwards - time.afterwards / FOR_DELIVERIES), after(time.afterwards));
    publish::publish_until(app, &changed, publish_until).await;
    // Last: many may have failed, and what is due must not wait for them.
    swept.redelivered = redeliver::redeliver(app, redeliver_until).await.requested;
    Ok(swept)
}

/// Requests that are being settled come first: executions wait for them. The others start at another place every
/// minute. Otherwise requests whose facts cannot be read, or whose channels fail, would take the time of the same
/// others each time.
fn in_turn(due: Vec<ApprovalRequest>, now: Timestamp) -> Vec<ApprovalRequest> {
    let (mut all, mut others): (Vec<_>, Vec<_>) =
        due.into_iter().partition(|request| matches!(request.state, State::Settling(_)));
    // Far from the start of a minute ago: requests that fail are due the longest, and so stand together.
    let spread = FixedState::default().hash_one(now.as_second() / 60);
    let first = u64::try_from(others.len()).ok().and_then(|count| spread.checked_rem(count));
    if let Some(first) = first.and_then(|first| usize::try_from(first).ok()) {
        others.rotate_left(first);
    }
    all.append(&mut others);
    all
}

fn after(time: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(time).unwrap_or(now)
}

/// Notifies the approvers of a pending request, if a crash prevented that.
async fn notify_requested(app: &App, request: &ApprovalRequest) {
    if request.state == State::Pending && request.requested_at.is_some() {
        notify::notify(app, request, Event::Requested, None).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::approval::decision::Verdict;
    use crate::request::CallbackOutcome;
    use crate::request::tests::{at, decided, pending};

    fn order(due: Vec<ApprovalRequest>, minute: i64) -> Vec<u32> {
        in_turn(due, at(minute * 60)).iter().map(|request| request.redrive).collect()
    }

    #[test]
    fn requests_that_are_being_settled_come_first() {
        let pending = pending();
        let numbered = |number| ApprovalRequest { redrive: number, ..pending.clone() };
        let settling = |number| numbered(number).claim(&decided(Verdict::Approved), at(0)).unwrap();
        let closed = settling(2).close(CallbackOutcome::Taken, at(1)).unwrap();
        for minute in 0..20 {
            let order = order(vec![numbered(1), closed.clone(), settling(3), settling(4)], minute);
            assert_eq!((order.len(), &order[..2]), (4, &[3, 4][..]));
        }
        assert_eq!(in_turn(Vec::new(), at(0)), []);
    }

    #[test]
    fn every_due_request_is_soon_the_first_and_not_only_after_all_its_neighbours() {
        let pending = pending();
        let first = |count: u32, minute| {
            let all = (0..count).map(|number| ApprovalRequest { redrive: number, ..pending.clone() });
            order(all.collect(), minute)[0]
        };
        for count in 2..20 {
            let firsts: Vec<u32> = (0..i64::from(count) * 12).map(|minute| first(count, minute)).collect();
            let missing: Vec<u32> = (0..count).filter(|number| !firsts.contains(number)).collect();
            assert_eq!(missing, [] as [u32; 0], "of {count}");
        }
        let near = (0..60).filter(|minute| first(30, *minute).abs_diff(first(30, minute + 1)) <= 1);
        assert!(near.count() < 12);
    }
}
