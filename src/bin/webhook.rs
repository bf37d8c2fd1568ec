//! The function `webhook`: GitHub's deliveries.

use std::process::ExitCode;

fn main() -> ExitCode {
    countersign::lambda::run_webhook()
}
