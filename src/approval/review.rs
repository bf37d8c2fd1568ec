//! Weighs every review: whether it counts, objects or does nothing, and the first reason for that.
//!
//! Reviews are weighed per person (by numeric id), in order. What the counting approvals add up to is not known here.

use jiff::Timestamp;

use super::command::{Command, ReviewText, Slip};
use super::decision::{ReviewReason, ReviewVerdict};
use super::eligibility::{EligibleApprovers, LeafSet, is_one_of, lacks_team};
use super::exclusion::Exclusions;
use super::facts::{AccountKind, BoundBy, DismissedFrom, Facts, Person, PullRequest, Review, ReviewState};
use super::matching::Candidate;
use super::plan::Plan;
use super::schedule::escalated;
use super::standing::{Part, SeenUsers, is_withdrawn_approval, place_in_order, supersede};
use crate::ident::UserId;
use crate::policy::{Duration, OnChangesRequested, Requirement, Rule};

/// A review with what it does.
#[derive(Debug)]
pub(super) struct Weighed<'f> {
    pub(super) review: &'f Review,
    pub(super) verdict: ReviewVerdict,
    pub(super) reason: ReviewReason,
    pub(super) detail: Detail,
    pub(super) part: Part,
    /// The leaves that it counts toward.
    leaves: LeafSet,
}

impl Candidate for Weighed<'_> {
    fn leaves(&self) -> LeafSet {
        self.leaves
    }
}

impl<'f> Weighed<'f> {
    #[inline]
    pub(super) fn ignored(review: &'f Review, reason: ReviewReason, detail: Detail) -> Self {
        let (verdict, leaves) = (ReviewVerdict::Ignored, LeafSet::default());
        Self { review, verdict, reason, detail, part: Part::None, leaves }
    }

    /// The reviewer. `None` if the review is passed over.
    pub(super) fn person(&self) -> Option<UserId> {
        let user = self.review.user.as_ref().filter(|_| self.part != Part::None);
        user.map(|user| user.id)
    }

    /// Whether it approves the head and no later review ends it. It need not count.
    pub(super) fn is_standing_approval(&self) -> bool {
        matches!(self.part, Part::Approval { bound: true, .. }) && self.reason != ReviewReason::Superseded
    }

    /// Whether its author is counted by it, and not by a later review.
    pub(super) fn is_counted(&self) -> bool {
        !self.leaves.is_empty()
    }

    /// Marks it as ended by a later review. That it was not given on the head comes first.
    pub(super) fn supersede(&mut self) {
        if self.reason != ReviewReason::Stale {
            let part = self.part;
            *self = Self { part, ..Self::ignored(self.review, ReviewReason::Superseded, Detail::None) };
        }
    }

    /// Leaves it to a later review of the same person to be counted.
    pub(super) fn stand_aside(&mut self) {
        self.leaves = LeafSet::default();
    }
}

