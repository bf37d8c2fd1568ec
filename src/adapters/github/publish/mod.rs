//! Writes check runs, the comment, review requests and deployments to GitHub.
//!
//! A call that creates something is sent once. If its answer is lost, the caller tries again with [`Spot::Unsure`], and the
//! client looks first among what this App (or this token's account) has created. A call that changes something sends the
//! whole content and may be repeated.

mod shape;

use async_trait::async_trait;
use http::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use self::shape::{Author, CheckRuns, CommentShape, Created, DeploymentShape, PullShape};
use super::client::{Call, CallError, GithubClient, Longer};
use super::reader::{escaped, of};
use crate::ident::{PullRequestRef, RepositoryName};
use crate::ports::{PublishContext, Publisher, PublisherError, Spot};
use crate::request::published::{Check, CheckStatus, Deployment, DeploymentStatus, REEVALUATE, Reviewer};

/// How many pages of comments are searched: 10,000 comments.
const COMMENT_PAGES: usize = 100;
/// How many pages of the deployments of one commit are searched.
const DEPLOYMENT_PAGES: usize = 10;

#[async_trait]
impl Publisher for GithubClient {
    async fn context(&self, at: &PullRequestRef) -> Result<PublishContext, PublisherError> {
        let what = format!("the pull request `{at}`");
        // The same call as for the facts, so GitHub mostly answers that nothing was modified.
        let path = format!("/repos/{}/pulls/{}", at.repository, at.number);
        let pull: PullShape = self.sent(Call::get(path, of(&at.repository), &what).conditional()).await?;
        pull.context(&what).map_err(publisher_error)
    }

    async fn put_check(&self, at: &RepositoryName, check: &Check, spot: Spot) -> Result<u64, PublisherError> {
        let what = format!("the check `{}`", check.name);
        let found = match spot {
            Spot::New => None,
            Spot::At(id) => Some(id),
            Spot::Unsure => self.own_check(at, check).await?,
        };
        let call = match found {
            Some(id) => changing(Method::PATCH, at, &format!("check-runs/{id}"), &what),
            None => creating(at, "check-runs", &what),
        };
        self.sent_for_id(call.with_body(check_body(check))).await
    }

    async fn put_comment(&self, at: &PullRequestRef, text: &str, spot: Spot) -> Result<u64, PublisherError> {
        let what = format!("the comment on `{at}`");
        let found = match spot {
            Spot::New => None,
            Spot::At(id) => Some(id),
            Spot::Unsure => self.own_comment(at, text).await?,
        };
        let call = match found {
            Some(id) => changing(Method::PATCH, &at.repository, &format!("issues/comments/{id}"), &what),
            None => creating(&at.repository, &format!("issues/{}/comments", at.number), &what),
        };
        self.sent_for_id(call.with_body(json!({ "body": text }))).await
    }

    async fn request_reviews(&self, at: &PullRequestRef, reviewers: &[Reviewer]) -> Result<(), PublisherError> {
        match self.request_all(at, reviewers).await {
            Err(PublisherError::Refused { .. } | PublisherError::Gone { .. }) if reviewers.len() > 1 => {}
            answer => return answer,
        }
        // GitHub requests all reviewers or nobody. One reviewer that it refuses keeps back all others.
        for reviewer in reviewers {
            match self.request_all(at, std::slice::from_ref(reviewer)).await {
                Ok(()) => {}
                Err(error @ (PublisherError::Refused { .. } | PublisherError::Gone { .. })) => {
                    tracing::warn!(pull_request = %at, %reviewer, reason = %error, "review not requested: GitHub refused it");
                }
                Err(error @ PublisherError::Unavailable { .. }) => return Err(error),
            }
        }
        Ok(())
    }

    async fn put_deployment(
        &self,
        at: &RepositoryName,
        deployment: &Deployment,
        spot: Spot,
    ) -> Result<u64, PublisherError> {
        let found = match spot {
            Spot::New => None,
            Spot::At(id) => Some(id),
            Spot::Unsure => self.own_deployment(at, deployment).await?,
        };
        match found {
            Some(id) => Ok(id),
            None => {
                self.sent_for_id(creating(at, "deployments", "a deployment").with_body(deployment_body(deployment)))
                    .await
            }
        }
    }

    async fn set_deployment(
        &self,
        at: &RepositoryName,
        id: u64,
        status: &DeploymentStatus,
    ) -> Result<(), PublisherError> {
        let call = creating(at, &format!("deployments/{id}/statuses"), "the status of a deployment");
        let body = json!({
            "state": status.state.as_str(),
            "description": status.description,
            // Other services may be deployed to the same environment.
            "auto_inactive": false,
        });
        self.sent_for_id(call.with_body(body)).await.map(drop)
    }
}

impl GithubClient {
    async fn sent<T: DeserializeOwned>(&self, call: Call) -> Result<T, PublisherError> {
        let answer = self.call(&call).await.and_then(|answer| answer.json());
        answer.map_err(publisher_error)
    }

    /// Sends a call that creates or changes something. Returns its id.
    async fn sent_for_id(&self, call: Call) -> Result<u64, PublisherError> {
        self.sent::<Created>(call).await.map(|created| created.id)
    }

    async fn request_all(&self, at: &PullRequestRef, reviewers: &[Reviewer]) -> Result<(), PublisherError> {
        let (mut people, mut teams): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
        for reviewer in reviewers {
            match reviewer {
                Reviewer::Person(login) => people.push(login.as_str()),
                Reviewer::Team(team) => teams.push(team.parts().1),
            }
        }
        let path = format!("pulls/{}/requested_reviewers", at.number);
        // Requesting a review again changes nothing.
        let call = changing(Method::POST, &at.repository, &path, &format!("reviews of `{at}`"));
        let body = json!({ "reviewers": people, "team_reviewers": teams });
        self.sent::<Value>(call.with_body(body)).await.map(drop)
    }

