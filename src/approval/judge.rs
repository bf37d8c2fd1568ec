//! The verdict, with its reasons as data: which step of the language's order applies first. Says nothing in words.

use smallvec::{SmallVec, smallvec};

use super::break_glass::{Overriding, overriding, unreadable_overriders};
use super::decision::{ReasonCode, Verdict};
use super::facts::{Facts, Person, PullRequest, PullRequestState, Veto};
use super::people::People;
use super::review::ReviewContext;
use super::schedule::{Held, Release, deadline, is_settled, release};
use crate::ident::TeamSlug;
use crate::policy::{Below, NoRule, OnChangesRequested, Policy, Require, Rule};

/// The verdict with everything it rests on.
pub(super) struct Judgment<'f> {
    pub(super) verdict: Verdict,
    pub(super) reasons: Reasons<'f>,
    pub(super) people: Option<People<'f>>,
    pub(super) overriding: Option<Overriding<'f>>,
    /// With the verdict `wait`: when to ask again.
    pub(super) until: Option<jiff::Timestamp>,
}

type Reasons<'f> = SmallVec<[Cause<'f>; 2]>;

/// A reason, with what it is about.
#[derive(Debug, Clone)]
pub(super) enum Cause<'f> {
    RequirementMet,
    NothingAsked,
    NoRule(Option<NoRule<'f>>),
    BelowFloor(Box<Below<'f>>),
    PullRequestMissing,
    WrongRepository,
    WrongBranch,
    WrongRevision,
    HeadChanged,
    BaseChanged(jiff::Timestamp),
    Closed,
    DeadlinePassed(jiff::Timestamp),
    NothingRequired,
    ChangesRequested(&'f Person),
    ChangesStand(&'f Person),
    Vetoed(&'f Veto),
    QuorumUnmet(usize),
    Unsatisfiable(usize),
    ConditionUnknown,
    TeamUnreadable(&'f TeamSlug),
    OverrideTeamUnreadable(&'f TeamSlug),
    ExclusionUnknown,
    Held(Held<'f>),
    Overridden,
}

impl Cause<'_> {
    pub(super) const fn code(&self) -> ReasonCode {
        match self {
            Self::RequirementMet => ReasonCode::RequirementMet,
            Self::NothingAsked => ReasonCode::NothingAsked,
            Self::NoRule(_) => ReasonCode::NoRule,
            Self::BelowFloor(_) => ReasonCode::BelowFloor,
            Self::PullRequestMissing => ReasonCode::PullRequestMissing,
            Self::WrongRepository => ReasonCode::WrongRepository,
            Self::WrongBranch => ReasonCode::WrongBranch,
            Self::WrongRevision => ReasonCode::WrongRevision,
            Self::HeadChanged => ReasonCode::HeadChanged,
            Self::BaseChanged(_) => ReasonCode::BaseChanged,
            Self::Closed => ReasonCode::Closed,
            Self::DeadlinePassed(_) => ReasonCode::DeadlinePassed,
            Self::NothingRequired => ReasonCode::NothingRequired,
            Self::ChangesRequested(_) | Self::ChangesStand(_) => ReasonCode::ChangesRequested,
            Self::Vetoed(_) => ReasonCode::Vetoed,
            Self::QuorumUnmet(_) => ReasonCode::QuorumUnmet,
            Self::Unsatisfiable(_) => ReasonCode::Unsatisfiable,
            Self::ConditionUnknown => ReasonCode::ConditionUnknown,
            Self::TeamUnreadable(_) | Self::OverrideTeamUnreadable(_) => ReasonCode::TeamUnreadable,
            Self::ExclusionUnknown => ReasonCode::ExclusionUnknown,
            Self::Held(Held::Frozen(..)) => ReasonCode::Frozen,
            Self::Held(Held::OutOfWindow(Some(_))) => ReasonCode::OutOfWindow,
            Self::Held(Held::OutOfWindow(None)) => ReasonCode::WindowOver,
            Self::Held(Held::Timer(_)) => ReasonCode::WaitTimer,
            Self::Overridden => ReasonCode::Overridden,
        }
    }
}

impl<'f> Judgment<'f> {
    fn of(verdict: Verdict, why: Cause<'f>) -> Self {
        Self::with(verdict, smallvec![why])
    }

    const fn with(verdict: Verdict, reasons: Reasons<'f>) -> Self {
        Self { verdict, reasons, people: None, overriding: None, until: None }
    }

    fn denied(why: Cause<'f>) -> Self {
        Self::of(Verdict::Denied, why)
    }

    pub(super) fn without_rule(why: Option<NoRule<'f>>) -> Self {
        Self::denied(Cause::NoRule(why))
    }
}

/// The verdict of [`super::decide`] alone, without any text.
#[must_use]
pub fn verdict(policy: &Policy, facts: &Facts) -> Verdict {
    match policy.rule(&facts.target) {
        Ok(rule) => judge(&rule, policy.below_floor(&facts.target.environment, &rule), facts).verdict,
        Err(_) => Verdict::Denied,
    }
}

/// Judges the facts under one rule. `below` is the floor that the rule falls below, if any.
pub(super) fn judge<'f>(rule: &'f Rule<'f>, below: Option<Below<'f>>, facts: &'f Facts) -> Judgment<'f> {
    if let Some(below) = below {
        return Judgment::denied(Cause::BelowFloor(Box::new(below)));
    }
    let requirement = match rule.require() {
        None => return Judgment::without_rule(None),
        Some(Require::Nobody) => return passing(rule, facts, smallvec![Cause::NothingAsked]),
        Some(Require::People(requirement)) => requirement,
    };
    let pull_request = match fitting(rule, facts) {
        Ok(pull_request) => pull_request,
        Err(why) => return Judgment::denied(why),
    };
    let people = People::weigh(ReviewContext::new(rule, requirement, facts, pull_request));
    let mut judgment = ended(rule, facts, pull_request).unwrap_or_else(|| by_people(rule, facts, &people));
    if judgment.verdict != Verdict::Approved {
        judgment.reasons.extend(unreadable_overriders(&people).into_iter().map(Cause::OverrideTeamUnreadable));
    }
    judgment.people = Some(people);
    judgment
}

/// Step 1: the pull request is one that the rule is about.
fn fitting<'f>(rule: &Rule<'_>, facts: &'f Facts) -> Result<&'f PullRequest, Cause<'f>> {
    let Some(pull_request) = &facts.pull_request else { return Err(Cause::PullRequestMissing) };
    if !rule.repository.iter().any(|pattern| pattern.matches(&pull_request.repository)) {
        return Err(Cause::WrongRepository);
    }
    let fits = match rule.branches {
        Some(branches) => branches.iter().any(|branch| branch.matches(&pull_request.base)),
        None => pull_request.base == pull_request.default_branch,
    };
    if !fits {
        return Err(Cause::WrongBranch);
    }
    if is_wrong_revision(facts, pull_request) { Err(Cause::WrongRevision) } else { Ok(pull_request) }
}

/// The revision must be the head or, once merged, the merge commit. Where people were asked already, another head of an
/// open pull request supersedes instead, and so does closing it.
fn is_wrong_revision(facts: &Facts, pull_request: &PullRequest) -> bool {
    let fits = facts.revision.as_ref().is_some_and(|revision| {
        *revision == pull_request.head || (pull_request.merged && Some(revision) == pull_request.merge_commit.as_ref())
    });
    let closed = pull_request.state == PullRequestState::Closed && !pull_request.merged;
    !(fits || closed || (facts.requested_at.is_some() && !pull_request.merged))
}

/// Steps 2 and 3: the head or the base is not what people were asked for, the pull request was closed, or the deadline
/// came before the request was settled.
fn ended<'f>(rule: &Rule<'_>, facts: &Facts, pull_request: &PullRequest) -> Option<Judgment<'f>> {
    let superseded = |why| Some(Judgment::of(Verdict::Superseded, why));
    if pull_request.state == PullRequestState::Closed && !pull_request.merged {
        return superseded(Cause::Closed);
    }
    if !pull_request.merged && facts.revision.as_ref() != Some(&pull_request.head) {
        return superseded(Cause::HeadChanged);
    }
    if let (Some(requested_at), Some(changed_at)) = (facts.requested_at, pull_request.base_changed_at)
        // GitHub tells whole seconds: within the one of asking it is not known which came first.
        && changed_at.as_second() >= requested_at.as_second()
    {
        return superseded(Cause::BaseChanged(changed_at));
    }
    let deadline = deadline(rule, facts)?;
    let over = facts.now >= deadline && !is_settled(rule, facts);
    over.then(|| Judgment::of(Verdict::Expired, Cause::DeadlinePassed(deadline)))
}

/// Steps 4 to 10: what the people's reviews and the time of day add up to.
fn by_people<'f>(rule: &'f Rule<'f>, facts: &'f Facts, people: &People<'f>) -> Judgment<'f> {
    if let Some(overriding) = overriding(people) {
        return Judgment { overriding: Some(overriding), ..Judgment::of(Verdict::Approved, Cause::Overridden) };
    }
    if people.context.plan.shape.is_none() {
        return Judgment::denied(Cause::NothingRequired);
    }
    let (mut against, mut holding) = (Reasons::new(), Reasons::new());
    for (person, ends) in people.objections() {
        if ends { against.push(Cause::ChangesRequested(person)) } else { holding.push(Cause::ChangesStand(person)) }
    }
    let vetoes = people.vetoes().map(Cause::Vetoed);
    match rule.on_changes_requested() {
        OnChangesRequested::Reject => against.extend(vetoes),
        OnChangesRequested::Block => holding.extend(vetoes),
        OnChangesRequested::Ignore => {}
    }
    if !against.is_empty() {
        return Judgment::with(Verdict::Rejected, against);
    }
    let waiting = || match holding.is_empty() {
        true => Judgment::with(Verdict::Pending, why_pending(people)),
        false => Judgment::with(Verdict::Blocked, holding.clone()),
    };
    let met = holding.is_empty() && people.met();
    // Freeze and window are asked before people are asked and again at release, not between.
    let before_asking = facts.requested_at.is_none() && facts.approved_at.is_none();
    if !met && !before_asking {
        return waiting();
    }
    let passing = passing(rule, facts, smallvec![Cause::RequirementMet]);
    if met || passing.verdict != Verdict::Approved { passing } else { waiting() }
}

/// What would be approved, as far as freezes, windows and the wait timer let it pass.
fn passing<'f>(rule: &'f Rule<'f>, facts: &'f Facts, reasons: Reasons<'f>) -> Judgment<'f> {
    match release(rule, facts) {
        Release::Open => Judgment::with(Verdict::Approved, reasons),
        Release::Denied(held) => Judgment::denied(Cause::Held(held)),
        Release::Wait(until, held) => Judgment { until: Some(until), ..Judgment::of(Verdict::Wait, Cause::Held(held)) },
    }
}

/// Cause approvals are still waited for.
fn why_pending<'f>(people: &People<'f>) -> Reasons<'f> {
    let mut reasons = SmallVec::new();
    for leaf in people.lacking() {
        reasons.push(Cause::QuorumUnmet(leaf));
        if people.is_unsatisfiable(leaf) {
            reasons.push(Cause::Unsatisfiable(leaf));
        }
    }
    if people.context.plan.is_doubtful() {
        reasons.push(Cause::ConditionUnknown);
    }
    reasons.extend(people.unreadable_teams().into_iter().map(Cause::TeamUnreadable));
    if people.context.exclusions.unknown.is_some() {
        reasons.push(Cause::ExclusionUnknown);
    }
    reasons
}
