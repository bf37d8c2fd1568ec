//! Compares two rules of one target, field by field.
//!
//! Compares each field with all others unchanged, so that no looser field hides behind a stricter one.

use std::cmp::Ordering;

use super::approval::{PeopleChange, compare_people};
use super::change::{Direction, Effects, FieldChange, Part};
use super::keys::Keys;
use super::{scope, times};
use crate::ident::ChannelName;
use crate::policy::field::{Event, Exclusion, Mode, OnChangesRequested};
use crate::policy::requirement::Require;
use crate::policy::rule::Rule;
use crate::policy::setting::Field;
use crate::policy::words::joined;

/// The old or the new state of a target.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side<'a> {
    pub(super) rule: Option<&'a Rule<'a>>,
    /// How the rule falls below a floor, if it does.
    pub(super) below: Option<&'a str>,
}

pub(super) struct Tools<'t> {
    pub(super) keys: &'t mut Keys,
    /// How many sets of people may still be tried, over all targets.
    pub(super) budget: &'t mut u32,
    /// The channels whose addresses change.
    pub(super) moved: &'t [&'t ChannelName],
}

/// All changes, in the order of the language's reference.
pub(super) fn compare(old: Side<'_>, new: Side<'_>, tools: &mut Tools<'_>) -> Vec<FieldChange> {
    let mut changes = match (usable_rule(old), usable_rule(new)) {
        (Ok(before), Ok(now)) => by_field(before, now, tools),
        (Err(why), Ok(now)) => {
            let text = format!("every request was denied, because {why}; now {}", takes(now));
            vec![FieldChange::new(part_of(old), Direction::Looser, text)]
        }
        (Ok(before), Err(why)) => {
            let text = format!("every request is denied now, because {why}; before, {}", took(before));
            vec![FieldChange::new(part_of(new), Direction::Stricter, text)]
        }
        (Err(before), Err(now)) if before == now => Vec::new(),
        (Err(before), Err(now)) => {
            let text = format!("every request is denied, because {now}; before, because {before}");
            vec![FieldChange::new(part_of(new), Direction::Different, text)]
        }
    };
    // In audit mode even a denied execution passes, unless there is no rule.
    let denied = usable_rule(old).is_err() || usable_rule(new).is_err();
    let audit = |side: Side<'_>| side.rule.is_some_and(|rule| rule.mode() == Mode::Audit);
    if denied && audit(old) != audit(new) {
        changes.push(mode(audit(new)));
    }
    changes
}

/// The rule, or the reason why every request is denied.
fn usable_rule(side: Side<'_>) -> Result<&Rule<'_>, String> {
    match side {
        Side { rule: None, .. } => Err("there is no rule for it".to_owned()),
        Side { below: Some(below), .. } => Err(below.to_owned()),
        Side { rule: Some(rule), .. } => match rule.require() {
            Some(_) => Ok(rule),
            None => Err("its rule has no `require`".to_owned()),
        },
    }
}

const fn part_of(side: Side<'_>) -> Part {
    match side {
        Side { below: Some(_), .. } => Part::Floor,
        Side { .. } => Part::Rule,
    }
}

fn takes(rule: &Rule<'_>) -> String {
    rule.requirement()
        .map_or_else(|| "nobody must approve".to_owned(), |requirement| format!("{} suffices", requirement.in_words()))
}

fn took(rule: &Rule<'_>) -> String {
    rule.requirement().map_or_else(
        || "nobody had to approve".to_owned(),
        |requirement| format!("{} sufficed", requirement.in_words()),
    )
}

/// The fields that have no effect if nobody must approve.
const OF_PEOPLE: [Field; 10] = [
    Field::Timeout,
    Field::Explicit,
    Field::Remind,
    Field::Escalate,
    Field::Exclude,
    Field::Distinct,
    Field::OnChangesRequested,
    Field::Veto,
    Field::MaxAge,
    Field::Override,
];

fn by_field(old: &Rule<'_>, new: &Rule<'_>, tools: &mut Tools<'_>) -> Vec<FieldChange> {
    let differs = |field: Field, keys: &mut Keys| {
        let number = |rule: &Rule<'_>, keys: &mut Keys| {
            rule.fields.get(field.index()).copied().flatten().map_or(0, |setting| keys.setting(setting))
        };
        number(old, keys) != number(new, keys)
    };
    let mut fields: Vec<Field> = Field::ALL.iter().copied().filter(|field| differs(*field, tools.keys)).collect();
    let needs_approval = matches!((old.require(), new.require()), (Some(Require::People(_)), Some(Require::People(_))));
    let mut people = PeopleChange::default();
    if needs_approval {
        people = compare_people(old, new, &fields, tools);
        // A change of one field may have an effect that is reported under another.
        fields = Field::ALL.iter().copied().filter(|field| fields.contains(field) || people.has(*field)).collect();
    }
    let override_differs = fields.contains(&Field::Override);
    let mut changes = Vec::new();
    for field in fields {
        let change = match field {
            Field::Require if !needs_approval => Some(require_none(old, new)),
            Field::Override if !needs_approval => continue,
            field if !needs_approval && OF_PEOPLE.contains(&field) => Some(FieldChange::new(
                Part::Field(field),
                Direction::Different,
                "has no effect, because nobody must approve",
            )),
            Field::Require | Field::Escalate | Field::Distinct | Field::Veto | Field::Override => people.take(field),
            Field::Freeze => times::freeze(old, new, tools.keys),
            Field::Window => times::window(old, new),
            Field::Timeout
            | Field::Explicit
            | Field::Remind
            | Field::Exclude
            | Field::OnChangesRequested
            | Field::MaxAge
            | Field::Wait
            | Field::Notify
            | Field::Mode => by_value(field, old, new),
        };
        changes.extend(change);
    }
    if !needs_approval {
        // An override has an effect only if people must approve, so it may change even if both rules have it.
        changes.extend(override_of_none(old, new, override_differs));
    }
    if !changes.iter().any(|change| change.part == Part::Field(Field::Notify)) {
        changes.extend(other_addresses(old, new, tools.moved));
    }
    changes.extend(scope::compare(old, new, needs_approval));
    changes
}

