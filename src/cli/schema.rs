//! `countersign schema`.

use super::exit::Exit;
use super::terminal;
use crate::render;

#[derive(Debug, clap::Args)]
pub struct SchemaArgs {
    /// Print the schema of test files (`*.test.yaml`) instead of policy files.
    #[arg(long)]
    pub tests: bool,
    /// The output format.
    #[arg(long, value_name = "FORMAT", value_parser = ["json"], default_value = "json")]
    pub format: String,
}

pub(super) fn run(args: &SchemaArgs) -> anyhow::Result<Exit> {
    let schema = if args.tests { render::schema::tests() } else { render::schema::policy() };
    terminal::print_json(&schema)?;
    Ok(Exit::Done)
}
