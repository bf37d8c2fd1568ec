//! `shadowed-pattern`: a pattern behind another of its level that takes every name it matches.
//!
//! Earlier globs are looked up by the literal text that they begin and end with: one that covers another begins and ends
//! with no more than that one does.

use std::collections::HashMap;

use super::globs::{covers, is_universal, literal_ends};
use super::{Keys, Lint};
use crate::finding::{Code, Finding, Span};
use crate::policy::Pattern;

/// Patterns with their places, by the text that they end with, by the text that they begin with.
type Earlier<'l> = HashMap<&'l str, HashMap<&'l str, Vec<(&'l Pattern, Span)>>>;

pub(super) fn look(lint: &mut Lint<'_>) {
    let levels = std::mem::take(&mut lint.levels);
    for level in &levels {
        look_at(lint, level);
    }
    lint.levels = levels;
}

fn look_at(lint: &mut Lint<'_>, level: &Keys<'_>) {
    let mut universal: Option<(&Pattern, Span)> = None;
    let mut earlier = Earlier::new();
    let patterns = level.keys.iter().filter(|(key, _)| !key.is_exact() && !key.is_star());
    for (key, span) in patterns {
        if let Some(wide) = universal.or_else(|| covering(lint, &earlier, key)) {
            report(lint, (*key, *span), wide);
        }
        if is_universal(key) {
            universal = universal.or(Some((key, *span)));
        }
        if let Some(glob) = key.as_glob() {
            let (prefix, suffix) = literal_ends(glob);
            earlier.entry(prefix).or_default().entry(suffix).or_default().push((key, *span));
        }
    }
    // A bare `*` is tried last, wherever it stands.
    let star = level.keys.iter().find(|(key, _)| key.is_star());
    if let (Some(star), Some(wide)) = (star, universal) {
        report(lint, *star, wide);
    }
}

/// The first pattern found that covers the key, as far as the budget allows.
fn covering<'l>(lint: &mut Lint<'_>, earlier: &Earlier<'l>, key: &Pattern) -> Option<(&'l Pattern, Span)> {
    let (prefix, suffix) = literal_ends(key.as_glob()?);
    let beginnings = (0..=prefix.len()).filter_map(|length| prefix.get(..length));
    for by_suffix in beginnings.filter_map(|beginning| earlier.get(beginning)) {
        let ends = (0..=suffix.len()).filter_map(|start| suffix.get(start..));
        for (wide, span) in ends.filter_map(|end| by_suffix.get(end)).flatten() {
            if !lint.spend(wide.as_str().len() + key.as_str().len()) {
                return None;
            }
            if covers(wide, key) {
                return Some((wide, *span));
            }
        }
    }
    None
}

fn report(lint: &mut Lint<'_>, (key, span): (&Pattern, Span), (wide, wide_span): (&Pattern, Span)) {
    let hint = if key.is_star() {
        format!("remove `{wide}` or `*`: both match every name, and a bare `*` is tried last")
    } else {
        format!("put it before `{wide}`, or remove it")
    };
    let message = format!("`{key}` is never chosen: `{wide}` is tried before it and matches every name that it does");
    let finding = Finding::at(Code::ShadowedPattern, span, message);
    lint.report(finding.related(wide_span, "this is tried before it").hint(hint));
}

#[cfg(test)]
mod tests {
    use crate::finding::Code::ShadowedPattern;
    use crate::policy::lint::tests::{count, found};

    fn policy(keys: &[&str]) -> String {
        let rule = |key: &&str| format!("  \"{key}\": {{ require: \"@dana\" }}\n");
        format!("version: 1\nenvironments:\n{}", keys.iter().map(rule).collect::<String>())
    }

    #[test]
    fn a_pattern_behind_a_wider_one_is_told() {
        let told = found(ShadowedPattern, &policy(&["prod-*", "prod-eu-*"]));
        let message = "`prod-eu-*` is never chosen: `prod-*` is tried before it and matches every name that it does";
        assert_eq!(told, [format!("4:3 {message}")]);
        assert_eq!(count(ShadowedPattern, &policy(&["*-eu", "prod-*-eu"])), 1);
        assert_eq!(count(ShadowedPattern, &policy(&["/.*/", "prod-*", "/x|y/", "*"])), 3);
        assert_eq!(count(ShadowedPattern, &policy(&["*", "**"])), 1, "the bare star");
    }

    #[test]
    fn a_narrower_pattern_before_a_wider_one_an_exact_name_and_a_bare_star_before_it_are_not() {
        assert_eq!(count(ShadowedPattern, &policy(&["prod-eu-*", "prod-*"])), 0);
        assert_eq!(count(ShadowedPattern, &policy(&["prod-*", "prod-eu", "*"])), 0);
        assert_eq!(count(ShadowedPattern, &policy(&["*", "prod-*"])), 0);
        assert_eq!(
            count(ShadowedPattern, &policy(&["prod-*", "/prod-eu/"])),
            0,
            "of an expression that is not certain"
        );
    }

    #[test]
    fn each_level_is_looked_at_by_itself() {
        let own = "services:\n  \"pay-*\":\n    repository: a/b\n    environments:\n      \"p-*\": { require: \"@dana\" }\n      \"p-e*\": { require: \"@dana\" }\n";
        assert_eq!(count(ShadowedPattern, &format!("{}{own}", policy(&["p-*"]))), 1);
    }
}
