//! The reasons of a verdict in words, each with its place in the policy.

use super::condition::holds;
use super::decision::{Applies, Reason, Verdict};
use super::eligibility::LeafSet;
use super::facts::Facts;
use super::judge::{Cause, Judgment};
use super::people::People;
use super::schedule::Held;
use crate::ident::{Login, Revision};
use crate::policy::{Condition, Field, FreezeEffect, Leaf, Pattern, RepositoryPattern, Requirement, Rule};

/// Puts the reasons of a verdict into words.
pub(super) struct ReasonText<'a, 'f> {
    pub(super) rule: Option<&'a Rule<'a>>,
    pub(super) facts: &'a Facts,
    pub(super) judgment: &'a Judgment<'f>,
}

impl ReasonText<'_, '_> {
    pub(super) fn reasons(&self) -> Vec<Reason> {
        let reason =
            |cause: &Cause<'_>| Reason { code: cause.code(), text: self.text(cause), source: self.source(cause) };
        self.judgment.ruling.reasons.iter().map(reason).collect()
    }

    /// The decision in one line.
    pub(super) fn summary(&self, reasons: &[Reason]) -> String {
        match (&self.judgment.people, self.judgment.ruling.verdict) {
            (Some(people), Verdict::Approved) if self.judgment.ruling.overriding.is_none() => {
                format!("approved by {}", approvers(people))
            }
            (Some(people), Verdict::Pending) => people.progress(),
            _ => reasons.iter().map(|reason| reason.text.as_str()).collect::<Vec<_>>().join("; "),
        }
    }

    /// `file:line` of the policy that a reason rests on.
    fn source(&self, cause: &Cause<'_>) -> Option<String> {
        let rule = self.rule?;
        let set_at = |field| rule.set_at(field).map(ToString::to_string);
        match cause {
            Cause::NoRule(_) | Cause::PullRequestMissing | Cause::WrongRepository | Cause::WrongBranch => {
                Some(rule.source.to_string())
            }
            Cause::BelowFloor(below) => Some(below.floor.source.to_string()),
            Cause::RequirementMet | Cause::NothingAsked | Cause::NothingRequired => set_at(Field::Require),
            Cause::DeadlinePassed(_) => set_at(Field::Timeout),
            Cause::QuorumUnmet(leaf) => self.leaf(*leaf).map(|leaf| leaf.source.to_string()),
            Cause::Unsatisfiable(leaves) => {
                leaves.iter().find_map(|leaf| self.leaf(leaf)).map(|leaf| leaf.source.to_string())
            }
            Cause::Held(Held::Frozen(freeze, _)) => Some(freeze.source.to_string()),
            Cause::Held(Held::OutOfWindow(_)) => set_at(Field::Window),
            Cause::Held(Held::Timer(_)) => set_at(Field::Wait),
            Cause::Overridden | Cause::OverrideTeamUnreadable(_) => {
                rule.override_by().map(|field| field.source.to_string())
            }
            Cause::WrongRevision
            | Cause::HeadChanged
            | Cause::BaseChanged(_)
            | Cause::Closed
            | Cause::ChangesRequested(_)
            | Cause::ChangesStand(_)
            | Cause::Vetoed(_)
            | Cause::ConditionUnknown
            | Cause::TeamUnreadable(_)
            | Cause::ExclusionUnknown => None,
        }
    }

    fn text(&self, cause: &Cause<'_>) -> String {
        let Facts { target, revision, pull_request, .. } = self.facts;
        let reference =
            || pull_request.as_ref().map(|pull_request| pull_request.reference().to_string()).unwrap_or_default();
        let head = pull_request.as_ref().map(|pull_request| pull_request.head.short()).unwrap_or_default();
        let requested = revision.as_ref().map(Revision::short).unwrap_or_default();
        match cause {
            Cause::RequirementMet => match &self.judgment.people {
                Some(people) => format!("approved by {}", approvers(people)),
                None => "the requirement is met".to_owned(),
            },
            Cause::NothingAsked => format!("{target} needs no approval"),
            Cause::NoRule(Some(why)) => why.in_words(target),
            Cause::NoRule(None) => format!("the rule for {target} does not say who must approve"),
            Cause::BelowFloor(below) => format!("the rule for {target} is below a floor: {}", below.in_words()),
            Cause::NothingRequired => {
                format!(
                    "no part of the requirement for {target} applies to this pull request, and an empty requirement is \
                     never met"
                )
            }
            Cause::QuorumUnmet(leaf) => self.lacks(*leaf),
            Cause::Unsatisfiable(leaves) => self.unsatisfiable(*leaves),
            Cause::ConditionUnknown => self.unknown_conditions(),
            Cause::TeamUnreadable(team) => {
                format!(
                    "the team {team} could not be read: nobody is an approver through it, and everyone may request \
                     changes"
                )
            }
            Cause::OverrideTeamUnreadable(team) => {
                format!("the team {team} could not be read: nobody may override through it")
            }
            Cause::ExclusionUnknown => {
                let people = self.judgment.people.as_ref();
                people.and_then(|people| people.context.exclusions.unknown.clone()).unwrap_or_default()
            }
            Cause::Held(held) => held_text(held, &target.to_string()),
            Cause::Overridden => self.overridden(),
            Cause::PullRequestMissing => format!("{target} needs a pull request, but none was given"),
            Cause::DeadlinePassed(deadline) => {
                let timeout = self.rule.map(|rule| rule.timeout().to_string()).unwrap_or_default();
                format!("not approved within {timeout}, by {deadline}")
            }
            Cause::WrongRepository => self.wrong_repository(),
            Cause::WrongBranch => self.wrong_branch(),
            Cause::WrongRevision if revision.is_none() => "no revision was given".to_owned(),
            Cause::WrongRevision => {
                format!("{requested} is neither the head of {} ({head}) nor its merge commit", reference())
            }
            Cause::HeadChanged => format!("the head is now {head}, but approval was requested for {requested}"),
            Cause::BaseChanged(at) => format!("the base branch was changed at {at}, after approval was requested"),
            Cause::Closed => format!("{} was closed unmerged", reference()),
            Cause::ChangesRequested(person) => format!("{} requested changes on {head}", person.login),
            Cause::ChangesStand(person) => format!("{} requested changes and has not withdrawn this", person.login),
            Cause::Vetoed(veto) => {
                format!("{} requested changes to the same commit on {}", veto.by.login, veto.pull_request)
            }
        }
    }

