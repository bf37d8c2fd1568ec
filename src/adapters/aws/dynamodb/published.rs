//! What pull requests show: one item each, written by who knows its last version.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::request::VERSION;
use super::table::{Condition, DUE_PK, DUE_SK, Table};
use super::value::{
    BODY, EXPIRES_AT, Item, PK, WRITTEN_BY, decode, encode, incomplete, keyed, number, sortable, text, text_of,
};
use super::{DynamoDbStore, mark, pull_key};
use crate::ident::PullRequestRef;
use crate::ports::StoreError;
use crate::request::published::Published;

/// The second key of a page, and the first of the index of what is due.
const PAGE: &str = "PAGE";

/// A page with the name that it was last written under.
#[derive(Serialize, Deserialize)]
struct Row {
    pull_request: PullRequestRef,
    published: Published,
}

fn row(item: &Item) -> Result<Row, StoreError> {
    let what = format!("page of `{}`", text_of(item, PK).unwrap_or_default());
    decode(&what, text_of(item, BODY).ok_or_else(|| incomplete(&what))?)
}

pub(super) async fn published(table: &Table, at: &PullRequestRef) -> Result<Published, StoreError> {
    match table.get(&pull_key(at), PAGE).await? {
        Some(item) => row(&item).map(|row| row.published),
        None => Ok(Published::default()),
    }
}

pub(super) async fn remember(
    store: &DynamoDbStore,
    at: &PullRequestRef,
    published: &Published,
) -> Result<bool, StoreError> {
    let mark = mark()?;
    let key = pull_key(at);
    let mut item = keyed(&key, PAGE);
    item.insert(
        BODY.to_owned(),
        text(encode("page", &Row { pull_request: at.clone(), published: published.clone() })?),
    );
    item.insert(VERSION.to_owned(), number(published.version));
    item.insert(WRITTEN_BY.to_owned(), text(&mark));
    match published.due_at {
        Some(due) => {
            item.insert(DUE_PK.to_owned(), text(PAGE));
            item.insert(DUE_SK.to_owned(), text(format!("{}#{key}", sortable(due))));
        }
        // Nothing of it is open any more: made again, it would only be looked for on the page first.
        None => _ = item.insert(EXPIRES_AT.to_owned(), number(store.kept_from_now())),
    }
    let condition = match published.version.checked_sub(1).filter(|before| *before > 0) {
        None => Condition::new_item(),
        Some(before) => Condition {
            expression: "#version = :before".to_owned(),
            names: vec![("#version", VERSION)],
            values: vec![(":before", number(before))],
        },
    };
    let stored = store.table.put(item, Some(condition)).await?;
    // A repetition of this very write finds what it wrote itself.
    Ok(stored.map_or_else(|stored| text_of(&stored, WRITTEN_BY) == Some(&mark), |()| true))
}

pub(super) async fn due(table: &Table, by: Timestamp) -> Result<Vec<PullRequestRef>, StoreError> {
    // Behind every name of that instant.
    let keys = table.due(PAGE, &format!("{}#~", sortable(by))).await?;
    let mut due = BTreeMap::new();
    for item in table.get_all(&keys).await? {
        match row(&item) {
            Ok(Row { pull_request, published }) => {
                if let Some(at) = published.due_at.filter(|at| *at <= by) {
                    due.insert((at, pull_key(&pull_request)), pull_request);
                }
            }
            // One that cannot be read must not hold up all others.
            Err(error) => tracing::error!(reason = %error, "a stored page cannot be read"),
        }
    }
    Ok(due.into_values().collect())
}
