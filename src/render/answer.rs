//! What an execution is told: the gate's output, and the cause of a failure.

use serde_json::json;

use crate::approval::decision::Decision;
use crate::ident::RequestId;

/// The most characters that Step Functions takes as a cause (`SendTaskFailure`).
pub const LONGEST_CAUSE: usize = 32_768;

/// The most bytes of an output. Step Functions takes 262,144 as the payload of a state (`SendTaskSuccess`); the rest is
/// left to what a caller lays beside it.
pub const LONGEST_OUTPUT: usize = 200_000;

/// The gate's output on approval, of at most [`LONGEST_OUTPUT`] bytes: what [`cause`] leaves out first is left out here.
#[must_use]
pub fn decided(request: &RequestId, decision: &Decision) -> String {
    let output = |decision: &Decision| {
        json!({ "approved": true, "enforced": true, "decision": decision, "request_id": request }).to_string()
    };
    bounded(decision, output, |text| text.len() <= LONGEST_OUTPUT)
}

/// The decision as JSON of at most [`LONGEST_CAUSE`] characters: reviews are left out first, then parts.
#[must_use]
pub fn cause(decision: &Decision) -> String {
    let cause = |decision: &Decision| serde_json::to_string(decision).unwrap_or_default();
    bounded(decision, cause, |text| text.chars().count() <= LONGEST_CAUSE)
}

/// Makes a text of the decision, and leaves more and more out until it fits.
fn bounded(decision: &Decision, text: impl Fn(&Decision) -> String, fits: impl Fn(&str) -> bool) -> String {
    let cuts: [fn(&mut Decision); 4] = [
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
        },
        |decision| decision.counts.clear(),
    ];
    let mut shown = decision.clone();
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

/// The cause of a failure that no decision stands behind.
#[must_use]
pub fn plain_cause(name: &str, message: &str) -> String {
    json!({ "schema": 1, "error": { "code": name, "message": clip(message) } }).to_string()
}

fn clip(text: &str) -> String {
    text.chars().take(2_000).collect()
}
