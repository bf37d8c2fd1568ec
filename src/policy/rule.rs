//! The effective rule of a target: its layers, combined field by field.
//!
//! A higher layer replaces the whole value of a field. Values are never merged.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::approver::{ApproverRef, UserRef};
use super::calendar::Calendar;
use super::condition::Condition;
use super::duration::Duration;
use super::field::{
    DEFAULT_EXCLUDE, Escalation, Event, Exclusion, Freeze, Mode, NotifyRule, OnChangesRequested, Override,
};
use super::known::{Known, KnownNames};
use super::pattern::Pattern;
use super::read::{Place, Sourced};
use super::requirement::{Require, Requirement};
use super::service::RepositoryPattern;
use super::setting::{Field, RuleBody, Setting};
use crate::ident::{ChannelName, EnvironmentName, ServiceName, TeamSlug};

/// The effective rule of a target. It borrows everything, so that it is cheap to make.
#[derive(Debug, Clone, Copy)]
pub struct Rule<'p> {
    /// The key under `services` that matches.
    pub service_selector: &'p str,
    /// The key under `environments` that matches: the service's own, or else the top-level one.
    pub environment_selector: &'p str,
    /// Where the environment's key is written.
    pub source: &'p Place,
    /// The repositories of the service.
    pub repository: &'p [RepositoryPattern],
    /// The branches that may be deployed. `None` means the repository's default branch.
    pub branches: Option<&'p [Pattern]>,
    /// Channels that are notified of every event, besides `notify`.
    pub service_notify: &'p [ChannelName],
    /// Shown to approvers.
    pub description: Option<&'p str>,
    pub(super) known: Known<'p>,
    pub(super) fields: Fields<'p>,
}

/// The highest layer's setting of each field, by [`Field::index`].
pub(super) type Fields<'p> = [Option<&'p Sourced<Setting>>; Field::COUNT];

/// Combines layers, the lowest first.
pub(super) fn stack<'p>(layers: impl IntoIterator<Item = &'p RuleBody>) -> Fields<'p> {
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

/// Declares how a field is read: the value if a layer sets it, else the default.
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
    /// Who must approve. `None` only if patterns overlap in a way that loading does not see.
    require -> Option<&'p Require>: Require(value) => Some(&**value), else None;
    /// The time from when the request is opened to its deadline.
    timeout -> Duration: Timeout(value) => *value, else Duration::DEFAULT_TIMEOUT;
    /// Whether an approval must name the target.
    explicit -> bool: Explicit(value) => *value, else false;
    /// When the approvers who are still needed are reminded, ascending. Counts from when the request is opened.
    remind -> &'p [Duration]: Remind(value) => value, else &[];
    /// What happens if the requirement is not met after some time, in the order of time.
    escalate -> &'p [Escalation]: Escalate(value) => value, else &[];
    /// Whose approvals do not count.
    exclude -> &'p [Exclusion]: Exclude(value) => value, else DEFAULT_EXCLUDE;
    /// Whether one person counts for at most one leaf.
    distinct -> bool: Distinct(value) => *value, else true;
    /// What happens if someone who may request changes does so.
    on_changes_requested -> OnChangesRequested: OnChangesRequested(value) => *value, else OnChangesRequested::Reject;
    /// Who may request changes, besides the eligible approvers.
    veto -> &'p [ApproverRef]: Veto(value) => value, else &[];
    /// How old an approval may be.
    max_age -> Option<Duration>: MaxAge(value) => Some(*value), else None;
    /// When nothing is released.
    freeze -> &'p [Freeze]: Freeze(value) => value, else &[];
    /// The only times at which something is released. `None` means always, as an empty list does.
    window -> Option<&'p [Arc<Calendar>]>: Window(value) => Some(value.as_slice()).filter(|window| !window.is_empty()),
        else None;
    /// The time from the approval to the release.
    wait -> Option<Duration>: Wait(value) => Some(*value), else None;
    /// Who may release without the rule.
    override_by -> Option<&'p Override>: Override(value) => Some(&**value), else None;
    /// The rule's own channels, without the service's.
    notify -> Option<&'p NotifyRule>: Notify(value) => Some(value), else None;
    /// Whether a refusal stops the deployment.
    mode -> Mode: Mode(value) => *value, else Mode::Enforce;
}

