//! Check runs, comments, deployments and review requests: what GitHub accepts, and what it refuses.
//!
//! GitHub's API description lacks some limits. They are from <https://docs.github.com/en/rest/checks/runs> and
//! <https://docs.github.com/en/rest/deployments/deployments>, or were observed.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Change;
use crate::adapters::embedded::simulator::delivery::HookEvent;
use crate::adapters::embedded::simulator::payload;
use crate::adapters::embedded::simulator::published::{
    CheckAction, CheckOutput, CheckRun, Comment, Deployment, DeploymentStatus,
};
use crate::adapters::embedded::simulator::refusal::Refusal;
use crate::adapters::embedded::simulator::shape::Shapes;
use crate::adapters::embedded::simulator::world::AccountType;
use crate::ident::{Login, PullRequestRef, RepositoryName, Revision, TeamSlug, UserId};

/// The most bytes of a summary, and of a text.
const LONGEST_OUTPUT: usize = 65_535;
/// The most characters of a comment.
const LONGEST_COMMENT: usize = 65_536;
/// The most characters of the description of a deployment or of its status.
const LONGEST_DESCRIPTION: usize = 140;
const CONCLUSIONS: [&str; 7] =
    ["action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out"];
const STATES: [&str; 7] = ["error", "failure", "inactive", "in_progress", "queued", "pending", "success"];

/// A check run to create or to change, in the shape of GitHub's REST.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct CheckWrite {
    pub name: Option<String>,
    /// Only for a new one.
    pub head_sha: Option<Revision>,
    pub external_id: Option<String>,
    pub status: Option<String>,
    pub conclusion: Option<String>,
    pub started_at: Option<Timestamp>,
    pub completed_at: Option<Timestamp>,
    pub output: Option<CheckOutput>,
    pub actions: Option<Vec<CheckAction>>,
}

/// People and teams whose review is requested, or no longer, in the shape of GitHub's REST.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Reviewers {
    pub reviewers: Vec<String>,
    /// Slugs, without the organization.
    pub team_reviewers: Vec<String>,
}

/// A deployment to create, in the shape of GitHub's REST.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct NewDeployment {
    /// A commit, branch or tag.
    #[serde(rename = "ref")]
    pub reference: String,
    pub task: Option<String>,
    /// Checks that must have succeeded. Default: all.
    pub required_contexts: Option<Vec<String>>,
    pub payload: Value,
    pub environment: Option<String>,
    pub description: Option<String>,
    pub transient_environment: bool,
    pub production_environment: Option<bool>,
}

/// A status to add to a deployment, in the shape of GitHub's REST.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct NewDeploymentStatus {
    pub state: String,
    pub description: Option<String>,
    /// Whether earlier deployments to the environment become inactive. Default: true.
    pub auto_inactive: Option<bool>,
}

