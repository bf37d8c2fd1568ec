//! The check of a target: what is needed from whom, what each review counts for, and what happens next.

use super::markdown::{code, truncated, words};
use super::people::People;
use super::sheet::{Cost, Sheet};
use super::{RequestStatus, instant};
use crate::approval::decision::{
    Applies, Decision, Group, NextActionKind, Part, Quorum, ReviewOutcome, ReviewReason, ReviewVerdict,
};
use crate::ident::{Revision, Target};
use crate::policy::Duration;
use crate::render::decision::{effect_words, state_words};
use crate::render::visible;
use crate::request::End;
use crate::request::published::{CHECK_PREFIX, Check, CheckStatus, Conclusion, Stage};

/// GitHub accepts 65,535 bytes for a summary, and as many for a text.
const LONGEST: usize = 65_535;
/// The longest title, in characters.
const LONGEST_TITLE: usize = 120;
/// Parts of a requirement below this depth cost the same to leave out.
const DEEPEST: u8 = 8;

#[must_use]
pub fn check_name(target: &Target) -> String {
    format!("{CHECK_PREFIX}{} / {}", target.service, target.environment)
}

/// Returns `None` if the request has no commit. `all` has all requests of the pull request.
#[must_use]
pub fn check(status: &RequestStatus, all: &[RequestStatus], public: bool) -> Option<Check> {
    let RequestStatus { request, stage, .. } = status;
    let head: Revision = status.head()?.clone();
    let people = People::new(status, public);
    let title = match stage {
        // The summary of an approval or a release says enough: it names who approved.
        Stage::Approved | Stage::Released => people.text(status.summary()),
        Stage::Unread | Stage::Waiting | Stage::Held | Stage::Ended(_) | Stage::Audited => {
            format!("{}: {}", status.headline(), people.text(status.summary()))
        }
    };
    Some(Check {
        name: check_name(&request.subject.target),
        head,
        request: request.id.clone(),
        status: check_status(*stage),
        started_at: request.requested_at.unwrap_or(request.opened_at),
        title: truncated(&visible(&title), LONGEST_TITLE),
        summary: summary(status, all, &people).truncated(LONGEST),
        text: text(status, &people).truncated(LONGEST),
        can_reevaluate: status.is_open(),
    })
}

const fn check_status(stage: Stage) -> CheckStatus {
    match stage {
        Stage::Unread => CheckStatus::Queued,
        Stage::Waiting | Stage::Held => CheckStatus::InProgress,
        Stage::Approved | Stage::Released | Stage::Ended(End::Approved) => CheckStatus::Completed(Conclusion::Success),
        Stage::Audited => CheckStatus::Completed(Conclusion::Neutral),
        Stage::Ended(End::Rejected | End::Denied) => CheckStatus::Completed(Conclusion::Failure),
        Stage::Ended(End::Expired) => CheckStatus::Completed(Conclusion::TimedOut),
        Stage::Ended(End::Superseded | End::Canceled) => CheckStatus::Completed(Conclusion::Cancelled),
    }
}

fn summary(status: &RequestStatus, all: &[RequestStatus], people: &People<'_>) -> Sheet {
    let mut sheet = Sheet::default();
    sheet.line(format!("**{}**: {}", capital(status.headline()), people.words(status.summary())));
    sheet.line("");
    if let Some(overridden) = status.decision.as_ref().and_then(|decision| decision.overridden.as_ref()) {
        let by: Vec<String> = overridden.by.iter().map(|login| words(login.as_str())).collect();
        sheet.line(format!("- Overridden by {}: {}", by.join(", "), words(&overridden.reason)));
    }
    if status.is_open() {
        how_to_approve(&mut sheet, status, all, people);
    }
    if let Some(until) = status.held_until() {
        sheet.line(format!(
            "- The gate evaluates it again at {} and releases it if it is still approved.",
            instant(until)
        ));
    }
    if let Some(description) = status.request.rule.rule().description {
        sheet.line(format!("- About the service: {}", words(description)));
    }
    sheet
}

