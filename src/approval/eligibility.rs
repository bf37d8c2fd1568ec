//! Who may approve: whether an account is one that a policy lists, and for which leaves of a requirement.

use std::collections::BTreeMap;

use smallvec::SmallVec;

use super::facts::{AccountKind, Person};
use crate::ident::TeamSlug;
use crate::policy::{ApproverRef, Escalation, GITHUB_ACTIONS, Leaf, MAX_LEAVES, Requirement, UserRef};

/// The members of each team that could be read, as the facts have them.
pub(super) type Teams = BTreeMap<TeamSlug, Vec<Person>>;

/// Whether the account is listed by one of the refs, or is a member of one of their teams.
pub(super) fn is_one_of(person: &Person, refs: &[ApproverRef], teams: &Teams) -> bool {
    let of_team = |team: &TeamSlug| teams.get(team).is_some_and(|members| is_member(person, members));
    refs.iter().any(|entry| is_listed(person, entry.users()) || entry.teams().iter().any(of_team))
}

/// Whether the account is one of those listed: a person by login or numeric id, a bot only by its login, others never.
#[inline]
fn is_listed(person: &Person, users: &[UserRef]) -> bool {
    match person.kind {
        AccountKind::User => users.iter().any(|user| is_user(person, user)),
        AccountKind::Bot => {
            !person.login.as_str().eq_ignore_ascii_case(GITHUB_ACTIONS)
                && users.iter().any(|user| user.login.is_bot() && is_user(person, user))
        }
        AccountKind::Other => false,
    }
}

/// Whether the account is one of a team's members. Only people can be: GitHub's teams have no bots.
#[inline]
fn is_member(person: &Person, members: &[Person]) -> bool {
    person.kind == AccountKind::User && members.iter().any(|member| member.id == person.id)
}

/// Whether the ref means the account. A pinned ref goes by the numeric id alone, whatever the login is now.
#[inline]
pub(super) fn is_user(person: &Person, user: &UserRef) -> bool {
    match user.id {
        Some(id) => id == person.id,
        None => user.login == person.login,
    }
}

/// Whether a team among the refs could not be read.
pub(super) fn lacks_team<'r>(refs: impl IntoIterator<Item = &'r ApproverRef>, teams: &Teams) -> bool {
    refs.into_iter().flat_map(ApproverRef::teams).any(|team| !teams.contains_key(team))
}

/// The teams among the refs that could not be read.
pub(super) fn unreadable<'r>(refs: impl IntoIterator<Item = &'r ApproverRef>, teams: &Teams) -> Vec<&'r TeamSlug> {
    let mut missing: Vec<&TeamSlug> =
        refs.into_iter().flat_map(ApproverRef::teams).filter(|team| !teams.contains_key(*team)).collect();
    missing.sort_unstable();
    missing.dedup();
    missing
}

/// A set of leaves of a requirement, by number. A requirement has at most [`MAX_LEAVES`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LeafSet(u32);

const _: () = assert!(MAX_LEAVES <= 32, "a leaf set has 32 places");

impl LeafSet {
    pub(super) const fn only(leaf: usize) -> Self {
        Self(if leaf < 32 { 1 << leaf } else { 0 })
    }

    /// The first `leaves` leaves.
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

    pub(super) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether the two have a leaf in common.
    pub(super) const fn meets(self, other: Self) -> bool {
        !self.and(other).is_empty()
    }

    pub(super) const fn is_within(self, other: Self) -> bool {
        self.without(other).is_empty()
    }

    pub(super) const fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// In the order written.
    pub(super) fn iter(self) -> impl Iterator<Item = usize> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let leaf = usize::try_from(rest.trailing_zeros()).ok()?;
            rest &= rest.checked_sub(1)?;
            Some(leaf)
        })
    }
}

impl FromIterator<usize> for LeafSet {
    fn from_iter<I: IntoIterator<Item = usize>>(leaves: I) -> Self {
        leaves.into_iter().map(Self::only).collect()
    }
}

impl FromIterator<Self> for LeafSet {
    fn from_iter<I: IntoIterator<Item = Self>>(sets: I) -> Self {
        Self(sets.into_iter().fold(0, |all, set| all | set.0))
    }
}

/// Some eligible approvers, and the leaves they may approve.
#[derive(Debug)]
pub(super) struct List<'a> {
    /// Accounts listed one by one.
    pub(super) users: &'a [UserRef],
    /// Members of one team.
    pub(super) members: &'a [Person],
    pub(super) leaves: LeafSet,
}

/// The eligible approvers of each leaf of a requirement. Leaves are numbered as written.
///
/// Teams are looked up once, so one pass over the lists says for which leaves an account counts.
#[derive(Debug)]
pub(super) struct EligibleApprovers<'a> {
    leaves: SmallVec<[&'a Leaf; 4]>,
    /// How many people each leaf takes.
    needs: SmallVec<[u32; 4]>,
    lists: SmallVec<[List<'a>; 4]>,
    /// Whether a team among the refs could not be read.
    pub(super) lacks_team: bool,
    /// Whether the requirement has no conditions and no choices, like most. Then every leaf must be met.
    pub(super) unconditional: bool,
}

impl<'a> EligibleApprovers<'a> {
    /// Looks up the people, including those who stand in at present.
    pub(super) fn new(requirement: &'a Requirement, stand_ins: &[&'a Escalation], teams: &'a Teams) -> Self {
        let (leaves, needs, lists) = (SmallVec::new(), SmallVec::new(), SmallVec::new());
        let mut approvers = Self { leaves, needs, lists, lacks_team: false, unconditional: true };
        approvers.add(requirement, stand_ins, teams);
        approvers
    }

    fn add(&mut self, requirement: &'a Requirement, stand_ins: &[&'a Escalation], teams: &'a Teams) {
        self.unconditional &= requirement.when().is_none();
        let leaf = match requirement {
            Requirement::Leaf(leaf) => leaf,
            Requirement::AllOf(inner) | Requirement::AnyOf(inner) | Requirement::InOrder(inner) => {
                self.unconditional &= matches!(requirement, Requirement::AllOf(_));
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

    pub(super) fn needs(&self) -> &[u32] {
        &self.needs
    }

    /// The leaves that the account may approve.
    #[inline]
    pub(super) fn leaves_of(&self, person: &Person) -> LeafSet {
        let mut set = LeafSet::default();
        // Most reviewers are people.
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

    /// The members of those of a leaf's teams that could be read.
    pub(super) fn members(&self, leaf: usize) -> impl Iterator<Item = &'a Person> {
        self.of_leaf(leaf).flat_map(|list| list.members)
    }

    pub(super) fn lists(&self) -> impl Iterator<Item = &List<'a>> {
        self.lists.iter()
    }

    fn of_leaf(&self, leaf: usize) -> impl Iterator<Item = &List<'a>> {
        self.lists().filter(move |list| list.leaves.has(leaf))
    }
}