    /// Finds this App's newest check run of that name on the commit. Only Apps create check runs.
    async fn own_check(&self, at: &RepositoryName, check: &Check) -> Result<Option<u64>, PublisherError> {
        let app = self.app_id().map(|id| format!("&app_id={id}")).unwrap_or_default();
        let (head, name) = (escaped(check.head.as_str()), escaped(&check.name));
        let path = format!("/repos/{at}/commits/{head}/check-runs?check_name={name}&filter=latest&per_page=100{app}");
        let runs: CheckRuns = self.sent(Call::get(path, of(at), format!("the check `{}`", check.name))).await?;
        let own = |id: Option<u64>| self.app_id().is_none_or(|app| id == Some(app));
        let found = runs.check_runs.into_iter().find(|run| run.name == check.name && own(run.app_id()));
        Ok(found.map(|run| run.id))
    }

    /// Finds our oldest comment with the same first line. Anybody may write that line, so the author counts.
    async fn own_comment(&self, at: &PullRequestRef, text: &str) -> Result<Option<u64>, PublisherError> {
        let what = format!("the comments on `{at}`");
        let path = format!("/repos/{}/issues/{}/comments?per_page=100", at.repository, at.number);
        let call = Call::get(path, of(&at.repository), &what);
        let listed = self.list::<CommentShape>(call, COMMENT_PAGES, Longer::Cut).await.map_err(publisher_error)?;
        let marker = text.lines().next();
        let marked: Vec<CommentShape> =
            listed.items.into_iter().filter(|comment| comment.first_line() == marker).collect();
        if marked.is_empty() {
            return Ok(None);
        }
        let login = match self.app_id() {
            Some(_) => None,
            None => {
                Some(self.sent::<Author>(Call::get("/user".to_owned(), of(&at.repository), "the account")).await?.login)
            }
        };
        let own = |comment: &&CommentShape| match (self.app_id(), &login) {
            (Some(app), _) => comment.app_id() == Some(app),
            (None, login) => comment.login().is_some() && comment.login() == login.as_deref(),
        };
        Ok(marked.iter().find(own).map(|comment| comment.id))
    }

    /// Finds the deployment of the request by its payload.
    async fn own_deployment(
        &self,
        at: &RepositoryName,
        deployment: &Deployment,
    ) -> Result<Option<u64>, PublisherError> {
        let (sha, environment) = (escaped(deployment.revision.as_str()), escaped(deployment.environment.as_str()));
        let path = format!("/repos/{at}/deployments?sha={sha}&environment={environment}&per_page=100");
        let call = Call::get(path, of(at), "the deployments of a commit");
        let listed =
            self.list::<DeploymentShape>(call, DEPLOYMENT_PAGES, Longer::Cut).await.map_err(publisher_error)?;
        Ok(listed.items.iter().find(|known| known.is_of(&deployment.request)).map(|known| known.id))
    }
}

/// A call that creates something: sent once.
fn creating(at: &RepositoryName, path: &str, what: &str) -> Call {
    Call::new(Method::POST, format!("/repos/{at}/{path}"), of(at), what)
}

/// A call that sends the whole content: it may be repeated.
fn changing(method: Method, at: &RepositoryName, path: &str, what: &str) -> Call {
    Call::new(method, format!("/repos/{at}/{path}"), of(at), what).repeatable()
}

fn check_body(check: &Check) -> Value {
    let button = json!({
        "label": REEVALUATE.label, "description": REEVALUATE.description, "identifier": REEVALUATE.identifier,
    });
    let mut body = json!({
        "name": check.name,
        "head_sha": check.head,
        "external_id": check.request,
        "started_at": check.started_at,
        "output": { "title": check.title, "summary": check.summary, "text": check.text },
        "actions": if check.can_reevaluate { vec![button] } else { Vec::new() },
    });
    let (field, value) = match check.status {
        CheckStatus::Queued => ("status", "queued"),
        CheckStatus::InProgress => ("status", "in_progress"),
        // A conclusion completes the check.
        CheckStatus::Completed(conclusion) => ("conclusion", conclusion.as_str()),
    };
    if let Some(fields) = body.as_object_mut() {
        fields.insert(field.to_owned(), value.into());
        if field == "conclusion" {
            fields.insert("status".to_owned(), "completed".into());
        }
    }
    body
}

fn deployment_body(deployment: &Deployment) -> Value {
    json!({
        "ref": deployment.revision,
        "task": "deploy",
        "auto_merge": false,
        // Otherwise GitHub refuses while any check waits, and ours does.
        "required_contexts": [],
        "payload": { "request_id": deployment.request, "service": deployment.service },
        "environment": deployment.environment,
        "description": deployment.description,
        "transient_environment": false,
        "production_environment": deployment.production,
    })
}

fn publisher_error(error: CallError) -> PublisherError {
    match error {
        CallError::Refused { status: 404 | 410, what, .. } => PublisherError::Gone { what },
        CallError::Refused { status: 400 | 403 | 409 | 422, .. } => {
            PublisherError::Refused { detail: error.to_string() }
        }
        CallError::Refused { .. }
        | CallError::Unavailable { .. }
        | CallError::Incomplete { .. }
        | CallError::Unreadable { .. } => PublisherError::Unavailable { detail: error.to_string() },
    }
}
