//! Reading requests: by id, pull request, execution and due time.

use std::collections::BTreeMap;
use std::fmt::Display;

use jiff::Timestamp;

use super::pull_key;
use super::table::Table;
use super::value::{Item, PK, VERSION, decode, incomplete, number_of, sortable, text_of};
use crate::ident::{ExecutionArn, PullRequestRef, RequestId, TaskToken};
use crate::ports::{StoreError, Which};
use crate::request::ApprovalRequest;

/// The second key of a request, and its first key in the index `due`.
pub(super) const REQUEST: &str = "REQUEST";
/// The prefix of the second keys of a request's further items.
const PART: &str = "REQUEST#PART#";
pub(super) const TOKEN: &str = "TOKEN";
/// The prefix of the second key of an open request of a pull request.
const OPEN: &str = "OPEN#";
/// The prefix of the second key of an execution's run.
const RUN: &str = "RUN#";
/// The request that an item refers to.
pub(super) const OF: &str = "request_id";

pub(super) fn key(id: impl Display) -> String {
    format!("{REQUEST}#{id}")
}

pub(super) fn token_key(id: &RequestId) -> String {
    format!("{TOKEN}#{id}")
}

pub(super) fn open_key(id: &RequestId) -> String {
    format!("{OPEN}{id}")
}

/// The start is in milliseconds since 1970.
pub(super) fn execution_key(execution: &ExecutionArn, started_at: Timestamp) -> String {
    format!("EXECUTION#{execution}#{}", started_at.as_millisecond())
}

pub(super) fn run_key(redrive: u32) -> String {
    format!("{RUN}{redrive:010}")
}

/// The prefix of the second keys of further items of this version of a request.
pub(super) fn part(version: u64) -> String {
    format!("{PART}{version:010}#")
}

pub(super) async fn of_item(table: &Table, item: &Item) -> Result<ApprovalRequest, StoreError> {
    let what = text_of(item, PK).unwrap_or(REQUEST).to_owned();
    let version = number_of(item, VERSION).ok_or_else(|| incomplete(&what))?;
    decode(&what, &table.whole(&what, item, &part(version)).await?)
}

pub(super) async fn read(table: &Table, id: &RequestId) -> Result<Option<ApprovalRequest>, StoreError> {
    match table.get(&key(id), REQUEST).await? {
        Some(item) => of_item(table, &item).await.map(Some),
        None => Ok(None),
    }
}

pub(super) async fn token(table: &Table, id: &RequestId) -> Result<Option<TaskToken>, StoreError> {
    let Some(item) = table.get(&token_key(id), TOKEN).await? else { return Ok(None) };
    let damaged = || StoreError { detail: format!("the stored task token of the request {id} is damaged") };
    let token = text_of(&item, "token").and_then(|token| TaskToken::new(token).ok());
    token.map(Some).ok_or_else(damaged)
}

/// The requests of these keys. Skips an unreadable one, so that it does not block the others.
async fn readable(table: &Table, keys: &[(String, String)]) -> Result<Vec<ApprovalRequest>, StoreError> {
    let mut requests = Vec::new();
    for item in table.get_all(keys).await? {
        match of_item(table, &item).await {
            Ok(request) => requests.push(request),
            Err(error) => tracing::error!(reason = %error, "cannot read a stored request"),
        }
    }
    Ok(requests)
}

fn by_age(requests: &mut [ApprovalRequest]) {
    requests.sort_by(|a, b| (a.opened_at, &a.id).cmp(&(b.opened_at, &b.id)));
}

/// The keys of the requests that items refer to.
fn request_keys(items: &[Item]) -> Vec<(String, String)> {
    let ids = items.iter().filter_map(|item| text_of(item, OF));
    ids.map(|id| (key(id), REQUEST.to_owned())).collect()
}

pub(super) async fn open_for(table: &Table, at: &PullRequestRef) -> Result<Vec<ApprovalRequest>, StoreError> {
    let items = table.query(&pull_key(at), OPEN).await?;
    let mut requests = readable(table, &request_keys(&items)).await?;
    // One may have been closed between the two calls.
    requests.retain(ApprovalRequest::is_open);
    by_age(&mut requests);
    Ok(requests)
}

/// All or nothing: which run is the newest decides what is released.
pub(super) async fn of_execution(
    table: &Table,
    of: &ExecutionArn,
    started_at: Timestamp,
) -> Result<Vec<ApprovalRequest>, StoreError> {
    let keys = request_keys(&table.query(&execution_key(of, started_at), RUN).await?);
    let items = table.get_all(&keys).await?;
    if items.len() != keys.len() {
        return Err(StoreError { detail: format!("a request of {of} is missing") });
    }
    let mut requests = Vec::new();
    for item in &items {
        requests.push(of_item(table, item).await?);
    }
    requests.sort_by_key(|request| request.redrive);
    Ok(requests)
}

/// The index may lag, so the due time is read from the table: nobody is notified twice.
pub(super) async fn due(table: &Table, by: Timestamp) -> Result<Vec<ApprovalRequest>, StoreError> {
    // `~` sorts after every id.
    let until = format!("{}#~", sortable(by));
    let keys = table.due(REQUEST, &until).await?;
    let mut due = BTreeMap::new();
    for request in readable(table, &keys).await? {
        if let Some(at) = request.due_at().filter(|at| *at <= by) {
            due.insert((at, request.id.clone()), request);
        }
    }
    Ok(due.into_values().collect())
}

/// Finds open requests by the index `due`, which has every open one, and all requests by scanning the table.
pub(super) async fn list(table: &Table, which: Which) -> Result<Vec<ApprovalRequest>, StoreError> {
    let mut requests = match which {
        Which::Open => {
            let keys = table.due(REQUEST, "~").await?;
            let mut open = readable(table, &keys).await?;
            open.retain(ApprovalRequest::is_open);
            open
        }
        Which::All => readable(table, &table.scan(REQUEST).await?).await?,
    };
    by_age(&mut requests);
    Ok(requests)
}
