//! The gate's state machine on this machine: Evaluate, RequestApproval, Verify, and the waits between them.
//!
//! It has the same steps, order and ends as the one on Step Functions. Each step is stored before it is taken, so that
//! a process that was killed goes on where it was.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::adapters::embedded::broker::{Broker, BrokerError, Execution, Status, TaskOutcome};
use crate::app::{self, App, ExecutionRef, Failure, NextStep, Pinned, Wait};
use crate::request::ExecutionEnd;

/// How often a step is tried while a dependency does not answer.
const TRIES: u32 = 5;

#[derive(Clone)]
pub(super) struct Machine {
    app: App,
    broker: Arc<Broker>,
}

/// Where an execution is, as the broker stores it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
enum Step {
    /// `pinned` is what an evaluation before a wait pinned.
    Evaluate {
        tries: u32,
        not_before: Option<Timestamp>,
        pinned: Option<Pinned>,
    },
    WaitUntil {
        until: Timestamp,
        pinned: Option<Pinned>,
    },
    RequestApproval {
        pinned: Pinned,
        timeout_seconds: u64,
        opened: bool,
        tries: u32,
        not_before: Option<Timestamp>,
    },
    Verify {
        tries: u32,
        not_before: Option<Timestamp>,
    },
}

/// What follows a step.
enum Next {
    /// Another step, at once.
    Go(Step),
    /// Nothing, until time passes or somebody acts.
    Rest,
    /// The execution is over.
    End(Status),
}

const EVALUATE: Step = Step::Evaluate { tries: 0, not_before: None, pinned: None };
const VERIFY: Step = Step::Verify { tries: 0, not_before: None };

impl Machine {
    #[must_use]
    pub(super) const fn new(app: App, broker: Arc<Broker>) -> Self {
        Self { app, broker }
    }

    /// Takes every execution as far as it goes now.
    pub(super) async fn advance(&self) -> Result<(), BrokerError> {
        self.broker.expire_tasks()?;
        for execution in self.broker.running()? {
            match self.drive(&execution.name).await {
                // It was stopped in between.
                Ok(()) | Err(BrokerError::NotRunning { .. }) => {}
                Err(error) => {
                    tracing::error!(execution.arn = %execution.arn, reason = %error, "could not drive an execution");
                }
            }
        }
        Ok(())
    }

    async fn drive(&self, name: &str) -> Result<(), BrokerError> {
        loop {
            let execution = self.broker.execution(name)?;
            if execution.status != Status::Running {
                return Ok(());
            }
            let step = read_step(&execution);
            match self.take(&execution, step).await? {
                Next::Go(step) => self.broker.enter(name, &write_step(&step)?)?,
                Next::Rest => return Ok(()),
                Next::End(status) => {
                    if matches!(status, Status::Failed { .. }) && !self.close_request(&execution).await {
                        return Ok(());
                    }
                    tracing::info!(execution.arn = %execution.arn, status = status_name(&status), "an execution ended");
                    self.broker.end(name, status)?;
                    return Ok(());
                }
            }
        }
    }

    async fn take(&self, execution: &Execution, step: Step) -> Result<Next, BrokerError> {
        let now = self.app.clock.now();
        let reference = execution.reference();
        match step {
            Step::Evaluate { not_before, .. }
            | Step::Verify { not_before, .. }
            | Step::RequestApproval { not_before, .. }
                if not_before.is_some_and(|at| now < at) =>
            {
                Ok(Next::Rest)
            }
            Step::WaitUntil { until, .. } if now < until => Ok(Next::Rest),
            Step::WaitUntil { pinned, .. } => Ok(Next::Go(Step::Evaluate { tries: 0, not_before: None, pinned })),
            Step::Evaluate { tries, pinned, .. } => Ok(self.evaluate(execution, &reference, tries, pinned).await),
            Step::RequestApproval { pinned, timeout_seconds, opened: false, tries, .. } => {
                self.open(execution, &reference, (pinned, timeout_seconds), tries).await
            }
            Step::RequestApproval { opened: true, .. } => self.waited(execution, &reference).await,
            Step::Verify { tries, .. } => {
                let verified = app::verify(&self.app, &reference).await;
                Ok(match NextStep::after_verification(verified) {
                    Ok(step) => follow(step, |until| Step::Verify { tries: 0, not_before: Some(until) }),
                    Err(failure) => retry(&failure, tries, now, |tries, not_before| Step::Verify { tries, not_before }),
                })
            }
        }
    }

    /// Decides for the first time, or again after a wait.
    async fn evaluate(
        &self,
        execution: &Execution,
        reference: &ExecutionRef,
        tries: u32,
        pinned: Option<Pinned>,
    ) -> Next {
        let evaluated = app::evaluate(&self.app, reference, &execution.input, pinned.clone()).await;
        let step = evaluated.and_then(|evaluated| {
            let pinned = evaluated.pinned.clone();
            Ok((NextStep::after_evaluation(evaluated)?, pinned))
        });
        match step {
            Ok((step, pinned)) => follow(step, |until| Step::WaitUntil { until, pinned: Some(pinned) }),
            Err(failure) => {
                let now = self.app.clock.now();
                retry(&failure, tries, now, |tries, not_before| Step::Evaluate { tries, not_before, pinned })
            }
        }
    }

