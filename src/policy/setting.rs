//! A rule body as it is kept: the fields that are written, each with its value and its place.
//!
//! A list and not a struct of options: a bundle may have a hundred thousand bodies, and most set two or three fields.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::approver::ApproverRef;
use super::calendar::Calendar;
use super::duration::Duration;
use super::field::{Escalation, Exclusion, Freeze, Mode, NotifyRule, OnChangesRequested, Override};
use super::read::{Place, Sourced};
use super::requirement::Require;

/// Declares the fields of a rule body with their types, so that no list of them is ever short of one.
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
            /// Every field, in the order of the language's reference.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
            /// The keys of a rule body, in the same order.
            pub(crate) const KEYS: &'static [&'static str] = &[$($text,)*];

            /// The key in YAML.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }

        impl Setting {
            /// Which field it sets.
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
    /// What must hold.
    Require(Box<Require>) = "require",
    /// From asking people to the deadline.
    Timeout(Duration) = "timeout",
    /// Whether an approval must name the target.
    Explicit(bool) = "explicit",
    /// After what times those still needed are told again, ascending.
    Remind(Vec<Duration>) = "remind",
    /// What happens where nobody has approved for so long, in the order of time.
    Escalate(Vec<Escalation>) = "escalate",
    /// Whose approvals never count.
    Exclude(Vec<Exclusion>) = "exclude",
    /// Whether one person counts for at most one leaf.
    Distinct(bool) = "distinct",
    /// What "changes requested" by someone with a say does.
    OnChangesRequested(OnChangesRequested) = "on_changes_requested",
    /// Who has a say besides those who are asked.
    Veto(Vec<ApproverRef>) = "veto",
    /// How old an approval may be.
    MaxAge(Duration) = "max_age",
    /// When nothing is released.
    Freeze(Vec<Freeze>) = "freeze",
    /// When alone something is released.
    Window(Vec<Arc<Calendar>>) = "window",
    /// How long what is approved waits before it is released.
    Wait(Duration) = "wait",
    /// Who may set the rule aside.
    Override(Box<Override>) = "override",
    /// Who is told of what.
    Notify(NotifyRule) = "notify",
    /// Whether a refusal stops the deployment.
    Mode(Mode) = "mode",
}

impl Field {
    /// How many fields there are.
    pub(super) const COUNT: usize = Self::ALL.len();

    /// Its place in [`Self::ALL`].
    pub(super) const fn index(self) -> usize {
        self as usize
    }
}

/// One layer of a rule: what it does not say comes from the layer below.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RuleBody(Vec<Sourced<Setting>>);

impl RuleBody {
    pub(super) const fn new(settings: Vec<Sourced<Setting>>) -> Self {
        Self(settings)
    }

    /// What it sets, in the order of the language's reference.
    pub fn settings(&self) -> impl Iterator<Item = &Sourced<Setting>> {
        self.0.iter()
    }

    /// What it says of a field.
    #[must_use]
    pub fn get(&self, field: Field) -> Option<&Sourced<Setting>> {
        self.0.iter().find(|setting| setting.value.field() == field)
    }

    /// The value that it sets a field to.
    #[must_use]
    pub fn value(&self, field: Field) -> Option<&Setting> {
        self.get(field).map(|setting| &setting.value)
    }

    /// Where it sets a field.
    #[must_use]
    pub fn place(&self, field: Field) -> Option<&Place> {
        self.get(field).map(|setting| &setting.source)
    }

    /// What it says must hold.
    #[must_use]
    pub fn require(&self) -> Option<&Require> {
        self.0
            .iter()
            .find_map(|setting| if let Setting::Require(require) = &setting.value { Some(&**require) } else { None })
    }
}
