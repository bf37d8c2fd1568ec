//! The levels of lints that a command was given: `--deny`, `--warn` and `--allow`.
//!
//! A refusal is not a lint, and no level lowers it: a broken policy stays broken.

use std::collections::BTreeMap;

use super::{Code, Finding, Findings, Severity};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Report it as an error.
    Deny,
    /// Report it as a warning.
    Warn,
    /// Do not report it.
    Allow,
}

/// The lints whose level is not the default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Levels(BTreeMap<Code, Level>);

/// A code whose level cannot be set, because it is a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a lint: a policy that has it cannot be used, at any level", .0.as_str())]
pub struct NotALint(pub Code);

impl Levels {
    /// Sets the level of a lint and returns the one that was set before.
    ///
    /// # Errors
    /// [`NotALint`] if the code is a refusal; then nothing is set.
    pub fn set(&mut self, code: Code, level: Level) -> Result<Option<Level>, NotALint> {
        match code.lint() {
            Some(_) => Ok(self.0.insert(code, level)),
            None => Err(NotALint(code)),
        }
    }

    /// The severity under these levels. `None` if the lint is allowed.
    #[must_use]
    pub fn severity(&self, code: Code) -> Option<Severity> {
        match self.0.get(&code) {
            Some(Level::Deny) => Some(Severity::Error),
            Some(Level::Warn) => Some(Severity::Warning),
            Some(Level::Allow) => None,
            None => Some(code.severity()),
        }
    }

    /// The findings with these levels applied.
    #[must_use]
    pub fn applied(&self, findings: Findings) -> Findings {
        let take = |finding: Finding| match self.0.get(&finding.code) {
            Some(_) => self.severity(finding.code).map(|severity| Finding { severity, ..finding }),
            None => Some(finding),
        };
        findings.into_iter().filter_map(take).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Level, Levels, NotALint};
    use crate::finding::{Code, Finding, Findings, Severity};

    #[test]
    fn a_lint_has_the_level_that_was_set_and_the_others_their_default() {
        let mut levels = Levels::default();
        assert_eq!(levels.set(Code::UnusedGroup, Level::Deny), Ok(None));
        assert_eq!(levels.set(Code::UnusedChannel, Level::Allow), Ok(None));
        assert_eq!(levels.set(Code::SoleApprover, Level::Warn), Ok(None));
        let codes = [Code::UnusedGroup, Code::UnusedChannel, Code::SoleApprover, Code::DistinctOff];
        let findings: Findings = codes.iter().map(|code| Finding::of_bundle(*code, "")).collect();
        let taken: Vec<_> = levels.applied(findings).iter().map(|found| (found.code, found.severity())).collect();
        let expected = [
            (Code::UnusedGroup, Severity::Error),
            (Code::SoleApprover, Severity::Warning),
            (Code::DistinctOff, Severity::Warning),
        ];
        assert_eq!(taken, expected);
    }

    #[test]
    fn a_refusal_has_no_level() {
        for code in Code::ALL.iter().filter(|code| code.lint().is_none()) {
            assert_eq!(Levels::default().set(*code, Level::Allow), Err(NotALint(*code)));
            assert_eq!(Levels::default().severity(*code), Some(Severity::Error));
        }
    }
}
