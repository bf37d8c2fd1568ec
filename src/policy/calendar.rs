//! Named sets of time. Knows no clock and no condition.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::read::Reader;
use super::yaml::Node;
use crate::finding::{Code, Finding, closest};

/// A named set of time: the union of its spans, each with its start and without its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    name: Box<str>,
    source: super::Place,
    spans: Vec<(Timestamp, Timestamp)>,
}

/// The calendars of a bundle by name.
pub(crate) type Calendars = BTreeMap<Box<str>, Arc<Calendar>>;

impl Calendar {
    /// Its name in the policy.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where.
    #[must_use]
    pub fn source(&self) -> &super::Place {
        &self.source
    }
    /// x
    #[must_use]
    pub fn describe(&self) -> String {
        String::new()
    }
    /// Whether the instant is inside.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        self.spans.iter().any(|(from, to)| *from <= at && at < *to)
    }

    /// The first instant after the given one at which inside becomes outside, or the other way round.
    #[must_use]
    pub fn next_change(&self, after: Timestamp) -> Option<Timestamp> {
        let mut ends: Vec<Timestamp> = self.spans.iter().flat_map(|(from, to)| [*from, *to]).collect();
        ends.sort_unstable();
        ends.into_iter().find(|end| *end > after && self.contains(*end) != self.contains(after))
    }

    /// A calendar of one span.
    #[cfg(test)]
    pub(crate) fn of_span(name: &str, from: Timestamp, to: Timestamp) -> Arc<Self> {
        Arc::new(Self { name: name.into(), source: super::Place::new("".into(), 1), spans: vec![(from, to)] })
    }
}

/// Reads one name of a calendar, or a list of them, and looks them up.
pub(crate) fn read_calendar_names(
    reader: &mut Reader<'_>,
    node: &Node,
    field: &str,
    calendars: &Calendars,
) -> Option<Vec<Arc<Calendar>>> {
    let items = reader.one_or_list(node, field);
    let mut found = Vec::with_capacity(items.len());
    for item in &items {
        let Some(name) = reader.text(item, field) else { continue };
        match calendars.get(name) {
            Some(calendar) => found.push(Arc::clone(calendar)),
            None => {
                let hint = closest(name, calendars.keys().map(AsRef::as_ref))
                    .map_or_else(|| "define it under `calendars`".to_owned(), |near| format!("did you mean `{near}`?"));
                let message = format!("there is no calendar `{name}`");
                reader.report(Finding::at(Code::UnknownName, item.span, message).hint(hint));
            }
        }
    }
    (!items.is_empty() && found.len() == items.len()).then_some(found)
}

pub(crate) fn read_calendars(_: &mut Reader<'_>, _: &[&Node]) -> Calendars {
    Calendars::new()
}
