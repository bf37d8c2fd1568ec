//! The wording of notifications.

use super::publish::instant;
use super::visible;
use crate::approval::decision::{Decision, Event, ReasonCode, Unmet};
use crate::policy::StandIn;
use crate::request::ApprovalRequest;
use crate::request::occasion::Occasion;

/// The most characters of a subject: SNS accepts fewer than 100.
const LONGEST_SUBJECT: usize = 99;
/// The most people that a line names.
const MOST_NAMED: usize = 12;

/// One line of printable ASCII: what happened, and to what. Names that are too long are shortened, and what happened never
/// is.
#[must_use]
pub fn subject(request: &ApprovalRequest, occasion: Occasion) -> String {
    let target = &request.subject.target;
    let audit = if request.is_audited() { " (audit only)" } else { "" };
    let happened = format!(": {}{audit}", headline(occasion.event));
    let left = LONGEST_SUBJECT.saturating_sub(happened.len()).saturating_sub(" to ".len());
    let [service, environment] = shortened([target.service.as_str(), target.environment.as_str()], left);
    format!("{service} to {environment}{happened}")
}

/// Both names in so many characters together. A name of at most half of them is whole; a longer one ends with `...`.
fn shortened(names: [&str; 2], together: usize) -> [String; 2] {
    let names = names.map(|name| name.chars().filter(char::is_ascii_graphic).collect::<String>());
    let half = together / 2;
    let [service, environment] = names.each_ref().map(String::len);
    let of = |length: usize, other: usize| length.min(half.max(together.saturating_sub(other)));
    let most = [of(service, environment), of(environment, service)];
    let mut most = most.into_iter();
    names.map(|name| {
        let most = most.next().unwrap_or(half);
        if name.len() <= most { name } else { name.chars().take(most.saturating_sub(3)).chain("...".chars()).collect() }
    })
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
    lines.iter().map(|line| visible(line)).collect::<Vec<_>>().join("\n")
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::{EnvironmentName, ServiceName};
    use crate::request::tests::pending;

    #[test]
    fn a_subject_says_what_happened_and_shortens_names_that_are_too_long() {
        let written = |service: &str, environment: &str, event| {
            let mut request = pending();
            request.subject.target.service = ServiceName::new(service).unwrap();
            request.subject.target.environment = EnvironmentName::new(environment).unwrap();
            subject(&request, Occasion::from(event))
        };
        assert_eq!(written("checkout", "production", Event::Requested), "checkout to production: approval needed");
        let (short, long) = ("a", "x".repeat(128));
        for names in [[short, &long], [&long, short], [&long, &long], [short, short]] {
            for event in [Event::Requested, Event::Escalated, Event::Overridden, Event::Blocked] {
                let line = written(names[0], names[1], event);
                assert!(line.len() <= LONGEST_SUBJECT && line.ends_with(headline(event)), "{line}");
                assert_eq!(line.matches("...").count(), names.iter().filter(|name| name.len() > 1).count(), "{line}");
                assert!(line.len() > 90 || names == [short, short], "{line}");
            }
        }
    }
}
