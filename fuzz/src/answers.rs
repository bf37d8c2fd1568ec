//! Reads a pull request from the GitHub simulator through answers that the bytes have changed: values that are missing,
//! `null`, of another type or too large.
//!
//! Every call takes its changes from a place in the bytes that depends on its path, so that the order of calls does not
//! matter.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use arbitrary::Unstructured;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Response, header};
use countersign::adapters::embedded::clock::MovableClock;
use countersign::adapters::embedded::simulator::GithubSimulator;
use countersign::adapters::github::client::{GithubClient, GithubSettings, GivenSettings};
use countersign::ident::PullRequestRef;
use countersign::ports::{CodeHost as _, Needs};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

/// In bytes. Longer than any answer of the simulator here.
const LONGEST: usize = 1 << 20;

static WORLD: LazyLock<World> = LazyLock::new(World::new);

/// The bytes that change the answers now.
type Changes = Arc<Mutex<Vec<u8>>>;

struct World {
    runtime: Runtime,
    client: GithubClient,
    clock: Arc<MovableClock>,
    pull_request: PullRequestRef,
    changes: Changes,
}

impl World {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let folder = std::env::temp_dir().join(format!("countersign-fuzz-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let clock = Arc::new(MovableClock::fixed("2026-11-18T10:00:00Z".parse().expect("an instant")));
        let host = GithubSimulator::open(&folder, clock.clone()).expect("a simulator");
        runtime.block_on(fill(&host));
        let changes = Changes::default();
        let listener = runtime.block_on(tokio::net::TcpListener::bind(("127.0.0.1", 0))).expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(pass).with_state((host.router(), Arc::clone(&changes)));
        runtime.spawn(async move { axum::serve(listener, router).await });
        let given = GivenSettings { base_url: Some(&address), token: Some("standin_dave"), ..GivenSettings::default() };
        let settings = GithubSettings::read(given).expect("settings");
        let client = runtime.block_on(async { GithubClient::new(settings, clock.clone()) }).expect("a client");
        let client = client.pausing(Duration::from_millis(1));
        let pull_request = PullRequestRef { repository: "acme/checkout".parse().expect("a name"), number: 1 };
        Self { runtime, client, clock, pull_request, changes }
    }
}

/// Creates people, a team and a pull request with two commits and three reviews.
async fn fill(host: &GithubSimulator) {
    let call = async |by: &str, path: &str, body: Value| {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer standin_{by}"))
            .body(Body::from(body.to_string()))
            .expect("a request");
        let response = host.router().oneshot(request).await.expect("an answer");
        assert!(response.status().is_success(), "{path}: {}", response.status());
    };
    for login in ["dave", "pia", "pat", "lee"] {
        call("dave", "/_standin/users", json!({ "login": login })).await;
    }
    call("dave", "/_standin/teams", json!({ "team": "acme/payments", "members": [{ "login": "pia" }] })).await;
    call("dave", "/_standin/repos", json!({ "name": "acme/checkout" })).await;
    let branch = "/_standin/repos/acme/checkout/branches";
    call("dave", &format!("{branch}/main"), json!({ "by": "dave", "commits": [{ "message": "Begin" }] })).await;
    let commits = json!([{ "message": "One", "files": [{ "path": "a.rs" }] }, { "message": "Two", "author": null }]);
    call("dave", &format!("{branch}/change"), json!({ "by": "dave", "commits": commits })).await;
    let pulls = "/repos/acme/checkout/pulls";
    call("dave", pulls, json!({ "title": "Change", "head": "change", "base": "main" })).await;
    for (by, event) in [("pia", "APPROVE"), ("pat", "COMMENT"), ("lee", "REQUEST_CHANGES")] {
        call(by, &format!("{pulls}/1/reviews"), json!({ "event": event, "body": "/approve production" })).await;
    }
}

/// Lets the simulator answer, and changes the answer.
async fn pass(State((host, changes)): State<(Router, Changes)>, request: Request) -> Response<Body> {
    let mut path = DefaultHasher::new();
    request.uri().hash(&mut path);
    let response = host.oneshot(request).await.expect("an answer");
    let (mut parts, body) = response.into_parts();
    let body = to_bytes(body, LONGEST).await.expect("a body");
    let bytes = changes.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let changed = match serde_json::from_slice::<Value>(&body) {
        Ok(mut value) if !bytes.is_empty() => {
            let start = usize::try_from(path.finish() % 8).unwrap_or_default() * bytes.len() / 8;
            let (before, from) = bytes.split_at(start);
            let _ended = change(&mut value, &mut Unstructured::new(&[from, before].concat()));
            value.to_string().into_bytes()
        }
        Ok(_) | Err(_) => body.to_vec(),
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::ETAG);
    Response::from_parts(parts, Body::from(changed))
}

/// Changes up to three values.
fn change(value: &mut Value, bytes: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    for _ in 0..bytes.int_in_range(0..=3_u8)? {
        change_one(value, bytes, 12)?;
    }
    Ok(())
}

fn change_one(value: &mut Value, bytes: &mut Unstructured<'_>, depth: usize) -> arbitrary::Result<()> {
    let deeper = depth > 0 && bytes.ratio(5, 6)?;
    match value {
        Value::Object(fields) if deeper && !fields.is_empty() => {
            let key = fields.keys().nth(bytes.choose_index(fields.len())?).cloned().unwrap_or_default();
            if bytes.ratio(1, 8)? {
                fields.remove(&key);
            } else if let Some(field) = fields.get_mut(&key) {
                change_one(field, bytes, depth - 1)?;
            }
        }
        Value::Array(items) if deeper && !items.is_empty() => {
            let at = bytes.choose_index(items.len())?;
            match bytes.int_in_range(0..=9_u8)? {
                0 => drop(items.remove(at)),
                1 => items.extend(items.get(at).cloned()),
                2 => items.reverse(),
                _ => {
                    if let Some(item) = items.get_mut(at) {
                        change_one(item, bytes, depth - 1)?;
                    }
                }
            }
        }
        _ => *value = odd(value, bytes)?,
    }
    Ok(())
}

/// A value that GitHub should not give here.
fn odd(old: &Value, bytes: &mut Unstructured<'_>) -> arbitrary::Result<Value> {
    Ok(match bytes.int_in_range(0..=12_u8)? {
        0 | 1 => Value::Null,
        2 => json!({}),
        3 => json!([]),
        4 => json!(""),
        5 => json!(bytes.arbitrary::<bool>()?),
        6 => json!(bytes.arbitrary::<i64>()?),
        7 => json!(u64::MAX),
        8 => json!({ "data": old, "errors": [{ "type": "FORBIDDEN", "message": "no", "path": ["repository"] }] }),
        9 => json!({ "data": null, "errors": [{ "type": "RATE_LIMITED", "message": "later" }] }),
        10 => json!(["9999-12-31T23:59:59Z", old]),
        11 => json!("x".repeat(usize::from(bytes.arbitrary::<u16>()?))),
        _ => {
            let length = bytes.int_in_range(0..=40)?;
            json!(String::from_utf8_lossy(bytes.bytes(length)?))
        }
    })
}

/// Reads the pull request, with a team, through changed answers.
pub fn check(bytes: &[u8]) {
    let world = &*WORLD;
    bytes.clone_into(&mut world.changes.lock().unwrap_or_else(PoisonError::into_inner));
    world.client.forget();
    // A rate limit that an earlier input answered with is over.
    world.clock.advance(SignedDuration::from_hours(2));
    let needs = Needs { teams: ["acme/payments".parse().expect("a team")].into(), ..Needs::everything() };
    let read = world.runtime.block_on(world.client.read(&world.pull_request, &needs));
    match read {
        Ok(reading) => {
            assert_eq!(reading.pull_request.number, world.pull_request.number, "it is the one that was asked for");
            serde_json::to_string(&reading.pull_request).expect("a pull request is JSON");
            let pull_request = &reading.pull_request;
            let has_head = pull_request.commits.iter().any(|commit| commit.sha == pull_request.head);
            assert!(has_head || !pull_request.commits_complete, "complete commits hold the head");
            assert!(!pull_request.pushers_complete || !pull_request.pushers.is_empty(), "somebody pushed the branch");
        }
        Err(error) => assert!(!error.to_string().is_empty(), "an error says why"),
    }
}
