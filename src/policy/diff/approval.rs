//! Compares the fields that say who must approve, who may request changes and who may override: `require`, `escalate`,
//! `distinct`, `veto` and `override`.
//!
//! Changes them one after the other, from the old rule to the new. Compares each step for all sets of people, at every
//! time at which people begin to stand in. If no step is looser, all of them together are not looser either.

use super::change::{Effects, FieldChange, Part};
use super::fields::Tools;
use super::objections::{Objectors, phases};
use super::requirement::{Found, RequirementAt, find};
use crate::policy::duration::Duration;
use crate::policy::field::{Escalation, Override};
use crate::policy::requirement::Requirement;
use crate::policy::rule::Rule;
use crate::policy::setting::Field;

/// The changes of these fields.
#[derive(Debug, Default)]
pub(super) struct PeopleChange(Vec<FieldChange>);

impl PeopleChange {
    pub(super) fn has(&self, field: Field) -> bool {
        self.0.iter().any(|change| change.part == Part::Field(field))
    }

    pub(super) fn take(&mut self, field: Field) -> Option<FieldChange> {
        let at = self.0.iter().position(|change| change.part == Part::Field(field))?;
        Some(self.0.swap_remove(at))
    }
}

/// The fields of a rule that say who must approve.
#[derive(Debug, Clone, Copy)]
struct State<'r> {
    requirement: &'r Requirement,
    distinct: bool,
    escalate: &'r [Escalation],
    override_by: Option<&'r Override>,
}

impl<'r> State<'r> {
    fn of(rule: &Rule<'r>) -> Option<Self> {
        Some(Self {
            requirement: rule.requirement()?,
            distinct: rule.distinct(),
            escalate: rule.escalate(),
            override_by: rule.override_by(),
        })
    }

    const fn at(&self, after: u64) -> RequirementAt<'r> {
        RequirementAt { requirement: self.requirement, distinct: self.distinct, escalate: self.escalate, after }
    }

    fn overriding(&self) -> Option<RequirementAt<'r>> {
        // Nobody stands in for people who override.
        let by = &self.override_by?.by;
        Some(RequirementAt { requirement: by, distinct: self.distinct, escalate: &[], after: 0 })
    }
}

/// Compares the people of two rules that need approvals. `differing` are the fields that are written differently.
pub(super) fn compare_people(
    old: &Rule<'_>,
    new: &Rule<'_>,
    differing: &[Field],
    tools: &mut Tools<'_>,
) -> PeopleChange {
    let (Some(mut current), Some(end)) = (State::of(old), State::of(new)) else { return PeopleChange::default() };
    let objectors = Objectors::between(old, new);
    let mut changes = Vec::new();
    for (field, otherwise) in OF_PEOPLE {
        let differs = differing.contains(&field);
        let mut effects = Effects::default();
        let mut next = current;
        if field == Field::Require {
            next.requirement = end.requirement;
        } else if field == Field::Escalate {
            next.escalate = end.escalate;
        } else if field == Field::Override {
            next.override_by = end.override_by;
        } else {
            next.distinct = end.distinct;
        }
        if differs && field == Field::Override {
            compare_overrides(current, next, tools, &mut effects);
        } else if differs && field != Field::Veto {
            for after in phases([old, new]) {
                let since = Duration::from_secs(after).map(|after| format!(" {after} after the request is opened"));
                let when = since.unwrap_or_default();
                compare_requirements(current.at(after), next.at(after), &when, tools, &mut effects);
            }
            if field == Field::Distinct
                && let (Some(before), Some(now)) = (current.overriding(), next.overriding())
            {
                compare_requirements(before, now, " as an override", tools, &mut effects);
            }
        }
        current = next;
        objectors.add_effects(field, old, new, &mut effects);
        if differs && is_other(field, old, new) || !effects.looser.is_empty() || !effects.stricter.is_empty() {
            changes.push(effects.change(Part::Field(field), otherwise));
        }
    }
    PeopleChange(changes)
}

/// Whether the effective value of a field may differ, and not only whether the field is written.
fn is_other(field: Field, old: &Rule<'_>, new: &Rule<'_>) -> bool {
    if field == Field::Distinct {
        old.distinct() != new.distinct()
    } else if field == Field::Escalate {
        !old.escalate().is_empty() || !new.escalate().is_empty()
    } else if field == Field::Veto {
        !old.veto().is_empty() || !new.veto().is_empty()
    } else {
        true
    }
}

/// The fields in the order in which they are changed, each with the text for a change that makes no difference to who
/// suffices.
const OF_PEOPLE: [(Field, &str); 5] = [
    (Field::Require, "the same people suffice, written in another way"),
    (Field::Escalate, "the same people may stand in; times or notifications change"),
    (Field::Override, "the same people may override; wording or notifications change"),
    (Field::Distinct, "the same people suffice"),
    (Field::Veto, "the same people may request changes"),
];

/// Adds who suffices in only one of the two, in both directions.
fn compare_requirements(
    old: RequirementAt<'_>,
    new: RequirementAt<'_>,
    when: &str,
    tools: &mut Tools<'_>,
    effects: &mut Effects,
) {
    let add = |texts: &mut Vec<String>, text: String| {
        if texts.is_empty() {
            texts.push(text);
        }
    };
    match find(new, old, tools.keys, tools.budget) {
        Found::Nobody => {}
        Found::Some { people, alone, case } => {
            let suffice = if alone { " alone suffices" } else { " suffice" };
            add(&mut effects.looser, format!("{people}{suffice} now{when}{case}, and did not before"));
        }
        Found::Unknown(why) => {
            add(&mut effects.looser, format!("it is unknown whether people suffice now who did not before: {why}"));
        }
    }
    match find(old, new, tools.keys, tools.budget) {
        // An unknown result counts as looser, which is added above.
        Found::Nobody | Found::Unknown(_) => {}
        Found::Some { people, alone, case } => {
            let sufficed = if alone { " alone sufficed" } else { " sufficed" };
            let no_longer = if alone { "does" } else { "do" };
            add(&mut effects.stricter, format!("{people}{sufficed}{when}{case}, and no longer {no_longer}"));
        }
    }
}

fn compare_overrides(old: State<'_>, new: State<'_>, tools: &mut Tools<'_>, effects: &mut Effects) {
    match (old.overriding(), new.overriding()) {
        (None, Some(now)) => {
            effects.looser.push(format!("{} may set the rule aside", now.requirement.in_words()));
        }
        (Some(_), None) => effects.stricter.push("nobody may set the rule aside any more".to_owned()),
        (Some(before), Some(now)) => compare_requirements(before, now, " as an override", tools, effects),
        (None, None) => {}
    }
    let valid_for = |state: State<'_>| state.override_by.map(|field| field.valid_for);
    if let (Some(before), Some(now)) = (valid_for(old), valid_for(new)) {
        let text = || format!("an override counts for {now} instead of {before}");
        if now > before {
            effects.looser.push(text());
        } else if now < before {
            effects.stricter.push(text());
        }
    }
}
