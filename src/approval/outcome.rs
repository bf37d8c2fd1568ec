//! What the people's reviews add up to: weighed, assigned to the requirement, and laid down as a whole.

use jiff::Timestamp;

use super::decision::{Part, Reason, ReasonCode, ReviewOutcome, ReviewReason, ReviewVerdict, Unmet, Verdict};
use super::eligible::{is_one_of, unreadable};
use super::facts::{Facts, Person, PullRequest, ReviewState};
use super::ledger::Ledger;
use super::matching::{Shape, Slot, assign};
use super::review::{Scales, Weighed};
use crate::ident::{Login, UserId};
use crate::policy::{Leaf, Requirement, Rule};

/// What the reviews came to under a rule.
pub(super) struct People {
    pub(super) requirement: Part,
    pub(super) unmet: Vec<Unmet>,
    pub(super) counts: Vec<Login>,
    pub(super) reviews: Vec<ReviewOutcome>,
    /// Whose request for changes ends the request.
    pub(super) rejecting: Vec<Person>,
    /// Whose request for changes holds the request.
    pub(super) blocking: Vec<Person>,
    /// The last instant at which all approvals that count still do.
    pub(super) first_expiry: Option<Timestamp>,
    unreadable: Vec<String>,
    exclusion_unknown: Option<String>,
    /// Standing approvals that are bound to the head, whether or not they count.
    approvals: Vec<(UserId, Timestamp)>,
    names: Vec<(String, u32, u32)>,
}

/// Weighs the reviews, assigns those that count, and words what came of it.
pub(super) fn weigh_people(
    rule: &Rule<'_>,
    requirement: &Requirement,
    facts: &Facts,
    pull_request: &PullRequest,
) -> People {
    let scales = Scales::new(rule, requirement, facts, pull_request);
    let weighed = scales.weigh();
    let leaves = requirement.leaves();
    let counting: Vec<&Person> = weighed
        .iter()
        .filter(|weighed| weighed.verdict == ReviewVerdict::Counts)
        .filter_map(|weighed| weighed.review.user.as_ref())
        .collect();
    let slots: Vec<Slot> = leaves.iter().map(|leaf| slot(leaf, &counting, facts)).collect();
    let shape = shape(requirement, &mut 0);
    let assignment = assign(&shape, &slots, counting.len(), rule.distinct());
    let ledger = Ledger {
        scales: &scales,
        leaves: &leaves,
        counting: &counting,
        not_asked: not_asked(&shape, &slots, counting.len(), rule.distinct()),
        assignment,
    };
    let chosen = |verdict| weighed.iter().filter(move |weighed| weighed.verdict == verdict);
    let people_of = |verdict| chosen(verdict).filter_map(|weighed| weighed.review.user.clone()).collect();
    People {
        requirement: ledger.part(requirement, &mut 0),
        unmet: ledger.unmet(),
        counts: counting.iter().map(|person| person.login.clone()).collect(),
        reviews: weighed.iter().map(|weighed| ledger.outcome(weighed)).collect(),
        rejecting: people_of(ReviewVerdict::Rejects),
        blocking: people_of(ReviewVerdict::Blocks),
        first_expiry: chosen(ReviewVerdict::Counts).filter_map(|weighed| scales.expires(weighed.review)).min(),
        unreadable: unreadable(scales.asked.iter().copied().chain(rule.veto()), &facts.teams)
            .into_iter()
            .map(ToString::to_string)
            .collect(),
        exclusion_unknown: scales.exclusions.unknown.clone(),
        approvals: weighed.iter().filter_map(bound_approval).collect(),
        names: ledger.names(),
    }
}

/// A standing approval of the head, with its time.
fn bound_approval(weighed: &Weighed<'_>) -> Option<(UserId, Timestamp)> {
    let standing = match weighed.reason {
        ReviewReason::Counts
        | ReviewReason::Author
        | ReviewReason::Committer
        | ReviewReason::Pusher
        | ReviewReason::Requester
        | ReviewReason::ExclusionUnknown
        | ReviewReason::Bot
        | ReviewReason::NotEligible
        | ReviewReason::TooOld => weighed.review.state == ReviewState::Approved,
        ReviewReason::Comment
        | ReviewReason::NotNamed
        | ReviewReason::NoUser
        | ReviewReason::Superseded
        | ReviewReason::Dismissed
        | ReviewReason::Stale
        | ReviewReason::ChangesRequested
        | ReviewReason::EarlierChangesRequested
        | ReviewReason::NoSay
        | ReviewReason::ChangesIgnored => false,
    };
    if !standing {
        return None;
    }
    Some((weighed.review.user.as_ref()?.id, weighed.review.submitted_at?))
}