/// Compares `require` if one of the rules, or both, is `none`.
fn require_none(old: &Rule<'_>, new: &Rule<'_>) -> FieldChange {
    let part = Part::Field(Field::Require);
    match (old.requirement(), new.requirement()) {
        (Some(before), None) => FieldChange::new(
            part,
            Direction::Looser,
            format!("nobody must approve, and no pull request is needed; before, {} had to approve", before.in_words()),
        ),
        (None, Some(now)) => FieldChange::new(
            part,
            Direction::Stricter,
            format!("{} must approve; before, nobody had to", now.in_words()),
        ),
        (None, None) | (Some(_), Some(_)) => FieldChange::new(part, Direction::Different, "requires the same"),
    }
}

/// Compares `override` if one of the rules, or both, is `require: none`. It then only sets aside freezes, windows and
/// the wait timer. `written` says whether it is written differently.
fn override_of_none(old: &Rule<'_>, new: &Rule<'_>, written: bool) -> Option<FieldChange> {
    let holds_back = |rule: &Rule<'_>| !rule.freeze().is_empty() || rule.window().is_some() || rule.wait().is_some();
    let part = Part::Field(Field::Override);
    let has = |rule: &Rule<'_>| rule.requirement().is_some() && rule.override_by().is_some();
    match (has(old), has(new)) {
        (false, true) if holds_back(old) => Some(FieldChange::new(
            part,
            Direction::Looser,
            "an override can now set aside freezes, windows and the wait timer",
        )),
        (true, false) if holds_back(new) => Some(FieldChange::new(
            part,
            Direction::Stricter,
            "no override can set aside freezes, windows and the wait timer any more",
        )),
        (true | false, true | false) => {
            written.then(|| FieldChange::new(part, Direction::Different, "has no effect, because nobody must approve"))
        }
    }
}

