//! One span of a calendar as it is written in the policy, e.g. `fri 16:00` to `mon 08:00`, and the minutes it covers.
//!
//! Knows wall clocks, but no time zones. A span is never empty.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::finding::closest;
use crate::ident::{quoted, serde_as_text};

/// The minutes of a day by its clock. Clock changes make no difference here.
const DAY: u16 = 24 * 60;
/// The minutes of a week by its clock.
pub(super) const WEEK: u16 = 7 * DAY;

/// The days of the week, as in YAML.
pub(super) const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A text that is not a part of a span, or two ends that do not make a span.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{wrong}")]
pub(super) struct SpanError {
    wrong: String,
    pub(super) hint: String,
    /// The key of the span with the mistake, if the error is about a whole span.
    pub(super) key: &'static str,
}

impl SpanError {
    fn new(wrong: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { wrong: wrong.into(), hint: hint.into(), key: "to" }
    }

    fn of(self, key: &'static str) -> Self {
        Self { key, ..self }
    }

    fn form(given: &str, what: &str, hint: impl Into<String>) -> Self {
        Self::new(format!("`{}` is not {what}", quoted(given)), hint)
    }
}

/// A day of the week, counted from Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Day(u8);

impl Day {
    fn minute(self) -> u16 {
        u16::from(self.0) * DAY
    }
}

impl FromStr for Day {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        if let Some(day) = (0_u8..).zip(DAYS).find_map(|(day, word)| (word == text).then_some(day)) {
            return Ok(Self(day));
        }
        // A written-out `thursday` is too far from `thu` to be found as a typo.
        let spelt_out = text.get(..3).and_then(|start| DAYS.into_iter().find(|day| day.eq_ignore_ascii_case(start)));
        let hint = spelt_out.or_else(|| closest(text, DAYS)).map_or_else(
            || format!("the days are {}", DAYS.map(|day| format!("`{day}`")).join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        Err(SpanError::form(text, "a day of the week", hint))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(DAYS.get(usize::from(self.0)).unwrap_or(&""))
    }
}

/// A time of day in whole minutes since midnight, from `00:00` to `24:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Time(u16);

impl FromStr for Time {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let two = |part: &str| part.parse::<u16>().ok().filter(|_| part.len() == 2 && !part.starts_with('+'));
        text.split_once(':')
            .and_then(|(hour, minute)| Some((two(hour)?, two(minute)?)))
            .filter(|(hour, minute)| *minute < 60 && hour * 60 + minute <= DAY)
            .map(|(hour, minute)| Self(hour * 60 + minute))
            .ok_or_else(|| {
                let hint =
                    "write two digits for the hour and two for the minute, from `00:00` to `24:00`, e.g. `09:00`";
                SpanError::form(text, "a time of day", hint)
            })
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// A day of the week and a time, e.g. `fri 16:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DayTime {
    day: Day,
    time: Time,
}

impl DayTime {
    /// From 0, the beginning of Monday, to [`WEEK`], the end of Sunday.
    fn minute(self) -> u16 {
        self.day.minute() + self.time.0
    }
}

impl FromStr for DayTime {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        if text.parse::<Time>().is_ok() {
            let hint = format!("write the day before it, e.g. `mon {text}`, or add `days`");
            return Err(SpanError::new(format!("`{text}` does not say on which day"), hint));
        }
        let Some((day, time)) = text.split_once(' ') else {
            return Err(SpanError::form(text, "a day and a time", "write both, e.g. `fri 16:00`"));
        };
        Ok(Self { day: day.parse()?, time: time.parse()? })
    }
}

impl fmt::Display for DayTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.day, self.time)
    }
}

/// A date and a time, e.g. `2026-12-20 00:00`. A date alone means `00:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    date: Date,
    time: Time,
}

impl Moment {
    /// In whole minutes of the wall clock since 1970.
    fn minute(self) -> i64 {
        let epoch = Date::constant(1970, 1, 1);
        i64::from((self.date - epoch).get_days()) * i64::from(DAY) + i64::from(self.time.0)
    }

    /// The end of a span. A date alone is refused, since it could mean `00:00` or `24:00`.
    pub(super) fn end(text: &str) -> Result<Self, SpanError> {
        if date(text).is_some() {
            let hint = format!("write `{text} 00:00` if the day is left out, or `{text} 24:00` if it is included");
            return Err(SpanError::new(format!("`{text}` does not say at what time the span ends"), hint));
        }
        text.parse()
    }
}

fn date(text: &str) -> Option<Date> {
    let mut parts = text.split('-').map(|part| (part.len(), part.parse::<u16>().ok()));
    let (Some((4, Some(year))), Some((2, Some(month))), Some((2, Some(day))), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    // `parse` accepts a sign.
    if text.contains('+') {
        return None;
    }
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

impl FromStr for Moment {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let (day, time) = text.split_once(' ').unwrap_or((text, "00:00"));
        let Some(date) = date(day) else {
            let hint = "write year, month and day, then the time, e.g. `2026-12-20 00:00`";
            return Err(SpanError::form(text, "a date and a time", hint));
        };
        Ok(Self { date, time: time.parse()? })
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.date, self.time)
    }
}

fn begins_at_24(time: Time) -> Result<(), SpanError> {
    if time.0 < DAY {
        return Ok(());
    }
    Err(SpanError::new("a span cannot begin at `24:00`", "write `00:00` of the day after").of("from"))
}

/// A weekly span: from a day to a day, or the same hours on some days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Words", into = "Words")]
pub(super) enum WeeklySpan {
    /// Runs into the next week if the end is before the beginning.
    Run { from: DayTime, to: DayTime },
    /// Runs into the next day if the end is before the beginning.
    Hours { days: Vec<Day>, from: Time, to: Time },
}

