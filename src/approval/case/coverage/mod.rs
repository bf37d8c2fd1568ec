//! Which parts of a policy the cases cover. Looks at decisions, and makes none.
//!
//! A *part* is something written in the policy. It should be seen in one or more *ways*, each of which is counted.

mod part;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::ptr;

pub use part::{KindReport, Missed, PartKind, Report, Way};

use super::super::condition::holds;
use super::super::decision::{Applies, Decision, Part, ReasonCode};
use super::super::facts::Facts;
use crate::policy::{Calendar, Condition, Freeze, Place, Policy, Requirement, Rule, RuleBody, Setting};

/// The parts of a policy that decisions have covered so far.
#[derive(Debug)]
pub struct Coverage<'p> {
    policy: &'p Policy,
    parts: Vec<Declared<'p>>,
    /// The index of each part. The address distinguishes two parts in one line; the kind distinguishes two parts that
    /// begin at the same address.
    by_address: HashMap<(PartKind, *const ()), usize>,
}

#[derive(Debug)]
struct Declared<'p> {
    kind: PartKind,
    name: String,
    place: &'p Place,
    /// One for each of the ways of its kind.
    seen: Vec<bool>,
}

impl<'p> Coverage<'p> {
    #[must_use]
    pub fn new(policy: &'p Policy) -> Self {
        let mut coverage = Self { policy, parts: Vec::new(), by_address: HashMap::new() };
        for calendar in policy.calendars().values() {
            coverage.declare(
                PartKind::Calendar,
                format!("calendar `{}`", calendar.name()),
                calendar.source(),
                &**calendar,
            );
        }
        coverage.declare_settings(policy.default_body());
        for (key, layer) in policy.environments() {
            coverage.declare_layer(format!("environment `{key}`"), &layer.source, &layer.body);
        }
        for (service_key, service) in policy.services() {
            coverage.declare(PartKind::Service, format!("service `{service_key}`"), &service.source, &service.source);
            for (key, layer) in service.environments.iter() {
                let name = format!("environment `{key}` of service `{service_key}`");
                coverage.declare_layer(name, &layer.source, &layer.body);
            }
        }
        coverage
    }

    fn declare_layer(&mut self, name: String, place: &'p Place, body: &'p RuleBody) {
        self.declare(PartKind::Environment, name, place, body);
        self.declare_settings(body);
    }

    fn declare_settings(&mut self, body: &'p RuleBody) {
        for setting in body.settings() {
            if let Setting::Require(require) = &setting.value
                && let crate::policy::Require::People(requirement) = &**require
            {
                self.declare_requirement(requirement);
            }
            if let Setting::Freeze(freezes) = &setting.value {
                freezes.iter().for_each(|freeze| self.declare_freeze(freeze));
            }
            if let Setting::Override(field) = &setting.value {
                self.declare(PartKind::Override, "override".to_owned(), &field.source, &**field);
            }
        }
    }

    fn declare_freeze(&mut self, freeze: &'p Freeze) {
        let name = format!("freeze `{}`", freeze.calendar.name());
        self.declare(PartKind::Freeze, name, &freeze.source, freeze);
        if let Some(except) = &freeze.except {
            self.declare(PartKind::Condition, format!("except {except}"), &freeze.source, except);
        }
    }

    fn declare_requirement(&mut self, requirement: &'p Requirement) {
        let word = match requirement {
            Requirement::Leaf(_) => None,
            Requirement::AllOf(_) => Some("all_of"),
            Requirement::AnyOf(_) => Some("any_of"),
            Requirement::InOrder(_) => Some("in_order"),
        };
        let names: Vec<String> = requirement.leaves().iter().map(|leaf| format!("`{}`", leaf.name)).collect();
        let names = names.join(", ");
        let name = word.map_or_else(|| names.clone(), |word| format!("`{word}` of {names}"));
        self.declare(PartKind::Requirement, name, requirement.source(), requirement);
        if let Some(when) = requirement.when() {
            self.declare(PartKind::Condition, format!("when {when}"), requirement.source(), when);
        }
        requirement.parts().iter().for_each(|part| self.declare_requirement(part));
    }

    fn declare<T>(&mut self, kind: PartKind, name: String, place: &'p Place, part: &'p T) {
        self.by_address.insert((kind, ptr::from_ref(part).cast()), self.parts.len());
        self.parts.push(Declared { kind, name, place, seen: vec![false; kind.ways().len()] });
    }

