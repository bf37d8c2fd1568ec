//! Reads each pull request once for one piece of work, however many requests need it.
//!
//! The answers are kept for that piece of work alone, and for half a minute. What deliveries observed is never kept, so
//! that a dismissal that comes meanwhile is seen.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::App;
use super::gather::needs;
use crate::approval::facts::Person;
use crate::ident::{Login, PullRequestRef, RepositoryName, Revision};
use crate::ports::{Clock, CodeHost, CodeHostError, FoundPullRequest, Needs, Quota, Reading};
use crate::request::ApprovalRequest;
use crate::request::observation::Observed;

/// How long an answer is used within a piece of work.
const FRESH: SignedDuration = SignedDuration::from_secs(30);

/// A code host that remembers its answers and its errors, so that a host that is down is not called for every request.
struct ReadOnce {
    host: Arc<dyn CodeHost>,
    clock: Arc<dyn Clock>,
    /// What all requests of this work need of a pull request.
    expected: BTreeMap<PullRequestRef, Needs>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    readings: BTreeMap<PullRequestRef, (Timestamp, Needs, Reading)>,
    /// With the needs that could not be met.
    failures: BTreeMap<PullRequestRef, (Timestamp, Needs, CodeHostError)>,
}

impl App {
    /// The same use cases for one piece of work, which reads nothing twice.
    #[must_use]
    pub fn reading_once(&self) -> Self {
        self.reading_once_for(&[])
    }

    /// As [`Self::reading_once`], for work on these requests: the first reading of a pull request has what all of them
    /// need, so that different rules cause no second one.
    pub(super) fn reading_once_for(&self, requests: &[ApprovalRequest]) -> Self {
        let mut expected: BTreeMap<PullRequestRef, Needs> = BTreeMap::new();
        for request in requests {
            let rule = request.rule.rule();
            if let (Some(at), true) = (&request.subject.pull_request, rule.requirement().is_some()) {
                let of_all = expected.entry(at.clone()).or_default();
                *of_all = of_all.with(&needs(&rule, &Observed::default()));
            }
        }
        let (host, clock) = (Arc::clone(&self.code_host), Arc::clone(&self.clock));
        Self { code_host: Arc::new(ReadOnce { host, clock, expected, kept: Mutex::default() }), ..self.clone() }
    }
}

impl ReadOnce {
    fn kept<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        work(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// These needs with those of the work's other requests. Without teams of other organizations, which may fail for
    /// reasons of their own, and whatever reviews those know.
    fn expected(&self, at: &PullRequestRef, needs: &Needs) -> Needs {
        let Some(expected) = self.expected.get(at) else { return needs.clone() };
        let mut all = needs.with(expected);
        let owner = at.repository.parts().0;
        all.teams.retain(|team| needs.teams.contains(team) || team.is_of(owner));
        Needs { known_reviews: needs.known_reviews.clone(), ..all }
    }

    fn is_fresh(&self, read_at: Timestamp) -> bool {
        self.clock.now().duration_since(read_at) <= FRESH
    }
}

#[async_trait]
impl CodeHost for ReadOnce {
    async fn read(&self, at: &PullRequestRef, needs: &Needs) -> Result<Reading, CodeHostError> {
        let (read, failed) = self.kept(|kept| (kept.readings.get(at).cloned(), kept.failures.get(at).cloned()));
        let read = read.filter(|(read_at, ..)| self.is_fresh(*read_at));
        let failed = failed.filter(|(read_at, ..)| self.is_fresh(*read_at));
        let wanted = match (read, failed) {
            (Some((_, read, reading)), _) if read.cover(needs) => return Ok(reading),
            // Whoever needs less may be lucky.
            (_, Some((_, failed, error))) if needs.cover(&failed) => return Err(error),
            // What was read before for this pull request will be needed again.
            (Some((_, read, _)), _) => read.with(needs),
            (None, _) => self.expected(at, needs),
        };
        let read_at = self.clock.now();
        let reading = self.host.read(at, &wanted).await;
        self.kept(|kept| match &reading {
            Ok(reading) => drop(kept.readings.insert(at.clone(), (read_at, wanted, reading.clone()))),
            Err(error) => drop(kept.failures.insert(at.clone(), (read_at, needs.clone(), error.clone()))),
        });
        reading
    }

    async fn pull_requests_of(
        &self,
        repository: &RepositoryName,
        revision: &Revision,
    ) -> Result<Vec<FoundPullRequest>, CodeHostError> {
        self.host.pull_requests_of(repository, revision).await
    }

    async fn account(&self, login: &Login, repository: &RepositoryName) -> Result<Option<Person>, CodeHostError> {
        self.host.account(login, repository).await
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

        async fn pull_requests_of(
            &self,
            _: &RepositoryName,
            _: &Revision,
        ) -> Result<Vec<FoundPullRequest>, CodeHostError> {
            Ok(Vec::new())
        }

        async fn account(&self, _: &Login, _: &RepositoryName) -> Result<Option<Person>, CodeHostError> {
            Ok(None)
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
        let once =
            ReadOnce { host: down.clone(), clock: clock.clone(), expected: BTreeMap::new(), kept: Mutex::default() };
        let at = PullRequestRef::new("acme/checkout#1").unwrap();
        let calls = async || {
            once.read(&at, &Needs::default()).await.unwrap_err();
            down.0.swap(0, Ordering::SeqCst)
        };
        assert_eq!((calls().await, calls().await), (1, 0));
        clock.0.store(30, Ordering::SeqCst);
        assert_eq!(calls().await, 0);
        clock.0.store(31, Ordering::SeqCst);
        assert_eq!((calls().await, calls().await), (1, 0));
        once.forget();
        assert_eq!((calls().await, calls().await), (1, 0));
    }

    #[tokio::test]
    async fn a_failure_stands_for_equal_and_greater_needs_only() {
        let (down, clock) = (Arc::new(Down::default()), Arc::new(Seconds::default()));
        let once = ReadOnce { host: down.clone(), clock, expected: BTreeMap::new(), kept: Mutex::default() };
        let at = PullRequestRef::new("acme/checkout#1").unwrap();
        let team = |name: &str| Needs { teams: [name.parse().unwrap()].into(), ..Needs::default() };
        for (needs, calls) in [
            (team("globex/audit"), 1),
            (team("globex/audit"), 0),
            (Needs { files: true, ..team("globex/audit") }, 0),
            (team("acme/sre"), 1),
            (Needs::default(), 1),
        ] {
            once.read(&at, &needs).await.unwrap_err();
            assert_eq!(down.0.swap(0, Ordering::SeqCst), calls, "{needs:?}");
        }
    }

    #[test]
    fn a_reading_covers_needs_that_ask_for_no_more_than_was_read() {
        let some = Needs { known_reviews: [ReviewId(1)].into(), ..Needs::default() };
        let more_known = Needs { known_reviews: [ReviewId(1), ReviewId(2)].into(), ..Needs::default() };
        assert!(Needs::everything().cover(&some) && some.cover(&more_known));
        assert!(!more_known.cover(&some) && !some.cover(&Needs { files: true, ..some.clone() }));
        assert!(!some.cover(&Needs::everything()));
        let team = |name: &str| Needs { teams: [name.parse().unwrap()].into(), ..some.clone() };
        assert!(team("acme/sre").cover(&some) && !team("acme/sre").cover(&team("acme/payments")));
        for other in [&more_known, &Needs::everything(), &Needs { files: true, ..team("acme/sre") }] {
            let both = some.with(other);
            assert!(both.cover(&some) && both.cover(other));
        }
    }
}
