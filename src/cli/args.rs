//! What can be written on the command line.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};

use super::{check, decide, demo, dev, diff, explain, init, matrix, schema, test};

/// A GitOps engine for deployment approvals.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, about, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes, as it is written.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// The policy: a file, or a folder that is read recursively.
    #[arg(long, global = true, value_name = "PATH", default_value = "policies")]
    pub policy: PathBuf,
    /// How results are printed.
    #[arg(long, global = true, value_enum, default_value_t = Printed::Text)]
    pub format: Printed,
}

/// How results can be printed by some command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Printed {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For a comment on a pull request: `matrix` and `diff` only.
    Markdown,
    /// A page of its own: `matrix` only.
    Html,
}

impl Printed {
    /// The format as one that every command has; none where only some have it.
    const fn everywhere(self) -> Option<Format> {
        match self {
            Self::Text => Some(Format::Text),
            Self::Json => Some(Format::Json),
            Self::Markdown | Self::Html => None,
        }
    }

    /// How a failure is told where this was asked for.
    pub(super) const fn of_failures(self) -> Format {
        match self.everywhere() {
            Some(format) => format,
            None => Format::Text,
        }
    }
}

/// What every command knows of the command line.
#[derive(Debug, Clone)]
pub struct Global {
    /// The policy: a file, or a folder that is read recursively.
    pub policy: PathBuf,
    /// How results are printed.
    pub format: Format,
}

/// How every command can print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl Cli {
    /// What every command knows of the command line.
    ///
    /// # Errors
    /// Wrong usage: a format was asked for that the command does not have.
    pub(super) fn global(&self) -> Result<Global, clap::Error> {
        let Common { policy, format: printed } = &self.common;
        let format = match printed.everywhere() {
            Some(format) => format,
            None if self.command.prints(*printed) => printed.of_failures(),
            None => {
                let name = printed.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
                let message = format!("`--format {name}` is no format of this command: expected `text` or `json`");
                return Err(Self::command().error(ErrorKind::InvalidValue, message));
            }
        };
        Ok(Global { policy: policy.clone(), format })
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
    /// Write a policy to start from, with tests.
    Init(init::InitArgs),
    /// Print the JSON Schema of policy files, for editors.
    Schema(schema::SchemaArgs),
    /// Run the whole gate on this machine, with a GitHub stand-in and no account.
    Dev(dev::DevArgs),
    /// Play a story through the local gate, and tell it. The policy is the example that is built in.
    Demo(demo::DemoArgs),
}

impl Command {
    /// Whether it has a format that not every command has.
    const fn prints(&self, printed: Printed) -> bool {
        match printed {
            Printed::Text | Printed::Json => true,
            Printed::Markdown => matches!(self, Self::Matrix(_) | Self::Diff(_)),
            Printed::Html => matches!(self, Self::Matrix(_)),
        }
    }
}
