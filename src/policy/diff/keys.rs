//! Numbers for the meaning of a rule: two settings have the same number if they mean the same, with their groups and
//! calendars resolved, in either policy.
//!
//! Each setting is read once, so that ten thousand equal rules are compared once.

use std::collections::HashMap;
use std::fmt::{Display, Write as _};
use std::sync::Arc;

use crate::policy::approver::{ApproverRef, Group};
use crate::policy::calendar::Calendar;
use crate::policy::condition::{Condition, Test};
use crate::policy::field::{Escalation, Freeze, NotifyRule};
use crate::policy::pattern::Pattern;
use crate::policy::read::Sourced;
use crate::policy::requirement::{Require, Requirement};
use crate::policy::rule::Rule;
use crate::policy::setting::{Field, Setting};

/// The numbers of a rule's fields, then of the service's, then of how it falls below a floor.
pub(super) type RuleKey = [u32; Field::COUNT + 5];

/// The numbers of texts, and of values that were read already by their address.
#[derive(Debug, Default)]
pub(super) struct Keys {
    numbers: HashMap<String, u32>,
    settings: HashMap<*const Sourced<Setting>, u32>,
    groups: HashMap<*const Group, u32>,
    calendars: HashMap<*const Calendar, u32>,
    lists: HashMap<(*const u8, usize), u32>,
}

impl Keys {
    /// `below` says how the rule falls below a floor, if it does.
    pub(super) fn rule(&mut self, rule: &Rule<'_>, below: Option<&str>) -> RuleKey {
        let mut key = [0; Field::COUNT + 5];
        for (slot, setting) in key.iter_mut().zip(rule.fields) {
            *slot = setting.map_or(0, |setting| self.setting(setting));
        }
        let service = [
            self.list(rule.repository),
            rule.branches.map_or(0, |branches| self.list(branches)),
            self.list(rule.service_notify),
            rule.description.map_or(0, |text| self.number(format!("description {text}"))),
            below.map_or(0, |text| self.number(format!("below {text}"))),
        ];
        for (slot, number) in key.iter_mut().skip(Field::COUNT).zip(service) {
            *slot = number;
        }
        key
    }

    pub(super) fn setting(&mut self, setting: &Sourced<Setting>) -> u32 {
        let address = std::ptr::from_ref(setting);
        if let Some(number) = self.settings.get(&address) {
            return *number;
        }
        let text = self.setting_text(&setting.value);
        let number = self.number(text);
        self.settings.insert(address, number);
        number
    }

    pub(super) fn condition(&mut self, condition: &Condition) -> u32 {
        let mut text = "when ".to_owned();
        self.write_condition(&mut text, condition);
        self.number(text)
    }

    pub(super) fn test(&mut self, test: &Test) -> u32 {
        let mut text = "when ".to_owned();
        self.write_test(&mut text, test);
        self.number(text)
    }

