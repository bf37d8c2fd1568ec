//! GitHub's HTTP interface.

use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::*;

pub(super) struct Answer {
    pub(super) status: StatusCode,
    link: Option<String>,
    pub(super) body: Value,
}

impl Scene {
    pub(super) async fn call(&self, by: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "127.0.0.1:4020")
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer standin_{by}"));
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        read(self.host.router().oneshot(request.body(body).unwrap()).await.unwrap()).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.call("countersign[bot]", "GET", path, None).await
    }
}

pub(super) async fn read(response: Response<Body>) -> Answer {
    let status = response.status();
    let link = response.headers().get("link").map(|link| link.to_str().unwrap().to_owned());
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    Answer { status, link, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
}

/// The path and query of a link.
fn linked(answer: &Answer, relation: &str) -> Option<String> {
    let links = answer.link.as_ref()?;
    let link = links.split(", ").find(|link| link.ends_with(&format!("rel=\"{relation}\"")))?;
    let url = link.split_once('<')?.1.split_once('>')?.0;
    Some(url.strip_prefix("http://127.0.0.1:4020").unwrap().to_owned())
}

#[tokio::test]
async fn a_call_without_a_known_token_is_refused_in_githubs_shape() {
    let scene = Scene::new();
    for header in [None, Some("Bearer standin_nobody"), Some("Bearer ghp_x"), Some("Basic standin_dave")] {
        let mut request = Request::builder().uri("/repos/acme/checkout");
        if let Some(header) = header {
            request = request.header("authorization", header);
        }
        let response = scene.host.router().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let answer = read(response).await;
        assert_eq!((answer.status.as_u16(), &answer.body["status"]), (401, &json!("401")), "{header:?}");
        assert!(answer.body["documentation_url"].is_string());
    }
}

#[tokio::test]
async fn reviews_are_paged_with_links_that_name_the_repository_by_id() {
    let scene = Scene::new();
    for _ in 0..5 {
        scene.review("pia", ReviewEvent::Comment).unwrap();
    }
    let mut answer = scene.get("/repos/acme/checkout/pulls/1/reviews?per_page=2").await;
    let id = scene.host.world().repository(&repository()).unwrap().id;
    let next = linked(&answer, "next").unwrap();
    assert_eq!(next, format!("/repositories/{id}/pulls/1/reviews?per_page=2&page=2"));
    assert!(linked(&answer, "last").unwrap().ends_with("page=3"));
    assert_eq!(linked(&answer, "prev"), None);
    let mut seen = answer.body.as_array().unwrap().len();
    while let Some(next) = linked(&answer, "next") {
        answer = scene.get(&next).await;
        assert_eq!(answer.status, StatusCode::OK);
        seen += answer.body.as_array().unwrap().len();
    }
    assert_eq!(seen, 5);
    assert!(linked(&answer, "first").is_some() && linked(&answer, "last").is_none());
}

#[tokio::test]
async fn a_page_holds_30_items_by_default_and_at_most_100() {
    let scene = Scene::new();
    for _ in 0..101 {
        scene.review("pia", ReviewEvent::Comment).unwrap();
    }
    for (query, held) in [("", 30), ("?per_page=500", 100), ("?per_page=0", 30), ("?page=9", 0)] {
        let answer = scene.get(&format!("/repos/acme/checkout/pulls/1/reviews{query}")).await;
        assert_eq!(answer.body.as_array().unwrap().len(), held, "{query}");
    }
}

#[tokio::test]
async fn a_review_state_is_upper_case_and_an_own_review_is_refused_as_on_github() {
    let scene = Scene::new();
    let path = "/repos/acme/checkout/pulls/1/reviews";
    let answer = scene.call("pia", "POST", path, Some(json!({ "event": "APPROVE" }))).await;
    assert_eq!((answer.status, &answer.body["state"]), (StatusCode::OK, &json!("APPROVED")));
    assert_eq!(answer.body["commit_id"], json!(sha('a')));
    let own = scene.call("dave", "POST", path, Some(json!({ "event": "APPROVE" }))).await;
    assert_eq!(own.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(own.body["errors"], json!(["Can not approve your own pull request"]));
    let unknown = scene.call("pia", "POST", path, Some(json!({ "event": "BLESS" }))).await;
    assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_body_that_is_not_json_is_a_bad_request() {
    let scene = Scene::new();
    let request = Request::post("/repos/acme/checkout/pulls/1/reviews")
        .header("authorization", "Bearer standin_pia")
        .body(Body::from("{"))
        .unwrap();
    let answer = read(scene.host.router().oneshot(request).await.unwrap()).await;
    assert_eq!((answer.status.as_u16(), &answer.body["message"]), (400, &json!("Problems parsing JSON")));
}

#[tokio::test]
async fn a_review_is_edited_and_dismissed() {
    let scene = Scene::new();
    let id = scene.approve("pia");
    let path = format!("/repos/acme/checkout/pulls/1/reviews/{id}");
    let edited = scene.call("pia", "PUT", &path, Some(json!({ "body": "better" }))).await;
    assert_eq!((&edited.body["body"], &edited.body["state"]), (&json!("better"), &json!("APPROVED")));
    let dismissals = format!("{path}/dismissals");
    let bare = scene.call("dave", "PUT", &dismissals, Some(json!({}))).await;
    assert_eq!(bare.status, StatusCode::UNPROCESSABLE_ENTITY);
    let dismissed = scene.call("dave", "PUT", &dismissals, Some(json!({ "message": "old" }))).await;
    assert_eq!(dismissed.body["state"], json!("DISMISSED"));
}

#[tokio::test]
async fn a_pull_request_is_opened_merged_and_found_by_its_commits() {
    let scene = Scene::new();
    let push = json!({ "by": "pia", "commits": [{ "sha": sha('c'), "author": null }] });
    let pushed = scene.call("pia", "POST", "/_standin/repos/acme/checkout/branches/fix/one", Some(push)).await;
    assert_eq!((pushed.status, &pushed.body["head"]), (StatusCode::CREATED, &json!(sha('c'))));
    let new = json!({ "title": "Fix", "head": "fix/one", "base": "main" });
    let opened = scene.call("pia", "POST", "/repos/acme/checkout/pulls", Some(new)).await;
    assert_eq!((opened.status, &opened.body["number"]), (StatusCode::CREATED, &json!(2)));
    let base = &opened.body["base"]["sha"].as_str().unwrap();
    let compared = scene.get(&format!("/repos/acme/checkout/compare/{base}...{}", sha('c'))).await;
    let commit = &compared.body["commits"][0];
    assert_eq!((&commit["author"], &commit["committer"]["login"]), (&Value::Null, &json!("pia")));
    let moved = json!({ "sha": sha('d') });
    let conflict = scene.call("pia", "PUT", "/repos/acme/checkout/pulls/2/merge", Some(moved)).await;
    assert_eq!(conflict.status, StatusCode::CONFLICT);
    let merged = scene.call("pia", "PUT", "/repos/acme/checkout/pulls/2/merge", None).await;
    let merge_commit = merged.body["sha"].as_str().unwrap().to_owned();
    let pull = scene.get("/repos/acme/checkout/pulls/2").await;
    assert_eq!((&pull.body["state"], &pull.body["merged"]), (&json!("closed"), &json!(true)));
    for sha in [sha('c').as_str(), merge_commit.as_str()] {
        let found = scene.get(&format!("/repos/acme/checkout/commits/{sha}/pulls")).await;
        assert_eq!(found.body[0]["number"], json!(2));
    }
    let unknown = scene.get(&format!("/repos/acme/checkout/commits/{}/pulls", sha('f'))).await;
    assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn activity_is_newest_first_and_followed_by_cursor() {
    let scene = Scene::new();
    scene.push('b');
    let answer = scene.get("/repos/acme/checkout/activity?ref=feature&per_page=1").await;
    assert_eq!((&answer.body[0]["activity_type"], &answer.body[0]["after"]), (&json!("push"), &json!(sha('b'))));
    let next = linked(&answer, "next").unwrap();
    assert!(next.starts_with("/repositories/") && next.contains("after="), "{next}");
    let answer = scene.get(&next).await;
    assert_eq!(answer.body[0]["activity_type"], json!("branch_creation"));
    assert_eq!(answer.body[0]["before"], json!("0".repeat(40)));
    assert_eq!(answer.link, None);
}

#[tokio::test]
async fn labels_are_added_and_taken_off() {
    let scene = Scene::new();
    let path = "/repos/acme/checkout/issues/1/labels";
    let added = scene.call("dave", "POST", path, Some(json!({ "labels": ["on call"] }))).await;
    assert_eq!(added.body[0]["name"], json!("on call"));
    let left = scene.call("dave", "DELETE", &format!("{path}/on%20call"), None).await;
    assert_eq!((left.status, left.body), (StatusCode::OK, json!([])));
    let gone = scene.call("dave", "DELETE", &format!("{path}/on%20call"), None).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_team_is_found_by_slug_and_by_id_unless_it_is_hidden() {
    let scene = Scene::new();
    let team = scene.get("/orgs/acme/teams/payments").await.body;
    assert_eq!(team["members_count"], json!(2));
    let by_id = format!("/organizations/{}/team/{}", team["organization"]["id"], team["id"]);
    assert_eq!(scene.get(&by_id).await.body, team);
    let unreadable = json!({ "readable": false });
    scene.call("dave", "PATCH", "/_standin/teams/acme/payments", Some(unreadable)).await;
    assert_eq!(scene.get("/orgs/acme/teams/payments").await.status, StatusCode::NOT_FOUND);
    assert_eq!(scene.get(&by_id).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_unavailable_simulator_answers_503_except_on_the_control_interface() {
    let scene = Scene::new();
    let down = scene.call("dave", "PATCH", "/_standin/host", Some(json!({ "unavailable": true }))).await;
    assert_eq!(down.status, StatusCode::NO_CONTENT);
    assert_eq!(scene.get("/repos/acme/checkout/pulls/1").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(scene.get("/user").await.status, StatusCode::SERVICE_UNAVAILABLE);
    scene.call("dave", "PATCH", "/_standin/host", Some(json!({ "unavailable": false }))).await;
    assert_eq!(scene.get("/user").await.body["login"], json!("countersign[bot]"));
}

#[tokio::test]
async fn the_control_interface_refuses_bodies_that_a_page_of_another_origin_could_send() {
    let scene = Scene::new();
    let request = Request::post("/_standin/users")
        .header("content-type", "text/plain")
        .body(Body::from("{\"login\": \"mallory\"}"))
        .unwrap();
    let answer = read(scene.host.router().oneshot(request).await.unwrap()).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn the_state_is_listed_without_the_secret_of_the_hook() {
    let scene = Scene::new();
    let hook = json!({ "url": "http://127.0.0.1:1/", "secret": "hush-hush" });
    let set = scene.call("dave", "PUT", "/_standin/hook", Some(hook)).await;
    assert_eq!(set.status, StatusCode::NO_CONTENT);
    let world = scene.get("/_standin/world").await.body;
    assert_eq!(world["pulls"][0]["number"], json!(1));
    assert_eq!(world["deliveries"][0]["event"], json!("ping"));
    assert!(!world.to_string().contains("hush-hush"));
}

#[tokio::test]
async fn a_failed_delivery_is_listed_and_sent_again_on_demand() {
    let scene = Scene::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    scene.host.change(|change| change.set_hook(&nobody, "secret")).unwrap();
    assert_eq!(scene.get("/app/hook/deliveries").await.body, json!([]));
    let task = scene.host.start_deliveries();
    scene.host.drained().await;
    let failed = scene.get("/app/hook/deliveries?status=failure").await.body;
    assert_eq!((&failed[0]["event"], &failed[0]["redelivery"]), (&json!("ping"), &json!(false)));
    let attempts = format!("/app/hook/deliveries/{}/attempts", failed[0]["id"]);
    let accepted = scene.call("countersign[bot]", "POST", &attempts, None).await;
    assert_eq!(accepted.status, StatusCode::ACCEPTED);
    scene.host.drained().await;
    task.abort();
    let listed = scene.get("/app/hook/deliveries?per_page=1").await;
    assert_eq!((&listed.body[0]["redelivery"], &listed.body[0]["guid"]), (&json!(true), &failed[0]["guid"]));
    let next = linked(&listed, "next").unwrap();
    assert_eq!(scene.get(&next).await.body, failed);
    let none = scene.get("/app/hook/deliveries?status=success").await;
    assert_eq!(none.body, json!([]));
}

#[tokio::test]
async fn an_app_has_an_installation_everywhere_and_a_bot_account() {
    let scene = Scene::new();
    assert_eq!(scene.get("/app").await.status, StatusCode::NOT_FOUND);
    let app = json!({ "slug": "gate", "public_key": "-----BEGIN PUBLIC KEY-----" });
    let set = scene.call("dave", "PUT", "/_standin/app", Some(app)).await;
    assert_eq!(set.status, StatusCode::NO_CONTENT);
    assert_eq!(scene.get("/app").await.body["slug"], json!("gate"));
    for path in ["/repos/acme/checkout/installation", "/orgs/acme/installation", "/app/installations/1"] {
        let installation = scene.get(path).await.body;
        assert_eq!((&installation["id"], &installation["account"]["login"]), (&json!(1), &json!("acme")), "{path}");
    }
    assert_eq!(scene.get("/app/installations").await.body[0]["app_slug"], json!("gate"));
    assert_eq!(scene.get("/repos/acme/nowhere/installation").await.status, StatusCode::NOT_FOUND);
    assert_eq!(scene.get("/app/installations/2").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_token_of_the_installation_acts_as_the_bot_until_it_expires_and_is_not_the_app() {
    let scene = Scene::new();
    let app = json!({ "slug": "gate", "public_key": "-----BEGIN PUBLIC KEY-----" });
    scene.call("dave", "PUT", "/_standin/app", Some(app)).await;
    let minted = scene.call("gate[bot]", "POST", "/app/installations/1/access_tokens", None).await;
    assert_eq!((minted.status, &minted.body["expires_at"]), (StatusCode::CREATED, &json!("2026-11-18T11:00:00Z")));
    let token = minted.body["token"].as_str().unwrap().to_owned();
    let ask = async |path: &str| {
        let request = Request::builder().uri(path).header("authorization", format!("Bearer {token}"));
        read(scene.host.router().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()).await
    };
    assert_eq!(ask("/user").await.body["login"], json!("gate[bot]"));
    assert_eq!(ask("/app").await.status, StatusCode::UNAUTHORIZED);
    scene.host.set_rate_limit(1);
    let spent = ask("/user").await;
    assert_eq!(
        (spent.status, spent.body["message"].as_str().unwrap().contains("rate limit")),
        (StatusCode::FORBIDDEN, true)
    );
    scene.an_hour_passes();
    assert_eq!(ask("/user").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_answer_has_a_tag_and_is_not_sent_again_to_a_caller_that_has_it() {
    let scene = Scene::new();
    let ask = async |tag: Option<&str>| {
        let request =
            Request::builder().uri("/repos/acme/checkout/pulls/1").header("authorization", "Bearer standin_dave");
        let request = tag.into_iter().fold(request, |request, tag| request.header("if-none-match", tag));
        scene.host.router().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    };
    let first = ask(None).await;
    let header = |response: &Response<Body>, name: &str| response.headers()[name].to_str().unwrap().to_owned();
    let tag = header(&first, "etag");
    assert_eq!(
        (header(&first, "x-ratelimit-remaining").as_str(), header(&first, "x-ratelimit-limit").as_str()),
        ("4999", "5000")
    );
    let again = ask(Some(&tag)).await;
    assert_eq!((again.status(), header(&again, "x-ratelimit-remaining").as_str()), (StatusCode::NOT_MODIFIED, "4999"));
    assert!(to_bytes(again.into_body(), 1).await.unwrap().is_empty());
    scene.push('b');
    let changed = ask(Some(&tag)).await;
    assert_eq!(changed.status(), StatusCode::OK);
    assert_ne!(header(&changed, "etag"), tag);
}

#[tokio::test]
async fn concurrent_changes_are_all_stored() {
    let scene = Scene::new();
    std::thread::scope(|threads| {
        for by in ["pia", "pat", "lee"] {
            let scene = &scene;
            threads.spawn(move || {
                (0..20).for_each(|_| {
                    scene.review(by, ReviewEvent::Comment).unwrap();
                });
            });
        }
    });
    let ids: std::collections::BTreeSet<ReviewId> = scene.pull().reviews.iter().map(|review| review.id).collect();
    assert_eq!(ids.len(), 60);
}

#[tokio::test]
async fn an_unknown_path_is_githubs_404() {
    let scene = Scene::new();
    let answer = scene.get("/repos/acme/checkout/stargazers").await;
    assert_eq!((answer.status.as_u16(), &answer.body["message"]), (404, &json!("Not Found")));
}
