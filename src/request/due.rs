//! When the sweep should evaluate a request next, and which reminders and escalations are due.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::occasion::Occasion;
use super::{ApprovalRequest, State, later};
use crate::approval::decision::Event;
use crate::approval::{MomentKind, moments};
use crate::ident::ChannelName;

/// How often the facts of an open request are read again, even without a webhook.
pub const REREAD_SECONDS: i64 = 10 * 60;
/// How long to wait before notifying a channel again that could not be reached.
pub const RENOTIFY_SECONDS: i64 = 10 * 60;
/// For how long after the end of a request channels are tried.
pub const LAST_RENOTIFY_SECONDS: i64 = 24 * 60 * 60;

impl ApprovalRequest {
    /// Returns when the sweep should evaluate the request, if ever. While it waits: at the deadline, a reminder, an
    /// escalation, or when its facts are to be read again. While it is being settled: when the claim lapses. Once closed:
    /// repeatedly until all channels are notified of the end, or a day has passed.
    #[must_use]
    pub fn due_at(&self) -> Option<Timestamp> {
        match &self.state {
            State::Pending => {
                let reread = later(self.read_at, REREAD_SECONDS);
                [Some(reread), self.deadline, self.next_occasion()].into_iter().flatten().min()
            }
            State::Settling(settling) => Some(settling.lapses_at()),
            State::Closed(closed) => {
                let next = later(self.read_at.max(closed.closed_at), RENOTIFY_SECONDS);
                (self.has_unnotified_end() && next <= later(closed.closed_at, LAST_RENOTIFY_SECONDS)).then_some(next)
            }
        }
    }

    /// The rule's reminders and escalations before the deadline, the earliest first.
    fn occasions(&self) -> Vec<(Timestamp, Occasion)> {
        let Some(requested_at) = self.requested_at else { return Vec::new() };
        let rule = self.rule.rule();
        let occasion = |event, at: usize| Some(Occasion { event, number: at.checked_add(1) });
        let numbered = moments(&rule, requested_at).into_iter().filter_map(|moment| {
            let occasion = match moment.kind {
                MomentKind::Remind(at) => occasion(Event::Reminded, at),
                MomentKind::Escalate(at, _) => occasion(Event::Escalated, at),
                MomentKind::Expire => None,
            };
            Some((moment.at, occasion?))
        });
        numbered.collect()
    }

    /// Returns the reminders and escalations due by `now`, each with the channels still to be notified of it.
    ///
    /// A channel that missed several of a kind is notified of the last one only. Nothing is due once the request is
    /// decided.
    #[must_use]
    pub fn overdue(&self, now: Timestamp) -> Vec<(Occasion, Vec<ChannelName>)> {
        if self.state != State::Pending {
            return Vec::new();
        }
        let mut newest_of: BTreeSet<(Event, ChannelName)> = BTreeSet::new();
        let mut overdue = Vec::new();
        for (_, occasion) in self.occasions().into_iter().rev().filter(|(at, _)| *at <= now) {
            let notified = self.notified.get(&occasion);
            let mut channels = self.channels(occasion);
            channels.retain(|channel| {
                newest_of.insert((occasion.event, channel.clone()))
                    && notified.is_none_or(|notified| !notified.contains(channel))
            });
            if !channels.is_empty() {
                overdue.push((occasion, channels));
            }
        }
        overdue.reverse();
        overdue
    }

