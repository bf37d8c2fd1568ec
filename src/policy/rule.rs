//! The effective rule of a target: its layers laid over each other, field by field.
//!
//! A higher layer replaces a field whole; nothing is united.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::approver::ApproverRef;
use super::calendar::Calendar;
use super::condition::Condition;
use super::duration::Duration;
use super::event::Event;
use super::field::{DEFAULT_EXCLUDE, Escalation, Exclusion, Freeze, Mode, NotifyRule, OnChangesRequested, Override};
use super::pattern::Pattern;
use super::read::{Place, Sourced};
use super::requirement::{Require, Requirement};
use super::service::RepositoryPattern;
use super::setting::{Field, RuleBody, Setting};
use crate::ident::{ChannelName, TeamSlug};

/// The effective rule of a target. Cheap to make; nothing is copied.
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
    /// Published to approvers.
    pub description: Option<&'p str>,
    pub(super) fields: Fields<'p>,
}

/// The highest layer's setting of each field, by [`Field::index`].
pub(super) type Fields<'p> = [Option<&'p Sourced<Setting>>; Field::COUNT];

/// Lays layers over each other, the lowest first.
pub(super) fn lay<'p>(layers: impl IntoIterator<Item = &'p RuleBody>) -> Fields<'p> {
    let mut fields: Fields<'p> = [None; Field::COUNT];
    for layer in layers {
        for setting in layer.settings() {
            if let Some(field) = fields.get_mut(setting.value.field().index()) {
                *field = Some(setting);
            }
        }
    }
    fields
}

