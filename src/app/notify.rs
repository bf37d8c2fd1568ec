//! Notifies channels of what happened to a request: each at least once, and exactly once if nothing crashes in between.
//!
//! A channel that cannot be reached delays nothing. The request remembers which channels were notified of what. The sweep
//! notifies the others: while the request waits, and for a day after its end.

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

/// For how long all channels together are notified of one occasion: a release must not wait for a channel that hangs.
const PATIENCE: Duration = Duration::from_secs(3);

/// Notifies channels of the end of a request that has just been closed, except of an approval that is still to be
/// verified. The check before release notifies of that ([`notify_approval`]), so a webhook need not wait for it. If that
/// check never comes, the sweep notifies. A request in audit mode is never verified.
pub(super) async fn notify_closed(app: &App, request: &ApprovalRequest) {
    let approved = request.closed().is_some_and(|closed| closed.end == End::Approved);
    if !approved || request.is_audited() {
        notify_end(app, request).await;
    }
}

/// Notifies channels of an approval before it is verified, so that nothing lies between the check and the release. If the
/// check refuses, channels are notified of that next. Returns the request as it is stored then.
pub(super) async fn notify_approval(app: &App, request: ApprovalRequest) -> ApprovalRequest {
    let Some(event) = request.end_event() else { return request };
    let written = send(app, &request, event.into(), request.unnotified(event), request.decision()).await;
    written.unwrap_or(request)
}

/// Notifies channels of the end of a closed request. Also repeats the notification of the last check before release, to
/// channels that missed it.
pub(super) async fn notify_end(app: &App, request: &ApprovalRequest) {
    let own = request.end_event();
    for event in request.closing_events() {
        if Some(event) == own {
            notify(app, request, event, request.decision()).await;
        } else if !request.unnotified(event).is_empty() {
            let decision = last_decision(app, request).await;
            notify(app, request, event, decision.as_ref()).await;
        }
    }
}

/// Notifies the channels that were not notified of the event before.
pub(super) async fn notify(app: &App, request: &ApprovalRequest, event: Event, decision: Option<&Decision>) {
    send(app, request, event.into(), request.unnotified(event), decision).await;
}

/// Notifies channels of an override that only the last check before release found. Includes the channels of the rule that
/// the override set aside, even if that is not the pinned rule.
pub(super) async fn notify_override(app: &App, request: &ApprovalRequest, decision: &Decision) {
    let mut channels = request.unnotified(Event::Overridden);
    let notified = request.notified.get(&Event::Overridden.into());
    let named = decision.notify.iter().filter(|notify| notify.event == Event::Overridden);
    channels.extend(named.flat_map(|notify| &notify.channels).cloned());
    channels.retain(|channel| notified.is_none_or(|notified| !notified.contains(channel)));
    channels.sort_unstable();
    channels.dedup();
    send(app, request, Event::Overridden.into(), channels, Some(decision)).await;
}

/// Notifies channels of the reminders and escalations that were due when the decision was to go on waiting.
pub(super) async fn notify_overdue(app: &App, request: &ApprovalRequest, decision: &Decision) {
    for (occasion, channels) in request.overdue(decision.evaluated_at) {
        send(app, request, occasion, channels, Some(decision)).await;
    }
}

/// Returns the last decision in the request's trail.
async fn last_decision(app: &App, request: &ApprovalRequest) -> Option<Decision> {
    match app.store.trail(&request.id).await {
        Ok(trail) => trail.into_iter().rev().find_map(|record| record.decision),
        Err(error) => {
            tracing::warn!(request.id = %request.id, reason = %error, "notification without its decision: the trail could not be read");
            None
        }
    }
}

/// Sends a message to channels and records which of them took it. Returns the request as it was written.
async fn send(
    app: &App,
    request: &ApprovalRequest,
    occasion: Occasion,
    channels: Vec<ChannelName>,
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
    let mut notified: Vec<ChannelName> = Vec::new();
    let now = Instant::now();
    let until = now.checked_add(PATIENCE).unwrap_or(now);
    for channel in channels {
        if Instant::now() >= until {
            tracing::error!(request.id = %request.id, channel = %channel, "channel not notified: no time left");
            continue;
        }
        match timeout_at(until, app.notifier.notify(&channel, &message)).await {
            Ok(Ok(())) => notified.push(channel),
            Ok(Err(error)) => {
                tracing::error!(request.id = %request.id, channel = %channel, reason = %error, "channel not notified");
            }
            Err(_) => {
                tracing::error!(request.id = %request.id, channel = %channel, "channel not notified: it did not answer in time");
            }
        }
    }
    // Written even if no channel took the message: that it was tried delays the next attempt.
    let marked = rewrite(app, request, |current| {
        let at = app.clock.now();
        let entry = Entry { kind: RecordKind::Notified, at, decision: None, facts: None };
        Some((current.notified(occasion, &notified, at), entry))
    });
    marked.await.unwrap_or_else(|failure| {
        tracing::warn!(request.id = %request.id, reason = %failure, "notification not recorded, so it may be repeated");
        None
    })
}
