//! Reminders and escalations at the local gate: sent once, to their channels, and never for a request that is over.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use countersign::app::{self, App, sweep};
use countersign::ident::ChannelName;
use countersign::ports::{Message, Notifier, NotifyError};
use serde_json::json;

use crate::gate_world::GateWorld;
use crate::gate_world::fuse::Fuse;
use crate::local_gate::{Acme, commit, open_pull_request};

const POLICY: &str = r#"
version: 1
groups:
  payments: { teams: [acme/payments] }
  sre: { users: [zoe] }
channels:
  payments: { email: [payments@acme.example] }
  oncall: { email: [oncall@acme.example] }
services:
  checkout:
    repository: acme/checkout
    notify: [payments]
    environments:
      production:
        require: 2 of payments
        timeout: 4h
        remind: [1h, 90m]
        escalate: [{ after: 2h, notify: [oncall], stand_in: { payments: [sre] } }]
"#;

async fn waiting(folder: &std::path::Path) -> (Acme, u64) {
    let acme = Acme::under(folder, POLICY).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    assert_eq!(acme.start("a", "production", pull).await["status"], "RUNNING");
    (acme, pull)
}

#[tokio::test(flavor = "multi_thread")]
async fn those_still_needed_are_reminded_once_each_time_with_who_can_approve_and_until_when() {
    let folder = tempfile::tempdir().expect("a folder");
    let (acme, pull) = waiting(folder.path()).await;
    acme.review("pia", pull, "APPROVE").await;
    acme.pass("59m").await;
    for _ in 0..3 {
        acme.pass("1s").await;
    }
    acme.pass("10m").await;
    assert_eq!(acme.notified().await, ["payments: requested", "payments: reminded"]);
    let text = acme.last_text("reminded").await;
    assert!(text.contains("Still needed for 2 of payments: 1 more; pat can approve."), "{text}");
    assert!(
        text.contains("Without approval by 2026-11-18 13:00 UTC the deployment fails and must be started again."),
        "{text}"
    );
    acme.pass("21m").await;
    assert_eq!(acme.notified().await, ["payments: requested", "payments: reminded", "payments: reminded"]);
    let notified = acme.gate.get("/notifications").await.expect("notifications");
    let numbers: Vec<_> =
        notified["notifications"].as_array().expect("a list").iter().map(|one| one["number"].clone()).collect();
    assert_eq!(numbers, [json!(null), json!(1), json!(2)]);
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn missed_reminders_are_sent_as_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let (acme, _) = waiting(folder.path()).await;
    acme.pass("3h").await;
    acme.pass("30m").await;
    assert_eq!(
        acme.notified().await,
        ["payments: requested", "payments: reminded", "oncall: escalated", "payments: escalated"]
    );
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_reminded_of_a_request_that_is_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let (acme, pull) = waiting(folder.path()).await;
    acme.review("pat", pull, "REQUEST_CHANGES").await;
    acme.pass("3h").await;
    acme.start("b", "production", open_pull_request(&acme.github, "other", &commit(3)).await).await;
    // All reminders of the second and its deadline have passed at once.
    acme.pass("5h").await;
    let notified = acme.notified().await;
    assert_eq!(notified, ["payments: requested", "payments: rejected", "payments: requested", "payments: expired"]);
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reminders_wait_while_github_does_not_answer_and_then_one_is_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let (acme, _) = waiting(folder.path()).await;
    let host = |unavailable: bool| json!({ "unavailable": unavailable });
    acme.github.send(hyper::Method::PATCH, "/_standin/host", None, Some(&host(true))).await.expect("down");
    acme.pass("100m").await;
    assert_eq!(acme.notified().await, ["payments: requested"]);
    acme.github.send(hyper::Method::PATCH, "/_standin/host", None, Some(&host(false))).await.expect("up");
    acme.pass("1s").await;
    assert_eq!(acme.notified().await, ["payments: requested", "payments: reminded"]);
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_escalation_notifies_its_own_channels_and_its_stand_ins_may_approve_from_then_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let (acme, pull) = waiting(folder.path()).await;
    acme.review("pia", pull, "APPROVE").await;
    acme.pass("2h").await;
    let escalated: Vec<String> = acme.notified().await.into_iter().filter(|one| one.ends_with("escalated")).collect();
    assert_eq!(escalated, ["oncall: escalated", "payments: escalated"]);
    let text = acme.last_text("escalated").await;
    assert!(text.contains("Still needed for 2 of payments: 1 more; zoe, pat can approve."), "{text}");
    assert!(text.contains("From now on sre may approve in place of payments."), "{text}");
    acme.review("zoe", pull, "APPROVE").await;
    let execution = acme.execution("a").await;
    assert_eq!(execution["status"], "SUCCEEDED", "{execution}");
    assert_eq!(execution["output"]["decision"]["counts"], json!(["pia", "zoe"]));
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_approval_counts_from_the_escalation_on_which_then_notifies_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let (acme, pull) = waiting(folder.path()).await;
    acme.review("pia", pull, "APPROVE").await;
    acme.review("zoe", pull, "APPROVE").await;
    acme.pass("1h59m").await;
    assert_eq!(acme.execution("a").await["status"], "RUNNING");
    // At the time of the escalation, and not only when the facts are read again anyway.
    acme.pass("1m").await;
    assert_eq!(acme.execution("a").await["status"], "SUCCEEDED");
    let notified = acme.notified().await;
    assert_eq!(notified, ["payments: requested", "payments: reminded", "payments: approved"]);
    acme.close().await;
}

