//! The fields that together say who must approve, who may object and who may override: `require`, `escalate`,
//! `distinct`, `veto` and `override`.
//!
//! They are changed one after the other, from the old rule to the new, and each step is compared for all sets of people
//! at every time at which others come to stand in. If no step lets anything through that was held back, all of them
//! together do not either.

use super::change::{FieldChange, Part, Weighed};
use super::fields::Tools;
use super::requirement::{Asking, Found, find};
use super::say::{Say, phases};
use crate::policy::duration::Duration;
use crate::policy::field::{Escalation, Override};
use crate::policy::requirement::Requirement;
use crate::policy::rule::Rule;
use crate::policy::setting::Field;

/// What becomes of the fields that are about people.
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

/// What of a rule says who must approve.
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

    const fn asking(&self, after: u64) -> Asking<'r> {
        Asking { requirement: self.requirement, distinct: self.distinct, escalate: self.escalate, after }
    }

    fn overriding(&self) -> Option<Asking<'r>> {
        // Nobody stands in for those who override.
        let by = &self.override_by?.by;
        Some(Asking { requirement: by, distinct: self.distinct, escalate: &[], after: 0 })
    }
}

/// Compares the people of two rules that ask for some. `differing` are the fields that are not written the same.
pub(super) fn compare_people(
    old: &Rule<'_>,
    new: &Rule<'_>,
    differing: &[Field],
    tools: &mut Tools<'_>,
) -> PeopleChange {
    let (Some(mut at), Some(end)) = (State::of(old), State::of(new)) else { return PeopleChange::default() };
    let say = Say::between(old, new);
    let mut changes = Vec::new();
    for (field, otherwise) in OF_PEOPLE {
        let differs = differing.contains(&field);
        let mut weighed = Weighed::default();
        let mut next = at;
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
            compare_overrides(at, next, tools, &mut weighed);
        } else if differs && field != Field::Veto {
            for after in phases([old, new]) {
                let since = Duration::from_secs(after).map(|after| format!(" {after} after people are asked"));
                let when = since.unwrap_or_default();
                compare_askings(at.asking(after), next.asking(after), &when, tools, &mut weighed);
            }
            if field == Field::Distinct
                && let (Some(before), Some(now)) = (at.overriding(), next.overriding())
            {
                compare_askings(before, now, " as an override", tools, &mut weighed);
            }
        }
        at = next;
        say.weigh(field, old, new, &mut weighed);
        if differs && is_other(field, old, new) || !weighed.looser.is_empty() || !weighed.stricter.is_empty() {
            changes.push(weighed.change(Part::Field(field), otherwise));
        }
    }
    PeopleChange(changes)
}

/// Whether what a field says differs, and not only whether it is written.
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

/// The fields that say which people suffice, in the order in which they are changed, each with what is said where it
/// makes no difference to that.
const OF_PEOPLE: [(Field, &str); 5] = [
    (Field::Require, "the same people suffice, asked for in another way"),
    (Field::Escalate, "others are told, or at other times; the same people may stand in"),
    (Field::Override, "the same people may override; others are told, or in other words"),
    (Field::Distinct, "makes no difference to who suffices"),
    (Field::Veto, "the same people have a say"),
];

/// Adds who suffices in the one and not in the other, in both directions.
fn compare_askings(old: Asking<'_>, new: Asking<'_>, when: &str, tools: &mut Tools<'_>, weighed: &mut Weighed) {
    let add = |texts: &mut Vec<String>, text: String| {
        if texts.is_empty() {
            texts.push(text);
        }
    };
    match find(new, old, tools.keys, tools.budget) {
        Found::Nobody => {}
        Found::Some { people, alone, case } => {
            let suffice = if alone { " alone suffices" } else { " suffice" };
            add(&mut weighed.looser, format!("{people}{suffice} now{when}{case}, and did not before"));
        }
        Found::Unknown(why) => {
            add(&mut weighed.looser, format!("it cannot be told whether people suffice now who did not before: {why}"));
        }
    }
    match find(old, new, tools.keys, tools.budget) {
        // What cannot be told is held to be looser, and that was asked above.
        Found::Nobody | Found::Unknown(_) => {}
        Found::Some { people, alone, case } => {
            let sufficed = if alone { " alone sufficed" } else { " sufficed" };
            let no_longer = if alone { "does" } else { "do" };
            add(&mut weighed.stricter, format!("{people}{sufficed}{when}{case}, and no longer {no_longer}"));
        }
    }
}

fn compare_overrides(old: State<'_>, new: State<'_>, tools: &mut Tools<'_>, weighed: &mut Weighed) {
    match (old.overriding(), new.overriding()) {
        (None, Some(now)) => {
            weighed.looser.push(format!("{} may set the rule aside", now.requirement.in_words()));
        }
        (Some(_), None) => weighed.stricter.push("nobody may set the rule aside any more".to_owned()),
        (Some(before), Some(now)) => compare_askings(before, now, " as an override", tools, weighed),
        (None, None) => {}
    }
    let valid_for = |state: State<'_>| state.override_by.map(|field| field.valid_for);
    if let (Some(before), Some(now)) = (valid_for(old), valid_for(new)) {
        let text = || format!("an override counts for {now}, where it was {before}");
        if now > before {
            weighed.looser.push(text());
        } else if now < before {
            weighed.stricter.push(text());
        }
    }
}
