//! Somebody asked at a check for its request to be looked at again: the facts are read anew, and the check is written
//! whatever stands there, since GitHub takes it back when it is asked to run it again. Any App can make a check by our
//! name, and so have this asked: all that comes of it is a reading, which decides as it would anyway.

use super::failure::Failure;
use super::record_delivery::Recorded;
use super::{App, publish, settle};
use crate::ident::{DeliveryId, RepositoryName, RequestId};
use crate::ports::DeliveryState;
use crate::render::publish::check_name;

/// What a verified delivery asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Which delivery: the same on redelivery.
    pub delivery: DeliveryId,
    /// The request that the check names.
    pub request: RequestId,
    /// The repository that the check stands in.
    pub repository: RepositoryName,
    /// What the check is called.
    pub check: String,
}

/// Looks at a request again. One that is of another repository or target than its check is none of ours.
///
/// # Errors
/// [`Failure::Unavailable`]: it is not marked done, and should be delivered again.
pub async fn reevaluate(app: &App, asked: Asked) -> Result<Recorded, Failure> {
    let begun = app.store.begin_delivery(&asked.delivery, app.clock.now()).await?;
    if begun == DeliveryState::Done {
        return Ok(Recorded::Before);
    }
    let request = app.store.request(&asked.request).await?.filter(|request| {
        let at = request.subject.pull_request.as_ref();
        at.is_some_and(|at| at.repository == asked.repository) && check_name(&request.subject.target) == asked.check
    });

    let app = &app.reading_once();
    if let Some(request) = &request {
        settle::settle_read(app, request.clone()).await?;
    }

    app.store.finish_delivery(&asked.delivery, app.clock.now()).await?;
    if let Some(request) = &request {
        publish::resend_check(app, request).await;
    }
    Ok(Recorded::Worked { requests: usize::from(request.is_some()) })
}
