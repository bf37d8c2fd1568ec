//! What is due for a request (reminders, escalations, the deadline) and what holds a release (freezes, windows, the
//! wait timer).

use jiff::{SignedDuration, Timestamp};

use super::condition::holds;
use super::decision::{Applies, NextAction, NextActionKind};
use super::facts::Facts;
use crate::policy::{Calendar, Condition, Duration, Escalation, Freeze, FreezeEffect, Rule};

/// Something that is due at a moment of a request's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment<'p> {
    pub at: Timestamp,
    pub kind: MomentKind<'p>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MomentKind<'p> {
    /// Approvers who are still needed are reminded. Reminders are numbered from 0.
    Remind(usize),
    /// Others are notified, and may stand in. Escalations are numbered from 0.
    Escalate(usize, &'p Escalation),
    Expire,
}

/// Everything that is due for a request after it was opened, in order of time. At the same time in the order of
/// [`MomentKind`].
#[must_use]
pub fn moments<'p>(rule: &Rule<'p>, requested_at: Timestamp) -> Vec<Moment<'p>> {
    let at = |after: Duration| after_of(requested_at, after);
    let remind = rule.remind().iter().enumerate();
    let remind = remind.map(|(number, after)| Moment { at: at(*after), kind: MomentKind::Remind(number) });
    let escalate = rule.escalate().iter().enumerate();
    let escalate =
        escalate.map(|(number, step)| Moment { at: at(step.after), kind: MomentKind::Escalate(number, step) });
    let expire = Moment { at: at(rule.timeout()), kind: MomentKind::Expire };
    let mut moments: Vec<Moment<'p>> = remind.chain(escalate).collect();
    moments.push(expire);
    moments.sort_by_key(|moment| moment.at);
    moments.retain(|moment| moment.at < expire.at || moment.kind == MomentKind::Expire);
    moments
}

/// The deadline of a request. `None` if people were not asked yet.
pub(super) fn deadline(rule: &Rule<'_>, facts: &Facts) -> Option<Timestamp> {
    Some(after_of(facts.requested_at?, rule.timeout()))
}

/// Whether the request was approved before its deadline, so that it can no longer expire.
pub(super) fn is_settled(rule: &Rule<'_>, facts: &Facts) -> bool {
    let before = |approved_at| deadline(rule, facts).is_none_or(|deadline| approved_at < deadline);
    facts.approved_at.is_some_and(before)
}

/// The escalations that were due, whose stand-ins count.
pub(super) fn escalated<'p>(rule: &Rule<'p>, facts: &Facts) -> Vec<&'p Escalation> {
    let Some(requested_at) = facts.requested_at else { return Vec::new() };
    rule.escalate().iter().filter(|step| after_of(requested_at, step.after) <= facts.now).collect()
}

pub(super) fn after_of(at: Timestamp, duration: Duration) -> Timestamp {
    at.checked_add(duration.signed()).unwrap_or(Timestamp::MAX)
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Release<'p> {
    Open,
    /// Waiting does not help.
    Denied(Held<'p>),
    /// Look again at this time.
    Wait(Timestamp, Held<'p>),
}

/// What holds a release.
#[derive(Debug, Clone, Copy)]
pub(super) enum Held<'p> {
    /// A freeze, and when its calendar ends. `None`: never.
    Frozen(&'p Freeze, Option<Timestamp>),
    /// No calendar of the window is open, and when one opens. `None`: never.
    OutOfWindow(Option<Timestamp>),
    /// The wait timer, and when it ends.
    Timer(Timestamp),
}

/// How many changes of calendars are searched for the end of a wait. If that is not enough, the wait ends at the last
/// one searched, and the facts are decided on again.
const MOST_CHANGES: usize = 1_000;

/// Whether a release is held by a freeze, a window or, if the request was approved, the wait timer.
pub(super) fn release<'p>(rule: &Rule<'p>, facts: &Facts) -> Release<'p> {
    let Some(first) = held(rule, facts, facts.now) else { return Release::Open };
    if denies(first) {
        return Release::Denied(first);
    }
    let mut at = facts.now;
    for _ in 0..MOST_CHANGES {
        match held(rule, facts, at) {
            None => return Release::Wait(at, first),
            // If a freeze that denies begins meanwhile, the decision at that time says so.
            Some(held) if denies(held) && at > facts.now => return Release::Wait(at, first),
            Some(held) => match next(held, at) {
                Some(next) => at = next,
                None => return Release::Denied(first),
            },
        }
    }
    Release::Wait(at, first)
}

