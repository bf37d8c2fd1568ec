//! Deliveries as the HTTP API passes them on, and the webhook's secrets.

use std::sync::Arc;

use countersign::adapters::embedded::simulator::change::ReviewEvent;
use countersign::app::Failure;
use countersign::lambda::webhook::{HttpRequest, HttpResponse, deliver};
use countersign::ports::{CodeHost as _, Needs};
use countersign::request::End;
use serde_json::{Value, json};

use super::{Lines, NOWHERE, installation, installation_beside};
use crate::aws::cloud::Cloud;
use crate::gate_world::GateWorld;
use crate::gate_world::fuse::Fuse;
use crate::github_world::{APP_KEY, Hosted};
use crate::specimen::pull_request;
use crate::webhook_door::{GUID, SECRET, secret};

const OTHER: &str = "another secret, which came later";

fn holding(secrets: &Value) -> (u16, String) {
    (200, json!({ "ARN": "arn:webhook", "Name": "webhook", "SecretString": secrets.to_string() }).to_string())
}

/// A request as the HTTP API makes it of a delivery that is signed with `by`.
fn request(event: &str, body: &str, by: &str) -> Value {
    json!({
        "version": "2.0", "routeKey": "POST /webhooks/github", "rawPath": "/webhooks/github",
        "headers": {
            "content-type": "application/json", "x-github-event": event, "x-github-delivery": GUID,
            "x-hub-signature-256": secret(by).sign(body.as_bytes()).expect("a signature")
        },
        "requestContext": { "http": { "method": "POST" } },
        "body": body, "isBase64Encoded": false
    })
}

fn read(request: Value) -> HttpRequest {
    serde_json::from_value(request).expect("a request")
}

fn ping(by: &str) -> HttpRequest {
    read(request("ping", &ping_body(), by))
}

fn ping_body() -> String {
    json!({ "zen": "Approachable is better than simple.", "hook_id": 1 }).to_string()
}

/// A review of acme/checkout#1, as GitHub delivers it.
fn a_review() -> Value {
    let payload =
        crate::webhook_door::handled().into_iter().find(|sent| sent.name() == "pull_request_review.submitted");
    let mut payload = payload.expect("a payload").payload;
    payload["repository"]["full_name"] = "acme/checkout".into();
    payload["pull_request"]["number"] = 1.into();
    payload
}

fn body(response: &HttpResponse) -> Value {
    serde_json::from_str(&response.body).expect("JSON")
}

/// A function in a world of its own, whose reads of the webhook's secrets get these answers in order.
struct Function {
    installation: Arc<countersign::lambda::installation::Installation>,
    world: GateWorld,
    cloud: Cloud,
    lines: Lines,
}

impl Function {
    async fn new(secrets: impl IntoIterator<Item = (u16, String)>) -> Self {
        let (world, cloud, lines) = (GateWorld::new("production"), Cloud::new(secrets).await, Lines::default());
        let installation = installation(&world, world.gate(&Fuse::never()), &lines, &cloud.url);
        Self { installation: Arc::new(installation), world, cloud, lines }
    }

    async fn takes(&self, request: HttpRequest) -> u16 {
        deliver(Ok(Arc::clone(&self.installation)), request).await.status_code
    }
}

#[tokio::test]
async fn a_signed_delivery_is_answered_as_the_local_gate_answers_it() {
    let function = Function::new([holding(&json!({ "current": SECRET }))]).await;
    let response = deliver(Ok(Arc::clone(&function.installation)), ping(SECRET)).await;
    assert_eq!((response.status_code, body(&response)), (200, json!({ "schema": 1, "result": "pong" })));
    assert_eq!(response.headers.get("content-type"), Some(&"application/json"));
}

#[tokio::test]
async fn a_body_in_base64_is_the_bytes_that_were_signed() {
    let function = Function::new([holding(&json!({ "current": SECRET }))]).await;
    let mut encoded = request("ping", &ping_body(), SECRET);
    encoded["body"] = aws_smithy_types::base64::encode(ping_body()).into();
    encoded["isBase64Encoded"] = true.into();
    assert_eq!(function.takes(read(encoded.clone())).await, 200);
    encoded["body"] = "not base64!".into();
    assert_eq!(function.takes(read(encoded)).await, 400);
}

#[tokio::test]
async fn a_delivered_approval_resumes_the_execution_and_a_redelivery_changes_nothing() {
    let function = Function::new([holding(&json!({ "current": SECRET }))]).await;
    function.world.open(&function.installation.app, "token").await.expect("a request");
    function.world.review("pia", ReviewEvent::Approve);
    let again = || read(request("pull_request_review", &a_review().to_string(), SECRET));
    let response = deliver(Ok(Arc::clone(&function.installation)), again()).await;
    assert_eq!((response.status_code, &body(&response)["requests"]), (200, &1.into()), "{}", response.body);
    assert_eq!(function.world.broker.taken(), [End::Approved]);
    let response = deliver(Ok(Arc::clone(&function.installation)), again()).await;
    assert_eq!(body(&response)["result"], "worked before");
}

