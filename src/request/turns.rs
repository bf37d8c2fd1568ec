//! The turns that deliveries take at reading their pull request. One reads, at most one waits to read next, and all others
//! leave it to that one: its reading begins after they were recorded.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How long a turn lasts at most. GitHub waits so long for the answer to a delivery.
const TURN: SignedDuration = SignedDuration::from_secs(10);

/// Who reads a pull request, and who reads it next.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turns {
    /// Grows by one with every write. A write names the version that it replaces.
    pub version: u64,
    /// Until when somebody reads. `None` if they have finished.
    reading: Option<Timestamp>,
    /// Until when somebody waits to read next. `None` if they have begun.
    waiting: Option<Timestamp>,
}

/// What a delivery does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// Reads at once.
    Read(Turns),
    /// Waits until it may begin, and then reads.
    Wait(Turns),
    /// Leaves the reading to the one that waits.
    Covered,
}

impl Turns {
    /// What a delivery does that has been recorded by now.
    #[must_use]
    pub fn join(&self, now: Timestamp) -> Turn {
        if lasts(self.waiting, now) {
            Turn::Covered
        } else if lasts(self.reading, now) {
            let until = Some(now.saturating_add(TURN).unwrap_or(Timestamp::MAX));
            Turn::Wait(Self { version: self.version + 1, waiting: until, ..self.clone() })
        } else {
            Turn::Read(self.begin_anyway(now))
        }
    }

    /// The turns after the one that waited has begun to read. `None` while another reads.
    #[must_use]
    pub fn begin(&self, now: Timestamp) -> Option<Self> {
        (!lasts(self.reading, now)).then(|| self.begin_anyway(now))
    }

    /// The turns after the one that waited has begun to read, although another may still read.
    #[must_use]
    pub fn begin_anyway(&self, now: Timestamp) -> Self {
        let until = Some(now.saturating_add(TURN).unwrap_or(Timestamp::MAX));
        Self { version: self.version + 1, reading: until, waiting: None }
    }

    /// The turns after a reading has ended. `None` if its turn was over before, so that another may be reading.
    #[must_use]
    pub fn finish(&self, begun: &Self) -> Option<Self> {
        let is_ours = self.reading == begun.reading;
        is_ours.then(|| Self { version: self.version + 1, reading: None, ..self.clone() })
    }
}

fn lasts(until: Option<Timestamp>, now: Timestamp) -> bool {
    until.is_some_and(|until| now < until)
}

#[cfg(test)]
mod tests {
    use super::super::tests::at;
    use super::*;

    fn read(turns: &Turns, seconds: i64) -> Turns {
        match turns.join(at(seconds)) {
            Turn::Read(turns) => turns,
            other @ (Turn::Wait(_) | Turn::Covered) => panic!("{other:?}"),
        }
    }

    fn wait(turns: &Turns, seconds: i64) -> Turns {
        match turns.join(at(seconds)) {
            Turn::Wait(turns) => turns,
            other @ (Turn::Read(_) | Turn::Covered) => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_first_reads_at_once_the_second_waits_and_the_others_are_covered_until_it_begins() {
        let first = read(&Turns::default(), 0);
        let second = wait(&first, 1);
        assert_eq!((second.join(at(2)), second.join(at(3))), (Turn::Covered, Turn::Covered));
        assert_eq!(second.begin(at(3)), None, "the first still reads");
        let free = second.finish(&first).unwrap();
        assert_eq!(free.join(at(4)), Turn::Covered, "the second has not begun");
        let begun = free.begin(at(4)).unwrap();
        let fourth = wait(&begun, 5);
        let free = fourth.finish(&begun).unwrap().begin(at(6)).unwrap();
        assert_eq!(free.finish(&free).unwrap().join(at(7)), Turn::Read(read(&free.finish(&free).unwrap(), 7)));
    }

    #[test]
    fn a_turn_that_is_never_finished_lapses() {
        let first = read(&Turns::default(), 0);
        let second = wait(&first, 1);
        assert!(second.begin(at(10)).is_some(), "the first is gone");
        let third = read(&second, 11);
        assert_eq!(third.finish(&first), None, "the first comes back, and the third reads");
        assert!(third.finish(&third).is_some());
        let impatient = second.begin_anyway(at(5));
        assert!(matches!(impatient.join(at(6)), Turn::Wait(_)), "nobody counts on a reading that has begun before");
    }
}
