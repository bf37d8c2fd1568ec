//! `none-by-pattern`: `require: none` under a pattern of environments, which names that nobody thought of may match.

use super::Lint;
use super::none_in_production::is_like_production;
use crate::finding::{Code, Finding};

pub(super) fn look(lint: &mut Lint<'_>) {
    for body in lint.bodies.clone() {
        let Some(key) = body.environment().filter(|key| !key.is_exact()) else { continue };
        // What is called like production is told as that.
        if body.asks_nobody() && !is_like_production(key.as_str()) {
            let message = format!("nobody is asked for any environment that matches `{key}`, whatever it is");
            lint.report(
                Finding::at(Code::NoneByPattern, body.field_span("require"), message)
                    .hint("write each environment that is meant, by name"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::finding::Code::NoneByPattern;
    use crate::policy::lint::tests::found;

    #[test]
    fn a_pattern_is_told_and_a_name_is_not() {
        let text = "version: 1\nenvironments:\n  \"dev-*\": { require: none }\n  \"/test[0-9]/\": { require: none }\n  staging: { require: none }\n";
        let expected = [
            "3:23 nobody is asked for any environment that matches `dev-*`, whatever it is",
            "4:29 nobody is asked for any environment that matches `/test[0-9]/`, whatever it is",
        ];
        assert_eq!(found(NoneByPattern, text), expected);
    }
}
