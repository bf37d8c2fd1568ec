//! The progress of the reported choice in words, with the other choices that can still be met.

use super::eligibility::LeafSet;
use super::matching::{Shape, can_be_met};
use super::people::People;

impl People<'_> {
    /// `1 of 2 payments; 1 of 1 security met`, for all chosen leaves. Where something is lacking, the other parts of a
    /// choice follow: `1 of 2 payments, or 1 of sre`.
    pub(super) fn progress(&self) -> String {
        let shape = self.context.plan.shape.as_ref();
        shape.map(|shape| self.progress_of(shape, LeafSet::default())).unwrap_or_default()
    }

    /// `without` are the leaves of the parts that were not chosen above this part.
    fn progress_of(&self, shape: &Shape, without: LeafSet) -> String {
        let (Shape::Any(parts) | Shape::Doubtful(parts)) = shape else {
            return match shape.parts() {
                [] => separated(shape.leaves().iter().map(|leaf| self.progress_of_leaf(leaf)), "; "),
                parts => separated(parts.iter().map(|part| self.progress_of(part, without)), "; "),
            };
        };
        let Some(chosen) = parts.iter().find(|part| self.is_chosen(part)) else { return String::new() };
        let text = self.progress_of(chosen, excluding(parts, chosen, without));
        let others = if self.is_unmet(chosen) { self.possible(parts, without) } else { Vec::new() };
        let others = others.into_iter().filter(|part| !self.is_chosen(part));
        let others: Vec<String> =
            others.map(|part| format!(", or {}", self.in_words(part, excluding(parts, part, without)))).collect();
        match others.is_empty() || chosen.leaves().iter().count() == 1 {
            true => text + &others.concat(),
            false => format!("({text}){}", others.concat()),
        }
    }

    fn progress_of_leaf(&self, number: usize) -> String {
        let Some(leaf) = self.leaf(number) else { return String::new() };
        let counted = leaf.name.strip_prefix(&format!("{} of ", leaf.count));
        let name = counted.or_else(|| leaf.name.strip_prefix("all of ")).unwrap_or(&leaf.name);
        let have = self.have(number);
        format!("{have} of {} {name}{}", leaf.count, if have >= leaf.count { " met" } else { "" })
    }

    /// The parts of a choice with which the whole requirement can still be met.
    fn possible<'p>(&self, parts: &'p [Shape], without: LeafSet) -> Vec<&'p Shape> {
        let (Some(whole), Some(everyone)) = (&self.context.plan.shape, &self.everyone) else { return Vec::new() };
        let can = |part: &&Shape| can_be_met(whole, &everyone.sides(), excluding(parts, part, without));
        parts.iter().filter(can).collect()
    }

    /// `1 of sre and (1 of security or 1 of legal)`, with only what can still be met.
    fn in_words(&self, shape: &Shape, without: LeafSet) -> String {
        let names =
            |leaves: LeafSet| leaves.iter().filter_map(|leaf| self.leaf(leaf)).map(|leaf| leaf.name.to_string());
        let (parts, word) = match shape {
            Shape::Leaf(_) | Shape::Every(_) => return separated(names(shape.leaves()), " and "),
            Shape::All(parts) => (parts.iter().map(|part| (part, without)).collect(), " and "),
            Shape::InOrder(parts) => (parts.iter().map(|part| (part, without)).collect(), ", then "),
            Shape::Any(parts) | Shape::Doubtful(parts) => {
                let possible = self.possible(parts, without).into_iter();
                (possible.map(|part| (part, excluding(parts, part, without))).collect::<Vec<_>>(), " or ")
            }
        };
        let alone = parts.len() == 1;
        let words = parts.into_iter().map(|(part, without)| match part.parts() {
            inner if inner.len() > 1 && !alone => format!("({})", self.in_words(part, without)),
            _ => self.in_words(part, without),
        });
        separated(words, word)
    }
}

/// The leaves that may not be chosen if this part of a choice is.
fn excluding(parts: &[Shape], chosen: &Shape, without: LeafSet) -> LeafSet {
    let others: LeafSet = parts.iter().map(Shape::leaves).collect();
    [without, others.without(chosen.leaves())].into_iter().collect()
}

fn separated(texts: impl Iterator<Item = String>, separator: &str) -> String {
    texts.collect::<Vec<_>>().join(separator)
}
