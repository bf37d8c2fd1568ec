//! GitHub's rate limits, and until when they last. Nothing is sent before the end of a limit.
//!
//! The rules: <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api> and
//! <https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api>. Knows nothing of waiting.

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

/// What a call is counted against. REST is counted in calls, and GraphQL in points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Resource {
    Rest,
    Graphql,
}

impl Resource {
    pub(super) const fn is_graphql(self) -> bool {
        match self {
            Self::Rest => false,
            Self::Graphql => true,
        }
    }

    /// GitHub's word for it.
    const fn word(self) -> &'static str {
        match self {
            Self::Rest => "core",
            Self::Graphql => "graphql",
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
    reached: BTreeMap<(Scope, Resource), Reached>,
    /// As of the last answer.
    left: BTreeMap<(Scope, Resource), Remaining>,
}

impl Limits {
    /// The limit that forbids calls now. `None` if calls may be sent.
    pub(super) fn reached(&self, scope: &Scope, resource: Resource, now: Timestamp) -> Option<Reached> {
        let key = (scope.clone(), resource);
        self.map(|known| known.reached.get(&key).filter(|reached| reached.until > now).cloned())
    }

    /// Removes a limit after waiting for its end.
    pub(super) fn remove(&self, scope: &Scope, until: Timestamp) {
        self.map(|known| known.reached.retain(|(of, _), reached| of != scope || reached.until > until));
    }

    /// Reads the limits in an answer. If the answer was refused for a limit, returns the end of that limit.
    pub(super) fn learn(
        &self,
        (scope, resource): (&Scope, Resource),
        (status, headers, message): (u16, &HeaderMap, &str),
        now: Timestamp,
    ) -> Option<Timestamp> {
        let refused = matches!(status, 403 | 429);
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<i64>().ok();
        let after = |seconds| now.saturating_add(SignedDuration::from_secs(seconds)).ok();
        let remaining = number("x-ratelimit-remaining").and_then(|left| u64::try_from(left).ok());
        let (limit, resets) = (number("x-ratelimit-limit"), number("x-ratelimit-reset"));
        let of_another = headers.get("x-ratelimit-resource").is_some_and(|named| named != resource.word());
        if let (Some(left), Some(Ok(limit)), Some(Ok(reset)), false) =
            (remaining, limit.map(u64::try_from), resets.map(Timestamp::from_second), of_another)
        {
            self.map(|known| known.left.insert((scope.clone(), resource), Remaining { left, limit, resets_at: reset }));
        }
        let exhausted = remaining == Some(0);
        let reset = resets.filter(|_| exhausted).and_then(|at| Timestamp::from_second(at).ok());
        let until = if refused {
            let stated = number("retry-after").and_then(after).or(reset);
            let implied = status == 429 || exhausted || message.to_ascii_lowercase().contains("rate limit");
            stated.or_else(|| implied.then(|| now.checked_add(UNKNOWN).ok()).flatten())
        } else {
            reset
        };
        let until = until?.min(now.checked_add(LONGEST).unwrap_or(Timestamp::MAX));
        self.map(|known| {
            let why = if refused { message } else { "no calls are left" };
            // A secondary limit holds for both.
            let other =
                [Resource::Rest, Resource::Graphql].into_iter().filter(|other| *other == resource || !exhausted);
            for key in other.map(|resource| (scope.clone(), resource)) {
                if known.reached.get(&key).is_none_or(|before| before.until < until) {
                    known.reached.insert(key, Reached { until, why: why.to_owned() });
                }
            }
        });
        refused.then_some(until)
    }

    /// What is left to the installation or token that has the least. After its reset a limit is not known.
    pub(super) fn quota(&self, now: Timestamp) -> Quota {
        let least = |resource| {
            self.map(|known| {
                let of_it = known
                    .left
                    .iter()
                    .filter(|((scope, of), left)| *of == resource && *scope != Scope::App && left.resets_at > now);
                of_it.map(|(_, left)| *left).min_by_key(|left| left.left)
            })
        };
        Quota { rest: least(Resource::Rest), graphql: least(Resource::Graphql) }
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
        let refused = limits.learn((&Scope::Token, Resource::Rest), (status, &map, message), now()).map(seconds);
        assert_eq!(limits.reached(&Scope::App, Resource::Rest, now()), None, "scopes have separate limits");
        (refused, limits.reached(&Scope::Token, Resource::Rest, now()).map(|reached| seconds(reached.until)))
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

    fn answered(limits: &Limits, of: (&Scope, Resource), headers: &[(&'static str, String)]) {
        let map = headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect();
        limits.learn(of, (200, &map, ""), now());
    }

    fn counted(left: u64, resource: &str) -> [(&'static str, String); 4] {
        [
            ("x-ratelimit-limit", "5000".to_owned()),
            ("x-ratelimit-remaining", left.to_string()),
            ("x-ratelimit-reset", (now().as_second() + 900).to_string()),
            ("x-ratelimit-resource", resource.to_owned()),
        ]
    }

    #[test]
    fn what_is_left_is_that_of_the_installation_with_the_least_apart_for_rest_and_graphql() {
        let limits = Limits::default();
        assert_eq!(limits.quota(now()), Quota::default());
        let (app, other, installation) = (Scope::App, Scope::Installation(2), Scope::Installation(1));
        answered(&limits, (&app, Resource::Rest), &counted(7, "core"));
        answered(&limits, (&other, Resource::Rest), &counted(4000, "core"));
        answered(&limits, (&installation, Resource::Rest), &counted(20, "core"));
        answered(&limits, (&installation, Resource::Rest), &counted(19, "core"));
        answered(&limits, (&installation, Resource::Graphql), &counted(4321, "graphql"));
        answered(&limits, (&installation, Resource::Rest), &counted(3, "search"));
        let Quota { rest: Some(rest), graphql: Some(graphql) } = limits.quota(now()) else { panic!("both are known") };
        assert_eq!((rest.left, rest.limit, graphql.left, graphql.limit), (19, 5000, 4321, 5000));
        assert_eq!(limits.quota(rest.resets_at), Quota::default(), "after the reset");
    }

    #[test]
    fn an_exhausted_limit_of_one_kind_does_not_stop_calls_of_the_other() {
        let limits = Limits::default();
        let stopped = |resource| limits.reached(&Scope::Token, resource, now()).is_some();
        answered(&limits, (&Scope::Token, Resource::Graphql), &counted(0, "graphql"));
        assert!(stopped(Resource::Graphql) && !stopped(Resource::Rest));
    }

    #[test]
    fn a_secondary_limit_stops_calls_of_both_kinds() {
        for resource in [Resource::Rest, Resource::Graphql] {
            let limits = Limits::default();
            let message = "You have exceeded a secondary rate limit";
            limits.learn((&Scope::Token, resource), (403, &HeaderMap::new(), message), now());
            for resource in [Resource::Rest, Resource::Graphql] {
                assert!(limits.reached(&Scope::Token, resource, now()).is_some());
            }
        }
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
        let until = limits.learn((&Scope::Token, Resource::Rest), (429, &HeaderMap::new(), ""), now()).unwrap();
        assert_eq!(limits.reached(&Scope::Token, Resource::Rest, until), None);
        limits.remove(&Scope::Token, until);
        assert_eq!(limits.reached(&Scope::Token, Resource::Rest, now()), None);
    }
}
