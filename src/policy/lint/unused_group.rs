//! `unused-group`: a group that no requirement and no veto names.

use super::Lint;
use super::uses::Uses;
use crate::finding::{Code, Finding};

pub(super) fn look(lint: &mut Lint<'_>) {
    let uses = Uses::of(lint);
    for entry in lint.entries("groups").into_iter().filter(|entry| !uses.groups.contains(&*entry.key)) {
        lint.report(
            Finding::at(Code::UnusedGroup, entry.key_span, format!("nothing uses the group `{}`", entry.key))
                .hint("remove it, or name it where its people are to have a say"),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::finding::Code::UnusedGroup;
    use crate::policy::lint::tests::{count, found};

    const GROUPS: &str = "version: 1\ngroups:\n  sre: { users: [ana, sam] }\n  security: { users: [dana, lee] }\n";

    #[test]
    fn a_group_that_nothing_names_is_told_at_its_key() {
        let policy = format!("{GROUPS}environments: {{ production: {{ require: 1 of sre }} }}\n");
        assert_eq!(found(UnusedGroup, &policy), ["4:3 nothing uses the group `security`"]);
    }

    #[test]
    fn a_part_of_a_requirement_and_a_veto_are_uses() {
        let rule = "{ require: { any_of: [1 of sre, \"@dana\"] }, veto: [security] }";
        assert_eq!(count(UnusedGroup, &format!("{GROUPS}environments: {{ production: {rule} }}\n")), 0);
    }
}
