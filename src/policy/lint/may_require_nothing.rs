//! `may-require-nothing`: a `require` all of which conditions may leave out. A rule never approves by running empty, so
//! that such a request is denied.

use super::Lint;
use crate::finding::{Code, Finding};
use crate::policy::{Condition, Requirement};

pub(super) fn look(lint: &mut Lint<'_>) {
    for body in lint.bodies.clone() {
        if body.requirement().is_some_and(|(requirement, _)| may_be_left_out(requirement)) {
            let message = "all of this may be left out, and then the request is denied";
            lint.report(
                Finding::at(Code::MayRequireNothing, body.field_span("require"), message)
                    .hint("add a part without `when`, so that somebody is always asked; or waive this if it is meant"),
            );
        }
    }
}

/// Whether conditions can leave nothing of it, as far as can be told without knowing what they test.
pub(super) fn may_be_left_out(requirement: &Requirement) -> bool {
    requirement.when().is_some() || parts_may_be_left_out(requirement)
}

/// The same of what is in it, where it applies itself.
fn parts_may_be_left_out(requirement: &Requirement) -> bool {
    let parts = requirement.parts();
    !parts.is_empty() && parts.iter().all(may_be_left_out) && !covers_every_case(parts)
}

/// Whether one part applies where another does not: then one of the two always does.
fn covers_every_case(parts: &[Requirement]) -> bool {
    let whole: Vec<&Condition> =
        parts.iter().filter(|part| !parts_may_be_left_out(part)).filter_map(Requirement::when).collect();
    let opposite = |condition: &Condition| match condition {
        Condition::Not(inner) => whole.iter().any(|other| same(inner, other)),
        Condition::All(_) | Condition::Any(_) | Condition::Is(_) => false,
    };
    whole.iter().any(|condition| opposite(condition))
}

/// Whether two conditions say the same, wherever they are written.
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

#[cfg(test)]
mod tests {
    use crate::finding::Code::MayRequireNothing;
    use crate::policy::lint::tests::{count, found};

    fn policy(require: &str) -> String {
        format!("version: 1\nenvironments:\n  production:\n    require: {require}\n")
    }

    fn part(who: &str, when: &str) -> String {
        format!("{{ count: 1, of: [\"@{who}\"], when: {{ {when} }} }}")
    }

    #[test]
    fn a_requirement_that_may_be_left_out_whole_is_told() {
        let told = "4:5 all of this may be left out, and then the request is denied";
        assert_eq!(found(MayRequireNothing, &policy(&part("dana", "labels: x"))), [told]);
        let both = format!("[{}, {}]", part("dana", "labels: x"), part("lee", "branch: main"));
        for group in ["all_of", "any_of", "in_order"] {
            assert_eq!(found(MayRequireNothing, &policy(&format!("{{ {group}: {both} }}"))), [told], "{group}");
        }
        assert_eq!(count(MayRequireNothing, &policy("{ any_of: [\"@dana\"], when: { labels: x } }")), 1);
        let nested = format!("{{ all_of: [{{ any_of: {both} }}, {}] }}", part("sam", "lines: \">5\""));
        assert_eq!(count(MayRequireNothing, &policy(&nested)), 1);
    }

    #[test]
    fn one_part_that_always_applies_is_enough() {
        let nested = format!("{{ all_of: [{{ any_of: [\"@dana\", {}] }}] }}", part("lee", "labels: x"));
        for require in ["\"@dana\"", "none", &nested] {
            assert_eq!(count(MayRequireNothing, &policy(require)), 0, "{require}");
        }
    }

    #[test]
    fn a_part_for_a_case_and_one_for_its_opposite_leave_nothing_out() {
        let condition = "paths: [infra/], any: [{ branch: main }, { not: { labels: x } }]";
        let both = |other: &str| format!("{{ any_of: [{}, {}] }}", part("dana", condition), part("lee", other));
        assert_eq!(count(MayRequireNothing, &policy(&both(&format!("not: {{ {condition} }}")))), 0);
        assert_eq!(count(MayRequireNothing, &policy(&both("not: { paths: [infra/] }"))), 1);
        let empty = format!("{{ all_of: [{}], when: {{ not: {{ labels: x }} }} }}", part("lee", "branch: main"));
        let half = format!("{{ all_of: [{}, {empty}] }}", part("dana", "labels: x"));
        assert_eq!(count(MayRequireNothing, &policy(&half)), 1, "the opposite can be empty itself");
    }
}
