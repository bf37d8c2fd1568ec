//! Requirements that the people whom they list cannot meet, or only with one particular person.

use super::context::Lint;
use super::quorum::Quorum;
use crate::finding::{Code, Finding, Span};
use crate::policy::UserRef;
use crate::policy::words::joined;

/// Leaves that need more different people together than they list.
pub(super) fn unmeetable(lint: &mut Lint<'_>) {
    let unmeetable = lint.quorums.iter().filter(|quorum| quorum.filled < quorum.places).map(|quorum| {
        let (places, filled) = (quorum.places, quorum.filled);
        let message = format!("this can never be met: it needs {places} different people and lists {filled}");
        Finding::at(Code::QuorumUnmeetable, quorum.span, message)
            .hint("one person counts for one part: list more people or a team, or lower a count")
    });
    lint.found.extend(unmeetable);
}

/// A requirement that needs every one of the people whom it lists. Authors and committers are excluded, so their own
/// changes can never be approved.
pub(super) fn without_reserve(lint: &mut Lint<'_>) {
    let mut found = Vec::new();
    for quorum in lint.quorums.iter().filter(|quorum| quorum.excludes) {
        let sole = quorum.sole();
        let spared = |user: &&UserRef| !sole.iter().any(|(_, other)| other == user);
        let people: Vec<&UserRef> = quorum.critical.iter().copied().filter(spared).collect();
        if people.is_empty() {
            continue;
        }
        let message = format!(
            "changes by {} cannot be approved: each of them is needed, and excluded from their own",
            names(&people)
        );
        found.push(
            Finding::at(Code::QuorumWithoutReserve, place(quorum), message)
                .hint("list at least one more person than are needed, or a team"),
        );
    }
    lint.found.extend(found);
}

/// The place of the leaf if there is only one, otherwise of the whole requirement.
fn place(quorum: &Quorum<'_>) -> Span {
    match quorum.leaves.as_slice() {
        [only] => only.span,
        _ => quorum.span,
    }
}

/// `dana`, `lee`, `sam` or 3 others.
fn names(people: &[&UserRef]) -> String {
    let (first, rest) = people.split_at_checked(3).unwrap_or((people, &[]));
    let mut words: Vec<String> = first.iter().map(|user| format!("`{user}`")).collect();
    if !rest.is_empty() {
        words.push(format!("{} others", rest.len()));
    }
    joined(&words, "or")
}

/// A part of a requirement that only one person can meet.
pub(super) fn sole(lint: &mut Lint<'_>) {
    let excluding = lint.quorums.iter().filter(|quorum| quorum.excludes);
    let sole = excluding.flat_map(Quorum::sole).map(|(needed, user)| {
        let message = format!("only `{user}` can meet this, but not for their own changes");
        Finding::at(Code::SoleApprover, needed.span, message).hint("name a second person or a team: `1 of GROUP`")
    });
    let found: Vec<Finding> = sole.collect();
    lint.found.extend(found);
}

#[cfg(test)]
mod tests {
    use crate::finding::Code::{QuorumUnmeetable, QuorumWithoutReserve, SoleApprover};
    use crate::policy::lint::tests::{count, found};

    fn unmeetable(rule: &str) -> String {
        format!(
            "version: 1\ngroups: {{ two: {{ users: [dana, lee] }}, team: {{ teams: [a/b] }} }}\nenvironments:\n  production: {rule}\n"
        )
    }

    #[test]
    fn parts_that_need_more_different_people_than_they_list_are_reported() {
        let messages = found(QuorumUnmeetable, &unmeetable("{ require: { all_of: [2 of two, \"@Dana\"] } }"));
        assert_eq!(messages, ["4:17 this can never be met: it needs 3 different people and lists 2"]);
        assert_eq!(
            count(QuorumUnmeetable, &unmeetable("{ require: { in_order: [\"@dana\", { any_of: [\"@dana\"] }] } }")),
            1
        );
    }

    #[test]
    fn parts_that_other_people_can_meet_are_not_reported() {
        for require in [
            "{ all_of: [1 of two, \"@dana\"] }",
            "{ any_of: [2 of two, \"@dana\"] }",
            "{ all_of: [2 of two, 1 of team] }",
            "{ all_of: [2 of two, { any_of: [\"@dana\", \"@sam\"] }] }",
            "{ all_of: [2 of two, { count: 1, of: [two, team] }] }",
        ] {
            assert_eq!(count(QuorumUnmeetable, &unmeetable(&format!("{{ require: {require} }}"))), 0, "{require}");
        }
        assert_eq!(
            count(QuorumUnmeetable, &unmeetable("{ require: { all_of: [2 of two, \"@dana\"] }, distinct: false }")),
            0
        );
    }

