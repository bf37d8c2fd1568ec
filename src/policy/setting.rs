//! A rule body: the fields that are written in it, each with its value and its place.
//!
//! It is a list and not a struct of options, since a bundle may have 100,000 bodies and most set two or three fields.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::approver::ApproverRef;
use super::calendar::Calendar;
use super::duration::Duration;
use super::field::{Escalation, Exclusion, Freeze, Mode, NotifyRule, OnChangesRequested, Override};
use super::read::{Place, Sourced};
use super::requirement::Require;

/// Declares the fields of a rule body with their types, so that every list of them is complete.
macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident($type:ty) = $text:literal,)*) => {
        /// A field of a rule body with its value.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Setting {
            $($(#[$doc])* $name($type),)*
        }

        /// A field of a rule body.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Field {
            $($(#[$doc])* $name,)*
        }

        impl Field {
            /// In the order of the reference.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
            /// The keys of a rule body, in the same order.
            pub(crate) const KEYS: &'static [&'static str] = &[$($text,)*];
            /// The keys of `defaults`: two fields of services, and those of a rule body.
            pub(crate) const DEFAULTS_KEYS: &'static [&'static str] = &["repository", "branches", $($text,)*];

            /// The key in YAML.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }

        impl Setting {
            /// The field that it sets.
            #[must_use]
            pub const fn field(&self) -> Field {
                match self {
                    $(Self::$name(_) => Field::$name,)*
                }
            }
        }
    };
}

fields! {
    Require(Box<Require>) = "require",
    /// The time from when the request is opened to its deadline.
    Timeout(Duration) = "timeout",
    /// Whether an approval must name the target.
    Explicit(bool) = "explicit",
    /// When the approvers who are still needed are reminded, ascending. Counts from when the request is opened.
    Remind(Vec<Duration>) = "remind",
    /// What happens if the requirement is not met after some time, in the order of time.
    Escalate(Vec<Escalation>) = "escalate",
    /// Whose approvals do not count.
    Exclude(Vec<Exclusion>) = "exclude",
    /// Whether one person counts for at most one leaf.
    Distinct(bool) = "distinct",
    /// What happens if someone who may request changes does so.
    OnChangesRequested(OnChangesRequested) = "on_changes_requested",
    /// Who may request changes, besides the eligible approvers.
    Veto(Vec<ApproverRef>) = "veto",
    /// How old an approval may be.
    MaxAge(Duration) = "max_age",
    /// When nothing is released.
    Freeze(Vec<Freeze>) = "freeze",
    /// The only times at which something is released.
    Window(Vec<Arc<Calendar>>) = "window",
    /// The time from the approval to the release.
    Wait(Duration) = "wait",
    /// Who may release without the rule.
    Override(Box<Override>) = "override",
    /// Which channels are notified of which events.
    Notify(NotifyRule) = "notify",
    /// Whether a refusal stops the deployment.
    Mode(Mode) = "mode",
}

impl Field {
    pub(super) const COUNT: usize = Self::ALL.len();

    /// Its place in [`Self::ALL`].
    pub(super) const fn index(self) -> usize {
        self as usize
    }
}

/// One layer of a rule. A field that it does not set comes from the layer below.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RuleBody(Vec<Sourced<Setting>>);

impl RuleBody {
    pub(super) const fn new(settings: Vec<Sourced<Setting>>) -> Self {
        Self(settings)
    }

    /// In the order of the reference.
    pub fn settings(&self) -> impl Iterator<Item = &Sourced<Setting>> {
        self.0.iter()
    }

    #[must_use]
    pub fn get(&self, field: Field) -> Option<&Sourced<Setting>> {
        self.0.iter().find(|setting| setting.value.field() == field)
    }

    #[must_use]
    pub fn value(&self, field: Field) -> Option<&Setting> {
        self.get(field).map(|setting| &setting.value)
    }

    #[must_use]
    pub fn place(&self, field: Field) -> Option<&Place> {
        self.get(field).map(|setting| &setting.source)
    }

    #[must_use]
    pub fn require(&self) -> Option<&Require> {
        self.0
            .iter()
            .find_map(|setting| if let Setting::Require(require) = &setting.value { Some(&**require) } else { None })
    }
}
