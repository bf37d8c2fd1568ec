//! `no-time-left`: a freeze and a window that leave no instant of the coming year to release anything.
//!
//! A freeze with `except` may be lifted and is not looked at. One finding for a freeze and a window, however many rules
//! take them.

use std::collections::HashSet;

use super::Lint;
use super::bodies::Body;
use super::stretches::Stretches;
use crate::finding::{Code, Finding, Span};
use crate::policy::{Calendar, Field, Setting, Sourced};

pub(super) fn look(lint: &mut Lint<'_>) {
    let mut stretches = Stretches::default();
    let mut told: HashSet<(Option<Span>, Option<Span>)> = HashSet::new();
    for body in lint.rules() {
        let (Some(freeze), Some(window)) = (lint.written(&body, Field::Freeze), lint.written(&body, Field::Window))
        else {
            continue;
        };
        let span = |setting: Option<&Sourced<Setting>>| setting.map(|setting| setting.source.span());
        let places = (span(freeze), span(window));
        let (freezes, open) = (frozen(freeze), opened(window));
        if (freezes.is_empty() && open.is_empty())
            || told.contains(&places)
            || stretches.leave_time(lint, &freezes, &open)
        {
            continue;
        }
        told.insert(places);
        report(lint, &body, (!freezes.is_empty(), places.0), (!open.is_empty(), places.1));
    }
}

/// The calendars in which nothing is released, whatever else holds.
fn frozen(setting: Option<&Sourced<Setting>>) -> Vec<&Calendar> {
    match setting.map(|setting| &setting.value) {
        Some(Setting::Freeze(freezes)) => {
            freezes.iter().filter(|freeze| freeze.except.is_none()).map(|freeze| &*freeze.calendar).collect()
        }
        Some(_) | None => Vec::new(),
    }
}

/// The calendars of a window; none: it is always open.
fn opened(setting: Option<&Sourced<Setting>>) -> Vec<&Calendar> {
    match setting.map(|setting| &setting.value) {
        Some(Setting::Window(calendars)) => calendars.iter().map(|calendar| &**calendar).collect(),
        Some(_) | None => Vec::new(),
    }
}

/// Whether there is one, and where it is set.
type Side = (bool, Option<Span>);

fn report(lint: &mut Lint<'_>, body: &Body<'_>, freeze: Side, window: Side) {
    let why = match (freeze.0, window.0) {
        (true, true) => "whenever the window is open, it is frozen",
        (true, false) => "it is frozen all along",
        (false, _) => "the window does not open",
    };
    let message = format!("nothing can be released under {} for a year: {why}", body.named());
    // Where the rule itself sets one of the two, that is what was written last.
    let own = |field| body.body.place(field).is_some();
    let at_window = window.0 && (!freeze.0 || own(Field::Window) || !own(Field::Freeze));
    let (here, there) = if at_window { (window.1, freeze) } else { (freeze.1, window) };
    let mut finding = Finding::at(Code::NoTimeLeft, here.unwrap_or(body.key_span), message)
        .hint("leave some time between freeze and window; `explain --at TIME` tells what changes next");
    if let (true, Some(span)) = there {
        finding = finding.related(span, if at_window { "what freezes it" } else { "the window" });
    }
    lint.report(finding);
}

#[cfg(test)]
mod tests {
    use crate::finding::Code::NoTimeLeft;
    use crate::policy::lint::tests::{count, found};

    const CALENDARS: &str = "version: 1\ncalendars:\n  week: { timezone: UTC, weekly: [{ from: \"mon 00:00\", to: \"sat 00:00\" }] }\n  weekend: { timezone: UTC, weekly: [{ from: \"sat 00:00\", to: \"mon 00:00\" }] }\n  friday: { timezone: Europe/Berlin, weekly: [{ from: \"fri 10:00\", to: \"fri 16:00\" }] }\n  past: { timezone: UTC, dates: [{ from: \"2020-01-01 00:00\", to: \"2020-02-01 00:00\" }] }\n  far: { timezone: UTC, dates: [{ from: \"2028-01-01 00:00\", to: \"2028-02-01 00:00\" }] }\n  soon: { timezone: UTC, dates: [{ from: \"2026-12-23 00:00\", to: \"2026-12-27 00:00\" }] }\n";

    fn policy(fields: &str) -> String {
        format!("{CALENDARS}environments:\n  production: {{ require: \"@dana\", {fields} }}\n")
    }

    #[test]
    fn a_window_that_is_always_frozen_is_told_there() {
        let told =
            "10:51 nothing can be released under `production` for a year: whenever the window is open, it is frozen";
        assert_eq!(found(NoTimeLeft, &policy("freeze: [week], window: [friday]")), [told]);
        let wait = "freeze: [{ calendar: week, effect: wait }], window: [friday]";
        assert_eq!(count(NoTimeLeft, &policy(wait)), 1);
    }

    #[test]
    fn freezes_that_follow_on_each_other_and_a_window_that_does_not_open_are_told() {
        let told = "nothing can be released under `production` for a year: ";
        let expected = format!("10:35 {told}it is frozen all along");
        assert_eq!(found(NoTimeLeft, &policy("freeze: [weekend, week]")), [expected]);
        for window in ["past", "far"] {
            let expected = format!("10:35 {told}the window does not open");
            assert_eq!(found(NoTimeLeft, &policy(&format!("window: [{window}]"))), [expected]);
        }
    }

    #[test]
    fn a_few_hours_of_the_year_are_enough() {
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
    fn what_a_service_inherits_is_told_once_and_what_it_sets_at_the_service() {
        let services = |own: &str| {
            let service =
                |name: &str| format!("  {name}: {{ repository: a/b, environments: {{ production: {{ {own} }} }} }}\n");
            format!("services:\n{}{}", service("a"), service("b"))
        };
        let all = format!("{}{}", policy("freeze: [week], window: [friday]"), services("timeout: 2h"));
        assert_eq!(count(NoTimeLeft, &all), 1);
        let own = format!("{}{}", policy("freeze: [week]"), services("window: [friday]"));
        let told = |place: &str, name: &str| {
            format!(
                "{place} nothing can be released under `production` of `{name}` for a year: whenever the window is open, it is frozen"
            )
        };
        assert_eq!(found(NoTimeLeft, &own), [told("12:55", "a"), told("13:55", "b")]);
    }
}
