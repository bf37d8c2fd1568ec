//! Reads each pull request and each team once for one piece of work, however many requests need them.
//!
//! The answers are kept for that piece of work alone, and for half a minute. What deliveries observed is never kept, so
//! that a dismissal that comes meanwhile is seen.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::App;
use crate::approval::facts::Person;
use crate::ident::{PullRequestRef, RepositoryName, Revision, TeamSlug};
use crate::ports::{Clock, CodeHost, CodeHostError, FoundPullRequest, Needs, Quota, Reading};

/// How long an answer is used within a piece of work.
const FRESH: SignedDuration = SignedDuration::from_secs(30);

/// A code host that remembers its answers and its errors, so that a host that is down is not called for every request.
struct ReadOnce {
    host: Arc<dyn CodeHost>,
    clock: Arc<dyn Clock>,
    kept: Mutex<Kept>,
}

type Members = Result<Option<Vec<Person>>, CodeHostError>;

#[derive(Default)]
struct Kept {
    readings: BTreeMap<PullRequestRef, (Timestamp, Needs, Result<Reading, CodeHostError>)>,
    teams: BTreeMap<TeamSlug, (Timestamp, Members)>,
}

impl App {
    /// The same use cases for one piece of work, which reads nothing twice.
    #[must_use]
    pub fn reading_once(&self) -> Self {
        let (host, clock) = (Arc::clone(&self.code_host), Arc::clone(&self.clock));
        Self { code_host: Arc::new(ReadOnce { host, clock, kept: Mutex::default() }), ..self.clone() }
    }
}

impl ReadOnce {
    fn kept<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        work(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn is_fresh(&self, read_at: Timestamp) -> bool {
        self.clock.now().duration_since(read_at) <= FRESH
    }
}

#[async_trait]
impl CodeHost for ReadOnce {
    async fn read(&self, at: &PullRequestRef, needs: &Needs) -> Result<Reading, CodeHostError> {
        let known = self.kept(|kept| kept.readings.get(at).cloned());
        let known = known.filter(|(read_at, ..)| self.is_fresh(*read_at));
        let needs = match known {
            Some((_, read, reading)) if reading.is_err() || read.cover(needs) => return reading,
            // What was read before for this pull request will be needed again.
            Some((_, read, _)) => read.with(needs),
            None => needs.clone(),
        };
        let read_at = self.clock.now();
        let reading = self.host.read(at, &needs).await;
        self.kept(|kept| kept.readings.insert(at.clone(), (read_at, needs, reading.clone())));
        reading
    }

    async fn team_members(&self, team: &TeamSlug) -> Result<Option<Vec<Person>>, CodeHostError> {
        let known = self.kept(|kept| kept.teams.get(team).cloned());
        if let Some((_, members)) = known.filter(|(read_at, _)| self.is_fresh(*read_at)) {
            return members;
        }
        let read_at = self.clock.now();
        let members = self.host.team_members(team).await;
        self.kept(|kept| kept.teams.insert(team.clone(), (read_at, members.clone())));
        members
    }

    async fn pull_requests_of(
        &self,
        repository: &RepositoryName,
        revision: &Revision,
    ) -> Result<Vec<FoundPullRequest>, CodeHostError> {
        self.host.pull_requests_of(repository, revision).await
    }

    async fn quota(&self) -> Quota {
        self.host.quota().await
    }

    fn forget(&self) {
        self.kept(|kept| *kept = Kept::default());
        self.host.forget();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::ident::ReviewId;

    /// A host that is down and counts its calls.
    #[derive(Default)]
    struct Down(AtomicUsize);

    #[async_trait]
    impl CodeHost for Down {
        async fn read(&self, _: &PullRequestRef, _: &Needs) -> Result<Reading, CodeHostError> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Err(CodeHostError::Unavailable { detail: "it is down".to_owned() })
        }

        async fn team_members(&self, _: &TeamSlug) -> Result<Option<Vec<Person>>, CodeHostError> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(None)
        }

        async fn pull_requests_of(
            &self,
            _: &RepositoryName,
            _: &Revision,
        ) -> Result<Vec<FoundPullRequest>, CodeHostError> {
            Ok(Vec::new())
        }
    }

    #[derive(Default)]
    struct Seconds(AtomicUsize);

    impl Clock for Seconds {
        fn now(&self) -> Timestamp {
            Timestamp::from_second(i64::try_from(self.0.load(Ordering::SeqCst)).unwrap()).unwrap()
        }
    }

    #[tokio::test]
    async fn an_answer_is_kept_for_half_a_minute_or_until_it_is_forgotten() {
        let (down, clock) = (Arc::new(Down::default()), Arc::new(Seconds::default()));
        let once = ReadOnce { host: down.clone(), clock: clock.clone(), kept: Mutex::default() };
        let (at, team) = (PullRequestRef::new("acme/checkout#1").unwrap(), TeamSlug::new("acme/payments").unwrap());
        let calls = async || {
            once.read(&at, &Needs::default()).await.unwrap_err();
            assert_eq!(once.team_members(&team).await, Ok(None));
            down.0.swap(0, Ordering::SeqCst)
        };
        assert_eq!((calls().await, calls().await), (2, 0));
        clock.0.store(30, Ordering::SeqCst);
        assert_eq!(calls().await, 0);
        clock.0.store(31, Ordering::SeqCst);
        assert_eq!((calls().await, calls().await), (2, 0));
        once.forget();
        assert_eq!((calls().await, calls().await), (2, 0));
    }

    #[test]
    fn a_reading_covers_needs_that_ask_for_no_more_than_was_read() {
        let some = Needs { known_reviews: [ReviewId(1)].into(), ..Needs::default() };
        let more_known = Needs { known_reviews: [ReviewId(1), ReviewId(2)].into(), ..Needs::default() };
        assert!(Needs::everything().cover(&some) && some.cover(&more_known));
        assert!(!more_known.cover(&some) && !some.cover(&Needs { files: true, ..some.clone() }));
        assert!(!some.cover(&Needs::everything()));
        for other in [&more_known, &Needs::everything(), &Needs { files: true, ..Needs::default() }] {
            let both = some.with(other);
            assert!(both.cover(&some) && both.cover(other));
        }
    }
}
