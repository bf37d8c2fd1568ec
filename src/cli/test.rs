//! `countersign test`.

use super::Exit;
use super::args::Global;

/// The arguments of `test`.
#[derive(Debug, clap::Args)]
pub struct TestArgs {}

pub(super) fn run(_args: &TestArgs, _global: &Global) -> anyhow::Result<Exit> {
    Ok(Exit::Done)
}
