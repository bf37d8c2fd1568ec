//! The store on DynamoDB: one table, every transition of a request one transaction with conditions.
//!
//! | `pk` | `sk` | |
//! |---|---|---|
//! | `REQUEST#<id>` | `REQUEST` | a request, with its version and the end of its trail |
//! | `AUDIT#<id>` | `RECORD#<n>` | its trail |
//! | `TOKEN#<id>` | `TOKEN` | the token that its execution waits with, which is nowhere else |
//! | `EXECUTION#<arn>#<start>` | `RUN#<redrive>` | the request of a run |
//! | `PULL#<pull request>` | `OPEN#<id>` | an open request of it |
//! | | `OBSERVATION#…` | observations of it, an item for each |
//! | | `PAGE` | what is published on it |
//! | | `READING` | the turns of deliveries at reading it |
//! | `HEAD#<repository>@<commit>` | `PULL#<pull request>` | that checks of it are published on the commit |
//! | `DELIVERY#<id>` | `DELIVERY` | whether a delivery was processed |
//! | `VETO#<revision>` | `VETO#<user>#<pull request>` | a request for changes to a commit |
//!
//! Names that compare without case are in lower case in keys: targets and pull requests.
//!
//! The open requests of a pull request and the runs of an execution must be found immediately. An index would lag, so the
//! same transaction writes items for them. What is due may lag by moments: the index `due` holds the keys of items with a
//! due time. If `REQUEST` or `RECORD#<n>` is too long for an item, it continues in `…#PART#<n>`.

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
use crate::ident::{DeliveryId, ExecutionArn, PullRequestRef, RepositoryName, RequestId, Revision, TaskToken};
use crate::ports::{Clock, DeliveryState, RequestStore, StoreError, Which, Write, WriteError};
use crate::request::ApprovalRequest;
use crate::request::observation::{Observation, Observed};
use crate::request::published::Published;
use crate::request::record::Record;
use crate::request::turns::Turns;

/// An execution can live for a year. The retention begins after that.
const LONGEST_EXECUTION: SignedDuration = SignedDuration::from_hours(366 * 24);

/// Called after every successful write.
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
    /// Sends nothing before the first call. The table deletes finished items within days after `retention`.
    #[must_use]
    pub fn new(connection: Connection, table: &str, retention: SignedDuration, clock: Arc<dyn Clock>) -> Self {
        Self { table: Table::new(connection, table), retention, clock, watcher: None }
    }

    /// Calls `watcher` once after every successful write.
    #[must_use]
    pub fn watched_by(self, watcher: Watcher) -> Self {
        Self { watcher: Some(watcher), ..self }
    }

    /// When an item written now may be deleted, in seconds since 1970.
    fn kept_from_now(&self) -> i64 {
        self.clock.now().saturating_add(self.retention).map_or(i64::MAX, Timestamp::as_second)
    }

    /// When all items of a request may be deleted. It is the same for all, so that no trail loses its beginning first.
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

    async fn of_execution(
        &self,
        execution: &ExecutionArn,
        started_at: Timestamp,
    ) -> Result<Vec<ApprovalRequest>, StoreError> {
        request::of_execution(&self.table, execution, started_at).await
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

    async fn remember_veto(&self, revision: &Revision, veto: Veto) -> Result<(), StoreError> {
        observation::remember_veto(self, revision, veto).await
    }

    async fn vetoes(&self, revision: &Revision) -> Result<Vec<Veto>, StoreError> {
        observation::vetoes(&self.table, revision).await
    }

    async fn published(&self, pull_request: &PullRequestRef) -> Result<Published, StoreError> {
        published::published(&self.table, pull_request).await
    }

    async fn save_published(&self, pull_request: &PullRequestRef, published: &Published) -> Result<bool, StoreError> {
        published::save(self, pull_request, published).await
    }

    async fn publish_on(&self, pull_request: &PullRequestRef, head: &Revision) -> Result<(), StoreError> {
        published::publish_on(self, pull_request, head).await
    }

    async fn published_on(
        &self,
        repository: &RepositoryName,
        head: &Revision,
    ) -> Result<Vec<PullRequestRef>, StoreError> {
        published::published_on(&self.table, repository, head).await
    }

    async fn turns(&self, pull_request: &PullRequestRef) -> Result<Turns, StoreError> {
        observation::turns(&self.table, pull_request).await
    }

    async fn save_turns(&self, pull_request: &PullRequestRef, turns: &Turns) -> Result<bool, StoreError> {
        observation::save_turns(self, pull_request, turns).await
    }

    async fn publications_due(&self, by: Timestamp) -> Result<Vec<PullRequestRef>, StoreError> {
        published::due(&self.table, by).await
    }
}

const PULL: &str = "PULL#";

/// A pull request as a key. Repositories compare without case.
fn pull_key(pull_request: &PullRequestRef) -> String {
    format!("{PULL}{}", pull_request.to_string().to_ascii_lowercase())
}

/// A random mark of one write. A retry after a lost answer recognizes its own write by it.
fn mark() -> Result<String, StoreError> {
    let mut random = [0_u8; 16];
    getrandom::fill(&mut random).map_err(|_| StoreError { detail: "cannot get a random number".to_owned() })?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}
