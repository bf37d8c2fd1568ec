//! The function `sweep`: what is due, and what was missed.

use std::process::ExitCode;

fn main() -> ExitCode {
    countersign::lambda::run_sweep()
}
