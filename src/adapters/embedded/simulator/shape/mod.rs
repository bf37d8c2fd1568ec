//! GitHub's JSON: one function for each schema, with every field that GitHub's API description requires.
//!
//! Source: `@octokit/openapi` 23.0.2, `components/schemas`. Fields that the simulator has no data for are empty.

mod app;
mod people;
mod published;
mod pull;
mod repository;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::world::World;
use crate::ident::UserId;

pub(super) use self::pull::Case;

/// The state in GitHub's JSON.
pub(super) struct Shapes<'a>(pub(super) &'a World);

impl Shapes<'_> {
    pub(super) fn api(&self, path: &str) -> String {
        format!("{}{path}", self.0.settings.address)
    }

    /// A URL of a web page. It has the address of the API, where nothing answers it.
    fn web(&self, path: &str) -> String {
        format!("{}{path}", self.0.settings.address)
    }

    /// The account, or null if it was deleted.
    pub(super) fn user(&self, id: UserId) -> Value {
        self.0.accounts.get(&id).map_or(Value::Null, |account| self.account(account))
    }
}

/// GitHub's opaque global id.
fn node_id(kind: &str, id: u64) -> String {
    format!("{kind}_standin{id:012}")
}

/// The fields of `more` over those of `base`.
pub(super) fn with(base: Value, more: Value) -> Value {
    let mut fields = Map::new();
    for value in [base, more] {
        if let Value::Object(object) = value {
            fields.extend(object);
        }
    }
    Value::Object(fields)
}

fn instant(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, |at| json!(at))
}
