//! Patterns: an exact text, a glob, or a regular expression between slashes.
//!
//! A pattern always matches the whole text, in linear time: globs by a two-pointer walk, expressions by the `regex` crate.
//! Patterns of service and environment names and of `requester` compare without case, all others with case.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use regex::{Regex, RegexBuilder};

use serde::{Deserialize as _, Deserializer};

use crate::ident::{quoted, serde_as_text};

/// The most bytes that one compiled expression may take.
const REGEX_SIZE_LIMIT: usize = 1 << 20;

/// `FromStr` makes one that compares with case, [`Pattern::of_names`] one without.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: Box<str>,
    form: Form,
    case: Case,
}

/// Whether ASCII case matters. A regular expression without case folds all of Unicode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    Matters,
    Ignored,
}

#[derive(Debug, Clone)]
enum Form {
    Exact,
    Glob,
    Regex(Regex),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It is empty or has control characters.
    #[error(
        "`{0}` is not a pattern: expected an exact text, a glob with `*` and `?`, or a regular expression between slashes"
    )]
    Form(String),
    /// The expression does not compile.
    #[error(
        "the regular expression `{given}` cannot be used ({why}): expected the syntax of the `regex` crate between the slashes"
    )]
    Regex { given: String, why: String },
}

impl Pattern {
    /// A pattern of names, which compare without case.
    ///
    /// # Errors
    /// See [`PatternError`].
    pub fn of_names(text: &str) -> Result<Self, PatternError> {
        Self::new(text, Case::Ignored)
    }

    fn new(text: &str, case: Case) -> Result<Self, PatternError> {
        if text.is_empty() || text.chars().any(char::is_control) {
            return Err(PatternError::Form(quoted(text)));
        }
        let form = match between_slashes(text) {
            Some("") => return Err(PatternError::Form(text.to_owned())),
            Some(inner) => {
                // A flag such as `(?x)` could let the closing parenthesis fall into a comment: compile the inner alone first.
                let compiled = Regex::new(inner).and_then(|_| {
                    RegexBuilder::new(&format!("^(?:{inner})$"))
                        .case_insensitive(case == Case::Ignored)
                        .size_limit(REGEX_SIZE_LIMIT)
                        .build()
                });
                Form::Regex(
                    compiled
                        .map_err(|error| PatternError::Regex { given: quoted(inner), why: regex_message(&error) })?,
                )
            }
            None if is_glob(text) => Form::Glob,
            None => Form::Exact,
        };
        Ok(Self { text: text.into(), form, case })
    }

    /// Whether the whole text matches.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        match (&self.form, self.case) {
            (Form::Exact, Case::Matters) => *self.text == *text,
            // Most names are written as the policy spells them, and comparing bytes is quicker.
            (Form::Exact, Case::Ignored) => *self.text == *text || self.text.eq_ignore_ascii_case(text),
            (Form::Glob, Case::Matters) => glob_matches(self.text.as_bytes(), text.as_bytes(), u8::eq),
            (Form::Glob, Case::Ignored) => {
                glob_matches(self.text.as_bytes(), text.as_bytes(), u8::eq_ignore_ascii_case)
            }
            (Form::Regex(regex), _) => regex.is_match(text),
        }
    }

    /// The same text for patterns of names that are the same key of a level.
    #[must_use]
    pub fn key(&self) -> Cow<'_, str> {
        key_of_names(&self.text)
    }

    /// The text as it was written, slashes included.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it matches one text only.
    #[must_use]
    pub const fn is_exact(&self) -> bool {
        matches!(self.form, Form::Exact)
    }

    /// Whether it is a bare `*`.
    #[must_use]
    pub fn is_star(&self) -> bool {
        &*self.text == "*"
    }

    /// The text of a glob. `None` for other patterns.
    #[must_use]
    pub fn as_glob(&self) -> Option<&str> {
        matches!(self.form, Form::Glob).then_some(&*self.text)
    }

    /// Whether a text could match both. A regular expression counts as overlapping with every other pattern.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        match (&self.form, &other.form) {
            (Form::Regex(_), _) | (_, Form::Regex(_)) => true,
            (Form::Exact, _) => other.matches(&self.text),
            (_, Form::Exact) => self.matches(&other.text),
            (Form::Glob, Form::Glob) => match (self.case, other.case) {
                (Case::Matters, Case::Matters) => globs_overlap(self.text.as_bytes(), other.text.as_bytes()),
                (Case::Ignored, _) | (_, Case::Ignored) => globs_overlap(
                    &self.text.to_ascii_lowercase().into_bytes(),
                    &other.text.to_ascii_lowercase().into_bytes(),
                ),
            },
        }
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        Self::new(text, Case::Matters)
    }
}

