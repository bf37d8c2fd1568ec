//! When something changes under a rule next: calendars that open and close, and what is due for a request.

use jiff::Timestamp;

use super::schedule::{MomentKind, moments};
use crate::policy::{Calendar, Condition, Freeze, Rule};

#[derive(Debug, Clone, Copy)]
pub enum Change<'p> {
    /// A freeze's calendar opens. From then on nothing is released.
    FreezeBegins(&'p Freeze),
    FreezeEnds(&'p Freeze),
    WindowOpens(&'p Calendar),
    WindowCloses(&'p Calendar),
    /// A calendar that a condition names opens.
    ConditionBegins(&'p Calendar),
    ConditionEnds(&'p Calendar),
    Due(MomentKind<'p>),
}

/// How many changes of one calendar are listed.
const OF_ONE_CALENDAR: usize = 4;
/// How many changes are listed in all.
const IN_ALL: usize = 16;

/// What changes after an instant, in order of time, for a request made at `requested_at`.
#[must_use]
pub fn timeline<'p>(rule: &Rule<'p>, at: Timestamp, requested_at: Timestamp) -> Vec<(Timestamp, Change<'p>)> {
    let mut changes: Vec<(Timestamp, Change<'p>)> = Vec::new();
    for freeze in rule.freeze() {
        changes.extend(flips(&freeze.calendar, at).map(|(when, opens)| {
            (when, if opens { Change::FreezeBegins(freeze) } else { Change::FreezeEnds(freeze) })
        }));
    }
    for calendar in rule.window().unwrap_or_default() {
        changes.extend(flips(calendar, at).map(|(when, opens)| {
            (when, if opens { Change::WindowOpens(calendar) } else { Change::WindowCloses(calendar) })
        }));
    }
    let mut named: Vec<&'p Calendar> =
        rule.conditions().flat_map(Condition::calendars).map(|calendar| &**calendar).collect();
    named.sort_by_key(|calendar| calendar.name());
    named.dedup_by_key(|calendar| calendar.name());
    for calendar in named {
        changes.extend(flips(calendar, at).map(|(when, opens)| {
            (when, if opens { Change::ConditionBegins(calendar) } else { Change::ConditionEnds(calendar) })
        }));
    }
    if rule.requirement().is_some() {
        let due = moments(rule, requested_at).into_iter().filter(|moment| moment.at > at);
        changes.extend(due.map(|moment| (moment.at, Change::Due(moment.kind))));
    }
    changes.sort_by_key(|(when, _)| *when);
    changes.truncate(IN_ALL);
    changes
}

/// The next changes of a calendar, each with whether it opens.
fn flips(calendar: &Calendar, at: Timestamp) -> impl Iterator<Item = (Timestamp, bool)> {
    let changes = std::iter::successors(calendar.next_change(at), |last| calendar.next_change(*last));
    changes.take(OF_ONE_CALENDAR).map(|when| (when, calendar.contains(when)))
}
