//! Service entries: their repositories, branches, channels and own environments.

use std::fmt;
use std::str::FromStr;

use super::pattern::{Pattern, glob_matches};
use super::read::{Place, Sourced};
use super::selector::Selectors;
use super::setting::RuleBody;
use crate::ident::{ChannelName, RepositoryName, quoted, serde_as_text};

/// A service entry of the policy. It is not a layer of a rule, and has no rule fields.
#[derive(Debug, Clone)]
pub struct Service {
    /// Where its key is written.
    pub source: Place,
    /// `None` means the value of `defaults`.
    pub repository: Option<Sourced<Vec<RepositoryPattern>>>,
    /// The branches that may be deployed. `None` means the value of `defaults`.
    pub branches: Option<Sourced<Vec<Pattern>>>,
    /// Channels that are notified of every event.
    pub notify: Vec<ChannelName>,
    /// Shown to approvers.
    pub description: Option<Box<str>>,
    /// The layers of its own environments.
    pub environments: Selectors<Layer>,
}

/// A field of a service entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceField {
    Repository,
    Branches,
    Notify,
    Description,
}

/// A rule body under an environment key.
#[derive(Debug, Clone)]
pub struct Layer {
    /// Where the environment's key is written.
    pub source: Place,
    pub body: RuleBody,
}

/// `owner/name`. The name may be a glob. Compared without case, as on GitHub.
#[derive(Debug, Clone)]
pub struct RepositoryPattern(Box<str>);

impl PartialEq for RepositoryPattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for RepositoryPattern {}

impl RepositoryPattern {
    #[must_use]
    pub fn matches(&self, repository: &RepositoryName) -> bool {
        let name = repository.as_str();
        // Shortcuts for the usual forms, `owner/name` and `owner/*`. A glob, too, matches its own text.
        *self.0 == *name
            || self.0.strip_suffix('*').is_some_and(|owner| owner.ends_with('/') && name.starts_with(owner))
            || glob_matches(self.0.as_bytes(), name.as_bytes(), u8::eq_ignore_ascii_case)
    }

    /// The text as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that is not a repository.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a repository: expected `owner/name`, with `*` and `?` allowed in the name")]
pub struct RepositoryPatternError(String);

impl FromStr for RepositoryPattern {
    type Err = RepositoryPatternError;

    fn from_str(text: &str) -> Result<Self, RepositoryPatternError> {
        let part = |part: &str, wild: bool| {
            !part.is_empty()
                && part.bytes().all(|b| {
                    b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-') || (wild && matches!(b, b'*' | b'?'))
                })
        };
        match text.split_once('/') {
            Some((owner, name)) if part(owner, false) && part(name, true) => Ok(Self(text.into())),
            Some(_) | None => Err(RepositoryPatternError(quoted(text))),
        }
    }
}

serde_as_text!(RepositoryPattern);

impl fmt::Display for RepositoryPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
