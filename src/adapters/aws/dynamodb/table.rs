//! One table, and the calls to it. Reads are consistent, and follow pages to the end.

use std::sync::{Arc, OnceLock};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, ReturnValuesOnConditionCheckFailure};

use super::super::connection::Connection;
use super::mark;
use super::value::{
    BODY, Item, PARTS, PK, SK, VERSION, WRITTEN_BY, bytes_of, failed, incomplete, keyed, number, number_of, rejected,
    text, text_of,
};
use crate::ports::StoreError;
use crate::ports::size::check_item;

/// The most items that one call reads by their keys.
const BATCH: usize = 100;
/// How often the keys that a call left out are read again.
const ROUNDS: usize = 8;
/// The index of the items that have a due time.
const DUE_INDEX: &str = "due";
pub(super) const DUE_PK: &str = "due_pk";
pub(super) const DUE_SK: &str = "due_sk";

/// A table. The client is created with the first call.
#[derive(Clone)]
pub(super) struct Table {
    pub(super) name: Arc<str>,
    connection: Connection,
    client: Arc<OnceLock<Client>>,
}

/// A condition on the stored item.
pub(super) struct Condition {
    pub(super) expression: String,
    pub(super) names: Vec<(&'static str, &'static str)>,
    pub(super) values: Vec<(&'static str, AttributeValue)>,
}

impl Condition {
    /// Nothing is stored under the key.
    pub(super) fn new_item() -> Self {
        Self { expression: "attribute_not_exists(pk)".to_owned(), names: Vec::new(), values: Vec::new() }
    }
}

impl Table {
    pub(super) fn new(connection: Connection, name: &str) -> Self {
        Self { name: name.into(), connection, client: Arc::default() }
    }

    pub(super) fn client(&self) -> &Client {
        self.client.get_or_init(|| self.connection.dynamodb())
    }

    pub(super) async fn get(&self, pk: &str, sk: &str) -> Result<Option<Item>, StoreError> {
        let call = self.client().get_item().table_name(&*self.name).set_key(Some(keyed(pk, sk))).consistent_read(true);
        Ok(call.send().await.map_err(|error| failed(&error))?.item)
    }

    /// All items of a key whose second key has the prefix, ordered by the second key.
    pub(super) async fn query(&self, pk: &str, begins: &str) -> Result<Vec<Item>, StoreError> {
        let pages = self
            .client()
            .query()
            .table_name(&*self.name)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
            .expression_attribute_values(":pk", text(pk))
            .expression_attribute_values(":sk", text(begins))
            .into_paginator()
            .items();
        pages.send().collect::<Result<_, _>>().await.map_err(|error| failed(&error))
    }

    /// The keys of the items due by then, the earliest first. The index lags behind the table by moments.
    pub(super) async fn due(&self, what: &str, until: &str) -> Result<Vec<(String, String)>, StoreError> {
        let pages = self
            .client()
            .query()
            .table_name(&*self.name)
            .index_name(DUE_INDEX)
            .key_condition_expression("due_pk = :what AND due_sk <= :until")
            .expression_attribute_values(":what", text(what))
            .expression_attribute_values(":until", text(until))
            .into_paginator()
            .items();
        let items: Result<Vec<Item>, _> = pages.send().collect().await;
        Ok(keys_of(&items.map_err(|error| failed(&error))?))
    }

    /// The keys of all items with that second key. It scans the whole table, which no function is permitted to do.
    pub(super) async fn scan(&self, sk: &str) -> Result<Vec<(String, String)>, StoreError> {
        let pages = self
            .client()
            .scan()
            .table_name(&*self.name)
            .consistent_read(true)
            .filter_expression("sk = :sk")
            .projection_expression("pk, sk")
            .expression_attribute_values(":sk", text(sk))
            .into_paginator()
            .items();
        let items: Result<Vec<Item>, _> = pages.send().collect().await;
        Ok(keys_of(&items.map_err(|error| failed(&error))?))
    }

