//! Which targets of two policies are compared: every name that they contain, and examples for their patterns.
//!
//! There is one example for each pattern, and one for each pair of patterns that overlap, because the pattern that
//! applies to it may change.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use super::change::Subject;
use super::example::{examples, in_common};
use crate::policy::Policy;
use crate::policy::pattern::Pattern;
use crate::policy::selector::Selectors;
use crate::policy::service::{Layer, Service};

/// How many pairs of patterns are tried for names that both match.
const MOST_PAIRS: usize = 20_000;
/// How many names of environments of other services are tried at services with patterns. If there are more, only the
/// examples of the patterns are tried.
const MOST_ELSEWHERE: usize = 1_000_000;

#[derive(Debug)]
pub(super) struct ComparedService<'p> {
    pub(super) subject: Subject,
    pub(super) entries: [Option<(&'p Pattern, &'p Service)>; 2],
}

/// In the order of their names.
pub(super) fn services<'p>(policies: [&'p Policy; 2]) -> Vec<ComparedService<'p>> {
    let levels: Vec<&Selectors<Service>> = policies.iter().map(|policy| &policy.services).collect();
    let mut names = Names::of(levels.iter().flat_map(|level| level.iter()).map(|(key, _)| key));
    // If both policies have the same patterns in the same order, one example for each is enough.
    let patterns = |level: &Selectors<Service>| -> Vec<String> {
        level.iter().filter(|(key, _)| !key.is_exact()).map(|(key, _)| key.to_string()).collect()
    };
    let [old, new] = policies.map(|policy| patterns(&policy.services));
    let differ = old != new;
    let [in_old, in_new]: [HashSet<&str>; 2] = [&old, &new].map(|texts| texts.iter().map(String::as_str).collect());
    let moved =
        |pattern: &Pattern| differ && (!in_old.contains(pattern.as_str()) || !in_new.contains(pattern.as_str()));
    let reordered = {
        let common = |of: &[String], other: &[String]| -> Vec<String> {
            let other: BTreeSet<&String> = other.iter().collect();
            of.iter().filter(|text| other.contains(text)).cloned().collect()
        };
        differ && common(&old, &new) != common(&new, &old)
    };
    let applies_in = |pattern: &Pattern, name: &str| {
        levels.iter().filter(|level| level.find(name).is_some_and(|(key, _)| key == pattern)).count()
    };
    names.represent(&applies_in, &|a, b| reordered || moved(a) || moved(b));
    let entry = |name: &str| policies.map(|policy| policy.services.find(name));
    let subjects = names.subjects.iter();
    subjects
        .map(|(name, pattern)| ComparedService {
            subject: Subject { name: name.clone(), pattern: pattern.clone() },
            entries: entry(name),
        })
        .collect()
}

pub(super) struct Environments<'p> {
    /// The names at the top level and of the floors.
    common: BTreeSet<&'p str>,
    common_patterns: Vec<&'p Pattern>,
    /// Every name of both policies.
    written: BTreeSet<&'p str>,
    /// Whether names of other services are tried.
    elsewhere: bool,
    policies: [&'p Policy; 2],
    /// The examples for services with the same patterns.
    found: HashMap<Vec<&'p str>, Rc<BTreeMap<String, Option<String>>>>,
}

impl<'p> Environments<'p> {
    pub(super) fn new(policies: [&'p Policy; 2], services: &[ComparedService<'p>]) -> Self {
        let top = policies.iter().flat_map(|policy| policy.environments.iter()).map(|(key, _)| key);
        let floors = policies.iter().flat_map(|policy| &policy.floors).map(|floor| &floor.selector);
        let (exact, patterns): (Vec<&Pattern>, Vec<&Pattern>) = top.chain(floors).partition(|key| key.is_exact());
        let common: BTreeSet<&str> = exact.into_iter().map(Pattern::as_str).collect();
        let own = policies.iter().flat_map(|policy| policy.services.iter());
        let own = own.flat_map(|(_, service)| service.environments.iter()).map(|(key, _)| key);
        let mut written: BTreeSet<&str> = own.filter(|key| key.is_exact()).map(Pattern::as_str).collect();
        written.extend(&common);
        let elsewhere = services.len().saturating_mul(written.len()) <= MOST_ELSEWHERE;
        Self { common, common_patterns: patterns, written, elsewhere, policies, found: HashMap::new() }
    }

