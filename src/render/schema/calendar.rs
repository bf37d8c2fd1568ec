//! Calendars: named sets of time.

use super::build::{Node, any_of, defined, keys, map_of, matching, one_or_some, some_of, some_text, words};

const HOUR: &str = "([01][0-9]|2[0-3]):[0-5][0-9]";
const DAY: &str = "(mon|tue|wed|thu|fri|sat|sun)";
const DATE: &str = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])";

/// A reading of the wall clock that a span may begin with.
fn from(before: &str) -> Node {
    matching(&format!("^{before}{HOUR}$"))
}

/// The same of a date, which may stand alone.
fn first() -> Node {
    matching(&format!("^{DATE}( {HOUR})?$")).examples(["2026-12-20 00:00"])
}

/// One that a span may end with: `24:00` as well.
fn to(before: &str) -> Node {
    matching(&format!("^{before}({HOUR}|24:00)$"))
}

/// What stands under `calendars`, and what that is made of.
pub(super) fn definitions() -> Vec<(&'static str, Node)> {
    let day = format!("{DAY} ");
    let date = format!("{DATE} ");
    let week = keys()
        .must("from", from(&day).examples(["fri 16:00"]), "The day and hour with which it begins, which is inside.")
        .must(
            "to",
            to(&day).examples(["mon 08:00"]),
            "The day and hour with which it ends, which is outside. Before `from`: in the next week.",
        )
        .node();
    let days = keys()
        .must(
            "days",
            one_or_some(words(["mon", "tue", "wed", "thu", "fri", "sat", "sun"])),
            "The days on which it begins.",
        )
        .must("from", from("").examples(["09:00"]), "The hour with which it begins, which is inside.")
        .must(
            "to",
            to("").examples(["17:00"]),
            "The hour with which it ends, which is outside. Before `from`: on the next day.",
        )
        .node();
    let dates = keys()
        .must("from", first(), "When it begins, which is inside. A date alone: with that day.")
        .must("to", to(&date).examples(["2027-01-03 00:00"]), "When it ends, which is outside.")
        .node();
    let calendar = keys()
        .must(
            "timezone",
            some_text().examples(["Europe/Berlin", "UTC"]),
            "The time zone, by its name in the IANA database, whose wall clock is read.",
        )
        .key(
            "weekly",
            some_of(any_of([defined("span_of_week"), defined("span_of_days")])),
            "What comes every week: one span from a day to a day, or the same hours on each of several days.",
        )
        .key("dates", some_of(defined("span_of_dates")), "What comes once.")
        .one_of(&["weekly", "dates"])
        .node()
        .says("A set of time: everything that is inside one of its spans.");
    vec![("calendar", calendar), ("span_of_week", week), ("span_of_days", days), ("span_of_dates", dates)]
}

/// The value of `calendars`.
pub(super) fn calendars() -> Node {
    map_of(defined("name"), defined("calendar"))
}
