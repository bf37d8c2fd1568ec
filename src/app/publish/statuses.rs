//! What there is to publish: the requests of a pull request, each with its decision.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::{Publication, PublishError};
use crate::app::inspect::inspect;
use crate::approval::decision::Decision;
use crate::ident::{PullRequestRef, Revision};
use crate::render::publish::RequestStatus;
use crate::request::published::{Published, Reviewer, Stage};
use crate::request::record::RecordKind;
use crate::request::{ApprovalRequest, End, LAST_RENOTIFY_SECONDS, State};

/// All that there is to publish.
pub(super) struct Known {
    /// In the order in which the requests were opened.
    pub(super) statuses: Vec<RequestStatus>,
    /// Those of other pull requests with the same commits as their heads, which share the checks.
    pub(super) sharing: Vec<RequestStatus>,
    /// Reviewers whose review request somebody removed.
    pub(super) removed: BTreeSet<Reviewer>,
}

/// Whether nothing can follow. A request that was approved and never released is given up after a day.
pub(super) fn is_final(status: &RequestStatus, now: Timestamp) -> bool {
    let kept = SignedDuration::from_secs(LAST_RENOTIFY_SECONDS);
    let closed = status.request.closed();
    status.stage.is_last() || closed.is_some_and(|closed| now.duration_since(closed.closed_at) > kept)
}

impl Publication<'_> {
    /// Reads what there is to publish.
    pub(super) async fn known(&self, published: &Published) -> Result<Known, PublishError> {
        let store = &self.app.store;
        let statuses = self.statuses(self.at, published).await?;
        let sharing = self.sharing(published, &statuses).await?;
        Ok(Known { statuses, sharing, removed: store.observed(self.at).await?.requests_removed })
    }

    /// The requests of other pull requests whose checks are on the same commits.
    async fn sharing(&self, ours: &Published, own: &[RequestStatus]) -> Result<Vec<RequestStatus>, PublishError> {
        let store = &self.app.store;
        for status in own {
            let Some(head) = status.head() else { continue };
            // Before the others are read: of two that publish at once, at least one then knows of the other.
            if ours.requests.get(&status.request.id).and_then(|kept| kept.head.as_ref()) != Some(head) {
                store.publish_on(self.at, head).await?;
            }
        }
        let heads: BTreeSet<&Revision> = own.iter().filter_map(RequestStatus::head).collect();
        let mut others = BTreeSet::new();
        for head in &heads {
            others.extend(store.published_on(&self.at.repository, head).await?);
        }
        others.remove(self.at);
        let mut sharing = Vec::new();
        for other in others {
            let theirs = store.published(&other).await?;
            let statuses = self.statuses(&other, &theirs).await?;
            sharing
                .extend(statuses.into_iter().filter(|status| status.head().is_some_and(|head| heads.contains(head))));
        }
        Ok(sharing)
    }

    /// The requests of a pull request, in the order in which they were opened.
    async fn statuses(&self, at: &PullRequestRef, published: &Published) -> Result<Vec<RequestStatus>, PublishError> {
        let store = &self.app.store;
        let mut requests = store.open_for(at).await?;
        for id in published.requests.keys() {
            if requests.iter().all(|request| request.id != *id) {
                // A request that was recorded as pending may never have been stored.
                requests.extend(store.request(id).await?);
            }
        }
        requests.sort_by(|a, b| (a.opened_at, &a.id).cmp(&(b.opened_at, &b.id)));
        let mut statuses = Vec::with_capacity(requests.len());
        for request in requests {
            let never_published = published.requests.get(&request.id).is_none_or(|kept| kept.version == 0);
            let (decision, release) = match self.decided(&request).await {
                Ok(decided) => decided,
                // That the request exists can be published before its facts can be read.
                Err(PublishError::Facts(_)) if never_published || at != self.at => (None, None),
                Err(error) => return Err(error),
            };
            let stage = Stage::of(&request, release, decision.as_ref());
            statuses.push(RequestStatus { request, decision, stage });
        }
        Ok(statuses)
    }

    /// Returns what is decided of a request, and how the last check before release ended.
    async fn decided(&self, request: &ApprovalRequest) -> Result<(Option<Decision>, Option<RecordKind>), PublishError> {
        // The execution may be released before the store says that it got its answer.
        let approved = match &request.state {
            State::Settling(settling) if settling.end == End::Approved => Some(settling.decision.as_ref()),
            State::Closed(closed) if closed.end == End::Approved => closed.decision.as_deref(),
            State::Pending | State::Settling(_) | State::Closed(_) => None,
        };
        if let Some(approved) = approved.filter(|_| !request.is_audited()) {
            let is_release = |kind| matches!(kind, RecordKind::Released | RecordKind::Held | RecordKind::Withheld);
            let trail = self.app.store.trail(&request.id).await?;
            let release = trail.into_iter().rev().find(|record| is_release(record.kind));
            let kind = release.as_ref().map(|record| record.kind);
            return Ok((release.and_then(|record| record.decision).or_else(|| Some(approved.clone())), kind));
        }
        let decision = inspect(self.app, request).await;
        Ok((decision.map_err(|failure| PublishError::Facts(failure.to_string()))?, None))
    }
}
