//! A cache of answers that are requested again only if they have changed.
//!
//! GitHub answers 304 to a call with the tag of its last answer, and does not count it against the limit:
//! <https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api>. A cached answer is used only
//! after GitHub has confirmed it. The cache is in memory, bounded, and separate for each installation. It is not for lists:
//! GitHub's tag covers a page, but not the `Link` header that names the next one
//! (<https://github.com/app-sre/github-mirror/pull/113>).

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use super::limits::Scope;

const MOST: usize = 256;
/// The most bytes of all answers together.
const BYTES: usize = 8 << 20;

/// An answer with its tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cached {
    pub(super) tag: String,
    pub(super) body: Vec<u8>,
}

type Key = (Scope, String);

/// The oldest answer first.
#[derive(Debug, Default)]
pub(super) struct Cache(Mutex<VecDeque<(Key, Cached)>>);

impl Cache {
    pub(super) fn get(&self, scope: &Scope, path: &str) -> Option<Cached> {
        self.map(|cache| cache.iter().find(|((of, at), _)| of == scope && at == path).map(|(_, cached)| cached.clone()))
    }

    pub(super) fn put(&self, scope: &Scope, path: &str, answer: Cached) {
        self.map(|cache| {
            cache.retain(|((of, at), _)| of != scope || at != path);
            cache.push_back(((scope.clone(), path.to_owned()), answer));
            let bytes = |cache: &VecDeque<(Key, Cached)>| cache.iter().map(|(_, one)| one.body.len()).sum::<usize>();
            while cache.len() > MOST || bytes(cache) > BYTES {
                cache.pop_front();
            }
        });
    }

    fn map<T>(&self, work: impl FnOnce(&mut VecDeque<(Key, Cached)>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cached(bytes: usize) -> Cached {
        Cached { tag: "\"t\"".into(), body: vec![0; bytes] }
    }

    #[test]
    fn an_installation_does_not_get_the_answer_of_another() {
        let cache = Cache::default();
        cache.put(&Scope::Installation(1), "/a", cached(1));
        assert_eq!(cache.get(&Scope::Installation(2), "/a"), None);
        assert_eq!(cache.get(&Scope::Installation(1), "/b"), None);
        assert_eq!(cache.get(&Scope::Installation(1), "/a"), Some(cached(1)));
    }

    #[test]
    fn the_cache_is_bounded() {
        let cache = Cache::default();
        (0..=MOST).for_each(|n| cache.put(&Scope::App, &n.to_string(), cached(1)));
        assert_eq!(cache.get(&Scope::App, "0"), None);
        assert!(cache.get(&Scope::App, "1").is_some());
        cache.put(&Scope::App, "large", cached(BYTES));
        assert!(cache.get(&Scope::App, "1").is_none() && cache.get(&Scope::App, "large").is_some());
        cache.put(&Scope::App, "too large", cached(BYTES + 1));
        assert_eq!(cache.get(&Scope::App, "too large"), None);
    }
}
