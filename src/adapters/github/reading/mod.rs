//! Reads pull requests with all facts for a decision, and teams. Knows nothing of rules.

mod pushes;
mod shape;

use async_trait::async_trait;

use self::pushes::Pushes;
use self::shape::{Account, CommitShape, Event, File, Pull, Review, add_dismissals, base_changed_at, person};
pub(super) use crate::adapters::github_rest::escaped;

use super::client::{Call, CallError, GithubClient, Identity, Longer};
use crate::adapters::github_rest::{COMMITS_LISTED, FILES_LISTED, PAGE};
use crate::approval::facts::{self, ChangedFile, Commit, Person, PullRequest, PullRequestState, ReviewState};
use crate::ident::{PullRequestRef, RepositoryName, Revision, TeamSlug};
use crate::ports::{CodeHost, CodeHostError, FoundPullRequest, Needs, Quota, Reading};

const FILE_PAGES: usize = FILES_LISTED.div_ceil(PAGE);
const COMMIT_PAGES: usize = COMMITS_LISTED.div_ceil(PAGE);
/// The most pages of other lists: 10,000 items. A longer list is an error.
const PAGES: usize = 100;

#[async_trait]
impl CodeHost for GithubClient {
    async fn read(&self, at: &PullRequestRef, needs: &Needs) -> Result<Reading, CodeHostError> {
        self.with_one_deadline().read_as_one(at, needs).await
    }

    async fn team_members(&self, team: &TeamSlug) -> Result<Option<Vec<Person>>, CodeHostError> {
        let what = format!("the members of the team `{team}`");
        let (org, slug) = team.as_str().split_once('/').unwrap_or((team.as_str(), ""));
        let identity =
            Identity::Account { login: org.to_owned(), lookup: format!("/orgs/{}/installation", escaped(org)) };
        let path = format!("/orgs/{}/teams/{}/members?per_page=100", escaped(org), escaped(slug));
        let call = Call::get(path, identity, &what).conditional();
        let listed = match self.list::<Account>(call, PAGES, Longer::Refused).await {
            Ok(listed) => listed.items,
            Err(error) if matches!(error.status(), Some(403 | 404)) => {
                tracing::warn!(team = %team, reason = %error, "cannot read the team: it makes nobody eligible");
                return Ok(None);
            }
            Err(error) => return Err(unavailable(&error)),
        };
        let count = listed.len();
        let mut members: Vec<Person> = listed.into_iter().filter_map(|account| person(Some(account))).collect();
        if members.len() < count {
            return Err(unavailable(&CallError::unreadable(&what, "a member has no id or login")));
        }
        members.sort_by_key(|member| member.id);
        Ok(Some(members))
    }

    async fn quota(&self) -> Quota {
        self.left()
    }

    async fn pull_requests_of(
        &self,
        repository: &RepositoryName,
        revision: &Revision,
    ) -> Result<Vec<FoundPullRequest>, CodeHostError> {
        let path = format!("/repos/{repository}/commits/{}/pulls?per_page=100", escaped(revision.as_str()));
        let what = format!("the pull requests of {revision} in `{repository}`");
        let call = Call::get(path, of(repository), what);
        let pulls = match self.list::<Pull>(call, PAGES, Longer::Refused).await {
            Ok(listed) => listed.items,
            // GitHub's answer to an unknown commit.
            Err(error) if error.status() == Some(422) => Vec::new(),
            Err(error) => return Err(missing(&error, || format!("the repository `{repository}`"))),
        };
        let is_of = |pull: &Pull| {
            let merged_as = pull.merge_commit_sha.as_ref().filter(|_| pull.merged_at.is_some());
            pull.head.sha == *revision || merged_as == Some(revision)
        };
        let mut found: Vec<FoundPullRequest> = pulls.into_iter().filter(is_of).filter_map(found_pull_request).collect();
        found.retain(|found| found.at.repository == *repository);
        found.sort_by(|a, b| a.at.cmp(&b.at));
        found.dedup();
        Ok(found)
    }
}

