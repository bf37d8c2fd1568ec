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

    #[test]
    fn an_override_a_stand_in_and_a_condition_on_authors_are_uses() {
        for fields in [
            "override: { by: 1 of security }",
            "escalate: [{ after: 1h, stand_in: { sre: [security] } }]",
            "escalate: [{ after: 1h, stand_in: { security: [sre] } }]",
            "require: { all_of: [1 of sre, { count: 1, of: [\"@ana\"], when: { not: { only_authors: security } } }] }",
        ] {
            let require = if fields.starts_with("require") { "" } else { "require: 1 of sre, " };
            let policy = format!("{GROUPS}environments: {{ production: {{ {require}{fields} }} }}\n");
            assert_eq!(count(UnusedGroup, &policy), 0, "{fields}");
        }
        let freeze = "freeze: [{ calendar: night, except: { authors: [security] } }]";
        let night =
            "calendars: { night: { timezone: UTC, weekly: [{ days: [sun], from: \"22:00\", to: \"23:00\" }] } }";
        let rule = format!("environments: {{ production: {{ require: 1 of sre, {freeze} }} }}\n");
        assert_eq!(count(UnusedGroup, &format!("{GROUPS}{night}\n{rule}")), 0);
    }
}
