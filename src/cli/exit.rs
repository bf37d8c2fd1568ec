//! The exit codes of the process. The numbers are public: scripts rely on them.

use std::process::ExitCode;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Done = 0,
    /// The command could not do its work, e.g. because a file or a service is missing. Also: `doctor` or `pin --check`
    /// found a problem.
    CouldNotRun = 1,
    /// The arguments are wrong. clap exits with the same number.
    Usage = 2,
    /// The policy has findings that are denied, or cannot be used.
    PolicyInvalid = 3,
    /// A policy test failed, no test ran, or less of the policy is covered than `--min-coverage` requires.
    TestFailed = 4,
    /// `decide --require-approved`, and the verdict is not `approved`.
    NotApproved = 5,
    /// `diff --deny-loosening`, and a target became looser or mixed.
    Loosened = 6,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
