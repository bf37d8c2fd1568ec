//! Whose approvals a rule sets aside, and what to do where that is not fully known.

use smallvec::SmallVec;

use super::decision::ReviewReason;
use super::facts::{Commit, Facts, Person, PullRequest};
use crate::ident::{Login, UserId};
use crate::policy::{Exclusion, Rule, UserRef};

/// GitHub's own account, which commits what is made on its pages. Its id never changes.
const WEB_FLOW: UserId = UserId(19_864_447);

/// Who is excluded under a rule.
#[derive(Debug, Default)]
pub(super) struct Exclusions<'f> {
    author: Option<&'f Person>,
    committers: SmallVec<[&'f Person; 4]>,
    pushers: SmallVec<[&'f Person; 4]>,
    requester: Option<&'f Login>,
    /// Why nobody's approval can count: who must be excluded is not fully known.
    pub(super) unknown: Option<String>,
}

impl<'f> Exclusions<'f> {
    /// Who is excluded by the rule, as far as the facts tell.
    pub(super) fn of(rule: &Rule<'_>, facts: &'f Facts, pull_request: &'f PullRequest) -> Self {
        let mut exclusions = Self::default();
        for exclusion in rule.exclude() {
            match exclusion {
                Exclusion::Author => exclusions.author = pull_request.author.as_ref(),
                Exclusion::Committers => exclusions.add_committers(pull_request),
                Exclusion::Pushers => exclusions.add_pushers(pull_request),
                Exclusion::Requester => match &facts.requester {
                    Some(requester) => exclusions.requester = Some(requester),
                    None => exclusions.is_unknown(
                        "the rule excludes who requested the deployment, and `requestedBy` is not given".to_owned(),
                    ),
                },
            }
        }
        exclusions
    }

    fn is_unknown(&mut self, why: String) {
        self.unknown.get_or_insert(why);
    }

    /// Authors and committers of every commit. A commit of no account is laid to those who pushed.
    fn add_committers(&mut self, pull_request: &'f PullRequest) {
        if !pull_request.commits_complete {
            self.is_unknown(
                "the pull request's commits are not known in full (GitHub lists 250): split it into smaller ones"
                    .to_owned(),
            );
        }
        if pull_request.commits.is_empty() {
            self.is_unknown("the pull request's commits are not known: it has one at least".to_owned());
        }
        for commit in &pull_request.commits {
            for person in people_of(commit) {
                // Most commits of a pull request are of one person, twice each.
                if self.committers.last().is_none_or(|last| last.id != person.id) {
                    self.committers.push(person);
                }
            }
        }
        let Some(commit) = pull_request.commits.iter().find(|commit| is_unattributed(commit)) else { return };
        self.committers.extend(&pull_request.pushers);
        if !pushers_known(pull_request) {
            self.is_unknown(format!(
                "commit {} belongs to no GitHub account, and who pushed to the branch is not known in full: add its \
                 e-mail address to an account, or rewrite the commit",
                commit.sha.short()
            ));
        }
    }

    fn add_pushers(&mut self, pull_request: &'f PullRequest) {
        self.pushers.extend(&pull_request.pushers);
        if !pushers_known(pull_request) {
            self.is_unknown("who pushed to the branch is not known in full".to_owned());
        }
    }

    /// Why the person's approval is set aside, if it is.
    pub(super) fn reason(&self, person: &Person) -> Option<ReviewReason> {
        let among = |people: &[&Person]| people.iter().any(|excluded| excluded.id == person.id);
        if self.author.is_some_and(|author| author.id == person.id) {
            Some(ReviewReason::Author)
        } else if among(&self.committers) {
            Some(ReviewReason::Committer)
        } else if among(&self.pushers) {
            Some(ReviewReason::Pusher)
        } else if self.requester.is_some_and(|requester| *requester == person.login) {
            Some(ReviewReason::Requester)
        } else {
            None
        }
    }

    /// Whether a listed account is excluded. Of one that is not pinned only the login is known.
    pub(super) fn excludes_user(&self, user: &UserRef) -> bool {
        let same = |person: &&Person| super::eligible::is_user(person, user);
        self.author.iter().chain(&self.committers).chain(&self.pushers).any(same)
            || self.requester.is_some_and(|requester| *requester == user.login)
    }
}

/// The people whom a commit names, without GitHub's own account.
pub(super) fn people_of(commit: &Commit) -> impl Iterator<Item = &Person> {
    let real = |person: &&Person| person.id != WEB_FLOW && person.login.as_str() != "web-flow";
    [commit.author.as_ref(), commit.committer.as_ref()].into_iter().flatten().filter(real)
}

/// Whether somebody's part in a commit is unknown. GitHub's own account goes by its e-mail address as others do, and
/// whoever writes that into a commit is not known by it.
#[must_use]
pub fn is_unattributed(commit: &Commit) -> bool {
    commit.author.is_none() || commit.committer.is_none() || people_of(commit).next().is_none()
}

/// A branch that nobody pushed to is one of which that is not known.
pub(super) const fn pushers_known(pull_request: &PullRequest) -> bool {
    pull_request.pushers_complete && !pull_request.pushers.is_empty()
}

/// A pull request without a commit is one of which they are not known.
pub(super) const fn commits_known(pull_request: &PullRequest) -> bool {
    pull_request.commits_complete && !pull_request.commits.is_empty()
}
