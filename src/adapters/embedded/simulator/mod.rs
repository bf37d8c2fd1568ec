//! The GitHub stand-in: pull requests, reviews, teams and webhooks on this machine.
//!
//! It answers on GitHub's REST paths in GitHub's shapes, enforces the rules of GitHub's that a gate rests on, and sends
//! signed deliveries. The local gate runs on it, and so do the tests. It knows nothing of policies or approvals.
//!
//! | part | |
//! |---|---|
//! | `world`, `pull`, `board`, `delivery` | the records |
//! | `access` | who may call, and how often |
//! | `change` | what can be done to them, and the rules |
//! | `storage` | the database |
//! | `shape`, `payload` | GitHub's JSON |
//! | `rest`, `control` | GitHub's HTTP interface, and what it lacks |
//! | `hooks` | sending deliveries |
//! | `port`, `page` | the same state read and written in process |

mod access;
pub mod change;
mod control;
pub mod delivery;
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

pub use self::access::HostedApp;
pub use self::refusal::Refusal;
pub use self::storage::StorageError;

use self::access::Access;
use self::change::Change;
use self::storage::Storage;
use self::world::World;
use crate::ports::Clock;

/// A GitHub of one's own. Cheap to clone: all clones are the same one.
#[derive(Clone)]
pub struct GithubSimulator {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Arc<dyn Clock>,
    /// Held while a change is made, so that there is one at a time.
    storage: Mutex<Storage>,
    /// What is committed.
    world: RwLock<Arc<World>>,
    /// Counts changes, for those who wait on one.
    changed: watch::Sender<u64>,
    /// Held by the task that sends deliveries, so that there is one.
    sending: tokio::sync::Mutex<()>,
    access: Mutex<Access>,
}

impl fmt::Debug for GithubSimulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GithubSimulator").finish_non_exhaustive()
    }
}

impl GithubSimulator {
    /// Opens the one that is kept in `folder` (file `simulator.redb`), and begins one where there is none.
    ///
    /// # Errors
    /// The folder or the database cannot be made or read, is open in another process, or is damaged.
    pub fn open(folder: &Path, clock: Arc<dyn Clock>) -> Result<Self, StorageError> {
        Self::on(Storage::open(folder)?, clock)
    }

    /// One that ends with the process.
    ///
    /// # Errors
    /// As [`GithubSimulator::open`], if memory can fail.
    pub fn in_memory(clock: Arc<dyn Clock>) -> Result<Self, StorageError> {
        Self::on(Storage::in_memory()?, clock)
    }

    fn on(storage: Storage, clock: Arc<dyn Clock>) -> Result<Self, StorageError> {
        let world = RwLock::new(Arc::new(storage.load()?));
        let storage = Mutex::new(storage);
        let (changed, sending) = (watch::Sender::new(0), tokio::sync::Mutex::new(()));
        Ok(Self { inner: Arc::new(Inner { clock, storage, world, changed, sending, access: Mutex::default() }) })
    }

    /// Everything as of the last committed change.
    #[must_use]
    pub fn world(&self) -> Arc<World> {
        Arc::clone(&self.inner.world.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// Makes a change, with the deliveries it causes, in one transaction. It is on disk when this returns; where
    /// `change` or the database refuses, nothing has happened.
    ///
    /// It blocks for as long as the disk takes, which for a stand-in is short enough to be called from async code.
    ///
    /// # Errors
    /// What `change` refuses with, or [`Refusal::Storage`].
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
