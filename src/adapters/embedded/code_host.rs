//! The port [`CodeHost`] on the GitHub simulator, in process: the same state and the same limits as over HTTP.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::simulator::GithubSimulator;
use super::simulator::pull::{self, Happening, IssueEvent, PullRequest, PullState, Review};
use super::simulator::world::{self, Account, AccountType, Activity, ActivityKind, FileChange, Repository, World};
use crate::adapters::github_rest::{COMMITS_LISTED, FILES_LISTED};
use crate::approval::facts::{
    self, AccountKind, BoundBy, ChangedFile, DismissedFrom, Person, PullRequestState, ReviewState,
};
use crate::ident::{Login, PullRequestRef, RepositoryName, Revision, TeamSlug, UserId};
use crate::ports::{CodeHost, CodeHostError, FoundPullRequest, Needs, Reading};

#[async_trait]
impl CodeHost for GithubSimulator {
    async fn read(&self, at: &PullRequestRef, needs: &Needs) -> Result<Reading, CodeHostError> {
        let world = self.readable()?;
        let (repository, pull) = find(&world, at)?;
        // Only its author sees a pending review.
        let given = pull.reviews.iter().filter(|review| review.state != pull::ReviewState::Pending);
        let reviews: Vec<_> = given.map(|review| review_facts(&world, pull, review)).collect();
        let mut pull_request = pull_facts(&world, repository, pull);
        if !needs.files {
            (pull_request.files, pull_request.files_complete) = (Vec::new(), false);
        }
        if !needs.push_activity(&pull_request.commits, &reviews) {
            (pull_request.pushers, pull_request.pushers_complete) = (Vec::new(), false);
            pull_request.head_first_seen = None;
        }
        Ok(Reading { pull_request, reviews })
    }

    async fn team_members(&self, team: &TeamSlug) -> Result<Option<Vec<Person>>, CodeHostError> {
        let world = self.readable()?;
        Ok(world.team_members(team).map(|members| members.iter().map(|member| person(member)).collect()))
    }

    async fn pull_requests_of(
        &self,
        repository: &RepositoryName,
        revision: &Revision,
    ) -> Result<Vec<FoundPullRequest>, CodeHostError> {
        let world = self.readable()?;
        let not_found = || CodeHostError::NotFound { what: format!("the repository `{repository}`") };
        let repository = world.repository(repository).ok_or_else(not_found)?;
        let pulls = world.pulls_of(repository.id);
        let found = pulls.filter(|pull| pull.head.sha == *revision || merge_commit(pull).as_ref() == Some(revision));
        let one = |pull: &PullRequest| FoundPullRequest {
            at: PullRequestRef { repository: repository.name.clone(), number: pull.number },
            base: pull.base.clone(),
            default_branch: repository.default_branch.clone(),
            from_fork: comes_from_fork(repository, pull),
            closed_unmerged: pull.state == PullState::Closed,
        };
        Ok(found.map(|pull| one(pull)).collect())
    }

    async fn account(&self, login: &Login, _: &RepositoryName) -> Result<Option<Person>, CodeHostError> {
        Ok(self.readable()?.account(login).map(|account| person(account)))
    }
}

impl GithubSimulator {
    fn readable(&self) -> Result<Arc<World>, CodeHostError> {
        let world = self.world();
        if world.settings.unavailable {
            return Err(CodeHostError::Unavailable { detail: "503 Service unavailable".to_owned() });
        }
        Ok(world)
    }
}

fn find<'w>(world: &'w World, at: &PullRequestRef) -> Result<(&'w Repository, &'w PullRequest), CodeHostError> {
    let found = world.repository(&at.repository).zip(world.pull(at));
    let not_found = || CodeHostError::NotFound { what: format!("the pull request `{at}`") };
    found.map(|(repository, pull)| (&**repository, &**pull)).ok_or_else(not_found)
}

/// The commit that merging made. `None` if not merged: `merge_commit_sha` of an open pull request is a test merge.
fn merge_commit(pull: &PullRequest) -> Option<Revision> {
    pull.is_merged().then(|| pull.merge_commit_sha.clone()).flatten()
}

