//! Logs as JSON lines, and metrics in CloudWatch's embedded format.
//!
//! Both go to the standard output, where Lambda collects them without a call.

use std::io::Write as _;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::ident::Target;
use crate::ports::{Quota, Remaining, Write};
use crate::request::record::RecordKind;
use crate::request::{ApprovalRequest, End, State};

/// Starts logging. Only warnings of other crates are kept: at lower levels they log what they send.
pub fn log(level: Level) {
    let of_ours = Targets::new().with_default(LevelFilter::WARN).with_target("countersign", level);
    let lines =
        tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(false).with_span_list(false);
    // Only in tests is there another subscriber.
    _ = tracing_subscriber::registry().with(of_ours).with(lines).try_init();
}

/// Writes metrics:
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.
#[derive(Clone)]
pub struct Meter {
    namespace: String,
    name: String,
    out: Arc<dyn Fn(&str) + Send + Sync>,
}

/// A metric's name, unit and value.
type Measured = (&'static str, &'static str, i64);

impl Meter {
    /// The meter of the installation with this name. `out` gets each line.
    #[must_use]
    pub fn new(namespace: &str, name: &str, out: Arc<dyn Fn(&str) + Send + Sync>) -> Self {
        Self { namespace: namespace.to_owned(), name: name.to_owned(), out }
    }

    /// Counts the verdict of a write that ends a request, and measures how long an approval took since it was
    /// requested.
    pub fn written(&self, write: &Write) {
        let (request, record) = (&write.request, &write.record);
        let verdict = match record.kind {
            RecordKind::Passed | RecordKind::Audited | RecordKind::Closed | RecordKind::ExecutionEnded => {
                request.closed().map(|closed| closed.end.as_str())
            }
            // Refused at the first evaluation, or at release.
            RecordKind::Withheld => record.decision.as_ref().map(|decision| decision.verdict.as_str()),
            RecordKind::Opened
            | RecordKind::Retoken
            | RecordKind::Notified
            | RecordKind::Read
            | RecordKind::Claimed
            | RecordKind::TakenOver
            | RecordKind::GivenBack
            | RecordKind::Released
            | RecordKind::Held => None,
        };
        if let Some(verdict) = verdict {
            self.decided(record.at, &request.subject.target, verdict);
        }
        if record.kind == RecordKind::Closed
            && request.closed().is_some_and(|closed| closed.end == End::Approved)
            && let (Some(from), Some(to)) = (request.requested_at, request.approved_at)
        {
            let seconds = to.duration_since(from).as_secs();
            self.emit(record.at, &[], &[&["Name"]], &[("ApprovalLeadTime", "Seconds", seconds)]);
        }
    }

    fn decided(&self, at: Timestamp, target: &Target, verdict: &str) {
        let dimensions =
            [("Verdict", verdict), ("Service", target.service.as_str()), ("Environment", target.environment.as_str())];
        let sets: [&[&str]; 3] = [&["Name"], &["Name", "Verdict"], &["Name", "Service", "Environment", "Verdict"]];
        self.emit(at, &dimensions, &sets, &[("Decisions", "Count", 1)]);
    }

    /// Measures how long requests and answers wait. Writes 0 if none waits, so that an alarm sees that somebody looked.
    pub fn waiting(&self, now: Timestamp, open: &[ApprovalRequest]) {
        let oldest = |since: &mut dyn Iterator<Item = Timestamp>| {
            since.min().map_or(0, |since| now.duration_since(since).as_secs().max(0))
        };
        let pending = open.iter().filter(|request| request.state == State::Pending);
        let unsent = open.iter().filter_map(ApprovalRequest::unsent_since).filter(|since| *since <= now);
        let metrics = [
            ("OldestPending", "Seconds", oldest(&mut pending.map(|request| request.opened_at))),
            ("UnsentCallbacks", "Count", i64::try_from(unsent.clone().count()).unwrap_or(i64::MAX)),
            ("OldestUnsentCallback", "Seconds", oldest(&mut unsent.clone())),
        ];
        self.emit(now, &[], &[&["Name"]], &metrics);
    }

    /// Counts a delivery without a valid signature.
    pub fn delivery_rejected(&self, now: Timestamp) {
        self.emit(now, &[], &[&["Name"]], &[("DeliveriesRejected", "Count", 1)]);
    }

    /// Writes how many calls and points GitHub allows until it counts anew, as far as they are known.
    pub fn github_left(&self, now: Timestamp, quota: Quota) {
        for (name, remaining) in [("GitHubCallsLeft", quota.rest), ("GitHubPointsLeft", quota.graphql)] {
            if let Some(Remaining { left, .. }) = remaining {
                let left = i64::try_from(left).unwrap_or(i64::MAX);
                self.emit(now, &[], &[&["Name"]], &[(name, "Count", left)]);
            }
        }
    }

    fn emit(&self, at: Timestamp, dimensions: &[(&str, &str)], sets: &[&[&str]], metrics: &[Measured]) {
        let named: Vec<Value> = metrics.iter().map(|(name, unit, _)| json!({ "Name": name, "Unit": unit })).collect();
        let directive = json!({ "Namespace": self.namespace, "Dimensions": sets, "Metrics": named });
        let mut line = Map::new();
        line.insert("_aws".to_owned(), json!({ "Timestamp": at.as_millisecond(), "CloudWatchMetrics": [directive] }));
        line.insert("Name".to_owned(), self.name.as_str().into());
        line.extend(dimensions.iter().map(|&(name, value)| (name.to_owned(), value.into())));
        line.extend(metrics.iter().map(|&(name, _, value)| (name.to_owned(), value.into())));
        (self.out)(&Value::Object(line).to_string());
    }
}

/// Writes a whole line to the standard output. An error is ignored: there is nobody to report it to.
pub fn to_stdout(line: &str) {
    _ = std::io::stdout().lock().write_all(format!("{line}\n").as_bytes());
}
