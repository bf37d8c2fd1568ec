//! Answers that are late, broken, refused or lost.

use std::sync::Arc;
use std::time::Duration;

use countersign::adapters::embedded::simulator::change::TeamEdit;
use countersign::app::{App, Recorded, Settled};
use countersign::ident::TeamSlug;
use countersign::request::End;
use jiff::SignedDuration;
use serde_json::json;

use super::Scene;
use crate::github_world::Fault;

fn answer(status: u16, message: &str) -> Fault {
    Fault::Answer(status, vec![("x-github-request-id", "C0DE:1".into())], json!({ "message": message }))
}

#[tokio::test]
async fn a_revoked_token_is_renewed_once_and_the_approval_found() {
    let scene = Scene::new().await.approved_by("pia").await;
    scene.host().revoke_tokens();
    assert_eq!(scene.settle().await.expect("it is settled"), Settled::Ended(End::Approved));
    assert_eq!(scene.hosted.count("/access_tokens"), 1);
}

#[tokio::test]
async fn a_token_is_renewed_only_once_if_github_keeps_refusing() {
    let scene = Scene::new().await.approved_by("pia").await;
    scene.hosted.fault("/graphql", 99, answer(401, "Bad credentials"));
    let said = scene.fails_and_waits().await;
    let words =
        "GitHub answered 401 to a request for the pull request `acme/checkout#1`: Bad credentials (request C0DE:1)";
    assert!(said.ends_with(words), "{said}");
    assert_eq!((scene.hosted.count("/access_tokens"), scene.hosted.count("/graphql")), (1, 2));
    scene.goes_on().await;
}

#[tokio::test]
async fn a_secondary_limit_is_respected_and_nothing_is_sent_before_its_end() {
    let scene = Scene::new().await.approved_by("pia").await;
    let limit = json!({ "message": "You have exceeded a secondary rate limit" });
    let asked = vec![("retry-after", "120".to_owned())];
    scene.hosted.fault("/graphql", 1, Fault::Answer(403, asked, limit));
    let said = scene.fails_and_waits().await;
    assert!(said.contains("secondary rate limit") && said.contains("until 20"), "{said}");
    scene.hosted.take_seen();
    let said = scene.fails_and_waits().await;
    assert!(said.contains("limit on calls is reached (You have exceeded a secondary rate limit), until 20"), "{said}");
    assert_eq!(scene.hosted.take_seen(), [""; 0]);
    scene.goes_on().await;
}

#[tokio::test]
async fn a_short_limit_is_waited_for() {
    let scene = Scene::new().await.approved_by("pia").await;
    let limit = json!({ "message": "You have exceeded a secondary rate limit" });
    scene.hosted.fault("/graphql", 1, Fault::Answer(429, vec![("retry-after", "1".to_owned())], limit));
    assert_eq!(scene.settle().await.expect("it is settled"), Settled::Ended(End::Approved));
}

#[tokio::test]
async fn an_unreadable_team_makes_nobody_eligible() {
    let scene = Scene::new().await.approved_by("pia").await;
    scene.hosted.fault("/graphql", 9, Fault::Rewritten(super::partial::hidden_team));
    let decision = scene.decides_to_wait().await;
    assert_eq!(decision.counts, []);
    let reasons: Vec<String> = decision.reasons.iter().map(|reason| reason.text.to_string()).collect();
    assert!(reasons.iter().any(|text| text.contains("acme/payments")), "{reasons:?}");
    scene.goes_on().await;
}

#[tokio::test]
async fn a_deleted_team_makes_nobody_eligible() {
    let scene = Scene::new().await.approved_by("pia").await;
    scene.change(|change| change.delete_team(&TeamSlug::new("acme/payments").expect("a team")));
    assert_eq!(scene.decides_to_wait().await.counts, []);
    assert_eq!(scene.hosted.count("/graphql"), 1, "a missing team is no reason to ask again");
    scene.change(super::payments);
    scene.goes_on().await;
}

#[tokio::test]
async fn a_removed_member_is_not_eligible_through_the_cache() {
    let scene = Scene::new().await.approved_by("pia").await;
    let edit = TeamEdit { readable: None, members: Some(vec![]) };
    scene.change(|change| change.edit_team(&TeamSlug::new("acme/payments").expect("a team"), &edit));
    assert_eq!(scene.decides_to_wait().await.counts, []);
}

