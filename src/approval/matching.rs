//! Whether people can meet a requirement: chooses `any_of` parts and assigns people to leaves. Works on numbers alone.
//!
//! With `distinct` each person serves one leaf, and the assignment is a maximum matching, never a greedy one. The
//! choice that lacks the fewest people wins, and of equal choices the first.
//!
//! The search tries choices one by one, and skips those of which a lower bound shows that they cannot win. In the worst
//! case nothing is skipped. 32 leaves make at most 118,098 choices (ten of three leaves, and one of two), and each costs
//! one matching. The bound is exact where every choice is between leaves of one person each. So the worst case needs
//! higher counts, and people who are shared between nearly all leaves.

use smallvec::{SmallVec, smallvec};

use super::eligibility::LeafSet;
use crate::policy::MAX_LEAVES;

/// What is left of a requirement. Leaves are numbered as written.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    Leaf(usize),
    All(Vec<Shape>),
    Any(Vec<Shape>),
    /// A choice of parts none of which surely applies. Never met, whoever approves.
    Doubtful(Vec<Shape>),
    /// Every part. The order in which they are requested does not matter to whether they are met.
    InOrder(Vec<Shape>),
    /// Every leaf; the number of leaves. Most requirements come to this.
    Every(usize),
}

impl Shape {
    pub(super) fn parts(&self) -> &[Self] {
        match self {
            Self::Leaf(_) | Self::Every(_) => &[],
            Self::All(parts) | Self::Any(parts) | Self::Doubtful(parts) | Self::InOrder(parts) => parts,
        }
    }

    pub(super) fn leaves(&self) -> LeafSet {
        match self {
            Self::Leaf(leaf) => LeafSet::only(*leaf),
            Self::Every(leaves) => LeafSet::first(*leaves),
            Self::All(parts) | Self::Any(parts) | Self::Doubtful(parts) | Self::InOrder(parts) => {
                parts.iter().map(Self::leaves).collect()
            }
        }
    }

    /// The leaves of all steps of an `in_order`.
    fn steps(&self) -> LeafSet {
        match self {
            Self::InOrder(_) => self.leaves(),
            Self::Leaf(_) | Self::Every(_) | Self::All(_) | Self::Any(_) | Self::Doubtful(_) => {
                self.parts().iter().map(Self::steps).collect()
            }
        }
    }
}

/// Someone who could serve leaves.
pub(super) trait Candidate {
    fn leaves(&self) -> LeafSet;
}

impl Candidate for LeafSet {
    fn leaves(&self) -> LeafSet {
        *self
    }
}

#[derive(Debug)]
pub(super) struct Sides<'s, P> {
    /// How many people each leaf takes.
    pub(super) needs: &'s [u32],
    /// The people, in the order in which they approved.
    pub(super) people: &'s [P],
    /// Whether a person serves at most one leaf.
    pub(super) distinct: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Assignment {
    /// How many people are missing in all. What can never be met lacks one more.
    pub(super) lacking: u32,
    pub(super) chosen: LeafSet,
    /// The leaf that each person serves. Used with `distinct` only.
    holder: Holders,
}

type Holders = SmallVec<[Option<u8>; 16]>;

/// For each leaf, those leaves of which anyone who could serve one can be assigned to it.
type Takes = [LeafSet; MAX_LEAVES];

impl Assignment {
    /// Who serves the leaf, in the order in which they approved.
    pub(super) fn serving<'s, P: Candidate>(
        &'s self,
        sides: &Sides<'s, P>,
        leaf: usize,
    ) -> impl Iterator<Item = usize> + use<'s, P> {
        let most = sides.needs.get(leaf).map_or(0, |need| usize::try_from(*need).unwrap_or(usize::MAX));
        let distinct = sides.distinct;
        let people = sides.people.iter().enumerate();
        let serves = move |(person, candidate): &(usize, &P)| {
            let holds = || self.held_by(*person) == Some(leaf);
            self.chosen.has(leaf) && if distinct { holds() } else { candidate.leaves().has(leaf) }
        };
        people.filter(serves).map(|(person, _)| person).take(most)
    }

    /// The leaf that the person serves. Always `None` without `distinct`.
    pub(super) fn held_by(&self, person: usize) -> Option<usize> {
        self.holder.get(person).copied().flatten().map(usize::from)
    }
}

/// Finds the best assignment.
pub(super) fn assign<P: Candidate>(shape: &Shape, sides: &Sides<'_, P>) -> Assignment {
    let mut nobody = sides.nobody();
    if let Shape::Every(leaves) = shape {
        (0..*leaves).for_each(|leaf| {
            sides.add(leaf, &mut nobody);
        });
        return nobody;
    }
    let mut search = Search { sides, everyone: None, without: LeafSet::default(), fewest: u32::MAX, best: None };
    let empty = Assignment { lacking: u32::MAX, ..nobody.clone() };
    search.explore(vec![shape], State { now: nobody, ever: None });
    search.best.unwrap_or(empty)
}

