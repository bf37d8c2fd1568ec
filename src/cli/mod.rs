//! The command line: arguments and commands, one file each. Only here does the crate touch files, the terminal and exit
//! codes.

mod bundle;
mod bundle_command;
mod check;
mod decide;
mod demo;
mod dev;
mod diff;
#[cfg(feature = "github")]
mod doctor;
mod exit;
mod explain;
mod facts;
mod failure;
mod format;
#[cfg(feature = "github")]
mod github;
mod init;
mod levels;
mod lines;
#[cfg(feature = "github")]
mod lookup;
mod matrix;
#[cfg(feature = "github")]
mod pin;
mod revision;
mod runtime;
mod schema;
mod terminal;
mod test;
mod test_files;
mod test_report;

pub use exit::Exit;

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser, Subcommand};

use self::bundle::PolicyArgs;

/// Holds a deployment until the people named in a policy have approved it.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, about, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    /// `--policy` before the command means the same as behind it.
    #[arg(id = "before", long = "policy", value_name = "PATH", hide = true)]
    policy: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check a policy and report everything that is wrong with it.
    Check(check::CheckArgs),
    /// Show the rule of a target, with the line that set each field.
    Explain(explain::ExplainArgs),
    /// Decide on facts that you give as JSON.
    Decide(decide::DecideArgs),
    /// Run the policy's tests.
    Test(test::TestArgs),
    /// Compare two policies by what they mean, target by target.
    Diff(diff::DiffArgs),
    /// Show who must approve what: every service in every environment.
    Matrix(matrix::MatrixArgs),
    /// Check the policy and write it for deployment: a Lambda layer, and a manifest for Terraform.
    Bundle(bundle_command::BundleArgs),
    /// Write a policy to start from, with tests.
    Init(init::InitArgs),
    /// Print the JSON Schema of policy files, for editors.
    Schema(schema::SchemaArgs),
    /// Run the whole gate on this machine, with a GitHub simulator and without any account.
    Dev(dev::DevArgs),
    /// Play a story through the local gate and print it. Uses the built-in example policy.
    Demo(demo::DemoArgs),
    /// Connect an installation to GitHub.
    #[cfg(feature = "github")]
    Github(github::GithubArgs),
    /// Check the set-up at GitHub: the App, its webhook, and the policy's teams and accounts.
    #[cfg(feature = "github")]
    Doctor(doctor::DoctorArgs),
    /// Write the numeric ids of the policy's accounts into its files.
    #[cfg(feature = "github")]
    Pin(pin::PinArgs),
}

/// Runs the command that the process was called with.
#[must_use]
pub fn main() -> Exit {
    match Cli::try_parse().and_then(Cli::with_policy) {
        Ok(cli) => failure::conclude(run(&cli), json_requested()),
        Err(error) => failure::usage(&error, json_requested()),
    }
}

impl Cli {
    /// Hands the policy that is named before the command to the command.
    fn with_policy(mut self) -> Result<Self, clap::Error> {
        let Some(path) = self.policy.take() else { return Ok(self) };
        match self.command.policy() {
            Some(policy) => policy.path = path,
            None => {
                let what = "the argument '--policy <PATH>' cannot be used: this command reads no policy";
                return Err(Self::command().error(ErrorKind::UnknownArgument, what));
            }
        }
        Ok(self)
    }
}

impl Command {
    /// `None` if the command reads no policy.
    const fn policy(&mut self) -> Option<&mut PolicyArgs> {
        match self {
            Self::Check(args) => Some(&mut args.policy),
            Self::Explain(args) => Some(&mut args.policy),
            Self::Decide(args) => Some(&mut args.policy),
            Self::Test(args) => Some(&mut args.policy),
            Self::Diff(args) => Some(&mut args.policy),
            Self::Matrix(args) => Some(&mut args.policy),
            Self::Bundle(args) => Some(&mut args.policy),
            Self::Dev(args) => Some(&mut args.policy),
            #[cfg(feature = "github")]
            Self::Doctor(args) => Some(&mut args.policy),
            #[cfg(feature = "github")]
            Self::Pin(args) => Some(&mut args.policy),
            Self::Init(_) | Self::Schema(_) | Self::Demo(_) => None,
            #[cfg(feature = "github")]
            Self::Github(_) => None,
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<Exit> {
    match &cli.command {
        Command::Check(args) => check::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Decide(args) => decide::run(args),
        Command::Test(args) => test::run(args),
        Command::Diff(args) => diff::run(args),
        Command::Matrix(args) => matrix::run(args),
        Command::Bundle(args) => bundle_command::run(args),
        Command::Init(args) => init::run(args),
        Command::Schema(args) => schema::run(args),
        Command::Dev(args) => dev::run(args),
        Command::Demo(args) => demo::run(args),
        #[cfg(feature = "github")]
        Command::Github(args) => github::run(args),
        #[cfg(feature = "github")]
        Command::Doctor(args) => doctor::run(args),
        #[cfg(feature = "github")]
        Command::Pin(args) => pin::run(args),
    }
}

/// Whether the command line requests JSON. Reads the raw arguments, since it is also needed if they do not parse.
fn json_requested() -> bool {
    let args: Vec<_> = std::env::args_os().collect();
    args.iter().any(|arg| arg == "--format=json")
        || args.windows(2).any(|pair| matches!(pair, [key, value] if key == "--format" && value == "json"))
}
