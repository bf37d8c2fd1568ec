//! Who may approve: accounts, teams, and groups of both.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::finding::Code;
use crate::ident::{Login, TeamSlug, UserId, is_name, quoted, serde_as_text};

/// An account that is listed by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRef {
    /// Compared without case. A bot's login ends in `[bot]`.
    pub login: Login,
    /// The numeric id, if it is pinned. Then the id alone identifies the account.
    pub id: Option<UserId>,
}

/// A named set of approvers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub name: Box<str>,
    pub users: Vec<UserRef>,
    /// GitHub teams, including their child teams.
    pub teams: Vec<TeamSlug>,
}

/// One entry of an approver list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApproverRef {
    Group(Arc<Group>),
    User(UserRef),
    Team(TeamSlug),
}

impl ApproverRef {
    /// The accounts that are listed by name, not those that are members of teams.
    #[must_use]
    pub fn users(&self) -> &[UserRef] {
        match self {
            Self::Group(group) => &group.users,
            Self::User(user) => std::slice::from_ref(user),
            Self::Team(_) => &[],
        }
    }

    #[must_use]
    pub fn teams(&self) -> &[TeamSlug] {
        match self {
            Self::Group(group) => &group.teams,
            Self::User(_) => &[],
            Self::Team(team) => std::slice::from_ref(team),
        }
    }
}

impl fmt::Display for ApproverRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group(group) => f.write_str(&group.name),
            Self::User(user) => write!(f, "@{user}"),
            Self::Team(team) => write!(f, "@{team}"),
        }
    }
}

impl fmt::Display for UserRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.id {
            Some(id) => write!(f, "{}#{id}", self.login),
            None => self.login.fmt(f),
        }
    }
}

impl FromStr for UserRef {
    type Err = ApproverError;
    fn from_str(text: &str) -> Result<Self, ApproverError> {
        Self::new(text)
    }
}

serde_as_text!(UserRef);

/// A text that is not an approver.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApproverError {
    #[error("`{0}` is not a GitHub login: expected `login`, `login#numeric-id` or `name[bot]`")]
    Login(String),
    #[error("`{0}` is not a GitHub team: expected `org/slug`")]
    Team(String),
    #[error("`{0}` is not an approver: expected the name of a group, `@login` or `@org/team`")]
    Form(String),
    /// An account that any workflow can act as.
    #[error(
        "`{0}` can never approve, since any workflow can act as it: expected the login of a person, or of a bot of your own"
    )]
    Unusable(String),
}

impl ApproverError {
    /// The code under which the error is reported.
    pub(super) const fn code(&self) -> Code {
        match self {
            Self::Unusable(_) => Code::UnusableRef,
            Self::Login(_) | Self::Team(_) | Self::Form(_) => Code::InvalidApprover,
        }
    }
}

/// An approver as it is written, before its group is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Written {
    Group(Box<str>),
    User(UserRef),
    Team(TeamSlug),
}

impl UserRef {
    /// Takes `login`, `login#583231` or `name[bot]`.
    ///
    /// # Errors
    /// [`ApproverError::Login`], or [`ApproverError::Unusable`] for [`GITHUB_ACTIONS`].
    pub fn new(text: &str) -> Result<Self, ApproverError> {
        let error = || ApproverError::Login(quoted(text));
        let (name, id) = match text.split_once('#') {
            Some((name, id)) => {
                let digits = !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
                (name, Some(id.parse().ok().filter(|_| digits).map(UserId).ok_or_else(error)?))
            }
            None => (text, None),
        };
        let bare = name.strip_suffix("[bot]").unwrap_or(name);
        let form = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if bare.is_empty() || bare.len() > 100 || !bare.bytes().all(form) {
            return Err(error());
        }
        let login = Login::new(name).map_err(|_| error())?;
        if name.eq_ignore_ascii_case(GITHUB_ACTIONS) {
            return Err(ApproverError::Unusable(name.to_owned()));
        }
        Ok(Self { login, id })
    }
}

/// The account that every workflow token acts as.
pub const GITHUB_ACTIONS: &str = "github-actions[bot]";

impl Written {
    pub(crate) fn new(text: &str) -> Result<Self, ApproverError> {
        let text = text.trim();
        match text.strip_prefix('@') {
            Some(team) if team.contains('/') => {
                let form = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/');
                TeamSlug::new(team)
                    .ok()
                    .filter(|_| team.bytes().all(form))
                    .map(Self::Team)
                    .ok_or_else(|| ApproverError::Team(quoted(team)))
            }
            Some(login) => UserRef::new(login).map(Self::User),
            None if is_name(text) => Ok(Self::Group(text.into())),
            None => Err(ApproverError::Form(quoted(text))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ApproverError, UserRef, Written};

    #[test]
    fn an_approver_is_a_group_an_account_or_a_team() {
        assert_eq!(Written::new("payments"), Ok(Written::Group("payments".into())));
        assert!(matches!(Written::new("@dana"), Ok(Written::User(user)) if user.id.is_none()));
        assert!(matches!(Written::new("@Acme/SRE"), Ok(Written::Team(team)) if team.as_str() == "acme/sre"));
        assert!(
            matches!(Written::new("@dana#583231"), Ok(Written::User(user)) if user.id.map(|id| id.0) == Some(583_231))
        );
        assert!(matches!(Written::new("@renovate[bot]"), Ok(Written::User(user)) if user.login.is_bot()));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "@", "@a b", "@a/b/c", "two words", "@dana#", "@dana#x", "@/x", "dana#1"] {
            assert!(Written::new(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_account_of_every_workflow_can_never_be_listed() {
        assert!(matches!(UserRef::new("GitHub-Actions[bot]"), Err(ApproverError::Unusable(_))));
    }
}