#[tokio::test]
async fn the_installation_that_a_delivery_names_is_not_looked_up() {
    let (world, lines) = (GateWorld::new("production"), Lines::default());
    let hosted = Hosted::new(&world.host, &world.clock).await;
    for (named, lookups) in [(json!({ "id": 1 }), 0), (json!({ "id": "one" }), 1), (Value::Null, 1)] {
        let app = holding(&json!({ "app_id": "1", "private_key": APP_KEY }));
        let cloud = Cloud::new([holding(&json!({ "current": SECRET })), app]).await;
        let addresses = (cloud.url.as_str(), hosted.address());
        let function = Arc::new(installation_beside(&world, world.gate(&Fuse::never()), &lines, addresses));
        let mut payload = a_review();
        payload["installation"] = named.clone();
        let request = read(request("pull_request_review", &payload.to_string(), SECRET));
        assert_eq!(deliver(Ok(Arc::clone(&function)), request).await.status_code, 200);
        hosted.take_seen();
        function.github.read(&pull_request("acme/checkout#1"), &Needs::default()).await.expect("facts");
        assert_eq!(hosted.count("/installation"), lookups + 1, "{named}: {:#?}", hosted.seen());
        assert_eq!(hosted.count("/repos/acme/checkout/installation"), lookups, "{named}: {:#?}", hosted.seen());
    }
}

#[tokio::test]
async fn a_delivery_with_a_wrong_signature_is_refused_and_counted_and_one_without_reads_no_secret() {
    let function = Function::new([holding(&json!({ "current": SECRET }))]).await;
    let mut unsigned = request("ping", &ping_body(), SECRET);
    unsigned["headers"].as_object_mut().expect("headers").remove("x-hub-signature-256");
    assert_eq!(function.takes(read(unsigned)).await, 401);
    assert_eq!(function.cloud.calls().len(), 0);
    assert_eq!(function.takes(ping(OTHER)).await, 401);
    assert_eq!(function.lines.of("DeliveriesRejected"), [1, 1]);
}

#[tokio::test]
async fn a_new_secret_is_read_at_the_first_delivery_that_is_signed_with_it() {
    let (before, after) = (json!({ "current": SECRET }), json!({ "current": OTHER, "previous": SECRET }));
    let function = Function::new([holding(&before), holding(&after)]).await;
    assert_eq!(function.takes(ping(SECRET)).await, 200);
    function.world.minutes_pass(2);
    assert_eq!(function.takes(ping(OTHER)).await, 200);
    assert_eq!(function.takes(ping(SECRET)).await, 200, "the previous secret is valid until GitHub has the new one");
    assert_eq!(function.cloud.calls().len(), 2);
}

#[tokio::test]
async fn a_removed_secret_is_accepted_for_a_quarter_of_an_hour_at_most() {
    let (before, after) = (json!({ "current": OTHER, "previous": SECRET }), json!({ "current": OTHER }));
    let function = Function::new([holding(&before), holding(&after)]).await;
    assert_eq!(function.takes(ping(SECRET)).await, 200);
    function.world.minutes_pass(14);
    assert_eq!(function.takes(ping(SECRET)).await, 200);
    function.world.minutes_pass(2);
    assert_eq!(function.takes(ping(SECRET)).await, 401);
    assert_eq!(function.takes(ping(OTHER)).await, 200);
}

#[tokio::test]
async fn wrong_signatures_make_the_secret_be_read_once_a_minute_at_most() {
    let function = Function::new([holding(&json!({ "current": SECRET }))]).await;
    for _ in 0..5 {
        assert_eq!(function.takes(ping(OTHER)).await, 401);
    }
    assert_eq!(function.cloud.calls().len(), 1);
    function.world.minutes_pass(2);
    assert_eq!(function.takes(ping(OTHER)).await, 401);
    assert_eq!(function.cloud.calls().len(), 2);
}

#[tokio::test]
async fn without_a_usable_secret_nothing_is_accepted_and_github_should_deliver_again() {
    for secrets in [json!({}), json!({ "current": "short" }), json!({ "current": SECRET, "previous": "short" })] {
        let function = Function::new([holding(&secrets)]).await;
        assert_eq!(function.takes(ping(SECRET)).await, 503, "{secrets}");
    }
    let world = GateWorld::new("production");
    let unreachable = installation(&world, world.gate(&Fuse::never()), &Lines::default(), NOWHERE);
    assert_eq!(deliver(Ok(Arc::new(unreachable)), ping(SECRET)).await.status_code, 503);
}

#[tokio::test]
async fn a_broken_installation_answers_every_delivery_with_503_and_reveals_only_the_failures_name() {
    let broken = Failure::PolicyInvalid { detail: "of another digest".to_owned() };
    let response = deliver(Err(broken), ping(SECRET)).await;
    assert_eq!((response.status_code, &body(&response)["error"]["code"]), (503, &"Countersign.PolicyInvalid".into()));
    assert!(!response.body.contains("digest"));
}
