//! What each review does, in words for the reviewer.

use super::command::{Command, Slip};
use super::decision::{ReviewOutcome, ReviewReason};
use super::facts::{Review, ReviewState};
use super::people::People;
use super::review::{Detail, Weighed};

impl People<'_> {
    /// What each review does, in the order in which they were given.
    pub(super) fn outcomes(&self) -> Vec<ReviewOutcome> {
        self.weighed.iter().enumerate().map(|(at, weighed)| self.outcome(at, weighed)).collect()
    }

    fn outcome(&self, at: usize, weighed: &Weighed<'_>) -> ReviewOutcome {
        let review = weighed.review;
        ReviewOutcome {
            id: review.id,
            user: review.user.as_ref().map(|user| user.login.clone()),
            state: review.state,
            verdict: weighed.verdict,
            reason: weighed.reason,
            text: self.text(at, weighed),
        }
    }

    fn text(&self, at: usize, weighed: &Weighed<'_>) -> String {
        let review = weighed.review;
        let user = review.user.as_ref().map_or("someone", |user| user.login.as_str());
        let target = &self.context.facts.target;
        let head = self.context.pull_request.head.short();
        match weighed.reason {
            ReviewReason::Counts => ["counts toward ", self.counts_toward(at)].concat(),
            ReviewReason::Comment if review.state == ReviewState::Pending => "is not submitted yet".to_owned(),
            ReviewReason::Comment => "a comment takes no side".to_owned(),
            ReviewReason::NotNamed => match weighed.detail {
                Detail::MustName => format!("must name the target: write `/approve {target}`"),
                Detail::Edited => {
                    "was edited before the gate knew its text, perhaps by somebody else: approve again".to_owned()
                }
                Detail::Unclear(slip) => self.unclear(review, slip),
                Detail::OtherTargets
                | Detail::None
                | Detail::OtherCommit
                | Detail::BeforeHead
                | Detail::HeadUnknown
                | Detail::BeforeBase
                | Detail::NoTime
                | Detail::DismissalDoesNotCount => format!("names other targets than {target}"),
            },
            ReviewReason::NoUser => "the reviewer's account no longer exists".to_owned(),
            ReviewReason::Superseded => format!("{user} gave a later review"),
            ReviewReason::Dismissed => match &review.dismissed_by {
                Some(by) => format!("was dismissed by {}", by.login),
                None => "was dismissed".to_owned(),
            },
            ReviewReason::Stale => self.stale_text(weighed),
            ReviewReason::Author => format!("{user} opened the pull request"),
            ReviewReason::Committer => {
                let pushed = |user| self.context.exclusions.may_have_written(user, self.context.pull_request);
                let otherwise = || format!("{user} wrote or committed part of the pull request");
                review.user.as_ref().and_then(pushed).unwrap_or_else(otherwise)
            }
            ReviewReason::Pusher => format!("{user} pushed to the branch"),
            ReviewReason::Requester => format!("{user} requested the deployment"),
            ReviewReason::ExclusionUnknown => self.context.exclusions.unknown.clone().unwrap_or_default(),
            ReviewReason::Bot => format!("{user} is not a person, and the policy does not list it"),
            ReviewReason::NotEligible => format!("{user} is not an approver for {target}"),
            ReviewReason::TooOld => match self.context.rule.max_age() {
                Some(age) => format!("is older than {age}: approve again"),
                None => "is too old: approve again".to_owned(),
            },
            ReviewReason::ChangesRequested | ReviewReason::EarlierChangesRequested => {
                let earlier = weighed.reason == ReviewReason::EarlierChangesRequested;
                let on = if earlier { format!(" on a commit before {head}") } else { String::new() };
                let despite = match (weighed.detail, &review.dismissed_by) {
                    (Detail::DismissalDoesNotCount, Some(by)) => {
                        format!("; the dismissal by {} does not count", by.login)
                    }
                    (Detail::DismissalDoesNotCount, None) => "; its dismissal does not count".to_owned(),
                    _ => String::new(),
                };
                format!("{user} requested changes{on}{despite}")
            }
            ReviewReason::NoSay => format!("{user} requested changes, but may not do so for {target}"),
            ReviewReason::ChangesIgnored => "the rule ignores requests for changes".to_owned(),
        }
    }

    fn stale_text(&self, weighed: &Weighed<'_>) -> String {
        let head = self.context.pull_request.head.short();
        match weighed.detail {
            Detail::BeforeHead => format!("was not given after {head} became the head"),
            Detail::HeadUnknown => format!("it is not known when {head} became the head: approve again"),
            Detail::BeforeBase => "was given before the base branch was changed".to_owned(),
            Detail::NoTime => "it is not known when it was given: approve again".to_owned(),
            Detail::OtherCommit
            | Detail::None
            | Detail::OtherTargets
            | Detail::MustName
            | Detail::Edited
            | Detail::Unclear(_)
            | Detail::DismissalDoesNotCount => match &weighed.review.revision {
                Some(revision) => format!("was given on {}, but the head is {head}", revision.short()),
                None => format!("was given on a commit that GitHub no longer knows, but the head is {head}"),
            },
        }
    }

    /// The leaf that the reviewer is assigned to, or else the first that they may approve.
    fn counts_toward(&self, at: usize) -> &str {
        let leaf = self.served_by(at).or_else(|| self.set_of(at).iter().next());
        leaf.and_then(|leaf| self.leaf(leaf)).map_or("the requirement", |leaf| &leaf.name)
    }

    /// What was read of a line that looks like a command and is none, and the line to write.
    fn unclear(&self, review: &Review, slip: Slip) -> String {
        let target = &self.context.facts.target;
        let (line, is_override) = match self.context.command_of(review) {
            Command::Unclear(unclear) => (unclear.line, unclear.is_override),
            Command::Plain | Command::Approve(_) | Command::Override(..) => (String::new(), false),
        };
        let why = match slip {
            Slip::NoTarget => "names no target",
            Slip::BadTarget => "has other words than targets behind the command",
            Slip::NoReason => "gives no reason",
            Slip::Misspelt => "is misspelt",
            Slip::Quoted => "is in a quote, in code or in a comment",
            Slip::NotAlone => "has other text before the command",
            Slip::NoSlash => "does not begin with the slash of a command",
            Slip::SeveralCommands => "is an override beside another command",
        };
        let write = if is_override { format!("/override {target} why") } else { format!("/approve {target}") };
        let write = match slip {
            Slip::NoReason => format!("add a reason: `{write}`"),
            Slip::NoTarget | Slip::BadTarget | Slip::Misspelt | Slip::Quoted | Slip::NotAlone | Slip::NoSlash => {
                format!("write `{write}` on a line of its own")
            }
            Slip::SeveralCommands => format!("write only `{write}`"),
        };
        format!("the line `{line}` looks like a command, but {why}, so this review approves nothing; {write}")
    }
}
