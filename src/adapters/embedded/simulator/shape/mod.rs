//! GitHub's JSON: one function a kind of thing, with every field that GitHub's API description requires.
//!
//! Source: `@octokit/openapi` 23.0.2, `components/schemas`. What the stand-in does not have is there and empty, as on
//! GitHub. Knows nothing of requests or rules.

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

/// The world, as GitHub tells it.
pub(super) struct Shapes<'a>(pub(super) &'a World);

impl Shapes<'_> {
    /// A URL of the API.
    pub(super) fn api(&self, path: &str) -> String {
        format!("{}{path}", self.0.settings.address)
    }

    /// A URL of the web pages. They are under the same address as the API, where nothing answers them.
    fn web(&self, path: &str) -> String {
        format!("{}{path}", self.0.settings.address)
    }

    /// The account, or null where it is gone.
    pub(super) fn user(&self, id: UserId) -> Value {
        self.0.accounts.get(&id).map_or(Value::Null, |account| self.account(account))
    }
}

/// GitHub's opaque global id, which nobody may read anything into.
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

/// Where an instant may be missing.
fn instant(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, |at| json!(at))
}
