//! The deployment that a request is for, as a code host lists it.
//!
//! `success` says that the gate released it. What the pipeline does after that is the pipeline's to tell.

use super::RequestStatus;
use super::markdown::clipped;
use super::people::People;
use super::{View, instant};
use crate::render::visible;
use crate::request::End;
use crate::request::published::{Deployment, DeploymentState, DeploymentStatus, Stage};

/// The longest description that GitHub takes, in characters.
const LONGEST: usize = 140;
/// Words of an environment's name by which it is taken for one that users meet.
const PRODUCTION: [&str; 5] = ["live", "prd", "prod", "production", "prods"];

/// The deployment; none where there is no commit, where nobody is asked in earnest, or where it was refused before it
/// was one.
#[must_use]
pub fn deployment(card: RequestStatus<'_>) -> Option<Deployment> {
    let request = card.request;
    let refused_at_once = matches!(card.stage, Stage::Ended(_)) && request.requested_at.is_none();
    if card.stage == Stage::Audited || refused_at_once {
        return None;
    }
    let subject = &request.subject;
    let revision = subject.revision.clone().filter(crate::ident::Revision::is_full_hash)?;
    let environment = subject.target.environment.clone();
    let lower = environment.as_str().to_ascii_lowercase();
    let production = lower.split(|c: char| !c.is_ascii_alphabetic()).any(|word| PRODUCTION.contains(&word));
    let version = subject.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
    let description = described(&format!("{}{version}", subject.target.service));
    let service = subject.target.service.clone();
    Some(Deployment { request: request.id.clone(), service, environment, revision, production, description })
}

/// How far it is.
#[must_use]
pub fn deployment_status(view: View<'_>) -> DeploymentStatus {
    let card = view.card;
    let state = match card.stage {
        Stage::Unread | Stage::Waiting => DeploymentState::Pending,
        Stage::Approved => DeploymentState::InProgress,
        Stage::Held => DeploymentState::Queued,
        Stage::Released | Stage::Ended(End::Approved) | Stage::Audited => DeploymentState::Success,
        Stage::Ended(End::Rejected | End::Expired | End::Denied) => DeploymentState::Failure,
        Stage::Ended(End::Superseded | End::Canceled) => DeploymentState::Inactive,
    };
    let until = card.decision.and_then(|decision| decision.until).filter(|_| card.stage == Stage::Held);
    let more = match until {
        Some(until) => format!("until {}", instant(until)),
        None => People::new(view).plain(card.summary()),
    };
    DeploymentStatus { state, description: described(&format!("{}: {more}", card.headline())) }
}

fn described(text: &str) -> String {
    clipped(&visible(text), LONGEST)
}
