//! GitHub's GraphQL interface.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::*;
use crate::adapters::embedded::simulator::change::{Attribution, NewAccount, TeamEdit};
use crate::adapters::embedded::simulator::world::AccountType;

impl Scene {
    async fn ask(&self, query: &str, variables: Value) -> Value {
        let body = json!({ "query": query, "variables": variables });
        let answer = self.call("countersign[bot]", "POST", "/graphql", Some(body)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.body
    }

    /// Selects fields of the pull request. There are no errors.
    async fn of_pull(&self, fields: &str) -> Value {
        let answer = self.ask(&in_pull(fields), json!({})).await;
        assert_eq!(answer.get("errors"), None, "{fields}: {answer}");
        answer["data"]["repository"]["pullRequest"].clone()
    }

    /// The only error, of an answer without data.
    async fn refused(&self, query: &str) -> Value {
        let answer = self.ask(query, json!({})).await;
        assert_eq!(answer.get("data"), None, "{query}");
        assert_eq!(answer["errors"].as_array().unwrap().len(), 1);
        answer["errors"][0].clone()
    }
}

fn in_pull(fields: &str) -> String {
    format!("query Q {{ repository(owner: \"acme\", name: \"checkout\") {{ pullRequest(number: 1) {{ {fields} }} }} }}")
}

#[tokio::test]
async fn a_list_is_read_page_by_page_from_the_cursor() {
    let scene = Scene::new();
    for _ in 0..5 {
        scene.review("pia", ReviewEvent::Comment).unwrap();
    }
    let ids: Vec<String> = scene.pull().reviews.iter().map(|review| review.id.to_string()).collect();
    let mut seen = Vec::new();
    let mut after = Value::Null;
    for (held, more) in [(2, true), (2, true), (1, false)] {
        let query = in_pull(
            "reviews(first: 2, after: $after) { totalCount nodes { fullDatabaseId } pageInfo { hasNextPage endCursor } }",
        );
        let query = query.replace("query Q", "query Q($after: String)");
        let page =
            scene.ask(&query, json!({ "after": after })).await["data"]["repository"]["pullRequest"]["reviews"].clone();
        assert_eq!((&page["totalCount"], &page["pageInfo"]["hasNextPage"]), (&json!(5), &json!(more)));
        let nodes = page["nodes"].as_array().unwrap();
        assert_eq!(nodes.len(), held);
        seen.extend(nodes.iter().map(|node| node["fullDatabaseId"].as_str().unwrap().to_owned()));
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(seen, ids);
    let last =
        scene.of_pull("reviews(last: 1) { nodes { fullDatabaseId } pageInfo { hasPreviousPage startCursor } }").await;
    assert_eq!(last["reviews"]["nodes"], json!([{ "fullDatabaseId": ids[4] }]));
    assert_eq!(last["reviews"]["pageInfo"]["hasPreviousPage"], json!(true));
    let shorter = scene
        .of_pull("reviews(first: 2, after: \"cursor:6\") { nodes { state } pageInfo { hasNextPage endCursor } }")
        .await;
    let empty = json!({ "nodes": [], "pageInfo": { "hasNextPage": false, "endCursor": null } });
    assert_eq!(shorter["reviews"], empty);
    let wrong = scene.refused(&in_pull("reviews(first: 2, after: \"x\") { totalCount }")).await;
    assert_eq!(wrong["type"], json!("INVALID_CURSOR_ARGUMENTS"));
}

#[tokio::test]
async fn fragments_apply_by_type_and_conditions_by_variable() {
    let scene = Scene::new();
    let bot = NewReview { event: Some(ReviewEvent::Comment), body: Some("hm".into()), commit_id: None };
    scene.host.change(|change| change.review(&login("countersign[bot]"), &first(), &bot)).unwrap();
    scene.approve("pia");
    let query = "query Q($files: Boolean!, $no: Boolean = false, $name: String!) {
      repository(owner: \"acme\", name: $name) { # a comment
        one: pullRequest(number: 1) {
          reviews(first: 10) { nodes { author { ...who } author { __typename } } }
          files(first: 1) @include(if: $files) { totalCount }
          title @skip(if: $files) number @include(if: $no)
        }
      }
    }
    fragment who on Actor { login ... on User { databaseId } ... on Bot { id: databaseId } }";
    let answer = scene.ask(query, json!({ "files": true, "name": "checkout" })).await;
    let (pia, bot) = (account(&scene, "pia"), account(&scene, "countersign[bot]"));
    assert_eq!(
        answer,
        json!({ "data": { "repository": { "one": {
            "reviews": { "nodes": [
                { "author": { "login": "countersign", "id": bot, "__typename": "Bot" } },
                { "author": { "login": "pia", "databaseId": pia, "__typename": "User" } },
            ] },
            "files": { "totalCount": 1 },
        } } } })
    );
    let without = scene.ask(query, json!({ "files": false, "name": "checkout" })).await;
    let one = &without["data"]["repository"]["one"];
    assert_eq!((&one["title"], one.get("files")), (&json!("Retry payments"), None));
    let missing = scene.ask(query, json!({ "name": "checkout" })).await;
    assert_eq!(missing["errors"][0]["message"], json!("Variable $files was provided invalid value"));
}

fn account(scene: &Scene, name: &str) -> Value {
    json!(scene.host.world().account(&login(name)).unwrap().id)
}

#[tokio::test]
async fn what_the_schema_lacks_is_an_error_with_its_path_even_if_nothing_is_there() {
    let scene = Scene::new();
    let cases = [
        ("reviews(first: 1) { nodes { colour } }", "Field 'colour' doesn't exist on type 'PullRequestReview'"),
        ("reviews(first: 1, colour: 1) { totalCount }", "Field 'reviews' doesn't accept argument 'colour'"),
        (
            "reviews(first: 1, states: [BLESSED]) { totalCount }",
            "Argument 'states' on Field 'reviews' has an invalid value",
        ),
        ("author", "Field must have selections"),
        ("number { x }", "Selections can't be made on scalars"),
        ("author { databaseId }", "Field 'databaseId' doesn't exist on type 'Actor'"),
        (
            "commits(first: 1) { nodes { commit { author { user { ... on Bot { login } } } } } }",
            "Fragment on Bot can't be spread inside User",
        ),
        (
            "files(first: 1) { nodes { previousPath } }",
            "Field 'previousPath' doesn't exist on type 'PullRequestChangedFile'",
        ),
        ("...nothing", "Fragment nothing was used, but not defined"),
        ("number @include(if: $nothing)", "Variable $nothing is used but not declared"),
        ("... on Nothing { x }", "No such type Nothing"),
    ];
    for (fields, message) in cases {
        let error = scene.refused(&in_pull(fields)).await;
        assert!(error["message"].as_str().unwrap().starts_with(message), "{fields}: {error}");
        assert_eq!((&error["path"][0], &error["path"][2]), (&json!("query Q"), &json!("pullRequest")));
    }
    for query in
        ["query { repository(owner: \"acme\") { name } }", "mutation { x }", "{", "", "{ a } { b }", "{ x(y: 1.5) }"]
    {
        scene.refused(query).await;
    }
    scene.refused("{ ...a } fragment a on Query { ...a }").await;
}

#[tokio::test]
async fn a_page_has_at_most_a_hundred_nodes_and_a_query_half_a_million() {
    let scene = Scene::new();
    for (arguments, kind) in [("(first: 101)", "EXCESSIVE_PAGINATION"), ("", "MISSING_PAGINATION_BOUNDARIES")] {
        let error = scene.refused(&in_pull(&format!("reviews{arguments} {{ totalCount }}"))).await;
        assert_eq!(error["type"], json!(kind));
    }
    let parents = "commits(first: 100) { nodes { commit { parents(first: 100) { nodes { X } } } } }";
    let many = parents.replace('X', "associatedPullRequests(first: 100) { totalCount }");
    assert_eq!(scene.refused(&in_pull(&many)).await["type"], json!("MAX_NODE_LIMIT_EXCEEDED"));
    let query = "query Q { rateLimit { cost nodeCount } ".to_owned()
        + in_pull(&parents.replace('X', "oid")).trim_start_matches("query Q {");
    let answer = scene.ask(&query, json!({})).await;
    assert_eq!(answer["data"]["rateLimit"], json!({ "cost": 1, "nodeCount": 100 + 100 * 100 }));
}

#[tokio::test]
async fn what_a_caller_may_not_see_is_null_with_an_error_beside_the_rest() {
    let scene = Scene::new();
    let hide = TeamEdit { readable: Some(false), members: None };
    scene.host.change(|change| change.edit_team(&team("acme/payments"), &hide)).unwrap();
    let query = "{ a: repository(owner: \"acme\", name: \"nowhere\") { name }
      b: repository(owner: \"ACME\", name: \"Checkout\") { nameWithOwner pullRequest(number: 9) { title } }
      c: organization(login: \"acme\") { team(slug: \"payments\") { name } other: team(slug: \"payments-core\") { slug } }
      d: organization(login: \"dave\") { login } }";
    let answer = scene.ask(query, json!({})).await;
    let data = json!({
        "a": null, "b": { "nameWithOwner": "acme/checkout", "pullRequest": null },
        "c": { "team": null, "other": { "slug": "payments-core" } }, "d": null,
    });
    assert_eq!(answer["data"], data);
    let errors = answer["errors"].as_array().unwrap();
    assert!(errors.iter().all(|error| error["type"] == "NOT_FOUND"), "{errors:?}");
    let paths: Vec<&Value> = errors.iter().map(|error| &error["path"]).collect();
    assert_eq!(json!(paths), json!([["a"], ["b", "pullRequest"], ["c", "team"], ["d"]]));
    let pending = NewReview { event: None, body: None, commit_id: None };
    scene.host.change(|change| change.review(&login("pia"), &first(), &pending)).unwrap();
    assert_eq!(scene.of_pull("reviews(first: 1) { totalCount }").await, json!({ "reviews": { "totalCount": 0 } }));
}

#[tokio::test]
async fn team_members_include_those_of_child_teams_unless_others_are_requested() {
    let scene = Scene::new();
    for (membership, expected) in [("ALL", vec!["pia", "pat"]), ("IMMEDIATE", vec!["pia"]), ("CHILD_TEAM", vec!["pat"])]
    {
        let query = format!(
            "{{ organization(login: \"acme\") {{ team(slug: \"payments\") {{ members(first: 9, membership: {membership}) {{ nodes {{ login }} }} }} }} }}"
        );
        let answer = scene.ask(&query, json!({})).await;
        let nodes = answer["data"]["organization"]["team"]["members"]["nodes"].as_array().unwrap().clone();
        let logins: Vec<&str> = nodes.iter().map(|node| node["login"].as_str().unwrap()).collect();
        assert_eq!(logins, expected, "{membership}");
    }
}

#[tokio::test]
async fn commits_have_their_co_authors_signature_and_parents() {
    let scene = Scene::new();
    let bot = NewAccount { login: login("renovate[bot]"), id: None, kind: AccountType::Bot };
    scene.host.change(|change| change.create_account(&bot)).unwrap();
    let pia = account(&scene, "pia");
    let message = format!(
        "Co-authored-by: no <pat@users.noreply.github.com>\n\nco-authored-by: P <{pia}+old@users.noreply.github.com>\n\
         Co-authored-by: x <x@example.com>\nCO-AUTHORED-BY: lee <987654+LEE@users.noreply.github.com>"
    );
    let commits = vec![
        NewCommit { author: Attribution::Account(login("renovate[bot]")), ..commit('b') },
        NewCommit { message: Some(message), verified: true, ..commit('c') },
    ];
    scene.host.change(|change| change.push_to_pull(&first(), &push_of("dave", commits))).unwrap();
    let user = "user { __typename login }";
    let fields = format!(
        "oid author {{ {user} }} authors(first: 9) {{ nodes {{ {user} }} }} signature {{ __typename isValid }} parents(first: 9) {{ nodes {{ oid }} }}"
    );
    let pull = scene.of_pull(&format!("commits(last: 2) {{ nodes {{ commit {{ {fields} }} }} }}")).await;
    let of = |login: &str| json!({ "user": { "__typename": "User", "login": login } });
    let nodes = &pull["commits"]["nodes"];
    assert_eq!(
        nodes[0]["commit"],
        json!({
            "oid": sha('b'), "author": of("renovate[bot]"), "authors": { "nodes": [of("renovate[bot]")] },
            "signature": null, "parents": { "nodes": [{ "oid": sha('a') }] },
        })
    );
    let second = &nodes[1]["commit"];
    assert_eq!(second["authors"]["nodes"], json!([of("dave"), of("pia"), { "user": null }, of("lee")]));
    assert_eq!(second["signature"], json!({ "__typename": "GpgSignature", "isValid": true }));
}

#[tokio::test]
async fn an_edited_review_says_when_and_a_dismissal_who_and_what_it_was() {
    let scene = Scene::new();
    let id = scene.approve("pia");
    let reviews = "reviews(first: 1) { nodes { lastEditedAt } }";
    assert_eq!(scene.of_pull(reviews).await["reviews"]["nodes"][0]["lastEditedAt"], Value::Null);
    scene.an_hour_passes();
    scene.host.change(|change| change.edit_review(&login("dave"), &first(), id, "LGTM")).unwrap();
    let edited = scene.of_pull(reviews).await["reviews"]["nodes"][0]["lastEditedAt"].clone();
    assert_eq!(edited, json!("2026-11-18T11:00:00Z"));
    scene.host.change(|change| change.dismiss(&login("pat"), &first(), id, "no")).unwrap();
    let events = scene
        .of_pull(
            "timelineItems(first: 9, itemTypes: [REVIEW_DISMISSED_EVENT]) { totalCount nodes { __typename
             ... on ReviewDismissedEvent { previousReviewState actor { login } review { fullDatabaseId state } } } }",
        )
        .await;
    let dismissal = json!({
        "__typename": "ReviewDismissedEvent", "previousReviewState": "APPROVED", "actor": { "login": "pat" },
        "review": { "fullDatabaseId": id.to_string(), "state": "DISMISSED" },
    });
    assert_eq!(events["timelineItems"], json!({ "totalCount": 1, "nodes": [dismissal] }));
}

#[tokio::test]
async fn a_base_changes_by_hand_or_when_its_branch_is_deleted() {
    let scene = Scene::new();
    let (dave, checkout) = (login("dave"), repository());
    let onto =
        NewPullRequest { title: "On top".into(), head: "top".into(), base: "feature".into(), ..Default::default() };
    let top = scene
        .host
        .change(|change| {
            change.push(&checkout, "top", &push_of("dave", vec![commit('c')]))?;
            let top = change.open(&dave, &checkout, &onto)?;
            change.merge(&login("pia"), &first(), &Default::default())?;
            change.delete_branch(&dave, &checkout, "feature")?;
            Ok(top)
        })
        .unwrap();
    let kinds = "{ repository(owner: \"acme\", name: \"checkout\") { pullRequest(number: 2) { baseRefName
      timelineItems(first: 9, itemTypes: [AUTOMATIC_BASE_CHANGE_SUCCEEDED_EVENT, BASE_REF_CHANGED_EVENT]) { nodes { __typename } } } } }";
    let read = async || scene.ask(kinds, json!({})).await["data"]["repository"]["pullRequest"].clone();
    let automatic = json!({ "__typename": "AutomaticBaseChangeSucceededEvent" });
    assert_eq!(read().await, json!({ "baseRefName": "main", "timelineItems": { "nodes": [automatic] } }));
    scene.host.change(|change| change.push(&checkout, "release", &push_of("dave", vec![commit('d')]))).unwrap();
    scene.call("dave", "PATCH", "/repos/acme/checkout/pulls/2", Some(json!({ "base": "release" }))).await;
    assert_eq!(read().await["timelineItems"]["nodes"][1]["__typename"], json!("BaseRefChangedEvent"));
    let path = "/_standin/repos/acme/checkout/branches/release";
    let deleted = scene.call("dave", "DELETE", path, Some(json!({ "by": "dave" }))).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
    assert_eq!(scene.host.world().pull(&top).unwrap().state_text(), "closed");
    let again = scene.call("dave", "DELETE", path, Some(json!({ "by": "dave" }))).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_commit_is_associated_with_merged_pull_requests_and_until_then_with_open_ones() {
    let scene = Scene::new();
    let fields =
        "commits(last: 1) { nodes { commit { associatedPullRequests(first: 9) { nodes { number state } } } } }";
    let found = async || {
        scene.of_pull(fields).await["commits"]["nodes"][0]["commit"]["associatedPullRequests"]["nodes"].clone()
    };
    let twin =
        NewPullRequest { title: "Twin".into(), head: "feature".into(), base: "release".into(), ..Default::default() };
    scene
        .host
        .change(|change| {
            change.push(&repository(), "release", &push_of("dave", vec![commit('d')]))?;
            change.open(&login("dave"), &repository(), &twin)
        })
        .unwrap();
    let (one, two) = (json!({ "number": 1, "state": "OPEN" }), json!({ "number": 2, "state": "OPEN" }));
    assert_eq!(found().await, json!([one, two]));
    scene.call("dave", "PATCH", "/repos/acme/checkout/pulls/2", Some(json!({ "state": "closed" }))).await;
    assert_eq!(found().await, json!([one]));
    scene.call("dave", "PATCH", "/repos/acme/checkout/pulls/2", Some(json!({ "state": "open" }))).await;
    scene.call("pia", "PUT", "/repos/acme/checkout/pulls/1/merge", None).await;
    assert_eq!(found().await, json!([{ "number": 1, "state": "MERGED" }]));
}