/// What is needed from whom, until when, and what to write.
fn how_to_approve(sheet: &mut Sheet, status: &RequestStatus, all: &[RequestStatus], people: &People<'_>) {
    for unmet in status.decision.iter().flat_map(|decision| &decision.unmet) {
        let missing = unmet.need.saturating_sub(unmet.have);
        let name = people.words(&unmet.name);
        sheet.line(match (unmet.unsatisfiable, unmet.asked) {
            (true, _) => {
                format!("- **Can never be met**: {name}. Too few people are left for all parts after exclusions.")
            }
            (false, true) => format!("- Needed now: {missing} more for {name}; {}.", people.who(unmet)),
            (false, false) => format!("- Needed later: {missing} more for {name}."),
        });
    }
    if let Some(deadline) = status.request.deadline {
        sheet.line(format!(
            "- Without approval by {} the deployment fails and must be started again.",
            instant(deadline)
        ));
    }
    let target = &status.request.subject.target;
    let line = code(&format!("/approve {target}"));
    if status.must_be_named() {
        sheet.line(format!("- To approve, review this pull request. A line of the review must be {line}"));
    } else {
        let others = also_served(status, all);
        if others.is_empty() {
            sheet.line("- To approve, review this pull request and choose *Approve*.");
        } else {
            sheet.line(format!(
                "- To approve, review this pull request and choose *Approve*. That approval also counts for {}. \
                 To approve this target alone, write the line {line} in the review",
                others.join(", ")
            ));
        }
    }
}

/// The targets of the other open requests for which an approval of this commit without a command also counts.
fn also_served(status: &RequestStatus, all: &[RequestStatus]) -> Vec<String> {
    let serves = |other: &&RequestStatus| {
        let other_target = other.request.subject.target != status.request.subject.target;
        other_target && other.is_open() && !other.must_be_named() && other.head() == status.head()
    };
    let mut others: Vec<String> =
        all.iter().filter(serves).map(|other| words(&other.request.subject.target.to_string())).collect();
    others.sort_unstable();
    others.dedup();
    others
}

fn text(status: &RequestStatus, people: &People<'_>) -> Sheet {
    let mut sheet = Sheet::default();
    if let Some(decision) = &status.decision {
        if let Some(requirement) = &decision.requirement {
            sheet.line("### What is needed");
            sheet.line("");
            sheet.section(|count| format!("- … and {count} parts that are met or do not apply"));
            part(&mut sheet, people, requirement, 0);
            sheet.section(|_| String::new());
            sheet.line("");
        }
        reviews(&mut sheet, people, decision);
        sheet.section(|_| String::new());
        if !decision.reasons.is_empty() {
            sheet.line("### Why");
            sheet.line("");
            for reason in &decision.reasons {
                let source = reason.source.as_deref().map(|source| format!(" ({})", code(source))).unwrap_or_default();
                sheet.line(format!("- {}{source}", people.words(&reason.text)));
            }
            sheet.line("");
        }
    }
    about(&mut sheet, status);
    sheet
}

/// A part of the requirement, and all below it.
fn part(sheet: &mut Sheet, people: &People<'_>, of: &Part, depth: u8) {
    let indent = "  ".repeat(usize::from(depth));
    let mark = match (of.applies(), of.met()) {
        (Applies::No, _) => "➖",
        (Applies::Yes | Applies::Unknown, true) => "✅",
        (Applies::Yes | Applies::Unknown, false) => "⬜",
    };
    let settled = of.met() || of.applies() == Applies::No;
    let cost = if settled && depth > 0 { Cost::Met(DEEPEST.saturating_sub(depth)) } else { Cost::Never };
    let group = |name: &str| format!("{indent}- {mark} {name}{}", applies(of.applies()));
    let line = match of {
        Part::Quorum(leaf) => format!("{indent}- {mark} {}{}", quorum(people, leaf), applies(leaf.applies)),
        Part::AllOf(_) => group("all of"),
        Part::AnyOf(_) => group("any of"),
        Part::InOrder(_) => group("in order"),
    };
    sheet.droppable(cost, line);
    match of {
        Part::Quorum(_) => {}
        Part::AllOf(Group { parts, .. }) | Part::AnyOf(Group { parts, .. }) | Part::InOrder(Group { parts, .. }) => {
            parts.iter().for_each(|inner| part(sheet, people, inner, depth.saturating_add(1)));
        }
    }
}

