//! Compares freezes and windows by the times at which they hold, whatever the names and forms of their calendars.

use super::change::{Effects, FieldChange, Part};
use super::keys::Keys;
use crate::policy::calendar::{Beyond, Calendar};
use crate::policy::field::{Freeze, FreezeEffect};
use crate::policy::rule::Rule;
use crate::policy::setting::Field;

pub(super) fn freeze(old: &Rule<'_>, new: &Rule<'_>, keys: &mut Keys) -> Option<FieldChange> {
    if old.freeze().is_empty() && new.freeze().is_empty() {
        return None;
    }
    let mut effects = Effects::default();
    effects.looser.extend(old.freeze().iter().find_map(|freeze| {
        let beyond = uncovered(freeze, new.freeze(), keys)?;
        Some(changed(freeze, &beyond, false))
    }));
    effects.stricter.extend(new.freeze().iter().find_map(|freeze| {
        let beyond = uncovered(freeze, old.freeze(), keys)?;
        Some(changed(freeze, &beyond, true))
    }));
    Some(effects.change(Part::Field(Field::Freeze), "the same times are frozen, written in another way"))
}

/// A time at which a freeze holds, and none of the others that is as strict. A freeze with `except` is as strict only
/// as one with the same `except`.
fn uncovered(freeze: &Freeze, by: &[Freeze], keys: &mut Keys) -> Option<Beyond> {
    let mut except = |freeze: &Freeze| freeze.except.as_ref().map(|except| keys.condition(except));
    let own = except(freeze);
    let mut as_strict: Vec<&Calendar> = Vec::new();
    for other in by {
        let effect = other.effect == FreezeEffect::Deny || freeze.effect == FreezeEffect::Wait;
        let theirs = except(other);
        if effect && (theirs.is_none() || theirs == own) {
            as_strict.push(&other.calendar);
        }
    }
    freeze.calendar.beyond(&as_strict)
}

fn changed(freeze: &Freeze, beyond: &Beyond, more: bool) -> String {
    let change = match (freeze.effect, more) {
        (FreezeEffect::Deny, true) => "releases are now denied",
        (FreezeEffect::Deny, false) => "releases are no longer denied",
        (FreezeEffect::Wait, true) => "releases now wait",
        (FreezeEffect::Wait, false) => "releases no longer wait",
    };
    let except = freeze.except.as_ref().map(|except| format!(" (except if {except})")).unwrap_or_default();
    let text = format!("inside `{}`{except}, {change}", freeze.calendar.name());
    match beyond {
        Beyond::At(at) => format!("{text}: for example {at}"),
        Beyond::OtherZone => format!("{text}, possibly: times in two time zones are not compared"),
    }
}

pub(super) fn window(old: &Rule<'_>, new: &Rule<'_>) -> Option<FieldChange> {
    let mut effects = Effects::default();
    match (old.window(), new.window()) {
        (None, None) => return None,
        (Some(_), None) => effects.looser.push("releases are possible at any time".to_owned()),
        (None, Some(_)) => effects.stricter.push("releases are possible only inside the window".to_owned()),
        (Some(before), Some(now)) => {
            let beyond = |calendars: &[std::sync::Arc<Calendar>], others: &[std::sync::Arc<Calendar>]| {
                let others: Vec<&Calendar> = others.iter().map(|other| &**other).collect();
                calendars.iter().find_map(|calendar| calendar.beyond(&others))
            };
            effects.looser.extend(beyond(now, before).map(|beyond| opening(&beyond, "now inside the window")));
            effects.stricter.extend(beyond(before, now).map(|beyond| opening(&beyond, "no longer inside the window")));
        }
    }
    Some(effects.change(Part::Field(Field::Window), "the window is open at the same times, written in another way"))
}

fn opening(beyond: &Beyond, what: &str) -> String {
    match beyond {
        Beyond::At(at) => format!("{at}, is {what}"),
        Beyond::OtherZone => format!("some time may be {what}: times in two time zones are not compared"),
    }
}
