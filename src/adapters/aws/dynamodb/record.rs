//! A request's trail: one item a record, written once and never changed.

use super::table::Table;
use super::value::{BODY, EXPIRES_AT, Item, LONGEST, PARTS, SK, decode, encode, keyed, number, pieces, text, text_of};
use crate::approval::record::Record;
use crate::ident::RequestId;
use crate::ports::StoreError;

/// How the second key of every record begins.
const RECORD: &str = "RECORD#";
/// What stands in the second key of what a record goes on in.
const PART: &str = "#PART#";

/// The items of a record: its own, and what it goes on in.
pub(super) fn items(pk: &str, record: &Record, expires_at: i64) -> Result<Vec<Item>, StoreError> {
    let json = encode("record", record)?;
    let sk = format!("{RECORD}{:010}", record.sequence);
    Ok(in_parts(pk, &sk, &format!("{sk}{PART}"), &json, expires_at))
}

/// A value as an item and as many more as it needs.
pub(super) fn in_parts(pk: &str, sk: &str, part: &str, json: &str, expires_at: i64) -> Vec<Item> {
    let pieces = pieces(json, LONGEST);
    let further = pieces.len().saturating_sub(1);
    let item = |(at, piece): (usize, &str)| {
        let mut item = if at == 0 { keyed(pk, sk) } else { keyed(pk, &format!("{part}{at:04}")) };
        item.insert(BODY.to_owned(), text(piece));
        item.insert(EXPIRES_AT.to_owned(), number(expires_at));
        if at == 0 && further > 0 {
            item.insert(PARTS.to_owned(), number(further));
        }
        item
    };
    pieces.into_iter().enumerate().map(item).collect()
}

pub(super) async fn trail(table: &Table, id: &RequestId) -> Result<Vec<Record>, StoreError> {
    let items = table.query(&super::request::key(id), RECORD).await?;
    let mut bodies: Vec<String> = Vec::new();
    for item in &items {
        let body = text_of(item, BODY).unwrap_or_default();
        let goes_on = text_of(item, SK).is_some_and(|sk| sk.contains(PART));
        // What a record goes on in follows it in the order of keys.
        match bodies.last_mut().filter(|_| goes_on) {
            Some(whole) => whole.push_str(body),
            None => bodies.push(body.to_owned()),
        }
    }
    bodies.iter().map(|json| decode(&format!("trail of the request {id}"), json)).collect()
}
