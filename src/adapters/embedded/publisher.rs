//! The ports [`Publisher`] and [`ProtectionDesk`] on the GitHub simulator, in process: written as the App's account, under
//! the same rules as over HTTP.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use super::simulator::change::{
    Change, CheckWrite, NewAccount, NewDeployment, NewDeploymentStatus, ProtectionWrite, Reviewers,
};
use super::simulator::published::{CheckAction, CheckOutput, CheckRun};
use super::simulator::world::{AccountType, World};
use super::simulator::{GithubSimulator, Refusal};
use crate::ident::{IdentError, Login, PullRequestRef, RepositoryName};
use crate::ports::{
    CallbackError, ProtectedRun, Protection, ProtectionComment, ProtectionDesk, PublishContext, Publisher,
    PublisherError, Spot,
};
use crate::request::CallbackOutcome;
use crate::request::published::{Check, CheckStatus, Deployment, DeploymentStatus, REEVALUATE, Reviewer};

/// The account that the App acts as if none is set up.
const APP: &str = "countersign[bot]";

#[async_trait]
impl Publisher for GithubSimulator {
    async fn context(&self, at: &PullRequestRef) -> Result<PublishContext, PublisherError> {
        let world = self.writable()?;
        let gone = || PublisherError::Gone { what: format!("the pull request `{at}`") };
        let (repository, pull) = world.repository(&at.repository).zip(world.pull(at)).ok_or_else(gone)?;
        let people = pull.requested_reviewers.iter().filter_map(|id| world.accounts.get(id));
        let people = people.map(|account| Reviewer::Person(account.login.clone()));
        let teams = pull.requested_teams.iter().cloned().map(Reviewer::Team);
        let requested: BTreeSet<Reviewer> = people.chain(teams).collect();
        Ok(PublishContext { public: repository.switches.public, requested })
    }

    async fn put_check(&self, at: &RepositoryName, check: &Check, spot: Spot) -> Result<u64, PublisherError> {
        let world = self.writable()?;
        let write = check_write(check);
        let is_it = |run: &CheckRun| run.name == check.name && run.head_sha == check.head;
        let repository = world.repository(at).map(|repository| repository.id);
        let found = match spot {
            Spot::New => None,
            Spot::At(id) => Some(id),
            Spot::Unsure => {
                let mut runs = world.checks.values().rev().filter(|run| Some(run.repository) == repository);
                runs.find(|run| is_it(run)).map(|run| run.id)
            }
        };
        self.as_app(|change, by| match found {
            Some(id) => change.update_check(by, at, id, &write).map(|()| id),
            None => change.create_check(by, at, &write),
        })
    }

    async fn put_comment(&self, at: &PullRequestRef, text: &str, spot: Spot) -> Result<u64, PublisherError> {
        let world = self.writable()?;
        let found = match spot {
            Spot::New => None,
            Spot::At(id) => Some(id),
            Spot::Unsure => own_comment(&world, at, text),
        };
        self.as_app(|change, by| match found {
            Some(id) => change.edit_comment(&at.repository, id, text).map(|()| id),
            None => change.comment(by, at, text),
        })
    }

