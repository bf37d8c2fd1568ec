//! Compares two policies by meaning: which targets become looser, stricter, mixed or different.
//!
//! Pure: no files, no clock. A change counts as looser unless it is known to be stricter or equal.

mod approval;
mod change;
mod choices;
mod example;
mod fields;
mod keys;
mod objections;
mod people;
mod requirement;
mod scope;
mod targets;
#[cfg(test)]
mod tests;
mod times;

use std::collections::HashMap;
use std::sync::Arc;

pub use change::{Change, Diff, Direction, FieldChange, Part, Sides, Subject};

use fields::{Side, Tools, compare};
use keys::{Keys, RuleKey};
use targets::{Environments, services};

use super::Policy;
use super::floor::Below;
use super::rule::Rule;
use super::service::{Layer, Service};
use crate::ident::{ChannelName, EnvironmentName, ServiceName, Target};

/// How many sets of people are tried in all. Changes that need more count as looser.
const MOST_SETS: u32 = 2_000_000;

/// Compares two policies, target by target.
#[must_use]
pub fn diff<'p>(old: &'p Policy, new: &'p Policy) -> Diff<'p> {
    let policies = [old, new];
    let mut comparison = Comparison::new(policies);
    let services = services(policies);
    let mut environments = Environments::new(policies, &services);
    let mut changes = Vec::new();
    for service in services {
        if ServiceName::new(&service.subject.name).is_err() {
            changes.extend(comparison.nameless_service(service.subject));
            continue;
        }
        for environment in environments.of(&service) {
            changes.extend(comparison.target(&service.subject, environment));
        }
    }
    Diff { changes }
}

/// Two policies, and the rules that were compared already.
struct Comparison<'p> {
    policies: [&'p Policy; 2],
    keys: Keys,
    budget: u32,
    /// The channels whose addresses change.
    moved: Vec<&'p ChannelName>,
    /// The changes between two rules. Most targets of a bundle have one of a few rules.
    compared: HashMap<[Option<RuleKey>; 2], Arc<[FieldChange]>>,
}

impl<'p> Comparison<'p> {
    fn new(policies: [&'p Policy; 2]) -> Self {
        let [old, new] = policies;
        let is_moved = |name: &&ChannelName| {
            let addresses = |policy: &'p Policy| policy.channels.get(*name);
            addresses(new).is_some_and(|now| Some(now) != addresses(old))
        };
        let moved = old.channels.keys().filter(is_moved).collect();
        Self { policies, keys: Keys::default(), budget: MOST_SETS, moved, compared: HashMap::new() }
    }

    /// `None` if nothing changes for the target.
    fn target(&mut self, service: &Subject, environment: Subject) -> Option<Change<'p>> {
        let (name, other) = (ServiceName::new(&service.name), EnvironmentName::new(&environment.name));
        let (Ok(name), Ok(other)) = (name, other) else { return self.nameless_environment(service, environment) };
        let target = Target { service: name, environment: other };
        let rules = self.policies.map(|policy| policy.rule(&target).ok());
        let below = |at: usize, rule: &Option<Rule<'p>>| -> Option<String> {
            let policy = self.policies.get(at)?;
            policy.below_floor(&target.environment, rule.as_ref()?).as_ref().map(Below::in_words)
        };
        let [old, new] = &rules;
        let below = [below(0, old), below(1, new)];
        let fields = self.fields([old.as_ref(), new.as_ref()], [below[0].as_deref(), below[1].as_deref()])?;
        let [old, new] = rules;
        let change = Direction::together(&fields);
        Some(Change { service: service.clone(), environment, change, fields, old, new })
    }

    fn fields(&mut self, rules: [Option<&Rule<'p>>; 2], below: [Option<&str>; 2]) -> Option<Arc<[FieldChange]>> {
        let [old, new] = rules;
        let [old_below, new_below] = below;
        let key = [old.map(|rule| self.keys.rule(rule, old_below)), new.map(|rule| self.keys.rule(rule, new_below))];
        if self.moved.is_empty() && key[0] == key[1] {
            return None;
        }
        if let Some(known) = self.compared.get(&key) {
            return (!known.is_empty()).then(|| Arc::clone(known));
        }
        let mut tools = Tools { keys: &mut self.keys, budget: &mut self.budget, moved: &self.moved };
        let (old, new) = (Side { rule: old, below: old_below }, Side { rule: new, below: new_below });
        let fields: Arc<[FieldChange]> = compare(old, new, &mut tools).into();
        self.compared.insert(key, Arc::clone(&fields));
        (!fields.is_empty()).then_some(fields)
    }

    /// A pattern of services for which no name was found. It counts as looser unless both policies have the same entry.
    fn nameless_service(&mut self, service: Subject) -> Option<Change<'p>> {
        let [old, new] =
            self.policies.map(|policy| policy.services.get(&service.name).map(|found| self.entry_key(found)));
        let any = Subject { name: "*".to_owned(), pattern: Some("*".to_owned()) };
        (old != new).then(|| unknown(service, any))
    }

    /// The same for a pattern of environments, of the service and of the top level.
    fn nameless_environment(&mut self, service: &Subject, environment: Subject) -> Option<Change<'p>> {
        let [old, new] = self.policies.map(|policy| {
            let own =
                policy.services.find(&service.name).and_then(|(_, found)| found.environments.get(&environment.name));
            [own, policy.environments.get(&environment.name)].map(|layer| layer.map(|layer| self.layer(layer)))
        });
        (old != new).then(|| unknown(service.clone(), environment))
    }

    /// A value that is equal for service entries with the same meaning.
    fn entry_key(&mut self, service: &'p Service) -> Vec<(&'p str, Vec<u32>)> {
        let repository = service.repository.as_ref().map(|field| self.keys.list(&field.value));
        let branches = service.branches.as_ref().map(|field| self.keys.list(&field.value));
        let own = [repository, branches].map(Option::unwrap_or_default).to_vec();
        let layers = service.environments.iter().map(|(key, layer)| (key.as_str(), self.layer(layer)));
        std::iter::once(("", own)).chain(layers).collect()
    }

    fn layer(&mut self, layer: &Layer) -> Vec<u32> {
        layer.body.settings().map(|setting| self.keys.setting(setting)).collect()
    }
}

fn unknown<'p>(service: Subject, environment: Subject) -> Change<'p> {
    let text = "no name was found that the pattern matches, so its rules cannot be compared";
    let fields = [FieldChange::new(Part::Rule, Direction::Looser, text)];
    Change { service, environment, change: Direction::Looser, fields: fields.into(), old: None, new: None }
}