#[tokio::test]
async fn an_unprocessable_call_is_reported_with_its_details() {
    let scene = Scene::new().await.approved_by("pia").await;
    let body = json!({ "message": "Validation Failed", "errors": [{ "field": "page", "code": "invalid" }] });
    scene.hosted.fault("/graphql", 9, Fault::Answer(422, vec![], body));
    let said = scene.fails_and_waits().await;
    assert!(said.contains("422") && said.contains("Validation Failed: page is invalid"), "{said}");
    assert_eq!(scene.hosted.count("/graphql"), 1);
    scene.goes_on().await;
}

#[tokio::test]
async fn a_failing_call_is_tried_three_times_and_a_redelivery_is_processed() {
    let scene = Scene::new().await.approved_by("pia").await;
    scene.hosted.fault("/graphql", 3, answer(500, "Server Error"));
    let failed = scene.deliver("d-1").await.unwrap_err();
    assert!(failed.to_string().contains("GitHub answered 500"), "{failed}");
    scene.still_waits().await;
    assert_eq!(scene.hosted.count("/graphql"), 3);
    assert_eq!(scene.deliver("d-1").await.expect("worked"), Recorded::Worked { requests: 1 });
    assert_eq!(scene.world.broker.taken(), [End::Approved]);
    assert_eq!(scene.deliver("d-1").await.expect("worked"), Recorded::Before);
}

#[tokio::test]
async fn a_write_with_a_lost_answer_is_repeated_only_if_that_is_safe() {
    let scene = Scene::new().await.approved_by("pia").await;
    scene.host().revoke_tokens();
    scene.hosted.fault("/access_tokens", 1, Fault::LostAnswer);
    assert_eq!(scene.settle().await.expect("a token more does no harm"), Settled::Ended(End::Approved));
    assert_eq!(scene.hosted.count("/access_tokens"), 2);
}

#[tokio::test]
async fn a_truncated_answer_is_an_error() {
    let scene = Scene::new().await.approved_by("pia").await;
    scene.hosted.fault("/graphql", 3, Fault::CutMidBody);
    let said = scene.fails_and_waits().await;
    assert!(said.ends_with("a request for the pull request `acme/checkout#1`: the answer was cut off"), "{said}");
    scene.hosted.fault("/graphql", 1, Fault::CutMidBody);
    assert_eq!(scene.settle().await.expect("it is settled"), Settled::Ended(End::Approved));
}

#[tokio::test]
async fn a_link_to_another_host_is_not_followed_and_a_partial_list_is_an_error() {
    let scene = Scene::new().await.approved_by("pia").await;
    let pushes = "/repos/acme/checkout/activity";
    scene.hosted.fault(pushes, 9, Fault::NextIs("https://evil.example/repositories/1/activity?page=2"));
    let said = scene.fails_and_waits().await;
    assert!(said.contains("a link leads to another host"), "{said}");
    scene.hosted.mend();
    scene.hosted.fault(pushes, 9, Fault::NextIs("/repositories/1/activity?page=2"));
    scene.hosted.fault("/repositories/1/", 9, answer(500, "Server Error"));
    scene.fails_and_waits().await;
    scene.goes_on().await;
}

#[tokio::test]
async fn an_answer_after_the_deadline_keeps_the_request_waiting() {
    let scene = Scene::new().await.approved_by("pia").await;
    let hurried = scene.hosted.client();
    // Its token is minted and its installation known beforehand.
    let gate = App { code_host: Arc::new(hurried.clone()), ..scene.gate.clone() };
    let scene = Scene { gate, ..scene };
    scene.hosted.fault("/graphql", 9, answer(400, "Bad Request"));
    scene.fails_and_waits().await;
    scene.hosted.mend();
    scene.hosted.fault("/graphql", 9, Fault::Silence);
    let gate = App { code_host: Arc::new(hurried.within(Duration::from_millis(100))), ..scene.gate.clone() };
    let scene = Scene { gate, ..scene };
    let said = scene.fails_and_waits().await;
    assert!(said.contains("it did not answer in time"), "{said}");
    let gate = App { code_host: Arc::new(hurried), ..scene.gate.clone() };
    Scene { gate, ..scene }.goes_on().await;
}

#[tokio::test]
async fn a_list_without_the_head_is_not_taken_for_complete() {
    let scene = Scene::new().await.approved_by("pia").await;
    scene.hosted.fault("/graphql", 9, Fault::Rewritten(super::partial::other_commit));
    let decision = scene.decides_to_wait().await;
    assert!(super::review_text(&decision).contains("not all commits of the pull request are known"), "{decision:?}");
    scene.world.clock.advance(SignedDuration::from_secs(1));
    scene.goes_on().await;
}
