//! Finds people who satisfy one requirement and not another, by trying all kinds of people who matter.
//!
//! If there are too many to try, the result is [`Found::Unknown`], never [`Found::Nobody`].

use std::collections::{BTreeMap, HashSet};

use super::choices::Case;
use super::keys::Keys;
use super::people::{InPlay, Named, Serves};
use crate::policy::approver::ApproverRef;
use crate::policy::field::Escalation;
use crate::policy::requirement::{Leaf, Requirement};

/// How many sets of people are tried for one comparison.
const MOST_SETS: u32 = 20_000;
const MOST_PEOPLE: u64 = 100;

/// A requirement some time after the request was opened, with the fields that decide who meets it.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequirementAt<'r> {
    pub(super) requirement: &'r Requirement,
    /// Whether one person counts for at most one leaf.
    pub(super) distinct: bool,
    /// The escalations that are due after at most `after` seconds have come.
    pub(super) escalate: &'r [Escalation],
    pub(super) after: u64,
}

impl<'r> RequirementAt<'r> {
    /// Everyone who counts for a leaf, with those who stand in.
    pub(super) fn refs_of(&self, leaf: &'r Leaf) -> impl Iterator<Item = &'r ApproverRef> {
        let after = self.after;
        let come = self.escalate.iter().filter(move |step| step.after.as_secs() <= after);
        leaf.of.iter().chain(come.flat_map(move |step| step.stand_ins_of(leaf)))
    }

    fn needs(&self) -> Vec<u32> {
        self.requirement.leaves().iter().map(|leaf| leaf.count).collect()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    Nobody,
    Some {
        people: String,
        alone: bool,
        /// ` if …`, or empty.
        case: String,
    },
    /// The reason why it is not known.
    Unknown(&'static str),
}

/// Finds people who satisfy `one` and not `other`.
pub(super) fn find(one: RequirementAt<'_>, other: RequirementAt<'_>, keys: &mut Keys, budget: &mut u32) -> Found {
    let named = named_in(one, other);
    // If a person counts for one leaf only, a second name of that person can only help to meet `other`.
    let Some(in_play) = InPlay::new(&named, !one.distinct) else {
        return Found::Unknown("there are too many overlapping groups to go through");
    };
    let Some(mut case) = Case::first([one.requirement, other.requirement], keys) else {
        return Found::Unknown("there are too many conditions to go through");
    };
    let sets_left = MOST_SETS.min(*budget);
    let mut search =
        Search { in_play: &in_play, one: one.needs(), other: other.needs(), sides: [one, other], sets_left };
    let mut seen = HashSet::new();
    let found = loop {
        let choices = (case.choices(one.requirement, keys), case.choices(other.requirement, keys));
        let (Some(of_one), Some(of_other)) = choices else {
            break Found::Unknown("there are too many alternatives to go through");
        };
        if seen.insert((of_one.clone(), of_other.clone())) {
            match search.people(&of_one, &of_other) {
                Err(TooMany) => break Found::Unknown("there are too many sets of people to go through"),
                Ok(Some(people)) => {
                    let words = in_play.in_words(&people);
                    break Found::Some { people: words, alone: people.len() == 1, case: case.in_words() };
                }
                Ok(None) => {}
            }
        }
        if !case.next() {
            break Found::Nobody;
        }
    };
    *budget -= sets_left - search.sets_left;
    found
}

fn named_in(one: RequirementAt<'_>, other: RequirementAt<'_>) -> BTreeMap<Named, Serves> {
    let mut named: BTreeMap<Named, Serves> = BTreeMap::new();
    let mut add = |asking: RequirementAt<'_>, mark: fn(&mut Serves, u32)| {
        for (leaf, number) in asking.requirement.leaves().into_iter().zip(0_u32..) {
            let bit = 1_u32.checked_shl(number).unwrap_or_default();
            for name in Named::all(asking.refs_of(leaf)) {
                mark(named.entry(name).or_default(), bit);
            }
        }
    };
    add(one, |serves, bit| serves.one |= bit);
    add(other, |serves, bit| serves.other |= bit);
    named
}

/// There are more sets of people than are tried.
struct TooMany;

struct Search<'s> {
    in_play: &'s InPlay,
    one: Vec<u32>,
    other: Vec<u32>,
    sides: [RequirementAt<'s>; 2],
    sets_left: u32,
}

impl Search<'_> {
    /// The kinds of the fewest people who are found to satisfy `one` and not `other`.
    fn people(&mut self, of_one: &[u32], of_other: &[u32]) -> Result<Option<Vec<usize>>, TooMany> {
        let need = |choice: &u32| -> u64 {
            let needed = self.one.iter().zip(0_u32..).filter(|(_, leaf)| choice & (1_u32 << leaf) != 0);
            needed.map(|(need, _)| u64::from(*need)).sum()
        };
        // A smaller set makes a simpler example, so smaller choices come first.
        let mut sizes: Vec<u64> = of_one.iter().map(need).collect();
        sizes.sort_unstable();
        sizes.dedup();
        for size in sizes {
            if size > MOST_PEOPLE {
                return Err(TooMany);
            }
            if let Some(people) = self.grow(&mut Vec::new(), size, of_one, of_other)? {
                return Ok(Some(self.without_spare(people, of_one)));
            }
        }
        Ok(None)
    }

    /// Adds people one by one. Stops once they satisfy `other`, because more people do not change that.
    fn grow(
        &mut self,
        people: &mut Vec<usize>,
        room: u64,
        of_one: &[u32],
        of_other: &[u32],
    ) -> Result<Option<Vec<usize>>, TooMany> {
        self.sets_left = self.sets_left.checked_sub(1).ok_or(TooMany)?;
        if self.met(1, people, of_other) {
            return Ok(None);
        }
        if self.met(0, people, of_one) {
            return Ok(Some(people.clone()));
        }
        if room == 0 {
            return Ok(None);
        }
        for kind in people.last().copied().unwrap_or_default()..self.in_play.kinds.len() {
            people.push(kind);
            let found = if self.in_play.can_be(people) { self.grow(people, room - 1, of_one, of_other)? } else { None };
            people.pop();
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn without_spare(&self, mut people: Vec<usize>, of_one: &[u32]) -> Vec<usize> {
        let mut at = 0;
        while at < people.len() {
            let mut fewer = people.clone();
            fewer.remove(at);
            if self.met(0, &fewer, of_one) {
                people = fewer;
            } else {
                at += 1;
            }
        }
        people
    }

    /// Whether the people meet one of the choices of `one` (side 0) or `other` (side 1).
    fn met(&self, side: usize, people: &[usize], choices: &[u32]) -> bool {
        let needs = if side == 0 { &self.one } else { &self.other };
        let of = |kind: &usize| {
            let serves = self.in_play.kinds.get(*kind).map(|kind| kind.serves).unwrap_or_default();
            if side == 0 { serves.one } else { serves.other }
        };
        let could: Vec<u32> = people.iter().map(of).collect();
        let distinct = self.sides.get(side).is_some_and(|asking| asking.distinct);
        choices.iter().any(|choice| meets(*choice, needs, &could, distinct))
    }
}

/// Whether people who count for the leaves in `could` meet all leaves of a choice.
fn meets(choice: u32, needs: &[u32], could: &[u32], distinct: bool) -> bool {
    let mut leaves = needs.iter().zip(0_u32..).filter(|(_, leaf)| choice & (1 << leaf) != 0);
    if !distinct {
        let able = |leaf: u32| could.iter().filter(|could| *could & (1 << leaf) != 0).count();
        return leaves.all(|(need, leaf)| usize::try_from(*need).is_ok_and(|need| need <= able(leaf)));
    }
    let mut holder: Vec<Option<u32>> = vec![None; could.len()];
    leaves.all(|(need, leaf)| (0..*need).all(|_| place(leaf, could, &mut holder, &mut vec![false; could.len()])))
}

/// Gives the leaf one more person, moving others if necessary.
fn place(leaf: u32, could: &[u32], holder: &mut [Option<u32>], seen: &mut [bool]) -> bool {
    for (person, serves) in could.iter().enumerate() {
        let Some(seen_person) = seen.get_mut(person) else { continue };
        if serves & (1 << leaf) == 0 || std::mem::replace(seen_person, true) {
            continue;
        }
        let free = match holder.get(person).copied().flatten() {
            None => true,
            Some(held) => held != leaf && place(held, could, holder, seen),
        };
        if free && let Some(holder) = holder.get_mut(person) {
            *holder = Some(leaf);
            return true;
        }
    }
    false
}
