//! Requests for changes, remembered by the commit that they were given on, whether or not a request was open. They are
//! facts again for as long as they stand on the pull request they were given on. Neither a redrive nor another pull
//! request of the same commit gets rid of one.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::App;
use super::gather::{GatherError, read_pull_request};
use crate::approval::decision::{Decision, ReviewVerdict};
use crate::approval::facts::{BoundBy, DismissedFrom, Facts, PullRequest, Review, ReviewState, Veto};
use crate::approval::{objectors, standing_approvals};
use crate::ident::{PullRequestRef, ReviewId, Revision, UserId};
use crate::policy::Rule;
use crate::ports::{CodeHostError, Objection, Reading, StoreError};

/// Stores a review that requests changes, or did before it was dismissed, for the commit that it was given on. It is
/// stored whoever gave it: who may request changes depends on the rule of each later request.
///
/// Stores an approval of the same commit, too, if its author requested changes on another pull request. It may lift that.
pub(super) async fn remember_review(
    app: &App,
    pull_request: &PullRequestRef,
    review: &Review,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (Some(by), Some(revision)) = (&review.user, &review.revision) else { return Ok(()) };
    let matters = match review.state {
        ReviewState::ChangesRequested => true,
        ReviewState::Dismissed => review.was != Some(DismissedFrom::Approved),
        ReviewState::Approved => {
            let elsewhere = |veto: &Veto| veto.by.id == by.id && veto.pull_request != *pull_request;
            app.store.vetoes(revision).await?.iter().any(elsewhere)
        }
        ReviewState::Commented | ReviewState::Pending => false,
    };
    if !matters {
        return Ok(());
    }
    let at = review.submitted_at.unwrap_or(now);
    app.store.remember_veto(revision, Veto { by: by.clone(), at, pull_request: pull_request.clone() }).await
}

/// Stores the requests for changes that were read and whose deliveries never came, those on other pull requests of the
/// commit included. A delivered one is stored already.
pub(super) async fn remember_read(app: &App, facts: &Facts, objections: &[Objection]) -> Result<(), StoreError> {
    let Some(own) = facts.pull_request.as_ref().map(PullRequest::reference) else { return Ok(()) };
    let matters = |review: &&Review| matches!(review.state, ReviewState::ChangesRequested | ReviewState::Dismissed);
    let only_read = facts.reviews.iter().filter(|review| review.bound_by == BoundBy::Api);
    let elsewhere = objections.iter().map(|objection| (&objection.pull_request, &objection.review));
    // Anybody can request changes on pull requests of their own: what is stored already costs no write.
    let mut stored: BTreeMap<&Revision, Vec<Veto>> = BTreeMap::new();
    for (at, review) in only_read.filter(matters).map(|review| (&own, review)).chain(elsewhere) {
        let Some(revision) = &review.revision else { continue };
        if !stored.contains_key(revision) {
            stored.insert(revision, app.store.vetoes(revision).await?);
        }
        let is_this = |veto: &Veto| {
            review.user.as_ref().is_some_and(|user| user.id == veto.by.id)
                && veto.pull_request == *at
                && review.submitted_at.is_some_and(|given| given <= veto.at)
        };
        if !stored.get(revision).is_some_and(|known| known.iter().any(is_this)) {
            remember_review(app, at, review, facts.now).await?;
        }
    }
    Ok(())
}

/// Stores the requests for changes that end or block a request, before it ends. One that was given on an earlier commit
/// counts as given on the revision and on the head, too: a merge makes another revision of the same head.
pub(super) async fn remember_vetoes(app: &App, decision: &Decision, facts: &Facts) -> Result<(), StoreError> {
    let Some(pull_request) = &facts.pull_request else { return Ok(()) };
    let objects = |id| {
        let against = |verdict| matches!(verdict, ReviewVerdict::Rejects | ReviewVerdict::Blocks);
        decision.reviews.iter().any(|review| review.id == id && against(review.verdict))
    };
    for review in facts.reviews.iter().filter(|review| objects(review.id)) {
        for revision in revisions(facts, pull_request) {
            let given_on_it = Review { revision: Some(revision.clone()), ..review.clone() };
            remember_review(app, &pull_request.reference(), &given_on_it, facts.now).await?;
        }
    }
    Ok(())
}

