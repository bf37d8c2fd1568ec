//! The closed vocabularies of a decision. Each word is written once.

use crate::policy::words::vocabulary;

vocabulary! {
    /// What can come due without anyone acting.
    NextActionKind {
        /// Approvers who are still needed are reminded.
        Remind = "remind",
        /// Others are notified, and may stand in.
        Escalate = "escalate",
        /// An approval that counts becomes older than `max_age`.
        ApprovalAges = "approval_ages",
        /// An override stops counting.
        OverrideEnds = "override_ends",
        /// A calendar that the rule names opens or closes.
        CalendarChanges = "calendar_changes",
        /// With the verdict `wait`: what holds the release ends.
        Evaluate = "evaluate",
        Expire = "expire",
    }
}

vocabulary! {
    /// Why a review counts or does not.
    ReviewReason {
        Counts = "counts",
        /// A comment, or not submitted yet.
        Comment = "comment",
        /// Names other targets, names none although the rule is `explicit`, or does not parse.
        NotNamed = "not-named",
        /// The reviewer's account no longer exists.
        NoUser = "no-user",
        /// The same person gave a later review.
        Superseded = "superseded",
        Dismissed = "dismissed",
        /// Given on another commit, or not known to be given on this one.
        Stale = "stale",
        /// By the person who opened the pull request.
        Author = "author",
        /// By an author or committer of its commits.
        Committer = "committer",
        /// By someone who pushed to its branch.
        Pusher = "pusher",
        /// By the person who requested the deployment.
        Requester = "requester",
        /// It is not fully known who must be excluded.
        ExclusionUnknown = "exclusion-unknown",
        /// By an account that is not a person and is not listed.
        Bot = "bot",
        /// By someone who is not an eligible approver.
        NotEligible = "not-eligible",
        /// Older than `max_age`.
        TooOld = "too-old",
        /// Requests changes on the head, by someone who may.
        ChangesRequested = "changes-requested",
        /// Requests changes on an earlier commit, by someone who may.
        EarlierChangesRequested = "earlier-changes-requested",
        /// Requests changes, by someone who may not.
        NoSay = "no-say",
        /// Requests changes, but the rule ignores that.
        ChangesIgnored = "changes-ignored",
    }
}

vocabulary! {
    /// Why a verdict is what it is.
    ReasonCode {
        RequirementMet = "requirement-met",
        /// The rule says `require: none`.
        NothingAsked = "nothing-asked",
        /// No rule matches the target, or it does not say who must approve.
        NoRule = "no-rule",
        /// The rule needs a pull request, but none was given.
        PullRequestMissing = "pull-request-missing",
        /// The pull request is not in a repository of the service.
        WrongRepository = "wrong-repository",
        /// The pull request does not go into one of the rule's branches.
        WrongBranch = "wrong-branch",
        /// The revision is neither the head nor the merge commit.
        WrongRevision = "wrong-revision",
        /// The head is not the commit for which approval was requested.
        HeadChanged = "head-changed",
        /// The base branch was changed after approval was requested.
        BaseChanged = "base-changed",
        /// The pull request was closed without being merged.
        Closed = "closed",
        DeadlinePassed = "deadline-passed",
        /// The rule is below a floor.
        BelowFloor = "below-floor",
        /// No part of the requirement applies.
        NothingRequired = "nothing-required",
        /// A calendar of `freeze` is in force.
        Frozen = "frozen",
        /// No calendar of `window` is open.
        OutOfWindow = "out-of-window",
        /// No calendar of `window` ever opens again.
        WindowOver = "window-over",
        /// The request is approved, and `wait` is not over yet.
        WaitTimer = "wait-timer",
        /// Enough people override the rule.
        Overridden = "overridden",
        /// Someone who may request changes has done so.
        ChangesRequested = "changes-requested",
        /// Changes requested on another pull request for the same commit.
        Vetoed = "vetoed",
        /// A leaf lacks people.
        QuorumUnmet = "quorum-unmet",
        /// Too few people could ever meet a leaf, or several leaves together.
        Unsatisfiable = "unsatisfiable",
        /// It is not known whether a part of the requirement applies.
        ConditionUnknown = "condition-unknown",
        /// A team could not be read.
        TeamUnreadable = "team-unreadable",
        /// It is not fully known who must be excluded.
        ExclusionUnknown = "exclusion-unknown",
        /// At release: the request is no longer approved.
        ApprovalWithdrawn = "approval-withdrawn",
        /// At release: the pinned rule approves, but the present policy does not.
        PolicyChanged = "policy-changed",
        /// At release: GitHub's limit on calls is reached, so that nothing could be decided.
        RateLimited = "rate-limited",
    }
}
