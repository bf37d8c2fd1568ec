//! What channels are to be told of a request, what they were told, and when the next of it is due. Words nothing, and
//! tells nobody.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::decision::{Decision, Event};
use super::request::{ApprovalRequest, End, State};
use super::schedule::{MomentKind, moments};
use crate::ident::ChannelName;

/// Something that channels are told of: an event and, where it comes more than once in a request's life, which of them.
///
/// As text it is `requested` or `reminded-2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Occasion {
    /// What happened.
    pub event: Event,
    /// Which of the rule's reminders or escalations, from 1; none for what comes once.
    pub number: Option<usize>,
}

/// A text that is no occasion.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an event, with `-` and a number from 1 where it comes more than once")]
pub struct OccasionError;

impl From<Event> for Occasion {
    fn from(event: Event) -> Self {
        Self { event, number: None }
    }
}

impl fmt::Display for Occasion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.event.as_str())?;
        self.number.map_or(Ok(()), |number| write!(f, "-{number}"))
    }
}

impl FromStr for Occasion {
    type Err = OccasionError;

    fn from_str(text: &str) -> Result<Self, OccasionError> {
        let (word, number) = match text.split_once('-') {
            Some((word, number)) => (word, Some(number.parse().ok().filter(|n| *n > 0).ok_or(OccasionError)?)),
            None => (text, None),
        };
        let event = Event::ALL.into_iter().find(|event| event.as_str() == word).ok_or(OccasionError)?;
        Ok(Self { event, number })
    }
}

impl TryFrom<String> for Occasion {
    type Error = OccasionError;
    fn try_from(text: String) -> Result<Self, OccasionError> {
        text.parse()
    }
}

impl From<Occasion> for String {
    fn from(occasion: Occasion) -> Self {
        occasion.to_string()
    }
}

