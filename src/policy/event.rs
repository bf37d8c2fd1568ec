//! What channels can be told of.

use serde::{Deserialize, Serialize};

/// What channels are told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// People are asked.
    Requested,
    /// Those still needed are asked again.
    Reminded,
    /// Others are told, and may stand in.
    Escalated,
    /// Someone with a say has requested changes.
    Blocked,
    /// Released by the people asked.
    Approved,
    /// Ended by changes requested.
    Rejected,
    /// Ended by the deadline.
    Expired,
    /// Ended by a new commit, another base, or closing.
    Superseded,
    /// Ended for want of a rule or a fitting target.
    Denied,
    /// Released past the rule.
    Overridden,
    /// Ended by other means.
    Canceled,
}

impl Event {
    /// Every event, in the order of the language's reference.
    pub const ALL: [Self; 11] = [
        Self::Requested,
        Self::Reminded,
        Self::Escalated,
        Self::Blocked,
        Self::Approved,
        Self::Rejected,
        Self::Expired,
        Self::Superseded,
        Self::Denied,
        Self::Overridden,
        Self::Canceled,
    ];

    /// As it stands in YAML and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Reminded => "reminded",
            Self::Escalated => "escalated",
            Self::Blocked => "blocked",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Superseded => "superseded",
            Self::Denied => "denied",
            Self::Overridden => "overridden",
            Self::Canceled => "canceled",
        }
    }
}
