//! Overrides (break glass): who overrides the rule, and until when.

use jiff::Timestamp;
use smallvec::SmallVec;

use super::command::Command;
use super::eligibility::{EligibleApprovers, LeafSet, unreadable};
use super::facts::Person;
use super::matching::{Sides, assign};
use super::people::People;
use super::plan::Plan;
use super::review::Weighed;
use super::schedule::after_of;
use super::standing::Part;
use crate::ident::TeamSlug;
use crate::policy::Override;

/// An override by enough people.
pub(super) struct Overriding<'f> {
    /// Who overrides and with what reason, in the order given.
    pub(super) given: Vec<(&'f Person, String)>,
    /// When the first of these stops counting.
    pub(super) ends: Timestamp,
}

/// The override, if enough of those who may override the rule do.
pub(super) fn overriding<'f>(people: &People<'f>) -> Option<Overriding<'f>> {
    let context = &people.context;
    let field = context.rule.override_by()?;
    let mut given: Vec<(&'f Person, String, Timestamp)> = Vec::new();
    for weighed in people.weighed.iter().filter(|weighed| weighed.is_standing_approval()) {
        let Some((person, reason, ends)) = override_of(people, field, weighed) else { continue };
        // One person counts once, by the latest override.
        given.retain(|(other, ..)| other.id != person.id);
        given.push((person, reason, ends));
    }
    if given.is_empty() {
        return None;
    }
    // Nobody stands in for those who may override.
    let approvers = EligibleApprovers::new(&field.by, &[], &context.facts.teams);
    let mut sets: SmallVec<[LeafSet; 16]> = SmallVec::new();
    given.retain(|(person, ..)| {
        let set = approvers.leaves_of(person);
        if !set.is_empty() {
            sets.push(set);
        }
        !set.is_empty()
    });
    let shape = Plan::new(&field.by, &approvers, context.facts).shape?;
    let sides = Sides { needs: approvers.needs(), people: &sets, distinct: context.rule.distinct() };
    if assign(&shape, &sides).lacking > 0 {
        return None;
    }
    let ends = given.iter().map(|(.., ends)| *ends).min()?;
    Some(Overriding { given: given.into_iter().map(|(person, reason, _)| (person, reason)).collect(), ends })
}

/// The teams of those who may override that could not be read, if someone tried to override.
pub(super) fn unreadable_overriders<'f>(people: &People<'f>) -> Vec<&'f TeamSlug> {
    let Some(field) = people.context.rule.override_by() else { return Vec::new() };
    let standing = people.weighed.iter().filter(|weighed| weighed.is_standing_approval());
    if standing.filter_map(|weighed| override_of(people, field, weighed)).next().is_none() {
        return Vec::new();
    }
    unreadable(field.by.leaves().into_iter().flat_map(|leaf| &leaf.of), &people.context.facts.teams)
}

/// The override in an approval of the head: who gives it, the reason, and when it stops counting.
///
/// Whoever opened the pull request can never override, whatever the rule excludes.
fn override_of<'f>(
    people: &People<'f>,
    field: &Override,
    weighed: &Weighed<'f>,
) -> Option<(&'f Person, String, Timestamp)> {
    let Part::Approval { overrides: true, .. } = weighed.part else { return None };
    let context = &people.context;
    let (user, at) = (weighed.review.user.as_ref()?, weighed.review.submitted_at?);
    let Command::Override(_, reason) = context.command_of(weighed.review) else { return None };
    let ends = after_of(at, field.valid_for);
    (context.facts.now < ends && !context.is_author(user)).then_some((user, reason, ends))
}