impl GithubClient {
    /// The pull request with its lists, consistent as of one moment. Between two calls somebody may push, or change the base.
    ///
    /// - Events and pushes are read last. If the base changed between two other calls, the change is among the events and
    ///   makes all earlier approvals stale. One more push only excludes somebody.
    /// - Reviews name their commit, which is compared with the head.
    /// - Commits can be read together with the pull request. If their number equals its count and its head is among them, they
    ///   are those of its head. (Another head that contains this one has more.) Otherwise they are incomplete.
    /// - Files name no head. Commits matter even without an approval if a condition looks at people. In both cases the lists are
    ///   read between two readings of the pull request, which must agree. The second reading is answered with 304, which
    ///   does not count against the limit.
    async fn read_as_one(&self, at: &PullRequestRef, needs: &Needs) -> Result<Reading, CodeHostError> {
        let failed = |error: CallError| missing(&error, || format!("the pull request `{at}`"));
        let between = needs.files || needs.pushers;
        let (pull, mut reviews, early) =
            tokio::try_join!(self.pull(at), self.reviews(at), when(!between, self.commits(at))).map_err(failed)?;
        let wanted = needs.push_activity(early.as_deref().unwrap_or_default(), &reviews);
        let (events, files, late, pushes) = tokio::try_join!(
            self.events(at),
            when(needs.files, self.files(at)),
            when(between, self.commits(at)),
            when(wanted, self.pushes(&pull))
        )
        .map_err(failed)?;
        let commits = early.or(late).unwrap_or_default();
        let wanted = !wanted && needs.push_activity(&commits, &reviews);
        let (again, late) =
            tokio::try_join!(when(between, self.pull(at)), when(wanted, self.pushes(&pull))).map_err(failed)?;
        if again.is_some_and(|again| !again.has_the_lists_of(&pull)) {
            let detail = format!("the pull request `{at}` changed while it was read");
            return Err(CodeHostError::Unavailable { detail });
        }
        let base_changed_at = base_changed_at(&events);
        add_dismissals(&mut reviews, events);
        let pushes = pushes.or(late).unwrap_or_default();
        let mut pull_request = pull_request(pull, at, (files, commits), pushes).map_err(failed)?;
        pull_request.base_changed_at = base_changed_at;
        Ok(Reading { pull_request, reviews })
    }

    async fn pull(&self, at: &PullRequestRef) -> Result<Pull, CallError> {
        let call = get(at, "", format!("the pull request `{at}`")).conditional();
        self.call(&call).await?.json()
    }

    async fn files(&self, at: &PullRequestRef) -> Result<Vec<ChangedFile>, CallError> {
        let call = get(at, "/files?per_page=100", format!("the files of `{at}`"));
        let files = self.list::<File>(call, FILE_PAGES, Longer::Cut).await?.items;
        Ok(files.into_iter().map(ChangedFile::from).collect())
    }

    async fn commits(&self, at: &PullRequestRef) -> Result<Vec<Commit>, CallError> {
        let call = get(at, "/commits?per_page=100", format!("the commits of `{at}`"));
        let commits = self.list::<CommitShape>(call, COMMIT_PAGES, Longer::Cut).await?.items;
        Ok(commits.into_iter().map(Commit::from).collect())
    }

    /// All submitted reviews. GitHub lists a pending review to its author only.
    async fn reviews(&self, at: &PullRequestRef) -> Result<Vec<facts::Review>, CallError> {
        let what = format!("the reviews of `{at}`");
        let call = get(at, "/reviews?per_page=100", &what);
        let listed = self.list::<Review>(call, PAGES, Longer::Refused).await?.items;
        let reviews = listed.into_iter().map(|review| review.fact(&what)).collect::<Result<Vec<_>, _>>()?;
        Ok(reviews.into_iter().filter(|review| review.state != ReviewState::Pending).collect())
    }

