//! Which targets of two policies are compared: every name that they contain, and examples for their patterns.
//!
//! There is one example for each pattern, and one for each pair of patterns that overlap, because the pattern that
//! applies to it may change.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use super::change::Subject;
use super::example::{examples, in_common};
use crate::policy::Policy;
use crate::policy::pattern::{Pattern, key_of_names};
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
        level.iter().filter(|(key, _)| !key.is_exact()).map(|(key, _)| key.key().into_owned()).collect()
    };
    let [old, new] = policies.map(|policy| patterns(&policy.services));
    let differ = old != new;
    let [in_old, in_new]: [HashSet<&str>; 2] = [&old, &new].map(|texts| texts.iter().map(String::as_str).collect());
    let moved = |pattern: &Pattern| differ && (!in_old.contains(&*pattern.key()) || !in_new.contains(&*pattern.key()));
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
    names.subjects.into_values().map(|subject| ComparedService { entries: entry(&subject.name), subject }).collect()
}

/// Names by their lower case, which is what they compare by. Of two spellings, the newer policy's is kept.
type Spelled<'p> = BTreeMap<String, &'p str>;

fn spelled<'p>(keys: impl IntoIterator<Item = &'p Pattern>) -> Spelled<'p> {
    keys.into_iter().filter(|key| key.is_exact()).map(|key| (key.key().into_owned(), key.as_str())).collect()
}

pub(super) struct Environments<'p> {
    /// The names at the top level and of the floors.
    common: Spelled<'p>,
    common_patterns: Vec<&'p Pattern>,
    /// Every name of both policies.
    written: Spelled<'p>,
    /// Whether names of other services are tried.
    elsewhere: bool,
    policies: [&'p Policy; 2],
    /// The examples for services with the same patterns.
    found: HashMap<Vec<&'p str>, Rc<BTreeMap<String, Subject>>>,
}

impl<'p> Environments<'p> {
    pub(super) fn new(policies: [&'p Policy; 2], services: &[ComparedService<'p>]) -> Self {
        let top = policies.iter().flat_map(|policy| policy.environments.iter()).map(|(key, _)| key);
        let floors = policies.iter().flat_map(|policy| &policy.floors).map(|floor| &floor.selector);
        let (exact, patterns): (Vec<&Pattern>, Vec<&Pattern>) = top.chain(floors).partition(|key| key.is_exact());
        let common = spelled(exact);
        let own = policies.iter().flat_map(|policy| policy.services.iter());
        let own = own.flat_map(|(_, service)| service.environments.iter()).map(|(key, _)| key);
        let mut written = spelled(own);
        written.extend(common.clone());
        let elsewhere = services.len().saturating_mul(written.len()) <= MOST_ELSEWHERE;
        Self { common, common_patterns: patterns, written, elsewhere, policies, found: HashMap::new() }
    }

    /// In the order of their names.
    pub(super) fn of(&mut self, service: &ComparedService<'p>) -> Vec<Subject> {
        let own = || service.entries.iter().flatten().flat_map(|(_, service)| service.environments.iter());
        let mut exact = self.common.clone();
        exact.extend(spelled(own().map(|(key, _)| key)));
        let mut patterns: Vec<&'p Pattern> = own().map(|(key, _)| key).filter(|key| !key.is_exact()).collect();
        patterns.extend(&self.common_patterns);
        if self.elsewhere && !patterns.is_empty() {
            for (key, name) in &self.written {
                if !exact.contains_key(key) && patterns.iter().any(|pattern| pattern.matches(name)) {
                    exact.insert(key.clone(), name);
                }
            }
        }
        let mut subjects: Vec<Subject> =
            exact.into_values().map(|name| Subject { name: name.to_owned(), pattern: None }).collect();
        if !patterns.is_empty() {
            subjects.extend(self.representatives(service, patterns).values().cloned());
        }
        subjects.sort_unstable();
        subjects
    }

    fn representatives(
        &mut self,
        service: &ComparedService<'p>,
        patterns: Vec<&'p Pattern>,
    ) -> Rc<BTreeMap<String, Subject>> {
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
        names.taken.extend(self.written.keys().cloned());
        // A name may have a layer at two levels. Overlapping patterns decide which.
        names.represent(&applies_in, &|_, _| true);
        let found = Rc::new(names.subjects);
        self.found.insert(key, Rc::clone(&found));
        found
    }
}

/// Names, and the patterns that some of them are examples for.
struct Names<'p> {
    /// By [`Pattern::key`].
    subjects: BTreeMap<String, Subject>,
    patterns: Vec<&'p Pattern>,
    /// The names of the policies themselves, in lower case.
    taken: HashSet<String>,
}

impl<'p> Names<'p> {
    fn of(keys: impl IntoIterator<Item = &'p Pattern>) -> Self {
        let mut names = Self { subjects: BTreeMap::new(), patterns: Vec::new(), taken: HashSet::new() };
        let mut seen = HashSet::new();
        for key in keys {
            if key.is_exact() {
                names.taken.insert(key.key().into_owned());
                let subject = Subject { name: key.as_str().to_owned(), pattern: None };
                names.subjects.insert(key.key().into_owned(), subject);
            } else if seen.insert(key.key()) {
                names.patterns.push(key);
            }
        }
        names
    }

    /// Finds an example for each pattern, and for the pairs of which another may come to apply. `applies_in` counts the
    /// places in which the pattern is the one that applies to a name.
    fn represent(&mut self, applies_in: &dyn Fn(&Pattern, &str) -> usize, pairs: &dyn Fn(&Pattern, &Pattern) -> bool) {
        let is_free = |names: &Self, name: &str| !names.taken.contains(&*key_of_names(name));
        for pattern in self.patterns.clone() {
            let mut candidates = examples(pattern);
            candidates.retain(|name| is_free(self, name) && !self.subjects.contains_key(&*key_of_names(name)));
            // The first of those that it applies to in the most places.
            let best = candidates.iter().rev().max_by_key(|name| applies_in(pattern, name));
            // The text of a pattern is not a name, which shows that there is no example.
            let name = best.map_or(pattern.as_str(), String::as_str).to_owned();
            let subject = Subject { name, pattern: Some(pattern.as_str().to_owned()) };
            self.subjects.insert(key_of_names(&subject.name).into_owned(), subject);
        }
        let mut looked_at = 0;
        for (at, a) in self.patterns.iter().enumerate() {
            for b in self.patterns.iter().skip(at + 1).filter(|b| !a.is_star() && !b.is_star() && pairs(a, b)) {
                looked_at += 1;
                if looked_at > MOST_PAIRS {
                    return;
                }
                let name = if a.overlaps(b) { in_common(a, b) } else { None };
                if let Some(name) = name.filter(|name| is_free(self, name)) {
                    let key = key_of_names(&name).into_owned();
                    let pattern = Some(format!("{a} and {b}"));
                    self.subjects.entry(key).or_insert(Subject { name, pattern });
                }
            }
        }
    }
}
