//! Attributes, keys and values as JSON, and errors that contain nothing of the stored values.
//!
//! A value that is too long for one item is split into several.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::super::error::{SdkError, describe};
use crate::ports::StoreError;
use crate::ports::size::PART;

pub(super) type Item = HashMap<String, AttributeValue>;

pub(super) const PK: &str = "pk";
pub(super) const SK: &str = "sk";
/// The value, as JSON.
pub(super) const BODY: &str = "body";
/// The number of further items.
pub(super) const PARTS: &str = "parts";
pub(super) const VERSION: &str = "version";
/// The mark of the write.
pub(super) const WRITTEN_BY: &str = "written_by";
/// When the table may delete the item, in seconds since 1970.
pub(super) const EXPIRES_AT: &str = "expires_at";

pub(super) fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(super) fn number(number: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// An instant as a text that sorts by time.
pub(super) fn sortable(at: Timestamp) -> String {
    format!("{at:.9}")
}

/// An item with only its key.
pub(super) fn keyed(pk: &str, sk: &str) -> Item {
    HashMap::from([(PK.to_owned(), text(pk)), (SK.to_owned(), text(sk))])
}

pub(super) fn text_of<'i>(item: &'i Item, name: &str) -> Option<&'i str> {
    item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str)
}

pub(super) fn number_of(item: &Item, name: &str) -> Option<u64> {
    item.get(name).and_then(|value| value.as_n().ok()).and_then(|digits| digits.parse().ok())
}

pub(super) fn encode(what: &str, value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| damaged(what, &error))
}

pub(super) fn decode<T: DeserializeOwned>(what: &str, json: &str) -> Result<T, StoreError> {
    serde_json::from_str(json).map_err(|error| damaged(what, &error))
}

/// Names the position only: the message of the JSON parser may quote the value.
fn damaged(what: &str, error: &serde_json::Error) -> StoreError {
    let (line, column) = (error.line(), error.column());
    StoreError { detail: format!("the stored {what} is damaged at line {line}, column {column}") }
}

pub(super) fn incomplete(what: &str) -> StoreError {
    StoreError { detail: format!("the stored {what} is incomplete") }
}

pub(super) fn failed<E: ProvideErrorMetadata>(error: &SdkError<E>) -> StoreError {
    StoreError { detail: format!("DynamoDB: {}", describe(error)) }
}

/// The SDK rejects the call before sending it.
pub(super) fn rejected(_: aws_sdk_dynamodb::error::BuildError) -> StoreError {
    StoreError { detail: "DynamoDB: the call could not be made".to_owned() }
}

/// The bytes of an item, as DynamoDB counts them:
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>. Other types than texts
/// and numbers are not written.
pub(super) fn bytes_of(item: &Item) -> usize {
    let value = |value: &AttributeValue| match (value.as_s(), value.as_n()) {
        (Ok(text), _) => text.len(),
        // At most: two digits a byte, and one or two bytes more.
        (Err(_), Ok(digits)) => digits.len().div_ceil(2) + 2,
        (Err(_), Err(_)) => 0,
    };
    item.iter().map(|(name, of)| name.len() + value(of)).sum()
}

/// A value as one item, or as many as it needs.
pub(super) fn in_parts(pk: &str, sk: &str, part: &str, json: &str, expires_at: i64) -> Vec<Item> {
    let pieces = pieces(json, PART);
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

/// Splits a text between characters into pieces of at most `longest` bytes.
fn pieces(text: &str, longest: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while rest.len() > longest {
        let mut end = longest;
        while end > 0 && !rest.is_char_boundary(end) {
            end -= 1;
        }
        let Some((piece, others)) = rest.split_at_checked(end).filter(|(piece, _)| !piece.is_empty()) else { break };
        pieces.push(piece);
        rest = others;
    }
    pieces.push(rest);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_split_between_characters_and_nothing_is_lost() {
        for (text, longest, expected) in
            [("", 3, 1), ("abc", 3, 1), ("abcd", 3, 2), ("äöü€", 3, 4), ("aä€b", 4, 2), ("€€", 1, 1)]
        {
            let cut = pieces(text, longest);
            assert_eq!((cut.concat().as_str(), cut.len()), (text, expected), "{text}");
        }
    }

    #[test]
    fn the_size_of_an_item_is_that_of_its_names_and_values() {
        let mut item = keyed("pk-é", "sk");
        assert_eq!(bytes_of(&item), 2 + 5 + 2 + 2);
        item.insert(EXPIRES_AT.to_owned(), number(1_800_000_000));
        assert_eq!(bytes_of(&item), 11 + 10 + 7);
    }

    #[test]
    fn instants_sort_by_time_as_texts() {
        let at = |text: &str| sortable(text.parse().unwrap());
        let sorted = ["2026-11-18T09:59:59.999Z", "2026-11-18T10:00:00Z", "2026-11-18T10:00:00.000000001Z"].map(at);
        assert!(sorted.is_sorted() && sorted.iter().all(|text| text.len() == 30), "{sorted:?}");
    }

    #[test]
    fn a_damaged_value_is_named_and_not_quoted() {
        let error = decode::<u64>("request `req-1`", "\"hunter2\"").unwrap_err();
        assert!(error.detail.contains("request `req-1` is damaged at line 1"), "{error}");
        assert!(!error.detail.contains("hunter2"), "{error}");
    }
}
