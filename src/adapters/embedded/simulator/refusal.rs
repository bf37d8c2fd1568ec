//! Why the simulator refuses a request. GitHub's messages are in GitHub's words, since clients print them.
//!
//! Knows the status code that GitHub answers with, and nothing else of HTTP.

use serde_json::{Value, json};

use super::storage::StorageError;
use crate::ident::IdentError;

#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The request is not JSON, or not of the right shape (400).
    #[error("{detail}")]
    Malformed { detail: String },
    /// The caller is missing or unknown (401).
    #[error("{detail}")]
    Unauthenticated { detail: &'static str },
    /// The caller may not do this (403).
    #[error("{detail}")]
    Forbidden { detail: &'static str },
    /// It does not exist, or the caller may not see it (404).
    #[error("Not Found")]
    NotFound,
    /// Its state does not allow this (405).
    #[error("{detail}")]
    NotAllowed { detail: &'static str },
    /// It conflicts with something else (409).
    #[error("{detail}")]
    Conflict { detail: String },
    /// The head is not the given commit (409).
    #[error("Head branch was modified. Review and try the merge again.")]
    HeadMoved,
    /// The body is not sent as JSON (415).
    #[error("the body must be sent as application/json")]
    NotJson,
    /// A rule of GitHub forbids it (422).
    #[error("{detail}")]
    Unprocessable { detail: String },
    /// A field is invalid (422).
    #[error("{resource} {field}: {detail}")]
    Invalid {
        /// The type that has the field.
        resource: &'static str,
        field: &'static str,
        detail: String,
    },
    /// The simulator is set to fail (503).
    #[error("Service unavailable")]
    Unavailable,
    /// The change could not be stored, and was not made (500).
    #[error("the change could not be stored: {0}")]
    Storage(#[from] StorageError),
}

impl Refusal {
    /// A rule of GitHub forbids it. `detail` is in GitHub's words.
    pub(super) fn rule(detail: impl Into<String>) -> Self {
        Self::Unprocessable { detail: detail.into() }
    }

    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Malformed { .. } => 400,
            Self::Unauthenticated { .. } => 401,
            Self::Forbidden { .. } => 403,
            Self::NotFound => 404,
            Self::NotAllowed { .. } => 405,
            Self::Conflict { .. } | Self::HeadMoved => 409,
            Self::NotJson => 415,
            Self::Unprocessable { .. } | Self::Invalid { .. } => 422,
            Self::Storage(_) => 500,
            Self::Unavailable => 503,
        }
    }

    /// The response body, in GitHub's shape.
    #[must_use]
    pub fn body(&self) -> Value {
        let documentation = "https://docs.github.com/rest";
        let status = self.status().to_string();
        match self {
            Self::Unprocessable { detail } => json!({
                "message": "Unprocessable Entity", "errors": [detail],
                "documentation_url": documentation, "status": status,
            }),
            Self::Invalid { resource, field, detail } => json!({
                "message": "Validation Failed",
                "errors": [{ "resource": resource, "field": field, "code": "invalid", "message": detail }],
                "documentation_url": documentation, "status": status,
            }),
            Self::Malformed { .. }
            | Self::Unauthenticated { .. }
            | Self::Forbidden { .. }
            | Self::Conflict { .. }
            | Self::NotFound
            | Self::NotAllowed { .. }
            | Self::HeadMoved
            | Self::NotJson
            | Self::Storage(_)
            | Self::Unavailable => {
                json!({ "message": self.to_string(), "documentation_url": documentation, "status": status })
            }
        }
    }
}

impl From<IdentError> for Refusal {
    fn from(error: IdentError) -> Self {
        Self::rule(error.to_string())
    }
}
