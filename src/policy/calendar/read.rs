//! Reads calendars, and the names by which rules refer to them.

use std::str::FromStr;
use std::sync::Arc;

use super::span::{DatesSpan, DayTime, Moment, SpanError, Time, WeeklySpan};
use super::{Calendar, Calendars, Zone};
use crate::finding::{Code, Finding, Span};
use crate::ident::quoted;
use crate::policy::read::{Keys, Reader, did_you_mean};
use crate::policy::yaml::{Entry, Node};

const CALENDAR_KEYS: Keys = Keys { what: "a calendar", known: &["timezone", "weekly", "dates"] };
const WEEKLY_KEYS: Keys = Keys { what: "a span of `weekly`", known: &["days", "from", "to"] };
const DATES_KEYS: Keys = Keys { what: "a span of `dates`", known: &["from", "to"] };

/// The calendars of a bundle over all its files.
pub(crate) fn read_calendars(reader: &mut Reader<'_>, nodes: &[&Node]) -> Calendars {
    let mut calendars = Calendars::new();
    for entry in reader.entries_once(nodes, "calendar") {
        reader.check_name(entry, "calendar");
        // A calendar that could not be read is kept, so that its name is not reported as unknown as well.
        calendars.insert(entry.key.clone(), Arc::new(read_calendar(reader, entry)));
    }
    calendars
}

fn read_calendar(reader: &mut Reader<'_>, entry: &Entry) -> Calendar {
    let node = &entry.node;
    let source = reader.place(entry.key_span);
    let empty = |source| Calendar::new(entry.key.clone(), source, Zone::UTC, Vec::new(), Vec::new());
    if !reader.fields(node, &CALENDAR_KEYS) {
        return empty(source);
    }
    let zone = match node.get("timezone") {
        Some(zone) => read_zone(reader, zone).unwrap_or(Zone::UTC),
        None => {
            missing(reader, entry.key_span, &format!("the calendar `{}`", entry.key), "timezone", "Europe/Berlin");
            Zone::UTC
        }
    };
    let weekly = read_spans(reader, node, "weekly", read_weekly);
    let dates = read_spans(reader, node, "dates", read_dates);
    if node.get("weekly").is_none() && node.get("dates").is_none() {
        reader.report(
            Finding::at(Code::EmptyList, entry.key_span, format!("the calendar `{}` is empty", entry.key))
                .hint("list its spans under `weekly` or `dates`"),
        );
    }
    Calendar::new(entry.key.clone(), source, zone, weekly, dates)
}

fn read_zone(reader: &mut Reader<'_>, node: &Node) -> Option<Zone> {
    let text = reader.text(node, "timezone")?;
    let zone = Zone::named(text);
    // The hint takes a walk through all zones, which is too much for a problem that is not reported.
    if zone.is_none() && !reader.is_full() {
        let given = quoted(text);
        let message = format!("there is no time zone `{given}`");
        reader.report(Finding::at(Code::InvalidCalendar, node.span, message).hint(zone_hint(&given)));
    }
    zone
}

/// A hint for a name that is not a zone. The likely mistakes are another case, a city without its continent, and a typo.
fn zone_hint(given: &str) -> String {
    let names = Zone::names();
    let spelt = given.replace(' ', "_");
    let city = |name: &str| name.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(&spelt));
    let meant = names.iter().find(|name| name.eq_ignore_ascii_case(&spelt));
    let near = meant.or_else(|| names.iter().find(|name| city(name))).map(String::as_str);
    match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => did_you_mean(given, names.iter().map(String::as_str), || {
            "write a name of the IANA time zone database, e.g. `Europe/Berlin` or `UTC`".to_owned()
        }),
    }
}

