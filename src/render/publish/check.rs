//! The check of a target: what is asked of whom, what every review came to, and what comes next.

use super::markdown::{clipped, code, words};
use super::people::People;
use super::sheet::{Cost, Sheet};
use super::{RequestStatus, View, instant};
use crate::approval::decision::{
    Applies, Decision, Group, NextActionKind, Part, Quorum, ReviewOutcome, ReviewReason, ReviewVerdict,
};
use crate::ident::{Revision, Target};
use crate::policy::Duration;
use crate::render::decision::{effect_words, state_words};
use crate::render::visible;
use crate::request::End;
use crate::request::published::{CHECK_PREFIX, Check, CheckStatus, Conclusion, Stage};

/// GitHub takes 65,535 bytes for a summary, and as many for a text.
const LONGEST: usize = 65_535;
/// The longest title, in characters.
const LONGEST_TITLE: usize = 120;
/// The deepest part of a requirement whose depth is told apart.
const DEEPEST: u8 = 8;

/// The name of a target's check.
#[must_use]
pub fn check_name(target: &Target) -> String {
    format!("{CHECK_PREFIX}{} / {}", target.service, target.environment)
}

/// The check; none where the request has no commit to stand on.
#[must_use]
pub fn check(view: View<'_>) -> Option<Check> {
    let card = view.card;
    let head: Revision = card.head()?.clone();
    let people = People::new(view);
    let title = match card.stage {
        // Approval and release say who; the others say first what it came to.
        Stage::Approved | Stage::Released => people.plain(card.summary()),
        Stage::Unread | Stage::Waiting | Stage::Held | Stage::Ended(_) | Stage::Audited => {
            format!("{}: {}", card.headline(), people.plain(card.summary()))
        }
    };
    Some(Check {
        name: check_name(&card.request.subject.target),
        head,
        request: card.request.id.clone(),
        status: status(card.stage),
        started_at: card.request.requested_at.unwrap_or(card.request.opened_at),
        title: clipped(&visible(&title), LONGEST_TITLE),
        summary: summary(view, &people).fit(LONGEST),
        text: text(view, &people).fit(LONGEST),
        can_reevaluate: card.is_open(),
    })
}

const fn status(stage: Stage) -> CheckStatus {
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

fn summary(view: View<'_>, people: &People<'_>) -> Sheet {
    let card = view.card;
    let mut sheet = Sheet::default();
    sheet.line(format!("**{}**: {}", capital(card.headline()), people.words(card.summary())));
    sheet.line("");
    if let Some(overridden) = card.decision.and_then(|decision| decision.overridden.as_ref()) {
        let by: Vec<String> = overridden.by.iter().map(|login| words(login.as_str())).collect();
        sheet.line(format!("- Overridden by {}: {}", by.join(", "), words(&overridden.reason)));
    }
    if card.is_open() {
        asked(&mut sheet, view, people);
    }
    if let Some(until) = card.decision.and_then(|decision| decision.until).filter(|_| card.stage == Stage::Held) {
        sheet.line(format!("- It is looked at again at {}, and released if it is still approved.", instant(until)));
    }
    if let Some(description) = card.request.rule.rule().description {
        sheet.line(format!("- About the service: {}", words(description)));
    }
    sheet
}

/// What is asked of whom, until when, and what to write.
fn asked(sheet: &mut Sheet, view: View<'_>, people: &People<'_>) {
    let card = view.card;
    for unmet in card.decision.iter().flat_map(|decision| &decision.unmet) {
        let missing = unmet.need.saturating_sub(unmet.have);
        let name = people.words(&unmet.name);
        sheet.line(match (unmet.unsatisfiable, unmet.asked) {
            (true, _) => format!("- **Can never be met**: {name}. Too few people are left once the excluded are gone."),
            (false, true) => format!("- Needed now: {missing} more for {name}; {}.", people.who(unmet)),
            (false, false) => format!("- Needed later: {missing} more for {name}."),
        });
    }
    if let Some(deadline) = card.request.deadline {
        sheet.line(format!("- It expires at {}; that is never an approval.", instant(deadline)));
    }
    let target = &card.request.subject.target;
    let line = code(&format!("/approve {target}"));
    if card.must_be_named() {
        sheet.line(format!("- To approve, review this pull request; the first line must be {line}"));
    } else {
        let others = also_served(view);
        if others.is_empty() {
            sheet.line("- To approve, review this pull request and choose *Approve*.");
        } else {
            sheet.line(format!(
                "- To approve, review this pull request and choose *Approve*. That also counts for {}; \
                 for this one alone, make the first line {line}",
                others.join(", ")
            ));
        }
    }
}

/// The other open requests that a plain approval of this one's commit would also serve.
fn also_served(view: View<'_>) -> Vec<String> {
    let head = view.card.head();
    let serves = |other: &&RequestStatus<'_>| {
        let other_target = other.request.subject.target != view.card.request.subject.target;
        other_target && other.is_open() && !other.must_be_named() && other.head() == head
    };
    let mut others: Vec<String> =
        view.all.iter().filter(serves).map(|other| words(&other.request.subject.target.to_string())).collect();
    others.sort_unstable();
    others.dedup();
    others
}

fn text(view: View<'_>, people: &People<'_>) -> Sheet {
    let mut sheet = Sheet::default();
    if let Some(decision) = view.card.decision {
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
    about(&mut sheet, view);
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
        Applies::Unknown => " (whether it applies is not known: it is asked for)",
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
    sheet.section(|count| format!("| … | | | {count} that do nothing are left out |"));
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
        ReviewVerdict::Ignored if review.reason == ReviewReason::Superseded => (Cost::Replaced, ""),
        ReviewVerdict::Ignored => (Cost::Passed, ""),
    };
    let (state, effect) = (state_words(review.state), effect_words(review.verdict));
    let by = review.user.as_ref().map_or_else(|| "(gone)".to_owned(), |login| words(login.as_str()));
    (cost, format!("| {by} | {state} | {mark}{effect} | {} |", people.words(&review.text)))
}

/// What it is about, and what it rests on.
fn about(sheet: &mut Sheet, view: View<'_>) {
    let RequestStatus { request, decision, .. } = view.card;
    let subject = &request.subject;
    sheet.line("### About");
    sheet.line("");
    let mut field = |name: &str, value: String| sheet.line(format!("- {name}: {value}"));
    field("Target", words(&subject.target.to_string()));
    if let Some(revision) = &subject.revision {
        field("Revision", code(revision.as_str()));
    }
    if let Some(version) = &subject.version {
        field("Version, on the caller's word", words(version));
    }
    if let Some(requester) = &subject.requester {
        field("Requested by, on the caller's word", words(requester.as_str()));
    }
    if let (Some(deadline), Some(timeout)) =
        (request.deadline, decision.and_then(|d| d.timeout_seconds).and_then(Duration::from_secs))
    {
        field("Deadline", format!("{} ({timeout} after people were asked)", instant(deadline)));
    }
    if let Some(next) = decision.filter(|_| view.card.is_open()).and_then(|decision| decision.next_action.as_ref()) {
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
        NextActionKind::Remind => "those who are still needed are reminded",
        NextActionKind::Escalate => "others are told, and may stand in",
        NextActionKind::ApprovalAges => "an approval grows too old",
        NextActionKind::OverrideEnds => "an override stops counting",
        NextActionKind::CalendarChanges => "a calendar of the rule opens or closes",
        NextActionKind::Evaluate => "it is looked at again",
        NextActionKind::Expire => "it expires",
    }
}

fn capital(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map(|first| first.to_ascii_uppercase().to_string() + rest.as_str()).unwrap_or_default()
}
