//! How far each part of the requirement is met, what is missing, and who could still approve.

use std::collections::HashSet;

use smallvec::SmallVec;

use super::decision::{Applies, Group, Part, Quorum, Unmet};
use super::eligibility::{LeafSet, is_user, unreadable};
use super::facts::AccountKind;
use super::matching::Shape;
use super::people::People;
use super::plan::Node;
use super::review::ReviewContext;
use super::schedule::escalated;
use crate::ident::{Login, TeamSlug};
use crate::policy::{Leaf, Requirement};

/// A set of logins that keeps their order and ignores case.
#[derive(Default)]
struct Logins<'l> {
    list: Vec<&'l Login>,
    seen: HashSet<&'l Login>,
}

impl<'l> Logins<'l> {
    fn add(&mut self, login: &'l Login) {
        if self.seen.insert(login) {
            self.list.push(login);
        }
    }
}

impl<'f> People<'f> {
    pub(super) fn part(&self) -> Part {
        self.part_of(self.context.requirement, &mut 0, &mut 0).0
    }

    /// Returns a part, and whether it may satisfy a choice. `node` and `leaf` count parts and leaves, in the order
    /// written.
    fn part_of(&self, requirement: &Requirement, node: &mut usize, leaf: &mut usize) -> (Part, bool) {
        let Node { applies, within } = self.context.plan.node(*node);
        *node += 1;
        if let Requirement::Leaf(written) = requirement {
            let number = *leaf;
            *leaf += 1;
            return (Part::Quorum(self.quorum(written, number, applies)), within == Applies::Yes);
        }
        let parts: Vec<(Part, bool)> = requirement.parts().iter().map(|part| self.part_of(part, node, leaf)).collect();
        let met = match requirement {
            Requirement::AnyOf(_) => parts.iter().any(|(part, sure)| part.met() && *sure),
            Requirement::AllOf(_) | Requirement::InOrder(_) | Requirement::Leaf(_) => {
                parts.iter().all(|(part, _)| part.met() || part.applies() == Applies::No)
            }
        };
        let parts = parts.into_iter().map(|(part, _)| part).collect();
        let group = Group { met: met && applies != Applies::No, applies, parts };
        let part = match requirement {
            Requirement::AnyOf(_) => Part::AnyOf(group),
            Requirement::InOrder(_) => Part::InOrder(group),
            Requirement::AllOf(_) | Requirement::Leaf(_) => Part::AllOf(group),
        };
        (part, within == Applies::Yes)
    }

    fn quorum(&self, leaf: &Leaf, number: usize, applies: Applies) -> Quorum {
        let approved_by: Vec<Login> =
            self.serving(number).filter_map(|at| self.person(at)).map(|person| person.login.clone()).collect();
        let have = u32::try_from(approved_by.len()).unwrap_or(u32::MAX);
        let met = have >= leaf.count;
        let open = applies != Applies::No && !met;
        Quorum {
            name: leaf.name.to_string(),
            need: leaf.count,
            have,
            met,
            applies,
            source: leaf.source.to_string(),
            approved_by,
            can_approve: if open { cloned(&self.can_approve(number)) } else { Vec::new() },
        }
    }

    /// The chosen leaves that lack people.
    pub(super) fn unmet(&self) -> Vec<Unmet> {
        if self.met() {
            return Vec::new();
        }
        let shape = self.context.plan.shape.as_ref();
        let later = shape.map_or(LeafSet::default(), |shape| self.later_steps(shape));
        let impossible: LeafSet = self.impossible().into_iter().collect();
        let unmet = |leaf: usize| {
            let written = self.leaf(leaf)?;
            Some(Unmet {
                name: written.name.to_string(),
                need: written.count,
                have: self.have(leaf),
                can_approve: self.can_help(leaf),
                asked: !later.has(leaf),
                unsatisfiable: impossible.has(leaf),
            })
        };
        self.lacking().iter().filter_map(unmet).collect()
    }

    pub(super) fn leaf(&self, leaf: usize) -> Option<&'f Leaf> {
        self.context.approvers.leaves().get(leaf).copied()
    }

    /// The leaves of the steps of each `in_order` after the first that is not met. People serve the earliest steps, so
    /// that is the first that cannot be met together with all steps before it.
    fn later_steps(&self, shape: &Shape) -> LeafSet {
        let mut later: LeafSet = shape.parts().iter().map(|part| self.later_steps(part)).collect();
        if let Shape::InOrder(steps) = shape {
            let after = steps.iter().skip_while(|step| !self.is_unmet(step)).skip(1);
            after.for_each(|step| later.add(step.leaves()));
        }
        later
    }

    /// Everyone who is listed for the leaf and not excluded, as far as the teams could be read.
    fn candidates(&self, leaf: usize) -> Vec<&'f Login> {
        let exclusions = &self.context.exclusions;
        let mut logins = Logins::default();
        for user in self.context.approvers.users(leaf).filter(|user| !exclusions.excludes_user(user)) {
            logins.add(&user.login);
        }
        for member in self.context.approvers.members(leaf) {
            if member.kind == AccountKind::User && exclusions.reason(member).is_none() {
                logins.add(&member.login);
            }
        }
        logins.list
    }

    /// Who could still approve for the leaf.
    fn can_approve(&self, leaf: usize) -> Vec<&'f Login> {
        if self.context.exclusions.unknown.is_some() {
            return Vec::new();
        }
        let approvers = &self.context.approvers;
        let counts = |login: &Login| {
            self.counting().any(|(_, person)| {
                person.login == *login
                    || approvers.users(leaf).any(|user| user.login == *login && is_user(person, user))
            })
        };
        let mut candidates = self.candidates(leaf);
        candidates.retain(|login| !counts(login));
        candidates
    }

    /// Who could give what the leaf lacks: its own people, and with `distinct` also the people of leaves that one of
    /// its people serves. Whoever takes over there frees that person.
    fn can_help(&self, leaf: usize) -> Vec<Login> {
        let mut reached: SmallVec<[usize; 8]> = SmallVec::from_slice(&[leaf]);
        let mut logins = Logins::default();
        let mut next = 0;
        while let Some(at) = reached.get(next).copied() {
            next += 1;
            self.can_approve(at).into_iter().for_each(|login| logins.add(login));
            if !self.context.rule.distinct() {
                continue;
            }
            for person in (0..self.weighed.len()).filter(|person| self.set_of(*person).has(at)) {
                reached.extend(self.served_by(person).filter(|other| !reached.contains(other)));
            }
        }
        cloned(&logins.list)
    }

    /// The teams that could not be read, among the approvers, those who stand in at present, and `veto`.
    pub(super) fn unreadable_teams(&self) -> Vec<&'f TeamSlug> {
        let ReviewContext { rule, facts, .. } = &self.context;
        let steps = escalated(rule, facts);
        let leaves = self.context.requirement.leaves();
        let stand_ins = leaves.iter().flat_map(|leaf| steps.iter().flat_map(|step| step.stand_ins_of(leaf)));
        let refs = leaves.iter().flat_map(|leaf| &leaf.of).chain(stand_ins).chain(rule.veto());
        unreadable(refs, &facts.teams)
    }
}

fn cloned(logins: &[&Login]) -> Vec<Login> {
    logins.iter().map(|login| (*login).clone()).collect()
}
