//! One piece of work reads each pull request and each team once, however many requests rest on them.
//!
//! What was read is kept for that piece of work alone, and not for long: facts grow old. What deliveries told is not kept
//! at all, so that a dismissal which comes in meanwhile is seen.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::App;
use crate::approval::facts::Person;
use crate::ident::{PullRequestRef, RepositoryName, Revision, TeamSlug};
use crate::ports::{Clock, CodeHost, CodeHostError, Needs, Reading};

/// How old a fact may grow within a piece of work.
const FRESH: SignedDuration = SignedDuration::from_secs(30);

/// A code host that remembers its answers, and also that it had none: while it is down, it is not asked for every request.
struct ReadOnce {
    host: Arc<dyn CodeHost>,
    clock: Arc<dyn Clock>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    readings: BTreeMap<PullRequestRef, (Timestamp, Needs, Result<Reading, CodeHostError>)>,
    teams: BTreeMap<TeamSlug, (Timestamp, Result<Option<Vec<Person>>, CodeHostError>)>,
}

impl App {
    /// The same use cases for one piece of work, in which nothing is read twice.
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
            // What another request of the same pull request needs, it will need again.
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
    ) -> Result<Vec<PullRequestRef>, CodeHostError> {
        self.host.pull_requests_of(repository, revision).await
    }

    fn forget(&self) {
        self.kept(|kept| *kept = Kept::default());
        self.host.forget();
    }
}
