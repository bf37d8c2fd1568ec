//! What every lint is given: the policy, its YAML, what was read out of both, and the budget of steps.

use jiff::Timestamp;

use super::super::Policy;
use super::super::assemble::Section;
use super::super::yaml::{Entry, Node, Value};
use super::bodies::{Body, Keys};
use super::quorum::Quorum;
use crate::finding::Finding;

/// The steps for one question to a calendar, such as its next change.
pub(super) const OF_A_CALENDAR: usize = 10;

/// What a lint looks at, and where it reports.
pub(super) struct Lint<'l> {
    pub(super) policy: &'l Policy,
    pub(super) sections: &'l [Section<'l>],
    pub(super) now: Timestamp,
    /// Every rule body of the policy.
    pub(super) bodies: Vec<Body<'l>>,
    /// Every list of selectors of the policy.
    pub(super) levels: Vec<Keys<'l>>,
    /// The quorums of all bodies.
    pub(super) quorums: Vec<Quorum<'l>>,
    pub(super) budget: u64,
    pub(super) found: Vec<Finding>,
}

impl<'l> Lint<'l> {
    pub(super) fn report(&mut self, finding: Finding) {
        self.found.push(finding);
    }

    /// Takes steps off the budget. Returns whether it still had so many.
    pub(super) fn spend(&mut self, steps: usize) -> bool {
        let left = self.budget.checked_sub(u64::try_from(steps).unwrap_or(u64::MAX));
        self.budget = left.unwrap_or(0);
        left.is_some()
    }

    /// The entries under a top-level key, of all files.
    pub(super) fn entries(&self, key: &str) -> Vec<&'l Entry> {
        entries(nodes(self.sections, key))
    }
}

pub(super) fn nodes<'n>(sections: &'n [Section<'n>], key: &str) -> &'n [&'n Node] {
    sections.iter().find(|section| section.key == key).map(|section| section.nodes.as_slice()).unwrap_or_default()
}

pub(super) fn entries<'n>(nodes: &[&'n Node]) -> Vec<&'n Entry> {
    nodes.iter().flat_map(|node| entries_of(node)).collect()
}

pub(super) fn entries_of(node: &Node) -> &[Entry] {
    match &node.value {
        Value::Map(entries) => entries,
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Text(_) | Value::List(_) => &[],
    }
}
