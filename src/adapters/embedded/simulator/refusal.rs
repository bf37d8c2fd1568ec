//! Why the stand-in does not do what it is asked to.
//!
//! One enum, in terms of what went wrong; the messages that GitHub words are worded as GitHub does, since clients show
//! them. Knows the status code that GitHub answers with, and nothing else of HTTP.

use serde_json::{Value, json};

use super::storage::StorageError;
use crate::ident::IdentError;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The request is not JSON, or not of the right shape (400).
    #[error("{detail}")]
    Malformed {
        /// What is wrong with it.
        detail: String,
    },
    /// Nobody, or somebody unknown, asks (401).
    #[error("{detail}")]
    Unauthenticated {
        /// GitHub's words.
        detail: &'static str,
    },
    /// The asker may not do that (403).
    #[error("{detail}")]
    Forbidden {
        /// GitHub's words.
        detail: &'static str,
    },
    /// There is no such thing, or the asker may not see it (404).
    #[error("Not Found")]
    NotFound,
    /// It cannot be done to a thing in this state (405).
    #[error("{detail}")]
    NotAllowed {
        /// GitHub's words.
        detail: &'static str,
    },
    /// Something else stands in the way (409).
    #[error("{detail}")]
    Conflict {
        /// GitHub's words.
        detail: String,
    },
    /// The head is not the one that was given (409).
    #[error("Head branch was modified. Review and try the merge again.")]
    HeadMoved,
    /// The body is sent as something else than JSON (415).
    #[error("the body must be sent as application/json")]
    NotJson,
    /// A rule of GitHub's forbids it (422).
    #[error("{detail}")]
    Unprocessable {
        /// GitHub's words.
        detail: String,
    },
    /// A field holds what it must not (422).
    #[error("{resource} {field}: {detail}")]
    Invalid {
        /// What it is a field of.
        resource: &'static str,
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// The stand-in is set to fail (503).
    #[error("Service unavailable")]
    Unavailable,
    /// The change could not be kept, and was not made (500).
    #[error("the change could not be kept: {0}")]
    Storage(#[from] StorageError),
}

impl Refusal {
    /// A rule of GitHub's that forbids it, in GitHub's words.
    pub(super) fn rule(detail: impl Into<String>) -> Self {
        Self::Unprocessable { detail: detail.into() }
    }

    /// The status code.
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

    /// The body, in GitHub's shape.
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