#[tokio::test]
async fn points_are_counted_apart_from_calls_and_end_with_an_error_in_an_answer() {
    let scene = Scene::new();
    scene.host.set_graphql_limit(3);
    let app = json!({ "slug": "gate", "public_key": "-----BEGIN PUBLIC KEY-----" });
    scene.call("dave", "PUT", "/_standin/app", Some(app)).await;
    let minted = scene.call("gate[bot]", "POST", "/app/installations/1/access_tokens", None).await;
    let token = minted.body["token"].as_str().unwrap().to_owned();
    let ask = async |path: &str, fields: &str| {
        let body = json!({ "query": format!("{{ rateLimit {{ cost remaining used }} {fields} }}") }).to_string();
        let request = Request::post(path).header("authorization", format!("Bearer {token}"));
        let request = request.header("content-type", "application/json").body(Body::from(body)).unwrap();
        let response = scene.host.router().oneshot(request).await.unwrap();
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("x-ratelimit-resource"), "graphql");
        let remaining = header("x-ratelimit-remaining");
        (remaining, super::rest::read(response).await)
    };
    let two = "repository(owner: \"acme\", name: \"checkout\") { pullRequest(number: 1) { commits(first: 100) { nodes { commit {
        authors(first: 1) { totalCount } parents(first: 1) { totalCount } } } } } }";
    let (remaining, answer) = ask("/graphql", two).await;
    assert_eq!(answer.body["data"]["rateLimit"], json!({ "cost": 2, "remaining": 1, "used": 2 }));
    assert_eq!(remaining, "1");
    let (remaining, answer) = ask("/api/graphql", "").await;
    assert_eq!((remaining.as_str(), &answer.body["data"]["rateLimit"]["cost"]), ("0", &json!(1)));
    let (_, spent) = ask("/graphql", "").await;
    assert_eq!((spent.status, &spent.body["errors"][0]["type"]), (StatusCode::OK, &json!("RATE_LIMITED")));
    assert_eq!(spent.body.get("data"), None);
}

