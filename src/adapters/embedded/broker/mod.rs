//! The broker: executions and their one-time task tokens, on this machine.
//!
//! It answers as Step Functions does. It accepts the first answer to a token. It refuses a used, replaced or late token
//! with `TaskTimedOut`. If an answer breaks a limit, it is refused and the task keeps waiting. Everything is stored in
//! `executions.redb`, so that a waiting execution survives the process. The local gate decides which step comes next.
//!
//! Limits and errors: Step Functions API reference, `SendTaskSuccess`, `SendTaskFailure`, `StartExecution`.

mod execution;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use redb::backends::InMemoryBackend;
use redb::{Database, ReadableDatabase as _, ReadableTable as _, TableDefinition};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::watch;

pub use execution::{BrokerError, Execution, Status, Task, TaskError, TaskOutcome};

use crate::ident::{ExecutionArn, IdentError, TaskToken};
use crate::ports::{Answer, CallbackError, Clock, ExecutionCallback, SettleClaim};
use crate::request::{CallbackOutcome, ExecutionRef};

const EXECUTIONS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("executions");
/// The names of running executions. Most executions have ended, and nobody drives those.
const RUNNING: TableDefinition<'_, &str, ()> = TableDefinition::new("running");
const TOKENS: TableDefinition<'_, &str, &str> = TableDefinition::new("tokens");
const FILE: &str = "executions.redb";
const ARN_PREFIX: &str = "arn:aws:states:local:000000000000:execution:countersign:";
const LONGEST_INPUT: usize = 262_144;
const LONGEST_OUTPUT: usize = 262_144;
const LONGEST_ERROR: usize = 256;
const LONGEST_CAUSE: usize = 32_768;

fn storage(error: impl std::fmt::Display) -> BrokerError {
    BrokerError::Storage(error.to_string())
}

/// Executions and their tokens.
///
/// Every change is one transaction that is on disk when it returns. It blocks while the disk writes, which for one
/// machine's executions is short enough to be called from async code.
pub struct Broker {
    database: Mutex<Database>,
    clock: Arc<dyn Clock>,
    changed: watch::Sender<u64>,
}

impl std::fmt::Debug for Broker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Broker").finish_non_exhaustive()
    }
}

impl Broker {
    /// Opens the database in `folder`. Creates both if missing.
    ///
    /// # Errors
    /// [`BrokerError::Storage`] if the folder or the file cannot be created, or another process has it open.
    #[expect(clippy::disallowed_methods, reason = "the adapter of the file system makes its folder")]
    pub fn open(folder: &Path, clock: Arc<dyn Clock>) -> Result<Self, BrokerError> {
        std::fs::create_dir_all(folder).map_err(storage)?;
        Self::on(Database::create(folder.join(FILE)).map_err(storage)?, clock)
    }

    /// Keeps the database in memory only.
    ///
    /// # Errors
    /// As [`Broker::open`].
    pub fn in_memory(clock: Arc<dyn Clock>) -> Result<Self, BrokerError> {
        let database = Database::builder().create_with_backend(InMemoryBackend::new()).map_err(storage)?;
        Self::on(database, clock)
    }

    fn on(database: Database, clock: Arc<dyn Clock>) -> Result<Self, BrokerError> {
        let transaction = database.begin_write().map_err(storage)?;
        transaction.open_table(EXECUTIONS).map_err(storage)?;
        transaction.open_table(RUNNING).map_err(storage)?;
        transaction.open_table(TOKENS).map_err(storage)?;
        transaction.commit().map_err(storage)?;
        Ok(Self { database: Mutex::new(database), clock, changed: watch::Sender::new(0) })
    }