    /// In the order of their names.
    pub(super) fn of(&mut self, service: &ComparedService<'p>) -> Vec<Subject> {
        let own = || service.entries.iter().flatten().flat_map(|(_, service)| service.environments.iter());
        let written = own().map(|(key, _)| key).filter(|key| key.is_exact()).map(Pattern::as_str);
        let mut exact: BTreeSet<&str> = self.common.iter().copied().chain(written).collect();
        let mut patterns: Vec<&'p Pattern> = own().map(|(key, _)| key).filter(|key| !key.is_exact()).collect();
        patterns.extend(&self.common_patterns);
        if self.elsewhere && !patterns.is_empty() {
            let matched = |name: &&&str| patterns.iter().any(|pattern| pattern.matches(name));
            exact.extend(self.written.iter().filter(matched));
        }
        let mut subjects: Vec<Subject> =
            exact.into_iter().map(|name| Subject { name: name.to_owned(), pattern: None }).collect();
        if !patterns.is_empty() {
            let found = self.representatives(service, patterns);
            let found = found.iter().map(|(name, pattern)| Subject { name: name.clone(), pattern: pattern.clone() });
            subjects.extend(found);
        }
        subjects.sort_unstable();
        subjects
    }

    fn representatives(
        &mut self,
        service: &ComparedService<'p>,
        patterns: Vec<&'p Pattern>,
    ) -> Rc<BTreeMap<String, Option<String>>> {
        let key: Vec<&str> = patterns.iter().map(|pattern| pattern.as_str()).collect();
        if let Some(found) = self.found.get(&key) {
            return Rc::clone(found);
        }
        let own = service.entries.iter().flatten().map(|(_, service)| &service.environments);
        let levels: Vec<&Selectors<Layer>> =
            own.chain(self.policies.iter().map(|policy| &policy.environments)).collect();
        let applies_in = |pattern: &Pattern, name: &str| {
            levels.iter().filter(|level| level.find(name).is_some_and(|(key, _)| key == pattern)).count()
        };
        let mut names = Names::of(patterns);
        names.taken.extend(self.written.iter().copied());
        // A name may have a layer at two levels. Overlapping patterns decide which.
        names.represent(&applies_in, &|_, _| true);
        let found = Rc::new(names.subjects);
        self.found.insert(key, Rc::clone(&found));
        found
    }
}

/// Names, and the patterns that some of them are examples for.
struct Names<'p> {
    subjects: BTreeMap<String, Option<String>>,
    patterns: Vec<&'p Pattern>,
    /// The names of the policies themselves.
    taken: BTreeSet<&'p str>,
}

impl<'p> Names<'p> {
    fn of(keys: impl IntoIterator<Item = &'p Pattern>) -> Self {
        let mut names = Self { subjects: BTreeMap::new(), patterns: Vec::new(), taken: BTreeSet::new() };
        let mut seen = BTreeSet::new();
        for key in keys {
            if key.is_exact() {
                names.taken.insert(key.as_str());
                names.subjects.insert(key.as_str().to_owned(), None);
            } else if seen.insert(key.as_str()) {
                names.patterns.push(key);
            }
        }
        names
    }

    /// Finds an example for each pattern, and for the pairs of which another may come to apply. `applies_in` counts the
    /// places in which the pattern is the one that applies to a name.
    fn represent(&mut self, applies_in: &dyn Fn(&Pattern, &str) -> usize, pairs: &dyn Fn(&Pattern, &Pattern) -> bool) {
        let free = |taken: &BTreeSet<&str>, name: &str| !taken.contains(name);
        for pattern in &self.patterns {
            let mut candidates = examples(pattern);
            candidates.retain(|name| free(&self.taken, name) && !self.subjects.contains_key(name));
            // The first of those that it applies to in the most places.
            let best = candidates.iter().rev().max_by_key(|name| applies_in(pattern, name));
            // The text of a pattern is not a name, which shows that there is no example.
            let name = best.map_or(pattern.as_str(), String::as_str);
            self.subjects.insert(name.to_owned(), Some(pattern.as_str().to_owned()));
        }
        let mut looked_at = 0;
        for (at, a) in self.patterns.iter().enumerate() {
            for b in self.patterns.iter().skip(at + 1).filter(|b| !a.is_star() && !b.is_star() && pairs(a, b)) {
                looked_at += 1;
                if looked_at > MOST_PAIRS {
                    return;
                }
                let name = if a.overlaps(b) { in_common(a, b) } else { None };
                if let Some(name) = name.filter(|name| free(&self.taken, name)) {
                    self.subjects.entry(name).or_insert_with(|| Some(format!("{a} and {b}")));
                }
            }
        }
    }
}
