//! The commands, one file each. Files, the terminal and exit codes are here and nowhere below.

pub mod args;
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
mod schema;
mod terminal;
mod test;
mod test_files;
mod test_report;

pub use exit::Exit;

use args::{Cli, Command, Format};
use clap::Parser;

/// Runs the command that the process was called with.
#[must_use]
pub fn main() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return failure::usage(&error, asked_format()),
    };
    failure::conclude(run(&cli), cli.global.format.plain().unwrap_or(Format::Text))
}

fn run(cli: &Cli) -> anyhow::Result<Exit> {
    let global = &cli.global;
    match &cli.command {
        Command::Check(args) => check::run(args, global),
        Command::Explain(args) => explain::run(args, &global.plain()?),
        Command::Decide(args) => decide::run(args, &global.plain()?),
        Command::Test(args) => test::run(args, &global.plain()?),
        Command::Diff(args) => diff::run(args, global),
        Command::Matrix(args) => matrix::run(args, global),
        Command::Bundle(args) => bundle_command::run(args, &global.plain()?),
        Command::Init(args) => init::run(args, &global.plain()?),
        Command::Schema(args) => schema::run(args, &global.plain()?),
        Command::Dev(args) => dev::run(args, &global.plain()?),
        Command::Demo(args) => demo::run(args, &global.plain()?),
        #[cfg(feature = "github")]
        Command::Github(args) => github::run(args, &global.plain()?),
        #[cfg(feature = "github")]
        Command::Doctor(args) => doctor::run(args, &global.plain()?),
        #[cfg(feature = "github")]
        Command::Pin(args) => pin::run(args, &global.plain()?),
    }
}

/// The format that was asked for by arguments which do not parse as a whole.
fn asked_format() -> Format {
    let args: Vec<_> = std::env::args_os().collect();
    let json = args.iter().any(|arg| arg == "--format=json")
        || args.windows(2).any(|pair| matches!(pair, [key, value] if key == "--format" && value == "json"));
    if json { Format::Json } else { Format::Text }
}

/// The async runtime of the commands that listen.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    use anyhow::Context as _;
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the runtime cannot be started")
}
