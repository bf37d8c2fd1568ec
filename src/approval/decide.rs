//! `decide`: from a policy and facts to a decision. The same facts always give the same decision.

use jiff::Timestamp;

use super::decision::{
    DECISION_SCHEMA, Decision, Event, NextAction, NextActionKind, Notify, Overridden, RuleRef, Verdict,
};
use super::facts::{Facts, PullRequest};
use super::judge::{Judgment, Ruling, judge};
use super::people::People;
use super::reasons::ReasonText;
use super::schedule::{deadline, just_after, next_while_approved, next_while_pending};
use crate::ident::{PolicyDigest, UserId};
use crate::policy::{Mode, Policy, Rule};

#[must_use]
pub fn decide(policy: &Policy, facts: &Facts) -> Decision {
    match &policy.rule(&facts.target) {
        Ok(rule) => {
            let below = policy.below_floor(&facts.target.environment, rule);
            build(Some(rule), policy.digest(), facts, &judge(rule, below, facts))
        }
        Err(why) => build(None, policy.digest(), facts, &Judgment::without_rule(Some(*why))),
    }
}

/// Decides under a rule that was pinned with a request. Floors were checked when it was pinned.
#[must_use]
pub fn decide_under(rule: &Rule<'_>, digest: &PolicyDigest, facts: &Facts) -> Decision {
    build(Some(rule), digest, facts, &judge(rule, None, facts))
}

/// Whose request for changes holds or ends the request under the rule. Vetoes from other pull requests are left out.
#[must_use]
pub fn objectors(rule: &Rule<'_>, facts: &Facts) -> Vec<UserId> {
    match (rule.requirement(), &facts.pull_request) {
        (Some(requirement), Some(pull_request)) => {
            let people = People::weigh(rule, requirement, facts, pull_request);
            people.objections().map(|(person, _)| person.id).collect()
        }
        (None, _) | (_, None) => Vec::new(),
    }
}

/// Whose approval of the head stands under the rule, and since when. It need not count.
#[must_use]
pub fn standing_approvals(rule: &Rule<'_>, facts: &Facts) -> Vec<(UserId, Timestamp)> {
    match (rule.requirement(), &facts.pull_request) {
        (Some(requirement), Some(pull_request)) => {
            let people = People::weigh(rule, requirement, facts, pull_request);
            let standing = people.weighed.iter().filter(|weighed| weighed.is_standing_approval());
            standing.filter_map(|weighed| Some((weighed.person()?, weighed.review.submitted_at?))).collect()
        }
        (None, _) | (_, None) => Vec::new(),
    }
}

/// The judgment as a decision, with its texts.
fn build(rule: Option<&Rule<'_>>, digest: &PolicyDigest, facts: &Facts, judgment: &Judgment<'_>) -> Decision {
    let text = ReasonText { rule, facts, judgment };
    let reasons = text.reasons();
    let summary = text.summary(&reasons);
    // A rule with `require: none` looks at no pull request.
    let needs_people = rule.is_none_or(|rule| rule.requirement().is_some());
    let pull_request = facts.pull_request.as_ref().filter(|_| needs_people);
    let with_deadline = rule.filter(|_| needs_people);
    let Judgment { ruling, people } = judgment;
    let people = people.as_ref();
    Decision {
        schema: DECISION_SCHEMA,
        engine: env!("CARGO_PKG_VERSION").to_owned(),
        verdict: ruling.verdict,
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
        deadline: with_deadline.and_then(|rule| deadline(rule, facts)),
        timeout_seconds: with_deadline.map(|rule| rule.timeout().as_secs()),
        until: ruling.until,
        evaluated_at: facts.now,
        next_action: rule.and_then(|rule| next_action(rule, facts, judgment)),
        requirement: people.map(People::part),
        unmet: people.map(People::unmet).unwrap_or_default(),
        counts: people.map(People::counts).unwrap_or_default(),
        reviews: people.map(People::outcomes).unwrap_or_default(),
        reasons,
        overridden: ruling.overriding.as_ref().map(|overriding| Overridden {
            by: overriding.given.iter().map(|(person, _)| person.login.clone()).collect(),
            reason: overriding.given.iter().map(|(_, reason)| reason.as_str()).collect::<Vec<_>>().join("; "),
        }),
        notify: rule
            .and_then(|rule| event(ruling, facts).map(|event| Notify { event, channels: rule.channels(event) })),
        mode: rule.map_or(Mode::Enforce, Rule::mode),
    }
}

/// What happens next without anyone acting.
fn next_action(rule: &Rule<'_>, facts: &Facts, judgment: &Judgment<'_>) -> Option<NextAction> {
    let Judgment { ruling, people } = judgment;
    let approval_ages = || {
        let at = people.as_ref().and_then(People::first_expiry).and_then(just_after)?;
        Some(NextAction { kind: NextActionKind::ApprovalAges, at })
    };
    let override_ends =
        || Some(NextAction { kind: NextActionKind::OverrideEnds, at: ruling.overriding.as_ref()?.ends });
    let first = |of: [Option<NextAction>; 2]| of.into_iter().flatten().min_by_key(|next| (next.at, next.kind));
    // Before the wait is over, an approval may grow too old and a freeze that denies may begin.
    let while_waiting = || {
        let over = ruling.until.map(|at| NextAction { kind: NextActionKind::Evaluate, at });
        [over, approval_ages(), next_while_approved(rule, facts)].into_iter().flatten().min_by_key(|next| next.at)
    };
    match ruling.verdict {
        Verdict::Pending | Verdict::Blocked => first([approval_ages(), next_while_pending(rule, facts)]),
        Verdict::Approved if ruling.overriding.is_some() => override_ends(),
        Verdict::Approved => first([approval_ages(), next_while_approved(rule, facts)]),
        Verdict::Wait => while_waiting(),
        Verdict::Rejected | Verdict::Expired | Verdict::Superseded | Verdict::Denied => None,
    }
}

/// The event that the decision stands for. `None` if the request was opened already, or the release waits.
fn event(ruling: &Ruling<'_>, facts: &Facts) -> Option<Event> {
    match ruling.verdict {
        Verdict::Pending => facts.requested_at.is_none().then_some(Event::Requested),
        Verdict::Blocked => Some(Event::Blocked),
        Verdict::Approved if ruling.overriding.is_some() => Some(Event::Overridden),
        Verdict::Approved => Some(Event::Approved),
        Verdict::Wait => None,
        Verdict::Rejected => Some(Event::Rejected),
        Verdict::Expired => Some(Event::Expired),
        Verdict::Superseded => Some(Event::Superseded),
        Verdict::Denied => Some(Event::Denied),
    }
}
