//! An event in a request's life that channels are notified of, and its text form.

use std::fmt;
use std::str::FromStr;

use crate::approval::decision::Event;
use crate::ident::serde_as_text;

/// What channels are notified of: an event and, if it can come more than once in a request's life, its number.
///
/// As text: `requested` or `reminded-2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Occasion {
    pub event: Event,
    /// Which of the rule's reminders or escalations, from 1. `None` for an event that comes once.
    pub number: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an event, followed by `-` and a number from 1 if it can come more than once")]
pub struct OccasionError;

impl From<Event> for Occasion {
    fn from(event: Event) -> Self {
        Self { event, number: None }
    }
}

impl fmt::Display for Occasion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.event.as_str())?;
        self.number.map_or(Ok(()), |number| write!(f, "-{number}"))
    }
}

impl FromStr for Occasion {
    type Err = OccasionError;

    fn from_str(text: &str) -> Result<Self, OccasionError> {
        let (word, number) = match text.split_once('-') {
            Some((word, number)) => (word, Some(number.parse().ok().filter(|n| *n > 0).ok_or(OccasionError)?)),
            None => (text, None),
        };
        let event = Event::ALL.into_iter().find(|event| event.as_str() == word).ok_or(OccasionError)?;
        Ok(Self { event, number })
    }
}

serde_as_text!(Occasion);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::ChannelName;

    fn numbered(event: Event, number: usize) -> Occasion {
        Occasion { event, number: Some(number) }
    }

    #[test]
    fn an_occasion_reads_back_from_its_text_even_if_stored_without_a_number() {
        for occasion in [Event::Requested.into(), numbered(Event::Reminded, 1), numbered(Event::Escalated, 12)] {
            assert_eq!(occasion.to_string().parse(), Ok(occasion));
        }
        assert_eq!(
            (numbered(Event::Reminded, 2).to_string().as_str(), Occasion::from(Event::Denied).to_string().as_str()),
            ("reminded-2", "denied")
        );
        for text in ["", "asked", "reminded-", "reminded-0", "reminded--1", "reminded-x"] {
            assert_eq!(text.parse::<Occasion>(), Err(OccasionError), "{text}");
        }
        let stored = r#"{"requested":["desk"],"reminded-2":[]}"#;
        let read: std::collections::BTreeMap<Occasion, Vec<ChannelName>> = serde_json::from_str(stored).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), stored);
    }
}
