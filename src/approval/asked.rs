//! Who is asked for where: the leaves of a requirement with their people looked up once, so that of every account it can
//! be told in one pass for which leaves it counts.

use smallvec::SmallVec;

use super::eligibility::{Teams, is_listed, is_user};
use super::facts::{AccountKind, Person};
use crate::policy::{ApproverRef, Escalation, Leaf, MAX_LEAVES, Requirement, UserRef};

/// A set of leaves, by number. A requirement has at most [`MAX_LEAVES`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct LeafSet(u32);

const _: () = assert!(MAX_LEAVES <= 32, "a leaf set has 32 places");

impl LeafSet {
    pub(super) const fn only(leaf: usize) -> Self {
        Self(if leaf < 32 { 1 << leaf } else { 0 })
    }

    /// So many leaves, from the first on.
    pub(super) const fn first(leaves: usize) -> Self {
        Self(if leaves < 32 { (1 << leaves) - 1 } else { u32::MAX })
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

/// Some of those who are asked.
#[derive(Debug)]
struct List<'a> {
    /// Accounts that are listed one by one.
    users: &'a [UserRef],
    /// Members of a team.
    members: &'a [Person],
    /// For which leaves.
    leaves: LeafSet,
}

/// The leaves of a requirement, numbered as written, with their people.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    leaves: SmallVec<[&'a Leaf; 4]>,
    /// How many people each of them takes.
    needs: SmallVec<[u32; 4]>,
    lists: SmallVec<[List<'a>; 4]>,
    /// Whether a team among the refs could not be read.
    pub(super) lacks_team: bool,
    /// Whether the requirement is without conditions and choices, as most are: every leaf is to be met.
    pub(super) plain: bool,
}

impl<'a> Asked<'a> {
    /// Looks the people up, with those who stand in at present.
    #[inline]
    pub(super) fn new(requirement: &'a Requirement, stand_ins: &[&'a Escalation], teams: &'a Teams) -> Self {
        let (leaves, needs, lists) = (SmallVec::new(), SmallVec::new(), SmallVec::new());
        let mut asked = Self { leaves, needs, lists, lacks_team: false, plain: true };
        asked.add(requirement, stand_ins, teams);
        asked
    }

    fn add(&mut self, requirement: &'a Requirement, stand_ins: &[&'a Escalation], teams: &'a Teams) {
        self.plain &= requirement.when().is_none();
        let leaf = match requirement {
            Requirement::Leaf(leaf) => leaf,
            Requirement::AllOf(inner) | Requirement::AnyOf(inner) | Requirement::InOrder(inner) => {
                self.plain &= matches!(requirement, Requirement::AllOf(_));
                inner.parts.iter().for_each(|part| self.add(part, stand_ins, teams));
                return;
            }
        };
        let set = LeafSet::only(self.leaves.len());
        self.leaves.push(leaf);
        self.needs.push(leaf.count);
        leaf.of.iter().for_each(|entry| self.add_ref(entry, set, teams));
        for step in stand_ins {
            step.stand_ins_of(leaf).for_each(|entry| self.add_ref(entry, set, teams));
        }
    }

    fn add_ref(&mut self, entry: &'a ApproverRef, leaves: LeafSet, teams: &'a Teams) {
        let mut users = entry.users();
        for team in entry.teams() {
            match teams.get(team) {
                Some(members) => self.lists.push(List { users: std::mem::take(&mut users), members, leaves }),
                None => self.lacks_team = true,
            }
        }
        if !users.is_empty() {
            self.lists.push(List { users, members: &[], leaves });
        }
    }

    pub(super) fn leaves(&self) -> &[&'a Leaf] {
        &self.leaves
    }

    /// How many people each leaf takes.
    pub(super) fn needs(&self) -> &[u32] {
        &self.needs
    }

    /// For which leaves the account counts.
    #[inline]
    pub(super) fn of(&self, person: &Person) -> LeafSet {
        let mut set = LeafSet::default();
        // Most who review are people.
        if person.kind == AccountKind::User {
            for list in &self.lists {
                let is_member = || list.members.iter().any(|member| member.id == person.id);
                if is_member() || list.users.iter().any(|user| is_user(person, user)) {
                    set.add(list.leaves);
                }
            }
        } else {
            self.lists.iter().filter(|list| is_listed(person, list.users)).for_each(|list| set.add(list.leaves));
        }
        set
    }

    /// The accounts that a leaf lists one by one.
    pub(super) fn users(&self, leaf: usize) -> impl Iterator<Item = &'a UserRef> {
        self.of_leaf(leaf).flat_map(|list| list.users)
    }

    /// The members of a leaf's teams, as far as those could be read.
    pub(super) fn members(&self, leaf: usize) -> impl Iterator<Item = &'a Person> {
        self.of_leaf(leaf).flat_map(|list| list.members)
    }

    fn of_leaf(&self, leaf: usize) -> impl Iterator<Item = &List<'a>> {
        self.lists.iter().filter(move |list| list.leaves.has(leaf))
    }
}
