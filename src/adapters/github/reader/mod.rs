//! Reads all facts of a decision about a pull request. Knows nothing of rules.
//!
//! One query in GraphQL reads the pull request, its lists and the teams. REST gives what GraphQL lacks: who pushed, the old
//! paths of files, and all commits if there are more than GitHub lists.

mod commits;
mod list;
mod query;
mod rest;
mod shape;
mod teams;

use async_trait::async_trait;

use self::commits::Commits;
use self::list::Misfit;
use self::query::Read;
use self::rest::{Pull as FoundPull, Pushes};
use self::shape::{Pull, PullState, Repository, Review, Twin, actor, add_dismissals, base_changed_at};
pub(super) use crate::adapters::github_rest::escaped;

use super::admin::{AccountFacts, ReadAs};
use super::client::{Call, CallError, GithubClient, Identity, Longer, Queried};
use crate::approval::facts::{self, ChangedFile, Person, PullRequest};
use crate::ident::{Login, PullRequestRef, RepositoryName, Revision};
use crate::ports::{CodeHost, CodeHostError, FoundPullRequest, Needs, Objection, Quota, Reading};

#[async_trait]
impl CodeHost for GithubClient {
    async fn read(&self, at: &PullRequestRef, needs: &Needs) -> Result<Reading, CodeHostError> {
        self.with_one_deadline().read_as_one(at, needs).await
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
        let pulls =
            match self.list::<FoundPull>(Call::get(path, of(repository), what), list::PAGES, Longer::Refused).await {
                Ok(listed) => listed.items,
                // GitHub's answer to an unknown commit.
                Err(error) if error.status() == Some(422) => Vec::new(),
                Err(error) if error.status() == Some(404) => {
                    return Err(CodeHostError::NotFound { what: format!("the repository `{repository}`") });
                }
                Err(error) => return Err(unavailable(&error)),
            };
        let pulls = pulls.into_iter().filter(|pull| pull.is_of(revision));
        let mut found: Vec<FoundPullRequest> = pulls.filter_map(FoundPull::found).collect();
        found.retain(|found| found.at.repository == *repository);
        found.sort_by(|a, b| a.at.cmp(&b.at));
        found.dedup();
        Ok(found)
    }

    async fn account(&self, login: &Login, repository: &RepositoryName) -> Result<Option<Person>, CodeHostError> {
        let found = GithubClient::account(self, login, &ReadAs(of(repository))).await.map_err(|e| unavailable(&e))?;
        Ok(found.map(|AccountFacts { id, login, kind }| Person { id, login, kind }))
    }
}

impl GithubClient {
    /// The pull request with its lists, consistent as of one moment. Between two calls somebody may push, or change the
    /// base.
    ///
    /// - Every page names the head and the base. Pages of two heads or bases are an error.
    /// - Pushes are read last. One more push only excludes somebody, and a head that became head again is newer.
    /// - Further commits and their order depend on hashes alone.
    /// - Files from REST name no head, so the pull request is read again after them.
    async fn read_as_one(&self, at: &PullRequestRef, needs: &Needs) -> Result<Reading, CodeHostError> {
        let elsewhere = self.teams_outside(at.repository.parts().0, &needs.teams);
        let (read, mut teams) = tokio::try_join!(self.read_pages(at, needs), elsewhere)?;
        let Read { repository, pull, lists, teams: own } = read;
        teams.extend(own.members()?);
        let base_changed_at = base_changed_at(&lists.events.items);
        let unreadable = |why: String| unavailable(&CallError::unreadable(&format!("the pull request `{at}`"), why));
        let reviews = lists.reviews.items.into_iter().filter_map(|review| review.fact().transpose());
        // A comment's text is not read, edited or not.
        let comments = lists.comments.into_iter().filter_map(|comment| comment.fact().transpose());
        let comments = comments.map(|comment| comment.map(|fact| facts::Review { edited: false, ..fact }));
        let mut reviews: Vec<facts::Review> = reviews.chain(comments).collect::<Result<_, _>>().map_err(unreadable)?;
        reviews.sort_unstable_by_key(|review| review.id);
        add_dismissals(&mut reviews, lists.events.items).map_err(unreadable)?;

        // Its repository may have another name now.
        let own = PullRequestRef { repository: repository.name_with_owner.clone(), number: pull.number };
        let (commits, files, objections) = tokio::try_join!(
            self.all_commits_and_pushes(at, (&repository, &pull), lists.commits, (needs, &reviews)),
            self.all_files(at, &pull, lists.files.items),
            self.objections(&own, lists.twins.items),
        )?;
        let pull_request = PullRequest {
            labels: sorted(lists.labels.items.into_iter().map(|label| label.name)),
            base_changed_at,
            ..pull_request((repository, pull), commits, files, needs).map_err(unreadable)?
        };
        Ok(Reading { pull_request, reviews, teams, objections })
    }

