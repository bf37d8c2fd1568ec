//! The sweep: settles what is due, and completes what a crash or a lost webhook left behind.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::budget::Budget;
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
    /// Due requests that there was no time for, or too few of the code host's calls. They stay due.
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
    let mut due = in_turn(app.store.due(app.clock.now()).await?);
    let app = &app.reading_once_for(due.make_contiguous());
    let mut sweep = Sweep { app, swept: Swept { due: due.len(), ..Swept::default() }, changed: BTreeSet::new() };
    let mut budget = Budget::default();
    let until = after(time.due);
    // Some whose facts cannot be read must not take the place of all others: after a failure comes any other one, in each
    // sweep a different one.
    let any = usize::try_from(app.clock.now().as_second() / 60).unwrap_or_default();
    let (mut failed, mut next) = (0, 0);
    while let Some(request) = due.remove(next % due.len().max(1)) {
        let reads = request.state == State::Pending;
        if Instant::now() >= until || (reads && !budget.allows(app).await) {
            sweep.swept.left += 1;
            continue;
        }
        sweep.process(request).await;
        next = if sweep.swept.failed > failed { any } else { 0 };
        failed = sweep.swept.failed;
    }
    let Sweep { mut swept, changed, .. } = sweep;
    if swept.left > 0 {
        tracing::warn!(
            left = swept.left,
            "the sweep ran out of time or of GitHub's calls; the next one settles the requests that are left"
        );
    }
    let (publish_until, redeliver_until) =
        (after(time.afterwards - time.afterwards / FOR_DELIVERIES), after(time.afterwards));
    publish::publish_until(app, &changed, publish_until, &mut budget).await;
    // Last: many may have failed, and what is due must not wait for them. It calls as the App, whose limit is its own.
    swept.redelivered = redeliver::redeliver(app, redeliver_until).await.requested;
    Ok(swept)
}

/// A sweep, and what it has done so far.
struct Sweep<'a> {
    app: &'a App,
    swept: Swept,
    changed: BTreeSet<PullRequestRef>,
}

impl Sweep<'_> {
    async fn process(&mut self, request: ApprovalRequest) {
        let Self { app, swept, changed } = self;
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
}

/// Requests that are being settled come first: executions wait for them. Then come those that have ended, and need no
/// reading. Of the others the pull request that was read the longest ago comes first, with all its requests: one reading
/// serves them.
fn in_turn(due: Vec<ApprovalRequest>) -> VecDeque<ApprovalRequest> {
    let mut read_at: BTreeMap<Option<PullRequestRef>, Timestamp> = BTreeMap::new();
    for request in due.iter().filter(|request| request.state == State::Pending) {
        let first = read_at.entry(request.subject.pull_request.clone()).or_insert(request.read_at);
        *first = request.read_at.min(*first);
    }
    let place = |request: &ApprovalRequest| match request.state {
        State::Settling(_) => (0, None),
        State::Closed(_) => (1, None),
        State::Pending => (2, read_at.get(&request.subject.pull_request).copied()),
    };
    let mut due = due;
    due.sort_by_cached_key(|request| (place(request), request.subject.pull_request.clone(), request.read_at));
    due.into()
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

    fn order(due: Vec<ApprovalRequest>) -> Vec<u32> {
        in_turn(due).iter().map(|request| request.redrive).collect()
    }

    fn numbered(number: u32) -> ApprovalRequest {
        ApprovalRequest { redrive: number, ..pending() }
    }

    #[test]
    fn requests_that_are_being_settled_come_first_and_then_those_that_have_ended() {
        let settling = |number| numbered(number).claim(&decided(Verdict::Approved), at(0)).unwrap();
        let closed = settling(2).close(CallbackOutcome::Taken, at(1)).unwrap();
        assert_eq!(order(vec![numbered(1), closed, settling(3), settling(4)]), [3, 4, 2, 1]);
        assert!(order(Vec::new()).is_empty());
    }

    #[test]
    fn the_pull_request_that_was_read_the_longest_ago_comes_first_with_all_its_requests() {
        let of = |number: u32, pull: &str, read: i64| {
            let mut request = ApprovalRequest { read_at: at(read), ..numbered(number) };
            request.subject.pull_request = Some(PullRequestRef::new(pull).unwrap());
            request
        };
        let due = vec![
            of(1, "acme/a#1", 9),
            of(2, "acme/b#2", 5),
            of(3, "acme/c#3", 3),
            of(4, "acme/b#2", 8),
            of(5, "acme/c#3", 7),
        ];
        assert_eq!(order(due), [3, 5, 2, 4, 1]);
    }
}
