//! `countersign check`.

use super::Exit;
use super::args::Global;

/// The arguments of `check`.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {}

pub(super) fn run(_args: &CheckArgs, _global: &Global) -> anyhow::Result<Exit> {
    Ok(Exit::Done)
}
