//! The GitHub simulator: pull requests, reviews, teams and webhooks on this machine.
//!
//! It answers on GitHub's REST paths and in its GraphQL, in GitHub's shapes, enforces the rules of GitHub that the gate relies on, and sends
//! signed deliveries. The local gate and the tests run on it. It knows nothing of policies or approvals.
//!
//! | part | |
//! |---|---|
//! | `world`, `pull`, `published`, `delivery` | the records |
//! | `access` | who may call, and how often |
//! | `change` | changes to the records, and GitHub's rules for them |
//! | `storage` | the database |
//! | `shape`, `payload` | GitHub's JSON |
//! | `graphql` | GitHub's GraphQL |
//! | `rest`, `control` | GitHub's HTTP interface, and what it lacks |
//! | `hooks` | sending deliveries |

mod access;
pub mod change;
mod control;
pub mod delivery;
mod graphql;
mod hooks;
mod payload;
pub mod published;
pub mod pull;
mod refusal;
mod rest;
mod shape;
mod storage;
pub mod world;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use jiff::Timestamp;
use tokio::sync::watch;

pub use self::refusal::Refusal;
pub use self::storage::StorageError;
pub use self::world::HostedApp;

use self::access::Access;
use self::change::Change;
use self::storage::Storage;
use self::world::World;
use crate::ports::Clock;

/// A simulated GitHub. Cheap to clone: all clones share one state.
#[derive(Clone)]
pub struct GithubSimulator {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Arc<dyn Clock>,
    /// Locked during a change, so that changes are made one at a time.
    storage: Mutex<Storage>,
    /// The state as of the last committed change.
    world: RwLock<Arc<World>>,
    /// Counts changes, for tasks that wait for one.
    changed: watch::Sender<u64>,
    /// Locked by the task that sends deliveries, so that only one does.
    sending: tokio::sync::Mutex<()>,
    access: Mutex<Access>,
}

impl fmt::Debug for GithubSimulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GithubSimulator").finish_non_exhaustive()
    }
}

impl GithubSimulator {
    /// Opens the database `simulator.redb` in `folder`. Creates both if missing.
    ///
    /// # Errors
    /// The folder or the database cannot be created or read, is open in another process, or is damaged.
    pub fn open(folder: &Path, clock: Arc<dyn Clock>) -> Result<Self, StorageError> {
        Self::on(Storage::open(folder)?, clock)
    }

    /// Keeps the database in memory only.
    ///
    /// # Errors
    /// As [`GithubSimulator::open`].
    pub fn in_memory(clock: Arc<dyn Clock>) -> Result<Self, StorageError> {
        Self::on(Storage::in_memory()?, clock)
    }

    fn on(storage: Storage, clock: Arc<dyn Clock>) -> Result<Self, StorageError> {
        let world = RwLock::new(Arc::new(storage.load()?));
        let storage = Mutex::new(storage);
        let (changed, sending) = (watch::Sender::new(0), tokio::sync::Mutex::new(()));
        Ok(Self { inner: Arc::new(Inner { clock, storage, world, changed, sending, access: Mutex::default() }) })
    }

    /// The state as of the last committed change.
    #[must_use]
    pub fn world(&self) -> Arc<World> {
        Arc::clone(&self.inner.world.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// Makes a change, with the deliveries it causes, in one transaction. It is on disk when this returns. If `change` or
    /// the database refuses, nothing changes.
    ///
    /// It blocks while the disk writes, which for a simulator is short enough to be called from async code.
    ///
    /// # Errors
    /// The refusal of `change`, or [`Refusal::Storage`].
    pub fn change<T>(&self, change: impl FnOnce(&mut Change<'_>) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let storage = self.inner.storage.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.world();
        let mut after = World::clone(&before);
        let answer = change(&mut Change::new(&mut after, self.now()))?;
        storage.commit(&before, &after)?;
        *self.inner.world.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(after);
        drop(storage);
        self.inner.changed.send_modify(|count| *count = count.wrapping_add(1));
        Ok(answer)
    }
}
