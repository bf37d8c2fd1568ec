//! Whether the people whom a requirement lists can meet it together, and which of them it cannot do without.
//!
//! Considers only leaves that must be met and that name no team, because the policy does not say who is in a team.
//! Matches people to places as a decision does, so the results are certain.

use std::collections::BTreeMap;

use super::bodies::Body;
use super::context::Lint;
use crate::finding::Span;
use crate::ident::UserId;
use crate::policy::{ApproverRef, DEFAULT_EXCLUDE, Escalation, Exclusion, Field, Leaf, Requirement, Setting, UserRef};

/// Larger requirements are not considered.
const MOST_PLACES: usize = 64;

/// A leaf that must be met in every case, by listed people only.
#[derive(Clone)]
pub(super) struct Needed<'l> {
    pub(super) leaf: &'l Leaf,
    pub(super) span: Span,
    /// Everyone who may stand in for its people, sooner or later.
    stand_ins: Vec<&'l UserRef>,
}

impl<'l> Needed<'l> {
    /// Adds those who may stand in. `None` if a team may.
    fn with_stand_ins(self, escalate: &'l [Escalation]) -> Option<Self> {
        let refs: Vec<&ApproverRef> = escalate.iter().flat_map(|step| step.stand_ins_of(self.leaf)).collect();
        let listed = refs.iter().all(|approver| approver.teams().is_empty());
        listed.then(|| Self { stand_ins: refs.into_iter().flat_map(ApproverRef::users).collect(), ..self })
    }
}

/// Leaves that must be met together by different people.
pub(super) struct Quorum<'l> {
    pub(super) leaves: Vec<Needed<'l>>,
    /// The place of the whole requirement.
    pub(super) span: Span,
    /// How many different people the leaves need together.
    pub(super) places: usize,
    /// How many of those places can be filled at most.
    pub(super) filled: usize,
    /// The people without whom a place stays empty, if all places can be filled. In the order of the policy.
    pub(super) critical: Vec<&'l UserRef>,
    /// Whether authors or committers are excluded.
    pub(super) excludes: bool,
}

/// The login in lower case and the pinned id, which identify an account.
type Account = (String, Option<UserId>);

fn account(user: &UserRef) -> Account {
    (user.login.as_str().to_ascii_lowercase(), user.id)
}

/// The quorums of every body's own requirement: one, or one for each leaf if a person may count for several.
pub(super) fn quorums<'l>(lint: &mut Lint<'l>) -> Vec<Quorum<'l>> {
    let bodies = lint.bodies.clone();
    bodies.iter().flat_map(|body| quorums_of(lint, body)).collect()
}

fn quorums_of<'l>(lint: &mut Lint<'l>, body: &Body<'l>) -> Vec<Quorum<'l>> {
    let Some((requirement, spans)) = body.requirement() else { return Vec::new() };
    let distinct = lint.effective(body, Field::Distinct);
    let distinct = distinct.map(|distinct| !matches!(distinct, Some(Setting::Distinct(false))));
    let excludes = lint.effective(body, Field::Exclude).is_some_and(|exclude| {
        let exclude = match exclude {
            Some(Setting::Exclude(exclude)) => exclude.as_slice(),
            Some(_) | None => DEFAULT_EXCLUDE,
        };
        exclude.iter().any(|who| matches!(who, Exclusion::Author | Exclusion::Committers))
    });
    // If the escalations depend on other layers, anyone may have a stand-in.
    let Some(escalate) = lint.effective(body, Field::Escalate) else { return Vec::new() };
    let escalate = if let Some(Setting::Escalate(steps)) = escalate { steps.as_slice() } else { &[] };
    let mut leaves = Vec::new();
    needed(requirement, true, &mut spans.into_iter(), &mut leaves);
    let leaves: Vec<Needed<'l>> = leaves.into_iter().filter_map(|leaf| leaf.with_stand_ins(escalate)).collect();
    let span = body.field_span("require");
    let apart = match distinct {
        Some(true) => vec![leaves],
        // Unknown counts as `false`, which needs fewer people.
        Some(false) | None => leaves.into_iter().map(|leaf| vec![leaf]).collect(),
    };
    apart.into_iter().filter_map(|leaves| quorum(lint, leaves, span, excludes)).collect()
}

