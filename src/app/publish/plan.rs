//! What is to be written on a page, by what stands there. Pure: it reads nothing and sends nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Wanted;
use super::statuses::{Known, KnownRequest};
use crate::ident::{Login, PullRequestRef, RequestId, Revision, sha256_hex};
use crate::ports::Spot;
use crate::render::publish::{self, RequestStatus, View};
use crate::request::published::{Check, Deployment, DeploymentStatus, Placed, Published, Reviewer, check_key};

/// What is to be written. What is to stand there already is left out.
pub(super) struct Plan {
    pub(super) checks: Vec<(String, Check, Spot)>,
    pub(super) comment: Option<(String, Spot)>,
    pub(super) reviewers: Vec<(Reviewer, Revision)>,
    pub(super) deployments: Vec<Deployed>,
    /// There is more than may be written at once.
    pub(super) is_cut: bool,
}

/// A deployment to be made, where it is not there, and the status that it is to have.
pub(super) struct Deployed {
    pub(super) request: RequestId,
    pub(super) new: Option<(Deployment, Spot)>,
    pub(super) status: DeploymentStatus,
}

impl Plan {
    pub(super) fn new(
        published: &Published,
        told: &Known,
        at: &PullRequestRef,
        public: bool,
        wanted: Wanted<'_>,
    ) -> Self {
        let statuses: Vec<RequestStatus<'_>> = told.requests.iter().map(KnownRequest::card).collect();
        let mut checks = Vec::new();
        for (key, card) in leading(&statuses) {
            let anew = wanted.anew && wanted.also == Some(&card.request.id);
            let placed = published.checks.get(&key);
            let check = publish::check(View { card, all: &statuses, public });
            let new = check.filter(|check| anew || differs(placed, check));
            checks.extend(new.map(|check| (key, check, spot(placed))));
        }
        // Where nobody was ever asked, a check says enough.
        let asked = statuses.iter().any(|card| card.request.requested_at.is_some()) || published.comment.is_some();
        let comment =
            asked.then(|| publish::comment(&statuses, public)).filter(|text| differs(published.comment.as_ref(), text));
        let comment = comment.map(|text| (text, spot(published.comment.as_ref())));
        let view = |card: &RequestStatus<'_>| deployment(published, View { card: *card, all: &statuses, public });
        let deployments = statuses.iter().filter_map(view).collect();
        let reviewers = reviewers(published, &statuses, (at, &told.unasked));
        Self { checks, comment, reviewers, deployments, is_cut: false }
    }

    /// Leaves out what is more than so many writes. Checks come first, since they say most.
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

    /// Leaves out who is asked already, and those whose request somebody took back: they were asked on an earlier head,
    /// are asked no longer, and have not reviewed. They count as asked from here on.
    pub(super) fn leave_alone(&mut self, published: &mut Published, told: &Known, requested: &BTreeSet<Reviewer>) {
        let reviews =
            told.requests.iter().filter_map(|one| one.decision.as_ref()).flat_map(|decision| &decision.reviews);
        let reviewed: BTreeSet<&Login> = reviews.filter_map(|review| review.user.as_ref()).collect();
        let answered = |reviewer: &Reviewer| match reviewer {
            Reviewer::Person(login) => reviewed.contains(login),
            // Any review answers for a team: who its members are is not known here.
            Reviewer::Team(_) => !reviewed.is_empty(),
        };
        let (alone, asked) = std::mem::take(&mut self.reviewers).into_iter().partition(|(reviewer, _)| {
            requested.contains(reviewer) || (published.asked.contains_key(reviewer) && !answered(reviewer))
        });
        self.reviewers = asked;
        published.asked.extend::<Vec<_>>(alone);
    }

    /// Writes down what is about to be put there for the first time: if we never hear of it, it is looked for.
    pub(super) fn begin(&self, published: &mut Published) {
        for (key, _, _) in &self.checks {
            begun(published.checks.entry(key.clone()).or_default());
        }
        if self.comment.is_some() {
            begun(published.comment.get_or_insert_default());
        }
        for Deployed { request, .. } in self.deployments.iter().filter(|deployed| deployed.new.is_some()) {
            begun(published.requests.entry(request.clone()).or_default().deployment.get_or_insert_default());
        }
    }
}

/// Where something is to be put.
const fn spot(placed: Option<&Placed>) -> Spot {
    match placed {
        Some(Placed { id: Some(id), .. }) => Spot::At(*id),
        Some(Placed { begun: true, .. }) => Spot::Unsure,
        Some(_) | None => Spot::New,
    }
}

fn begun(placed: &mut Placed) {
    placed.begun = placed.id.is_none();
}

/// What is kept of a text or value that was put somewhere.
pub(super) fn digest(value: &impl Serialize) -> String {
    // Serialising these cannot fail: all keys are texts.
    sha256_hex(&serde_json::to_vec(value).unwrap_or_default())
}

fn differs(placed: Option<&Placed>, value: &impl Serialize) -> bool {
    placed.is_none_or(|placed| placed.begun || placed.digest != digest(value))
}

/// Each check with the request that it tells of: of several for one target and commit the youngest that is not over, else
/// the youngest.
fn leading<'c>(statuses: &[RequestStatus<'c>]) -> BTreeMap<String, RequestStatus<'c>> {
    let mut leading: BTreeMap<String, RequestStatus<'c>> = BTreeMap::new();
    for card in statuses {
        let Some(head) = card.head() else { continue };
        let key = check_key(&publish::check_name(&card.request.subject.target), head);
        let over = |card: &RequestStatus<'_>| card.stage.is_last();
        if leading.get(&key).is_none_or(|before| over(before) || !over(card)) {
            leading.insert(key, *card);
        }
    }
    leading
}

/// The deployment of a request, where it or its status is new.
fn deployment(published: &Published, view: View<'_>) -> Option<Deployed> {
    let request = &view.card.request.id;
    let kept = published.requests.get(request);
    let placed = kept.and_then(|kept| kept.deployment.as_ref());
    let status = publish::deployment_status(view);
    let new = match placed {
        // Only a new state is told of: a word more or less in the description is not worth a line in the list.
        Some(Placed { id: Some(_), .. }) if kept.and_then(|kept| kept.state) == Some(status.state) => return None,
        Some(Placed { id: Some(_), .. }) => None,
        // One that was refused is not tried again.
        Some(Placed { begun: false, .. }) => return None,
        Some(Placed { begun: true, .. }) | None => Some((publish::deployment(view.card)?, spot(placed))),
    };
    Some(Deployed { request: request.clone(), new, status })
}

/// Who is still needed and was not asked on this head, nor taken back.
fn reviewers(
    published: &Published,
    statuses: &[RequestStatus<'_>],
    (at, unasked): (&PullRequestRef, &BTreeSet<Reviewer>),
) -> Vec<(Reviewer, Revision)> {
    let mut needed: BTreeMap<Reviewer, Revision> = BTreeMap::new();
    for card in statuses {
        let Some(head) = card.head() else { continue };
        for reviewer in publish::reviewers(*card, &at.repository) {
            let asked = published.asked.get(&reviewer) == Some(head) || unasked.contains(&reviewer);
            if !asked {
                needed.insert(reviewer, head.clone());
            }
        }
    }
    needed.into_iter().collect()
}
