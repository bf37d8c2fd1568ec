//! Whose approvals never count under a rule, and what to do if that is not fully known.

use smallvec::SmallVec;

use super::decision::ReviewReason;
use super::facts::{AccountKind, Commit, Facts, Person, PullRequest, Requester};
use crate::ident::UserId;
use crate::policy::{Exclusion, GITHUB_ACTIONS, Rule, UserRef};

#[derive(Debug, Default)]
pub(super) struct Exclusions<'f> {
    /// If several reasons apply to a person, the first comes first.
    people: SmallVec<[(&'f Person, ReviewReason); 4]>,
    requester: Option<&'f Requester>,
    /// A commit that anyone who pushed may have written, if there is one.
    by_pushers: Option<&'f Commit>,
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

    #[inline]
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

    /// Excludes the authors, committers and co-authors of every commit. If a commit could bear anyone's name, excludes
    /// everyone who pushed as well.
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
            for person in people_of(commit) {
                self.add(person, ReviewReason::Committer);
            }
        }
        self.by_pushers = pull_request.commits.iter().find(|commit| bears_any_name(commit));
        let Some(commit) = self.by_pushers else { return };
        pull_request.pushers.iter().for_each(|person| self.add(person, ReviewReason::Committer));
        let who = if !pushers_known(pull_request) {
            "not everyone who pushed to the branch is known".to_owned()
        } else if let Some(bot) = pull_request.pushers.iter().find(|pusher| pushes_for_others(pusher, pull_request)) {
            format!("{} pushed to the branch, which does not show for whom", bot.login)
        } else {
            return;
        };
        self.is_unknown(format!("{}, and {who}: {}", flaw(commit), remedy(commit)));
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

    /// Why the person is excluded as a committer who is named in no commit, and the way out.
    pub(super) fn may_have_written(&self, person: &Person, pull_request: &PullRequest) -> Option<String> {
        let commit = self.by_pushers?;
        let is_named = pull_request.commits.iter().flat_map(people_of).any(|named| named.id == person.id);
        let login = &person.login;
        (!is_named).then(|| {
            format!(
                "{login} pushed to the branch, and {}, so {login} may have written it: {}, or ask somebody who has not \
                 pushed",
                flaw(commit),
                remedy(commit)
            )
        })
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

/// The author, the committer and the co-authors of a commit, without GitHub's own account.
pub(crate) fn people_of(commit: &Commit) -> impl Iterator<Item = &Person> {
    let named = [commit.author.as_ref(), commit.committer.as_ref()].into_iter().flatten();
    named.chain(&commit.co_authors).filter(|person| !is_web_flow(person))
}

pub(super) fn is_web_flow(person: &Person) -> bool {
    person.id == UserId::WEB_FLOW || person.login.as_str() == "web-flow"
}

/// Whether GitHub knows no account of the author or the committer of a commit, or only its own. It finds its own by e-mail
/// address as any other, and anyone can write that address into a commit.
pub(super) fn lacks_account(commit: &Commit) -> bool {
    let named = || commit.author.iter().chain(&commit.committer);
    named().count() < 2 || named().all(is_web_flow)
}

/// Whether anyone could have written the commit under the names that it bears.
#[must_use]
pub fn bears_any_name(commit: &Commit) -> bool {
    !commit.verified || lacks_account(commit)
}

/// What is wrong with a commit that could bear anyone's name.
fn flaw(commit: &Commit) -> String {
    let sha = commit.sha.short();
    if commit.verified {
        format!("commit {sha} belongs to no GitHub account")
    } else {
        format!("commit {sha} has no signature that GitHub has verified")
    }
}

const fn remedy(commit: &Commit) -> &'static str {
    if commit.verified {
        "add its e-mail address to an account, or rewrite the commit"
    } else {
        "sign the commits, and push them again"
    }
}

/// Whether nothing says who wrote the commits that the account pushed: it is no person, and is not itself the author and
/// the committer of every commit that could bear anyone's name. Any workflow can push as `github-actions[bot]`.
fn pushes_for_others(pusher: &Person, pull_request: &PullRequest) -> bool {
    let is_pusher = |person: &Option<Person>| person.as_ref().is_some_and(|person| person.id == pusher.id);
    let mut doubtful = pull_request.commits.iter().filter(|commit| bears_any_name(commit));
    match pusher.kind {
        AccountKind::User => false,
        AccountKind::Other => true,
        AccountKind::Bot => {
            pusher.login.as_str().eq_ignore_ascii_case(GITHUB_ACTIONS)
                || !doubtful.all(|commit| is_pusher(&commit.author) && is_pusher(&commit.committer))
        }
    }
}

/// Whether all who pushed are known. Somebody must have pushed, so an empty list is not complete.
pub(super) const fn pushers_known(pull_request: &PullRequest) -> bool {
    pull_request.pushers_complete && !pull_request.pushers.is_empty()
}

/// Whether all commits are known. A pull request has at least one, so an empty list is not complete.
pub(super) const fn commits_known(pull_request: &PullRequest) -> bool {
    pull_request.commits_complete && !pull_request.commits.is_empty()
}
