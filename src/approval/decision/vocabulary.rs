//! The closed vocabularies of a decision: why, and what is next. Each word stands once.

use serde::{Deserialize, Serialize};

/// Declares an enum whose values are words in JSON, so that the list of all and the words are never short of one.
macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$word_doc])* #[serde(rename = $text)] $word,)*
        }

        impl $name {
            /// Every one, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$word,)*];

            /// As it stands in JSON.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$word => $text,)*
                }
            }
        }
    };
}

vocabulary! {
    /// What can come due without anyone acting.
    NextActionKind {
        /// Those still needed are told again.
        Remind = "remind",
        /// Others are told, and may stand in.
        Escalate = "escalate",
        /// An approval that counts grows older than `max_age`.
        ApprovalAges = "approval_ages",
        /// An override stops counting.
        OverrideEnds = "override_ends",
        /// A calendar that the rule names opens or closes.
        CalendarChanges = "calendar_changes",
        /// With the verdict `wait`: what holds the release ends.
        Evaluate = "evaluate",
        /// The deadline.
        Expire = "expire",
    }
}

vocabulary! {
    /// Cause a review counts or does not.
    ReviewReason {
        /// Counts toward the requirement.
        Counts = "counts",
        /// A comment, or not submitted.
        Comment = "comment",
        /// Names other targets, none where one must be named, or does not parse.
        NotNamed = "not-named",
        /// Its account is gone.
        NoUser = "no-user",
        /// The same person gave a later one.
        Superseded = "superseded",
        /// It was dismissed.
        Dismissed = "dismissed",
        /// Given on another commit, or not shown to be given on this one.
        Stale = "stale",
        /// By who opened the pull request.
        Author = "author",
        /// By an author or committer of its commits.
        Committer = "committer",
        /// By someone who pushed to its branch.
        Pusher = "pusher",
        /// By who requested the deployment.
        Requester = "requester",
        /// Who must be excluded is not fully known.
        ExclusionUnknown = "exclusion-unknown",
        /// By an account that is not a person, and not listed.
        Bot = "bot",
        /// By someone who is asked for nowhere.
        NotEligible = "not-eligible",
        /// Older than `max_age`.
        TooOld = "too-old",
        /// Requests changes, on the head, by someone with a say.
        ChangesRequested = "changes-requested",
        /// Requests changes, on an earlier commit, by someone with a say.
        EarlierChangesRequested = "earlier-changes-requested",
        /// Requests changes, by someone without a say.
        NoSay = "no-say",
        /// Requests changes, and the rule ignores that.
        ChangesIgnored = "changes-ignored",
    }
}

vocabulary! {
    /// Cause a verdict is what it is.
    ReasonCode {
        /// The requirement is met.
        RequirementMet = "requirement-met",
        /// The rule asks for nobody.
        NothingAsked = "nothing-asked",
        /// No rule for the target.
        NoRule = "no-rule",
        /// The rule needs a pull request, and there is none.
        PullRequestMissing = "pull-request-missing",
        /// The pull request is not one of the service's repositories.
        WrongRepository = "wrong-repository",
        /// The pull request does not go into one of the rule's branches.
        WrongBranch = "wrong-branch",
        /// The revision is neither the head nor the merge commit.
        WrongRevision = "wrong-revision",
        /// The head is another commit than the one people were asked for.
        HeadChanged = "head-changed",
        /// The base branch was changed after people were asked.
        BaseChanged = "base-changed",
        /// The pull request was closed unmerged.
        Closed = "closed",
        /// The deadline came.
        DeadlinePassed = "deadline-passed",
        /// The rule is below a floor.
        BelowFloor = "below-floor",
        /// No part of the requirement applies.
        NothingRequired = "nothing-required",
        /// A calendar of `freeze` is in force.
        Frozen = "frozen",
        /// No calendar of `window` is open.
        OutOfWindow = "out-of-window",
        /// No calendar of `window` opens again.
        WindowOver = "window-over",
        /// What is approved waits before it is released.
        WaitTimer = "wait-timer",
        /// Those who may have set the rule aside.
        Overridden = "overridden",
        /// Someone with a say has requested changes.
        ChangesRequested = "changes-requested",
        /// Changes requested on another pull request for the same commit.
        Vetoed = "vetoed",
        /// A leaf lacks people.
        QuorumUnmet = "quorum-unmet",
        /// A leaf can never be met.
        Unsatisfiable = "unsatisfiable",
        /// Whether a part of the requirement applies is not known.
        ConditionUnknown = "condition-unknown",
        /// A team could not be read.
        TeamUnreadable = "team-unreadable",
        /// Who must be excluded is not fully known.
        ExclusionUnknown = "exclusion-unknown",
        /// At release: what was approved is approved no longer.
        ApprovalWithdrawn = "approval-withdrawn",
        /// At release: only the present policy refuses.
        PolicyChanged = "policy-changed",
    }
}
