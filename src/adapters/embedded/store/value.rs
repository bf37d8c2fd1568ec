//! Values as JSON, and errors that contain nothing of the stored values.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ports::StoreError;

/// Errors of the database name files, tables and system errors, never a key or a value.
pub(super) fn failed(error: impl Into<redb::Error>) -> StoreError {
    StoreError { detail: format!("the database failed: {}", error.into()) }
}

pub(super) fn encode(what: &str, value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|error| damaged(what, &error))
}

pub(super) fn decode<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(bytes).map_err(|error| damaged(what, &error))
}

/// The bytes of an item on DynamoDB with this value: with its keys, the names of its attributes, and times.
pub(super) fn item_bytes(value: &[u8]) -> usize {
    value.len().saturating_add(1_000)
}

/// Names the position only: the message of the JSON parser may quote the value.
fn damaged(what: &str, error: &serde_json::Error) -> StoreError {
    let (line, column) = (error.line(), error.column());
    StoreError { detail: format!("the stored {what} is damaged at line {line}, column {column}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_value_is_named_and_not_quoted() {
        let error = decode::<u64>("request `req-1`", b"\"hunter2\"").unwrap_err();
        assert!(error.detail.contains("request `req-1` is damaged at line 1"), "{error}");
        assert!(!error.detail.contains("hunter2"), "{error}");
    }
}
