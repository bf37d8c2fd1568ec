//! `quorum-without-reserve`: a requirement that needs every one of the people it lists, one of whom may be the author.

use super::Lint;
use super::quorum::Quorum;
use crate::finding::{Code, Finding, Span};
use crate::policy::UserRef;

pub(super) fn look(lint: &mut Lint<'_>) {
    let mut found = Vec::new();
    for quorum in lint.quorums.iter().filter(|quorum| quorum.excludes) {
        let sole = quorum.sole();
        let spared = |user: &&UserRef| !sole.iter().any(|(_, other)| other == user);
        let people: Vec<&UserRef> = quorum.critical.iter().copied().filter(spared).collect();
        if people.is_empty() {
            continue;
        }
        let message =
            format!("this cannot be met for work of {}: each is needed, and excluded from their own", names(&people));
        found.push(
            Finding::at(Code::QuorumWithoutReserve, place(quorum), message)
                .hint("list at least one person more than are needed, or a team"),
        );
    }
    lint.found.extend(found);
}

/// The leaf that is meant, where there is only one that it could be.
fn place(quorum: &Quorum<'_>) -> Span {
    match quorum.leaves.as_slice() {
        [only] => only.span,
        _ => quorum.span,
    }
}

/// `dana`, `lee` or 3 others.
fn names(people: &[&UserRef]) -> String {
    let (shown, rest) = people.split_at_checked(3).unwrap_or((people, &[]));
    let mut words: Vec<String> = shown.iter().map(|user| format!("`{user}`")).collect();
    if !rest.is_empty() {
        words.push(format!("{} others", rest.len()));
    }
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} or {last}", before.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use crate::finding::Code::QuorumWithoutReserve;
    use crate::policy::lint::tests::{count, found};

    fn policy(rule: &str) -> String {
        format!(
            "version: 1\ngroups:\n  two: {{ users: [dana, lee] }}\n  team: {{ teams: [a/b], users: [dana] }}\nenvironments:\n  production: {rule}\n"
        )
    }

    #[test]
    fn a_requirement_that_needs_everyone_it_lists_is_told() {
        let told = "this cannot be met for work of `dana` or `lee`: each is needed, and excluded from their own";
        assert_eq!(found(QuorumWithoutReserve, &policy("{ require: all of two }")), [format!("6:26 {told}")]);
        assert_eq!(found(QuorumWithoutReserve, &policy("{ require: 2 of two }")), [format!("6:26 {told}")]);
        let both = "{ require: { all_of: [1 of two, { count: 1, of: [two] }] } }";
        assert_eq!(found(QuorumWithoutReserve, &policy(both)), [format!("6:17 {told}")]);
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
            assert_eq!(count(QuorumWithoutReserve, &policy(&rule)), 0, "{require}");
        }
        assert_eq!(count(QuorumWithoutReserve, &policy("{ require: 2 of two, exclude: [] }")), 0);
    }

    #[test]
    fn who_stands_in_later_is_a_reserve() {
        let rule = |by: &str| {
            policy(&format!("{{ require: 2 of two, escalate: {{ after: 1h, stand_in: {{ two: [{by}] }} }} }}"))
        };
        assert_eq!(count(QuorumWithoutReserve, &rule("\"@sam\"")), 0);
        assert_eq!(count(QuorumWithoutReserve, &rule("team")), 0);
        assert_eq!(count(QuorumWithoutReserve, &rule("\"@dana\"")), 1);
    }
}
