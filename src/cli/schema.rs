//! `countersign schema`.

use super::exit::Exit;
use super::format::FormatArgs;
use super::terminal;
use crate::render;

/// The arguments of `schema`.
#[derive(Debug, clap::Args)]
pub struct SchemaArgs {
    /// The schema of test files (`*.test.yaml`) instead of policy files.
    #[arg(long)]
    pub tests: bool,
    #[command(flatten)]
    pub output: FormatArgs,
}

/// Prints the schema: the same for every format, since it is JSON already.
pub(super) fn run(args: &SchemaArgs) -> anyhow::Result<Exit> {
    let schema = if args.tests { render::schema::tests() } else { render::schema::policy() };
    terminal::print_json(&schema)?;
    Ok(Exit::Done)
}
