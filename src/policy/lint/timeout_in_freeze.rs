//! `timeout-in-freeze`: a freeze that denies and lasts longer than people have to approve.
//!
//! Who is asked just before it begins can only approve while it holds, and then the request is denied. One finding for a
//! freeze, with the shortest timeout of the rules that take it. One with `except` may be lifted and is not looked at.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::Lint;
use super::bodies::Body;
use super::stretches::Stretches;
use crate::finding::{Code, Finding, Span};
use crate::policy::{Duration, Field, FreezeEffect, Require, Setting};

pub(super) fn look(lint: &mut Lint<'_>) {
    let mut stretches = Stretches::default();
    let mut shortest: BTreeMap<Span, (Duration, SignedDuration, Body<'_>)> = BTreeMap::new();
    for body in lint.rules() {
        let (Some(Some(Setting::Require(require))), Some(timeout), Some(Some(Setting::Freeze(freezes)))) = (
            lint.effective(&body, Field::Require),
            lint.effective(&body, Field::Timeout),
            lint.effective(&body, Field::Freeze),
        ) else {
            continue;
        };
        let timeout = if let Some(Setting::Timeout(timeout)) = timeout { *timeout } else { Duration::DEFAULT_TIMEOUT };
        if **require == Require::Nobody {
            continue;
        }
        for freeze in freezes.iter().filter(|freeze| freeze.effect == FreezeEffect::Deny && freeze.except.is_none()) {
            let span = freeze.source.span();
            if let Some(longest) =
                stretches.longest(lint, &freeze.calendar).filter(|longest| *longest > timeout.signed())
                && shortest.get(&span).is_none_or(|(other, ..)| timeout < *other)
            {
                shortest.insert(span, (timeout, longest, body));
            }
        }
    }
    for (span, (timeout, longest, body)) in shortest {
        let longest = u64::try_from(longest.as_secs()).ok().and_then(Duration::from_secs).unwrap_or(timeout);
        let message = format!(
            "this lasts up to {longest} and `timeout` of {} is {timeout}: who is asked just before it begins can only \
             approve in it, and is denied",
            body.named()
        );
        lint.report(Finding::at(Code::TimeoutInFreeze, span, message).hint(
            "with `effect: wait` an approval is kept until the freeze ends; a longer `timeout` lets people approve after it",
        ));
    }
}

#[cfg(test)]
mod tests {
    use crate::finding::Code::TimeoutInFreeze;
    use crate::policy::lint::tests::{count, found};

    const CALENDARS: &str = "version: 1\ncalendars:\n  weekend: { timezone: UTC, weekly: [{ from: \"fri 16:00\", to: \"mon 08:00\" }] }\n  past: { timezone: UTC, dates: [{ from: \"2020-01-01 00:00\", to: \"2020-02-01 00:00\" }] }\n  always: { timezone: UTC, weekly: [{ days: [mon, tue, wed, thu, fri, sat, sun], from: \"00:00\", to: \"24:00\" }] }\n";

    fn policy(fields: &str) -> String {
        format!("{CALENDARS}environments:\n  production: {{ {fields} }}\n")
    }

    fn told(place: &str, timeout: &str, of: &str) -> String {
        format!(
            "{place} this lasts up to 2d16h and `timeout` of {of} is {timeout}: who is asked just before it begins can only approve in it, and is denied"
        )
    }

    #[test]
    fn a_freeze_that_outlasts_the_timeout_is_told_at_the_freeze() {
        let text = policy("require: \"@dana\", timeout: 8h, freeze: [past, weekend]");
        assert_eq!(found(TimeoutInFreeze, &text), [told("7:63", "8h", "`production`")]);
        let built_in = policy("require: \"@dana\", freeze: weekend");
        assert_eq!(found(TimeoutInFreeze, &built_in), [told("7:43", "1d", "`production`")]);
        assert_eq!(count(TimeoutInFreeze, &policy("require: \"@dana\", timeout: 2d15h, freeze: weekend")), 1);
    }

    #[test]
    fn a_timeout_that_outlasts_it_and_a_freeze_that_waits_or_has_no_end_are_not() {
        for fields in [
            "require: \"@dana\", timeout: 2d16h, freeze: weekend",
            "require: \"@dana\", freeze: [{ calendar: weekend, effect: wait }]",
            "require: \"@dana\", freeze: [{ calendar: weekend, except: { branch: main } }]",
            "require: \"@dana\", freeze: [past]",
            "require: \"@dana\", freeze: [always]",
            "require: none, freeze: [weekend]",
        ] {
            assert_eq!(count(TimeoutInFreeze, &policy(fields)), 0, "{fields}");
        }
    }

    #[test]
    fn a_freeze_is_told_once_with_the_shortest_timeout_under_it() {
        let own = |name: &str, timeout: &str| {
            format!("  {name}: {{ repository: a/b, environments: {{ production: {{ timeout: {timeout} }} }} }}\n")
        };
        let services = format!("services:\n{}{}{}", own("a", "9h"), own("b", "4h"), own("c", "4h"));
        let text = format!("{}{services}", policy("require: \"@dana\", freeze: weekend"));
        assert_eq!(found(TimeoutInFreeze, &text), [told("7:43", "4h", "`production` of `b`")]);
    }
}
