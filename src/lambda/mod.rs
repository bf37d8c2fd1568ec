//! The three functions on AWS Lambda: the state machine's steps, GitHub's deliveries, and the sweep.
//!
//! They call the same use cases as the local gate. Only the settings and the policy are read at the start; everything
//! else is read or connected when an event needs it.

mod failure;
pub mod gate;
pub mod github;
pub mod installation;
pub mod keys;
pub mod settings;
pub mod sweep;
pub mod telemetry;
pub mod webhook;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use lambda_runtime::{Context, LambdaEvent, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::failure::Named;
use self::installation::Installation;
use self::settings::{Role, Settings};
use crate::app::Failure;

/// The part of an event's time that is kept for reporting that it was too short.
const LAST_WORD: Duration = Duration::from_secs(1);
/// Lambda's own limit. A deadline that is further away, or past, is ignored: the clocks disagree.
const LONGEST_EVENT: Duration = Duration::from_secs(900);

/// The function whose events are the state machine's steps.
#[must_use]
pub fn run_gate() -> ExitCode {
    run(Role::Gate, |installation, event| async move { gate::step(installation?.as_ref(), event).await })
}

/// The function whose events are GitHub's deliveries, over the HTTP API.
#[must_use]
pub fn run_webhook() -> ExitCode {
    run(Role::Webhook, |installation, event| async move { Ok(webhook::deliver(installation, event).await) })
}

/// The function whose events are the clock's and the ends of executions.
#[must_use]
pub fn run_sweep() -> ExitCode {
    run(Role::Sweep, |installation, event| async move { sweep::sweep(installation?.as_ref(), &event).await })
}

/// Serves events until Lambda ends the process. If the settings or the policy are unusable, every event fails with that
/// problem, so that whoever waits learns of it.
fn run<E, T, W, F>(role: Role, work: W) -> ExitCode
where
    E: DeserializeOwned,
    T: Serialize,
    W: Fn(Result<Arc<Installation>, Failure>, E) -> F,
    F: Future<Output = Result<T, Failure>>,
{
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return ExitCode::FAILURE;
    };
    let installation = &open(role).map(Arc::new);
    let work = &work;
    let serve = lambda_runtime::run(service_fn(move |event: LambdaEvent<E>| async move {
        let installation = installation.as_ref().map(Arc::clone).map_err(Broken::failure);
        let meter = installation.as_ref().ok().map(Arc::clone);
        let done = within(&event.context, work(installation, event.payload)).await;
        if let Err(failure) = &done {
            tracing::error!(reason = %failure, error = failure.name(), "could not process an event");
        }
        if let Some(installation) = meter {
            installation.measure_quota().await;
        }
        done.map_err(Named)
    }));
    match runtime.block_on(serve) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Why no event can be processed.
enum Broken {
    Settings(String),
    Policy(String),
}

impl Broken {
    fn failure(&self) -> Failure {
        match self {
            Self::Settings(detail) => Failure::Unavailable { detail: detail.clone() },
            Self::Policy(detail) => Failure::PolicyInvalid { detail: detail.clone() },
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "settings and the policy are read here, once")]
fn open(role: Role) -> Result<Installation, Broken> {
    let settings = Settings::read(role, &|name| std::env::var(name).ok());
    telemetry::log(settings.as_ref().map_or(tracing::Level::INFO, |settings| settings.log));
    let settings = settings.map_err(|problems| Broken::Settings(problems.to_string()))?;
    let prepared = std::fs::read_to_string(&settings.policy);
    let prepared = prepared.map_err(|error| Broken::Policy(format!("{}: {error}", settings.policy)))?;
    let policy = installation::policy(&prepared, &settings.policy_digest).map_err(Broken::Policy)?;
    Ok(Installation::new(role, settings, policy))
}

/// Stops the work a moment before Lambda would end the process, so that it fails with a name and is tried again.
async fn within<T>(context: &Context, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let Some(time) = time_left(context.deadline, now()) else { return work.await };
    let late = |_| Failure::Unavailable { detail: "the function ran out of time".to_owned() };
    tokio::time::timeout(time, work).await.map_err(late)?
}

/// How long work may take until a deadline in milliseconds since 1970. `None` if that is not known.
fn time_left(deadline: u64, now: Timestamp) -> Option<Duration> {
    let deadline = Timestamp::from_millisecond(i64::try_from(deadline).ok()?).ok()?;
    let left = Duration::try_from(deadline.duration_since(now)).ok().filter(|left| *left <= LONGEST_EVENT)?;
    left.checked_sub(LAST_WORD).filter(|left| !left.is_zero())
}

#[expect(clippy::disallowed_methods, reason = "Lambda's deadline is on the machine's clock")]
fn now() -> Timestamp {
    Timestamp::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_ends_a_moment_before_lambdas_deadline_and_a_deadline_on_another_clock_is_ignored() {
        let now: Timestamp = "2026-11-18T10:00:00Z".parse().unwrap();
        let deadline = |seconds: i64| u64::try_from((now.as_second() + seconds) * 1000).unwrap();
        assert_eq!(time_left(deadline(15), now), Some(Duration::from_secs(14)));
        for other in [deadline(-1), deadline(1), deadline(901), 0, u64::MAX] {
            assert_eq!(time_left(other, now), None, "{other}");
        }
    }
}
