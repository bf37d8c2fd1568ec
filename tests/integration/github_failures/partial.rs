//! Answers to the query that are not whole. Whatever is missing, nobody's approval counts for more, and no objection is lost.

use std::time::Duration;

use countersign::adapters::embedded::simulator::change::{NewReview, ReviewEvent};
use countersign::app::Settled;
use countersign::ports::{CodeHost as _, CodeHostError, Needs};
use countersign::request::End;
use serde_json::{Value, json};

use super::Scene;
use crate::gate_world::login;
use crate::github_world::Fault;

type Rewrite = fn(&mut Value);

fn pull(answer: &mut Value) -> &mut Value {
    &mut answer["data"]["repository"]["pullRequest"]
}

/// A problem beside the data.
fn problem(answer: &mut Value, kind: &str, path: &Value) {
    answer["errors"] = json!([{ "type": kind, "path": path, "message": "no" }]);
}

pub(super) fn hidden_team(answer: &mut Value) {
    answer["data"]["team0"]["team"] = Value::Null;
    problem(answer, "FORBIDDEN", &json!(["team0", "team"]));
}

/// Another commit stands in the place of the head.
pub(super) fn other_commit(answer: &mut Value) {
    pull(answer)["commits"]["nodes"][0]["commit"]["oid"] = "f".repeat(40).into();
}

fn remove(value: &mut Value, field: &str) {
    value.as_object_mut().and_then(|fields| fields.remove(field)).unwrap_or_else(|| panic!("{field} in {value}"));
}

/// Answers that are no answers.
const BROKEN: [(&str, Rewrite); 24] = [
    ("a hidden author of a review", |answer| {
        pull(answer)["reviews"]["nodes"][0]["author"] = Value::Null;
        let path = ["repository", "pullRequest", "reviews", "nodes", "0", "author"];
        problem(answer, "FORBIDDEN", &json!(path));
    }),
    ("a problem without a place", |answer| problem(answer, "INTERNAL", &Value::Null)),
    ("a problem of an unknown kind", |answer| answer["errors"] = json!([{ "message": "no" }])),
    ("a resource limit", |answer| problem(answer, "RESOURCE_LIMITS_EXCEEDED", &json!(["repository"]))),
    ("problems in another form", |answer| answer["errors"] = json!({ "message": "no" })),
    ("a missing review", |answer| pull(answer)["reviews"]["nodes"][0] = Value::Null),
    ("no reviews", |answer| pull(answer)["reviews"] = Value::Null),
    ("reviews that were not answered", |answer| remove(pull(answer), "reviews")),
    ("no list of reviews", |answer| pull(answer)["reviews"]["nodes"] = Value::Null),
    ("no end of the reviews", |answer| remove(&mut pull(answer)["reviews"], "pageInfo")),
    ("more reviews without a place", |answer| {
        pull(answer)["reviews"]["pageInfo"] = json!({ "hasNextPage": true, "endCursor": null });
    }),
    ("a review of an unknown state", |answer| pull(answer)["reviews"]["nodes"][0]["state"] = "OBJECTED".into()),
    ("a review that may be edited", |answer| remove(&mut pull(answer)["reviews"]["nodes"][0], "lastEditedAt")),
    ("a reviewer without a number", |answer| remove(&mut pull(answer)["reviews"]["nodes"][0]["author"], "databaseId")),
    ("an author without a number", |answer| remove(&mut pull(answer)["author"], "databaseId")),
    ("no labels", |answer| pull(answer)["labels"] = Value::Null),
    ("no commits", |answer| pull(answer)["commits"] = Value::Null),
    ("a missing commit", |answer| pull(answer)["commits"]["nodes"][0]["commit"] = Value::Null),
    ("no events", |answer| pull(answer)["timelineItems"] = Value::Null),
    ("no other pull requests", |answer| {
        pull(answer)["lastCommit"]["nodes"][0]["commit"]["associatedPullRequests"] = Value::Null;
    }),
    ("a state that is not known", |answer| pull(answer)["state"] = "QUEUED".into()),
    ("a missing member", |answer| answer["data"]["team0"]["team"]["members"]["nodes"][0] = Value::Null),
    ("fewer members than are counted", |answer| answer["data"]["team0"]["team"]["members"]["totalCount"] = 3.into()),
    ("a team with another problem", |answer| {
        answer["data"]["team0"]["team"] = Value::Null;
        problem(answer, "INTERNAL", &json!(["team0", "team"]));
    }),
];

#[tokio::test]
async fn an_answer_that_lacks_a_part_is_an_error() {
    let scene = Scene::new().await.approved_by("pia").await;
    for (what, rewrite) in BROKEN {
        scene.hosted.fault("/graphql", 1, Fault::Rewritten(rewrite));
        let settled = scene.settle().await;
        assert!(settled.is_err(), "{what}: {settled:?}");
        scene.still_waits().await;
        scene.hosted.mend();
    }
    scene.goes_on().await;
}

