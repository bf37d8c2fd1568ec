//! `countersign github`: what connects an installation to GitHub.

pub(super) mod connect;
mod door;
mod keep;
mod manifest;
mod setup;

use super::exit::Exit;

/// The arguments of `github`.
#[derive(Debug, clap::Args)]
pub struct GithubArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: GithubCommand,
}

/// What `github` does.
#[derive(Debug, clap::Subcommand)]
pub enum GithubCommand {
    /// Make a GitHub App in the browser, and put its secrets where you say.
    Setup(setup::SetupArgs),
    /// Print the App's manifest, and why it asks for what it asks for.
    Manifest(manifest::ManifestArgs),
}

pub(super) fn run(args: &GithubArgs) -> anyhow::Result<Exit> {
    match &args.command {
        GithubCommand::Setup(args) => setup::run(args),
        GithubCommand::Manifest(args) => manifest::run(args),
    }
}
