//! Every review weighed: whether it counts, stands against, or does nothing, and the first reason for that.
//!
//! Per person, by numeric id, over that person's reviews in order. Knows the rule and the facts, and no requirement's
//! state: what the approvals that count add up to is `decide`'s business.

use jiff::Timestamp;

use super::command::{BrokenCommand, Command};
use super::decision::{ReviewReason, ReviewVerdict};
use super::eligibility::{EligibleApprovers, LeafSet, is_one_of, lacks_team};
use super::exclusion::Exclusions;
use super::facts::{AccountKind, BoundBy, DismissedFrom, Facts, Person, PullRequest, Review, ReviewState};
use super::matching::Candidate;
use super::plan::Plan;
use super::schedule::escalated;
use crate::ident::UserId;
use crate::policy::{Duration, OnChangesRequested, Requirement, Rule};

/// What one review came to.
#[derive(Debug)]
pub(super) struct Weighed<'f> {
    pub(super) review: &'f Review,
    pub(super) verdict: ReviewVerdict,
    pub(super) reason: ReviewReason,
    /// More about the reason than its code says.
    pub(super) detail: Detail,
    /// Toward which leaves it counts.
    leaves: LeafSet,
    /// Which earlier reviews of the same person it supersedes; none where it takes no part.
    force: Option<Supersedes>,
}

impl Candidate for Weighed<'_> {
    fn leaves(&self) -> LeafSet {
        self.leaves
    }
}

impl<'f> Weighed<'f> {
    /// One that does nothing.
    #[inline]
    fn ignored(review: &'f Review, reason: ReviewReason, detail: Detail) -> Self {
        Self { review, verdict: ReviewVerdict::Ignored, reason, detail, leaves: LeafSet::default(), force: None }
    }

    /// Whose it is, where it takes part.
    fn giver(&self) -> Option<UserId> {
        self.force.and(self.review.user.as_ref()).map(|user| user.id)
    }

    /// Whether it supersedes an earlier one that takes part.
    fn supersedes(&self, earlier: &Self) -> bool {
        self.giver() == earlier.giver() && self.force.is_some_and(|force| force.supersedes(earlier.review))
    }

    /// Whether it is a person's standing approval of the head, whether or not it counts.
    pub(super) const fn is_standing_approval(&self) -> bool {
        match self.reason {
            ReviewReason::Counts
            | ReviewReason::Author
            | ReviewReason::Committer
            | ReviewReason::Pusher
            | ReviewReason::Requester
            | ReviewReason::ExclusionUnknown
            | ReviewReason::Bot
            | ReviewReason::NotEligible
            | ReviewReason::TooOld => matches!(self.review.state, ReviewState::Approved),
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
        }
    }
}

/// What a reason's text tells beyond the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    None,
    /// Stale: given on another commit.
    OtherCommit,
    /// Stale: known from the API only, and given before the head became head.
    BeforeHead,
    /// Stale: known from the API only, and when the head became head is not known.
    HeadUnknown,
    /// Stale: given before the base was changed.
    BeforeBase,
    /// Stale: without a time.
    NoTime,
    /// Not named: names other targets.
    OtherTargets,
    /// Not named: the rule asks for naming.
    MustName,
    /// Not named: names the target in a text that only the API knows.
    NamedOnlyByApi,
    /// Not named: the command does not parse.
    Broken(BrokenCommand),
    /// Against: was dismissed by someone whose dismissal does not count.
    DismissalDoesNotCount,
}

/// Which earlier reviews of the same person a later one supersedes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Supersedes {
    OverAll,
    OverApprovals,
}

/// Who was met, as bits: most people who have given one review are known by them not to have been.
#[derive(Default)]
struct SeenUsers(u64);

impl SeenUsers {
    /// Whether the person may have been met before, who now is.
    #[inline]
    const fn again(&mut self, person: UserId) -> bool {
        let bit = 1 << (person.0 % 64);
        let again = self.0 & bit != 0;
        self.0 |= bit;
        again
    }
}

