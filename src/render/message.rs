//! The wording of notifications.

use super::publish::instant;
use crate::approval::decision::{Decision, Event, ReasonCode, Unmet};
use crate::policy::StandIn;
use crate::request::ApprovalRequest;
use crate::request::occasion::Occasion;

/// The most characters of a subject: SNS accepts fewer than 100.
const LONGEST_SUBJECT: usize = 99;
/// The most people that a line names.
const MOST_NAMED: usize = 12;

/// One line of printable ASCII: what happened, and to what.
#[must_use]
pub fn subject(request: &ApprovalRequest, occasion: Occasion) -> String {
    let target = &request.subject.target;
    let audit = if request.is_audited() { " (audit only)" } else { "" };
    let line = format!("{} to {}: {}{audit}", target.service, target.environment, headline(occasion.event));
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

#[must_use]
pub fn text(request: &ApprovalRequest, occasion: Occasion, decision: Option<&Decision>) -> String {
    let (subject, event) = (&request.subject, occasion.event);
    let mut lines = vec![format!("{}: {}.", subject.target, headline(event))];
    if request.is_audited() {
        lines.push("The rule is in audit mode: the deployment continues without waiting for approval.".to_owned());
    }
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
                lines.push(format!("Approvals needed: {}. To approve, review the pull request.", names.join("; ")));
            }
        }
        None => {}
    }
    if let (Some(decision), Event::Requested | Event::Reminded | Event::Escalated) = (decision, event) {
        let impossible = decision.reasons.iter().filter(|reason| reason.code == ReasonCode::Unsatisfiable);
        lines.extend(impossible.map(|reason| format!("{}.", reason.text)));
    }
    if let (Some(decision), Event::Reminded | Event::Escalated) = (decision, event) {
        let asked = decision.unmet.iter().filter(|unmet| unmet.asked && !unmet.unsatisfiable);
        lines.extend(asked.map(still_needed));
    }
    if event == Event::Escalated {
        lines.extend(stand_ins(request, occasion));
    }
    if let (Some(deadline), Event::Requested | Event::Reminded | Event::Escalated) = (request.deadline, event) {
        let by = instant(deadline);
        lines.push(format!("Without approval by {by} the deployment fails and must be started again."));
    }
    lines.join("\n")
}

/// What a leaf lacks, and who can approve.
fn still_needed(unmet: &Unmet) -> String {
    let missing = unmet.need.saturating_sub(unmet.have);
    let (named, others) = unmet.can_approve.split_at(unmet.can_approve.len().min(MOST_NAMED));
    let mut who: Vec<String> = named.iter().map(ToString::to_string).collect();
    if !others.is_empty() {
        who.push(format!("{} others", others.len()));
    }
    let who = if who.is_empty() { "nobody can approve".to_owned() } else { format!("{} can approve", who.join(", ")) };
    format!("Still needed for {}: {missing} more; {who}.", unmet.name)
}

/// Who may approve in whose place from this escalation on.
fn stand_ins(request: &ApprovalRequest, occasion: Occasion) -> Vec<String> {
    let rule = request.rule.rule();
    let step = occasion.number.and_then(|number| number.checked_sub(1)).and_then(|at| rule.escalate().get(at));
    let line = |stand_in: &StandIn| {
        let by: Vec<String> = stand_in.by.iter().map(ToString::to_string).collect();
        format!("From now on {} may approve in place of {}.", by.join(", "), stand_in.group.name)
    };
    step.iter().flat_map(|step| &step.stand_in).map(line).collect()
}
