//! Freezes and windows that leave no time to release anything, and freezes that outlast a timeout.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use super::bodies::Body;
use super::context::{Lint, OF_A_CALENDAR};
use crate::finding::{Code, Finding, Span};
use crate::policy::{Calendar, Duration, Field, FreezeEffect, Require, Setting, Sourced};

/// A freeze and a window that leave no time in the coming year. A freeze with `except` may be lifted, and is not
/// considered. Reported once for each freeze with its window, however many rules take them.
pub(super) fn no_time_left(lint: &mut Lint<'_>) {
    let mut stretches = Stretches::default();
    let mut reported: HashSet<(Option<Span>, Option<Span>)> = HashSet::new();
    for body in lint.rules() {
        let (Some(freeze), Some(window)) = (lint.written(&body, Field::Freeze), lint.written(&body, Field::Window))
        else {
            continue;
        };
        let span = |setting: Option<&Sourced<Setting>>| setting.map(|setting| setting.source.span());
        let places = (span(freeze), span(window));
        let (freezes, open) = (frozen(freeze), opened(window));
        if (freezes.is_empty() && open.is_empty())
            || reported.contains(&places)
            || stretches.leave_time(lint, &freezes, &open)
        {
            continue;
        }
        reported.insert(places);
        report(lint, &body, (!freezes.is_empty(), places.0), (!open.is_empty(), places.1));
    }
}

/// The calendars of the freezes without `except`.
fn frozen(setting: Option<&Sourced<Setting>>) -> Vec<&Calendar> {
    match setting.map(|setting| &setting.value) {
        Some(Setting::Freeze(freezes)) => {
            freezes.iter().filter(|freeze| freeze.except.is_none()).map(|freeze| &*freeze.calendar).collect()
        }
        Some(_) | None => Vec::new(),
    }
}

/// The calendars of a window. Empty if there is no window.
fn opened(setting: Option<&Sourced<Setting>>) -> Vec<&Calendar> {
    match setting.map(|setting| &setting.value) {
        Some(Setting::Window(calendars)) => calendars.iter().map(|calendar| &**calendar).collect(),
        Some(_) | None => Vec::new(),
    }
}

/// Whether the rule has a freeze or window, and the place where it is set.
type Side = (bool, Option<Span>);

fn report(lint: &mut Lint<'_>, body: &Body<'_>, freeze: Side, window: Side) {
    let why = match (freeze.0, window.0) {
        (true, true) => "a freeze holds whenever the window is open",
        (true, false) => "a freeze holds all the time",
        (false, _) => "the window never opens",
    };
    let message = format!("nothing can be released under {} for a year: {why}", body.named());
    // If the rule itself sets one of the two, point there.
    let own = |field| body.body.place(field).is_some();
    let at_window = window.0 && (!freeze.0 || own(Field::Window) || !own(Field::Freeze));
    let (here, there) = if at_window { (window.1, freeze) } else { (freeze.1, window) };
    let mut finding = Finding::at(Code::NoTimeLeft, here.unwrap_or(body.key_span), message)
        .hint("leave some time between freeze and window; `explain --at TIME` shows what changes next");
    if let (true, Some(span)) = there {
        finding = finding.related(span, if at_window { "the freeze" } else { "the window" });
    }
    lint.report(finding);
}

