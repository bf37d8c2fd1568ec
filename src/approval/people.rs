//! What the people's reviews add up to: weighed, and assigned to the requirement. Says nothing in words.

use jiff::Timestamp;
use smallvec::SmallVec;

use super::asked::LeafSet;
use super::decision::ReviewVerdict;
use super::facts::{Facts, Person, PullRequest, Veto};
use super::matching::{Assignment, Shape, Sides, assign};
use super::plan::Plan;
use super::review::{Scales, Weighed};
use crate::ident::UserId;
use crate::policy::{OnChangesRequested, Requirement, Rule};

/// What the reviews came to under a rule.
pub(super) struct People<'f> {
    pub(super) requirement: &'f Requirement,
    pub(super) plan: Plan,
    pub(super) scales: Scales<'f>,
    pub(super) weighed: Vec<Weighed<'f>>,
    /// Whose approvals count, in the order in which they were given.
    pub(super) counting: Vec<&'f Person>,
    /// Toward which leaves each of them counts.
    sets: SmallVec<[LeafSet; 16]>,
    needs: SmallVec<[u32; 4]>,
    pub(super) assignment: Option<Assignment>,
}

impl<'f> People<'f> {
    /// Weighs the reviews, and assigns those that count.
    pub(super) fn weigh(
        rule: &'f Rule<'f>,
        requirement: &'f Requirement,
        facts: &'f Facts,
        pull_request: &'f PullRequest,
    ) -> Self {
        let plan = Plan::new(requirement, facts);
        let scales = Scales::new(rule, requirement, plan.asked, facts, pull_request);
        let weighed = scales.weigh();
        let (mut counting, mut sets) = (Vec::with_capacity(weighed.len()), SmallVec::new());
        for counts in weighed.iter().filter(|weighed| weighed.verdict == ReviewVerdict::Counts) {
            if let Some(user) = &counts.review.user {
                counting.push(user);
                sets.push(counts.leaves);
            }
        }
        let needs = scales.asked.leaves().iter().map(|leaf| leaf.count).collect();
        let mut people = Self { requirement, plan, scales, weighed, counting, sets, needs, assignment: None };
        people.assignment = people.plan.shape.as_ref().map(|shape| people.assign(shape));
        people
    }

    fn sides(&self) -> Sides<'_> {
        Sides { needs: &self.needs, people: &self.sets, distinct: self.scales.rule.distinct() }
    }

    /// Lays the people whose approvals count to some part of the requirement.
    pub(super) fn assign(&self, shape: &Shape) -> Assignment {
        assign(shape, &self.sides())
    }

    /// Whether the requirement is met.
    pub(super) fn met(&self) -> bool {
        self.assignment.as_ref().is_some_and(|assignment| assignment.lacking == 0)
    }

    /// Who serves the leaf, as places in [`Self::counting`].
    pub(super) fn serving(&self, leaf: usize) -> SmallVec<[usize; 8]> {
        let sides = self.sides();
        let serving = self.assignment.iter().flat_map(|assignment| assignment.serving(&sides, leaf));
        serving.collect()
    }

    /// Toward which leaves a person of [`Self::counting`] counts.
    pub(super) fn set_of(&self, person: usize) -> LeafSet {
        self.sets.get(person).copied().unwrap_or_default()
    }

    /// How many serve the leaf.
    pub(super) fn have(&self, leaf: usize) -> u32 {
        u32::try_from(self.serving(leaf).len()).unwrap_or(u32::MAX)
    }

    /// The chosen leaves that lack people, by number.
    pub(super) fn lacking(&self) -> impl Iterator<Item = usize> {
        let chosen = self.assignment.as_ref().map_or(LeafSet::default(), |assignment| assignment.chosen);
        self.needs
            .iter()
            .enumerate()
            .filter(move |(leaf, need)| chosen.has(*leaf) && self.have(*leaf) < **need)
            .map(|(leaf, _)| leaf)
    }

    fn of(&self, verdict: ReviewVerdict) -> impl Iterator<Item = &'f Person> {
        let chosen = self.weighed.iter().filter(move |weighed| weighed.verdict == verdict);
        chosen.filter_map(|weighed| weighed.review.user.as_ref())
    }

    /// Whose request for changes ends the request.
    pub(super) fn rejecting(&self) -> impl Iterator<Item = &'f Person> {
        self.of(ReviewVerdict::Rejects)
    }

    /// Whose request for changes holds the request.
    pub(super) fn blocking(&self) -> impl Iterator<Item = &'f Person> {
        self.of(ReviewVerdict::Blocks)
    }

    /// Whose request for changes stands.
    pub(super) fn objectors(&self) -> impl Iterator<Item = UserId> {
        self.rejecting().chain(self.blocking()).map(|person| person.id)
    }

    /// Vetoes from other pull requests that their givers have not lifted by approving this one since.
    pub(super) fn vetoes(&self) -> impl Iterator<Item = &'f Veto> {
        let heeded = self.scales.rule.on_changes_requested() != OnChangesRequested::Ignore;
        let facts: &'f Facts = self.scales.facts;
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
        counting.filter_map(|weighed| self.scales.expires(weighed.review)).min()
    }
}
