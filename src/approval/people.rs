//! What the people's reviews add up to: weighed, and assigned to the requirement. Says nothing in words.

use jiff::Timestamp;
use smallvec::SmallVec;

use super::decision::ReviewVerdict;
use super::eligibility::LeafSet;
use super::facts::{Facts, Person, Veto};
use super::matching::{Assignment, Candidate, Shape, Sides, assign};
use super::review::{ReviewContext, Weighed};
use crate::policy::OnChangesRequested;

/// What the reviews came to under a rule.
pub(super) struct People<'f> {
    pub(super) context: ReviewContext<'f>,
    pub(super) weighed: Vec<Weighed<'f>>,
    pub(super) assignment: Option<Assignment>,
}

impl<'f> People<'f> {
    /// Weighs the reviews, and assigns those that count.
    pub(super) fn weigh(context: ReviewContext<'f>) -> Self {
        let weighed = context.weigh();
        let mut people = Self { context, weighed, assignment: None };
        people.assignment = people.context.plan.shape.as_ref().map(|shape| people.assign(shape));
        people
    }

    fn sides(&self) -> Sides<'_, Weighed<'f>> {
        let ReviewContext { approvers, rule, .. } = &self.context;
        Sides { needs: approvers.needs(), people: &self.weighed, distinct: rule.distinct() }
    }

    /// Whose approvals count, in the order in which they were given, with their places among the reviews.
    pub(super) fn counting(&self) -> impl Iterator<Item = (usize, &'f Person)> {
        let counts = |weighed: &Weighed<'f>| weighed.verdict == ReviewVerdict::Counts;
        let counting = self.weighed.iter().enumerate().filter(move |(_, weighed)| counts(weighed));
        counting.filter_map(|(at, weighed)| Some((at, weighed.review.user.as_ref()?)))
    }

    /// Lays the people whose approvals count to some part of the requirement.
    pub(super) fn assign(&self, shape: &Shape) -> Assignment {
        assign(shape, &self.sides())
    }

    /// Whether the requirement is met.
    pub(super) fn met(&self) -> bool {
        self.assignment.as_ref().is_some_and(|assignment| assignment.lacking == 0)
    }

    /// Who serves the leaf, as places among the reviews.
    pub(super) fn serving(&self, leaf: usize) -> SmallVec<[usize; 8]> {
        let sides = self.sides();
        let serving = self.assignment.iter().flat_map(|assignment| assignment.serving(&sides, leaf));
        serving.collect()
    }

    /// Toward which leaves the review at a place counts.
    pub(super) fn set_of(&self, at: usize) -> LeafSet {
        self.weighed.get(at).map(Candidate::leaves).unwrap_or_default()
    }

    /// How many serve the leaf.
    pub(super) fn have(&self, leaf: usize) -> u32 {
        u32::try_from(self.serving(leaf).len()).unwrap_or(u32::MAX)
    }

    /// The chosen leaves that lack people, by number.
    pub(super) fn lacking(&self) -> impl Iterator<Item = usize> {
        let chosen = self.assignment.as_ref().map_or(LeafSet::default(), |assignment| assignment.chosen);
        let needs = self.context.approvers.needs().iter();
        needs
            .enumerate()
            .filter(move |(leaf, need)| chosen.has(*leaf) && self.have(*leaf) < **need)
            .map(|(leaf, _)| leaf)
    }

    /// Whose request for changes stands, and whether it ends the request; else it holds it.
    pub(super) fn objections(&self) -> impl Iterator<Item = (&'f Person, bool)> {
        self.weighed.iter().filter_map(|weighed| match weighed.verdict {
            ReviewVerdict::Counts | ReviewVerdict::Ignored => None,
            ReviewVerdict::Rejects => Some((weighed.review.user.as_ref()?, true)),
            ReviewVerdict::Blocks => Some((weighed.review.user.as_ref()?, false)),
        })
    }

    /// Vetoes from other pull requests that their givers have not lifted by approving this one since.
    pub(super) fn vetoes(&self) -> impl Iterator<Item = &'f Veto> {
        let heeded = self.context.rule.on_changes_requested() != OnChangesRequested::Ignore;
        let facts: &'f Facts = self.context.facts;
        facts.vetoes.iter().filter(move |veto| heeded && !self.approved_since(&veto.by, veto.at))
    }

    /// Whether the person has approved the head later than the instant.
    fn approved_since(&self, person: &Person, at: Timestamp) -> bool {
        self.weighed.iter().filter(|weighed| weighed.is_standing_approval()).any(|weighed| {
            weighed.review.user.as_ref().is_some_and(|user| user.id == person.id)
                && weighed.review.submitted_at.is_some_and(|submitted_at| submitted_at > at)
        })
    }

    /// The last instant at which all approvals that count still do.
    pub(super) fn first_expiry(&self) -> Option<Timestamp> {
        let counting = self.weighed.iter().filter(|weighed| weighed.verdict == ReviewVerdict::Counts);
        counting.filter_map(|weighed| self.context.expires(weighed.review)).min()
    }
}