/// What the text of an approval says to the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Text {
    Approves,
    Overrides,
    /// The approval is not for this target.
    Nothing(Detail),
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
    /// Not named: is known only from the API, where others may have edited its text.
    Edited,
    /// Not named: something looks like a command and is none.
    Unclear(Slip),
    /// Objects: was dismissed by someone whose dismissal does not count.
    DismissalDoesNotCount,
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
            let weighed = self.alone(review);
            repeated |= weighed.person().is_some_and(|person| seen.add(person));
            weighed
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

    /// What a review does if it is the person's latest.
    #[inline]
    fn alone(&self, review: &'f Review) -> Weighed<'f> {
        let Some(user) = &review.user else {
            let silent = matches!(review.state, ReviewState::Commented | ReviewState::Pending);
            let reason = if silent { ReviewReason::Comment } else { ReviewReason::NoUser };
            return Weighed::ignored(review, reason, Detail::None);
        };
        match review.state {
            ReviewState::Approved => self.approval(review, user),
            ReviewState::ChangesRequested => self.objection(review, user, Detail::None),
            ReviewState::Dismissed if is_withdrawn_approval(review) => self.withdrawal(review, user),
            ReviewState::Dismissed if self.is_lifted(review, user) => {
                Weighed { part: Part::Objection, ..Weighed::ignored(review, ReviewReason::Dismissed, Detail::None) }
            }
            ReviewState::Dismissed => self.objection(review, user, Detail::DismissalDoesNotCount),
            ReviewState::Commented | ReviewState::Pending => {
                Weighed::ignored(review, ReviewReason::Comment, Detail::None)
            }
        }
    }

    #[inline]
    fn approval(&self, review: &'f Review, user: &Person) -> Weighed<'f> {
        let overrides = match self.text(review) {
            Text::Nothing(detail) => return self.passed_over(review, user, detail),
            Text::Approves => false,
            Text::Overrides => true,
        };
        let stale = self.why_stale(review);
        let part = Part::Approval { bound: stale.is_none(), overrides };
        if let Some(detail) = stale {
            return Weighed { part, ..Weighed::ignored(review, ReviewReason::Stale, detail) };
        }
        let leaves = self.approvers.leaves_of(user).and(self.plan.leaves);
        match self.why_not(review, user, leaves) {
            Some(reason) => Weighed { part, ..Weighed::ignored(review, reason, Detail::None) },
            None => {
                let (verdict, reason) = (ReviewVerdict::Counts, ReviewReason::Counts);
                Weighed { verdict, part, leaves, ..Weighed::ignored(review, reason, Detail::None) }
            }
        }
    }

    /// A dismissed approval. It withdraws earlier approvals, unless its text is surely for other targets.
    fn withdrawal(&self, review: &'f Review, user: &Person) -> Weighed<'f> {
        let text = self.text(review);
        if text == Text::Nothing(Detail::OtherTargets) {
            return self.passed_over(review, user, Detail::OtherTargets);
        }
        // Without a time it is not known which requests for changes it lifted.
        let lifts = review.submitted_at.is_some() && !matches!(text, Text::Nothing(_));
        let part = Part::Withdrawal { lifts };
        Weighed { part, ..Weighed::ignored(review, ReviewReason::Dismissed, Detail::None) }
    }

    /// What the text of an approval says to the target, as far as it is known as first written.
    #[inline]
    fn text(&self, review: &Review) -> Text {
        let plain = if self.explicit { Text::Nothing(Detail::MustName) } else { Text::Approves };
        if review.bound_by == BoundBy::Api && review.edited {
            return Text::Nothing(Detail::Edited);
        }
        // Most approvals have no text.
        if review.body.is_empty() {
            return plain;
        }
        let target = &self.facts.target;
        match self.command_of(review) {
            Command::Plain => plain,
            Command::Unclear(unclear) => Text::Nothing(Detail::Unclear(unclear.slip)),
            Command::Approve(named) if named.iter().any(|named| named.names(target)) => Text::Approves,
            Command::Override(named, _) if named.names(target) => Text::Overrides,
            Command::Approve(_) | Command::Override(..) => Text::Nothing(Detail::OtherTargets),
        }
    }

    /// What a review's text says under this policy.
    pub(super) fn command_of(&self, review: &Review) -> Command {
        ReviewText::read(&review.body).command(|named| self.rule.knows(named.service.as_ref(), &named.environment))
    }

    /// An approval that is not for this target. If its author's approvals never count, that is the reason, unless the text
    /// of somebody who may override tries to.
    fn passed_over(&self, review: &'f Review, user: &Person, detail: Detail) -> Weighed<'f> {
        let leaves = self.approvers.leaves_of(user).and(self.plan.leaves);
        let never = self.exclusions.reason(user).or_else(|| may_not_approve(user, leaves));
        let tries_to_override = match self.command_of(review) {
            Command::Unclear(unclear) => unclear.is_override,
            Command::Override(..) => true,
            Command::Plain | Command::Approve(_) => false,
        };
        match (never, self.why_stale(review)) {
            (Some(never), _) if !(tries_to_override && self.may_override(user)) => {
                Weighed::ignored(review, never, Detail::None)
            }
            (_, Some(stale)) if detail == Detail::Edited => Weighed::ignored(review, ReviewReason::Stale, stale),
            _ => Weighed::ignored(review, ReviewReason::NotNamed, detail),
        }
    }

    fn may_override(&self, user: &Person) -> bool {
        !self.is_author(user)
            && self.rule.override_by().is_some_and(|field| {
                !EligibleApprovers::new(&field.by, &[], &self.facts.teams).leaves_of(user).is_empty()
            })
    }

    /// Whether the person opened the pull request.
    pub(super) fn is_author(&self, person: &Person) -> bool {
        self.pull_request.author.as_ref().is_some_and(|author| author.id == person.id)
    }

    /// The first reason why an approval of the head does not count.
    #[inline]
    fn why_not(&self, review: &Review, user: &Person, leaves: LeafSet) -> Option<ReviewReason> {
        if let Some(excluded) = self.exclusions.reason(user) {
            Some(excluded)
        } else if self.exclusions.unknown.is_some() {
            Some(ReviewReason::ExclusionUnknown)
        } else if let Some(never) = may_not_approve(user, leaves) {
            Some(never)
        } else {
            self.expires(review).is_some_and(|last| self.facts.now > last).then_some(ReviewReason::TooOld)
        }
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
        let part = Part::Objection;
        let on_head = review.revision.as_ref() == Some(&self.pull_request.head);
        let reason = if !self.may_object(user) {
            let dismissed = detail == Detail::DismissalDoesNotCount;
            let reason = if dismissed { ReviewReason::Dismissed } else { ReviewReason::NoSay };
            return Weighed { part, ..Weighed::ignored(review, reason, Detail::None) };
        } else if on_head {
            ReviewReason::ChangesRequested
        } else {
            ReviewReason::EarlierChangesRequested
        };
        let verdict = match self.rule.on_changes_requested() {
            OnChangesRequested::Ignore => {
                return Weighed { part, ..Weighed::ignored(review, ReviewReason::ChangesIgnored, detail) };
            }
            OnChangesRequested::Reject if on_head => ReviewVerdict::Rejects,
            OnChangesRequested::Reject | OnChangesRequested::Block => ReviewVerdict::Blocks,
        };
        Weighed { verdict, part, ..Weighed::ignored(review, reason, detail) }
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

/// Why somebody who is eligible for these leaves can never approve.
#[inline]
fn may_not_approve(user: &Person, leaves: LeafSet) -> Option<ReviewReason> {
    leaves.is_empty().then_some(match user.kind {
        AccountKind::User => ReviewReason::NotEligible,
        AccountKind::Bot | AccountKind::Other => ReviewReason::Bot,
    })
}
