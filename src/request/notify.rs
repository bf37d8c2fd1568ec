//! Which channels to notify of an occasion, and which of them were notified.

use super::occasion::Occasion;
use super::{ApprovalRequest, End, State};
use crate::approval::decision::{Decision, Event};
use crate::ident::ChannelName;

impl ApprovalRequest {
    /// Returns the event that channels are notified of when the request ends, also while it is being settled. `None` while
    /// it waits, and if no channel is to be notified.
    ///
    /// In audit mode a request is closed whatever was decided, and channels are notified of the decision.
    #[must_use]
    pub fn end_event(&self) -> Option<Event> {
        let end = match &self.state {
            State::Pending => return None,
            State::Settling(settling) => settling.end,
            State::Closed(closed) => closed.end,
        };
        match self.decision() {
            Some(decision) if decision.goes_on_in_audit() => decision.notify.as_ref().map(|notify| notify.event),
            Some(decision) if end == End::Approved && decision.overridden.is_some() => Some(Event::Overridden),
            Some(_) | None => Some(end.event()),
        }
    }

    /// Whether the request was only recorded: its execution continued at once, whatever was decided.
    #[must_use]
    pub fn is_audited(&self) -> bool {
        let decision = self.closed().and_then(|closed| closed.decision.as_deref());
        decision.is_some_and(Decision::goes_on_in_audit)
    }

    /// Returns all channels of the occasion, in the order of their names.
    pub(super) fn channels(&self, occasion: Occasion) -> Vec<ChannelName> {
        let rule = self.rule.rule();
        let mut channels = rule.channels(occasion.event);
        if let (Event::Escalated, Some(number)) = (occasion.event, occasion.number) {
            let step = number.checked_sub(1).and_then(|at| rule.escalate().get(at));
            channels.extend(step.iter().flat_map(|step| &step.notify).cloned());
            channels.sort_unstable();
            channels.dedup();
        }
        channels
    }

    /// Returns the channels that are still to be notified of the occasion.
    #[must_use]
    pub fn unnotified(&self, occasion: impl Into<Occasion>) -> Vec<ChannelName> {
        let occasion = occasion.into();
        let notified = self.notified.get(&occasion);
        let mut channels = self.channels(occasion);
        channels.retain(|channel| notified.is_none_or(|notified| !notified.contains(channel)));
        channels
    }

    /// Returns the events that channels are notified of once a request is closed: its end, and the event of the last check
    /// before release, if that is another.
    #[must_use]
    pub fn closing_events(&self) -> Vec<Event> {
        if self.is_open() {
            return Vec::new();
        }
        let own = self.end_event();
        let at_release = self.notified.keys().map(|occasion| occasion.event).filter(|event| {
            let ends = match event {
                Event::Requested | Event::Reminded | Event::Escalated | Event::Blocked => false,
                Event::Approved
                | Event::Rejected
                | Event::Expired
                | Event::Superseded
                | Event::Denied
                | Event::Overridden
                | Event::Canceled => true,
            };
            ends && Some(*event) != own
        });
        own.into_iter().chain(at_release).collect()
    }

    /// Whether a channel is still to be notified of one of the closing events.
    pub(super) fn has_unnotified_end(&self) -> bool {
        self.closing_events().into_iter().any(|event| !self.unnotified(event).is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{asked_in, at, channel, decided};
    use super::super::{Callback, Closed};
    use super::*;
    use crate::approval::decision::{Mode, Overridden, Reason, ReasonCode, Verdict};

    fn vault() -> ApprovalRequest {
        asked_in("vault").0
    }

    fn channels(names: &[&str]) -> Vec<ChannelName> {
        names.iter().map(|name| channel(name)).collect()
    }

    fn closed(end: End, decision: Decision) -> State {
        State::Closed(Closed {
            end,
            callback: Callback::NotNeeded,
            decision: Some(Box::new(decision)),
            closed_at: at(1),
        })
    }

    fn end_event(state: State) -> Option<Event> {
        ApprovalRequest { state, ..vault() }.end_event()
    }

    #[test]
    fn an_override_is_notified_as_such_and_audit_notifies_of_the_decision() {
        let mut decision = decided(Verdict::Approved);
        assert_eq!(vault().end_event(), None);
        assert_eq!(vault().claim(&decision, at(1)).unwrap().end_event(), Some(Event::Approved));
        assert_eq!(end_event(closed(End::Approved, decision.clone())), Some(Event::Approved));
        decision.overridden = Some(Overridden { by: Vec::new(), reason: "outage".to_owned() });
        assert_eq!(vault().claim(&decision, at(1)).unwrap().end_event(), Some(Event::Overridden));
        assert_eq!(end_event(closed(End::Approved, decision.clone())), Some(Event::Overridden));
        assert_eq!(end_event(closed(End::Expired, decision)), Some(Event::Expired));

        let (request, mut decision) = asked_in("garden");
        let state = closed(End::Canceled, decision.clone());
        let audited = ApprovalRequest { requested_at: None, state, ..request };
        let event = decision.notify.as_ref().map(|notify| notify.event);
        assert_eq!((audited.closing_events(), decision.mode), (event.into_iter().collect(), Mode::Audit));
        assert!(audited.is_audited());
        decision.notify = None;
        assert_eq!(end_event(closed(End::Canceled, decision.clone())), None);
        // If the request was opened, it waits for people. A rule below its floor denies.
        let asked = Decision { requested_at: Some(at(0)), ..decision.clone() };
        let reason = Reason { code: ReasonCode::BelowFloor, text: String::new(), source: None };
        let below = Decision { reasons: vec![reason], ..decision };
        for decision in [asked, below] {
            assert_eq!(end_event(closed(End::Denied, decision)), Some(Event::Denied));
        }
    }

    #[test]
    fn what_the_last_check_could_not_deliver_is_notified_again_besides_the_end() {
        let request = vault().claim(&decided(Verdict::Approved), at(10)).unwrap();
        let request = request.close(super::super::CallbackOutcome::Taken, at(11)).unwrap();
        let notified = request.notified(Event::Approved, &channels(&["desk"]), at(12));
        assert_eq!((notified.closing_events(), notified.due_at()), (vec![Event::Approved], None));
        let in_vain = notified.notified(Event::Overridden, &channels(&["desk"]), at(13));
        assert_eq!(in_vain.closing_events(), [Event::Approved, Event::Overridden]);
        assert_eq!(in_vain.unnotified(Event::Overridden), channels(&["boss"]));
        assert!(in_vain.due_at().is_some());
    }
}