#[tokio::test]
async fn graphql_needs_a_token_and_an_available_host() {
    let scene = Scene::new();
    let query = json!({ "query": "{ rateLimit { cost } }" });
    let stranger = scene.call("nobody", "POST", "/graphql", Some(query.clone())).await;
    assert_eq!((stranger.status, &stranger.body["message"]), (StatusCode::UNAUTHORIZED, &json!("Bad credentials")));
    scene.call("dave", "PATCH", "/_standin/host", Some(json!({ "unavailable": true }))).await;
    let down = scene.call("dave", "POST", "/graphql", Some(query)).await;
    assert_eq!(down.status, StatusCode::SERVICE_UNAVAILABLE);
}

/// `scripts/test-github` compares the committed query with GitHub's own schema.
#[expect(clippy::disallowed_methods, reason = "a test reads and writes its golden file")]
#[tokio::test]
async fn every_field_of_the_schema_is_answered() {
    let scene = Scene::new();
    let bot = NewAccount { login: login("renovate[bot]"), id: None, kind: AccountType::Bot };
    let signed = vec![NewCommit { verified: true, ..commit('b') }];
    scene
        .host
        .change(|change| {
            change.create_account(&bot)?;
            change.push_to_pull(&first(), &push_of("dave", signed))?;
            change.label(&login("dave"), &first(), &["hotfix".into()])?;
            let id = change.review(&login("pia"), &first(), &review_of(ReviewEvent::Approve))?;
            change.dismiss(&login("pat"), &first(), id, "no")?;
            change.merge(&login("pia"), &first(), &Default::default()).map(drop)
        })
        .unwrap();
    let query = super::super::graphql::everything();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/github/everything.graphql");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(file, &query).unwrap();
    }
    assert_eq!(std::fs::read_to_string(file).unwrap(), query, "if the new query is right, run with UPDATE_EXPECTED=1");
    let answer = scene.ask(&query, json!({})).await;
    assert_eq!(answer.get("errors"), None, "{answer}");
}
