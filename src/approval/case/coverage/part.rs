//! The kinds of parts of a policy that cases can exercise, and what is told of them.

use serde::Serialize;

/// What kind of part it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    /// An entry of `services`.
    Service,
    /// An entry of `environments`, of a service or of all.
    Environment,
    /// A requirement: a leaf, or a group of them.
    Requirement,
    /// A condition of a requirement or of a freeze's exception.
    Condition,
    /// A calendar that a rule names.
    Calendar,
    /// A freeze of a rule.
    Freeze,
    /// An override.
    Override,
}

impl PartKind {
    /// Every kind, in the order in which they are told.
    pub const ALL: [Self; 7] = [
        Self::Service,
        Self::Environment,
        Self::Requirement,
        Self::Condition,
        Self::Calendar,
        Self::Freeze,
        Self::Override,
    ];

    /// As it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Environment => "environment",
            Self::Requirement => "requirement",
            Self::Condition => "condition",
            Self::Calendar => "calendar",
            Self::Freeze => "freeze",
            Self::Override => "override",
        }
    }
}

/// How a case can see a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// A decision rests on it.
    Reached,
    /// It was asked for and met.
    Met,
    /// It was asked for and not met.
    Unmet,
    /// It held.
    Held,
    /// It did not hold.
    NotHeld,
    /// The time was inside it.
    Inside,
    /// The time was outside it.
    Outside,
    /// It held a release.
    InForce,
}

impl Way {
    /// As it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reached => "reached",
            Self::Met => "met",
            Self::Unmet => "unmet",
            Self::Held => "held",
            Self::NotHeld => "not_held",
            Self::Inside => "inside",
            Self::Outside => "outside",
            Self::InForce => "in_force",
        }
    }
}

impl PartKind {
    /// The ways in which a case should have seen it.
    pub(super) const fn ways(self) -> &'static [Way] {
        match self {
            Self::Service | Self::Environment => &[Way::Reached],
            Self::Requirement => &[Way::Met, Way::Unmet],
            Self::Condition => &[Way::Held, Way::NotHeld],
            Self::Calendar => &[Way::Inside, Way::Outside],
            Self::Freeze => &[Way::InForce],
            Self::Override => &[Way::Met],
        }
    }
}

/// What was covered, and what was not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// How many of the ways were seen.
    pub covered: usize,
    /// How many there are.
    pub total: usize,
    /// The share in per cent, rounded down: 100 only where nothing is missing.
    pub percent: usize,
    /// The same by kind; kinds that the policy has nothing of are left out.
    pub kinds: Vec<KindReport>,
    /// What no case has seen, in the order of files and lines.
    pub missed: Vec<Missed>,
}

/// What was covered of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KindReport {
    /// Which.
    pub kind: PartKind,
    /// How many of the ways were seen.
    pub covered: usize,
    /// How many there are.
    pub total: usize,
}

/// A part that no case has seen in some way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missed {
    /// What kind of part it is.
    pub kind: PartKind,
    /// What it is called.
    pub name: String,
    /// `file:line`, where it is written.
    pub source: String,
    /// In which ways no case has seen it.
    pub missing: Vec<Way>,
    /// Whether no case has seen it in any way.
    pub untouched: bool,
}
