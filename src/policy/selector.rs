//! One level of selectors, and the index that finds the one for a name without a walk over all.
//!
//! The exact key wins, else the first pattern that matches. A bare `*` comes last, wherever it is written. Names compare
//! without case. Patterns are put into buckets by the literal text they begin or end with, so that a look-up tries only
//! those that could match.

use std::borrow::Cow;
use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::pattern::{Pattern, key_of_names};
use crate::ident::is_name;

/// The most overlapping pairs that are reported for one level. There can be as many as the square of the patterns.
const MAX_PAIRS: usize = 1000;

/// Up to this many keys, a walk over all is quicker than any hash, and a level without an index takes less memory.
const FEW_KEYS: usize = 8;

/// The keys of one level with their values.
#[derive(Debug, Clone)]
pub struct Selectors<T> {
    entries: Vec<(Pattern, T)>,
    /// `None` up to [`FEW_KEYS`].
    index: Option<Box<Index>>,
}

impl<T> Default for Selectors<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), index: None }
    }
}

/// The numbers of entries, by the text in lower case that a name must have for them to match.
#[derive(Debug, Clone, Default)]
struct Index {
    /// Every key by [`Pattern::key`], including patterns.
    by_key: HashMap<Box<str>, u32, RandomState>,
    star: Option<u32>,
    /// Globs by the literal text before their first wildcard, unless it is empty.
    prefixes: Buckets,
    /// The other globs by the literal text after their last wildcard, reversed, unless it is empty.
    suffixes: Buckets,
    /// The remaining globs, and regular expressions, in order.
    others: Vec<u32>,
}

/// Pattern numbers by literal text.
#[derive(Debug, Clone, Default)]
struct Buckets {
    by_text: HashMap<Box<[u8]>, Vec<u32>, RandomState>,
    /// The lengths of the texts, ascending.
    lengths: Vec<usize>,
}

impl Buckets {
    fn add(&mut self, text: &[u8], number: u32) {
        if let Err(at) = self.lengths.binary_search(&text.len()) {
            self.lengths.insert(at, text.len());
        }
        self.by_text.entry(text.into()).or_default().push(number);
    }

    /// The buckets of every text that `name` begins with.
    fn candidates<'b>(&'b self, name: &'b [u8]) -> impl Iterator<Item = &'b [u32]> {
        self.lengths
            .iter()
            .map_while(|length| name.get(..*length))
            .filter_map(|beginning| self.by_text.get(beginning))
            .map(Vec::as_slice)
    }
}

impl Index {
    fn add(&mut self, key: &Pattern, number: u32) {
        self.by_key.insert(key.key().into(), number);
        if key.is_star() {
            self.star = Some(number);
        } else if !key.is_exact() {
            let text = key.key();
            match key.as_glob().map(|_| literal_ends(&text)) {
                Some((prefix, _)) if !prefix.is_empty() => self.prefixes.add(prefix, number),
                Some((_, suffix)) if !suffix.is_empty() => self.suffixes.add(&reversed(suffix), number),
                Some(_) | None => self.others.push(number),
            }
        }
    }

    fn find<T>(&self, name: &str, entries: &[(Pattern, T)]) -> Option<u32> {
        let pattern = |number: u32| entry(entries, number).map(|(pattern, _)| pattern);
        let exact =
            |name: &str| self.by_key.get(name).copied().filter(|at| pattern(*at).is_some_and(Pattern::is_exact));
        // Most names are in lower case already.
        if let Some(exact) = exact(name) {
            return Some(exact);
        }
        let key = key_of_names(name);
        if let Cow::Owned(lower) = &key
            && let Some(exact) = exact(lower)
        {
            return Some(exact);
        }
        let name = &*key;
        let mut first = u32::MAX;
        let mut consider = |numbers: &[u32]| {
            // Numbers ascend, so the first match is the smallest of its bucket.
            for number in numbers.iter().take_while(|number| **number < first) {
                if pattern(*number).is_some_and(|pattern| pattern.matches(name)) {
                    first = *number;
                    return;
                }
            }
        };
        self.prefixes.candidates(name.as_bytes()).for_each(&mut consider);
        if !self.suffixes.lengths.is_empty() {
            self.suffixes.candidates(&reversed(name.as_bytes())).for_each(&mut consider);
        }
        consider(&self.others);
        if first == u32::MAX { self.star } else { Some(first) }
    }
}

fn entry<T>(entries: &[(Pattern, T)], number: u32) -> Option<(&Pattern, &T)> {
    entries.get(usize::try_from(number).ok()?).map(|(pattern, value)| (pattern, value))
}

impl<T> Selectors<T> {
    pub(super) fn with_capacity(keys: usize) -> Self {
        Self { entries: Vec::with_capacity(keys), index: None }
    }

