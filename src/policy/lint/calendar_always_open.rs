//! `calendar-always-open`: a calendar that every instant is inside of.

use super::Lint;
use crate::finding::{Code, Finding};

pub(super) fn look(lint: &mut Lint<'_>) {
    for (entry, _) in lint.calendars(|calendar, _| calendar.always_open()) {
        let message = format!("every instant is inside `{}`: its spans leave no gap in the week", entry.key);
        lint.report(
            Finding::at(Code::CalendarAlwaysOpen, entry.key_span, message)
                .hint("as a window it holds nothing back, and as a freeze everything: leave a gap, or remove it"),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::finding::Code::CalendarAlwaysOpen;
    use crate::policy::lint::tests::{count, found};

    fn policy(hours: &str) -> String {
        format!("version: 1\ncalendars:\n  hours: {{ timezone: Europe/Berlin, weekly: [{hours}] }}\n")
    }

    #[test]
    fn spans_that_cover_the_week_together_are_told() {
        let told = "3:3 every instant is inside `hours`: its spans leave no gap in the week";
        let both = "{ from: \"mon 00:00\", to: \"fri 12:00\" }, { from: \"fri 12:00\", to: \"mon 00:00\" }";
        assert_eq!(found(CalendarAlwaysOpen, &policy(both)), [told]);
        let days = "{ days: [mon, tue, wed, thu, fri, sat, sun], from: \"00:00\", to: \"24:00\" }";
        assert_eq!(found(CalendarAlwaysOpen, &policy(days)), [told]);
    }

    #[test]
    fn a_minute_outside_is_enough() {
        let days = "{ days: [mon, tue, wed, thu, fri, sat, sun], from: \"00:00\", to: \"23:59\" }";
        assert_eq!(count(CalendarAlwaysOpen, &policy(days)), 0);
    }
}
