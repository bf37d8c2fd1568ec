//! Which parts of a requirement apply to these facts, and the shape of what is left to meet.

use smallvec::SmallVec;

use super::asked::LeafSet;
use super::condition::holds;
use super::decision::Applies;
use super::facts::Facts;
use super::matching::Shape;
use crate::policy::Requirement;

/// A requirement with its conditions decided.
#[derive(Debug)]
pub(super) struct Plan {
    /// Every part of it: itself first, then its parts, as written.
    pub(super) nodes: SmallVec<[Node; 8]>,
    /// What is left to meet; none where nothing applies.
    pub(super) shape: Option<Shape>,
    /// The leaves that apply, or may.
    pub(super) asked: LeafSet,
}

/// Whether a part applies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    /// In the end, with the conditions of all that it stands in.
    pub(super) applies: Applies,
    /// Where what it stands in applies.
    pub(super) within: Applies,
}

impl Plan {
    /// Whether it is not known of some part whether it applies.
    pub(super) fn is_doubtful(&self) -> bool {
        self.nodes.iter().any(|node| node.applies == Applies::Unknown)
    }

    pub(super) fn new(requirement: &Requirement, facts: &Facts) -> Self {
        let mut plan = Self { nodes: SmallVec::new(), shape: None, asked: LeafSet::default() };
        if plan.add_plain(requirement) {
            return plan;
        }
        plan = Self { nodes: SmallVec::new(), shape: None, asked: LeafSet::default() };
        let (_, shape) = plan.add(requirement, facts, Applies::Yes, &mut 0);
        if let Some(shape) = &shape {
            shape.each_leaf(&mut |leaf| plan.asked.add(LeafSet::only(leaf)));
        }
        plan.shape = shape;
        plan
    }

    /// Takes in a requirement without conditions and choices, as most are; false where it is another, and then what was
    /// taken in is of no use.
    fn add_plain(&mut self, requirement: &Requirement) -> bool {
        self.nodes.push(Node { applies: Applies::Yes, within: Applies::Yes });
        if requirement.when().is_some() {
            return false;
        }
        match requirement {
            Requirement::Leaf(_) => {
                let leaves = match self.shape {
                    Some(Shape::Every(leaves)) => leaves,
                    Some(_) | None => 0,
                };
                self.asked.add(LeafSet::only(leaves));
                self.shape = Some(Shape::Every(leaves + 1));
                true
            }
            Requirement::AllOf(inner) => inner.parts.iter().all(|part| self.add_plain(part)),
            Requirement::AnyOf(_) | Requirement::InOrder(_) => false,
        }
    }

    /// Whether a part applies where what it stands in does, and what is left of it. `above` is whether that does.
    fn add(
        &mut self,
        requirement: &Requirement,
        facts: &Facts,
        above: Applies,
        leaf: &mut usize,
    ) -> (Applies, Option<Shape>) {
        let own = requirement.when().map_or(Applies::Yes, |when| holds(when, facts, facts.now));
        let slot = self.nodes.len();
        self.nodes.push(Node { applies: above.and(own), within: own });
        if matches!(requirement, Requirement::Leaf(_)) {
            let number = *leaf;
            *leaf += 1;
            return (own, (own != Applies::No).then_some(Shape::Leaf(number)));
        }
        let mut surest = Applies::No;
        let mut parts = Vec::with_capacity(requirement.parts().len());
        let mut sure: SmallVec<[bool; 8]> = SmallVec::new();
        for part in requirement.parts() {
            let (applies, shape) = self.add(part, facts, above.and(own), leaf);
            surest = surest.or(applies);
            if let Some(shape) = shape {
                parts.push(shape);
                sure.push(applies == Applies::Yes);
            }
        }
        // A group is as sure to apply as the surest of its parts, under its own condition.
        let applies = own.and(surest);
        if let Some(node) = self.nodes.get_mut(slot) {
            *node = Node { applies: above.and(applies), within: applies };
        }
        if applies == Applies::No {
            return (Applies::No, None);
        }
        let shape = match requirement {
            Requirement::Leaf(_) | Requirement::AllOf(_) => Shape::All(parts),
            Requirement::InOrder(_) => Shape::InOrder(parts),
            Requirement::AnyOf(_) => any_of(parts, &sure),
        };
        (applies, Some(shape))
    }
}

/// A part that only perhaps applies cannot be the one that satisfies: where nothing else is left, the choice stays unmet
/// whoever approves.
fn any_of(parts: Vec<Shape>, sure: &[bool]) -> Shape {
    if !sure.contains(&true) {
        return Shape::Doubtful(parts);
    }
    Shape::Any(parts.into_iter().zip(sure).filter(|(_, sure)| **sure).map(|(part, _)| part).collect())
}
