//! `calendar-over`: a calendar all of whose dates are past.

use super::Lint;
use crate::finding::{Code, Finding};

pub(super) fn look(lint: &mut Lint<'_>) {
    for (entry, _) in lint.calendars(|calendar, now| calendar.is_over(now) && !calendar.never_opens()) {
        let message = format!("`{}` is over: all its dates are past", entry.key);
        lint.report(
            Finding::at(Code::CalendarOver, entry.key_span, message)
                .hint("a freeze holds no longer, and a window opens no more: write the next dates, or remove it"),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::finding::Code::CalendarOver;
    use crate::policy::lint::tests::{count, found};

    fn policy(spans: &str) -> String {
        format!("version: 1\ncalendars:\n  sale: {{ timezone: UTC, {spans} }}\n")
    }

    #[test]
    fn dates_that_are_past_are_told_from_the_moment_the_last_ends() {
        let told = "3:3 `sale` is over: all its dates are past";
        let until = |to: &str| policy(&format!("dates: [{{ from: \"2026-11-01 00:00\", to: \"{to}\" }}]"));
        assert_eq!(found(CalendarOver, &until("2026-11-18 10:00")), [told]);
        assert_eq!(count(CalendarOver, &until("2026-11-18 10:01")), 0);
    }

    #[test]
    fn one_date_that_is_to_come_or_a_week_day_is_enough() {
        let dates = "dates: [{ from: \"2020-01-01 00:00\", to: \"2020-02-01 00:00\" }";
        assert_eq!(count(CalendarOver, &policy(&format!("{dates}]"))), 1);
        let to_come = format!("{dates}, {{ from: \"2030-01-01 00:00\", to: \"2030-02-01 00:00\" }}]");
        assert_eq!(count(CalendarOver, &policy(&to_come)), 0);
        let weekly = format!("{dates}], weekly: [{{ from: \"sat 00:00\", to: \"mon 00:00\" }}]");
        assert_eq!(count(CalendarOver, &policy(&weekly)), 0);
    }
}
