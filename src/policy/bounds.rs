//! Checks of whole rules: no rule falls below a floor, and no reminder or escalation comes after the deadline.
//!
//! Checks every rule as written. Patterns that only may overlap are checked when a request is decided.

use std::collections::HashSet;

use super::floor::Floor;
use super::pattern::Pattern;
use super::read::{Place, Reader};
use super::rule::Rule;
use super::setting::Field;
use super::{Duration, Policy};
use crate::finding::{Code, Finding, Span};

/// Reports every rule that is below a floor, or that reminds or escalates after its deadline. A problem that many
/// services inherit is reported once.
pub(super) fn bounds(reader: &mut Reader<'_>, policy: &Policy) {
    let mut reported = HashSet::new();
    for service in policy.services() {
        for (environment, rule) in policy.written_rules(service) {
            let about = format_args!("`{environment}` of `{}`", service.0).to_string();
            for floor in policy.floors().iter().filter(|floor| is_about(floor, environment)) {
                below_floor(reader, &rule, floor, &about, &mut reported);
            }
            after_deadline(reader, &rule, &about, &mut reported);
        }
    }
}

/// Whether a floor certainly holds for the names that an environment key means.
fn is_about(floor: &Floor, environment: &Pattern) -> bool {
    let selector = &floor.selector;
    if environment.is_exact() {
        selector.matches(environment.as_str())
    } else {
        selector.is_star() || selector == environment
    }
}

/// The pairs of places that were reported already.
type Reported = HashSet<(Span, Span)>;

fn below_floor(reader: &mut Reader<'_>, rule: &Rule<'_>, floor: &Floor, about: &str, reported: &mut Reported) {
    // A rule without `require` has a finding of its own.
    let Some(below) = floor.below(rule).filter(|_| rule.require().is_some()) else { return };
    let place = rule.set_at(below.field).unwrap_or(rule.source).span();
    if reported.insert((place, floor.source.span())) {
        reader.report(
            Finding::at(Code::BelowFloor, place, below.in_words())
                .related(floor.source.span(), "the floor is here")
                .hint(format!("make the rule stricter for {about}: a floor holds for every rule")),
        );
    }
}

fn after_deadline(reader: &mut Reader<'_>, rule: &Rule<'_>, about: &str, reported: &mut Reported) {
    let timeout = rule.timeout();
    let late = |after: &Duration| *after >= timeout;
    let remind = rule.remind().iter().find(|after| late(after)).map(|after| (Field::Remind, *after, None));
    let escalation = rule.escalate().iter().find(|step| late(&step.after));
    let escalation = escalation.map(|step| (Field::Escalate, step.after, Some(&step.source)));
    for (field, after, source) in remind.into_iter().chain(escalation) {
        let Some(place) = source.or_else(|| rule.set_at(field)).map(Place::span) else { continue };
        let deadline = rule.set_at(Field::Timeout).map(Place::span);
        if !reported.insert((place, deadline.unwrap_or_default())) {
            continue;
        }
        let what = field.as_str();
        let message = format!("`{what}` after {after} comes too late: the timeout of {about} is {timeout}");
        let hint = format!("choose less than {timeout}, or set a longer `timeout`");
        let finding = Finding::at(Code::AfterDeadline, place, message).hint(hint);
        reader.report(match deadline {
            Some(deadline) => finding.related(deadline, "the timeout is set here"),
            None => finding,
        });
    }
}
