//! Changes a stored request by what it is now: where another write came first, the change is made anew of that.

use super::App;
use super::failure::Failure;
use crate::ports::{Write, WriteError};
use crate::request::ApprovalRequest;
use crate::request::record::Entry;

/// How often a write that lost to another is tried again.
pub(super) const TRIES: usize = 5;

/// Writes what `change` makes of the request, and gives it as it was written; none where `change` finds nothing to do.
///
/// # Errors
/// [`Failure::Unavailable`]: the store gave no answer, or others were faster each time.
pub(super) async fn rewrite(
    app: &App,
    request: &ApprovalRequest,
    change: impl Fn(&ApprovalRequest) -> Option<(ApprovalRequest, Entry)>,
) -> Result<Option<ApprovalRequest>, Failure> {
    let mut current = request.clone();
    for _ in 0..TRIES {
        let Some((next, entry)) = change(&current) else { return Ok(None) };
        let write = Write::new(next, entry);
        let written = write.request.clone();
        match app.store.write(write).await {
            Ok(()) => return Ok(Some(written)),
            Err(WriteError::Conflict { stored: Some(stored) }) => current = *stored,
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::unavailable(format!("the request {} changes too fast to be written", request.id)))
}
