//! Weighs every review: whether it counts, objects or does nothing, and the first reason for that.
//!
//! Reviews are weighed per person (by numeric id), in order. What the counting approvals add up to is not known here.

use jiff::Timestamp;

use super::command::{Command, NamedTarget, ReviewText, Slip};
use super::decision::{ReviewReason, ReviewVerdict};
use super::eligibility::{EligibleApprovers, LeafSet, is_one_of, lacks_team};
use super::exclusion::Exclusions;
use super::facts::{AccountKind, BoundBy, DismissedFrom, Facts, Person, PullRequest, Review, ReviewState};
use super::matching::Candidate;
use super::plan::Plan;
use super::schedule::escalated;
use crate::ident::{Target, UserId};
use crate::policy::{Duration, OnChangesRequested, Requirement, Rule};

/// A review with what it does.
#[derive(Debug)]
pub(super) struct Weighed<'f> {
    pub(super) review: &'f Review,
    pub(super) verdict: ReviewVerdict,
    pub(super) reason: ReviewReason,
    pub(super) detail: Detail,
    /// The leaves that it counts toward.
    leaves: LeafSet,
    /// Which earlier reviews of the same person it supersedes. `None` if it takes no part.
    supersedes: Option<Supersedes>,
}

impl Candidate for Weighed<'_> {
    fn leaves(&self) -> LeafSet {
        self.leaves
    }
}

impl<'f> Weighed<'f> {
    #[inline]
    fn ignored(review: &'f Review, reason: ReviewReason, detail: Detail) -> Self {
        Self { review, verdict: ReviewVerdict::Ignored, reason, detail, leaves: LeafSet::default(), supersedes: None }
    }

    /// The reviewer. `None` if the review takes no part.
    fn reviewer(&self) -> Option<UserId> {
        self.supersedes.and(self.review.user.as_ref()).map(|user| user.id)
    }

    /// Whether it supersedes an earlier review that takes part.
    fn replaces(&self, earlier: &Self) -> bool {
        self.reviewer() == earlier.reviewer() && self.supersedes.is_some_and(|scope| scope.includes(earlier.review))
    }

    /// Whether it approves the head and no later review supersedes it. It need not count.
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

/// What a reason's text says beyond its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    None,
    /// Stale: given on another commit.
    OtherCommit,
    /// Stale: known only from the API, and given before the head became the head.
    BeforeHead,
    /// Stale: known only from the API, and it is not known when the head became the head.
    HeadUnknown,
    /// Stale: given before the base was changed.
    BeforeBase,
    /// Stale: has no time.
    NoTime,
    /// Not named: names other targets.
    OtherTargets,
    /// Not named: the rule is `explicit`.
    MustName,
    /// Not named: names the target, but in a text known only from the API.
    NamedOnlyByApi,
    /// Not named: something looks like a command and is none.
    Unclear(Slip),
    /// Objects: was dismissed by someone whose dismissal does not count.
    DismissalDoesNotCount,
}

/// Which earlier reviews of the same person a later one supersedes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Supersedes {
    All,
    Approvals,
}

/// A 64-bit filter of user ids. A clear bit proves that the user has not been seen.
#[derive(Default)]
struct SeenUsers(u64);

impl SeenUsers {
    /// Adds a user. Returns whether they may have been seen before.
    #[inline]
    const fn add(&mut self, user: UserId) -> bool {
        let bit = 1 << (user.0 % 64);
        let seen = self.0 & bit != 0;
        self.0 |= bit;
        seen
    }
}

impl Supersedes {
    fn includes(self, earlier: &Review) -> bool {
        self == Self::All || !may_be_objection(earlier)
    }
}

/// Everything needed to weigh a review.
pub(super) struct ReviewContext<'f> {
    pub(super) facts: &'f Facts,
    pub(super) pull_request: &'f PullRequest,
    pub(super) rule: &'f Rule<'f>,
    pub(super) requirement: &'f Requirement,
    pub(super) plan: Plan,
    pub(super) exclusions: Exclusions<'f>,
    /// Includes those who stand in at present.
    pub(super) approvers: EligibleApprovers<'f>,
    /// Whether every person may request changes, because a team could not be read.
    everyone_may_object: bool,
    /// Whether an approval must name the target.
    explicit: bool,
    max_age: Option<Duration>,
}

