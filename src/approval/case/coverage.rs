//! Which parts of a policy the cases exercise, and which they do not. Looks at decisions, and decides nothing.
//!
//! A *part* is something that is written in the policy; for each *way* in which a case should have seen it there is one
//! thing to cover. Another kind of part takes a [`PartKind`], the [`Way`]s it can be seen in, a function beside
//! [`Coverage::declare_layer`] that declares each with [`Coverage::declare`], and one beside [`Coverage::see_requirement`]
//! that says with [`Coverage::seen`] what a decision shows of it.

use std::collections::HashMap;
use std::ptr;

use serde::Serialize;

use super::super::decision::{Applies, Decision, Part};
use super::super::facts::Facts;
use crate::policy::{Place, Policy, Require, Requirement, RuleBody};

/// What of a policy the decisions so far have shown.
#[derive(Debug)]
pub struct Coverage<'p> {
    policy: &'p Policy,
    parts: Vec<Declared<'p>>,
    /// Where a part is among them: parts are told apart by where the policy holds them, since two may stand in one line.
    services: HashMap<*const Place, usize>,
    layers: HashMap<*const RuleBody, LayerParts>,
}

/// A part of the policy.
#[derive(Debug)]
struct Declared<'p> {
    kind: PartKind,
    name: String,
    place: &'p Place,
    ways: &'static [Way],
    /// Which of the ways were seen.
    seen: Vec<bool>,
}

/// The parts of one layer.
#[derive(Debug, Clone, Copy)]
struct LayerParts {
    /// The entry itself; `defaults` are none.
    entry: Option<usize>,
    /// The root of its requirement; what is in it follows in the order of writing, groups before their parts.
    requirement: Option<usize>,
}

/// What kind of part it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    /// An entry of `services`.
    Service,
    /// An entry of `environments`, of a service or of all.
    Environment,
    /// A requirement: a leaf, or a group of them.
    Requirement,
}

impl PartKind {
    /// Every kind, in the order in which they are told.
    pub const ALL: [Self; 3] = [Self::Service, Self::Environment, Self::Requirement];

    /// As it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Environment => "environment",
            Self::Requirement => "requirement",
        }
    }
}

/// How a case can see a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// A decision rests on it.
    Reached,
    /// It was asked for and met.
    Met,
    /// It was asked for and not met.
    Unmet,
}

impl Way {
    /// As it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reached => "reached",
            Self::Met => "met",
            Self::Unmet => "unmet",
        }
    }
}

const REACHED: &[Way] = &[Way::Reached];
const MET_AND_UNMET: &[Way] = &[Way::Met, Way::Unmet];

/// What was covered, and what was not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// How many of the ways were seen.
    pub covered: usize,
    /// How many there are.
    pub total: usize,
    /// The share in per cent, rounded down: 100 only where nothing is missing.
    pub percent: usize,
    /// The same by kind; kinds that the policy has nothing of are left out.
    pub kinds: Vec<KindReport>,
    /// What no case has seen, in the order of files and lines.
    pub missed: Vec<Missed>,
}

/// What was covered of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KindReport {
    /// Which.
    pub kind: PartKind,
    /// How many of the ways were seen.
    pub covered: usize,
    /// How many there are.
    pub total: usize,
}

/// A part that no case has seen in some way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missed {
    /// What kind of part it is.
    pub kind: PartKind,
    /// What it is called.
    pub name: String,
    /// `file:line`, where it is written.
    pub source: String,
    /// In which ways no case has seen it.
    pub missing: Vec<Way>,
    /// Whether no case has seen it in any way.
    pub untouched: bool,
}

impl<'p> Coverage<'p> {
    /// Nothing of the policy was seen yet.
    #[must_use]
    pub fn new(policy: &'p Policy) -> Self {
        let mut coverage = Self { policy, parts: Vec::new(), services: HashMap::new(), layers: HashMap::new() };
        coverage.declare_requirement_of(policy.default_body(), None);
        for (key, layer) in policy.environments() {
            coverage.declare_layer(format!("environment `{key}`"), &layer.source, &layer.body);
        }
        for (service_key, service) in policy.services() {
            let at = coverage.declare(PartKind::Service, format!("service `{service_key}`"), &service.source, REACHED);
            coverage.services.insert(ptr::from_ref(&service.source), at);
            for (key, layer) in service.environments.iter() {
                let name = format!("environment `{key}` of service `{service_key}`");
                coverage.declare_layer(name, &layer.source, &layer.body);
            }
        }
        coverage
    }

    fn declare_layer(&mut self, name: String, place: &'p Place, body: &'p RuleBody) {
        let entry = self.declare(PartKind::Environment, name, place, REACHED);
        self.declare_requirement_of(body, Some(entry));
    }

    fn declare_requirement_of(&mut self, body: &'p RuleBody, entry: Option<usize>) {
        let requirement = body.require.as_ref().and_then(|require| match &require.value {
            Require::People(requirement) => Some(self.declare_requirement(requirement, &require.source)),
            Require::Nobody => None,
        });
        self.layers.insert(ptr::from_ref(body), LayerParts { entry, requirement });
    }

