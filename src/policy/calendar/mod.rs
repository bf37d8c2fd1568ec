//! Calendars: named sets of time for freezes and windows, in the wall-clock time of a zone.
//!
//! No other module knows time zones. Does not know rules, or what happens inside or outside a calendar.

mod cover;
mod read;
mod span;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};

use self::span::{DatesSpan, WEEK, WeeklySpan};
use super::read::Place;
use super::words::joined;

pub(in crate::policy) use cover::Beyond;
pub(crate) use read::{read_calendar_names, read_calendars};

/// The calendars of a policy by name.
pub(crate) type Calendars = BTreeMap<Box<str>, Arc<Calendar>>;

/// In seconds. No zone's clock is further ahead of UTC or behind it: jiff's own bound for an offset.
const MOST_OFFSET: i64 = 26 * 3_600;
/// How many spans a description names.
const DESCRIBED: usize = 4;

/// A named set of time: the union of its half-open spans, in wall-clock time of its zone.
///
/// It is stored as it is written in the policy, and reads back equal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Words", into = "Words")]
pub struct Calendar {
    name: Box<str>,
    source: Place,
    zone: Zone,
    weekly: Vec<WeeklySpan>,
    dates: Vec<DatesSpan>,
    /// The weekly spans in minutes from the beginning of Monday: disjoint, and in order.
    in_week: Box<[(i64, i64)]>,
    /// The spans of dates in minutes of the wall clock since 1970: disjoint, and in order.
    in_all: Box<[(i64, i64)]>,
}

impl Calendar {
    fn new(name: Box<str>, source: Place, zone: Zone, weekly: Vec<WeeklySpan>, dates: Vec<DatesSpan>) -> Self {
        let in_week = united(weekly.iter().flat_map(WeeklySpan::stretches).collect());
        let in_all = united(dates.iter().map(DatesSpan::stretch).collect());
        Self { name, source, zone, weekly, dates, in_week, in_all }
    }

    /// A calendar of one span, in UTC.
    #[cfg(test)]
    pub(crate) fn of_span(name: &str, from: Timestamp, to: Timestamp) -> Arc<Self> {
        let written = |at: Timestamp| at.strftime("%Y-%m-%d %H:%M").to_string();
        Arc::new(
            serde_json::from_value(serde_json::json!({
                "name": name, "source": "p.yaml:1", "timezone": "UTC", "weekly": [],
                "dates": [{ "from": written(from), "to": written(to) }],
            }))
            .unwrap(),
        )
    }

    /// The key under `calendars`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its key is written.
    #[must_use]
    pub const fn source(&self) -> &Place {
        &self.source
    }

    /// Whether the instant is inside.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        self.covers(self.wall(floor(at)).div_euclid(60))
    }

    /// The first instant after `after` at which [`contains`](Self::contains) changes, exact to the second. `None` if it
    /// never changes again. It does not change if a span ends when another begins.
    #[must_use]
    pub fn next_change(&self, after: Timestamp) -> Option<Timestamp> {
        let inside = self.contains(after);
        // Spans are in minutes and offsets in seconds, so changes are at whole seconds.
        let mut second = floor(after);
        loop {
            let wall = self.wall(second);
            let minute = wall.div_euclid(60);
            let flip = self.next_flip(minute);
            let due = flip.map(|flip| second + flip * 60 - wall);
            let clock_change = self.zone.next_clock_change(second);
            match (due, clock_change) {
                (Some(due), None) => return Timestamp::from_second(due).ok(),
                (Some(due), Some(clock_change)) if due < clock_change => return Timestamp::from_second(due).ok(),
                (None, None) => return None,
                (_, Some(clock_change)) => {
                    // No clock change sets the clock back by more than twice the largest offset. If the state has been
                    // the same for that long, it stays the same until near the flip, however many years that takes.
                    let back = minute - 2 * MOST_OFFSET / 60 - 1;
                    let calm = self.covers(back) == inside && self.next_flip(back) == flip;
                    let near = flip.map(|flip| flip * 60 - MOST_OFFSET);
                    match near {
                        None if calm => return None,
                        Some(near) if calm && near > clock_change => second = near,
                        Some(_) | None => {
                            second = clock_change;
                            let at = Timestamp::from_second(second).ok()?;
                            if self.contains(at) != inside {
                                return Some(at);
                            }
                        }
                    }
                }
            }
        }
    }

    /// Whether neither this instant nor any later one is inside.
    #[must_use]
    pub fn is_over(&self, at: Timestamp) -> bool {
        !self.contains(at) && self.next_change(at).is_none()
    }

    /// Whether no instant is inside, because clock changes skip all its times.
    #[must_use]
    pub fn never_opens(&self) -> bool {
        self.is_over(Timestamp::MIN)
    }

    /// Whether every instant is inside.
    #[must_use]
    pub fn always_open(&self) -> bool {
        self.contains(Timestamp::MIN) && self.next_change(Timestamp::MIN).is_none()
    }

    /// One line for people, e.g. `fri 16:00 to mon 08:00, Europe/Berlin`.
    #[must_use]
    pub fn describe(&self) -> String {
        let weekly = self.weekly.iter().map(WeeklySpan::to_string);
        let mut spans: Vec<String> =
            weekly.chain(self.dates.iter().map(DatesSpan::to_string)).take(DESCRIBED).collect();
        let more = (self.weekly.len() + self.dates.len()).saturating_sub(DESCRIBED);
        if more > 0 {
            spans.push(format!("{more} more"));
        }
        format!("{}, {}", joined(&spans, "and"), self.zone)
    }

    /// The wall clock's seconds since its 1970, at this second since 1970.
    fn wall(&self, second: i64) -> i64 {
        second + self.zone.offset(second)
    }

    /// Whether this minute of the wall clock is in one of the spans.
    fn covers(&self, minute: i64) -> bool {
        within(&self.in_week, of_week(minute)).is_some() || within(&self.in_all, minute).is_some()
    }

    /// The first later minute of a wall clock without changes at which [`covers`](Self::covers) changes.
    fn next_flip(&self, minute: i64) -> Option<i64> {
        let week = i64::from(WEEK);
        if matches!(*self.in_week, [(0, to)] if to == week) {
            return None;
        }
        let mut at = minute;
        if !self.covers(at) {
            let into_week = of_week(at);
            let later = next_begin(&self.in_week, into_week);
            let weekly = later.or_else(|| self.in_week.first().map(|(from, _)| from + week));
            let weekly = weekly.map(|begin| at + begin - into_week);
            return weekly.into_iter().chain(next_begin(&self.in_all, at)).min();
        }
        // This ends, because the whole week is not covered and the dates have an end.
        loop {
            let into_week = of_week(at);
            if let Some(end) = within(&self.in_week, into_week) {
                at += end - into_week;
            } else if let Some(end) = within(&self.in_all, at) {
                at = end;
            } else {
                return Some(at);
            }
        }
    }
}

