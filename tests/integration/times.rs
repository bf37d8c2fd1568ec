//! Freezes, windows and the wait timer at the local gate: what waits, for how long, and what it finds then.
//!
//! The clock starts at 2026-11-18 09:00 UTC.

use serde_json::json;

use crate::local_gate::{Acme, commit, open_pull_request};

/// The rule of checkout in production, with calendars of that day.
fn policy(rule: &str) -> String {
    format!(
        r#"
version: 1
groups:
  payments: {{ teams: [acme/payments] }}
channels:
  oncall: {{ email: [oncall@acme.example] }}
calendars:
  morning: {{ timezone: UTC, dates: [{{ from: "2026-11-18 08:00", to: "2026-11-18 12:00" }}] }}
  noon: {{ timezone: UTC, dates: [{{ from: "2026-11-18 11:00", to: "2026-11-18 13:00" }}] }}
  yesterday: {{ timezone: UTC, dates: [{{ from: "2026-11-17 00:00", to: "2026-11-18 00:00" }}] }}
services:
  checkout:
    repository: acme/checkout
    environments:
      production: {{ require: 1 of payments, timeout: 4h, notify: [oncall], {rule} }}
"#
    )
}

async fn kinds(acme: &Acme, name: &str) -> Vec<String> {
    let trail = acme.trail_of(name).await;
    let kinds = trail.iter().map(|record| record["kind"].as_str().expect("a kind").to_owned());
    kinds.filter(|kind| kind != "notified" && kind != "read").collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn during_a_wait_for_a_freeze_nobody_is_notified_and_when_it_ends_everything_is_evaluated_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::under(folder.path(), &policy("freeze: [{ calendar: morning, effect: wait }]")).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    let execution = acme.start("a", "production", pull).await;
    assert_eq!((&execution["status"], &execution["waits"]), (&json!("RUNNING"), &json!(false)));
    acme.pass("2h59m").await;
    assert_eq!(acme.gate.get("/requests?all=true").await.expect("requests")["requests"], json!([]));
    assert!(acme.notified().await.is_empty());
    acme.pass("1m").await;
    let request = acme.request_of("a").await;
    // The time to approve starts when approval is requested.
    assert_eq!((&request["state"], &request["deadline"]), (&json!("pending"), &json!("2026-11-18T16:00:01Z")));
    assert_eq!(acme.notified().await, ["oncall: requested"]);
    acme.review("pia", pull, "APPROVE").await;
    assert_eq!(acme.execution("a").await["status"], "SUCCEEDED");
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_approved_in_a_freeze_is_released_when_the_freeze_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::under(folder.path(), &policy("freeze: [{ calendar: noon, effect: wait }]")).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.start("a", "production", pull).await;
    acme.pass("2h30m").await;
    acme.review("pia", pull, "APPROVE").await;
    assert_eq!(acme.request_of("a").await["state"], "approved");
    acme.pass("1h").await;
    assert_eq!(acme.execution("a").await["status"], "RUNNING");
    acme.pass("30m").await;
    assert_eq!(acme.execution("a").await["status"], "SUCCEEDED");
    // Only the last is a release.
    assert_eq!(kinds(&acme, "a").await, ["opened", "claimed", "closed", "held", "released"]);
    assert_eq!(acme.notified().await, ["oncall: requested", "oncall: approved"]);
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_revision_of_the_first_evaluation_stays_pinned_over_a_wait() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::under(folder.path(), &policy("freeze: [{ calendar: morning, effect: wait }]")).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.start("a", "production", pull).await;
    acme.push("feature", &commit(3)).await;
    acme.pass("3h").await;
    let execution = acme.execution("a").await;
    assert_eq!(execution["error"], "Countersign.Denied");
    assert_eq!(execution["cause"]["revision"], commit(2));
    assert_eq!(execution["cause"]["reasons"][0]["code"], "wrong-revision");
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_freeze_denies_at_the_first_evaluation_and_denies_a_request_that_is_met_in_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::under(folder.path(), &policy("freeze: [noon]")).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.start("a", "production", pull).await;
    acme.pass("2h30m").await;
    // Approvals may be gathered in it.
    assert_eq!(acme.execution("a").await["status"], "RUNNING");
    acme.start("b", "production", pull).await;
    acme.review("pia", pull, "APPROVE").await;
    for name in ["a", "b"] {
        let execution = acme.execution(name).await;
        assert_eq!(execution["error"], "Countersign.Denied", "{execution}");
        assert_eq!(execution["cause"]["reasons"][0]["code"], "frozen");
        assert_eq!(acme.request_of(name).await["state"], "denied");
    }
    assert_eq!(acme.notified().await, ["oncall: requested", "oncall: denied", "oncall: denied"]);
    assert_eq!(kinds(&acme, "a").await, ["opened", "claimed", "closed"]);
    assert_eq!(kinds(&acme, "b").await, ["withheld"]);
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_is_over_denies_and_a_window_that_will_open_makes_it_wait() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::under(folder.path(), &policy("window: [yesterday]")).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    let execution = acme.start("a", "production", pull).await;
    assert_eq!(execution["cause"]["reasons"][0]["code"], "window-over");
    assert_eq!(
        (acme.request_of("a").await["state"].clone(), acme.notified().await),
        (json!("denied"), vec!["oncall: denied".to_owned()])
    );
    acme.close().await;

    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::under(folder.path(), &policy("window: [noon]")).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.review("pia", pull, "APPROVE").await;
    acme.start("a", "production", pull).await;
    acme.pass("1h50m").await;
    assert_eq!(acme.execution("a").await["status"], "RUNNING");
    acme.pass("10m").await;
    assert_eq!(acme.execution("a").await["status"], "SUCCEEDED");
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wait_timer_starts_at_the_approval_even_if_it_was_there_already() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::under(folder.path(), &policy("wait: 30m")).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.start("requested", "production", pull).await;
    acme.pass("1h").await;
    acme.review("pia", pull, "APPROVE").await;
    acme.start("approved-before", "production", pull).await;
    acme.pass("29m").await;
    for name in ["requested", "approved-before"] {
        assert_eq!(acme.execution(name).await["status"], "RUNNING", "{name}");
        assert_eq!(acme.request_of(name).await["state"], "approved", "{name}");
    }
    acme.pass("1m").await;
    for name in ["requested", "approved-before"] {
        assert_eq!(acme.execution(name).await["status"], "SUCCEEDED", "{name}");
    }
    assert_eq!(kinds(&acme, "approved-before").await, ["passed", "held", "released"]);
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_changes_while_the_timer_runs_stops_the_release() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::under(folder.path(), &policy("wait: 30m")).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.start("a", "production", pull).await;
    acme.review("pia", pull, "APPROVE").await;
    acme.review("pat", pull, "REQUEST_CHANGES").await;
    acme.pass("30m").await;
    let execution = acme.execution("a").await;
    assert_eq!(execution["error"], "Countersign.Rejected");
    assert_eq!(execution["cause"]["reasons"][0]["code"], "changes-requested");
    assert_eq!(kinds(&acme, "a").await, ["opened", "claimed", "closed", "held", "withheld"]);
    assert_eq!(acme.notified().await, ["oncall: requested", "oncall: approved", "oncall: rejected"]);
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_that_ends_after_the_deadline_is_still_waited_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let acme = Acme::under(folder.path(), &policy("wait: 2h")).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    acme.start("a", "production", pull).await;
    acme.pass("3h").await;
    acme.review("pia", pull, "APPROVE").await;
    acme.pass("2h").await;
    assert_eq!(acme.execution("a").await["status"], "SUCCEEDED");
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_of_which_no_part_applies_denies_and_so_does_one_below_its_floor() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = policy("require: { count: 1, of: [payments], when: { paths: [infra/] } }")
        .replace("require: 1 of payments, ", "")
        + "      \"prod-*\": { require: 1 of payments, notify: [oncall] }\nfloor:\n  \"*-eu\": { approvals: 2 }\n";
    let acme = Acme::under(folder.path(), &text).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    for (name, environment, code) in [("a", "production", "nothing-required"), ("b", "prod-eu", "below-floor")] {
        let execution = acme.start(name, environment, pull).await;
        assert_eq!(execution["error"], "Countersign.Denied");
        assert_eq!(execution["cause"]["reasons"][0]["code"], code);
        assert_eq!(acme.request_of(name).await["state"], "denied");
    }
    assert_eq!(acme.notified().await, ["oncall: denied", "oncall: denied"]);
    acme.close().await;
}

