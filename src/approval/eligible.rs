//! Whether an account is one of those that a policy lists.

use std::collections::BTreeMap;

use super::facts::{AccountKind, Person};
use crate::ident::TeamSlug;
use crate::policy::{ApproverRef, GITHUB_ACTIONS, UserRef};

/// Team members as the facts have them.
pub(super) type Teams = BTreeMap<TeamSlug, Vec<Person>>;

/// Whether the account is meant by one of the refs.
///
/// A person by login, numeric id or team; a bot only by its login, since no team has it; other accounts never.
pub(super) fn is_one_of(person: &Person, refs: &[ApproverRef], teams: &Teams) -> bool {
    match person.kind {
        AccountKind::User => refs.iter().any(|entry| {
            entry.users().iter().any(|user| is_user(person, user))
                || entry.teams().iter().any(|team| is_member(person, team, teams))
        }),
        AccountKind::Bot => {
            let listed = |user: &UserRef| user.login.is_bot() && is_user(person, user);
            !person.login.as_str().eq_ignore_ascii_case(GITHUB_ACTIONS)
                && refs.iter().any(|entry| entry.users().iter().any(listed))
        }
        AccountKind::Other => false,
    }
}

/// A pinned ref goes by the numeric id alone, whatever the login is now.
pub(super) fn is_user(person: &Person, user: &UserRef) -> bool {
    user.id.map_or_else(|| user.login == person.login, |id| id == person.id)
}

fn is_member(person: &Person, team: &TeamSlug, teams: &Teams) -> bool {
    teams.get(team).is_some_and(|members| members.iter().any(|member| member.id == person.id))
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
