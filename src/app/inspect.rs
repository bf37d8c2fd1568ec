//! What a request's decision is now, without settling anything: for pages and people who ask.

use super::App;
use super::failure::Failure;
use super::gather::facts_of;
use crate::approval::decide_under;
use crate::approval::decision::Decision;
use crate::request::{ApprovalRequest, State};

/// The decision that stands on a request: the one it was settled with, else that of this moment.
///
/// # Errors
/// [`Failure::Unavailable`] where the facts could not be had.
pub async fn inspect(app: &App, request: &ApprovalRequest) -> Result<Option<Decision>, Failure> {
    match &request.state {
        State::Pending => {
            let facts = facts_of(app, request).await?;
            Ok(Some(decide_under(&request.rule.rule(), &request.policy_digest, &facts)))
        }
        State::Settling(settling) => Ok(Some((*settling.decision).clone())),
        State::Closed(closed) => Ok(closed.decision.as_deref().cloned()),
    }
}