/// Declares how a field is read: from the value where a layer sets it, else what is built in.
macro_rules! getters {
    ($($(#[$doc:meta])* $name:ident -> $type:ty: $field:ident($value:ident) => $some:expr, else $none:expr;)*) => {
        impl<'p> Rule<'p> {
            $($(#[$doc])*
            #[must_use]
            pub fn $name(&self) -> $type {
                match self.get(Field::$field) {
                    Some(Sourced { value: Setting::$field($value), .. }) => $some,
                    Some(_) | None => $none,
                }
            })*
        }
    };
}

getters! {
    /// What must hold; none only where a layer that no load could foresee lacks it.
    require -> Option<&'p Require>: Require(value) => Some(&**value), else None;
    /// From asking people to the deadline.
    timeout -> Duration: Timeout(value) => *value, else Duration::DEFAULT_TIMEOUT;
    /// Whether an approval must name the target.
    explicit -> bool: Explicit(value) => *value, else false;
    /// After what times those still needed are told again, ascending.
    remind -> &'p [Duration]: Remind(value) => value, else &[];
    /// What happens where nobody has approved for so long, in the order of time.
    escalate -> &'p [Escalation]: Escalate(value) => value, else &[];
    /// Whose approvals never count.
    exclude -> &'p [Exclusion]: Exclude(value) => value, else DEFAULT_EXCLUDE;
    /// Whether one person counts for at most one leaf.
    distinct -> bool: Distinct(value) => *value, else true;
    /// What "changes requested" by someone with a say does.
    on_changes_requested -> OnChangesRequested: OnChangesRequested(value) => *value, else OnChangesRequested::Reject;
    /// Who has a say besides those who are asked.
    veto -> &'p [ApproverRef]: Veto(value) => value, else &[];
    /// How old an approval may be.
    max_age -> Option<Duration>: MaxAge(value) => Some(*value), else None;
    /// When nothing is released.
    freeze -> &'p [Freeze]: Freeze(value) => value, else &[];
    /// When alone something is released; none, as an empty list says too: always.
    window -> Option<&'p [Arc<Calendar>]>: Window(value) => Some(value.as_slice()).filter(|window| !window.is_empty()),
        else None;
    /// How long what is approved waits before it is released.
    wait -> Option<Duration>: Wait(value) => Some(*value), else None;
    /// Who may set the rule aside.
    override_by -> Option<&'p Override>: Override(value) => Some(&**value), else None;
    /// Whom the rule tells by itself, without the service's channels.
    notify -> Option<&'p NotifyRule>: Notify(value) => Some(value), else None;
    /// Whether a refusal stops the deployment.
    mode -> Mode: Mode(value) => *value, else Mode::Enforce;
}

impl<'p> Rule<'p> {
    fn get(&self, field: Field) -> Option<&'p Sourced<Setting>> {
        self.fields.get(field.index()).copied().flatten()
    }

    /// The people it asks for, where it asks for any.
    #[must_use]
    pub fn requirement(&self) -> Option<&'p Requirement> {
        match self.require()? {
            Require::People(requirement) => Some(requirement),
            Require::Nobody => None,
        }
    }

    /// Who is told of the event, in the order of their names: the rule's channels and the service's, and of an override
    /// those that its field names.
    #[must_use]
    pub fn channels(&self, event: Event) -> Vec<ChannelName> {
        let own = self.notify().map(|notify| notify.channels(event)).unwrap_or_default();
        let override_by = self.override_by().filter(|_| event == Event::Overridden);
        let extra = override_by.map(|field| field.notify.as_slice()).unwrap_or_default();
        let mut channels: Vec<ChannelName> = own.iter().chain(self.service_notify).chain(extra).cloned().collect();
        channels.sort_unstable();
        channels.dedup();
        channels
    }

    /// Every condition that it holds, as written.
    pub fn conditions(&self) -> impl Iterator<Item = &'p Condition> {
        let when = self.requirement().map(Requirement::conditions).unwrap_or_default();
        when.into_iter().chain(self.freeze().iter().filter_map(|freeze| freeze.except.as_ref()))
    }

    /// The teams whose members a decision needs, in order.
    #[must_use]
    pub fn teams(&self) -> Vec<TeamSlug> {
        let leaves = self.requirement().map(Requirement::leaves).unwrap_or_default();
        let asked = leaves.iter().flat_map(|leaf| &leaf.of);
        let stand_ins = self.escalate().iter().flat_map(|step| &step.stand_in).flat_map(|stand_in| &stand_in.by);
        let override_by = self.override_by().map(|field| field.by.leaves()).unwrap_or_default();
        let overriding = override_by.iter().flat_map(|leaf| &leaf.of);
        let refs = asked.chain(self.veto()).chain(stand_ins).chain(overriding);
        let mut teams: Vec<TeamSlug> = refs.flat_map(ApproverRef::teams).cloned().collect();
        teams.extend(self.conditions().flat_map(Condition::teams).cloned());
        teams.sort_unstable();
        teams.dedup();
        teams
    }

    /// Where a field was set; none: built in.
    #[must_use]
    pub fn set_at(&self, field: Field) -> Option<&'p Place> {
        self.get(field).map(|setting| &setting.source)
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
            body: RuleBody::new(self.fields.iter().copied().flatten().cloned().collect()),
        }
    }
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
            fields: lay([&self.body]),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::finding::{Source, SourceContent};
    use crate::ident::{EnvironmentName, ServiceName, Target};
    use crate::policy::load;

    #[test]
    fn an_empty_window_takes_back_the_one_of_a_lower_layer() {
        let text = "version: 1\ncalendars: { k: { timezone: UTC, weekly: [{ from: \"sat 00:00\", to: \"mon 00:00\" }] } }\n\
                    environments: { staging: { require: none, window: [k] } }\n\
                    services: { a: {}, b: { environments: { staging: { window: [] } } } }\n";
        let content = SourceContent::Bytes(text.as_bytes().to_vec());
        let policy = load(vec![Source { name: "a.yaml".to_owned(), content }]).policy.unwrap();
        let has_window = |service: &str| {
            let (service, environment) = (ServiceName::new(service).unwrap(), EnvironmentName::new("staging").unwrap());
            policy.rule(&Target { service, environment }).unwrap().window().is_some()
        };
        assert_eq!((has_window("a"), has_window("b")), (true, false));
    }
}
