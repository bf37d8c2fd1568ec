//! A verified delivery: what it told is kept, and every open request of its pull request is brought up to date.

use super::failure::Failure;
use super::publish::{Pace, Wanted};
use super::settle::Settled;
use super::{App, publish, settle};
use crate::ident::{DeliveryId, PullRequestRef};
use crate::ports::DeliveryState;
use crate::request::End;
use crate::request::observation::Observation;

/// What a verified delivery told.
#[derive(Debug, Clone)]
pub struct Told {
    /// Which delivery: the same on redelivery.
    pub delivery: DeliveryId,
    /// What it is about.
    pub pull_request: PullRequestRef,
    /// What only it could tell.
    pub observations: Vec<Observation>,
}

/// What came of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It was worked to the end, with so many open requests.
    Worked {
        /// How many requests were looked at.
        requests: usize,
    },
    /// It had been worked before, and changed nothing.
    Before,
}

/// A delivery that is being worked. One that is never marked as done is worked again when it is delivered again.
pub(super) struct BegunDelivery<'a> {
    app: &'a App,
    id: &'a DeliveryId,
}

impl<'a> BegunDelivery<'a> {
    /// Records that a delivery came, before anything else is done. `None` if it is done already.
    pub(super) async fn begin(app: &'a App, id: &'a DeliveryId) -> Result<Option<Self>, Failure> {
        let state = app.store.begin_delivery(id, app.clock.now()).await?;
        Ok((state != DeliveryState::Done).then_some(Self { app, id }))
    }

    /// Marks it as done, so that it changes nothing if it is delivered again.
    pub(super) async fn finish(self, requests: usize) -> Result<Recorded, Failure> {
        self.app.store.finish_delivery(self.id, self.app.clock.now()).await?;
        Ok(Recorded::Worked { requests })
    }
}

/// Keeps what a delivery says, and settles every open request of its pull request.
///
/// # Errors
/// [`Failure::Unavailable`]: the delivery is not marked as done, and should be delivered again.
pub async fn record_delivery(app: &App, told: Told) -> Result<Recorded, Failure> {
    let Some(begun) = BegunDelivery::begin(app, &told.delivery).await? else { return Ok(Recorded::Before) };
    for observation in told.observations {
        app.store.observe(&told.pull_request, observation).await?;
    }

    let open = app.store.open_for(&told.pull_request).await?;
    let mut failed = None;
    let mut shown_next = true;
    let app = &app.reading_once();
    let requests = open.len();
    for request in open {
        let (id, verifies) = (request.id.clone(), !app.callback.releases(&request.execution));
        match settle::settle_read(app, request).await {
            Ok(settled) => shown_next &= verifies && settled == Settled::Ended(End::Approved),
            Err(failure) => {
                tracing::warn!(request.id = %id, delivery.id = %told.delivery, reason = %failure, "a request was not settled");
                failed = Some(failure);
                shown_next = false;
            }
        }
    }

    let recorded = match failed {
        Some(failure) => Err(failure),
        None => Ok(begun.finish(requests).await?),
    };
    // What was approved is verified next, and whoever does that shows it. If nobody does, the page is due within minutes.
    if requests > 0 && !shown_next {
        publish::publish(app, &told.pull_request, Wanted { also: None, anew: false, pace: Pace::Quick }).await;
    }
    recorded
}
