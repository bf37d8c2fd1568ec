//! `decide`: a policy and facts in, a decision out. Pure: the same facts give the same decision, always.

use super::decision::{
    DECISION_SCHEMA, Decision, Event, NextAction, NextActionKind, Notify, Overridden, RuleRef, Verdict,
};
use super::facts::{Facts, PullRequest};
use super::judge::{Judgment, judge};
use super::people::People;
use super::reasons::ReasonText;
use super::review::ReviewContext;
use super::schedule::{deadline, just_after, next_while_approved, next_while_asking};
use crate::ident::{PolicyDigest, UserId};
use crate::policy::{Mode, Policy, Rule};

/// Decides under a policy.
#[must_use]
pub fn decide(policy: &Policy, facts: &Facts) -> Decision {
    match policy.rule(&facts.target) {
        Ok(rule) => {
            let below = policy.below_floor(&facts.target.environment, &rule);
            let judgment = judge(&rule, below, facts);
            build(Some(&rule), policy.digest(), facts, &judgment)
        }
        Err(why) => build(None, policy.digest(), facts, &Judgment::without_rule(Some(why))),
    }
}

/// Decides under one rule, as it was pinned with a request. It was above every floor then.
#[must_use]
pub fn decide_under(rule: &Rule<'_>, digest: &PolicyDigest, facts: &Facts) -> Decision {
    build(Some(rule), digest, facts, &judge(rule, None, facts))
}

/// Whose request for changes stands against the pull request under the rule, without vetoes from elsewhere.
#[must_use]
pub fn objectors(rule: &Rule<'_>, facts: &Facts) -> Vec<UserId> {
    match (rule.requirement(), &facts.pull_request) {
        (Some(requirement), Some(pull_request)) => {
            let people = People::weigh(ReviewContext::new(rule, requirement, facts, pull_request));
            people.objections().map(|(person, _)| person.id).collect()
        }
        (None, _) | (_, None) => Vec::new(),
    }
}

/// The judgment in words, with everything that is shown of it.
fn build(rule: Option<&Rule<'_>>, digest: &PolicyDigest, facts: &Facts, judgment: &Judgment<'_>) -> Decision {
    let speaker = ReasonText { rule, facts, judgment };
    let reasons = speaker.reasons();
    let summary = speaker.summary(&reasons);
    // Where a rule asks for nobody, no pull request is looked at.
    let asks = rule.is_none_or(|rule| rule.requirement().is_some());
    let pull_request = facts.pull_request.as_ref().filter(|_| asks);
    let asking = rule.filter(|_| asks);
    let people = judgment.people.as_ref();
    Decision {
        schema: DECISION_SCHEMA,
        engine: env!("CARGO_PKG_VERSION").to_owned(),
        verdict: judgment.verdict,
        summary,
        target: facts.target.clone(),
        rule: rule.map(|rule| RuleRef {
            service_selector: rule.service_selector.into(),
            environment_selector: rule.environment_selector.into(),
            source: rule.source.to_string(),
        }),
        policy_digest: digest.clone(),
        pull_request: pull_request.map(PullRequest::reference),
        revision: facts.revision.clone(),
        head: pull_request.map(|pull_request| pull_request.head.clone()),
        requested_at: facts.requested_at,
        deadline: asking.and_then(|rule| deadline(rule, facts)),
        timeout_seconds: asking.map(|rule| rule.timeout().as_secs()),
        until: judgment.until,
        evaluated_at: facts.now,
        next_action: rule.and_then(|rule| next_action(rule, facts, judgment)),
        requirement: people.map(People::part),
        unmet: people.map(People::unmet).unwrap_or_default(),
        counts: people.map(People::counts).unwrap_or_default(),
        reviews: people.map(People::outcomes).unwrap_or_default(),
        reasons,
        overridden: judgment.overriding.as_ref().map(|overriding| Overridden {
            by: overriding.given.iter().map(|(person, _)| person.login.clone()).collect(),
            reason: overriding.given.iter().map(|(_, reason)| reason.as_str()).collect::<Vec<_>>().join("; "),
        }),
        notify: rule
            .and_then(|rule| event(judgment, facts).map(|event| Notify { event, channels: rule.channels(event) })),
        mode: rule.map_or(Mode::Enforce, Rule::mode),
    }
}

/// What comes first without anyone acting.
fn next_action(rule: &Rule<'_>, facts: &Facts, judgment: &Judgment<'_>) -> Option<NextAction> {
    let people = judgment.people.as_ref();
    let ages = || {
        let at = people.and_then(People::first_expiry).and_then(just_after)?;
        Some(NextAction { kind: NextActionKind::ApprovalAges, at })
    };
    let override_ends =
        || Some(NextAction { kind: NextActionKind::OverrideEnds, at: judgment.overriding.as_ref()?.ends });
    let first = |of: [Option<NextAction>; 2]| of.into_iter().flatten().min_by_key(|next| (next.at, next.kind));
    // An approval may age, and a freeze that denies may begin, before the wait is over.
    let while_waiting = || {
        let over = judgment.until.map(|at| NextAction { kind: NextActionKind::Evaluate, at });
        [over, ages(), next_while_approved(rule, facts)].into_iter().flatten().min_by_key(|next| next.at)
    };
    match judgment.verdict {
        Verdict::Pending | Verdict::Blocked => first([ages(), next_while_asking(rule, facts)]),
        Verdict::Approved if judgment.overriding.is_some() => override_ends(),
        Verdict::Approved => first([ages(), next_while_approved(rule, facts)]),
        Verdict::Wait => while_waiting(),
        Verdict::Rejected | Verdict::Expired | Verdict::Superseded | Verdict::Denied => None,
    }
}

/// What the decision is news of. People who were asked already are not told again that they are.
fn event(judgment: &Judgment<'_>, facts: &Facts) -> Option<Event> {
    match judgment.verdict {
        Verdict::Pending => facts.requested_at.is_none().then_some(Event::Requested),
        Verdict::Blocked => Some(Event::Blocked),
        Verdict::Approved if judgment.overriding.is_some() => Some(Event::Overridden),
        Verdict::Approved => Some(Event::Approved),
        Verdict::Wait => None,
        Verdict::Rejected => Some(Event::Rejected),
        Verdict::Expired => Some(Event::Expired),
        Verdict::Superseded => Some(Event::Superseded),
        Verdict::Denied => Some(Event::Denied),
    }
}