/// What holds a release at an instant. A freeze that denies comes before everything that ends by waiting.
fn held<'p>(rule: &Rule<'p>, facts: &Facts, at: Timestamp) -> Option<Held<'p>> {
    let frozen = |effect| {
        let in_force = |freeze: &&Freeze| {
            let excepted = || freeze.except.as_ref().is_some_and(|except| holds(except, facts, at) == Applies::Yes);
            freeze.effect == effect && freeze.calendar.contains(at) && !excepted()
        };
        let freeze = rule.freeze().iter().find(in_force)?;
        Some(Held::Frozen(freeze, freeze.calendar.next_change(at)))
    };
    let out_of_window = || {
        let window = rule.window()?;
        if window.iter().any(|calendar| calendar.contains(at)) {
            return None;
        }
        Some(Held::OutOfWindow(window.iter().filter_map(|calendar| calendar.next_change(at)).min()))
    };
    let timer = || {
        let until = after_of(facts.approved_at?, rule.wait()?);
        (at < until).then_some(Held::Timer(until))
    };
    frozen(FreezeEffect::Deny).or_else(|| frozen(FreezeEffect::Wait)).or_else(out_of_window).or_else(timer)
}

const fn denies(held: Held<'_>) -> bool {
    match held {
        Held::Frozen(freeze, _) => matches!(freeze.effect, FreezeEffect::Deny),
        Held::OutOfWindow(opens) => opens.is_none(),
        Held::Timer(_) => false,
    }
}

/// The next instant at which this may hold the release no longer.
fn next(held: Held<'_>, at: Timestamp) -> Option<Timestamp> {
    match held {
        Held::Frozen(freeze, ends) => {
            let except = freeze.except.iter().flat_map(|except| except.calendars());
            except.filter_map(|calendar| calendar.next_change(at)).chain(ends).min()
        }
        Held::OutOfWindow(opens) => opens,
        Held::Timer(until) => Some(until),
    }
}

/// The next thing that is due, or may change without anyone acting, while the request waits for people.
pub(super) fn next_while_pending(rule: &Rule<'_>, facts: &Facts) -> Option<NextAction> {
    let due = facts.requested_at.map(|requested_at| moments(rule, requested_at)).unwrap_or_default();
    let due = due.into_iter().filter(|moment| moment.at > facts.now).map(|moment| NextAction {
        at: moment.at,
        kind: match moment.kind {
            MomentKind::Remind(_) => NextActionKind::Remind,
            MomentKind::Escalate(..) => NextActionKind::Escalate,
            MomentKind::Expire => NextActionKind::Expire,
        },
    });
    // A request that was approved in time sends no reminder and does not expire.
    let due = due.filter(|next| next.kind == NextActionKind::Escalate || !is_settled(rule, facts));
    let conditions = rule.conditions().flat_map(Condition::calendars).map(|calendar| &**calendar);
    due.chain(change_of(conditions, facts.now)).min_by_key(|next| (next.at, next.kind))
}

/// The next change of freezes, windows, conditions and of who may approve or request changes, once approved.
pub(super) fn next_while_approved(rule: &Rule<'_>, facts: &Facts) -> Option<NextAction> {
    let freezes = rule.freeze().iter().map(|freeze| &*freeze.calendar);
    let windows = rule.window().unwrap_or_default().iter().map(|calendar| &**calendar);
    let conditions = rule.conditions().flat_map(Condition::calendars).map(|calendar| &**calendar);
    let escalations = facts.requested_at.map(|at| rule.escalate().iter().map(move |step| after_of(at, step.after)));
    let escalations = escalations.into_iter().flatten().filter(|at| *at > facts.now);
    let escalation = escalations.min().map(|at| NextAction { at, kind: NextActionKind::Escalate });
    let change = change_of(freezes.chain(windows).chain(conditions), facts.now);
    escalation.into_iter().chain(change).min_by_key(|next| (next.at, next.kind))
}

fn change_of<'p>(calendars: impl Iterator<Item = &'p Calendar>, now: Timestamp) -> Option<NextAction> {
    let at = calendars.filter_map(|calendar| calendar.next_change(now)).min()?;
    Some(NextAction { at, kind: NextActionKind::CalendarChanges })
}

/// The instant after the last one at which something still counts.
pub(super) fn just_after(last: Timestamp) -> Option<Timestamp> {
    last.checked_add(SignedDuration::from_nanos(1)).ok()
}
