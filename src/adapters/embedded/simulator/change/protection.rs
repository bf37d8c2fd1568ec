//! Deployments of workflow runs that wait for a custom protection rule, and the App's answers to them.
//!
//! What GitHub accepts:
//! <https://docs.github.com/en/rest/actions/workflow-runs#review-custom-deployment-protection-rules-for-a-workflow-run>.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::{Change, HookEvent, Refusal, payload};
use crate::adapters::embedded::simulator::published::{Deployment, Protected, ProtectionAnswer};
use crate::ident::{Login, RepositoryName, Revision};

/// The most characters of a comment.
const COMMENT: usize = 1024;
/// The most reports on one deployment.
const REPORTS: usize = 10;

/// A workflow run that reaches a protected environment.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewProtected {
    /// Who started the workflow.
    pub by: Login,
    pub environment: String,
    pub sha: Revision,
    /// The branch. Default: `main`.
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    /// The event that started the workflow. Default: `push`.
    pub event: Option<String>,
}

/// The App's answer, in the shape of GitHub's REST.
#[derive(Debug, Clone, Deserialize)]
pub struct ProtectionWrite {
    pub environment_name: String,
    /// `approved` or `rejected`. `None` is a report.
    pub state: Option<String>,
    /// Required in a report.
    pub comment: Option<String>,
}

impl Change<'_> {
    /// A run reaches the environment. Queues a delivery, and returns the run's id.
    ///
    /// # Errors
    /// The account or repository does not exist.
    pub fn deploy_from_actions(&mut self, name: &RepositoryName, new: &NewProtected) -> Result<u64, Refusal> {
        let (creator, repository) = (self.account(&new.by)?.id, self.repository(name)?.id);
        let (id, run_id) = (self.next_id(), self.next_id());
        let deployment = Deployment {
            id,
            repository,
            sha: new.sha.clone(),
            reference: new.reference.clone().unwrap_or_else(|| "main".to_owned()),
            task: "deploy".to_owned(),
            environment: new.environment.clone(),
            description: None,
            payload: Value::Object(serde_json::Map::new()),
            creator,
            transient: false,
            production: new.environment == "production",
            created_at: self.now,
            statuses: Vec::new(),
            protection: Some(Protected { run_id, answers: Vec::new() }),
        };
        let event = new.event.as_deref().unwrap_or("push");
        let body = payload::deployment_protection_rule(self.world, &deployment, (run_id, event));
        self.world.deployments.insert(id, Arc::new(deployment));
        self.queue(HookEvent::DeploymentProtectionRule, Some(repository), &body);
        Ok(run_id)
    }

    /// Stores an answer, or a report that the deployment keeps waiting.
    ///
    /// # Errors
    /// The run does not wait for this environment, was answered before, or GitHub does not accept the answer.
    pub fn answer_protection(
        &mut self,
        name: &RepositoryName,
        run: u64,
        write: &ProtectionWrite,
    ) -> Result<(), Refusal> {
        let repository = self.repository(name)?.id;
        let waits = |deployment: &&mut Arc<Deployment>| {
            deployment.repository == repository
                && deployment.environment.eq_ignore_ascii_case(&write.environment_name)
                && deployment.protection.as_ref().is_some_and(|protection| protection.run_id == run)
        };
        let found = self.world.deployments.values_mut().find(waits).map(Arc::make_mut);
        let protection = found.and_then(|deployment| deployment.protection.as_mut()).ok_or(Refusal::NotFound)?;
        let comment = write.comment.clone().unwrap_or_default();
        if protection.answers.iter().any(|answer| answer.state.is_some()) {
            return Err(Refusal::rule("The deployment protection rule was answered before"));
        }
        if comment.chars().count() > COMMENT {
            return Err(Refusal::rule(format!("Comment is too long (maximum is {COMMENT} characters)")));
        }
        match write.state.as_deref() {
            Some("approved" | "rejected") => {}
            Some(state) => return Err(Refusal::rule(format!("State {state} is not included in the list"))),
            None if comment.is_empty() || protection.answers.len() >= REPORTS => {
                return Err(Refusal::rule("Status reports have a comment, and are at most 10"));
            }
            None => {}
        }
        protection.answers.push(ProtectionAnswer { state: write.state.clone(), comment });
        Ok(())
    }
}
