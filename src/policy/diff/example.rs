//! Example names for patterns: the rule of one example shows the rule of all names that the pattern matches.

use regex_syntax::hir::{Class, Hir, HirKind};

use crate::ident::is_name;
use crate::policy::pattern::Pattern;

/// Replacements for a glob's wildcards. The first that gives a matching name is used.
const FILLS: [&str; 6] = ["any", "x", "0", "some-other", "a", "any-1"];

/// Names that the pattern matches, the simplest first. May be empty for a regular expression.
pub(super) fn examples(pattern: &Pattern) -> Vec<String> {
    let candidates: Vec<String> = match (pattern.as_glob(), expression(pattern)) {
        (Some(glob), _) => FILLS.iter().map(|fill| filled(glob, fill)).chain([filled(glob, "")]).collect(),
        (None, Some(inner)) => regex_syntax::parse(inner).map(|hir| of_expression(&hir)).unwrap_or_default(),
        (None, None) => vec![pattern.as_str().to_owned()],
    };
    candidates.into_iter().filter(|name| is_name(name) && pattern.matches(name)).collect()
}

/// A name that both patterns match, if one is found by putting examples of each into the wildcards of the other.
pub(super) fn in_common(a: &Pattern, b: &Pattern) -> Option<String> {
    let (of_a, of_b) = (examples(a), examples(b));
    let into = |glob: Option<&str>, others: &[String]| -> Vec<String> {
        let parts = |other: &String| [other.clone(), format!("x{other}"), format!("{other}x")];
        let Some(glob) = glob else { return Vec::new() };
        others.iter().flat_map(parts).map(|other| filled(glob, &other)).collect()
    };
    let mut found = of_a.iter().chain(&of_b).cloned().collect::<Vec<_>>();
    found.extend(into(a.as_glob(), &of_b));
    found.extend(into(b.as_glob(), &of_a));
    for (first, second) in [(a, b), (b, a)] {
        // For `pay-*` and `*-eu`: the beginning of the one and the end of the other.
        if let (Some(first), Some(second)) = (first.as_glob(), second.as_glob()) {
            let begins = first.split('*').next().unwrap_or_default();
            let ends = second.rsplit('*').next().unwrap_or_default();
            found.extend(["", "x"].map(|middle| filled(&format!("{begins}{middle}{ends}"), "x")));
        }
    }
    found.into_iter().find(|name| is_name(name) && a.matches(name) && b.matches(name))
}

fn filled(glob: &str, fill: &str) -> String {
    let mut name = String::new();
    for c in glob.chars() {
        match c {
            '*' => name.push_str(fill),
            '?' => name.push('x'),
            c => name.push(c),
        }
    }
    name
}

/// The regular expression between the slashes.
fn expression(pattern: &Pattern) -> Option<&str> {
    pattern.as_str().strip_prefix('/')?.strip_suffix('/')
}

/// Texts that the expression matches, with as few repetitions as possible, then with at least one or two.
fn of_expression(hir: &Hir) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for least in [0, 1, 2] {
        let mut text = String::new();
        if write_example(hir, least, &mut text).is_some() && !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts
}

/// The most characters of an example.
const LONGEST: usize = 128;

fn write_example(hir: &Hir, least: u32, text: &mut String) -> Option<()> {
    if text.len() > LONGEST {
        return None;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(std::str::from_utf8(&literal.0).ok()?),
        HirKind::Class(class) => text.push(member(class)?),
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(u32::MAX);
            for _ in 0..least.min(most).max(repetition.min) {
                write_example(&repetition.sub, least, text)?;
            }
        }
        HirKind::Capture(capture) => write_example(&capture.sub, least, text)?,
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| write_example(part, least, text))?,
        HirKind::Alternation(parts) => {
            let before = text.len();
            parts.iter().find_map(|part| {
                text.truncate(before);
                write_example(part, least, text)
            })?;
        }
    }
    Some(())
}

/// A character of the class that names may have, if possible a letter.
fn member(class: &Class) -> Option<char> {
    let takes = |c: char| match class {
        Class::Unicode(class) => class.iter().any(|range| (range.start()..=range.end()).contains(&c)),
        Class::Bytes(class) => class.iter().any(|range| (range.start()..=range.end()).contains(&(c as u8))),
    };
    ('a'..='z').chain('A'..='Z').chain('0'..='9').chain(['-', '_', '.', '/']).find(|c| takes(*c))
}

#[cfg(test)]
mod tests {
    use super::{Pattern, examples, in_common};

    #[test]
    fn a_pattern_has_an_example_that_it_matches() {
        for (pattern, example) in [
            ("internal-*", "internal-any"),
            ("*", "any"),
            ("a?c", "axc"),
            ("/pay-(eu|us)/", "pay-eu"),
            ("/[0-9]{3}x*/", "000"),
            ("/(?i)pay.+/", "paya"),
            ("/^a$|^b$/", "a"),
        ] {
            let found = examples(&Pattern::of_names(pattern).unwrap());
            assert_eq!(found.first().map(|name| name.to_lowercase()).as_deref(), Some(example), "{pattern}");
        }
    }

    #[test]
    fn an_expression_that_matches_no_name_has_no_example() {
        assert!(examples(&Pattern::of_names("/é+/").unwrap()).is_empty());
        assert!(examples(&Pattern::of_names("/a b/").unwrap()).is_empty());
    }

    #[test]
    fn two_patterns_that_overlap_have_a_name_in_common() {
        for (a, b) in [("pay-*", "*-eu"), ("a*", "/ab+/"), ("*x*", "*y*"), ("a-?", "a-*"), ("*-eu", "/pay-.*/")] {
            let (a, b) = (Pattern::of_names(a).unwrap(), Pattern::of_names(b).unwrap());
            let name = in_common(&a, &b).unwrap_or_else(|| panic!("{a} {b}"));
            assert!(a.matches(&name) && b.matches(&name));
        }
        assert_eq!(in_common(&Pattern::of_names("a*").unwrap(), &Pattern::of_names("b*").unwrap()), None);
    }
}