impl ApprovalRequest {
    /// What channels are told of its end, also while it is being settled as that; none while it waits, and where nobody is
    /// to hear of it.
    ///
    /// In audit mode a request is closed whatever was decided, and what is told is what was decided.
    #[must_use]
    pub fn ends_as(&self) -> Option<Event> {
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

    /// Whether it was only recorded: its execution went on at once, whatever was decided.
    #[must_use]
    pub fn is_audited(&self) -> bool {
        let decision = self.closed().and_then(|closed| closed.decision.as_deref());
        decision.is_some_and(Decision::goes_on_in_audit)
    }

    /// Everyone who is to be told of the occasion, in the order of their names.
    fn channels(&self, occasion: Occasion) -> Vec<ChannelName> {
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

    /// The channels that are to be told of the occasion and were not.
    #[must_use]
    pub fn untold(&self, occasion: impl Into<Occasion>) -> Vec<ChannelName> {
        let occasion = occasion.into();
        let told = self.announced.get(&occasion);
        let mut channels = self.channels(occasion);
        channels.retain(|channel| told.is_none_or(|told| !told.contains(channel)));
        channels
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
            let told = self.announced.get(&occasion);
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
            let untold = !self.announced.keys().any(tried) && !self.channels(*occasion).is_empty();
            untold || (occasion.event == Event::Escalated && self.read_at < *at)
        };
        self.occasions().into_iter().find(due).map(|(at, _)| at)
    }

    /// What channels are told of a closed request: its end, and what the last check before release told besides.
    #[must_use]
    pub fn endings(&self) -> Vec<Event> {
        if self.is_open() {
            return Vec::new();
        }
        let own = self.ends_as();
        let at_release = self.announced.keys().map(|occasion| occasion.event).filter(|event| {
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

    /// Whether a channel is still to be told of something about a closed request.
    pub(super) fn has_untold_ending(&self) -> bool {
        self.endings().into_iter().any(|event| !self.untold(event).is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::super::decision::{Mode, Overridden, Reason, ReasonCode, Verdict};
    use super::super::request::tests::{asked_in, at, channel, decided};
    use super::super::request::{Callback, Closed, REREAD_SECONDS};
    use super::*;

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

    fn closed(end: End, decision: Decision) -> State {
        State::Closed(Closed {
            end,
            callback: Callback::NotNeeded,
            decision: Some(Box::new(decision)),
            closed_at: at(1),
        })
    }

    fn ends_as(state: State) -> Option<Event> {
        ApprovalRequest { state, ..vault() }.ends_as()
    }

    #[test]
    fn an_occasion_reads_back_from_its_text_also_where_it_was_stored_without_a_number() {
        for occasion in [Event::Requested.into(), reminded(1), escalated(12)] {
            assert_eq!(occasion.to_string().parse(), Ok(occasion));
        }
        assert_eq!(
            (reminded(2).to_string().as_str(), Occasion::from(Event::Denied).to_string().as_str()),
            ("reminded-2", "denied")
        );
        for text in ["", "asked", "reminded-", "reminded-0", "reminded--1", "reminded-x"] {
            assert_eq!(text.parse::<Occasion>(), Err(OccasionError), "{text}");
        }
        let stored = r#"{"requested":["desk"],"reminded-2":[]}"#;
        let read: std::collections::BTreeMap<Occasion, Vec<ChannelName>> = serde_json::from_str(stored).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), stored);
    }

    #[test]
    fn a_request_is_due_at_each_reminder_and_escalation_until_that_was_tried() {
        // Read every ten minutes, and so at the moment before each.
        let read_before = |request: &ApprovalRequest, hours: i64| request.read(at(hours * HOUR - 1));
        let mut request = vault();
        assert_eq!(read_before(&request, 1).due_at(), Some(at(HOUR)));
        assert_eq!(request.read(at(HOUR + 5)).due_at(), Some(at(HOUR)), "reading tells nobody");
        request = request.announced(reminded(1), &channels(&["desk"]), at(HOUR));
        assert_eq!(request.read(at(HOUR)).due_at(), Some(at(HOUR + REREAD_SECONDS)));
        // A channel that could not be told is tried again when the facts are read again, not every minute.
        request = request.announced(reminded(2), &[], at(2 * HOUR)).announced(escalated(1), &[], at(2 * HOUR));
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
            told = told.announced(*occasion, channels, at(3 * HOUR));
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

    #[test]
    fn an_approval_past_the_rule_is_told_as_that_and_audit_tells_what_was_decided() {
        let mut decision = decided(Verdict::Approved);
        assert_eq!(vault().ends_as(), None);
        assert_eq!(vault().claim(&decision, at(1)).unwrap().ends_as(), Some(Event::Approved));
        assert_eq!(ends_as(closed(End::Approved, decision.clone())), Some(Event::Approved));
        decision.overridden = Some(Overridden { by: Vec::new(), reason: "outage".to_owned() });
        assert_eq!(vault().claim(&decision, at(1)).unwrap().ends_as(), Some(Event::Overridden));
        assert_eq!(ends_as(closed(End::Approved, decision.clone())), Some(Event::Overridden));
        assert_eq!(ends_as(closed(End::Expired, decision)), Some(Event::Expired));

        let (request, mut decision) = asked_in("garden");
        let state = closed(End::Canceled, decision.clone());
        let audited = ApprovalRequest { requested_at: None, state, ..request };
        let event = decision.notify.as_ref().map(|notify| notify.event);
        assert_eq!((audited.endings(), decision.mode), (event.into_iter().collect(), Mode::Audit));
        assert!(audited.is_audited());
        decision.notify = None;
        assert_eq!(ends_as(closed(End::Canceled, decision.clone())), None);
        // Who was asked all the same is waited for, and a rule below its floor is none.
        let asked = Decision { requested_at: Some(at(0)), ..decision.clone() };
        let reason = Reason { code: ReasonCode::BelowFloor, text: String::new(), source: None };
        let below = Decision { reasons: vec![reason], ..decision };
        for decision in [asked, below] {
            assert_eq!(ends_as(closed(End::Denied, decision)), Some(Event::Denied));
        }
    }

    #[test]
    fn what_the_last_check_told_in_vain_is_told_again_besides_the_end() {
        let request = vault().claim(&decided(Verdict::Approved), at(10)).unwrap();
        let request = request.close(super::super::request::CallbackOutcome::Taken, at(11)).unwrap();
        let told = request.announced(Event::Approved, &channels(&["desk"]), at(12));
        assert_eq!((told.endings(), told.due_at()), (vec![Event::Approved], None));
        let in_vain = told.announced(Event::Overridden, &channels(&["desk"]), at(13));
        assert_eq!(in_vain.endings(), [Event::Approved, Event::Overridden]);
        assert_eq!(in_vain.untold(Event::Overridden), channels(&["boss"]));
        assert!(in_vain.due_at().is_some());
    }
}
