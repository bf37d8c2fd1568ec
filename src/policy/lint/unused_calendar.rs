//! `unused-calendar`: a calendar that no freeze, window or condition names.

use super::Lint;
use super::uses::Uses;
use crate::finding::{Code, Finding};

pub(super) fn look(lint: &mut Lint<'_>) {
    let uses = Uses::of(lint);
    for entry in lint.entries("calendars").into_iter().filter(|entry| !uses.calendars.contains(&*entry.key)) {
        lint.report(
            Finding::at(Code::UnusedCalendar, entry.key_span, format!("nothing uses the calendar `{}`", entry.key))
                .hint("remove it, or name it in a `freeze`, a `window` or `within`"),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::finding::Code::UnusedCalendar;
    use crate::policy::lint::tests::{count, found};

    const CALENDARS: &str =
        "version: 1\ncalendars:\n  weekend: { timezone: UTC, weekly: [{ from: \"sat 00:00\", to: \"mon 00:00\" }] }\n";

    #[test]
    fn a_calendar_that_nothing_names_is_told_at_its_key() {
        assert_eq!(found(UnusedCalendar, CALENDARS), ["3:3 nothing uses the calendar `weekend`"]);
    }

    #[test]
    fn a_freeze_a_window_and_a_condition_are_uses() {
        for fields in [
            "freeze: weekend",
            "freeze: [{ calendar: weekend, effect: wait }]",
            "window: [weekend]",
            "require: { all_of: [\"@dana\", { count: 1, of: [\"@lee\"], when: { not: { within: weekend } } }] }",
        ] {
            let rule = format!("environments: {{ staging: {{ {fields} }} }}\ndefaults: {{ require: \"@sam\" }}\n");
            assert_eq!(count(UnusedCalendar, &format!("{CALENDARS}{rule}")), 0, "{fields}");
        }
    }
}
