//! The outbox: what channels were told, kept in memory and written to the log, instead of being sent.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use serde::Serialize;

use crate::approval::decision::Event;
use crate::ident::{ChannelName, RequestId};
use crate::ports::{Message, Notifier, NotifyError};

/// How many messages are kept; older ones are dropped.
const KEPT: usize = 1_000;

/// What a channel was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// Which channel.
    pub channel: ChannelName,
    /// What happened.
    pub event: Event,
    /// Which of the rule's reminders or escalations, from 1; null for what comes once.
    pub number: Option<usize>,
    /// The request it is about.
    pub request_id: RequestId,
    /// One line.
    pub subject: String,
    /// For people.
    pub text: String,
}

/// Keeps messages.
#[derive(Debug, Default)]
pub struct Outbox {
    sent: Mutex<VecDeque<Sent>>,
}

impl Outbox {
    /// What was sent, in order.
    #[must_use]
    pub fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

#[async_trait]
impl Notifier for Outbox {
    async fn notify(&self, channel: &ChannelName, message: &Message) -> Result<(), NotifyError> {
        tracing::info!(request.id = %message.request_id, channel = %channel, event = message.event.as_str(),
            subject = message.subject, "a channel was told");
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