fn slot(leaf: &Leaf, counting: &[&Person], facts: &Facts) -> Slot {
    let eligible = counting
        .iter()
        .enumerate()
        .filter(|(_, person)| is_one_of(person, &leaf.of, &facts.teams))
        .map(|(at, _)| at)
        .collect();
    Slot { need: usize::try_from(leaf.count).unwrap_or(usize::MAX), eligible }
}

/// The requirement with its leaves numbered as written.
fn shape(requirement: &Requirement, next: &mut usize) -> Shape {
    let mut parts = |parts: &[Requirement]| parts.iter().map(|part| shape(part, next)).collect();
    match requirement {
        Requirement::AllOf(list) | Requirement::InOrder(list) => {
            let parts = parts(list);
            if matches!(requirement, Requirement::InOrder(_)) { Shape::InOrder(parts) } else { Shape::All(parts) }
        }
        Requirement::AnyOf(list) => Shape::Any(parts(list)),
        Requirement::Leaf(_) => {
            *next += 1;
            Shape::Leaf(*next - 1)
        }
    }
}

/// The leaves of steps that are not asked yet: those behind the first step of an `in_order` that cannot be met together
/// with all before it.
fn not_asked(shape: &Shape, slots: &[Slot], people: usize, distinct: bool) -> Vec<usize> {
    let parts = match shape {
        Shape::Leaf(_) => return Vec::new(),
        Shape::All(parts) | Shape::Any(parts) | Shape::InOrder(parts) => parts,
    };
    let mut later: Vec<usize> = Vec::new();
    if matches!(shape, Shape::InOrder(_)) {
        let met = |steps: usize| {
            let before = Shape::All(parts.iter().take(steps).cloned().collect());
            assign(&before, slots, people, distinct).lacking == 0
        };
        let asked = (1..=parts.len()).find(|steps| !met(*steps)).unwrap_or(parts.len());
        later.extend(parts.iter().skip(asked).flat_map(Shape::leaves));
    }
    later.extend(parts.iter().flat_map(|part| not_asked(part, slots, people, distinct)));
    later
}

impl People {
    /// Whether the requirement is met.
    pub(super) fn met(&self) -> bool {
        self.requirement.met()
    }

    /// Whose request for changes stands.
    pub(super) fn objectors(&self) -> impl Iterator<Item = &Person> {
        self.rejecting.iter().chain(&self.blocking)
    }

    /// Whether the person has approved the head later than the instant.
    pub(super) fn approved_since(&self, person: &Person, at: Timestamp) -> bool {
        self.approvals.iter().any(|(id, submitted_at)| *id == person.id && *submitted_at > at)
    }

    /// The people whose approvals count, for a sentence.
    pub(super) fn approvers(&self) -> String {
        self.counts.iter().map(Login::as_str).collect::<Vec<_>>().join(", ")
    }

    /// The decision in one line.
    pub(super) fn summary(&self, verdict: Verdict) -> String {
        if verdict == Verdict::Approved {
            return format!("approved by {}", self.approvers());
        }
        let part = |(name, have, need): &(String, u32, u32)| {
            format!("{have} of {need} {name}{}", if have >= need { " met" } else { "" })
        };
        self.names.iter().map(part).collect::<Vec<_>>().join("; ")
    }

    /// Why approvals are still waited for.
    pub(super) fn why_pending(&self, requirement: &Requirement) -> Vec<Reason> {
        let leaves = requirement.leaves();
        let source = |name: &str| leaves.iter().find(|leaf| *leaf.name == *name).map(|leaf| leaf.source.to_string());
        let mut reasons: Vec<Reason> = Vec::new();
        for unmet in &self.unmet {
            let missing = unmet.need.saturating_sub(unmet.have);
            let people = if missing == 1 { "approval" } else { "approvals" };
            let text = format!("`{}` lacks {missing} {people}", unmet.name);
            reasons.push(Reason { code: ReasonCode::QuorumUnmet, text, source: source(&unmet.name) });
            if unmet.unsatisfiable {
                let text =
                    format!("`{}` can never be met: too few people are left once the excluded are gone", unmet.name);
                reasons.push(Reason { code: ReasonCode::Unsatisfiable, text, source: source(&unmet.name) });
            }
        }
        for team in &self.unreadable {
            let text = format!("the team {team} could not be read: nobody counts by it, and everyone may object");
            reasons.push(Reason { code: ReasonCode::TeamUnreadable, text, source: None });
        }
        if let Some(why) = &self.exclusion_unknown {
            reasons.push(Reason { code: ReasonCode::ExclusionUnknown, text: why.clone(), source: None });
        }
        reasons
    }
}
