//! The function `gate`: the steps of the state machine.

use std::process::ExitCode;

fn main() -> ExitCode {
    countersign::lambda::run_gate()
}
