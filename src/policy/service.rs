//! Where a service lives, and who hears of it.

use std::fmt;
use std::str::FromStr;

use super::pattern::{Pattern, glob_matches};
use super::read::{Place, Sourced};
use super::selector::Selectors;
use super::setting::RuleBody;
use crate::ident::{ChannelName, RepositoryName, serde_as_text};

/// A service entry of the policy. It is no layer of a rule, and holds no field of one.
#[derive(Debug, Clone)]
pub struct Service {
    /// Where its key stands.
    pub source: Place,
    /// Where it lives; none: as `defaults` say.
    pub repository: Option<Sourced<Vec<RepositoryPattern>>>,
    /// Which branches may be deployed; none: as `defaults` say.
    pub branches: Option<Sourced<Vec<Pattern>>>,
    /// Who hears of every event of it.
    pub notify: Vec<ChannelName>,
    /// Published to approvers.
    pub description: Option<Box<str>>,
    /// Its own rules.
    pub environments: Selectors<Layer>,
}

/// A field of a service entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceField {
    /// `repository`
    Repository,
    /// `branches`
    Branches,
    /// `notify`
    Notify,
    /// `description`
    Description,
}

/// A rule body and where its key stands.
#[derive(Debug, Clone)]
pub struct Layer {
    /// Where the key of the environment stands.
    pub source: Place,
    /// What it says.
    pub body: RuleBody,
}

/// `owner/name`, where the name may be a glob. Compared without case, as GitHub does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryPattern(Box<str>);

impl RepositoryPattern {
    /// Whether the repository is meant.
    #[must_use]
    pub fn matches(&self, repository: &RepositoryName) -> bool {
        let name = repository.as_str();
        // Most are written as they are, or take all of an owner's. A glob, too, matches its own text.
        *self.0 == *name
            || self.0.strip_suffix('*').is_some_and(|owner| owner.ends_with('/') && name.starts_with(owner))
            || glob_matches(self.0.as_bytes(), name.as_bytes(), u8::eq_ignore_ascii_case)
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that names no repository.
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
            Some(_) | None => Err(RepositoryPatternError(text.chars().take(60).collect())),
        }
    }
}

serde_as_text!(RepositoryPattern);

impl fmt::Display for RepositoryPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
