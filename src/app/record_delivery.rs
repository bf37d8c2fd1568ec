//! A verified delivery: what it told is kept, and every open request of its pull request is brought up to date.

use super::failure::Failure;
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

/// Works a delivery. It is recorded before anything else and marked done at the end, so that one which was cut short is
/// worked again when it is delivered again.
///
/// # Errors
/// [`Failure::Unavailable`]: it is not marked done, and should be delivered again.
pub async fn record_delivery(app: &App, told: Told) -> Result<Recorded, Failure> {
    let begun = app.store.begin_delivery(&told.delivery, app.clock.now()).await?;
    if begun == DeliveryState::Done {
        return Ok(Recorded::Before);
    }
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
        None => {
            app.store.finish_delivery(&told.delivery, app.clock.now()).await?;
            Ok(Recorded::Worked { requests })
        }
    };
    // What was approved is verified next, and whoever does that shows it. If nobody does, the page is due within minutes.
    if requests > 0 && !shown_next {
        publish::publish_pull_request(app, &told.pull_request).await;
    }
    recorded
}
