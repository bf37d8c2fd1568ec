//! Durations as they are written in a policy: `90m`, `1h30m`, `2d`.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;

use crate::ident::{quoted, serde_as_text};

/// A positive span of time in whole seconds. A day always has 24 hours, and a week 7 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(u64);

const UNITS: [(char, u64); 5] = [('w', 604_800), ('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// A text that is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a duration: {why}")]
pub struct DurationError {
    given: String,
    why: &'static str,
}

impl Duration {
    /// `None` for zero.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Option<Self> {
        if seconds == 0 { None } else { Some(Self(seconds)) }
    }

    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// As a value to add to an instant.
    #[must_use]
    pub fn signed(self) -> SignedDuration {
        SignedDuration::from_secs(i64::try_from(self.0).unwrap_or(i64::MAX))
    }

    /// Default of `timeout`.
    pub const DEFAULT_TIMEOUT: Self = Self(86_400);
    /// Default of `override.for`.
    pub const DEFAULT_OVERRIDE: Self = Self(4 * 3_600);
    pub const MIN_TIMEOUT: Self = Self(60);
    pub const MAX_TIMEOUT: Self = Self(90 * 86_400);
}

impl FromStr for Duration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        let error = |why| DurationError { given: quoted(text), why };
        let form = "expected whole numbers with the units w, d, h, m, s, largest first, like `90m` or `1h30m`";
        let (mut total, mut number, mut smallest) = (0_u64, None::<u64>, u64::MAX);
        for c in text.chars() {
            if let Some(digit) = c.to_digit(10) {
                let longer = number.unwrap_or(0).checked_mul(10).and_then(|n| n.checked_add(u64::from(digit)));
                number = Some(longer.ok_or_else(|| error("expected a shorter one"))?);
                continue;
            }
            let (_, seconds) = UNITS.iter().find(|(unit, _)| *unit == c).ok_or_else(|| error(form))?;
            let count = number.take().ok_or_else(|| error(form))?;
            if *seconds >= smallest {
                return Err(error(form));
            }
            smallest = *seconds;
            let part = count.checked_mul(*seconds).ok_or_else(|| error("expected a shorter one"))?;
            total = total.checked_add(part).ok_or_else(|| error("expected a shorter one"))?;
        }
        if number.is_some() || smallest == u64::MAX {
            return Err(error(form));
        }
        if i64::try_from(total).is_err() {
            return Err(error("expected a shorter one"));
        }
        Self::from_secs(total).ok_or_else(|| error("expected more than zero"))
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        for (unit, seconds) in UNITS {
            let count = rest / seconds;
            rest %= seconds;
            if count > 0 {
                write!(f, "{count}{unit}")?;
            }
        }
        Ok(())
    }
}

serde_as_text!(Duration);

#[cfg(test)]
mod tests {
    use super::Duration;

    fn seconds(text: &str) -> Option<u64> {
        text.parse::<Duration>().ok().map(Duration::as_secs)
    }

    #[test]
    fn a_duration_is_whole_numbers_with_units_largest_first() {
        assert_eq!(seconds("90m"), Some(5_400));
        assert_eq!(seconds("1h30m"), Some(5_400));
        assert_eq!(seconds("2d"), Some(172_800));
        assert_eq!(seconds("1w1d1h1m1s"), Some(694_861));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "5", "0m", "-1h", "1.5h", "30m1h", "1h 30m", "1hh", "h", "1H", "99999999999999999999s", "1m1m"]
        {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn a_duration_is_written_in_its_shortest_form_and_read_back() {
        for (text, shortest) in [("90m", "1h30m"), ("48h", "2d"), ("14d", "2w"), ("61s", "1m1s")] {
            let duration: Duration = text.parse().unwrap();
            assert_eq!(duration.to_string(), shortest);
            assert_eq!(shortest.parse(), Ok(duration));
        }
    }
}