    /// Adds an entry at the end. The key is of names, and must be new. The caller reports duplicates.
    pub(super) fn add(&mut self, key: Pattern, value: T) {
        let number = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        if let Some(index) = &mut self.index {
            index.add(&key, number);
        }
        self.entries.push((key, value));
        if self.index.is_none() && self.entries.len() > FEW_KEYS {
            let mut index = Box::<Index>::default();
            index.by_key.reserve(self.entries.capacity());
            (0..).zip(&self.entries).for_each(|(number, (key, _))| index.add(key, number));
            self.index = Some(index);
        }
    }

    /// The entry that wins for a name, with its key.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<(&Pattern, &T)> {
        if let Some(index) = &self.index {
            return index.find(name, &self.entries).and_then(|number| entry(&self.entries, number));
        }
        let matching = || self.iter().find(|(key, _)| !key.is_exact() && !key.is_star() && key.matches(name));
        let exact = |key: &Pattern| key.is_exact() && key.matches(name);
        self.iter().find(|(key, _)| exact(key)).or_else(matching).or_else(|| self.star())
    }

    /// The entry for a name or a pattern. For a name see [`Self::find`]. For a pattern it is the entry of the same text,
    /// or else of the bare `*`, which matches whatever the pattern matches.
    #[must_use]
    pub fn written(&self, text: &str) -> Option<(&Pattern, &T)> {
        if is_name(text) {
            return self.find(text);
        }
        self.get_key_value(text).or_else(|| self.star())
    }

    fn star(&self) -> Option<(&Pattern, &T)> {
        match &self.index {
            Some(index) => index.star.and_then(|number| entry(&self.entries, number)),
            None => self.iter().find(|(key, _)| key.is_star()),
        }
    }

    /// The entry with this key, however the key is spelled.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&T> {
        self.get_key_value(key).map(|(_, value)| value)
    }

    /// The entry with this key, however the key is spelled, with its key.
    #[must_use]
    pub fn get_key_value(&self, key: &str) -> Option<(&Pattern, &T)> {
        let key = key_of_names(key);
        match &self.index {
            Some(index) => index.by_key.get(&*key).and_then(|number| entry(&self.entries, *number)),
            None => self.iter().find(|(own, _)| own.key() == key),
        }
    }

    /// The exact key for a name, as it is written.
    pub(super) fn exact_key(&self, name: &str) -> Option<&Pattern> {
        self.get_key_value(name).map(|(key, _)| key).filter(|key| key.is_exact())
    }

    /// All entries, in the order of the files.
    pub fn iter(&self) -> impl Iterator<Item = (&Pattern, &T)> {
        self.entries.iter().map(|(pattern, value)| (pattern, value))
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The numbers of patterns that can match the same name and for which `apart` holds: at most [`MAX_PAIRS`] pairs.
    /// A bare `*` is never among them.
    pub(super) fn overlaps<'s>(&'s self, apart: impl Fn(&T, &T) -> bool + 's) -> Vec<(usize, usize)> {
        let patterns: Vec<(usize, &Pattern, &T)> = self
            .iter()
            .enumerate()
            .filter(|(_, (pattern, _))| !pattern.is_exact() && !pattern.is_star())
            .map(|(number, (pattern, value))| (number, pattern, value))
            .collect();
        let prefixes: Vec<Vec<u8>> = patterns.iter().map(|(_, pattern, _)| prefix_of(pattern)).collect();
        let mut by_prefix: HashMap<&[u8], Vec<usize>> = HashMap::new();
        for (at, prefix) in prefixes.iter().enumerate() {
            by_prefix.entry(prefix).or_default().push(at);
        }
        let mut pairs = Vec::new();
        for (at, ((number, pattern, value), prefix)) in patterns.iter().zip(&prefixes).enumerate() {
            // Two globs overlap only if the literal beginning of one begins that of the other. Look from the longer one.
            for length in 0..=prefix.len() {
                let same_length = length == prefix.len();
                for other in by_prefix.get(prefix.get(..length).unwrap_or_default()).into_iter().flatten() {
                    let Some((other_number, other_pattern, other_value)) = patterns.get(*other) else { continue };
                    let seen = same_length && *other >= at;
                    if !seen && apart(value, other_value) && pattern.overlaps(other_pattern) {
                        pairs.push(((*number).min(*other_number), (*number).max(*other_number)));
                        if pairs.len() >= MAX_PAIRS {
                            pairs.sort_unstable();
                            return pairs;
                        }
                    }
                }
            }
        }
        pairs.sort_unstable();
        pairs
    }

    /// An entry by its number in [`Self::overlaps`].
    pub(super) fn nth(&self, number: usize) -> Option<(&Pattern, &T)> {
        self.entries.get(number).map(|(pattern, value)| (pattern, value))
    }
}

