//! Conditions that can leave nothing to approve, and conditions that people who approve nothing can make hold.

use super::context::Lint;
use crate::finding::{Code, Finding};
use crate::policy::{Condition, Field, Requirement, Setting, Test};

/// A `require` all of which conditions can leave out. Such a request is denied: a rule never approves by running empty.
pub(super) fn may_require_nothing(lint: &mut Lint<'_>) {
    for body in lint.bodies.clone() {
        if body.requirement().is_some_and(|(requirement, _)| may_be_left_out(requirement)) {
            let message = "the conditions can leave nothing to approve, and such a request is denied";
            lint.report(
                Finding::at(Code::MayRequireNothing, body.field_span("require"), message)
                    .hint("add a part without `when`, or waive this if you mean the refusal"),
            );
        }
    }
}

/// Whether conditions can leave nothing of it, whatever they test.
fn may_be_left_out(requirement: &Requirement) -> bool {
    requirement.when().is_some() || parts_may_be_left_out(requirement)
}

/// Whether all its parts can be left out, if it applies itself.
fn parts_may_be_left_out(requirement: &Requirement) -> bool {
    let parts = requirement.parts();
    !parts.is_empty() && parts.iter().all(may_be_left_out) && !covers_every_case(parts)
}

/// Whether two parts have opposite conditions, so that one of them always applies.
fn covers_every_case(parts: &[Requirement]) -> bool {
    let whole: Vec<&Condition> =
        parts.iter().filter(|part| !parts_may_be_left_out(part)).filter_map(Requirement::when).collect();
    let opposite = |condition: &Condition| match condition {
        Condition::Not(inner) => whole.iter().any(|other| same(inner, other)),
        Condition::All(_) | Condition::Any(_) | Condition::Is(_) => false,
    };
    whole.iter().any(|condition| opposite(condition))
}

/// Whether two conditions are equal, wherever they are written.
fn same(one: &Condition, other: &Condition) -> bool {
    match (one, other) {
        (Condition::All(ones), Condition::All(others)) | (Condition::Any(ones), Condition::Any(others)) => {
            ones.len() == others.len() && ones.iter().zip(others).all(|(one, other)| same(one, other))
        }
        (Condition::Not(one), Condition::Not(other)) => same(one, other),
        (Condition::Is(one), Condition::Is(other)) => one.test == other.test,
        (Condition::All(_) | Condition::Any(_) | Condition::Not(_) | Condition::Is(_), _) => false,
    }
}

#[derive(Clone, Copy)]
enum Role {
    /// If it holds, a freeze does not.
    Except,
    /// If it holds, there is another way to meet an `any_of`.
    Way,
    /// If it holds, there is another part to meet.
    Part,
}

pub(super) fn weak(lint: &mut Lint<'_>) {
    let mut found = Vec::new();
    for body in &lint.bodies {
        if let Some((requirement, _)) = body.requirement() {
            in_requirement(requirement, Role::Part, &mut found);
        }
        if let Some(Setting::Freeze(freezes)) = body.body.value(Field::Freeze) {
            for except in freezes.iter().filter_map(|freeze| freeze.except.as_ref()) {
                in_condition(except, Role::Except, true, &mut found);
            }
        }
    }
    lint.found.extend(found);
}

fn in_requirement(requirement: &Requirement, role: Role, found: &mut Vec<Finding>) {
    if let Some(when) = requirement.when() {
        in_condition(when, role, !matches!(role, Role::Part), found);
    }
    let parts = requirement.parts();
    let of_parts = match requirement {
        Requirement::AnyOf(_) if parts.len() > 1 => Role::Way,
        // Beside a part that always applies, another part does not make the way wider.
        Requirement::AllOf(_) | Requirement::InOrder(_) if !parts.iter().all(may_be_left_out) => Role::Part,
        Requirement::AnyOf(_) | Requirement::AllOf(_) | Requirement::InOrder(_) | Requirement::Leaf(_) => role,
    };
    parts.iter().for_each(|part| in_requirement(part, of_parts, found));
}