/// A channel that cannot be reached a number of times.
struct Unreachable {
    times: AtomicUsize,
    received: Mutex<Vec<String>>,
}

impl Unreachable {
    fn received(&self) -> Vec<String> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Notifier for Unreachable {
    async fn notify(&self, channel: &ChannelName, message: &Message) -> Result<(), NotifyError> {
        let down = self.times.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |times| times.checked_sub(1));
        if down.is_ok() {
            return Err(NotifyError { channel: channel.clone(), detail: "nobody there".to_owned() });
        }
        let received = format!("{} {:?}: {}", message.event.as_str(), message.number, message.text);
        self.received.lock().unwrap_or_else(PoisonError::into_inner).push(received);
        Ok(())
    }
}

fn unreachable(times: usize) -> Arc<Unreachable> {
    Arc::new(Unreachable { times: AtomicUsize::new(times), received: Mutex::default() })
}

#[tokio::test]
async fn a_channel_that_cannot_be_reminded_is_tried_when_the_facts_are_read_again_and_not_before() {
    let world = GateWorld::new("guarded");
    let open = world.gate(&Fuse::never());
    world.open(&open, "token-1").await.expect("a request");
    let channel = unreachable(2);
    let gate = App { notifier: channel.clone(), ..open };
    for (minutes, due, received) in [(10, 1, 0), (1, 0, 0), (9, 1, 0), (1, 0, 0), (9, 1, 1)] {
        // Reminders are due at 10 and 25. The first fails at 10 and at 20; at 30 the second stands for both.
        world.minutes_pass(minutes);
        let swept = sweep(&gate).await.expect("a sweep");
        let received_now = channel.received().iter().filter(|one| one.starts_with("reminded")).count();
        assert_eq!((swept.due, received_now), (due, received), "{:?}", channel.received());
    }
    assert!(channel.received()[0].starts_with("reminded Some(2)"), "{:?}", channel.received());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_override_found_at_release_is_notified_until_its_channel_receives_it_with_its_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = POLICY.replace("require: 2 of payments", "require: 1 of payments\n        override: { by: 1 of sre }");
    let acme = Acme::under(folder.path(), &text.replace("timeout: 4h", "timeout: 4h\n        wait: 1h")).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.review("pia", pull, "APPROVE").await;
    acme.start("a", "production", pull).await;
    acme.approve("zoe", pull, "/override production no time to lose").await;
    let channel = unreachable(1);
    let gate = App { notifier: channel.clone(), ..acme.local.app.clone() };
    app::verify(&gate, &acme.run_of("a").await).await.expect("a release");
    assert!(channel.received().is_empty());
    // The gate tries again.
    acme.pass("10m").await;
    assert_eq!(acme.notified().await, ["payments: approved", "payments: overridden"]);
    assert!(acme.last_text("overridden").await.contains("overridden by zoe: no time to lose"));
    acme.close().await;
}