    #[test]
    fn a_part_that_may_be_left_out_is_not_counted() {
        let part = "{ count: 1, of: [\"@dana\"], when: { labels: big } }";
        assert_eq!(
            count(QuorumUnmeetable, &unmeetable(&format!("{{ require: {{ all_of: [2 of two, {part}] }} }}"))),
            0
        );
    }

    #[test]
    fn stand_ins_make_up_for_missing_people() {
        let rule = |by: &str| {
            unmeetable(&format!(
                "{{ require: {{ all_of: [2 of two, \"@dana\"] }}, escalate: {{ after: 1h, stand_in: {{ two: [{by}] }} }} }}"
            ))
        };
        assert_eq!(count(QuorumUnmeetable, &rule("\"@sam\"")), 0);
        assert_eq!(count(QuorumUnmeetable, &rule("team")), 0);
        assert_eq!(count(QuorumUnmeetable, &rule("\"@lee\"")), 1);
        let text = rule("\"@sam\"").replace("2 of two", "all of two");
        assert_eq!(count(QuorumUnmeetable, &text), 1, "nobody stands in for everyone of a group");
    }

    fn reserve(rule: &str) -> String {
        format!(
            "version: 1\ngroups:\n  two: {{ users: [dana, lee] }}\n  team: {{ teams: [a/b], users: [dana] }}\nenvironments:\n  production: {rule}\n"
        )
    }

    #[test]
    fn a_requirement_that_needs_everyone_it_lists_is_reported() {
        let message =
            "changes by `dana` or `lee` cannot be approved: each of them is needed, and excluded from their own";
        assert_eq!(found(QuorumWithoutReserve, &reserve("{ require: all of two }")), [format!("6:26 {message}")]);
        assert_eq!(found(QuorumWithoutReserve, &reserve("{ require: 2 of two }")), [format!("6:26 {message}")]);
        let both = "{ require: { all_of: [1 of two, { count: 1, of: [two] }] } }";
        assert_eq!(found(QuorumWithoutReserve, &reserve(both)), [format!("6:17 {message}")]);
    }

    #[test]
    fn one_person_more_a_team_or_another_way_is_reserve_enough() {
        for require in [
            "1 of two",
            "2 of two, \"@sam\"",
            "2 of two, team",
            "{ any_of: [2 of two, \"@sam\"] }",
            "{ all_of: [1 of two, \"@sam\"] }",
        ] {
            let rule = format!(
                "{{ require: {} }}",
                if require.starts_with('{') { require.to_owned() } else { format!("'{require}'") }
            );
            assert_eq!(count(QuorumWithoutReserve, &reserve(&rule)), 0, "{require}");
        }
        assert_eq!(count(QuorumWithoutReserve, &reserve("{ require: 2 of two, exclude: [] }")), 0);
    }

    #[test]
    fn a_stand_in_is_a_reserve() {
        let rule = |by: &str| {
            reserve(&format!("{{ require: 2 of two, escalate: {{ after: 1h, stand_in: {{ two: [{by}] }} }} }}"))
        };
        assert_eq!(count(QuorumWithoutReserve, &rule("\"@sam\"")), 0);
        assert_eq!(count(QuorumWithoutReserve, &rule("team")), 0);
        assert_eq!(count(QuorumWithoutReserve, &rule("\"@dana\"")), 1);
    }

    fn sole(rule: &str) -> String {
        format!(
            "version: 1\ngroups: {{ one: {{ users: [dana] }}, team: {{ teams: [a/b] }} }}\nenvironments:\n  production: {rule}\n"
        )
    }

    #[test]
    fn a_person_whom_a_part_cannot_do_without_is_reported_at_that_part() {
        let message = "only `dana` can meet this, but not for their own changes";
        assert_eq!(found(SoleApprover, &sole("{ require: \"@dana\" }")), [format!("4:26 {message}")]);
        assert_eq!(
            found(SoleApprover, &sole("{ require: { all_of: [1 of team, 1 of one] } }")),
            [format!("4:48 {message}")]
        );
    }

    #[test]
    fn one_of_several_people_is_not_reported() {
        for require in ["{ any_of: [\"@dana\", \"@lee\"] }", "{ count: 1, of: [one, \"@lee\"] }", "1 of team"] {
            assert_eq!(count(SoleApprover, &sole(&format!("{{ require: {require} }}"))), 0, "{require}");
        }
        assert_eq!(count(SoleApprover, &sole("{ require: \"@dana\", exclude: [requester] }")), 0);
        let stand_in = "{ require: 1 of one, escalate: { after: 1h, stand_in: { one: [\"@lee\"] } } }";
        assert_eq!(count(SoleApprover, &sole(stand_in)), 0);
    }
}