const fn applies(applies: Applies) -> &'static str {
    match applies {
        Applies::Yes => "",
        Applies::No => " (does not apply)",
        Applies::Unknown => " (may not apply; required because its condition is unknown)",
    }
}

fn quorum(people: &People<'_>, leaf: &Quorum) -> String {
    let by: Vec<String> = leaf.approved_by.iter().map(|login| words(login.as_str())).collect();
    let by = if by.is_empty() { String::new() } else { format!(", by {}", by.join(", ")) };
    format!("{}: {} of {}{by} ({})", people.words(&leaf.name), leaf.have, leaf.need, code(&leaf.source))
}

fn reviews(sheet: &mut Sheet, people: &People<'_>, decision: &Decision) {
    if decision.reviews.is_empty() {
        return;
    }
    sheet.section(|_| String::new());
    sheet.line("### Reviews");
    sheet.line("");
    sheet.line("| by | review | | why |");
    sheet.line("|---|---|---|---|");
    sheet.section(|count| format!("| … | | | {count} reviews without effect are left out |"));
    for review in &decision.reviews {
        let (cost, row) = row(people, review);
        sheet.droppable(cost, row);
    }
    sheet.section(|_| String::new());
    sheet.line("");
}

fn row(people: &People<'_>, review: &ReviewOutcome) -> (Cost, String) {
    let (cost, mark) = match review.verdict {
        ReviewVerdict::Counts => (Cost::Never, "✅ "),
        ReviewVerdict::Rejects => (Cost::Never, "⛔ "),
        ReviewVerdict::Blocks => (Cost::Never, "✋ "),
        ReviewVerdict::Ignored if review.reason == ReviewReason::Superseded => (Cost::Superseded, ""),
        ReviewVerdict::Ignored => (Cost::Passed, ""),
    };
    let (state, effect) = (state_words(review.state), effect_words(review.verdict));
    let by = review.user.as_ref().map_or_else(|| "(gone)".to_owned(), |login| words(login.as_str()));
    (cost, format!("| {by} | {state} | {mark}{effect} | {} |", people.words(&review.text)))
}

/// What the request is for, and the rule and policy that it is decided by.
fn about(sheet: &mut Sheet, status: &RequestStatus) {
    let (request, decision) = (&status.request, status.decision.as_ref());
    let subject = &request.subject;
    sheet.line("### About");
    sheet.line("");
    let mut field = |name: &str, value: String| sheet.line(format!("- {name}: {value}"));
    field("Target", words(&subject.target.to_string()));
    if let Some(revision) = &subject.revision {
        field("Revision", code(revision.as_str()));
    }
    if let Some(version) = &subject.version {
        field("Version, stated by the caller", words(version));
    }
    if let Some(requester) = &subject.requester {
        field("Requested by, stated by the caller", words(requester.login.as_str()));
    }
    if let (Some(deadline), Some(timeout)) =
        (request.deadline, decision.and_then(|d| d.timeout_seconds).and_then(Duration::from_secs))
    {
        field("Deadline", format!("{} ({timeout} after the request was opened)", instant(deadline)));
    }
    if let Some(next) = decision.filter(|_| status.is_open()).and_then(|decision| decision.next_action.as_ref()) {
        field("Next", format!("{} at {}", next_words(next.kind), instant(next.at)));
    }
    if let Some(rule) = decision.and_then(|decision| decision.rule.as_ref()) {
        let (service, environment) = (code(&rule.service_selector), code(&rule.environment_selector));
        field("Rule", format!("{} (service {service}, environment {environment})", code(&rule.source)));
    }
    field("Policy", code(request.policy_digest.as_str()));
    field("Request", code(request.id.as_str()));
}

const fn next_words(kind: NextActionKind) -> &'static str {
    match kind {
        NextActionKind::Remind => "those still needed are reminded",
        NextActionKind::Escalate => "others are notified, and may stand in",
        NextActionKind::ApprovalAges => "an approval becomes too old",
        NextActionKind::OverrideEnds => "an override stops counting",
        NextActionKind::CalendarChanges => "a calendar of the rule opens or closes",
        NextActionKind::Evaluate => "it is evaluated again",
        NextActionKind::Expire => "it expires",
    }
}

fn capital(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map(|first| first.to_ascii_uppercase().to_string() + rest.as_str()).unwrap_or_default()
}
