//! How far each part of the requirement is met, what is missing, and who could still approve.

use std::collections::{HashMap, HashSet};

use smallvec::SmallVec;

use super::decision::{Applies, Group, Part, Quorum, Unmet};
use super::eligibility::{is_user, lacks_team, unreadable};
use super::facts::{AccountKind, Person};
use super::matching::Shape;
use super::people::People;
use super::plan::Node;
use super::review::ReviewContext;
use super::schedule::escalated;
use crate::ident::{Login, TeamSlug, UserId};
use crate::policy::{ApproverRef, Leaf, Requirement, UserRef};

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

/// Counts the different people who are left without those excluded.
///
/// The id of a team member or of a pinned ref is known. The id of a bare login is known if the facts or a pinned ref
/// have an account of that login.
struct Accounts<'s, 'f> {
    context: &'s ReviewContext<'f>,
    ids: HashSet<UserId>,
    /// Known ids by login.
    known: HashMap<&'f Login, UserId>,
}

impl<'s, 'f> Accounts<'s, 'f> {
    fn new(context: &'s ReviewContext<'f>) -> Self {
        let reviewers = context.facts.reviews.iter().filter_map(|review| review.user.as_ref());
        let known = reviewers.map(|person| (&person.login, person.id)).collect();
        Self { context, ids: HashSet::new(), known }
    }

    fn add_member(&mut self, member: &'f Person) {
        self.known.insert(&member.login, member.id);
        if member.kind == AccountKind::User && self.context.exclusions.reason(member).is_none() {
            self.ids.insert(member.id);
        }
    }

    /// How many people there are, including those listed one by one.
    fn with_listed(mut self, listed: impl Iterator<Item = &'f UserRef>) -> usize {
        let mut listed: Vec<&UserRef> = listed.filter(|user| !self.context.exclusions.excludes_user(user)).collect();
        // Pinned refs come first, so that their ids are known for the others.
        listed.sort_by_key(|user| user.id.is_none());
        let mut logins: HashSet<&Login> = HashSet::new();
        for user in listed {
            match user.id.or_else(|| self.known.get(&user.login).copied()) {
                Some(id) => {
                    self.known.entry(&user.login).or_insert(id);
                    self.ids.insert(id);
                }
                None => {
                    logins.insert(&user.login);
                }
            }
        }
        self.ids.len() + logins.len()
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
        let serving = self.serving(number);
        let have = u32::try_from(serving.len()).unwrap_or(u32::MAX);
        let met = have >= leaf.count;
        let open = applies != Applies::No && !met;
        let approved_by = self.counting().filter(|(at, _)| serving.contains(at));
        Quorum {
            name: leaf.name.to_string(),
            need: leaf.count,
            have,
            met,
            applies,
            source: leaf.source.to_string(),
            approved_by: approved_by.map(|(_, person)| person.login.clone()).collect(),
            can_approve: if open { cloned(&self.can_approve(number)) } else { Vec::new() },
        }
    }

    /// The chosen leaves that lack people.
    pub(super) fn unmet(&self) -> Vec<Unmet> {
        let not_requested = self.context.plan.shape.as_ref().map(|shape| self.not_requested(shape)).unwrap_or_default();
        let unmet = |leaf: usize| {
            let written = self.leaf(leaf)?;
            Some(Unmet {
                name: written.name.to_string(),
                need: written.count,
                have: self.have(leaf),
                can_approve: self.can_help(leaf),
                asked: !not_requested.contains(&leaf),
                unsatisfiable: self.is_unsatisfiable(leaf),
            })
        };
        self.lacking().filter_map(unmet).collect()
    }

    pub(super) fn leaf(&self, leaf: usize) -> Option<&'f Leaf> {
        self.context.approvers.leaves().get(leaf).copied()
    }

    /// The leaves of steps that are not requested yet: those after the first step of an `in_order` that is not met
    /// together with all steps before it.
    fn not_requested(&self, shape: &Shape) -> Vec<usize> {
        let parts = match shape {
            Shape::Leaf(_) | Shape::Every(_) => return Vec::new(),
            Shape::All(parts) | Shape::Any(parts) | Shape::Doubtful(parts) | Shape::InOrder(parts) => parts,
        };
        let mut later: Vec<usize> = Vec::new();
        if matches!(shape, Shape::InOrder(_)) {
            let met = |steps: usize| {
                let before = Shape::All(parts.iter().take(steps).cloned().collect());
                self.assign(&before).lacking == 0
            };
            let requested = (1..=parts.len()).find(|steps| !met(*steps)).unwrap_or(parts.len());
            parts.iter().skip(requested).for_each(|part| part.each_leaf(&mut |leaf| later.push(leaf)));
        }
        later.extend(parts.iter().flat_map(|part| self.not_requested(part)));
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
                let leaves = 0..self.context.approvers.leaves().len();
                let serving = leaves.into_iter().find(|other| *other != at && self.serving(*other).contains(&person));
                reached.extend(serving.filter(|other| !reached.contains(other)));
            }
        }
        cloned(&logins.list)
    }

    /// Whether too few people are left for the leaf without those excluded, even with all who may stand in later.
    pub(super) fn is_unsatisfiable(&self, leaf: usize) -> bool {
        let Some(written) = self.leaf(leaf) else { return false };
        let teams = &self.context.facts.teams;
        let escalate = self.context.rule.escalate().iter();
        let later: SmallVec<[&ApproverRef; 4]> = escalate.flat_map(|step| step.stand_ins_of(written)).collect();
        if lacks_team(written.of.iter().chain(later.iter().copied()), teams) {
            return false;
        }
        let approvers = &self.context.approvers;
        let mut accounts = Accounts::new(&self.context);
        approvers.members(leaf).for_each(|member| accounts.add_member(member));
        later.iter().flat_map(|entry| entry.teams()).filter_map(|team| teams.get(team)).flatten().for_each(|member| {
            accounts.add_member(member);
        });
        let listed = approvers.users(leaf).chain(later.iter().flat_map(|entry| entry.users()));
        usize::try_from(written.count).is_ok_and(|count| accounts.with_listed(listed) < count)
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