impl WeeklySpan {
    /// # Errors
    /// It is empty, or begins at `24:00`.
    pub(super) fn run(from: DayTime, to: DayTime) -> Result<Self, SpanError> {
        begins_at_24(from.time)?;
        // The end of Thursday is the beginning of Friday, so a week from Friday to Thursday would be empty.
        if from.minute() == to.minute() % WEEK && (from.minute(), to.minute()) != (0, WEEK) {
            return Err(SpanError::new(
                format!("the span from `{from}` to `{to}` is empty"),
                "a span ends before the moment in `to`; the whole week is from `mon 00:00` to `sun 24:00`",
            ));
        }
        Ok(Self::Run { from, to })
    }

    /// # Errors
    /// There is no day, a day appears twice, or the hours are empty or begin at `24:00`.
    pub(super) fn hours(days: Vec<Day>, from: Time, to: Time) -> Result<Self, SpanError> {
        begins_at_24(from)?;
        if from == to {
            return Err(SpanError::new(
                format!("the span from `{from}` to `{to}` is empty"),
                "a span ends before the moment in `to`; the whole day is from `00:00` to `24:00`",
            ));
        }
        if days.is_empty() {
            return Err(SpanError::new("`days` is empty", "name at least one").of("days"));
        }
        if let Some(twice) =
            (1..days.len()).find_map(|n| days.get(n).filter(|day| days.iter().take(n).any(|d| d == *day)))
        {
            return Err(SpanError::new(format!("`{twice}` appears twice in `days`"), "keep one of the two").of("days"));
        }
        Ok(Self::Hours { days, from, to })
    }

    /// Its stretches in minutes from the beginning of Monday. None crosses the end of the week.
    pub(super) fn stretches(&self) -> Vec<(i64, i64)> {
        let mut stretches = Vec::new();
        let mut add = |from: u16, to: u16| {
            let (from, to, week) = (i64::from(from), i64::from(to), i64::from(WEEK));
            stretches.push((from, to.min(week)));
            if to > week {
                stretches.push((0, to - week));
            }
        };
        match self {
            Self::Run { from, to } => {
                let (from, to) = (from.minute(), to.minute());
                add(from, if to > from { to } else { to + WEEK });
            }
            Self::Hours { days, from, to } => {
                let length = if to > from { to.0 - from.0 } else { to.0 + DAY - from.0 };
                for day in days {
                    let from = day.minute() + from.0;
                    add(from, from + length);
                }
            }
        }
        stretches
    }
}

impl fmt::Display for WeeklySpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run { from, to } => write!(f, "{from} to {to}"),
            Self::Hours { days, from, to } => {
                let in_a_row = days.windows(2).all(|pair| matches!(pair, [a, b] if a.0 + 1 == b.0));
                match days.as_slice() {
                    [first, .., last] if days.len() > 2 && in_a_row => write!(f, "{first}-{last}")?,
                    days => f.write_str(&days.iter().map(Day::to_string).collect::<Vec<_>>().join(", "))?,
                }
                write!(f, " {from} to {to}")
            }
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Words", into = "Words")]
pub(super) struct DatesSpan {
    from: Moment,
    to: Moment,
}

impl DatesSpan {
    /// # Errors
    /// It is empty, ends before it begins, or begins at `24:00`.
    pub(super) fn new(from: Moment, to: Moment) -> Result<Self, SpanError> {
        begins_at_24(from.time)?;
        match to.minute().cmp(&from.minute()) {
            std::cmp::Ordering::Greater => Ok(Self { from, to }),
            std::cmp::Ordering::Equal => Err(SpanError::new(
                format!("the span from `{from}` to `{to}` is empty"),
                format!(
                    "a span ends before the moment in `to`; the whole day is from `{from}` to `{} 24:00`",
                    from.date
                ),
            )),
            std::cmp::Ordering::Less => Err(SpanError::new(
                format!("the span from `{from}` to `{to}` ends before it begins"),
                "swap `from` and `to`, or correct the year",
            )),
        }
    }

    /// Both ends in minutes of the wall clock since 1970.
    pub(super) fn stretch(&self) -> (i64, i64) {
        (self.from.minute(), self.to.minute())
    }
}

impl fmt::Display for DatesSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.from, self.to)
    }
}

serde_as_text!(Day);

/// A span as it is stored with a rule, and as it is written in the policy.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    days: Option<Vec<Day>>,
    from: String,
    to: String,
}

impl From<WeeklySpan> for Words {
    fn from(span: WeeklySpan) -> Self {
        match span {
            WeeklySpan::Run { from, to } => Self { days: None, from: from.to_string(), to: to.to_string() },
            WeeklySpan::Hours { days, from, to } => {
                Self { days: Some(days), from: from.to_string(), to: to.to_string() }
            }
        }
    }
}

impl TryFrom<Words> for WeeklySpan {
    type Error = SpanError;
    fn try_from(Words { days, from, to }: Words) -> Result<Self, SpanError> {
        match days {
            Some(days) => Self::hours(days, from.parse()?, to.parse()?),
            None => Self::run(from.parse()?, to.parse()?),
        }
    }
}

impl From<DatesSpan> for Words {
    fn from(span: DatesSpan) -> Self {
        Self { days: None, from: span.from.to_string(), to: span.to.to_string() }
    }
}

impl TryFrom<Words> for DatesSpan {
    type Error = SpanError;
    fn try_from(Words { days, from, to }: Words) -> Result<Self, SpanError> {
        if days.is_some() {
            return Err(SpanError::new("a span of dates has no `days`", "write them under `weekly`"));
        }
        Self::new(from.parse()?, Moment::end(&to)?)
    }
}