impl Change<'_> {
    /// # Errors
    /// The caller is no App, the commit is unknown, or a limit is exceeded.
    pub fn create_check(&mut self, by: &Login, name: &RepositoryName, new: &CheckWrite) -> Result<u64, Refusal> {
        self.only_apps(by)?;
        let repository = self.repository(name)?;
        let invalid = |field, detail: &str| Refusal::Invalid { resource: "CheckRun", field, detail: detail.to_owned() };
        let called = new.name.clone().ok_or_else(|| invalid("name", "is missing"))?;
        let head = new.head_sha.clone().ok_or_else(|| invalid("head_sha", "is missing"))?;
        let known = self.world.pulls_of(repository.id).any(|pull| pull.seen.contains(&head))
            || repository.branches.values().any(|branch| branch.head == head);
        if !known {
            return Err(Refusal::rule(format!("No commit found for SHA: {head}")));
        }
        let id = self.next_id();
        let run = CheckRun {
            id,
            repository: repository.id,
            head_sha: head,
            name: called,
            external_id: String::new(),
            status: "queued".to_owned(),
            conclusion: None,
            started_at: Some(self.now),
            completed_at: None,
            output: CheckOutput::default(),
            actions: Vec::new(),
            writes: 0,
        };
        let run = self.apply(run, new)?;
        self.world.checks.insert(id, Arc::new(run));
        Ok(id)
    }

    /// # Errors
    /// As [`Change::create_check`].
    pub fn update_check(
        &mut self,
        by: &Login,
        name: &RepositoryName,
        id: u64,
        write: &CheckWrite,
    ) -> Result<(), Refusal> {
        self.only_apps(by)?;
        let repository = self.repository(name)?.id;
        let run = self.world.checks.get(&id).filter(|run| run.repository == repository).ok_or(Refusal::NotFound)?;
        let run = self.apply(CheckRun::clone(run), write)?;
        self.world.checks.insert(id, Arc::new(run));
        Ok(())
    }

    fn only_apps(&self, by: &Login) -> Result<(), Refusal> {
        if self.account(by)?.kind == AccountType::Bot {
            return Ok(());
        }
        Err(Refusal::Forbidden { detail: "You must authenticate via a GitHub App." })
    }

    fn apply(&self, mut run: CheckRun, write: &CheckWrite) -> Result<CheckRun, Refusal> {
        let invalid = |field, detail: String| Refusal::Invalid { resource: "CheckRun", field, detail };
        run.name = write.name.clone().unwrap_or(run.name);
        run.external_id = write.external_id.clone().unwrap_or(run.external_id);
        run.started_at = write.started_at.or(run.started_at);
        match (write.status.as_deref(), &write.conclusion) {
            (Some("completed"), None) => {
                return Err(invalid("conclusion", "is required if the status is completed".to_owned()));
            }
            (Some(status @ ("queued" | "in_progress")), None) => {
                (run.status, run.conclusion, run.completed_at) = (status.to_owned(), None, None);
            }
            // A conclusion completes the run, whatever the status is.
            (_, Some(conclusion)) => {
                if !CONCLUSIONS.contains(&conclusion.as_str()) {
                    return Err(invalid("conclusion", format!("`{conclusion}` is not a conclusion")));
                }
                (run.status, run.conclusion) = ("completed".to_owned(), Some(conclusion.clone()));
                run.completed_at = write.completed_at.or(Some(self.now));
            }
            (Some(status), None) => return Err(invalid("status", format!("`{status}` is not a status"))),
            (None, None) => {}
        }
        if let Some(output) = &write.output {
            run.output = checked_output(output)?;
        }
        if let Some(actions) = &write.actions {
            run.actions = checked_actions(actions)?;
        }
        run.writes += 1;
        Ok(run)
    }

    /// Somebody requests a check run again, or presses one of its buttons.
    ///
    /// # Errors
    /// The check run or the button does not exist.
    pub fn press(&mut self, by: &Login, name: &RepositoryName, id: u64, button: Option<&str>) -> Result<(), Refusal> {
        let by = self.account(by)?.id;
        let repository = self.repository(name)?;
        let run = self.world.checks.get(&id).filter(|run| run.repository == repository.id).cloned();
        let run = run.ok_or(Refusal::NotFound)?;
        if let Some(button) = button
            && run.actions.iter().all(|action| action.identifier != button)
        {
            return Err(Refusal::rule(format!("the check has no button `{button}`")));
        }
        let payload = payload::check_run(self.world, (&repository, &run), by, button);
        self.queue(HookEvent::CheckRun, Some(repository.id), &payload);
        Ok(())
    }

    /// # Errors
    /// The pull request does not exist, or the text is blank or too long.
    pub fn comment(&mut self, by: &Login, at: &PullRequestRef, body: &str) -> Result<u64, Refusal> {
        let user = self.account(by)?.id;
        let pull = self.pull(at)?;
        check_comment(body)?;
        let id = self.next_id();
        let (now, body) = (self.now, body.to_owned());
        let (repository, number) = (pull.repository, pull.number);
        let comment = Comment { id, repository, number, user, body, created_at: now, updated_at: now, writes: 1 };
        self.world.comments.insert(id, Arc::new(comment));
        Ok(id)
    }

    /// Changes a comment's text. As on GitHub, with write access one may edit the comments of others.
    ///
    /// # Errors
    /// As [`Change::comment`].
    pub fn edit_comment(&mut self, name: &RepositoryName, id: u64, body: &str) -> Result<(), Refusal> {
        let repository = self.repository(name)?.id;
        check_comment(body)?;
        let now = self.now;
        let comment = self.world.comments.get_mut(&id).filter(|comment| comment.repository == repository);
        let comment = Arc::make_mut(comment.ok_or(Refusal::NotFound)?);
        body.clone_into(&mut comment.body);
        comment.updated_at = now;
        comment.writes += 1;
        Ok(())
    }

    /// # Errors
    /// [`Refusal::NotFound`].
    pub fn delete_comment(&mut self, name: &RepositoryName, id: u64) -> Result<(), Refusal> {
        let repository = self.repository(name)?.id;
        self.world.comments.get(&id).filter(|comment| comment.repository == repository).ok_or(Refusal::NotFound)?;
        self.world.comments.remove(&id);
        Ok(())
    }

    /// Requests reviews from all who are named, or from nobody.
    ///
    /// # Errors
    /// One of them is the author, or is no collaborator.
    pub fn request_reviews(&mut self, by: &Login, at: &PullRequestRef, new: &Reviewers) -> Result<(), Refusal> {
        let by = self.account(by)?.id;
        let (people, teams) = self.reviewers(at, new)?;
        if people.contains(&self.pull(at)?.author) {
            return Err(Refusal::rule("Review cannot be requested from pull request author."));
        }
        for id in people {
            if self.pull_mut(at)?.requested_reviewers.insert(id) {
                let who = json!({ "requested_reviewer": Shapes(self.world).user(id) });
                self.queue_pull_request(at, by, "review_requested", who)?;
            }
        }
        for team in teams {
            if self.pull_mut(at)?.requested_teams.insert(team.clone()) {
                let who = self.world.teams.get(&team).map(|team| Shapes(self.world).team(team));
                self.queue_pull_request(at, by, "review_requested", json!({ "requested_team": who }))?;
            }
        }
        Ok(())
    }

    /// Removes review requests.
    ///
    /// # Errors
    /// As [`Change::request_reviews`].
    pub fn unrequest_reviews(&mut self, by: &Login, at: &PullRequestRef, old: &Reviewers) -> Result<(), Refusal> {
        let by = self.account(by)?.id;
        let (people, teams) = self.reviewers(at, old)?;
        for id in people {
            if self.pull_mut(at)?.requested_reviewers.remove(&id) {
                let who = json!({ "requested_reviewer": Shapes(self.world).user(id) });
                self.queue_pull_request(at, by, "review_request_removed", who)?;
            }
        }
        for team in teams {
            if self.pull_mut(at)?.requested_teams.remove(&team) {
                let who = self.world.teams.get(&team).map(|team| Shapes(self.world).team(team));
                self.queue_pull_request(at, by, "review_request_removed", json!({ "requested_team": who }))?;
            }
        }
        Ok(())
    }

    fn reviewers(
        &self,
        at: &PullRequestRef,
        named: &Reviewers,
    ) -> Result<(BTreeSet<UserId>, BTreeSet<TeamSlug>), Refusal> {
        let outsider = || {
            Refusal::rule(format!(
                "Reviews may only be requested from collaborators. One or more of the users or teams you specified is not \
                 a collaborator of the {} repository.",
                at.repository
            ))
        };
        let person = |login: &String| {
            let account = Login::new(login).ok().and_then(|login| self.world.account(&login).cloned());
            let account = account.filter(|account| account.kind == AccountType::User).ok_or_else(outsider)?;
            Ok(account.id)
        };
        let team = |slug: &String| {
            let team = TeamSlug::new(&format!("{}/{slug}", at.repository.parts().0)).ok();
            team.filter(|team| self.world.teams.contains_key(team)).ok_or_else(outsider)
        };
        let people: Result<BTreeSet<UserId>, Refusal> = named.reviewers.iter().map(person).collect();
        let teams: Result<BTreeSet<TeamSlug>, Refusal> = named.team_reviewers.iter().map(team).collect();
        Ok((people?, teams?))
    }

    /// # Errors
    /// The commit is unknown, the description is too long, or a required check has not succeeded.
    pub fn deploy(&mut self, by: &Login, name: &RepositoryName, new: &NewDeployment) -> Result<u64, Refusal> {
        let creator = self.account(by)?.id;
        let repository = self.repository(name)?;
        let sha = match repository.branches.get(&new.reference) {
            Some(branch) => branch.head.clone(),
            None => self.commit_of(repository.id, &new.reference)?,
        };
        let waits = |run: &Arc<CheckRun>| run.head_sha == sha && run.conclusion.as_deref() != Some("success");
        if new.required_contexts.is_none() && self.world.checks.values().any(waits) {
            return Err(Refusal::Conflict { detail: format!("Conflict: Commit status checks failed for {sha}") });
        }
        check_description("Deployment", new.description.as_deref())?;
        let id = self.next_id();
        let environment = new.environment.clone().unwrap_or_else(|| "production".to_owned());
        let deployment = Deployment {
            id,
            repository: repository.id,
            sha,
            reference: new.reference.clone(),
            task: new.task.clone().unwrap_or_else(|| "deploy".to_owned()),
            production: new.production_environment.unwrap_or(environment == "production"),
            environment,
            description: new.description.clone(),
            payload: new.payload.clone(),
            creator,
            transient: new.transient_environment,
            created_at: self.now,
            statuses: Vec::new(),
            protection: None,
        };
        self.world.deployments.insert(id, Arc::new(deployment));
        Ok(id)
    }

    fn commit_of(&self, repository: u64, reference: &str) -> Result<Revision, Refusal> {
        let unknown = || Refusal::rule(format!("No ref found for: {reference}"));
        let sha = Revision::new(reference).map_err(|_| unknown())?;
        let known =
            |pull: &Arc<super::PullRequest>| pull.seen.contains(&sha) || pull.merge_commit_sha.as_ref() == Some(&sha);
        let known = self.world.pulls_of(repository).any(known);
        known.then_some(sha).ok_or_else(unknown)
    }

    /// Adds a status to a deployment.
    ///
    /// # Errors
    /// The deployment or the state does not exist, or the description is too long.
    pub fn set_deployment(
        &mut self,
        by: &Login,
        name: &RepositoryName,
        id: u64,
        new: &NewDeploymentStatus,
    ) -> Result<u64, Refusal> {
        let creator = self.account(by)?.id;
        let repository = self.repository(name)?.id;
        if !STATES.contains(&new.state.as_str()) {
            let detail = format!("`{}` is not a state", new.state);
            return Err(Refusal::Invalid { resource: "DeploymentStatus", field: "state", detail });
        }
        check_description("DeploymentStatus", new.description.as_deref())?;
        let known = self.world.deployments.get(&id).filter(|deployment| deployment.repository == repository).cloned();
        let known = known.ok_or(Refusal::NotFound)?;
        let mut set = vec![(id, new.state.clone(), new.description.clone().unwrap_or_default())];
        if new.state == "success" && new.auto_inactive.unwrap_or(true) {
            let before = |other: &&Arc<Deployment>| {
                other.id != id
                    && other.repository == repository
                    && other.environment == known.environment
                    && !other.transient
                    && !other.production
                    && other.statuses.last().is_some_and(|status| status.state == "success")
            };
            let before = self.world.deployments.values().filter(before);
            set.extend(before.map(|other| (other.id, "inactive".to_owned(), String::new())));
        }
        let mut last = 0;
        for (id, state, description) in set.into_iter().rev() {
            last = self.next_id();
            let status = DeploymentStatus { id: last, creator, state, description, created_at: self.now };
            if let Some(deployment) = self.world.deployments.get_mut(&id) {
                Arc::make_mut(deployment).statuses.push(status);
            }
        }
        Ok(last)
    }
}

