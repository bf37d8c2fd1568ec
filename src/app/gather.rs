//! Gathers the facts of one decision: what the code host says, with what verified deliveries told laid over it.
//!
//! All or nothing: a part that cannot be read is an error, and the request goes on waiting.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::App;
use super::failure::Failure;
use super::vetoes::standing_vetoes;
use crate::approval::facts::{FACTS_SCHEMA, Facts, PullRequest, Review};
use crate::approval::request::{ApprovalRequest, Subject};
use crate::ident::{PullRequestRef, Revision};
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

/// The facts of a decision on the subject, as of now. Nothing is read where the rule asks for nobody. Where the subject
/// names no revision, it is the one that the pull request would deploy.
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
        facts.revision.get_or_insert_with(|| deployed(&pull_request));
        facts.pull_request = Some(pull_request);
        facts.reviews = reviews;
        for team in rule.teams() {
            if let Some(members) = app.code_host.team_members(&team).await? {
                facts.teams.insert(team, members);
            }
        }
        facts.vetoes = standing_vetoes(app, rule, &facts).await?;
    }
    // The time of the decision is that of its youngest fact, so that nothing in them lies in its future.
    facts.now = app.clock.now();
    Ok(facts)
}

/// What a pull request deploys: its head, or its merge commit once merged.
fn deployed(pull_request: &PullRequest) -> Revision {
    let merged = pull_request.merge_commit.as_ref().filter(|_| pull_request.merged);
    merged.unwrap_or(&pull_request.head).clone()
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

/// The facts of a stored request, as of now, that its own rule needs.
pub(super) async fn facts_of(app: &App, request: &ApprovalRequest) -> Result<Facts, Failure> {
    facts_under(app, Some(&request.rule.rule()), request).await
}

/// The facts of a stored request, as of now, that a rule needs.
pub(super) async fn facts_under(
    app: &App,
    rule: Option<&Rule<'_>>,
    request: &ApprovalRequest,
) -> Result<Facts, Failure> {
    let moments = Moments { requested_at: request.requested_at, approved_at: request.approved_at };
    gather(app, rule, &request.subject, moments).await.map_err(|error| match error {
        GatherError::CodeHost(error) => error.into(),
        GatherError::Store(error) => error.into(),
    })
}
