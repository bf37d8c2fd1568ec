//! The two streams of the process: data goes to stdout, everything else to stderr.

use std::io::{self, Write as _};

use anstream::{AutoStream, ColorChoice};

/// Whether stdout takes colour: a terminal, and neither `NO_COLOR` nor `TERM=dumb`.
pub(super) fn stdout_color() -> bool {
    AutoStream::choice(&io::stdout()) != ColorChoice::Never
}

/// Whether stderr takes colour.
pub(super) fn stderr_color() -> bool {
    AutoStream::choice(&io::stderr()) != ColorChoice::Never
}

/// Writes data.
///
/// # Errors
/// What the system says; a reader that went away is one such error, and no panic.
pub(super) fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Writes one JSON document, made to be read by people as well.
///
/// # Errors
/// As [`print`].
pub(super) fn print_json(value: &impl serde::Serialize) -> io::Result<()> {
    let mut text = serde_json::to_string_pretty(value).map_err(io::Error::other)?;
    text.push('\n');
    print(&text)
}

/// Writes what is not data. There is nobody left to tell where that fails.
pub(super) fn tell(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
