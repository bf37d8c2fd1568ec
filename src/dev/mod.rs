//! The local gate: the whole engine on this machine, with real webhooks, and without any account.
//!
//! One process runs two servers on loopback: the gate and the GitHub simulator. Their state is in a folder, and
//! survives a process that is killed.

pub mod client;
pub(crate) mod doors;
mod machine;
mod server;
pub mod story;
mod webhook;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;

use crate::adapters::embedded::broker::{Broker, BrokerError};
use crate::adapters::embedded::clock::MovableClock;
use crate::adapters::embedded::outbox::Outbox;
use crate::adapters::embedded::simulator::{GithubSimulator, StorageError};
use crate::adapters::embedded::store::EmbeddedStore;
use crate::adapters::github::protection::ProtectionRouter;
use crate::adapters::github::signature::{SecretError, WebhookSecret, WebhookSecrets};
use crate::app::{self, App};
use crate::policy::Policy;
use crate::ports::StoreError;
use machine::Machine;

/// How often the local gate processes what is due.
const TICK: Duration = Duration::from_secs(1);
/// How long open connections and running work may take once the gate is stopping.
const PATIENCE: Duration = Duration::from_secs(5);
const SECRET_FILE: &str = "webhook-secret";
const CLOCK_FILE: &str = "clock-offset-seconds";

/// What the local gate is started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder for its state.
    pub data: PathBuf,
    /// Where the gate listens.
    pub listen: SocketAddr,
    /// Where the GitHub simulator listens.
    pub github: SocketAddr,
    /// Where a clock that stands still starts. `None` for real time, plus what the clock was moved by before.
    pub standing_at: Option<Timestamp>,
}

/// Why the local gate did not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum DevError {
    #[error("{part} in {folder} cannot be opened: {why}")]
    State { part: &'static str, folder: String, why: String },
    #[error("cannot listen on {address}: {why}")]
    Listen { address: SocketAddr, why: std::io::Error },
    #[error(transparent)]
    Broker(#[from] BrokerError),
}

pub struct LocalGate {
    pub app: App,
    pub broker: Arc<Broker>,
    pub github: GithubSimulator,
    /// The notifications that were sent.
    pub outbox: Arc<Outbox>,
    clock: Arc<MovableClock>,
    clock_file: Option<PathBuf>,
    secrets: WebhookSecrets,
    secret_text: String,
    machine: Machine,
    /// One tick at a time.
    ticking: Mutex<()>,
}

/// A local gate that listens.
pub struct Running {
    /// Where the gate listens.
    pub gate: SocketAddr,
    /// Where the GitHub simulator listens.
    pub github: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    deliveries: JoinHandle<()>,
}

impl LocalGate {
    /// Opens the state in the options' folder, or creates it.
    ///
    /// # Errors
    /// [`DevError::State`] if a part cannot be created, is damaged, or is open in another process.
    pub fn open(options: &Options, policy: Policy) -> Result<Self, DevError> {
        let folder = options.data.as_path();
        own_folder(folder).map_err(|why| state("the folder", folder, &why))?;
        let clock_file = options.standing_at.is_none().then(|| folder.join(CLOCK_FILE));
        let clock = Arc::new(match options.standing_at {
            Some(instant) => MovableClock::fixed(instant),
            None => {
                let file = folder.join(CLOCK_FILE);
                MovableClock::with_offset(kept_offset(&file).map_err(|why| state("the clock", &file, &why))?)
            }
        });
        let broker = Arc::new(Broker::open(folder, clock.clone()).map_err(|e| state("executions", folder, &e))?);
        let store: Arc<EmbeddedStore> =
            Arc::new(EmbeddedStore::open(folder).map_err(|e: StoreError| state("requests", folder, &e))?);
        let github = GithubSimulator::open(folder, clock.clone())
            .map_err(|e: StorageError| state("the GitHub simulator", folder, &e))?;
        let secret_text = kept_secret(&folder.join(SECRET_FILE)).map_err(|e| state("the secret", folder, &e))?;
        let current = WebhookSecret::new(&secret_text).map_err(|e: SecretError| state("the secret", folder, &e))?;
        let outbox = Arc::new(Outbox::default());
        let app = App {
            policy: Arc::new(policy),
            store,
            callback: Arc::new(ProtectionRouter::new(Arc::new(github.clone()), broker.clone())),
            code_host: Arc::new(github.clone()),
            notifier: outbox.clone(),
            redelivery: None,
            publisher: Some(Arc::new(github.clone())),
            clock: clock.clone(),
        };
        let machine = Machine::new(app.clone(), broker.clone());
        let secrets = WebhookSecrets { current, previous: None };
        let ticking = Mutex::new(());
        Ok(Self { app, broker, github, outbox, clock, clock_file, secrets, secret_text, machine, ticking })
    }

    /// Starts both servers, points the simulator's webhook at the gate, and drives executions.
    ///
    /// # Errors
    /// [`DevError::Listen`], or [`DevError::State`] if the simulator cannot be set up.
    pub async fn start(self: Arc<Self>, options: &Options) -> Result<Running, DevError> {
        let gate = listen(options.listen).await?;
        let github = listen(options.github).await?;
        let (gate_at, github_at) = (address(&gate, options.listen), address(&github, options.github));
        let url = format!("http://{gate_at}/webhooks/github");
        let set_up = self.github.change(|change| {
            change.set_address(&format!("http://{github_at}"));
            change.set_hook(&url, &self.secret_text)
        });
        set_up.map_err(|e| state("the GitHub simulator", &options.data, &format!("{e:?}")))?;
        let (stop, stopped) = watch::channel(false);
        let deliveries = self.github.start_deliveries();
        let tasks = vec![
            tokio::spawn(serve(gate, server::router(self.clone()), stopped.clone())),
            tokio::spawn(serve(github, self.github.router(), stopped.clone())),
            tokio::spawn(self.drive(stopped)),
        ];
        Ok(Running { gate: gate_at, github: github_at, stop, tasks, deliveries })
    }

    /// Does all that is due now: takes executions as far as they go, then sweeps.
    pub async fn tick(&self) -> Result<(), DevError> {
        let _one = self.ticking.lock().await;
        let advanced = self.machine.advance().await;
        match app::sweep(&self.app).await {
            Ok(swept) if swept.due > 0 => {
                tracing::info!(due = swept.due, ended = swept.ended, failed = swept.failed, "swept");
                self.machine.advance().await?;
            }
            Ok(_) => {}
            Err(failure) => tracing::error!(reason = %failure, "could not sweep"),
        }
        // An error with executions must not stop the sweep.
        Ok(advanced?)
    }

    /// Moves the clock, and does what becomes due by that.
    pub async fn move_clock(&self, by: SignedDuration) -> Result<Timestamp, DevError> {
        // What is due before the move happens at the time before the move.
        self.tick().await?;
        self.clock.advance(by);
        if let (Some(file), Some(offset)) = (&self.clock_file, self.clock.offset()) {
            keep(file, &offset.as_secs().to_string()).map_err(|e| state("the clock", file, &e))?;
        }
        self.tick().await?;
        Ok(self.app.clock.now())
    }

    async fn drive(self: Arc<Self>, mut stopped: watch::Receiver<bool>) {
        let mut changes = self.broker.changes();
        let mut timer = tokio::time::interval(TICK);
        loop {
            changes.mark_unchanged();
            if let Err(error) = self.tick().await {
                tracing::error!(reason = %error, "could not drive executions");
            }
            tokio::select! {
                _ = timer.tick() => {}
                _ = changes.changed() => {}
                _ = stopped.changed() => return,
            }
        }
    }
}

impl Running {
    /// Stops listening, and returns when running work has ended.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        self.deliveries.abort();
        for mut task in self.tasks {
            match tokio::time::timeout(PATIENCE, &mut task).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => tracing::warn!("a part of the local gate ended with an error"),
                // A client keeps its connection open without sending anything. Closing it loses nothing that is stored.
                Err(_) => {
                    tracing::warn!("closing the connection of a client that did not end its request");
                    task.abort();
                }
            }
        }
        // The simulator's database is free again only when its last holder is gone.
        let _aborted = self.deliveries.await;
    }
}

