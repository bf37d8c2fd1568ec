//! Whether some people can meet a requirement: a choice of `any_of` parts, and an assignment of people to leaves.
//!
//! With `distinct` a person serves one leaf, and the assignment is a maximum matching, never a greedy one. Among the
//! choices the one that lacks the fewest people is taken; ties go to what is written first. Knows numbers only.

/// A requirement as the matching sees it; leaves are numbered as written.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    /// A leaf, by its number.
    Leaf(usize),
    /// Every part.
    All(Vec<Shape>),
    /// One of the parts.
    Any(Vec<Shape>),
    /// Every part; in what order they are asked does not matter to whether they are met.
    InOrder(Vec<Shape>),
}

impl Shape {
    /// The leaves in it, by number.
    pub(super) fn leaves(&self) -> Vec<usize> {
        match self {
            Self::Leaf(leaf) => vec![*leaf],
            Self::All(parts) | Self::Any(parts) | Self::InOrder(parts) => parts.iter().flat_map(Self::leaves).collect(),
        }
    }
}

/// A leaf's side of the matching.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    /// How many people it takes.
    pub(super) need: usize,
    /// Who could serve it, in the order in which they approved.
    pub(super) eligible: Vec<usize>,
}

/// The best choice and assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Assignment {
    /// How many people are missing in all.
    pub(super) lacking: usize,
    /// The leaves that were chosen.
    pub(super) chosen: Vec<usize>,
    /// Who serves each leaf, by leaf number.
    pub(super) serves: Vec<Vec<usize>>,
}

/// Finds the best assignment.
pub(super) fn assign(shape: &Shape, slots: &[Slot], people: usize, distinct: bool) -> Assignment {
    let mut search = Search { slots, distinct, best: None };
    let start = State { lacking: 0, chosen: Vec::new(), holder: vec![None; people] };
    search.explore(vec![shape], start);
    let best = search.best.unwrap_or(State { lacking: usize::MAX, chosen: Vec::new(), holder: Vec::new() });
    let mut serves = vec![Vec::new(); slots.len()];
    for leaf in &best.chosen {
        let (Some(slot), Some(list)) = (slots.get(*leaf), serves.get_mut(*leaf)) else { continue };
        if distinct {
            let held = |person: &&usize| best.holder.get(**person).copied().flatten() == Some(*leaf);
            list.extend(slot.eligible.iter().filter(held).copied());
        } else {
            list.extend(slot.eligible.iter().take(slot.need).copied());
        }
    }
    Assignment { lacking: best.lacking, chosen: best.chosen, serves }
}

struct Search<'s> {
    slots: &'s [Slot],
    distinct: bool,
    best: Option<State>,
}

#[derive(Debug, Clone)]
struct State {
    lacking: usize,
    chosen: Vec<usize>,
    /// Which leaf each person serves.
    holder: Vec<Option<usize>>,
}

impl<'s> Search<'s> {
    /// Works through what is left to choose, and drops what cannot become better than the best so far.
    fn explore(&mut self, mut todo: Vec<&'s Shape>, mut state: State) {
        if self.best.as_ref().is_some_and(|best| self.at_least(&todo, &state) >= best.lacking) {
            return;
        }
        match todo.pop() {
            None => self.best = Some(state),
            Some(Shape::Leaf(leaf)) => {
                self.add(*leaf, &mut state);
                self.explore(todo, state);
            }
            Some(Shape::All(parts) | Shape::InOrder(parts)) => {
                todo.extend(parts.iter().rev());
                self.explore(todo, state);
            }
            Some(Shape::Any(parts)) => {
                for part in self.worth_trying(parts) {
                    let mut with_part = todo.clone();
                    with_part.push(part);
                    self.explore(with_part, state.clone());
                }
            }
        }
    }

