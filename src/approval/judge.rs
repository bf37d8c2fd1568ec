//! The verdict and its reasons as data: the first step of the language's order that applies. No texts here.

use smallvec::{SmallVec, smallvec};

use super::break_glass::{Overriding, overriding, unreadable_overriders};
use super::decision::{ReasonCode, Verdict};
use super::eligibility::LeafSet;
use super::facts::{Facts, Person, PullRequest, PullRequestState, Veto};
use super::people::People;
use super::schedule::{Held, Release, deadline, is_settled, release};
use crate::ident::TeamSlug;
use crate::policy::{Below, NoRule, OnChangesRequested, Policy, Require, Requirement, Rule};

/// A ruling, with the reviews that it rests on.
pub(super) struct Judgment<'f> {
    pub(super) ruling: Ruling<'f>,
    /// `None` if no review was looked at.
    pub(super) people: Option<People<'f>>,
}

/// A verdict and its reasons.
pub(super) struct Ruling<'f> {
    pub(super) verdict: Verdict,
    pub(super) reasons: Reasons<'f>,
    pub(super) overriding: Option<Overriding<'f>>,
    /// When to decide again, if the verdict is `wait`.
    pub(super) until: Option<jiff::Timestamp>,
}

type Reasons<'f> = SmallVec<[Cause<'f>; 2]>;

/// A reason of a verdict, with what it is about.
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
    /// These cannot be met together.
    Unsatisfiable(LeafSet),
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

impl<'f> Ruling<'f> {
    fn of(verdict: Verdict, cause: Cause<'f>) -> Self {
        Self::with(verdict, smallvec![cause])
    }

    const fn with(verdict: Verdict, reasons: Reasons<'f>) -> Self {
        Self { verdict, reasons, overriding: None, until: None }
    }

    fn denied(cause: Cause<'f>) -> Self {
        Self::of(Verdict::Denied, cause)
    }
}

impl<'f> From<Ruling<'f>> for Judgment<'f> {
    fn from(ruling: Ruling<'f>) -> Self {
        Self { ruling, people: None }
    }
}

impl<'f> Judgment<'f> {
    pub(super) fn without_rule(why: Option<NoRule<'f>>) -> Self {
        Ruling::denied(Cause::NoRule(why)).into()
    }
}

/// The verdict of [`super::decide`] alone, without any text.
#[must_use]
pub fn verdict(policy: &Policy, facts: &Facts) -> Verdict {
    let Ok(rule) = &policy.rule(&facts.target) else { return Verdict::Denied };
    match reviewed(rule, policy.below_floor(&facts.target.environment, rule), facts) {
        Ok((requirement, pull_request)) => {
            ruling(rule, facts, pull_request, &People::weigh(rule, requirement, facts, pull_request)).verdict
        }
        Err(ruling) => ruling.verdict,
    }
}

/// Judges the facts under one rule. `below` is the floor that the rule falls below, if any.
pub(super) fn judge<'f>(rule: &'f Rule<'f>, below: Option<Below<'f>>, facts: &'f Facts) -> Judgment<'f> {
    match reviewed(rule, below, facts) {
        Ok((requirement, pull_request)) => {
            let people = People::weigh(rule, requirement, facts, pull_request);
            Judgment { ruling: ruling(rule, facts, pull_request, &people), people: Some(people) }
        }
        Err(ruling) => (*ruling).into(),
    }
}

/// What the reviews must meet, and whose reviews they are, unless the ruling does not depend on reviews.
#[inline]
fn reviewed<'f>(
    rule: &'f Rule<'f>,
    below: Option<Below<'f>>,
    facts: &'f Facts,
) -> Result<(&'f Requirement, &'f PullRequest), Box<Ruling<'f>>> {
    if let Some(below) = below {
        return Err(Box::new(Ruling::denied(Cause::BelowFloor(Box::new(below)))));
    }
    let requirement = match rule.require() {
        None => return Err(Box::new(Ruling::denied(Cause::NoRule(None)))),
        Some(Require::Nobody) => return Err(Box::new(passing(rule, facts, Cause::NothingAsked))),
        Some(Require::People(requirement)) => requirement,
    };
    let pull_request = required_pull_request(rule, facts).map_err(|cause| Box::new(Ruling::denied(cause)))?;
    Ok((requirement, pull_request))
}

fn ruling<'f>(rule: &'f Rule<'f>, facts: &'f Facts, pull_request: &'f PullRequest, people: &People<'f>) -> Ruling<'f> {
    let mut ruling = ended(rule, facts, pull_request).unwrap_or_else(|| by_people(rule, facts, people));
    if ruling.verdict != Verdict::Approved {
        ruling.reasons.extend(unreadable_overriders(people).into_iter().map(Cause::OverrideTeamUnreadable));
    }
    ruling
}