    /// Changes whenever an execution starts, a token is answered, or a step begins.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Starts an execution. Returns the running one if it has the same name and input.
    ///
    /// # Errors
    /// [`BrokerError::AlreadyExists`], [`BrokerError::InvalidName`], [`BrokerError::Storage`].
    pub fn start(&self, name: &str, input: Value) -> Result<Execution, BrokerError> {
        let form = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        let invalid = || BrokerError::InvalidName { name: name.chars().take(80).collect() };
        if name.is_empty() || name.len() > 80 || !name.bytes().all(form) {
            return Err(invalid());
        }
        if input.to_string().len() > LONGEST_INPUT {
            return Err(BrokerError::InputTooLong);
        }
        let arn = ExecutionArn::new(&format!("{ARN_PREFIX}{name}")).map_err(|_| invalid())?;
        let now = self.clock.now();
        self.transact(|executions, _| {
            if let Some(stored) = executions.get(name)? {
                let same = stored.status == Status::Running && stored.input == input;
                return if same { Ok(stored) } else { Err(BrokerError::AlreadyExists { name: name.to_owned() }) };
            }
            let execution = Execution {
                arn,
                name: name.to_owned(),
                input,
                redrive: 0,
                started_at: now,
                stopped_at: None,
                step: Value::Null,
                task: None,
                status: Status::Running,
            };
            executions.put(&execution)?;
            Ok(execution)
        })
    }

    /// # Errors
    /// [`BrokerError::DoesNotExist`], [`BrokerError::Storage`].
    pub fn execution(&self, name: &str) -> Result<Execution, BrokerError> {
        let missing = || BrokerError::DoesNotExist { name: name.to_owned() };
        let database = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = database.begin_read().map_err(storage)?;
        let table = transaction.open_table(EXECUTIONS).map_err(storage)?;
        let value = table.get(name).map_err(storage)?.ok_or_else(missing)?;
        decode(value.value())
    }

    /// All running executions, ordered by name. Logs and skips one that cannot be read, so that it does not block the others.
    ///
    /// # Errors
    /// [`BrokerError::Storage`].
    pub fn running(&self) -> Result<Vec<Execution>, BrokerError> {
        let database = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = database.begin_read().map_err(storage)?;
        let executions = transaction.open_table(EXECUTIONS).map_err(storage)?;
        let names = transaction.open_table(RUNNING).map_err(storage)?;
        let mut running = Vec::new();
        for entry in names.iter().map_err(storage)? {
            let (name, _) = entry.map_err(storage)?;
            let stored = executions.get(name.value()).map_err(storage)?;
            match stored.as_ref().map(|value| decode(value.value())) {
                Some(Ok(execution)) => running.push(execution),
                Some(Err(error)) => {
                    tracing::error!(execution.name = name.value(), reason = %error, "cannot read the execution");
                }
                None => {}
            }
        }
        Ok(running)
    }

    /// Moves a running execution to another step. An ended one stays as it is.
    pub fn enter(&self, name: &str, step: &Value) -> Result<(), BrokerError> {
        self.update(name, |execution| {
            execution.step = step.clone();
            execution.task = None;
        })
    }

    /// Replaces the step of a running execution, and keeps its task.
    pub fn note(&self, name: &str, step: &Value) -> Result<(), BrokerError> {
        self.update(name, |execution| execution.step = step.clone())
    }

    /// Ends a running execution. An ended one stays as it is.
    pub fn end(&self, name: &str, status: Status) -> Result<(), BrokerError> {
        let now = self.clock.now();
        self.update(name, |execution| {
            execution.status = status;
            execution.stopped_at = Some(now);
            execution.task = None;
        })
    }

    /// Runs a failed or stopped execution again from `step`, with the same input.
    ///
    /// # Errors
    /// [`BrokerError::NotRedrivable`] if it runs or has succeeded.
    pub fn redrive(&self, name: &str, step: &Value) -> Result<Execution, BrokerError> {
        self.transact(|executions, _| {
            let stored = executions.get(name)?;
            let mut execution = stored.ok_or_else(|| BrokerError::DoesNotExist { name: name.to_owned() })?;
            if !matches!(execution.status, Status::Failed { .. } | Status::Aborted) {
                return Err(BrokerError::NotRedrivable { name: name.to_owned() });
            }
            execution.redrive += 1;
            execution.status = Status::Running;
            (execution.step, execution.task, execution.stopped_at) = (step.clone(), None, None);
            executions.put(&execution)?;
            Ok(execution)
        })
    }

