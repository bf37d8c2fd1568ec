//! `quorum-unmeetable`: leaves that ask together for more different people than they list.

use super::Lint;
use crate::finding::{Code, Finding};

pub(super) fn look(lint: &mut Lint<'_>) {
    let unmeetable = lint.quorums.iter().filter(|quorum| quorum.filled < quorum.places).map(|quorum| {
        let (places, filled) = (quorum.places, quorum.filled);
        let message = format!("this can never be met: it asks for {places} different people, and lists {filled}");
        Finding::at(Code::QuorumUnmeetable, quorum.span, message)
            .hint("one person counts for one part: list more people or a team, or lower a count")
    });
    lint.found.extend(unmeetable);
}

#[cfg(test)]
mod tests {
    use crate::finding::Code::QuorumUnmeetable;
    use crate::policy::lint::tests::{count, found};

    fn policy(rule: &str) -> String {
        format!(
            "version: 1\ngroups: {{ two: {{ users: [dana, lee] }}, team: {{ teams: [a/b] }} }}\nenvironments:\n  production: {rule}\n"
        )
    }

    #[test]
    fn parts_that_need_more_different_people_than_they_list_are_told() {
        let told = found(QuorumUnmeetable, &policy("{ require: { all_of: [2 of two, \"@Dana\"] } }"));
        assert_eq!(told, ["4:17 this can never be met: it asks for 3 different people, and lists 2"]);
        assert_eq!(
            count(QuorumUnmeetable, &policy("{ require: { in_order: [\"@dana\", { any_of: [\"@dana\"] }] } }")),
            1
        );
    }

    #[test]
    fn what_others_may_meet_is_not() {
        for require in [
            "{ all_of: [1 of two, \"@dana\"] }",
            "{ any_of: [2 of two, \"@dana\"] }",
            "{ all_of: [2 of two, 1 of team] }",
            "{ all_of: [2 of two, { any_of: [\"@dana\", \"@sam\"] }] }",
            "{ all_of: [2 of two, { count: 1, of: [two, team] }] }",
        ] {
            assert_eq!(count(QuorumUnmeetable, &policy(&format!("{{ require: {require} }}"))), 0, "{require}");
        }
        assert_eq!(
            count(QuorumUnmeetable, &policy("{ require: { all_of: [2 of two, \"@dana\"] }, distinct: false }")),
            0
        );
    }

    #[test]
    fn a_part_that_may_be_left_out_is_not_counted() {
        let part = "{ count: 1, of: [\"@dana\"], when: { labels: big } }";
        assert_eq!(count(QuorumUnmeetable, &policy(&format!("{{ require: {{ all_of: [2 of two, {part}] }} }}"))), 0);
    }

    #[test]
    fn who_stands_in_makes_up_for_who_is_missing() {
        let rule = |by: &str| {
            policy(&format!(
                "{{ require: {{ all_of: [2 of two, \"@dana\"] }}, escalate: {{ after: 1h, stand_in: {{ two: [{by}] }} }} }}"
            ))
        };
        assert_eq!(count(QuorumUnmeetable, &rule("\"@sam\"")), 0);
        assert_eq!(count(QuorumUnmeetable, &rule("team")), 0);
        assert_eq!(count(QuorumUnmeetable, &rule("\"@lee\"")), 1);
        let text = rule("\"@sam\"").replace("2 of two", "all of two");
        assert_eq!(count(QuorumUnmeetable, &text), 1, "nobody stands in for everyone of a group");
    }
}