    fn declare_requirement(&mut self, requirement: &'p Requirement, place: &'p Place) -> usize {
        match parts_of(requirement) {
            Err(leaf) => {
                let name = format!("`{}`", leaf.name);
                self.declare(PartKind::Requirement, name, &leaf.source, MET_AND_UNMET)
            }
            Ok((word, parts)) => {
                let names: Vec<String> = requirement.leaves().iter().map(|leaf| format!("`{}`", leaf.name)).collect();
                let name = format!("`{word}` of {}", names.join(", "));
                let at = self.declare(PartKind::Requirement, name, place, MET_AND_UNMET);
                for part in parts {
                    // A group has no place of its own: that of its first leaf is the nearest.
                    let place = part.leaves().first().map_or(place, |leaf| &leaf.source);
                    self.declare_requirement(part, place);
                }
                at
            }
        }
    }

    fn declare(&mut self, kind: PartKind, name: String, place: &'p Place, ways: &'static [Way]) -> usize {
        self.parts.push(Declared { kind, name, place, ways, seen: vec![false; ways.len()] });
        self.parts.len() - 1
    }

    fn seen(&mut self, part: usize, way: Way) {
        if let Some(part) = self.parts.get_mut(part)
            && let Some(seen) = part.ways.iter().position(|known| *known == way).and_then(|at| part.seen.get_mut(at))
        {
            *seen = true;
        }
    }

    /// Takes note of a decision and the facts that it was made on, under the policy.
    pub fn add(&mut self, facts: &Facts, decision: &Decision) {
        let service = self.policy.service_source(&facts.target.service);
        if let Some(at) = service.and_then(|place| self.services.get(&ptr::from_ref(place))) {
            self.seen(*at, Way::Reached);
        }
        let Ok(rule) = self.policy.rule(&facts.target) else { return };
        for body in rule.layers() {
            if let Some(entry) = self.layers.get(&ptr::from_ref(body)).and_then(|layer| layer.entry) {
                self.seen(entry, Way::Reached);
            }
        }
        let set_by = rule.layers().find(|body| body.require.is_some());
        let root = set_by.and_then(|body| self.layers.get(&ptr::from_ref(body))?.requirement);
        if let (Some(mut next), Some(requirement), Some(part)) = (root, rule.requirement(), &decision.requirement) {
            self.see_requirement(requirement, part, &mut next);
        }
    }

    /// Walks the requirement as it is written, which is the order of its parts, along with what it came to.
    fn see_requirement(&mut self, requirement: &Requirement, part: &Part, next: &mut usize) {
        let at = *next;
        *next += 1;
        let (applies, met, came_to): (_, _, &[Part]) = match part {
            Part::Quorum(leaf) => (leaf.applies, leaf.met, &[]),
            Part::AllOf(group) | Part::AnyOf(group) | Part::InOrder(group) => (group.applies, group.met, &group.parts),
        };
        if applies != Applies::No {
            self.seen(at, if met { Way::Met } else { Way::Unmet });
        }
        let written = parts_of(requirement).map(|(_, parts)| parts).unwrap_or_default();
        for (requirement, part) in written.iter().zip(came_to) {
            self.see_requirement(requirement, part, next);
        }
    }

    /// What was covered so far.
    #[must_use]
    pub fn report(&self) -> Report {
        let count = |of: &dyn Fn(&Declared<'_>) -> bool| {
            let ways = || self.parts.iter().filter(|part| of(part)).flat_map(|part| &part.seen);
            (ways().filter(|seen| **seen).count(), ways().count())
        };
        let (covered, total) = count(&|_| true);
        let kinds = PartKind::ALL.map(|kind| {
            let (covered, total) = count(&|part| part.kind == kind);
            KindReport { kind, covered, total }
        });
        let mut missed: Vec<&Declared<'_>> = self.parts.iter().filter(|part| part.seen.contains(&false)).collect();
        missed.sort_by_key(|part| (part.place.file(), part.place.line()));
        Report {
            covered,
            total,
            percent: covered.saturating_mul(100).checked_div(total).unwrap_or(100),
            kinds: kinds.into_iter().filter(|kind| kind.total > 0).collect(),
            missed: missed.into_iter().map(Declared::missed).collect(),
        }
    }
}

impl Declared<'_> {
    fn missed(&self) -> Missed {
        let unseen = self.ways.iter().zip(&self.seen).filter(|(_, seen)| !**seen);
        Missed {
            kind: self.kind,
            name: self.name.clone(),
            source: self.place.to_string(),
            missing: unseen.map(|(way, _)| *way).collect(),
            untouched: !self.seen.contains(&true),
        }
    }
}

/// The parts of a group with the word for it, or else the leaf.
fn parts_of(requirement: &Requirement) -> Result<(&'static str, &[Requirement]), &crate::policy::Leaf> {
    match requirement {
        Requirement::Leaf(leaf) => Err(leaf),
        Requirement::AllOf(parts) => Ok(("all_of", parts)),
        Requirement::AnyOf(parts) => Ok(("any_of", parts)),
        Requirement::InOrder(parts) => Ok(("in_order", parts)),
    }
}
