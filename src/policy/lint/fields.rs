//! Values of a single field that make a rule weak: `require: none`, `mode`, `distinct` and `exclude`.

use super::Lint;
use super::bodies::Body;
use crate::finding::{Code, Finding};
use crate::policy::{Exclusion, Field, Mode, Setting};

/// Words that stand for what customers meet.
const PRODUCTION: [&str; 5] = ["live", "prd", "prod", "production", "prods"];
/// Words that make it something else, written before those.
const NOT: [&str; 6] = ["mock", "no", "non", "not", "pre", "sub"];

pub(super) fn look(lint: &mut Lint<'_>) {
    let found: Vec<Finding> =
        lint.bodies.iter().flat_map(|body| [none(body), mode(body), distinct(body), exclude(body)]).flatten().collect();
    lint.found.extend(found);
}

fn none(body: &Body<'_>) -> Option<Finding> {
    let key = body.environment().filter(|_| body.asks_nobody())?;
    let span = body.field_span("require");
    if is_like_production(key.as_str()) {
        let message = format!("nobody is asked for `{key}`, which is called like production");
        let hint = "write who must approve, or waive this and say why nobody needs to";
        return Some(Finding::at(Code::NoneInProduction, span, message).hint(hint));
    }
    (!key.is_exact()).then(|| {
        let message = format!("nobody is asked for any environment that matches `{key}`, whatever it is");
        Finding::at(Code::NoneByPattern, span, message).hint("write each environment that is meant, by name")
    })
}

fn mode(body: &Body<'_>) -> Option<Finding> {
    let audit = matches!(body.body.value(Field::Mode), Some(Setting::Mode(Mode::Audit)));
    audit.then(|| {
        let message = "this stops nothing: every execution passes at once, whatever is decided";
        let hint = "write `mode: enforce` once the rule does what you mean, or waive this and say until when";
        Finding::at(Code::Audit, body.field_span("mode"), message).hint(hint)
    })
}

fn distinct(body: &Body<'_>) -> Option<Finding> {
    let off = matches!(body.body.value(Field::Distinct), Some(Setting::Distinct(false)));
    off.then(|| {
        let message = "one person may count for several parts here";
        let hint = "leave `distinct` out: then each part is met by people of its own";
        Finding::at(Code::DistinctOff, body.field_span("distinct"), message).hint(hint)
    })
}

fn exclude(body: &Body<'_>) -> Option<Finding> {
    let Some(Setting::Exclude(exclude)) = body.body.value(Field::Exclude) else { return None };
    if body.asks_nobody() || exclude.contains(&Exclusion::Committers) {
        return None;
    }
    let (code, message, hint) = if exclude.is_empty() {
        let message = "nobody is excluded here: whoever wrote a change may approve it";
        (Code::NobodyExcluded, message, "leave `exclude` out: the default is `[author, committers]`")
    } else {
        let message = "whoever commits to a pull request may approve it here";
        let hint = "add `committers`: a list replaces the default `[author, committers]` whole";
        (Code::CommittersCounted, message, hint)
    };
    Some(Finding::at(code, body.field_span("exclude"), message).hint(hint))
}

/// Whether one of the words of a selector is one for production: `prod-eu`, `eu.live`, `/prd[0-9]/`.
fn is_like_production(selector: &str) -> bool {
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
    use crate::finding::Code::{
        Audit, CommittersCounted, DistinctOff, NobodyExcluded, NoneByPattern, NoneInProduction,
    };
    use crate::policy::lint::tests::{count, found};

    #[test]
    fn audit_is_told_where_it_is_written() {
        let text = "version: 1\ndefaults: { mode: audit }\nenvironments: { production: { require: \"@dana\", mode: audit } }\n";
        let told = "this stops nothing: every execution passes at once, whatever is decided";
        assert_eq!(found(Audit, text), [format!("2:19 {told}"), format!("3:55 {told}")]);
    }

    #[test]
    fn a_rule_that_is_enforced_is_not() {
        let text = "version: 1\nenvironments: { production: { require: \"@dana\", mode: enforce } }\n";
        assert_eq!(count(Audit, text), 0);
    }

    #[test]
    fn distinct_false_is_told_wherever_it_is_written_and_true_is_not() {
        let text = "version: 1\ndefaults: { distinct: false }\nenvironments:\n  production: { require: \"@dana\", distinct: true }\n";
        assert_eq!(found(DistinctOff, text), ["2:23 one person may count for several parts here"]);
    }

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

    #[test]
    fn an_empty_exclude_is_told_there() {
        let text = "version: 1\ndefaults: { exclude: [] }\n";
        assert_eq!(
            found(NobodyExcluded, text),
            ["2:13 nobody is excluded here: whoever wrote a change may approve it"]
        );
    }

    #[test]
    fn where_nobody_is_asked_nobody_needs_excluding() {
        assert_eq!(count(NobodyExcluded, "version: 1\nenvironments: { staging: { require: none, exclude: [] } }\n"), 0);
    }

    #[test]
    fn a_pattern_is_told_and_a_name_is_not() {
        let text = "version: 1\nenvironments:\n  \"dev-*\": { require: none }\n  \"/test[0-9]/\": { require: none }\n  staging: { require: none }\n";
        let expected = [
            "3:23 nobody is asked for any environment that matches `dev-*`, whatever it is",
            "4:29 nobody is asked for any environment that matches `/test[0-9]/`, whatever it is",
        ];
        assert_eq!(found(NoneByPattern, text), expected);
    }

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