/// A freeze that denies and lasts longer than `timeout`: if a request is opened just before the freeze, people can only
/// approve during it. Reported once for each freeze, with the shortest timeout under it. A freeze with `except` may be
/// lifted, and is not considered.
pub(super) fn timeout_in_freeze(lint: &mut Lint<'_>) {
    let mut stretches = Stretches::default();
    let mut shortest: BTreeMap<Span, (Duration, SignedDuration, Body<'_>)> = BTreeMap::new();
    for body in lint.rules() {
        let (Some(Some(Setting::Require(require))), Some(timeout), Some(Some(Setting::Freeze(freezes)))) = (
            lint.effective(&body, Field::Require),
            lint.effective(&body, Field::Timeout),
            lint.effective(&body, Field::Freeze),
        ) else {
            continue;
        };
        let timeout = if let Some(Setting::Timeout(timeout)) = timeout { *timeout } else { Duration::DEFAULT_TIMEOUT };
        if **require == Require::Nobody {
            continue;
        }
        for freeze in freezes.iter().filter(|freeze| freeze.effect == FreezeEffect::Deny && freeze.except.is_none()) {
            let span = freeze.source.span();
            if let Some(longest) =
                stretches.longest(lint, &freeze.calendar).filter(|longest| *longest > timeout.signed())
                && shortest.get(&span).is_none_or(|(other, ..)| timeout < *other)
            {
                shortest.insert(span, (timeout, longest, body));
            }
        }
    }
    for (span, (timeout, longest, body)) in shortest {
        let longest = u64::try_from(longest.as_secs()).ok().and_then(Duration::from_secs).unwrap_or(timeout);
        let message = format!(
            "this freeze lasts up to {longest}, longer than the `timeout` of {} ({timeout}): a request opened just \
             before it can only be approved during it, and is then denied",
            body.named()
        );
        lint.report(Finding::at(Code::TimeoutInFreeze, span, message).hint(
            "with `effect: wait`, an approval is kept until the freeze ends; a longer `timeout` lets people approve after it",
        ));
    }
}

/// The time that is looked ahead, in hours.
const YEAR: i64 = 366 * 24;
/// The most changes of calendars that one answer considers.
const MOST_CHANGES: usize = 10_000;

/// Sorted names of calendars.
type Key<'l> = Vec<&'l str>;

/// Answers about the coming year, each computed once.
#[derive(Default)]
struct Stretches<'l> {
    left: HashMap<(Key<'l>, Key<'l>), bool>,
    longest: HashMap<&'l str, Option<SignedDuration>>,
}

fn end(now: Timestamp) -> Timestamp {
    now.checked_add(SignedDuration::from_hours(YEAR)).unwrap_or(Timestamp::MAX)
}

