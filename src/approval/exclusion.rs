//! Whose approvals never count under a rule, and what to do if that is not fully known.

use smallvec::SmallVec;

use super::decision::ReviewReason;
use super::facts::{AccountKind, Commit, Facts, Person, PullRequest, Requester};
use crate::ident::UserId;
use crate::policy::{Exclusion, Rule, UserRef};

/// GitHub's own account, which commits what is made on its pages. Its id never changes.
const WEB_FLOW: UserId = UserId(19_864_447);

#[derive(Debug, Default)]
pub(super) struct Exclusions<'f> {
    /// If several reasons apply to a person, the first comes first.
    people: SmallVec<[(&'f Person, ReviewReason); 4]>,
    requester: Option<&'f Requester>,
    /// Why nobody's approval can count: it is not fully known who must be excluded.
    pub(super) unknown: Option<String>,
}

impl<'f> Exclusions<'f> {
    /// Who is excluded by the rule, as far as the facts show.
    pub(super) fn of(rule: &Rule<'_>, facts: &'f Facts, pull_request: &'f PullRequest) -> Self {
        let mut exclusions = Self::default();
        let excludes = |exclusion| rule.exclude().contains(&exclusion);
        // In the order of precedence of the reasons.
        if excludes(Exclusion::Author)
            && let Some(author) = &pull_request.author
        {
            exclusions.add(author, ReviewReason::Author);
        }
        if excludes(Exclusion::Committers) {
            exclusions.add_committers(pull_request);
        }
        if excludes(Exclusion::Pushers) {
            exclusions.add_pushers(pull_request);
        }
        if excludes(Exclusion::Requester) {
            exclusions.requester = facts.requester.as_ref();
            match &facts.requester {
                Some(Requester { id: Some(_), .. }) => {}
                Some(Requester { id: None, login }) => exclusions.is_unknown(format!(
                    "the rule excludes whoever requested the deployment, but the account of `{login}` is not known: \
                     start another execution"
                )),
                None => exclusions.is_unknown(
                    "the rule excludes whoever requested the deployment, but `requestedBy` is not given".to_owned(),
                ),
            }
        }
        exclusions
    }

    fn add(&mut self, person: &'f Person, reason: ReviewReason) {
        // Most commits and pushes of a pull request are by one person.
        if !self.people.iter().any(|(known, _)| known.id == person.id && known.login.as_str() == person.login.as_str())
        {
            self.people.push((person, reason));
        }
    }

    #[inline]
    fn of_person(&self, person: &Person) -> Option<ReviewReason> {
        self.people.iter().find(|(excluded, _)| excluded.id == person.id).map(|(_, reason)| *reason)
    }

    fn is_unknown(&mut self, why: String) {
        self.unknown.get_or_insert(why);
    }

    /// Excludes the authors and committers of every commit. For a commit without an account, excludes everyone who
    /// pushed.
    fn add_committers(&mut self, pull_request: &'f PullRequest) {
        if !pull_request.commits_complete {
            self.is_unknown(
                "not all commits of the pull request are known (1,000 are read): split it into smaller ones".to_owned(),
            );
        }
        if pull_request.commits.is_empty() {
            self.is_unknown("the pull request's commits are not known: it must have at least one".to_owned());
        }
        for commit in &pull_request.commits {
            people_of(commit).for_each(|person| self.add(person, ReviewReason::Committer));
        }
        let Some(commit) = pull_request.commits.iter().find(|commit| is_unattributed(commit)) else { return };
        pull_request.pushers.iter().for_each(|person| self.add(person, ReviewReason::Committer));
        // A bot pushes on somebody's behalf, and nothing says whose.
        let by_people = pull_request.pushers.iter().all(|pusher| pusher.kind == AccountKind::User);
        if !pushers_known(pull_request) || !by_people {
            self.is_unknown(format!(
                "commit {} belongs to no GitHub account, and not everyone who pushed to the branch is known: add its \
                 e-mail address to an account, or rewrite the commit",
                commit.sha.short()
            ));
        }
    }

    fn add_pushers(&mut self, pull_request: &'f PullRequest) {
        pull_request.pushers.iter().for_each(|person| self.add(person, ReviewReason::Pusher));
        if !pushers_known(pull_request) {
            self.is_unknown("not everyone who pushed to the branch is known".to_owned());
        }
    }

    /// Why the person is excluded. `None` if they are not.
    #[inline]
    pub(super) fn reason(&self, person: &Person) -> Option<ReviewReason> {
        let is_requester = || self.requester.is_some_and(|requester| requester.id == Some(person.id));
        self.of_person(person).or_else(|| is_requester().then_some(ReviewReason::Requester))
    }

    /// Whether a listed account is excluded. Without a pin only its login is compared.
    pub(super) fn excludes_user(&self, user: &UserRef) -> bool {
        self.people.iter().any(|(person, _)| super::eligibility::is_user(person, user))
            || self.requester.is_some_and(|requester| match user.id {
                Some(id) => requester.id == Some(id),
                None => requester.login == user.login,
            })
    }
}

/// The author and the committer of a commit, without GitHub's own account.
pub(super) fn people_of(commit: &Commit) -> impl Iterator<Item = &Person> {
    let not_github = |person: &&Person| person.id != WEB_FLOW && person.login.as_str() != "web-flow";
    [commit.author.as_ref(), commit.committer.as_ref()].into_iter().flatten().filter(not_github)
}

/// Whether the author or the committer of a commit is unknown. GitHub finds its own account by e-mail address as any
/// other, and anyone can write that address into a commit.
#[must_use]
pub fn is_unattributed(commit: &Commit) -> bool {
    commit.author.is_none() || commit.committer.is_none() || people_of(commit).next().is_none()
}

/// Whether all who pushed are known. Somebody must have pushed, so an empty list is not complete.
pub(super) const fn pushers_known(pull_request: &PullRequest) -> bool {
    pull_request.pushers_complete && !pull_request.pushers.is_empty()
}

/// Whether all commits are known. A pull request has at least one, so an empty list is not complete.
pub(super) const fn commits_known(pull_request: &PullRequest) -> bool {
    pull_request.commits_complete && !pull_request.commits.is_empty()
}
