//! Who may request changes in the old rule and in the new, and who may dismiss such a request by another person.

use std::collections::BTreeSet;

use super::change::Effects;
use super::people::Named;
use super::requirement::RequirementAt;
use crate::policy::field::OnChangesRequested;
use crate::policy::requirement::{Leaf, Requirement};
use crate::policy::rule::Rule;
use crate::policy::setting::Field;
use crate::policy::words::joined;

/// Who loses and who gains the right to request changes between two rules, at any time after the request is opened.
#[derive(Debug, Default)]
pub(super) struct Objectors {
    lost: Changed,
    gained: Changed,
}

/// Who may request changes in one rule and not in the other.
#[derive(Debug, Default)]
struct Changed {
    /// Those who may request changes in this rule only.
    requesting: BTreeSet<Named>,
    /// Those whose dismissal of a request for changes by others makes a difference: both rules consider the request,
    /// and this rule may be met without an approval by its author.
    dismissing: BTreeSet<Named>,
}

impl Objectors {
    pub(super) fn between(old: &Rule<'_>, new: &Rule<'_>) -> Self {
        let mut objectors = Self::default();
        for after in phases([old, new]) {
            objectors.lost.add(old, new, after);
            objectors.gained.add(new, old, after);
        }
        objectors
    }

    /// Adds what is lost and gained by this field. Each name is reported once, at the first of `veto`, `require` and
    /// `escalate` that has it.
    pub(super) fn add_effects(&self, field: Field, old: &Rule<'_>, new: &Rule<'_>, effects: &mut Effects) {
        let names_of = |names: &BTreeSet<Named>, by: &Rule<'_>| -> Option<String> {
            let own = names.iter().filter(|name| place_of(by, name) == field);
            let words: Vec<String> = own.map(Named::in_words).collect();
            (!words.is_empty()).then(|| joined(&words, "and"))
        };
        let requesting = |who: &str, how: &str| format!("{who} may {how} request changes");
        let dismissing = |who: &str, how: &str| format!("{who} may {how} dismiss requests for changes by others");
        effects.looser.extend(names_of(&self.lost.requesting, old).map(|who| requesting(&who, "no longer")));
        effects.looser.extend(names_of(&self.gained.dismissing, new).map(|who| dismissing(&who, "now")));
        effects.stricter.extend(names_of(&self.gained.requesting, new).map(|who| requesting(&who, "now")));
        effects.stricter.extend(names_of(&self.lost.dismissing, old).map(|who| dismissing(&who, "no longer")));
    }
}

impl Changed {
    /// Adds who may request changes in `one`, `after` seconds after the request is opened, and not in `other`.
    fn add(&mut self, one: &Rule<'_>, other: &Rule<'_>, after: u64) {
        if !considers_changes(one) {
            return;
        }
        let (here, there) = (may_request_changes(one, after), may_request_changes(other, after));
        let more: Vec<Named> = here.difference(&there).cloned().collect();
        // The names of `more` are not in `there`, so whoever dismisses can be another person.
        if considers_changes(other) && there.iter().any(|author| met_without(one, after, author)) {
            self.dismissing.extend(more.iter().cloned());
        }
        self.requesting.extend(more);
    }
}

fn considers_changes(rule: &Rule<'_>) -> bool {
    rule.on_changes_requested() != OnChangesRequested::Ignore
}

/// Whether the rule may be met, `after` seconds after the request is opened, without an approval by some person of this
/// name. A team always has other members.
fn met_without(rule: &Rule<'_>, after: u64, author: &Named) -> bool {
    let Some(requirement) = rule.requirement() else { return true };
    let required = RequirementAt { requirement, distinct: true, escalate: rule.escalate(), after };
    let without = |leaf: &Leaf| {
        let others: BTreeSet<Named> =
            Named::all(required.refs_of(leaf)).into_iter().filter(|name| name != author).collect();
        let unlimited = matches!(author, Named::Team(_)) || others.iter().any(|name| matches!(name, Named::Team(_)));
        unlimited || u32::try_from(others.len()).is_ok_and(|others| others >= leaf.count)
    };
    may_be_met(requirement, &without)
}

/// Whether it may be met if `leaf_can` says which leaves can. A part with a condition may be left out.
fn may_be_met(requirement: &Requirement, leaf_can: &impl Fn(&Leaf) -> bool) -> bool {
    let can = |part: &Requirement| may_be_met(part, leaf_can);
    requirement.when().is_some()
        || match requirement {
            Requirement::Leaf(leaf) => leaf_can(leaf),
            Requirement::AnyOf(inner) => inner.parts.iter().any(can),
            Requirement::AllOf(inner) | Requirement::InOrder(inner) => inner.parts.iter().all(can),
        }
}

/// The seconds after the request is opened at which somebody begins to stand in; 0 first.
pub(super) fn phases(rules: [&Rule<'_>; 2]) -> BTreeSet<u64> {
    let steps = rules.into_iter().flat_map(Rule::escalate).filter(|step| !step.stand_in.is_empty());
    std::iter::once(0).chain(steps.map(|step| step.after.as_secs())).collect()
}

fn may_request_changes(rule: &Rule<'_>, after: u64) -> BTreeSet<Named> {
    let veto = Named::all(rule.veto());
    let Some(requirement) = rule.requirement() else { return veto.into_iter().collect() };
    let required = RequirementAt { requirement, distinct: true, escalate: rule.escalate(), after };
    let eligible = requirement.leaves().into_iter().flat_map(|leaf| Named::all(required.refs_of(leaf)));
    eligible.chain(veto).collect()
}

/// The field that lets somebody request changes.
fn place_of(rule: &Rule<'_>, name: &Named) -> Field {
    let leaves = || rule.requirement().into_iter().flat_map(|requirement| requirement.leaves());
    if Named::all(rule.veto()).contains(name) {
        Field::Veto
    } else if leaves().any(|leaf| Named::all(&leaf.of).contains(name)) {
        Field::Require
    } else {
        Field::Escalate
    }
}
