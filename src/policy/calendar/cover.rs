//! Whether the times of a calendar are within those of others, by the wall clock of their zone.
//!
//! Times of different zones are not compared. Then the result is that it is unknown.

use jiff::Timestamp;

use super::span::{DAYS, WEEK};
use super::{Calendar, of_week, united, within};

/// Why a calendar is not within others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::policy) enum Beyond {
    /// At this time of its clock it is open, and none of the others is.
    At(String),
    /// Unknown, because the others have times in another zone.
    OtherZone,
}

/// Stretches of minutes. The end is not included.
type Minutes<'c> = &'c [(i64, i64)];

impl Calendar {
    /// Its zone, and the minutes of the week and of all time that it covers, by its wall clock. Two calendars for which
    /// these are equal contain the same instants.
    pub(in crate::policy) fn times(&self) -> (String, Minutes<'_>, Minutes<'_>) {
        (self.zone.to_string(), &self.in_week, &self.in_all)
    }

    /// Why it is not within the union of the others. `None` if it certainly is.
    ///
    /// Times that a clock change always skips are counted. So this may return a difference if there is none, but never
    /// `None` if there is one.
    pub(in crate::policy) fn beyond(&self, others: &[&Self]) -> Option<Beyond> {
        let whole = [(0, i64::from(WEEK))];
        if others.iter().any(|other| *other.in_week == whole) {
            return None;
        }
        let same_zone = || others.iter().filter(|other| other.zone == self.zone);
        let week = united(same_zone().flat_map(|other| other.in_week.iter().copied()).collect());
        let all = united(same_zone().flat_map(|other| other.in_all.iter().copied()).collect());
        if *week == whole {
            return None;
        }
        let in_week = self.in_week.iter().find_map(|(from, to)| uncovered(*from, *to, |at| within(&week, at)));
        let outside = in_week.map(weekly).or_else(|| {
            let covered = |at| {
                let weekly = within(&week, of_week(at)).map(|end| at + end - of_week(at));
                weekly.or_else(|| within(&all, at))
            };
            self.in_all.iter().find_map(|(from, to)| uncovered(*from, *to, covered)).map(dated)
        })?;
        let one_zone = same_zone().count() == others.len();
        Some(if one_zone { Beyond::At(format!("{outside}, {}", self.zone)) } else { Beyond::OtherZone })
    }
}

/// The first minute of a stretch that is not covered. `covered` returns until when a minute is.
fn uncovered(from: i64, to: i64, covered: impl Fn(i64) -> Option<i64>) -> Option<i64> {
    let mut at = from;
    while at < to {
        match covered(at) {
            Some(end) => at = end,
            None => return Some(at),
        }
    }
    None
}

/// A minute of the week, e.g. `fri 16:00`.
fn weekly(minute: i64) -> String {
    let day = usize::try_from(minute / (24 * 60)).ok().and_then(|day| DAYS.get(day)).unwrap_or(&"");
    format!("{day} {:02}:{:02}", minute / 60 % 24, minute % 60)
}

/// A minute of all time, e.g. `2026-12-20 00:00`.
fn dated(minute: i64) -> String {
    Timestamp::from_second(minute * 60).map_or_else(|_| String::new(), |at| at.strftime("%Y-%m-%d %H:%M").to_string())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Beyond;
    use crate::policy::Calendar;
    use serde_json::{Value, json};

    fn calendar(zone: &str, weekly: &[(&str, &str)], dates: &[(&str, &str)]) -> Arc<Calendar> {
        let spans = |spans: &[(&str, &str)]| -> Value {
            spans.iter().map(|(from, to)| json!({ "from": from, "to": to })).collect()
        };
        let words = json!({
            "name": "c", "source": "p.yaml:1", "timezone": zone, "weekly": spans(weekly), "dates": spans(dates),
        });
        Arc::new(serde_json::from_value(words).unwrap())
    }

    #[test]
    fn a_calendar_lies_within_others_where_every_minute_of_it_does() {
        let weekend = calendar("UTC", &[("fri 16:00", "mon 08:00")], &[]);
        let saturday = calendar("UTC", &[("sat 00:00", "sun 00:00")], &[]);
        let rest = calendar("UTC", &[("sun 00:00", "mon 08:00"), ("fri 16:00", "sat 00:00")], &[]);
        let one_sunday = calendar("UTC", &[], &[("2026-12-20 00:00", "2026-12-20 12:00")]);
        let into_tuesday = calendar("UTC", &[], &[("2026-12-20 00:00", "2026-12-22 00:00")]);
        assert_eq!(saturday.beyond(&[&weekend]), None);
        assert_eq!(weekend.beyond(&[&saturday]), Some(Beyond::At("mon 00:00, UTC".to_owned())));
        assert_eq!(weekend.beyond(&[&saturday, &rest]), None);
        assert_eq!(one_sunday.beyond(&[&weekend]), None);
        assert_eq!(into_tuesday.beyond(&[&weekend]), Some(Beyond::At("2026-12-21 08:00, UTC".to_owned())));
        assert_eq!(weekend.beyond(&[&into_tuesday]), Some(Beyond::At("mon 00:00, UTC".to_owned())));
        assert_eq!(into_tuesday.beyond(&[&into_tuesday]), None);
    }

    #[test]
    fn the_times_of_two_zones_are_not_compared_unless_one_covers_all() {
        let berlin = calendar("Europe/Berlin", &[("fri 16:00", "mon 08:00")], &[]);
        let utc = calendar("UTC", &[("fri 00:00", "tue 00:00")], &[]);
        let always = calendar("UTC", &[("mon 00:00", "sun 24:00")], &[]);
        assert_eq!(berlin.beyond(&[&utc]), Some(Beyond::OtherZone));
        assert_eq!(berlin.beyond(&[&utc, &berlin]), None);
        assert_eq!(berlin.beyond(&[&always]), None);
    }
}
