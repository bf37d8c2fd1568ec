//! A decision as text for the terminal, and the words for its reviews. As JSON, it is the [`Decision`] itself.

use std::fmt::Write as _;

use super::visible;
use crate::approval::decision::{Decision, Group, Mode, Part, Quorum, ReviewOutcome, ReviewVerdict, Verdict};
use crate::approval::facts::ReviewState;
use crate::ident::{ChannelName, Login};
use crate::policy::Duration;

/// The verdict and the summary first, then everything that they follow from. Reads the same without colour.
#[must_use]
pub fn text(decision: &Decision, color: bool) -> String {
    let mut lines = Lines::default();
    let verdict = painted(decision.verdict, color);
    lines.raw(format_args!("{verdict}: {}", visible(&decision.summary)));
    about(&mut lines, decision);
    if let Some(requirement) = &decision.requirement {
        lines.heading("requirement");
        part(&mut lines, requirement, 1);
    }
    reviews(&mut lines, &decision.reviews);
    if !decision.reasons.is_empty() {
        lines.heading("reasons");
        for reason in &decision.reasons {
            let source = reason.source.as_deref().map(|source| format!(", {source}")).unwrap_or_default();
            lines.push(1, &format!("{} ({}{source})", reason.text, reason.code.as_str()));
        }
    }
    lines.0
}

/// The text so far. Every line that is added is made safe to print.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn raw(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.0.write_fmt(text);
        self.0.push('\n');
    }

    fn push(&mut self, depth: usize, text: &str) {
        self.raw(format_args!("{:width$}{}", "", visible(text), width = depth * 2));
    }

    fn heading(&mut self, text: &str) {
        self.raw(format_args!("\n{text}"));
    }

    fn field(&mut self, name: &str, text: &str) {
        self.push(1, &format!("{name:<13} {text}"));
    }
}

fn painted(verdict: Verdict, color: bool) -> String {
    let code = match verdict {
        Verdict::Approved => "1;32",
        Verdict::Pending | Verdict::Wait => "1;33",
        Verdict::Blocked | Verdict::Rejected | Verdict::Expired | Verdict::Superseded | Verdict::Denied => "1;31",
    };
    let word = verdict.as_str();
    if color { format!("\u{1b}[{code}m{word}\u{1b}[0m") } else { word.to_owned() }
}

fn about(lines: &mut Lines, decision: &Decision) {
    lines.heading("about");
    lines.field("target", &decision.target.to_string());
    if let Some(pull_request) = &decision.pull_request {
        lines.field("pull request", &pull_request.to_string());
    }
    match (&decision.revision, &decision.head) {
        (Some(revision), Some(head)) if revision != head => {
            lines.field("revision", &format!("{revision} (the head is {head})"));
        }
        (Some(revision), _) => lines.field("revision", revision.as_str()),
        (None, Some(head)) => lines.field("head", head.as_str()),
        (None, None) => {}
    }
    if let Some(rule) = &decision.rule {
        let selectors = format!("service `{}`, environment `{}`", rule.service_selector, rule.environment_selector);
        lines.field("rule", &format!("{} ({selectors})", rule.source));
    }
    lines.field("evaluated at", &decision.evaluated_at.to_string());
    let timeout = decision.timeout_seconds.and_then(Duration::from_secs);
    match (decision.deadline, timeout) {
        (Some(deadline), Some(timeout)) => {
            lines.field("deadline", &format!("{deadline} ({timeout} after the request was opened)"));
        }
        (Some(deadline), None) => lines.field("deadline", &deadline.to_string()),
        (None, Some(timeout)) => lines.field("deadline", &format!("{timeout} after the request is opened")),
        (None, None) => {}
    }
    if let Some(until) = decision.until {
        lines.field("until", &until.to_string());
    }
    if let Some(overridden) = &decision.overridden {
        lines.field("override", &format!("by {}: {}", logins(&overridden.by), overridden.reason));
    }
    if let Some(notify) = &decision.notify {
        let channels: Vec<&str> = notify.channels.iter().map(ChannelName::as_str).collect();
        let notified = if channels.is_empty() { "nobody".to_owned() } else { channels.join(", ") };
        lines.field("notify", &format!("{notified} (event `{}`)", notify.event.as_str()));
    }
    if decision.mode == Mode::Audit {
        lines.field("mode", "audit: the deployment passes whatever the verdict");
    }
    lines.field("policy", decision.policy_digest.as_str());
}

/// `pia, pat`, or `nobody`.
fn logins(logins: &[Login]) -> String {
    if logins.is_empty() {
        return "nobody".to_owned();
    }
    logins.iter().map(Login::as_str).collect::<Vec<_>>().join(", ")
}

const fn mark(met: bool) -> &'static str {
    if met { "[x]" } else { "[ ]" }
}

fn part(lines: &mut Lines, part: &Part, depth: usize) {
    match part {
        Part::Quorum(leaf) => quorum(lines, leaf, depth),
        Part::AllOf(inner) => group(lines, "all of", inner, depth),
        Part::AnyOf(inner) => group(lines, "any of", inner, depth),
        Part::InOrder(inner) => group(lines, "in order", inner, depth),
    }
}

fn group(lines: &mut Lines, name: &str, group: &Group, depth: usize) {
    lines.push(depth, &format!("{} {name}", mark(group.met)));
    for inner in &group.parts {
        part(lines, inner, depth + 2);
    }
}

fn quorum(lines: &mut Lines, leaf: &Quorum, depth: usize) {
    let Quorum { name, need, have, met, source, .. } = leaf;
    lines.push(depth, &format!("{} {name}: {have} of {need} ({source})", mark(*met)));
    if !leaf.approved_by.is_empty() {
        lines.push(depth + 2, &format!("approved by {}", logins(&leaf.approved_by)));
    }
    if !leaf.met {
        lines.push(depth + 2, &format!("can approve: {}", logins(&leaf.can_approve)));
    }
}

fn reviews(lines: &mut Lines, reviews: &[ReviewOutcome]) {
    if reviews.is_empty() {
        return;
    }
    lines.heading("reviews");
    let name = |review: &ReviewOutcome| visible(review.user.as_ref().map_or("(gone)", Login::as_str));
    let width = reviews.iter().map(|review| name(review).chars().count()).max().unwrap_or(0);
    for review in reviews {
        let (state, effect) = (state_words(review.state), effect_words(review.verdict));
        let line = format!("{:<width$}  {state:<17}  {effect:<14}  {}", name(review), review.text);
        lines.push(1, &line);
    }
}

pub(super) const fn state_words(state: ReviewState) -> &'static str {
    match state {
        ReviewState::Approved => "approved",
        ReviewState::ChangesRequested => "changes requested",
        ReviewState::Commented => "commented",
        ReviewState::Dismissed => "dismissed",
        ReviewState::Pending => "pending",
    }
}

pub(super) const fn effect_words(verdict: ReviewVerdict) -> &'static str {
    match verdict {
        ReviewVerdict::Counts => "counts",
        ReviewVerdict::Ignored => "does not count",
        ReviewVerdict::Rejects => "rejects",
        ReviewVerdict::Blocks => "blocks",
    }
}
