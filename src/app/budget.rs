//! How much of the code host's limits a sweep may use: half of what is left, so that deliveries and releases have the rest.

use super::App;
use crate::ports::{Quota, Remaining};

/// How many calls or points may be used between two looks at what is left.
const STEP: u64 = 10;

/// What was left when the sweep first knew it.
#[derive(Debug, Default)]
pub(super) struct Budget(Quota);

impl Budget {
    /// Whether one more pull request may be read or published. Yes if the host has not said what is left.
    pub(super) async fn allows(&mut self, app: &App) -> bool {
        self.allows_with(app.code_host.quota().await)
    }

    fn allows_with(&mut self, now: Quota) -> bool {
        let rest = is_within(&mut self.0.rest, now.rest);
        is_within(&mut self.0.graphql, now.graphql) && rest
    }
}

/// Whether another step leaves half of what there was at the start. If there is more than that, the host counts anew.
fn is_within(start: &mut Option<Remaining>, now: Option<Remaining>) -> bool {
    let Some(now) = now else { return true };
    let began = start.filter(|start| start.left >= now.left).unwrap_or(now);
    *start = Some(began);
    now.left.checked_sub(STEP).is_some_and(|left| left >= began.left.div_ceil(2))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn quota(rest: Option<u64>, graphql: Option<u64>) -> Quota {
        let remaining = |left| Remaining { left, limit: 5_000, resets_at: Timestamp::MAX };
        Quota { rest: rest.map(remaining), graphql: graphql.map(remaining) }
    }

    #[test]
    fn half_of_each_limit_is_left_and_each_is_counted_apart() {
        let mut budget = Budget::default();
        assert!(budget.allows_with(quota(None, None)) && budget.allows_with(quota(Some(4_000), None)));
        assert!(budget.allows_with(quota(Some(2_010), Some(100))));
        assert!(!budget.allows_with(quota(Some(2_009), Some(100))));
        assert!(budget.allows_with(quota(Some(2_010), Some(60))) && !budget.allows_with(quota(Some(2_010), Some(59))));
    }

    #[test]
    fn what_is_counted_anew_is_halved_anew_and_little_is_left_alone() {
        let mut budget = Budget::default();
        assert!(budget.allows_with(quota(Some(100), None)) && !budget.allows_with(quota(Some(40), None)));
        assert!(budget.allows_with(quota(Some(5_000), None)) && !budget.allows_with(quota(Some(2_500), None)));
        for left in 0..20 {
            assert!(!Budget::default().allows_with(quota(Some(left), None)), "{left}");
        }
    }
}
