//! The control interface, `/_standin/…`: what GitHub's REST does not offer.
//!
//! Anyone who reaches the port may do anything here, so it belongs on loopback. A body must be sent as JSON, which a
//! browser does not let a page of another origin do without a preflight.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, patch, post, put};
use serde::Deserialize;
use serde_json::{Value, json};

use super::GithubSimulator;
use super::change::{NewAccount, NewApp, NewProtected, NewRepository, NewTeam, Push, SwitchEdit, TeamEdit};
use super::refusal::Refusal;
use super::rest::{answer, parse, path_parameters};
use super::shape::Shapes;
use super::world::World;
use crate::ident::{Login, PullRequestRef, RepositoryName, TeamSlug};

type Answer = Result<Response, Refusal>;

/// Adds the control interface to GitHub's routes.
pub(super) fn routes(router: Router<GithubSimulator>) -> Router<GithubSimulator> {
    router
        .route("/_standin/world", get(world))
        .route("/_standin/host", patch(edit_host))
        .route("/_standin/hook", put(set_hook).delete(remove_hook))
        .route("/_standin/app", put(set_app))
        .route("/_standin/users", post(create_user))
        .route("/_standin/users/{login}", patch(rename_user).delete(delete_user))
        .route("/_standin/teams", post(create_team))
        .route("/_standin/teams/{org}/{team}", patch(edit_team).delete(delete_team))
        .route("/_standin/repos", post(create_repository))
        .route("/_standin/repos/{owner}/{repo}", patch(set_switches))
        .route("/_standin/repos/{owner}/{repo}/forks", post(create_fork))
        .route("/_standin/repos/{owner}/{repo}/check-runs/{check}/buttons", post(press))
        .route("/_standin/repos/{owner}/{repo}/deployments", get(deployments).post(deploy))
        .route("/_standin/repos/{owner}/{repo}/branches/{*branch}", post(push_to_branch).delete(delete_branch))
        .route("/_standin/repos/{owner}/{repo}/pulls/{number}/pushes", post(push_to_pull))
}

/// The named segments of the path. Refuses a body that is not sent as JSON.
struct Named(BTreeMap<String, String>);

impl FromRequestParts<GithubSimulator> for Named {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, host: &GithubSimulator) -> Result<Self, Refusal> {
        let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let has_body = parts.method != Method::GET && parts.method != Method::DELETE;
        if has_body && kind.split(';').next().map(str::trim) != Some("application/json") {
            return Err(Refusal::NotJson);
        }
        Ok(Self(path_parameters(parts, host).await?))
    }
}

impl Named {
    fn get(&self, name: &str) -> Result<&str, Refusal> {
        self.0.get(name).map(String::as_str).ok_or(Refusal::NotFound)
    }

    fn login(&self) -> Result<Login, Refusal> {
        Ok(Login::new(self.get("login")?)?)
    }

    fn team(&self) -> Result<TeamSlug, Refusal> {
        Ok(TeamSlug::new(&format!("{}/{}", self.get("org")?, self.get("team")?))?)
    }

    fn repository(&self) -> Result<RepositoryName, Refusal> {
        Ok(RepositoryName::new(&format!("{}/{}", self.get("owner")?, self.get("repo")?))?)
    }

    fn pull(&self) -> Result<PullRequestRef, Refusal> {
        let number = self.get("number")?.parse().map_err(|_| Refusal::NotFound)?;
        Ok(PullRequestRef { repository: self.repository()?, number })
    }
}

const fn done() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// `GET /_standin/world`: the state, without secrets and the bodies of deliveries.
async fn world(State(host): State<GithubSimulator>) -> Answer {
    let world = host.world();
    Ok(answer(StatusCode::OK, &dump(&world)))
}