impl<'f> ReviewContext<'f> {
    pub(super) fn new(
        rule: &'f Rule<'f>,
        requirement: &'f Requirement,
        facts: &'f Facts,
        pull_request: &'f PullRequest,
    ) -> Self {
        let approvers = EligibleApprovers::new(requirement, &escalated(rule, facts), &facts.teams);
        let everyone_may_object = approvers.lacks_team || lacks_team(rule.veto(), &facts.teams);
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
            everyone_may_object,
            explicit,
            max_age,
        }
    }

    /// Weighs all reviews, in the order in which they were given.
    pub(super) fn weigh(&self) -> Vec<Weighed<'f>> {
        let (mut last, mut in_order) = (i64::MIN, true);
        let (mut seen, mut repeated) = (SeenUsers::default(), false);
        let weigh = |review: &'f Review| {
            // GitHub gives whole seconds.
            let second = review.submitted_at.map_or(i64::MIN, Timestamp::as_second);
            in_order &= last < second;
            last = second;
            if let Some((reason, detail)) = self.takes_no_part(review) {
                return Weighed::ignored(review, reason, detail);
            }
            let Some(user) = &review.user else {
                return Weighed::ignored(review, ReviewReason::NoUser, Detail::None);
            };
            repeated |= seen.add(user.id);
            Weighed { supersedes: Some(self.supersedes(review)), ..self.standing(review, user) }
        };
        let mut weighed: Vec<Weighed<'f>> = self.facts.reviews.iter().map(weigh).collect();
        if !in_order {
            weighed.sort_by_key(|weighed| (place_in_order(weighed.review), weighed.review.id));
        }
        if repeated {
            supersede(&mut weighed);
        }
        weighed
    }

    /// Which earlier reviews of the same person a review that takes part supersedes.
    ///
    /// A withdrawn approval supersedes approvals alone if its text names something else now. That text may have been
    /// edited by someone else, who must neither bring back an earlier approval nor withdraw a request for changes.
    #[inline]
    fn supersedes(&self, review: &Review) -> Supersedes {
        let doubtful = is_withdrawn_approval(review) && self.names_something_else(review).is_some();
        if doubtful { Supersedes::Approvals } else { Supersedes::All }
    }

    /// Why a review takes no part, whoever gave it: it is a comment, or an approval that names something else.
    #[inline]
    fn takes_no_part(&self, review: &Review) -> Option<(ReviewReason, Detail)> {
        let approves = match review.state {
            ReviewState::Commented | ReviewState::Pending => return Some((ReviewReason::Comment, Detail::None)),
            ReviewState::Approved => true,
            // A text known only from the API must not let an earlier approval take this one's place.
            ReviewState::Dismissed => is_withdrawn_approval(review) && review.bound_by == BoundBy::Delivery,
            ReviewState::ChangesRequested => false,
        };
        // Most approvals have no text.
        let may_name = !review.body.is_empty() || self.explicit;
        let detail = if approves && may_name { self.names_something_else(review) } else { None };
        detail.map(|detail| (ReviewReason::NotNamed, detail))
    }

    fn names_something_else(&self, review: &Review) -> Option<Detail> {
        if review.body.is_empty() {
            return self.explicit.then_some(Detail::MustName);
        }
        let target = &self.facts.target;
        let names = match command_of(review, target) {
            Command::Plain => return self.explicit.then_some(Detail::MustName),
            Command::Unclear(unclear) => return Some(Detail::Unclear(unclear.slip)),
            Command::Approve(targets) => targets.iter().any(|named| named.names(target)),
            Command::Override(named, _) => named.names(target),
        };
        // Others may have edited a text that is known only from the API: it may narrow an approval, never widen it.
        match names {
            false => Some(Detail::OtherTargets),
            true => (self.explicit && review.bound_by == BoundBy::Api).then_some(Detail::NamedOnlyByApi),
        }
    }

    /// What a review that takes part does if it is the person's latest.
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

    /// Why an approval is not bound to the head.
    #[inline]
    fn why_stale(&self, review: &Review) -> Option<Detail> {
        if review.revision.as_ref() != Some(&self.pull_request.head) {
            return Some(Detail::OtherCommit);
        }
        let Some(submitted_at) = review.submitted_at else { return Some(Detail::NoTime) };
        // GitHub gives whole seconds: within the same second it is not known which came first.
        if self.pull_request.base_changed_at.is_some_and(|changed| submitted_at <= changed) {
            return Some(Detail::BeforeBase);
        }
        match (review.bound_by, self.pull_request.head_first_seen) {
            (BoundBy::Delivery, _) => None,
            (BoundBy::Api, None) => Some(Detail::HeadUnknown),
            (BoundBy::Api, Some(seen)) => (submitted_at.as_second() <= seen.as_second()).then_some(Detail::BeforeHead),
        }
    }

    fn objection(&self, review: &'f Review, user: &Person, detail: Detail) -> Weighed<'f> {
        let on_head = review.revision.as_ref() == Some(&self.pull_request.head);
        let reason = if !self.may_object(user) {
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

    /// Whether the person may request changes. While a team cannot be read, every person may.
    fn may_object(&self, person: &Person) -> bool {
        (self.everyone_may_object && person.kind == AccountKind::User) || self.surely_may_object(person)
    }

    fn surely_may_object(&self, person: &Person) -> bool {
        !self.approvers.leaves_of(person).is_empty() || is_one_of(person, self.rule.veto(), &self.facts.teams)
    }

    /// Whether the dismissal of a review counts.
    ///
    /// Only its author can dismiss a request for changes, or another person who surely may request changes and surely
    /// is not excluded. If it is not known what a dismissed review said, its dismissal does not count.
    fn is_lifted(&self, review: &Review, reviewer: &Person) -> bool {
        match review.was {
            Some(DismissedFrom::Approved) => true,
            None => false,
            Some(DismissedFrom::ChangesRequested) => review.dismissed_by.as_ref().is_some_and(|by| {
                by.id == reviewer.id
                    || (self.surely_may_object(by)
                        && self.exclusions.unknown.is_none()
                        && self.exclusions.reason(by).is_none())
            }),
        }
    }
}

/// Marks the reviews that a later one of the same person supersedes.
fn supersede(weighed: &mut [Weighed<'_>]) {
    let mut seen = SeenUsers::default();
    for at in (0..weighed.len()).rev() {
        let Some((earlier, later)) = weighed.get_mut(at..).and_then(<[_]>::split_first_mut) else { return };
        let repeated = earlier.reviewer().is_some_and(|reviewer| seen.add(reviewer));
        if repeated && later.iter().any(|later| later.replaces(earlier)) {
            let ignored = Weighed::ignored(earlier.review, ReviewReason::Superseded, Detail::None);
            *earlier = Weighed { supersedes: earlier.supersedes, ..ignored };
        }
    }
}

fn is_withdrawn_approval(review: &Review) -> bool {
    review.state == ReviewState::Dismissed && review.was == Some(DismissedFrom::Approved)
}

/// Whether a review requests changes, or did before a dismissal that may not count.
pub(super) fn may_be_objection(review: &Review) -> bool {
    match review.state {
        ReviewState::ChangesRequested => true,
        ReviewState::Dismissed => !is_withdrawn_approval(review),
        ReviewState::Approved | ReviewState::Commented | ReviewState::Pending => false,
    }
}

/// The time by which reviews are ordered. One without a time helps least: an approval comes first, an objection last.
pub(super) fn place_in_order(review: &Review) -> Timestamp {
    review.submitted_at.unwrap_or(match review.state {
        ReviewState::Approved | ReviewState::Commented | ReviewState::Pending => Timestamp::MIN,
        ReviewState::ChangesRequested | ReviewState::Dismissed => Timestamp::MAX,
    })
}

/// What a review's text says for a target.
pub(super) fn command_of(review: &Review, target: &Target) -> Command {
    // Of the policy only the rule is at hand. A first line without the slash is a slip if it names a service, or this
    // environment.
    let knows = |named: &NamedTarget| named.service.is_some() || named.environment == target.environment;
    ReviewText::read(&review.body).command(knows)
}
