//! The commands, one file each. Files, the terminal and exit codes are here and nowhere below.

pub mod args;
mod check;
mod decide;
mod exit;
mod explain;
mod test;
mod test_files;

pub use exit::Exit;

use args::{Cli, Command};
use clap::Parser;

/// Runs the command that the process was called with.
#[must_use]
pub fn main() -> Exit {
    let cli = Cli::parse();
    let outcome = match &cli.command {
        Command::Check(args) => check::run(args, &cli.global),
        Command::Explain(args) => explain::run(args, &cli.global),
        Command::Decide(args) => decide::run(args, &cli.global),
        Command::Test(args) => test::run(args, &cli.global),
    };
    outcome.unwrap_or(Exit::CouldNotRun)
}