impl Supersedes {
    fn supersedes(self, earlier: &Review) -> bool {
        self == Self::OverAll || !may_object(earlier)
    }
}

/// Everything that weighing a review needs.
pub(super) struct ReviewContext<'f> {
    pub(super) facts: &'f Facts,
    pub(super) pull_request: &'f PullRequest,
    pub(super) rule: &'f Rule<'f>,
    pub(super) requirement: &'f Requirement,
    pub(super) plan: Plan,
    pub(super) exclusions: Exclusions<'f>,
    /// Includes those who stand in at present.
    pub(super) approvers: EligibleApprovers<'f>,
    /// Whether a team that could not be read makes everyone's objection count.
    everyone_has_a_say: bool,
    /// Whether an approval must name the target.
    explicit: bool,
    /// How old an approval may be.
    max_age: Option<Duration>,
}

impl<'f> ReviewContext<'f> {
    /// Sets the scales for a rule that asks for people.
    pub(super) fn new(
        rule: &'f Rule<'f>,
        requirement: &'f Requirement,
        facts: &'f Facts,
        pull_request: &'f PullRequest,
    ) -> Self {
        let approvers = EligibleApprovers::new(requirement, &escalated(rule, facts), &facts.teams);
        let everyone_has_a_say = approvers.lacks_team || lacks_team(rule.veto(), &facts.teams);
        let exclusions = Exclusions::of(rule, facts, pull_request);
        let (explicit, max_age) = (rule.explicit(), rule.max_age());
        let plan = Plan::new(requirement, &approvers, facts);
        Self {
            facts,
            pull_request,
            rule,
            requirement,
            plan,
            exclusions,
            approvers,
            everyone_has_a_say,
            explicit,
            max_age,
        }
    }

