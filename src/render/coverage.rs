//! The coverage of policy tests, as text.

use std::fmt::Write as _;

use super::visible;
use crate::approval::case::coverage::{Missed, PartKind, Report, Way};

/// The coverage in all and by kind, then every part that no case covers, with its place.
#[must_use]
pub fn text(report: &Report) -> String {
    let mut text = format!("coverage: {} of {} ({} %)\n", report.covered, report.total, report.percent);
    for kind in &report.kinds {
        let _ = writeln!(text, "  {:<13} {} of {}", name(kind.kind), kind.covered, kind.total);
    }
    if report.missed.is_empty() {
        return text;
    }
    text.push_str("\nnot covered\n");
    let width = report.missed.iter().map(|missed| missed.source.chars().count()).max().unwrap_or(0);
    for missed in &report.missed {
        let _ = writeln!(text, "  {:<width$}  {}: {}", visible(&missed.source), visible(&missed.name), missing(missed));
    }
    text
}

const fn name(kind: PartKind) -> &'static str {
    match kind {
        PartKind::Service => "services",
        PartKind::Environment => "environments",
        PartKind::Requirement => "requirements",
        PartKind::Condition => "conditions",
        PartKind::Calendar => "calendars",
        PartKind::Freeze => "freezes",
        PartKind::Override => "overrides",
    }
}

fn missing(missed: &Missed) -> String {
    if missed.untouched {
        return "no case reaches this".to_owned();
    }
    let ways = missed.missing.iter().map(|way| match way {
        Way::Reached => "never reached",
        Way::Met => "never met",
        Way::Unmet => "never unmet",
        Way::Held => "never true",
        Way::NotHeld => "never false",
        Way::Inside => "never inside",
        Way::Outside => "never outside",
        Way::InForce => "never on",
    });
    ways.collect::<Vec<_>>().join(", ")
}