    fn see<T>(&mut self, kind: PartKind, part: &T, way: Way) {
        let part = self.by_address.get(&(kind, ptr::from_ref(part).cast())).and_then(|at| self.parts.get_mut(*at));
        if let Some(part) = part
            && let Some(seen) =
                part.kind.ways().iter().position(|known| *known == way).and_then(|at| part.seen.get_mut(at))
        {
            *seen = true;
        }
    }

    /// Adds a decision under the policy, with its facts.
    pub fn add(&mut self, facts: &Facts, decision: &Decision) {
        let policy = self.policy;
        if let Some(place) = policy.service_source(&facts.target.service) {
            self.see(PartKind::Service, place, Way::Reached);
        }
        let Ok(rule) = policy.rule(&facts.target) else { return };
        for body in policy.layers(&facts.target) {
            self.see(PartKind::Environment, body, Way::Reached);
        }
        if let (Some(requirement), Some(part)) = (rule.requirement(), &decision.requirement) {
            self.see_requirement(requirement, part);
        }
        for condition in rule.conditions() {
            self.see_condition(condition, facts);
        }
        self.see_times(&rule, facts, decision);
        if let (Some(field), Some(_)) = (rule.override_by(), &decision.overridden) {
            self.see(PartKind::Override, field, Way::Met);
        }
    }

    fn see_condition(&mut self, condition: &Condition, facts: &Facts) {
        match holds(condition, facts, facts.now) {
            Applies::Yes => self.see(PartKind::Condition, condition, Way::Held),
            Applies::No => self.see(PartKind::Condition, condition, Way::NotHeld),
            Applies::Unknown => {}
        }
        for calendar in condition.calendars() {
            self.see_calendar(calendar, facts);
        }
    }

    fn see_times(&mut self, rule: &Rule<'p>, facts: &Facts, decision: &Decision) {
        let frozen = decision.reasons.iter().any(|reason| reason.code == ReasonCode::Frozen);
        for freeze in rule.freeze() {
            self.see_calendar(&freeze.calendar, facts);
            let excepted =
                || freeze.except.as_ref().is_some_and(|except| holds(except, facts, facts.now) == Applies::Yes);
            if frozen && freeze.calendar.contains(facts.now) && !excepted() {
                self.see(PartKind::Freeze, freeze, Way::InForce);
            }
        }
        for calendar in rule.window().unwrap_or_default() {
            self.see_calendar(calendar, facts);
        }
    }

    fn see_calendar(&mut self, calendar: &Calendar, facts: &Facts) {
        self.see(PartKind::Calendar, calendar, if calendar.contains(facts.now) { Way::Inside } else { Way::Outside });
    }

    /// Walks the requirement as written together with the decision's.
    fn see_requirement(&mut self, requirement: &Requirement, part: &Part) {
        if part.applies() != Applies::No {
            self.see(PartKind::Requirement, requirement, if part.met() { Way::Met } else { Way::Unmet });
        }
        let decided: &[Part] = match part {
            Part::Quorum(_) => &[],
            Part::AllOf(group) | Part::AnyOf(group) | Part::InOrder(group) => &group.parts,
        };
        for (requirement, part) in requirement.parts().iter().zip(decided) {
            self.see_requirement(requirement, part);
        }
    }

    #[must_use]
    pub fn report(&self) -> Report {
        let count = |of: &dyn Fn(&Declared<'_>) -> bool| {
            let ways = || self.parts.iter().filter(|part| of(part)).flat_map(|part| &part.seen);
            (ways().filter(|seen| **seen).count(), ways().count())
        };
        let (covered, total) = count(&|_| true);
        let kinds = PartKind::ALL.map(|kind| {
            let (covered, total) = count(&|part| part.kind == kind);
            KindReport { kind, covered, total }
        });
        let mut missed: Vec<&Declared<'_>> = self.parts.iter().filter(|part| part.seen.contains(&false)).collect();
        missed.sort_by_key(|part| (part.place.file(), part.place.line()));
        Report {
            covered,
            total,
            percent: covered.saturating_mul(100).checked_div(total).unwrap_or(100),
            kinds: kinds.into_iter().filter(|kind| kind.total > 0).collect(),
            missed: missed.into_iter().map(Declared::missed).collect(),
        }
    }
}

impl Declared<'_> {
    fn missed(&self) -> Missed {
        let unseen = self.kind.ways().iter().zip(&self.seen).filter(|(_, seen)| !**seen);
        Missed {
            kind: self.kind,
            name: self.name.clone(),
            source: self.place.to_string(),
            missing: unseen.map(|(way, _)| *way).collect(),
            untouched: !self.seen.contains(&true),
        }
    }
}
