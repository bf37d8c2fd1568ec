//! Which groups and channels the rules and services of a policy refer to.
//!
//! Fields are taken apart without `..`: a field that is new must be looked at here before it compiles.

use std::collections::HashSet;

use super::super::Require;
use super::super::approver::ApproverRef;
use super::super::rule::{NotifyRule, RuleBody};
use super::super::service::Service;
use super::Lint;
use crate::ident::ChannelName;

/// The names that something refers to.
#[derive(Default)]
pub(super) struct Uses<'l> {
    pub(super) groups: HashSet<&'l str>,
    pub(super) channels: HashSet<&'l str>,
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
        let RuleBody {
            require,
            timeout: _,
            explicit: _,
            exclude: _,
            distinct: _,
            on_changes_requested: _,
            veto,
            max_age: _,
            notify,
        } = body;
        match require.as_ref().map(|require| &require.value) {
            Some(Require::People(requirement)) => {
                requirement.leaves().into_iter().for_each(|leaf| self.take_refs(&leaf.of));
            }
            Some(Require::Nobody) | None => {}
        }
        if let Some(veto) = veto {
            self.take_refs(&veto.value);
        }
        match notify.as_ref().map(|notify| &notify.value) {
            Some(NotifyRule::All(told)) => self.channels.extend(told.iter().map(ChannelName::as_str)),
            Some(NotifyRule::ByEvent(events)) => {
                self.channels.extend(events.values().flatten().map(ChannelName::as_str));
            }
            None => {}
        }
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
