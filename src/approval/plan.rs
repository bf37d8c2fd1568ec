//! Which parts of a requirement apply to the facts, and what is left to meet.

use smallvec::SmallVec;

use super::condition::holds;
use super::decision::Applies;
use super::eligibility::{EligibleApprovers, LeafSet};
use super::facts::Facts;
use super::matching::Shape;
use crate::policy::Requirement;

/// A requirement with its conditions evaluated.
#[derive(Debug)]
pub(super) struct Plan {
    /// The requirement and its parts, in the order written. `None` if all of it applies.
    nodes: Option<Vec<Node>>,
    /// What is left to meet. `None` if nothing applies.
    pub(super) shape: Option<Shape>,
    /// The leaves that apply, or may apply.
    pub(super) leaves: LeafSet,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    /// Whether this part and all its parents apply.
    pub(super) applies: Applies,
    /// Whether this part applies, assuming its parent does.
    pub(super) within: Applies,
}

impl Plan {
    /// Whether it is unknown of some part whether it applies.
    pub(super) fn is_doubtful(&self) -> bool {
        self.nodes.iter().flatten().any(|node| node.applies == Applies::Unknown)
    }

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
        let mut nodes = Vec::new();
        let (_, shape) = add(requirement, facts, Applies::Yes, &mut nodes, &mut 0);
        let leaves = shape.as_ref().map(Shape::leaves).unwrap_or_default();
        Self { nodes: Some(nodes), shape, leaves }
    }
}

/// Returns whether a part applies, assuming its parent does, and what is left of it to meet. `above` says whether the
/// parent applies.
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

/// A part that may not apply cannot satisfy a choice. If no other part is left, the choice stays unmet.
fn any_of(parts: Vec<Shape>, sure: &[bool]) -> Shape {
    if !sure.contains(&true) {
        return Shape::Doubtful(parts);
    }
    Shape::Any(parts.into_iter().zip(sure).filter(|(_, sure)| **sure).map(|(part, _)| part).collect())
}
