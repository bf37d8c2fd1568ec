//! The simulator behind a port, for tests that call it over HTTP.
//!
//! If `scripts/test-github` requests it, every exchange is recorded, and `github_peers` checks it against GitHub's own API
//! description afterwards.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, header};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use countersign::adapters::embedded::simulator::GithubSimulator;
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;

/// The folder that exchanges are written to.
const FOLDER: &str = "COUNTERSIGN_TEST_EXCHANGES";
/// More than any body of a test.
const LARGEST: usize = 64 * 1024 * 1024;

/// A router on a free port of this machine, for as long as this is held.
#[derive(Debug)]
pub(crate) struct Served {
    /// `http://127.0.0.1:…`.
    pub(crate) address: String,
    task: JoinHandle<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves a router.
pub(crate) async fn serve(router: Router) -> Served {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("a server") });
    Served { address, task }
}

/// The simulator's router, which records exchanges if requested.
pub(crate) fn router(host: &GithubSimulator) -> Router {
    host.router().layer(from_fn(record))
}

/// Serves the simulator, and sets its address.
pub(crate) async fn serve_simulator(host: &GithubSimulator) -> Served {
    let served = serve(router(host)).await;
    let address = served.address.clone();
    host.change(|change| {
        change.set_address(&address);
        Ok(())
    })
    .expect("the address is set");
    served
}

/// A call and its answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Exchange {
    pub(crate) method: String,
    /// The path and the query.
    pub(crate) path: String,
    /// The headers that say something of the call, lower-case, in order.
    pub(crate) sent_headers: Vec<(String, String)>,
    pub(crate) sent: String,
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) answered: String,
}

/// Records exchanges if requested. The control interface is not GitHub's.
async fn record(request: Request, next: Next) -> Response {
    let Some(folder) = folder().filter(|_| !request.uri().path().starts_with("/_standin")) else {
        return next.run(request).await;
    };
    let (head, body) = request.into_parts();
    let sent = whole(body).await;
    let mut exchange = Exchange {
        method: head.method.to_string(),
        path: head.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        sent_headers: kept(&head.headers, &[header::ACCEPT, header::CONTENT_TYPE, header::IF_NONE_MATCH]),
        sent: text(&sent),
        status: 0,
        headers: Vec::new(),
        answered: String::new(),
    };
    let (head, body) = next.run(Request::from_parts(head, Body::from(sent))).await.into_parts();
    let answered = whole(body).await;
    exchange.status = head.status.as_u16();
    exchange.headers = kept(&head.headers, &[header::CONTENT_TYPE, header::LINK, header::ETAG]);
    exchange.answered = text(&answered);
    append(&folder, &exchange);
    Response::from_parts(head, Body::from(answered))
}

async fn whole(body: Body) -> Bytes {
    to_bytes(body, LARGEST).await.expect("a whole body")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("GitHub's bodies are UTF-8")
}

fn kept(headers: &HeaderMap, names: &[HeaderName]) -> Vec<(String, String)> {
    let value = |name: &HeaderName| {
        let value = headers.get(name)?.to_str().ok()?;
        Some((name.to_string(), value.to_owned()))
    };
    names.iter().filter_map(value).collect()
}

fn folder() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

/// One file for each exchange, complete or not there: tests of many threads write at once.
fn append(folder: &std::path::Path, exchange: &Exchange) {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = format!("{}-{}.json", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let mut file = std::fs::File::create(folder.join(name)).expect("a file of one's own");
    file.write_all(&serde_json::to_vec(exchange).expect("JSON")).expect("it is written");
}

/// All recorded exchanges, each once.
pub(crate) fn recorded() -> Vec<Exchange> {
    let folder = folder().unwrap_or_else(|| panic!("{FOLDER} is not set: scripts/test-github sets it"));
    let files = std::fs::read_dir(folder).expect("the folder is there");
    let mut exchanges: Vec<Exchange> = files
        .map(|file| std::fs::read(file.expect("a file").path()).expect("it can be read"))
        .map(|bytes| serde_json::from_slice(&bytes).expect("an exchange"))
        .collect();
    exchanges.sort();
    exchanges.dedup();
    exchanges
}
