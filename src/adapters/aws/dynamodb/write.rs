//! Writing a request: the request, its record, its token and the items that refer to it, in one transaction.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    CancellationReason, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use jiff::SignedDuration;

use super::record::items;
use super::request::{OF, REQUEST, TOKEN, execution_key, key, of_item, open_key, part, run_key, token_key};
use super::table::{DUE_PK, DUE_SK};
use super::value::{
    EXPIRES_AT, Item, VERSION, WRITTEN_BY, bytes_of, encode, failed, in_parts, keyed, number, number_of, rejected,
    sortable, text, text_of,
};
use super::{DynamoDbStore, mark, pull_key};
use crate::ident::{RequestId, TaskToken};
use crate::ports::size::Transaction;
use crate::ports::{ProtectedRun, StoreError, Write, WriteError};
use crate::request::record::Record;
use crate::request::{ApprovalRequest, Trail};

/// How often a write that conflicts with another is tried.
const TRIES: u32 = 6;
/// The pause before the second try. It doubles each time.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(20);
/// How long a token is stored after its deadline.
const TOKEN_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The number of records of the stored trail, and the hash of the last.
const TRAIL_LENGTH: &str = "trail_length";
const TRAIL_HASH: &str = "trail_hash";

/// The stored version and trail are those before the write.
const FOLLOWS: &str = "#version = :version AND #length = :length AND #hash = :hash";
const NOTHING: &str = "attribute_not_exists(pk)";

pub(super) async fn write(store: &DynamoDbStore, write: Write) -> Result<(), WriteError> {
    let mark = mark()?;
    let puts = transaction(store, &write, &mark)?;
    let table = &store.table;
    for attempt in 0..TRIES {
        let call = table.client().transact_write_items().set_transact_items(Some(puts.clone()));
        // A retry of the same call gets the answer of the first.
        let Err(error) = call.client_request_token(&mark).send().await else { return Ok(()) };
        let Some(reasons) = canceled(&error) else { return Err(failed(&error).into()) };
        if let Some(stored) = reasons.first().filter(|reason| is(reason, "ConditionalCheckFailed")) {
            return refused(store, &write, stored.item.as_ref(), &mark).await;
        }
        if reasons.iter().any(|reason| is(reason, "ConditionalCheckFailed")) {
            return Err(discontinuous(&write.request.id).into());
        }
        if !reasons.iter().any(|reason| is(reason, "TransactionConflict")) {
            return Err(failed(&error).into());
        }
        pause(attempt).await;
    }
    Err(StoreError { detail: format!("DynamoDB: too many writers of the request {}", write.request.id) }.into())
}

/// Waits while another transaction holds the item.
#[expect(clippy::disallowed_methods, reason = "DynamoDB does not signal when the other has finished")]
async fn pause(attempt: u32) {
    tokio::time::sleep(PAUSE.saturating_mul(1 << attempt.min(5))).await;
}

fn canceled(error: &SdkError<TransactWriteItemsError>) -> Option<&[CancellationReason]> {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => Some(canceled.cancellation_reasons()),
        _ => None,
    }
}

fn is(reason: &CancellationReason, code: &str) -> bool {
    reason.code() == Some(code)
}

/// The result of a write whose condition does not hold.
async fn refused(store: &DynamoDbStore, write: &Write, stored: Option<&Item>, mark: &str) -> Result<(), WriteError> {
    let Some(stored) = stored.filter(|item| !item.is_empty()) else {
        return Err(WriteError::Conflict { stored: None });
    };
    if text_of(stored, WRITTEN_BY) == Some(mark) {
        // An earlier try of this write succeeded, and its answer was lost.
        return Ok(());
    }
    if number_of(stored, VERSION).and_then(|version| version.checked_add(1)) == Some(write.request.version) {
        return Err(discontinuous(&write.request.id).into());
    }
    let request = of_item(&store.table, stored).await?;
    Err(WriteError::Conflict { stored: Some(Box::new(request)) })
}

fn discontinuous(id: &RequestId) -> StoreError {
    StoreError { detail: format!("the record does not continue the trail of the request {id}") }
}

