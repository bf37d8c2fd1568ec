//! Requests with their tokens, trails and indexes: one transaction changes all of them or none.

use jiff::Timestamp;
use redb::{Database, ReadTransaction, ReadableDatabase as _, ReadableTable, TableDefinition, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::pull_key;
use super::value::{decode, encode, failed, item_bytes};
use crate::ident::{ExecutionArn, RequestId, TaskToken};
use crate::ports::size::{PART, Transaction};
use crate::ports::{StoreError, Which, Write, WriteError};
use crate::request::record::Record;
use crate::request::{ApprovalRequest, Trail};

/// The token, the open request of a pull request, and the run of an execution.
const OTHER_ITEMS: usize = 3;

/// Requests by id.
const REQUESTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("requests");
/// Task tokens by request id, apart from the requests, so that reading a request never returns a token.
const TOKENS: TableDefinition<'_, &str, &str> = TableDefinition::new("tokens");
/// Records by request and sequence.
const RECORDS: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("records");
/// Open requests by pull request.
const OPEN: TableDefinition<'_, (&str, &str), ()> = TableDefinition::new("open-by-pull-request");
/// Requests that have a due time, by that time in nanoseconds since 1970.
const DUE: TableDefinition<'_, (i128, &str), ()> = TableDefinition::new("due");
/// Requests by execution ([`execution_key`]) and redrive.
const RUNS: TableDefinition<'_, (&str, u32, &str), ()> = TableDefinition::new("runs");

pub(super) fn make_tables(transaction: &WriteTransaction) -> Result<(), StoreError> {
    transaction.open_table(REQUESTS).map_err(failed)?;
    transaction.open_table(TOKENS).map_err(failed)?;
    transaction.open_table(RECORDS).map_err(failed)?;
    transaction.open_table(OPEN).map_err(failed)?;
    transaction.open_table(DUE).map_err(failed)?;
    transaction.open_table(RUNS).map_err(failed)?;
    Ok(())
}

/// A request with the index keys that it was written under. A later version may compute other keys, and must still find
/// these.
#[derive(Serialize, Deserialize)]
struct Row {
    request: ApprovalRequest,
    due_at: Option<Timestamp>,
    open_for: Option<String>,
}

impl Row {
    fn new(request: ApprovalRequest) -> Self {
        let open_for = request.subject.pull_request.as_ref().filter(|_| request.is_open()).map(pull_key);
        Self { due_at: request.due_at(), open_for, request }
    }

    fn decode(id: &str, bytes: &[u8]) -> Result<Self, StoreError> {
        decode(&format!("request `{id}`"), bytes)
    }
}

/// Writes the request, its record and its token if the stored version is the one before.
pub(super) fn write(database: &Database, write: Write) -> Result<(), WriteError> {
    let Write { request, record, token } = write;
    let transaction = database.begin_write().map_err(failed)?;
    let stored = {
        let table = transaction.open_table(REQUESTS).map_err(failed)?;
        let bytes = table.get(request.id.as_str()).map_err(failed)?;
        bytes.map(|bytes| Row::decode(request.id.as_str(), bytes.value())).transpose()?
    };
    // Dropping a transaction aborts it.
    if stored.as_ref().map_or(0, |row| row.request.version).checked_add(1) != Some(request.version) {
        return Err(WriteError::Conflict { stored: stored.map(|row| Box::new(row.request)) });
    }
    let trail = stored.as_ref().map_or_else(Trail::default, |row| row.request.trail.clone());
    continues(&trail, &request, &record)?;
    let row = Row::new(request);
    let (row_bytes, record_bytes) = (encode("request", &row)?, encode("record", &record)?);
    check_size(&row_bytes, &record_bytes)?;
    put_record(&transaction, &record, &record_bytes)?;
    put_indexes(&transaction, stored.as_ref(), &row)?;
    put_row(&transaction, &row.request.id, &row_bytes, token.as_ref())?;
    transaction.commit().map_err(failed)?;
    Ok(())
}

/// Errors unless the record is the next of the stored trail, and the request's trail ends with it.
fn continues(trail: &Trail, request: &ApprovalRequest, record: &Record) -> Result<(), StoreError> {
    let next = trail.length.checked_add(1) == Some(record.sequence);
    let ends = request.trail == Trail { length: record.sequence, hash: record.hash.clone() };
    if record.request_id == request.id && next && ends && record.follows(&trail.hash) {
        return Ok(());
    }
    Err(StoreError { detail: format!("the record does not continue the trail of the request {}", request.id) })
}

/// Errors if the values are too long for one transaction, as on DynamoDB: in items of parts of them, and some for the token
/// and for what refers to the request.
fn check_size(row: &[u8], record: &[u8]) -> Result<(), StoreError> {
    let mut transaction = Transaction::default();
    for (what, bytes) in [("request", row), ("record", record)] {
        for part in bytes.chunks(PART) {
            transaction.add(what, item_bytes(part))?;
        }
    }
    (0..OTHER_ITEMS).try_for_each(|_| transaction.add("request", item_bytes(&[])))
}

fn put_record(transaction: &WriteTransaction, record: &Record, bytes: &[u8]) -> Result<(), StoreError> {
    let mut table = transaction.open_table(RECORDS).map_err(failed)?;
    table.insert((record.request_id.as_str(), record.sequence), bytes).map_err(failed)?;
    Ok(())
}

fn put_indexes(transaction: &WriteTransaction, old: Option<&Row>, new: &Row) -> Result<(), StoreError> {
    let id = new.request.id.as_str();
    let mut open = transaction.open_table(OPEN).map_err(failed)?;
    if let Some(pull) = old.and_then(|row| row.open_for.as_deref()) {
        open.remove((pull, id)).map_err(failed)?;
    }
    if let Some(pull) = new.open_for.as_deref() {
        open.insert((pull, id), ()).map_err(failed)?;
    }
    let mut due = transaction.open_table(DUE).map_err(failed)?;
    if let Some(at) = old.and_then(|row| row.due_at) {
        due.remove((at.as_nanosecond(), id)).map_err(failed)?;
    }
    if let Some(at) = new.due_at {
        due.insert((at.as_nanosecond(), id), ()).map_err(failed)?;
    }
    if old.is_none() {
        let mut runs = transaction.open_table(RUNS).map_err(failed)?;
        let execution = execution_key(&new.request.execution, new.request.started_at);
        runs.insert((execution.as_str(), new.request.redrive, id), ()).map_err(failed)?;
    }
    Ok(())
}

fn put_row(
    transaction: &WriteTransaction,
    id: &RequestId,
    bytes: &[u8],
    token: Option<&TaskToken>,
) -> Result<(), StoreError> {
    let id = id.as_str();
    let mut requests = transaction.open_table(REQUESTS).map_err(failed)?;
    requests.insert(id, bytes).map_err(failed)?;
    if let Some(token) = token {
        let mut tokens = transaction.open_table(TOKENS).map_err(failed)?;
        tokens.insert(id, token.expose()).map_err(failed)?;
    }
    Ok(())
}

pub(super) fn read(database: &Database, id: &RequestId) -> Result<Option<ApprovalRequest>, StoreError> {
    let transaction = database.begin_read().map_err(failed)?;
    let table = transaction.open_table(REQUESTS).map_err(failed)?;
    let bytes = table.get(id.as_str()).map_err(failed)?;
    bytes.map(|bytes| Row::decode(id.as_str(), bytes.value()).map(|row| row.request)).transpose()
}

pub(super) fn token(database: &Database, id: &RequestId) -> Result<Option<TaskToken>, StoreError> {
    let transaction = database.begin_read().map_err(failed)?;
    let table = transaction.open_table(TOKENS).map_err(failed)?;
    let Some(text) = table.get(id.as_str()).map_err(failed)? else { return Ok(None) };
    let damaged = |_| StoreError { detail: format!("the stored task token of the request {id} is damaged") };
    TaskToken::new(text.value()).map(Some).map_err(damaged)
}

pub(super) fn list(database: &Database, which: Which) -> Result<Vec<ApprovalRequest>, StoreError> {
    let transaction = database.begin_read().map_err(failed)?;
    let table = transaction.open_table(REQUESTS).map_err(failed)?;
    let mut requests = Vec::new();
    for entry in table.iter().map_err(failed)? {
        let (id, bytes) = entry.map_err(failed)?;
        let request = match Row::decode(id.value(), bytes.value()) {
            Ok(row) => row.request,
            Err(error) => {
                tracing::error!(request.id = id.value(), reason = %error, "cannot read a stored request");
                continue;
            }
        };
        match which {
            Which::Open if !request.is_open() => {}
            Which::Open | Which::All => requests.push(request),
        }
    }
    requests.sort_by(|a, b| (a.opened_at, &a.id).cmp(&(b.opened_at, &b.id)));
    Ok(requests)
}

pub(super) fn open_for(database: &Database, pull: &str) -> Result<Vec<ApprovalRequest>, StoreError> {
    let transaction = database.begin_read().map_err(failed)?;
    let table = transaction.open_table(OPEN).map_err(failed)?;
    let mut ids = Vec::new();
    for entry in table.range((pull, "")..).map_err(failed)? {
        let (key, _) = entry.map_err(failed)?;
        let (of, id) = key.value();
        if of != pull {
            break;
        }
        ids.push(id.to_owned());
    }
    let mut requests = read_all(&transaction, &ids)?;
    requests.sort_by(|a, b| (a.opened_at, &a.id).cmp(&(b.opened_at, &b.id)));
    Ok(requests)
}

/// The start is in milliseconds since 1970.
fn execution_key(execution: &ExecutionArn, started_at: Timestamp) -> String {
    format!("{execution}#{}", started_at.as_millisecond())
}

pub(super) fn of_execution(
    database: &Database,
    execution: &ExecutionArn,
    started_at: Timestamp,
) -> Result<Vec<ApprovalRequest>, StoreError> {
    let execution = execution_key(execution, started_at);
    let transaction = database.begin_read().map_err(failed)?;
    let table = transaction.open_table(RUNS).map_err(failed)?;
    let mut ids = Vec::new();
    for entry in table.range((execution.as_str(), 0, "")..).map_err(failed)? {
        let (key, _) = entry.map_err(failed)?;
        let (of, _, id) = key.value();
        if of != execution.as_str() {
            break;
        }
        ids.push(id.to_owned());
    }
    // All or nothing: which run is the newest decides what is released.
    let table = transaction.open_table(REQUESTS).map_err(failed)?;
    ids.iter().map(|id| indexed(&table, id)).collect()
}

pub(super) fn due(database: &Database, by: Timestamp) -> Result<Vec<ApprovalRequest>, StoreError> {
    let transaction = database.begin_read().map_err(failed)?;
    let table = transaction.open_table(DUE).map_err(failed)?;
    let mut ids = Vec::new();
    let after = by.as_nanosecond().saturating_add(1);
    for entry in table.range(..(after, "")).map_err(failed)? {
        let (key, _) = entry.map_err(failed)?;
        ids.push(key.value().1.to_owned());
    }
    read_all(&transaction, &ids)
}

/// The requests that an index names, read in the transaction of the index, so that none is missing. Logs and skips one that
/// cannot be read, so that it does not block the others.
fn read_all(transaction: &ReadTransaction, ids: &[String]) -> Result<Vec<ApprovalRequest>, StoreError> {
    let table = transaction.open_table(REQUESTS).map_err(failed)?;
    let mut requests = Vec::with_capacity(ids.len());
    for id in ids {
        match indexed(&table, id) {
            Ok(request) => requests.push(request),
            Err(error) => tracing::error!(request.id = id, reason = %error, "cannot read a stored request"),
        }
    }
    Ok(requests)
}

fn indexed(table: &impl ReadableTable<&'static str, &'static [u8]>, id: &str) -> Result<ApprovalRequest, StoreError> {
    let missing = || StoreError { detail: format!("the request {id} is in an index, but not stored") };
    let bytes = table.get(id).map_err(failed)?.ok_or_else(missing)?;
    Ok(Row::decode(id, bytes.value())?.request)
}

pub(super) fn trail(database: &Database, id: &RequestId) -> Result<Vec<Record>, StoreError> {
    let transaction = database.begin_read().map_err(failed)?;
    let table = transaction.open_table(RECORDS).map_err(failed)?;
    let mut records = Vec::new();
    for entry in table.range((id.as_str(), 0)..=(id.as_str(), u64::MAX)).map_err(failed)? {
        let (_, bytes) = entry.map_err(failed)?;
        records.push(decode(&format!("trail of the request {id}"), bytes.value())?);
    }
    Ok(records)
}
