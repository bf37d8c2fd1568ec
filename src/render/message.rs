//! What channels are told.

use crate::approval::decision::{Decision, Event};
use crate::approval::request::ApprovalRequest;

/// The most characters of a subject: SNS takes fewer than 100.
const LONGEST_SUBJECT: usize = 99;

/// One line of printable ASCII: what happened, and to what.
#[must_use]
pub fn subject(request: &ApprovalRequest, event: Event) -> String {
    let target = &request.subject.target;
    let line = format!("{} to {}: {}", target.service, target.environment, headline(event));
    line.chars().filter(|c| c.is_ascii() && !c.is_ascii_control()).take(LONGEST_SUBJECT).collect()
}

const fn headline(event: Event) -> &'static str {
    match event {
        Event::Requested => "approval needed",
        Event::Reminded => "approval still needed",
        Event::Escalated => "approval overdue",
        Event::Blocked => "changes requested, on hold",
        Event::Approved => "approved",
        Event::Rejected => "rejected",
        Event::Expired => "expired",
        Event::Superseded => "superseded",
        Event::Denied => "denied",
        Event::Overridden => "released by an override",
        Event::Canceled => "canceled",
    }
}

/// The message for people.
#[must_use]
pub fn text(request: &ApprovalRequest, event: Event, decision: Option<&Decision>) -> String {
    let subject = &request.subject;
    let mut lines = vec![format!("{}: {}.", subject.target, headline(event))];
    if let Some(pull_request) = &subject.pull_request {
        let revision =
            subject.revision.as_ref().map(|revision| format!(" at {}", revision.short())).unwrap_or_default();
        lines.push(format!("Pull request {pull_request}{revision}."));
    }
    match decision {
        Some(decision) => lines.push(format!("{}.", decision.summary)),
        None if event == Event::Requested => {
            if let Some(requirement) = request.rule.rule().requirement() {
                let names: Vec<&str> = requirement.leaves().iter().map(|leaf| &*leaf.name).collect();
                lines.push(format!("It needs: {}. Approve by reviewing the pull request.", names.join("; ")));
            }
        }
        None => {}
    }
    if let (Some(deadline), Event::Requested | Event::Reminded | Event::Escalated) = (request.deadline, event) {
        lines.push(format!("It expires at {deadline}."));
    }
    lines.join("\n")
}
