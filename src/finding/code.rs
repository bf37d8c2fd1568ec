//! The kinds of problems, each with a stable code. `docs/findings.md` explains them one by one.
//!
//! Knows what each is and how bad it is by itself, and not how a command was told to take it.

use serde::{Serialize, Serializer};

use super::Severity;

/// Declares the codes with their text, so that the list of all is never short of one. What stands behind `=>` is the
/// severity of a lint: a code without one refuses the policy.
macro_rules! codes {
    ($(#[doc = $doc:literal] $name:ident = $text:literal $(=> $severity:ident)?,)*) => {
        /// The kind of a problem.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $doc] $name,)*
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

            /// What it is about, in one sentence.
            #[must_use]
            pub const fn summary(self) -> &'static str {
                match self {
                    $(Self::$name => $doc.trim_ascii(),)*
                }
            }

            /// How bad a lint of this kind is where nobody says otherwise; none: no lint, and no policy with it.
            #[must_use]
            pub const fn lint(self) -> Option<Severity> {
                match self {
                    $(Self::$name => codes!(@lint $($severity)?),)*
                }
            }
        }
    };
    (@lint $severity:ident) => { Some(Severity::$severity) };
    (@lint) => { None };
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
    /// A waiver does not say why, and waives nothing.
    WaiverWithoutReason = "waiver-without-reason" => Error,
    /// A waiver that cannot be read, or names what cannot be waived.
    InvalidWaiver = "invalid-waiver" => Error,
    /// A waiver with nothing to waive.
    UnusedWaiver = "unused-waiver" => Warning,
    /// A group that nothing uses.
    UnusedGroup = "unused-group" => Warning,
    /// A channel that nothing tells.
    UnusedChannel = "unused-channel" => Warning,
    /// A calendar that nothing uses.
    UnusedCalendar = "unused-calendar" => Warning,
    /// A channel that reaches nobody.
    ChannelWithoutSubscriber = "channel-without-subscriber" => Warning,
    /// A calendar that no instant is inside of.
    CalendarNeverOpens = "calendar-never-opens" => Warning,
    /// A calendar that every instant is inside of.
    CalendarAlwaysOpen = "calendar-always-open" => Warning,
    /// A calendar that is past for good.
    CalendarOver = "calendar-over" => Warning,
    /// A pattern that no name can match, so that its rule is never reached.
    UnreachableRule = "unreachable-rule" => Warning,
    /// A pattern all of whose names an earlier one takes.
    ShadowedPattern = "shadowed-pattern" => Warning,
    /// `require: none` for every name that a pattern matches.
    NoneByPattern = "none-by-pattern" => Warning,
    /// `require: none` for an environment that is called like production.
    NoneInProduction = "none-in-production" => Warning,
    /// People are asked, and nobody is told of it.
    NobodyNotified = "nobody-notified" => Note,
    /// One person may count for several parts of a requirement.
    DistinctOff = "distinct-off" => Warning,
    /// Whoever commits to a pull request may approve it.
    CommittersCounted = "committers-counted" => Note,
    /// Nobody's approval is set aside, not even an author's.
    NobodyExcluded = "nobody-excluded" => Warning,
    /// `mode: audit`, which stops nothing.
    Audit = "audit" => Warning,
    /// A rule is looser where somebody says so who approves nothing.
    WeakCondition = "weak-condition" => Warning,
    /// A `require` all of which conditions may leave out, so that the request is denied.
    MayRequireNothing = "may-require-nothing" => Note,
    /// A requirement that the listed people can never meet together.
    QuorumUnmeetable = "quorum-unmeetable" => Warning,
    /// A requirement that cannot be met whenever one of its people is excluded.
    QuorumWithoutReserve = "quorum-without-reserve" => Warning,
    /// A requirement that waits for one person, and for nobody else.
    SoleApprover = "sole-approver" => Note,
    /// Somebody stands in for a group that is never asked.
    StandInUnused = "stand-in-unused" => Warning,
    /// An override that takes no more than the rule that it sets aside.
    OverrideAsWeakAsTheRule = "override-as-weak-as-the-rule" => Note,
    /// Freeze and window leave no time to release anything.
    NoTimeLeft = "no-time-left" => Warning,
    /// A freeze that denies and lasts longer than people have to approve.
    TimeoutInFreeze = "timeout-in-freeze" => Note,
}

impl Code {
    /// How bad a problem of this kind is where nobody says otherwise.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self.lint() {
            Some(severity) => severity,
            None => Severity::Error,
        }
    }

    /// The code that is printed so.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
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