/// The commits whose vetoes a request counts.
fn revisions<'f>(facts: &'f Facts, pull_request: &'f PullRequest) -> BTreeSet<&'f Revision> {
    facts.revision.iter().chain([&pull_request.head]).collect()
}

/// The stored vetoes from other pull requests that still stand there, by people who may request changes under the rule.
pub(super) async fn standing_vetoes(app: &App, rule: &Rule<'_>, facts: &Facts) -> Result<Vec<Veto>, GatherError> {
    let Some(pull_request) = &facts.pull_request else { return Ok(Vec::new()) };
    let mut remembered: Vec<Veto> = Vec::new();
    for revision in revisions(facts, pull_request) {
        for veto in app.store.vetoes(revision).await? {
            if !remembered.contains(&veto) && veto.pull_request != pull_request.reference() {
                remembered.push(veto);
            }
        }
    }
    let (mut standing, mut approvals) = (Vec::new(), Vec::new());
    let may_object = may_object(rule, facts, pull_request, &remembered);
    // Anybody can request changes, on many pull requests. Those of others cost no reading.
    for veto in remembered.into_iter().filter(|veto| may_object.contains(&veto.by.id)) {
        let stands = match read_pull_request(app, rule, &veto.pull_request).await {
            Ok(Reading { pull_request: there, reviews, .. }) => {
                let is_same = revisions(facts, pull_request).contains(&there.head);
                let there = Facts { pull_request: Some(there), reviews, vetoes: Vec::new(), ..facts.clone() };
                if is_same {
                    approvals.extend(standing_approvals(rule, &there));
                }
                objectors(rule, &there).contains(&veto.by.id)
            }
            // A pull request that cannot be read any more cannot show that the veto was lifted.
            Err(GatherError::CodeHost(CodeHostError::NotFound { .. })) => !is_approval(app, &veto).await?,
            Err(error) => return Err(error),
        };
        if stands {
            standing.push(veto);
        }
    }
    // Its author approved the same commit since, wherever that was.
    let approved = |veto: &Veto| approvals.iter().any(|(by, at)| *by == veto.by.id && *at > veto.at);
    standing.retain(|veto| !approved(veto));
    standing.sort_by_key(|veto| (veto.at, veto.by.id));
    Ok(standing)
}

/// Whether what was stored is an approval, and no request for changes, as far as deliveries say.
async fn is_approval(app: &App, stored: &Veto) -> Result<bool, StoreError> {
    let observed = app.store.observed(&stored.pull_request).await?;
    let mut by_same = observed.reviews.values().filter(|review| {
        review.user.as_ref().is_some_and(|user| user.id == stored.by.id) && review.submitted_at == Some(stored.at)
    });
    Ok(by_same.next().is_some_and(|review| review.state == ReviewState::Approved))
}

/// Which of the givers may request changes under the rule: those whose request for changes would stand here.
fn may_object(rule: &Rule<'_>, facts: &Facts, pull_request: &PullRequest, vetoes: &[Veto]) -> BTreeSet<UserId> {
    let review = |(id, veto): (u64, &Veto)| Review {
        id: ReviewId(id),
        user: Some(veto.by.clone()),
        state: ReviewState::ChangesRequested,
        was: None,
        dismissed_by: None,
        revision: Some(pull_request.head.clone()),
        bound_by: BoundBy::Delivery,
        submitted_at: Some(veto.at),
        edited: false,
        body: String::new(),
    };
    if vetoes.is_empty() {
        return BTreeSet::new();
    }
    let reviews = (1..).zip(vetoes).map(review).collect();
    objectors(rule, &Facts { reviews, vetoes: Vec::new(), ..facts.clone() }).into_iter().collect()
}
