//! What an execution gets as an answer: the gate's output, or the cause of a failure.

use serde_json::json;

use crate::approval::decision::{Decision, clip};
use crate::ident::RequestId;

/// The most characters that Step Functions accepts as a cause (`SendTaskFailure`).
pub const LONGEST_CAUSE: usize = 32_768;

/// The most bytes of an output. Step Functions accepts 262,144 as the payload of a state (`SendTaskSuccess`). The rest is
/// left for what a caller adds.
pub const LONGEST_OUTPUT: usize = 200_000;

/// Returns the gate's output on approval, of at most [`LONGEST_OUTPUT`] bytes. It leaves out the same as [`cause`].
#[must_use]
pub fn decided(request: &RequestId, decision: &Decision) -> String {
    output(request, decision, true)
}

/// Returns the gate's output in audit mode, of the same length. The execution continues, and `decision` says what would
/// have been decided.
#[must_use]
pub fn audited(request: &RequestId, decision: &Decision) -> String {
    output(request, decision, false)
}

fn output(request: &RequestId, decision: &Decision, enforced: bool) -> String {
    let output = |decision: &Decision| {
        json!({ "approved": true, "enforced": enforced, "decision": decision, "request_id": request }).to_string()
    };
    decision.truncated(output, |text| text.len() <= LONGEST_OUTPUT)
}

/// Returns the decision as JSON of at most [`LONGEST_CAUSE`] characters. Reviews are left out first, then parts.
#[must_use]
pub fn cause(decision: &Decision) -> String {
    let cause = |decision: &Decision| serde_json::to_string(decision).unwrap_or_default();
    decision.truncated(cause, |text| text.chars().count() <= LONGEST_CAUSE)
}

/// Returns the cause of a failure that does not come from a decision.
#[must_use]
pub fn plain_cause(name: &str, message: &str) -> String {
    json!({ "schema": 1, "error": { "code": name, "message": clip(message) } }).to_string()
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_CAUSE, LONGEST_OUTPUT, cause, decided};
    use crate::approval::decide;
    use crate::approval::decision::Decision;
    use crate::finding::{Source, SourceContent};
    use crate::ident::RequestId;
    use crate::policy::load;

    /// A decision on the reviews of so many people.
    fn crowded(people: u64) -> Decision {
        let text = "version: 1\nservices:\n  a:\n    repository: o/r\n    environments: { p: { require: \"@o/t\" } }\n";
        let source = Source { name: "p.yaml".to_owned(), content: SourceContent::Bytes(text.into()) };
        let person = |n: u64| serde_json::json!({ "id": n, "login": format!("somebody-with-a-long-name-{n}") });
        let reviews: Vec<_> = (1..=people)
            .map(|n| {
                serde_json::json!({
                    "id": n, "user": person(n), "state": "approved", "revision": "a1", "bound_by": "delivery",
                    "submitted_at": "2026-11-18T09:00:00Z"
                })
            })
            .collect();
        let facts = serde_json::from_value(serde_json::json!({
            "schema": 1, "now": "2026-11-18T10:00:00Z", "target": { "service": "a", "environment": "p" }, "revision": "a1",
            "pull_request": {
                "repository": "o/r", "default_branch": "main", "number": 1, "state": "open", "head": "a1", "base": "main",
                "author": person(0), "commits": [{ "sha": "a1", "author": person(0), "committer": person(0), "verified": true }],
                "commits_complete": true
            },
            "teams": { "o/t": (1..=people).map(person).collect::<Vec<_>>() }, "reviews": reviews
        }));
        decide(&load(vec![source]).policy.unwrap(), &facts.unwrap())
    }

    fn keys(text: &str) -> serde_json::Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn an_answer_of_usual_size_is_whole() {
        let decision = crowded(3);
        assert_eq!(keys(&cause(&decision)), serde_json::to_value(&decision).unwrap());
    }

    #[test]
    fn an_answer_that_is_too_long_leaves_out_reviews_first_and_stays_json() {
        let decision = crowded(200);
        let text = cause(&decision);
        assert!(text.chars().count() <= LONGEST_CAUSE);
        let read = keys(&text);
        assert_eq!(read.pointer("/reviews"), Some(&serde_json::json!([])));
        assert_eq!(read.pointer("/verdict"), Some(&serde_json::json!("approved")));
        assert!(read.pointer("/requirement").is_some_and(|requirement| !requirement.is_null()));
    }

    #[test]
    fn an_output_stays_within_its_limit_however_many_people_review() {
        let id = RequestId::new("req-00000000000000000000000000000000").unwrap();
        for people in [2_000, 8_000] {
            let text = decided(&id, &crowded(people));
            assert!(text.len() <= LONGEST_OUTPUT, "{}", text.len());
            assert_eq!(keys(&text).pointer("/approved"), Some(&serde_json::json!(true)));
        }
    }
}
