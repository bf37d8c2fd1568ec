//! GitHub's HTTP interface, on the paths of api.github.com.
//!
//! The token says who calls. `Authorization: Bearer standin_<login>` is the account of that login. If an App is set up, it
//! calls with a token that it signs, or with a token of its installation. There are no roles: every account may do
//! everything that GitHub's rules in `change` allow.

mod app;
mod call;
mod envelope;
mod people;
mod published;
mod pulls;
mod response;
mod reviews;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, delete, get, post, put};

pub(super) use self::call::{Call, parse, path_parameters};
pub(super) use self::response::answer;
use super::GithubSimulator;
use super::graphql;
use super::refusal::Refusal;

impl GithubSimulator {
    /// All routes, with GitHub's 404 for every other path.
    ///
    /// GitHub's paths are `/graphql`, on an Enterprise Server `/api/graphql`, and begin with `/repos`, `/repositories`, `/orgs`, `/organizations`, `/user` and `/app`, those of the
    /// control interface with `/_standin`.
    pub fn router(&self) -> Router {
        let router = repository_routes(Router::new())
            .route("/orgs/{org}/teams/{team}", get(people::team))
            .route("/organizations/{organization}/team/{team_id}", get(people::team))
            .route("/graphql", post(graphql::query))
            .route("/api/graphql", post(graphql::query))
            .route("/user", get(people::user))
            .route("/user/{id}", get(people::account_by_id))
            .route("/users/{login}", get(people::account));
        let router = super::control::routes(app::routes(router)).fallback(async || Refusal::NotFound);
        router.layer(from_fn_with_state(self.clone(), envelope::envelope)).with_state(self.clone())
    }
}

fn repository_routes(router: Router<GithubSimulator>) -> Router<GithubSimulator> {
    let pull = "/pulls/{number}";
    let routes: [(String, MethodRouter<GithubSimulator>); 14] = [
        (String::new(), get(pulls::repository)),
        ("/pulls".into(), get(pulls::list).post(pulls::open)),
        (pull.into(), get(pulls::read).patch(pulls::edit)),
        (format!("{pull}/merge"), put(pulls::merge)),
        (format!("{pull}/files"), get(pulls::files)),
        (format!("{pull}/reviews"), get(reviews::list).post(reviews::give)),
        (format!("{pull}/reviews/{{review}}"), get(reviews::read).put(reviews::edit)),
        (format!("{pull}/reviews/{{review}}/events"), post(reviews::submit)),
        (format!("{pull}/reviews/{{review}}/dismissals"), put(reviews::dismiss)),
        ("/issues/{number}/labels".into(), get(pulls::labels).post(pulls::label)),
        ("/issues/{number}/labels/{label}".into(), delete(pulls::unlabel)),
        ("/commits/{sha}/pulls".into(), get(pulls::of_commit)),
        ("/compare/{basehead}".into(), get(pulls::compare)),
        ("/activity".into(), get(pulls::activity)),
    ];
    let router = published::add(router);
    // GitHub's `Link` headers name a repository by its id, so every path exists in both forms.
    routes.into_iter().fold(router, |router, (path, method)| {
        router
            .route(&format!("/repos/{{owner}}/{{repo}}{path}"), method.clone())
            .route(&format!("/repositories/{{repository}}{path}"), method)
    })
}
