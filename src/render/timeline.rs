//! The next moments at which something changes, as text and as JSON.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::visible;
use crate::approval::{Change, MomentKind};
use crate::policy::FreezeEffect;

/// One line a moment.
#[must_use]
pub fn text(moments: &[(Timestamp, Change<'_>)]) -> String {
    moments.iter().map(|(at, change)| format!("  {at}  {}\n", visible(&words(change)))).collect()
}

/// `[{"at", "kind", "text"}]`.
#[must_use]
pub fn json(moments: &[(Timestamp, Change<'_>)]) -> Value {
    moments.iter().map(|(at, change)| json!({ "at": at, "kind": kind(change), "text": words(change) })).collect()
}

const fn kind(change: &Change<'_>) -> &'static str {
    match change {
        Change::FreezeBegins(_) => "freeze_begins",
        Change::FreezeEnds(_) => "freeze_ends",
        Change::WindowOpens(_) => "window_opens",
        Change::WindowCloses(_) => "window_closes",
        Change::ConditionBegins(_) => "condition_begins",
        Change::ConditionEnds(_) => "condition_ends",
        Change::Due(MomentKind::Remind(_)) => "remind",
        Change::Due(MomentKind::Escalate(..)) => "escalate",
        Change::Due(MomentKind::Expire) => "expire",
    }
}

fn words(change: &Change<'_>) -> String {
    match change {
        Change::FreezeBegins(freeze) => {
            let effect = match freeze.effect {
                FreezeEffect::Deny => "releases are denied",
                FreezeEffect::Wait => "releases wait",
            };
            let except = freeze.except.as_ref().map(|except| format!(", except if {except}")).unwrap_or_default();
            format!("the freeze `{}` begins: {effect}{except}", freeze.calendar.name())
        }
        Change::FreezeEnds(freeze) => format!("the freeze `{}` ends", freeze.calendar.name()),
        Change::WindowOpens(calendar) => format!("the window `{}` opens", calendar.name()),
        Change::WindowCloses(calendar) => format!("the window `{}` closes", calendar.name()),
        Change::ConditionBegins(calendar) => format!("the calendar `{}` of a condition opens", calendar.name()),
        Change::ConditionEnds(calendar) => format!("the calendar `{}` of a condition closes", calendar.name()),
        Change::Due(MomentKind::Remind(_)) => "a reminder is sent".to_owned(),
        Change::Due(MomentKind::Escalate(_, step)) => {
            let mut effects = Vec::new();
            if !step.notify.is_empty() {
                let channels: Vec<String> = step.notify.iter().map(ToString::to_string).collect();
                effects.push(format!("{} notified", channels.join(", ")));
            }
            for stand_in in &step.stand_in {
                let by: Vec<String> = stand_in.by.iter().map(ToString::to_string).collect();
                effects.push(format!("{} may stand in for {}", by.join(", "), stand_in.group.name));
            }
            format!("escalation: {}", effects.join("; "))
        }
        Change::Due(MomentKind::Expire) => "the deadline: an unapproved request expires".to_owned(),
    }
}
