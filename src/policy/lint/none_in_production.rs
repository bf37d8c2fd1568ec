//! `none-in-production`: `require: none` for an environment that is called like production.

use super::Lint;
use crate::finding::{Code, Finding};

/// Words that stand for what customers meet.
const PRODUCTION: [&str; 5] = ["live", "prd", "prod", "production", "prods"];
/// Words that make it something else, written before those.
const NOT: [&str; 6] = ["mock", "no", "non", "not", "pre", "sub"];

pub(super) fn look(lint: &mut Lint<'_>) {
    for body in lint.bodies.clone() {
        let Some(key) = body.environment() else { continue };
        if body.asks_nobody() && is_like_production(key.as_str()) {
            let message = format!("nobody is asked for `{key}`, which is called like production");
            lint.report(
                Finding::at(Code::NoneInProduction, body.field_span("require"), message)
                    .hint("write who must approve, or waive this and say why nobody needs to"),
            );
        }
    }
}

/// Whether one of the words of a selector is one for production: `prod-eu`, `eu.live`, `/prd[0-9]/`.
pub(super) fn is_like_production(selector: &str) -> bool {
    let lower = selector.to_ascii_lowercase();
    let mut before = "";
    lower.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty()).any(|word| {
        let is = PRODUCTION.contains(&word) && !NOT.contains(&before);
        before = word;
        is
    })
}

#[cfg(test)]
mod tests {
    use super::is_like_production;
    use crate::finding::Code::NoneInProduction;
    use crate::policy::lint::tests::found;

    #[test]
    fn production_is_known_by_a_word_of_its_name() {
        for name in ["production", "prod", "prod-eu", "eu.Live", "prd1", "prod-*", "/(eu|us)-prod[0-9]+/"] {
            assert!(is_like_production(name), "{name}");
        }
        for name in ["staging", "product-catalog", "pre-prod", "preprod", "non_production", "delivery", "*"] {
            assert!(!is_like_production(name), "{name}");
        }
    }

    #[test]
    fn none_is_told_at_the_top_and_in_a_service() {
        let text = "version: 1\nenvironments:\n  prod: { require: none }\n  staging: { require: none }\n\
                    services:\n  docs:\n    repository: a/b\n    environments: { live: { require: none } }\n";
        let expected = [
            "3:20 nobody is asked for `prod`, which is called like production",
            "8:38 nobody is asked for `live`, which is called like production",
        ];
        assert_eq!(found(NoneInProduction, text), expected);
    }
}