    /// Enters a step that waits, with a new token. The tokens of earlier tries become invalid.
    pub fn wait_for_token(&self, name: &str, step: &Value, seconds: u64) -> Result<TaskToken, BrokerError> {
        let wait = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
        let times_out_at = self.clock.now().checked_add(wait).unwrap_or(Timestamp::MAX);
        let token = new_token(name)?;
        self.transact(|executions, tokens| {
            let stored = executions.get(name)?;
            let mut execution = stored.ok_or_else(|| BrokerError::DoesNotExist { name: name.to_owned() })?;
            if execution.status != Status::Running {
                return Err(BrokerError::NotRunning { name: name.to_owned() });
            }
            execution.step = step.clone();
            execution.task = Some(Task { times_out_at, outcome: TaskOutcome::Waiting });
            executions.put(&execution)?;
            // An execution has one valid token: the last that was stored.
            tokens.insert(name, token.expose()).map_err(storage)?;
            Ok(())
        })?;
        Ok(token)
    }

    /// Times out the tasks whose time is over.
    ///
    /// # Errors
    /// [`BrokerError::Storage`].
    pub fn expire_tasks(&self) -> Result<(), BrokerError> {
        let now = self.clock.now();
        for execution in self.running()? {
            let over = |task: &Task| task.outcome == TaskOutcome::Waiting && now >= task.times_out_at;
            if execution.task.as_ref().is_some_and(over) {
                self.update(&execution.name, |execution| {
                    if let Some(task) = execution.task.as_mut().filter(|task| over(task)) {
                        task.outcome = TaskOutcome::TimedOut;
                    }
                })?;
            }
        }
        Ok(())
    }

    /// `SendTaskSuccess`.
    ///
    /// # Errors
    /// [`TaskError`] if the answer is refused, [`BrokerError`] if the database failed.
    pub fn send_task_success(&self, token: &TaskToken, output: &str) -> Result<Result<(), TaskError>, BrokerError> {
        if output.len() > LONGEST_OUTPUT || serde_json::from_str::<serde::de::IgnoredAny>(output).is_err() {
            return Ok(Err(TaskError::InvalidOutput));
        }
        self.answer(token, TaskOutcome::Succeeded(output.to_owned()))
    }

    /// `SendTaskFailure`.
    ///
    /// # Errors
    /// As [`Broker::send_task_success`].
    pub fn send_task_failure(
        &self,
        token: &TaskToken,
        error: &str,
        cause: &str,
    ) -> Result<Result<(), TaskError>, BrokerError> {
        if error.chars().count() > LONGEST_ERROR
            || error.starts_with("States.")
            || cause.chars().count() > LONGEST_CAUSE
        {
            return Ok(Err(TaskError::Validation));
        }
        self.answer(token, TaskOutcome::Failed { error: error.to_owned(), cause: cause.to_owned() })
    }

    fn answer(&self, token: &TaskToken, outcome: TaskOutcome) -> Result<Result<(), TaskError>, BrokerError> {
        let now = self.clock.now();
        let Some(name) = token.expose().split_once('/').map(|(name, _)| name) else {
            return Ok(Err(TaskError::InvalidToken));
        };
        self.transact(|executions, tokens| {
            let Some(mut execution) = executions.get(name)? else { return Ok(Err(TaskError::InvalidToken)) };
            let valid = tokens.get(name).map_err(storage)?.is_some_and(|stored| stored.value() == token.expose());
            let waits = |task: &&mut Task| task.outcome == TaskOutcome::Waiting && now < task.times_out_at;
            let running = execution.status == Status::Running;
            match execution.task.as_mut().filter(|task| valid && running && waits(task)) {
                Some(task) => task.outcome = outcome,
                None => return Ok(Err(TaskError::TaskTimedOut)),
            }
            executions.put(&execution)?;
            Ok(Ok(()))
        })
    }