    async fn request_reviews(&self, at: &PullRequestRef, reviewers: &[Reviewer]) -> Result<(), PublisherError> {
        self.writable()?;
        for reviewer in reviewers {
            match self.as_app(|change, by| change.request_reviews(by, at, &one(reviewer)).map(|()| 0)) {
                Ok(_) => {}
                Err(PublisherError::Refused { detail }) => {
                    tracing::warn!(pull_request = %at, reviewer = %reviewer, reason = detail, "review not requested");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn put_deployment(&self, at: &RepositoryName, made: &Deployment, spot: Spot) -> Result<u64, PublisherError> {
        let world = self.writable()?;
        let payload = json!({ "request_id": made.request, "service": made.service });
        let found = match spot {
            Spot::New => None,
            Spot::At(id) => Some(id),
            Spot::Unsure => world.deployments.values().find(|known| known.payload == payload).map(|known| known.id),
        };
        if let Some(id) = found {
            return Ok(id);
        }
        let new = NewDeployment {
            reference: made.revision.to_string(),
            required_contexts: Some(Vec::new()),
            payload,
            environment: Some(made.environment.to_string()),
            description: Some(made.description.clone()),
            production_environment: Some(made.production),
            ..NewDeployment::default()
        };
        self.as_app(|change, by| change.deploy(by, at, &new))
    }

    async fn set_deployment(
        &self,
        at: &RepositoryName,
        id: u64,
        status: &DeploymentStatus,
    ) -> Result<(), PublisherError> {
        self.writable()?;
        let new = NewDeploymentStatus {
            state: status.state.as_str().to_owned(),
            description: Some(status.description.clone()),
            auto_inactive: Some(false),
        };
        self.as_app(|change, by| change.set_deployment(by, at, id, &new)).map(drop)
    }
}

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
            Err(refusal) => Err(CallbackError { detail: refusal.to_string() }),
        }
    }
}

impl GithubSimulator {
    fn writable(&self) -> Result<Arc<World>, PublisherError> {
        let world = self.world();
        if world.settings.unavailable {
            return Err(PublisherError::Unavailable { detail: "503 Service unavailable".to_owned() });
        }
        Ok(world)
    }

    /// Makes a change as the App's account, which the first change creates.
    fn as_app(
        &self,
        change: impl FnOnce(&mut Change<'_>, &Login) -> Result<u64, Refusal>,
    ) -> Result<u64, PublisherError> {
        let broken = |error: IdentError| PublisherError::Refused { detail: error.to_string() };
        let slug = self.world().settings.app.as_ref().map(|app| format!("{}[bot]", app.slug));
        let login = Login::new(slug.as_deref().unwrap_or(APP)).map_err(broken)?;
        let done = self.change(|made| {
            made.create_account(&NewAccount { login: login.clone(), id: None, kind: AccountType::Bot })?;
            change(made, &login)
        });
        done.map_err(|refusal| match refusal.status() {
            404 => PublisherError::Gone { what: "what was to be changed".to_owned() },
            500.. => PublisherError::Unavailable { detail: refusal.to_string() },
            _ => PublisherError::Refused { detail: refusal.to_string() },
        })
    }
}

/// The first comment by an App that begins with the same line as `text`.
fn own_comment(world: &World, at: &PullRequestRef, text: &str) -> Option<u64> {
    let marker = text.lines().next()?;
    let pull = world.pull(at)?;
    let by_app = |id| world.accounts.get(&id).is_some_and(|account| account.kind == AccountType::Bot);
    let mut comments = world.comments.values();
    let own = comments.find(|comment| {
        comment.repository == pull.repository
            && comment.number == pull.number
            && by_app(comment.user)
            && comment.body.lines().next() == Some(marker)
    });
    own.map(|comment| comment.id)
}

fn one(reviewer: &Reviewer) -> Reviewers {
    match reviewer {
        Reviewer::Person(login) => Reviewers { reviewers: vec![login.to_string()], team_reviewers: Vec::new() },
        Reviewer::Team(team) => {
            let slug = team.parts().1.to_owned();
            Reviewers { reviewers: Vec::new(), team_reviewers: vec![slug] }
        }
    }
}

fn check_write(check: &Check) -> CheckWrite {
    let (status, conclusion) = match check.status {
        CheckStatus::Queued => ("queued", None),
        CheckStatus::InProgress => ("in_progress", None),
        CheckStatus::Completed(conclusion) => ("completed", Some(conclusion.as_str().to_owned())),
    };
    let reevaluate = CheckAction {
        label: REEVALUATE.label.to_owned(),
        description: REEVALUATE.description.to_owned(),
        identifier: REEVALUATE.identifier.to_owned(),
    };
    CheckWrite {
        name: Some(check.name.clone()),
        head_sha: Some(check.head.clone()),
        external_id: Some(check.request.to_string()),
        status: Some(status.to_owned()),
        conclusion,
        started_at: Some(check.started_at),
        completed_at: None,
        output: Some(CheckOutput {
            title: Some(check.title.clone()),
            summary: Some(check.summary.clone()),
            text: Some(check.text.clone()),
        }),
        actions: Some(if check.can_reevaluate { vec![reevaluate] } else { Vec::new() }),
    }
}
