//! The store on this machine: requests, their trails and tokens, and observations, in one file.
//!
//! A write is one transaction, and on disk when it returns (redb's durability `Immediate`). A killed process leaves all of
//! it or nothing. Nothing is deleted yet: deliveries and vetoes are stored with their times for a later retention.
//!
//! | part | |
//! |---|---|
//! | here | the port, and the threads that wait for the disk |
//! | `request` | requests, tokens, trails and their indexes |
//! | `observation` | deliveries, observations, vetoes, turns at reading |
//! | `published` | what is published on pull requests |
//! | `value` | values as JSON, failures as [`StoreError`] |

mod observation;
mod published;
mod request;
mod value;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use redb::backends::InMemoryBackend;
use redb::{Database, ReadableTable as _, TableDefinition};

use self::value::failed;
use crate::approval::facts::Veto;
use crate::ident::{DeliveryId, ExecutionArn, PullRequestRef, RepositoryName, RequestId, Revision, TaskToken};
use crate::ports::{DeliveryState, RequestStore, StoreError, Which, Write, WriteError};
use crate::request::ApprovalRequest;
use crate::request::observation::{Observation, Observed};
use crate::request::published::Published;
use crate::request::record::Record;
use crate::request::turns::Turns;

const FILE: &str = "requests.redb";
/// The version of the file's layout, so that another one is not read as this one.
const LAYOUT: u32 = 1;
const ABOUT: TableDefinition<'_, &str, u32> = TableDefinition::new("about");

/// The store in a file or in memory. Cheap to clone: all clones share one database.
#[derive(Debug, Clone)]
pub struct EmbeddedStore {
    database: Arc<Database>,
}

impl EmbeddedStore {
    /// Opens `requests.redb` in `folder`. Creates both if missing.
    ///
    /// # Errors
    /// The folder or the file cannot be created or read, is open in another process, or has another layout.
    #[expect(clippy::disallowed_methods, reason = "the adapter of the file system makes its folder")]
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        std::fs::create_dir_all(folder)
            .map_err(|error| StoreError { detail: format!("cannot create the folder for the store: {error}") })?;
        Self::on(Database::create(folder.join(FILE)).map_err(failed)?)
    }

    /// Keeps the database in memory, until the last clone is dropped.
    ///
    /// # Errors
    /// As [`EmbeddedStore::open`].
    pub fn in_memory() -> Result<Self, StoreError> {
        Self::on(Database::builder().create_with_backend(InMemoryBackend::new()).map_err(failed)?)
    }

    /// Creates every table, so that no read finds one missing.
    fn on(database: Database) -> Result<Self, StoreError> {
        let transaction = database.begin_write().map_err(failed)?;
        let layout = {
            let mut about = transaction.open_table(ABOUT).map_err(failed)?;
            let stored = about.get("layout").map_err(failed)?.map(|layout| layout.value());
            if stored.is_none() {
                about.insert("layout", LAYOUT).map_err(failed)?;
            }
            stored.unwrap_or(LAYOUT)
        };
        if layout != LAYOUT {
            return Err(StoreError {
                detail: format!("`{FILE}` has the layout {layout}, and this engine reads {LAYOUT}"),
            });
        }
        request::make_tables(&transaction)?;
        observation::make_tables(&transaction)?;
        published::make_tables(&transaction)?;
        transaction.commit().map_err(failed)?;
        Ok(Self { database: Arc::new(database) })
    }

    /// Does the work on a thread that may block: a commit waits for the disk, and only one transaction writes at a time. The
    /// work completes even if the caller is dropped meanwhile.
    async fn work<T, E>(&self, work: impl FnOnce(&Database) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let database = Arc::clone(&self.database);
        match tokio::task::spawn_blocking(move || work(&database)).await {
            Ok(done) => done,
            Err(_) => Err(StoreError { detail: "the work on the store was aborted".to_owned() }.into()),
        }
    }
}

#[async_trait]
impl RequestStore for EmbeddedStore {
    async fn write(&self, write: Write) -> Result<(), WriteError> {
        self.work(move |database| request::write(database, write)).await
    }

    async fn request(&self, id: &RequestId) -> Result<Option<ApprovalRequest>, StoreError> {
        let id = id.clone();
        self.work(move |database| request::read(database, &id)).await
    }

