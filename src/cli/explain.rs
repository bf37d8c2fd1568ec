//! `countersign explain`.

use super::Exit;
use super::args::Global;

/// The arguments of `explain`.
#[derive(Debug, clap::Args)]
pub struct ExplainArgs {}

pub(super) fn run(_args: &ExplainArgs, _global: &Global) -> anyhow::Result<Exit> {
    Ok(Exit::Done)
}
