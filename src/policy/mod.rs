//! Loads a policy from YAML text, and finds the rule of a target.
//!
//! There is no half-valid policy: [`load`] returns a valid one, or findings that say why there is none. Nothing here
//! decides about a deployment.
//!
//! Loading is a pipeline: [`load`] parses files to trees, and `assemble` makes a policy of the trees. The lints, the
//! mentions, the prepared form and the diff stand on top of it.

mod approver;
mod assemble;
mod body;
mod bounds;
mod calendar;
mod canonical;
mod check;
mod comparison;
mod condition;
mod diff;
mod duration;
mod field;
mod floor;
mod known;
mod lint;
pub(crate) mod load;
mod mention;
mod names;
mod path;
mod pattern;
mod pointer;
mod prepared;
pub(crate) mod read;
mod requirement;
mod rule;
mod selector;
mod service;
mod setting;
pub(crate) mod words;
pub(crate) mod yaml;

pub use approver::{ApproverError, ApproverRef, GITHUB_ACTIONS, Group, UserRef};
pub use calendar::Calendar;
pub use comparison::{Comparison, ComparisonError};
pub use condition::{Condition, MAX_TERMS, MAX_VALUES, Term, Test};
pub use diff::{Change, Diff, Direction, FieldChange, Part, Sides, Subject, diff};
pub use duration::{Duration, DurationError};
pub use field::{
    DEFAULT_EXCLUDE, Escalation, Event, Exclusion, Freeze, FreezeEffect, Mode, NotifyRule, OnChangesRequested,
    Override, StandIn,
};
pub use floor::{Below, Floor};
pub use lint::{Linted, lint};
pub use load::{Loaded, MAX_BUNDLE_BYTES, MAX_FILE_BYTES, load};
pub use mention::{Mentioned, Pin, mentions, pinned};
pub use path::{PathError, PathPattern};
pub use pattern::{Pattern, PatternError, key_of_names};
pub use pointer::{Pointer, PointerError};
pub use prepared::{PREPARED_SCHEMA, PreparedError, read_prepared};
pub use read::{Mention, Named, Place, Sourced};
pub use requirement::{Combination, Leaf, MAX_LEAVES, MAX_LEVELS, Require, Requirement};
pub use rule::{PinnedRule, Rule};
pub use selector::Selectors;
pub use service::{Layer, RepositoryPattern, RepositoryPatternError, Service, ServiceField};
pub use setting::{Field, RuleBody, Setting};

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use self::known::Known;
use crate::ident::{ChannelName, EnvironmentName, PolicyDigest, ServiceName, Target};

#[derive(Debug, Clone)]
pub struct Policy {
    digest: PolicyDigest,
    defaults: Defaults,
    environments: Selectors<Layer>,
    services: Selectors<Service>,
    floors: Vec<Floor>,
    groups: BTreeMap<Box<str>, Arc<Group>>,
    calendars: BTreeMap<Box<str>, Arc<Calendar>>,
    channels: BTreeMap<ChannelName, Channel>,
}

/// What a rule or service says if nothing else is written for it.
#[derive(Debug, Clone, Default)]
struct Defaults {
    body: RuleBody,
    repository: Option<Sourced<Vec<RepositoryPattern>>>,
    branches: Option<Sourced<Vec<Pattern>>>,
}

/// Where notifications are sent to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Channel {
    pub email: Vec<String>,
    /// URLs that receive a POST.
    pub https: Vec<String>,
}

/// Why a target has no rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRule<'p> {
    /// No service entry matches.
    Service,
    /// Neither the service entry that matches nor the top level has such an environment.
    Environment { service_selector: &'p str },
}

impl NoRule<'_> {
    /// Why the target has no rule, as part of a sentence.
    #[must_use]
    pub fn in_words(&self, target: &Target) -> String {
        match self {
            Self::Service => format!("no service of the policy matches `{}`", target.service),
            Self::Environment { service_selector } => format!(
                "neither the service `{service_selector}` nor the top level has an environment that matches `{}`",
                target.environment
            ),
        }
    }
}

