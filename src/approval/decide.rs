//! `decide`: a policy and facts in, a decision out. Pure: the same facts give the same decision, always.

use super::decision::{
    DECISION_SCHEMA, Decision, Event, Mode, NextAction, NextActionKind, Notify, Reason, ReasonCode, RuleRef, Verdict,
};
use super::facts::{Facts, PullRequest, PullRequestState, Veto};
use super::outcome::{People, weigh_people};
use crate::ident::{PolicyDigest, Revision, UserId};
use crate::policy::{NoRule, OnChangesRequested, Pattern, Policy, RepositoryPattern, Require, Rule};

/// Decides under a policy.
#[must_use]
pub fn decide(policy: &Policy, facts: &Facts) -> Decision {
    match policy.rule(&facts.target) {
        Ok(rule) => decide_under(&rule, policy.digest(), facts),
        Err(why) => without_rule(policy.digest(), facts, why),
    }
}

/// Decides under one rule, as it was pinned with a request.
#[must_use]
pub fn decide_under(rule: &Rule<'_>, digest: &PolicyDigest, facts: &Facts) -> Decision {
    let answer = answer(rule, facts);
    build(rule, digest, facts, answer)
}

/// Whose request for changes stands against the pull request under the rule, without vetoes from elsewhere.
#[must_use]
pub fn objectors(rule: &Rule<'_>, facts: &Facts) -> Vec<UserId> {
    match (rule.requirement(), &facts.pull_request) {
        (Some(requirement), Some(pull_request)) => {
            weigh_people(rule, requirement, facts, pull_request).objectors().map(|person| person.id).collect()
        }
        (None, _) | (_, None) => Vec::new(),
    }
}

/// The verdict with what it rests on.
struct Answer {
    verdict: Verdict,
    summary: String,
    reasons: Vec<Reason>,
    people: Option<People>,
}

impl Answer {
    fn denied(code: ReasonCode, text: impl Into<String>, source: Option<String>) -> Self {
        Self::ended(Verdict::Denied, Reason { code, text: text.into(), source })
    }

    fn ended(verdict: Verdict, reason: Reason) -> Self {
        Self { verdict, summary: reason.text.clone(), reasons: vec![reason], people: None }
    }
}

fn answer(rule: &Rule<'_>, facts: &Facts) -> Answer {
    let requirement = match rule.require().map(|require| &require.value) {
        None => {
            let text = format!("the rule for {} says nothing about who must approve", facts.target);
            return Answer::denied(ReasonCode::NoRule, text, Some(rule.source.to_string()));
        }
        Some(Require::Nobody) => {
            let source = rule.set_at(crate::policy::Field::Require).map(ToString::to_string);
            let text = format!("{} needs no approval", facts.target);
            return Answer::ended(Verdict::Approved, Reason { code: ReasonCode::NothingAsked, text, source });
        }
        Some(Require::People(requirement)) => requirement,
    };
    let pull_request = match fitting(rule, facts) {
        Ok(pull_request) => pull_request,
        Err(denied) => return *denied,
    };
    let people = weigh_people(rule, requirement, facts, pull_request);
    let mut answer = superseded(facts, pull_request)
        .or_else(|| expired(rule, facts))
        .unwrap_or_else(|| by_people(rule, facts, pull_request, &people));
    answer.people = Some(people);
    answer
}

/// Step 1: the pull request is one that the rule is about.
fn fitting<'f>(rule: &Rule<'_>, facts: &'f Facts) -> Result<&'f PullRequest, Box<Answer>> {
    let source = || Some(rule.source.to_string());
    let Some(pull_request) = &facts.pull_request else {
        let text = format!("{} needs a pull request, and none was given", facts.target);
        return Err(Box::new(Answer::denied(ReasonCode::PullRequestMissing, text, source())));
    };
    if !rule.repository.iter().any(|pattern| pattern.matches(&pull_request.repository)) {
        let allowed: Vec<&str> = rule.repository.iter().map(RepositoryPattern::as_str).collect();
        let allowed = if allowed.is_empty() { "no repository at all".to_owned() } else { allowed.join(", ") };
        let text = format!(
            "{} is a pull request of {}, and {} is deployed from {allowed}",
            pull_request.reference(),
            pull_request.repository,
            facts.target.service
        );
        return Err(Box::new(Answer::denied(ReasonCode::WrongRepository, text, source())));
    }
    let fits = match rule.branches {
        Some(branches) => branches.iter().any(|branch| branch.matches(&pull_request.base)),
        None => pull_request.base == pull_request.default_branch,
    };
    if !fits {
        let allowed = match rule.branches {
            Some(branches) => branches.iter().map(Pattern::as_str).collect::<Vec<_>>().join(", "),
            None => pull_request.default_branch.clone(),
        };
        let text = format!(
            "{} goes into {}, and {} is deployed from {allowed}",
            pull_request.reference(),
            pull_request.base,
            facts.target
        );
        return Err(Box::new(Answer::denied(ReasonCode::WrongBranch, text, source())));
    }
    wrong_revision(facts, pull_request).map_or(Ok(pull_request), |denied| Err(Box::new(denied)))
}

