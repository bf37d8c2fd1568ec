//! Deliveries at the receiver.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use std::sync::Mutex;
use tokio::net::TcpListener;

use super::*;
use crate::adapters::embedded::simulator::change::PullRequestEdit;
use crate::adapters::embedded::simulator::delivery::signature;
use crate::adapters::embedded::simulator::world::HookSecret;

const SECRET: &str = "It's a Secret to Everybody";

/// The raw deliveries, and the status to answer.
struct Inbox {
    received: Mutex<Vec<(HeaderMap, Bytes)>>,
    answer: Mutex<StatusCode>,
}

async fn take(State(inbox): State<Arc<Inbox>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    inbox.received.lock().unwrap().push((headers, body));
    *inbox.answer.lock().unwrap()
}

impl Inbox {
    async fn listen() -> (Arc<Self>, String) {
        let inbox = Arc::new(Self { received: Mutex::default(), answer: Mutex::new(StatusCode::ACCEPTED) });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().route("/hook", post(take)).with_state(inbox.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (inbox, url)
    }

    /// Event, action and payload of each delivery. Verifies the signatures.
    fn events(&self) -> Vec<(String, String, Value)> {
        let secret = HookSecret::new(SECRET).unwrap();
        let received = self.received.lock().unwrap();
        let read = |(headers, body): &(HeaderMap, Bytes)| {
            assert_eq!(headers["x-hub-signature-256"], signature(&secret, body).as_str());
            let payload: Value = serde_json::from_slice(body).unwrap();
            let action = payload["action"].as_str().unwrap_or_default().to_owned();
            (headers["x-github-event"].to_str().unwrap().to_owned(), action, payload)
        };
        received.iter().map(read).collect()
    }

    fn guids(&self) -> Vec<String> {
        let received = self.received.lock().unwrap();
        received.iter().map(|(headers, _)| headers["x-github-delivery"].to_str().unwrap().to_owned()).collect()
    }
}

impl Scene {
    fn hook(&self, url: &str) {
        self.host.change(|change| change.set_hook(url, SECRET)).unwrap();
    }
}

#[tokio::test]
async fn deliveries_are_signed_over_the_raw_bytes_and_carry_githubs_headers() {
    let (inbox, url) = Inbox::listen().await;
    let scene = Scene::new();
    scene.hook(&url);
    let id = scene.approve("pia");
    let task = scene.host.start_deliveries();
    scene.host.drained().await;
    task.abort();
    let events = inbox.events();
    assert_eq!((events[0].0.as_str(), events[1].0.as_str()), ("ping", "pull_request_review"));
    let review = &events[1].2["review"];
    assert_eq!((&review["id"], &review["state"]), (&json!(id), &json!("approved")));
    let received = inbox.received.lock().unwrap();
    let headers = &received[1].0;
    assert_eq!(headers["content-type"], "application/json");
    assert!(headers["user-agent"].to_str().unwrap().starts_with("GitHub-Hookshot/"));
    assert_eq!(headers["x-github-delivery"].len(), 36);
    assert_eq!(headers["x-github-hook-installation-target-type"], "integration");
    assert!(headers.contains_key("x-github-hook-id"));
}

#[tokio::test]
async fn every_change_is_delivered_in_order_with_its_author() {
    let (inbox, url) = Inbox::listen().await;
    let scene = Scene::new();
    scene.hook(&url);
    let id = scene.review("pia", ReviewEvent::RequestChanges).unwrap();
    let (dave, pia) = (login("dave"), login("pia"));
    scene
        .host
        .change(|change| {
            change.edit_review(&pia, &first(), id, "and more")?;
            change.dismiss(&dave, &first(), id, "enough")?;
            change.push_to_pull(&first(), &push_of("dave", vec![commit('b')]))?;
            change.label(&dave, &first(), &["hotfix".into()])?;
            change.unlabel(&dave, &first(), "hotfix")?;
            change.push(&repository(), "release", &push_of("pia", vec![commit('e')]))?;
            for (base, state) in [(Some("release"), None), (None, Some("closed")), (None, Some("open"))] {
                let (base, state) = (base.map(str::to_owned), state.map(str::to_owned));
                change.edit(&pia, &first(), &PullRequestEdit { title: None, base, state })?;
            }
            Ok(())
        })
        .unwrap();
    let task = scene.host.start_deliveries();
    scene.host.drained().await;
    task.abort();
    let events = inbox.events();
    let delivered: Vec<(&str, &str)> = events
        .iter()
        .skip(1)
        .map(|(_, action, payload)| (action.as_str(), payload["sender"]["login"].as_str().unwrap()))
        .collect();
    let expected = [
        ("submitted", "pia"),
        ("edited", "pia"),
        ("dismissed", "dave"),
        ("synchronize", "dave"),
        ("labeled", "dave"),
        ("unlabeled", "dave"),
        ("edited", "pia"),
        ("closed", "pia"),
        ("reopened", "pia"),
    ];
    assert_eq!(delivered, expected);
    assert_eq!(events[2].2["changes"]["body"]["from"], json!("so"));
    assert_eq!(events[3].2["review"]["user"]["login"], json!("pia"));
    assert_eq!((&events[4].2["before"], &events[4].2["after"]), (&json!(sha('a')), &json!(sha('b'))));
    assert_eq!(events[7].2["changes"]["base"]["ref"]["from"], json!("main"));
}

#[tokio::test]
async fn a_failed_delivery_is_repeated_only_on_request_and_keeps_its_guid() {
    let (inbox, url) = Inbox::listen().await;
    *inbox.answer.lock().unwrap() = StatusCode::INTERNAL_SERVER_ERROR;
    let scene = Scene::new();
    scene.hook(&url);
    let task = scene.host.start_deliveries();
    scene.host.drained().await;
    assert_eq!(inbox.guids().len(), 1);
    let failed = scene.host.world().deliveries.values().next().unwrap().clone();
    let outcome = failed.outcome.as_ref().unwrap();
    assert_eq!((outcome.status.as_str(), outcome.status_code), ("Invalid HTTP Response: 500", 500));
    *inbox.answer.lock().unwrap() = StatusCode::OK;
    scene.host.change(|change| change.redeliver(failed.id)).unwrap();
    scene.host.drained().await;
    task.abort();
    let guids = inbox.guids();
    assert_eq!(guids.len(), 2);
    assert_eq!(guids[0], guids[1]);
    let world = scene.host.world();
    let last = world.deliveries.values().last().unwrap();
    assert!(last.redelivery && last.outcome.as_ref().unwrap().is_success());
}

#[tokio::test]
async fn a_receiver_that_cannot_be_reached_is_an_outcome() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let scene = Scene::new();
    scene.hook(&url);
    let task = scene.host.start_deliveries();
    scene.host.drained().await;
    task.abort();
    let world = scene.host.world();
    let outcome = world.deliveries.values().next().unwrap().outcome.clone().unwrap();
    assert_eq!((outcome.status.as_str(), outcome.status_code), ("failed to connect to host", 502));
}