/// Step 1: there is a pull request, and its repository, branch and revision fit the rule.
fn required_pull_request<'f>(rule: &Rule<'_>, facts: &'f Facts) -> Result<&'f PullRequest, Cause<'f>> {
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

/// The revision must be the head or, once merged, the merge commit. After the request was opened, a new head of an open pull
/// request supersedes instead, and so does closing it.
fn is_wrong_revision(facts: &Facts, pull_request: &PullRequest) -> bool {
    let fits = facts.revision.as_ref().is_some_and(|revision| {
        *revision == pull_request.head || (pull_request.merged && Some(revision) == pull_request.merge_commit.as_ref())
    });
    let closed = pull_request.state == PullRequestState::Closed && !pull_request.merged;
    !(fits || closed || (facts.requested_at.is_some() && !pull_request.merged))
}

/// Steps 2 and 3: the head or the base has changed since the request was opened, the pull request was closed, or the
/// deadline came before the request was settled.
fn ended<'f>(rule: &Rule<'_>, facts: &Facts, pull_request: &PullRequest) -> Option<Ruling<'f>> {
    let superseded = |cause| Some(Ruling::of(Verdict::Superseded, cause));
    if pull_request.state == PullRequestState::Closed && !pull_request.merged {
        return superseded(Cause::Closed);
    }
    if !pull_request.merged && facts.revision.as_ref() != Some(&pull_request.head) {
        return superseded(Cause::HeadChanged);
    }
    if let (Some(requested_at), Some(changed_at)) = (facts.requested_at, pull_request.base_changed_at)
        // GitHub gives whole seconds: within the same second it is not known which came first.
        && changed_at.as_second() >= requested_at.as_second()
    {
        return superseded(Cause::BaseChanged(changed_at));
    }
    let deadline = deadline(rule, facts)?;
    let over = facts.now >= deadline && !is_settled(rule, facts);
    over.then(|| Ruling::of(Verdict::Expired, Cause::DeadlinePassed(deadline)))
}

/// Steps 4 to 10: what the reviews and the time of day add up to.
fn by_people<'f>(rule: &'f Rule<'f>, facts: &'f Facts, people: &People<'f>) -> Ruling<'f> {
    if let Some(overriding) = overriding(people) {
        return Ruling { overriding: Some(overriding), ..Ruling::of(Verdict::Approved, Cause::Overridden) };
    }
    if people.context.plan.shape.is_none() {
        return Ruling::denied(Cause::NothingRequired);
    }
    let (mut rejecting, mut holding) = (Reasons::new(), Reasons::new());
    for (person, rejects) in people.objections() {
        match rejects {
            true => rejecting.push(Cause::ChangesRequested(person)),
            false => holding.push(Cause::ChangesStand(person)),
        }
    }
    let vetoes = people.vetoes().map(Cause::Vetoed);
    match rule.on_changes_requested() {
        OnChangesRequested::Reject => rejecting.extend(vetoes),
        OnChangesRequested::Block => holding.extend(vetoes),
        OnChangesRequested::Ignore => {}
    }
    if !rejecting.is_empty() {
        return Ruling::with(Verdict::Rejected, rejecting);
    }
    if holding.is_empty() && people.met() {
        return passing(rule, facts, Cause::RequirementMet);
    }
    // Freezes and windows are looked at before the request is opened and again at release, not in between.
    if facts.requested_at.is_none() && facts.approved_at.is_none() {
        let held = passing(rule, facts, Cause::RequirementMet);
        if held.verdict != Verdict::Approved {
            return held;
        }
    }
    match holding.is_empty() {
        true => Ruling::with(Verdict::Pending, why_pending(people)),
        false => Ruling::with(Verdict::Blocked, holding),
    }
}

/// Approved, unless a freeze, a window or the wait timer holds the release.
fn passing<'f>(rule: &'f Rule<'f>, facts: &'f Facts, cause: Cause<'f>) -> Ruling<'f> {
    match release(rule, facts) {
        Release::Open => Ruling::of(Verdict::Approved, cause),
        Release::Denied(held) => Ruling::denied(Cause::Held(held)),
        Release::Wait(until, held) => Ruling { until: Some(until), ..Ruling::of(Verdict::Wait, Cause::Held(held)) },
    }
}

/// Why the request still waits for approvals.
fn why_pending<'f>(people: &People<'f>) -> Reasons<'f> {
    let mut reasons: Reasons<'f> = people.lacking().iter().map(Cause::QuorumUnmet).collect();
    reasons.extend(people.impossible().into_iter().map(Cause::Unsatisfiable));
    if people.context.plan.is_doubtful() {
        reasons.push(Cause::ConditionUnknown);
    }
    reasons.extend(people.unreadable_teams().into_iter().map(Cause::TeamUnreadable));
    if people.context.exclusions.unknown.is_some() {
        reasons.push(Cause::ExclusionUnknown);
    }
    reasons
}