    async fn events(&self, at: &PullRequestRef) -> Result<Vec<Event>, CallError> {
        let path = format!("/repos/{}/issues/{}/events?per_page=100", at.repository, at.number);
        let call = Call::get(path, of(&at.repository), format!("the events of `{at}`"));
        Ok(self.list(call, PAGES, Longer::Refused).await?.items)
    }
}

/// Does the work if wanted.
async fn when<T>(wanted: bool, work: impl Future<Output = Result<T, CallError>>) -> Result<Option<T>, CallError> {
    if wanted { work.await.map(Some) } else { Ok(None) }
}

fn unavailable(error: &CallError) -> CodeHostError {
    let detail = error.to_string();
    match error {
        CallError::Unavailable { until: Some(until), .. } => CodeHostError::Limited { detail, until: *until },
        CallError::Unavailable { until: None, .. } | CallError::Refused { .. } | CallError::Unreadable { .. } => {
            CodeHostError::Unavailable { detail }
        }
    }
}

/// A 404 means that `what` is missing, whichever of its lists was read.
fn missing(error: &CallError, what: impl Fn() -> String) -> CodeHostError {
    match error.status() {
        Some(404) => CodeHostError::NotFound { what: what() },
        Some(_) | None => unavailable(error),
    }
}

/// The identity for reading a repository.
pub(super) fn of(repository: &RepositoryName) -> Identity {
    Identity::Account { login: repository.parts().0.to_owned(), lookup: format!("/repos/{repository}/installation") }
}

/// A GET below a pull request.
fn get(at: &PullRequestRef, rest: &str, what: impl Into<String>) -> Call {
    Call::get(format!("/repos/{}/pulls/{}{rest}", at.repository, at.number), of(&at.repository), what)
}

/// `None` if GitHub does not say in which repository it is.
fn found_pull_request(pull: Pull) -> Option<FoundPullRequest> {
    let base = pull.base.repo?;
    Some(FoundPullRequest {
        // The repository of the head is missing if the fork was deleted.
        from_fork: pull.head.repo.is_none_or(|head| head.id != base.id),
        at: PullRequestRef { repository: base.full_name, number: pull.number },
        base: pull.base.branch,
        default_branch: base.default_branch,
        closed_unmerged: pull.state != "open" && pull.merged_at.is_none(),
    })
}

fn pull_request(
    pull: Pull,
    at: &PullRequestRef,
    (files, commits): (Option<Vec<ChangedFile>>, Vec<Commit>),
    pushes: Pushes,
) -> Result<PullRequest, CallError> {
    let what = format!("the pull request `{at}`");
    let base = pull.base.repo.ok_or_else(|| CallError::unreadable(&what, "its repository is missing"))?;
    let state = match pull.state.as_str() {
        "open" => PullRequestState::Open,
        "closed" => PullRequestState::Closed,
        _ => return Err(CallError::unreadable(&what, "it is neither open nor closed")),
    };
    // The pull request counts items that its lists may lack. A longer list is of another moment.
    let holds_all = |listed: usize, counted: Option<u64>| {
        counted.is_some_and(|counted| u64::try_from(listed).is_ok_and(|listed| listed == counted))
    };
    let files_complete = files.as_ref().is_some_and(|files| holds_all(files.len(), pull.changed_files));
    let mut labels: Vec<String> = pull.labels.into_iter().map(|label| label.name).collect();
    labels.sort_unstable();
    Ok(PullRequest {
        repository: base.full_name,
        default_branch: base.default_branch,
        number: pull.number,
        state,
        merged: pull.merged,
        merge_commit: pull.merge_commit_sha.filter(|_| pull.merged),
        head: pull.head.sha,
        head_first_seen: pushes.head_first_seen,
        base: pull.base.branch,
        base_changed_at: None,
        author: person(pull.user),
        labels,
        additions: pull.additions,
        deletions: pull.deletions,
        files: files.unwrap_or_default(),
        files_complete,
        commits_complete: holds_all(commits.len(), pull.commits),
        commits,
        pushers: pushes.by,
        pushers_complete: pushes.complete,
    })
}
