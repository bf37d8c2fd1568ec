//! What can be written on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::failure::Failure;
use super::{Exit, check, decide, demo, dev, explain, test};

/// A GitOps engine for deployment approvals.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, about, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes, as it is written.
#[derive(Debug, Clone, Args)]
pub struct GlobalArgs {
    /// The policy: a file, or a folder that is read recursively.
    #[arg(long, global = true, value_name = "PATH", default_value = "policies")]
    pub policy: PathBuf,
    /// How results are printed. `sarif` and `github` are for `check` only.
    #[arg(long, global = true, value_enum, default_value_t = AskedFormat::Text)]
    pub format: AskedFormat,
}

/// How results are printed, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AskedFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For code scanning: SARIF 2.1.0.
    Sarif,
    /// For a GitHub workflow: each finding beside its line.
    Github,
}

/// What every command takes.
#[derive(Debug, Clone)]
pub struct Global {
    /// The policy: a file, or a folder that is read recursively.
    pub policy: PathBuf,
    /// How results are printed.
    pub format: Format,
}

/// How results are printed by every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl AskedFormat {
    /// As what is no finding is printed.
    #[must_use]
    pub const fn plain(self) -> Option<Format> {
        match self {
            Self::Text => Some(Format::Text),
            Self::Json => Some(Format::Json),
            Self::Sarif | Self::Github => None,
        }
    }
}

impl GlobalArgs {
    /// What is taken by a command that has no findings to print.
    ///
    /// # Errors
    /// The format is for findings.
    pub(super) fn plain(&self) -> anyhow::Result<Global> {
        match self.format.plain() {
            Some(format) => Ok(Global { policy: self.policy.clone(), format }),
            None => Err(Failure::new("usage", "only `check` prints `sarif` and `github`")
                .hint("write `--format text` or `--format json`")
                .exit(Exit::Usage)
                .into()),
        }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Load a policy and report everything that is wrong with it.
    Check(check::CheckArgs),
    /// Show the rule of a target, and where each part of it comes from.
    Explain(explain::ExplainArgs),
    /// Decide on given facts.
    Decide(decide::DecideArgs),
    /// Run the policy's tests.
    Test(test::TestArgs),
    /// Run the whole gate on this machine, with a GitHub stand-in and no account.
    Dev(dev::DevArgs),
    /// Play a story through the local gate, and tell it. The policy is the example that is built in.
    Demo(demo::DemoArgs),
}
