//! Tells channels what happened to a request: at least once, and once where nothing crashes in between.
//!
//! A channel that cannot be told holds nothing up. The request remembers what was announced; the sweep makes up for
//! what was not.

use super::App;
use crate::approval::decision::{Decision, Event};
use crate::approval::record::{Entry, RecordKind};
use crate::approval::request::{ApprovalRequest, End, State};
use crate::ports::{Message, Write, WriteError};
use crate::render::message;

/// How often a mark that lost to another write is tried again.
const TRIES: usize = 5;

/// Announces the end of a closed request.
pub(super) async fn announce_end(app: &App, request: &ApprovalRequest) {
    if let Some(event) = end_event(request) {
        announce(app, request, event).await;
    }
}

/// The event that a closed request's end is.
pub(super) fn end_event(request: &ApprovalRequest) -> Option<Event> {
    request.closed().map(|closed| closed.end).map(End::event)
}

/// Announces an event of a request, if it was not announced before.
pub(super) async fn announce(app: &App, request: &ApprovalRequest, event: Event) {
    let channels = request.rule.rule().channels(event);
    if channels.is_empty() || request.announced.contains(&event) {
        return;
    }
    let message = Message {
        request_id: request.id.clone(),
        event,
        subject: message::subject(request, event),
        text: message::text(request, event),
        decision: decision_of(request).cloned(),
    };
    let mut told = true;
    for channel in &channels {
        if let Err(error) = app.notifier.notify(channel, &message).await {
            tracing::error!(request.id = %request.id, channel = %channel, reason = %error, "a channel was not told");
            told = false;
        }
    }
    if told {
        mark(app, request, event).await;
    }
}

fn decision_of(request: &ApprovalRequest) -> Option<&Decision> {
    match &request.state {
        State::Pending => None,
        State::Settling(settling) => Some(&settling.decision),
        State::Closed(closed) => closed.decision.as_deref(),
    }
}

/// Writes down that the event was announced, on whatever has become of the request since.
async fn mark(app: &App, request: &ApprovalRequest, event: Event) {
    let mut current = request.clone();
    for _ in 0..TRIES {
        let entry = Entry { kind: RecordKind::Announced, at: app.clock.now(), decision: None, facts: None };
        match app.store.write(Write::new(current.announced(event), entry)).await {
            Ok(()) => return,
            Err(WriteError::Conflict { stored: Some(stored) }) if stored.announced.contains(&event) => return,
            Err(WriteError::Conflict { stored: Some(stored) }) => current = *stored,
            Err(error) => {
                tracing::warn!(request.id = %request.id, reason = %error, "an announcement was not marked, and may be repeated");
                return;
            }
        }
    }
}
