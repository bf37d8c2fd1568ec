//! Tells channels what happened to a request: each at least once, and once where nothing crashes in between.
//!
//! A channel that cannot be told holds nothing up. The request remembers which channels were told of what; the sweep
//! makes up for the others: while the request waits, and for a day after its end.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::App;
use super::rewrite::rewrite;
use crate::approval::decision::{Decision, Event};
use crate::ident::ChannelName;
use crate::ports::Message;
use crate::render::message;
use crate::request::occasion::Occasion;
use crate::request::record::{Entry, RecordKind};
use crate::request::{ApprovalRequest, End};

/// For how long channels are told of one thing, together. Whoever tells them has more to do: a release must not wait for a
/// channel that hangs.
const PATIENCE: Duration = Duration::from_secs(3);

/// Announces the end of a request that was closed just now. One that was approved is verified, and whoever verifies it has
/// told or tells of it ([`notify_approval`]): a webhook need not wait for that. If nobody does, the sweep makes up for it.
/// What is only audited is not verified.
pub(super) async fn notify_closed(app: &App, request: &ApprovalRequest) {
    let approved = request.closed().is_some_and(|closed| closed.end == End::Approved);
    if !approved || request.is_audited() {
        notify_end(app, request).await;
    }
}

/// Announces that a request was approved, before it is verified: what is refused then is told after that, and nothing lies
/// between the check and the release. Gives the request as it stands then.
pub(super) async fn notify_approval(app: &App, request: ApprovalRequest) -> ApprovalRequest {
    let Some(event) = request.ends_as() else { return request };
    let told = tell(app, &request, (event.into(), request.unnotified(event)), request.decision()).await;
    told.unwrap_or(request)
}

/// Announces the end of a closed request, and what the last check before release could not tell everyone.
pub(super) async fn notify_end(app: &App, request: &ApprovalRequest) {
    let own = request.ends_as();
    for event in request.endings() {
        if Some(event) == own {
            notify(app, request, event, request.decision()).await;
        } else if !request.unnotified(event).is_empty() {
            let decision = last_decision(app, request).await;
            notify(app, request, event, decision.as_ref()).await;
        }
    }
}

/// Announces an event of a request to the channels that were not told of it before.
pub(super) async fn notify(app: &App, request: &ApprovalRequest, event: Event, decision: Option<&Decision>) {
    tell(app, request, (event.into(), request.unnotified(event)), decision).await;
}

/// Announces an override that only the last check before release found. Whom the rule names that it set aside hears of
/// it, also where that is not the rule that was pinned.
pub(super) async fn notify_override(app: &App, request: &ApprovalRequest, decision: &Decision) {
    let mut channels = request.unnotified(Event::Overridden);
    let told = request.notified.get(&Event::Overridden.into());
    let named = decision.notify.iter().filter(|notify| notify.event == Event::Overridden);
    channels.extend(named.flat_map(|notify| &notify.channels).cloned());
    channels.retain(|channel| told.is_none_or(|told| !told.contains(channel)));
    channels.sort_unstable();
    channels.dedup();
    tell(app, request, (Event::Overridden.into(), channels), Some(decision)).await;
}

/// Announces the reminders and escalations of a pending request that had come when it was decided to go on waiting.
pub(super) async fn notify_overdue(app: &App, request: &ApprovalRequest, decision: &Decision) {
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

/// Tells channels, and writes down which were told; gives the request as it was written.
async fn tell(
    app: &App,
    request: &ApprovalRequest,
    (occasion, channels): (Occasion, Vec<ChannelName>),
    decision: Option<&Decision>,
) -> Option<ApprovalRequest> {
    if channels.is_empty() {
        return None;
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
    let now = Instant::now();
    let until = now.checked_add(PATIENCE).unwrap_or(now);
    for channel in channels {
        if Instant::now() >= until {
            tracing::error!(request.id = %request.id, channel = %channel, "there was no time left to tell a channel");
            continue;
        }
        match timeout_at(until, app.notifier.notify(&channel, &message)).await {
            Ok(Ok(())) => told.push(channel),
            Ok(Err(error)) => {
                tracing::error!(request.id = %request.id, channel = %channel, reason = %error, "a channel was not told");
            }
            Err(_) => {
                tracing::error!(request.id = %request.id, channel = %channel, "a channel was not told in time");
            }
        }
    }
    // Also where nobody could be told: it is written down that it was tried, so that the next try waits.
    let marked = rewrite(app, request, |current| {
        let at = app.clock.now();
        let entry = Entry { kind: RecordKind::Notified, at, decision: None, facts: None };
        Some((current.notified(occasion, &told, at), entry))
    });
    marked.await.unwrap_or_else(|failure| {
        tracing::warn!(request.id = %request.id, reason = %failure, "an announcement was not marked, and may be repeated");
        None
    })
}
