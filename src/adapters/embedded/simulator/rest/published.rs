//! Check runs, comments, review requests and deployments.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{MethodRouter, get, patch, post};
use serde::Deserialize;
use serde_json::{Value, json};

use super::call::{Call, parse};
use super::response::{answer, ok};
use crate::adapters::embedded::simulator::GithubSimulator;
use crate::adapters::embedded::simulator::change::{
    CheckWrite, NewDeployment, NewDeploymentStatus, ProtectionWrite, Reviewers,
};
use crate::adapters::embedded::simulator::delivery::APP_ID;
use crate::adapters::embedded::simulator::published::{CheckRun, Comment, Deployment, DeploymentStatus};
use crate::adapters::embedded::simulator::refusal::Refusal;
use crate::adapters::embedded::simulator::shape::Shapes;

type Answer = Result<Response, Refusal>;

/// The routes below a repository.
pub(super) fn routes() -> [(&'static str, MethodRouter<GithubSimulator>); 11] {
    [
        ("/check-runs", post(create_check)),
        ("/check-runs/{check}", get(read_check).patch(update_check)),
        ("/check-runs/{check}/rerequest", post(rerequest)),
        ("/commits/{sha}/check-runs", get(checks)),
        ("/issues/{number}/comments", get(comments).post(comment)),
        ("/issues/comments/{comment}", patch(edit_comment).delete(delete_comment)),
        ("/pulls/{number}/requested_reviewers", get(requested).post(request).delete(unrequest)),
        ("/deployments", get(deployments).post(deploy)),
        ("/deployments/{deployment}", get(read_deployment)),
        ("/deployments/{deployment}/statuses", get(statuses).post(set_status)),
        ("/actions/runs/{run}/deployment_protection_rule", post(answer_protection)),
    ]
}

/// `POST …/check-runs`.
async fn create_check(call: Call, body: Bytes) -> Answer {
    let new: CheckWrite = parse(&body)?;
    let name = call.repository()?.name.clone();
    let id = call.host.change(|change| change.create_check(&call.by.login, &name, &new))?;
    current_check(&call, id, StatusCode::CREATED)
}

/// `PATCH …/check-runs/{check}`.
async fn update_check(call: Call, body: Bytes) -> Answer {
    let write: CheckWrite = parse(&body)?;
    let (name, id) = (call.repository()?.name.clone(), call.number("check")?);
    call.host.change(|change| change.update_check(&call.by.login, &name, id, &write))?;
    current_check(&call, id, StatusCode::OK)
}

/// `GET …/check-runs/{check}`.
async fn read_check(call: Call) -> Answer {
    current_check(&call, call.number("check")?, StatusCode::OK)
}

fn current_check(call: &Call, id: u64, status: StatusCode) -> Answer {
    let world = call.host.world();
    let repository = call.repository()?.id;
    let run = world.checks.get(&id).filter(|run| run.repository == repository).ok_or(Refusal::NotFound)?;
    Ok(answer(status, &Shapes(&world).check_run(run)))
}

/// `POST …/check-runs/{check}/rerequest`.
async fn rerequest(call: Call) -> Answer {
    let (name, id) = (call.repository()?.name.clone(), call.number("check")?);
    call.host.change(|change| change.press(&call.by.login, &name, id, None))?;
    Ok(answer(StatusCode::CREATED, &json!({})))
}

/// `GET …/commits/{sha}/check-runs?check_name=&status=&app_id=&filter=latest|all`, newest first. `latest` is the default:
/// only the newest of each name.
async fn checks(call: Call) -> Answer {
    let (repository, sha) = (call.repository()?.id, call.segment("sha")?);
    let app = APP_ID.to_string();
    let mut seen: Vec<&str> = Vec::new();
    let mut runs: Vec<&Arc<CheckRun>> = Vec::new();
    for run in
        call.world.checks.values().rev().filter(|run| run.repository == repository && run.head_sha.as_str() == sha)
    {
        let newest = !seen.contains(&run.name.as_str());
        seen.push(&run.name);
        let wanted = call.parameter("check_name").is_none_or(|name| name == run.name)
            && call.parameter("status").is_none_or(|status| status == run.status)
            && call.parameter("app_id").is_none_or(|id| id == app);
        if wanted && (newest || call.parameter("filter") == Some("all")) {
            runs.push(run);
        }
    }
    let shapes = Shapes(&call.world);
    call.page_of("check_runs", &runs, |run| shapes.check_run(run))
}

#[derive(Deserialize)]
struct Text {
    body: String,
}

/// `GET …/issues/{number}/comments`, oldest first.
async fn comments(call: Call) -> Answer {
    let pull = call.pull()?;
    let of_it = |comment: &&Arc<Comment>| comment.repository == pull.repository && comment.number == pull.number;
    let comments: Vec<&Arc<Comment>> = call.world.comments.values().filter(of_it).collect();
    call.page(&comments, |comment| Shapes(&call.world).comment(comment))
}

/// `POST …/issues/{number}/comments`.
async fn comment(call: Call, body: Bytes) -> Answer {
    let Text { body } = parse(&body)?;
    let at = call.reference()?;
    let id = call.host.change(|change| change.comment(&call.by.login, &at, &body))?;
    current_comment(&call, id, StatusCode::CREATED)
}

/// `PATCH …/issues/comments/{comment}`.
async fn edit_comment(call: Call, body: Bytes) -> Answer {
    let Text { body } = parse(&body)?;
    let (name, id) = (call.repository()?.name.clone(), call.number("comment")?);
    call.host.change(|change| change.edit_comment(&name, id, &body))?;
    current_comment(&call, id, StatusCode::OK)
}

/// `DELETE …/issues/comments/{comment}`.
async fn delete_comment(call: Call) -> Answer {
    let (name, id) = (call.repository()?.name.clone(), call.number("comment")?);
    call.host.change(|change| change.delete_comment(&name, id))?;
    Ok(no_content())
}

fn no_content() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

fn current_comment(call: &Call, id: u64, status: StatusCode) -> Answer {
    let world = call.host.world();
    let comment = world.comments.get(&id).ok_or(Refusal::NotFound)?;
    Ok(answer(status, &Shapes(&world).comment(comment)))
}

/// `GET …/pulls/{number}/requested_reviewers`.
async fn requested(call: Call) -> Answer {
    let (users, teams) = Shapes(&call.world).requested(call.pull()?);
    Ok(ok(&json!({ "users": users, "teams": teams })))
}

/// `POST …/pulls/{number}/requested_reviewers`. The answer is a pull request.
async fn request(call: Call, body: Bytes) -> Answer {
    let new: Reviewers = parse(&body)?;
    let at = call.reference()?;
    call.host.change(|change| change.request_reviews(&call.by.login, &at, &new))?;
    let world = call.host.world();
    let pull = world.pull(&at).ok_or(Refusal::NotFound)?;
    Ok(answer(StatusCode::CREATED, &Shapes(&world).pull_simple(pull)))
}

/// `DELETE …/pulls/{number}/requested_reviewers`.
async fn unrequest(call: Call, body: Bytes) -> Answer {
    let old: Reviewers = parse(&body)?;
    let at = call.reference()?;
    call.host.change(|change| change.unrequest_reviews(&call.by.login, &at, &old))?;
    let world = call.host.world();
    let pull = world.pull(&at).ok_or(Refusal::NotFound)?;
    Ok(ok(&Shapes(&world).pull_simple(pull)))
}

/// `GET …/deployments?sha=&environment=&task=&ref=`, newest first.
async fn deployments(call: Call) -> Answer {
    let repository = call.repository()?.id;
    let wanted = |deployment: &&Arc<Deployment>| {
        let matches = |name: &str, value: &str| call.parameter(name).is_none_or(|p| p == value || p == "none");
        deployment.repository == repository
            && matches("sha", deployment.sha.as_str())
            && matches("ref", &deployment.reference)
            && matches("task", &deployment.task)
            && matches("environment", &deployment.environment)
    };
    let found: Vec<&Arc<Deployment>> = call.world.deployments.values().rev().filter(wanted).collect();
    call.page(&found, |deployment| Shapes(&call.world).deployment(deployment))
}

/// `POST …/deployments`.
async fn deploy(call: Call, body: Bytes) -> Answer {
    let new: NewDeployment = parse(&body)?;
    let name = call.repository()?.name.clone();
    let id = call.host.change(|change| change.deploy(&call.by.login, &name, &new))?;
    let world = call.host.world();
    let deployment = world.deployments.get(&id).ok_or(Refusal::NotFound)?;
    Ok(answer(StatusCode::CREATED, &Shapes(&world).deployment(deployment)))
}

fn deployment_of(call: &Call) -> Result<&Arc<Deployment>, Refusal> {
    let (repository, id) = (call.repository()?.id, call.number("deployment")?);
    let deployment = call.world.deployments.get(&id).filter(|deployment| deployment.repository == repository);
    deployment.ok_or(Refusal::NotFound)
}

/// `GET …/deployments/{deployment}`.
async fn read_deployment(call: Call) -> Answer {
    Ok(ok(&Shapes(&call.world).deployment(deployment_of(&call)?)))
}

/// `GET …/deployments/{deployment}/statuses`, newest first.
async fn statuses(call: Call) -> Answer {
    let deployment = deployment_of(&call)?;
    let statuses: Vec<&DeploymentStatus> = deployment.statuses.iter().rev().collect();
    call.page(&statuses, |status| Shapes(&call.world).deployment_status(deployment, status))
}

/// `POST …/deployments/{deployment}/statuses`.
async fn set_status(call: Call, body: Bytes) -> Answer {
    let new: NewDeploymentStatus = parse(&body)?;
    let (name, id) = (call.repository()?.name.clone(), call.number("deployment")?);
    let status = call.host.change(|change| change.set_deployment(&call.by.login, &name, id, &new))?;
    let world = call.host.world();
    let deployment = world.deployments.get(&id).ok_or(Refusal::NotFound)?;
    let status = deployment.statuses.iter().find(|known| known.id == status);
    Ok(answer(StatusCode::CREATED, &status.map_or(Value::Null, |s| Shapes(&world).deployment_status(deployment, s))))
}

pub(super) fn add(router: Router<GithubSimulator>) -> Router<GithubSimulator> {
    routes().into_iter().fold(router, |router, (path, method)| {
        router
            .route(&format!("/repos/{{owner}}/{{repo}}{path}"), method.clone())
            .route(&format!("/repositories/{{repository}}{path}"), method)
    })
}

/// `POST …/actions/runs/{run}/deployment_protection_rule`.
async fn answer_protection(call: Call, body: Bytes) -> Result<StatusCode, Refusal> {
    let write: ProtectionWrite = parse(&body)?;
    let (name, run) = (call.repository()?.name.clone(), call.number("run")?);
    call.host.change(|change| change.answer_protection(&name, run, &write))?;
    Ok(StatusCode::NO_CONTENT)
}
