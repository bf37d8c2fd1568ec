//! The command line: parse, dispatch, outcome to exit code. Nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    countersign::cli::main().into()
}
