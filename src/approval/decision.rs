//! What `decide` answers: a verdict, the reasons, and what everyone's review came to.
//!
//! A plain value with a fixed JSON form (docs/decisions.md). Everything that is shown to anyone is made from it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ident::{ChannelName, Login, PolicyDigest, PullRequestRef, ReviewId, Revision, Target};
pub use crate::policy::{Event, Mode};

/// The shape of decisions that this engine writes.
pub const DECISION_SCHEMA: u32 = 1;

/// The answer to one set of facts under one policy. The same facts give the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Always [`DECISION_SCHEMA`].
    pub schema: u32,
    /// The version of the engine that decided.
    pub engine: String,
    /// The answer.
    pub verdict: Verdict,
    /// The answer in one line.
    pub summary: String,
    /// What it is about.
    pub target: Target,
    /// The rule that applied; none where there is none.
    pub rule: Option<RuleRef>,
    /// The policy it was decided under.
    pub policy_digest: PolicyDigest,
    /// The pull request that was weighed.
    pub pull_request: Option<PullRequestRef>,
    /// The commit that is deployed.
    pub revision: Option<Revision>,
    /// The pull request's head.
    pub head: Option<Revision>,
    /// When people were first asked.
    pub requested_at: Option<Timestamp>,
    /// When it expires, once people were asked.
    pub deadline: Option<Timestamp>,
    /// From asking to the deadline, in seconds.
    pub timeout_seconds: Option<u64>,
    /// With the verdict `wait`: when to decide again.
    pub until: Option<Timestamp>,
    /// When it was decided.
    pub evaluated_at: Timestamp,
    /// The earliest instant at which this could change, or something is due, without anyone acting.
    pub next_action: Option<NextAction>,
    /// The requirement, with who met which part of it.
    pub requirement: Option<Part>,
    /// The leaves that lack people.
    pub unmet: Vec<Unmet>,
    /// Whose approvals count, in the order in which they were given.
    pub counts: Vec<Login>,
    /// Every review, and why it counts or does not.
    pub reviews: Vec<ReviewOutcome>,
    /// Why the verdict is what it is.
    pub reasons: Vec<Reason>,
    /// Who set the rule aside, and why.
    #[serde(rename = "override")]
    pub overridden: Option<Overridden>,
    /// Who is to be told.
    pub notify: Option<Notify>,
    /// Whether a refusal stops the deployment.
    pub mode: Mode,
}

/// The engine's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Release.
    Approved,
    /// Keep waiting for approvals.
    Pending,
    /// Keep waiting: someone with a say has requested changes.
    Blocked,
    /// Not now: decide again at `until`.
    Wait,
    /// Changes were requested.
    Rejected,
    /// The deadline came.
    Expired,
    /// Head or base changed, or the pull request was closed unmerged.
    Superseded,
    /// No rule, or the target does not fit it.
    Denied,
}

impl Verdict {
    /// As it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Pending => "pending",
            Self::Blocked => "blocked",
            Self::Wait => "wait",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Superseded => "superseded",
            Self::Denied => "denied",
        }
    }
}

/// Where a rule came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleRef {
    /// The key under `services` that was chosen.
    pub service_selector: String,
    /// The key under `environments` that was chosen, the service's own before the top-level one.
    pub environment_selector: String,
    /// `file:line` of that environment key.
    pub source: String,
}

/// What is due, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextAction {
    /// What.
    pub kind: NextActionKind,
    /// When.
    pub at: Timestamp,
}

/// What can come due without anyone acting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NextActionKind {
    /// Those still needed are told again.
    Remind,
    /// Others are told, and may stand in.
    Escalate,
    /// An approval that counts grows older than `max_age`.
    ApprovalAges,
    /// An override stops counting.
    OverrideEnds,
    /// A calendar that the rule names opens or closes.
    CalendarChanges,
    /// With the verdict `wait`: what holds the release ends.
    Evaluate,
    /// The deadline.
    Expire,
}

impl NextActionKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Remind,
        Self::Escalate,
        Self::ApprovalAges,
        Self::OverrideEnds,
        Self::CalendarChanges,
        Self::Evaluate,
        Self::Expire,
    ];

    /// As it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Remind => "remind",
            Self::Escalate => "escalate",
            Self::ApprovalAges => "approval_ages",
            Self::OverrideEnds => "override_ends",
            Self::CalendarChanges => "calendar_changes",
            Self::Evaluate => "evaluate",
            Self::Expire => "expire",
        }
    }
}

/// A node of the requirement, with how far it is met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Part {
    /// So many people out of some.
    Quorum(Quorum),
    /// Every part.
    AllOf(Group),
    /// One of the parts.
    AnyOf(Group),
    /// Every part, asked one after the other.
    InOrder(Group),
}

