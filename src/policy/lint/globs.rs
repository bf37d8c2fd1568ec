//! What is certain about the names that patterns match. Knows names and patterns, and no policy.

use super::super::Pattern;

/// Regular expressions that match every name, as people write them.
const UNIVERSAL: [&str; 8] = ["/.*/", "/.+/", "/^.*$/", "/^.+$/", "/(.*)/", "/(.+)/", "/.*?/", "/.+?/"];

/// Whether every name matches.
pub(super) fn is_universal(pattern: &Pattern) -> bool {
    match pattern.as_glob() {
        Some(glob) => glob.contains('*') && glob.bytes().all(|b| b == b'*' || b == b'?') && wild_characters(glob) <= 1,
        None => UNIVERSAL.contains(&pattern.as_str()),
    }
}

fn wild_characters(glob: &str) -> usize {
    glob.bytes().filter(|b| *b == b'?').count()
}

/// Whether every name that the second pattern matches is one that the first matches. Where it cannot be told: no.
pub(super) fn covers(wide: &Pattern, narrow: &Pattern) -> bool {
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
pub(super) fn unnameable(pattern: &Pattern) -> Option<String> {
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
pub(super) fn literal_ends(glob: &str) -> (&str, &str) {
    let wild = |c: char| c == '*' || c == '?';
    (glob.split(wild).next().unwrap_or_default(), glob.rsplit(wild).next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{covers, is_universal, unnameable};
    use crate::policy::Pattern;
    use proptest::prelude::*;

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
