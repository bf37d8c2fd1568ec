//! What a rule says, field by field, and how the layers of it are laid over each other.
//!
//! A higher layer replaces a field whole; nothing is united.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::approver::ApproverRef;
use super::duration::Duration;
use super::event::Event;
use super::pattern::Pattern;
use super::read::{Place, Sourced};
use super::requirement::{Require, Requirement};
use super::service::RepositoryPattern;
use crate::ident::{ChannelName, TeamSlug};

/// One layer of a rule: what it does not say comes from the layer below.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RuleBody {
    /// What must hold.
    pub require: Option<Sourced<Require>>,
    /// From asking people to the deadline.
    pub timeout: Option<Sourced<Duration>>,
    /// Whether an approval must name the target.
    pub explicit: Option<Sourced<bool>>,
    /// Whose approvals never count.
    pub exclude: Option<Sourced<Vec<Exclusion>>>,
    /// Whether one person counts for at most one leaf.
    pub distinct: Option<Sourced<bool>>,
    /// What "changes requested" by someone with a say does.
    pub on_changes_requested: Option<Sourced<OnChangesRequested>>,
    /// Who has a say besides those who are asked.
    pub veto: Option<Sourced<Vec<ApproverRef>>>,
    /// How old an approval may be.
    pub max_age: Option<Sourced<Duration>>,
    /// Who is told of what.
    pub notify: Option<Sourced<NotifyRule>>,
}

/// Whose approvals a rule sets aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exclusion {
    /// Who opened the pull request.
    Author,
    /// Authors and committers of its commits.
    Committers,
    /// Who pushed to its branch.
    Pushers,
    /// Who requested the deployment.
    Requester,
}

/// What "changes requested" by someone with a say does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnChangesRequested {
    /// Ends the request.
    Reject,
    /// Holds it until withdrawn.
    Block,
    /// Nothing.
    Ignore,
}

/// Who is told of what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotifyRule {
    /// These, of everything.
    All(Vec<ChannelName>),
    /// These, of these events only.
    ByEvent(BTreeMap<Event, Vec<ChannelName>>),
}

impl NotifyRule {
    /// Who is told of the event.
    #[must_use]
    pub fn channels(&self, event: Event) -> &[ChannelName] {
        match self {
            Self::All(channels) => channels,
            Self::ByEvent(events) => events.get(&event).map(Vec::as_slice).unwrap_or_default(),
        }
    }
}

/// Excluded where nothing else is said.
pub const DEFAULT_EXCLUDE: &[Exclusion] = &[Exclusion::Author, Exclusion::Committers];

/// The effective rule of a target: its layers, the highest first. Cheap to make; nothing is copied.
#[derive(Debug, Clone, Copy)]
pub struct Rule<'p> {
    /// The key under `services` that was chosen.
    pub service_selector: &'p str,
    /// The key under `environments` that was chosen, the service's own before the top-level one.
    pub environment_selector: &'p str,
    /// Where that key stands.
    pub source: &'p Place,
    /// Where the service lives.
    pub repository: &'p [RepositoryPattern],
    /// Which branches may be deployed; none: the repository's default branch.
    pub branches: Option<&'p [Pattern]>,
    /// Who hears of everything besides `notify`.
    pub service_notify: &'p [ChannelName],
    /// Shown to approvers.
    pub description: Option<&'p str>,
    pub(super) layers: [Option<&'p RuleBody>; 3],
}

impl<'p> Rule<'p> {
    fn field<T>(&self, of: impl Fn(&'p RuleBody) -> Option<&'p Sourced<T>>) -> Option<&'p Sourced<T>> {
        self.layers.iter().flatten().find_map(|layer| of(layer))
    }

