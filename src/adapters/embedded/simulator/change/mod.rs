//! Changes of the state, and GitHub's rules for them.
//!
//! A [`Change`] is one transaction: every method either does everything, with the webhook deliveries that it causes, or
//! refuses. Knows nothing of HTTP or storage.

mod protection;
mod published;
mod push;
mod request;
mod review;
mod setup;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

pub use self::protection::{NewProtected, ProtectionWrite};
pub use self::published::{CheckWrite, NewDeployment, NewDeploymentStatus, Reviewers};
pub use self::push::{Attribution, NewCommit, Push};
pub use self::request::{MergeCommand, NewPullRequest, PullRequestEdit};
pub use self::review::{NewReview, ReviewEvent};
pub use self::setup::{NewAccount, NewApp, NewMember, NewRepository, NewTeam, SwitchEdit, TeamEdit};

use super::delivery::{Delivery, HookEvent, Outcome, guid};
use super::payload;
use super::pull::{Happening, IssueEvent, PullRequest};
use super::refusal::Refusal;
use super::world::{Account, Repository, World};
use crate::ident::{Login, PullRequestRef, RepositoryName, Revision, UserId, sha256_hex};

/// A change of the state in progress.
#[derive(Debug)]
pub struct Change<'a> {
    pub(super) world: &'a mut World,
    /// In whole seconds, like all of GitHub's times.
    pub(super) now: Timestamp,
}

impl<'a> Change<'a> {
    pub(super) fn new(world: &'a mut World, now: Timestamp) -> Self {
        let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
        Self { world, now }
    }

    /// The state as changed so far.
    #[must_use]
    pub fn world(&self) -> &World {
        self.world
    }

    /// Sends a delivery again, as a new attempt with the same GUID.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if the delivery does not exist or is older than 3 days, or the hook was removed.
    pub fn redeliver(&mut self, id: u64) -> Result<Arc<Delivery>, Refusal> {
        self.world.settings.hook.as_ref().ok_or(Refusal::NotFound)?;
        self.forget_deliveries();
        let given = self.world.deliveries.get(&id).cloned().ok_or(Refusal::NotFound)?;
        let again = Delivery {
            id: self.next_id(),
            queued_at: self.now,
            redelivery: true,
            outcome: None,
            ..Delivery::clone(&given)
        };
        let again = Arc::new(again);
        self.world.deliveries.insert(again.id, Arc::clone(&again));
        Ok(again)
    }

    pub(super) fn next_id(&mut self) -> u64 {
        let settings = Arc::make_mut(&mut self.world.settings);
        settings.last_id += 1;
        settings.last_id
    }

    fn account(&self, login: &Login) -> Result<Arc<Account>, Refusal> {
        let unknown = || Refusal::rule(format!("there is no account `{login}`"));
        self.world.account(login).cloned().ok_or_else(unknown)
    }

    fn repository(&self, name: &RepositoryName) -> Result<Arc<Repository>, Refusal> {
        self.world.repository(name).cloned().ok_or(Refusal::NotFound)
    }

    fn repository_mut(&mut self, id: u64) -> Result<&mut Repository, Refusal> {
        self.world.repositories.get_mut(&id).map(Arc::make_mut).ok_or(Refusal::NotFound)
    }

    fn pull(&self, at: &PullRequestRef) -> Result<Arc<PullRequest>, Refusal> {
        self.world.pull(at).cloned().ok_or(Refusal::NotFound)
    }

    /// The pull request, marked as updated now.
    fn pull_mut(&mut self, at: &PullRequestRef) -> Result<&mut PullRequest, Refusal> {
        let key = (self.repository(&at.repository)?.id, at.number);
        let now = self.now;
        let pull = self.world.pulls.get_mut(&key).map(Arc::make_mut).ok_or(Refusal::NotFound)?;
        pull.updated_at = now;
        Ok(pull)
    }

    fn record(&mut self, at: &PullRequestRef, actor: UserId, what: Happening) -> Result<(), Refusal> {
        let event = IssueEvent { id: self.next_id(), actor, created_at: self.now, what };
        self.pull_mut(at)?.events.push(event);
        Ok(())
    }

    /// Queues a `pull_request` delivery. `extra` holds the fields of this action.
    fn queue_pull_request(
        &mut self,
        at: &PullRequestRef,
        by: UserId,
        action: &str,
        extra: Value,
    ) -> Result<(), Refusal> {
        let pull = self.pull(at)?;
        let payload = payload::pull_request(self.world, &pull, by, (action, extra));
        self.queue(HookEvent::PullRequest, Some(pull.repository), &payload);
        Ok(())
    }

    /// Queues a delivery if there is a hook, and drops deliveries that GitHub no longer lists.
    fn queue(&mut self, event: HookEvent, repository: Option<u64>, payload: &Value) {
        let Some(hook) = self.world.settings.hook.clone() else { return };
        self.forget_deliveries();
        let id = self.next_id();
        let body = payload.to_string();
        let action = payload.get("action").and_then(Value::as_str).map(str::to_owned);
        let delivery = Delivery {
            id,
            guid: guid(&hook, id, &body),
            event,
            action,
            repository,
            body,
            queued_at: self.now,
            redelivery: false,
            outcome: None,
        };
        self.world.deliveries.insert(id, Arc::new(delivery));
    }

    fn forget_deliveries(&mut self) {
        let now = self.now;
        self.world.deliveries.retain(|_, delivery| delivery.is_kept(now));
    }

    /// Stores the outcome of a delivery.
    pub(super) fn delivered(&mut self, id: u64, outcome: Outcome) {
        if let Some(delivery) = self.world.deliveries.get_mut(&id) {
            Arc::make_mut(delivery).outcome = Some(outcome);
        }
    }
}

/// A made-up commit hash. The same parts give the same hash.
fn made_up_hash(parts: &[&str]) -> Result<Revision, Refusal> {
    let hex = sha256_hex(parts.join("\n").as_bytes());
    Ok(Revision::new(hex.get(..40).unwrap_or(&hex))?)
}
