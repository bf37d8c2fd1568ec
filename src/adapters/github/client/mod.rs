//! Calls to GitHub, as an App or with a personal token.
//!
//! octocrab is the transport; what it does beyond that is done here, where it is narrower: tokens (one flight), retries
//! (only what is safe, within a deadline), rate limits (never slept through), pages (always with the token), answers
//! that have not changed (apart for each installation). Knows nothing of what a call is for.

mod auth;
mod call;
mod etag;
mod limits;
mod page;
mod secret;
mod send;
mod settings;
mod transport;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use octocrab::Octocrab;
use tokio::sync::Semaphore;
use tokio::time::Instant;

pub use self::call::CallError;
pub(super) use self::call::{Call, Identity};
pub(super) use self::page::Longer;
pub use self::secret::Secret;
pub use self::settings::{GITHUB, GithubSettings, GivenSettings, SettingsError, pages_of};

use self::auth::Tokens;
use self::etag::Cache;
use self::limits::Limits;
use self::settings::{Access, BaseUrl};
use crate::ports::Clock;

/// For how long one call, or one list, may take where the caller sets no deadline.
const PATIENCE: Duration = Duration::from_secs(8);
/// What is waited before a second try; twice that before the third. A random part of it comes on top.
const PAUSE: Duration = Duration::from_millis(200);
/// How many calls are under way at a time: GitHub lets 100 of one App through.
const AT_ONCE: usize = 8;

/// GitHub, reached as one App or with one token. Cheap to clone: clones share tokens, limits and what is kept.
#[derive(Clone)]
pub struct GithubClient {
    shared: Arc<Shared>,
    budget: Budget,
    pause: Duration,
}

struct Shared {
    settings: GithubSettings,
    transport: Octocrab,
    clock: Arc<dyn Clock>,
    tokens: Tokens,
    limits: Limits,
    cache: Cache,
    under_way: Semaphore,
}

/// How long calls may take, with all their tries.
#[derive(Debug, Clone, Copy)]
enum Budget {
    /// Each, from its start.
    Each(Duration),
    /// All, until then.
    Until(Instant),
}

/// The bare connection to an API, for the one call that nobody makes who is known there yet.
pub(super) fn transport_to(base_url: &str) -> Result<Octocrab, String> {
    let base = BaseUrl::new(base_url)?;
    transport::transport(&base).map_err(|error| error.to_string())
}

impl fmt::Debug for GithubClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GithubClient").field("settings", &self.shared.settings).finish_non_exhaustive()
    }
}

/// The transport cannot be made: no root certificates are to be had, say.
#[derive(Debug, thiserror::Error)]
#[error("the connection to GitHub cannot be set up: {detail}")]
pub struct SetupError {
    /// What is in the way.
    pub detail: String,
}

impl GithubClient {
    /// A client. Nothing is sent before the first call. To be called within a tokio runtime.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn new(settings: GithubSettings, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        let transport =
            transport::transport(&settings.base).map_err(|error| SetupError { detail: error.to_string() })?;
        let shared = Shared {
            settings,
            transport,
            clock,
            tokens: Tokens::default(),
            limits: Limits::default(),
            cache: Cache::default(),
            under_way: Semaphore::new(AT_ONCE),
        };
        Ok(Self { shared: Arc::new(shared), budget: Budget::Each(PATIENCE), pause: PAUSE })
    }

    /// The same client for one piece of work: all its calls together, with their retries, have so long from now.
    #[must_use]
    pub fn within(&self, time: Duration) -> Self {
        let until = Instant::now().checked_add(time);
        Self { budget: until.map_or(self.budget, Budget::Until), ..self.clone() }
    }

    /// The same client, whose clones and calls from here on share one budget.
    pub(super) fn with_one_deadline(&self) -> Self {
        Self { budget: Budget::Until(self.deadline()), ..self.clone() }
    }

    /// The same client, which waits for about so long before a second try. The default is a fifth of a second.
    #[must_use]
    pub fn pausing(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    fn deadline(&self) -> Instant {
        let now = Instant::now();
        match self.budget {
            Budget::Each(time) => now.checked_add(time).unwrap_or(now),
            Budget::Until(until) => until,
        }
    }

    /// The App's id; none where a token is used.
    #[must_use]
    pub fn app_id(&self) -> Option<u64> {
        match &self.shared.settings.access {
            Access::App(app) => Some(app.id),
            Access::Token(_) => None,
        }
    }

    /// How many calls GitHub said last are left, of whichever limit is nearest; none before it said so.
    #[must_use]
    pub fn calls_left(&self) -> Option<u64> {
        self.shared.limits.left()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }
}
