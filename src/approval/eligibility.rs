//! Whether an account is one of those that a policy lists.

use std::collections::BTreeMap;

use super::facts::{AccountKind, Person};
use crate::ident::TeamSlug;
use crate::policy::{ApproverRef, GITHUB_ACTIONS, UserRef};

/// Team members as the facts have them.
pub(super) type Teams = BTreeMap<TeamSlug, Vec<Person>>;

/// Whether the account is meant by one of the refs: listed, or a member of a team.
pub(super) fn is_one_of(person: &Person, refs: &[ApproverRef], teams: &Teams) -> bool {
    let of_team = |team: &TeamSlug| teams.get(team).is_some_and(|members| is_member(person, members));
    refs.iter().any(|entry| is_listed(person, entry.users()) || entry.teams().iter().any(of_team))
}

/// Whether the account is one of those listed: a person by login or numeric id, a bot only by its login, others never.
#[inline]
pub(super) fn is_listed(person: &Person, users: &[UserRef]) -> bool {
    match person.kind {
        AccountKind::User => users.iter().any(|user| is_user(person, user)),
        AccountKind::Bot => {
            !person.login.as_str().eq_ignore_ascii_case(GITHUB_ACTIONS)
                && users.iter().any(|user| user.login.is_bot() && is_user(person, user))
        }
        AccountKind::Other => false,
    }
}

/// Whether the account is one of a team's members: only people are, since no team has a bot.
#[inline]
pub(super) fn is_member(person: &Person, members: &[Person]) -> bool {
    person.kind == AccountKind::User && members.iter().any(|member| member.id == person.id)
}

/// A pinned ref goes by the numeric id alone, whatever the login is now.
#[inline]
pub(super) fn is_user(person: &Person, user: &UserRef) -> bool {
    match user.id {
        Some(id) => id == person.id,
        None => user.login == person.login,
    }
}

/// Whether a team among the refs could not be read.
pub(super) fn lacks_team<'r>(refs: impl IntoIterator<Item = &'r ApproverRef>, teams: &Teams) -> bool {
    refs.into_iter().flat_map(ApproverRef::teams).any(|team| !teams.contains_key(team))
}

/// The teams among the refs that could not be read.
pub(super) fn unreadable<'r>(refs: impl IntoIterator<Item = &'r ApproverRef>, teams: &Teams) -> Vec<&'r TeamSlug> {
    let mut missing: Vec<&TeamSlug> =
        refs.into_iter().flat_map(ApproverRef::teams).filter(|team| !teams.contains_key(*team)).collect();
    missing.sort_unstable();
    missing.dedup();
    missing
}
