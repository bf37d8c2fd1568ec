//! `countersign diff`.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::args::{AskedFormat, Global, GlobalArgs};
use super::bundle::{read_bundle, usable};
use super::revision::read_revision;
use super::{Exit, terminal};
use crate::policy::{Policy, diff, load};
use crate::render;

/// The arguments of `diff`.
#[derive(Debug, clap::Args)]
pub struct DiffArgs {
    /// The policy before: a file, a folder, or `git:REV` for the other's path (else `--policy`) at a revision.
    #[arg(value_name = "OLD")]
    pub old: Side,
    /// The policy now, in the same forms.
    #[arg(value_name = "NEW")]
    pub new: Side,
    /// End with 6 where something becomes looser or mixed.
    #[arg(long)]
    pub deny_loosening: bool,
}

/// Where one of the two policies is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Side {
    /// At a path.
    Path(PathBuf),
    /// At the other's path, at this revision.
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

pub(super) fn run(args: &DiffArgs, asked: &GlobalArgs) -> anyhow::Result<Exit> {
    let global = &asked.with(&[AskedFormat::Markdown])?;
    let old = policy_of(&args.old, &args.new, global)?;
    let new = policy_of(&args.new, &args.old, global)?;
    let diff = diff(&old, &new);
    match asked.format {
        AskedFormat::Json => terminal::print_json(&render::diff::json(&diff))?,
        AskedFormat::Markdown => terminal::print(&render::diff::markdown(&diff))?,
        AskedFormat::Text | AskedFormat::Html | AskedFormat::Sarif | AskedFormat::Github => {
            terminal::print(&render::diff::text(&diff))?;
        }
    }
    Ok(if args.deny_loosening && diff.loosens() { Exit::Loosened } else { Exit::Done })
}

fn policy_of(side: &Side, other: &Side, global: &Global) -> anyhow::Result<Policy> {
    match side {
        Side::Path(path) => usable(load(read_bundle(path)?), &path.display().to_string()),
        Side::Revision(revision) => {
            let path: &Path = match other {
                Side::Path(path) => path,
                Side::Revision(_) => &global.policy,
            };
            let sources = read_revision(revision, path)?;
            usable(load(sources), &format!("{} at {revision}", path.display()))
        }
    }
}
