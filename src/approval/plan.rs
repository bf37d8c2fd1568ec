//! Which parts of a requirement apply to these facts, and the shape of what is left to meet.

use smallvec::SmallVec;

use super::condition::holds;
use super::decision::Applies;
use super::eligibility::{EligibleApprovers, LeafSet};
use super::facts::Facts;
use super::matching::Shape;
use crate::policy::Requirement;

/// A requirement with its conditions decided.
#[derive(Debug)]
pub(super) struct Plan {
    /// Every part of it: itself first, then its parts, as written. None where all of it applies.
    nodes: Option<Vec<Node>>,
    /// What is left to meet; none where nothing applies.
    pub(super) shape: Option<Shape>,
    /// The leaves that apply, or may.
    pub(super) leaves: LeafSet,
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
        self.nodes.iter().flatten().any(|node| node.applies == Applies::Unknown)
    }

    /// Whether a part applies, by its number.
    pub(super) fn node(&self, number: usize) -> Node {
        let all = |applies| Node { applies, within: applies };
        match &self.nodes {
            None => all(Applies::Yes),
            Some(nodes) => nodes.get(number).copied().unwrap_or(all(Applies::Unknown)),
        }
    }

    /// `approvers` are those of the requirement.
    pub(super) fn new(requirement: &Requirement, approvers: &EligibleApprovers<'_>, facts: &Facts) -> Self {
        if approvers.unconditional {
            let leaves = approvers.leaves().len();
            let shape = (leaves > 0).then_some(Shape::Every(leaves));
            return Self { nodes: None, shape, leaves: LeafSet::first(leaves) };
        }
        let (mut nodes, mut leaves) = (Vec::new(), LeafSet::default());
        let (_, shape) = add(requirement, facts, Applies::Yes, &mut nodes, &mut 0);
        if let Some(shape) = &shape {
            shape.each_leaf(&mut |leaf| leaves.add(LeafSet::only(leaf)));
        }
        Self { nodes: Some(nodes), shape, leaves }
    }
}

/// Whether a part applies where what it stands in does, and what is left of it. `above` is whether that does.
fn add(
    requirement: &Requirement,
    facts: &Facts,
    above: Applies,
    nodes: &mut Vec<Node>,
    leaf: &mut usize,
) -> (Applies, Option<Shape>) {
    let own = requirement.when().map_or(Applies::Yes, |when| holds(when, facts, facts.now));
    let slot = nodes.len();
    nodes.push(Node { applies: above.and(own), within: own });
    if matches!(requirement, Requirement::Leaf(_)) {
        let number = *leaf;
        *leaf += 1;
        return (own, (own != Applies::No).then_some(Shape::Leaf(number)));
    }
    let mut surest = Applies::No;
    let mut parts = Vec::with_capacity(requirement.parts().len());
    let mut sure: SmallVec<[bool; 8]> = SmallVec::new();
    for part in requirement.parts() {
        let (applies, shape) = add(part, facts, above.and(own), nodes, leaf);
        surest = surest.or(applies);
        if let Some(shape) = shape {
            parts.push(shape);
            sure.push(applies == Applies::Yes);
        }
    }
    // A group is as sure to apply as the surest of its parts, under its own condition.
    let applies = own.and(surest);
    if let Some(node) = nodes.get_mut(slot) {
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
/// A part that only perhaps applies cannot be the one that satisfies: where nothing else is left, the choice stays unmet
/// whoever approves.
fn any_of(parts: Vec<Shape>, sure: &[bool]) -> Shape {
    if !sure.contains(&true) {
        return Shape::Doubtful(parts);
    }
    Shape::Any(parts.into_iter().zip(sure).filter(|(_, sure)| **sure).map(|(part, _)| part).collect())
}
