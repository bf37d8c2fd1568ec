//! The input of every lint: the policy, its YAML, what both contain, and the budget of steps.

use jiff::Timestamp;

use super::super::Policy;
use super::super::assemble::{Section, nodes};
use super::super::yaml::{Entry, entries};
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
    pub(super) fn entries(&self, key: &str) -> impl Iterator<Item = &'l Entry> + use<'l> {
        entries(nodes(self.sections, key))
    }
}
