//! What the reviews add up to: weighed, and assigned to the leaves of the requirement. No texts here.

use jiff::Timestamp;
use smallvec::SmallVec;

use super::decision::ReviewVerdict;
use super::eligibility::LeafSet;
use super::facts::{Facts, Person, PullRequest, Veto};
use super::matching::{Assignment, Candidate, Shape, Sides, assign};
use super::review::{ReviewContext, Weighed};
use crate::policy::{OnChangesRequested, Requirement, Rule};

/// The weighed reviews, and the assignment of those that count.
pub(super) struct People<'f> {
    pub(super) context: ReviewContext<'f>,
    pub(super) weighed: Vec<Weighed<'f>>,
    pub(super) assignment: Option<Assignment>,
}

impl<'f> People<'f> {
    pub(super) fn weigh(
        rule: &'f Rule<'f>,
        requirement: &'f Requirement,
        facts: &'f Facts,
        pull_request: &'f PullRequest,
    ) -> Self {
        let mut people = Self {
            context: ReviewContext::new(rule, requirement, facts, pull_request),
            weighed: Vec::new(),
            assignment: None,
        };
        people.weighed = people.context.weigh();
        people.assignment = people.context.plan.shape.as_ref().map(|shape| people.assign(shape));
        people
    }

    fn sides(&self) -> Sides<'_, Weighed<'f>> {
        let ReviewContext { approvers, rule, .. } = &self.context;
        Sides { needs: approvers.needs(), people: &self.weighed, distinct: rule.distinct() }
    }

    /// Whose approvals count, in the order given, with their index among the reviews. Nobody is there twice.
    pub(super) fn counting(&self) -> impl Iterator<Item = (usize, &'f Person)> {
        let counting = self.weighed.iter().enumerate().filter(|(_, weighed)| weighed.is_counted());
        counting.filter_map(|(at, weighed)| Some((at, weighed.review.user.as_ref()?)))
    }

    /// Assigns the people whose approvals count to a part of the requirement.
    pub(super) fn assign(&self, shape: &Shape) -> Assignment {
        assign(shape, &self.sides())
    }

    pub(super) fn met(&self) -> bool {
        self.assignment.as_ref().is_some_and(|assignment| assignment.lacking == 0)
    }

    /// Who is assigned to the leaf, as indices among the reviews.
    pub(super) fn serving(&self, leaf: usize) -> SmallVec<[usize; 8]> {
        let sides = self.sides();
        let serving = self.assignment.iter().flat_map(|assignment| assignment.serving(&sides, leaf));
        serving.collect()
    }

    /// The leaves that the review at an index counts toward.
    pub(super) fn set_of(&self, at: usize) -> LeafSet {
        self.weighed.get(at).map(Candidate::leaves).unwrap_or_default()
    }

    /// How many people are assigned to the leaf.
    pub(super) fn have(&self, leaf: usize) -> u32 {
        u32::try_from(self.serving(leaf).len()).unwrap_or(u32::MAX)
    }

    /// The chosen leaves that lack people.
    pub(super) fn lacking(&self) -> impl Iterator<Item = usize> {
        let chosen = self.assignment.as_ref().map_or(LeafSet::default(), |assignment| assignment.chosen);
        let needs = self.context.approvers.needs().iter();
        needs
            .enumerate()
            .filter(move |(leaf, need)| chosen.has(*leaf) && self.have(*leaf) < **need)
            .map(|(leaf, _)| leaf)
    }

    /// Who requests changes, and whether that ends the approval request. If not, it holds it.
    pub(super) fn objections(&self) -> impl Iterator<Item = (&'f Person, bool)> {
        self.weighed.iter().filter_map(|weighed| match weighed.verdict {
            ReviewVerdict::Counts | ReviewVerdict::Ignored => None,
            ReviewVerdict::Rejects => Some((weighed.review.user.as_ref()?, true)),
            ReviewVerdict::Blocks => Some((weighed.review.user.as_ref()?, false)),
        })
    }

    /// Vetoes from other pull requests whose authors have not approved this one since.
    pub(super) fn vetoes(&self) -> impl Iterator<Item = &'f Veto> {
        let heeds = self.context.rule.on_changes_requested() != OnChangesRequested::Ignore;
        let facts: &'f Facts = self.context.facts;
        facts.vetoes.iter().filter(move |veto| heeds && !self.approved_since(&veto.by, veto.at))
    }

    /// Whether the person approved the head after the instant.
    fn approved_since(&self, person: &Person, at: Timestamp) -> bool {
        self.weighed.iter().filter(|weighed| weighed.is_standing_approval()).any(|weighed| {
            weighed.review.user.as_ref().is_some_and(|user| user.id == person.id)
                && weighed.review.submitted_at.is_some_and(|submitted_at| submitted_at > at)
        })
    }

    /// The last instant at which every approval that counts now still counts.
    pub(super) fn first_expiry(&self) -> Option<Timestamp> {
        let counting = self.weighed.iter().filter(|weighed| weighed.is_counted());
        counting.filter_map(|weighed| self.context.expires(weighed.review)).min()
    }
}
