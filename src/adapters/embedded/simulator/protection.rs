//! The stand-in's deployments answered in process, through the same rules as over HTTP.

use async_trait::async_trait;

use super::GithubSimulator;
use super::change::ProtectionWrite;
use super::refusal::Refusal;
use crate::ports::{CallbackError, ProtectedRun, Protection, ProtectionComment, ProtectionDesk};
use crate::request::CallbackOutcome;

#[async_trait]
impl ProtectionDesk for GithubSimulator {
    async fn answer(
        &self,
        run: &ProtectedRun,
        protection: Protection,
        comment: &ProtectionComment,
    ) -> Result<CallbackOutcome, CallbackError> {
        if self.world().settings.unavailable {
            return Err(CallbackError { detail: "503 Service unavailable".to_owned() });
        }
        let state = match protection {
            Protection::Waits => None,
            Protection::Approved => Some("approved".to_owned()),
            Protection::Rejected => Some("rejected".to_owned()),
        };
        let environment_name = run.environment.clone();
        let write = ProtectionWrite { environment_name, state, comment: Some(comment.as_str().to_owned()) };
        match self.change(|change| change.answer_protection(&run.repository, run.run_id, &write)) {
            Ok(()) => Ok(CallbackOutcome::Taken),
            Err(refusal) if matches!(refusal.status(), 404 | 422) => Ok(CallbackOutcome::TokenOver),
            Err(refusal) => Err(CallbackError { detail: Refusal::to_string(&refusal) }),
        }
    }
}