#[tokio::test]
async fn an_answer_without_data_is_an_error() {
    let scene = Scene::new().await.approved_by("pia").await;
    for (body, says) in [
        (
            json!({ "errors": [{ "type": "MAX_NODE_LIMIT_EXCEEDED", "message": "This query requests up to 600,000" }] }),
            "This query requests up to 600,000 (MAX_NODE_LIMIT_EXCEEDED)",
        ),
        (
            json!({ "data": null, "errors": [{ "message": "Something went wrong while executing your query." }] }),
            "Something went wrong while executing your query.",
        ),
        (json!({ "data": null }), "it holds no data"),
        (json!({}), "it holds no data"),
        (json!([]), "cannot read GitHub's answer"),
    ] {
        scene.hosted.fault("/graphql", 1, Fault::Answer(200, vec![], body));
        let said = scene.fails_and_waits().await;
        assert!(said.contains("the pull request `acme/checkout#1`") && said.contains(says), "{said}");
    }
    scene.goes_on().await;
}

#[tokio::test]
async fn a_query_that_takes_too_long_for_github_is_tried_three_times() {
    let scene = Scene::new().await.approved_by("pia").await;
    let timeout = json!({ "message": "We couldn't respond to your request in time." });
    scene.hosted.fault("/graphql", 2, Fault::Answer(502, vec![], timeout.clone()));
    assert_eq!(scene.settle().await.expect("it is settled"), Settled::Ended(End::Approved));
    assert_eq!(scene.hosted.count("/graphql"), 3);
    let scene = Scene::new().await.approved_by("pia").await;
    scene.hosted.fault("/graphql", 3, Fault::Answer(504, vec![], timeout));
    let said = scene.fails_and_waits().await;
    assert!(said.contains("504"), "{said}");
    scene.goes_on().await;
}

#[tokio::test]
async fn no_query_is_sent_after_the_last_point_was_spent() {
    let scene = Scene::new().await.approved_by("pia").await;
    scene.host().set_graphql_limit(0);
    let said = scene.fails_and_waits().await;
    assert!(said.contains("rate limit exceeded") && said.contains("until 20"), "{said}");
    scene.hosted.take_seen();
    scene.fails_and_waits().await;
    assert_eq!(scene.hosted.take_seen(), [""; 0]);
    // REST is counted apart.
    let found = scene.hosted.client().pull_requests_of(&scene.pull.repository, &crate::specimen::revision('a')).await;
    assert_eq!(found.expect("an answer").len(), 1);
    scene.host().set_graphql_limit(5000);
    scene.world.clock.advance(jiff::SignedDuration::from_mins(61));
    scene.goes_on().await;
}

#[tokio::test]
async fn a_pull_request_or_repository_that_is_gone_is_not_found() {
    let scene = Scene::new().await;
    let gone: [Rewrite; 3] = [
        |answer| {
            answer["data"]["repository"] = Value::Null;
            problem(answer, "NOT_FOUND", &json!(["repository"]));
        },
        |answer| {
            *pull(answer) = Value::Null;
            problem(answer, "NOT_FOUND", &json!(["repository", "pullRequest"]));
        },
        |answer| *pull(answer) = Value::Null,
    ];
    for rewrite in gone {
        scene.hosted.fault("/graphql", 1, Fault::Rewritten(rewrite));
        let read = scene.hosted.client().read(&scene.pull, &Needs::default()).await;
        assert_eq!(read, Err(CodeHostError::NotFound { what: "the pull request `acme/checkout#1`".to_owned() }));
    }
    let forbidden: Rewrite = |answer| {
        answer["data"]["repository"] = Value::Null;
        problem(answer, "FORBIDDEN", &json!(["repository"]));
    };
    scene.hosted.fault("/graphql", 1, Fault::Rewritten(forbidden));
    let read = scene.hosted.client().read(&scene.pull, &Needs::default()).await;
    assert!(matches!(read, Err(CodeHostError::Unavailable { .. })), "{read:?}");
}

#[tokio::test]
async fn a_review_of_a_deleted_account_counts_for_nobody() {
    let scene = Scene::new().await.approved_by("pia").await;
    let of_nobody: Rewrite = |answer| pull(answer)["reviews"]["nodes"][0]["author"] = Value::Null;
    scene.hosted.fault("/graphql", 9, Fault::Rewritten(of_nobody));
    assert_eq!(scene.decides_to_wait().await.counts, []);
    scene.goes_on().await;
}

#[tokio::test]
async fn a_query_that_is_never_answered_keeps_the_request_waiting() {
    let scene = Scene::new().await.approved_by("pia").await;
    scene.hosted.fault("/graphql", 9, Fault::Silence);
    let hurried = scene.hosted.client().within(Duration::from_millis(200));
    let read = hurried.read(&scene.pull, &Needs::default()).await;
    let Err(CodeHostError::Unavailable { detail }) = read else { panic!("{read:?}") };
    assert!(detail.contains("it did not answer in time"), "{detail}");
    scene.goes_on().await;
}

#[tokio::test]
async fn an_objection_on_another_pull_request_of_the_commit_is_found_without_a_delivery() {
    let scene = Scene::new().await.approved_by("pia").await;
    let twin = scene.change(|change| {
        let push = super::people::push("dave", 'e');
        change.push(&scene.pull.repository, "release", &push)?;
        let new = countersign::adapters::embedded::simulator::change::NewPullRequest {
            head: "feature".into(),
            base: "release".into(),
            ..Default::default()
        };
        change.open(&login("dave"), &scene.pull.repository, &new)
    });
    let objection = NewReview { event: Some(ReviewEvent::RequestChanges), body: Some("no".into()), commit_id: None };
    scene.change(|change| change.review(&login("pat"), &twin, &objection));
    assert_eq!(scene.settle().await.expect("it is settled"), Settled::Ended(End::Rejected));
}
