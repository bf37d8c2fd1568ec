//! Show: brings the page of a pull request up to date with its requests, once for every change.
//!
//! It comes after whatever was decided, holds nothing up, and its failure is a line in the log: what was not published is
//! owed, and the sweep makes up for it. One at a time writes a page, under a lease that lapses; whoever finds it held
//! leaves word, and the holder looks again. What was put there is kept with a digest, so that nothing is sent twice; what
//! may have been put there without our hearing of it is looked for before it is put again.

mod plan;
mod statuses;
mod write;

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use self::plan::Plan;
use self::statuses::KnownRequest;
use super::{App, ExecutionRef};
use crate::ident::{PullRequestRef, RequestId};
use crate::ports::{Publisher, PublisherError, StoreError};
use crate::request::ApprovalRequest;
use crate::request::published::{LEASE_SECONDS, Published, REPUBLISH_SECONDS};

/// How often it is begun anew, where others write the same page meanwhile.
const ROUNDS: usize = 4;
/// When the sweep looks at a page that could not be written, or not to the end.
const OWED_SECONDS: i64 = 60;

/// How much may be done at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// Somebody waits for an answer.
    Quick,
    /// Nobody does: the sweep.
    Thorough,
}

impl Pace {
    /// How many writes: GitHub takes 80 a minute that make something.
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

/// What is to be published.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// A request that the page may not know of.
    pub(super) also: Option<&'a RequestId>,
    /// Whether its check is written whatever stands there.
    pub(super) anew: bool,
    pub(super) pace: Pace,
}

/// Why a page was not brought up to date.
#[derive(Debug, thiserror::Error)]
enum PublishError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Page(#[from] PublisherError),
    #[error("its facts could not be read: {0}")]
    Facts(String),
    #[error("others write it again and again")]
    Busy,
}

/// Shows a request that has changed, with all others of its pull request.
pub(super) async fn publish_request(app: &App, request: &ApprovalRequest) {
    if let Some(at) = &request.subject.pull_request {
        publish(app, at, Wanted { also: Some(&request.id), anew: false, pace: Pace::Quick }).await;
    }
}

/// Shows the request of an execution that was just opened, with all others of its pull request. Where it is not done, the
/// sweep does it.
pub async fn publish_opened(app: &App, execution: &ExecutionRef) {
    match app.store.request(&execution.request_id()).await {
        Ok(Some(request)) => publish_request(app, &request).await,
        Ok(None) => {}
        Err(error) => {
            tracing::warn!(execution.arn = %execution.arn, reason = %error, "a request was not published yet")
        }
    }
}

/// Brings the page of a pull request up to date.
pub(super) async fn publish(app: &App, at: &PullRequestRef, wanted: Wanted<'_>) {
    publish_within(app, at, wanted, wanted.pace.patience()).await;
}

async fn publish_within(app: &App, at: &PullRequestRef, wanted: Wanted<'_>, patience: Duration) {
    let Some(page) = app.publisher.as_deref() else { return };
    let failed = match tokio::time::timeout(patience, bring(app, page, at, wanted)).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        // Where it holds a lease that lapses, and the sweep goes on from what is written down.
        Err(_) => {
            put_off(app, at).await;
            "it took too long".to_owned()
        }
    };
    tracing::warn!(pull_request = %at, reason = failed, "a page was not brought up to date; the sweep tries again");
}

/// Writes down that a request is to be published, before anything is stored of it: so that a crash loses nothing.
pub(super) async fn owe(app: &App, at: &PullRequestRef, id: &RequestId) {
    if app.publisher.is_none() {
        return;
    }
    let owed = change(app, at, |published| {
        published.requests.entry(id.clone()).or_default();
        published.due_within(app.clock.now(), OWED_SECONDS);
    });
    if let Err(error) = owed.await {
        tracing::warn!(pull_request = %at, request.id = %id, reason = %error, "it was not written down to be published");
    }
}

/// Works pages until the time is over: those of what has changed, then those that are due. One that takes longer is cut
/// short, and none is begun after: they are due, and the next sweep comes to them.
pub(super) async fn publish_until(app: &App, changed: &BTreeSet<PullRequestRef>, until: Instant) {
    if app.publisher.is_none() {
        return;
    }
    for at in changed {
        if !publish_before(app, at, until).await {
            put_off(app, at).await;
        }
    }
    match app.store.publications_due(app.clock.now()).await {
        Ok(due) => {
            for at in due {
                if !publish_before(app, &at, until).await {
                    tracing::warn!("the time is over, and pages are left to the next sweep");
                    break;
                }
            }
        }
        Err(error) => tracing::warn!(reason = %error, "which pages are due is not known"),
    }
}

/// Whether it was begun.
async fn publish_before(app: &App, at: &PullRequestRef, until: Instant) -> bool {
    let left = until.saturating_duration_since(Instant::now());
    let wanted = Wanted { also: None, anew: false, pace: Pace::Thorough };
    if left.is_zero() {
        return false;
    }
    publish_within(app, at, wanted, wanted.pace.patience().min(left)).await;
    true
}

/// Writes down that a page is due.
async fn put_off(app: &App, at: &PullRequestRef) {
    if app.publisher.is_none() {
        return;
    }
    let due = change(app, at, |published| published.due_within(app.clock.now(), OWED_SECONDS));
    if let Err(error) = due.await {
        tracing::warn!(pull_request = %at, reason = %error, "it was not written down that a page is due");
    }
}

