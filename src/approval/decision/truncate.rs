//! A decision in a bounded space: what costs least is left out first. Knows nothing of who bounds it.

use super::Decision;

/// The most characters of a text that has to be short.
const LONGEST_TEXT: usize = 2_000;

impl Decision {
    /// Makes a text of the decision that fits: where the whole does not, reviews are left out first, then parts, then the
    /// rest but for what the verdict is and why.
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
        let mut shown = self.clone();
        let mut whole = text(&shown);
        for cut in cuts {
            if fits(&whole) {
                break;
            }
            cut(&mut shown);
            whole = text(&shown);
        }
        whole
    }
}

/// A text cut to what is read of it anyway.
pub(crate) fn clip(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}
