//! Remembers until when GitHub wants to be left alone, so that nothing is sent in vain and nobody is locked out.
//!
//! The rules: <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>. Keeps times, and knows
//! nothing of waiting.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};

/// Where GitHub says that a limit is reached, and not until when, it wants a minute at least.
const UNKNOWN: SignedDuration = SignedDuration::from_secs(60);
/// Every limit of GitHub's is over after an hour.
const LONGEST: SignedDuration = SignedDuration::from_hours(1);

/// Whose limit it is: each installation has its own, and so has the App itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    App,
    Installation(u64),
    Token,
}

/// A limit that was reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reached {
    pub(super) until: Timestamp,
    /// In GitHub's words.
    pub(super) why: String,
}

#[derive(Debug, Default)]
pub(super) struct Limits(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    reached: BTreeMap<Scope, Reached>,
    /// How many calls are left, as each scope's last answer said.
    left: BTreeMap<Scope, u64>,
}

impl Limits {
    /// Until when nothing may be sent; none where it may.
    pub(super) fn reached(&self, scope: &Scope, now: Timestamp) -> Option<Reached> {
        self.map(|known| known.reached.get(scope).filter(|reached| reached.until > now).cloned())
    }

    /// Takes back a limit that was waited for.
    pub(super) fn over(&self, scope: &Scope, until: Timestamp) {
        self.map(|known| known.reached.retain(|of, reached| of != scope || reached.until > until));
    }

    /// Learns from an answer. Gives until when to wait where the answer itself was refused for a limit.
    pub(super) fn learn(&self, scope: &Scope, answer: (u16, &HeaderMap, &str), now: Timestamp) -> Option<Timestamp> {
        let (status, headers, message) = answer;
        let refused = matches!(status, 403 | 429);
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<i64>().ok();
        let after = |seconds| now.saturating_add(SignedDuration::from_secs(seconds)).ok();
        let remaining = number("x-ratelimit-remaining").and_then(|left| u64::try_from(left).ok());
        if let Some(left) = remaining {
            self.map(|known| known.left.insert(scope.clone(), left));
        }
        let exhausted = remaining == Some(0);
        let reset = number("x-ratelimit-reset").filter(|_| exhausted).and_then(|at| Timestamp::from_second(at).ok());
        let until = if refused {
            let asked = number("retry-after").and_then(after).or(reset);
            let in_words = status == 429 || exhausted || message.to_ascii_lowercase().contains("rate limit");
            asked.or_else(|| in_words.then(|| now.checked_add(UNKNOWN).ok()).flatten())
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

    /// How many calls are left to whoever has the fewest.
    pub(super) fn left(&self) -> Option<u64> {
        self.map(|known| known.left.values().min().copied())
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
        assert_eq!(limits.reached(&Scope::App, now()), None, "another's limit is not ours");
        (refused, limits.reached(&Scope::Token, now()).map(|reached| seconds(reached.until)))
    }

    #[test]
    fn what_github_asks_for_is_kept_by_its_most_exact_word() {
        let reset = (now().as_second() + 900).to_string();
        let spent = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", reset.as_str())];
        assert_eq!(learned(403, &[("retry-after", "30"), spent[0], spent[1]], ""), (Some(30), Some(30)));
        assert_eq!(learned(403, &spent, "API rate limit exceeded"), (Some(900), Some(900)));
        assert_eq!(learned(429, &[], ""), (Some(60), Some(60)));
        assert_eq!(learned(403, &[], "You have exceeded a secondary rate limit"), (Some(60), Some(60)));
        assert_eq!(learned(403, &[("retry-after", "9999999999999999")], ""), (Some(3600), Some(3600)));
    }

    #[test]
    fn the_last_call_that_was_let_through_says_that_there_are_no_more() {
        let reset = (now().as_second() + 900).to_string();
        let last = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", reset.as_str())];
        assert_eq!(learned(200, &last, ""), (None, Some(900)));
        assert_eq!(learned(200, &[("x-ratelimit-remaining", "1"), last[1]], ""), (None, None));
    }

    #[test]
    fn how_many_calls_are_left_is_what_the_poorest_was_told_last() {
        let limits = Limits::default();
        let told = |scope: &Scope, left: &str| {
            let map = HeaderMap::from_iter([(HeaderName::from_static("x-ratelimit-remaining"), left.parse().unwrap())]);
            limits.learn(scope, (200, &map, ""), now())
        };
        assert_eq!(limits.left(), None);
        for (scope, left) in [(Scope::App, "4000"), (Scope::Installation(1), "20"), (Scope::Installation(1), "19")] {
            told(&scope, left);
        }
        assert_eq!(limits.left(), Some(19));
    }

    #[test]
    fn a_refusal_for_want_of_rights_is_no_limit() {
        assert_eq!(
            learned(403, &[("x-ratelimit-remaining", "4999")], "Resource not accessible by integration"),
            (None, None)
        );
    }

    #[test]
    fn a_limit_ends_when_its_time_comes_or_it_was_waited_for() {
        let limits = Limits::default();
        let until = limits.learn(&Scope::Token, (429, &HeaderMap::new(), ""), now()).unwrap();
        assert_eq!(limits.reached(&Scope::Token, until), None);
        limits.over(&Scope::Token, until);
        assert_eq!(limits.reached(&Scope::Token, now()), None);
    }
}