    /// Weighs all reviews, in the order in which they were given.
    pub(super) fn weigh(&self) -> Vec<Weighed<'f>> {
        let (mut last, mut in_order) = (i64::MIN, true);
        let (mut met, mut met_again) = (SeenUsers::default(), false);
        let weigh = |review: &'f Review| {
            // As GitHub lists them, in whole seconds.
            let second = review.submitted_at.map_or(i64::MIN, Timestamp::as_second);
            in_order &= last < second;
            last = second;
            if let Some((reason, detail)) = self.passed_over(review) {
                return Weighed::ignored(review, reason, detail);
            }
            let Some(user) = &review.user else {
                return Weighed::ignored(review, ReviewReason::NoUser, Detail::None);
            };
            met_again |= met.again(user.id);
            Weighed { force: Some(self.force(review)), ..self.standing(review, user) }
        };
        let mut weighed: Vec<Weighed<'f>> = self.facts.reviews.iter().map(weigh).collect();
        if !in_order {
            weighed.sort_by_key(|weighed| (place_in_order(weighed.review), weighed.review.id));
        }
        if met_again {
            supersede(&mut weighed);
        }
        weighed
    }

    /// What a review that takes part does to earlier ones of the same person.
    ///
    /// What only the API tells of a withdrawn approval that names something else lets no earlier approval come back, and
    /// takes no request for changes back: either might be the work of whoever edited its text.
    #[inline]
    fn force(&self, review: &Review) -> Supersedes {
        let doubtful = is_withdrawn_approval(review) && self.names_something_else(review).is_some();
        if doubtful { Supersedes::OverApprovals } else { Supersedes::OverAll }
    }

    /// Reviews that take no part whoever gave them: comments, and approvals that name something else.
    #[inline]
    fn passed_over(&self, review: &Review) -> Option<(ReviewReason, Detail)> {
        let approves = match review.state {
            ReviewState::Commented | ReviewState::Pending => return Some((ReviewReason::Comment, Detail::None)),
            ReviewState::Approved => true,
            // What only the API tells of a withdrawn approval must not make it give way to an earlier one.
            ReviewState::Dismissed => is_withdrawn_approval(review) && review.bound_by == BoundBy::Delivery,
            ReviewState::ChangesRequested => false,
        };
        // Most approvals say nothing.
        let plain = review.body.is_empty() && !self.explicit;
        let detail = if approves && !plain { self.names_something_else(review) } else { None };
        detail.map(|detail| (ReviewReason::NotNamed, detail))
    }

    fn names_something_else(&self, review: &Review) -> Option<Detail> {
        if review.body.is_empty() {
            return self.explicit.then_some(Detail::MustName);
        }
        let target = &self.facts.target;
        let names = match Command::read(&review.body) {
            Command::Plain => return self.explicit.then_some(Detail::MustName),
            Command::Broken(why) => return Some(Detail::Broken(why)),
            Command::Approve(targets) => targets.iter().any(|named| named.names(target)),
            Command::Override(named, _) => named.names(target),
        };
        // A text that only the API knows may have been edited by others: it may narrow, never widen.
        match names {
            false => Some(Detail::OtherTargets),
            true => (self.explicit && review.bound_by == BoundBy::Api).then_some(Detail::NamedOnlyByApi),
        }
    }

    /// A person's standing by a review that takes part, if it is the last.
    #[inline]
    fn standing(&self, review: &'f Review, user: &Person) -> Weighed<'f> {
        match review.state {
            ReviewState::Approved => {
                let leaves = self.approvers.leaves_of(user).and(self.plan.leaves);
                match self.why_not(review, user, leaves) {
                    Some((reason, detail)) => Weighed::ignored(review, reason, detail),
                    None => {
                        let (verdict, reason) = (ReviewVerdict::Counts, ReviewReason::Counts);
                        Weighed { verdict, leaves, ..Weighed::ignored(review, reason, Detail::None) }
                    }
                }
            }
            ReviewState::ChangesRequested => self.objection(review, user, Detail::None),
            ReviewState::Dismissed if self.is_lifted(review, user) => {
                Weighed::ignored(review, ReviewReason::Dismissed, Detail::None)
            }
            ReviewState::Dismissed => self.objection(review, user, Detail::DismissalDoesNotCount),
            ReviewState::Commented | ReviewState::Pending => {
                Weighed::ignored(review, ReviewReason::Comment, Detail::None)
            }
        }
    }

    /// The first reason why an approval does not count.
    #[inline]
    fn why_not(&self, review: &Review, user: &Person, leaves: LeafSet) -> Option<(ReviewReason, Detail)> {
        if let Some(detail) = self.why_stale(review) {
            return Some((ReviewReason::Stale, detail));
        }
        let reason = if let Some(excluded) = self.exclusions.reason(user) {
            excluded
        } else if self.exclusions.unknown.is_some() {
            ReviewReason::ExclusionUnknown
        } else if leaves.is_empty() {
            if user.kind == AccountKind::User { ReviewReason::NotEligible } else { ReviewReason::Bot }
        } else if self.expires(review).is_some_and(|last| self.facts.now > last) {
            ReviewReason::TooOld
        } else {
            return None;
        };
        Some((reason, Detail::None))
    }

    /// The last instant at which an approval is not too old.
    #[inline]
    pub(super) fn expires(&self, review: &Review) -> Option<Timestamp> {
        let age = self.max_age?;
        Some(review.submitted_at?.checked_add(age.signed()).unwrap_or(Timestamp::MAX))
    }

    /// Cause an approval is not bound to the head.
    #[inline]
    fn why_stale(&self, review: &Review) -> Option<Detail> {
        if review.revision.as_ref() != Some(&self.pull_request.head) {
            return Some(Detail::OtherCommit);
        }
        let Some(submitted_at) = review.submitted_at else { return Some(Detail::NoTime) };
        // GitHub tells whole seconds: at the same one it is not known which came first.
        if self.pull_request.base_changed_at.is_some_and(|changed| submitted_at <= changed) {
            return Some(Detail::BeforeBase);
        }
        match (review.bound_by, self.pull_request.head_first_seen) {
            (BoundBy::Delivery, _) => None,
            (BoundBy::Api, None) => Some(Detail::HeadUnknown),
            (BoundBy::Api, Some(seen)) => (submitted_at < seen).then_some(Detail::BeforeHead),
        }
    }

    /// What a standing request for changes does.
    fn objection(&self, review: &'f Review, user: &Person, detail: Detail) -> Weighed<'f> {
        let on_head = review.revision.as_ref() == Some(&self.pull_request.head);
        let reason = if !self.has_a_say(user) {
            let dismissed = detail == Detail::DismissalDoesNotCount;
            let reason = if dismissed { ReviewReason::Dismissed } else { ReviewReason::NoSay };
            return Weighed::ignored(review, reason, Detail::None);
        } else if on_head {
            ReviewReason::ChangesRequested
        } else {
            ReviewReason::EarlierChangesRequested
        };
        let verdict = match self.rule.on_changes_requested() {
            OnChangesRequested::Ignore => return Weighed::ignored(review, ReviewReason::ChangesIgnored, detail),
            OnChangesRequested::Reject if on_head => ReviewVerdict::Rejects,
            OnChangesRequested::Reject | OnChangesRequested::Block => ReviewVerdict::Blocks,
        };
        Weighed { verdict, ..Weighed::ignored(review, reason, detail) }
    }

    /// Whether the person's request for changes is heeded. While a team cannot be read, every person's is.
    fn has_a_say(&self, person: &Person) -> bool {
        (self.everyone_has_a_say && person.kind == AccountKind::User) || self.surely_has_a_say(person)
    }

    fn surely_has_a_say(&self, person: &Person) -> bool {
        !self.approvers.leaves_of(person).is_empty() || is_one_of(person, self.rule.veto(), &self.facts.teams)
    }

    /// Whether a dismissed review stands no more.
    ///
    /// A request for changes outlasts a dismissal by anyone but its giver or another who surely has a say and surely is
    /// not excluded. Where it is not known what was dismissed, it is held to be one that stands.
    fn is_lifted(&self, review: &Review, giver: &Person) -> bool {
        match review.was {
            Some(DismissedFrom::Approved) => true,
            None => false,
            Some(DismissedFrom::ChangesRequested) => review.dismissed_by.as_ref().is_some_and(|by| {
                by.id == giver.id
                    || (self.surely_has_a_say(by)
                        && self.exclusions.unknown.is_none()
                        && self.exclusions.reason(by).is_none())
            }),
        }
    }
}

/// One stands where no later one of the same person supersedes it.
fn supersede(weighed: &mut [Weighed<'_>]) {
    let mut met = SeenUsers::default();
    for at in (0..weighed.len()).rev() {
        let Some((earlier, later)) = weighed.get_mut(at..).and_then(<[_]>::split_first_mut) else { return };
        let met_again = earlier.giver().is_some_and(|giver| met.again(giver));
        if met_again && later.iter().any(|later| later.supersedes(earlier)) {
            let ignored = Weighed::ignored(earlier.review, ReviewReason::Superseded, Detail::None);
            *earlier = Weighed { force: earlier.force, ..ignored };
        }
    }
}

fn is_withdrawn_approval(review: &Review) -> bool {
    review.state == ReviewState::Dismissed && review.was == Some(DismissedFrom::Approved)
}

/// Whether a review requests changes, or did before a dismissal that may not count.
fn may_object(review: &Review) -> bool {
    match review.state {
        ReviewState::ChangesRequested => true,
        ReviewState::Dismissed => !is_withdrawn_approval(review),
        ReviewState::Approved | ReviewState::Commented | ReviewState::Pending => false,
    }
}

/// Reviews go by time. One without a time supports least: an approval comes first, anything else last.
fn place_in_order(review: &Review) -> Timestamp {
    review.submitted_at.unwrap_or(match review.state {
        ReviewState::Approved | ReviewState::Commented | ReviewState::Pending => Timestamp::MIN,
        ReviewState::ChangesRequested | ReviewState::Dismissed => Timestamp::MAX,
    })
}