fn spelling<T: Clone + FromStr>(key: Option<&Pattern>, given: &T) -> T {
    key.filter(|key| key.is_exact()).and_then(|key| key.as_str().parse().ok()).unwrap_or_else(|| given.clone())
}

impl Policy {
    /// The hash of the policy's canonical form.
    #[must_use]
    pub const fn digest(&self) -> &PolicyDigest {
        &self.digest
    }

    /// The service entries, as written.
    pub fn services(&self) -> impl Iterator<Item = (&Pattern, &Service)> {
        self.services.iter()
    }

    /// The top-level environments, as written.
    pub fn environments(&self) -> impl Iterator<Item = (&Pattern, &Layer)> {
        self.environments.iter()
    }

    /// The limits that no rule may be below, as written.
    #[must_use]
    pub fn floors(&self) -> &[Floor] {
        &self.floors
    }

    /// How the rule of an environment is below a floor. `None` if it is above all floors.
    #[must_use]
    pub fn below_floor(&self, environment: &EnvironmentName, rule: &Rule<'_>) -> Option<Below<'_>> {
        let matching = self.floors.iter().filter(|floor| floor.selector.matches(environment.as_str()));
        matching.filter_map(|floor| floor.below(rule)).next()
    }

    #[must_use]
    pub const fn groups(&self) -> &BTreeMap<Box<str>, Arc<Group>> {
        &self.groups
    }

    #[must_use]
    pub const fn calendars(&self) -> &BTreeMap<Box<str>, Arc<Calendar>> {
        &self.calendars
    }

    #[must_use]
    pub const fn channels(&self) -> &BTreeMap<ChannelName, Channel> {
        &self.channels
    }

    /// The effective rule of a target, of one service entry and the layers of its environment.
    ///
    /// # Errors
    /// No entry matches, and the target is denied.
    pub fn rule(&self, target: &Target) -> Result<Rule<'_>, NoRule<'_>> {
        let (service_key, service) = self.services.find(target.service.as_str()).ok_or(NoRule::Service)?;
        let own = service.environments.find(target.environment.as_str());
        let common = self.environments.find(target.environment.as_str());
        self.effective((service_key, service), own, common)
            .ok_or(NoRule::Environment { service_selector: service_key.as_str() })
    }

    /// The target with its names as the policy's exact keys spell them, the service's own environments first. A name
    /// without an exact key stays as given.
    #[must_use]
    pub fn spelled(&self, target: &Target) -> Target {
        let service = self.services.find(target.service.as_str());
        let own = service.and_then(|(_, service)| service.environments.exact_key(target.environment.as_str()));
        let environment = own.or_else(|| self.environments.exact_key(target.environment.as_str()));
        Target {
            service: spelling(service.map(|(key, _)| key), &target.service),
            environment: spelling(environment, &target.environment),
        }
    }

    /// Every written rule of a service: one for each environment key of the service and of the top level. The rule of a
    /// pattern is that of a name that matches no other pattern.
    pub fn written_rules<'p>(
        &'p self,
        service: (&'p Pattern, &'p Service),
    ) -> impl Iterator<Item = (&'p Pattern, Rule<'p>)> {
        let own = &service.1.environments;
        let common = self.environments.iter().filter(|(key, _)| own.get(key.as_str()).is_none());
        let keys = own.iter().chain(common).map(|(key, _)| key);
        keys.filter_map(move |key| {
            let of = |level: &'p Selectors<Layer>| level.written(key.as_str());
            Some((key, self.effective(service, of(own), of(&self.environments))?))
        })
    }

    /// The effective rule of a service and an environment, each of which is a name or a pattern. A pattern means the names
    /// that it matches and that no nearer entry matches.
    ///
    /// # Errors
    /// No entry matches, and every such target is denied.
    pub fn rule_as_written(&self, service: &str, environment: &str) -> Result<Rule<'_>, NoRule<'_>> {
        let service = self.services.written(service).ok_or(NoRule::Service)?;
        self.effective(service, service.1.environments.written(environment), self.environments.written(environment))
            .ok_or(NoRule::Environment { service_selector: service.0.as_str() })
    }

