//! Freezes and windows by the times they hold, whatever their calendars are called and however those are written.

use super::change::{FieldChange, Part, Weighed};
use super::keys::Keys;
use crate::policy::calendar::{Beyond, Calendar};
use crate::policy::field::{Freeze, FreezeEffect};
use crate::policy::rule::Rule;
use crate::policy::setting::Field;

/// Compares when nothing is released.
pub(super) fn freeze(old: &Rule<'_>, new: &Rule<'_>, keys: &mut Keys) -> Option<FieldChange> {
    if old.freeze().is_empty() && new.freeze().is_empty() {
        return None;
    }
    let mut weighed = Weighed::default();
    weighed.looser.extend(old.freeze().iter().find_map(|freeze| {
        let beyond = uncovered(freeze, new.freeze(), keys)?;
        Some(said(freeze, &beyond, false))
    }));
    weighed.stricter.extend(new.freeze().iter().find_map(|freeze| {
        let beyond = uncovered(freeze, old.freeze(), keys)?;
        Some(said(freeze, &beyond, true))
    }));
    Some(weighed.change(Part::Field(Field::Freeze), "the same times are frozen, written in another way"))
}

/// When a freeze holds and none of the others does that is as strict. One with an exception is as strict only beside the
/// same exception.
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

fn said(freeze: &Freeze, beyond: &Beyond, more: bool) -> String {
    let effect = match freeze.effect {
        FreezeEffect::Deny => "denied",
        FreezeEffect::Wait => "made to wait",
    };
    let except = freeze.except.as_ref().map(|except| format!(", except where {except},")).unwrap_or_default();
    let change = if more { format!("{effect} as it was not") } else { format!("not {effect} any more as it was") };
    let text = format!("inside `{}`{except} a release is {change}", freeze.calendar.name());
    match beyond {
        Beyond::At(at) => format!("{text}: {at}, for one"),
        Beyond::OtherZone => format!("{text}, as far as can be told: the clocks of two time zones are not compared"),
    }
}

/// Compares when alone something is released.
pub(super) fn window(old: &Rule<'_>, new: &Rule<'_>) -> Option<FieldChange> {
    let mut weighed = Weighed::default();
    match (old.window(), new.window()) {
        (None, None) => return None,
        (Some(_), None) => weighed.looser.push("releases are made at any time".to_owned()),
        (None, Some(_)) => weighed.stricter.push("releases are made only inside the window".to_owned()),
        (Some(before), Some(now)) => {
            let beyond = |calendars: &[std::sync::Arc<Calendar>], others: &[std::sync::Arc<Calendar>]| {
                let others: Vec<&Calendar> = others.iter().map(|other| &**other).collect();
                calendars.iter().find_map(|calendar| calendar.beyond(&others))
            };
            weighed.looser.extend(beyond(now, before).map(|beyond| opening(&beyond, "inside the window, and was not")));
            weighed.stricter.extend(beyond(before, now).map(|beyond| opening(&beyond, "no longer inside the window")));
        }
    }
    Some(weighed.change(Part::Field(Field::Window), "the window is open at the same times, written in another way"))
}

fn opening(beyond: &Beyond, what: &str) -> String {
    match beyond {
        Beyond::At(at) => format!("{at}, is {what}"),
        Beyond::OtherZone => format!("some time perhaps is {what}: the clocks of two time zones are not compared"),
    }
}