    fn wrong_repository(&self) -> String {
        let Some(pull_request) = &self.facts.pull_request else { return String::new() };
        let repository = self.rule.map(|rule| rule.repository).unwrap_or_default();
        let allowed: Vec<&str> = repository.iter().map(RepositoryPattern::as_str).collect();
        let allowed = if allowed.is_empty() { "no repository".to_owned() } else { allowed.join(", ") };
        let (reference, given, service) =
            (pull_request.reference(), &pull_request.repository, &self.facts.target.service);
        format!("{reference} is a pull request of {given}, but {service} is deployed from {allowed}")
    }

    fn wrong_branch(&self) -> String {
        let Some(pull_request) = &self.facts.pull_request else { return String::new() };
        let allowed = match self.rule.and_then(|rule| rule.branches) {
            Some(branches) => branches.iter().map(Pattern::as_str).collect::<Vec<_>>().join(", "),
            None => pull_request.default_branch.clone(),
        };
        let (reference, base, target) = (pull_request.reference(), &pull_request.base, &self.facts.target);
        format!("{reference} goes into {base}, but {target} is deployed from {allowed}")
    }

    fn leaf(&self, leaf: usize) -> Option<&Leaf> {
        self.judgment.people.as_ref()?.leaf(leaf)
    }

    fn lacks(&self, leaf: usize) -> String {
        let (Some(people), Some(written)) = (&self.judgment.people, self.leaf(leaf)) else { return String::new() };
        let missing = written.count.saturating_sub(people.have(leaf));
        format!("`{}` lacks {missing} {}", written.name, if missing == 1 { "approval" } else { "approvals" })
    }

    fn unsatisfiable(&self, leaves: LeafSet) -> String {
        let names: Vec<String> =
            leaves.iter().filter_map(|leaf| self.leaf(leaf)).map(|leaf| format!("`{}`", leaf.name)).collect();
        let which = match names.as_slice() {
            [before @ .., last] if !before.is_empty() => {
                format!("{} and {last} can never be met together", before.join(", "))
            }
            one => format!("{} can never be met", one.concat()),
        };
        format!("{which}: too few people are left without those excluded")
    }

    fn unknown_conditions(&self) -> String {
        let conditions = self.rule.and_then(Rule::requirement).map(Requirement::conditions).unwrap_or_default();
        let unknown =
            conditions.into_iter().filter(|condition| holds(condition, self.facts, self.facts.now) == Applies::Unknown);
        let texts: Vec<String> = unknown.map(Condition::to_string).collect();
        format!("it is not known whether this holds, so the stricter case is assumed: {}", texts.join("; "))
    }

    fn overridden(&self) -> String {
        let Some(overriding) = &self.judgment.ruling.overriding else { return String::new() };
        let texts: Vec<String> =
            overriding.given.iter().map(|(person, reason)| format!("{}: {reason}", person.login)).collect();
        format!("overridden by {}", texts.join("; "))
    }
}

fn held_text(held: &Held<'_>, target: &str) -> String {
    match held {
        Held::Frozen(freeze, ends) => {
            let name = freeze.calendar.name();
            match (freeze.effect, ends) {
                (FreezeEffect::Deny, Some(ends)) => format!("{target} is frozen by `{name}` until {ends}"),
                (FreezeEffect::Deny, None) => format!("{target} is frozen by `{name}`"),
                (FreezeEffect::Wait, Some(ends)) => format!("{target} waits until the freeze `{name}` ends at {ends}"),
                (FreezeEffect::Wait, None) => format!("{target} is frozen by `{name}`, which never ends"),
            }
        }
        Held::OutOfWindow(Some(opens)) => format!("{target} waits for its window, which opens at {opens}"),
        Held::OutOfWindow(None) => format!("the window of {target} never opens again"),
        Held::Timer(until) => format!("approved, and waits until {until} before it is released"),
    }
}

/// The people whose approvals count, as part of a sentence.
fn approvers(people: &People<'_>) -> String {
    let logins: Vec<&str> = people.counting().map(|(_, person)| person.login.as_str()).collect();
    if logins.is_empty() { "nobody".to_owned() } else { logins.join(", ") }
}

impl People<'_> {
    /// Whose approvals count, in the order given.
    pub(super) fn counts(&self) -> Vec<Login> {
        self.counting().map(|(_, person)| person.login.clone()).collect()
    }
}