    /// The existing items of these keys, in no order.
    pub(super) async fn get_all(&self, keys: &[(String, String)]) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        for keys in keys.chunks(BATCH) {
            let mut left: Vec<Item> = keys.iter().map(|(pk, sk)| keyed(pk, sk)).collect();
            for _ in 0..ROUNDS {
                if left.is_empty() {
                    break;
                }
                let of_table = KeysAndAttributes::builder().set_keys(Some(left)).consistent_read(true).build();
                let call = self.client().batch_get_item().request_items(&*self.name, of_table.map_err(rejected)?);
                let answer = call.send().await.map_err(|error| failed(&error))?;
                items.extend(answer.responses.into_iter().flat_map(|mut all| all.remove(&*self.name)).flatten());
                let unprocessed = answer.unprocessed_keys.and_then(|mut all| all.remove(&*self.name));
                left = unprocessed.map(|keys| keys.keys).unwrap_or_default();
            }
            if !left.is_empty() {
                return Err(StoreError { detail: "DynamoDB: too busy to read all requested items".to_owned() });
            }
        }
        Ok(items)
    }

    /// Puts an item if the condition holds, and otherwise returns the stored item.
    pub(super) async fn put(&self, item: Item, condition: Option<Condition>) -> Result<Result<(), Item>, StoreError> {
        check_item(text_of(&item, PK).unwrap_or("item"), bytes_of(&item))?;
        let mut call = self.client().put_item().table_name(&*self.name).set_item(Some(item));
        if let Some(condition) = condition {
            call = call
                .condition_expression(condition.expression)
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
            for (name, attribute) in condition.names {
                call = call.expression_attribute_names(name, attribute);
            }
            for (name, value) in condition.values {
                call = call.expression_attribute_values(name, value);
            }
        }
        match call.send().await {
            Ok(_) => Ok(Ok(())),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(refused)) => {
                    Ok(Err(refused.item.clone().unwrap_or_default()))
                }
                _ => Err(failed(&error)),
            },
        }
    }

    /// Puts an item if the stored version is the one before (none for version 1). Returns whether it did.
    pub(super) async fn put_version(&self, mut item: Item, version: u64) -> Result<bool, StoreError> {
        let mark = mark()?;
        item.insert(VERSION.to_owned(), number(version));
        item.insert(WRITTEN_BY.to_owned(), text(&mark));
        let condition = match version.checked_sub(1).filter(|before| *before > 0) {
            None => Condition::new_item(),
            Some(before) => Condition {
                expression: "#version = :before".to_owned(),
                names: vec![("#version", VERSION)],
                values: vec![(":before", number(before))],
            },
        };
        let stored = self.put(item, Some(condition)).await?;
        // A retry of this write finds its own mark.
        Ok(stored.map_or_else(|stored| text_of(&stored, WRITTEN_BY) == Some(&mark), |()| true))
    }

    /// An item's value with that of its further items. `parts` is the prefix of their second keys.
    pub(super) async fn whole(&self, what: &str, item: &Item, parts: &str) -> Result<String, StoreError> {
        let mut body = text_of(item, BODY).ok_or_else(|| incomplete(what))?.to_owned();
        let count = number_of(item, PARTS).unwrap_or(0);
        if count > 0 {
            let pk = text_of(item, PK).ok_or_else(|| incomplete(what))?;
            let further = self.query(pk, parts).await?;
            if u64::try_from(further.len()) != Ok(count) {
                return Err(incomplete(what));
            }
            for part in &further {
                body.push_str(text_of(part, BODY).ok_or_else(|| incomplete(what))?);
            }
        }
        Ok(body)
    }
}

fn keys_of(items: &[Item]) -> Vec<(String, String)> {
    let keys = items.iter().filter_map(|item| text_of(item, PK).zip(text_of(item, SK)));
    keys.map(|(pk, sk)| (pk.to_owned(), sk.to_owned())).collect()
}