fn pull_facts(world: &World, repository: &Repository, pull: &PullRequest) -> facts::PullRequest {
    let (additions, deletions) = pull.line_counts();
    let files = pull.files();
    let (pushers, pushers_complete) = pushers(world, repository, pull);
    let file = |file: &FileChange| ChangedFile { path: file.path.clone(), previous_path: file.previous_path.clone() };
    let commit = |commit: &world::Commit| facts::Commit {
        sha: commit.sha.clone(),
        author: commit.author.and_then(|id| person_of(world, id)),
        committer: commit.committer.and_then(|id| person_of(world, id)),
        co_authors: Vec::new(),
        verified: false,
        parents: Vec::new(),
    };
    facts::PullRequest {
        repository: repository.name.clone(),
        default_branch: repository.default_branch.clone(),
        number: pull.number,
        state: match pull.state {
            PullState::Open => PullRequestState::Open,
            PullState::Closed | PullState::Merged => PullRequestState::Closed,
        },
        merged: pull.is_merged(),
        merge_commit: merge_commit(pull),
        head: pull.head.sha.clone(),
        head_first_seen: head_first_seen(repository, pull),
        base: pull.base.clone(),
        base_changed_at: last_event(pull, |what| matches!(what, Happening::BaseRefChanged)).map(|e| e.created_at),
        author: person_of(world, pull.author),
        labels: pull.labels.iter().cloned().collect(),
        additions,
        deletions,
        files: files.iter().take(FILES_LISTED).map(file).collect(),
        files_complete: files.len() <= FILES_LISTED,
        commits: pull.commits.iter().take(COMMITS_LISTED).map(commit).collect(),
        commits_complete: pull.commits.len() <= COMMITS_LISTED,
        pushers,
        pushers_complete,
    }
}

fn last_event(pull: &PullRequest, of: impl Fn(&Happening) -> bool) -> Option<&IssueEvent> {
    pull.events.iter().rev().find(|event| of(&event.what))
}

fn comes_from_fork(repository: &Repository, pull: &PullRequest) -> bool {
    pull.head.repository != repository.name
}

/// When the head last became head. `None` for a fork: GitHub does not list a fork's activity with the repository's.
fn head_first_seen(repository: &Repository, pull: &PullRequest) -> Option<Timestamp> {
    let reference = format!("refs/heads/{}", pull.head.branch);
    let made_head = |a: &&Activity| a.reference == reference && a.after == pull.head.sha;
    let latest = repository.activity.iter().rev().find(made_head);
    latest.filter(|_| !comes_from_fork(repository, pull)).map(|activity| activity.timestamp)
}

/// Who pushed to the branch, ordered by id, and whether that is everybody since the branch was created.
fn pushers(world: &World, repository: &Repository, pull: &PullRequest) -> (Vec<Person>, bool) {
    if comes_from_fork(repository, pull) {
        return (Vec::new(), false);
    }
    let reference = format!("refs/heads/{}", pull.head.branch);
    let activity = || repository.activity.iter().filter(|activity| activity.reference == reference);
    let from_start = activity().next().is_some_and(|first| first.kind == ActivityKind::BranchCreation);
    let all_known = activity().all(|activity| world.accounts.contains_key(&activity.actor));
    let mut pushers: Vec<Person> = activity().filter_map(|activity| person_of(world, activity.actor)).collect();
    pushers.sort_by_key(|person| person.id);
    pushers.dedup_by_key(|person| person.id);
    (pushers, from_start && all_known)
}

fn review_facts(world: &World, pull: &PullRequest, review: &Review) -> facts::Review {
    let of_this = |what: &Happening| what.dismissal().is_some_and(|(dismissed, _)| dismissed == review.id);
    let dismissal = last_event(pull, of_this);
    let was = dismissal.and_then(|event| event.what.dismissal()).map(|(_, was)| was);
    facts::Review {
        id: review.id,
        user: person_of(world, review.user),
        state: match review.state {
            pull::ReviewState::Approved => ReviewState::Approved,
            pull::ReviewState::ChangesRequested => ReviewState::ChangesRequested,
            pull::ReviewState::Commented => ReviewState::Commented,
            pull::ReviewState::Dismissed => ReviewState::Dismissed,
            pull::ReviewState::Pending => ReviewState::Pending,
        },
        was: was.map(|was| match was {
            pull::DismissedFrom::Approved => DismissedFrom::Approved,
            pull::DismissedFrom::ChangesRequested => DismissedFrom::ChangesRequested,
        }),
        dismissed_by: dismissal.and_then(|event| person_of(world, event.actor)),
        revision: review.commit_id.clone(),
        bound_by: BoundBy::Api,
        submitted_at: review.submitted_at,
        edited: review.edited,
        body: review.body.clone(),
    }
}

/// The account as facts have it. `None` if it was deleted.
fn person_of(world: &World, id: UserId) -> Option<Person> {
    world.accounts.get(&id).map(|account| person(account))
}

fn person(account: &Account) -> Person {
    let kind = match account.kind {
        AccountType::User => AccountKind::User,
        AccountType::Bot => AccountKind::Bot,
        AccountType::Organization => AccountKind::Other,
    };
    Person { id: account.id, login: account.login.clone(), kind }
}

#[cfg(test)]
mod tests;
