//! The App: itself, its installation with its tokens, and its webhook deliveries.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::call::{AppCall, Call};
use super::response::{answer, ok};
use crate::adapters::embedded::simulator::GithubSimulator;
use crate::adapters::embedded::simulator::delivery::{Delivery, INSTALLATION_ID, Outcome};
use crate::adapters::embedded::simulator::refusal::Refusal;
use crate::adapters::embedded::simulator::shape::Shapes;
use crate::adapters::embedded::simulator::world::HostedApp;
use crate::ident::Login;

type Answer = Result<Response, Refusal>;

/// Adds the App's routes.
pub(super) fn routes(router: Router<GithubSimulator>) -> Router<GithubSimulator> {
    router
        .route("/app", get(app))
        .route("/app/installations", get(installations))
        .route("/app/installations/{installation}", get(installation))
        .route("/app/installations/{installation}/access_tokens", post(access_token))
        .route("/repos/{owner}/{repo}/installation", get(repository_installation))
        .route("/orgs/{org}/installation", get(organization_installation))
        .route("/users/{login}/installation", get(user_installation))
        .route("/app/hook/config", get(hook_config))
        .route("/app/hook/deliveries", get(deliveries))
        .route("/app/hook/deliveries/{delivery}/attempts", post(redeliver))
}

/// `GET /app`.
async fn app(AppCall(call): AppCall) -> Answer {
    Ok(ok(&Shapes(&call.world).app(hosted(&call)?)))
}

/// `GET /app/installations`: always one.
async fn installations(AppCall(call): AppCall) -> Answer {
    let app = hosted(&call)?;
    let shapes = Shapes(&call.world);
    let owner = call.world.repositories.values().next().map(|repository| repository.name.parts().0.to_owned());
    call.page(&[owner.unwrap_or_default()], |owner| shapes.installation(app, owner))
}

/// `GET /app/installations/{installation}`.
async fn installation(AppCall(call): AppCall) -> Answer {
    check_installation(&call)?;
    let owner = call.world.repositories.values().next().map(|repository| repository.name.parts().0.to_owned());
    installation_for(&call, &owner.unwrap_or_default())
}

/// `GET /repos/{owner}/{repo}/installation`.
async fn repository_installation(AppCall(call): AppCall) -> Answer {
    let owner = call.repository()?.name.parts().0.to_owned();
    installation_for(&call, &owner)
}

/// `GET /orgs/{org}/installation`.
async fn organization_installation(AppCall(call): AppCall) -> Answer {
    let organization = Login::new(call.segment("org")?)?;
    let organization = call.world.account(&organization).ok_or(Refusal::NotFound)?;
    installation_for(&call, organization.login.as_str())
}

/// `GET /users/{login}/installation`.
async fn user_installation(AppCall(call): AppCall) -> Answer {
    let user = Login::new(call.segment("login")?).map_err(|_| Refusal::NotFound)?;
    let user = call.world.account(&user).ok_or(Refusal::NotFound)?;
    installation_for(&call, user.login.as_str())
}

/// `GET /app/hook/config`.
async fn hook_config(AppCall(call): AppCall) -> Answer {
    let config = match &call.world.settings.hook {
        Some(hook) => json!({ "url": hook.url, "content_type": "json", "insecure_ssl": "0", "secret": "********" }),
        None => json!({ "content_type": "json", "insecure_ssl": "0" }),
    };
    Ok(ok(&config))
}

fn hosted(call: &Call) -> Result<&HostedApp, Refusal> {
    call.world.settings.app.as_ref().ok_or(Refusal::NotFound)
}

fn installation_for(call: &Call, owner: &str) -> Answer {
    Ok(ok(&Shapes(&call.world).installation(hosted(call)?, owner)))
}

fn check_installation(call: &Call) -> Result<(), Refusal> {
    if call.number("installation")? == INSTALLATION_ID { Ok(()) } else { Err(Refusal::NotFound) }
}

/// `POST /app/installations/{installation}/access_tokens`.
async fn access_token(AppCall(call): AppCall) -> Answer {
    check_installation(&call)?;
    hosted(&call)?;
    let (token, expires_at) = call.host.mint()?;
    let permissions = Shapes::permissions();
    let body = json!({
        "token": token, "expires_at": expires_at, "permissions": permissions, "repository_selection": "all",
    });
    Ok(answer(StatusCode::CREATED, &body))
}

/// `GET /app/hook/deliveries?status=success|failure`: sent deliveries, newest first.
async fn deliveries(AppCall(call): AppCall) -> Answer {
    let wanted = |outcome: &Outcome| match call.parameter("status") {
        Some("success") => outcome.is_success(),
        Some("failure") => !outcome.is_success(),
        Some(_) | None => true,
    };
    let now = call.host.now();
    let sent: Vec<(u64, &Arc<Delivery>)> = call
        .world
        .deliveries
        .values()
        .rev()
        .filter(|delivery| delivery.is_kept(now) && delivery.outcome.as_ref().is_some_and(wanted))
        .map(|delivery| (delivery.id, delivery))
        .collect();
    call.page_from("cursor", &sent, |delivery| Shapes(&call.world).delivery(delivery).unwrap_or(Value::Null))
}

/// `POST /app/hook/deliveries/{delivery}/attempts`.
async fn redeliver(AppCall(call): AppCall) -> Answer {
    let id = call.number("delivery")?;
    call.host.change(|change| change.redeliver(id))?;
    Ok(answer(StatusCode::ACCEPTED, &json!({})))
}
