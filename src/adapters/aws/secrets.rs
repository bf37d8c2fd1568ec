//! Secrets Manager: reads secrets. Neither logs nor errors contain a secret's text.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use aws_sdk_secretsmanager::Client;
use serde_json::Value;

use super::connection::Connection;
use super::error::describe;
use crate::ident::Secret;

/// Cheap to clone: clones share a client.
#[derive(Clone)]
pub struct Secrets {
    connection: Connection,
    client: Arc<OnceLock<Client>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretFields(Secret<BTreeMap<String, String>>);

/// A secret cannot be used. The message does not contain its text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the secret `{arn}` {why}")]
pub struct SecretError {
    pub arn: String,
    pub why: String,
}

impl Secrets {
    /// Sends nothing before the first secret is read.
    #[must_use]
    pub fn new(connection: Connection) -> Self {
        Self { connection, client: Arc::default() }
    }

    /// Reads a secret that is a JSON object of texts and numbers. Fields that are null are left out.
    ///
    /// # Errors
    /// The secret cannot be read, has no value yet, or has another form.
    pub async fn read(&self, arn: &str) -> Result<SecretFields, SecretError> {
        let failed = |why: String| SecretError { arn: arn.to_owned(), why };
        let client = self.client.get_or_init(|| self.connection.secrets_manager());
        let answer = client.get_secret_value().secret_id(arn).send().await;
        let answer = answer.map_err(|error| failed(format!("cannot be read: {}", describe(&error))))?;
        let text = answer.secret_string().ok_or_else(|| failed("is not a text".to_owned()))?;
        SecretFields::of(text).ok_or_else(|| failed("is not a JSON object of texts".to_owned()))
    }
}

impl SecretFields {
    fn of(text: &str) -> Option<Self> {
        let fields: BTreeMap<String, Value> = serde_json::from_str(text).ok()?;
        let mut read = BTreeMap::new();
        for (name, value) in fields {
            match value {
                Value::String(text) => _ = read.insert(name, text),
                Value::Number(number) => _ = read.insert(name, number.to_string()),
                Value::Null => {}
                Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
            }
        }
        Some(Self(Secret::new(read)))
    }

    /// `None` if the field is missing or empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.expose().get(name).map(String::as_str).filter(|text| !text.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_an_object_of_texts_and_numbers_and_an_empty_field_is_missing() {
        let fields = SecretFields::of(r#"{"app_id": 7, "private_key": "hush", "token": null, "x": ""}"#).unwrap();
        assert_eq!((fields.get("app_id"), fields.get("private_key")), (Some("7"), Some("hush")));
        assert_eq!((fields.get("token"), fields.get("x")), (None, None));
        assert!(!format!("{fields:?}").contains("hush"));
        for other in ["", "hush", "[]", r#"{"a": {}}"#, r#"{"a": true}"#] {
            assert_eq!(SecretFields::of(other), None, "{other}");
        }
    }
}
