//! `countersign github`: creates the GitHub App, or prints its manifest.

mod callback;
pub(super) mod connect;
mod manifest;
mod secrets;
mod setup;

use super::exit::Exit;

#[derive(Debug, clap::Args)]
pub struct GithubArgs {
    #[command(subcommand)]
    pub command: GithubCommand,
}

#[derive(Debug, clap::Subcommand)]
pub enum GithubCommand {
    /// Create a GitHub App in the browser, and store its secrets where you choose.
    Setup(setup::SetupArgs),
    /// Print the App's manifest, and the reason for each permission and event.
    Manifest(manifest::ManifestArgs),
}

pub(super) fn run(args: &GithubArgs) -> anyhow::Result<Exit> {
    match &args.command {
        GithubCommand::Setup(args) => setup::run(args),
        GithubCommand::Manifest(args) => manifest::run(args),
    }
}
