//! Which groups, channels and calendars the rules and services of a policy refer to.
//!
//! Nothing is passed over by a wildcard: a field that is new must be looked at here before it compiles.

use std::collections::HashSet;

use super::super::approver::ApproverRef;
use super::super::service::Service;
use super::super::{Condition, NotifyRule, Require, Requirement, RuleBody, Setting, Test};
use super::Lint;
use crate::ident::ChannelName;

/// The names that something refers to.
#[derive(Default)]
pub(super) struct Uses<'l> {
    pub(super) groups: HashSet<&'l str>,
    pub(super) channels: HashSet<&'l str>,
    pub(super) calendars: HashSet<&'l str>,
}

impl<'l> Uses<'l> {
    pub(super) fn of(lint: &Lint<'l>) -> Self {
        let mut uses = Self::default();
        for body in &lint.bodies {
            uses.take_body(body.body);
        }
        for (_, service) in lint.policy.services.iter() {
            let Service { source: _, repository: _, branches: _, notify, description: _, environments: _ } = service;
            uses.channels.extend(notify.iter().map(ChannelName::as_str));
        }
        uses
    }

    fn take_body(&mut self, body: &'l RuleBody) {
        for setting in body.settings() {
            match &setting.value {
                Setting::Require(require) => match &**require {
                    Require::People(requirement) => self.take_requirement(requirement),
                    Require::Nobody => {}
                },
                Setting::Veto(refs) => self.take_refs(refs),
                Setting::Escalate(steps) => {
                    for step in steps {
                        self.take_channels(&step.notify);
                        for stand_in in &step.stand_in {
                            self.groups.insert(&stand_in.group.name);
                            self.take_refs(&stand_in.by);
                        }
                    }
                }
                Setting::Freeze(freezes) => {
                    for freeze in freezes {
                        self.calendars.insert(freeze.calendar.name());
                        freeze.except.iter().for_each(|except| self.take_condition(except));
                    }
                }
                Setting::Window(calendars) => self.calendars.extend(calendars.iter().map(|calendar| calendar.name())),
                Setting::Override(field) => {
                    self.take_requirement(&field.by);
                    self.take_channels(&field.notify);
                }
                Setting::Notify(NotifyRule::All(told)) => self.take_channels(told),
                Setting::Notify(NotifyRule::ByEvent(events)) => {
                    events.values().for_each(|told| self.take_channels(told));
                }
                Setting::Timeout(_)
                | Setting::Explicit(_)
                | Setting::Remind(_)
                | Setting::Exclude(_)
                | Setting::Distinct(_)
                | Setting::OnChangesRequested(_)
                | Setting::MaxAge(_)
                | Setting::Wait(_)
                | Setting::Mode(_) => {}
            }
        }
    }

    fn take_requirement(&mut self, requirement: &'l Requirement) {
        requirement.leaves().into_iter().for_each(|leaf| self.take_refs(&leaf.of));
        requirement.conditions().into_iter().for_each(|condition| self.take_condition(condition));
    }

    fn take_condition(&mut self, condition: &'l Condition) {
        self.calendars.extend(condition.calendars().into_iter().map(|calendar| calendar.name()));
        for term in condition.terms() {
            if let Test::Authors(refs) | Test::OnlyAuthors(refs) = &term.test {
                self.take_refs(refs);
            }
        }
    }

    fn take_channels(&mut self, channels: &'l [ChannelName]) {
        self.channels.extend(channels.iter().map(ChannelName::as_str));
    }

    fn take_refs(&mut self, refs: &'l [ApproverRef]) {
        for approver in refs {
            match approver {
                ApproverRef::Group(group) => {
                    self.groups.insert(&group.name);
                }
                ApproverRef::User(_) | ApproverRef::Team(_) => {}
            }
        }
    }
}