    /// The commits, and the pushes if they are needed.
    async fn all_commits_and_pushes(
        &self,
        at: &PullRequestRef,
        (repository, pull): (&Repository, &Pull),
        listed: list::List<shape::CommitNode<shape::Commit>>,
        (needs, reviews): (&Needs, &[facts::Review]),
    ) -> Result<(Commits, Pushes), CodeHostError> {
        let commits = self.all_commits(at, pull, listed).await?;
        let head_repository = pull.head_repository.as_ref().and_then(|head| head.database_id);
        // GitHub lists no pushes to a fork.
        let is_own = head_repository.is_some() && head_repository == repository.database_id;
        if !is_own || !needs.push_activity(&commits.known, reviews) {
            return Ok((commits, Pushes::default()));
        }
        let pushes = self.pushes(&repository.name_with_owner, &pull.head_ref_name, &pull.head_ref_oid).await;
        Ok((commits, pushes.map_err(|error| unavailable(&error))?))
    }

    async fn all_files(
        &self,
        at: &PullRequestRef,
        pull: &Pull,
        listed: Vec<shape::File>,
    ) -> Result<Vec<ChangedFile>, CodeHostError> {
        let moved = listed.iter().any(shape::File::may_be_moved);
        let files = self.files(at, listed).await.map_err(|error| unavailable(&error))?;
        if moved {
            self.is_unchanged(at, pull).await?;
        }
        Ok(files)
    }

    /// The reviews of pull requests of the head other than this one.
    async fn objections(&self, own: &PullRequestRef, twins: Vec<Twin>) -> Result<Vec<Objection>, CodeHostError> {
        let mut objections = Vec::new();
        for twin in twins {
            let there = PullRequestRef { repository: twin.base_repository.name_with_owner, number: twin.number };
            if there == *own {
                continue;
            }
            let unreadable =
                |why: String| unavailable(&CallError::unreadable(&format!("the pull request `{there}`"), why));
            let reviews = if twin.reviews.page_info.has_next_page {
                self.all_reviews(&there).await?.items.into_iter().map(Review::fact).collect::<Result<Vec<_>, _>>()
            } else {
                twin.reviews.nodes.into_iter().map(shape::ReviewWithoutText::fact).collect()
            };
            for review in reviews.map_err(unreadable)?.into_iter().flatten() {
                let review = facts::Review { body: String::new(), edited: true, ..review };
                objections.push(Objection { pull_request: there.clone(), review });
            }
        }
        objections.sort_by(|a, b| (&a.pull_request, a.review.id).cmp(&(&b.pull_request, b.review.id)));
        Ok(objections)
    }
}

pub(super) fn unavailable(error: &CallError) -> CodeHostError {
    let detail = error.to_string();
    match error {
        CallError::Unavailable { until: Some(until), .. } => CodeHostError::Limited { detail, until: *until },
        CallError::Unavailable { until: None, .. }
        | CallError::Incomplete { .. }
        | CallError::Refused { .. }
        | CallError::Unreadable { .. } => CodeHostError::Unavailable { detail },
    }
}

/// The error for a page that GitHub did not answer as it describes it.
fn misfit(why: Misfit, answer: &Queried) -> CodeHostError {
    unavailable(&answer.unreadable(match why {
        Misfit::Changed => "a list has changed",
        Misfit::Missing => "a list is missing",
        Misfit::NoNext => "a list does not say where its next page begins",
    }))
}

/// The identity for reading a repository.
pub(super) fn of(repository: &RepositoryName) -> Identity {
    Identity::Account { login: repository.parts().0.to_owned(), lookup: format!("/repos/{repository}/installation") }
}

/// A GET below a pull request.
fn get(at: &PullRequestRef, rest: &str, what: impl Into<String>) -> Call {
    Call::get(format!("/repos/{}/pulls/{}{rest}", at.repository, at.number), of(&at.repository), what)
}

fn sorted(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut texts: Vec<String> = texts.collect();
    texts.sort_unstable();
    texts
}

/// Without labels and the last change of the base.
fn pull_request(
    (repository, pull): (Repository, Pull),
    (commits, pushes): (Commits, Pushes),
    files: Vec<ChangedFile>,
    needs: &Needs,
) -> Result<PullRequest, String> {
    let default_branch = repository.default_branch_ref.ok_or("its repository has no default branch")?.name;
    let mut paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    paths.sort_unstable();
    paths.dedup();
    let files_complete = needs.files && paths.len() == pull.changed_files && files.len() == pull.changed_files;
    let merged = pull.state == PullState::Merged;
    Ok(PullRequest {
        repository: repository.name_with_owner,
        default_branch,
        number: pull.number,
        state: pull.state.fact(),
        merged,
        merge_commit: pull.merge_commit.filter(|_| merged).map(|commit| commit.oid),
        head: pull.head_ref_oid,
        head_first_seen: pushes.head_first_seen,
        base: pull.base_ref_name,
        base_changed_at: None,
        author: actor(pull.author)?,
        labels: Vec::new(),
        additions: pull.additions,
        deletions: pull.deletions,
        files,
        files_complete,
        commits: commits.known,
        commits_complete: commits.complete,
        pushers: pushes.by,
        pushers_complete: pushes.complete,
    })
}
