//! The kinds of problems, each with a stable code. `docs/findings.md` explains them one by one.

use serde::{Serialize, Serializer};

use super::Severity;

/// Declares the codes with their text, so that the list of all is never short of one.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// The kind of a problem.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// As it is printed.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

codes! {
    /// There is no policy file.
    EmptyBundle = "empty-bundle",
    /// A file cannot be read.
    UnreadableFile = "unreadable-file",
    /// A file is larger than any policy needs to be.
    TooLarge = "too-large",
    /// There are more problems than are told.
    TooManyFindings = "too-many-findings",
    /// A file is not UTF-8 text.
    NotUtf8 = "not-utf8",
    /// A file is not YAML.
    YamlSyntax = "yaml-syntax",
    /// A file nests, repeats or expands beyond what any policy needs.
    YamlLimit = "yaml-limit",
    /// A key stands twice in one mapping.
    DuplicateKey = "duplicate-key",
    /// A name is defined twice at one level.
    DuplicateName = "duplicate-name",
    /// A key that the language does not have.
    UnknownKey = "unknown-key",
    /// A key that the language has and this version does not build yet.
    NotSupportedYet = "not-supported-yet",
    /// A required key is not there.
    MissingKey = "missing-key",
    /// A value of another type than the key takes.
    WrongType = "wrong-type",
    /// A value that the key does not take.
    InvalidValue = "invalid-value",
    /// A text that is no duration, or one out of bounds.
    InvalidDuration = "invalid-duration",
    /// A text that is no name.
    InvalidName = "invalid-name",
    /// A glob or regular expression that cannot be used.
    InvalidPattern = "invalid-pattern",
    /// A text that names no approver.
    InvalidApprover = "invalid-approver",
    /// A requirement that cannot be read.
    InvalidRequirement = "invalid-requirement",
    /// A time, day or zone of a calendar that cannot be used.
    InvalidCalendar = "invalid-calendar",
    /// A list or group that must hold something holds nothing.
    EmptyList = "empty-list",
    /// A name that is defined nowhere.
    UnknownName = "unknown-name",
    /// An account that can never be an approver, or a use that cannot be.
    UnusableRef = "unusable-ref",
    /// More people are asked for than there are.
    CountTooHigh = "count-too-high",
    /// A requirement with too many leaves or levels.
    TooComplex = "too-complex",
    /// `version` is missing, unknown, or stands twice.
    Version = "version",
    /// A rule without `require`.
    RequirementMissing = "requirement-missing",
    /// A service that needs approvals and lives nowhere.
    RepositoryMissing = "repository-missing",
    /// `require: none` where a misspelt name would reach it.
    NoneForAll = "none-for-all",
    /// A rule that is below a floor.
    BelowFloor = "below-floor",
    /// A reminder or an escalation that would come after the deadline.
    AfterDeadline = "after-deadline",
    /// Overlapping patterns whose order would depend on file names.
    PatternOrder = "pattern-order",
}

impl Code {
    /// How bad a problem of this kind is.
    #[must_use]
    pub const fn severity(self) -> Severity {
        Severity::Error
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn every_code_is_unique_and_in_kebab_case() {
        let mut texts: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert!(texts.iter().all(|text| text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-' || b == b'8')));
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), Code::ALL.len());
    }
}
