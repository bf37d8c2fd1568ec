//! Who is asked for where: the leaves of a requirement with their people looked up once, so that of every account it can
//! be told in one pass for which leaves it counts.

use smallvec::SmallVec;

use super::eligible::{Teams, is_listed, is_member};
use super::facts::Person;
use crate::policy::{ApproverRef, Escalation, Leaf, MAX_LEAVES, Requirement, UserRef};

/// A set of leaves, by number. A requirement has at most [`MAX_LEAVES`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct LeafSet(u32);

const _: () = assert!(MAX_LEAVES <= 32, "a leaf set has 32 places");

impl LeafSet {
    pub(super) const fn only(leaf: usize) -> Self {
        Self(if leaf < 32 { 1 << leaf } else { 0 })
    }

    pub(super) const fn has(self, leaf: usize) -> bool {
        self.0 & Self::only(leaf).0 != 0
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) const fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// The leaves of a requirement, numbered as written, with their people.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    leaves: SmallVec<[&'a Leaf; 4]>,
    /// Accounts that are listed one by one, and for which leaves.
    users: SmallVec<[(&'a [UserRef], LeafSet); 4]>,
    /// Members of teams, and for which leaves.
    members: SmallVec<[(&'a [Person], LeafSet); 4]>,
    /// Whether a team among the refs could not be read.
    pub(super) lacks_team: bool,
}

impl<'a> Asked<'a> {
    /// Looks the people up, with those who stand in at present.
    pub(super) fn new(requirement: &'a Requirement, stand_ins: &[&'a Escalation], teams: &'a Teams) -> Self {
        let mut asked =
            Self { leaves: SmallVec::new(), users: SmallVec::new(), members: SmallVec::new(), lacks_team: false };
        asked.add(requirement, stand_ins, teams);
        asked
    }

    fn add(&mut self, requirement: &'a Requirement, stand_ins: &[&'a Escalation], teams: &'a Teams) {
        let Requirement::Leaf(leaf) = requirement else {
            requirement.parts().iter().for_each(|part| self.add(part, stand_ins, teams));
            return;
        };
        let set = LeafSet::only(self.leaves.len());
        self.leaves.push(leaf);
        leaf.of.iter().for_each(|entry| self.add_ref(entry, set, teams));
        for step in stand_ins {
            step.stand_ins_of(leaf).for_each(|entry| self.add_ref(entry, set, teams));
        }
    }

    fn add_ref(&mut self, entry: &'a ApproverRef, set: LeafSet, teams: &'a Teams) {
        if !entry.users().is_empty() {
            self.users.push((entry.users(), set));
        }
        for team in entry.teams() {
            match teams.get(team) {
                Some(members) => self.members.push((members, set)),
                None => self.lacks_team = true,
            }
        }
    }

    pub(super) fn leaves(&self) -> &[&'a Leaf] {
        &self.leaves
    }

    /// For which leaves the account counts.
    pub(super) fn of(&self, person: &Person) -> LeafSet {
        let mut set = LeafSet::default();
        for (members, leaves) in &self.members {
            if is_member(person, members) {
                set.add(*leaves);
            }
        }
        for (users, leaves) in &self.users {
            if is_listed(person, users) {
                set.add(*leaves);
            }
        }
        set
    }

    /// The accounts that a leaf lists one by one.
    pub(super) fn users(&self, leaf: usize) -> impl Iterator<Item = &'a UserRef> {
        self.users.iter().filter(move |(_, set)| set.has(leaf)).flat_map(|(users, _)| *users)
    }

    /// The members of a leaf's teams, as far as those could be read.
    pub(super) fn members(&self, leaf: usize) -> impl Iterator<Item = &'a Person> {
        self.members.iter().filter(move |(_, set)| set.has(leaf)).flat_map(|(members, _)| *members)
    }
}
