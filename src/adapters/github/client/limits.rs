//! GitHub's rate limits, and until when they last. Nothing is sent before the end of a limit.
//!
//! The rules: <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>. Knows nothing of waiting.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};

use crate::ports::{Quota, Remaining};

/// How long to wait if GitHub does not say how long a limit lasts.
const UNKNOWN: SignedDuration = SignedDuration::from_secs(60);
/// Every limit of GitHub ends within an hour.
const LONGEST: SignedDuration = SignedDuration::from_hours(1);

/// The owner of a limit. The App and each installation have their own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    App,
    Installation(u64),
    Token,
}

/// What a limit counts: GitHub's `x-ratelimit-resource`. Other limits are for calls that we do not make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Counted {
    Rest,
    GraphQl,
}

impl Counted {
    fn of(headers: &HeaderMap) -> Option<Self> {
        match headers.get("x-ratelimit-resource").map_or(Some("core"), |name| name.to_str().ok()) {
            Some("core") => Some(Self::Rest),
            Some("graphql") => Some(Self::GraphQl),
            Some(_) | None => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reached {
    pub(super) until: Timestamp,
    /// GitHub's message.
    pub(super) why: String,
}

#[derive(Debug, Default)]
pub(super) struct Limits(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    reached: BTreeMap<Scope, Reached>,
    /// What was left with the last answer of each scope, for each of GitHub's limits.
    left: BTreeMap<(Scope, Counted), Remaining>,
}

impl Limits {
    /// The limit that forbids calls now. `None` if calls may be sent.
    pub(super) fn reached(&self, scope: &Scope, now: Timestamp) -> Option<Reached> {
        self.map(|known| known.reached.get(scope).filter(|reached| reached.until > now).cloned())
    }

    /// Removes a limit after waiting for its end.
    pub(super) fn remove(&self, scope: &Scope, until: Timestamp) {
        self.map(|known| known.reached.retain(|of, reached| of != scope || reached.until > until));
    }

    /// Reads the limits in an answer. If the answer was refused for a limit, returns the end of that limit.
    pub(super) fn learn(&self, scope: &Scope, answer: (u16, &HeaderMap, &str), now: Timestamp) -> Option<Timestamp> {
        let (status, headers, message) = answer;
        let refused = matches!(status, 403 | 429);
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<i64>().ok();
        let after = |seconds| now.saturating_add(SignedDuration::from_secs(seconds)).ok();
        let remaining = number("x-ratelimit-remaining").and_then(|left| u64::try_from(left).ok());
        let limit = number("x-ratelimit-limit").and_then(|limit| u64::try_from(limit).ok());
        let counts_anew = number("x-ratelimit-reset").and_then(|at| Timestamp::from_second(at).ok());
        if let (Some(left), Some(limit), Some(resets_at)) = (remaining, limit, counts_anew)
            && let Some(counted) = Counted::of(headers)
        {
            let remaining = Remaining { left, limit, resets_at };
            self.map(|known| known.left.insert((scope.clone(), counted), remaining));
        }
        let exhausted = remaining == Some(0);
        let reset = counts_anew.filter(|_| exhausted);
        let until = if refused {
            let stated = number("retry-after").and_then(after).or(reset);
            let implied = status == 429 || exhausted || message.to_ascii_lowercase().contains("rate limit");
            stated.or_else(|| implied.then(|| now.checked_add(UNKNOWN).ok()).flatten())
        } else {
            reset
        };
        let until = until?.min(now.checked_add(LONGEST).unwrap_or(Timestamp::MAX));
        self.map(|known| {
            if known.reached.get(scope).is_none_or(|before| before.until < until) {
                let why = if refused { message } else { "no calls are left" };
                known.reached.insert(scope.clone(), Reached { until, why: why.to_owned() });
            }
        });
        refused.then_some(until)
    }

    /// What is left of each limit, of the scope with the least. A limit that has been counted anew since is not known.
    pub(super) fn quota(&self, now: Timestamp) -> Quota {
        self.map(|known| {
            let least = |counted: Counted| {
                let of_it = known.left.iter().filter(|((_, of), left)| *of == counted && left.resets_at > now);
                of_it.map(|(_, left)| *left).min_by_key(|left| left.left)
            };
            Quota { rest: least(Counted::Rest), graphql: least(Counted::GraphQl) }
        })
    }

    fn map<T>(&self, work: impl FnOnce(&mut Known) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn now() -> Timestamp {
        "2026-01-01T00:00:00Z".parse().unwrap()
    }

    fn learned(status: u16, headers: &[(&'static str, &str)], message: &str) -> (Option<i64>, Option<i64>) {
        let map: HeaderMap =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect();
        let limits = Limits::default();
        let seconds = |until: Timestamp| until.duration_since(now()).as_secs();
        let refused = limits.learn(&Scope::Token, (status, &map, message), now()).map(seconds);
        assert_eq!(limits.reached(&Scope::App, now()), None, "scopes have separate limits");
        (refused, limits.reached(&Scope::Token, now()).map(|reached| seconds(reached.until)))
    }

    #[test]
    fn the_most_exact_end_of_a_limit_is_used() {
        let reset = (now().as_second() + 900).to_string();
        let spent = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", reset.as_str())];
        assert_eq!(learned(403, &[("retry-after", "30"), spent[0], spent[1]], ""), (Some(30), Some(30)));
        assert_eq!(learned(403, &spent, "API rate limit exceeded"), (Some(900), Some(900)));
        assert_eq!(learned(429, &[], ""), (Some(60), Some(60)));
        assert_eq!(learned(403, &[], "You have exceeded a secondary rate limit"), (Some(60), Some(60)));
        assert_eq!(learned(403, &[("retry-after", "9999999999999999")], ""), (Some(3600), Some(3600)));
    }

    #[test]
    fn the_last_accepted_call_reports_that_no_calls_are_left() {
        let reset = (now().as_second() + 900).to_string();
        let last = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", reset.as_str())];
        assert_eq!(learned(200, &last, ""), (None, Some(900)));
        assert_eq!(learned(200, &[("x-ratelimit-remaining", "1"), last[1]], ""), (None, None));
    }

    #[test]
    fn what_is_left_is_that_of_the_scope_with_the_least_and_each_limit_is_counted_apart() {
        let limits = Limits::default();
        let answered = |scope: &Scope, resource: &'static str, left: &str, reset: i64| {
            let reset = (now().as_second() + reset).to_string();
            let headers = [
                ("x-ratelimit-remaining", left),
                ("x-ratelimit-limit", "5000"),
                ("x-ratelimit-reset", &reset),
                ("x-ratelimit-resource", resource),
            ];
            let map = headers.map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
            limits.learn(scope, (200, &HeaderMap::from_iter(map), ""), now())
        };
        assert_eq!(limits.quota(now()), Quota::default());
        answered(&Scope::App, "core", "4000", 600);
        answered(&Scope::Installation(1), "core", "20", 600);
        answered(&Scope::Installation(1), "core", "19", 600);
        answered(&Scope::Installation(1), "graphql", "4990", 900);
        answered(&Scope::Installation(1), "search", "1", 900);
        let left = |at: Timestamp| {
            let Quota { rest, graphql } = limits.quota(at);
            (rest.map(|rest| rest.left), graphql.map(|points| points.left))
        };
        assert_eq!(left(now()), (Some(19), Some(4990)));
        assert_eq!(left(now() + SignedDuration::from_secs(600)), (None, Some(4990)));
    }

    #[test]
    fn a_refusal_for_missing_permissions_is_no_limit() {
        assert_eq!(
            learned(403, &[("x-ratelimit-remaining", "4999")], "Resource not accessible by integration"),
            (None, None)
        );
    }

    #[test]
    fn a_limit_ends_at_its_time_or_after_waiting_for_it() {
        let limits = Limits::default();
        let until = limits.learn(&Scope::Token, (429, &HeaderMap::new(), ""), now()).unwrap();
        assert_eq!(limits.reached(&Scope::Token, until), None);
        limits.remove(&Scope::Token, until);
        assert_eq!(limits.reached(&Scope::Token, now()), None);
    }
}
