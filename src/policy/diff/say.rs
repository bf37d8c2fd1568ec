//! Who has a say, before and now: whose request for changes is heeded, and who may dismiss that of another. Knows no
//! reviews.

use std::collections::BTreeSet;

use super::change::Weighed;
use super::people::{Named, listed};
use super::requirement::Asking;
use crate::policy::field::OnChangesRequested;
use crate::policy::requirement::{Leaf, Requirement};
use crate::policy::rule::Rule;
use crate::policy::setting::Field;

/// Who loses and who gains a say between two rules, at any time after people were asked.
#[derive(Debug, Default)]
pub(super) struct Say {
    lost: Changed,
    gained: Changed,
}

/// Who has a say in one rule and not in the other.
#[derive(Debug, Default)]
struct Changed {
    /// Whose requests for changes are heeded in the one alone.
    heeded: BTreeSet<Named>,
    /// Whose dismissal of another's request for changes makes a difference: both rules heed the request, and in the one
    /// the requirement may be met without who made it.
    dismissing: BTreeSet<Named>,
}

impl Say {
    pub(super) fn between(old: &Rule<'_>, new: &Rule<'_>) -> Self {
        let mut say = Self::default();
        for after in phases([old, new]) {
            say.lost.add(old, new, after);
            say.gained.add(new, old, after);
        }
        say
    }

    /// Adds what is lost and gained by this field. A name is told of once, at the first of `veto`, `require` and
    /// `escalate` that has it.
    pub(super) fn weigh(&self, field: Field, old: &Rule<'_>, new: &Rule<'_>, weighed: &mut Weighed) {
        let told = |names: &BTreeSet<Named>, by: &Rule<'_>| -> Option<String> {
            let own = names.iter().filter(|name| place_of(by, name) == field);
            let words: Vec<String> = own.map(Named::in_words).collect();
            (!words.is_empty()).then(|| listed(&words))
        };
        let heeded = |who: &str, how: &str| format!("changes requested by {who} are {how}");
        let dismissing = |who: &str, how: &str| format!("{who} may {how} dismiss another's request for changes");
        weighed.looser.extend(told(&self.lost.heeded, old).map(|who| heeded(&who, "no longer heeded")));
        weighed.looser.extend(told(&self.gained.dismissing, new).map(|who| dismissing(&who, "now also")));
        weighed.stricter.extend(told(&self.gained.heeded, new).map(|who| heeded(&who, "heeded now")));
        weighed.stricter.extend(told(&self.lost.dismissing, old).map(|who| dismissing(&who, "no longer")));
    }
}

impl Changed {
    /// Adds who has a say in the one rule, so long after asking, and not in the other.
    fn add(&mut self, one: &Rule<'_>, other: &Rule<'_>, after: u64) {
        if !heeds(one) {
            return;
        }
        let (here, there) = (having(one, after), having(other, after));
        let more: Vec<Named> = here.difference(&there).cloned().collect();
        // Nobody of the one is of the other by the same name, so that whoever dismisses can be another person.
        if heeds(other) && there.iter().any(|giver| met_without(one, after, giver)) {
            self.dismissing.extend(more.iter().cloned());
        }
        self.heeded.extend(more);
    }
}

fn heeds(rule: &Rule<'_>) -> bool {
    rule.on_changes_requested() != OnChangesRequested::Ignore
}

/// Whether the rule may be met, so long after asking, without an approval by some person of this name. Of a team there
/// are always others.
fn met_without(rule: &Rule<'_>, after: u64, giver: &Named) -> bool {
    let Some(requirement) = rule.requirement() else { return true };
    let asking = Asking { requirement, distinct: true, escalate: rule.escalate(), after };
    let without = |leaf: &Leaf| {
        let others: BTreeSet<Named> =
            Named::all(asking.refs_of(leaf)).into_iter().filter(|name| name != giver).collect();
        let unlimited = matches!(giver, Named::Team(_)) || others.iter().any(|name| matches!(name, Named::Team(_)));
        unlimited || u32::try_from(others.len()).is_ok_and(|others| others >= leaf.count)
    };
    may_be_met(requirement, &without)
}

/// Whether it may be met where each leaf can be that is said to. What has a condition may be left out.
fn may_be_met(requirement: &Requirement, leaf_can: &impl Fn(&Leaf) -> bool) -> bool {
    let can = |part: &Requirement| may_be_met(part, leaf_can);
    requirement.when().is_some()
        || match requirement {
            Requirement::Leaf(leaf) => leaf_can(leaf),
            Requirement::AnyOf(inner) => inner.parts.iter().any(can),
            Requirement::AllOf(inner) | Requirement::InOrder(inner) => inner.parts.iter().all(can),
        }
}

/// The instants after asking at which somebody may come to stand in, in seconds; the asking itself first.
pub(super) fn phases(rules: [&Rule<'_>; 2]) -> BTreeSet<u64> {
    let steps = rules.into_iter().flat_map(Rule::escalate).filter(|step| !step.stand_in.is_empty());
    std::iter::once(0).chain(steps.map(|step| step.after.as_secs())).collect()
}

fn having(rule: &Rule<'_>, after: u64) -> BTreeSet<Named> {
    let veto = Named::all(rule.veto());
    let Some(requirement) = rule.requirement() else { return veto.into_iter().collect() };
    let asking = Asking { requirement, distinct: true, escalate: rule.escalate(), after };
    let asked = requirement.leaves().into_iter().flat_map(|leaf| Named::all(asking.refs_of(leaf)));
    asked.chain(veto).collect()
}

/// Which field gives somebody the say.
fn place_of(rule: &Rule<'_>, name: &Named) -> Field {
    let asked = || rule.requirement().into_iter().flat_map(|requirement| requirement.leaves());
    if Named::all(rule.veto()).contains(name) {
        Field::Veto
    } else if asked().any(|leaf| Named::all(&leaf.of).contains(name)) {
        Field::Require
    } else {
        Field::Escalate
    }
}
