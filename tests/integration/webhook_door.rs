//! Sends deliveries to the webhook door in tests: the secret, the headers, the time, and the committed payloads.

use std::sync::LazyLock;

use countersign::adapters::github::delivery::{
    Delivery, DeliveryHeaders, DeliveryKind, PullRequestEvent, Refused, receive,
};
use countersign::adapters::github::signature::{WebhookSecret, WebhookSecrets};
use countersign::ident::PullRequestRef;
use countersign::request::observation::Observation;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// GitHub's documented example secret.
pub(crate) const SECRET: &str = "It's a Secret to Everybody";
/// A delivery id of the form that GitHub sends.
pub(crate) const GUID: &str = "72d3162e-cc78-11e3-81ab-4c9367dc0958";

/// Recorded payloads, by event.
pub(crate) const RECORDED: [(&str, &str); 4] = [
    ("ping", include_str!("../deliveries/ping.json")),
    ("pull_request", include_str!("../deliveries/pull_request.json")),
    ("pull_request_review", include_str!("../deliveries/pull_request_review.json")),
    ("check_run", include_str!("../deliveries/check_run.json")),
];

/// A payload and its event.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Sent {
    pub(crate) event: String,
    pub(crate) payload: Value,
}

impl Sent {
    /// `event.action`.
    pub(crate) fn name(&self) -> String {
        format!("{}.{}", self.event, self.payload.get("action").and_then(Value::as_str).unwrap_or_default())
    }

    /// Sends it, correctly signed.
    pub(crate) fn deliver(&self) -> Result<Delivery, Refused> {
        deliver(&self.event, self.payload.to_string().as_bytes())
    }
}

/// The time at which everything arrives.
pub(crate) fn now() -> Timestamp {
    "2026-03-02T10:00:00Z".parse().expect("an instant")
}

pub(crate) fn secret(text: &str) -> WebhookSecret {
    WebhookSecret::new(text).expect("a usable secret")
}

pub(crate) fn secrets() -> WebhookSecrets {
    WebhookSecrets { current: secret(SECRET), previous: None }
}

/// Sends `body` as `event`, correctly signed.
pub(crate) fn deliver(event: &str, body: &[u8]) -> Result<Delivery, Refused> {
    let signature = secret(SECRET).sign(body).expect("a signature");
    let headers = DeliveryHeaders { event: Some(event), delivery: Some(GUID), signature: Some(&signature) };
    receive(&secrets(), &headers, body, now())
}

/// One complete payload for everything that the door handles.
pub(crate) fn handled() -> Vec<Sent> {
    HANDLED.clone()
}

/// The handled payloads that lead to a reading of a pull request.
pub(crate) fn on_pull_requests() -> Vec<Sent> {
    handled().into_iter().filter(|sent| sent.payload.get("pull_request").is_some()).collect()
}

/// The others: checks that are run again, and deployments that wait for an answer.
pub(crate) fn on_checks_and_deployments() -> Vec<Sent> {
    handled().into_iter().filter(|sent| sent.payload.get("pull_request").is_none()).collect()
}

static HANDLED: LazyLock<Vec<Sent>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../deliveries/handled.json")).expect("a list of deliveries"));

/// A handled delivery that leads to a reading of a pull request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OnPullRequest {
    pub(crate) reference: PullRequestRef,
    pub(crate) what: PullRequestEvent,
    pub(crate) observations: Vec<Observation>,
}

/// What a handled delivery says about its pull request.
pub(crate) fn on_pull_request(sent: &Sent) -> OnPullRequest {
    match sent.deliver().expect("a delivery").kind {
        DeliveryKind::PullRequest { reference, what, observations } => OnPullRequest { reference, what, observations },
        kind @ (DeliveryKind::Ping
        | DeliveryKind::Ignored { .. }
        | DeliveryKind::Check { .. }
        | DeliveryKind::Protection(_)) => {
            panic!("{} came in as {kind:?}", sent.name())
        }
    }
}

/// The handled payload of `name`, `event.action`, which has `value` at `pointer`.
pub(crate) fn handled_with(name: &str, pointer: &str, value: &str) -> Sent {
    let found = |sent: &Sent| sent.name() == name && sent.payload.pointer(pointer).is_some_and(|found| found == value);
    handled().into_iter().find(found).unwrap_or_else(|| panic!("no {name} with {value}"))
}

/// The recorded delivery of that event and action.
pub(crate) fn sent(name: &str) -> Sent {
    handled().into_iter().find(|sent| sent.name() == name).expect("a handled event")
}