    fn update(&self, name: &str, change: impl FnOnce(&mut Execution)) -> Result<(), BrokerError> {
        self.transact(|executions, _| {
            let stored = executions.get(name)?;
            let mut execution = stored.ok_or_else(|| BrokerError::DoesNotExist { name: name.to_owned() })?;
            if execution.status == Status::Running {
                change(&mut execution);
                executions.put(&execution)?;
            }
            Ok(())
        })
    }

    /// One transaction over executions and tokens. If `work` fails, nothing changes.
    fn transact<T>(
        &self,
        work: impl FnOnce(&mut Executions<'_>, &mut Tokens<'_>) -> Result<T, BrokerError>,
    ) -> Result<T, BrokerError> {
        let database = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = database.begin_write().map_err(storage)?;
        let done = {
            let stored = transaction.open_table(EXECUTIONS).map_err(storage)?;
            let mut executions = Executions { stored, running: transaction.open_table(RUNNING).map_err(storage)? };
            let mut tokens = transaction.open_table(TOKENS).map_err(storage)?;
            work(&mut executions, &mut tokens)?
        };
        transaction.commit().map_err(storage)?;
        drop(database);
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
        Ok(done)
    }
}

/// The valid token of each execution, by the execution's name.
type Tokens<'t> = redb::Table<'t, &'static str, &'static str>;

struct Executions<'t> {
    stored: redb::Table<'t, &'static str, &'static [u8]>,
    running: redb::Table<'t, &'static str, ()>,
}

impl Executions<'_> {
    fn get(&self, name: &str) -> Result<Option<Execution>, BrokerError> {
        self.stored.get(name).map_err(storage)?.map(|value| decode(value.value())).transpose()
    }

    fn put(&mut self, execution: &Execution) -> Result<(), BrokerError> {
        let bytes = serde_json::to_vec(execution).map_err(storage)?;
        self.stored.insert(execution.name.as_str(), bytes.as_slice()).map_err(storage)?;
        if execution.status == Status::Running {
            self.running.insert(execution.name.as_str(), ()).map_err(storage)?;
        } else {
            self.running.remove(execution.name.as_str()).map_err(storage)?;
        }
        Ok(())
    }
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, BrokerError> {
    serde_json::from_slice(bytes).map_err(storage)
}

/// A random token that begins with the execution's name.
fn new_token(name: &str) -> Result<TaskToken, BrokerError> {
    let mut random = [0_u8; 32];
    getrandom::fill(&mut random).map_err(storage)?;
    let hex: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    TaskToken::new(&format!("{name}/{hex}")).map_err(|error: IdentError| storage(error))
}

#[async_trait]
impl ExecutionCallback for Broker {
    async fn resume(&self, claim: &SettleClaim, answer: &Answer) -> Result<CallbackOutcome, CallbackError> {
        let sent = match answer {
            Answer::Success { output, comment: _ } => self.send_task_success(claim.token(), output),
            Answer::Failure { error, cause, comment: _ } => self.send_task_failure(claim.token(), error, cause),
        };
        match sent.map_err(|error| CallbackError { detail: error.to_string() })? {
            Ok(()) => Ok(CallbackOutcome::Taken),
            Err(TaskError::TaskTimedOut | TaskError::InvalidToken) => Ok(CallbackOutcome::TokenOver),
            Err(error @ (TaskError::InvalidOutput | TaskError::Validation)) => {
                Err(CallbackError { detail: error.to_string() })
            }
        }
    }

    async fn is_running(&self, execution: &ExecutionRef) -> Result<bool, CallbackError> {
        let running = self.running().map_err(|error| CallbackError { detail: error.to_string() })?;
        Ok(running.iter().any(|one| one.reference() == *execution))
    }
}

#[cfg(test)]
mod tests;
