//! The sweep: what is due, and what was missed. It completes whatever a crash or a lost webhook left behind.

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

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// How many requests were due.
    pub due: usize,
    /// How many of them there was no time for: they stay due.
    pub left: usize,
    /// How many of them ended.
    pub ended: usize,
    /// How many could not be brought further now.
    pub failed: usize,
    /// How many deliveries that failed were asked for again.
    pub redelivered: usize,
}

/// For how long a sweep goes on. The next follows within a minute, and takes what was left.
#[derive(Debug, Clone, Copy)]
pub struct SweepTime {
    /// How long requests that are due are begun: a GitHub that is slow, and hundreds of them, must not leave pages and
    /// deliveries without any.
    pub due: Duration,
    /// How long pages and deliveries may take together, once that is over.
    pub afterwards: Duration,
}

impl Default for SweepTime {
    /// Together, and as a rule with the request that was begun last, less than a function has:
    /// `functions.sweep.timeout_seconds` of the Terraform module is 120 at least.
    fn default() -> Self {
        Self { due: Duration::from_secs(60), afterwards: Duration::from_secs(30) }
    }
}

/// What part of the time afterwards is kept for deliveries: pages that are slow would leave nothing, sweep after sweep,
/// until the code host has forgotten what it could not deliver.
const FOR_DELIVERIES: u32 = 3;

/// Works everything that is due: deadlines, reminders, escalations, facts to be read again, claims that lapsed,
/// announcements not made. Every ten minutes it also asks for deliveries that failed.
///
/// # Errors
/// [`Failure::Unavailable`] where the store does not tell what is due. One request that fails stops no other.
pub async fn sweep(app: &App) -> Result<Swept, Failure> {
    sweep_within(app, SweepTime::default()).await
}

/// The same, in the time that is given. What there was not enough of it for is left to the next sweep.
///
/// # Errors
/// As [`sweep`].
pub async fn sweep_within(app: &App, time: SweepTime) -> Result<Swept, Failure> {
    let app = &app.reading_once();
    let now = app.clock.now();
    let due = in_turn(app.store.due(now).await?, now);
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
            // Read again, as settling does: it may have been told since this sweep began.
            State::Closed(_) => match app.store.request(&request.id).await {
                Ok(current) => notify::notify_end(app, current.as_ref().unwrap_or(&request)).await,
                Err(error) => {
                    tracing::warn!(request.id = %request.id, reason = %error, "an end was not told yet");
                    swept.failed += 1;
                }
            },
            // As on opening: nobody is asked for what is decided already.
            State::Pending | State::Settling(_) => match settle(app, &request.id).await {
                Ok(Settled::Ended(_)) => swept.ended += 1,
                Ok(Settled::Waiting(waiting)) => {
                    notify_requested(app, &request).await;
                    notify::notify_overdue(app, &waiting.request, &waiting.decision).await;
                }
                Ok(Settled::Claimed | Settled::Nothing) => {}
                // Nobody is reminded of what may be decided already: that waits until the facts can be read.
                Err(failure) => {
                    tracing::warn!(request.id = %request.id, reason = %failure, "a due request was not settled");
                    notify_requested(app, &request).await;
                    swept.failed += 1;
                }
            },
        }
    }
    if swept.left > 0 {
        tracing::warn!(left = swept.left, "the time is over, and requests are left to the next sweep");
    }
    let (pages, deliveries) = (after(time.afterwards - time.afterwards / FOR_DELIVERIES), after(time.afterwards));
    publish::publish_until(app, &changed, pages).await;
    // Last: many may have failed, and what is due must not wait for them.
    swept.redelivered = redeliver::redeliver(app, deliveries).await.asked;
    Ok(swept)
}

/// What is being settled comes first: executions wait for it. All else begins elsewhere every minute, so that some whose
/// facts cannot be read, or whose channels cannot be told, do not take the time of the same others each time.
fn in_turn(due: Vec<ApprovalRequest>, now: Timestamp) -> Vec<ApprovalRequest> {
    let (mut all, mut others): (Vec<_>, Vec<_>) =
        due.into_iter().partition(|request| matches!(request.state, State::Settling(_)));
    // Far from where it began a minute before: those that fail are the longest due, and stand together.
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

/// Asks the people of a pending request whom a crash kept from being asked.
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
    fn what_is_being_settled_comes_before_all_else_that_is_due() {
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
    fn whoever_is_due_is_first_before_long_and_not_only_after_all_its_neighbours() {
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
