//! What an execution is told: the gate's output, and the cause of a failure.

use serde_json::{Value, json};

use crate::approval::decision::Decision;
use crate::ident::RequestId;

/// The most characters that Step Functions takes as a cause (`SendTaskFailure`).
pub const LONGEST_CAUSE: usize = 32_768;

/// The gate's output on approval.
#[must_use]
pub fn decided(request: &RequestId, decision: &Decision) -> String {
    output(request, decision).to_string()
}

/// The gate's output on approval, as JSON.
#[must_use]
pub fn output(request: &RequestId, decision: &Decision) -> Value {
    json!({ "approved": true, "enforced": true, "decision": decision, "request_id": request })
}

/// The decision as JSON of at most [`LONGEST_CAUSE`] characters: reviews are left out first, then parts.
#[must_use]
pub fn cause(decision: &Decision) -> String {
    let mut shown = decision.clone();
    let cuts: [fn(&mut Decision); 4] = [
        |_| {},
        |decision| decision.reviews.clear(),
        |decision| {
            decision.requirement = None;
            decision.unmet.clear();
        },
        |decision| {
            decision.counts.clear();
            decision.reasons.truncate(1);
            decision.notify = None;
            for reason in &mut decision.reasons {
                reason.text = clip(&reason.text);
            }
            decision.summary = clip(&decision.summary);
        },
    ];
    let mut text = String::new();
    for cut in cuts {
        cut(&mut shown);
        text = serde_json::to_string(&shown).unwrap_or_default();
        if text.chars().count() <= LONGEST_CAUSE {
            break;
        }
    }
    text
}

/// The cause of a failure that no decision stands behind.
#[must_use]
pub fn plain_cause(name: &str, message: &str) -> String {
    json!({ "schema": 1, "error": { "code": name, "message": clip(message) } }).to_string()
}

fn clip(text: &str) -> String {
    text.chars().take(2_000).collect()
}
