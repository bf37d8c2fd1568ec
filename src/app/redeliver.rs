//! Requests failed deliveries again. The code host does not repeat them by itself, and forgets them after three days.
//!
//! Only a delivery says reliably which commit a review was given on, and who pushed. That would be lost with it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, timeout_at};

use super::App;
use crate::ident::{DeliveryId, sha256_hex};
use crate::ports::{CodeHostError, DeliveryAttempt, DeliveryLog, DeliveryState, StoreError};

/// How long the code host keeps a delivery.
const KEPT: SignedDuration = SignedDuration::from_hours(3 * 24);
/// How often to look for failed deliveries. Also how long to wait for each attempt that has failed before.
const EVERY: SignedDuration = SignedDuration::from_mins(10);
/// How many are requested at a time, the oldest first.
const AT_ONCE: usize = 50;

/// Where failed deliveries are found, and when they were last looked for.
pub struct Redelivery {
    log: Arc<dyn DeliveryLog>,
    looked: Mutex<Option<Timestamp>>,
}

impl fmt::Debug for Redelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redelivery").field("looked", &self.looked).finish_non_exhaustive()
    }
}

/// What was done about failed deliveries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Redelivered {
    pub requested: usize,
    /// How many the code host would not deliver again now.
    pub refused: usize,
}

impl Redelivery {
    #[must_use]
    pub fn new(log: Arc<dyn DeliveryLog>) -> Self {
        Self { log, looked: Mutex::default() }
    }

    /// Whether it is time to look again. Starts the next interval if it is.
    fn is_due(&self, now: Timestamp) -> bool {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let due = looked.is_none_or(|looked| now.duration_since(looked) >= EVERY);
        if due {
            *looked = Some(now);
        }
        due
    }
}

/// Requests failed deliveries again if it is time to, until `until`. A failure is logged and stops nothing else.
pub(super) async fn redeliver(app: &App, until: Instant) -> Redelivered {
    let now = app.clock.now();
    let Some(redelivery) = app.redelivery.as_ref().filter(|redelivery| redelivery.is_due(now)) else {
        return Redelivered::default();
    };
    let since = now.checked_sub(KEPT).unwrap_or(Timestamp::MIN);
    let attempts = match before(until, redelivery.log.attempts(since)).await {
        Ok(attempts) => attempts,
        Err(error) => {
            tracing::warn!(reason = %error, "could not look for failed deliveries");
            return Redelivered::default();
        }
    };
    request(app, redelivery.log.as_ref(), failed(attempts, now), until).await
}

/// The answer, or an error if it does not come in time.
async fn before<T>(
    until: Instant,
    work: impl Future<Output = Result<T, CodeHostError>> + Send,
) -> Result<T, CodeHostError> {
    let late = |_| Err(CodeHostError::Unavailable { detail: "the sweep ran out of time".to_owned() });
    timeout_at(until, work).await.unwrap_or_else(late)
}

async fn request(app: &App, log: &dyn DeliveryLog, failed: Vec<DeliveryAttempt>, until: Instant) -> Redelivered {
    let mut done = Redelivered::default();
    for attempt in failed {
        if done.requested >= AT_ONCE || done.refused >= AT_ONCE {
            break;
        }
        let requested = match is_refused(app, &attempt).await {
            Ok(true) => continue,
            Ok(false) => before(until, log.redeliver(attempt.id)).await,
            Err(error) => Err(CodeHostError::Unavailable { detail: error.to_string() }),
        };
        match requested {
            Ok(()) => {
                tracing::info!(delivery.id = %attempt.delivery, "requested a failed delivery again");
                done.requested += 1;
            }
            Err(error) => {
                tracing::warn!(delivery.id = %attempt.delivery, reason = %error, "could not request a failed delivery");
                done.refused += 1;
                match error {
                    CodeHostError::NotFound { .. } => never_again(app, &attempt).await,
                    // The next would fail as well.
                    CodeHostError::Unavailable { .. } | CodeHostError::Limited { .. } => break,
                }
            }
        }
    }
    done
}