async fn serve(listener: TcpListener, router: axum::Router, mut stopped: watch::Receiver<bool>) {
    let router = router.layer(axum::middleware::from_fn(doors::only_this_machine));
    let stop = async move {
        let _sender_gone = stopped.wait_for(|stop| *stop).await;
    };
    if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stop).await {
        tracing::error!(reason = %error, "a server of the local gate stopped");
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, DevError> {
    TcpListener::bind(address).await.map_err(|why| DevError::Listen { address, why })
}

fn address(listener: &TcpListener, wanted: SocketAddr) -> SocketAddr {
    listener.local_addr().unwrap_or(wanted)
}

fn state(part: &'static str, folder: &Path, why: &impl std::fmt::Display) -> DevError {
    DevError::State { part, folder: folder.display().to_string(), why: why.to_string() }
}

/// Creates the folder for its owner alone, since it will contain task tokens and a secret. Closes an existing folder to
/// others.
fn own_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    #[cfg(unix)]
    std::fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    Ok(())
}

/// By how much the clock was moved when the gate ran before.
#[expect(clippy::disallowed_methods, reason = "the local gate keeps its state in files")]
fn kept_offset(file: &Path) -> Result<SignedDuration, String> {
    match std::fs::read_to_string(file) {
        Ok(text) => {
            let seconds = text.trim().parse().map_err(|_| "expected a whole number of seconds".to_owned())?;
            Ok(SignedDuration::from_secs(seconds))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(SignedDuration::ZERO),
        Err(error) => Err(error.to_string()),
    }
}

/// The webhook secret of this folder: 64 random hex digits, made at the first start.
#[expect(clippy::disallowed_methods, reason = "the local gate keeps its state in files")]
fn kept_secret(file: &Path) -> std::io::Result<String> {
    match std::fs::read_to_string(file) {
        Ok(text) => return Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut random = [0_u8; 32];
    getrandom::fill(&mut random).map_err(|error| std::io::Error::other(error.to_string()))?;
    let secret: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    keep(file, &secret)?;
    Ok(secret)
}

/// Writes a file that only its owner can read. A process that is killed leaves the old content or the new one.
fn keep(file: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let folder = file.parent().unwrap_or(Path::new("."));
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let new = folder.join(format!(".{name}.new"));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut handle = options.open(&new)?;
    handle.write_all(text.as_bytes())?;
    handle.sync_all()?;
    std::fs::rename(&new, file)
}
