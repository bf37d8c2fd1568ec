//! The commands, one file each. Files, the terminal and exit codes are here and nowhere below.

pub mod args;
mod bundle;
mod bundle_command;
mod check;
mod decide;
mod demo;
mod dev;
mod diff;
mod doctor;
mod exit;
mod explain;
mod facts;
mod failure;
mod format;
mod github;
mod init;
mod levels;
mod lines;
mod lookup;
mod matrix;
mod pin;
mod revision;
mod runtime;
mod schema;
mod terminal;
mod test;
mod test_files;
mod test_report;

pub use exit::Exit;

use args::{Cli, Command};
use clap::Parser;

/// Runs the command that the process was called with.
#[must_use]
pub fn main() -> Exit {
    match Cli::try_parse() {
        Ok(cli) => failure::conclude(run(&cli), json_requested()),
        Err(error) => failure::usage(&error, json_requested()),
    }
}

fn run(cli: &Cli) -> anyhow::Result<Exit> {
    let policy = cli.policy.as_path();
    match &cli.command {
        Command::Check(args) => check::run(args, policy),
        Command::Explain(args) => explain::run(args, policy),
        Command::Decide(args) => decide::run(args, policy),
        Command::Test(args) => test::run(args, policy),
        Command::Diff(args) => diff::run(args, policy),
        Command::Matrix(args) => matrix::run(args, policy),
        Command::Bundle(args) => bundle_command::run(args, policy),
        Command::Init(args) => init::run(args),
        Command::Schema(args) => schema::run(args),
        Command::Dev(args) => dev::run(args, policy),
        Command::Demo(args) => demo::run(args),
        Command::Github(args) => github::run(args),
        Command::Doctor(args) => doctor::run(args, policy),
        Command::Pin(args) => pin::run(args, policy),
    }
}

/// Whether the command line asks for JSON. Reads the raw arguments, so that it also answers for a line that does not parse.
fn json_requested() -> bool {
    let args: Vec<_> = std::env::args_os().collect();
    args.iter().any(|arg| arg == "--format=json")
        || args.windows(2).any(|pair| matches!(pair, [key, value] if key == "--format" && value == "json"))
}
