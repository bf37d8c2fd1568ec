//! How calendars lie over the coming year: what time a freeze and a window leave, and how long a calendar lasts at most.
//!
//! Each question is answered once, however many rules ask it, and not at all where that would take too many steps. Knows
//! no rule.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::{Lint, OF_A_CALENDAR};
use crate::policy::Calendar;

/// How far ahead is looked, in hours.
const YEAR: i64 = 366 * 24;
/// The most changes that are looked at for one answer.
const MOST_CHANGES: usize = 10_000;

/// Calendars by their names, which tell them apart.
type Key<'l> = Vec<&'l str>;

/// What has been answered.
#[derive(Default)]
pub(super) struct Stretches<'l> {
    left: HashMap<(Key<'l>, Key<'l>), bool>,
    longest: HashMap<&'l str, Option<SignedDuration>>,
}

fn end(now: Timestamp) -> Timestamp {
    now.checked_add(SignedDuration::from_hours(YEAR)).unwrap_or(Timestamp::MAX)
}

impl<'l> Stretches<'l> {
    /// Whether there is an instant in the coming year outside all freezes and inside the window, if there is one. Where
    /// that cannot be told there may be.
    pub(super) fn leave_time(
        &mut self,
        lint: &mut Lint<'l>,
        freezes: &[&'l Calendar],
        window: &[&'l Calendar],
    ) -> bool {
        let names = |calendars: &[&'l Calendar]| {
            let mut names: Key<'l> = calendars.iter().map(|calendar| calendar.name()).collect();
            names.sort_unstable();
            names.dedup();
            names
        };
        let key = (names(freezes), names(window));
        if let Some(left) = self.left.get(&key) {
            return *left;
        }
        let left = leave_time(lint, freezes, window);
        self.left.insert(key, left);
        left
    }

    /// The longest stretch of the calendar that begins in the coming year; none where there is none, or no end of one.
    pub(super) fn longest(&mut self, lint: &mut Lint<'l>, calendar: &'l Calendar) -> Option<SignedDuration> {
        if let Some(longest) = self.longest.get(calendar.name()) {
            return *longest;
        }
        let longest = longest(lint, calendar);
        self.longest.insert(calendar.name(), longest);
        longest
    }
}

fn leave_time(lint: &mut Lint<'_>, freezes: &[&Calendar], window: &[&Calendar]) -> bool {
    let (mut at, end) = (lint.now, end(lint.now));
    for _ in 0..MOST_CHANGES {
        if at >= end {
            return false;
        }
        if !lint.spend((freezes.len() + window.len()).saturating_mul(OF_A_CALENDAR)) {
            return true;
        }
        // As long as one of them freezes, nothing else matters.
        let next = match freezes.iter().find(|calendar| calendar.contains(at)) {
            Some(frozen) => frozen.next_change(at),
            None if window.is_empty() || window.iter().any(|calendar| calendar.contains(at)) => return true,
            None => window.iter().filter_map(|calendar| calendar.next_change(at)).min(),
        };
        match next {
            Some(next) => at = next,
            None => return false,
        }
    }
    true
}

fn longest(lint: &mut Lint<'_>, calendar: &Calendar) -> Option<SignedDuration> {
    let (mut at, end) = (lint.now, end(lint.now));
    let mut change = |at| if lint.spend(OF_A_CALENDAR) { calendar.next_change(at) } else { None };
    if calendar.contains(at) {
        at = change(at)?;
    }
    let mut longest = None;
    for _ in 0..MOST_CHANGES / 2 {
        let Some(begin) = change(at).filter(|begin| *begin < end) else { break };
        let Some(over) = change(begin) else { break };
        longest = longest.max(Some(over.duration_since(begin)));
        at = over;
    }
    longest
}
