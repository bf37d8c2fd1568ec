//! Repositories and pull requests, except for reviews.

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::call::{Call, parse};
use super::response::{answer, ok};
use crate::adapters::embedded::simulator::change::{MergeCommand, NewPullRequest, PullRequestEdit};
use crate::adapters::embedded::simulator::pull::PullRequest;
use crate::adapters::embedded::simulator::refusal::Refusal;
use crate::adapters::embedded::simulator::shape::Shapes;
use crate::adapters::embedded::simulator::world::Activity;
use crate::adapters::github_rest::FILES_LISTED;
use crate::ident::PullRequestRef;

type Answer = Result<Response, Refusal>;

/// `GET /repos/{owner}/{repo}`.
pub(super) async fn repository(call: Call) -> Answer {
    Ok(ok(&Shapes(&call.world).repository(call.repository()?)))
}

/// `GET …/pulls?state=open|closed|all&head=owner:branch&base=branch`, newest first.
pub(super) async fn list(call: Call) -> Answer {
    let repository = call.repository()?;
    let state = call.parameter("state").unwrap_or("open");
    let head = |pull: &PullRequest| format!("{}:{}", pull.head.repository.parts().0, pull.head.branch);
    let mut pulls: Vec<&Arc<PullRequest>> = call
        .world
        .pulls_of(repository.id)
        .filter(|pull| state == "all" || pull.state_text() == state)
        .filter(|pull| call.parameter("head").is_none_or(|given| given == head(pull)))
        .filter(|pull| call.parameter("base").is_none_or(|given| given == pull.base))
        .collect();
    pulls.reverse();
    call.page(&pulls, |pull| Shapes(&call.world).pull_simple(pull))
}

/// `POST …/pulls`.
pub(super) async fn open(call: Call, body: Bytes) -> Answer {
    let new: NewPullRequest = parse(&body)?;
    let name = call.repository()?.name.clone();
    let at = call.host.change(|change| change.open(&call.by.login, &name, &new))?;
    current_pull(&call, &at, StatusCode::CREATED)
}

/// `GET …/pulls/{number}`.
pub(super) async fn read(call: Call) -> Answer {
    Ok(ok(&Shapes(&call.world).pull_full(call.pull()?)))
}

/// `PATCH …/pulls/{number}`.
pub(super) async fn edit(call: Call, body: Bytes) -> Answer {
    let edit: PullRequestEdit = parse(&body)?;
    let at = call.reference()?;
    call.host.change(|change| change.edit(&call.by.login, &at, &edit))?;
    current_pull(&call, &at, StatusCode::OK)
}

fn current_pull(call: &Call, at: &PullRequestRef, status: StatusCode) -> Answer {
    let world = call.host.world();
    let pull = world.pull(at).ok_or(Refusal::NotFound)?;
    Ok(answer(status, &Shapes(&world).pull_full(pull)))
}

/// `PUT …/pulls/{number}/merge`.
pub(super) async fn merge(call: Call, body: Bytes) -> Answer {
    let command: MergeCommand = parse(&body)?;
    let at = call.reference()?;
    let sha = call.host.change(|change| change.merge(&call.by.login, &at, &command))?;
    Ok(ok(&json!({ "sha": sha, "merged": true, "message": "Pull Request successfully merged" })))
}

/// `GET …/pulls/{number}/files`: at most 3000.
pub(super) async fn files(call: Call) -> Answer {
    let pull = call.pull()?;
    let mut files = pull.files();
    files.truncate(FILES_LISTED);
    call.page(&files, |file| Shapes(&call.world).file(pull, file))
}

/// `GET …/compare/{base}...{head}`: all commits of a pull request with that base and head.
pub(super) async fn compare(call: Call) -> Answer {
    let repository = call.repository()?;
    let (base, head) = call.segment("basehead")?.split_once("...").ok_or(Refusal::NotFound)?;
    let is_compared = |pull: &&Arc<PullRequest>| pull.base_sha.as_str() == base && pull.head.sha.as_str() == head;
    let pull = call.world.pulls_of(repository.id).find(is_compared).ok_or(Refusal::NotFound)?;
    let shapes = Shapes(&call.world);
    call.page_in(&pull.commits, |commit| shapes.commit(&repository.name, commit), |page| shapes.comparison(pull, &page))
}

/// `GET …/issues/{number}/labels`.
pub(super) async fn labels(call: Call) -> Answer {
    call.page(&Shapes(&call.world).labels(call.pull()?), Value::clone)
}

/// Labels to add, in one of the two forms that GitHub accepts.
#[derive(Deserialize)]
#[serde(untagged)]
enum NewLabels {
    Bare(Vec<String>),
    Wrapped { labels: Vec<String> },
}

/// `POST …/issues/{number}/labels`.
pub(super) async fn label(call: Call, body: Bytes) -> Answer {
    let labels = match parse(&body)? {
        NewLabels::Bare(labels) | NewLabels::Wrapped { labels } => labels,
    };
    let at = call.reference()?;
    call.host.change(|change| change.label(&call.by.login, &at, &labels))?;
    current_labels(&call, &at)
}

/// `DELETE …/issues/{number}/labels/{label}`.
pub(super) async fn unlabel(call: Call) -> Answer {
    let at = call.reference()?;
    let label = call.segment("label")?;
    call.host.change(|change| change.unlabel(&call.by.login, &at, label))?;
    current_labels(&call, &at)
}

fn current_labels(call: &Call, at: &PullRequestRef) -> Answer {
    let world = call.host.world();
    let pull = world.pull(at).ok_or(Refusal::NotFound)?;
    Ok(ok(&Value::from(Shapes(&world).labels(pull))))
}

/// `GET …/commits/{sha}/pulls`: the pull requests that have the commit, or whose merge commit it is.
pub(super) async fn of_commit(call: Call) -> Answer {
    let sha = call.segment("sha")?;
    let repository = call.repository()?;
    let merged_as =
        |pull: &PullRequest| pull.is_merged() && pull.merge_commit_sha.as_ref().is_some_and(|m| m.as_str() == sha);
    let holds = |pull: &PullRequest| pull.commits.iter().any(|commit| commit.sha.as_str() == sha);
    let pulls: Vec<&Arc<PullRequest>> =
        call.world.pulls_of(repository.id).filter(|pull| holds(pull) || merged_as(pull)).collect();
    let seen = call.world.pulls_of(repository.id).any(|pull| pull.seen.iter().any(|seen| seen.as_str() == sha));
    let on_branch = repository
        .branches
        .values()
        .any(|branch| branch.head.as_str() == sha || branch.commits.iter().any(|commit| commit.sha.as_str() == sha));
    if pulls.is_empty() && !seen && !on_branch {
        return Err(Refusal::rule(format!("No commit found for SHA: {sha}")));
    }
    call.page(&pulls, |pull| Shapes(&call.world).pull_simple(pull))
}

/// `GET …/activity?ref=branch`, newest first.
pub(super) async fn activity(call: Call) -> Answer {
    let reference = call.parameter("ref").map(|name| format!("refs/heads/{}", name.trim_start_matches("refs/heads/")));
    let activity: Vec<(u64, &Activity)> = call
        .repository()?
        .activity
        .iter()
        .rev()
        .filter(|activity| reference.as_ref().is_none_or(|reference| *reference == activity.reference))
        .map(|activity| (activity.id, activity))
        .collect();
    call.page_from("after", &activity, |activity| Shapes(&call.world).activity(activity))
}
