//! From YAML text to a policy that holds together, and from a target to its rule.
//!
//! There is no half-valid policy: [`load`] gives one, or findings that say why not. Nothing here decides anything.

mod approver;
mod body;
mod bounds;
mod calendar;
mod canonical;
mod check;
mod comparison;
mod condition;
mod diff;
mod duration;
mod event;
mod field;
mod floor;
mod layers;
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
pub(crate) mod yaml;

pub use approver::{ApproverError, ApproverRef, GITHUB_ACTIONS, Group, UserRef};
pub use calendar::Calendar;
pub use comparison::{Comparison, ComparisonError};
pub use condition::{Condition, MAX_TERMS, MAX_VALUES, Term, Test};
pub use diff::{Change, Diff, Direction, FieldChange, Part, Sides, Subject, diff};
pub use duration::{Duration, DurationError};
pub use event::Event;
pub use field::{
    DEFAULT_EXCLUDE, Escalation, Exclusion, Freeze, FreezeEffect, Mode, NotifyRule, OnChangesRequested, Override,
    StandIn,
};
pub use floor::{Below, Floor};
pub use lint::{Linted, lint};
pub use load::{Loaded, MAX_BUNDLE_BYTES, MAX_FILE_BYTES, load};
pub use mention::{Mention, Mentioned, Named, Pin, mentions, pinned};
pub use path::{PathError, PathPattern};
pub use pattern::{Pattern, PatternError};
pub use pointer::{Pointer, PointerError};
pub use prepared::{PREPARED_SCHEMA, PreparedError, read_prepared};
pub use read::{Place, Sourced};
pub use requirement::{Combination, Leaf, MAX_LEAVES, MAX_LEVELS, Require, Requirement};
pub use rule::{PinnedRule, Rule};
pub use selector::Selectors;
pub use service::{Layer, RepositoryPattern, RepositoryPatternError, Service, ServiceField};
pub use setting::{Field, RuleBody, Setting};

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ident::{ChannelName, EnvironmentName, PolicyDigest, ServiceName, Target};

/// A policy that holds together.
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

/// What every rule and service starts from.
#[derive(Debug, Clone, Default)]
struct Defaults {
    body: RuleBody,
    repository: Option<Sourced<Vec<RepositoryPattern>>>,
    branches: Option<Sourced<Vec<Pattern>>>,
}

/// A notification target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Channel {
    /// E-mail addresses.
    pub email: Vec<String>,
    /// URLs that are posted to.
    pub https: Vec<String>,
}

/// Why a target has no rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRule<'p> {
    /// No service entry matches.
    Service,
    /// The service entry that matches has no such environment, nor has the top level.
    Environment {
        /// The service entry's key.
        service_selector: &'p str,
    },
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

    /// What no rule may fall below, as written.
    #[must_use]
    pub fn floors(&self) -> &[Floor] {
        &self.floors
    }

    /// How the rule of an environment falls below a floor; none where it holds them all.
    #[must_use]
    pub fn below_floor(&self, environment: &EnvironmentName, rule: &Rule<'_>) -> Option<Below<'_>> {
        let matching = self.floors.iter().filter(|floor| floor.selector.matches(environment.as_str()));
        matching.filter_map(|floor| floor.below(rule)).next()
    }

    /// The approver sets by name.
    #[must_use]
    pub const fn groups(&self) -> &BTreeMap<Box<str>, Arc<Group>> {
        &self.groups
    }

    /// The sets of time by name.
    #[must_use]
    pub const fn calendars(&self) -> &BTreeMap<Box<str>, Arc<Calendar>> {
        &self.calendars
    }

    /// The notification targets by name.
    #[must_use]
    pub const fn channels(&self) -> &BTreeMap<ChannelName, Channel> {
        &self.channels
    }

    /// The effective rule of a target: one service entry, and the layers of its environment.
    ///
    /// # Errors
    /// [`NoRule`]: nothing matches, and the target is denied.
    pub fn rule(&self, target: &Target) -> Result<Rule<'_>, NoRule<'_>> {
        let (service_key, service) = self.services.find(target.service.as_str()).ok_or(NoRule::Service)?;
        let own = service.environments.find(target.environment.as_str());
        let common = self.environments.find(target.environment.as_str());
        self.lay((service_key, service), own, common)
            .ok_or(NoRule::Environment { service_selector: service_key.as_str() })
    }

    /// Every rule that is written: for each environment key that a service has or that stands at the top, the rule of the
    /// names that are meant by it. For a pattern, of a name that no other pattern catches.
    pub fn written_rules<'p>(
        &'p self,
        service: (&'p Pattern, &'p Service),
    ) -> impl Iterator<Item = (&'p Pattern, Rule<'p>)> {
        let own = &service.1.environments;
        let common = self.environments.iter().filter(|(key, _)| own.get(key.as_str()).is_none());
        let keys = own.iter().chain(common).map(|(key, _)| key);
        keys.filter_map(move |key| {
            let of = |level: &'p Selectors<Layer>| level.written(key.as_str());
            Some((key, self.lay(service, of(own), of(&self.environments))?))
        })
    }

    /// The effective rule of a service entry and an environment as they may be written: names, or patterns. A pattern
    /// stands for the names that it matches and no nearer entry does.
    ///
    /// # Errors
    /// [`NoRule`]: nothing matches, and every such target is denied.
    pub fn rule_as_written(&self, service: &str, environment: &str) -> Result<Rule<'_>, NoRule<'_>> {
        let service = self.services.written(service).ok_or(NoRule::Service)?;
        self.lay(service, service.1.environments.written(environment), self.environments.written(environment))
            .ok_or(NoRule::Environment { service_selector: service.0.as_str() })
    }

    fn lay<'p>(
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
            fields: rule::lay(
                [Some(&self.defaults.body), common.map(|(_, layer)| &layer.body), own.map(|(_, layer)| &layer.body)]
                    .into_iter()
                    .flatten(),
            ),
        })
    }

    /// Where the key stands of the service entry that a service falls to.
    #[must_use]
    pub fn service_source(&self, service: &ServiceName) -> Option<&Place> {
        self.services.find(service.as_str()).map(|(_, service)| &service.source)
    }

    /// Where a field was set of the service entry that a service falls to, or in `defaults`; none: built in.
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