impl Part {
    /// Whether it is met.
    #[must_use]
    pub fn met(&self) -> bool {
        match self {
            Self::Quorum(leaf) => leaf.met,
            Self::AllOf(group) | Self::AnyOf(group) | Self::InOrder(group) => group.met,
        }
    }
}

impl Part {
    /// Whether it applies.
    #[must_use]
    pub fn applies(&self) -> Applies {
        match self {
            Self::Quorum(leaf) => leaf.applies,
            Self::AllOf(group) | Self::AnyOf(group) | Self::InOrder(group) => group.applies,
        }
    }
}

/// A leaf of the requirement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quorum {
    /// As the policy has it, e.g. `2 of payments`.
    pub name: String,
    /// How many people it takes.
    pub need: u32,
    /// How many there are.
    pub have: u32,
    /// Whether that is enough.
    pub met: bool,
    /// Whether the leaf's condition holds.
    pub applies: Applies,
    /// `file:line` where it is written.
    pub source: String,
    /// Whose approvals were laid to this leaf.
    pub approved_by: Vec<Login>,
    /// Who could still give one.
    pub can_approve: Vec<Login>,
}

/// An inner node of the requirement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Whether it is met.
    pub met: bool,
    /// Whether its condition holds.
    pub applies: Applies,
    /// Its parts, as written.
    pub parts: Vec<Part>,
}

/// Three-valued: whether a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Applies {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// A fact it needs is not known.
    Unknown,
}

/// A leaf that lacks people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unmet {
    /// As the policy has it.
    pub name: String,
    /// How many people it takes.
    pub need: u32,
    /// How many there are.
    pub have: u32,
    /// Who could still give an approval.
    pub can_approve: Vec<Login>,
    /// Whether people are asked for it now; not so for later steps of an `in_order`.
    pub asked: bool,
    /// Whether there are too few people who could ever approve.
    pub unsatisfiable: bool,
}

/// What a review came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewOutcome {
    /// GitHub's id of it.
    pub id: ReviewId,
    /// Who gave it.
    pub user: Option<Login>,
    /// What it says.
    pub state: super::facts::ReviewState,
    /// What it does.
    pub verdict: ReviewVerdict,
    /// The first reason that applies.
    pub reason: ReviewReason,
    /// The same in words.
    pub text: String,
}

/// What a review does to the decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewVerdict {
    /// It is an approval that counts.
    Counts,
    /// It does nothing.
    Ignored,
    /// It ends the request.
    Rejects,
    /// It holds the request.
    Blocks,
}

/// Why a review counts or does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReviewReason {
    /// Counts toward the requirement.
    Counts,
    /// A comment, or not submitted.
    Comment,
    /// Names other targets, none where one must be named, or does not parse.
    NotNamed,
    /// Its account is gone.
    NoUser,
    /// The same person gave a later one.
    Superseded,
    /// It was dismissed.
    Dismissed,
    /// Given on another commit, or not shown to be given on this one.
    Stale,
    /// By who opened the pull request.
    Author,
    /// By an author or committer of its commits.
    Committer,
    /// By someone who pushed to its branch.
    Pusher,
    /// By who requested the deployment.
    Requester,
    /// Who must be excluded is not fully known.
    ExclusionUnknown,
    /// By an account that is not a person, and not listed.
    Bot,
    /// By someone who is asked for nowhere.
    NotEligible,
    /// Older than `max_age`.
    TooOld,
    /// Requests changes, on the head, by someone with a say.
    ChangesRequested,
    /// Requests changes, on an earlier commit, by someone with a say.
    EarlierChangesRequested,
    /// Requests changes, by someone without a say.
    NoSay,
    /// Requests changes, and the rule ignores that.
    ChangesIgnored,
}

impl ReviewReason {
    /// Every reason, in the order of the documentation.
    pub const ALL: [Self; 19] = [
        Self::Counts,
        Self::Comment,
        Self::NotNamed,
        Self::NoUser,
        Self::Superseded,
        Self::Dismissed,
        Self::Stale,
        Self::Author,
        Self::Committer,
        Self::Pusher,
        Self::Requester,
        Self::ExclusionUnknown,
        Self::Bot,
        Self::NotEligible,
        Self::TooOld,
        Self::ChangesRequested,
        Self::EarlierChangesRequested,
        Self::NoSay,
        Self::ChangesIgnored,
    ];

    /// As it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counts => "counts",
            Self::Comment => "comment",
            Self::NotNamed => "not-named",
            Self::NoUser => "no-user",
            Self::Superseded => "superseded",
            Self::Dismissed => "dismissed",
            Self::Stale => "stale",
            Self::Author => "author",
            Self::Committer => "committer",
            Self::Pusher => "pusher",
            Self::Requester => "requester",
            Self::ExclusionUnknown => "exclusion-unknown",
            Self::Bot => "bot",
            Self::NotEligible => "not-eligible",
            Self::TooOld => "too-old",
            Self::ChangesRequested => "changes-requested",
            Self::EarlierChangesRequested => "earlier-changes-requested",
            Self::NoSay => "no-say",
            Self::ChangesIgnored => "changes-ignored",
        }
    }
}