/// Finds the best assignment of those to choices that `everyone` together could meet.
pub(super) fn assign_possible<P: Candidate>(
    shape: &Shape,
    sides: &Sides<'_, P>,
    everyone: &Sides<'_, LeafSet>,
) -> Option<Assignment> {
    let without = LeafSet::default();
    let mut search = Search { sides, everyone: Some(everyone), without, fewest: u32::MAX, best: None };
    search.explore(vec![shape], State { now: sides.nobody(), ever: Some(everyone.nobody()) });
    search.best
}

/// Whether people can meet it without choosing any of some leaves.
pub(super) fn can_be_met(shape: &Shape, sides: &Sides<'_, LeafSet>, without: LeafSet) -> bool {
    let mut search = Search { sides, everyone: None, without, fewest: 1, best: None };
    search.explore(vec![shape], State { now: sides.nobody(), ever: None });
    search.best.is_some()
}

#[derive(Clone)]
struct State {
    now: Assignment,
    /// The same choice with everyone.
    ever: Option<Assignment>,
}

struct Search<'s, P> {
    sides: &'s Sides<'s, P>,
    /// A choice that these people cannot meet is not tried.
    everyone: Option<&'s Sides<'s, LeafSet>>,
    /// A part with no other leaves than these is not chosen.
    without: LeafSet,
    /// Only a choice that lacks fewer people than this is better.
    fewest: u32,
    best: Option<Assignment>,
}

impl<'s, P: Candidate> Search<'s, P> {
    /// Tries all choices in `todo`, except those that cannot beat the best so far.
    fn explore(&mut self, mut todo: Vec<&'s Shape>, mut state: State) {
        let impossible = |(everyone, ever): (&Sides<'s, LeafSet>, &Assignment)| everyone.at_least(&todo, ever) > 0;
        if self.sides.at_least(&todo, &state.now) >= self.fewest
            || self.everyone.zip(state.ever.as_ref()).is_some_and(impossible)
        {
            return;
        }
        match todo.pop() {
            None => {
                self.fewest = state.now.lacking;
                self.best = Some(state.now);
            }
            Some(Shape::Leaf(leaf)) => {
                self.add(*leaf, &mut state);
                self.explore(todo, state);
            }
            Some(Shape::Every(leaves)) => {
                (0..*leaves).for_each(|leaf| self.add(leaf, &mut state));
                self.explore(todo, state);
            }
            Some(Shape::All(parts) | Shape::InOrder(parts)) => {
                todo.extend(parts.iter().rev());
                self.explore(todo, state);
            }
            Some(choice @ (Shape::Any(parts) | Shape::Doubtful(parts))) => {
                if matches!(choice, Shape::Doubtful(_)) {
                    state.now.lacking += 1;
                    state.ever.iter_mut().for_each(|ever| ever.lacking += 1);
                }
                let without = self.without;
                for part in parts.iter().filter(|part| !part.leaves().is_within(without)) {
                    let mut with_part = todo.clone();
                    with_part.push(part);
                    self.explore(with_part, state.clone());
                }
            }
        }
    }

    fn add(&self, leaf: usize, state: &mut State) {
        self.sides.add(leaf, &mut state.now);
        if let (Some(everyone), Some(ever)) = (self.everyone, &mut state.ever) {
            everyone.add(leaf, ever);
        }
    }
}

impl<P: Candidate> Sides<'_, P> {
    fn nobody(&self) -> Assignment {
        Assignment { lacking: 0, chosen: LeafSet::default(), holder: smallvec![None; self.people.len()] }
    }

    /// A lower bound of how many people a state will lack in the end. With `distinct` each choice that is still to be
    /// made is taken as one leaf. It needs as few people as its cheapest part, and takes whoever could serve any part.
    fn at_least(&self, todo: &[&Shape], state: &Assignment) -> u32 {
        if !self.distinct {
            return state.lacking + todo.iter().map(|shape| self.cost(shape)).sum::<u32>();
        }
        let (mut takes, mut state): (Takes, _) = (std::array::from_fn(LeafSet::only), state.clone());
        todo.iter().for_each(|shape| self.relax(shape, &mut takes, &mut state));
        state.lacking
    }

    fn relax(&self, shape: &Shape, takes: &mut Takes, state: &mut Assignment) {
        let of = |takes: &Takes, leaf: usize| takes.get(leaf).copied().unwrap_or_default();
        let leaves = shape.leaves();
        match shape {
            Shape::Leaf(_) | Shape::Every(_) => leaves.iter().for_each(|leaf| {
                self.fill(leaf, self.need(leaf), &|leaf| of(takes, leaf), state);
            }),
            Shape::All(parts) | Shape::InOrder(parts) => parts.iter().for_each(|part| self.relax(part, takes, state)),
            Shape::Any(parts) | Shape::Doubtful(parts) => {
                let Some(first) = leaves.iter().next() else { return };
                state.lacking += u32::from(matches!(shape, Shape::Doubtful(_)));
                if let Some(takes) = takes.get_mut(first) {
                    *takes = leaves;
                }
                self.fill(first, self.cheapest(parts), &|leaf| of(takes, leaf), state);
            }
        }
    }

