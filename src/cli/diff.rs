//! `countersign diff`.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::bundle::{PolicyArgs, read_bundle, usable};
use super::exit::Exit;
use super::revision::read_revision;
use super::terminal;
use crate::policy::{Policy, diff, load};
use crate::render;

#[derive(Debug, clap::Args)]
pub struct DiffArgs {
    /// The old policy: a file, a folder, or `git:REV`. `git:REV` reads a git revision, at the path given for the other
    /// policy. If both are `git:REV`, at the path of `--policy`.
    #[arg(value_name = "OLD")]
    pub old: Side,
    /// The new policy, in the same forms.
    #[arg(value_name = "NEW")]
    pub new: Side,
    /// Exit with 6 if a target becomes looser or mixed.
    #[arg(long)]
    pub deny_loosening: bool,
    /// The output format.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = DiffFormat::Text)]
    pub format: DiffFormat,
    #[command(flatten)]
    pub policy: PolicyArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum DiffFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For a comment on a pull request.
    Markdown,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Side {
    Path(PathBuf),
    /// The other side's path at this git revision.
    Revision(String),
}

impl FromStr for Side {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(text
            .strip_prefix("git:")
            .map_or_else(|| Self::Path(text.into()), |revision| Self::Revision(revision.into())))
    }
}

pub(super) fn run(args: &DiffArgs) -> anyhow::Result<Exit> {
    let policy_path = args.policy.path.as_path();
    let old = policy_of(&args.old, &args.new, policy_path)?;
    let new = policy_of(&args.new, &args.old, policy_path)?;
    let diff = diff(&old, &new);
    match args.format {
        DiffFormat::Json => terminal::print_json(&render::diff::json(&diff))?,
        DiffFormat::Markdown => terminal::print(&render::diff::markdown(&diff))?,
        DiffFormat::Text => terminal::print(&render::diff::text(&diff))?,
    }
    Ok(if args.deny_loosening && diff.loosens() { Exit::Loosened } else { Exit::Done })
}

fn policy_of(side: &Side, other: &Side, policy_path: &Path) -> anyhow::Result<Policy> {
    match side {
        Side::Path(path) => usable(load(read_bundle(path)?), &path.display().to_string()),
        Side::Revision(revision) => {
            let path: &Path = match other {
                Side::Path(path) => path,
                Side::Revision(_) => policy_path,
            };
            let sources = read_revision(revision, path)?;
            usable(load(sources), &format!("{} at {revision}", path.display()))
        }
    }
}
