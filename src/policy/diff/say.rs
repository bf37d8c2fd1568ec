//! Who has a say: whose request for changes is heeded, before and now. Knows no reviews.

use std::collections::BTreeSet;

use super::change::Weighed;
use super::people::{Named, listed};
use super::requirement::Asking;
use crate::policy::field::OnChangesRequested;
use crate::policy::rule::Rule;
use crate::policy::setting::Field;

/// Who loses and who gains a say between two rules, at any time after people were asked.
#[derive(Debug, Default)]
pub(super) struct Say {
    lost: BTreeSet<Named>,
    gained: BTreeSet<Named>,
}

impl Say {
    pub(super) fn between(old: &Rule<'_>, new: &Rule<'_>) -> Self {
        let mut say = Self::default();
        let heeded = |rule: &Rule<'_>| rule.on_changes_requested() != OnChangesRequested::Ignore;
        for after in phases([old, new]) {
            let (before, now) = (having(old, after), having(new, after));
            if heeded(old) {
                say.lost.extend(before.difference(&now).cloned());
            }
            if heeded(new) {
                say.gained.extend(now.difference(&before).cloned());
            }
        }
        say
    }

    /// Adds what is lost and gained by this field. A name is told of once, at the first of `veto`, `require` and
    /// `escalate` that has it.
    pub(super) fn weigh(&self, field: Field, old: &Rule<'_>, new: &Rule<'_>, weighed: &mut Weighed) {
        let by = |rule: &Rule<'_>, name: &&Named| place_of(rule, name) == field;
        let lost: Vec<String> = self.lost.iter().filter(|name| by(old, name)).map(Named::in_words).collect();
        let gained: Vec<String> = self.gained.iter().filter(|name| by(new, name)).map(Named::in_words).collect();
        if !lost.is_empty() {
            weighed.looser.push(format!("changes requested by {} are no longer heeded", listed(&lost)));
        }
        if !gained.is_empty() {
            let who = listed(&gained);
            weighed.stricter.push(format!(
                "changes requested by {who} are heeded now, and {who} may dismiss those that others request"
            ));
        }
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
