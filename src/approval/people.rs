//! What the reviews add up to: weighed, and assigned to the leaves of the requirement. No texts here.

use jiff::Timestamp;

use super::decision::ReviewVerdict;
use super::eligibility::LeafSet;
use super::everyone::Everyone;
use super::facts::{Facts, Person, PullRequest, Veto};
use super::matching::{Assignment, Candidate, Shape, Sides, assign, assign_possible};
use super::review::{ReviewContext, Weighed};
use crate::policy::{OnChangesRequested, Requirement, Rule};

/// The weighed reviews, and the assignment of those that count.
pub(super) struct People<'f> {
    pub(super) context: ReviewContext<'f>,
    pub(super) weighed: Vec<Weighed<'f>>,
    /// Of the reported choice.
    assignment: Option<Assignment>,
    /// Who could ever approve. `None` if nothing is lacking.
    pub(super) everyone: Option<Box<Everyone>>,
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
            everyone: None,
        };
        people.weighed = people.context.weigh();
        people.assignment = people.context.plan.shape.as_ref().map(|shape| assign(shape, &people.sides()));
        if !people.met() {
            people.report();
        }
        people
    }

    /// Takes the choice to report: of those that can ever be met, the one that lacks the fewest people. If there is
    /// none, it stays the one that lacks the fewest of all.
    fn report(&mut self) {
        let Some((shape, fewest)) = self.context.plan.shape.as_ref().zip(self.assignment.take()) else { return };
        let counting = self.counting().map(|(at, person)| (person, self.set_of(at)));
        let everyone = Everyone::new(&self.context, counting);
        let doubtful = self.context.plan.is_doubtful();
        let possible = (doubtful || !everyone.impossible(fewest.chosen).is_empty())
            .then(|| assign_possible(shape, &self.sides(), &everyone.sides()));
        let reported = possible.flatten().unwrap_or(fewest);
        self.assignment = Some(self.sides().steps_first(shape, &reported));
        self.everyone = Some(Box::new(everyone));
    }

    /// The leaves of the reported choice that everyone who could ever approve cannot meet together.
    pub(super) fn impossible(&self) -> Vec<LeafSet> {
        self.everyone.as_ref().map(|everyone| everyone.impossible(self.chosen())).unwrap_or_default()
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

    pub(super) fn met(&self) -> bool {
        self.assignment.as_ref().is_some_and(|assignment| assignment.lacking == 0)
    }

    /// Who is assigned to the leaf, as indices among the reviews.
    pub(super) fn serving(&self, leaf: usize) -> impl Iterator<Item = usize> {
        let sides = self.sides();
        self.assignment.iter().flat_map(move |assignment| assignment.serving(&sides, leaf))
    }

    /// Who gave the review at an index.
    pub(super) fn person(&self, at: usize) -> Option<&'f Person> {
        self.weighed.get(at)?.review.user.as_ref()
    }

    /// The leaves that the review at an index counts toward.
    pub(super) fn set_of(&self, at: usize) -> LeafSet {
        self.weighed.get(at).map(Candidate::leaves).unwrap_or_default()
    }

    /// How many people are assigned to the leaf.
    pub(super) fn have(&self, leaf: usize) -> u32 {
        u32::try_from(self.serving(leaf).count()).unwrap_or(u32::MAX)
    }

    /// The leaf that the person is assigned to, the first of several.
    pub(super) fn served_by(&self, at: usize) -> Option<usize> {
        match self.context.rule.distinct() {
            true => self.assignment.as_ref()?.held_by(at),
            false => self.set_of(at).iter().find(|leaf| self.serving(*leaf).any(|serving| serving == at)),
        }
    }

    /// The leaves of the reported choice.
    fn chosen(&self) -> LeafSet {
        self.assignment.as_ref().map_or(LeafSet::default(), |assignment| assignment.chosen)
    }

    /// The chosen leaves that lack people.
    pub(super) fn lacking(&self) -> LeafSet {
        let needs = self.context.approvers.needs();
        self.chosen().iter().filter(|leaf| needs.get(*leaf).is_some_and(|need| self.have(*leaf) < *need)).collect()
    }

    /// Whether a part of a choice is the one that is reported.
    pub(super) fn is_chosen(&self, part: &Shape) -> bool {
        part.leaves().meets(self.chosen())
    }

    /// Whether a part of the reported choice is not met.
    pub(super) fn is_unmet(&self, part: &Shape) -> bool {
        match part {
            Shape::Leaf(_) | Shape::Every(_) => part.leaves().meets(self.lacking()),
            Shape::All(parts) | Shape::InOrder(parts) => parts.iter().any(|part| self.is_unmet(part)),
            Shape::Any(parts) => parts.iter().any(|part| self.is_chosen(part) && self.is_unmet(part)),
            Shape::Doubtful(_) => true,
        }
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