    /// The fewest people that could meet it. Without `distinct`: the fewest that it lacks.
    fn cost(&self, shape: &Shape) -> u32 {
        match shape {
            Shape::Leaf(leaf) => self.cost_of_leaf(*leaf),
            Shape::Every(leaves) => (0..*leaves).map(|leaf| self.cost_of_leaf(leaf)).sum(),
            Shape::All(parts) | Shape::InOrder(parts) => parts.iter().map(|part| self.cost(part)).sum(),
            Shape::Any(parts) => self.cheapest(parts),
            // What can never be met lacks one more.
            Shape::Doubtful(parts) => self.cheapest(parts).saturating_add(1),
        }
    }

    fn cost_of_leaf(&self, leaf: usize) -> u32 {
        let need = self.need(leaf);
        need - if self.distinct { 0 } else { need.min(self.able(leaf)) }
    }

    fn cheapest(&self, parts: &[Shape]) -> u32 {
        parts.iter().map(|part| self.cost(part)).min().unwrap_or(0)
    }

    fn need(&self, leaf: usize) -> u32 {
        self.needs.get(leaf).copied().unwrap_or(0)
    }

    /// How many could serve the leaf.
    fn able(&self, leaf: usize) -> u32 {
        u32::try_from(self.people.iter().filter(|candidate| candidate.leaves().has(leaf)).count()).unwrap_or(u32::MAX)
    }

    /// Assigns people to the leaf too. Returns the leaves that share too few people with it, itself included, if it
    /// lacks some.
    fn add(&self, leaf: usize, state: &mut Assignment) -> LeafSet {
        state.chosen.add(LeafSet::only(leaf));
        let need = self.need(leaf);
        if self.distinct {
            return self.fill(leaf, need, &LeafSet::only, state);
        }
        state.lacking += need.saturating_sub(self.able(leaf));
        LeafSet::default()
    }

    fn fill(&self, leaf: usize, need: u32, takes: &impl Fn(usize) -> LeafSet, state: &mut Assignment) -> LeafSet {
        let mut lacking = need;
        let wanted = takes(leaf);
        for (candidate, holder) in self.people.iter().zip(&mut state.holder) {
            if lacking == 0 {
                return LeafSet::default();
            }
            if candidate.leaves().meets(wanted) && holder.is_none() {
                *holder = u8::try_from(leaf).ok();
                lacking -= 1;
            }
        }
        while lacking > 0 {
            let mut tried = LeafSet::only(leaf);
            if !self.augment(leaf, takes, &mut state.holder, &mut tried) {
                state.lacking += lacking;
                return tried;
            }
            lacking -= 1;
        }
        LeafSet::default()
    }

    /// Gives the leaf one more person, and moves others to other leaves if that frees one. `tried` are the leaves
    /// already searched: a second search finds nobody else.
    fn augment(
        &self,
        leaf: usize,
        takes: &impl Fn(usize) -> LeafSet,
        holders: &mut [Option<u8>],
        tried: &mut LeafSet,
    ) -> bool {
        let wanted = takes(leaf);
        for (person, candidate) in self.people.iter().enumerate() {
            if !candidate.leaves().meets(wanted) {
                continue;
            }
            let free = match holders.get(person).copied().flatten().map(usize::from) {
                None => true,
                Some(other) if tried.has(other) => false,
                Some(other) => {
                    tried.add(LeafSet::only(other));
                    self.augment(other, takes, holders, tried)
                }
            };
            if free && let Some(holder) = holders.get_mut(person) {
                *holder = u8::try_from(leaf).ok();
                return true;
            }
        }
        false
    }

    /// The same choice with the people assigned to the steps of each `in_order` first, and to the earliest of them.
    pub(super) fn steps_first(&self, shape: &Shape, best: &Assignment) -> Assignment {
        let steps = shape.steps().and(best.chosen);
        let mut state = self.nobody();
        steps.iter().chain(best.chosen.without(steps).iter()).for_each(|leaf| {
            self.add(leaf, &mut state);
        });
        Assignment { lacking: best.lacking, chosen: best.chosen, holder: state.holder }
    }

    /// The leaves among these that cannot be met: each that has too few people by itself, and then those that have too
    /// few people together.
    pub(super) fn impossible(&self, leaves: LeafSet) -> Vec<LeafSet> {
        let alone: LeafSet = leaves.iter().filter(|leaf| self.able(*leaf) < self.need(*leaf)).collect();
        let mut impossible: Vec<LeafSet> = alone.iter().map(LeafSet::only).collect();
        let mut together: Vec<LeafSet> = Vec::new();
        let mut state = self.nobody();
        for leaf in leaves.without(alone).iter() {
            let mut short = self.add(leaf, &mut state);
            if !short.is_empty() {
                together.retain(|other| {
                    let apart = !other.meets(short);
                    if !apart {
                        short.add(*other);
                    }
                    apart
                });
                together.push(short);
            }
        }
        impossible.append(&mut together);
        impossible
    }
}

#[cfg(test)]
mod tests;
