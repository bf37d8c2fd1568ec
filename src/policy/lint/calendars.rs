//! Calendars that never hold, always hold, or hold no longer.

use jiff::Timestamp;

use super::{Lint, OF_A_CALENDAR};
use crate::finding::{Code, Finding};
use crate::policy::Calendar;

pub(super) fn look(lint: &mut Lint<'_>) {
    let policy = lint.policy;
    for entry in lint.entries("calendars") {
        if let Some(calendar) = policy.calendars.get(&entry.key)
            && lint.spend(3 * OF_A_CALENDAR)
            && let Some((code, message, hint)) = problem(&entry.key, calendar, lint.now)
        {
            lint.report(Finding::at(code, entry.key_span, message).hint(hint));
        }
    }
}

fn problem(name: &str, calendar: &Calendar, now: Timestamp) -> Option<(Code, String, &'static str)> {
    if calendar.never_opens() {
        let message = format!("no instant is inside `{name}`: its zone's clock skips all its times");
        let hint = "clocks that are put forward skip the hour between: write a span that lies beside it";
        Some((Code::CalendarNeverOpens, message, hint))
    } else if calendar.always_open() {
        let message = format!("every instant is inside `{name}`: its spans leave no gap in the week");
        let hint = "as a window it holds nothing back, and as a freeze everything: leave a gap, or remove it";
        Some((Code::CalendarAlwaysOpen, message, hint))
    } else if calendar.is_over(now) {
        let message = format!("`{name}` is over: all its dates are past");
        let hint = "a freeze holds no longer, and a window opens no more: write the next dates, or remove it";
        Some((Code::CalendarOver, message, hint))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use crate::finding::Code::{CalendarAlwaysOpen, CalendarNeverOpens, CalendarOver};
    use crate::policy::lint::tests::{count, found};

    fn night(from: &str, to: &str) -> String {
        let span = format!("{{ from: \"2027-03-28 {from}\", to: \"2027-03-28 {to}\" }}");
        format!("version: 1\ncalendars:\n  night: {{ timezone: Europe/Berlin, dates: [{span}] }}\n")
    }

    #[test]
    fn a_calendar_of_the_hour_that_summer_time_takes_is_told() {
        let told = "3:3 no instant is inside `night`: its zone's clock skips all its times";
        assert_eq!(found(CalendarNeverOpens, &night("02:00", "03:00")), [told]);
        assert_eq!(count(CalendarOver, &night("02:00", "03:00")), 0, "it is told as one thing only");
    }

    #[test]
    fn a_minute_more_is_enough() {
        assert_eq!(count(CalendarNeverOpens, &night("02:00", "03:01")), 0);
        assert_eq!(count(CalendarNeverOpens, &night("01:59", "03:00")), 0);
    }

    fn hours(weekly: &str) -> String {
        format!("version: 1\ncalendars:\n  hours: {{ timezone: Europe/Berlin, weekly: [{weekly}] }}\n")
    }

    #[test]
    fn spans_that_cover_the_week_together_are_told() {
        let told = "3:3 every instant is inside `hours`: its spans leave no gap in the week";
        let both = "{ from: \"mon 00:00\", to: \"fri 12:00\" }, { from: \"fri 12:00\", to: \"mon 00:00\" }";
        assert_eq!(found(CalendarAlwaysOpen, &hours(both)), [told]);
        let days = "{ days: [mon, tue, wed, thu, fri, sat, sun], from: \"00:00\", to: \"24:00\" }";
        assert_eq!(found(CalendarAlwaysOpen, &hours(days)), [told]);
    }

    #[test]
    fn a_minute_outside_is_enough() {
        let days = "{ days: [mon, tue, wed, thu, fri, sat, sun], from: \"00:00\", to: \"23:59\" }";
        assert_eq!(count(CalendarAlwaysOpen, &hours(days)), 0);
    }

    fn sale(spans: &str) -> String {
        format!("version: 1\ncalendars:\n  sale: {{ timezone: UTC, {spans} }}\n")
    }

    #[test]
    fn dates_that_are_past_are_told_from_the_moment_the_last_ends() {
        let told = "3:3 `sale` is over: all its dates are past";
        let until = |to: &str| sale(&format!("dates: [{{ from: \"2026-11-01 00:00\", to: \"{to}\" }}]"));
        assert_eq!(found(CalendarOver, &until("2026-11-18 10:00")), [told]);
        assert_eq!(count(CalendarOver, &until("2026-11-18 10:01")), 0);
    }

    #[test]
    fn one_date_that_is_to_come_or_a_week_day_is_enough() {
        let dates = "dates: [{ from: \"2020-01-01 00:00\", to: \"2020-02-01 00:00\" }";
        assert_eq!(count(CalendarOver, &sale(&format!("{dates}]"))), 1);
        let to_come = format!("{dates}, {{ from: \"2030-01-01 00:00\", to: \"2030-02-01 00:00\" }}]");
        assert_eq!(count(CalendarOver, &sale(&to_come)), 0);
        let weekly = format!("{dates}], weekly: [{{ from: \"sat 00:00\", to: \"mon 00:00\" }}]");
        assert_eq!(count(CalendarOver, &sale(&weekly)), 0);
    }
}