    /// What must hold; none only where a layer that no load could foresee lacks it.
    #[must_use]
    pub fn require(&self) -> Option<&'p Sourced<Require>> {
        self.field(|body| body.require.as_ref())
    }

    /// The people it asks for, where it asks for any.
    #[must_use]
    pub fn requirement(&self) -> Option<&'p Requirement> {
        match &self.require()?.value {
            Require::People(requirement) => Some(requirement),
            Require::Nobody => None,
        }
    }

    /// From asking people to the deadline.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.field(|body| body.timeout.as_ref()).map_or(Duration::DEFAULT_TIMEOUT, |field| field.value)
    }

    /// Whether an approval must name the target.
    #[must_use]
    pub fn explicit(&self) -> bool {
        self.field(|body| body.explicit.as_ref()).is_some_and(|field| field.value)
    }

    /// Whose approvals never count.
    #[must_use]
    pub fn exclude(&self) -> &'p [Exclusion] {
        self.field(|body| body.exclude.as_ref()).map_or(DEFAULT_EXCLUDE, |field| &field.value)
    }

    /// Whether one person counts for at most one leaf.
    #[must_use]
    pub fn distinct(&self) -> bool {
        self.field(|body| body.distinct.as_ref()).is_none_or(|field| field.value)
    }

    /// What "changes requested" by someone with a say does.
    #[must_use]
    pub fn on_changes_requested(&self) -> OnChangesRequested {
        self.field(|body| body.on_changes_requested.as_ref()).map_or(OnChangesRequested::Reject, |field| field.value)
    }

    /// Who has a say besides those who are asked.
    #[must_use]
    pub fn veto(&self) -> &'p [ApproverRef] {
        self.field(|body| body.veto.as_ref()).map(|field| field.value.as_slice()).unwrap_or_default()
    }

    /// How old an approval may be.
    #[must_use]
    pub fn max_age(&self) -> Option<Duration> {
        self.field(|body| body.max_age.as_ref()).map(|field| field.value)
    }

    /// Who is told of the event, in the order of their names: the rule's channels and the service's.
    #[must_use]
    pub fn channels(&self, event: Event) -> Vec<ChannelName> {
        let own = self.field(|body| body.notify.as_ref()).map(|field| field.value.channels(event)).unwrap_or_default();
        let mut channels: Vec<ChannelName> = own.iter().chain(self.service_notify).cloned().collect();
        channels.sort_unstable();
        channels.dedup();
        channels
    }

    /// The teams whose members a decision needs, in order.
    #[must_use]
    pub fn teams(&self) -> Vec<TeamSlug> {
        let leaves = self.requirement().map(Requirement::leaves).unwrap_or_default();
        let asked = leaves.iter().flat_map(|leaf| &leaf.of);
        let mut teams: Vec<TeamSlug> = asked.chain(self.veto()).flat_map(ApproverRef::teams).cloned().collect();
        teams.sort_unstable();
        teams.dedup();
        teams
    }

    /// Where a field was set; none: built in.
    #[must_use]
    pub fn set_at(&self, field: Field) -> Option<&'p Place> {
        fn place<T>(field: Option<&Sourced<T>>) -> Option<&Place> {
            field.map(|field| &field.source)
        }
        self.layers.iter().flatten().find_map(|body| match field {
            Field::Require => place(body.require.as_ref()),
            Field::Timeout => place(body.timeout.as_ref()),
            Field::Explicit => place(body.explicit.as_ref()),
            Field::Exclude => place(body.exclude.as_ref()),
            Field::Distinct => place(body.distinct.as_ref()),
            Field::OnChangesRequested => place(body.on_changes_requested.as_ref()),
            Field::Veto => place(body.veto.as_ref()),
            Field::MaxAge => place(body.max_age.as_ref()),
            Field::Notify => place(body.notify.as_ref()),
        })
    }

    /// Whom the rule tells by itself, without the service's channels.
    #[must_use]
    pub fn notify(&self) -> Option<&'p NotifyRule> {
        self.field(|body| body.notify.as_ref()).map(|field| &field.value)
    }

    /// The rule as a value of its own, to be stored with a request.
    #[must_use]
    pub fn pin(&self) -> PinnedRule {
        PinnedRule {
            service_selector: self.service_selector.into(),
            environment_selector: self.environment_selector.into(),
            source: self.source.clone(),
            repository: self.repository.to_vec(),
            branches: self.branches.map(<[Pattern]>::to_vec),
            service_notify: self.service_notify.to_vec(),
            description: self.description.map(Into::into),
            body: RuleBody {
                require: self.field(|body| body.require.as_ref()).cloned(),
                timeout: self.field(|body| body.timeout.as_ref()).cloned(),
                explicit: self.field(|body| body.explicit.as_ref()).cloned(),
                exclude: self.field(|body| body.exclude.as_ref()).cloned(),
                distinct: self.field(|body| body.distinct.as_ref()).cloned(),
                on_changes_requested: self.field(|body| body.on_changes_requested.as_ref()).cloned(),
                veto: self.field(|body| body.veto.as_ref()).cloned(),
                max_age: self.field(|body| body.max_age.as_ref()).cloned(),
                notify: self.field(|body| body.notify.as_ref()).cloned(),
            },
        }
    }
}

/// A field of a rule body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// `require`
    Require,
    /// `timeout`
    Timeout,
    /// `explicit`
    Explicit,
    /// `exclude`
    Exclude,
    /// `distinct`
    Distinct,
    /// `on_changes_requested`
    OnChangesRequested,
    /// `veto`
    Veto,
    /// `max_age`
    MaxAge,
    /// `notify`
    Notify,
}

/// An effective rule with everything it names, as stored with a request that was opened under it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinnedRule {
    service_selector: Box<str>,
    environment_selector: Box<str>,
    source: Place,
    repository: Vec<RepositoryPattern>,
    branches: Option<Vec<Pattern>>,
    service_notify: Vec<ChannelName>,
    description: Option<Box<str>>,
    body: RuleBody,
}

impl PinnedRule {
    /// The rule, as it was when it was pinned.
    #[must_use]
    pub fn rule(&self) -> Rule<'_> {
        Rule {
            service_selector: &self.service_selector,
            environment_selector: &self.environment_selector,
            source: &self.source,
            repository: &self.repository,
            branches: self.branches.as_deref(),
            service_notify: &self.service_notify,
            description: self.description.as_deref(),
            layers: [Some(&self.body), None, None],
        }
    }
}
