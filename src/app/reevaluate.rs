//! Someone asks GitHub to run a check again: the facts are read again, and the check is written whatever it says now.
//!
//! GitHub resets a check that it is asked to run again. Any App can make a check by our name and so trigger this. It
//! causes a reading, which decides as it would anyway, and nothing else.

use super::failure::Failure;
use super::record_delivery::{BegunDelivery, Recorded};
use super::{App, publish, settle};
use crate::ident::{DeliveryId, RepositoryName, RequestId};
use crate::render::publish::check_name;

/// A check that someone asked to run again, as a verified delivery says.
#[derive(Debug, Clone)]
pub struct Reevaluation {
    /// A redelivery has the same id.
    pub delivery: DeliveryId,
    /// The request that the check names.
    pub request: RequestId,
    /// The repository of the check.
    pub repository: RepositoryName,
    /// The name of the check.
    pub check: String,
}

/// Settles a request again. Ignores a request whose repository or target is not the check's.
///
/// # Errors
/// [`Failure::Unavailable`]: the delivery is not marked as done, and should be delivered again.
pub async fn reevaluate(app: &App, wanted: Reevaluation) -> Result<Recorded, Failure> {
    let Some(begun) = BegunDelivery::begin(app, &wanted.delivery).await? else { return Ok(Recorded::Before) };
    let request = app.store.request(&wanted.request).await?.filter(|request| {
        let at = request.subject.pull_request.as_ref();
        at.is_some_and(|at| at.repository == wanted.repository)
            && check_name(&request.subject.target).eq_ignore_ascii_case(&wanted.check)
    });

    let reading = &app.reading_once();
    if let Some(request) = &request {
        settle::settle_read(reading, request.clone()).await?;
    }

    let recorded = begun.finish(usize::from(request.is_some())).await?;
    if let Some(request) = &request {
        publish::resend_check(reading, request).await;
    }
    Ok(recorded)
}