/// `loosens` says whether the rule is looser if the condition holds. Each `not` reverses it.
fn in_condition(condition: &Condition, role: Role, loosens: bool, found: &mut Vec<Finding>) {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => {
            parts.iter().for_each(|part| in_condition(part, role, loosens, found));
        }
        Condition::Not(inner) => in_condition(inner, role, !loosens, found),
        Condition::Is(term) => {
            if let Some(control) = controlled_by(&term.test).filter(|_| loosens) {
                let key = term.test.key();
                let does = match role {
                    Role::Except => "can lift this freeze",
                    Role::Way => "can open another way to approve",
                    Role::Part => "can leave out a part of the requirement",
                };
                found.push(
                    Finding::at(Code::WeakCondition, term.source.span(), format!("`{key}` {does}: {control}")).hint(
                        "use what GitHub knows instead (`paths`, `only_paths`, `lines`, `branch`, `authors`), or waive \
                         this with the reason why it is acceptable",
                    ),
                );
            }
        }
    }
}

/// Who can make a test hold. `None` if only GitHub or the clock decides.
const fn controlled_by(test: &Test) -> Option<&'static str> {
    match test {
        Test::Labels(_) => Some("anyone with triage rights can set labels"),
        Test::Requester(_) | Test::Version(_) | Test::Input(_) => Some("the caller of the gate chooses it"),
        Test::Paths(_)
        | Test::OnlyPaths(_)
        | Test::Branch(_)
        | Test::Authors(_)
        | Test::OnlyAuthors(_)
        | Test::Lines(_)
        | Test::Within(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::finding::Code::{MayRequireNothing, WeakCondition};
    use crate::policy::lint::tests::{count, found};

    fn require(require: &str) -> String {
        format!("version: 1\nenvironments:\n  production:\n    require: {require}\n")
    }

    fn except(condition: &str) -> String {
        let calendar = "{ timezone: UTC, weekly: [{ from: \"sat 00:00\", to: \"mon 00:00\" }] }";
        format!(
            "version: 1\ncalendars: {{ weekend: {calendar} }}\nenvironments:\n  production:\n    require: \"@dana\"\n    freeze:\n      - calendar: weekend\n        except: {condition}\n"
        )
    }

    fn leaf(when: &str) -> String {
        format!("{{ count: 1, of: [\"@dana\"], when: {when} }}")
    }

    #[test]
    fn a_freeze_that_others_can_lift_is_reported_at_the_key() {
        let lifts = |key: &str, control: &str| [format!("8:19 `{key}` can lift this freeze: {control}")];
        let caller = "the caller of the gate chooses it";
        assert_eq!(
            found(WeakCondition, &except("{ labels: hotfix }")),
            lifts("labels", "anyone with triage rights can set labels")
        );
        assert_eq!(found(WeakCondition, &except("{ requester: dana }")), lifts("requester", caller));
        assert_eq!(found(WeakCondition, &except("{ version: \"*-hotfix\" }")), lifts("version", caller));
        assert_eq!(found(WeakCondition, &except("{ input: { /a: x } }")), lifts("input", caller));
        assert_eq!(count(WeakCondition, &except("{ paths: docs/, labels: docs }")), 1);
        assert_eq!(count(WeakCondition, &except("{ any: [{ labels: a }, { branch: main }, { version: v1 }] }")), 2);
    }

    #[test]
    fn keys_that_github_decides_are_not_reported() {
        let facts = "{ paths: a, only_paths: a, branch: main, authors: \"@dana\", only_authors: \"@dana\", lines: \"<9\", within: weekend }";
        assert_eq!(count(WeakCondition, &except(facts)), 0);
    }

    #[test]
    fn a_not_reverses_what_loosens() {
        assert_eq!(count(WeakCondition, &except("{ not: { labels: big } }")), 0);
        assert_eq!(count(WeakCondition, &except("{ not: { not: { labels: small } } }")), 1);
        let both = |when: &str| require(&format!("{{ all_of: [\"@lee\", {}] }}", leaf(when)));
        assert_eq!(count(WeakCondition, &both("{ labels: big }")), 0);
        assert_eq!(
            found(WeakCondition, &both("{ not: { labels: small } }")),
            ["4:75 `labels` can leave out a part of the requirement: anyone with triage rights can set labels"]
        );
        assert_eq!(count(WeakCondition, &both("{ not: { any: [{ not: { version: v1 } }, { requester: ci }] } }")), 1);
        assert_eq!(count(WeakCondition, &require(&leaf("{ labels: big }"))), 0);
        assert_eq!(count(WeakCondition, &require(&leaf("{ not: { labels: big } }"))), 1);
    }

    #[test]
    fn a_way_of_any_of_that_others_can_open_is_reported() {
        let way = |when: &str| require(&format!("{{ any_of: [2 of g, {}] }}", leaf(when)));
        let group = "groups: { g: { users: [a, b, c] } }\n";
        let expected = "4:68 `labels` can open another way to approve: anyone with triage rights can set labels";
        assert_eq!(found(WeakCondition, &format!("{}{group}", way("{ labels: small }"))), [expected]);
        assert_eq!(count(WeakCondition, &format!("{}{group}", way("{ not: { labels: big } }"))), 0);
        let alone = require(&format!("{{ any_of: [{}] }}", leaf("{ labels: big }")));
        assert_eq!(count(WeakCondition, &alone), 0, "the only part is no other way");
    }

    #[test]
    fn a_group_within_any_of_is_reported_if_all_its_parts_can_be_left_out() {
        let way = |group: &str, parts: &str| require(&format!("{{ any_of: [\"@lee\", {{ {group}: [{parts}] }}] }}"));
        let weak = leaf("{ labels: small }");
        assert_eq!(count(WeakCondition, &way("all_of", &weak)), 1);
        assert_eq!(count(WeakCondition, &way("in_order", &format!("\"@sam\", {weak}"))), 0);
        assert_eq!(count(WeakCondition, &way("any_of", &format!("\"@sam\", {weak}"))), 1);
        let negated = leaf("{ not: { labels: small } }");
        assert_eq!(count(WeakCondition, &way("all_of", &format!("\"@sam\", {negated}"))), 1);
    }

    fn part(who: &str, when: &str) -> String {
        format!("{{ count: 1, of: [\"@{who}\"], when: {{ {when} }} }}")
    }

    #[test]
    fn a_requirement_of_which_nothing_may_be_left_is_reported() {
        let expected = "4:5 the conditions can leave nothing to approve, and such a request is denied";
        assert_eq!(found(MayRequireNothing, &require(&part("dana", "labels: x"))), [expected]);
        let both = format!("[{}, {}]", part("dana", "labels: x"), part("lee", "branch: main"));
        for group in ["all_of", "any_of", "in_order"] {
            assert_eq!(found(MayRequireNothing, &require(&format!("{{ {group}: {both} }}"))), [expected], "{group}");
        }
        assert_eq!(count(MayRequireNothing, &require("{ any_of: [\"@dana\"], when: { labels: x } }")), 1);
        let nested = format!("{{ all_of: [{{ any_of: {both} }}, {}] }}", part("sam", "lines: \">5\""));
        assert_eq!(count(MayRequireNothing, &require(&nested)), 1);
    }

    #[test]
    fn one_part_that_always_applies_is_enough() {
        let nested = format!("{{ all_of: [{{ any_of: [\"@dana\", {}] }}] }}", part("lee", "labels: x"));
        for text in ["\"@dana\"", "none", &nested] {
            assert_eq!(count(MayRequireNothing, &require(text)), 0, "{text}");
        }
    }

    #[test]
    fn parts_with_opposite_conditions_always_leave_one() {
        let condition = "paths: [infra/], any: [{ branch: main }, { not: { labels: x } }]";
        let both = |other: &str| format!("{{ any_of: [{}, {}] }}", part("dana", condition), part("lee", other));
        assert_eq!(count(MayRequireNothing, &require(&both(&format!("not: {{ {condition} }}")))), 0);
        assert_eq!(count(MayRequireNothing, &require(&both("not: { paths: [infra/] }"))), 1);
        let empty = format!("{{ all_of: [{}], when: {{ not: {{ labels: x }} }} }}", part("lee", "branch: main"));
        let half = format!("{{ all_of: [{}, {empty}] }}", part("dana", "labels: x"));
        assert_eq!(count(MayRequireNothing, &require(&half)), 1, "the opposite can be empty itself");
    }
}
