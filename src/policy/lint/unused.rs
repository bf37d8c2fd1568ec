//! Groups, channels and calendars that no rule and no service uses.
//!
//! [`Uses`] has no wildcard arm, so a new field does not compile until somebody decides here what it uses.

use std::collections::HashSet;

use super::super::approver::ApproverRef;
use super::super::service::Service;
use super::super::{Condition, NotifyRule, Require, Requirement, RuleBody, Setting, Test};
use super::context::Lint;
use crate::finding::{Code, Finding};
use crate::ident::ChannelName;

pub(super) fn look(lint: &mut Lint<'_>) {
    let uses = Uses::of(lint);
    let group = "remove it, or name it in a rule";
    let calendar = "remove it, or name it in a `freeze`, a `window` or `within`";
    let kinds = [
        (Code::UnusedGroup, "groups", &uses.groups, "nothing uses the group", group),
        (
            Code::UnusedChannel,
            "channels",
            &uses.channels,
            "no `notify` names the channel",
            "remove it, or name it in a `notify`",
        ),
        (Code::UnusedCalendar, "calendars", &uses.calendars, "nothing uses the calendar", calendar),
    ];
    for (code, section, used, message, hint) in kinds {
        for entry in lint.entries(section).filter(|entry| !used.contains(&*entry.key)) {
            lint.report(Finding::at(code, entry.key_span, format!("{message} `{}`", entry.key)).hint(hint));
        }
    }
}

#[derive(Default)]
struct Uses<'l> {
    groups: HashSet<&'l str>,
    channels: HashSet<&'l str>,
    calendars: HashSet<&'l str>,
}

impl<'l> Uses<'l> {
    fn of(lint: &Lint<'l>) -> Self {
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
                Setting::Notify(NotifyRule::All(channels)) => self.take_channels(channels),
                Setting::Notify(NotifyRule::ByEvent(events)) => {
                    events.values().for_each(|channels| self.take_channels(channels));
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

#[cfg(test)]
mod tests {
    use crate::finding::Code::{UnusedCalendar, UnusedChannel, UnusedGroup};
    use crate::policy::lint::tests::{count, found};

    const GROUPS: &str = "version: 1\ngroups:\n  sre: { users: [ana, sam] }\n  security: { users: [dana, lee] }\n";

    #[test]
    fn a_group_that_nothing_names_is_reported_at_its_key() {
        let policy = format!("{GROUPS}environments: {{ production: {{ require: 1 of sre }} }}\n");
        assert_eq!(found(UnusedGroup, &policy), ["4:3 nothing uses the group `security`"]);
    }

    #[test]
    fn a_requirement_and_a_veto_use_a_group() {
        let rule = "{ require: { any_of: [1 of sre, \"@dana\"] }, veto: [security] }";
        assert_eq!(count(UnusedGroup, &format!("{GROUPS}environments: {{ production: {rule} }}\n")), 0);
    }

    #[test]
    fn an_override_an_escalation_and_a_condition_on_authors_use_a_group() {
        for fields in [
            "override: { by: 1 of security }",
            "escalate: [{ after: 1h, stand_in: { sre: [security] } }]",
            "escalate: [{ after: 1h, stand_in: { security: [sre] } }]",
            "require: { all_of: [1 of sre, { count: 1, of: [\"@ana\"], when: { not: { only_authors: security } } }] }",
        ] {
            let require = if fields.starts_with("require") { "" } else { "require: 1 of sre, " };
            let policy = format!("{GROUPS}environments: {{ production: {{ {require}{fields} }} }}\n");
            assert_eq!(count(UnusedGroup, &policy), 0, "{fields}");
        }
        let freeze = "freeze: [{ calendar: night, except: { authors: [security] } }]";
        let night =
            "calendars: { night: { timezone: UTC, weekly: [{ days: [sun], from: \"22:00\", to: \"23:00\" }] } }";
        let rule = format!("environments: {{ production: {{ require: 1 of sre, {freeze} }} }}\n");
        assert_eq!(count(UnusedGroup, &format!("{GROUPS}{night}\n{rule}")), 0);
    }

    const CHANNELS: &str = "version: 1\nchannels: { oncall: { email: [a@b.example] } }\n";

    #[test]
    fn a_channel_that_no_notify_names_is_reported_at_its_key() {
        assert_eq!(found(UnusedChannel, CHANNELS), ["2:13 no `notify` names the channel `oncall`"]);
    }

    #[test]
    fn the_notify_of_a_rule_and_of_a_service_use_a_channel() {
        let rule = "environments: { production: { require: \"@dana\", notify: { denied: [oncall] } } }\n";
        assert_eq!(count(UnusedChannel, &format!("{CHANNELS}{rule}")), 0);
        assert_eq!(count(UnusedChannel, &format!("{CHANNELS}services: {{ checkout: {{ notify: [oncall] }} }}\n")), 0);
    }

    #[test]
    fn the_notify_of_an_escalation_and_of_an_override_use_a_channel() {
        for field in ["escalate: [{ after: 1h, notify: [oncall] }]", "override: { by: \"@lee\", notify: [oncall] }"] {
            let rule = format!("environments: {{ production: {{ require: \"@dana\", {field} }} }}\n");
            assert_eq!(count(UnusedChannel, &format!("{CHANNELS}{rule}")), 0, "{field}");
        }
    }

    const CALENDARS: &str =
        "version: 1\ncalendars:\n  weekend: { timezone: UTC, weekly: [{ from: \"sat 00:00\", to: \"mon 00:00\" }] }\n";

    #[test]
    fn a_calendar_that_nothing_names_is_reported_at_its_key() {
        assert_eq!(found(UnusedCalendar, CALENDARS), ["3:3 nothing uses the calendar `weekend`"]);
    }

    #[test]
    fn a_freeze_a_window_and_a_condition_use_a_calendar() {
        for fields in [
            "freeze: weekend",
            "freeze: [{ calendar: weekend, effect: wait }]",
            "window: [weekend]",
            "require: { all_of: [\"@dana\", { count: 1, of: [\"@lee\"], when: { not: { within: weekend } } }] }",
        ] {
            let rule = format!("environments: {{ staging: {{ {fields} }} }}\ndefaults: {{ require: \"@sam\" }}\n");
            assert_eq!(count(UnusedCalendar, &format!("{CALENDARS}{rule}")), 0, "{fields}");
        }
    }
}
