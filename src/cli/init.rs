//! `countersign init`: a policy to start from, with its tests.

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

/// What is written, by name.
const STARTER: [(&str, &str); 2] = [
    ("policy.yaml", include_str!("starter/policy.yaml")),
    ("policy.test.yaml", include_str!("starter/policy.test.yaml")),
];

/// The folder that the other commands look into by themselves.
const USUAL: &str = "policies";

/// The arguments of `init`.
#[derive(Debug, clap::Args)]
pub struct InitArgs {
    /// The folder to write into. It is created where it is not there.
    #[arg(value_name = "DIR", default_value = USUAL)]
    pub folder: PathBuf,
    #[command(flatten)]
    pub output: FormatArgs,
}

pub(super) fn run(args: &InitArgs) -> anyhow::Result<Exit> {
    let folder = &args.folder;
    let files = STARTER.map(|(name, text)| (folder.join(name), text));
    refuse_what_is_there(folder, &files)?;
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

/// Nothing is overwritten, and nothing is added to a policy that is there: its `version` would then stand twice.
fn refuse_what_is_there(folder: &Path, files: &[(PathBuf, &str)]) -> Result<(), Failure> {
    let refused = |path: &Path, why: &str| {
        let message = format!("`{}` {why}, and nothing was written", path.display());
        Failure::new("already-there", message).hint("name another folder: `countersign init DIR`")
    };
    // A link that leads nowhere is there as well.
    if let Some((path, _)) = files.iter().find(|(path, _)| path.symlink_metadata().is_ok()) {
        return Err(refused(path, "is there already"));
    }
    if folder.symlink_metadata().is_err() {
        return Ok(());
    }
    if !folder.is_dir() {
        return Err(refused(folder, "is not a folder"));
    }
    match read_bundle(folder).ok().as_deref().and_then(<[_]>::first) {
        Some(source) => Err(refused(&folder.join(&source.name), "is part of a policy already")),
        None => Ok(()),
    }
}

#[expect(clippy::disallowed_methods, reason = "the command line is the edge at which files are written")]
fn create_folder(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)
}

/// Writes a file that is not there; one that came into being meanwhile is an error and stays as it is.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::new("cannot-write", format!("`{}` cannot be written: {error}", path.display()))
}

/// The commands that come next.
fn next(folder: &Path) -> Vec<String> {
    let shown = folder.display().to_string();
    let policy = match shown.as_str() {
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
    let said = [
        "is the policy sound?",
        "does it do what its tests say?",
        "who must approve, and which line says so?",
        "who approves what, all at once",
    ];
    let width = next.iter().map(|command| command.chars().count()).max().unwrap_or(0);
    let mut lines: Vec<String> = files.iter().map(|file| format!("wrote {file}")).collect();
    lines.push(String::new());
    lines.push(
        "Put your own groups, channels and services into the first, say in the second what must come of them, and:"
            .to_owned(),
    );
    lines.push(String::new());
    lines.extend(next.iter().zip(said).map(|(command, said)| format!("  {command:<width$}  # {said}")));
    lines.iter().map(|line| visible(line) + "\n").collect()
}