/// Reads stored patterns that compare without case.
pub(super) fn read_patterns_of_names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Pattern>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| Pattern::of_names(text).map_err(serde::de::Error::custom)).collect()
}

/// The key of a level as it compares with others: without case, unless it is a regular expression, whose meaning case
/// can change (`\d` and `\D`).
#[must_use]
pub fn key_of_names(text: &str) -> Cow<'_, str> {
    if between_slashes(text).is_none() && text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// Whether a key is a pattern whose order has a meaning. The key may be invalid: no expression is compiled.
pub(super) fn is_ordered(key: &str) -> bool {
    between_slashes(key).is_some() || (key != "*" && is_glob(key))
}

fn between_slashes(text: &str) -> Option<&str> {
    text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'))
}

fn is_glob(text: &str) -> bool {
    text.bytes().any(|byte| matches!(byte, b'*' | b'?'))
}

/// The last line of the `regex` crate's message: the reason, without the drawing of the place.
fn regex_message(error: &regex::Error) -> String {
    let whole = error.to_string();
    whole.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

serde_as_text!(Pattern);

/// Two patterns are equal if they compare alike and are written alike, or differ in case only where case is ignored.
impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.case == other.case
            && (self.text == other.text || (self.case == Case::Ignored && self.key() == other.key()))
    }
}

