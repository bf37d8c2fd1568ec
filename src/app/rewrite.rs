//! Changes a stored request. If another write came first, the change is made again from what that write stored.

use super::App;
use super::failure::Failure;
use crate::ports::{Write, WriteError};
use crate::request::ApprovalRequest;
use crate::request::record::Entry;

/// How often a write is tried if others come first.
pub(super) const TRIES: usize = 5;

/// Writes what `change` makes of the request, and returns what was written. Returns `None` if `change` does.
///
/// # Errors
/// [`Failure::Unavailable`]: the store gave no answer, or another write came first each time.
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
    Err(Failure::unavailable(format!("other writes changed the request {} first, {TRIES} times in a row", request.id)))
}