impl<'p> Rule<'p> {
    fn get(&self, field: Field) -> Option<&'p Sourced<Setting>> {
        self.fields.get(field.index()).copied().flatten()
    }

    /// The people who must approve. `None` if nobody must.
    #[must_use]
    pub fn requirement(&self) -> Option<&'p Requirement> {
        match self.require()? {
            Require::People(requirement) => Some(requirement),
            Require::Nobody => None,
        }
    }

    /// The channels that are notified of the event, in the order of their names: the rule's, the service's, and for an
    /// override those of its `notify`.
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

    /// All conditions in the rule, as written.
    pub fn conditions(&self) -> impl Iterator<Item = &'p Condition> {
        let when = self.requirement().map(Requirement::conditions).unwrap_or_default();
        when.into_iter().chain(self.freeze().iter().filter_map(|freeze| freeze.except.as_ref()))
    }

    /// The teams whose members a decision needs to know, in order.
    #[must_use]
    pub fn teams(&self) -> Vec<TeamSlug> {
        let leaves = self.requirement().map(Requirement::leaves).unwrap_or_default();
        let required = leaves.iter().flat_map(|leaf| &leaf.of);
        let stand_ins = self.escalate().iter().flat_map(|step| &step.stand_in).flat_map(|stand_in| &stand_in.by);
        let override_by = self.override_by().map(|field| field.by.leaves()).unwrap_or_default();
        let overriding = override_by.iter().flat_map(|leaf| &leaf.of);
        let refs = required.chain(self.veto()).chain(stand_ins).chain(overriding);
        let mut teams: Vec<TeamSlug> = refs.flat_map(ApproverRef::teams).cloned().collect();
        teams.extend(self.conditions().flat_map(Condition::teams).cloned());
        teams.sort_unstable();
        teams.dedup();
        teams
    }

    /// The first user whom the rule lists without a numeric id, and the field that lists them.
    pub(super) fn first_unpinned(&self) -> Option<(Field, &'p UserRef)> {
        let required = self.requirement().into_iter().flat_map(Requirement::approvers);
        let stand_ins = self.escalate().iter().flat_map(|step| &step.stand_in).flat_map(|stand_in| &stand_in.by);
        let freezes = self.freeze().iter().filter_map(|freeze| freeze.except.as_ref());
        let overriding = self.override_by().into_iter().flat_map(|field| field.by.approvers());
        let listed = required
            .map(|listed| (Field::Require, listed))
            .chain(stand_ins.map(|listed| (Field::Escalate, listed)))
            .chain(self.veto().iter().map(|listed| (Field::Veto, listed)))
            .chain(freezes.flat_map(Condition::approvers).map(|listed| (Field::Freeze, listed)))
            .chain(overriding.map(|listed| (Field::Override, listed)));
        let mut users = listed.flat_map(|(field, listed)| listed.users().iter().map(move |user| (field, user)));
        users.find(|(_, user)| user.id.is_none())
    }

    /// Whether a selector of the rule's policy matches the service, or the environment if no service is named.
    #[must_use]
    pub fn knows(&self, service: Option<&ServiceName>, environment: &EnvironmentName) -> bool {
        self.known.knows(service, environment)
    }

    /// Where a field is set. `None` if it has its default.
    #[must_use]
    pub fn set_at(&self, field: Field) -> Option<&'p Place> {
        self.get(field).map(|setting| &setting.source)
    }

    /// An owned copy of the rule, to be stored with a request.
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
            known: self.known.names(),
            body: RuleBody::new(self.fields.iter().copied().flatten().cloned().collect()),
        }
    }
}

/// An effective rule with everything it names, as it is stored with the request that was opened under it.
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
    known: KnownNames,
    body: RuleBody,
}

impl PinnedRule {
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
            known: Known::Pinned(&self.known),
            fields: stack([&self.body]),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::finding::{Source, SourceContent};
    use crate::ident::{EnvironmentName, ServiceName, Target};
    use crate::policy::load;

    #[test]
    fn an_empty_window_removes_the_one_of_a_lower_layer() {
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
