//! `countersign init`: writes a policy to start from, with tests.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::bundle::read_bundle;
use super::exit::Exit;
use super::failure::Failure;
use super::format::{Format, FormatArgs};
use super::terminal;
use crate::render::visible;

const STARTER: [(&str, &str); 2] = [
    ("policy.yaml", include_str!("starter/policy.yaml")),
    ("policy.test.yaml", include_str!("starter/policy.test.yaml")),
];

/// The default of `--policy`.
const USUAL: &str = "policies";

#[derive(Debug, clap::Args)]
pub struct InitArgs {
    /// The folder to write into. Created if it is missing.
    #[arg(value_name = "DIR", default_value = USUAL)]
    pub folder: PathBuf,
    #[command(flatten)]
    pub output: FormatArgs,
}

pub(super) fn run(args: &InitArgs) -> anyhow::Result<Exit> {
    let folder = &args.folder;
    let files = STARTER.map(|(name, text)| (folder.join(name), text));
    refuse_existing(folder, &files)?;
    create_folder(folder).map_err(|error| cannot_write(folder, &error))?;
    for (path, text) in &files {
        write_new(path, text).map_err(|error| cannot_write(path, &error))?;
    }
    let files = files.map(|(path, _)| path.display().to_string());
    let next = next(folder);
    match args.output.format {
        Format::Json => terminal::print_json(&json!({ "schema": 1, "files": files, "next": next }))?,
        Format::Text => terminal::print(&text(&files, &next))?,
    }
    Ok(Exit::Done)
}

/// Errors if a file exists, or if the folder already has a policy: with two `version` keys that would be invalid.
fn refuse_existing(folder: &Path, files: &[(PathBuf, &str)]) -> Result<(), Failure> {
    let refused = |path: &Path, why: &str| {
        let message = format!("`{}` {why}; nothing was written", path.display());
        Failure::new("already-there", message).hint("name another folder: `countersign init DIR`")
    };
    // Also finds a link without a target.
    if let Some((path, _)) = files.iter().find(|(path, _)| path.symlink_metadata().is_ok()) {
        return Err(refused(path, "already exists"));
    }
    if folder.symlink_metadata().is_err() {
        return Ok(());
    }
    if !folder.is_dir() {
        return Err(refused(folder, "is not a folder"));
    }
    match read_bundle(folder).ok().as_deref().and_then(<[_]>::first) {
        Some(source) => Err(refused(&folder.join(&source.name), "already belongs to a policy")),
        None => Ok(()),
    }
}

#[expect(clippy::disallowed_methods, reason = "the command line is the edge at which files are written")]
fn create_folder(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)
}

/// Writes a new file. Never overwrites one, even if it was created in the meantime.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::new("cannot-write", format!("cannot write `{}`: {error}", path.display()))
}

/// The commands to run next.
fn next(folder: &Path) -> Vec<String> {
    let folder = folder.display().to_string();
    let policy = match folder.as_str() {
        USUAL => String::new(),
        plain if !plain.contains(|c: char| c.is_whitespace() || "'\"\\$`!*?&|;<>()[]{}#~".contains(c)) => {
            format!(" --policy {plain}")
        }
        odd => format!(" --policy '{}'", odd.replace('\'', r"'\''")),
    };
    ["check", "test", "explain checkout production", "matrix"]
        .map(|command| format!("countersign {command}{policy}"))
        .to_vec()
}

fn text(files: &[String], next: &[String]) -> String {
    let comments = [
        "is the policy sound?",
        "does it pass its tests?",
        "who must approve, and which line says so?",
        "who must approve what, for all targets",
    ];
    let width = next.iter().map(|command| command.chars().count()).max().unwrap_or(0);
    let mut lines: Vec<String> = files.iter().map(|file| format!("wrote {file}")).collect();
    lines.push(String::new());
    lines.push(
        "Put your own groups, channels and services into the policy, and expectations into the tests. Then run:"
            .to_owned(),
    );
    lines.push(String::new());
    lines.extend(next.iter().zip(comments).map(|(command, comment)| format!("  {command:<width$}  # {comment}")));
    lines.iter().map(|line| visible(line) + "\n").collect()
}