/// One reason for the verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Which.
    pub code: ReasonCode,
    /// In words.
    pub text: String,
    /// `file:line` of the policy that it rests on.
    pub source: Option<String>,
}

/// Why a verdict is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReasonCode {
    /// The requirement is met.
    RequirementMet,
    /// The rule asks for nobody.
    NothingAsked,
    /// No rule for the target.
    NoRule,
    /// The rule needs a pull request, and there is none.
    PullRequestMissing,
    /// The pull request is not one of the service's repositories.
    WrongRepository,
    /// The pull request does not go into one of the rule's branches.
    WrongBranch,
    /// The revision is neither the head nor the merge commit.
    WrongRevision,
    /// The head is another commit than the one people were asked for.
    HeadChanged,
    /// The base branch was changed after people were asked.
    BaseChanged,
    /// The pull request was closed unmerged.
    Closed,
    /// The deadline came.
    DeadlinePassed,
    /// The rule is below a floor.
    BelowFloor,
    /// No part of the requirement applies.
    NothingRequired,
    /// A calendar of `freeze` is in force.
    Frozen,
    /// No calendar of `window` is open.
    OutOfWindow,
    /// No calendar of `window` opens again.
    WindowOver,
    /// What is approved waits before it is released.
    WaitTimer,
    /// Those who may have set the rule aside.
    Overridden,
    /// Someone with a say has requested changes.
    ChangesRequested,
    /// Changes requested on another pull request for the same commit.
    Vetoed,
    /// A leaf lacks people.
    QuorumUnmet,
    /// A leaf can never be met.
    Unsatisfiable,
    /// Whether a part of the requirement applies is not known.
    ConditionUnknown,
    /// A team could not be read.
    TeamUnreadable,
    /// Who must be excluded is not fully known.
    ExclusionUnknown,
    /// At release: what was approved is approved no longer.
    ApprovalWithdrawn,
    /// At release: only the present policy refuses.
    PolicyChanged,
}

impl ReasonCode {
    /// Every code, in the order of the documentation.
    pub const ALL: [Self; 27] = [
        Self::RequirementMet,
        Self::NothingAsked,
        Self::NoRule,
        Self::PullRequestMissing,
        Self::WrongRepository,
        Self::WrongBranch,
        Self::WrongRevision,
        Self::HeadChanged,
        Self::BaseChanged,
        Self::Closed,
        Self::DeadlinePassed,
        Self::BelowFloor,
        Self::NothingRequired,
        Self::Frozen,
        Self::OutOfWindow,
        Self::WindowOver,
        Self::WaitTimer,
        Self::Overridden,
        Self::ChangesRequested,
        Self::Vetoed,
        Self::QuorumUnmet,
        Self::Unsatisfiable,
        Self::ConditionUnknown,
        Self::TeamUnreadable,
        Self::ExclusionUnknown,
        Self::ApprovalWithdrawn,
        Self::PolicyChanged,
    ];

    /// As it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RequirementMet => "requirement-met",
            Self::NothingAsked => "nothing-asked",
            Self::NoRule => "no-rule",
            Self::PullRequestMissing => "pull-request-missing",
            Self::WrongRepository => "wrong-repository",
            Self::WrongBranch => "wrong-branch",
            Self::WrongRevision => "wrong-revision",
            Self::HeadChanged => "head-changed",
            Self::BaseChanged => "base-changed",
            Self::Closed => "closed",
            Self::DeadlinePassed => "deadline-passed",
            Self::ChangesRequested => "changes-requested",
            Self::Vetoed => "vetoed",
            Self::QuorumUnmet => "quorum-unmet",
            Self::Unsatisfiable => "unsatisfiable",
            Self::BelowFloor => "below-floor",
            Self::NothingRequired => "nothing-required",
            Self::Frozen => "frozen",
            Self::OutOfWindow => "out-of-window",
            Self::WindowOver => "window-over",
            Self::WaitTimer => "wait-timer",
            Self::Overridden => "overridden",
            Self::ConditionUnknown => "condition-unknown",
            Self::TeamUnreadable => "team-unreadable",
            Self::ExclusionUnknown => "exclusion-unknown",
            Self::ApprovalWithdrawn => "approval-withdrawn",
            Self::PolicyChanged => "policy-changed",
        }
    }
}

/// Who set the rule aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overridden {
    /// Whose overrides they are.
    pub by: Vec<Login>,
    /// What they gave as the reason.
    pub reason: String,
}

/// Who is to be told of what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notify {
    /// What happened.
    pub event: Event,
    /// Who hears of it, in the order of their names.
    pub channels: Vec<ChannelName>,
}
