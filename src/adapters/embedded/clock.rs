//! A clock that can be moved: the machine's time plus an offset, or a fixed instant.
//!
//! The offset is in memory only. To keep it across restarts, store [`MovableClock::offset`].

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::ports::Clock;

#[derive(Debug)]
pub struct MovableClock {
    reading: Mutex<Reading>,
}

#[derive(Debug, Clone, Copy)]
enum Reading {
    /// The machine's time plus this offset.
    Running(SignedDuration),
    /// This instant, until the clock is moved.
    Standing(Timestamp),
}

impl MovableClock {
    #[must_use]
    pub const fn real() -> Self {
        Self::with_offset(SignedDuration::ZERO)
    }

    /// The machine's time plus an `offset` from [`MovableClock::offset`].
    #[must_use]
    pub const fn with_offset(offset: SignedDuration) -> Self {
        Self { reading: Mutex::new(Reading::Running(offset)) }
    }

    /// A clock that stands at `instant` until it is moved.
    #[must_use]
    pub const fn fixed(instant: Timestamp) -> Self {
        Self { reading: Mutex::new(Reading::Standing(instant)) }
    }

    /// Moves the clock by `by`, back if negative. It stops at the ends of representable time.
    pub fn advance(&self, by: SignedDuration) {
        self.change(|reading| match reading {
            Reading::Running(offset) => Reading::Running(offset.saturating_add(by)),
            Reading::Standing(instant) => Reading::Standing(moved(instant, by)),
        });
    }

    /// Sets the clock to `instant`.
    pub fn set(&self, instant: Timestamp) {
        self.change(|reading| match reading {
            Reading::Running(_) => Reading::Running(instant.duration_since(machine_time())),
            Reading::Standing(_) => Reading::Standing(instant),
        });
    }

    /// The difference from the machine's time. `None` if the clock is fixed.
    #[must_use]
    pub fn offset(&self) -> Option<SignedDuration> {
        match self.reading() {
            Reading::Running(offset) => Some(offset),
            Reading::Standing(_) => None,
        }
    }

    fn reading(&self) -> Reading {
        *self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(Reading) -> Reading) {
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        *reading = change(*reading);
    }
}

impl Clock for MovableClock {
    fn now(&self) -> Timestamp {
        match self.reading() {
            Reading::Running(offset) => moved(machine_time(), offset),
            Reading::Standing(instant) => instant,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the edge at which the machine's clock is read")]
fn machine_time() -> Timestamp {
    Timestamp::now()
}

fn moved(instant: Timestamp, by: SignedDuration) -> Timestamp {
    let end = if by.is_negative() { Timestamp::MIN } else { Timestamp::MAX };
    instant.checked_add(by).unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> Timestamp {
        "2026-01-01T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_fixed_clock_stands_until_it_is_moved() {
        let clock = MovableClock::fixed(noon());
        assert_eq!(clock.now(), noon());
        clock.advance(SignedDuration::from_mins(90));
        assert_eq!(clock.now().to_string(), "2026-01-01T13:30:00Z");
        clock.set(noon());
        assert_eq!(clock.now(), noon());
        assert_eq!(clock.offset(), None);
    }

    #[test]
    fn the_offset_of_a_running_clock_can_be_stored_and_restored() {
        let clock = MovableClock::real();
        clock.advance(SignedDuration::from_hours(48));
        let offset = clock.offset().unwrap();
        assert_eq!(offset, SignedDuration::from_hours(48));
        assert_eq!(MovableClock::with_offset(offset).offset(), Some(offset));
    }

    #[test]
    fn a_running_clock_runs_on_from_the_instant_it_is_set_to() {
        let clock = MovableClock::real();
        let millennium: Timestamp = "2000-01-01T00:00:00Z".parse().unwrap();
        clock.set(millennium);
        assert!(clock.now() >= millennium);
        assert!(clock.offset().is_some_and(|offset| offset.is_negative()));
    }

    #[test]
    fn moving_past_the_end_of_time_stops_there() {
        let clock = MovableClock::fixed(noon());
        clock.advance(SignedDuration::MAX);
        assert_eq!(clock.now(), Timestamp::MAX);
    }
}
