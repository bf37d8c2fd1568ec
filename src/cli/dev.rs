//! `countersign dev`: runs the local gate until it is stopped.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::bundle::{PolicyArgs, load_policy};
use super::exit::Exit;
use super::failure::Failure;
use super::format::Format;
use crate::dev::{LocalGate, Options};

#[derive(Debug, clap::Args)]
pub struct DevArgs {
    /// The folder for the state. The state survives a restart, even if the process was killed.
    #[arg(long, value_name = "DIR", default_value = ".countersign")]
    data: PathBuf,
    /// The address on which the gate listens.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The address on which the GitHub simulator listens.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8081")]
    github: SocketAddr,
    /// The format of the log, and of the addresses printed at the start.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text)]
    pub format: Format,
    #[command(flatten)]
    pub policy: PolicyArgs,
}

pub(super) fn run(args: &DevArgs) -> anyhow::Result<Exit> {
    let policy_path = args.policy.path.as_path();
    for address in [args.listen, args.github] {
        if !address.ip().is_loopback() {
            let message = format!("`{address}` is not a loopback address, and the local gate has no authentication");
            let hint = "listen on 127.0.0.1 or [::1]";
            return Err(Failure::new("not-loopback", message).hint(hint).exit(Exit::Usage).into());
        }
    }
    let policy = load_policy(policy_path)?;
    log(args.format);
    let options = Options { data: args.data.clone(), listen: args.listen, github: args.github, standing_at: None };
    super::runtime::runtime()?.block_on(async {
        // Listen before printing the addresses: whoever reads them may stop the process at once.
        let mut signals = Signals::listen()?;
        let gate = Arc::new(LocalGate::open(&options, policy)?);
        let running = Arc::clone(&gate).start(&options).await?;
        drop(gate);
        print_addresses(&options, running.gate, running.github, args.format)?;
        signals.received().await;
        tracing::info!("stopping");
        running.stop().await;
        Ok(Exit::Done)
    })
}

fn print_addresses(options: &Options, gate: SocketAddr, github: SocketAddr, format: Format) -> std::io::Result<()> {
    let mut out = anstream::stdout();
    match format {
        Format::Json => writeln!(
            out,
            "{}",
            json!({
                "schema": 1, "gate": format!("http://{gate}"), "github": format!("http://{github}"),
                "data": options.data,
            })
        )?,
        Format::Text => {
            writeln!(out, "gate              http://{gate}")?;
            writeln!(out, "GitHub simulator  http://{github}")?;
            writeln!(out, "state             {}", options.data.display())?;
            writeln!(out, "stop with Ctrl-C; docs/dev.md has a session to try")?;
        }
    }
    out.flush()
}

/// Logs go to stderr, as text or as JSON lines.
fn log(format: Format) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("COUNTERSIGN_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        Format::Json => builder.json().flatten_event(true).init(),
        Format::Text => builder.with_target(false).init(),
    }
}

/// The signals that stop the process.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Starts to listen. A signal that arrives before [`Self::received`] is not lost.
    fn listen() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Returns when a signal has arrived.
    async fn received(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
