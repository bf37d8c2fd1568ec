//! The function `sweep`: settles what is due, and completes what was missed.

use std::process::ExitCode;

fn main() -> ExitCode {
    countersign::lambda::run_sweep()
}
