//! Patterns that no name can match, and patterns that an earlier one shadows.
//!
//! Only what is certain is reported: a regular expression may match anything, unless it is one of [`UNIVERSAL`].

use std::collections::HashMap;

use super::bodies::Keys;
use super::context::Lint;
use crate::finding::{Code, Finding, Span};
use crate::policy::Pattern;

/// A glob that no name can match, because names have another form.
pub(super) fn unreachable(lint: &mut Lint<'_>) {
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

/// Earlier globs with their places, by the literal text in lower case that they begin with, and then by the one that they
/// end with. A glob that covers another begins and ends with no more literal text than the other.
type Earlier<'l> = HashMap<String, HashMap<String, Vec<(&'l Pattern, Span)>>>;

pub(super) fn shadowed(lint: &mut Lint<'_>) {
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
        if key.as_glob().is_some() {
            let text = key.key();
            let (prefix, suffix) = literal_ends(&text);
            let by_suffix = earlier.entry(prefix.to_owned()).or_default();
            by_suffix.entry(suffix.to_owned()).or_default().push((key, *span));
        }
    }
    // A bare `*` is tried last, wherever it is written.
    let star = level.keys.iter().find(|(key, _)| key.is_star());
    if let (Some(star), Some(wide)) = (star, universal) {
        report(lint, *star, wide);
    }
}

/// An earlier pattern that covers the key. `None` if the budget runs out.
fn covering<'l>(lint: &mut Lint<'_>, earlier: &Earlier<'l>, key: &Pattern) -> Option<(&'l Pattern, Span)> {
    let text = key.as_glob().map(|_| key.key())?;
    let (prefix, suffix) = literal_ends(&text);
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
    let message = format!("`{key}` never applies: `{wide}` is tried first and matches every name that `{key}` matches");
    let finding = Finding::at(Code::ShadowedPattern, span, message);
    lint.report(finding.related(wide_span, "this pattern is tried first").hint(hint));
}

/// Common regular expressions that match every name.
const UNIVERSAL: [&str; 8] = ["/.*/", "/.+/", "/^.*$/", "/^.+$/", "/(.*)/", "/(.+)/", "/.*?/", "/.+?/"];

fn is_universal(pattern: &Pattern) -> bool {
    match pattern.as_glob() {
        Some(glob) => glob.contains('*') && glob.bytes().all(|b| b == b'*' || b == b'?') && wild_characters(glob) <= 1,
        None => UNIVERSAL.contains(&pattern.as_str()),
    }
}

fn wild_characters(glob: &str) -> usize {
    glob.bytes().filter(|b| *b == b'?').count()
}

/// Whether `wide` certainly matches every name that `narrow` matches.
fn covers(wide: &Pattern, narrow: &Pattern) -> bool {
    if is_universal(wide) {
        return true;
    }
    match (wide.as_glob(), narrow.as_glob()) {
        (Some(_), Some(_)) => glob_covers(&normalized(&wide.key()), &normalized(&narrow.key())),
        (None, _) | (_, None) => false,
    }
}

/// The glob with each run of wildcards in one form: first the `?`, then one `*`.
fn normalized(glob: &str) -> Vec<char> {
    let mut normalized = Vec::with_capacity(glob.len());
    let mut star = false;
    for c in glob.chars() {
        match c {
            '*' => star = true,
            '?' => normalized.push('?'),
            _ => {
                if std::mem::take(&mut star) {
                    normalized.push('*');
                }
                normalized.push(c);
            }
        }
    }
    if star {
        normalized.push('*');
    }
    normalized
}

/// Matches the wide glob against the narrow one as text. Its `*` matches anything. Its `?` matches one character of the
/// narrow glob, which may be a `?` but not a `*`.
fn glob_covers(wide: &[char], narrow: &[char]) -> bool {
    let (mut w, mut n) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while let Some(c) = narrow.get(n) {
        match wide.get(w) {
            Some('*') => {
                back = Some((w + 1, n));
                w += 1;
            }
            Some('?') if *c != '*' => {
                w += 1;
                n += 1;
            }
            Some(wanted) if wanted == c && *wanted != '?' => {
                w += 1;
                n += 1;
            }
            Some(_) | None => {
                let Some((after, from)) = back else { return false };
                back = Some((after, from + 1));
                w = after;
                n = from + 1;
            }
        }
    }
    wide.get(w..).unwrap_or_default().iter().all(|c| *c == '*')
}

/// The reason why no name can match a glob. `None` if one may.
fn unnameable(pattern: &Pattern) -> Option<String> {
    let glob = pattern.as_glob()?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/' | '-' | '*' | '?');
    if let Some(c) = glob.chars().find(|c| !allowed(*c)) {
        return Some(format!("no name contains `{c}`"));
    }
    let first = glob.chars().next()?;
    if matches!(first, '.' | '_' | '/' | '-') {
        return Some(format!("no name begins with `{first}`"));
    }
    let least = glob.bytes().filter(|b| *b != b'*').count();
    (least > 128).then(|| format!("this needs at least {least} characters, and a name has at most 128"))
}

