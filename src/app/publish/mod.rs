//! Publishes on a pull request how its requests stand: checks, a comment, review requests and deployments.
//!
//! Publishing comes after deciding and never delays it. If it fails, the log says so and the sweep tries again. One
//! process at a time writes to a pull request, under a lease that expires. A process that finds the lease taken leaves a
//! mark, and the holder looks again. The record keeps a digest of everything sent, so nothing is sent twice. If an answer
//! was lost, the next round looks for the object before it creates another.

mod plan;
mod statuses;
mod write;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use self::plan::Planner;
use super::budget::Budget;
use super::{App, ExecutionRef};
use crate::ident::{PullRequestRef, RequestId};
use crate::ports::{Publisher, PublisherError, StoreError};
use crate::render::publish::RequestStatus;
use crate::request::ApprovalRequest;
use crate::request::published::{LEASE_SECONDS, Published, REPUBLISH_SECONDS};

/// How often a round starts again because another process changed the record.
const ROUNDS: usize = 4;
/// When the sweep tries again after a pull request was not published, or not completely.
const RETRY_SECONDS: i64 = 60;

/// How much may be done at once.
#[derive(Debug, Clone, Copy)]
enum Pace {
    /// Somebody waits for an answer.
    Quick,
    /// Nobody waits: the sweep.
    Thorough,
}

impl Pace {
    /// How many writes: GitHub accepts 80 a minute that create something.
    const fn writes(self) -> usize {
        match self {
            Self::Quick => 20,
            Self::Thorough => 60,
        }
    }

    const fn patience(self) -> Duration {
        match self {
            Self::Quick => Duration::from_secs(5),
            Self::Thorough => Duration::from_secs(LEASE_SECONDS.unsigned_abs() - 10),
        }
    }
}

/// What to publish, besides all that has changed.
#[derive(Debug, Clone, Copy)]
struct Wanted<'a> {
    /// A request that the record may not list yet.
    request: Option<&'a RequestId>,
    /// Whether to send the check of `request` even if it has not changed.
    resend_check: bool,
    pace: Pace,
}

/// Why a pull request was not brought up to date.
#[derive(Debug, thiserror::Error)]
enum PublishError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Publisher(#[from] PublisherError),
    #[error("the facts of a request could not be read: {0}")]
    Facts(String),
    #[error("other processes changed the record each time")]
    Busy,
}

/// Publishes a request that has changed, with all others of its pull request.
pub(super) async fn publish_request(app: &App, request: &ApprovalRequest) {
    publish(app, request, false).await;
}

/// Like [`publish_request`], but sends the check of the request even if it has not changed.
pub(super) async fn resend_check(app: &App, request: &ApprovalRequest) {
    publish(app, request, true).await;
}

async fn publish(app: &App, request: &ApprovalRequest, resend_check: bool) {
    let at = request.subject.pull_request.as_ref();
    if let Some(publication) = at.and_then(|at| Publication::new(app, at)) {
        publication.publish(Wanted { request: Some(&request.id), resend_check, pace: Pace::Quick }).await;
    }
}

/// Publishes the request that an execution has just opened, with all others of its pull request. If that fails, the sweep
/// does it.
pub async fn publish_opened(app: &App, execution: &ExecutionRef) {
    match app.store.request(&execution.request_id()).await {
        Ok(Some(request)) => publish_request(app, &request).await,
        Ok(None) => {}
        Err(error) => {
            tracing::warn!(execution.arn = %execution.arn, reason = %error, "request not published yet: it could not be read");
        }
    }
}

/// Publishes what has changed on a pull request.
pub(super) async fn publish_pull_request(app: &App, at: &PullRequestRef) {
    if let Some(publication) = Publication::new(app, at) {
        publication.publish(Wanted { request: None, resend_check: false, pace: Pace::Quick }).await;
    }
}

/// Records that a request is to be published. Called before the request is stored, so that a crash loses nothing.
pub(super) async fn record_pending(app: &App, at: &PullRequestRef, id: &RequestId) {
    let Some(publication) = Publication::new(app, at) else { return };
    let recorded = publication.update(|record| {
        record.requests.entry(id.clone()).or_default();
        record.due_within(publication.now(), RETRY_SECONDS);
    });
    if let Err(error) = recorded.await {
        tracing::warn!(pull_request = %at, request.id = %id, reason = %error, "request not recorded as to be published");
    }
}

