//! The decision on a request as it stands now, without settling anything.

use super::App;
use super::failure::Failure;
use super::gather::facts_of;
use crate::approval::decide_under;
use crate::approval::decision::Decision;
use crate::request::{ApprovalRequest, State};

/// The decision that a request was settled with, or while it is pending, the decision on the facts of this moment.
///
/// # Errors
/// [`Failure::Unavailable`] if the facts cannot be read.
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