/// The literal text before a glob's first wildcard and after its last one.
fn literal_ends(glob: &str) -> (&str, &str) {
    let wild = |c: char| c == '*' || c == '?';
    (glob.split(wild).next().unwrap_or_default(), glob.rsplit(wild).next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{covers, is_universal, unnameable};
    use crate::finding::Code::{ShadowedPattern, UnreachableRule};
    use crate::policy::Pattern;
    use crate::policy::lint::tests::{count, found};
    use proptest::prelude::*;

    #[test]
    fn a_pattern_that_no_name_can_match_is_reported_at_every_level() {
        let text = "version: 1\nenvironments:\n  \"prod *\": { require: \"@dana\" }\n  \"prod-*\": { require: \"@dana\" }\n\
                    services:\n  \"-pay*\":\n    repository: a/b\n    environments: { \"@*\": { require: \"@dana\" } }\n";
        let messages = found(UnreachableRule, text);
        let expected = [
            "3:3 no environment can match `prod *`: no name contains ` `",
            "6:3 no service can match `-pay*`: no name begins with `-`",
            "8:21 no environment can match `@*`: no name contains `@`",
        ];
        assert_eq!(messages, expected);
    }

    fn policy(keys: &[&str]) -> String {
        let rule = |key: &&str| format!("  \"{key}\": {{ require: \"@dana\" }}\n");
        format!("version: 1\nenvironments:\n{}", keys.iter().map(rule).collect::<String>())
    }

    #[test]
    fn a_pattern_after_a_wider_one_is_reported() {
        let messages = found(ShadowedPattern, &policy(&["prod-*", "prod-eu-*"]));
        let message =
            "`prod-eu-*` never applies: `prod-*` is tried first and matches every name that `prod-eu-*` matches";
        assert_eq!(messages, [format!("4:3 {message}")]);
        assert_eq!(count(ShadowedPattern, &policy(&["*-eu", "prod-*-eu"])), 1);
        assert_eq!(count(ShadowedPattern, &policy(&["Prod-*", "prod-EU-*"])), 1, "names compare without case");
        assert_eq!(count(ShadowedPattern, &policy(&["/.*/", "prod-*", "/x|y/", "*"])), 3);
        assert_eq!(count(ShadowedPattern, &policy(&["*", "**"])), 1, "the bare star");
    }

    #[test]
    fn a_pattern_that_some_name_reaches_is_not_reported() {
        assert_eq!(count(ShadowedPattern, &policy(&["prod-eu-*", "prod-*"])), 0);
        assert_eq!(count(ShadowedPattern, &policy(&["prod-*", "prod-eu", "*"])), 0);
        assert_eq!(count(ShadowedPattern, &policy(&["*", "prod-*"])), 0);
        assert_eq!(
            count(ShadowedPattern, &policy(&["prod-*", "/prod-eu/"])),
            0,
            "a regular expression may match other names"
        );
    }

    #[test]
    fn each_level_is_checked_by_itself() {
        let own = "services:\n  \"pay-*\":\n    repository: a/b\n    environments:\n      \"p-*\": { require: \"@dana\" }\n      \"p-e*\": { require: \"@dana\" }\n";
        assert_eq!(count(ShadowedPattern, &format!("{}{own}", policy(&["p-*"]))), 1);
    }

    fn pattern(text: &str) -> Pattern {
        Pattern::of_names(text).unwrap()
    }

    #[test]
    fn a_wider_glob_covers_a_narrower_one_but_not_the_reverse() {
        for (wide, narrow) in [
            ("pay-*", "pay-eu-*"),
            ("pay-*", "pay-?"),
            ("*-eu", "pay-*-eu"),
            ("*a*", "ba*"),
            ("?*", "*?"),
            ("a??*", "a*?*?"),
            ("/.*/", "pay-*"),
            ("**", "*"),
            ("/.+/", "/pay-.*/"),
            ("Pay-*", "pay-EU-*"),
        ] {
            assert!(covers(&pattern(wide), &pattern(narrow)), "{wide} {narrow}");
        }
        for (wide, narrow) in [
            ("pay-eu-*", "pay-*"),
            ("pay-?", "pay-*"),
            ("?*", "/x*/"),
            ("pay-*", "/pay-eu/"),
            ("a?b", "a*b"),
            ("*-eu", "*-eu-*"),
            ("??*", "?*"),
        ] {
            assert!(!covers(&pattern(wide), &pattern(narrow)) || is_universal(&pattern(wide)), "{wide} {narrow}");
        }
        assert!(!covers(&pattern("??*"), &pattern("?*")));
    }

    #[test]
    fn a_glob_that_no_name_can_match_is_recognised_by_its_text() {
        assert_eq!(unnameable(&pattern("pay *")).as_deref(), Some("no name contains ` `"));
        assert_eq!(unnameable(&pattern("-*")).as_deref(), Some("no name begins with `-`"));
        assert!(unnameable(&pattern(&format!("*{}", "a".repeat(129)))).is_some());
        for text in ["pay-*", "*", "?-x", "a/b.c_*"] {
            assert_eq!(unnameable(&pattern(text)), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_covering_glob_matches_what_the_covered_one_matches(wide in "[abA*?]{1,6}", narrow in "[abA*?]{1,6}", name in "[abcA]{1,8}") {
            let (wide, narrow) = (format!("{wide}*"), format!("*{narrow}"));
            if covers(&pattern(&wide), &pattern(&narrow)) && pattern(&narrow).matches(&name) {
                prop_assert!(pattern(&wide).matches(&name), "{} {} {}", wide, narrow, name);
            }
        }

        #[test]
        fn no_name_matches_an_unnameable_glob(glob in "[-ab*?_ ]{1,6}", name in "[a-c][abc_-]{0,6}") {
            let glob = format!("{glob}*");
            if unnameable(&pattern(&glob)).is_some() {
                prop_assert!(!pattern(&glob).matches(&name));
            }
        }
    }
}
