//! `unreachable-rule`: a glob that no name can match, since names are made otherwise.

use super::Lint;
use super::globs::unnameable;
use crate::finding::{Code, Finding};

pub(super) fn look(lint: &mut Lint<'_>) {
    let mut found = Vec::new();
    for level in &lint.levels {
        for (key, span) in &level.keys {
            if let Some(why) = unnameable(key) {
                let what = level.what;
                found
                    .push(Finding::at(Code::UnreachableRule, *span, format!("no {what} can match `{key}`: {why}")).hint(
                    "a name is a letter or digit, then letters, digits, `.`, `_`, `/` or `-`, at most 128 characters",
                ));
            }
        }
    }
    lint.found.extend(found);
}

#[cfg(test)]
mod tests {
    use crate::finding::Code::UnreachableRule;
    use crate::policy::lint::tests::found;

    #[test]
    fn a_pattern_that_no_name_can_match_is_told_at_every_level() {
        let text = "version: 1\nenvironments:\n  \"prod *\": { require: \"@dana\" }\n  \"prod-*\": { require: \"@dana\" }\n\
                    services:\n  \"-pay*\":\n    repository: a/b\n    environments: { \"@*\": { require: \"@dana\" } }\n";
        let told = found(UnreachableRule, text);
        let expected = [
            "3:3 no environment can match `prod *`: no name has a ` ` in it",
            "6:3 no service can match `-pay*`: no name begins with `-`",
            "8:21 no environment can match `@*`: no name has a `@` in it",
        ];
        assert_eq!(told, expected);
    }
}
