//! Calendars that never hold, always hold, or hold no longer.

use jiff::Timestamp;

use super::context::{Lint, OF_A_CALENDAR};
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
        let message = format!("no moment is inside `{name}`: the clock of its time zone skips all its times");
        let hint = "write a span before or after the hour that the clock skips";
        Some((Code::CalendarNeverOpens, message, hint))
    } else if calendar.always_open() {
        let message = format!("every moment is inside `{name}`: its spans leave no gap in the week");
        let hint =
            "leave a gap, or remove the calendar: a window with it holds nothing back, a freeze holds everything back";
        Some((Code::CalendarAlwaysOpen, message, hint))
    } else if calendar.is_over(now) {
        let message = format!("`{name}` is over: all its dates are past");
        let hint =
            "write the next dates, or remove the calendar: a freeze with it no longer holds, a window no longer opens";
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
    fn a_calendar_of_the_hour_that_summer_time_skips_is_reported() {
        let expected = "3:3 no moment is inside `night`: the clock of its time zone skips all its times";
        assert_eq!(found(CalendarNeverOpens, &night("02:00", "03:00")), [expected]);
        assert_eq!(count(CalendarOver, &night("02:00", "03:00")), 0, "it is reported once only");
    }

    #[test]
    fn a_calendar_with_one_minute_is_not_reported() {
        assert_eq!(count(CalendarNeverOpens, &night("02:00", "03:01")), 0);
        assert_eq!(count(CalendarNeverOpens, &night("01:59", "03:00")), 0);
    }

    fn hours(weekly: &str) -> String {
        format!("version: 1\ncalendars:\n  hours: {{ timezone: Europe/Berlin, weekly: [{weekly}] }}\n")
    }

    #[test]
    fn spans_that_cover_the_week_together_are_reported() {
        let expected = "3:3 every moment is inside `hours`: its spans leave no gap in the week";
        let both = "{ from: \"mon 00:00\", to: \"fri 12:00\" }, { from: \"fri 12:00\", to: \"mon 00:00\" }";
        assert_eq!(found(CalendarAlwaysOpen, &hours(both)), [expected]);
        let days = "{ days: [mon, tue, wed, thu, fri, sat, sun], from: \"00:00\", to: \"24:00\" }";
        assert_eq!(found(CalendarAlwaysOpen, &hours(days)), [expected]);
    }

    #[test]
    fn a_gap_of_one_minute_is_enough() {
        let days = "{ days: [mon, tue, wed, thu, fri, sat, sun], from: \"00:00\", to: \"23:59\" }";
        assert_eq!(count(CalendarAlwaysOpen, &hours(days)), 0);
    }

    fn sale(spans: &str) -> String {
        format!("version: 1\ncalendars:\n  sale: {{ timezone: UTC, {spans} }}\n")
    }

    #[test]
    fn past_dates_are_reported_from_the_moment_the_last_one_ends() {
        let expected = "3:3 `sale` is over: all its dates are past";
        let until = |to: &str| sale(&format!("dates: [{{ from: \"2026-11-01 00:00\", to: \"{to}\" }}]"));
        assert_eq!(found(CalendarOver, &until("2026-11-18 10:00")), [expected]);
        assert_eq!(count(CalendarOver, &until("2026-11-18 10:01")), 0);
    }

    #[test]
    fn a_calendar_with_a_future_date_or_a_weekday_is_not_reported() {
        let dates = "dates: [{ from: \"2020-01-01 00:00\", to: \"2020-02-01 00:00\" }";
        assert_eq!(count(CalendarOver, &sale(&format!("{dates}]"))), 1);
        let future = format!("{dates}, {{ from: \"2030-01-01 00:00\", to: \"2030-02-01 00:00\" }}]");
        assert_eq!(count(CalendarOver, &sale(&future)), 0);
        let weekly = format!("{dates}], weekly: [{{ from: \"sat 00:00\", to: \"mon 00:00\" }}]");
        assert_eq!(count(CalendarOver, &sale(&weekly)), 0);
    }
}
