//! The outbox: notifications in memory and in the log, instead of sent.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use serde::Serialize;

use crate::approval::decision::Event;
use crate::ident::{ChannelName, RequestId};
use crate::ports::{Message, Notifier, NotifyError};

/// How many messages it holds. Older ones are dropped.
const KEPT: usize = 1_000;

/// A notification to a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sent {
    pub channel: ChannelName,
    pub event: Event,
    /// The number of the rule's reminder or escalation, from 1. Null for other events.
    pub number: Option<usize>,
    pub request_id: RequestId,
    /// One line.
    pub subject: String,
    pub text: String,
}

#[derive(Debug, Default)]
pub struct Outbox {
    sent: Mutex<VecDeque<Sent>>,
}

impl Outbox {
    /// Oldest first.
    #[must_use]
    pub fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

#[async_trait]
impl Notifier for Outbox {
    async fn notify(&self, channel: &ChannelName, message: &Message) -> Result<(), NotifyError> {
        tracing::info!(request.id = %message.request_id, channel = %channel, event = message.event.as_str(),
            subject = message.subject, "channel notified");
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        if sent.len() == KEPT {
            sent.pop_front();
        }
        sent.push_back(Sent {
            channel: channel.clone(),
            event: message.event,
            number: message.number,
            request_id: message.request_id.clone(),
            subject: message.subject.clone(),
            text: message.text.clone(),
        });
        Ok(())
    }
}
