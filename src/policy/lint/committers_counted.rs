//! `committers-counted`: an `exclude` that lets those approve who committed to the pull request.

use super::Lint;
use crate::finding::{Code, Finding};
use crate::policy::{Exclusion, Field, Setting};

pub(super) fn look(lint: &mut Lint<'_>) {
    for body in lint.bodies.clone() {
        let Some(Setting::Exclude(exclude)) = body.body.value(Field::Exclude) else { continue };
        // That nobody is excluded is worse, and told by a code of its own.
        if exclude.is_empty() || exclude.contains(&Exclusion::Committers) || body.asks_nobody() {
            continue;
        }
        let message = "whoever commits to a pull request may approve it here";
        lint.report(
            Finding::at(Code::CommittersCounted, body.field_span("exclude"), message)
                .hint("add `committers`: a list replaces the default `[author, committers]` whole"),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::finding::Code::CommittersCounted;
    use crate::policy::lint::tests::{count, found};

    fn policy(rule: &str) -> String {
        format!("version: 1\nenvironments:\n  production: {rule}\n")
    }

    #[test]
    fn an_exclude_without_committers_is_told_there() {
        let told = found(CommittersCounted, &policy("{ require: \"@dana\", exclude: [author] }"));
        assert_eq!(told, ["3:35 whoever commits to a pull request may approve it here"]);
    }

    #[test]
    fn the_default_a_list_with_committers_and_a_rule_that_asks_nobody_are_not() {
        assert_eq!(count(CommittersCounted, &policy("{ require: \"@dana\" }")), 0);
        assert_eq!(count(CommittersCounted, &policy("{ require: \"@dana\", exclude: [committers] }")), 0);
        assert_eq!(count(CommittersCounted, &policy("{ require: none, exclude: [author] }")), 0);
        assert_eq!(count(CommittersCounted, &policy("{ require: \"@dana\", exclude: [] }")), 0);
    }
}
