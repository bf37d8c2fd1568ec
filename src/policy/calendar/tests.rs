//! Which instants are inside a calendar. Clock changes are written here as instants, independently of the zones.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::Calendar;

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;

fn calendar(timezone: &str, weekly: &Value, dates: &Value) -> Calendar {
    let words = json!({ "name": "a", "source": "a.yaml:3", "timezone": timezone, "weekly": weekly, "dates": dates });
    serde_json::from_value(words).unwrap()
}

fn weekly(timezone: &str, spans: &Value) -> Calendar {
    calendar(timezone, spans, &json!([]))
}

fn dates(timezone: &str, from: &str, to: &str) -> Calendar {
    calendar(timezone, &json!([]), &json!([{ "from": from, "to": to }]))
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// The changes from one instant to another.
fn changes(calendar: &Calendar, from: &str, to: &str) -> Vec<String> {
    let (mut now, end) = (at(from), at(to));
    let mut found = Vec::new();
    while let Some(next) = calendar.next_change(now).filter(|next| *next < end) {
        assert!(next > now, "{next} is after {now}");
        assert_ne!(calendar.contains(next), calendar.contains(next - SignedDuration::from_nanos(1)), "{next}");
        found.push(next.to_string());
        now = next;
    }
    found
}

#[test]
fn a_span_contains_its_beginning_but_not_its_end() {
    let calendar = dates("UTC", "2026-12-20 00:00", "2027-01-03 00:00");
    let nanosecond = SignedDuration::from_nanos(1);
    let (from, to) = (at("2026-12-20T00:00:00Z"), at("2027-01-03T00:00:00Z"));
    assert!(!calendar.contains(from - nanosecond) && calendar.contains(from));
    assert!(calendar.contains(to - nanosecond) && !calendar.contains(to));
    assert_eq!(calendar.next_change(from - nanosecond), Some(from));
    assert_eq!(calendar.next_change(from), Some(to));
    assert_eq!(calendar.next_change(to - nanosecond), Some(to));
    assert_eq!(calendar.next_change(to), None);
    // Before 1970 the fractions of a second are counted from the other side.
    let (long_ago, to) = (dates("UTC", "1966-07-30 15:00", "1966-07-30 17:30"), at("1966-07-30T17:30:00Z"));
    assert!(long_ago.contains(to - nanosecond) && !long_ago.contains(to));
    assert_eq!(long_ago.next_change(to - nanosecond), Some(to));
    assert!(!long_ago.contains(at("1966-07-30T15:00:00Z") - nanosecond));
}

#[test]
fn a_weekly_span_may_cross_the_end_of_the_week() {
    let weekend = weekly("Europe/Berlin", &json!([{ "from": "fri 16:00", "to": "mon 08:00" }]));
    // 20 November 2026 is a Friday.
    assert!(!weekend.contains(at("2026-11-20T15:59:59+01:00")));
    assert!(weekend.contains(at("2026-11-20T16:00:00+01:00")));
    assert!(weekend.contains(at("2026-11-22T23:59:59+01:00")) && weekend.contains(at("2026-11-23T00:00:00+01:00")));
    assert!(!weekend.contains(at("2026-11-23T08:00:00+01:00")));
    assert_eq!(
        changes(&weekend, "2026-11-18T00:00:00Z", "2026-11-28T00:00:00Z"),
        ["2026-11-20T15:00:00Z", "2026-11-23T07:00:00Z", "2026-11-27T15:00:00Z"]
    );
}

#[test]
fn hours_that_end_before_they_begin_run_into_the_next_day() {
    let nights = weekly("UTC", &json!([{ "days": ["wed", "sun"], "from": "22:00", "to": "06:00" }]));
    assert_eq!(
        changes(&nights, "2026-11-16T07:00:00Z", "2026-11-24T00:00:00Z"),
        ["2026-11-18T22:00:00Z", "2026-11-19T06:00:00Z", "2026-11-22T22:00:00Z", "2026-11-23T06:00:00Z"]
    );
}

#[test]
fn a_span_may_end_at_24_00() {
    let spans =
        json!([{ "days": ["sat"], "from": "12:00", "to": "24:00" }, { "from": "sun 20:00", "to": "sun 24:00" }]);
    assert_eq!(
        changes(&weekly("UTC", &spans), "2026-11-20T00:00:00Z", "2026-11-24T00:00:00Z"),
        ["2026-11-21T12:00:00Z", "2026-11-22T00:00:00Z", "2026-11-22T20:00:00Z", "2026-11-23T00:00:00Z"]
    );
    let last_day = dates("UTC", "2026-12-31 00:00", "2026-12-31 24:00");
    assert_eq!(last_day.next_change(at("2026-12-31T12:00:00Z")), Some(at("2027-01-01T00:00:00Z")));
}

#[test]
fn spans_that_overlap_or_touch_are_one() {
    let spans = json!([
        { "from": "tue 00:00", "to": "tue 12:00" },
        { "from": "mon 00:00", "to": "tue 06:00" },
        { "from": "tue 12:00", "to": "tue 13:00" }
    ]);
    let both = calendar("UTC", &spans, &json!([{ "from": "2026-11-17 12:30", "to": "2026-11-18 01:00" }]));
    assert_eq!(
        changes(&both, "2026-11-15T00:00:00Z", "2026-11-20T00:00:00Z"),
        ["2026-11-16T00:00:00Z", "2026-11-18T01:00:00Z"]
    );
}

#[test]
fn a_time_that_a_clock_change_skips_never_comes() {
    // On 29 March 2026 the clocks of Berlin go from 02:00 to 03:00, at 01:00 UTC.
    let skipped = dates("Europe/Berlin", "2026-03-29 02:00", "2026-03-29 03:00");
    assert!(skipped.never_opens());
    let half = dates("Europe/Berlin", "2026-03-29 02:30", "2026-03-29 03:30");
    assert_eq!(
        changes(&half, "2026-03-28T00:00:00Z", "2027-01-01T00:00:00Z"),
        ["2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"]
    );
    let every_week = weekly("Europe/Berlin", &json!([{ "days": ["sun"], "from": "02:15", "to": "02:45" }]));
    assert_eq!(
        changes(&every_week, "2026-03-22T12:00:00Z", "2026-04-06T00:00:00Z"),
        ["2026-04-05T00:15:00Z", "2026-04-05T00:45:00Z"]
    );
}

#[test]
fn a_time_that_comes_twice_counts_twice() {
    // On 25 October 2026 the clocks of Berlin go from 03:00 back to 02:00, at 01:00 UTC.
    let quarter = dates("Europe/Berlin", "2026-10-25 02:15", "2026-10-25 02:30");
    assert_eq!(
        changes(&quarter, "2026-10-24T00:00:00Z", "2027-01-01T00:00:00Z"),
        ["2026-10-25T00:15:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:15:00Z", "2026-10-25T01:30:00Z"]
    );
    assert!(!quarter.is_over(at("2026-10-25T00:45:00Z")) && quarter.is_over(at("2026-10-25T01:30:00Z")));
    let hour = dates("Europe/Berlin", "2026-10-25 02:00", "2026-10-25 03:00");
    assert_eq!(
        changes(&hour, "2026-10-24T00:00:00Z", "2027-01-01T00:00:00Z"),
        ["2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z"]
    );
    let until_three = dates("Europe/Berlin", "2026-10-24 00:00", "2026-10-25 02:30");
    assert_eq!(
        changes(&until_three, "2026-10-25T00:00:00Z", "2027-01-01T00:00:00Z"),
        ["2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z"]
    );
}

#[test]
fn a_day_that_a_zone_left_out_never_comes() {
    // Samoa went over the date line, and had no 30 December 2011.
    assert!(dates("Pacific/Apia", "2011-12-30 00:00", "2011-12-30 24:00").never_opens());
    assert!(!dates("Pacific/Apia", "2011-12-29 00:00", "2011-12-30 24:00").never_opens());
    assert!(!dates("Pacific/Auckland", "2011-12-30 00:00", "2011-12-30 24:00").never_opens());
}

#[test]
fn a_change_is_exact_to_the_second_where_the_clock_changes_between_two_minutes() {
    // On Friday, 7 January 1972, the clocks of Monrovia went from 00:00:00 to 00:44:30.
    let calendar = weekly("Africa/Monrovia", &json!([{ "days": ["fri"], "from": "00:30", "to": "01:00" }]));
    assert_eq!(
        changes(&calendar, "1972-01-06T00:00:00Z", "1972-01-08T00:00:00Z"),
        ["1972-01-07T00:44:30Z", "1972-01-07T01:00:00Z"]
    );
}

#[test]
fn a_calendar_that_never_changes_again_has_no_next_change() {
    let whole_week = weekly("Europe/Berlin", &json!([{ "from": "mon 00:00", "to": "sun 24:00" }]));
    assert!(whole_week.always_open() && !whole_week.never_opens());
    assert_eq!(whole_week.next_change(at("2026-01-01T00:00:00Z")), None);
    assert!(!whole_week.is_over(at("2026-01-01T00:00:00Z")));
    let every_day = json!([{ "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "12:00", "to": "11:59" },
        { "from": "sun 11:59", "to": "mon 12:00" }, { "from": "mon 11:59", "to": "sun 12:00" }]);
    assert!(weekly("America/New_York", &every_day).always_open());
    let days = json!([{ "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "00:00", "to": "24:00" }]);
    assert!(weekly("UTC", &days).always_open());
    let weekend = weekly("UTC", &json!([{ "from": "sat 00:00", "to": "sun 24:00" }]));
    assert!(!weekend.always_open() && !weekend.never_opens());
    assert!(!weekend.is_over(at("2026-11-18T00:00:00Z")));
    let past = dates("UTC", "2025-12-20 00:00", "2026-01-03 00:00");
    assert!(past.is_over(at("2026-01-03T00:00:00Z")) && !past.is_over(at("2026-01-02T23:59:59Z")));
    assert!(!past.always_open() && !past.never_opens());
}

#[test]
fn a_change_is_found_however_many_years_away() {
    let far = dates("Europe/Berlin", "9998-06-01 12:00", "9999-06-01 12:00");
    assert_eq!(
        changes(&far, "1926-01-01T00:00:00Z", "9999-12-30T00:00:00Z"),
        ["9998-06-01T10:00:00Z", "9999-06-01T10:00:00Z"]
    );
    // A weekly span and one of two thousand years of dates, which leaves its gaps to it.
    let both = calendar(
        "America/New_York",
        &json!([{ "days": ["mon"], "from": "09:00", "to": "17:00" }]),
        &json!([{ "from": "2000-01-01 00:00", "to": "4000-01-03 12:00" }]),
    );
    assert_eq!(both.next_change(at("2026-01-01T00:00:00Z")), Some(at("4000-01-03T22:00:00Z")));
}

#[test]
fn the_ends_of_time_are_within_reach() {
    let weekend = weekly("Europe/Berlin", &json!([{ "from": "sat 00:00", "to": "sun 24:00" }]));
    assert!(weekend.next_change(Timestamp::MIN).is_some());
    assert_eq!(weekend.next_change(Timestamp::MAX), None);
}

#[test]
fn a_calendar_is_stored_as_it_is_written_and_reads_back_equal() {
    let words = json!({
        "name": "busy",
        "source": "calendars.yaml:7",
        "timezone": "Europe/Berlin",
        "weekly": [{ "from": "fri 16:00", "to": "mon 08:00" }, { "days": ["mon", "wed"], "from": "09:00", "to": "24:00" }],
        "dates": [{ "from": "2026-12-20 00:00", "to": "2027-01-02 24:00" }]
    });
    let calendar: Calendar = serde_json::from_value(words.clone()).unwrap();
    assert_eq!(serde_json::to_value(&calendar).unwrap(), words);
    assert_eq!(serde_json::from_value::<Calendar>(serde_json::to_value(&calendar).unwrap()).unwrap(), calendar);
    assert_eq!((calendar.name(), calendar.source().to_string().as_str()), ("busy", "calendars.yaml:7"));
}

#[test]
fn a_stored_calendar_that_no_policy_could_hold_is_refused() {
    let refused = |words: Value| serde_json::from_value::<Calendar>(words).unwrap_err().to_string();
    let stored =
        |timezone: &str, weekly: Value| json!({ "name": "a", "source": "a:1", "timezone": timezone, "weekly": weekly });
    let span = json!([{ "from": "sat 00:00", "to": "sun 24:00" }]);
    for zone in ["Europe/Berlim", "europe/berlin", "Etc/Unknown", "", "../etc/localtime"] {
        assert!(refused(stored(zone, span.clone())).contains("there is no time zone"), "{zone}");
    }
    assert!(refused(stored("UTC", json!([]))).contains("is empty"));
    assert!(refused(stored("UTC", json!([{ "from": "sat 00:00", "to": "sat 00:00" }]))).contains("is empty"));
    assert!(refused(stored("UTC", json!([{ "days": [], "from": "00:00", "to": "12:00" }]))).contains("is empty"));
}

#[test]
fn a_calendar_is_described_in_one_line() {
    let described = |spans: Value| weekly("Europe/Berlin", &spans).describe();
    assert_eq!(described(json!([{ "from": "fri 16:00", "to": "mon 08:00" }])), "fri 16:00 to mon 08:00, Europe/Berlin");
    let office = json!([{ "days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:00" },
        { "days": ["sat", "sun"], "from": "10:00", "to": "12:00" }]);
    assert_eq!(described(office), "mon-fri 09:00 to 17:00 and sat, sun 10:00 to 12:00, Europe/Berlin");
    let year_end = dates("UTC", "2026-12-20 00:00", "2027-01-03 00:00");
    assert_eq!(year_end.describe(), "2026-12-20 00:00 to 2027-01-03 00:00, UTC");
    let many: Vec<Value> =
        (0..6).map(|n| json!({ "days": ["mon"], "from": format!("0{n}:00"), "to": format!("0{n}:30") })).collect();
    assert!(described(json!(many)).ends_with("mon 03:00 to 03:30 and 2 more, Europe/Berlin"));
}

/// When, and what the offset is from then on.
type ClockChange = (i64, i64);

/// A zone as its rules in 2026 say: the offset at the beginning of the year, and each change of it, in seconds.
///
/// Berlin is at +1 and changes at 01:00 UTC on the last Sundays of March and October; New York is at -5 and changes at
/// 02:00 of its own clock on the second Sunday of March and the first of November.
const ZONES: [(&str, i64, [ClockChange; 2]); 2] = [
    ("Europe/Berlin", HOUR, [(1_774_746_000, 2 * HOUR), (1_792_890_000, HOUR)]),
    ("America/New_York", -5 * HOUR, [(1_772_953_200, -4 * HOUR), (1_793_512_800, -5 * HOUR)]),
];

/// Whether the wall clock is in the calendar below, by counting minutes. 1 January 2026 is a Thursday.
fn counted(wall: i64) -> bool {
    let (minute, week) = (wall / MINUTE, 7 * 1_440);
    let of_week = (minute - 20_454 * 1_440 + 3 * 1_440).rem_euclid(week);
    let (day, of_day) = (of_week / 1_440, of_week % 1_440);
    // From 20,454 days after the beginning of 1970, 2026 begins; its 84th day is 25 March, and its 304th 31 October.
    let of_year = minute - 20_454 * 1_440;
    (day < 5 && (540..1_020).contains(&of_day))
        || (day == 6 && (105..165).contains(&of_day))
        || (matches!(day, 2 | 6) && of_day >= 1_380)
        || (matches!(day, 3 | 0) && of_day < 90)
        || (83 * 1_440 + 30..87 * 1_440 + 150).contains(&of_year)
        || (303 * 1_440 + 61..305 * 1_440).contains(&of_year)
}

#[test]
fn a_year_of_minutes_over_both_clock_changes_is_as_counted_by_hand() {
    let spans = json!([
        { "days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:00" },
        { "from": "sun 01:45", "to": "sun 02:45" },
        { "days": ["wed", "sun"], "from": "23:00", "to": "01:30" }
    ]);
    let once = json!([
        { "from": "2026-03-25 00:30", "to": "2026-03-29 02:30" },
        { "from": "2026-10-31 01:01", "to": "2026-11-01 24:00" }
    ]);
    let begin = 20_454 * 24 * HOUR;
    for (zone, first, clock_changes) in ZONES {
        let calendar = calendar(zone, &spans, &once);
        let (mut inside, mut flips, mut due) = (0, Vec::new(), None);
        for minute in 0..525_600 {
            let now = begin + minute * MINUTE;
            let offset = clock_changes.iter().rev().find(|(at, _)| *at <= now).map_or(first, |(_, offset)| *offset);
            let expected = counted(now + offset);
            assert_eq!(calendar.contains(second(now)), expected, "{zone} at {}", second(now));
            if due.is_some_and(|was| was != expected) {
                flips.push(second(now));
            }
            due = Some(expected);
            inside += i64::from(expected);
        }
        assert!((100_000..200_000).contains(&inside), "{zone}: {inside}");
        let mut at = second(begin);
        for flip in flips {
            assert_eq!(calendar.next_change(at), Some(flip), "{zone} after {at}");
            at = flip;
        }
    }
}

/// Instants within days of which the clock of some zone below changes, and an ordinary one.
const AROUND: [i64; 6] = [1_774_746_000, 1_792_890_000, 1_772_953_200, 1_793_512_800, 1_791_039_600, 1_780_000_020];

fn any_weekly() -> impl Strategy<Value = Value> {
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let time = |minute: usize| format!("{:02}:{:02}", minute / 60, minute % 60);
    // Many ends are near the hours that clock changes skip and repeat.
    let minute = || prop_oneof![60_usize..240, 0_usize..1_440];
    let run = (0_usize..7, minute(), 0_usize..7, minute())
        .prop_filter("not empty", |(a, from, b, to)| (a, from) != (b, to))
        .prop_map(move |(a, from, b, to)| {
            json!({ "from": format!("{} {}", DAYS[a], time(from)), "to": format!("{} {}", DAYS[b], time(to)) })
        });
    let days = proptest::sample::subsequence(DAYS.to_vec(), 1..=7);
    let hours = (days, minute(), 0_usize..=1_440)
        .prop_filter("not empty", |(_, from, to)| from != to)
        .prop_map(move |(days, from, to)| json!({ "days": days, "from": time(from), "to": time(to) }));
    prop_oneof![run, hours]
}

fn any_dates() -> impl Strategy<Value = Value> {
    let words = |second: i64| {
        let text = second_text(second);
        text.get(..16).map(|text| text.replace('T', " ")).unwrap_or_default()
    };
    (proptest::sample::select(AROUND.to_vec()), -4_000_i64..4_000, 1_i64..6_000).prop_map(
        move |(around, from, length)| {
            let from = around + from * MINUTE;
            json!({ "from": words(from), "to": words(from + length * MINUTE) })
        },
    )
}

fn second_text(at: i64) -> String {
    second(at).to_string()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_next_change_is_where_walking_minute_by_minute_finds_it(
        zone in proptest::sample::select(vec!["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
        weekly in proptest::collection::vec(any_weekly(), 0..3),
        dates in proptest::collection::vec(any_dates(), 1..3),
        around in proptest::sample::select(AROUND.to_vec()),
        before in 0_i64..4_000,
    ) {
        let calendar = calendar(zone, &json!(weekly), &json!(dates));
        let begin = around - before * MINUTE;
        let mut at = begin;
        while at < begin + 5_000 * MINUTE {
            let (next, inside) = (calendar.next_change(second(at)), calendar.contains(second(at)));
            let walked = (1..=5_000).map(|n| at + n * MINUTE).find(|now| calendar.contains(second(*now)) != inside);
            match walked {
                Some(walked) => prop_assert_eq!(next, Some(second(walked))),
                None => prop_assert!(next.is_none_or(|next| next > second(at + 5_000 * MINUTE)), "{:?}", next),
            }
            let Some(walked) = walked else { break };
            at = walked;
        }
    }

    #[test]
    fn any_calendar_reads_back_equal(
        weekly in proptest::collection::vec(any_weekly(), 0..4),
        dates in proptest::collection::vec(any_dates(), 1..4),
    ) {
        let calendar = calendar("Europe/Berlin", &json!(weekly), &json!(dates));
        let text = serde_json::to_string(&calendar).unwrap();
        prop_assert_eq!(serde_json::from_str::<Calendar>(&text).unwrap(), calendar);
    }
}
