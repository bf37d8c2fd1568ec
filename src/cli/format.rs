//! The `--format` option of a command that prints text or JSON. Commands with more formats have an enum of their own.

use clap::{Args, ValueEnum};

#[derive(Debug, Clone, Copy, Args)]
pub struct FormatArgs {
    /// The output format.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}
