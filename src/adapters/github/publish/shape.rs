//! The fields of GitHub's answers that publishing reads.

use serde::Deserialize;
use serde_json::Value;

use crate::adapters::github::client::CallError;
use crate::ident::{Login, RepositoryName, RequestId, TeamSlug};
use crate::ports::PublishContext;
use crate::request::published::Reviewer;

/// What a call created or changed.
#[derive(Deserialize)]
pub(super) struct Created {
    pub(super) id: u64,
}

#[derive(Deserialize)]
pub(super) struct Author {
    pub(super) login: String,
}

#[derive(Deserialize)]
struct App {
    id: u64,
}

#[derive(Deserialize)]
pub(super) struct PullShape {
    base: Base,
    #[serde(default)]
    requested_reviewers: Vec<Option<Author>>,
    #[serde(default)]
    requested_teams: Vec<RequestedTeam>,
}

#[derive(Deserialize)]
struct Base {
    repo: Option<Repository>,
}

#[derive(Deserialize)]
struct Repository {
    full_name: RepositoryName,
    private: bool,
}

#[derive(Deserialize)]
struct RequestedTeam {
    slug: Option<String>,
}

impl PullShape {
    pub(super) fn context(self, what: &str) -> Result<PublishContext, CallError> {
        let repository = self.base.repo;
        let repository =
            repository.ok_or_else(|| CallError::unreadable(what, "it does not say which repository it is of"))?;
        let owner = repository.full_name.parts().0;
        let people = self.requested_reviewers.into_iter().flatten().filter_map(|person| Login::new(&person.login).ok());
        let slugs = self.requested_teams.into_iter().filter_map(|team| team.slug);
        let teams = slugs.filter_map(|slug| TeamSlug::new(&format!("{owner}/{slug}")).ok());
        let requested = people.map(Reviewer::Person).chain(teams.map(Reviewer::Team)).collect();
        Ok(PublishContext { public: !repository.private, requested })
    }
}

#[derive(Deserialize)]
pub(super) struct CheckRuns {
    pub(super) check_runs: Vec<CheckRunShape>,
}

#[derive(Deserialize)]
pub(super) struct CheckRunShape {
    pub(super) id: u64,
    pub(super) name: String,
    app: Option<App>,
}

impl CheckRunShape {
    pub(super) fn app_id(&self) -> Option<u64> {
        self.app.as_ref().map(|app| app.id)
    }
}

#[derive(Deserialize)]
pub(super) struct CommentShape {
    pub(super) id: u64,
    body: Option<String>,
    user: Option<Author>,
    performed_via_github_app: Option<App>,
}

impl CommentShape {
    pub(super) fn first_line(&self) -> Option<&str> {
        self.body.as_deref().and_then(|body| body.lines().next())
    }

    /// The App that wrote it.
    pub(super) fn app_id(&self) -> Option<u64> {
        self.performed_via_github_app.as_ref().map(|app| app.id)
    }

    pub(super) fn login(&self) -> Option<&str> {
        self.user.as_ref().map(|user| user.login.as_str())
    }
}

/// GitHub returns a payload as it was sent, or as text.
#[derive(Deserialize)]
pub(super) struct DeploymentShape {
    pub(super) id: u64,
    #[serde(default)]
    payload: Value,
}

impl DeploymentShape {
    pub(super) fn is_of(&self, request: &RequestId) -> bool {
        let read = self.payload.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
        let payload = read.as_ref().unwrap_or(&self.payload);
        payload.get("request_id").and_then(Value::as_str) == Some(request.as_str())
    }
}
