//! What is published on pull requests, and when each is due to be published again.

use jiff::Timestamp;
use redb::{Database, ReadableDatabase as _, ReadableTable as _, TableDefinition, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::pull_key;
use super::value::{decode, encode, failed, item_bytes};
use crate::ident::{PullRequestRef, RepositoryName, Revision};
use crate::ports::StoreError;
use crate::ports::size::check_item;
use crate::request::published::Published;

/// By the pull request's name in lower case.
const PUBLISHED: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("pages");
/// The keys of [`PUBLISHED`] that have a due time, by that time in nanoseconds since 1970.
const DUE: TableDefinition<'_, (i128, &str), ()> = TableDefinition::new("pages-due");

/// The pull requests whose checks are on a commit, by repository and commit and by number.
const HEADS: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("pages-by-head");

pub(super) fn make_tables(transaction: &WriteTransaction) -> Result<(), StoreError> {
    transaction.open_table(HEADS).map_err(failed)?;
    transaction.open_table(PUBLISHED).map_err(failed)?;
    transaction.open_table(DUE).map_err(failed)?;
    Ok(())
}

/// With the pull request's name as it was written first.
#[derive(Serialize, Deserialize)]
struct Row {
    pull_request: PullRequestRef,
    published: Published,
}

pub(super) fn published(database: &Database, key: &str) -> Result<Published, StoreError> {
    let transaction = database.begin_read().map_err(failed)?;
    let table = transaction.open_table(PUBLISHED).map_err(failed)?;
    let bytes = table.get(key).map_err(failed)?;
    let row: Option<Row> = bytes.map(|bytes| decode(&named(key), bytes.value())).transpose()?;
    Ok(row.map(|row| row.published).unwrap_or_default())
}

/// Writes it if the stored version is the one before.
pub(super) fn save(database: &Database, at: &PullRequestRef, published: &Published) -> Result<bool, StoreError> {
    let key = pull_key(at);
    let transaction = database.begin_write().map_err(failed)?;
    {
        let mut table = transaction.open_table(PUBLISHED).map_err(failed)?;
        let stored: Option<Row> = {
            let bytes = table.get(key.as_str()).map_err(failed)?;
            bytes.map(|bytes| decode(&named(&key), bytes.value())).transpose()?
        };
        let before = stored.as_ref().map_or(0, |row| row.published.version);
        if before.checked_add(1) != Some(published.version) {
            // Dropping a transaction aborts it.
            return Ok(false);
        }
        let mut due = transaction.open_table(DUE).map_err(failed)?;
        if let Some(at) = stored.as_ref().and_then(|row| row.published.due_at) {
            due.remove((at.as_nanosecond(), key.as_str())).map_err(failed)?;
        }
        if let Some(at) = published.due_at {
            due.insert((at.as_nanosecond(), key.as_str()), ()).map_err(failed)?;
        }
        let pull_request = stored.map_or_else(|| at.clone(), |row| row.pull_request);
        let row = Row { pull_request, published: published.clone() };
        let bytes = encode(&named(&key), &row)?;
        check_item(&named(&key), item_bytes(&bytes))?;
        table.insert(key.as_str(), bytes.as_slice()).map_err(failed)?;
    }
    transaction.commit().map_err(failed)?;
    Ok(true)
}

pub(super) fn due(database: &Database, by: Timestamp) -> Result<Vec<PullRequestRef>, StoreError> {
    let transaction = database.begin_read().map_err(failed)?;
    let table = transaction.open_table(DUE).map_err(failed)?;
    let published = transaction.open_table(PUBLISHED).map_err(failed)?;
    let mut due = Vec::new();
    let after = by.as_nanosecond().saturating_add(1);
    for entry in table.range(..(after, "")).map_err(failed)? {
        let (key, _) = entry.map_err(failed)?;
        let key = key.value().1.to_owned();
        let bytes = published.get(key.as_str()).map_err(failed)?;
        match bytes.map(|bytes| decode::<Row>(&named(&key), bytes.value())).transpose() {
            Ok(row) => due.extend(row.map(|row| row.pull_request)),
            // An unreadable row must not block the others.
            Err(error) => tracing::error!(pull_request = key, reason = %error, "cannot read what is published"),
        }
    }
    Ok(due)
}

fn head_key(repository: &RepositoryName, head: &Revision) -> String {
    format!("{}@{head}", repository.as_str().to_ascii_lowercase())
}

pub(super) fn publish_on(database: &Database, at: &PullRequestRef, head: &Revision) -> Result<(), StoreError> {
    let key = head_key(&at.repository, head);
    let transaction = database.begin_write().map_err(failed)?;
    {
        let mut table = transaction.open_table(HEADS).map_err(failed)?;
        table.insert((key.as_str(), at.number), encode(&key, at)?.as_slice()).map_err(failed)?;
    }
    transaction.commit().map_err(failed)?;
    Ok(())
}

pub(super) fn published_on(
    database: &Database,
    repository: &RepositoryName,
    head: &Revision,
) -> Result<Vec<PullRequestRef>, StoreError> {
    let key = head_key(repository, head);
    let transaction = database.begin_read().map_err(failed)?;
    let table = transaction.open_table(HEADS).map_err(failed)?;
    let mut found = Vec::new();
    for entry in table.range((key.as_str(), 0)..=(key.as_str(), u64::MAX)).map_err(failed)? {
        let (_, bytes) = entry.map_err(failed)?;
        found.push(decode(&key, bytes.value())?);
    }
    Ok(found)
}

fn named(key: &str) -> String {
    format!("publication on `{key}`")
}