    fn effective<'p>(
        &'p self,
        (service_key, service): (&'p Pattern, &'p Service),
        own: Option<(&'p Pattern, &'p Layer)>,
        common: Option<(&'p Pattern, &'p Layer)>,
    ) -> Option<Rule<'p>> {
        let (environment_key, chosen) = own.or(common)?;
        let repository = service.repository.as_ref().or(self.defaults.repository.as_ref());
        let branches = service.branches.as_ref().or(self.defaults.branches.as_ref());
        Some(Rule {
            service_selector: service_key.as_str(),
            environment_selector: environment_key.as_str(),
            source: &chosen.source,
            repository: repository.map(|field| field.value.as_slice()).unwrap_or_default(),
            branches: branches.map(|field| field.value.as_slice()),
            service_notify: &service.notify,
            description: service.description.as_deref(),
            known: Known::By(self),
            fields: rule::stack(
                [Some(&self.defaults.body), common.map(|(_, layer)| &layer.body), own.map(|(_, layer)| &layer.body)]
                    .into_iter()
                    .flatten(),
            ),
        })
    }

    /// The lowest layer of every rule.
    #[must_use]
    pub const fn default_body(&self) -> &RuleBody {
        &self.defaults.body
    }

    /// The layers of the rule of a target above [`Self::default_body`], the highest first.
    pub fn layers(&self, target: &Target) -> impl Iterator<Item = &RuleBody> {
        let environment = target.environment.as_str();
        let service = self.services.find(target.service.as_str());
        let own = service.and_then(|(_, service)| service.environments.find(environment));
        own.into_iter().chain(self.environments.find(environment)).map(|(_, layer)| &layer.body)
    }

    /// Where the key of the service entry is written that matches a service.
    #[must_use]
    pub fn service_source(&self, service: &ServiceName) -> Option<&Place> {
        self.services.find(service.as_str()).map(|(_, service)| &service.source)
    }

    /// Where a field is set for a service: in the entry that matches it, or in `defaults`. `None` if in neither.
    #[must_use]
    pub fn service_field_source(&self, service: &ServiceName, field: ServiceField) -> Option<&Place> {
        let (_, service) = self.services.find(service.as_str())?;
        let defaults = &self.defaults;
        match field {
            ServiceField::Repository => {
                service.repository.as_ref().or(defaults.repository.as_ref()).map(|field| &field.source)
            }
            ServiceField::Branches => {
                service.branches.as_ref().or(defaults.branches.as_ref()).map(|field| &field.source)
            }
            ServiceField::Notify => (!service.notify.is_empty()).then_some(&service.source),
            ServiceField::Description => service.description.as_ref().map(|_| &service.source),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::load;
    use crate::finding::{Source, SourceContent};
    use crate::ident::Target;

    #[test]
    fn a_target_is_spelled_as_the_exact_keys_are_the_services_own_first() {
        let text = "version: 1\nenvironments: { PROD: { require: none }, Test: { require: none } }\n\
                    services:\n  Shop: { environments: { Prod: {}, \"t*\": {} } }\n  \"Pay-*\": {}\n";
        let content = SourceContent::Bytes(text.as_bytes().to_vec());
        let policy = load(vec![Source { name: "a.yaml".to_owned(), content }]).policy.unwrap();
        let spelled = |service: &str, environment: &str| {
            let target = Target { service: service.parse().unwrap(), environment: environment.parse().unwrap() };
            policy.spelled(&target).to_string()
        };
        assert_eq!(spelled("sHOP", "pROD"), "Shop:Prod");
        assert_eq!(spelled("shop", "test"), "Shop:Test", "the key is exact at the top level only");
        assert_eq!(spelled("pay-EU", "prod"), "pay-EU:PROD");
        assert_eq!(spelled("other", "TeSt"), "other:Test");
        assert_eq!(spelled("other", "TOAST"), "other:TOAST");
    }
}
