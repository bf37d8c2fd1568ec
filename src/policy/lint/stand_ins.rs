//! Approvers who stand in for a group that no requirement under the escalation names.

use std::collections::HashSet;

use super::bodies::{Body, Layer};
use super::context::Lint;
use crate::finding::{Code, Finding, Span};
use crate::policy::yaml::{Node, Value};
use crate::policy::{ApproverRef, Escalation, Field, Require, Setting};

type Groups<'l> = HashSet<&'l str>;

pub(super) fn look(lint: &mut Lint<'_>) {
    let (mut anywhere, mut by_services) = (Groups::new(), Groups::new());
    for body in &lint.bodies {
        take(body.body.value(Field::Require), &mut anywhere);
        if matches!(body.layer, Layer::Own(..)) {
            take(body.body.value(Field::Require), &mut by_services);
        }
    }
    let mut found = Vec::new();
    for body in &lint.bodies {
        let Some(Setting::Escalate(steps)) = body.body.value(Field::Escalate) else { continue };
        let mut own = Groups::new();
        let more = match (body.layer, lint.effective(body, Field::Require)) {
            // A layer above may require other groups.
            (Layer::Defaults, _) | (_, None) => Some(&anywhere),
            (Layer::Common(_), Some(require)) => {
                take(require, &mut own);
                Some(&by_services)
            }
            (Layer::Own(..), Some(require)) => {
                take(require, &mut own);
                None
            }
        };
        for step in steps {
            for group in step.stand_in.iter().map(|stand_in| &*stand_in.group.name) {
                if !own.contains(group) && !more.is_some_and(|more| more.contains(group)) {
                    let message = format!("no requirement under this escalation can use stand-ins for `{group}`");
                    found.push(
                        Finding::at(Code::StandInUnused, key_span(body, step, group), message)
                            .hint("name a group that a requirement names; nobody can stand in for `all of` a group"),
                    );
                }
            }
        }
    }
    lint.found.extend(found);
}

/// Adds the groups that a `require` names, apart from `all of` a group.
fn take<'l>(require: Option<&'l Setting>, groups: &mut Groups<'l>) {
    let Some(Setting::Require(require)) = require else { return };
    let Require::People(requirement) = &**require else { return };
    for leaf in requirement.leaves().into_iter().filter(|leaf| !leaf.everyone) {
        groups.extend(leaf.of.iter().filter_map(|approver| match approver {
            ApproverRef::Group(group) => Some(&*group.name),
            ApproverRef::User(_) | ApproverRef::Team(_) => None,
        }));
    }
}

/// The place of the group under the step's `stand_in`.
fn key_span(body: &Body<'_>, step: &Escalation, group: &str) -> Span {
    let written = body.node.get("escalate").map(|node| match &node.value {
        Value::List(items) => items.as_slice(),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Text(_) | Value::Map(_) => {
            std::slice::from_ref(node)
        }
    });
    let of_step = |node: &&Node| node.span == step.source.span();
    let item = written.unwrap_or_default().iter().find(of_step);
    let entry = item.and_then(|item| item.get("stand_in")).and_then(|stand_in| stand_in.entry(group));
    entry.map_or_else(|| step.source.span(), |entry| entry.key_span)
}

#[cfg(test)]
mod tests {
    use crate::finding::Code::StandInUnused;
    use crate::policy::lint::tests::{count, found};

    const HEAD: &str = "version: 1\ngroups: { sre: { users: [ana, sam] }, pay: { users: [pia, pat] } }\ndefaults: { repository: a/b }\n";
    const STEP: &str = "escalate: [{ after: 1h, stand_in: { pay: [sre] } }]";

    fn policy(environment: &str, own: &str) -> String {
        format!(
            "{HEAD}environments:\n  production: {{ {environment} }}\nservices:\n  checkout: {{ environments: {{ production: {{ {own} }} }} }}\n"
        )
    }

    #[test]
    fn a_group_that_no_requirement_names_is_reported_at_its_name() {
        let message = "no requirement under this escalation can use stand-ins for `pay`";
        let text = policy(&format!("require: 1 of sre, {STEP}"), "timeout: 2h");
        assert_eq!(found(StandInUnused, &text), [format!("5:72 {message}")]);
        let text = policy("require: 1 of sre", STEP);
        assert_eq!(found(StandInUnused, &text), [format!("7:81 {message}")]);
        let single = "escalate: { after: 1h, stand_in: { sre: [\"@lee\"], pay: [sre] } }";
        assert_eq!(count(StandInUnused, &policy("require: 1 of sre", single)), 1);
    }

    #[test]
    fn stand_ins_for_all_of_a_group_are_reported() {
        assert_eq!(count(StandInUnused, &policy(&format!("require: all of pay, {STEP}"), "timeout: 2h")), 1);
    }

    #[test]
    fn a_group_that_a_rule_above_or_below_names_is_not_reported() {
        assert_eq!(count(StandInUnused, &policy(&format!("require: 1 of pay, {STEP}"), "timeout: 2h")), 0);
        assert_eq!(count(StandInUnused, &policy("require: 1 of pay", STEP)), 0);
        assert_eq!(count(StandInUnused, &policy(&format!("require: 1 of sre, {STEP}"), "require: 2 of pay")), 0);
        let text =
            policy("require: 1 of pay", "timeout: 2h").replace("{ repository", &format!("{{ {STEP}, repository"));
        assert_eq!(count(StandInUnused, &text), 0);
    }
}
