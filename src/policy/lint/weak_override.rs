//! Overrides that need no more people than the rule, and only people whom the rule names.
//!
//! An override sets aside more than the requirement, such as a freeze. Reported once for each override, with the first
//! such rule.

use std::collections::HashSet;

use super::bodies::Body;
use super::context::Lint;
use crate::finding::{Code, Finding, Span};
use crate::ident::{TeamSlug, UserId};
use crate::policy::{ApproverRef, Field, Override, Require, Requirement, Setting};

pub(super) fn look(lint: &mut Lint<'_>) {
    let mut reported: HashSet<Span> = HashSet::new();
    for body in lint.rules() {
        let Some((field, requirement)) = both(lint, &body) else { continue };
        let span = match lint.written(&body, Field::Override) {
            Some(Some(setting)) => setting.source.span(),
            Some(None) | None => continue,
        };
        if reported.contains(&span) {
            continue;
        }
        let size = requirement.leaves().len() + field.by.leaves().len();
        if !lint.spend(size) || !is_no_harder(lint, &body, field, requirement) {
            continue;
        }
        reported.insert(span);
        let message = format!("this override needs no more people than `require` of {}, and no others", body.named());
        let mut finding = Finding::at(Code::OverrideAsWeakAsTheRule, span, message).hint(
            "an override also sets aside freeze, window and wait: let others give it, or more people, or waive this if \
             you mean it",
        );
        if let Some(Some(setting)) = lint.written(&body, Field::Require) {
            finding = finding.related(setting.source.span(), "it is compared with this requirement");
        }
        lint.report(finding);
    }
}

/// The override and the requirement of a rule. `None` if either is missing or depends on other layers.
fn both<'l>(lint: &Lint<'l>, body: &Body<'l>) -> Option<(&'l Override, &'l Requirement)> {
    let Setting::Override(field) = lint.effective(body, Field::Override)?? else { return None };
    let Setting::Require(require) = lint.effective(body, Field::Require)?? else { return None };
    match &**require {
        Require::People(requirement) => Some((field, requirement)),
        Require::Nobody => None,
    }
}

/// Whether the override needs no more people than the fewest who meet the requirement, and only people of it.
fn is_no_harder<'l>(lint: &Lint<'l>, body: &Body<'l>, field: &Override, requirement: &Requirement) -> bool {
    let (Some(distinct), Some(escalate)) =
        (lint.effective(body, Field::Distinct), lint.effective(body, Field::Escalate))
    else {
        return false;
    };
    let distinct = !matches!(distinct, Some(Setting::Distinct(false)));
    let escalate = if let Some(Setting::Escalate(steps)) = escalate { steps.as_slice() } else { &[] };
    let (approving, overriding) = (people(requirement), people(&field.by));
    field.by.fewest_people(distinct, &[]) <= requirement.fewest_people(distinct, escalate)
        && overriding.is_subset(&approving)
}

#[derive(PartialEq, Eq, Hash)]
enum Approver<'l> {
    User(String, Option<UserId>),
    Team(&'l TeamSlug),
}

fn people(requirement: &Requirement) -> HashSet<Approver<'_>> {
    let refs = requirement.leaves().into_iter().flat_map(|leaf| &leaf.of);
    refs.flat_map(|approver: &ApproverRef| {
        let users =
            approver.users().iter().map(|user| Approver::User(user.login.as_str().to_ascii_lowercase(), user.id));
        users.chain(approver.teams().iter().map(Approver::Team))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use crate::finding::Code::OverrideAsWeakAsTheRule;
    use crate::policy::lint::tests::{count, found};

    fn policy(fields: &str) -> String {
        format!(
            "version: 1\ngroups: {{ sre: {{ users: [ana, sam, lee] }}, pay: {{ teams: [a/pay] }} }}\nenvironments:\n  production: {{ {fields} }}\n"
        )
    }

    #[test]
    fn an_override_by_the_people_of_the_rule_is_reported() {
        let expected = "4:36 this override needs no more people than `require` of `production`, and no others";
        assert_eq!(
            found(OverrideAsWeakAsTheRule, &policy("require: 2 of sre, override: { by: 2 of sre }")),
            [expected]
        );
        assert_eq!(
            found(OverrideAsWeakAsTheRule, &policy("require: 2 of sre, override: { by: 1 of sre }")),
            [expected]
        );
        for fields in [
            "require: 1 of sre, override: { by: \"@Ana\" }",
            "require: { all_of: [1 of sre, 1 of pay] }, override: { by: 1 of pay }",
            "require: { any_of: [1 of sre, 2 of pay] }, override: { by: '1 of sre, pay' }",
            "require: { in_order: [1 of sre, 1 of pay] }, override: { by: { all_of: [1 of pay, 1 of sre] } }",
        ] {
            assert_eq!(count(OverrideAsWeakAsTheRule, &policy(fields)), 1, "{fields}");
        }
    }

    #[test]
    fn an_override_by_more_or_other_people_is_not_reported() {
        for fields in [
            "require: 1 of sre, override: { by: 2 of sre }",
            "require: 1 of sre, override: { by: 1 of pay }",
            "require: 1 of sre, override: { by: '1 of sre, pay' }",
            "require: { any_of: [2 of sre, 1 of pay] }, override: { by: 2 of sre }",
            "require: 2 of sre, distinct: false, override: { by: { all_of: [2 of sre, 3 of sre] } }",
            "require: { count: 1, of: [sre], when: { labels: x } }, override: { by: 1 of sre }",
            "require: none, override: { by: 1 of sre }",
        ] {
            assert_eq!(count(OverrideAsWeakAsTheRule, &policy(fields)), 0, "{fields}");
        }
    }

    #[test]
    fn an_override_is_reported_once_for_all_rules_that_use_it() {
        let services: String = ["a", "b"]
            .map(|name| {
                format!("  {name}: {{ repository: a/b, environments: {{ production: {{ require: 1 of sre }} }} }}\n")
            })
            .concat();
        let text = format!("{}services:\n{services}", policy("require: 1 of pay, override: { by: 1 of sre }"));
        let expected = "4:36 this override needs no more people than `require` of `production` of `a`, and no others";
        assert_eq!(found(OverrideAsWeakAsTheRule, &text), [expected]);
    }
}
