//! Truncates a decision to a bounded size. The least important parts are left out first.

use super::Decision;

/// The most characters of one text in a truncated decision.
const LONGEST_TEXT: usize = 2_000;

impl Decision {
    /// Returns a text of the decision that fits. If the whole does not, reviews are left out first, then the
    /// requirement, then everything except the verdict and its first reason.
    #[must_use]
    pub fn truncated(&self, text: impl Fn(&Self) -> String, fits: impl Fn(&str) -> bool) -> String {
        let cuts: [fn(&mut Self); 4] = [
            |decision| decision.reviews.clear(),
            |decision| {
                decision.requirement = None;
                decision.unmet.clear();
            },
            |decision| {
                decision.reasons.truncate(1);
                decision.notify = None;
                for reason in &mut decision.reasons {
                    reason.text = clip(&reason.text);
                }
                decision.summary = clip(&decision.summary);
                if let Some(overridden) = &mut decision.overridden {
                    overridden.reason = clip(&overridden.reason);
                }
            },
            |decision| decision.counts.clear(),
        ];
        let mut decision = self.clone();
        let mut whole = text(&decision);
        for cut in cuts {
            if fits(&whole) {
                break;
            }
            cut(&mut decision);
            whole = text(&decision);
        }
        whole
    }
}

/// Cuts a text to its first 2,000 characters.
pub(crate) fn clip(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}
