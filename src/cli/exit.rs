//! What the process ends with. The numbers are public: scripts rely on them.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It did what was asked.
    Done = 0,
    /// It could not run: a file or a service is missing, say.
    CouldNotRun = 1,
    /// It was called wrongly. clap ends with the same number by itself.
    Usage = 2,
    /// The policy has findings that are denied, or cannot be used.
    PolicyInvalid = 3,
    /// A policy test failed, or there were none.
    TestFailed = 4,
    /// `decide --require-approved`, and the verdict is another.
    NotApproved = 5,
    /// `diff --deny-loosening`, and something became looser or mixed.
    Loosened = 6,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
