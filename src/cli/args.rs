//! What can be written on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::{check, decide, demo, dev, explain, test};

/// A GitOps engine for deployment approvals.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, about, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// The policy: a file, or a folder that is read recursively.
    #[arg(long, global = true, value_name = "PATH", default_value = "policies")]
    pub policy: PathBuf,
    /// How results are printed.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
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
