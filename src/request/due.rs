//! When the sweep should look at a request next, and which reminders and escalations have come.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::occasion::Occasion;
use super::{ApprovalRequest, State, later};
use crate::approval::decision::Event;
use crate::approval::{MomentKind, moments};
use crate::ident::ChannelName;

/// How often the facts of an open request are read again, even where no webhook came.
pub const REREAD_SECONDS: i64 = 10 * 60;

/// How long after a channel could not be told it is tried again.
pub const RENOTIFY_SECONDS: i64 = 10 * 60;
/// How long after the end of a request channels are tried.
pub const LAST_RENOTIFY_SECONDS: i64 = 24 * 60 * 60;

impl ApprovalRequest {
    /// When the sweep should look at it, if ever: the deadline, a reminder, an escalation or another reading while it
    /// waits, the end of the claim while it is being settled, and again and again while its end is not notified.
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

    /// The rule's reminders and escalations before the deadline, in the order of time.
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

    /// The reminders and escalations that have come by `now`, each with the channels that are still to be told of it.
    ///
    /// A channel that has missed several of a kind is told of the last one only: it need not know how often it was not
    /// reached. Nobody is told any more once the request is decided.
    #[must_use]
    pub fn overdue(&self, now: Timestamp) -> Vec<(Occasion, Vec<ChannelName>)> {
        if self.state != State::Pending {
            return Vec::new();
        }
        let mut newest_of: BTreeSet<(Event, ChannelName)> = BTreeSet::new();
        let mut overdue = Vec::new();
        for (_, occasion) in self.occasions().into_iter().rev().filter(|(at, _)| *at <= now) {
            let told = self.notified.get(&occasion);
            let mut channels = self.channels(occasion);
            channels.retain(|channel| {
                newest_of.insert((occasion.event, channel.clone())) && told.is_none_or(|told| !told.contains(channel))
            });
            if !channels.is_empty() {
                overdue.push((occasion, channels));
            }
        }
        overdue.reverse();
        overdue
    }

    /// When a pending request's next reminder or escalation is due, if there is one.
    ///
    /// One that was tried is not due again by itself, also where a channel could not be told: that is made up for when
    /// the facts are read again. An escalation is due also where nobody hears of it, since it changes who may approve.
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
        assert_eq!(request.read(at(HOUR + 5)).due_at(), Some(at(HOUR)), "reading tells nobody");
        request = request.notified(reminded(1), &channels(&["desk"]), at(HOUR));
        assert_eq!(request.read(at(HOUR)).due_at(), Some(at(HOUR + REREAD_SECONDS)));
        // A channel that could not be told is tried again when the facts are read again, not every minute.
        request = request.notified(reminded(2), &[], at(2 * HOUR)).notified(escalated(1), &[], at(2 * HOUR));
        assert_eq!(request.read(at(2 * HOUR)).due_at(), Some(at(2 * HOUR + REREAD_SECONDS)));
        assert_eq!(read_before(&request, 3).due_at(), Some(at(3 * HOUR)));
        assert_eq!(request.overdue(at(2 * HOUR + 600)).len(), 2);
    }

    #[test]
    fn of_what_was_missed_each_channel_is_told_once_of_the_last_that_concerns_it() {
        let request = vault();
        assert_eq!(request.overdue(at(HOUR - 1)), []);
        assert_eq!(request.overdue(at(HOUR)), [(reminded(1), channels(&["desk"]))]);
        // The first escalation is for `boss` alone, since the others hear of the second.
        let all_at_once = [
            (reminded(2), channels(&["desk"])),
            (escalated(1), channels(&["boss"])),
            (escalated(2), channels(&["desk", "oncall"])),
        ];
        assert_eq!(request.overdue(at(3 * HOUR)), all_at_once);

        let mut told = request;
        for (occasion, channels) in &all_at_once {
            told = told.notified(*occasion, channels, at(3 * HOUR));
        }
        assert_eq!(told.overdue(at(4 * HOUR - 1)), []);
        assert_eq!(told.read(at(3 * HOUR)).due_at(), Some(at(3 * HOUR + REREAD_SECONDS)));
    }

    #[test]
    fn nobody_is_reminded_of_what_is_decided_or_was_never_asked() {
        let request = vault();
        let claimed = request.claim(&decided(Verdict::Approved), at(HOUR)).unwrap();
        assert_eq!(claimed.overdue(at(2 * HOUR)), []);
        assert_eq!(ApprovalRequest { requested_at: None, ..request }.overdue(at(2 * HOUR)), []);
    }

    #[test]
    fn an_escalation_that_nobody_hears_of_is_due_until_it_was_decided_again() {
        let request = asked_in("cellar").0.read(at(2 * HOUR - 1));
        assert_eq!(request.due_at(), Some(at(2 * HOUR)));
        assert_eq!(request.overdue(at(2 * HOUR)), []);
        assert_eq!(request.read(at(2 * HOUR)).due_at(), Some(at(2 * HOUR + REREAD_SECONDS)));
        assert_eq!(asked_in("cellar").0.read(at(HOUR - 1)).due_at(), Some(at(HOUR - 1 + REREAD_SECONDS)));
    }
}
