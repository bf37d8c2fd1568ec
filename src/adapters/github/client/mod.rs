//! Calls to GitHub, as an App or with a personal token.
//!
//! octocrab is the transport only, for REST and for GraphQL. This client does the rest, with stricter rules: one request for each token, retries only
//! if safe and within a deadline, no call during a rate limit, every page with the token, and a cache for each
//! installation. Knows nothing of what a call is for.

mod auth;
mod call;
mod etag;
mod graphql;
mod limits;
mod page;
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
pub(super) use self::graphql::{Problem, Queried};
pub(super) use self::page::Longer;
pub(super) use self::send::API_VERSION;
pub use self::settings::{GITHUB, GithubSettings, GivenSettings, SettingsError, web_url};

use self::auth::Tokens;
use self::etag::Cache;
use self::limits::Limits;
use self::settings::{Access, BaseUrl};
use crate::ports::{Clock, Quota};

/// How long a call or a list may take if the caller sets no deadline.
const PATIENCE: Duration = Duration::from_secs(8);
/// The pause before the second try. Twice that before the third. A random part of it is added.
const PAUSE: Duration = Duration::from_millis(200);
/// How many calls run at the same time. GitHub allows 100 of one App.
const AT_ONCE: usize = 8;

/// A client with one App or one token. Cheap to clone: clones share tokens, limits and the cache.
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

/// How long calls may take, including all tries.
#[derive(Debug, Clone, Copy)]
enum Budget {
    /// Each call, from its start.
    Each(Duration),
    /// All calls together.
    Until(Instant),
}

/// A connection without a token, for the one call before an App exists.
pub(super) fn transport_to(base_url: &str) -> Result<Octocrab, String> {
    let base = BaseUrl::new(base_url)?;
    let below = base.uri();
    transport::transport(&base, below).map_err(|error| error.to_string())
}

impl fmt::Debug for GithubClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GithubClient").field("settings", &self.shared.settings).finish_non_exhaustive()
    }
}

/// The transport cannot be created, for example without root certificates.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up the connection to GitHub: {detail}")]
pub struct SetupError {
    pub detail: String,
}

impl GithubClient {
    /// Sends nothing before the first call. Must be called within a tokio runtime.
    pub fn new(settings: GithubSettings, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        let transport = transport::transport(&settings.base, settings.base.origin())
            .map_err(|error| SetupError { detail: error.to_string() })?;
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

    /// The same client with a deadline for all its calls together, including retries.
    #[must_use]
    pub fn within(&self, time: Duration) -> Self {
        let until = Instant::now().checked_add(time);
        Self { budget: until.map_or(self.budget, Budget::Until), ..self.clone() }
    }

    /// The same client with the deadline of one call for all further calls and clones.
    pub(super) fn with_one_deadline(&self) -> Self {
        Self { budget: Budget::Until(self.deadline()), ..self.clone() }
    }

    /// The same client with another pause before a second try. Default: a fifth of a second.
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

    /// The App's id. `None` if the client uses a personal token.
    #[must_use]
    pub fn app_id(&self) -> Option<u64> {
        match &self.shared.settings.access {
            Access::App(app) => Some(app.id),
            Access::Token(_) => None,
        }
    }

    /// What is left of the limits, as of the last answers.
    pub(super) fn left(&self) -> Quota {
        self.shared.limits.quota(self.now())
    }

    pub(super) fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }
}
