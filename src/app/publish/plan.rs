//! Plans what to write to a pull request, by what is published there. Pure: it reads nothing and sends nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Wanted;
use super::statuses::Known;
use crate::ident::{Login, RepositoryName, RequestId, Revision, sha256_hex};
use crate::ports::Spot;
use crate::render::publish::{self, RequestStatus};
use crate::request::published::{Check, Deployment, DeploymentStatus, Placed, Published, Reviewer, check_key};

/// What to write. What is published already is left out.
pub(super) struct Plan {
    pub(super) checks: Vec<PlannedCheck>,
    pub(super) comment: Option<(String, Spot)>,
    /// Each with the head that the review is for.
    pub(super) reviewers: Vec<(Reviewer, Revision)>,
    pub(super) deployments: Vec<PlannedDeployment>,
    /// Whether there is more than may be written at once.
    pub(super) is_cut: bool,
}

pub(super) struct PlannedCheck {
    /// What [`Published`] keeps the check under.
    pub(super) key: String,
    pub(super) check: Check,
    pub(super) spot: Spot,
}

/// A new status for a deployment, and the deployment itself if it is not there yet.
pub(super) struct PlannedDeployment {
    pub(super) request: RequestId,
    pub(super) new: Option<(Deployment, Spot)>,
    pub(super) status: DeploymentStatus,
}

impl Plan {
    /// Leaves out what exceeds so many writes. Checks come first, since they say most.
    pub(super) fn limit(&mut self, writes: usize) {
        self.is_cut = self.checks.len() > writes;
        self.checks.truncate(writes);
        let left = writes.saturating_sub(self.checks.len() + 2) / 2;
        self.is_cut |= self.deployments.len() > left;
        self.deployments.truncate(left);
    }

    pub(super) fn is_empty(&self) -> bool {
        let Self { checks, comment, reviewers, deployments, .. } = self;
        checks.is_empty() && comment.is_none() && reviewers.is_empty() && deployments.is_empty()
    }

    /// Skips reviewers already requested, and those removed by hand without a review: requested on an earlier head, no
    /// longer requested, and no review given. They count as requested from here on.
    pub(super) fn skip_reviewers(&mut self, published: &mut Published, known: &Known, requested: &BTreeSet<Reviewer>) {
        let decisions = known.statuses.iter().filter_map(|status| status.decision.as_ref());
        let reviews = decisions.flat_map(|decision| &decision.reviews);
        let reviewed: BTreeSet<&Login> = reviews.filter_map(|review| review.user.as_ref()).collect();
        let answered = |reviewer: &Reviewer| match reviewer {
            Reviewer::Person(login) => reviewed.contains(login),
            // Any review answers for a team: its members are not known here.
            Reviewer::Team(_) => !reviewed.is_empty(),
        };
        let (skipped, wanted) = std::mem::take(&mut self.reviewers).into_iter().partition(|(reviewer, _)| {
            requested.contains(reviewer) || (published.requested.contains_key(reviewer) && !answered(reviewer))
        });
        self.reviewers = wanted;
        published.requested.extend::<Vec<_>>(skipped);
    }

    /// Records what is about to be created. If the answer is lost, the next round looks for it.
    pub(super) fn begin(&self, published: &mut Published) {
        let begin = |placed: &mut Placed| placed.begun = placed.id.is_none();
        for PlannedCheck { key, .. } in &self.checks {
            begin(published.checks.entry(key.clone()).or_default());
        }
        if self.comment.is_some() {
            begin(published.comment.get_or_insert_default());
        }
        for PlannedDeployment { request, .. } in self.deployments.iter().filter(|planned| planned.new.is_some()) {
            begin(published.requests.entry(request.clone()).or_default().deployment.get_or_insert_default());
        }
    }
}

/// What a plan is made from.
pub(super) struct Planner<'a> {
    pub(super) published: &'a Published,
    pub(super) known: &'a Known,
    pub(super) repository: &'a RepositoryName,
    pub(super) wanted: Wanted<'a>,
}