/// GitHub counts bytes here, which its description does not say.
fn checked_output(output: &CheckOutput) -> Result<CheckOutput, Refusal> {
    let invalid = |field, detail: String| Refusal::Invalid { resource: "CheckRun", field, detail };
    if output.title.is_none() || output.summary.is_none() {
        return Err(invalid("output", "needs a title and a summary".to_owned()));
    }
    for (field, text) in [("summary", &output.summary), ("text", &output.text)] {
        if text.as_ref().is_some_and(|text| text.len() > LONGEST_OUTPUT) {
            return Err(invalid(field, format!("exceeds a maximum bytesize of {LONGEST_OUTPUT}")));
        }
    }
    Ok(output.clone())
}

fn checked_actions(actions: &[CheckAction]) -> Result<Vec<CheckAction>, Refusal> {
    let long = |text: &str, most: usize| text.is_empty() || text.chars().count() > most;
    let unfit = |a: &CheckAction| long(&a.label, 20) || long(&a.description, 40) || long(&a.identifier, 20);
    if actions.len() > 3 || actions.iter().any(unfit) {
        let detail = "at most 3, with 20, 40 and 20 characters".to_owned();
        return Err(Refusal::Invalid { resource: "CheckRun", field: "actions", detail });
    }
    Ok(actions.to_vec())
}

fn check_comment(body: &str) -> Result<(), Refusal> {
    let detail = match body.trim().is_empty() {
        true => "can't be blank".to_owned(),
        false if body.chars().count() > LONGEST_COMMENT => {
            format!("is too long (maximum is {LONGEST_COMMENT} characters)")
        }
        false => return Ok(()),
    };
    Err(Refusal::Invalid { resource: "IssueComment", field: "body", detail })
}

fn check_description(resource: &'static str, description: Option<&str>) -> Result<(), Refusal> {
    if description.is_some_and(|text| text.chars().count() > LONGEST_DESCRIPTION) {
        let detail = format!("is too long (maximum is {LONGEST_DESCRIPTION} characters)");
        return Err(Refusal::Invalid { resource, field: "description", detail });
    }
    Ok(())
}
