//! How a command was told to take lints: which are denied, warned of or passed over.
//!
//! What refuses a policy is no lint, and no level lowers it: a broken policy stays broken.

use std::collections::BTreeMap;

use super::{Code, Finding, Findings, Severity};

/// How a lint is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// As an error.
    Deny,
    /// As a warning.
    Warn,
    /// Not at all.
    Allow,
}

/// The lints that are taken otherwise than by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Levels(BTreeMap<Code, Level>);

/// A code whose level cannot be set, since no policy comes of a bundle that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no lint: a policy that has it cannot be used, at any level", .0.as_str())]
pub struct NotALint(pub Code);

impl Levels {
    /// Takes a lint so from now on, and says how it was taken if that was set before.
    ///
    /// # Errors
    /// [`NotALint`]: nothing is set.
    pub fn set(&mut self, code: Code, level: Level) -> Result<Option<Level>, NotALint> {
        match code.lint() {
            Some(_) => Ok(self.0.insert(code, level)),
            None => Err(NotALint(code)),
        }
    }

    /// How bad a problem of this kind is; none: it is passed over.
    #[must_use]
    pub fn severity(&self, code: Code) -> Option<Severity> {
        match self.0.get(&code) {
            Some(Level::Deny) => Some(Severity::Error),
            Some(Level::Warn) => Some(Severity::Warning),
            Some(Level::Allow) => None,
            None => Some(code.severity()),
        }
    }

    /// The findings as these levels take them.
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
    fn a_lint_is_taken_as_it_is_told_and_others_as_they_are() {
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
    fn what_refuses_a_policy_has_no_level() {
        for code in Code::ALL.iter().filter(|code| code.lint().is_none()) {
            assert_eq!(Levels::default().set(*code, Level::Allow), Err(NotALint(*code)));
            assert_eq!(Levels::default().severity(*code), Some(Severity::Error));
        }
    }
}
