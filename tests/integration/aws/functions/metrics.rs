//! What the functions measure, in CloudWatch's embedded format.

use countersign::approval::decision::Verdict;
use countersign::ports::Write;
use countersign::request::record::RecordKind;
use countersign::request::{ApprovalRequest, CallbackOutcome, LONGEST_CLAIM_SECONDS};
use serde_json::json;

use super::Lines;
use crate::specimen::{at, decision, entry, opening, pending};

fn claimed(verdict: Verdict, second: i64) -> ApprovalRequest {
    pending("one", 0).claim(&decision(verdict), at(second)).expect("a claim")
}

fn closed(verdict: Verdict, second: i64) -> Write {
    let closed = claimed(verdict, second).close(CallbackOutcome::Taken, at(second)).expect("closed");
    Write::new(closed, entry(RecordKind::Closed, second))
}

#[test]
fn a_line_names_its_metrics_with_units_and_dimensions_as_cloudwatch_reads_them() {
    let lines = Lines::default();
    lines.meter().written(&closed(Verdict::Rejected, 90));
    let expected = json!({
        "_aws": { "Timestamp": at(90).as_millisecond(), "CloudWatchMetrics": [{
            "Namespace": "Countersign",
            "Dimensions": [["Name"], ["Name", "Verdict"], ["Name", "Service", "Environment", "Verdict"]],
            "Metrics": [{ "Name": "Decisions", "Unit": "Count" }]
        }] },
        "Name": "approvals", "Verdict": "rejected", "Service": "checkout", "Environment": "production", "Decisions": 1
    });
    assert_eq!(lines.read(), [expected]);
}

#[test]
fn an_approval_also_measures_how_long_people_took() {
    let lines = Lines::default();
    lines.meter().written(&closed(Verdict::Approved, 90));
    assert_eq!((lines.of("Decisions"), lines.of("ApprovalLeadTime")), (vec![1], vec![90]));
}

#[test]
fn a_write_that_ends_nothing_is_not_counted() {
    let lines = Lines::default();
    lines.meter().written(&opening(pending("one", 0), "token"));
    lines.meter().written(&Write::new(claimed(Verdict::Approved, 5), entry(RecordKind::Claimed, 5)));
    assert_eq!(lines.read(), [] as [serde_json::Value; 0]);
}

#[test]
fn the_longest_wait_is_measured_and_no_wait_is_measured_as_zero() {
    let lines = Lines::default();
    let meter = lines.meter();
    meter.waiting(at(100), &[]);
    meter.waiting(at(100), &[pending("one", 40), pending("two", 10), claimed(Verdict::Approved, 20)]);
    assert_eq!(lines.of("OldestPending"), [0, 90]);
    assert_eq!(lines.of("UnsentCallbacks"), [0, 1]);
    let unsent = at(100).duration_since(decision(Verdict::Approved).evaluated_at).as_secs();
    assert_eq!(lines.of("OldestUnsentCallback"), [0, unsent.max(0)]);
}

#[test]
fn an_answer_that_a_freeze_holds_back_is_overdue_only_after_the_next_check_is() {
    let lines = Lines::default();
    let held = claimed(Verdict::Approved, 20).held(at(30));
    let due = 30 + LONGEST_CLAIM_SECONDS;
    for second in [40, due - 1, due, due + 400] {
        lines.meter().waiting(at(second), std::slice::from_ref(&held));
    }
    assert_eq!(lines.of("UnsentCallbacks"), [0, 0, 1, 1]);
    assert_eq!(lines.of("OldestUnsentCallback"), [0, 0, 0, 400]);
}
