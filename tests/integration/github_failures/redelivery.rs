//! Deliveries that failed while the gate was away.

use std::sync::Arc;

use countersign::app::{self, App, Redelivery};
use jiff::SignedDuration;

use super::Scene;
use crate::github_world::Fault;

/// A scene whose deliveries go to a receiver that is away until it listens; the ping and one review have failed.
struct Away {
    scene: Scene,
    gate: App,
    port: u16,
    sending: tokio::task::JoinHandle<()>,
}

impl Away {
    async fn new() -> Self {
        let scene = Scene::new().await;
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        scene.change(|change| change.set_hook(&format!("http://127.0.0.1:{port}/"), "a secret of some length"));
        scene.review("pia");
        let sending = scene.host().start_deliveries();
        scene.host().drained().await;
        let redelivery = Some(Arc::new(Redelivery::new(Arc::new(scene.hosted.client()))));
        let gate = App { redelivery, ..scene.gate.clone() };
        Self { scene, gate, port, sending }
    }

    async fn swept(&self) -> usize {
        let swept = app::sweep(&self.gate).await.expect("a sweep");
        self.scene.host().drained().await;
        swept.redelivered
    }

    fn minutes_pass(&self, minutes: i64) {
        self.scene.world.clock.advance(SignedDuration::from_mins(minutes));
    }
}

impl Drop for Away {
    fn drop(&mut self) {
        self.sending.abort();
    }
}

#[tokio::test]
async fn a_failed_delivery_is_requested_again_until_it_succeeds_and_at_most_every_ten_minutes() {
    let away = Away::new().await;
    assert_eq!(away.swept().await, 2, "the ping and the review");
    assert_eq!(away.scene.hosted.count("POST /app/hook/deliveries/"), 2);
    away.minutes_pass(9);
    assert_eq!((away.swept().await, away.scene.hosted.count("GET /app/hook/deliveries")), (0, 1));

    let listener = tokio::net::TcpListener::bind(("127.0.0.1", away.port)).await.expect("the same port");
    let receiver = axum::Router::new().fallback(async || "thanks");
    let serving = tokio::spawn(async move { axum::serve(listener, receiver).await.expect("it serves") });
    away.minutes_pass(1);
    assert_eq!(away.swept().await, 2);
    away.minutes_pass(30);
    assert_eq!(away.swept().await, 0, "they were taken");
    serving.abort();
}

#[tokio::test]
async fn deliveries_that_github_no_longer_lists_are_not_requested() {
    let away = Away::new().await;
    away.minutes_pass(3 * 24 * 60 + 1);
    assert_eq!(away.swept().await, 0);
}

#[tokio::test]
async fn a_lost_answer_causes_no_second_attempt_and_blocks_nothing() {
    let away = Away::new().await;
    away.scene.hosted.fault("POST /app/hook/deliveries/", 9, Fault::LostAnswer);
    away.minutes_pass(11);
    let swept = app::sweep(&away.gate).await.expect("a sweep");
    assert_eq!((swept.redelivered, swept.ended), (0, 1), "the approval is found all the same");
    assert_eq!(away.scene.hosted.count("POST /app/hook/deliveries/"), 1);
}

#[tokio::test]
async fn the_list_of_deliveries_is_read_over_its_pages_as_far_back_as_needed() {
    let away = Away::new().await;
    for _ in 0..120 {
        away.scene.review("pat");
    }
    away.scene.host().drained().await;
    assert_eq!(away.swept().await, 50, "so many at a time");
    assert_eq!(away.scene.hosted.count("GET /app/hook/deliveries"), 2);
}

#[tokio::test]
async fn a_delivery_that_github_refuses_is_requested_once_and_blocks_no_other() {
    let away = Away::new().await;
    let gone = Fault::Answer(422, vec![], serde_json::json!({ "message": "Delivery cannot be redelivered" }));
    for _ in 0..60 {
        away.scene.review("pat");
    }
    away.scene.host().drained().await;
    away.scene.hosted.fault("POST /app/hook/deliveries/", 50, gone);
    assert_eq!(away.swept().await, 0, "fifty are refused, and at most fifty are requested at a time");
    let refused: Vec<String> = posts(&away);
    assert_eq!(refused.len(), 50);
    // Another process looks at once, and knows of them.
    let redelivery = Some(Arc::new(Redelivery::new(Arc::new(away.scene.hosted.client()))));
    let gate = App { redelivery, ..away.gate.clone() };
    let swept = app::sweep(&gate).await.expect("a sweep");
    away.scene.host().drained().await;
    assert_eq!(swept.redelivered, 12, "the ping, a review of pia's and sixty of pat's, less those fifty");
    assert!(posts(&away).iter().all(|asked| !refused.contains(asked)));
}

/// The redeliveries requested since the last call.
fn posts(away: &Away) -> Vec<String> {
    away.scene.hosted.take_seen().into_iter().filter(|line| line.starts_with("POST /app/hook/")).collect()
}
