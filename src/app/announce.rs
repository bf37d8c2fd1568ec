//! Tells channels what happened to a request: each at least once, and once where nothing crashes in between.
//!
//! A channel that cannot be told holds nothing up. The request remembers which channels were told of what; the sweep
//! makes up for the others, for a day.

use super::App;
use super::rewrite::rewrite;
use crate::approval::decision::{Decision, Event};
use crate::approval::record::{Entry, RecordKind};
use crate::approval::request::{ApprovalRequest, End};
use crate::ident::ChannelName;
use crate::ports::Message;
use crate::render::message;

/// Announces the end of a closed request.
pub(super) async fn announce_end(app: &App, request: &ApprovalRequest) {
    if let Some(event) = request.closed().map(|closed| closed.end).map(End::event) {
        announce(app, request, event, request.decision()).await;
    }
}

/// Announces an event of a request to the channels that were not told of it before.
pub(super) async fn announce(app: &App, request: &ApprovalRequest, event: Event, decision: Option<&Decision>) {
    let channels = request.untold(event);
    if channels.is_empty() {
        return;
    }
    let message = Message {
        request_id: request.id.clone(),
        event,
        subject: message::subject(request, event),
        text: message::text(request, event, decision),
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
        Some((current.announced(event, &told, at), entry))
    });
    if let Err(failure) = marked.await {
        tracing::warn!(request.id = %request.id, reason = %failure, "an announcement was not marked, and may be repeated");
    }
}