/// The revision must be the head or, once merged, the merge commit. Where people were asked already, another head of an
/// open pull request supersedes instead, and so does closing it.
fn wrong_revision(facts: &Facts, pull_request: &PullRequest) -> Option<Answer> {
    let fits = facts.revision.as_ref().is_some_and(|revision| {
        *revision == pull_request.head || (pull_request.merged && Some(revision) == pull_request.merge_commit.as_ref())
    });
    let closed = pull_request.state == PullRequestState::Closed && !pull_request.merged;
    if fits || closed || (facts.requested_at.is_some() && !pull_request.merged) {
        return None;
    }
    let text = match &facts.revision {
        Some(revision) => format!(
            "{} is neither the head of {} ({}) nor its merge commit",
            revision.short(),
            pull_request.reference(),
            pull_request.head.short()
        ),
        None => "no revision was given".to_owned(),
    };
    Some(Answer::denied(ReasonCode::WrongRevision, text, None))
}

/// Step 2: the head or the base is not what people were asked for, or the pull request was closed.
fn superseded(facts: &Facts, pull_request: &PullRequest) -> Option<Answer> {
    let closed = pull_request.state == PullRequestState::Closed && !pull_request.merged;
    let (code, text) = if closed {
        (ReasonCode::Closed, format!("{} was closed unmerged", pull_request.reference()))
    } else if !pull_request.merged && facts.revision.as_ref() != Some(&pull_request.head) {
        let asked = facts.revision.as_ref().map(Revision::short).unwrap_or_default();
        (ReasonCode::HeadChanged, format!("the head is now {}, and {asked} was asked for", pull_request.head.short()))
    } else if let (Some(requested_at), Some(changed_at)) = (facts.requested_at, pull_request.base_changed_at)
        // GitHub tells whole seconds: within the one of asking it is not known which came first.
        && changed_at.as_second() >= requested_at.as_second()
    {
        (ReasonCode::BaseChanged, format!("the base branch was changed at {changed_at}, after people were asked"))
    } else {
        return None;
    };
    Some(Answer::ended(Verdict::Superseded, Reason { code, text, source: None }))
}

/// Step 3: the deadline came, and the request was not settled before.
fn expired(rule: &Rule<'_>, facts: &Facts) -> Option<Answer> {
    let deadline = deadline(rule, facts)?;
    if facts.now < deadline || facts.approved_at.is_some_and(|approved_at| approved_at < deadline) {
        return None;
    }
    let text = format!("not approved within {}, by {deadline}", rule.timeout());
    let source = rule.set_at(crate::policy::Field::Timeout).map(ToString::to_string);
    Some(Answer::ended(Verdict::Expired, Reason { code: ReasonCode::DeadlinePassed, text, source }))
}

fn deadline(rule: &Rule<'_>, facts: &Facts) -> Option<jiff::Timestamp> {
    let requested_at = facts.requested_at?;
    Some(requested_at.checked_add(rule.timeout().signed()).unwrap_or(jiff::Timestamp::MAX))
}

/// Steps 5, 7, 8 and 10: what the people's reviews add up to.
fn by_people(rule: &Rule<'_>, facts: &Facts, pull_request: &PullRequest, people: &People) -> Answer {
    let source = || rule.set_at(crate::policy::Field::Require).map(ToString::to_string);
    let vetoes = standing_vetoes(rule, facts, people);
    let mut against: Vec<Reason> = people
        .rejecting
        .iter()
        .map(|person| {
            let text = format!("{} requested changes on {}", person.login, pull_request.head.short());
            Reason { code: ReasonCode::ChangesRequested, text, source: None }
        })
        .collect();
    let mut holding: Vec<Reason> = people
        .blocking
        .iter()
        .map(|person| {
            let text = format!("{} requested changes, and has not withdrawn that", person.login);
            Reason { code: ReasonCode::ChangesRequested, text, source: None }
        })
        .collect();
    let vetoed = vetoes.into_iter().map(|veto| Reason {
        code: ReasonCode::Vetoed,
        text: format!("{} requested changes of the same commit on {}", veto.by.login, veto.pull_request),
        source: None,
    });
    match rule.on_changes_requested() {
        OnChangesRequested::Reject => against.extend(vetoed),
        OnChangesRequested::Block => holding.extend(vetoed),
        OnChangesRequested::Ignore => {}
    }
    if !against.is_empty() {
        return Answer { verdict: Verdict::Rejected, summary: joined(&against), reasons: against, people: None };
    }
    if !holding.is_empty() {
        return Answer { verdict: Verdict::Blocked, summary: joined(&holding), reasons: holding, people: None };
    }
    let (verdict, reasons) = if people.met() {
        let by = if people.counts.is_empty() { "nobody".to_owned() } else { people.approvers() };
        let text = format!("approved by {by}");
        (Verdict::Approved, vec![Reason { code: ReasonCode::RequirementMet, text, source: source() }])
    } else {
        (Verdict::Pending, people.why_pending())
    };
    Answer { verdict, summary: people.summary(verdict), reasons, people: None }
}

