//! Requests for changes that ended a request. They are stored, and are facts again for as long as they stand on the
//! pull request they were given on. Neither a redrive nor another pull request of the same commit gets rid of one.

use std::collections::BTreeSet;

use super::App;
use super::failure::Failure;
use super::gather::{GatherError, read_pull_request};
use crate::approval::decision::{Decision, ReviewVerdict};
use crate::approval::facts::{Facts, PullRequest, Veto};
use crate::approval::objectors;
use crate::ident::Revision;
use crate::policy::Rule;
use crate::ports::CodeHostError;

/// Stores whose requests for changes end a request, before it ends. They are stored for the revision and for the head,
/// since a merge makes another revision of the same head.
pub(super) async fn remember_vetoes(app: &App, decision: &Decision, facts: &Facts) -> Result<(), Failure> {
    let Some(pull_request) = &facts.pull_request else { return Ok(()) };
    let objects = |id| {
        let against = |verdict| matches!(verdict, ReviewVerdict::Rejects | ReviewVerdict::Blocks);
        decision.reviews.iter().any(|review| review.id == id && against(review.verdict))
    };
    for review in facts.reviews.iter().filter(|review| objects(review.id)) {
        let Some(by) = review.user.clone() else { continue };
        let at = review.submitted_at.unwrap_or(facts.now);
        let veto = Veto { by, at, pull_request: pull_request.reference() };
        for revision in revisions(facts, pull_request) {
            app.store.remember_veto(&facts.target, revision, veto.clone()).await?;
        }
    }
    Ok(())
}

/// The revisions that a veto is stored for.
fn revisions<'f>(facts: &'f Facts, pull_request: &'f PullRequest) -> BTreeSet<&'f Revision> {
    facts.revision.iter().chain([&pull_request.head]).collect()
}

/// The stored vetoes from other pull requests that still stand there.
pub(super) async fn standing_vetoes(app: &App, rule: &Rule<'_>, facts: &Facts) -> Result<Vec<Veto>, GatherError> {
    let Some(pull_request) = &facts.pull_request else { return Ok(Vec::new()) };
    let mut remembered: Vec<Veto> = Vec::new();
    for revision in revisions(facts, pull_request) {
        for veto in app.store.vetoes(&facts.target, revision).await? {
            if !remembered.contains(&veto) && veto.pull_request != pull_request.reference() {
                remembered.push(veto);
            }
        }
    }
    let mut standing = Vec::new();
    for veto in remembered {
        let stands = match read_pull_request(app, rule, &veto.pull_request).await {
            Ok((there, reviews)) => {
                let there = Facts { pull_request: Some(there), reviews, vetoes: Vec::new(), ..facts.clone() };
                objectors(rule, &there).contains(&veto.by.id)
            }
            // A pull request that cannot be read any more cannot show that the veto was lifted.
            Err(GatherError::CodeHost(CodeHostError::NotFound { .. })) => true,
            Err(error) => return Err(error),
        };
        if stands {
            standing.push(veto);
        }
    }
    standing.sort_by_key(|veto| (veto.at, veto.by.id));
    Ok(standing)
}