/// Publishes pull requests until the time or the budget is over: first those that changed, then those that are due. One
/// that takes longer is cut short, and none is begun after that. They stay due, and the next sweep continues.
pub(super) async fn publish_until(app: &App, changed: &BTreeSet<PullRequestRef>, until: Instant, budget: &mut Budget) {
    if app.publisher.is_none() {
        return;
    }
    for publication in changed.iter().filter_map(|at| Publication::new(app, at)) {
        if !budget.allows(app).await || !publication.publish_before(until).await {
            publication.record_due().await;
        }
    }
    match app.store.publications_due(app.clock.now()).await {
        Ok(due) => {
            for publication in due.iter().filter_map(|at| Publication::new(app, at)) {
                if !budget.allows(app).await || !publication.publish_before(until).await {
                    tracing::warn!("no time or too few calls left to publish; the next sweep continues");
                    break;
                }
            }
        }
        Err(error) => tracing::warn!(reason = %error, "the list of pull requests to publish could not be read"),
    }
}

/// The publishing of one pull request. [`statuses`] reads what there is to publish, [`write`] sends it.
struct Publication<'a> {
    app: &'a App,
    publisher: &'a dyn Publisher,
    at: &'a PullRequestRef,
}

/// How a round ended.
enum Round {
    /// The pull request is up to date, or its record says when the next attempt is due.
    Done,
    /// Something changed meanwhile.
    Again,
    /// Another process changed the record first, and nothing was sent.
    Outdated,
}

impl<'a> Publication<'a> {
    /// Returns `None` if this installation publishes nothing.
    fn new(app: &'a App, at: &'a PullRequestRef) -> Option<Self> {
        Some(Self { app, publisher: app.publisher.as_deref()?, at })
    }

    fn now(&self) -> Timestamp {
        self.app.clock.now()
    }

    async fn publish(&self, wanted: Wanted<'_>) {
        self.publish_within(wanted, wanted.pace.patience()).await;
    }

    /// Returns `false` if no time was left to begin.
    async fn publish_before(&self, until: Instant) -> bool {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        let wanted = Wanted { request: None, resend_check: false, pace: Pace::Thorough };
        self.publish_within(wanted, wanted.pace.patience().min(left)).await;
        true
    }