/// The items of the transaction. The request comes first: its condition decides.
fn transaction(store: &DynamoDbStore, write: &Write, mark: &str) -> Result<Vec<TransactWriteItem>, StoreError> {
    let Write { request, record, token } = write;
    if !is_whole(request, record) {
        return Err(discontinuous(&request.id));
    }
    let table = &*store.table.name;
    let expires_at = store.kept_from(request.opened_at);
    let mut all = Vec::new();
    let json = encode("request", request)?;
    let parts = in_parts(&key(&request.id), REQUEST, &part(request.version), &json, expires_at);
    for (at, item) in parts.into_iter().enumerate() {
        all.push(if at == 0 { put_request(table, item, (request, record), mark)? } else { put(table, item, None)? });
    }
    for (at, item) in items(record, expires_at)?.into_iter().enumerate() {
        all.push(put(table, item, (at == 0).then_some(NOTHING))?);
    }
    if let Some(token) = token {
        all.push(put(table, token_item(request, token, expires_at), None)?);
    }
    if let Some(pull) = request.subject.pull_request.as_ref().map(pull_key) {
        let sk = open_key(&request.id);
        if !request.is_open() {
            let delete = Delete::builder().table_name(table).set_key(Some(keyed(&pull, &sk))).build();
            all.push(TransactWriteItem::builder().delete(delete.map_err(rejected)?).build());
        } else if request.version == 1 {
            all.push(put(table, reference(&pull, &sk, request, expires_at), None)?);
        }
    }
    if request.version == 1 {
        let execution = execution_key(&request.execution, request.started_at);
        let run = reference(&execution, &run_key(request.redrive), request, expires_at);
        all.push(put(table, run, None)?);
    }
    check_size(&all)?;
    Ok(all)
}

/// Errors if the transaction is over DynamoDB's limits.
fn check_size(all: &[TransactWriteItem]) -> Result<(), StoreError> {
    let mut transaction = Transaction::default();
    all.iter().try_for_each(|action| {
        let item = action.put().map(Put::item).or_else(|| action.delete().map(Delete::key));
        transaction.add("request", item.map(bytes_of).unwrap_or_default())
    })
}

/// Whether the record belongs to the request, is undamaged, and ends the request's trail.
fn is_whole(request: &ApprovalRequest, record: &Record) -> bool {
    let ends = request.trail == Trail { length: record.sequence, hash: record.hash.clone() };
    record.request_id == request.id && ends && record.follows(&record.previous)
}

fn put(table: &str, item: Item, condition: Option<&str>) -> Result<TransactWriteItem, StoreError> {
    let put = Put::builder().table_name(table).set_item(Some(item));
    let put = put.set_condition_expression(condition.map(str::to_owned)).build().map_err(rejected)?;
    Ok(TransactWriteItem::builder().put(put).build())
}

/// The request's item, on the condition that the stored version is the one before.
fn put_request(
    table: &str,
    mut item: Item,
    (request, record): (&ApprovalRequest, &Record),
    mark: &str,
) -> Result<TransactWriteItem, StoreError> {
    item.insert(VERSION.to_owned(), number(request.version));
    item.insert(TRAIL_LENGTH.to_owned(), number(request.trail.length));
    item.insert(TRAIL_HASH.to_owned(), text(&request.trail.hash));
    item.insert(WRITTEN_BY.to_owned(), text(mark));
    if let Some(due) = request.due_at() {
        item.insert(DUE_PK.to_owned(), text(REQUEST));
        item.insert(DUE_SK.to_owned(), text(format!("{}#{}", sortable(due), request.id)));
    }
    let put = Put::builder()
        .table_name(table)
        .set_item(Some(item))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    let put = match request.version.checked_sub(1).filter(|before| *before > 0) {
        None => put.condition_expression(NOTHING),
        Some(before) => put
            .condition_expression(FOLLOWS)
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_names("#length", TRAIL_LENGTH)
            .expression_attribute_names("#hash", TRAIL_HASH)
            .expression_attribute_values(":version", number(before))
            .expression_attribute_values(":length", number(record.sequence.saturating_sub(1)))
            .expression_attribute_values(":hash", text(&record.previous)),
    };
    Ok(TransactWriteItem::builder().put(put.build().map_err(rejected)?).build())
}

/// The only item with a token. An execution's token is worthless after the deadline. A deployment's is the address of its
/// run, which is needed while an approved deployment is held, so it is stored as long as the request.
fn token_item(request: &ApprovalRequest, token: &TaskToken, kept: i64) -> Item {
    let over = request.deadline.unwrap_or(request.opened_at);
    let expires_at = match ProtectedRun::is(&request.execution) {
        true => kept,
        false => over.saturating_add(TOKEN_KEPT).map_or(i64::MAX, jiff::Timestamp::as_second),
    };
    let mut item = keyed(&token_key(&request.id), TOKEN);
    item.insert("token".to_owned(), text(token.expose()));
    item.insert(EXPIRES_AT.to_owned(), number(expires_at));
    item
}

/// An item that refers to the request.
fn reference(pk: &str, sk: &str, request: &ApprovalRequest, expires_at: i64) -> Item {
    let mut item = keyed(pk, sk);
    item.insert(OF.to_owned(), text(request.id.as_str()));
    item.insert(EXPIRES_AT.to_owned(), number(expires_at));
    item
}
