//! The fields that are read from a payload.
//!
//! Published payloads lack fields that the schema requires, and have fields that it does not know. Therefore only used fields
//! are read, and `null` is the same as absent. Knows nothing of the event.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::delivery::{AppInstallation, DeliveryKind, Fault, Refused};
use crate::approval::facts::{AccountKind, BoundBy, Person, Review, ReviewState};
use crate::ident::{Login, PullRequestRef, RepositoryName, Revision, TeamSlug};
use crate::ports::{ProtectedRun, ProtectionRequest};
use crate::request::published::{CHECK_PREFIX, REEVALUATE, Reviewer};

/// A place in a payload: its name and its value.
pub(super) struct Place<'a> {
    name: String,
    value: Option<&'a Value>,
}

impl<'a> Place<'a> {
    pub(super) fn root(payload: &'a Value) -> Self {
        Self { name: String::new(), value: Some(payload) }
    }

    /// The field `key` of this object. It has no value if this is no object.
    pub(super) fn field(&self, key: &str) -> Self {
        let name = if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) };
        let value = self.value.and_then(|value| value.get(key)).filter(|value| !value.is_null());
        Self { name, value }
    }

    /// Whether the value is present and not `null`.
    pub(super) fn is_given(&self) -> bool {
        self.value.is_some()
    }

    /// Whether this object has the field `key`, even as null. True if this is no object.
    pub(super) fn may_have(&self, key: &str) -> bool {
        self.value.and_then(Value::as_object).is_none_or(|object| object.contains_key(key))
    }

    /// The value, if present.
    ///
    /// # Errors
    /// [`Fault::Unreadable`] if it has another type than GitHub documents.
    pub(super) fn optional<T: Deserialize<'a>>(&self) -> Result<Option<T>, Refused> {
        let read = self.value.map(T::deserialize).transpose();
        // The parser's own message quotes the value.
        read.map_err(|_| Refused::Field { name: self.name.clone(), fault: Fault::Unreadable })
    }

    /// # Errors
    /// [`Fault::Missing`], and as [`Place::optional`].
    pub(super) fn required<T: Deserialize<'a>>(&self) -> Result<T, Refused> {
        self.optional()?.ok_or_else(|| Refused::Field { name: self.name.clone(), fault: Fault::Missing })
    }

    /// The account. `None` if it was deleted. An account without a `type` is taken for `untyped`.
    pub(super) fn person(&self, untyped: AccountKind) -> Result<Option<Person>, Refused> {
        if !self.is_given() {
            return Ok(None);
        }
        let (id, login) = (self.field("id").required()?, self.field("login").required()?);
        Ok(Some(Person { id, login, kind: self.field("type").optional()?.unwrap_or(untyped) }))
    }

    pub(super) fn reference(&self) -> Result<PullRequestRef, Refused> {
        let repository = self.field("repository").field("full_name").required()?;
        let place = self.field("pull_request").field("number");
        match place.required()? {
            0 => Err(Refused::Field { name: place.name, fault: Fault::Unreadable }),
            number => Ok(PullRequestRef { repository, number }),
        }
    }

    /// Whether the pull request's branch is surely one of another repository. Whose it was is missing if it was deleted.
    pub(super) fn is_from_fork(&self) -> Result<bool, Refused> {
        let id = |side| self.field("pull_request").field(side).field("repo").field("id").optional::<u64>();
        Ok(matches!((id("head")?, id("base")?), (Some(head), Some(base)) if head != base))
    }

    /// The App's installation. It only saves a call, so `None` if it cannot be read.
    pub(super) fn installation(&self) -> Option<AppInstallation> {
        let repository: RepositoryName = self.field("repository").field("full_name").optional().ok().flatten()?;
        let id = self.field("installation").field("id").optional().ok().flatten()?;
        Some(AppInstallation { owner: repository.parts().0.to_owned(), id })
    }

    /// A request for another evaluation on a check of ours: the check was rerequested, or its button was pressed. `None` for
    /// other checks and actions.
    pub(super) fn reevaluation(&self, action: Option<&str>) -> Option<DeliveryKind> {
        let check = self.field("check_run");
        let button = || self.field("requested_action").field("identifier").optional::<String>().ok().flatten();
        let requested = match action {
            Some("rerequested") => true,
            Some("requested_action") => button().as_deref() == Some(REEVALUATE.identifier),
            Some(_) | None => false,
        };
        let name: String = check.field("name").optional().ok().flatten().filter(|_| requested)?;
        let request = check.field("external_id").optional().ok().flatten()?;
        let repository = self.field("repository").field("full_name").optional().ok().flatten()?;
        name.starts_with(CHECK_PREFIX).then_some(DeliveryKind::Check { repository, name, request })
    }

    /// The deployment that waits for an answer. The callback's URL is never called: only its repository and run are read, and
    /// the repository must be that of the payload. The listed pull requests are not read, since they may be of other
    /// repositories. The API gives those of the commit.
    pub(super) fn protection(&self) -> Result<ProtectionRequest, Refused> {
        let repository = self.field("repository");
        let name: RepositoryName = repository.field("full_name").required()?;
        let callback = self.field("deployment_callback_url");
        let url: String = callback.required()?;
        let other = || Refused::Field { name: callback.name.clone(), fault: Fault::Unreadable };
        let (of, run_id) = called_back(&url).ok_or_else(other)?;
        if of != name {
            return Err(other());
        }
        let deployment = self.field("deployment");
        let sha = deployment.field("sha");
        let unreadable = |_| Refused::Field { name: sha.name.clone(), fault: Fault::Unreadable };
        let revision = Revision::new(&sha.required::<String>()?.to_ascii_lowercase()).map_err(unreadable)?;
        // Actions itself creates many deployments. Then the person who started the workflow is the requester.
        let person = |place: Place<'_>| {
            let person = place.person(AccountKind::Other).ok().flatten();
            person.filter(|person| person.kind == AccountKind::User).map(|person| person.login)
        };
        Ok(ProtectionRequest {
            run: ProtectedRun { repository: name, run_id, environment: self.field("environment").required()? },
            repository_id: repository.field("id").required()?,
            deployment_id: deployment.field("id").required()?,
            revision,
            requester: person(deployment.field("creator")).or_else(|| person(self.field("sender"))),
            event: self.field("event").optional()?,
        })
    }

    /// The reviewer of a review request, added or removed. `None` if the payload names nobody.
    pub(super) fn requested(&self) -> Result<Option<Reviewer>, Refused> {
        let person: Option<Login> = self.field("requested_reviewer").field("login").optional()?;
        // A team that was deleted has no slug.
        let slug: Option<String> = self.field("requested_team").field("slug").optional()?;
        let repository: Option<RepositoryName> = self.field("repository").field("full_name").optional()?;
        let team = slug.zip(repository);
        let team = team.and_then(|(slug, of)| TeamSlug::new(&format!("{}/{slug}", of.parts().0)).ok());
        Ok(person.map(Reviewer::Person).or(team.map(Reviewer::Team)))
    }

    /// The submitted review. `None` if its state is none of a submitted review.
    ///
    /// If GitHub leaves something out, it is read so that it holds a deployment back. An approver without a `type` is not
    /// taken for a person. Whoever requests changes without a `type` is, at `now` if there is no time.
    pub(super) fn review(&self, now: Timestamp) -> Result<Option<Review>, Refused> {
        let (state, untyped, undated) = match self.field("state").required()? {
            "approved" => (ReviewState::Approved, AccountKind::Other, None),
            "changes_requested" => (ReviewState::ChangesRequested, AccountKind::User, Some(now)),
            _ => return Ok(None),
        };
        Ok(Some(Review {
            id: self.field("id").required()?,
            user: self.field("user").person(untyped)?,
            state,
            was: None,
            dismissed_by: None,
            revision: self.field("commit_id").optional()?,
            bound_by: BoundBy::Delivery,
            submitted_at: self.field("submitted_at").optional()?.or(undated),
            edited: false,
            body: self.field("body").optional()?.unwrap_or_default(),
        }))
    }
}

/// The repository and the run of `…/repos/{owner}/{name}/actions/runs/{run}/deployment_protection_rule`.
fn called_back(url: &str) -> Option<(RepositoryName, u64)> {
    let (_, path) = url.rsplit_once("/repos/")?;
    let (repository, rest) = path.split_once("/actions/runs/")?;
    let run = rest.strip_suffix("/deployment_protection_rule")?;
    let digits = !run.is_empty() && run.bytes().all(|byte| byte.is_ascii_digit());
    Some((RepositoryName::new(repository).ok()?, run.parse().ok().filter(|_| digits)?))
}
