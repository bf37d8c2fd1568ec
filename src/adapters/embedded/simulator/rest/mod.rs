//! GitHub's REST interface, on the paths of api.github.com.
//!
//! A caller is the account whose login stands in the token: `Authorization: Bearer standin_<login>`; or the App, where
//! one is set up, with a token that it signs and the tokens of its installation that it gets for that. Anybody known may
//! do anything that GitHub's rules allow at all: there are no roles. Knows no rules: those are in `change`.

mod app;
mod call;
mod envelope;
mod people;
mod published;
mod pulls;
mod reviews;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, post, put};
use serde_json::Value;

pub(super) use self::call::{parse, path_parameters};
use super::GithubSimulator;

use super::refusal::Refusal;

impl GithubSimulator {
    /// Everything it answers, with GitHub's 404 for the rest: a host of its own.
    ///
    /// GitHub's paths begin with `/repos`, `/repositories`, `/orgs`, `/organizations`, `/user` and `/app`, the control
    /// surface's with `/_standin`.
    pub fn router(&self) -> Router {
        let router = repository_routes(Router::new())
            .route("/orgs/{org}/teams/{team}", get(people::team))
            .route("/organizations/{organization}/team/{team_id}", get(people::team))
            .route("/orgs/{org}/teams/{team}/members", get(people::members))
            .route("/organizations/{organization}/team/{team_id}/members", get(people::members))
            .route("/orgs/{org}/teams/{team}/memberships/{login}", get(people::membership))
            .route("/organizations/{organization}/team/{team_id}/memberships/{login}", get(people::membership))
            .route("/user", get(people::user))
            .route("/user/{id}", get(people::account_by_id))
            .route("/users/{login}", get(people::account));
        let router = super::control::routes(app::routes(router)).fallback(async || Refusal::NotFound);
        router.layer(from_fn_with_state(self.clone(), envelope::envelope)).with_state(self.clone())
    }
}

fn repository_routes(router: Router<GithubSimulator>) -> Router<GithubSimulator> {
    let pull = "/pulls/{number}";
    let routes: [(String, MethodRouter<GithubSimulator>); 15] = [
        (String::new(), get(pulls::repository)),
        ("/pulls".into(), get(pulls::list).post(pulls::open)),
        (pull.into(), get(pulls::show).patch(pulls::edit)),
        (format!("{pull}/merge"), put(pulls::merge)),
        (format!("{pull}/files"), get(pulls::files)),
        (format!("{pull}/commits"), get(pulls::commits)),
        (format!("{pull}/reviews"), get(reviews::list).post(reviews::give)),
        (format!("{pull}/reviews/{{review}}"), get(reviews::show).put(reviews::edit)),
        (format!("{pull}/reviews/{{review}}/events"), post(reviews::submit)),
        (format!("{pull}/reviews/{{review}}/dismissals"), put(reviews::dismiss)),
        ("/issues/{number}/labels".into(), get(pulls::labels).post(pulls::label)),
        ("/issues/{number}/labels/{label}".into(), delete(pulls::unlabel)),
        ("/issues/{number}/events".into(), get(pulls::events)),
        ("/commits/{sha}/pulls".into(), get(pulls::of_commit)),
        ("/activity".into(), get(pulls::activity)),
    ];
    let router = published::add(router);
    // GitHub's `Link` headers name a repository by its id, so that everything answers under both.
    routes.into_iter().fold(router, |router, (path, method)| {
        router
            .route(&format!("/repos/{{owner}}/{{repo}}{path}"), method.clone())
            .route(&format!("/repositories/{{repository}}{path}"), method)
    })
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        answer(status, &self.body())
    }
}

/// JSON, as GitHub sends it.
pub(super) fn answer(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json; charset=utf-8")], body.to_string()).into_response()
}

/// 200 and JSON.
fn ok(body: &Value) -> Response {
    answer(StatusCode::OK, body)
}