/// The id under which an attempt that is refused for good is stored as a delivery that is done, so that no run requests
/// it again. It is not the delivery's own id, since the delivery must be let in if it comes after all. Nobody can guess
/// it without knowing that id.
fn mark(attempt: &DeliveryAttempt) -> Option<DeliveryId> {
    let named = sha256_hex(format!("{} {}", attempt.id.0, attempt.delivery).as_bytes());
    DeliveryId::new(&format!("refused-{named}")).ok()
}

async fn is_refused(app: &App, attempt: &DeliveryAttempt) -> Result<bool, StoreError> {
    let Some(mark) = mark(attempt) else { return Ok(false) };
    Ok(app.store.begin_delivery(&mark, app.clock.now()).await? == DeliveryState::Done)
}

async fn never_again(app: &App, attempt: &DeliveryAttempt) {
    let Some(mark) = mark(attempt) else { return };
    if let Err(error) = app.store.finish_delivery(&mark, app.clock.now()).await {
        tracing::warn!(delivery.id = %attempt.delivery, reason = %error,
            "could not store that a delivery is refused for good; the next run requests it again");
    }
}

/// The latest attempt of each delivery that never succeeded, oldest first. The more attempts have failed, the longer
/// the latest must be ago.
fn failed(attempts: Vec<DeliveryAttempt>, now: Timestamp) -> Vec<DeliveryAttempt> {
    let mut by_delivery: BTreeMap<DeliveryId, Vec<DeliveryAttempt>> = BTreeMap::new();
    for attempt in attempts {
        by_delivery.entry(attempt.delivery.clone()).or_default().push(attempt);
    }
    let mut failed: Vec<DeliveryAttempt> = by_delivery
        .into_values()
        .filter(|attempts| attempts.iter().all(|attempt| !attempt.taken))
        .filter_map(|attempts| {
            let more = i32::try_from(attempts.len().saturating_sub(1)).unwrap_or(i32::MAX);
            let last = attempts.into_iter().max_by_key(|attempt| (attempt.at, attempt.id))?;
            (now.duration_since(last.at) >= EVERY.saturating_mul(more)).then_some(last)
        })
        .collect();
    failed.sort_by_key(|attempt| (attempt.at, attempt.id));
    failed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::AttemptId;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minutes * 60).unwrap()
    }

    fn attempt(id: u64, delivery: &str, minutes: i64, taken: bool) -> DeliveryAttempt {
        DeliveryAttempt { id: AttemptId(id), delivery: DeliveryId::new(delivery).unwrap(), at: at(minutes), taken }
    }

    fn requested(attempts: Vec<DeliveryAttempt>, minutes: i64) -> Vec<u64> {
        failed(attempts, at(minutes)).into_iter().map(|attempt| attempt.id.0).collect()
    }

    #[test]
    fn a_delivery_that_succeeded_once_is_not_requested_again_whatever_failed_before() {
        let attempts = vec![attempt(3, "a", 2, true), attempt(2, "b", 1, false), attempt(1, "a", 0, false)];
        assert_eq!(requested(attempts, 60), [2]);
    }

    #[test]
    fn the_oldest_attempt_comes_first_and_each_delivery_once() {
        let attempts = vec![
            attempt(4, "a", 9, false),
            attempt(3, "c", 3, false),
            attempt(2, "b", 2, false),
            attempt(1, "a", 1, false),
        ];
        assert_eq!(requested(attempts, 60), [2, 3, 4]);
    }

    #[test]
    fn a_delivery_that_fails_again_and_again_is_requested_more_and_more_rarely() {
        let attempts = || vec![attempt(3, "a", 30, false), attempt(2, "a", 10, false), attempt(1, "a", 0, false)];
        assert_eq!(requested(attempts(), 49), [0_u64; 0]);
        assert_eq!(requested(attempts(), 50), [3]);
    }
}
