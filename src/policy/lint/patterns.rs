//! Patterns that no name can match, and patterns that an earlier one shadows.
//!
//! Only what is certain is reported: a regular expression may match anything, unless it is one of [`UNIVERSAL`].

use std::collections::HashMap;

use super::{Keys, Lint};
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

/// Patterns with their places, by the text that they end with, by the text that they begin with.
type Earlier<'l> = HashMap<&'l str, HashMap<&'l str, Vec<(&'l Pattern, Span)>>>;

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

/// Regular expressions that match every name, as people write them.
const UNIVERSAL: [&str; 8] = ["/.*/", "/.+/", "/^.*$/", "/^.+$/", "/(.*)/", "/(.+)/", "/.*?/", "/.+?/"];

/// Whether every name matches.
fn is_universal(pattern: &Pattern) -> bool {
    match pattern.as_glob() {
        Some(glob) => glob.contains('*') && glob.bytes().all(|b| b == b'*' || b == b'?') && wild_characters(glob) <= 1,
        None => UNIVERSAL.contains(&pattern.as_str()),
    }
}

fn wild_characters(glob: &str) -> usize {
    glob.bytes().filter(|b| *b == b'?').count()
}

/// Whether every name that the second pattern matches is one that the first matches. Where it cannot be told: no.
fn covers(wide: &Pattern, narrow: &Pattern) -> bool {
    if is_universal(wide) {
        return true;
    }
    match (wide.as_glob(), narrow.as_glob()) {
        (Some(wide), Some(narrow)) => glob_covers(&settled(wide), &settled(narrow)),
        (None, _) | (_, None) => false,
    }
}

/// The glob with each run of wildcards written one way: first the `?`, then one `*`.
fn settled(glob: &str) -> Vec<char> {
    let mut settled = Vec::with_capacity(glob.len());
    let mut star = false;
    for c in glob.chars() {
        match c {
            '*' => star = true,
            '?' => settled.push('?'),
            _ => {
                if std::mem::take(&mut star) {
                    settled.push('*');
                }
                settled.push(c);
            }
        }
    }
    if star {
        settled.push('*');
    }
    settled
}

/// The wide glob is matched against the narrow one as a text: its `*` takes anything, its `?` any one character, and
/// so a `?` but no `*`.
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

/// Why no name can match a glob, where that is certain.
fn unnameable(pattern: &Pattern) -> Option<String> {
    let glob = pattern.as_glob()?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/' | '-' | '*' | '?');
    if let Some(c) = glob.chars().find(|c| !allowed(*c)) {
        return Some(format!("no name has a `{c}` in it"));
    }
    let first = glob.chars().next()?;
    if matches!(first, '.' | '_' | '/' | '-') {
        return Some(format!("no name begins with `{first}`"));
    }
    let least = glob.bytes().filter(|b| *b != b'*').count();
    (least > 128).then(|| format!("no name has {least} characters"))
}

/// The literal text before a glob's first wildcard, and after its last.
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

    fn pattern(text: &str) -> Pattern {
        text.parse().unwrap()
    }

    #[test]
    fn a_wider_glob_covers_a_narrower_one_and_not_the_other_way_round() {
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
    fn a_glob_that_no_name_can_match_is_known_by_its_text() {
        assert_eq!(unnameable(&pattern("pay *")).as_deref(), Some("no name has a ` ` in it"));
        assert_eq!(unnameable(&pattern("-*")).as_deref(), Some("no name begins with `-`"));
        assert!(unnameable(&pattern(&format!("*{}", "a".repeat(129)))).is_some());
        for text in ["pay-*", "*", "?-x", "a/b.c_*"] {
            assert_eq!(unnameable(&pattern(text)), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_covered_is_matched(wide in "[ab*?]{1,6}", narrow in "[ab*?]{1,6}", name in "[abc]{1,8}") {
            let (wide, narrow) = (format!("{wide}*"), format!("*{narrow}"));
            if covers(&pattern(&wide), &pattern(&narrow)) && pattern(&narrow).matches(&name) {
                prop_assert!(pattern(&wide).matches(&name), "{} {} {}", wide, narrow, name);
            }
        }

        #[test]
        fn no_name_matches_what_is_said_to_be_unnameable(glob in "[-ab*?_ ]{1,6}", name in "[a-c][abc_-]{0,6}") {
            let glob = format!("{glob}*");
            if unnameable(&pattern(&glob)).is_some() {
                prop_assert!(!pattern(&glob).matches(&name));
            }
        }
    }
}
