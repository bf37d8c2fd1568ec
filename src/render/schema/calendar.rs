//! Calendars: named sets of time.

use super::build::{Node, any_of, defined, keys, map_of, matching, one_or_some, some_of, some_text, words};

const HOUR: &str = "([01][0-9]|2[0-3]):[0-5][0-9]";
const DAY: &str = "(mon|tue|wed|thu|fri|sat|sun)";
const DATE: &str = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])";

/// A day or date that a span may begin with, and the time.
fn from(before: &str) -> Node {
    matching(&format!("^{before}{HOUR}$"))
}

/// A date that a span may begin with; its time may be left out.
fn first() -> Node {
    matching(&format!("^{DATE}( {HOUR})?$")).examples(["2026-12-20 00:00"])
}

/// The end of a span, which may be at `24:00`.
fn to(before: &str) -> Node {
    matching(&format!("^{before}({HOUR}|24:00)$"))
}

pub(super) fn definitions() -> Vec<(&'static str, Node)> {
    let day = format!("{DAY} ");
    let date = format!("{DATE} ");
    let week = keys()
        .must("from", from(&day).examples(["fri 16:00"]), "The first moment of the span: day and time.")
        .must(
            "to",
            to(&day).examples(["mon 08:00"]),
            "The span stops just before this day and time. If it is before `from`, the span runs into the next week.",
        )
        .node();
    let days = keys()
        .must(
            "days",
            one_or_some(words(["mon", "tue", "wed", "thu", "fri", "sat", "sun"])),
            "The days on which the span begins.",
        )
        .must("from", from("").examples(["09:00"]), "The first moment of the span on each of these days.")
        .must(
            "to",
            to("").examples(["17:00"]),
            "The span stops just before this time. If it is before `from`, the span runs into the next day.",
        )
        .node();
    let dates = keys()
        .must("from", first(), "The first moment of the span. A date alone means `00:00`.")
        .must(
            "to",
            to(&date).examples(["2027-01-03 00:00"]),
            "The span stops just before this date and time. It must be after `from`.",
        )
        .node();
    let calendar = keys()
        .must(
            "timezone",
            some_text().examples(["Europe/Berlin", "UTC"]),
            "A name from the IANA time zone database. Spans follow the wall clock of this zone.",
        )
        .key(
            "weekly",
            some_of(any_of([defined("span_of_week"), defined("span_of_days")])),
            "Spans that repeat every week: from one day and time to another, or the same hours on several days.",
        )
        .key("dates", some_of(defined("span_of_dates")), "Spans that happen once.")
        .one_of(&["weekly", "dates"])
        .node()
        .says("A named set of time: everything inside one of its spans.");
    vec![("calendar", calendar), ("span_of_week", week), ("span_of_days", days), ("span_of_dates", dates)]
}

pub(super) fn calendars() -> Node {
    map_of(defined("name"), defined("calendar"))
}