    async fn token(&self, id: &RequestId) -> Result<Option<TaskToken>, StoreError> {
        let id = id.clone();
        self.work(move |database| request::token(database, &id)).await
    }

    async fn requests(&self, which: Which) -> Result<Vec<ApprovalRequest>, StoreError> {
        self.work(move |database| request::list(database, which)).await
    }

    async fn open_for(&self, pull_request: &PullRequestRef) -> Result<Vec<ApprovalRequest>, StoreError> {
        let key = pull_key(pull_request);
        self.work(move |database| request::open_for(database, &key)).await
    }

    async fn of_execution(
        &self,
        execution: &ExecutionArn,
        started_at: Timestamp,
    ) -> Result<Vec<ApprovalRequest>, StoreError> {
        let execution = execution.clone();
        self.work(move |database| request::of_execution(database, &execution, started_at)).await
    }

    async fn due(&self, by: Timestamp) -> Result<Vec<ApprovalRequest>, StoreError> {
        self.work(move |database| request::due(database, by)).await
    }

    async fn trail(&self, id: &RequestId) -> Result<Vec<Record>, StoreError> {
        let id = id.clone();
        self.work(move |database| request::trail(database, &id)).await
    }

    async fn begin_delivery(&self, id: &DeliveryId, now: Timestamp) -> Result<DeliveryState, StoreError> {
        let id = id.clone();
        self.work(move |database| observation::begin_delivery(database, &id, now)).await
    }

    async fn finish_delivery(&self, id: &DeliveryId, now: Timestamp) -> Result<(), StoreError> {
        let id = id.clone();
        self.work(move |database| observation::finish_delivery(database, &id, now)).await
    }

    async fn observe(&self, pull_request: &PullRequestRef, observation: Observation) -> Result<(), StoreError> {
        let key = pull_key(pull_request);
        self.work(move |database| observation::observe(database, &key, observation)).await
    }

    async fn observed(&self, pull_request: &PullRequestRef) -> Result<Observed, StoreError> {
        let key = pull_key(pull_request);
        self.work(move |database| observation::observed(database, &key)).await
    }

    async fn remember_veto(&self, revision: &Revision, veto: Veto) -> Result<(), StoreError> {
        let revision = revision.clone();
        self.work(move |database| observation::remember_veto(database, &revision, veto)).await
    }

    async fn vetoes(&self, revision: &Revision) -> Result<Vec<Veto>, StoreError> {
        let revision = revision.clone();
        self.work(move |database| observation::vetoes(database, &revision)).await
    }

    async fn published(&self, pull_request: &PullRequestRef) -> Result<Published, StoreError> {
        let key = pull_key(pull_request);
        self.work(move |database| published::published(database, &key)).await
    }

    async fn save_published(&self, pull_request: &PullRequestRef, published: &Published) -> Result<bool, StoreError> {
        let (pull_request, published) = (pull_request.clone(), published.clone());
        self.work(move |database| published::save(database, &pull_request, &published)).await
    }

    async fn publish_on(&self, pull_request: &PullRequestRef, head: &Revision) -> Result<(), StoreError> {
        let (at, head) = (pull_request.clone(), head.clone());
        self.work(move |database| published::publish_on(database, &at, &head)).await
    }

    async fn published_on(
        &self,
        repository: &RepositoryName,
        head: &Revision,
    ) -> Result<Vec<PullRequestRef>, StoreError> {
        let (repository, head) = (repository.clone(), head.clone());
        self.work(move |database| published::published_on(database, &repository, &head)).await
    }

    async fn turns(&self, pull_request: &PullRequestRef) -> Result<Turns, StoreError> {
        let key = pull_key(pull_request);
        self.work(move |database| observation::turns(database, &key)).await
    }

    async fn save_turns(&self, pull_request: &PullRequestRef, turns: &Turns) -> Result<bool, StoreError> {
        let (key, turns) = (pull_key(pull_request), turns.clone());
        self.work(move |database| observation::save_turns(database, &key, turns)).await
    }

    async fn publications_due(&self, by: Timestamp) -> Result<Vec<PullRequestRef>, StoreError> {
        self.work(move |database| published::due(database, by)).await
    }
}

/// A pull request as a key. Repositories compare without case.
fn pull_key(pull_request: &PullRequestRef) -> String {
    pull_request.to_string().to_ascii_lowercase()
}
