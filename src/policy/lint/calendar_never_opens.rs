//! `calendar-never-opens`: a calendar all of whose times the clock skips.

use super::Lint;
use crate::finding::{Code, Finding};

pub(super) fn look(lint: &mut Lint<'_>) {
    for (entry, _) in lint.calendars(|calendar, _| calendar.never_opens()) {
        let message = format!("no instant is inside `{}`: its zone's clock skips all its times", entry.key);
        lint.report(
            Finding::at(Code::CalendarNeverOpens, entry.key_span, message)
                .hint("clocks that are put forward skip the hour between: write a span that lies beside it"),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::finding::Code::{CalendarNeverOpens, CalendarOver};
    use crate::policy::lint::tests::{count, found};

    fn policy(from: &str, to: &str) -> String {
        let span = format!("{{ from: \"2027-03-28 {from}\", to: \"2027-03-28 {to}\" }}");
        format!("version: 1\ncalendars:\n  night: {{ timezone: Europe/Berlin, dates: [{span}] }}\n")
    }

    #[test]
    fn a_calendar_of_the_hour_that_summer_time_takes_is_told() {
        let told = "3:3 no instant is inside `night`: its zone's clock skips all its times";
        assert_eq!(found(CalendarNeverOpens, &policy("02:00", "03:00")), [told]);
        assert_eq!(count(CalendarOver, &policy("02:00", "03:00")), 0, "it is told as one thing only");
    }

    #[test]
    fn a_minute_more_is_enough() {
        assert_eq!(count(CalendarNeverOpens, &policy("02:00", "03:01")), 0);
        assert_eq!(count(CalendarNeverOpens, &policy("01:59", "03:00")), 0);
    }
}
