//! Why a command could not do its work: what is said on stderr, as JSON on stdout, and with which exit code.

use std::fmt;
use std::io;

use serde_json::{Value, json};

use super::exit::Exit;
use super::terminal;
use crate::render::visible;

/// A command's error with a stable code.
#[derive(Debug)]
pub(super) struct Failure {
    code: &'static str,
    message: String,
    hint: Option<String>,
    exit: Exit,
    details: Option<Box<Details>>,
}

/// What is told beside the message.
#[derive(Debug)]
struct Details {
    /// Before it on stderr, with line feeds, safe to print.
    shown: String,
    /// Keys beside the error in the JSON document.
    beside: Value,
}

impl Failure {
    /// The command could not run.
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, exit: Exit::CouldNotRun, details: None }
    }

    /// Adds what to do about it.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Ends with another exit code.
    pub(super) fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// Adds details: as text before the message, and as keys beside the error in JSON.
    pub(super) fn details(mut self, shown: String, beside: Value) -> Self {
        self.details = Some(Box::new(Details { shown, beside }));
        self
    }

    /// Any error as one with a code.
    pub(super) fn of(error: anyhow::Error) -> Self {
        error.downcast::<Self>().unwrap_or_else(|error| {
            let chain: Vec<String> = error.chain().map(ToString::to_string).collect();
            Self::new("could-not-run", chain.join(": "))
        })
    }

    /// `{"code", "message", "hint"}`.
    pub(super) fn json(&self) -> Value {
        json!({ "code": self.code, "message": self.message, "hint": self.hint })
    }

    /// The document that stands in place of the command's own.
    pub(super) fn document(&self) -> Value {
        let beside = self.details.as_ref().and_then(|details| details.beside.as_object());
        let mut document = beside.cloned().unwrap_or_default();
        document.insert("schema".to_owned(), 1.into());
        document.insert("error".to_owned(), self.json());
        Value::Object(document)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// The exit code of what a command came to; an error is told first.
pub(super) fn conclude(outcome: anyhow::Result<Exit>, json: bool) -> Exit {
    let error = match outcome {
        Ok(exit) => return exit,
        Err(error) => error,
    };
    let is_broken_pipe =
        |cause: &(dyn std::error::Error + 'static)| cause.downcast_ref::<io::Error>().map(io::Error::kind);
    if error.chain().any(|cause| is_broken_pipe(cause) == Some(io::ErrorKind::BrokenPipe)) {
        // Whoever reads has seen enough. Not a success, though: what was to be said was not said.
        return Exit::CouldNotRun;
    }
    let failure = Failure::of(error);
    tell(&failure);
    if json {
        // stderr has it already, and the exit code says it as well.
        let _ = terminal::print_json(&failure.document());
    }
    failure.exit
}

/// Says on stderr what went wrong, and what to do about it.
pub(super) fn tell(failure: &Failure) {
    let (error, hint) = if terminal::stderr_color() {
        ("\u{1b}[1;31merror\u{1b}[0m", "\u{1b}[1;36mhint\u{1b}[0m")
    } else {
        ("error", "hint")
    };
    let mut text = failure.details.as_ref().map(|details| details.shown.clone()).unwrap_or_default();
    text.push_str(&format!("{error}: {}\n", visible(&failure.message)));
    if let Some(said) = &failure.hint {
        text.push_str(&format!("{hint}: {}\n", visible(said)));
    }
    terminal::tell(&text);
}

/// The outcome of arguments that do not parse, or that ask for help or the version.
pub(super) fn usage(error: &clap::Error, json: bool) -> Exit {
    // A terminal that is gone is no reason for another exit code.
    let _ = error.print();
    if !error.use_stderr() {
        return Exit::Done;
    }
    if json {
        let said = error.render().to_string();
        let said: Vec<&str> = said.lines().take_while(|line| !line.trim().is_empty()).map(str::trim).collect();
        let message = said.join(" ").trim_start_matches("error: ").to_owned();
        let failure = Failure::new("usage", message).hint("see `countersign --help`");
        let _ = terminal::print_json(&failure.document());
    }
    Exit::Usage
}
