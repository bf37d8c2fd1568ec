//! Who is asked for where: the leaves of a requirement with their people looked up once, so that of every account it can
//! be told in one pass for which leaves it counts.

use smallvec::SmallVec;

use super::eligible::{Teams, is_user};
use super::facts::{AccountKind, Person};
use crate::policy::{ApproverRef, Escalation, GITHUB_ACTIONS, Leaf, MAX_LEAVES, Requirement, UserRef};

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

/// The leaves of a requirement, numbered as written.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    leaves: Vec<Asking<'a>>,
    /// Whether a team among the refs could not be read.
    pub(super) lacks_team: bool,
}

/// A leaf with its people.
#[derive(Debug)]
pub(super) struct Asking<'a> {
    pub(super) leaf: &'a Leaf,
    users: SmallVec<[&'a [UserRef]; 2]>,
    members: SmallVec<[&'a [Person]; 2]>,
}

impl<'a> Asked<'a> {
    /// Looks the people up, with those who stand in at present.
    pub(super) fn new(requirement: &'a Requirement, stand_ins: &[&'a Escalation], teams: &'a Teams) -> Self {
        let mut asked = Self { leaves: Vec::with_capacity(2), lacks_team: false };
        asked.add(requirement, stand_ins, teams);
        asked
    }

    fn add(&mut self, requirement: &'a Requirement, stand_ins: &[&'a Escalation], teams: &'a Teams) {
        let Requirement::Leaf(leaf) = requirement else {
            requirement.parts().iter().for_each(|part| self.add(part, stand_ins, teams));
            return;
        };
        let mut asking = Asking { leaf, users: SmallVec::new(), members: SmallVec::new() };
        leaf.of.iter().for_each(|entry| self.lacks_team |= asking.add(entry, teams));
        for entry in stand_ins.iter().flat_map(|step| step.stand_ins_of(leaf)) {
            self.lacks_team |= asking.add(entry, teams);
        }
        self.leaves.push(asking);
    }

    pub(super) fn leaves(&self) -> &[Asking<'a>] {
        &self.leaves
    }

    /// For which leaves the account counts.
    pub(super) fn of(&self, person: &Person) -> LeafSet {
        let mut set = LeafSet::default();
        for (number, asking) in self.leaves.iter().enumerate() {
            if asking.asks(person) {
                set.add(LeafSet::only(number));
            }
        }
        set
    }
}

impl<'a> Asking<'a> {
    /// Takes a ref in; whether one of its teams could not be read.
    fn add(&mut self, entry: &'a ApproverRef, teams: &'a Teams) -> bool {
        let users = entry.users();
        if !users.is_empty() {
            self.users.push(users);
        }
        let mut lacks = false;
        for team in entry.teams() {
            match teams.get(team) {
                Some(members) => self.members.push(members),
                None => lacks = true,
            }
        }
        lacks
    }

    /// Whether the account is one of those asked for: a person by login, numeric id or team; a bot only by its login,
    /// since no team has it; other accounts never.
    fn asks(&self, person: &Person) -> bool {
        match person.kind {
            AccountKind::User => {
                for members in &self.members {
                    if members.iter().any(|member| member.id == person.id) {
                        return true;
                    }
                }
                for users in &self.users {
                    if users.iter().any(|user| is_user(person, user)) {
                        return true;
                    }
                }
                false
            }
            AccountKind::Bot => {
                let listed = |user: &UserRef| user.login.is_bot() && is_user(person, user);
                !person.login.as_str().eq_ignore_ascii_case(GITHUB_ACTIONS)
                    && self.users.iter().any(|users| users.iter().any(listed))
            }
            AccountKind::Other => false,
        }
    }

    /// The accounts it lists one by one.
    pub(super) fn users(&self) -> impl Iterator<Item = &'a UserRef> {
        self.users.iter().copied().flatten()
    }

    /// The members of its teams, as far as those could be read.
    pub(super) fn members(&self) -> impl Iterator<Item = &'a Person> {
        self.members.iter().copied().flatten()
    }
}