#[tokio::test]
async fn unsent_deliveries_are_sent_after_a_restart() {
    let (inbox, url) = Inbox::listen().await;
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(MovableClock::fixed("2026-11-18T10:00:00Z".parse().unwrap()));
    let host = GithubSimulator::open(folder.path(), clock.clone()).unwrap();
    host.change(populate).unwrap();
    host.change(|change| {
        change.set_hook(&url, SECRET)?;
        change.review(&login("pia"), &first(), &review_of(ReviewEvent::Approve))
    })
    .unwrap();
    drop(host);
    let host = GithubSimulator::open(folder.path(), clock).unwrap();
    let task = host.start_deliveries();
    host.drained().await;
    task.abort();
    assert_eq!(inbox.events().len(), 2);
}

#[tokio::test]
async fn deliveries_are_forgotten_after_three_days() {
    let (_inbox, url) = Inbox::listen().await;
    let scene = Scene::new();
    scene.hook(&url);
    let task = scene.host.start_deliveries();
    scene.host.drained().await;
    let ping = *scene.host.world().deliveries.keys().next().unwrap();
    scene.clock.advance(SignedDuration::from_hours(73));
    assert!(scene.host.change(|change| change.redeliver(ping)).is_err());
    scene.approve("pia");
    scene.host.drained().await;
    task.abort();
    assert_eq!(scene.host.world().deliveries.len(), 1);
}

#[test]
fn without_a_hook_nothing_is_queued() {
    let scene = Scene::new();
    scene.approve("pia");
    assert!(scene.host.world().deliveries.is_empty());
}