    async fn publish_within(&self, wanted: Wanted<'_>, patience: Duration) {
        let failed = match tokio::time::timeout(patience, self.sync(wanted)).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            // If this process held the lease, the lease expires, and the sweep continues from the record.
            Err(_) => {
                self.record_due().await;
                "it took too long".to_owned()
            }
        };
        tracing::warn!(pull_request = %self.at, reason = failed, "pull request not brought up to date; the sweep tries again");
    }

    /// Records that the sweep should publish the pull request.
    async fn record_due(&self) {
        let recorded = self.update(|record| record.due_within(self.now(), RETRY_SECONDS));
        if let Err(error) = recorded.await {
            tracing::warn!(pull_request = %self.at, reason = %error, "pull request not recorded as due");
        }
    }

    /// Brings the pull request up to date.
    async fn sync(&self, mut wanted: Wanted<'_>) -> Result<(), PublishError> {
        for _ in 0..ROUNDS {
            let mut record = self.app.store.published(self.at).await?;
            if let Some(id) = wanted.request {
                record.requests.entry(id.clone()).or_default();
            }
            if record.is_leased(self.now()) {
                record.again = true;
                if self.save(&mut record).await? {
                    return Ok(());
                }
                continue;
            }
            match self.sync_once(record, wanted).await? {
                Round::Done => return Ok(()),
                // The check was sent; only what changed since is still to be sent.
                Round::Again => wanted.resend_check = false,
                Round::Outdated => {}
            }
        }
        Err(PublishError::Busy)
    }

    /// One round: reads what there is to publish, plans what of it is new, and writes that.
    async fn sync_once(&self, stored: Published, wanted: Wanted<'_>) -> Result<Round, PublishError> {
        let known = match self.known(&stored).await {
            Ok(known) => known,
            Err(error) => {
                self.retry_later(stored).await?;
                return Err(error);
            }
        };
        let planner = Planner { published: &stored, known: &known, repository: &self.at.repository, wanted };
        // Until it is known who may read the pull request, everybody may.
        let assumed = stored.public.unwrap_or(true);
        let mut plan = planner.plan(assumed);
        if plan.is_empty() {
            let mut next = self.next_record(stored.clone(), &known.statuses, true);
            if next == stored {
                return Ok(Round::Done);
            }
            return Ok(if self.save(&mut next).await? { Round::Done } else { Round::Outdated });
        }
        let context = match self.publisher.context(self.at).await {
            Ok(context) => context,
            Err(error) => {
                self.retry_later(stored).await?;
                return Err(error.into());
            }
        };
        if context.public != assumed {
            plan = planner.plan(context.public);
        }
        let mut record = Published { public: Some(context.public), again: false, ..stored };
        plan.skip_reviewers(&mut record, &known, &context.requested);
        plan.limit(wanted.pace.writes());

        let now = self.now();
        record.lease = now.checked_add(SignedDuration::from_secs(LEASE_SECONDS)).ok();
        record.due_within(now, LEASE_SECONDS);
        plan.begin(&mut record);
        if !self.save(&mut record).await? {
            return Ok(Round::Outdated);
        }
        let complete = self.write(&plan, &mut record).await;

        record.lease = None;
        self.release(self.next_record(record, &known.statuses, complete)).await
    }

    /// Gives up the lease, and keeps what other processes recorded meanwhile.
    async fn release(&self, mut record: Published) -> Result<Round, PublishError> {
        for _ in 0..ROUNDS {
            let again = std::mem::take(&mut record.again);
            if self.save(&mut record).await? {
                return Ok(if again { Round::Again } else { Round::Done });
            }
            record.again = again;
            record.merge(&self.app.store.published(self.at).await?);
        }
        Err(PublishError::Busy)
    }

    /// Records the requests and that the sweep should try again.
    async fn retry_later(&self, stored: Published) -> Result<(), PublishError> {
        let ids: Vec<RequestId> = stored.requests.into_keys().collect();
        self.update(|record| {
            for id in &ids {
                record.requests.entry(id.clone()).or_default();
            }
            // A date that has passed would make it due again at once.
            record.due_at = None;
            record.due_within(self.now(), RETRY_SECONDS);
        })
        .await
    }

    /// Returns the record after a round, with the date of the next one.
    fn next_record(&self, mut record: Published, statuses: &[RequestStatus], complete: bool) -> Published {
        let now = self.now();
        for status in statuses {
            let kept = record.requests.entry(status.request.id.clone()).or_default();
            kept.head = status.head().cloned();
            if complete {
                kept.version = status.request.version;
                kept.last = statuses::is_final(status, now);
            }
        }
        let order: Vec<RequestId> = statuses.iter().map(|status| status.request.id.clone()).collect();
        record.forget_old(&order);
        let open = record.requests.values().any(|request| !request.last);
        let due = record.due_at.take().filter(|due| *due > now && complete && open);
        if !complete {
            record.due_within(now, RETRY_SECONDS);
        } else if open {
            record.due_within(now, REPUBLISH_SECONDS);
            // An earlier date in the future stays: if nothing is new, the record then need not be saved.
            record.due_at = due.filter(|due| Some(*due) <= record.due_at).or(record.due_at);
        }
        record
    }

    /// Changes the stored record.
    async fn update(&self, change: impl Fn(&mut Published)) -> Result<(), PublishError> {
        for _ in 0..ROUNDS {
            let mut record = self.app.store.published(self.at).await?;
            change(&mut record);
            if self.save(&mut record).await? {
                return Ok(());
            }
        }
        Err(PublishError::Busy)
    }

    /// Stores the record as its next version. Returns `false` if another process stored that version first.
    async fn save(&self, record: &mut Published) -> Result<bool, PublishError> {
        record.version += 1;
        Ok(self.app.store.save_published(self.at, record).await?)
    }
}