    fn number(&mut self, text: String) -> u32 {
        let next = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX).saturating_add(1);
        *self.numbers.entry(text).or_insert(next)
    }

    /// The number of a list of the service entry.
    pub(super) fn list<T: Display>(&mut self, items: &[T]) -> u32 {
        if items.is_empty() {
            return self.number("[]".to_owned());
        }
        let address = (items.as_ptr().cast::<u8>(), items.len());
        if let Some(number) = self.lists.get(&address) {
            return *number;
        }
        let mut text = String::new();
        write_list(&mut text, items);
        let number = self.number(text);
        self.lists.insert(address, number);
        number
    }

    fn setting_text(&mut self, setting: &Setting) -> String {
        let mut text = format!("{} ", setting.field().as_str());
        match setting {
            Setting::Require(require) => match &**require {
                Require::Nobody => text.push_str("none"),
                Require::People(requirement) => self.write_requirement(&mut text, requirement),
            },
            Setting::Timeout(value) | Setting::MaxAge(value) | Setting::Wait(value) => push(&mut text, value),
            Setting::Explicit(value) | Setting::Distinct(value) => push(&mut text, value),
            Setting::Remind(values) => write_list(&mut text, values),
            Setting::Escalate(steps) => steps.iter().for_each(|step| self.write_escalation(&mut text, step)),
            Setting::Exclude(values) => {
                write_list(&mut text, &values.iter().map(|value| value.as_str()).collect::<Vec<_>>());
            }
            Setting::OnChangesRequested(value) => text.push_str(&format!("{value:?}")),
            Setting::Veto(refs) => self.write_refs(&mut text, refs),
            Setting::Freeze(freezes) => freezes.iter().for_each(|freeze| self.write_freeze(&mut text, freeze)),
            Setting::Window(calendars) => {
                calendars.iter().for_each(|calendar| self.write_calendar(&mut text, calendar));
            }
            Setting::Override(field) => {
                self.write_requirement(&mut text, &field.by);
                push(&mut text, &field.valid_for);
                write_list(&mut text, &field.notify);
            }
            Setting::Notify(NotifyRule::All(channels)) => write_list(&mut text, channels),
            Setting::Notify(NotifyRule::ByEvent(events)) => {
                for (event, channels) in events {
                    push(&mut text, &event.as_str());
                    write_list(&mut text, channels);
                }
            }
            Setting::Mode(mode) => text.push_str(&format!("{mode:?}")),
        }
        text
    }

    fn write_requirement(&mut self, text: &mut String, requirement: &Requirement) {
        match requirement {
            Requirement::Leaf(leaf) => {
                text.push_str(&format!("leaf {:?} {} {} ", leaf.name, leaf.count, leaf.everyone));
                self.write_refs(text, &leaf.of);
            }
            Requirement::AllOf(_) => text.push_str("all_of"),
            Requirement::AnyOf(_) => text.push_str("any_of"),
            Requirement::InOrder(_) => text.push_str("in_order"),
        }
        text.push('(');
        requirement.parts().iter().for_each(|part| self.write_requirement(text, part));
        if let Some(when) = requirement.when() {
            text.push_str(" when ");
            self.write_condition(text, when);
        }
        text.push(')');
    }

    fn write_escalation(&mut self, text: &mut String, step: &Escalation) {
        push(text, &step.after);
        write_list(text, &step.notify);
        for stand_in in &step.stand_in {
            push(text, &stand_in.group.name);
            self.write_refs(text, &stand_in.by);
        }
        text.push(';');
    }

    fn write_freeze(&mut self, text: &mut String, freeze: &Freeze) {
        self.write_calendar(text, &freeze.calendar);
        text.push_str(&format!("{:?} ", freeze.effect));
        if let Some(except) = &freeze.except {
            self.write_condition(text, except);
        }
        text.push(';');
    }

    fn write_refs(&mut self, text: &mut String, refs: &[ApproverRef]) {
        text.push('[');
        for entry in refs {
            match entry {
                ApproverRef::Group(group) => {
                    let number = self.group(group);
                    text.push_str(&format!("group {number} "));
                }
                ApproverRef::User(_) | ApproverRef::Team(_) => push(text, &entry.to_string().to_ascii_lowercase()),
            }
        }
        text.push(']');
    }

    fn group(&mut self, group: &Arc<Group>) -> u32 {
        let address = Arc::as_ptr(group);
        if let Some(number) = self.groups.get(&address) {
            return *number;
        }
        let lower = |text: String| text.to_ascii_lowercase();
        let mut users: Vec<String> = group.users.iter().map(|user| lower(user.to_string())).collect();
        let mut teams: Vec<String> = group.teams.iter().map(|team| lower(team.to_string())).collect();
        users.sort_unstable();
        teams.sort_unstable();
        let number = self.number(format!("group {} {users:?} {teams:?}", group.name));
        self.groups.insert(address, number);
        number
    }

    fn write_calendar(&mut self, text: &mut String, calendar: &Arc<Calendar>) {
        let address = Arc::as_ptr(calendar);
        let number = self.calendars.get(&address).copied().unwrap_or_else(|| {
            let number = self.number(format!("calendar {} {:?}", calendar.name(), calendar.times()));
            self.calendars.insert(address, number);
            number
        });
        push(text, &number);
    }

    fn write_condition(&mut self, text: &mut String, condition: &Condition) {
        let (word, parts) = match condition {
            Condition::Is(term) => return self.write_test(text, &term.test),
            Condition::All(parts) => ("all", parts.as_slice()),
            Condition::Any(parts) => ("any", parts.as_slice()),
            Condition::Not(inner) => ("not", std::slice::from_ref(&**inner)),
        };
        text.push_str(word);
        text.push('(');
        parts.iter().for_each(|part| self.write_condition(text, part));
        text.push(')');
    }

    fn write_test(&mut self, text: &mut String, test: &Test) {
        push(text, &test.key());
        match test {
            Test::Paths(paths) | Test::OnlyPaths(paths) => write_list(text, paths),
            Test::Labels(labels) => {
                write_list(text, &labels.iter().map(|label| label.to_lowercase()).collect::<Vec<_>>());
            }
            Test::Requester(patterns) => write_list(text, &patterns.iter().map(Pattern::key).collect::<Vec<_>>()),
            Test::Branch(patterns) | Test::Version(patterns) => write_list(text, patterns),
            Test::Authors(refs) | Test::OnlyAuthors(refs) => self.write_refs(text, refs),
            Test::Lines(comparison) => push(text, comparison),
            Test::Input(inputs) => {
                for (pointer, patterns) in inputs {
                    push(text, &format!("{:?}", pointer.as_str()));
                    write_list(text, patterns);
                }
            }
            Test::Within(calendars) => calendars.iter().for_each(|calendar| self.write_calendar(text, calendar)),
        }
    }
}

fn push(text: &mut String, value: &impl Display) {
    // Writing to a text cannot fail.
    let _ = write!(text, "{value} ");
}

/// Quotes the items, so that different lists have different texts.
fn write_list<T: Display>(text: &mut String, items: &[T]) {
    text.push('[');
    for item in items {
        text.push_str(&format!("{:?} ", item.to_string()));
    }
    text.push(']');
}
