//! Errors of commands: the text for stderr, the JSON for stdout, and the exit code.

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

#[derive(Debug)]
struct Details {
    /// Printed before the message on stderr. Has line feeds, and is safe to print.
    text: String,
    /// Further keys of the JSON document.
    keys: Value,
}

impl Failure {
    /// A failure with the exit code [`Exit::CouldNotRun`].
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, exit: Exit::CouldNotRun, details: None }
    }

    /// Adds a hint: what to do about it.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// Adds details: text before the message, and further keys of the JSON document.
    pub(super) fn details(mut self, text: String, keys: Value) -> Self {
        self.details = Some(Box::new(Details { text, keys }));
        self
    }

    /// Converts any error. Without a code of its own it gets `could-not-run`.
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

    /// The document that is printed instead of the command's own.
    pub(super) fn document(&self) -> Value {
        let keys = self.details.as_ref().and_then(|details| details.keys.as_object());
        let mut document = keys.cloned().unwrap_or_default();
        document.insert("schema".to_owned(), 1.into());
        document.insert("error".to_owned(), self.json());
        Value::Object(document)
    }

    /// Prints the message and the hint to stderr.
    pub(super) fn report(&self) {
        let (error, hint) = if terminal::stderr_color() {
            ("\u{1b}[1;31merror\u{1b}[0m", "\u{1b}[1;36mhint\u{1b}[0m")
        } else {
            ("error", "hint")
        };
        let mut text = self.details.as_ref().map(|details| details.text.clone()).unwrap_or_default();
        text.push_str(&format!("{error}: {}\n", visible(&self.message)));
        if let Some(what_to_do) = &self.hint {
            text.push_str(&format!("{hint}: {}\n", visible(what_to_do)));
        }
        terminal::eprint(&text);
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Reports a command's error, if it has one, and returns the exit code.
pub(super) fn conclude(outcome: anyhow::Result<Exit>, json: bool) -> Exit {
    let error = match outcome {
        Ok(exit) => return exit,
        Err(error) => error,
    };
    let is_broken_pipe =
        |cause: &(dyn std::error::Error + 'static)| cause.downcast_ref::<io::Error>().map(io::Error::kind);
    if error.chain().any(|cause| is_broken_pipe(cause) == Some(io::ErrorKind::BrokenPipe)) {
        // The reader has closed the pipe. That is no success, since the output is incomplete.
        return Exit::CouldNotRun;
    }
    let failure = Failure::of(error);
    failure.report();
    if json {
        // If this fails, stderr and the exit code still show the error.
        let _ = terminal::print_json(&failure.document());
    }
    failure.exit
}

/// Prints the error of arguments that do not parse, or the help or version that they request.
pub(super) fn usage(error: &clap::Error, json: bool) -> Exit {
    // A closed terminal does not change the exit code.
    let _ = error.print();
    if !error.use_stderr() {
        return Exit::Done;
    }
    if json {
        let text = error.render().to_string();
        let lines: Vec<&str> = text.lines().take_while(|line| !line.trim().is_empty()).map(str::trim).collect();
        let message = lines.join(" ").trim_start_matches("error: ").to_owned();
        let failure = Failure::new("usage", message).hint("see `countersign --help`");
        let _ = terminal::print_json(&failure.document());
    }
    Exit::Usage
}
