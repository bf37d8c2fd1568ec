//! Answers that are asked for again only if they have changed.
//!
//! GitHub answers 304 to a call that names the tag of its last answer, and does not count it against the limit:
//! <https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api>. What is kept is used only
//! after GitHub has said that it still holds. In memory, bounded, apart for each installation. What comes here is no last
//! page of a list that is full: see [`super::page::is_full`].

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use super::limits::Scope;

/// How many answers are kept.
const MOST: usize = 256;
/// How many bytes they may have together.
const BYTES: usize = 8 << 20;

/// An answer with its tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) tag: String,
    pub(super) body: Vec<u8>,
    pub(super) next: Option<String>,
}

type Key = (Scope, String);

/// The answers that are kept, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Cache(Mutex<VecDeque<(Key, Kept)>>);

impl Cache {
    pub(super) fn get(&self, scope: &Scope, path: &str) -> Option<Kept> {
        self.map(|kept| kept.iter().find(|((of, at), _)| of == scope && at == path).map(|(_, kept)| kept.clone()))
    }

    pub(super) fn put(&self, scope: &Scope, path: &str, answer: Kept) {
        self.map(|kept| {
            kept.retain(|((of, at), _)| of != scope || at != path);
            kept.push_back(((scope.clone(), path.to_owned()), answer));
            let bytes = |kept: &VecDeque<(Key, Kept)>| kept.iter().map(|(_, kept)| kept.body.len()).sum::<usize>();
            while kept.len() > MOST || bytes(kept) > BYTES {
                kept.pop_front();
            }
        });
    }

    fn map<T>(&self, work: impl FnOnce(&mut VecDeque<(Key, Kept)>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(bytes: usize) -> Kept {
        Kept { tag: "\"t\"".into(), body: vec![0; bytes], next: None }
    }

    #[test]
    fn one_installation_is_not_given_anothers_answer() {
        let cache = Cache::default();
        cache.put(&Scope::Installation(1), "/a", kept(1));
        assert_eq!(cache.get(&Scope::Installation(2), "/a"), None);
        assert_eq!(cache.get(&Scope::Installation(1), "/b"), None);
        assert_eq!(cache.get(&Scope::Installation(1), "/a"), Some(kept(1)));
    }

    #[test]
    fn it_does_not_grow_without_bound() {
        let cache = Cache::default();
        (0..=MOST).for_each(|n| cache.put(&Scope::App, &n.to_string(), kept(1)));
        assert_eq!(cache.get(&Scope::App, "0"), None);
        assert!(cache.get(&Scope::App, "1").is_some());
        cache.put(&Scope::App, "large", kept(BYTES));
        assert!(cache.get(&Scope::App, "1").is_none() && cache.get(&Scope::App, "large").is_some());
        cache.put(&Scope::App, "too large", kept(BYTES + 1));
        assert_eq!(cache.get(&Scope::App, "too large"), None);
    }
}
