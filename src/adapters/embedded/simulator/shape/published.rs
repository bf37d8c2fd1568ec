//! Check runs, comments and deployments in GitHub's JSON.

use serde_json::{Value, json};

use super::{Shapes, instant, node_id};
use crate::adapters::embedded::simulator::published::{CheckRun, Comment, Deployment, DeploymentStatus};
use crate::adapters::embedded::simulator::pull::PullRequest;
use crate::adapters::embedded::simulator::world::{AccountType, Repository};
use crate::ident::UserId;

impl Shapes<'_> {
    fn repository_of(&self, id: u64) -> String {
        self.0.repositories.get(&id).map(|repository| repository.name.to_string()).unwrap_or_default()
    }

    /// The App, or null if none is set up.
    fn hosted_app(&self) -> Value {
        self.0.settings.app.as_ref().map_or(Value::Null, |app| self.app(app))
    }

    /// `check-run`.
    pub(in super::super) fn check_run(&self, run: &CheckRun) -> Value {
        let name = self.repository_of(run.repository);
        let url = self.api(&format!("/repos/{name}/check-runs/{}", run.id));
        let app = self.hosted_app();
        let pulls: Vec<Value> = self
            .0
            .pulls_of(run.repository)
            .filter(|pull| pull.head.sha == run.head_sha && pull.head.repository.as_str() == name)
            .map(|pull| self.pull_minimal(pull))
            .collect();
        json!({
            "id": run.id,
            "node_id": node_id("CR", run.id),
            "head_sha": run.head_sha,
            "external_id": run.external_id,
            "url": url,
            "html_url": self.web(&format!("/{name}/runs/{}", run.id)),
            // Default: the App's URL. Nobody sets another.
            "details_url": app.get("external_url"),
            "status": run.status,
            "conclusion": run.conclusion,
            "started_at": instant(run.started_at),
            "completed_at": instant(run.completed_at),
            "name": run.name,
            "output": {
                "title": run.output.title, "summary": run.output.summary, "text": run.output.text,
                "annotations_count": 0, "annotations_url": format!("{url}/annotations"),
            },
            "check_suite": { "id": run.repository },
            "app": app,
            "pull_requests": pulls,
        })
    }

    /// `pull-request-minimal`.
    fn pull_minimal(&self, pull: &PullRequest) -> Value {
        let name = self.repository_of(pull.repository);
        let repo = |id: u64, name: &str| json!({ "id": id, "name": name.split('/').next_back(), "url": self.api(&format!("/repos/{name}")) });
        json!({
            "id": pull.id,
            "number": pull.number,
            "url": self.api(&format!("/repos/{name}/pulls/{}", pull.number)),
            "head": { "ref": pull.head.branch, "sha": pull.head.sha, "repo": repo(pull.repository, &name) },
            "base": { "ref": pull.base, "sha": pull.base_sha, "repo": repo(pull.repository, &name) },
        })
    }

    /// `issue-comment`.
    pub(in super::super) fn comment(&self, comment: &Comment) -> Value {
        let name = self.repository_of(comment.repository);
        let api = self.api(&format!("/repos/{name}/issues"));
        let web = self.web(&format!("/{name}/pull/{}", comment.number));
        let by_app = self.0.accounts.get(&comment.user).is_some_and(|account| account.kind == AccountType::Bot);
        json!({
            "id": comment.id,
            "node_id": node_id("IC", comment.id),
            "url": format!("{api}/comments/{}", comment.id),
            "html_url": format!("{web}#issuecomment-{}", comment.id),
            "issue_url": format!("{api}/{}", comment.number),
            "user": self.user(comment.user),
            "body": comment.body,
            "created_at": comment.created_at,
            "updated_at": comment.updated_at,
            "author_association": "NONE",
            "performed_via_github_app": if by_app { self.hosted_app() } else { Value::Null },
        })
    }

    /// `deployment`.
    pub(in super::super) fn deployment(&self, deployment: &Deployment) -> Value {
        let name = self.repository_of(deployment.repository);
        let url = self.api(&format!("/repos/{name}/deployments/{}", deployment.id));
        let updated_at = deployment.statuses.last().map_or(deployment.created_at, |status| status.created_at);
        json!({
            "id": deployment.id,
            "node_id": node_id("DE", deployment.id),
            "url": url,
            "sha": deployment.sha,
            "ref": deployment.reference,
            "task": deployment.task,
            "payload": deployment.payload,
            "original_environment": deployment.environment,
            "environment": deployment.environment,
            "description": deployment.description,
            "creator": self.user(deployment.creator),
            "created_at": deployment.created_at,
            "updated_at": updated_at,
            "statuses_url": format!("{url}/statuses"),
            "repository_url": self.api(&format!("/repos/{name}")),
            "transient_environment": deployment.transient,
            "production_environment": deployment.production,
            "performed_via_github_app": null,
        })
    }

    /// `deployment-status`.
    pub(in super::super) fn deployment_status(&self, deployment: &Deployment, status: &DeploymentStatus) -> Value {
        let name = self.repository_of(deployment.repository);
        let url = self.api(&format!("/repos/{name}/deployments/{}", deployment.id));
        json!({
            "id": status.id,
            "node_id": node_id("DES", status.id),
            "url": format!("{url}/statuses/{}", status.id),
            "state": status.state,
            "creator": self.user(status.creator),
            "description": status.description,
            "environment": deployment.environment,
            "target_url": "",
            "log_url": "",
            "environment_url": "",
            "created_at": status.created_at,
            "updated_at": status.created_at,
            "deployment_url": url,
            "repository_url": self.api(&format!("/repos/{name}")),
            "performed_via_github_app": null,
        })
    }

    /// The people and the teams whose review is requested.
    pub(in super::super) fn requested(&self, pull: &PullRequest) -> (Vec<Value>, Vec<Value>) {
        let known = |id: &&UserId| self.0.accounts.contains_key(id);
        let people = pull.requested_reviewers.iter().filter(known).map(|id| self.user(*id)).collect();
        let teams = pull.requested_teams.iter().filter_map(|team| self.0.teams.get(team));
        (people, teams.map(|team| self.requested_team(team)).collect())
    }

    fn requested_team(&self, team: &super::super::world::Team) -> Value {
        super::with(self.team(team), json!({ "parent": null }))
    }

    /// The `check_run` of a delivery, which has more of its suite.
    pub(in super::super) fn check_event(&self, repository: &Repository, run: &CheckRun) -> Value {
        let suite = json!({
            "id": run.repository, "node_id": node_id("CS", run.repository), "head_sha": run.head_sha,
            "head_branch": null, "status": "in_progress", "conclusion": null, "before": null, "after": null,
            "url": self.api(&format!("/repos/{}/check-suites/{}", repository.name, run.repository)),
            "app": self.hosted_app(), "pull_requests": [],
            "created_at": instant(run.started_at), "updated_at": instant(run.started_at),
        });
        super::with(self.check_run(run), json!({ "check_suite": suite }))
    }
}
