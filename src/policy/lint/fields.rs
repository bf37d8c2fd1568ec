//! Values of a single field that make a rule weak: `require: none`, `mode`, `distinct` and `exclude`.

use super::bodies::Body;
use super::context::Lint;
use crate::finding::{Code, Finding};
use crate::policy::{Exclusion, Field, Mode, Setting};

const PRODUCTION: [&str; 5] = ["live", "prd", "prod", "production", "prods"];
/// Words before one of [`PRODUCTION`] that make it something else.
const NOT: [&str; 6] = ["mock", "no", "non", "not", "pre", "sub"];

pub(super) fn look(lint: &mut Lint<'_>) {
    let found: Vec<Finding> =
        lint.bodies.iter().flat_map(|body| [none(body), mode(body), distinct(body), exclude(body)]).flatten().collect();
    lint.found.extend(found);
}

fn none(body: &Body<'_>) -> Option<Finding> {
    let key = body.environment().filter(|_| body.requires_nobody())?;
    let span = body.field_span("require");
    if is_like_production(key.as_str()) {
        let message = format!("`{key}` needs no approval, and its name suggests production");
        let hint = "write who must approve, or waive this with the reason why nobody needs to";
        return Some(Finding::at(Code::NoneInProduction, span, message).hint(hint));
    }
    (!key.is_exact()).then(|| {
        let message = format!("no environment that matches `{key}` needs an approval");
        Finding::at(Code::NoneByPattern, span, message).hint("write each environment that you mean by name")
    })
}

fn mode(body: &Body<'_>) -> Option<Finding> {
    let audit = matches!(body.body.value(Field::Mode), Some(Setting::Mode(Mode::Audit)));
    audit.then(|| {
        let message = "`mode: audit` stops nothing: every execution passes at once";
        let hint =
            "write `mode: enforce` once the rule does what you mean, or waive this and say until when the trial lasts";
        Finding::at(Code::Audit, body.field_span("mode"), message).hint(hint)
    })
}

fn distinct(body: &Body<'_>) -> Option<Finding> {
    let off = matches!(body.body.value(Field::Distinct), Some(Setting::Distinct(false)));
    off.then(|| {
        let message = "one person can count for several parts of a requirement";
        let hint = "remove `distinct`: by default, one person counts for one part";
        Finding::at(Code::DistinctOff, body.field_span("distinct"), message).hint(hint)
    })
}

fn exclude(body: &Body<'_>) -> Option<Finding> {
    let Some(Setting::Exclude(exclude)) = body.body.value(Field::Exclude) else { return None };
    if body.requires_nobody() || exclude.contains(&Exclusion::Committers) {
        return None;
    }
    let (code, message, hint) = if exclude.is_empty() {
        let message = "nobody is excluded: authors can approve their own changes";
        (Code::NobodyExcluded, message, "remove `exclude`: the default is `[author, committers]`")
    } else {
        let message = "anyone who commits to a pull request can also approve it";
        let hint = "add `committers`: this list replaces the default `[author, committers]`";
        (Code::CommittersCounted, message, hint)
    };
    Some(Finding::at(code, body.field_span("exclude"), message).hint(hint))
}

/// Whether a word of the selector means production: `prod-eu`, `eu.live`, `/prd[0-9]/`.
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
    fn audit_is_reported_at_its_value() {
        let text = "version: 1\ndefaults: { mode: audit }\nenvironments: { production: { require: \"@dana\", mode: audit } }\n";
        let message = "`mode: audit` stops nothing: every execution passes at once";
        assert_eq!(found(Audit, text), [format!("2:19 {message}"), format!("3:55 {message}")]);
    }

    #[test]
    fn enforce_is_not_reported() {
        let text = "version: 1\nenvironments: { production: { require: \"@dana\", mode: enforce } }\n";
        assert_eq!(count(Audit, text), 0);
    }

    #[test]
    fn distinct_false_is_reported_and_true_is_not() {
        let text = "version: 1\ndefaults: { distinct: false }\nenvironments:\n  production: { require: \"@dana\", distinct: true }\n";
        assert_eq!(found(DistinctOff, text), ["2:23 one person can count for several parts of a requirement"]);
    }

    fn policy(rule: &str) -> String {
        format!("version: 1\nenvironments:\n  production: {rule}\n")
    }

    #[test]
    fn an_exclude_without_committers_is_reported() {
        let messages = found(CommittersCounted, &policy("{ require: \"@dana\", exclude: [author] }"));
        assert_eq!(messages, ["3:35 anyone who commits to a pull request can also approve it"]);
    }

    #[test]
    fn committers_in_exclude_or_no_required_approval_is_not_reported() {
        assert_eq!(count(CommittersCounted, &policy("{ require: \"@dana\" }")), 0);
        assert_eq!(count(CommittersCounted, &policy("{ require: \"@dana\", exclude: [committers] }")), 0);
        assert_eq!(count(CommittersCounted, &policy("{ require: none, exclude: [author] }")), 0);
        assert_eq!(count(CommittersCounted, &policy("{ require: \"@dana\", exclude: [] }")), 0);
    }

    #[test]
    fn an_empty_exclude_is_reported() {
        let text = "version: 1\ndefaults: { exclude: [] }\n";
        assert_eq!(found(NobodyExcluded, text), ["2:13 nobody is excluded: authors can approve their own changes"]);
    }

    #[test]
    fn an_empty_exclude_without_required_approvals_is_not_reported() {
        assert_eq!(count(NobodyExcluded, "version: 1\nenvironments: { staging: { require: none, exclude: [] } }\n"), 0);
    }

    #[test]
    fn none_under_a_pattern_is_reported_and_under_a_name_is_not() {
        let text = "version: 1\nenvironments:\n  \"dev-*\": { require: none }\n  \"/test[0-9]/\": { require: none }\n  staging: { require: none }\n";
        let expected = [
            "3:23 no environment that matches `dev-*` needs an approval",
            "4:29 no environment that matches `/test[0-9]/` needs an approval",
        ];
        assert_eq!(found(NoneByPattern, text), expected);
    }

    #[test]
    fn production_is_recognised_by_a_word_of_its_name() {
        for name in ["production", "prod", "prod-eu", "eu.Live", "prd1", "prod-*", "/(eu|us)-prod[0-9]+/"] {
            assert!(is_like_production(name), "{name}");
        }
        for name in ["staging", "product-catalog", "pre-prod", "preprod", "non_production", "delivery", "*"] {
            assert!(!is_like_production(name), "{name}");
        }
    }

    #[test]
    fn none_in_production_is_reported_at_the_top_level_and_in_a_service() {
        let text = "version: 1\nenvironments:\n  prod: { require: none }\n  staging: { require: none }\n\
                    services:\n  docs:\n    repository: a/b\n    environments: { live: { require: none } }\n";
        let expected = [
            "3:20 `prod` needs no approval, and its name suggests production",
            "8:38 `live` needs no approval, and its name suggests production",
        ];
        assert_eq!(found(NoneInProduction, text), expected);
    }
}