fn read_spans<T>(
    reader: &mut Reader<'_>,
    node: &Node,
    field: &str,
    read: fn(&mut Reader<'_>, &Node) -> Option<T>,
) -> Vec<T> {
    let items = node.get(field).and_then(|list| reader.list(list, field)).unwrap_or_default();
    items.iter().filter_map(|item| read(reader, item)).collect()
}

fn read_weekly(reader: &mut Reader<'_>, node: &Node) -> Option<WeeklySpan> {
    if !reader.fields(node, &WEEKLY_KEYS) {
        return None;
    }
    let what = "a span of `weekly`";
    let Some(days) = node.get("days") else {
        let from = read_end(reader, node, what, ("from", "fri 16:00"), str::parse);
        let to = read_end(reader, node, what, ("to", "mon 08:00"), str::parse);
        return made(reader, node, WeeklySpan::run(from?, to?));
    };
    let items = reader.one_or_list(days, "days");
    let read: Vec<_> = items.iter().filter_map(|item| read_text(reader, item, "days", str::parse)).collect();
    let from = read_end(reader, node, what, ("from", "09:00"), read_hour);
    let to = read_end(reader, node, what, ("to", "17:00"), read_hour);
    let (from, to) = (from?, to?);
    let all_read = !items.is_empty() && read.len() == items.len();
    if all_read { made(reader, node, WeeklySpan::hours(read, from, to)) } else { None }
}

/// A time of day beside `days`. Refuses a day in front of it, with a hint.
fn read_hour(text: &str) -> Result<Time, SpanError> {
    text.parse().map_err(|mut error: SpanError| {
        if let Some((_, time)) = text.split_once(' ').filter(|_| text.parse::<DayTime>().is_ok()) {
            error.hint = format!("write `{time}`, or leave `days` out");
        }
        error
    })
}

fn read_dates(reader: &mut Reader<'_>, node: &Node) -> Option<DatesSpan> {
    if !reader.fields(node, &DATES_KEYS) {
        return None;
    }
    let what = "a span of `dates`";
    let from = read_end(reader, node, what, ("from", "2026-12-20 00:00"), Moment::from_str);
    let to = read_end(reader, node, what, ("to", "2027-01-03 00:00"), Moment::end);
    made(reader, node, DatesSpan::new(from?, to?))
}

/// One end of a span. Reports it if it is missing.
fn read_end<T>(
    reader: &mut Reader<'_>,
    node: &Node,
    what: &str,
    (key, example): (&str, &str),
    parse: fn(&str) -> Result<T, SpanError>,
) -> Option<T> {
    let Some(end) = node.get(key) else {
        missing(reader, node.span, what, key, example);
        return None;
    };
    read_text(reader, end, key, parse)
}

fn read_text<T>(
    reader: &mut Reader<'_>,
    node: &Node,
    field: &str,
    parse: fn(&str) -> Result<T, SpanError>,
) -> Option<T> {
    let parsed = parse(reader.text(node, field)?);
    made(reader, node, parsed)
}

/// The span, or part of one, that was made of the node. Reports the error if there is one.
fn made<T>(reader: &mut Reader<'_>, node: &Node, parsed: Result<T, SpanError>) -> Option<T> {
    parsed
        .map_err(|error| {
            let span = node.get(error.key).unwrap_or(node).span;
            reader.report(Finding::at(Code::InvalidCalendar, span, error.to_string()).hint(error.hint));
        })
        .ok()
}

fn missing(reader: &mut Reader<'_>, span: Span, what: &str, key: &str, example: &str) {
    reader.report(
        Finding::at(Code::MissingKey, span, format!("{what} has no `{key}`"))
            .hint(format!("write e.g. `{key}: \"{example}\"`")),
    );
}

/// The calendars that a text or a list of texts names. Reports names that are not defined.
pub(crate) fn read_calendar_names(
    reader: &mut Reader<'_>,
    node: &Node,
    field: &str,
    calendars: &Calendars,
) -> Option<Vec<Arc<Calendar>>> {
    let items = reader.one_or_list(node, field);
    let mut named = Vec::with_capacity(items.len());
    for item in &items {
        let Some(name) = reader.text(item, field) else { continue };
        if let Some(calendar) = calendars.get(name) {
            named.push(Arc::clone(calendar));
            continue;
        }
        let known = calendars.keys().map(AsRef::as_ref);
        let hint = did_you_mean(name, known, || "define it under `calendars`".to_owned());
        let message = format!("there is no calendar `{name}`");
        reader.report(Finding::at(Code::UnknownName, item.span, message).hint(hint));
    }
    (!items.is_empty() && named.len() == items.len()).then_some(named)
}

#[cfg(test)]
mod tests {
    use crate::finding::SourceMap;
    use crate::policy::calendar::{Calendars, read_calendar_names, read_calendars};
    use crate::policy::read::Reader;
    use crate::policy::yaml::{Room, parse};

    /// The calendars of a text, which is the value of `calendars`, and each finding with its code, place and hint.
    fn read(text: &str) -> (Calendars, Vec<String>) {
        let mut sources = SourceMap::default();
        let id = sources.add("a.yaml".to_owned(), text.to_owned());
        let node = parse(id, sources.text(id), &mut Room::default()).unwrap();
        let mut reader = Reader::new(&sources);
        let calendars = read_calendars(&mut reader, &[&node]);
        (calendars, reported(&reader))
    }

    fn reported(reader: &Reader<'_>) -> Vec<String> {
        let line = |finding: &crate::finding::Finding| {
            let column = finding.span.unwrap_or_default().column;
            format!("{} {column}: {} ({})", finding.code.as_str(), finding.message, finding.hint.as_deref().unwrap())
        };
        reader.findings.iter().map(line).collect()
    }

    fn finding(text: &str) -> String {
        let (calendars, findings) = read(text);
        assert_eq!(findings.len(), 1, "{text}: {findings:?}");
        assert_eq!(calendars.len(), 1, "its name is known all the same");
        findings.first().cloned().unwrap_or_default()
    }

    fn of_weekly(span: &str) -> String {
        finding(&format!("a: {{ timezone: UTC, weekly: [{span}] }}"))
    }

    fn of_dates(span: &str) -> String {
        finding(&format!("a: {{ timezone: UTC, dates: [{span}] }}"))
    }

    #[test]
    fn calendars_are_read_as_they_are_written() {
        let (calendars, findings) = read(
            "weekend:\n  timezone: Europe/Berlin\n  weekly: [{ from: fri 16:00, to: \"mon 08:00\" }]\n\
             office:\n  timezone: America/New_York\n  weekly:\n    - { days: [mon, tue, fri], from: 09:00, to: 17:00 }\n    \
             - { days: sat, from: 10:00, to: \"24:00\" }\n\
             year-end:\n  timezone: UTC\n  dates: [{ from: 2026-12-20, to: 2027-01-03 00:00 }]\n",
        );
        assert_eq!(findings, [""; 0]);
        let described: Vec<_> = calendars.values().map(|calendar| calendar.describe()).collect();
        assert_eq!(
            described,
            [
                "mon, tue, fri 09:00 to 17:00 and sat 10:00 to 24:00, America/New_York",
                "fri 16:00 to mon 08:00, Europe/Berlin",
                "2026-12-20 00:00 to 2027-01-03 00:00, UTC",
            ]
        );
        let places: Vec<_> =
            calendars.iter().map(|(name, read)| format!("{name} {} {}", read.name(), read.source())).collect();
        assert_eq!(places, ["office office a.yaml:4", "weekend weekend a.yaml:1", "year-end year-end a.yaml:9"]);
    }

    #[test]
    fn an_unknown_zone_is_refused_with_a_hint() {
        let of =
            |zone: &str| finding(&format!("a: {{ timezone: {zone}, weekly: [{{ from: mon 00:00, to: tue 00:00 }}] }}"));
        let meant = |zone: &str, near: &str| {
            let expected = format!("invalid-calendar 16: there is no time zone `{zone}` (did you mean `{near}`?)");
            assert_eq!(of(zone), expected);
        };
        meant("Europe/Berlim", "Europe/Berlin");
        meant("europe/berlin", "Europe/Berlin");
        meant("Berlin", "Europe/Berlin");
        meant("new york", "America/New_York");
        meant("utc", "UTC");
        assert!(
            of("\"+02:00\"").ends_with("(write a name of the IANA time zone database, e.g. `Europe/Berlin` or `UTC`)")
        );
        assert!(of("../../etc/localtime").starts_with("invalid-calendar 16: there is no time zone"));
        assert_eq!(of("2").split(' ').next(), Some("wrong-type"));
    }

    #[test]
    fn a_calendar_needs_a_zone_and_a_span() {
        assert_eq!(
            finding("a: { weekly: [{ from: mon 00:00, to: tue 00:00 }] }"),
            "missing-key 1: the calendar `a` has no `timezone` (write e.g. `timezone: \"Europe/Berlin\"`)"
        );
        assert_eq!(
            finding("a: { timezone: UTC }"),
            "empty-list 1: the calendar `a` is empty (list its spans under `weekly` or `dates`)"
        );
        assert!(finding("a: { timezone: UTC, weekly: [] }").starts_with("empty-list 29: `weekly` is an empty list"));
        assert!(
            finding("a: { timezone: UTC, wekly: [], dates: [{ from: 2026-01-01, to: 2026-01-02 00:00 }] }")
                .ends_with("`wekly` is not a key of a calendar (did you mean `weekly`?)")
        );
        assert!(finding("a: [mon]").starts_with("wrong-type 4: a calendar is a list"));
        assert!(
            finding("a b: { timezone: UTC, dates: [{ from: 2026-01-01, to: 2026-01-02 00:00 }] }")
                .starts_with("invalid-name 1: `a b` is not a valid calendar name")
        );
    }

    #[test]
    fn a_weekly_span_that_cannot_be_used_is_refused() {
        assert_eq!(
            of_weekly("{ from: fri 16:00, to: fri 16:00 }"),
            "invalid-calendar 53: the span from `fri 16:00` to `fri 16:00` is empty \
             (a span ends before the moment in `to`; the whole week is from `mon 00:00` to `sun 24:00`)"
        );
        assert!(of_weekly("{ from: fri 00:00, to: thu 24:00 }").contains("is empty"));
        assert!(
            of_weekly("{ days: [mon], from: 09:00, to: 09:00 }").ends_with("the whole day is from `00:00` to `24:00`)")
        );
        assert!(
            of_weekly("{ from: fri 24:00, to: mon 00:00 }")
                .starts_with("invalid-calendar 38: a span cannot begin at `24:00`")
        );
        assert!(
            of_weekly("{ from: friday 16:00, to: mon 08:00 }")
                .ends_with("`friday` is not a day of the week (did you mean `fri`?)")
        );
        assert!(
            of_weekly("{ from: 16:00, to: mon 08:00 }").ends_with(
                "`16:00` does not say on which day (write the day before it, e.g. `mon 16:00`, or add `days`)"
            )
        );
        assert!(of_weekly("{ from: fri, to: mon 08:00 }").contains("`fri` is not a day and a time"));
        for time in ["9:00", "24:01", "12:60", "+9:00", "09:00:00", "0900", "09:0x"] {
            let said = of_weekly(&format!("{{ days: [mon], from: \"{time}\", to: \"23:00\" }}"));
            assert!(said.contains(&format!("`{time}` is not a time of day")), "{said}");
        }
        assert!(
            of_weekly("{ days: [mon], from: mon 09:00, to: 17:00 }").ends_with("(write `09:00`, or leave `days` out)")
        );
        assert!(of_weekly("{ days: [mon, mon], from: 09:00, to: 17:00 }").contains("`mon` appears twice in `days`"));
        assert!(of_weekly("{ days: [Mon], from: 09:00, to: 17:00 }").ends_with("(did you mean `mon`?)"));
        assert!(of_weekly("{ days: [weekday], from: 09:00, to: 17:00 }").contains("(the days are `mon`, `tue`"));
        assert!(of_weekly("{ days: [], from: 09:00, to: 17:00 }").starts_with("empty-list 38"));
        assert!(
            of_weekly("{ days: [mon], from: 09:00 }")
                .ends_with("a span of `weekly` has no `to` (write e.g. `to: \"17:00\"`)")
        );
        assert!(of_weekly("{ day: mon, from: fri 09:00, to: mon 17:00 }").ends_with("(did you mean `days`?)"));
        assert!(of_weekly("fri 16:00").starts_with("wrong-type 30: a span of `weekly` is a text"));
    }

    #[test]
    fn a_span_of_dates_that_cannot_be_used_is_refused() {
        assert!(of_dates("{ from: 2027-01-03 00:00, to: 2026-12-20 00:00 }").contains("ends before it begins"));
        assert!(of_dates("{ from: 2027-01-03, to: 2027-01-03 00:00 }").contains("is empty"));
        assert!(of_dates("{ from: 2026-12-20 24:00, to: 2027-01-03 00:00 }").contains("cannot begin at `24:00`"));
        assert!(
            of_dates("{ from: 2026-12-20, to: 2027-01-03 }").ends_with(
                "(write `2027-01-03 00:00` if the day is left out, or `2027-01-03 24:00` if it is included)"
            )
        );
        for date in ["2026-02-30 00:00", "26-12-20 00:00", "2026-12-20T00:00", "20.12.2026 00:00", "+026-12-20 00:00"] {
            let said = of_dates(&format!("{{ from: \"{date}\", to: 2027-01-03 00:00 }}"));
            assert!(said.contains(&format!("`{date}` is not a date and a time")), "{said}");
        }
        assert!(of_dates("{ from: 2026-12-20 0:00, to: 2027-01-03 00:00 }").contains("`0:00` is not a time of day"));
        assert!(of_dates("{ days: [mon], from: 2026-12-20, to: 2027-01-03 00:00 }").starts_with("unknown-key"));
    }

    #[test]
    fn names_of_calendars_are_a_text_or_a_list_and_must_be_defined() {
        let named = |text: &str| {
            let (calendars, _) = read("weekend: { timezone: UTC, weekly: [{ from: sat 00:00, to: sun 24:00 }] }");
            let mut sources = SourceMap::default();
            let id = sources.add("a.yaml".to_owned(), text.to_owned());
            let node = parse(id, sources.text(id), &mut Room::default()).unwrap();
            let mut reader = Reader::new(&sources);
            let named = read_calendar_names(&mut reader, &node, "freeze", &calendars);
            (named.map(|named| named.iter().map(|one| one.name().to_owned()).collect::<Vec<_>>()), reported(&reader))
        };
        assert_eq!(named("weekend"), (Some(vec!["weekend".to_owned()]), vec![]));
        assert_eq!(named("[weekend]"), (Some(vec!["weekend".to_owned()]), vec![]));
        let (none, findings) = named("[weekend, weekends, holidays]");
        assert_eq!(none, None);
        assert_eq!(
            findings,
            [
                "unknown-name 11: there is no calendar `weekends` (did you mean `weekend`?)",
                "unknown-name 21: there is no calendar `holidays` (define it under `calendars`)",
            ]
        );
        assert!(named("[]").1.first().is_some_and(|said| said.starts_with("empty-list")));
        assert!(named("7").1.first().is_some_and(|said| said.starts_with("wrong-type")));
    }
}