/// The second since 1970 in which the instant is. Correct before 1970 as well.
fn floor(at: Timestamp) -> i64 {
    at.as_second() - i64::from(at.subsec_nanosecond() < 0)
}

/// The minute of the week, from the beginning of Monday. 1 January 1970 was a Thursday.
const fn of_week(minute: i64) -> i64 {
    (minute + 3 * 24 * 60).rem_euclid(WEEK as i64)
}

/// The end of the stretch that the minute is in.
fn within(stretches: &[(i64, i64)], minute: i64) -> Option<i64> {
    let begun = stretches.partition_point(|(from, _)| *from <= minute);
    stretches.get(begun.checked_sub(1)?).map(|(_, to)| *to).filter(|to| minute < *to)
}

/// The beginning of the first stretch after the minute.
fn next_begin(stretches: &[(i64, i64)], minute: i64) -> Option<i64> {
    stretches.get(stretches.partition_point(|(from, _)| *from <= minute)).map(|(from, _)| *from)
}

/// The same minutes as disjoint stretches, in order.
fn united(mut stretches: Vec<(i64, i64)>) -> Box<[(i64, i64)]> {
    stretches.sort_unstable();
    let mut apart: Vec<(i64, i64)> = Vec::with_capacity(stretches.len());
    for (from, to) in stretches {
        match apart.last_mut() {
            Some((_, end)) if from <= *end => *end = to.max(*end),
            Some(_) | None => apart.push((from, to)),
        }
    }
    apart.into()
}

/// A time zone of the IANA database that is built in. No file of the system is read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Zone(TimeZone);

impl Zone {
    const UTC: Self = Self(TimeZone::UTC);

    /// The zone of exactly this name. The database ignores case, so the name is compared again. Its zone for unknown names
    /// has no name.
    fn named(name: &str) -> Option<Self> {
        let zone = TimeZoneDatabase::bundled().get(name).ok()?;
        (zone.iana_name() == Some(name)).then_some(Self(zone))
    }

    /// All names, in order.
    fn names() -> Vec<String> {
        let mut names: Vec<String> = TimeZoneDatabase::bundled().available().map(|name| name.to_string()).collect();
        names.sort_unstable();
        names
    }

    /// How many seconds its clock is ahead of UTC. 0 outside the years that jiff supports.
    fn offset(&self, second: i64) -> i64 {
        Timestamp::from_second(second).map_or(0, |at| i64::from(self.0.to_offset(at).seconds()))
    }

    /// The first second after this one at which the clock may change.
    fn next_clock_change(&self, second: i64) -> Option<i64> {
        let at = Timestamp::from_second(second).ok()?;
        self.0.following(at).next().map(|change| change.timestamp().as_second())
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.iana_name().unwrap_or_default())
    }
}

/// A calendar as it is stored with a rule, and as it is written in the policy.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    name: Box<str>,
    source: Place,
    timezone: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    weekly: Vec<WeeklySpan>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    dates: Vec<DatesSpan>,
}

impl From<Calendar> for Words {
    fn from(calendar: Calendar) -> Self {
        let Calendar { name, source, zone, weekly, dates, .. } = calendar;
        Self { name, source, timezone: zone.to_string(), weekly, dates }
    }
}

impl TryFrom<Words> for Calendar {
    type Error = String;
    fn try_from(Words { name, source, timezone, weekly, dates }: Words) -> Result<Self, String> {
        let zone = Zone::named(&timezone).ok_or_else(|| format!("there is no time zone `{timezone}`"))?;
        if weekly.is_empty() && dates.is_empty() {
            return Err(format!("the calendar `{name}` is empty"));
        }
        Ok(Self::new(name, source, zone, weekly, dates))
    }
}