/// Compares a field by its value alone.
fn by_value(field: Field, old: &Rule<'_>, new: &Rule<'_>) -> Option<FieldChange> {
    let part = Part::Field(field);
    match field {
        Field::Timeout => by_order(part, &new.timeout(), &old.timeout(), |_| {
            format!("people have {} to approve instead of {}", new.timeout(), old.timeout())
        }),
        Field::Explicit => by_order(part, &old.explicit(), &new.explicit(), |looser| match looser {
            true => "an approval counts without naming the target".to_owned(),
            false => "an approval counts only if it names the target".to_owned(),
        }),
        Field::Remind => same_unless(part, old.remind() != new.remind(), "reminders come at other times"),
        Field::Exclude => exclude(old, new),
        Field::OnChangesRequested => on_changes_requested(old, new),
        Field::MaxAge => {
            // Without `max_age`, an approval counts however old it is.
            let age = |rule: &Rule<'_>| rule.max_age().map_or(u64::MAX, crate::policy::Duration::as_secs);
            by_order(part, &age(new), &age(old), |looser| match (looser, new.max_age()) {
                (_, None) => "an approval counts however old it is".to_owned(),
                (true, Some(age)) => format!("an approval counts until it is {age} old"),
                (false, Some(age)) => format!("an approval stops counting when it is {age} old"),
            })
        }
        Field::Wait => {
            let wait = |rule: &Rule<'_>| rule.wait().map_or(0, crate::policy::Duration::as_secs);
            by_order(part, &wait(old), &wait(new), |_| match new.wait() {
                None => "an approved request is released at once".to_owned(),
                Some(wait) => format!("an approved request waits {wait} before it is released"),
            })
        }
        Field::Notify => {
            let channels = |rule: &Rule<'_>| Event::ALL.map(|event| rule.channels(event));
            same_unless(part, channels(old) != channels(new), "other channels are notified, or of other events")
        }
        Field::Mode => (old.mode() != new.mode()).then(|| mode(new.mode() == Mode::Audit)),
        Field::Require
        | Field::Escalate
        | Field::Distinct
        | Field::Veto
        | Field::Freeze
        | Field::Window
        | Field::Override => None,
    }
}

/// A change of a value with an order: looser if the first value is the greater.
fn by_order<T: Ord>(part: Part, looser: &T, than: &T, text: impl Fn(bool) -> String) -> Option<FieldChange> {
    match looser.cmp(than) {
        Ordering::Greater => Some(FieldChange::new(part, Direction::Looser, text(true))),
        Ordering::Less => Some(FieldChange::new(part, Direction::Stricter, text(false))),
        Ordering::Equal => None,
    }
}

fn same_unless(part: Part, differs: bool, text: &str) -> Option<FieldChange> {
    differs.then(|| FieldChange::new(part, Direction::Different, text))
}

fn mode(audit: bool) -> FieldChange {
    let part = Part::Field(Field::Mode);
    if audit {
        FieldChange::new(part, Direction::Looser, "a refusal no longer stops the deployment: it is only recorded")
    } else {
        FieldChange::new(part, Direction::Stricter, "a refusal stops the deployment; before, it was only recorded")
    }
}

fn exclude(old: &Rule<'_>, new: &Rule<'_>) -> Option<FieldChange> {
    let without = |of: &Rule<'_>, other: &Rule<'_>| -> Vec<Exclusion> {
        of.exclude().iter().copied().filter(|who| !other.exclude().contains(who)).collect()
    };
    let mut effects = Effects::default();
    for who in without(old, new) {
        effects.looser.push(format!("an approval by {} counts", who.in_words()));
    }
    for who in without(new, old) {
        effects.stricter.push(format!("an approval by {} no longer counts", who.in_words()));
    }
    let change = effects.change(Part::Field(Field::Exclude), "");
    (change.change != Direction::Different).then_some(change)
}

fn on_changes_requested(old: &Rule<'_>, new: &Rule<'_>) -> Option<FieldChange> {
    let strictness = |rule: &Rule<'_>| match rule.on_changes_requested() {
        OnChangesRequested::Ignore => 0,
        OnChangesRequested::Block => 1,
        OnChangesRequested::Reject => 2,
    };
    by_order(Part::Field(Field::OnChangesRequested), &strictness(old), &strictness(new), |_| {
        match new.on_changes_requested() {
            OnChangesRequested::Ignore => "requests for changes are ignored".to_owned(),
            OnChangesRequested::Block => "a request for changes holds the request until it is withdrawn".to_owned(),
            OnChangesRequested::Reject => "a request for changes ends the request".to_owned(),
        }
    })
}

/// The channels of both rules whose addresses change.
fn other_addresses(old: &Rule<'_>, new: &Rule<'_>, moved: &[&ChannelName]) -> Option<FieldChange> {
    let notified = |rule: &Rule<'_>, channel: &ChannelName| {
        Event::ALL.into_iter().any(|event| rule.channels(event).contains(channel))
            || rule.escalate().iter().any(|step| step.notify.contains(channel))
    };
    let names: Vec<String> = moved
        .iter()
        .filter(|channel| notified(old, channel) && notified(new, channel))
        .map(|channel| format!("`{channel}`"))
        .collect();
    let text = format!("notifications to {} go to other addresses", joined(&names, "and"));
    (!names.is_empty()).then(|| FieldChange::new(Part::Field(Field::Notify), Direction::Different, text))
}