    /// Returns when the next reminder or escalation of a pending request is due.
    ///
    /// One that was tried is not due again by itself, even if a channel could not be reached: that channel is notified
    /// when the facts are read again. An escalation without channels is due too, since it changes who may approve.
    pub(super) fn next_occasion(&self) -> Option<Timestamp> {
        let due = |(at, occasion): &(Timestamp, Occasion)| {
            let tried = |tried: &Occasion| tried.event == occasion.event && tried.number >= occasion.number;
            let unnotified = !self.notified.keys().any(tried) && !self.channels(*occasion).is_empty();
            unnotified || (occasion.event == Event::Escalated && self.read_at < *at)
        };
        self.occasions().into_iter().find(due).map(|(at, _)| at)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{asked_in, at, channel, decided};
    use super::*;
    use crate::approval::decision::Verdict;

    const HOUR: i64 = 3600;

    fn vault() -> ApprovalRequest {
        asked_in("vault").0
    }

    fn reminded(number: usize) -> Occasion {
        Occasion { event: Event::Reminded, number: Some(number) }
    }

    fn escalated(number: usize) -> Occasion {
        Occasion { event: Event::Escalated, number: Some(number) }
    }

    fn channels(names: &[&str]) -> Vec<ChannelName> {
        names.iter().map(|name| channel(name)).collect()
    }

    #[test]
    fn a_request_is_due_at_each_reminder_and_escalation_until_that_was_tried() {
        // Read every ten minutes, and so at the moment before each.
        let read_before = |request: &ApprovalRequest, hours: i64| request.read(at(hours * HOUR - 1));
        let mut request = vault();
        assert_eq!(read_before(&request, 1).due_at(), Some(at(HOUR)));
        assert_eq!(request.read(at(HOUR + 5)).due_at(), Some(at(HOUR)), "reading notifies nobody");
        request = request.notified(reminded(1), &channels(&["desk"]), at(HOUR));
        assert_eq!(request.read(at(HOUR)).due_at(), Some(at(HOUR + REREAD_SECONDS)));
        // A channel that could not be reached is tried again when the facts are read again, not every minute.
        request = request.notified(reminded(2), &[], at(2 * HOUR)).notified(escalated(1), &[], at(2 * HOUR));
        assert_eq!(request.read(at(2 * HOUR)).due_at(), Some(at(2 * HOUR + REREAD_SECONDS)));
        assert_eq!(read_before(&request, 3).due_at(), Some(at(3 * HOUR)));
        assert_eq!(request.overdue(at(2 * HOUR + 600)).len(), 2);
    }

    #[test]
    fn each_channel_is_notified_once_of_the_last_occasion_that_it_missed() {
        let request = vault();
        assert_eq!(request.overdue(at(HOUR - 1)), []);
        assert_eq!(request.overdue(at(HOUR)), [(reminded(1), channels(&["desk"]))]);
        // The first escalation goes to `boss` alone: the others are notified of the second.
        let all_at_once = [
            (reminded(2), channels(&["desk"])),
            (escalated(1), channels(&["boss"])),
            (escalated(2), channels(&["desk", "oncall"])),
        ];
        assert_eq!(request.overdue(at(3 * HOUR)), all_at_once);

        let mut notified = request;
        for (occasion, channels) in &all_at_once {
            notified = notified.notified(*occasion, channels, at(3 * HOUR));
        }
        assert_eq!(notified.overdue(at(4 * HOUR - 1)), []);
        assert_eq!(notified.read(at(3 * HOUR)).due_at(), Some(at(3 * HOUR + REREAD_SECONDS)));
    }

    #[test]
    fn nobody_is_reminded_of_a_request_that_is_decided_or_was_never_asked_for() {
        let request = vault();
        let claimed = request.claim(&decided(Verdict::Approved), at(HOUR)).unwrap();
        assert_eq!(claimed.overdue(at(2 * HOUR)), []);
        assert_eq!(ApprovalRequest { requested_at: None, ..request }.overdue(at(2 * HOUR)), []);
    }

    #[test]
    fn an_escalation_without_channels_is_due_until_the_request_is_decided_again() {
        let request = asked_in("cellar").0.read(at(2 * HOUR - 1));
        assert_eq!(request.due_at(), Some(at(2 * HOUR)));
        assert_eq!(request.overdue(at(2 * HOUR)), []);
        assert_eq!(request.read(at(2 * HOUR)).due_at(), Some(at(2 * HOUR + REREAD_SECONDS)));
        assert_eq!(asked_in("cellar").0.read(at(HOUR - 1)).due_at(), Some(at(HOUR - 1 + REREAD_SECONDS)));
    }
}
