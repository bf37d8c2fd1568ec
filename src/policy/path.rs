//! Patterns for paths of changed files, as in `.gitignore` but without its escapes, character classes and `!`.
//!
//! What could be read in two ways is refused, because a path that never matches would silently drop an approval.
//! Matching takes time linear in pattern times path. Does no file access.

use std::fmt;
use std::str::FromStr;

use super::pattern::glob_matches;
use crate::ident::{quoted, serde_as_text};

/// The most bytes of one path.
const LONGEST: usize = 1024;

/// A path with `*`, `?` and `**`. A pattern that matches a folder matches everything in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPattern {
    text: Box<str>,
    /// A path matches if its names begin with these.
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// Any number of folders, or none.
    Gap,
    /// One name, as a glob.
    Name(Box<str>),
}

/// A text that is not a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    #[error("`{0}` names no path: expected a file or a folder, such as `src/lib.rs` or `infra/`")]
    Empty(String),
    #[error("the path `{0}…` is too long: expected at most {LONGEST} bytes")]
    TooLong(String),
    #[error("the path `{0}` begins or ends with a space, or has control characters: expected it without")]
    Space(String),
    /// `!`
    #[error("the path `{0}` is negated: expected `not: {{ paths: [...] }}` in place of `!`")]
    Negated(String),
    /// `[...]`
    #[error("the path `{0}` has `[`, but there are no character classes: expected `?`, which is any one character")]
    Class(String),
    /// `\`
    #[error(
        "the path `{0}` has a backslash, which escapes nothing here: expected `/` between folders, or `?` in place of an escaped character"
    )]
    Escape(String),
    /// `{a,b}`
    #[error("the path `{0}` lists alternatives in braces, which `.gitignore` does not have: expected a path for each")]
    Braces(String),
    /// `a**`
    #[error(
        "the path `{0}` has `**` beside other characters: expected `**` alone between slashes, such as `src/**/*.rs`"
    )]
    Stars(String),
    /// `a//b`, `./a`, `../a`
    #[error(
        "the path `{0}` can match no file: expected a path from the repository's root, without `.`, `..` and `//` between its names"
    )]
    Nowhere(String),
}

impl PathPattern {
    /// Whether the pattern matches a file. The path is relative to the repository's root, with `/` between names.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        let mut parts = self.parts.as_slice();
        let mut left = Some(path);
        let mut back: Option<(&[Part], &str)> = None;
        while let Some((part, after)) = parts.split_first() {
            match part {
                Part::Gap => {
                    parts = after;
                    back = left.map(|path| (after, path));
                }
                Part::Name(glob) => {
                    // If no name is left, a longer gap would not help: it leaves even fewer.
                    let Some((name, below)) = left.map(first_name) else { return false };
                    if glob_matches(glob.as_bytes(), name.as_bytes(), u8::eq) {
                        parts = after;
                        left = below;
                        continue;
                    }
                    let further = back.and_then(|(again, path)| Some((again, first_name(path).1?)));
                    let Some((again, path)) = further else { return false };
                    parts = again;
                    left = Some(path);
                    back = further;
                }
            }
        }
        true
    }

    /// The text as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// The first name of a path, and the rest.
fn first_name(path: &str) -> (&str, Option<&str>) {
    path.split_once('/').map_or((path, None), |(name, below)| (name, Some(below)))
}

impl FromStr for PathPattern {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        if let Some(refused) = refused_as(text) {
            return Err(refused(quoted(text)));
        }
        let whole = text.strip_suffix('/').unwrap_or(text);
        let from_root = whole.contains('/');
        let names = whole.strip_prefix('/').unwrap_or(whole);
        if names.is_empty() {
            return Err(PathError::Empty(quoted(text)));
        }
        let mut parts = Vec::new();
        if !from_root {
            parts.push(Part::Gap);
        }
        for name in names.split('/') {
            parts.push(match name {
                "" | "." | ".." => return Err(PathError::Nowhere(quoted(text))),
                "**" => Part::Gap,
                _ if name.contains("**") => return Err(PathError::Stars(quoted(text))),
                _ => Part::Name(name.into()),
            });
        }
        let anything = || Part::Name("*".into());
        // `a/**` matches what is in the folder, not the folder.
        if parts.last() == Some(&Part::Gap) {
            parts.push(anything());
        }
        // A changed file is not a folder. So with a `/` at the end only what is below can match.
        if whole.len() < text.len() {
            parts.push(anything());
        }
        Ok(Self { text: text.into(), parts })
    }
}

