//! The store on DynamoDB: one table, every transition of a request one transaction with conditions.
//!
//! | `pk` | `sk` | |
//! |---|---|---|
//! | `REQUEST#<id>` | `REQUEST` | a request, with its version and the end of its trail |
//! | `AUDIT#<id>` | `RECORD#<n>` | its trail |
//! | `TOKEN#<id>` | `TOKEN` | the token that its execution waits with: the only place of one |
//! | `EXECUTION#<arn>` | `RUN#<redrive>` | which request a run made |
//! | `PULL#<pull request>` | `OPEN#<id>` | an open request of it |
//! | | `TOLD#…` | what deliveries told of it, an item for each fact |
//! | | `PAGE` | what is published on it |
//! | `DELIVERY#<id>` | `DELIVERY` | how far a delivery was worked |
//! | `VETO#<target>@<revision>` | `VETO#<user>#<pull request>` | whose request for changes ended a request |
//!
//! What must be found at once, the open requests of a pull request and the runs of an execution, are items that the same
//! transaction writes: an index would lag. What is due may lag by moments: that is an index, `due`, of keys only, in which
//! only what is due some time stands. Both `REQUEST` and `RECORD#<n>` go on in `…#PART#<n>` where they are too long for an
//! item. Knows nothing of what a request's states mean beyond what the request says of itself.

mod observation;
mod published;
mod record;
mod request;
mod table;
mod value;
mod write;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use self::table::Table;
use super::connection::Connection;
use crate::approval::facts::Veto;
use crate::ident::{DeliveryId, ExecutionArn, PullRequestRef, RequestId, Revision, Target, TaskToken};
use crate::ports::{Clock, DeliveryState, RequestStore, StoreError, Which, Write, WriteError};
use crate::request::ApprovalRequest;
use crate::request::observation::{Observation, Observed};
use crate::request::published::Published;
use crate::request::record::Record;

/// How long an execution can live: a year. What it may still need is kept for so long, and the retention begins after.
const LONGEST_EXECUTION: SignedDuration = SignedDuration::from_hours(366 * 24);

/// Who is told of every write that took place.
pub type Watcher = Arc<dyn Fn(&Write) + Send + Sync>;

/// The store in one table. Cheap to clone.
#[derive(Clone)]
pub struct DynamoDbStore {
    table: Table,
    retention: SignedDuration,
    clock: Arc<dyn Clock>,
    watcher: Option<Watcher>,
}

impl DynamoDbStore {
    /// The store in the table of that name. Nothing is sent before it is first asked. What is over is kept for
    /// `retention`; then the table forgets it, some time within days.
    #[must_use]
    pub fn new(connection: Connection, table: &str, retention: SignedDuration, clock: Arc<dyn Clock>) -> Self {
        Self { table: Table::new(connection, table), retention, clock, watcher: None }
    }

    /// The same store, whose every write that took place is told, once.
    #[must_use]
    pub fn watched_by(self, watcher: Watcher) -> Self {
        Self { watcher: Some(watcher), ..self }
    }

    /// When what is written now may be forgotten, in seconds since 1970.
    fn kept_from_now(&self) -> i64 {
        self.clock.now().saturating_add(self.retention).map_or(i64::MAX, Timestamp::as_second)
    }

    /// When a request with all that belongs to it may be forgotten: the same for all of it, so that no trail loses its
    /// beginning before its end.
    fn kept_from(&self, opened_at: Timestamp) -> i64 {
        let kept = LONGEST_EXECUTION.saturating_add(self.retention);
        opened_at.saturating_add(kept).map_or(i64::MAX, Timestamp::as_second)
    }
}

#[async_trait]
impl RequestStore for DynamoDbStore {
    async fn write(&self, write: Write) -> Result<(), WriteError> {
        let watched = self.watcher.clone().map(|watcher| (watcher, write.clone()));
        write::write(self, write).await?;
        if let Some((watcher, written)) = watched {
            watcher(&written);
        }
        Ok(())
    }

    async fn request(&self, id: &RequestId) -> Result<Option<ApprovalRequest>, StoreError> {
        request::read(&self.table, id).await
    }

    async fn token(&self, id: &RequestId) -> Result<Option<TaskToken>, StoreError> {
        request::token(&self.table, id).await
    }

    async fn requests(&self, which: Which) -> Result<Vec<ApprovalRequest>, StoreError> {
        request::list(&self.table, which).await
    }

    async fn open_for(&self, pull_request: &PullRequestRef) -> Result<Vec<ApprovalRequest>, StoreError> {
        request::open_for(&self.table, pull_request).await
    }

    async fn of_execution(&self, execution: &ExecutionArn) -> Result<Vec<ApprovalRequest>, StoreError> {
        request::of_execution(&self.table, execution).await
    }

    async fn due(&self, by: Timestamp) -> Result<Vec<ApprovalRequest>, StoreError> {
        request::due(&self.table, by).await
    }

    async fn trail(&self, id: &RequestId) -> Result<Vec<Record>, StoreError> {
        record::trail(&self.table, id).await
    }

    async fn begin_delivery(&self, id: &DeliveryId, now: Timestamp) -> Result<DeliveryState, StoreError> {
        observation::begin_delivery(self, id, now).await
    }

    async fn finish_delivery(&self, id: &DeliveryId, now: Timestamp) -> Result<(), StoreError> {
        observation::finish_delivery(self, id, now).await
    }

    async fn observe(&self, pull_request: &PullRequestRef, observation: Observation) -> Result<(), StoreError> {
        observation::observe(self, pull_request, observation).await
    }

    async fn observed(&self, pull_request: &PullRequestRef) -> Result<Observed, StoreError> {
        observation::observed(&self.table, pull_request).await
    }

    async fn remember_veto(&self, target: &Target, revision: &Revision, veto: Veto) -> Result<(), StoreError> {
        observation::remember_veto(self, target, revision, veto).await
    }

    async fn vetoes(&self, target: &Target, revision: &Revision) -> Result<Vec<Veto>, StoreError> {
        observation::vetoes(&self.table, target, revision).await
    }

    async fn published(&self, pull_request: &PullRequestRef) -> Result<Published, StoreError> {
        published::published(&self.table, pull_request).await
    }

    async fn save_published(&self, pull_request: &PullRequestRef, published: &Published) -> Result<bool, StoreError> {
        published::remember(self, pull_request, published).await
    }

    async fn publications_due(&self, by: Timestamp) -> Result<Vec<PullRequestRef>, StoreError> {
        published::due(&self.table, by).await
    }
}

/// A pull request as a key: repositories compare without case.
fn pull_key(pull_request: &PullRequestRef) -> String {
    format!("PULL#{}", pull_request.to_string().to_ascii_lowercase())
}

/// A text that marks one attempt at a write, so that whoever repeats it recognises its own: an answer may be lost.
fn mark() -> Result<String, StoreError> {
    let mut random = [0_u8; 16];
    getrandom::fill(&mut random).map_err(|_| StoreError { detail: "no random number is to be had".to_owned() })?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}