impl Planner<'_> {
    /// `public`: everybody may read the pull request, so some names are left out.
    pub(super) fn plan(&self, public: bool) -> Plan {
        Plan {
            checks: self.checks(public),
            comment: self.comment(public),
            reviewers: self.reviewers(),
            deployments: self.known.statuses.iter().filter_map(|status| self.deployment(status, public)).collect(),
            is_cut: false,
        }
    }

    fn checks(&self, public: bool) -> Vec<PlannedCheck> {
        let Known { statuses, sharing, .. } = self.known;
        let ours: BTreeSet<String> = statuses.iter().filter_map(key_of).collect();
        let shared: BTreeSet<String> = sharing.iter().filter_map(key_of).collect();
        let mut all: Vec<&RequestStatus> = statuses.iter().chain(sharing).collect();
        all.sort_by_key(|status| (status.request.opened_at, status.request.id.clone()));
        let planned = |(key, status): (String, &RequestStatus)| {
            let resend = self.wanted.resend_check && self.wanted.request == Some(&status.request.id);
            let placed = self.published.checks.get(&key);
            let pull_request = &status.request.subject.pull_request;
            let beside = all.iter().filter(|other| other.request.subject.pull_request == *pull_request);
            let beside: Vec<RequestStatus> = beside.map(|other| (*other).clone()).collect();
            let check = publish::check(status, &beside, public);
            let check = check.filter(|check| resend || differs(placed, check))?;
            // The other pull request may have created the one that GitHub shows.
            let spot = if shared.contains(&key) { Spot::Unsure } else { spot(placed) };
            Some(PlannedCheck { key, check, spot })
        };
        leading(&all).into_iter().filter(|(key, _)| ours.contains(key)).filter_map(planned).collect()
    }

    /// Returns `None` if people were never asked: a check says enough then.
    fn comment(&self, public: bool) -> Option<(String, Spot)> {
        let placed = self.published.comment.as_ref();
        if placed.is_none() && self.known.statuses.iter().all(|status| status.request.requested_at.is_none()) {
            return None;
        }
        let text = publish::comment(&self.known.statuses, public);
        differs(placed, &text).then(|| (text, spot(placed)))
    }

    /// Who is still needed, was not requested on this head, and was not removed by hand.
    fn reviewers(&self) -> Vec<(Reviewer, Revision)> {
        let mut needed: BTreeMap<Reviewer, Revision> = BTreeMap::new();
        for status in &self.known.statuses {
            let Some(head) = status.head() else { continue };
            for reviewer in publish::reviewers(status, self.repository) {
                let requested = self.published.requested.get(&reviewer) == Some(head);
                if !requested && !self.known.removed.contains(&reviewer) {
                    needed.insert(reviewer, head.clone());
                }
            }
        }
        needed.into_iter().collect()
    }

    /// Returns `None` if neither the deployment of the request nor its state is new.
    fn deployment(&self, of: &RequestStatus, public: bool) -> Option<PlannedDeployment> {
        let request = &of.request.id;
        let kept = self.published.requests.get(request);
        let placed = kept.and_then(|kept| kept.deployment.as_ref());
        let status = publish::deployment_status(of, public);
        let new = match placed {
            // Only a new state is published: another description alone is not worth a line in the list.
            Some(Placed { id: Some(_), .. }) if kept.and_then(|kept| kept.state) == Some(status.state) => return None,
            Some(Placed { id: Some(_), .. }) => None,
            // A deployment that was refused is not tried again.
            Some(Placed { begun: false, .. }) => return None,
            Some(Placed { begun: true, .. }) | None => Some((publish::deployment(of)?, spot(placed))),
        };
        Some(PlannedDeployment { request: request.clone(), new, status })
    }
}

const fn spot(placed: Option<&Placed>) -> Spot {
    match placed {
        Some(Placed { id: Some(id), .. }) => Spot::At(*id),
        Some(Placed { begun: true, .. }) => Spot::Unsure,
        Some(_) | None => Spot::New,
    }
}

pub(super) fn digest(value: &impl Serialize) -> String {
    // Serialising these cannot fail: all keys are texts.
    sha256_hex(&serde_json::to_vec(value).unwrap_or_default())
}

fn differs(placed: Option<&Placed>, value: &impl Serialize) -> bool {
    placed.is_none_or(|placed| placed.begun || placed.digest != digest(value))
}

/// The key of a request's check. `None` if it has no commit.
fn key_of(status: &RequestStatus) -> Option<String> {
    status.head().map(|head| check_key(&publish::check_name(&status.request.subject.target), head))
}

/// Maps each check to the request that it reports. If several requests have the same target and commit, on whichever pull
/// request, that is the youngest that is not over, or else the youngest.
fn leading<'s>(statuses: &[&'s RequestStatus]) -> BTreeMap<String, &'s RequestStatus> {
    let mut leading: BTreeMap<String, &RequestStatus> = BTreeMap::new();
    for status in statuses {
        let Some(key) = key_of(status) else { continue };
        if leading.get(&key).is_none_or(|before| before.stage.is_last() || !status.stage.is_last()) {
            leading.insert(key, status);
        }
    }
    leading
}
