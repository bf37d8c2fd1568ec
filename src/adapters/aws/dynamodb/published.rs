//! What is published on pull requests: one item each, written only if nobody else wrote in between.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::table::{DUE_PK, DUE_SK, Table};
use super::value::{BODY, EXPIRES_AT, Item, PK, decode, encode, incomplete, keyed, number, sortable, text, text_of};
use super::{DynamoDbStore, PULL, pull_key};
use crate::ident::{PullRequestRef, RepositoryName, Revision};
use crate::ports::StoreError;
use crate::request::published::Published;

/// The second key of the item, and its first key in the index `due`.
const PUBLISHED: &str = "PAGE";

/// With the pull request's name as it was written last.
#[derive(Serialize, Deserialize)]
struct Row {
    pull_request: PullRequestRef,
    published: Published,
}

fn row(item: &Item) -> Result<Row, StoreError> {
    let what = format!("publication on `{}`", text_of(item, PK).unwrap_or_default());
    decode(&what, text_of(item, BODY).ok_or_else(|| incomplete(&what))?)
}

pub(super) async fn published(table: &Table, at: &PullRequestRef) -> Result<Published, StoreError> {
    match table.get(&pull_key(at), PUBLISHED).await? {
        Some(item) => row(&item).map(|row| row.published),
        None => Ok(Published::default()),
    }
}

pub(super) async fn save(
    store: &DynamoDbStore,
    at: &PullRequestRef,
    published: &Published,
) -> Result<bool, StoreError> {
    let key = pull_key(at);
    let mut item = keyed(&key, PUBLISHED);
    item.insert(
        BODY.to_owned(),
        text(encode("publication", &Row { pull_request: at.clone(), published: published.clone() })?),
    );
    match published.due_at {
        Some(due) => {
            item.insert(DUE_PK.to_owned(), text(PUBLISHED));
            item.insert(DUE_SK.to_owned(), text(format!("{}#{key}", sortable(due))));
        }
        // Nothing on it is open. If the item is deleted, publishing again first looks for what exists on GitHub.
        None => _ = item.insert(EXPIRES_AT.to_owned(), number(store.kept_from_now())),
    }
    store.table.put_version(item, published.version).await
}

/// The first key of the pull requests whose checks are on a commit.
fn head_key(repository: &RepositoryName, head: &Revision) -> String {
    format!("HEAD#{}@{head}", repository.as_str().to_ascii_lowercase())
}

pub(super) async fn publish_on(store: &DynamoDbStore, at: &PullRequestRef, head: &Revision) -> Result<(), StoreError> {
    let mut item = keyed(&head_key(&at.repository, head), &pull_key(at));
    item.insert(BODY.to_owned(), text(encode("pull request of a commit", at)?));
    item.insert(EXPIRES_AT.to_owned(), number(store.kept_from(store.clock.now())));
    store.table.put(item, None).await.map(|_| ())
}

pub(super) async fn published_on(
    table: &Table,
    repository: &RepositoryName,
    head: &Revision,
) -> Result<Vec<PullRequestRef>, StoreError> {
    let mut found: Vec<PullRequestRef> = Vec::new();
    for item in table.query(&head_key(repository, head), PULL).await? {
        let what = format!("pull request of the commit {head}");
        found.push(decode(&what, text_of(&item, BODY).ok_or_else(|| incomplete(&what))?)?);
    }
    found.sort_by_key(|at| at.number);
    Ok(found)
}

pub(super) async fn due(table: &Table, by: Timestamp) -> Result<Vec<PullRequestRef>, StoreError> {
    // `~` sorts after every name.
    let keys = table.due(PUBLISHED, &format!("{}#~", sortable(by))).await?;
    let mut due = BTreeMap::new();
    for item in table.get_all(&keys).await? {
        match row(&item) {
            Ok(Row { pull_request, published }) => {
                if let Some(at) = published.due_at.filter(|at| *at <= by) {
                    due.insert((at, pull_key(&pull_request)), pull_request);
                }
            }
            // An unreadable item must not block the others.
            Err(error) => tracing::error!(reason = %error, "cannot read what is published"),
        }
    }
    Ok(due.into_values().collect())
}
