//! Whom to ask for a review: the people and teams that are still needed, and nobody who does not count.

use std::collections::BTreeSet;

use super::people::refs;
use super::{RequestStatus, View};
use crate::approval::decision::{Unmet, Verdict};
use crate::ident::{Login, RepositoryName};
use crate::request::published::{Reviewer, Stage};

/// The most people that are asked one by one in the place of a team that cannot be asked.
const MOST_IN_PLACE: usize = 15;

/// Who is to be asked for the request, in order of their names: for what is asked now and can be met. A team of the
/// repository's owner is asked as a team; the members of another's cannot be told from others, and are asked by name
/// where they are few.
#[must_use]
pub fn reviewers(card: RequestStatus<'_>, repository: &RepositoryName) -> Vec<Reviewer> {
    let Some(decision) = card.decision else { return Vec::new() };
    if card.stage != Stage::Waiting || decision.verdict != Verdict::Pending {
        return Vec::new();
    }
    let view = View { card, all: &[], public: false };
    let needed = decision.unmet.iter().filter(|unmet| unmet.asked && !unmet.unsatisfiable);
    let all: BTreeSet<Reviewer> = needed.flat_map(|unmet| of_leaf(view, unmet, repository.parts().0)).collect();
    all.into_iter().collect()
}

fn of_leaf(view: View<'_>, unmet: &Unmet, owner: &str) -> Vec<Reviewer> {
    let refs = refs(view, unmet);
    let listed: Vec<&Login> = refs.iter().flat_map(|of| of.users()).map(|user| &user.login).collect();
    let (named, through_teams): (Vec<&Login>, Vec<&Login>) =
        unmet.can_approve.iter().filter(|login| !login.is_bot()).partition(|login| listed.contains(login));
    let mut reviewers: Vec<Reviewer> = named.into_iter().cloned().map(Reviewer::Person).collect();
    let teams = || refs.iter().flat_map(|of| of.teams());
    let own = |team: &&crate::ident::TeamSlug| {
        team.as_str().split_once('/').is_some_and(|(org, _)| org.eq_ignore_ascii_case(owner))
    };
    // A team of which nobody can approve any more is not asked.
    if !through_teams.is_empty() {
        let own: Vec<Reviewer> = teams().filter(own).cloned().map(Reviewer::Team).collect();
        if own.is_empty() && through_teams.len() <= MOST_IN_PLACE && teams().next().is_some() {
            reviewers.extend(through_teams.into_iter().cloned().map(Reviewer::Person));
        }
        reviewers.extend(own);
    }
    reviewers
}
