//! Stores the App's secrets: a command reads them, or they go into files for their owner only. Never prints them.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::adapters::github::conversion::CreatedApp;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

// The files that `--write-secrets` creates.
const KEY_FILE: &str = "private-key.pem";
const SECRET_FILE: &str = "webhook-secret";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A shell command. It reads JSON from stdin: `app_id`, `private_key`, `webhook_secret`.
    Command(String),
    Folder(PathBuf),
}

impl Place {
    /// Checks the place before the App is created, since GitHub hands over the secrets only once.
    ///
    /// Errors unless exactly one place is given, or if a file exists.
    pub(super) fn new(command: Option<&str>, folder: Option<&Path>) -> Result<Self, Failure> {
        match (command, folder) {
            (Some(command), None) => Ok(Self::Command(command.to_owned())),
            (None, Some(folder)) => {
                prepare(folder).map_err(|error| cannot_write(folder, &error))?;
                if let Some(path) = paths(folder).into_iter().find(|path| path.symlink_metadata().is_ok()) {
                    let message = format!("`{}` already exists, and is not overwritten", path.display());
                    return Err(Failure::new("already-there", message).hint("name another folder"));
                }
                Ok(Self::Folder(folder.to_owned()))
            }
            (None, None) => Err(Failure::new("no-place-for-secrets", "there is no place for the App's secrets")
                .hint(
                    "pass them to a command with `--store 'aws secretsmanager put-secret-value --secret-id NAME \
                     --secret-string file:///dev/stdin'`, or write files with `--write-secrets DIR`",
                )
                .exit(Exit::Usage)),
            (Some(_), Some(_)) => {
                let message = "the App's secrets cannot go both to a command and into files";
                Err(Failure::new("usage", message)
                    .hint("keep one of `--store` and `--write-secrets`")
                    .exit(Exit::Usage))
            }
        }
    }

    /// Stores the secrets, and returns a text that says where they are. If it errors, the App exists without them.
    pub(super) fn store(&self, app: &CreatedApp) -> Result<String, Failure> {
        let key = app.private_key.expose();
        let secret = app.webhook_secret.as_ref().map(|secret| secret.expose().as_str());
        let stored = match self {
            Self::Command(command) => {
                let secrets = json!({ "app_id": app.id, "private_key": key, "webhook_secret": secret });
                run(command, secrets.to_string().as_bytes()).map(|()| "the command stored them".to_owned())
            }
            Self::Folder(folder) => {
                let [key_file, secret_file] = paths(folder);
                let key = write_new(&key_file, key);
                let both = key.and_then(|()| secret.map_or(Ok(()), |secret| write_new(&secret_file, secret)));
                both.map(|()| format!("they are in `{}`", folder.display()))
            }
        };
        stored.map_err(|error| {
            let message = format!("the App `{}` was created, but its secrets could not be stored: {error}", app.slug);
            let hint = format!(
                "create a new private key and set a new webhook secret at {}: those from GitHub are lost",
                app.html_url
            );
            Failure::new("secrets-lost", message).hint(hint)
        })
    }
}

fn paths(folder: &Path) -> [PathBuf; 2] {
    [folder.join(KEY_FILE), folder.join(SECRET_FILE)]
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::new("cannot-write", format!("cannot write `{}`: {error}", path.display()))
}

/// Creates the folder if it is missing, for its owner only.
fn prepare(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Writes a new file, for its owner only.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Runs the command with the secrets on its stdin. Its output goes to stderr, since stdout is for the result.
fn run(command: &str, secrets: &[u8]) -> io::Result<()> {
    let shell = if cfg!(windows) { ("cmd", "/C") } else { ("/bin/sh", "-c") };
    let mut child = Command::new(shell.0)
        .args([shell.1, command])
        .stdin(Stdio::piped())
        .stdout(Stdio::from(io::stderr()))
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(secrets)?;
    }
    let status = child.wait()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("the command ended with {status}"))) }
}
