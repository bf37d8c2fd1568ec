//! The database: every record as JSON under its own key, one transaction for each change. What was committed survives a
//! killed process.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use redb::backends::InMemoryBackend;
use redb::{Database, ReadableDatabase as _, ReadableTable as _, TableDefinition};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::delivery::Delivery;
use super::published::{CheckRun, Comment, Deployment};
use super::pull::PullRequest;
use super::world::{Account, PullKey, Repository, Team, World};
use crate::ident::{TeamSlug, UserId};

const RECORDS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("records");
const FILE: &str = "simulator.redb";
const SETTINGS: &str = "settings/";

#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    #[error("cannot create the folder for the database: {0}")]
    Folder(#[from] std::io::Error),
    #[error("the database failed: {0}")]
    Database(#[source] Box<redb::Error>),
    /// A record cannot be read. The simulator does not start with a part of its state.
    #[error("the record `{key}` is damaged: {source}")]
    Damaged { key: String, source: serde_json::Error },
}

fn failed(error: impl Into<redb::Error>) -> StorageError {
    StorageError::Database(Box::new(error.into()))
}

/// A key and its new record. `None` removes it.
type Write = (String, Option<Vec<u8>>);

#[derive(Debug)]
pub(super) struct Storage {
    database: Database,
}

impl Storage {
    /// Opens the database in `folder`. Creates both if missing.
    #[expect(clippy::disallowed_methods, reason = "the adapter of the file system makes its folder")]
    pub(super) fn open(folder: &Path) -> Result<Self, StorageError> {
        std::fs::create_dir_all(folder)?;
        let database = Database::create(folder.join(FILE)).map_err(failed)?;
        Ok(Self { database })
    }

    pub(super) fn in_memory() -> Result<Self, StorageError> {
        let backend = InMemoryBackend::new();
        let database = Database::builder().create_with_backend(backend).map_err(failed)?;
        Ok(Self { database })
    }

    pub(super) fn load(&self) -> Result<World, StorageError> {
        let mut world = World::default();
        for (key, bytes) in self.records()? {
            let damaged = |source| StorageError::Damaged { key: key.clone(), source };
            place(&mut world, &key, &bytes).map_err(damaged)?;
        }
        Ok(world)
    }

    fn records(&self) -> Result<Vec<(String, Vec<u8>)>, StorageError> {
        let transaction = self.database.begin_read().map_err(failed)?;
        let table = match transaction.open_table(RECORDS) {
            Ok(table) => table,
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut records = Vec::new();
        for record in table.iter().map_err(failed)? {
            let (key, value) = record.map_err(failed)?;
            records.push((key.value().to_owned(), value.value().to_owned()));
        }
        Ok(records)
    }

    /// Writes the differences of `new` from `old`, all or none.
    pub(super) fn commit(&self, old: &World, new: &World) -> Result<(), StorageError> {
        let writes = differences(old, new)?;
        if writes.is_empty() {
            return Ok(());
        }
        self.write(&writes)
    }

    fn write(&self, writes: &[Write]) -> Result<(), StorageError> {
        let transaction = self.database.begin_write().map_err(failed)?;
        {
            let mut table = transaction.open_table(RECORDS).map_err(failed)?;
            for (key, bytes) in writes {
                match bytes {
                    Some(bytes) => table.insert(key.as_str(), bytes.as_slice()).map_err(failed)?,
                    None => table.remove(key.as_str()).map_err(failed)?,
                };
            }
        }
        transaction.commit().map_err(failed)
    }
}

/// Writes a record's key so that the database sorts records as `World` does.
trait Key: Ord {
    fn text(&self) -> String;
}

impl Key for u64 {
    fn text(&self) -> String {
        format!("{self:020}")
    }
}

impl Key for UserId {
    fn text(&self) -> String {
        self.0.text()
    }
}

impl Key for TeamSlug {
    fn text(&self) -> String {
        self.to_string()
    }
}

impl Key for PullKey {
    fn text(&self) -> String {
        format!("{}/{}", self.0.text(), self.1.text())
    }
}

fn place(world: &mut World, key: &str, bytes: &[u8]) -> Result<(), serde_json::Error> {
    fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<Arc<T>, serde_json::Error> {
        serde_json::from_slice(bytes).map(Arc::new)
    }
    let unknown = || <serde_json::Error as serde::de::Error>::custom("unknown kind of record");
    match key.split_once('/').map(|(kind, _)| kind) {
        Some("settings") => world.settings = read(bytes)?,
        Some("account") => {
            let account = read::<Account>(bytes)?;
            world.accounts.insert(account.id, account);
        }
        Some("team") => {
            let team = read::<Team>(bytes)?;
            world.teams.insert(team.slug.clone(), team);
        }
        Some("repository") => {
            let repository = read::<Repository>(bytes)?;
            world.repositories.insert(repository.id, repository);
        }
        Some("pull") => {
            let pull = read::<PullRequest>(bytes)?;
            world.pulls.insert((pull.repository, pull.number), pull);
        }
        Some("delivery") => {
            let delivery = read::<Delivery>(bytes)?;
            world.deliveries.insert(delivery.id, delivery);
        }
        Some("check") => {
            let run = read::<CheckRun>(bytes)?;
            world.checks.insert(run.id, run);
        }
        Some("comment") => {
            let comment = read::<Comment>(bytes)?;
            world.comments.insert(comment.id, comment);
        }
        Some("deployment") => {
            let deployment = read::<Deployment>(bytes)?;
            world.deployments.insert(deployment.id, deployment);
        }
        Some(_) | None => return Err(unknown()),
    }
    Ok(())
}

fn differences(old: &World, new: &World) -> Result<Vec<Write>, StorageError> {
    let mut writes = Vec::new();
    if !Arc::ptr_eq(&old.settings, &new.settings) {
        writes.push((SETTINGS.to_owned(), Some(encode(SETTINGS, &*new.settings)?)));
    }
    compare(&mut writes, "account", &old.accounts, &new.accounts)?;
    compare(&mut writes, "team", &old.teams, &new.teams)?;
    compare(&mut writes, "repository", &old.repositories, &new.repositories)?;
    compare(&mut writes, "pull", &old.pulls, &new.pulls)?;
    compare(&mut writes, "delivery", &old.deliveries, &new.deliveries)?;
    compare(&mut writes, "check", &old.checks, &new.checks)?;
    compare(&mut writes, "comment", &old.comments, &new.comments)?;
    compare(&mut writes, "deployment", &old.deployments, &new.deployments)?;
    Ok(writes)
}

/// Records are copied on write, so a shared record has not changed.
fn compare<K: Key, T: Serialize>(
    writes: &mut Vec<Write>,
    kind: &str,
    old: &BTreeMap<K, Arc<T>>,
    new: &BTreeMap<K, Arc<T>>,
) -> Result<(), StorageError> {
    for (key, record) in new {
        if !old.get(key).is_some_and(|before| Arc::ptr_eq(before, record)) {
            let key = format!("{kind}/{}", key.text());
            let bytes = encode(&key, &**record)?;
            writes.push((key, Some(bytes)));
        }
    }
    let removed = old.keys().filter(|key| !new.contains_key(key));
    writes.extend(removed.map(|key| (format!("{kind}/{}", key.text()), None)));
    Ok(())
}

fn encode<T: Serialize>(key: &str, record: &T) -> Result<Vec<u8>, StorageError> {
    serde_json::to_vec(record).map_err(|source| StorageError::Damaged { key: key.to_owned(), source })
}
