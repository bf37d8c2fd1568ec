//! A request's trail: one item a record, written once and never changed.

use super::table::Table;
use super::value::{BODY, Item, SK, decode, encode, in_parts, text_of};
use crate::ident::RequestId;
use crate::ports::StoreError;
use crate::request::record::Record;

/// The prefix of the partition key of a request's records. They have partitions of their own, so that IAM can keep functions
/// from updating or deleting them.
const AUDIT: &str = "AUDIT";
/// The prefix of the second key of a record.
const RECORD: &str = "RECORD#";
/// The infix of the second key of a record's further items.
const PART: &str = "#PART#";

fn key(id: &RequestId) -> String {
    format!("{AUDIT}#{id}")
}

/// The items of a record, the first and further ones.
pub(super) fn items(record: &Record, expires_at: i64) -> Result<Vec<Item>, StoreError> {
    let json = encode("record", record)?;
    let sk = format!("{RECORD}{:010}", record.sequence);
    Ok(in_parts(&key(&record.request_id), &sk, &format!("{sk}{PART}"), &json, expires_at))
}

pub(super) async fn trail(table: &Table, id: &RequestId) -> Result<Vec<Record>, StoreError> {
    let items = table.query(&key(id), RECORD).await?;
    let mut bodies: Vec<String> = Vec::new();
    for item in &items {
        let body = text_of(item, BODY).unwrap_or_default();
        let goes_on = text_of(item, SK).is_some_and(|sk| sk.contains(PART));
        // A record's further items follow it in the order of keys.
        match bodies.last_mut().filter(|_| goes_on) {
            Some(whole) => whole.push_str(body),
            None => bodies.push(body.to_owned()),
        }
    }
    bodies.iter().map(|json| decode(&format!("trail of the request {id}"), json)).collect()
}
