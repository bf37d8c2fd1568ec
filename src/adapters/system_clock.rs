//! The machine's own clock.

use jiff::Timestamp;

use crate::ports::Clock;

#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the adapter of the clock reads it")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
