//! `countersign decide`.

use super::Exit;
use super::args::Global;

/// The arguments of `decide`.
#[derive(Debug, clap::Args)]
pub struct DecideArgs {}

pub(super) fn run(_args: &DecideArgs, _global: &Global) -> anyhow::Result<Exit> {
    Ok(Exit::Done)
}
