//! What there is to show: the requests of a pull request, each with what is decided of it.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::PublishError;
use crate::app::App;
use crate::app::inspect::inspect;
use crate::approval::decision::Decision;
use crate::ident::PullRequestRef;
use crate::render::publish::RequestStatus;
use crate::request::published::{Published, Reviewer, Stage};
use crate::request::record::RecordKind;
use crate::request::{ApprovalRequest, End, LAST_RENOTIFY_SECONDS, State};

/// A request with what is decided of it.
pub(super) struct KnownRequest {
    pub(super) request: ApprovalRequest,
    pub(super) decision: Option<Decision>,
    pub(super) stage: Stage,
}

impl KnownRequest {
    pub(super) const fn card(&self) -> RequestStatus<'_> {
        RequestStatus { request: &self.request, decision: self.decision.as_ref(), stage: self.stage }
    }

    /// Whether nothing can follow. One that was approved and that nobody came to release is given up after a day.
    pub(super) fn is_last(&self, now: Timestamp) -> bool {
        let long_closed =
            |closed_at: Timestamp| now.duration_since(closed_at) > SignedDuration::from_secs(LAST_RENOTIFY_SECONDS);
        self.stage.is_last() || self.request.closed().is_some_and(|closed| long_closed(closed.closed_at))
    }
}

/// All that there is to show.
pub(super) struct Known {
    /// The requests, in the order in which they were opened.
    pub(super) requests: Vec<KnownRequest>,
    /// Whose review somebody no longer asks for.
    pub(super) unasked: BTreeSet<Reviewer>,
}

/// Reads what there is to show.
pub(super) async fn read(app: &App, at: &PullRequestRef, published: &Published) -> Result<Known, PublishError> {
    let mut requests = app.store.open_for(at).await?;
    for id in published.requests.keys() {
        if requests.iter().all(|request| request.id != *id) {
            // One that is owed may never have been stored.
            requests.extend(app.store.request(id).await?);
        }
    }
    requests.sort_by(|a, b| (a.opened_at, &a.id).cmp(&(b.opened_at, &b.id)));
    let mut told = Vec::with_capacity(requests.len());
    for request in requests {
        let never_shown = published.requests.get(&request.id).is_none_or(|kept| kept.version == 0);
        let (decision, release) = match decided(app, &request).await {
            Ok(decided) => decided,
            // That it is there can be published before its facts can be read.
            Err(PublishError::Facts(_)) if never_shown => (None, None),
            Err(error) => return Err(error),
        };
        let stage = Stage::of(&request, release, decision.as_ref());
        told.push(KnownRequest { request, decision, stage });
    }
    Ok(Known { requests: told, unasked: app.store.observed(at).await?.requests_removed })
}

/// What is decided of a request, and what the last check before release came to.
async fn decided(app: &App, request: &ApprovalRequest) -> Result<(Option<Decision>, Option<RecordKind>), PublishError> {
    // The execution may be released before it is written down that it was told.
    let approved = match &request.state {
        State::Settling(settling) if settling.end == End::Approved => Some(settling.decision.as_ref()),
        State::Closed(closed) if closed.end == End::Approved => closed.decision.as_deref(),
        State::Pending | State::Settling(_) | State::Closed(_) => None,
    };
    if let Some(approved) = approved.filter(|_| !request.is_audited()) {
        let is_release = |kind| matches!(kind, RecordKind::Released | RecordKind::Held | RecordKind::Withheld);
        let trail = app.store.trail(&request.id).await?;
        let release = trail.into_iter().rev().find(|record| is_release(record.kind));
        let kind = release.as_ref().map(|record| record.kind);
        return Ok((release.and_then(|record| record.decision).or_else(|| Some(approved.clone())), kind));
    }
    let decision = inspect(app, request).await;
    Ok((decision.map_err(|failure| PublishError::Facts(failure.to_string()))?, None))
}