/// A condition on the input decides, and only the parts of the input that it reads are stored.
#[tokio::test(flavor = "multi_thread")]
async fn only_the_parts_of_the_input_that_conditions_read_are_recorded_and_they_find_them_at_every_step() {
    let folder = tempfile::tempdir().expect("a folder");
    let except = r#"{ input: { "/deploy/stages/1/region": "eu-*", "/ticket": "INC-*" }, version: "v2.*" }"#;
    let rule = format!("freeze: [{{ calendar: morning, except: {except} }}]");
    let acme = Acme::under(folder.path(), &policy(&rule)).await;
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    let input = |region: &str| {
        json!({
            "service": "checkout", "environment": "production", "pullRequest": format!("acme/checkout#{pull}"),
            "version": "v2.3.1", "ticket": "INC-7", "password": "hunter2",
            "deploy": { "key": "hunter2", "stages": ["hunter2", { "region": region, "key": "hunter2" }] }
        })
    };
    assert_eq!(acme.start_with("a", input("us-1")).await["cause"]["reasons"][0]["code"], "frozen");
    assert_eq!(acme.start_with("b", input("eu-1")).await["status"], "RUNNING");
    acme.review("pia", pull, "APPROVE").await;
    assert_eq!(acme.execution("b").await["status"], "SUCCEEDED");
    // Evaluated with the requirement met, and verified.
    assert_eq!(acme.start_with("c", input("eu-2")).await["status"], "SUCCEEDED");
    for (name, region) in [("a", "us-1"), ("b", "eu-1"), ("c", "eu-2")] {
        let trail = acme.trail_of(name).await;
        let recorded: Vec<_> = trail.iter().filter(|record| !record["facts"].is_null()).collect();
        assert!(!recorded.is_empty());
        for record in recorded {
            let expected = json!({ "deploy": { "stages": [null, { "region": region }] }, "ticket": "INC-7" });
            assert_eq!(record["facts"]["input"], expected, "{name}");
        }
        assert!(!json!(trail).to_string().contains("hunter2"), "{name}");
    }
    let stored = acme.local.app.store.requests(countersign::ports::Which::All).await.expect("requests");
    assert!(!json!(stored).to_string().contains("hunter2"));
    acme.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exception_to_a_freeze_reads_the_pull_request_and_does_not_apply_if_none_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let except = r#"{ paths: ["*.rs"], labels: [hotfix], authors: ["@acme/sre"], lines: "<100" }"#;
    let freeze = format!("freeze: [{{ calendar: morning, except: {except} }}]");
    let text = policy(&freeze) + &format!("      staging: {{ require: none, {freeze} }}\n");
    let acme = Acme::under(folder.path(), &text).await;
    let team = json!({ "team": "acme/sre", "members": [{ "login": "dave" }] });
    acme.github.post("/_standin/teams", &team).await.expect("a team");
    let pull = open_pull_request(&acme.github, "feature", &commit(2)).await;
    assert_eq!(acme.start("before", "production", pull).await["cause"]["reasons"][0]["code"], "frozen");
    let labels = format!("/repos/acme/checkout/issues/{pull}/labels");
    let hotfix = json!({ "labels": ["hotfix"] });
    acme.github.send(hyper::Method::POST, &labels, Some("standin_dave"), Some(&hotfix)).await.expect("a label");
    acme.settle().await;
    assert_eq!(acme.start("after", "production", pull).await["status"], "RUNNING");
    assert_eq!(acme.start("none", "staging", pull).await["cause"]["reasons"][0]["code"], "frozen");
    acme.close().await;
}