    /// The parts that could be the best: of those that nobody serves, only the first that takes the fewest.
    fn worth_trying(&self, parts: &'s [Shape]) -> Vec<&'s Shape> {
        let idle = parts.iter().enumerate().filter(|(_, part)| !self.is_served(part));
        let cheapest = idle.min_by_key(|(at, part)| (self.cost(part), *at)).map(|(at, _)| at);
        parts
            .iter()
            .enumerate()
            .filter(|(at, part)| Some(*at) == cheapest || self.is_served(part))
            .map(|(_, part)| part)
            .collect()
    }

    fn is_served(&self, shape: &Shape) -> bool {
        match shape {
            Shape::Leaf(leaf) => self.slots.get(*leaf).is_some_and(|slot| !slot.eligible.is_empty()),
            Shape::All(parts) | Shape::Any(parts) | Shape::InOrder(parts) => {
                parts.iter().any(|part| self.is_served(part))
            }
        }
    }

    /// How many a state will lack at least: adding a leaf takes nobody away, and with `distinct` each person who serves
    /// no leaf yet can fill one place at most.
    fn at_least(&self, todo: &[&Shape], state: &State) -> usize {
        let rest: usize = todo.iter().map(|shape| self.cost(shape)).sum();
        if !self.distinct {
            return state.lacking + rest;
        }
        let free = state.holder.iter().filter(|holder| holder.is_none()).count();
        state.lacking + rest.saturating_sub(free)
    }

    /// The fewest people that could meet it; where people may serve several leaves, the fewest that it lacks.
    fn cost(&self, shape: &Shape) -> usize {
        match shape {
            Shape::Leaf(leaf) => self
                .slots
                .get(*leaf)
                .map_or(0, |slot| slot.need - if self.distinct { 0 } else { slot.need.min(slot.eligible.len()) }),
            Shape::All(parts) | Shape::InOrder(parts) => parts.iter().map(|part| self.cost(part)).sum(),
            Shape::Any(parts) => parts.iter().map(|part| self.cost(part)).min().unwrap_or(0),
        }
    }

    fn add(&self, leaf: usize, state: &mut State) {
        state.chosen.push(leaf);
        let Some(slot) = self.slots.get(leaf) else { return };
        let mut have = 0;
        if self.distinct {
            while have < slot.need && self.augment(leaf, state, &mut vec![false; state.holder.len()]) {
                have += 1;
            }
        } else {
            have = slot.need.min(slot.eligible.len());
        }
        state.lacking += slot.need - have;
    }

    /// Gives the leaf one more person, moving others to other leaves where that frees one.
    fn augment(&self, leaf: usize, state: &mut State, seen: &mut [bool]) -> bool {
        for person in self.slots.get(leaf).map(|slot| slot.eligible.as_slice()).unwrap_or_default() {
            match seen.get_mut(*person) {
                Some(seen) if !*seen => *seen = true,
                Some(_) | None => continue,
            }
            let held_by = state.holder.get(*person).copied().flatten();
            let free = match held_by {
                None => true,
                Some(other) if other == leaf => false,
                Some(other) => self.augment(other, state, seen),
            };
            if free && let Some(holder) = state.holder.get_mut(*person) {
                *holder = Some(leaf);
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::{Shape, Slot, assign};
    use proptest::prelude::*;

    fn slot(need: usize, eligible: &[usize]) -> Slot {
        Slot { need, eligible: eligible.to_vec() }
    }

    fn all(leaves: usize) -> Shape {
        Shape::All((0..leaves).map(Shape::Leaf).collect())
    }

    #[test]
    fn where_a_greedy_choice_fails_the_person_who_fits_both_is_moved() {
        // Person 0 fits both leaves and came first; person 1 fits only the first.
        let slots = [slot(1, &[0, 1]), slot(1, &[0])];
        let found = assign(&all(2), &slots, 2, true);
        assert_eq!(found.lacking, 0);
        assert_eq!(found.serves, [vec![1], vec![0]]);
    }

    #[test]
    fn a_person_serves_one_leaf_with_distinct_and_each_without() {
        let slots = [slot(1, &[0]), slot(1, &[0])];
        assert_eq!(assign(&all(2), &slots, 1, true).lacking, 1);
        assert_eq!(assign(&all(2), &slots, 1, false).lacking, 0);
    }

    #[test]
    fn the_choice_that_lacks_the_fewest_is_reported_and_ties_go_to_the_first() {
        let any = Shape::Any(vec![Shape::Leaf(0), Shape::Leaf(1)]);
        assert_eq!(assign(&any, &[slot(3, &[0]), slot(2, &[1])], 2, true).chosen, [1]);
        assert_eq!(assign(&any, &[slot(2, &[0]), slot(2, &[1])], 2, true).chosen, [0]);
        assert_eq!(assign(&any, &[slot(2, &[]), slot(2, &[])], 0, true).chosen, [0]);
    }

    #[test]
    fn thirty_two_leaves_of_choices_are_found_through_quickly() {
        let any = |at: usize| Shape::Any(vec![Shape::Leaf(at), Shape::Leaf(at + 1)]);
        let shape = Shape::All((0..16).map(|pair| any(pair * 2)).collect());
        let slots: Vec<Slot> = (0..32).map(|leaf| slot(2, &[leaf % 7, (leaf + 3) % 7])).collect();
        assert_eq!(assign(&shape, &slots, 7, true).lacking, 32 - 7);
    }

    /// Every choice and every assignment, one by one.
    fn fewest_lacking(leaves: &[Vec<usize>], slots: &[Slot], people: usize) -> usize {
        fn best(open: &[(usize, usize)], slots: &[Slot], person: usize, people: usize) -> usize {
            if person == people {
                return open.iter().map(|(_, need)| need).sum();
            }
            let mut least = best(open, slots, person + 1, people);
            for at in 0..open.len() {
                let (leaf, need) = open[at];
                if need > 0 && slots[leaf].eligible.contains(&person) {
                    let mut open = open.to_vec();
                    open[at].1 -= 1;
                    least = least.min(best(&open, slots, person + 1, people));
                }
            }
            least
        }
        leaves
            .iter()
            .map(|chosen| {
                let open: Vec<_> = chosen.iter().map(|leaf| (*leaf, slots[*leaf].need)).collect();
                best(&open, slots, 0, people)
            })
            .min()
            .unwrap()
    }

    proptest! {
        #[test]
        fn the_assignment_agrees_with_trying_them_all(
            masks in proptest::collection::vec((1_usize..3, 0_u8..32), 4),
        ) {
            let slots: Vec<Slot> = masks.iter().map(|(need, mask)| {
                let eligible: Vec<usize> = (0..5).filter(|person| mask & (1 << person) != 0).collect();
                slot(*need, &eligible)
            }).collect();
            // One of leaves 0 and 1, and one of leaf 2 or both of 2 and 3.
            let shape = Shape::All(vec![
                Shape::Any(vec![Shape::Leaf(0), Shape::Leaf(1)]),
                Shape::Any(vec![Shape::All(vec![Shape::Leaf(2), Shape::Leaf(3)]), Shape::Leaf(2)]),
            ]);
            let choices = [vec![0, 2, 3], vec![1, 2, 3], vec![0, 2], vec![1, 2]];
            prop_assert_eq!(assign(&shape, &slots, 5, true).lacking, fewest_lacking(&choices, &slots, 5));
        }
    }
}
