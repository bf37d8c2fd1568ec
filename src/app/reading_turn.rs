//! The turn of a delivery at reading its pull request, so that a flood of deliveries costs few readings.

use std::time::Duration;

use tokio::time::Instant;

use super::App;
use super::failure::Failure;
use super::rewrite::TRIES;
use crate::ident::PullRequestRef;
use crate::request::turns::{Turn, Turns};

/// How often a delivery that waits looks whether it may begin.
const PAUSE: Duration = Duration::from_millis(200);
/// How long it waits at most. Then it reads, so that it can still answer in time.
const PATIENCE: Duration = Duration::from_secs(4);

/// The right to read a pull request now.
pub(super) struct ReadingTurn<'a> {
    app: &'a App,
    at: &'a PullRequestRef,
    begun: Turns,
}

impl<'a> ReadingTurn<'a> {
    /// Waits for the turn of a delivery that has been recorded. Returns `None` if another delivery is going to read.
    pub(super) async fn take(app: &'a App, at: &'a PullRequestRef) -> Result<Option<Self>, Failure> {
        let now = || app.clock.now();
        for _ in 0..TRIES {
            let turn = app.store.turns(at).await?.join(now());
            let (next, waits) = match turn {
                Turn::Read(next) => (next, false),
                Turn::Wait(next) => (next, true),
                Turn::Covered => return Ok(None),
            };
            if app.store.save_turns(at, &next).await? {
                let begun = if waits { wait(app, at).await? } else { next };
                return Ok(Some(Self { app, at, begun }));
            }
        }
        // Others change it all the time. One more reading does no harm.
        Ok(Some(Self { app, at, begun: Turns::default() }))
    }

    /// Lets the next one begin. If that fails, the turn lapses.
    pub(super) async fn finish(self) {
        for _ in 0..TRIES {
            let finished = match self.app.store.turns(self.at).await.map(|turns| turns.finish(&self.begun)) {
                Ok(Some(free)) => self.app.store.save_turns(self.at, &free).await,
                Ok(None) => return,
                Err(error) => Err(error),
            };
            match finished {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(pull_request = %self.at, reason = %error, "the turn at reading was not given up");
                    return;
                }
            }
        }
    }
}

/// Waits until nobody reads, and begins.
#[expect(clippy::disallowed_methods, reason = "the store does not signal when the other has finished")]
async fn wait(app: &App, at: &PullRequestRef) -> Result<Turns, Failure> {
    let since = Instant::now();
    loop {
        tokio::time::sleep(PAUSE).await;
        let (turns, now) = (app.store.turns(at).await?, app.clock.now());
        let next = if since.elapsed() < PATIENCE { turns.begin(now) } else { Some(turns.begin_anyway(now)) };
        if let Some(next) = next
            && app.store.save_turns(at, &next).await?
        {
            return Ok(next);
        }
    }
}
