//! The sweep: what is due, and what was missed. It completes whatever a crash or a lost webhook left behind.

use std::collections::BTreeSet;

use super::failure::Failure;
use super::settle::{Settled, settle};
use super::show::{Pace, Wanted};
use super::{App, announce, redeliver, show};
use crate::approval::decision::Event;
use crate::approval::request::{ApprovalRequest, State};
use crate::ident::PullRequestRef;

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// How many requests were due.
    pub due: usize,
    /// How many of them ended.
    pub ended: usize,
    /// How many could not be brought further now.
    pub failed: usize,
    /// How many deliveries that failed were asked for again.
    pub redelivered: usize,
}

/// Works everything that is due: deadlines, reminders, escalations, facts to be read again, claims that lapsed,
/// announcements not made. Every ten minutes it also asks for deliveries that failed.
///
/// # Errors
/// [`Failure::Unavailable`] where the store does not tell what is due. One request that fails stops no other.
pub async fn sweep(app: &App) -> Result<Swept, Failure> {
    let app = &app.reading_once();
    let due = app.store.due(app.clock.now()).await?;
    let mut swept = Swept { due: due.len(), ..Swept::default() };
    let mut changed: BTreeSet<PullRequestRef> = BTreeSet::new();
    for request in due {
        changed.extend(request.subject.pull_request.clone());
        match &request.state {
            State::Closed(_) => announce::announce_end(app, &request).await,
            // As on opening: nobody is asked for what is decided already.
            State::Pending | State::Settling(_) => match settle(app, &request.id).await {
                Ok(Settled::Ended(_)) => swept.ended += 1,
                Ok(Settled::Waiting(waiting)) => {
                    announce_requested(app, &request).await;
                    announce::announce_overdue(app, &waiting.request, &waiting.decision).await;
                }
                Ok(Settled::Claimed | Settled::Nothing) => {}
                // Nobody is reminded of what may be decided already: that waits until the facts can be read.
                Err(failure) => {
                    tracing::warn!(request.id = %request.id, reason = %failure, "a due request was not settled");
                    announce_requested(app, &request).await;
                    swept.failed += 1;
                }
            },
        }
    }
    for at in changed {
        show::show(app, &at, Wanted { also: None, anew: false, pace: Pace::Thorough }).await;
    }
    show::show_due(app).await;
    // Last: many may have failed, and what is due must not wait for them.
    swept.redelivered = redeliver::redeliver(app).await.asked;
    Ok(swept)
}

/// Asks the people of a pending request whom a crash kept from being asked.
async fn announce_requested(app: &App, request: &ApprovalRequest) {
    if request.state == State::Pending && request.requested_at.is_some() {
        announce::announce(app, request, Event::Requested, None).await;
    }
}
