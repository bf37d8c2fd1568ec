//! Answers to deployments of GitHub Actions that wait for a protection rule:
//! <https://docs.github.com/en/rest/actions/workflow-runs#review-custom-deployment-protection-rules-for-a-workflow-run>.

use std::sync::Arc;

use crate::ident::ExecutionArn;
use crate::ports::{
    Answer, CallbackError, ExecutionCallback, ProtectedRun, Protection, ProtectionComment, ProtectionDesk, SettleClaim,
};
use crate::request::{CallbackOutcome, ExecutionRef};
use async_trait::async_trait;

/// Answers deployments of Actions at the desk, and passes all other executions on.
#[derive(Clone)]
pub struct ProtectionRouter {
    desk: Arc<dyn ProtectionDesk>,
    others: Arc<dyn ExecutionCallback>,
}

impl ProtectionRouter {
    #[must_use]
    pub fn new(desk: Arc<dyn ProtectionDesk>, others: Arc<dyn ExecutionCallback>) -> Self {
        Self { desk, others }
    }
}

#[async_trait]
impl ExecutionCallback for ProtectionRouter {
    async fn resume(&self, claim: &SettleClaim, answer: &Answer) -> Result<CallbackOutcome, CallbackError> {
        if !ProtectedRun::is(&claim.request().execution) {
            return self.others.resume(claim, answer).await;
        }
        let (protection, comment) = match answer {
            Answer::Success { comment, .. } => (Protection::Approved, comment),
            Answer::Failure { comment, .. } => (Protection::Rejected, comment),
        };
        self.desk.answer(&run(claim)?, protection, comment).await
    }

    async fn is_running(&self, execution: &ExecutionRef) -> Result<bool, CallbackError> {
        // GitHub does not report an end. It shows when GitHub refuses the answer.
        if ProtectedRun::is(&execution.arn) { Ok(true) } else { self.others.is_running(execution).await }
    }

    fn releases(&self, execution: &ExecutionArn) -> bool {
        ProtectedRun::is(execution) || self.others.releases(execution)
    }

    async fn hold(&self, claim: &SettleClaim, comment: &ProtectionComment) {
        if !ProtectedRun::is(&claim.request().execution) {
            return self.others.hold(claim, comment).await;
        }
        // GitHub accepts 10 reports on a deployment. The report of the first attempt is enough.
        let Some(run) = run(claim).ok().filter(|_| claim.is_first_attempt()) else { return };
        if let Err(error) = self.desk.answer(&run, Protection::Waits, comment).await {
            tracing::warn!(request.id = %claim.request().id, reason = %error, "could not report that the deployment is held");
        }
    }
}

fn run(claim: &SettleClaim) -> Result<ProtectedRun, CallbackError> {
    let damaged = || CallbackError { detail: "the stored token is not the address of a run".to_owned() };
    ProtectedRun::of(claim.token()).ok_or_else(damaged)
}

#[cfg(feature = "github")]
mod client {
    use http::Method;
    use serde_json::{Value, json};

    use super::super::client::{Call, CallError, GithubClient};
    use super::super::reader::of;
    use super::{
        CallbackError, CallbackOutcome, ProtectedRun, Protection, ProtectionComment, ProtectionDesk, async_trait,
    };

    #[async_trait]
    impl ProtectionDesk for GithubClient {
        async fn answer(
            &self,
            run: &ProtectedRun,
            protection: Protection,
            comment: &ProtectionComment,
        ) -> Result<CallbackOutcome, CallbackError> {
            let ProtectedRun { repository, run_id, environment } = run;
            // Below our own base URL. The URL in the event is never called.
            let path = format!("/repos/{repository}/actions/runs/{run_id}/deployment_protection_rule");
            let what = format!("the protection rule of `{environment}` in run {run_id} of `{repository}`");
            let call =
                Call::new(Method::POST, path, of(repository), what).with_body(body(environment, protection, comment));
            match self.call(&call).await {
                Ok(_) => Ok(CallbackOutcome::Taken),
                Err(error) if matches!(error.status(), Some(404 | 422)) => {
                    tracing::warn!(reason = %error, "the deployment no longer waits for this answer");
                    Ok(CallbackOutcome::TokenOver)
                }
                Err(
                    error @ (CallError::Refused { .. }
                    | CallError::Unavailable { .. }
                    | CallError::Incomplete { .. }
                    | CallError::Unreadable { .. }),
                ) => Err(CallbackError { detail: error.to_string() }),
            }
        }
    }

    fn body(environment: &str, protection: Protection, comment: &ProtectionComment) -> Value {
        let (name, comment) = (environment, comment.as_str());
        match protection {
            Protection::Waits => json!({ "environment_name": name, "comment": comment }),
            Protection::Approved => json!({ "environment_name": name, "state": "approved", "comment": comment }),
            Protection::Rejected => json!({ "environment_name": name, "state": "rejected", "comment": comment }),
        }
    }
}