/// The error for a path with characters that are not allowed.
fn refused_as(text: &str) -> Option<fn(String) -> PathError> {
    let alternatives =
        text.split('{').skip(1).any(|after| after.split_once('}').is_some_and(|(inside, _)| inside.contains(',')));
    if text.len() > LONGEST {
        Some(PathError::TooLong)
    } else if text.trim() != text || text.chars().any(char::is_control) {
        Some(PathError::Space)
    } else if text.starts_with('!') {
        Some(PathError::Negated)
    } else if text.contains('[') {
        Some(PathError::Class)
    } else if text.contains('\\') {
        Some(PathError::Escape)
    } else if alternatives {
        Some(PathError::Braces)
    } else {
        None
    }
}

serde_as_text!(PathPattern);

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::PathPattern;
    use proptest::prelude::*;

    /// Pattern, path, and whether git 2.47 ignores the path, by `git check-ignore --no-index` with the pattern as the one
    /// line of `.git/info/exclude`. More than 1600 random patterns gave the same results over 160 paths.
    const AS_GIT: &[(&str, &str, bool)] = &[
        ("src", "src", true),
        ("src", "lib/src/x", true),
        ("src", "src2/x", false),
        ("x]", "x]", true),
        ("{a}", "{a}", true),
        ("{{c}}/", "{{c}}/f", true),
        ("docs/", "docs", false),
        ("docs/", "docs/x", true),
        ("docs/", "a/docs/x", true),
        ("/docs", "a/docs", false),
        ("/docs", "docs", true),
        ("/docs/", "docs/x/y", true),
        ("infra/iam/", "infra/iam/role.tf", true),
        ("infra/iam/", "x/infra/iam/role.tf", false),
        ("infra/iam/", "infra/iam", false),
        ("infra/iam", "infra/iam", true),
        ("infra/iam", "infra/iam-old/x", false),
        ("*.tf", "main.tf", true),
        ("*.tf", "infra/main.tf", true),
        ("*.tf", "main.tfvars", false),
        ("*.tf", "modules.tf/readme", true),
        ("infra/*.tf", "infra/main.tf", true),
        ("infra/*.tf", "infra/iam/main.tf", false),
        ("infra/*", "infra/iam/main.tf", true),
        ("infra/*/", "infra/main.tf", false),
        ("infra/**/*.tf", "infra/main.tf", true),
        ("infra/**/*.tf", "infra/a/b/main.tf", true),
        ("infra/**/*.tf", "x/infra/a.tf", false),
        ("a/**", "a/x", true),
        ("a/**", "a/x/y", true),
        ("a/**", "a", false),
        ("a/**", "b/a/x", false),
        ("**/a", "a", true),
        ("**/a", "x/y/a", true),
        ("**/a", "x/a/y", true),
        ("a/**/b", "a/b", true),
        ("a/**/b", "a/x/y/b", true),
        ("a/**/b", "a/x/y/b/c", true),
        ("a/**/b", "a/xb", false),
        ("a/**/", "a/x", false),
        ("a/**/", "a/x/y", true),
        ("**/a/**/b/**", "x/a/y/b/z", true),
        ("**/a/**/b/**", "x/a/y/b", false),
        ("a/**/b/c", "a/b/x/b/c", true),
        ("*", "any/thing", true),
        ("**", "any", true),
        ("**/", "any", false),
        ("**/", "any/thing", true),
        ("/*", "any", true),
        ("/*/", "any", false),
        ("/*/", "any/thing", true),
        ("*/a", "x/a", true),
        ("*/a", "a", false),
        ("*/a", "x/y/a", false),
        ("?.rs", "a.rs", true),
        ("?.rs", ".rs", false),
        ("a?b", "a/b", false),
        ("a*b", "a/b", false),
        ("a*", "a", true),
        ("*", ".hidden", true),
        ("Docs", "docs", false),
        ("a b", "a b", true),
        ("src/*/mod.rs", "src/a/b/mod.rs", false),
        ("src/**/mod.rs", "src/mod.rs", true),
    ];

    fn pattern(text: &str) -> PathPattern {
        text.parse().unwrap()
    }

    #[test]
    fn a_pattern_matches_the_paths_that_git_ignores_by_it() {
        for (text, path, expected) in AS_GIT {
            assert_eq!(pattern(text).matches(path), *expected, "`{text}` and `{path}`");
        }
    }

    #[test]
    fn a_question_mark_is_one_character_and_not_one_byte() {
        assert!(pattern("Z?rich/").matches("Zürich/plan.md"));
        assert!(!pattern("Z??rich/").matches("Zürich/plan.md"));
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused_with_a_hint() {
        let cases = [
            ("", "names no path"),
            ("/", "names no path"),
            ("!docs/", "not: { paths: [...] }"),
            ("app/[id]/page.tsx", "`?`"),
            ("app\\main.rs", "`/` between folders"),
            ("*.{ts,tsx}", "a path for each"),
            ("src/**.rs", "alone between slashes"),
            ("src/***/a", "alone between slashes"),
            ("./src", "from the repository's root"),
            ("../src", "from the repository's root"),
            ("src//a", "from the repository's root"),
            ("src/ ", "expected it without"),
            ("a\nb", "expected it without"),
        ];
        for (text, expected) in cases {
            let error = text.parse::<PathPattern>().unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains(": expected "), "{text}: {error}");
        }
        assert!("a/".repeat(600).parse::<PathPattern>().unwrap_err().to_string().contains("too long"));
    }

    #[test]
    fn a_hostile_pattern_is_matched_in_no_more_steps_than_pattern_times_path() {
        // If every star were tried at every place, these would never end.
        assert!(!pattern(&format!("{}b", "*a".repeat(400))).matches(&"a".repeat(4000)));
        assert!(!pattern(&format!("{}b", "**/a/".repeat(200))).matches(&vec!["a"; 2000].join("/")));
    }

    proptest! {
        #[test]
        fn a_pattern_matches_if_and_only_if_trying_every_way_does(
            text in "/?(a|b|\\*|\\?|\\*\\*|a\\*)(/(a|b|\\*|\\?|\\*\\*|\\*b)){0,4}/?", path in "[ab]{1,2}(/[ab]{1,2}){0,5}"
        ) {
            let pattern = pattern(&text);
            let names: Vec<&str> = path.split('/').collect();
            prop_assert_eq!(pattern.matches(&path), every_way(&pattern.parts, &names));
        }

        #[test]
        fn what_matches_a_folder_matches_all_in_it(text in "(a|b|\\*|\\*\\*)(/(a|b|\\*|\\*\\*)){0,3}/?", path in "[ab](/[ab]){0,4}", below in "[ab](/[ab]){0,2}") {
            let pattern = pattern(&text);
            if pattern.matches(&path) {
                let inside = format!("{path}/{below}");
                prop_assert!(pattern.matches(&inside));
            }
        }
    }

    /// The obvious, slow way: every gap is tried with every number of names.
    fn every_way(parts: &[super::Part], names: &[&str]) -> bool {
        match (parts, names) {
            ([], _) => true,
            ([super::Part::Gap, after @ ..], _) => (0..=names.len()).any(|n| every_way(after, &names[n..])),
            ([super::Part::Name(_), ..], []) => false,
            ([super::Part::Name(glob), after @ ..], [name, below @ ..]) => {
                super::glob_matches(glob.as_bytes(), name.as_bytes(), u8::eq) && every_way(after, below)
            }
        }
    }
}