/// The text in lower case that all matches of a pattern begin with. Empty for a regular expression.
fn prefix_of(pattern: &Pattern) -> Vec<u8> {
    pattern.as_glob().map(|glob| literal_ends(glob).0.to_ascii_lowercase()).unwrap_or_default()
}

/// The literal text before a glob's first wildcard, and after its last.
fn literal_ends(glob: &str) -> (&[u8], &[u8]) {
    let wild = |c: char| c == '*' || c == '?';
    let prefix = glob.split(wild).next().unwrap_or_default();
    let suffix = glob.rsplit(wild).next().unwrap_or_default();
    (prefix.as_bytes(), suffix.as_bytes())
}

fn reversed(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().rev().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::{Pattern, Selectors};
    use proptest::prelude::*;

    fn selectors(keys: &[&str]) -> Selectors<usize> {
        let mut selectors = Selectors::default();
        for (number, key) in keys.iter().enumerate() {
            selectors.add(Pattern::of_names(key).unwrap(), number);
        }
        selectors
    }

    #[test]
    fn the_exact_key_wins_then_the_first_pattern_then_a_bare_star() {
        let level = selectors(&["*", "pay-*", "/pay-.*/", "pay-eu", "*-eu"]);
        let key = |name| level.find(name).map(|(pattern, _)| pattern.as_str().to_owned()).unwrap();
        assert_eq!(key("pay-eu"), "pay-eu");
        assert_eq!(key("pay-us"), "pay-*");
        assert_eq!(key("ship-eu"), "*-eu");
        assert_eq!(key("other"), "*");
    }

    #[test]
    fn names_are_found_in_any_case_among_few_keys_and_among_many() {
        let few = ["Pay-EU", "pay-*", "*-Eu", "/x[0-9]/", "*"];
        let many: Vec<String> = (0..20).map(|number| format!("Other-{number}")).collect();
        let many: Vec<&str> = few.into_iter().chain(many.iter().map(String::as_str)).collect();
        for level in [selectors(&few), selectors(&many)] {
            let key = |name| level.find(name).map(|(pattern, _)| pattern.as_str().to_owned()).unwrap();
            for (name, found) in [("pay-eu", 0), ("PAY-US", 1), ("Ship-EU", 2), ("X1", 3), ("ship", 4)] {
                assert_eq!(key(name), few[found]);
            }
            let written = |text| level.get_key_value(text).map(|(pattern, _)| pattern.as_str().to_owned());
            assert_eq!(written("PAY-*").as_deref(), Some("pay-*"));
            assert_eq!(written("/X[0-9]/"), None, "case can change the meaning of a regular expression");
        }
    }

    #[test]
    fn a_pattern_finds_the_entry_of_its_own_text_or_the_bare_star() {
        let level = selectors(&["pay-*", "*", "/pay-.*/"]);
        let key = |text| level.written(text).map(|(pattern, _)| pattern.as_str().to_owned()).unwrap();
        assert_eq!(key("/pay-.*/"), "/pay-.*/");
        assert_eq!(key("pay-?"), "*");
        assert_eq!(key("pay-eu"), "pay-*");
        assert!(selectors(&["pay-*"]).written("*").is_none());
    }

    #[test]
    fn without_a_match_there_is_no_entry() {
        assert!(selectors(&["pay-*", "checkout"]).find("billing").is_none());
    }

    #[test]
    fn overlapping_pairs_are_found_for_any_beginning() {
        let level = selectors(&["pay-*", "payments-*", "pay-eu-*", "*-eu", "/x/", "*"]);
        let pairs = [(0, 2), (0, 3), (0, 4), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4)];
        assert_eq!(level.overlaps(|_, _| true), pairs);
        let level = selectors(&["pay-*", "PAYMENTS-*", "Pay-eu-*", "*-EU", "/x/", "*"]);
        assert_eq!(level.overlaps(|_, _| true), pairs);
    }

    proptest! {
        #[test]
        fn the_index_finds_what_a_walk_over_all_selectors_finds(
            keys in proptest::collection::btree_set("[abAB*?]{1,4}|/[abB]\\*b/", 1..24),
            name in "[abAB]{1,5}",
        ) {
            let mut keys: Vec<String> = keys.into_iter().collect();
            let mut seen = std::collections::HashSet::new();
            keys.retain(|key| seen.insert(super::key_of_names(key).into_owned()));
            let level = selectors(&keys.iter().map(String::as_str).collect::<Vec<_>>());
            let walk = keys.iter().find(|key| key.eq_ignore_ascii_case(&name))
                .or_else(|| keys.iter().find(|key| *key != "*" && Pattern::of_names(key).unwrap().matches(&name)))
                .or_else(|| keys.iter().find(|key| *key == "*"));
            prop_assert_eq!(level.find(&name).map(|(pattern, _)| pattern.as_str()), walk.map(String::as_str));
        }
    }
}