/// Vetoes from other pull requests that their givers have not lifted by approving this one since.
fn standing_vetoes<'f>(rule: &Rule<'_>, facts: &'f Facts, people: &People) -> Vec<&'f Veto> {
    if rule.on_changes_requested() == OnChangesRequested::Ignore {
        return Vec::new();
    }
    facts.vetoes.iter().filter(|veto| !people.approved_since(&veto.by, veto.at)).collect()
}

fn joined(reasons: &[Reason]) -> String {
    reasons.iter().map(|reason| reason.text.as_str()).collect::<Vec<_>>().join("; ")
}

fn build(rule: &Rule<'_>, digest: &PolicyDigest, facts: &Facts, answer: Answer) -> Decision {
    let Answer { verdict, summary, reasons, people } = answer;
    let asks = rule.requirement().is_some();
    let deadline = asks.then(|| deadline(rule, facts)).flatten();
    let pull_request = facts.pull_request.as_ref().filter(|_| asks);
    let mut decision = blank(digest, facts, verdict, summary);
    decision.rule = Some(RuleRef {
        service_selector: rule.service_selector.into(),
        environment_selector: rule.environment_selector.into(),
        source: rule.source.to_string(),
    });
    decision.pull_request = pull_request.map(PullRequest::reference);
    decision.head = pull_request.map(|pull_request| pull_request.head.clone());
    decision.deadline = deadline;
    decision.timeout_seconds = asks.then(|| rule.timeout().as_secs());
    decision.next_action = next_action(verdict, deadline, people.as_ref());
    decision.reasons = reasons;
    decision.notify = event(verdict, facts).map(|event| Notify { event, channels: rule.channels(event) });
    if let Some(people) = people {
        decision.requirement = Some(people.requirement);
        decision.unmet = people.unmet;
        decision.counts = people.counts;
        decision.reviews = people.reviews;
    }
    decision
}

/// What every decision has, whatever the rule.
fn blank(digest: &PolicyDigest, facts: &Facts, verdict: Verdict, summary: String) -> Decision {
    Decision {
        schema: DECISION_SCHEMA,
        engine: env!("CARGO_PKG_VERSION").to_owned(),
        verdict,
        summary,
        target: facts.target.clone(),
        rule: None,
        policy_digest: digest.clone(),
        pull_request: facts.pull_request.as_ref().map(PullRequest::reference),
        revision: facts.revision.clone(),
        head: facts.pull_request.as_ref().map(|pull_request| pull_request.head.clone()),
        requested_at: facts.requested_at,
        deadline: None,
        timeout_seconds: None,
        until: None,
        evaluated_at: facts.now,
        next_action: None,
        requirement: None,
        unmet: Vec::new(),
        counts: Vec::new(),
        reviews: Vec::new(),
        reasons: Vec::new(),
        overridden: None,
        notify: None,
        mode: Mode::Enforce,
    }
}

fn without_rule(digest: &PolicyDigest, facts: &Facts, why: NoRule<'_>) -> Decision {
    let text = why.in_words(&facts.target);
    let mut decision = blank(digest, facts, Verdict::Denied, text.clone());
    decision.reasons = vec![Reason { code: ReasonCode::NoRule, text, source: None }];
    decision
}

/// What comes first without anyone acting.
fn next_action(verdict: Verdict, deadline: Option<jiff::Timestamp>, people: Option<&People>) -> Option<NextAction> {
    let ages = people
        .and_then(|people| people.first_expiry)
        .and_then(|last| last.checked_add(jiff::SignedDuration::from_nanos(1)).ok())
        .map(|at| NextAction { kind: NextActionKind::ApprovalAges, at });
    let expires = deadline.map(|at| NextAction { kind: NextActionKind::Expire, at });
    match verdict {
        Verdict::Pending | Verdict::Blocked => {
            [ages, expires].into_iter().flatten().min_by_key(|next| (next.at, next.kind))
        }
        Verdict::Approved => ages,
        Verdict::Wait | Verdict::Rejected | Verdict::Expired | Verdict::Superseded | Verdict::Denied => None,
    }
}

/// What the decision is news of. People who were asked already are not told again that they are.
fn event(verdict: Verdict, facts: &Facts) -> Option<Event> {
    match verdict {
        Verdict::Pending => facts.requested_at.is_none().then_some(Event::Requested),
        Verdict::Blocked => Some(Event::Blocked),
        Verdict::Approved => Some(Event::Approved),
        Verdict::Wait => None,
        Verdict::Rejected => Some(Event::Rejected),
        Verdict::Expired => Some(Event::Expired),
        Verdict::Superseded => Some(Event::Superseded),
        Verdict::Denied => Some(Event::Denied),
    }
}
