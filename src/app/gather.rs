//! Gathers the facts of one decision: what the code host says, overlaid with the observations of verified deliveries.
//!
//! If any part cannot be read, gathering fails, and the request goes on waiting.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::App;
use super::failure::Failure;
use super::vetoes::{remember_read, standing_vetoes};
use crate::approval::facts::{FACTS_SCHEMA, Facts, PullRequest};
use crate::approval::{cut_lists, cut_text};
use crate::ident::{PullRequestRef, Revision};
use crate::policy::{Condition, Exclusion, Rule, Test};
use crate::ports::{CodeHostError, Needs, Reading, StoreError};
use crate::request::observation::Observed;
use crate::request::{ApprovalRequest, Subject};

/// Why the facts could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum GatherError {
    #[error(transparent)]
    CodeHost(#[from] CodeHostError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// When approval was requested, and when the request was settled as approved.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moments {
    pub(super) requested_at: Option<Timestamp>,
    pub(super) approved_at: Option<Timestamp>,
}

/// The facts of a decision on the subject, as of now. Reads nothing if the rule requires no approval. If the subject
/// names no revision, the revision is the one that the pull request would deploy.
pub(super) async fn gather(
    app: &App,
    rule: Option<&Rule<'_>>,
    subject: &Subject,
    moments: Moments,
) -> Result<Facts, GatherError> {
    let mut facts = bare(subject, moments, app.clock.now());
    let rule = rule.filter(|rule| rule.requirement().is_some());
    if let (Some(rule), Some(reference)) = (rule, &subject.pull_request) {
        let Reading { pull_request, reviews, teams, objections } = read_pull_request(app, rule, reference).await?;
        facts.revision.get_or_insert_with(|| deployed(&pull_request));
        facts.pull_request = Some(pull_request);
        facts.reviews = reviews;
        facts.teams = teams;
        // Before the lists are cut: under another rule, somebody may request changes who may not under this one.
        remember_read(app, &facts, &objections).await?;
        cut_lists(rule, &mut facts);
        facts.vetoes = standing_vetoes(app, rule, &facts).await?;
    }
    // The time is read last, so that no fact is later than it.
    facts.now = app.clock.now();
    Ok(facts)
}

/// The revision that a pull request deploys: its head, or once merged, its merge commit.
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

/// The pull request, its reviews and the rule's teams, overlaid with what deliveries observed.
pub(super) async fn read_pull_request(
    app: &App,
    rule: &Rule<'_>,
    reference: &PullRequestRef,
) -> Result<Reading, GatherError> {
    let known = app.store.observed(reference).await?;
    let mut reading = app.code_host.read(reference, &needs(rule, &known)).await?;
    // Read again: a delivery that came while the host answered counts.
    let observed = app.store.observed(reference).await?;
    observed.overlay_reviews(&mut reading.reviews);
    reading.reviews.iter_mut().for_each(cut_text);
    let pull_request = &mut reading.pull_request;
    // A list of commits without the head is not complete, whatever the host says.
    let has_head = pull_request.commits.iter().any(|commit| commit.sha == pull_request.head);
    pull_request.commits_complete &= has_head;
    observed.overlay_pull_request(pull_request);
    Ok(reading)
}

/// The parts of a pull request that the rule needs and that no delivery has observed.
pub(super) fn needs(rule: &Rule<'_>, known: &Observed) -> Needs {
    let looks_at = |wanted: fn(&Test) -> bool| rule.conditions().any(|condition| has(condition, wanted));
    let people = |test: &Test| matches!(test, Test::Authors(_) | Test::OnlyAuthors(_));
    Needs {
        files: looks_at(|test| matches!(test, Test::Paths(_) | Test::OnlyPaths(_))),
        pushers: rule.exclude().contains(&Exclusion::Pushers) || looks_at(people),
        known_reviews: known.reviews.keys().copied().collect(),
        teams: rule.teams().into_iter().collect(),
    }
}

fn has(condition: &Condition, wanted: fn(&Test) -> bool) -> bool {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().any(|part| has(part, wanted)),
        Condition::Not(inner) => has(inner, wanted),
        Condition::Is(term) => wanted(&term.test),
    }
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
