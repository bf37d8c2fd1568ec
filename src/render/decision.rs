//! A decision as text for the terminal. As JSON it is the [`Decision`] itself.

use std::fmt::Write as _;

use super::visible;
use crate::approval::decision::{Decision, Group, Mode, Part, Quorum, ReviewOutcome, ReviewVerdict, Verdict};
use crate::approval::facts::ReviewState;
use crate::ident::{ChannelName, Login};
use crate::policy::Duration;

/// The verdict and the summary first, then everything they rest on. Reads the same without colour.
#[must_use]
pub fn text(decision: &Decision, color: bool) -> String {
    let mut page = Page::default();
    let verdict = painted(decision.verdict, color);
    page.raw(format_args!("{verdict}: {}", visible(&decision.summary)));
    about(&mut page, decision);
    if let Some(requirement) = &decision.requirement {
        page.heading("requirement");
        part(&mut page, requirement, 1);
    }
    reviews(&mut page, &decision.reviews);
    if !decision.reasons.is_empty() {
        page.heading("reasons");
        for reason in &decision.reasons {
            let source = reason.source.as_deref().map(|source| format!(", {source}")).unwrap_or_default();
            page.line(1, &format!("{} ({}{source})", reason.text, reason.code.as_str()));
        }
    }
    page.0
}

/// The text so far; every line that is added is made safe to print.
#[derive(Default)]
struct Page(String);

impl Page {
    fn raw(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.0.write_fmt(text);
        self.0.push('\n');
    }

    fn line(&mut self, depth: usize, text: &str) {
        self.raw(format_args!("{:width$}{}", "", visible(text), width = depth * 2));
    }

    fn heading(&mut self, text: &str) {
        self.raw(format_args!("\n{text}"));
    }

    fn field(&mut self, name: &str, text: &str) {
        self.line(1, &format!("{name:<13} {text}"));
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

fn about(page: &mut Page, decision: &Decision) {
    page.heading("about");
    page.field("target", &decision.target.to_string());
    if let Some(pull_request) = &decision.pull_request {
        page.field("pull request", &pull_request.to_string());
    }
    match (&decision.revision, &decision.head) {
        (Some(revision), Some(head)) if revision != head => {
            page.field("revision", &format!("{revision} (the head is {head})"));
        }
        (Some(revision), _) => page.field("revision", revision.as_str()),
        (None, Some(head)) => page.field("head", head.as_str()),
        (None, None) => {}
    }
    if let Some(rule) = &decision.rule {
        let selectors = format!("service `{}`, environment `{}`", rule.service_selector, rule.environment_selector);
        page.field("rule", &format!("{} ({selectors})", rule.source));
    }
    page.field("evaluated at", &decision.evaluated_at.to_string());
    let timeout = decision.timeout_seconds.and_then(Duration::from_secs);
    match (decision.deadline, timeout) {
        (Some(deadline), Some(timeout)) => {
            page.field("deadline", &format!("{deadline} ({timeout} after people were asked)"));
        }
        (Some(deadline), None) => page.field("deadline", &deadline.to_string()),
        (None, Some(timeout)) => page.field("deadline", &format!("{timeout} after people are asked")),
        (None, None) => {}
    }
    if let Some(until) = decision.until {
        page.field("until", &until.to_string());
    }
    if let Some(overridden) = &decision.overridden {
        page.field("override", &format!("by {}: {}", logins(&overridden.by), overridden.reason));
    }
    if let Some(notify) = &decision.notify {
        let channels: Vec<&str> = notify.channels.iter().map(ChannelName::as_str).collect();
        let told = if channels.is_empty() { "nobody".to_owned() } else { channels.join(", ") };
        page.field("notify", &format!("{told} (of `{}`)", notify.event.as_str()));
    }
    if decision.mode == Mode::Audit {
        page.field("mode", "audit: the deployment passes whatever the verdict");
    }
    page.field("policy", decision.policy_digest.as_str());
}

/// `pia, pat`, or `nobody`.
fn logins(logins: &[Login]) -> String {
    if logins.is_empty() {
        return "nobody".to_owned();
    }
    logins.iter().map(Login::as_str).collect::<Vec<_>>().join(", ")
}

/// `[x]` where it is met.
const fn mark(met: bool) -> &'static str {
    if met { "[x]" } else { "[ ]" }
}

fn part(page: &mut Page, part: &Part, depth: usize) {
    match part {
        Part::Quorum(leaf) => quorum(page, leaf, depth),
        Part::AllOf(inner) => group(page, "all of", inner, depth),
        Part::AnyOf(inner) => group(page, "any of", inner, depth),
        Part::InOrder(inner) => group(page, "in order", inner, depth),
    }
}

fn group(page: &mut Page, name: &str, group: &Group, depth: usize) {
    page.line(depth, &format!("{} {name}", mark(group.met)));
    for inner in &group.parts {
        part(page, inner, depth + 2);
    }
}

fn quorum(page: &mut Page, leaf: &Quorum, depth: usize) {
    let Quorum { name, need, have, met, source, .. } = leaf;
    page.line(depth, &format!("{} {name}: {have} of {need} ({source})", mark(*met)));
    if !leaf.approved_by.is_empty() {
        page.line(depth + 2, &format!("approved by {}", logins(&leaf.approved_by)));
    }
    if !leaf.met {
        page.line(depth + 2, &format!("can approve: {}", logins(&leaf.can_approve)));
    }
}

fn reviews(page: &mut Page, reviews: &[ReviewOutcome]) {
    if reviews.is_empty() {
        return;
    }
    page.heading("reviews");
    let name = |review: &ReviewOutcome| visible(review.user.as_ref().map_or("(gone)", Login::as_str));
    let width = reviews.iter().map(|review| name(review).chars().count()).max().unwrap_or(0);
    for review in reviews {
        let does = match review.verdict {
            ReviewVerdict::Counts => "counts",
            ReviewVerdict::Ignored => "does not count",
            ReviewVerdict::Rejects => "rejects",
            ReviewVerdict::Blocks => "blocks",
        };
        let state = match review.state {
            ReviewState::Approved => "approved",
            ReviewState::ChangesRequested => "changes requested",
            ReviewState::Commented => "commented",
            ReviewState::Dismissed => "dismissed",
            ReviewState::Pending => "pending",
        };
        let line = format!("{:<width$}  {state:<17}  {does:<14}  {}", name(review), review.text);
        page.line(1, &line);
    }
}
