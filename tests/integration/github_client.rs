//! The client: its identity, its cache, its limits and its retries.

use std::sync::Arc;
use std::time::Duration;

use countersign::adapters::github::client::GivenSettings;
use countersign::ident::{RepositoryName, TeamSlug};
use countersign::ports::{CodeHost, CodeHostError, Needs, Publisher as _};
use jiff::SignedDuration;
use serde_json::json;

use crate::gate_world::GateWorld;
use crate::github_world::{APP_KEY, Fault, Hosted, OTHER_KEY};
use crate::specimen::{at, pull_request, revision};

async fn hosted() -> (GateWorld, Hosted) {
    let world = GateWorld::new("production");
    let hosted = Hosted::new(&world.host, &world.clock).await;
    (world, hosted)
}

async fn reads(client: &impl CodeHost) -> Result<(), CodeHostError> {
    client.read(&pull_request("acme/checkout#1"), &Needs::everything()).await.map(|_| ())
}

fn detail(result: Result<(), CodeHostError>) -> String {
    match result {
        Err(CodeHostError::Unavailable { detail } | CodeHostError::Limited { detail, .. }) => detail,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn concurrent_calls_share_one_lookup_and_one_token() {
    let (_world, hosted) = hosted().await;
    let client = hosted.client();
    let (one, two) = tokio::join!(reads(&client), reads(&client));
    one.and(two).expect("facts");
    assert_eq!((hosted.count("/installation"), hosted.count("/access_tokens")), (2, 1), "{:#?}", hosted.seen());
    assert_eq!(hosted.count("GET /repos/acme/checkout/installation"), 1);
}

#[tokio::test]
async fn an_app_that_was_installed_again_is_looked_up_once_more() {
    let (_world, hosted) = hosted().await;
    hosted.fault("/checkout/installation", 1, Fault::Rewritten(|installation| installation["id"] = 7.into()));
    reads(&hosted.client()).await.expect("facts");
    let minted = |id: u64| hosted.count(&format!("POST /app/installations/{id}/access_tokens"));
    assert_eq!(hosted.count("GET /repos/acme/checkout/installation"), 2, "{:#?}", hosted.seen());
    assert!(minted(7) >= 1 && minted(1) == 1, "{:#?}", hosted.seen());
}

#[tokio::test]
async fn a_known_installation_is_looked_up_only_if_it_no_longer_exists() {
    for (known, owner, lookups) in [(1, "Acme", 0), (7, "acme", 1), (1, "another", 1)] {
        let (_world, hosted) = hosted().await;
        let client = hosted.client();
        client.know_installation(owner, known);
        reads(&client).await.expect("facts");
        assert_eq!(hosted.count("GET /repos/acme/checkout/installation"), lookups, "{owner} {known}");
        assert_eq!(hosted.count("POST /app/installations/1/access_tokens"), 1);
    }
}

#[tokio::test]
async fn a_refused_token_does_not_mean_that_a_team_or_a_pull_request_is_missing() {
    let elsewhere = Needs { teams: [TeamSlug::new("globex/audit").expect("a team")].into(), ..Needs::default() };
    let read =
        async |hosted: &Hosted| hosted.client().read(&pull_request("acme/checkout#1"), &elsewhere).await.map(drop);
    for status in [403, 404, 422] {
        let refusal = || Fault::Answer(status, vec![], json!({ "message": "no" }));
        let (_world, hosted) = hosted().await;
        hosted.fault("/access_tokens", 99, refusal());
        let said = detail(reads(&hosted.client()).await);
        assert!(said.contains(&format!("GitHub answered {status} to a request for a token")), "{said}");
        assert!(hosted.count("/access_tokens") <= 4, "{:#?}", hosted.seen());
        for (lookup, owner) in [("/repos/acme/checkout/installation", "acme"), ("/orgs/globex/installation", "globex")]
        {
            let (_world, hosted) = self::hosted().await;
            hosted.fault(lookup, 99, refusal());
            let said = detail(read(&hosted).await);
            assert!(said.contains("installation") && said.contains(&format!("`{owner}`")), "{said}");
        }
    }
}

#[tokio::test]
async fn a_token_is_renewed_before_it_expires() {
    let (world, hosted) = hosted().await;
    let client = hosted.client();
    reads(&client).await.expect("facts");
    world.clock.advance(SignedDuration::from_mins(54));
    reads(&client).await.expect("facts");
    assert_eq!(hosted.count("/access_tokens"), 1);
    world.clock.advance(SignedDuration::from_mins(2));
    reads(&client).await.expect("facts");
    assert_eq!(hosted.count("/access_tokens"), 2);
}

#[tokio::test]
async fn another_apps_key_is_refused() {
    let (_world, hosted) = hosted().await;
    let given = GivenSettings { app_id: Some("1"), private_key: Some(OTHER_KEY), ..GivenSettings::default() };
    let said = detail(reads(&hosted.client_by(given)).await);
    assert!(said.contains("GitHub answered 401 to a request for the App's installation for `acme`"), "{said}");
    assert!(said.contains("A JSON web token could not be decoded (request "), "{said}");
    let wrong_id = GivenSettings { app_id: Some("2"), private_key: Some(APP_KEY), ..GivenSettings::default() };
    let said = detail(reads(&hosted.client_by(wrong_id)).await);
    assert!(said.contains("('iss')"), "{said}");
}

#[tokio::test]
async fn a_personal_token_needs_no_app() {
    let (_world, hosted) = hosted().await;
    let client = hosted.client_by(GivenSettings { token: Some("standin_pia"), ..GivenSettings::default() });
    reads(&client).await.expect("facts");
    assert_eq!(hosted.count("/app") + hosted.count("/installation"), 0);
    let nobody = hosted.client_by(GivenSettings { token: Some("ghp_unknown"), ..GivenSettings::default() });
    let said = detail(reads(&nobody).await);
    assert!(said.contains("401") && !said.contains("ghp_unknown"), "{said}");
}

#[tokio::test]
async fn an_unchanged_answer_is_not_sent_again_and_not_counted() {
    let (world, hosted) = hosted().await;
    let client = hosted.client();
    let at = pull_request("acme/checkout#1");
    // The pull request and its requested reviewers, and later only those.
    world.host.set_rate_limit(2);
    let first = client.context(&at).await.expect("a context");
    assert_eq!(client.context(&at).await.expect("within the limit"), first);
    assert_eq!(hosted.seen().iter().filter(|line| line.ends_with("/pulls/1")).count(), 2);
}

#[tokio::test]
async fn no_call_is_sent_during_a_limit() {
    let (world, hosted) = hosted().await;
    let client = hosted.client();
    reads(&client).await.expect("facts");
    world.host.set_graphql_limit(0);
    let said = detail(reads(&client).await);
    assert!(said.contains("until "), "{said}");
    hosted.take_seen();
    let said = detail(reads(&client).await);
    assert!(
        said.contains(
            "GitHub's limit on calls is reached (API rate limit exceeded for installation ID 1.), until 2027"
        ),
        "{said}"
    );
    assert_eq!(hosted.take_seen(), [""; 0]);
    world.host.set_graphql_limit(5000);
    world.clock.advance(SignedDuration::from_mins(61));
    reads(&client).await.expect("facts after the hour");
}

#[tokio::test]
async fn a_failed_read_is_repeated() {
    let (_world, hosted) = hosted().await;
    hosted.fault("/graphql", 2, Fault::Answer(500, vec![], json!({ "message": "Server Error" })));
    reads(&hosted.client()).await.expect("facts at the third try");
    assert_eq!(hosted.count("/graphql"), 3);
}

#[tokio::test]
async fn a_renamed_repository_is_followed_on_the_same_host_only() {
    let (world, hosted) = hosted().await;
    let moved =
        |to: &str| Fault::Answer(301, vec![("location", to.to_owned())], json!({ "message": "Moved Permanently" }));
    let name = RepositoryName::new("acme/checkout").expect("a repository");
    let id = world.host.world().repository(&name).expect("a repository").id;
    hosted.fault(
        "/commits/",
        1,
        moved(&format!("http://localhost:1/repositories/{id}/commits/{}/pulls", revision('a'))),
    );
    let client = hosted.client();
    let found = client.pull_requests_of(&name, &revision('a')).await.expect("an answer");
    assert_eq!(found.into_iter().map(|one| one.at).collect::<Vec<_>>(), [pull_request("acme/checkout#1")]);
    hosted.fault("/commits/", 1, moved("https://evil.example/repositories/1"));
    let error = client.pull_requests_of(&name, &revision('a')).await.unwrap_err();
    assert!(error.to_string().contains("a link leads to another host"), "{error}");
}

#[tokio::test]
async fn one_piece_of_work_has_one_deadline() {
    let (_world, hosted) = hosted().await;
    let client = hosted.client();
    reads(&client).await.expect("facts");
    hosted.fault("/activity", 9, Fault::Silence);
    let hurried = client.within(Duration::from_millis(50));
    let said = detail(reads(&hurried).await);
    assert!(said.contains("the pushes to `feature` in `acme/checkout`: it did not answer in time"), "{said}");
    hosted.mend();
    // No time is left for the next call.
    assert!(reads(&hurried).await.is_err());
    reads(&client).await.expect("others have their own");
}

#[tokio::test]
async fn the_apps_own_token_is_valid_for_the_app_only() {
    let (world, hosted) = hosted().await;
    let client = statuses(&hosted, &jwt(at(0).as_second())).await;
    assert_eq!(client, (401, 200));
    for iat in [at(0).as_second() + 3600, at(0).as_second() - 3600] {
        assert_eq!(statuses(&hosted, &jwt(iat)).await.1, 401, "{iat}");
    }
    drop(world);
}

/// The simulator's statuses for a token: at a pull request, and at the App itself.
async fn statuses(hosted: &Hosted, token: &str) -> (u16, u16) {
    use tower::ServiceExt as _;
    let ask = async |path: &str| {
        let request = axum::http::Request::get(path).header("authorization", format!("Bearer {token}"));
        let request = request.body(axum::body::Body::empty()).expect("a request");
        hosted.host.router().oneshot(request).await.expect("an answer").status().as_u16()
    };
    (ask("/repos/acme/checkout/pulls/1").await, ask("/app").await)
}

fn jwt(iat: i64) -> String {
    use octocrab::jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
    let key = EncodingKey::from_rsa_pem(APP_KEY.as_bytes()).expect("a key");
    let claims = json!({ "iss": 1, "iat": iat, "exp": iat + 540 });
    encode(&Header::new(Algorithm::RS256), &claims, &key).expect("a token")
}

#[tokio::test]
async fn neither_tokens_nor_keys_are_printed() {
    let (_world, hosted) = hosted().await;
    let client = hosted.client();
    reads(&client).await.expect("facts");
    let printed = format!("{client:?}");
    assert!(!printed.contains("ghs_") && !printed.contains("BEGIN") && printed.contains("GithubClient"), "{printed}");
    let _shared: Arc<dyn CodeHost> = Arc::new(client);
}