impl<'l> Stretches<'l> {
    /// Whether a moment in the coming year is outside all freezes and, if there is a window, inside it. Also `true` if
    /// the budget runs out.
    fn leave_time(&mut self, lint: &mut Lint<'l>, freezes: &[&'l Calendar], window: &[&'l Calendar]) -> bool {
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

    /// The longest span of the calendar that begins in the coming year. `None` if there is none or one has no end.
    fn longest(&mut self, lint: &mut Lint<'l>, calendar: &'l Calendar) -> Option<SignedDuration> {
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
#[cfg(test)]
mod tests {
    use crate::finding::Code::{NoTimeLeft, TimeoutInFreeze};
    use crate::policy::lint::tests::{count, found};

    const CALENDARS: &str = "version: 1\ncalendars:\n  week: { timezone: UTC, weekly: [{ from: \"mon 00:00\", to: \"sat 00:00\" }] }\n  weekend: { timezone: UTC, weekly: [{ from: \"sat 00:00\", to: \"mon 00:00\" }] }\n  friday: { timezone: Europe/Berlin, weekly: [{ from: \"fri 10:00\", to: \"fri 16:00\" }] }\n  past: { timezone: UTC, dates: [{ from: \"2020-01-01 00:00\", to: \"2020-02-01 00:00\" }] }\n  far: { timezone: UTC, dates: [{ from: \"2028-01-01 00:00\", to: \"2028-02-01 00:00\" }] }\n  soon: { timezone: UTC, dates: [{ from: \"2026-12-23 00:00\", to: \"2026-12-27 00:00\" }] }\n";

    fn policy(fields: &str) -> String {
        format!("{CALENDARS}environments:\n  production: {{ require: \"@dana\", {fields} }}\n")
    }

    #[test]
    fn a_window_that_is_always_frozen_is_reported() {
        let message =
            "10:51 nothing can be released under `production` for a year: a freeze holds whenever the window is open";
        assert_eq!(found(NoTimeLeft, &policy("freeze: [week], window: [friday]")), [message]);
        let wait = "freeze: [{ calendar: week, effect: wait }], window: [friday]";
        assert_eq!(count(NoTimeLeft, &policy(wait)), 1);
    }

    #[test]
    fn freezes_without_a_gap_and_a_window_that_never_opens_are_reported() {
        let message = "nothing can be released under `production` for a year: ";
        let expected = format!("10:35 {message}a freeze holds all the time");
        assert_eq!(found(NoTimeLeft, &policy("freeze: [weekend, week]")), [expected]);
        for window in ["past", "far"] {
            let expected = format!("10:35 {message}the window never opens");
            assert_eq!(found(NoTimeLeft, &policy(&format!("window: [{window}]"))), [expected]);
        }
    }

    #[test]
    fn a_rule_that_leaves_a_few_hours_of_the_year_is_not_reported() {
        for fields in [
            "freeze: [weekend], window: [friday]",
            "freeze: [week], window: [friday, soon]",
            "freeze: [week]",
            "window: [past, soon]",
            "freeze: [{ calendar: week, except: { branch: main } }], window: [friday]",
            "freeze: [], window: []",
        ] {
            assert_eq!(count(NoTimeLeft, &policy(fields)), 0, "{fields}");
        }
    }

    #[test]
    fn an_inherited_freeze_is_reported_once_and_an_own_one_at_the_service() {
        let services = |own: &str| {
            let service =
                |name: &str| format!("  {name}: {{ repository: a/b, environments: {{ production: {{ {own} }} }} }}\n");
            format!("services:\n{}{}", service("a"), service("b"))
        };
        let all = format!("{}{}", policy("freeze: [week], window: [friday]"), services("timeout: 2h"));
        assert_eq!(count(NoTimeLeft, &all), 1);
        let own = format!("{}{}", policy("freeze: [week]"), services("window: [friday]"));
        let message = |place: &str, name: &str| {
            format!(
                "{place} nothing can be released under `production` of `{name}` for a year: a freeze holds whenever the window is open"
            )
        };
        assert_eq!(found(NoTimeLeft, &own), [message("12:55", "a"), message("13:55", "b")]);
    }

    const FREEZES: &str = "version: 1\ncalendars:\n  weekend: { timezone: UTC, weekly: [{ from: \"fri 16:00\", to: \"mon 08:00\" }] }\n  past: { timezone: UTC, dates: [{ from: \"2020-01-01 00:00\", to: \"2020-02-01 00:00\" }] }\n  always: { timezone: UTC, weekly: [{ days: [mon, tue, wed, thu, fri, sat, sun], from: \"00:00\", to: \"24:00\" }] }\n";

    fn frozen(fields: &str) -> String {
        format!("{FREEZES}environments:\n  production: {{ {fields} }}\n")
    }

    fn in_freeze(place: &str, timeout: &str, of: &str) -> String {
        format!(
            "{place} this freeze lasts up to 2d16h, longer than the `timeout` of {of} ({timeout}): a request opened just before it can only be approved during it, and is then denied"
        )
    }

    #[test]
    fn a_freeze_that_outlasts_the_timeout_is_reported_at_the_freeze() {
        let text = frozen("require: \"@dana\", timeout: 8h, freeze: [past, weekend]");
        assert_eq!(found(TimeoutInFreeze, &text), [in_freeze("7:63", "8h", "`production`")]);
        let built_in = frozen("require: \"@dana\", freeze: weekend");
        assert_eq!(found(TimeoutInFreeze, &built_in), [in_freeze("7:43", "1d", "`production`")]);
        assert_eq!(count(TimeoutInFreeze, &frozen("require: \"@dana\", timeout: 2d15h, freeze: weekend")), 1);
    }

    #[test]
    fn a_freeze_that_waits_or_has_no_end_and_a_longer_timeout_are_not_reported() {
        for fields in [
            "require: \"@dana\", timeout: 2d16h, freeze: weekend",
            "require: \"@dana\", freeze: [{ calendar: weekend, effect: wait }]",
            "require: \"@dana\", freeze: [{ calendar: weekend, except: { branch: main } }]",
            "require: \"@dana\", freeze: [past]",
            "require: \"@dana\", freeze: [always]",
            "require: none, freeze: [weekend]",
        ] {
            assert_eq!(count(TimeoutInFreeze, &frozen(fields)), 0, "{fields}");
        }
    }

    #[test]
    fn a_freeze_is_reported_once_with_the_shortest_timeout_under_it() {
        let own = |name: &str, timeout: &str| {
            format!("  {name}: {{ repository: a/b, environments: {{ production: {{ timeout: {timeout} }} }} }}\n")
        };
        let services = format!("services:\n{}{}{}", own("a", "9h"), own("b", "4h"), own("c", "4h"));
        let text = format!("{}{services}", frozen("require: \"@dana\", freeze: weekend"));
        assert_eq!(found(TimeoutInFreeze, &text), [in_freeze("7:43", "4h", "`production` of `b`")]);
    }
}
