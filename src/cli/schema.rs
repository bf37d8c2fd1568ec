//! `countersign schema`.

use super::exit::Exit;
use super::format::FormatArgs;
use super::terminal;
use crate::render;

#[derive(Debug, clap::Args)]
pub struct SchemaArgs {
    /// Print the schema of test files (`*.test.yaml`) instead of policy files.
    #[arg(long)]
    pub tests: bool,
    // The schema is JSON in every format.
    #[command(flatten)]
    pub output: FormatArgs,
}

pub(super) fn run(args: &SchemaArgs) -> anyhow::Result<Exit> {
    let schema = if args.tests { render::schema::tests() } else { render::schema::policy() };
    terminal::print_json(&schema)?;
    Ok(Exit::Done)
}
