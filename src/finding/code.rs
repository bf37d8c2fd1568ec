//! The kinds of problems, each with a stable code and a default severity. `docs/findings.md` explains each.

use serde::{Serialize, Serializer};

use super::Severity;

/// Declares the codes with their texts and lists them all. `=> Severity` makes a code a lint; a code without it refuses
/// the policy.
macro_rules! codes {
    ($(#[doc = $doc:literal] $name:ident = $text:literal $(=> $severity:ident)?,)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $doc] $name,)*
        }

        impl Code {
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// The summary in SARIF, in one sentence.
            #[must_use]
            pub const fn summary(self) -> &'static str {
                match self {
                    $(Self::$name => $doc.trim_ascii(),)*
                }
            }

            /// The default severity of a lint. `None` if the code is a refusal.
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
    /// The folder holds no policy file.
    EmptyBundle = "empty-bundle",
    /// A file cannot be read.
    UnreadableFile = "unreadable-file",
    /// A file or the bundle is larger than allowed.
    TooLarge = "too-large",
    /// There are more problems than are reported.
    TooManyFindings = "too-many-findings",
    /// A file is not UTF-8 text.
    NotUtf8 = "not-utf8",
    /// A file is not YAML, or uses YAML that policies do not have.
    YamlSyntax = "yaml-syntax",
    /// A file nests, repeats or expands beyond what any policy needs.
    YamlLimit = "yaml-limit",
    /// A key is written twice in one mapping.
    DuplicateKey = "duplicate-key",
    /// A name is defined twice at one level, whatever its case.
    DuplicateName = "duplicate-name",
    /// A key does not exist at this place.
    UnknownKey = "unknown-key",
    /// A required key is missing.
    MissingKey = "missing-key",
    /// A value has the wrong type.
    WrongType = "wrong-type",
    /// The key does not allow this value.
    InvalidValue = "invalid-value",
    /// A text is not a duration, or is out of bounds.
    InvalidDuration = "invalid-duration",
    /// A text is not a valid name.
    InvalidName = "invalid-name",
    /// A glob, a regular expression or a path cannot be used.
    InvalidPattern = "invalid-pattern",
    /// A text does not name an approver.
    InvalidApprover = "invalid-approver",
    /// A requirement cannot be read.
    InvalidRequirement = "invalid-requirement",
    /// A time, a day, a date or a time zone of a calendar cannot be used.
    InvalidCalendar = "invalid-calendar",
    /// A list or a mapping that must not be empty is empty.
    EmptyList = "empty-list",
    /// A name is not defined in any file of the bundle.
    UnknownName = "unknown-name",
    /// An account or a group cannot be used here.
    UnusableRef = "unusable-ref",
    /// A requirement needs more people than it lists.
    CountTooHigh = "count-too-high",
    /// A requirement or a condition has too many parts.
    TooComplex = "too-complex",
    /// `version` is missing, is not `1`, or stands in two files.
    Version = "version",
    /// A rule has no `require`.
    RequirementMissing = "requirement-missing",
    /// A service needs approvals, and no repository is named for it.
    RepositoryMissing = "repository-missing",
    /// `require: none` stands where a misspelt name would reach it.
    NoneForAll = "none-for-all",
    /// A rule falls below a floor.
    BelowFloor = "below-floor",
    /// A reminder or an escalation is due at the deadline or after it.
    AfterDeadline = "after-deadline",
    /// Overlapping patterns stand in different files, so file names would decide their order.
    PatternOrder = "pattern-order",
    /// A waiver gives no reason, and waives nothing.
    WaiverWithoutReason = "waiver-without-reason" => Error,
    /// A waiver cannot be read, or names something that cannot be waived.
    InvalidWaiver = "invalid-waiver" => Error,
    /// A waiver has nothing to waive.
    UnusedWaiver = "unused-waiver" => Warning,
    /// Nothing uses a group.
    UnusedGroup = "unused-group" => Warning,
    /// No `notify` names a channel.
    UnusedChannel = "unused-channel" => Warning,
    /// Nothing uses a calendar.
    UnusedCalendar = "unused-calendar" => Warning,
    /// A channel reaches nobody.
    ChannelWithoutSubscriber = "channel-without-subscriber" => Warning,
    /// No moment is inside a calendar.
    CalendarNeverOpens = "calendar-never-opens" => Warning,
    /// Every moment is inside a calendar.
    CalendarAlwaysOpen = "calendar-always-open" => Warning,
    /// All dates of a calendar are past.
    CalendarOver = "calendar-over" => Warning,
    /// No name can match a pattern, so its rule never applies.
    UnreachableRule = "unreachable-rule" => Warning,
    /// An earlier pattern matches every name that a pattern matches.
    ShadowedPattern = "shadowed-pattern" => Warning,
    /// `require: none` stands under a pattern.
    NoneByPattern = "none-by-pattern" => Warning,
    /// `require: none` stands in an environment whose name suggests production.
    NoneInProduction = "none-in-production" => Warning,
    /// A rule needs approvals, and no channel is notified of requests.
    NobodyNotified = "nobody-notified" => Note,
    /// One person can count for several parts of a requirement.
    DistinctOff = "distinct-off" => Warning,
    /// Anyone who commits to a pull request can also approve it.
    CommittersCounted = "committers-counted" => Note,
    /// Nobody is excluded: authors can approve their own changes.
    NobodyExcluded = "nobody-excluded" => Warning,
    /// Users are listed without a numeric id.
    UnpinnedLogin = "unpinned-login" => Note,
    /// `mode: audit` stops nothing.
    Audit = "audit" => Warning,
    /// People who approve nothing can make a rule looser.
    WeakCondition = "weak-condition" => Warning,
    /// Conditions can leave nothing to approve, and such a request is denied.
    MayRequireNothing = "may-require-nothing" => Note,
    /// The people whom a requirement lists can never meet it together.
    QuorumUnmeetable = "quorum-unmeetable" => Warning,
    /// A requirement cannot be met if one of its people is excluded.
    QuorumWithoutReserve = "quorum-without-reserve" => Warning,
    /// Only one person can meet a part of a requirement.
    SoleApprover = "sole-approver" => Note,
    /// Stand-ins are named for a group, and no requirement can use them.
    StandInUnused = "stand-in-unused" => Warning,
    /// An override needs no more people than the rule that it sets aside, and no others.
    OverrideAsWeakAsTheRule = "override-as-weak-as-the-rule" => Note,
    /// A freeze and a window leave no time to release anything.
    NoTimeLeft = "no-time-left" => Warning,
    /// A freeze that denies lasts longer than people have to approve.
    TimeoutInFreeze = "timeout-in-freeze" => Note,
}

impl Code {
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self.lint() {
            Some(severity) => severity,
            None => Severity::Error,
        }
    }

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
