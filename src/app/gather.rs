//! Gathers the facts of one decision: what the code host says, with what verified deliveries told laid over it.
//!
//! All or nothing: a part that cannot be read is an error, and the request goes on waiting.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::App;
use super::settle::revisions;
use crate::approval::facts::{FACTS_SCHEMA, Facts, PullRequest, Review, Veto};
use crate::approval::objectors;
use crate::approval::request::Subject;
use crate::ident::PullRequestRef;
use crate::policy::Rule;
use crate::ports::{CodeHostError, StoreError};

/// Why the facts are not known.
#[derive(Debug, thiserror::Error)]
pub(super) enum GatherError {
    #[error(transparent)]
    CodeHost(#[from] CodeHostError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// When people were asked, and when the request was settled as approved.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moments {
    pub(super) requested_at: Option<Timestamp>,
    pub(super) approved_at: Option<Timestamp>,
}

/// The facts of a decision on the subject, as of now. Nothing is read where the rule asks for nobody.
pub(super) async fn gather(
    app: &App,
    rule: Option<&Rule<'_>>,
    subject: &Subject,
    moments: Moments,
) -> Result<Facts, GatherError> {
    let mut facts = bare(subject, moments, app.clock.now());
    let asks = rule.filter(|rule| rule.requirement().is_some());
    if let (Some(rule), Some(reference)) = (asks, &subject.pull_request) {
        let (pull_request, reviews) = read_pull_request(app, reference).await?;
        facts.pull_request = Some(pull_request);
        facts.reviews = reviews;
        for team in rule.teams() {
            if let Some(members) = app.code_host.team_members(&team).await? {
                facts.teams.insert(team, members);
            }
        }
        facts.vetoes = standing_vetoes(app, rule, subject, &facts).await?;
    }
    // The time of the decision is that of its youngest fact, so that nothing in them lies in its future.
    facts.now = app.clock.now();
    Ok(facts)
}

pub(super) fn bare(subject: &Subject, moments: Moments, now: Timestamp) -> Facts {
    Facts {
        schema: FACTS_SCHEMA,
        now,
        target: subject.target.clone(),
        requested_at: moments.requested_at,
        approved_at: moments.approved_at,
        input: subject.input.clone(),
        version: subject.version.clone(),
        requester: subject.requester.clone(),
        revision: subject.revision.clone(),
        pull_request: None,
        teams: BTreeMap::new(),
        reviews: Vec::new(),
        vetoes: Vec::new(),
    }
}

/// The pull request and its reviews, with what deliveries told.
pub(super) async fn read_pull_request(
    app: &App,
    reference: &PullRequestRef,
) -> Result<(PullRequest, Vec<Review>), GatherError> {
    let mut pull_request = app.code_host.pull_request(reference).await?;
    let mut reviews = app.code_host.reviews(reference).await?;
    let observed = app.store.observed(reference).await?;
    observed.overlay_pull_request(&mut pull_request);
    observed.overlay_reviews(&mut reviews);
    // An answer that does not hold the head's own commit is not whole, whatever it says of itself.
    let has_head = pull_request.commits.iter().any(|commit| commit.sha == pull_request.head);
    pull_request.commits_complete &= has_head;
    Ok((pull_request, reviews))
}

/// The remembered vetoes from other pull requests that still stand there.
async fn standing_vetoes(
    app: &App,
    rule: &Rule<'_>,
    subject: &Subject,
    facts: &Facts,
) -> Result<Vec<Veto>, GatherError> {
    let Some(pull_request) = &facts.pull_request else { return Ok(Vec::new()) };
    let mut remembered: Vec<Veto> = Vec::new();
    for revision in revisions(subject, pull_request) {
        for veto in app.store.vetoes(&subject.target, revision).await? {
            if !remembered.contains(&veto) && veto.pull_request != pull_request.reference() {
                remembered.push(veto);
            }
        }
    }
    let mut standing = Vec::new();
    for veto in remembered {
        let stands = match read_pull_request(app, &veto.pull_request).await {
            Ok((there, reviews)) => {
                let there = Facts { pull_request: Some(there), reviews, vetoes: Vec::new(), ..facts.clone() };
                objectors(rule, &there).contains(&veto.by.id)
            }
            // What cannot be looked at any more cannot have been lifted there.
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
