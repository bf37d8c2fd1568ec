//! What can be written on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::failure::Failure;
use super::{Exit, bundle_command, check, decide, demo, dev, diff, explain, init, matrix, schema, test};
#[cfg(feature = "github")]
use super::{doctor, github, pin};

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
    /// How results are printed.
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
    /// For a comment on a pull request: `matrix` and `diff`.
    Markdown,
    /// A page of its own: `matrix`.
    Html,
    /// For code scanning, SARIF 2.1.0: `check`.
    Sarif,
    /// For a GitHub workflow, each finding beside its line: `check`.
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
    /// As one that every command has.
    #[must_use]
    pub const fn plain(self) -> Option<Format> {
        match self {
            Self::Text => Some(Format::Text),
            Self::Json => Some(Format::Json),
            Self::Markdown | Self::Html | Self::Sarif | Self::Github => None,
        }
    }
}

impl GlobalArgs {
    /// What is taken by a command without formats of its own.
    ///
    /// # Errors
    /// Wrong usage: another format was asked for.
    pub(super) fn plain(&self) -> anyhow::Result<Global> {
        self.with(&[])
    }

    /// What is taken by a command that has these formats besides `text` and `json`.
    ///
    /// # Errors
    /// Wrong usage: another format was asked for.
    pub(super) fn with(&self, own: &[AskedFormat]) -> anyhow::Result<Global> {
        let format = match self.format.plain() {
            Some(format) => format,
            None if own.contains(&self.format) => Format::Text,
            None => {
                let name = |format: &AskedFormat| {
                    format.to_possible_value().map(|value| format!("`{}`", value.get_name())).unwrap_or_default()
                };
                let known: Vec<String> = [AskedFormat::Text, AskedFormat::Json].iter().chain(own).map(name).collect();
                let message = format!("this command does not print {}", name(&self.format));
                let hint = format!("its formats are {}", known.join(", "));
                return Err(Failure::new("usage", message).hint(hint).exit(Exit::Usage).into());
            }
        };
        Ok(Global { policy: self.policy.clone(), format })
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
    /// Compare two policies by what they mean, target by target.
    Diff(diff::DiffArgs),
    /// Show who must approve what: every service in every environment.
    Matrix(matrix::MatrixArgs),
    /// Check the policy, and write what is deployed of it: a Lambda layer, and what Terraform has to know.
    Bundle(bundle_command::BundleArgs),
    /// Write a policy to start from, with tests.
    Init(init::InitArgs),
    /// Print the JSON Schema of policy files, for editors.
    Schema(schema::SchemaArgs),
    /// Run the whole gate on this machine, with a GitHub stand-in and no account.
    Dev(dev::DevArgs),
    /// Play a story through the local gate, and tell it. The policy is the example that is built in.
    Demo(demo::DemoArgs),
    /// Connect an installation to GitHub.
    #[cfg(feature = "github")]
    Github(github::GithubArgs),
    /// Look over what is set up at GitHub: the App, its webhook, and the teams and accounts of the policy.
    #[cfg(feature = "github")]
    Doctor(doctor::DoctorArgs),
    /// Write the numeric ids of the policy's accounts into its files.
    #[cfg(feature = "github")]
    Pin(pin::PinArgs),
}
