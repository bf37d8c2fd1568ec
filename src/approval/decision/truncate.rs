//! Truncates a decision to a bounded size. The least important parts are left out first.

use super::Decision;

/// The most characters of one text in a truncated decision.
const LONGEST_TEXT: usize = 2_000;

impl Decision {
    /// Returns a text of the decision that fits. If the whole does not, reviews are left out first, then the
    /// requirement, then everything except the verdict and its first reason.
    #[must_use]
    pub fn truncated(&self, text: impl Fn(&Self) -> String, fits: impl Fn(&str) -> bool) -> String {
        let mut whole = String::new();
        self.clone().truncated_until(|decision| {
            whole = text(decision);
            fits(&whole)
        });
        whole
    }

    /// The decision, truncated if it is longer than so many bytes of JSON.
    #[must_use]
    pub fn within(self, bytes: usize) -> Self {
        self.truncated_until(|decision| serde_json::to_vec(decision).is_ok_and(|json| json.len() <= bytes))
    }

    fn truncated_until(mut self, mut fits: impl FnMut(&Self) -> bool) -> Self {
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
        for cut in cuts {
            if fits(&self) {
                return self;
            }
            cut(&mut self);
        }
        fits(&self);
        self
    }
}

/// Cuts a text to its first 2,000 characters.
pub(crate) fn clip(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}
