//! Tells channels what happened to a request: each at least once, and once where nothing crashes in between.
//!
//! A channel that cannot be told holds nothing up. The request remembers which channels were told of what; the sweep
//! makes up for the others: while the request waits, and for a day after its end.

use super::App;
use super::rewrite::rewrite;
use crate::approval::decision::{Decision, Event};
use crate::approval::record::{Entry, RecordKind};
use crate::approval::request::{ApprovalRequest, End};
use crate::approval::told::Occasion;
use crate::ident::ChannelName;
use crate::ports::Message;
use crate::render::message;

/// Announces the end of a request that was closed just now. One that was approved is verified next where its execution
/// does that: whoever verifies announces it ([`announce_approval`]), and the webhook that brought it is answered sooner. If
/// nobody does, the sweep makes up for it.
pub(super) async fn announce_closed(app: &App, request: &ApprovalRequest) {
    let approved = request.closed().is_some_and(|closed| closed.end == End::Approved);
    if !approved || request.is_audited() || app.callback.releases(&request.execution) {
        announce_end(app, request).await;
    }
}

/// Announces, at its verification, that a request was approved. Where nothing of the execution's own verifies it, that is
/// told with its end.
pub(super) async fn announce_approval(app: &App, request: &ApprovalRequest) {
    if let (Some(event), false) = (request.ends_as(), app.callback.releases(&request.execution)) {
        announce(app, request, event, request.decision()).await;
    }
}

/// Announces the end of a closed request, and what the last check before release could not tell everyone.
pub(super) async fn announce_end(app: &App, request: &ApprovalRequest) {
    let own = request.ends_as();
    for event in request.endings() {
        if Some(event) == own {
            announce(app, request, event, request.decision()).await;
        } else if !request.untold(event).is_empty() {
            let decision = last_decision(app, request).await;
            announce(app, request, event, decision.as_ref()).await;
        }
    }
}

/// Announces an event of a request to the channels that were not told of it before.
pub(super) async fn announce(app: &App, request: &ApprovalRequest, event: Event, decision: Option<&Decision>) {
    tell(app, request, (event.into(), request.untold(event)), decision).await;
}

/// Announces an override that only the last check before release found. Whom the rule names that it set aside hears of
/// it, also where that is not the rule that was pinned.
pub(super) async fn announce_override(app: &App, request: &ApprovalRequest, decision: &Decision) {
    let mut channels = request.untold(Event::Overridden);
    let told = request.announced.get(&Event::Overridden.into());
    let named = decision.notify.iter().filter(|notify| notify.event == Event::Overridden);
    channels.extend(named.flat_map(|notify| &notify.channels).cloned());
    channels.retain(|channel| told.is_none_or(|told| !told.contains(channel)));
    channels.sort_unstable();
    channels.dedup();
    tell(app, request, (Event::Overridden.into(), channels), Some(decision)).await;
}

/// Announces the reminders and escalations of a pending request that had come when it was decided to go on waiting.
pub(super) async fn announce_overdue(app: &App, request: &ApprovalRequest, decision: &Decision) {
    for overdue in request.overdue(decision.evaluated_at) {
        tell(app, request, overdue, Some(decision)).await;
    }
}

/// What was decided last of a request, from its trail.
async fn last_decision(app: &App, request: &ApprovalRequest) -> Option<Decision> {
    match app.store.trail(&request.id).await {
        Ok(trail) => trail.into_iter().rev().find_map(|record| record.decision),
        Err(error) => {
            tracing::warn!(request.id = %request.id, reason = %error, "the decision to tell of was not read");
            None
        }
    }
}

async fn tell(
    app: &App,
    request: &ApprovalRequest,
    (occasion, channels): (Occasion, Vec<ChannelName>),
    decision: Option<&Decision>,
) {
    if channels.is_empty() {
        return;
    }
    let message = Message {
        request_id: request.id.clone(),
        target: request.subject.target.clone(),
        pull_request: request.subject.pull_request.clone(),
        revision: request.subject.revision.clone(),
        event: occasion.event,
        number: occasion.number,
        subject: message::subject(request, occasion),
        text: message::text(request, occasion, decision),
        decision: decision.cloned(),
    };
    let mut told: Vec<ChannelName> = Vec::new();
    for channel in channels {
        match app.notifier.notify(&channel, &message).await {
            Ok(()) => told.push(channel),
            Err(error) => {
                tracing::error!(request.id = %request.id, channel = %channel, reason = %error, "a channel was not told");
            }
        }
    }
    // Also where nobody could be told: it is written down that it was tried, so that the next try waits.
    let marked = rewrite(app, request, |current| {
        let at = app.clock.now();
        let entry = Entry { kind: RecordKind::Announced, at, decision: None, facts: None };
        Some((current.announced(occasion, &told, at), entry))
    });
    if let Err(failure) = marked.await {
        tracing::warn!(request.id = %request.id, reason = %failure, "an announcement was not marked, and may be repeated");
    }
}
