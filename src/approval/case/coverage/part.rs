//! The kinds of parts of a policy that cases can cover, and the report on them.

use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    /// An entry of `services`.
    Service,
    /// An entry of `environments`, of a service or of all.
    Environment,
    /// A leaf or a group of a requirement.
    Requirement,
    /// A condition of a requirement or of a freeze's exception.
    Condition,
    Calendar,
    Freeze,
    Override,
}

impl PartKind {
    /// In the order of the report.
    pub const ALL: [Self; 7] = [
        Self::Service,
        Self::Environment,
        Self::Requirement,
        Self::Condition,
        Self::Calendar,
        Self::Freeze,
        Self::Override,
    ];

    /// As in JSON.
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
    /// A decision used it.
    Reached,
    /// It applied and was met.
    Met,
    /// It applied and was not met.
    Unmet,
    Held,
    NotHeld,
    Inside,
    Outside,
    /// It held a release.
    InForce,
}

impl Way {
    /// As in JSON.
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
    /// The ways in which a part of this kind should be seen.
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

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// How many ways were seen.
    pub covered: usize,
    /// How many ways there are.
    pub total: usize,
    /// Rounded down: 100 only if nothing is missing.
    pub percent: usize,
    /// Kinds that the policy does not use are left out.
    pub kinds: Vec<KindReport>,
    /// In the order of files and lines.
    pub missed: Vec<Missed>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KindReport {
    pub kind: PartKind,
    /// How many ways were seen.
    pub covered: usize,
    /// How many ways there are.
    pub total: usize,
}

/// A part that no case has seen in some way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missed {
    pub kind: PartKind,
    pub name: String,
    /// `file:line`.
    pub source: String,
    /// The ways in which no case has seen it.
    pub missing: Vec<Way>,
    /// Whether no case has seen it in any way.
    pub untouched: bool,
}
