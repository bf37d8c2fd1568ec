//! The two output streams: data goes to stdout, everything else to stderr.

use std::io::{self, Write as _};

use anstream::{AutoStream, ColorChoice};

/// Whether stdout shows colour: it is a terminal, and neither `NO_COLOR` nor `TERM=dumb` is set.
pub(super) fn stdout_color() -> bool {
    AutoStream::choice(&io::stdout()) != ColorChoice::Never
}

pub(super) fn stderr_color() -> bool {
    AutoStream::choice(&io::stderr()) != ColorChoice::Never
}

/// Writes data to stdout. A closed pipe is an error, not a panic.
pub(super) fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Writes one JSON document to stdout, indented.
pub(super) fn print_json(value: &impl serde::Serialize) -> io::Result<()> {
    let mut text = serde_json::to_string_pretty(value).map_err(io::Error::other)?;
    text.push('\n');
    print(&text)
}

/// Writes to stderr. A failure is ignored, since there is nowhere left to report it.
pub(super) fn eprint(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
