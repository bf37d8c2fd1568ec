//! A verified delivery about a pull request: its observations are stored, and every open request is settled again.

use super::failure::Failure;
use super::reading_turn::ReadingTurn;
use super::settle::Settled;
use super::vetoes::remember_review;
use super::{App, publish, settle};
use crate::approval::kept;
use crate::ident::{DeliveryId, PullRequestRef};
use crate::ports::DeliveryState;
use crate::request::End;
use crate::request::observation::Observation;

/// What a verified delivery says about a pull request.
#[derive(Debug, Clone)]
pub struct DeliveredObservations {
    /// A redelivery has the same id.
    pub delivery: DeliveryId,
    pub pull_request: PullRequestRef,
    /// What the API does not say reliably.
    pub observations: Vec<Observation>,
}

/// What came of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It was processed to the end, with this many open requests. Another delivery may be reading for it.
    Worked { requests: usize },
    /// It had been processed before, and changed nothing.
    Before,
}

/// A delivery that is being processed. One that is never marked as done is processed again when it is redelivered.
pub(super) struct BegunDelivery<'a> {
    app: &'a App,
    id: &'a DeliveryId,
}

impl<'a> BegunDelivery<'a> {
    /// Stores that a delivery came, before anything else is done. Returns `None` if it is done already.
    pub(super) async fn begin(app: &'a App, id: &'a DeliveryId) -> Result<Option<Self>, Failure> {
        let state = app.store.begin_delivery(id, app.clock.now()).await?;
        Ok((state != DeliveryState::Done).then_some(Self { app, id }))
    }

    /// Marks it as done: a redelivery changes nothing.
    pub(super) async fn finish(self, requests: usize) -> Result<Recorded, Failure> {
        self.app.store.finish_delivery(self.id, self.app.clock.now()).await?;
        Ok(Recorded::Worked { requests })
    }
}

/// Stores that a delivery came which changes nothing.
///
/// # Errors
/// [`Failure::Unavailable`]: the delivery is not marked as done, and should be delivered again.
pub async fn note_delivery(app: &App, delivery: &DeliveryId) -> Result<Recorded, Failure> {
    match BegunDelivery::begin(app, delivery).await? {
        Some(begun) => begun.finish(0).await,
        None => Ok(Recorded::Before),
    }
}

/// Stores a delivery's observations and requests for changes, and settles every open request of its pull request. Of
/// deliveries that come while the pull request is being read, one does that for all.
///
/// # Errors
/// [`Failure::Unavailable`]: the delivery is not marked as done, and should be delivered again.
pub async fn record_delivery(app: &App, delivered: DeliveredObservations) -> Result<Recorded, Failure> {
    let DeliveredObservations { delivery, pull_request, observations } = delivered;
    let Some(begun) = BegunDelivery::begin(app, &delivery).await? else { return Ok(Recorded::Before) };
    for mut observation in observations {
        if let Observation::ReviewGiven { review } = &mut observation {
            // First: what is observed counts as remembered.
            remember_review(app, &pull_request, review, app.clock.now()).await?;
            review.body = kept(&review.body);
        }
        app.store.observe(&pull_request, observation).await?;
    }

    let waiting = app.store.open_for(&pull_request).await?.len();
    if waiting == 0 {
        return begun.finish(0).await;
    }
    let Some(turn) = ReadingTurn::take(app, &pull_request).await? else { return begun.finish(waiting).await };
    let requests = settle_open(app, turn, &pull_request, &delivery).await?;
    begun.finish(requests).await
}

/// Settles every open request of a pull request, and publishes what has changed. Returns how many there were.
async fn settle_open(
    app: &App,
    turn: ReadingTurn<'_>,
    pull_request: &PullRequestRef,
    delivery: &DeliveryId,
) -> Result<usize, Failure> {
    let open = app.store.open_for(pull_request).await?;
    let mut failed = None;
    let mut published_by_verify = true;
    let reading = &app.reading_once_for(&open);
    let requests = open.len();
    for request in open {
        let (id, verifies) = (request.id.clone(), !app.callback.releases(&request.execution));
        match settle::settle_read(reading, request).await {
            Ok(settled) => published_by_verify &= verifies && settled == Settled::Ended(End::Approved),
            Err(failure) => {
                tracing::warn!(request.id = %id, delivery.id = %delivery, reason = %failure,
                    "could not settle a request after a delivery");
                failed = Some(failure);
                published_by_verify = false;
            }
        }
    }

    turn.finish().await;
    // What was approved is verified next, and Verify publishes it. If nobody verifies, the sweep publishes within
    // minutes.
    if requests > 0 && !published_by_verify {
        publish::publish_pull_request(reading, pull_request).await;
    }
    failed.map_or(Ok(requests), Err)
}