fn dump(world: &World) -> Value {
    let shapes = Shapes(world);
    let settings = &world.settings;
    let deliveries: Vec<Value> = world
        .deliveries
        .values()
        .map(|delivery| {
            json!({
                "id": delivery.id, "guid": delivery.guid, "event": delivery.event, "action": delivery.action,
                "queued_at": delivery.queued_at, "redelivery": delivery.redelivery, "outcome": delivery.outcome,
            })
        })
        .collect();
    json!({
        "unavailable": settings.unavailable,
        "address": settings.address,
        "hook": settings.hook.as_ref().map(|hook| json!({ "id": hook.id, "url": hook.url })),
        "users": world.accounts.values().collect::<Vec<_>>(),
        "teams": world.teams.values().collect::<Vec<_>>(),
        "repositories": world.repositories.values().collect::<Vec<_>>(),
        "pulls": world.pulls.values().map(|pull| shapes.pull_full(pull)).collect::<Vec<_>>(),
        "deliveries": deliveries,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HostEdit {
    unavailable: Option<bool>,
    address: Option<String>,
    rate_limit: Option<u64>,
}

/// `PATCH /_standin/host` `{unavailable?, address?, rate_limit?}`.
async fn edit_host(State(host): State<GithubSimulator>, _: Named, body: Bytes) -> Result<StatusCode, Refusal> {
    let edit: HostEdit = parse(&body)?;
    if let Some(limit) = edit.rate_limit {
        host.set_rate_limit(limit);
    }
    host.change(|change| {
        if let Some(unavailable) = edit.unavailable {
            change.set_unavailable(unavailable);
        }
        if let Some(address) = &edit.address {
            change.set_address(address);
        }
        Ok(done())
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewHook {
    url: String,
    secret: String,
}

/// `PUT /_standin/hook` `{url, secret}`.
async fn set_hook(State(host): State<GithubSimulator>, _: Named, body: Bytes) -> Result<StatusCode, Refusal> {
    let new: NewHook = parse(&body)?;
    host.change(|change| change.set_hook(&new.url, &new.secret))?;
    Ok(done())
}

/// `DELETE /_standin/hook`.
async fn remove_hook(State(host): State<GithubSimulator>) -> Result<StatusCode, Refusal> {
    host.change(|change| {
        change.remove_hook();
        Ok(done())
    })
}

/// `PUT /_standin/app` `{slug, public_key}`.
async fn set_app(State(host): State<GithubSimulator>, _: Named, body: Bytes) -> Result<StatusCode, Refusal> {
    let new: NewApp = parse(&body)?;
    host.change(|change| change.set_app(&new))?;
    Ok(done())
}

/// `POST /_standin/users` `{login, type?, id?}`.
async fn create_user(State(host): State<GithubSimulator>, _: Named, body: Bytes) -> Answer {
    let new: NewAccount = parse(&body)?;
    let account = host.change(|change| change.create_account(&new))?;
    Ok(answer(StatusCode::CREATED, &json!(account)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rename {
    login: Login,
}

/// `PATCH /_standin/users/{login}` `{login}`.
async fn rename_user(State(host): State<GithubSimulator>, named: Named, body: Bytes) -> Answer {
    let (from, to) = (named.login()?, parse::<Rename>(&body)?.login);
    let account = host.change(|change| change.rename_account(&from, &to))?;
    Ok(answer(StatusCode::OK, &json!(account)))
}

/// `DELETE /_standin/users/{login}`.
async fn delete_user(State(host): State<GithubSimulator>, named: Named) -> Result<StatusCode, Refusal> {
    let login = named.login()?;
    host.change(|change| change.delete_account(&login))?;
    Ok(done())
}

/// `POST /_standin/teams` `{team, name?, parent?, members?: [{login, state?}]}`. Replaces an existing team.
async fn create_team(State(host): State<GithubSimulator>, _: Named, body: Bytes) -> Answer {
    let new: NewTeam = parse(&body)?;
    let team = host.change(|change| change.create_team(&new))?;
    Ok(answer(StatusCode::CREATED, &json!(team)))
}

/// `PATCH /_standin/teams/{org}/{team}` `{readable?, members?}`.
async fn edit_team(State(host): State<GithubSimulator>, named: Named, body: Bytes) -> Answer {
    let (team, edit): (TeamSlug, TeamEdit) = (named.team()?, parse(&body)?);
    let team = host.change(|change| change.edit_team(&team, &edit))?;
    Ok(answer(StatusCode::OK, &json!(team)))
}

/// `DELETE /_standin/teams/{org}/{team}`.
async fn delete_team(State(host): State<GithubSimulator>, named: Named) -> Result<StatusCode, Refusal> {
    let team = named.team()?;
    host.change(|change| change.delete_team(&team))?;
    Ok(done())
}

/// `POST /_standin/repos` `{name, default_branch?, switches?}`.
async fn create_repository(State(host): State<GithubSimulator>, _: Named, body: Bytes) -> Answer {
    let new: NewRepository = parse(&body)?;
    let repository = host.change(|change| change.create_repository(&new))?;
    Ok(answer(StatusCode::CREATED, &json!(repository)))
}

/// `PATCH /_standin/repos/{owner}/{repo}` `{allow_self_review?, dismiss_stale_reviews?, public?}`.
async fn set_switches(State(host): State<GithubSimulator>, named: Named, body: Bytes) -> Answer {
    let (name, edit): (RepositoryName, SwitchEdit) = (named.repository()?, parse(&body)?);
    let repository = host.change(|change| change.set_switches(&name, edit))?;
    Ok(answer(StatusCode::OK, &json!(repository)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewFork {
    owner: Login,
}

/// `POST /_standin/repos/{owner}/{repo}/forks` `{owner}`.
async fn create_fork(State(host): State<GithubSimulator>, named: Named, body: Bytes) -> Answer {
    let (name, new): (RepositoryName, NewFork) = (named.repository()?, parse(&body)?);
    let fork = host.change(|change| change.create_fork(&name, &new.owner))?;
    Ok(answer(StatusCode::CREATED, &json!(fork)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Press {
    by: Login,
    identifier: String,
}

/// `POST /_standin/repos/{owner}/{repo}/check-runs/{check}/buttons` `{by, identifier}`: somebody presses a button.
async fn press(State(host): State<GithubSimulator>, named: Named, body: Bytes) -> Result<StatusCode, Refusal> {
    let (name, press): (RepositoryName, Press) = (named.repository()?, parse(&body)?);
    let check = named.get("check")?.parse().map_err(|_| Refusal::NotFound)?;
    host.change(|change| change.press(&press.by, &name, check, Some(&press.identifier)))?;
    Ok(done())
}

/// `POST /_standin/repos/{owner}/{repo}/deployments`, a [`NewProtected`]: a workflow run reaches an environment that the
/// App protects.
async fn deploy(State(host): State<GithubSimulator>, named: Named, body: Bytes) -> Answer {
    let (name, new): (RepositoryName, NewProtected) = (named.repository()?, parse(&body)?);
    let run = host.change(|change| change.deploy_from_actions(&name, &new))?;
    Ok(answer(StatusCode::CREATED, &json!({ "run_id": run })))
}

/// `GET /_standin/repos/{owner}/{repo}/deployments`: all deployments, with the App's answers.
async fn deployments(State(host): State<GithubSimulator>, named: Named) -> Answer {
    let world = host.world();
    let repository = world.repository(&named.repository()?).ok_or(Refusal::NotFound)?.id;
    let of_it: Vec<_> = world.deployments.values().filter(|known| known.repository == repository).collect();
    Ok(answer(StatusCode::OK, &json!({ "deployments": of_it })))
}

/// `POST /_standin/repos/{owner}/{repo}/branches/{branch}`, a [`Push`]. Creates the branch if missing.
async fn push_to_branch(State(host): State<GithubSimulator>, named: Named, body: Bytes) -> Answer {
    let (name, push): (RepositoryName, Push) = (named.repository()?, parse(&body)?);
    let branch = named.get("branch")?;
    let head = host.change(|change| change.push(&name, branch, &push))?;
    Ok(answer(StatusCode::CREATED, &json!({ "head": head })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct By {
    by: Login,
}

/// `DELETE /_standin/repos/{owner}/{repo}/branches/{branch}` `{by}`.
async fn delete_branch(State(host): State<GithubSimulator>, named: Named, body: Bytes) -> Result<StatusCode, Refusal> {
    let (name, By { by }) = (named.repository()?, parse(&body)?);
    let branch = named.get("branch")?;
    host.change(|change| change.delete_branch(&by, &name, branch))?;
    Ok(done())
}

/// `POST /_standin/repos/{owner}/{repo}/pulls/{number}/pushes`, a [`Push`].
async fn push_to_pull(State(host): State<GithubSimulator>, named: Named, body: Bytes) -> Answer {
    let (at, push): (PullRequestRef, Push) = (named.pull()?, parse(&body)?);
    let head = host.change(|change| change.push_to_pull(&at, &push))?;
    Ok(answer(StatusCode::CREATED, &json!({ "head": head })))
}