/// Changes what is kept of a page, by what is stored now.
async fn change(app: &App, at: &PullRequestRef, change: impl Fn(&mut Published)) -> Result<(), PublishError> {
    for _ in 0..ROUNDS {
        let mut published = app.store.published(at).await?;
        change(&mut published);
        published.version += 1;
        if app.store.save_published(at, &published).await? {
            return Ok(());
        }
    }
    Err(PublishError::Busy)
}

async fn bring(
    app: &App,
    page: &dyn Publisher,
    at: &PullRequestRef,
    mut wanted: Wanted<'_>,
) -> Result<(), PublishError> {
    for _ in 0..ROUNDS {
        let mut published = app.store.published(at).await?;
        if let Some(id) = wanted.also {
            published.requests.entry(id.clone()).or_default();
        }
        if published.is_held(app.clock.now()) {
            published.again = true;
            published.version += 1;
            if app.store.save_published(at, &published).await? {
                return Ok(());
            }
            continue;
        }
        match once(app, page, at, (published, wanted)).await? {
            Outcome::Done => return Ok(()),
            // It was published what there was then; what came since is no longer asked for anew.
            Outcome::Again => wanted.anew = false,
            Outcome::Outdated => {}
        }
    }
    Err(PublishError::Busy)
}

enum Outcome {
    /// The page is up to date, or it is written down that it is not.
    Done,
    /// Something changed meanwhile.
    Again,
    /// Another was faster, and nothing was done.
    Outdated,
}

/// One round: what there is to publish, what of it is new, and the writing of that.
async fn once(
    app: &App,
    page: &dyn Publisher,
    at: &PullRequestRef,
    (stored, wanted): (Published, Wanted<'_>),
) -> Result<Outcome, PublishError> {
    let told = match statuses::read(app, at, &stored).await {
        Ok(told) => told,
        Err(error) => return owed(app, at, stored, error).await,
    };
    // Where it is not known who may read it, everybody may.
    let assumed = stored.public.unwrap_or(true);
    let mut plan = Plan::new(&stored, &told, at, assumed, wanted);
    if plan.is_empty() {
        let mut next = settled(app, stored.clone(), &told.requests, false);
        if next == stored {
            return Ok(Outcome::Done);
        }
        next.version += 1;
        let kept = app.store.save_published(at, &next).await?;
        return Ok(if kept { Outcome::Done } else { Outcome::Outdated });
    }
    let facts = match page.context(at).await {
        Ok(facts) => facts,
        Err(error) => return owed(app, at, stored, error.into()).await,
    };
    if facts.public != assumed {
        plan = Plan::new(&stored, &told, at, facts.public, wanted);
    }
    let mut published = Published { public: Some(facts.public), again: false, ..stored };
    plan.leave_alone(&mut published, &told, &facts.requested);
    plan.limit(wanted.pace.writes());

    let now = app.clock.now();
    published.lease = now.checked_add(jiff::SignedDuration::from_secs(LEASE_SECONDS)).ok();
    published.due_within(now, LEASE_SECONDS);
    plan.begin(&mut published);
    published.version += 1;
    if !app.store.save_published(at, &published).await? {
        return Ok(Outcome::Outdated);
    }
    let complete = write::write(page, at, &plan, &mut published).await;

    published.lease = None;
    finish(app, at, settled(app, published, &told.requests, !complete)).await
}

/// Lets the page go, together with what others wrote down meanwhile.
async fn finish(app: &App, at: &PullRequestRef, mut published: Published) -> Result<Outcome, PublishError> {
    for _ in 0..ROUNDS {
        let again = std::mem::take(&mut published.again);
        published.version += 1;
        if app.store.save_published(at, &published).await? {
            return Ok(if again { Outcome::Again } else { Outcome::Done });
        }
        published.again = again;
        published.join(&app.store.published(at).await?);
    }
    Err(PublishError::Busy)
}

/// Has the sweep try again, and says why.
async fn owed(app: &App, at: &PullRequestRef, stored: Published, error: PublishError) -> Result<Outcome, PublishError> {
    let also: Vec<RequestId> = stored.requests.into_keys().collect();
    change(app, at, |published| {
        for id in &also {
            published.requests.entry(id.clone()).or_default();
        }
        let now = app.clock.now();
        // What is overdue already would be due again at once.
        published.due_at = None;
        published.due_within(now, OWED_SECONDS);
    })
    .await?;
    Err(error)
}

/// What is kept of the page from now on, and when it is looked at next.
fn settled(app: &App, mut published: Published, told: &[KnownRequest], owed: bool) -> Published {
    for one in told {
        let kept = published.requests.entry(one.request.id.clone()).or_default();
        kept.head = one.card().head().cloned();
        if !owed {
            kept.version = one.request.version;
            kept.last = one.is_last(app.clock.now());
        }
    }
    let order: Vec<RequestId> = told.iter().map(|one| one.request.id.clone()).collect();
    published.forget_old(&order);
    let now = app.clock.now();
    let open = published.requests.values().any(|request| !request.last);
    let due = published.due_at.filter(|due| *due > now && !owed && open);
    published.due_at = None;
    if owed {
        published.due_within(now, OWED_SECONDS);
    } else if open {
        published.due_within(now, REPUBLISH_SECONDS);
        // A date that is near enough is kept: with nothing new there is then nothing to write down.
        published.due_at = due.filter(|due| Some(*due) <= published.due_at).or(published.due_at);
    }
    published
}
