//! `sole-approver`: a requirement that waits for one person, who is excluded from their own work.

use super::Lint;
use super::quorum::Quorum;
use crate::finding::{Code, Finding};

pub(super) fn look(lint: &mut Lint<'_>) {
    let excluding = lint.quorums.iter().filter(|quorum| quorum.excludes);
    let sole = excluding.flat_map(Quorum::sole).map(|(needed, user)| {
        let message = format!("only `{user}` can meet this, and never for work of their own");
        Finding::at(Code::SoleApprover, needed.span, message).hint("name a second person or a team: `1 of GROUP`")
    });
    let found: Vec<Finding> = sole.collect();
    lint.found.extend(found);
}

#[cfg(test)]
mod tests {
    use crate::finding::Code::SoleApprover;
    use crate::policy::lint::tests::{count, found};

    fn policy(rule: &str) -> String {
        format!(
            "version: 1\ngroups: {{ one: {{ users: [dana] }}, team: {{ teams: [a/b] }} }}\nenvironments:\n  production: {rule}\n"
        )
    }

    #[test]
    fn a_person_without_whom_nothing_goes_is_told_at_their_part() {
        let told = "only `dana` can meet this, and never for work of their own";
        assert_eq!(found(SoleApprover, &policy("{ require: \"@dana\" }")), [format!("4:26 {told}")]);
        assert_eq!(
            found(SoleApprover, &policy("{ require: { all_of: [1 of team, 1 of one] } }")),
            [format!("4:48 {told}")]
        );
    }

    #[test]
    fn a_person_of_several_is_not() {
        for require in ["{ any_of: [\"@dana\", \"@lee\"] }", "{ count: 1, of: [one, \"@lee\"] }", "1 of team"] {
            assert_eq!(count(SoleApprover, &policy(&format!("{{ require: {require} }}"))), 0, "{require}");
        }
        assert_eq!(count(SoleApprover, &policy("{ require: \"@dana\", exclude: [requester] }")), 0);
        let stand_in = "{ require: 1 of one, escalate: { after: 1h, stand_in: { one: [\"@lee\"] } } }";
        assert_eq!(count(SoleApprover, &policy(stand_in)), 0);
    }
}