/// Collects the leaves that must be met, with their places. Leaves out alternatives and parts with a condition.
fn needed<'l>(
    requirement: &'l Requirement,
    must: bool,
    spans: &mut impl Iterator<Item = Span>,
    leaves: &mut Vec<Needed<'l>>,
) {
    let must = must && requirement.when().is_none();
    match requirement {
        Requirement::Leaf(leaf) => {
            if let Some(span) = spans.next()
                && must
                && leaf.of.iter().all(|approver| approver.teams().is_empty())
            {
                leaves.push(Needed { leaf, span, stand_ins: Vec::new() });
            }
        }
        Requirement::AllOf(inner) | Requirement::InOrder(inner) => {
            inner.parts.iter().for_each(|part| needed(part, must, spans, leaves));
        }
        Requirement::AnyOf(inner) => {
            let alone = must && inner.parts.len() == 1;
            inner.parts.iter().for_each(|part| needed(part, alone, spans, leaves));
        }
    }
}

fn quorum<'l>(lint: &mut Lint<'l>, leaves: Vec<Needed<'l>>, span: Span, excludes: bool) -> Option<Quorum<'l>> {
    let mut people: BTreeMap<Account, (usize, &'l UserRef)> = BTreeMap::new();
    let mut order = Vec::new();
    let mut places: Vec<Vec<usize>> = Vec::new();
    for needed in &leaves {
        let listed = needed.leaf.of.iter().flat_map(ApproverRef::users).chain(needed.stand_ins.iter().copied());
        let mut eligible: Vec<usize> = listed
            .map(|user| {
                let next = people.len();
                let (number, _) = *people.entry(account(user)).or_insert_with(|| {
                    order.push(user);
                    (next, user)
                });
                number
            })
            .collect();
        eligible.sort_unstable();
        eligible.dedup();
        let count = usize::try_from(needed.leaf.count).unwrap_or(usize::MAX);
        if count > MOST_PLACES - places.len().min(MOST_PLACES) || eligible.len() > 4 * MOST_PLACES {
            return None;
        }
        places.extend(std::iter::repeat_n(eligible, count));
    }
    let edges: usize = places.iter().map(Vec::len).sum();
    if places.is_empty() || !lint.spend(edges.saturating_mul(places.len())) {
        return None;
    }
    let mut matching = Matching { places: &places, taken: vec![None; order.len()] };
    let filled = (0..places.len()).filter(|place| matching.fill(*place, None)).count();
    let mut critical = Vec::new();
    if filled == places.len() {
        for (person, user) in order.iter().enumerate() {
            // A person who fills no place is not critical, nor one whose place somebody else can fill.
            if let Some(place) = matching.taken.get(person).copied().flatten()
                && !matching.clone().fill(place, Some(person))
            {
                critical.push(*user);
            }
        }
    }
    Some(Quorum { leaves, span, places: places.len(), filled, critical, excludes })
}

/// An assignment of people to places. `taken` has the place of each person.
#[derive(Clone)]
struct Matching<'p> {
    places: &'p [Vec<usize>],
    taken: Vec<Option<usize>>,
}

impl Matching<'_> {
    /// Fills one more place, moving people if necessary, without using the person `without`.
    fn fill(&mut self, place: usize, without: Option<usize>) -> bool {
        let mut seen = vec![false; self.taken.len()];
        if let Some(seen) = without.and_then(|person| seen.get_mut(person)) {
            *seen = true;
        }
        self.augment(place, &mut seen)
    }

    fn augment(&mut self, place: usize, seen: &mut [bool]) -> bool {
        let places = self.places;
        for person in places.get(place).map(Vec::as_slice).unwrap_or_default() {
            let Some(seen_person) = seen.get_mut(*person) else { continue };
            if std::mem::replace(seen_person, true) {
                continue;
            }
            let holds = self.taken.get(*person).copied().flatten();
            if holds.is_none_or(|other| self.augment(other, seen)) {
                if let Some(taken) = self.taken.get_mut(*person) {
                    *taken = Some(place);
                }
                return true;
            }
        }
        false
    }
}

impl<'l> Quorum<'l> {
    /// The leaves that only one person can meet.
    pub(super) fn sole(&self) -> Vec<(Needed<'l>, &'l UserRef)> {
        let critical = |user: &&UserRef| self.critical.iter().any(|other| account(other) == account(user));
        let one = |needed: &Needed<'l>| match needed.leaf.of.as_slice() {
            [approver] => match approver.users() {
                [user] => Some((needed.clone(), user)),
                _ => None,
            },
            _ => None,
        };
        self.leaves.iter().filter_map(one).filter(|(_, user)| critical(user)).collect()
    }
}