    /// Enters the step that waits: makes a token, and opens a request with it.
    async fn open(
        &self,
        execution: &Execution,
        reference: &ExecutionRef,
        (pinned, timeout_seconds): (Pinned, u64),
        tries: u32,
    ) -> Result<Next, BrokerError> {
        let step = |opened, tries, not_before| Step::RequestApproval {
            pinned: pinned.clone(),
            timeout_seconds,
            opened,
            tries,
            not_before,
        };
        let entered = write_step(&step(false, tries, None))?;
        let token = self.broker.wait_for_token(&execution.name, &entered, timeout_seconds)?;
        let wait = Wait { token, retry: tries };
        let app = self.app.reading_once();
        match app::open_request(&app, reference, &execution.input, pinned.clone(), wait).await {
            Ok(_) => {
                self.broker.note(&execution.name, &write_step(&step(true, 0, None))?)?;
                app::publish_opened(&app, reference).await;
                self.waited(&self.broker.execution(&execution.name)?, reference).await
            }
            Err(failure) => {
                let now = self.app.clock.now();
                Ok(retry(&failure, tries, now, |tries, not_before| step(false, tries, not_before)))
            }
        }
    }

    /// Closes the open request of an execution that is over. Returns whether that worked.
    async fn close_request(&self, execution: &Execution) -> bool {
        let closed = app::end_execution(&self.app, &execution.reference(), ExecutionEnd::Stopped).await;
        closed.inspect_err(|failure| not_closed(execution, failure)).is_ok()
    }

    /// Runs a failed or stopped execution again from the step that failed, as Step Functions does.
    ///
    /// # Errors
    /// [`BrokerError::NotRedrivable`] if it runs or has succeeded.
    pub(super) fn redrive(&self, name: &str) -> Result<Execution, BrokerError> {
        let step = match read_step(&self.broker.execution(name)?) {
            Step::Evaluate { pinned, .. } | Step::WaitUntil { pinned, .. } => {
                Step::Evaluate { tries: 0, not_before: None, pinned }
            }
            Step::RequestApproval { pinned, timeout_seconds, .. } => {
                Step::RequestApproval { pinned, timeout_seconds, opened: false, tries: 0, not_before: None }
            }
            Step::Verify { .. } => VERIFY,
        };
        self.broker.redrive(name, &write_step(&step)?)
    }

    /// What follows from the task that the execution waits for.
    async fn waited(&self, execution: &Execution, reference: &ExecutionRef) -> Result<Next, BrokerError> {
        let Some(task) = &execution.task else { return Ok(Next::Rest) };
        Ok(match &task.outcome {
            TaskOutcome::Waiting => Next::Rest,
            TaskOutcome::Succeeded(_) => Next::Go(VERIFY),
            TaskOutcome::Failed { error, cause } => {
                Next::End(Status::Failed { error: error.clone(), cause: cause.clone() })
            }
            TaskOutcome::TimedOut => match app::expire_execution(&self.app, reference).await {
                Ok(expired) => fail(&expired),
                Err(failure) => {
                    not_closed(execution, &failure);
                    Next::Rest
                }
            },
        })
    }
}

/// The machine's form of the next step. `wait` makes the step that waits until a time.
fn follow(step: NextStep, wait: impl FnOnce(Timestamp) -> Step) -> Next {
    match step {
        NextStep::Verify => Next::Go(VERIFY),
        NextStep::RequestApproval { timeout_seconds, pinned } => {
            Next::Go(Step::RequestApproval { pinned, timeout_seconds, opened: false, tries: 0, not_before: None })
        }
        NextStep::WaitUntil(until) => Next::Go(wait(until)),
        NextStep::Audited { output } | NextStep::Release { output } => Next::End(Status::Succeeded { output }),
        NextStep::Fail(failure) => fail(&failure),
    }
}

fn not_closed(execution: &Execution, failure: &Failure) {
    tracing::warn!(execution.arn = %execution.arn, reason = %failure,
        "could not close the request of an execution that is over");
}

/// Tries the step again after a growing pause if a dependency did not answer. Any other failure ends the execution.
fn retry(failure: &Failure, tries: u32, now: Timestamp, step: impl FnOnce(u32, Option<Timestamp>) -> Step) -> Next {
    match failure {
        Failure::Unavailable { .. } | Failure::Limited { .. } if tries + 1 < TRIES => {
            let pause = SignedDuration::from_secs(1 << tries.min(10));
            Next::Go(step(tries + 1, Some(now.checked_add(pause).unwrap_or(now))))
        }
        Failure::Unavailable { .. }
        | Failure::Limited { .. }
        | Failure::PolicyInvalid { .. }
        | Failure::InvalidInput(_)
        | Failure::OtherSubject { .. }
        | Failure::Ended { .. } => fail(failure),
    }
}

fn fail(failure: &Failure) -> Next {
    Next::End(Status::Failed { error: failure.name().to_owned(), cause: failure.cause() })
}

/// A step that cannot be read becomes Evaluate: evaluating again is always safe.
fn read_step(execution: &Execution) -> Step {
    serde_json::from_value(execution.step.clone()).unwrap_or(EVALUATE)
}

fn write_step(step: &Step) -> Result<Value, BrokerError> {
    serde_json::to_value(step).map_err(|error| BrokerError::Storage(error.to_string()))
}

const fn status_name(status: &Status) -> &'static str {
    match status {
        Status::Running => "RUNNING",
        Status::Succeeded { .. } => "SUCCEEDED",
        Status::Failed { .. } => "FAILED",
        Status::Aborted => "ABORTED",
    }
}
