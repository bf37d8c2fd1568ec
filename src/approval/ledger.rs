//! The requirement with the assignment laid to it: how far each part is met, what is missing, and who could give it.

use std::collections::HashSet;

use super::decision::{Applies, Group, Part, Quorum, Unmet};
use super::eligible::{is_one_of, is_user, unreadable};
use super::facts::{AccountKind, Person};
use super::matching::Assignment;
use super::review::Scales;
use crate::ident::Login;
use crate::policy::{ApproverRef, Leaf, Requirement};

/// The requirement with everything that is needed to word it.
pub(super) struct Ledger<'a, 'f, 'r> {
    pub(super) scales: &'a Scales<'f, 'r>,
    pub(super) leaves: &'a [&'a Leaf],
    pub(super) counting: &'a [&'f Person],
    pub(super) assignment: Assignment,
    pub(super) not_asked: Vec<usize>,
}

impl Ledger<'_, '_, '_> {
    pub(super) fn serves(&self, leaf: usize) -> &[usize] {
        self.assignment.serves.get(leaf).map(Vec::as_slice).unwrap_or_default()
    }

    fn is_chosen(&self, leaf: usize) -> bool {
        self.assignment.chosen.contains(&leaf)
    }

    fn have(&self, leaf: usize) -> u32 {
        u32::try_from(self.serves(leaf).len()).unwrap_or(u32::MAX)
    }

    pub(super) fn part(&self, requirement: &Requirement, next: &mut usize) -> Part {
        let mut group = |parts: &[Requirement], any: bool| {
            let parts: Vec<Part> = parts.iter().map(|part| self.part(part, next)).collect();
            let met = if any { parts.iter().any(Part::met) } else { parts.iter().all(Part::met) };
            Group { met, applies: Applies::Yes, parts }
        };
        match requirement {
            Requirement::AllOf(parts) => Part::AllOf(group(parts, false)),
            Requirement::InOrder(parts) => Part::InOrder(group(parts, false)),
            Requirement::AnyOf(parts) => Part::AnyOf(group(parts, true)),
            Requirement::Leaf(leaf) => {
                let at = *next;
                *next += 1;
                let have = self.have(at);
                let approved_by = self
                    .serves(at)
                    .iter()
                    .filter_map(|person| self.counting.get(*person))
                    .map(|person| person.login.clone())
                    .collect();
                Part::Quorum(Quorum {
                    name: leaf.name.to_string(),
                    need: leaf.count,
                    have,
                    met: have >= leaf.count,
                    applies: Applies::Yes,
                    source: leaf.source.to_string(),
                    approved_by,
                    can_approve: self.can_approve(leaf),
                })
            }
        }
    }

    pub(super) fn unmet(&self) -> Vec<Unmet> {
        let lacks = |at: &usize, leaf: &Leaf| self.is_chosen(*at) && self.have(*at) < leaf.count;
        self.leaves
            .iter()
            .enumerate()
            .filter(|(at, leaf)| lacks(at, leaf))
            .map(|(at, leaf)| Unmet {
                name: leaf.name.to_string(),
                need: leaf.count,
                have: self.have(at),
                can_approve: self.can_help(at),
                asked: !self.not_asked.contains(&at),
                unsatisfiable: self.is_unsatisfiable(leaf),
            })
            .collect()
    }

    /// `1 of 2 payments`, for every leaf that was chosen.
    pub(super) fn names(&self) -> Vec<(String, u32, u32)> {
        let chosen = self.leaves.iter().enumerate().filter(|(at, _)| self.is_chosen(*at));
        chosen
            .map(|(at, leaf)| {
                let counted = leaf.name.strip_prefix(&format!("{} of ", leaf.count));
                let name = counted.or_else(|| leaf.name.strip_prefix("all of ")).unwrap_or(&leaf.name);
                (name.to_owned(), self.have(at), leaf.count)
            })
            .collect()
    }

    /// Everyone the leaf lists, by login, as far as the teams could be read; none of the excluded.
    fn candidates(&self, leaf: &Leaf) -> Vec<Login> {
        let exclusions = &self.scales.exclusions;
        let mut logins: Vec<Login> = Vec::new();
        for user in leaf.of.iter().flat_map(ApproverRef::users).filter(|user| !exclusions.excludes_user(user)) {
            logins.push(user.login.clone());
        }
        for team in leaf.of.iter().flat_map(ApproverRef::teams) {
            for member in self.scales.facts.teams.get(team).into_iter().flatten() {
                if member.kind == AccountKind::User && exclusions.reason(member).is_none() {
                    logins.push(member.login.clone());
                }
            }
        }
        let mut seen = HashSet::with_capacity(logins.len());
        logins.retain(|login| seen.insert(login.clone()));
        logins
    }

    fn can_approve(&self, leaf: &Leaf) -> Vec<Login> {
        if self.scales.exclusions.unknown.is_some() {
            return Vec::new();
        }
        let counts = |login: &Login| {
            self.counting.iter().any(|person| {
                person.login == *login
                    || leaf
                        .of
                        .iter()
                        .flat_map(ApproverRef::users)
                        .any(|user| user.login == *login && is_user(person, user))
            })
        };
        self.candidates(leaf).into_iter().filter(|login| !counts(login)).collect()
    }

    /// Who could give what the leaf lacks: its own people, and with `distinct` also those of leaves that one of its
    /// people serves, since whoever takes over there sets that person free.
    fn can_help(&self, leaf: usize) -> Vec<Login> {
        let mut reached = vec![leaf];
        let mut logins: Vec<Login> = Vec::new();
        let mut next = 0;
        while let Some((at, leaf)) = reached.get(next).and_then(|at| Some((*at, self.leaves.get(*at)?))) {
            next += 1;
            for login in self.can_approve(leaf) {
                if !logins.contains(&login) {
                    logins.push(login);
                }
            }
            if !self.scales.rule.distinct() {
                continue;
            }
            let asked = |person: &Person| is_one_of(person, &leaf.of, &self.scales.facts.teams);
            let movable =
                self.counting.iter().enumerate().filter(|(_, person)| asked(person)).map(|(number, _)| number);
            for person in movable {
                let serving =
                    (0..self.leaves.len()).find(|other| *other != at && self.serves(*other).contains(&person));
                reached.extend(serving.filter(|other| !reached.contains(other)));
            }
        }
        logins
    }

    fn is_unsatisfiable(&self, leaf: &Leaf) -> bool {
        unreadable(&leaf.of, &self.scales.facts.teams).is_empty()
            && usize::try_from(leaf.count).is_ok_and(|count| self.candidates(leaf).len() < count)
    }
}