impl Eq for Pattern {}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether a glob matches the whole text: `*` any run, `?` one character.
///
/// On a mismatch it returns to the last `*` only. Returning to an earlier one would never find more matches.
pub(crate) fn glob_matches(glob: &[u8], text: &[u8], same: impl Fn(&u8, &u8) -> bool) -> bool {
    let alike = |(wanted, byte): &(&u8, &u8)| !matches!(wanted, b'*' | b'?') && same(wanted, byte);
    let beginning = glob.iter().zip(text).take_while(alike).count();
    let (mut g, mut t) = (beginning, beginning);
    let mut back: Option<(usize, usize)> = None;
    while let Some(byte) = text.get(t) {
        match glob.get(g) {
            // A final `*` matches whatever is left.
            Some(b'*') if g + 1 == glob.len() => return true,
            Some(b'*') => {
                back = Some((g + 1, t));
                g += 1;
            }
            Some(b'?') => {
                g += 1;
                t += character_len(*byte);
            }
            Some(wanted) if same(wanted, byte) => {
                g += 1;
                t += 1;
            }
            Some(_) | None => match back {
                Some((after, from)) => {
                    let next = from + 1;
                    back = Some((after, next));
                    g = after;
                    t = next;
                }
                None => return false,
            },
        }
    }
    glob.get(g..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

/// How many bytes a UTF-8 character has that begins with this byte.
const fn character_len(first: u8) -> usize {
    match first {
        0xf0..=0xff => 4,
        0xe0..=0xef => 3,
        0xc0..=0xdf => 2,
        0x00..=0xbf => 1,
    }
}

/// Whether a text matches both globs. Walks over pairs of positions, row by row.
fn globs_overlap(a: &[u8], b: &[u8]) -> bool {
    // `reach[j]`: whether the first i bytes of `a` and the first j of `b` can be matched by one text.
    let mut reach = vec![false; b.len() + 1];
    for i in 0..=a.len() {
        let mut row = vec![false; b.len() + 1];
        for j in 0..=b.len() {
            let at = |row: &[bool], j: Option<usize>| j.and_then(|j| row.get(j)).copied().unwrap_or(false);
            let (from_a, from_b) = (i.checked_sub(1).and_then(|i| a.get(i)), j.checked_sub(1).and_then(|j| b.get(j)));
            let both_empty = i == 0 && j == 0;
            let above = i > 0 && at(&reach, Some(j)) && (from_a == Some(&b'*') || from_b == Some(&b'*'));
            let left = at(&row, j.checked_sub(1)) && (from_a == Some(&b'*') || from_b == Some(&b'*'));
            let diagonal = i > 0
                && at(&reach, j.checked_sub(1))
                && match (from_a, from_b) {
                    (Some(b'*' | b'?'), Some(_)) | (Some(_), Some(b'*' | b'?')) => true,
                    (Some(x), Some(y)) => x == y,
                    (None, _) | (_, None) => false,
                };
            if let Some(cell) = row.get_mut(j) {
                *cell = both_empty || above || left || diagonal;
            }
        }
        reach = row;
    }
    reach.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::Pattern;
    use proptest::prelude::*;

    fn pattern(text: &str) -> Pattern {
        text.parse().unwrap()
    }

    #[test]
    fn a_glob_matches_the_whole_text() {
        assert!(pattern("internal-*").matches("internal-billing"));
        assert!(pattern("internal-*").matches("internal-"));
        assert!(!pattern("internal-*").matches("my-internal-billing"));
        assert!(pattern("*-prod").matches("eu-west-prod"));
        assert!(pattern("a?c*").matches("abcd"));
        assert!(pattern("a?").matches("aü"));
        assert!(!pattern("a?c").matches("ac"));
    }

    #[test]
    fn an_expression_between_slashes_matches_the_whole_text() {
        assert!(pattern("/pay-(eu|us)/").matches("pay-eu"));
        assert!(!pattern("/pay-(eu|us)/").matches("pay-eu-2"));
        assert!(!pattern("/a|b/").matches("ab"));
    }

    #[test]
    fn a_pattern_of_names_compares_without_case_and_any_other_with_case() {
        for text in ["Pay-EU", "pay-*", "Pay-?U", "/pay-(eu|us)/"] {
            let of_names = Pattern::of_names(text).unwrap();
            assert!(["pay-eu", "PAY-EU", "Pay-Eu"].iter().all(|name| of_names.matches(name)), "{text}");
            assert!(!["pay-eu", "PAY-EU"].iter().all(|name| pattern(text).matches(name)), "{text}");
        }
    }

    #[test]
    fn case_changes_the_key_of_a_regular_expression_only() {
        let of_names = |text| Pattern::of_names(text).unwrap();
        assert_eq!(of_names("Pay-*"), of_names("pay-*"));
        assert_eq!(of_names("Pay"), of_names("pAY"));
        assert_ne!(of_names("/\\d/"), of_names("/\\D/"));
        assert_ne!(pattern("Pay-*"), pattern("pay-*"));
        assert!(of_names("PAY-*").overlaps(&of_names("*-eu")));
        assert!(of_names("a*X").overlaps(&of_names("*Ax")));
    }

    #[test]
    fn an_expression_that_does_not_compile_or_is_too_big_is_refused_with_the_reason() {
        assert!("/(/".parse::<Pattern>().unwrap_err().to_string().contains("unclosed group"));
        assert!("/a{1000}{1000}{1000}/".parse::<Pattern>().is_err());
        assert!("//".parse::<Pattern>().is_err());
        assert!("/a)|(b/".parse::<Pattern>().is_err());
        assert!("/(?x)a #/".parse::<Pattern>().is_err());
    }

    #[test]
    fn globs_overlap_if_one_text_matches_both() {
        assert!(pattern("a*").overlaps(&pattern("*b")));
        assert!(!pattern("a*").overlaps(&pattern("b*")));
        assert!(!pattern("internal-*").overlaps(&pattern("external-*")));
        assert!(pattern("pay-?").overlaps(&pattern("pay-*")));
        assert!(pattern("/x/").overlaps(&pattern("y*")));
    }

    proptest! {
        #[test]
        fn a_text_that_matches_two_globs_shows_that_they_overlap(a in "[ab*?]{0,6}", b in "[ab*?]{0,6}", text in "[ab]{0,6}") {
            prop_assume!(!a.is_empty() && !b.is_empty());
            let (a, b) = (pattern(&a), pattern(&b));
            prop_assert_eq!(a.overlaps(&b), b.overlaps(&a));
            if a.matches(&text) && b.matches(&text) {
                prop_assert!(a.overlaps(&b));
            }
        }
    }
}
