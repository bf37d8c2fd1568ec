//! Everyone who could ever approve, also as a stand-in of a later escalation, and what even they cannot meet.

use std::collections::HashMap;

use smallvec::SmallVec;

use super::eligibility::{EligibleApprovers, LeafSet, lacks_team};
use super::facts::{AccountKind, Person};
use super::matching::Sides;
use super::review::ReviewContext;
use crate::ident::{Login, UserId};
use crate::policy::{Escalation, UserRef};

/// Everyone who is not known to be excluded, by the leaves that they could ever approve.
pub(super) struct Everyone {
    /// How many people each leaf takes. 0 if one of its teams could not be read: it may have enough.
    needs: SmallVec<[u32; 4]>,
    people: Vec<LeafSet>,
    distinct: bool,
}

impl Everyone {
    /// `counting` are those whose approvals count, with the leaves that they may approve.
    pub(super) fn new<'f>(context: &ReviewContext<'f>, counting: impl Iterator<Item = (&'f Person, LeafSet)>) -> Self {
        let ReviewContext { rule, facts, requirement, plan, .. } = context;
        let escalations: SmallVec<[&Escalation; 4]> = rule.escalate().iter().collect();
        let approvers = EligibleApprovers::new(requirement, &escalations, &facts.teams);
        let mut needs = SmallVec::from_slice(approvers.needs());
        if approvers.lacks_team {
            for (need, leaf) in needs.iter_mut().zip(approvers.leaves()) {
                let stand_ins = escalations.iter().flat_map(|step| step.stand_ins_of(leaf));
                if lacks_team(leaf.of.iter().chain(stand_ins), &facts.teams) {
                    *need = 0;
                }
            }
        }
        let mut accounts = Accounts::new(context);
        accounts.add_members(&approvers);
        accounts.add_listed(&approvers);
        counting.for_each(|(person, leaves)| accounts.add_id(person.id, leaves));
        let people = accounts.people(plan.leaves, needs.iter().sum());
        Self { needs, people, distinct: rule.distinct() }
    }

    pub(super) fn sides(&self) -> Sides<'_, LeafSet> {
        Sides { needs: &self.needs, people: &self.people, distinct: self.distinct }
    }

    /// The leaves among these that even everyone together cannot meet.
    pub(super) fn impossible(&self, leaves: LeafSet) -> Vec<LeafSet> {
        self.sides().impossible(leaves)
    }
}

/// Tells people apart. The id of a team member or of a pinned ref is known. The id of a bare login is known if the facts
/// or a pinned ref have an account of that login.
struct Accounts<'s, 'f> {
    context: &'s ReviewContext<'f>,
    by_id: HashMap<UserId, LeafSet>,
    /// Accounts of which the id is not known.
    by_login: HashMap<&'f Login, LeafSet>,
    /// Known ids, and whether the account is excluded.
    known: HashMap<&'f Login, (UserId, bool)>,
}

impl<'s, 'f> Accounts<'s, 'f> {
    fn new(context: &'s ReviewContext<'f>) -> Self {
        let mut accounts = Self { context, by_id: HashMap::new(), by_login: HashMap::new(), known: HashMap::new() };
        let facts: &'f _ = context.facts;
        facts.reviews.iter().filter_map(|review| review.user.as_ref()).for_each(|person| {
            accounts.learn(person);
        });
        accounts
    }

    /// Returns whether the person is excluded.
    fn learn(&mut self, person: &'f Person) -> bool {
        let excluded = self.context.exclusions.reason(person).is_some();
        self.known.insert(&person.login, (person.id, excluded));
        excluded
    }

    fn add_id(&mut self, id: UserId, leaves: LeafSet) {
        self.by_id.entry(id).or_default().add(leaves);
    }

    fn add_members(&mut self, approvers: &EligibleApprovers<'f>) {
        for (members, leaves) in approvers.lists().map(|list| (list.members, list.leaves)) {
            for member in members {
                if !self.learn(member) && member.kind == AccountKind::User {
                    self.add_id(member.id, leaves);
                }
            }
        }
    }

    fn add_listed(&mut self, approvers: &EligibleApprovers<'f>) {
        let listed = || {
            let users = approvers.lists().flat_map(|list| list.users.iter().map(|user| (user, list.leaves)));
            users.filter(|(user, _)| !self.context.exclusions.excludes_user(user))
        };
        let listed: SmallVec<[(&'f UserRef, LeafSet); 16]> = listed().collect();
        // Pinned refs come first, so that their ids are known for the others.
        for (user, leaves) in &listed {
            if let Some(id) = user.id {
                self.known.entry(&user.login).or_insert((id, false));
                self.add_id(id, *leaves);
            }
        }
        for (user, leaves) in listed.iter().filter(|(user, _)| user.id.is_none()) {
            match self.known.get(&user.login).copied() {
                Some((_, true)) => {}
                Some((id, false)) => self.add_id(id, *leaves),
                None => self.by_login.entry(&user.login).or_default().add(*leaves),
            }
        }
    }

    /// The leaves of each person, in a fixed order. `most` is how many people can serve at all: more of the same kind
    /// make no difference.
    fn people(self, applicable: LeafSet, most: u32) -> Vec<LeafSet> {
        let sets = self.by_id.into_values().chain(self.by_login.into_values()).map(|set| set.and(applicable));
        let mut people: Vec<LeafSet> = sets.filter(|set| !set.is_empty()).collect();
        people.sort_unstable();
        let (mut last, mut same) = (LeafSet::default(), 0);
        people.retain(|set| {
            same = if *set == last { same + 1 } else { 1 };
            last = *set;
            same <= most
        });
        people
    }
}
