//! Secrets Manager: secrets read by who needs them, when they are first needed.
//!
//! Nothing of a secret's text is printed or repeated. Knows nothing of what a secret opens.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use aws_sdk_secretsmanager::Client;
use serde_json::Value;

use super::connection::Connection;
use super::error::describe;

/// Where secrets are read. Cheap to clone: clones share a client.
#[derive(Clone)]
pub struct Secrets {
    connection: Connection,
    client: Arc<OnceLock<Client>>,
}

/// The fields of a secret. They are not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretFields(BTreeMap<String, String>);

/// A secret that cannot be used. Its text is not repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the secret `{arn}` {why}")]
pub struct SecretError {
    /// Which.
    pub arn: String,
    /// Why.
    pub why: String,
}

impl Secrets {
    /// Reached so. Nothing is sent before the first secret is read.
    #[must_use]
    pub fn new(connection: Connection) -> Self {
        Self { connection, client: Arc::default() }
    }

    /// Reads a secret that is a JSON object of texts and numbers; what is null is left out.
    ///
    /// # Errors
    /// [`SecretError`]: it cannot be read, has no value yet, or is of another form.
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
        Some(Self(read))
    }

    /// A field, if it is given and not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }
}

impl fmt::Debug for SecretFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretFields(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_an_object_of_texts_and_numbers_and_an_empty_one_is_as_good_as_none() {
        let fields = SecretFields::of(r#"{"app_id": 7, "private_key": "hush", "token": null, "x": ""}"#).unwrap();
        assert_eq!((fields.get("app_id"), fields.get("private_key")), (Some("7"), Some("hush")));
        assert_eq!((fields.get("token"), fields.get("x")), (None, None));
        assert!(!format!("{fields:?}").contains("hush"));
        for other in ["", "hush", "[]", r#"{"a": {}}"#, r#"{"a": true}"#] {
            assert_eq!(SecretFields::of(other), None, "{other}");
        }
    }
}
