//! The local web server to which GitHub sends the browser back. It serves one page and receives one code.
//!
//! The page holds the state that proves where a code comes from. So the server answers only to its own names, as the local
//! gate does: a web page whose host name was rebound to this machine reads nothing.

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::dev::doors::only_this_machine;
use crate::render::app_form::note;

#[derive(Clone)]
struct Setup {
    page: String,
    /// GitHub returns it unchanged, which proves that the returning browser is the one that left.
    state: String,
    codes: mpsc::Sender<String>,
}

/// The query with which GitHub sends the browser back.
#[derive(Deserialize)]
struct Returned {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
}

/// Serves the page until a code arrives, and returns the code.
pub(super) async fn wait_for_code(listener: TcpListener, page: String, state: String) -> std::io::Result<String> {
    let (codes, mut received) = mpsc::channel(1);
    let router = router(Setup { page, state, codes });
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = axum::serve(listener, router).with_graceful_shutdown(async move {
        let _ = stopped.await;
    });
    let serving = tokio::spawn(async move { serving.await });
    let code = received.recv().await;
    // The browser gets its response before the server stops. A connection that it keeps open does not delay the end.
    let _ = stop.send(());
    let _ = tokio::time::timeout(std::time::Duration::from_millis(500), serving).await;
    code.ok_or_else(|| std::io::Error::other("the local server stopped before a code arrived"))
}

fn router(setup: Setup) -> Router {
    let router = Router::new().route("/", get(form)).route("/created", get(created));
    router.layer(middleware::from_fn(only_this_machine)).with_state(setup)
}

async fn form(State(setup): State<Setup>) -> Response {
    html(StatusCode::OK, setup.page)
}

async fn created(State(setup): State<Setup>, Query(returned): Query<Returned>) -> Response {
    if returned.code.is_empty() || returned.state != setup.state {
        let text = "This request does not come from GitHub's form for the App that this command is creating.";
        return html(StatusCode::BAD_REQUEST, note("Request ignored", text));
    }
    // A second visit changes nothing.
    let _ = setup.codes.try_send(returned.code);
    let text = "GitHub has created the App. Close this page, and continue in the terminal.";
    html(StatusCode::OK, note("The App exists", text))
}

fn html(status: StatusCode, body: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    (status, headers, body).into_response()
}

#[cfg(test)]
mod tests {
    use super::{Setup, router};
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tokio::sync::mpsc;
    use tower::ServiceExt as _;

    /// Returns the status and the page that a request with these headers gets, and whether a code arrived.
    async fn ask(path: &str, headers: &[(&str, &str)]) -> (u16, String, bool) {
        let (codes, mut received) = mpsc::channel(1);
        let router = router(Setup { page: "the form with 5tate".to_owned(), state: "5tate".to_owned(), codes });
        let request = headers.iter().fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
        let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let page = to_bytes(response.into_body(), 1 << 16).await.unwrap();
        (status, String::from_utf8_lossy(&page).into_owned(), received.try_recv().is_ok())
    }

    #[tokio::test]
    async fn a_page_of_another_host_or_origin_reads_no_state_and_sends_no_code() {
        let right = "/created?code=c0de&state=5tate";
        for (headers, status) in [
            (&[("host", "evil.example")][..], 421),
            (&[("host", "127.0.0.1.evil.example:8080")], 421),
            (&[("host", "127.0.0.1"), ("host", "evil.example")], 421),
            (&[("host", "127.0.0.1"), ("origin", "https://evil.example")], 403),
            (&[("host", "127.0.0.1"), ("origin", "null")], 403),
        ] {
            let (got, page, _) = ask("/", headers).await;
            assert!(got == status && !page.contains("5tate"), "{headers:?}: {got} {page}");
            let (got, _, arrived) = ask(right, headers).await;
            assert!(got == status && !arrived, "{headers:?}: {got}");
        }
    }

    #[tokio::test]
    async fn the_browser_that_left_gets_the_form_and_brings_the_code() {
        for host in ["127.0.0.1:4000", "localhost:4000"] {
            let (status, page, _) = ask("/", &[("host", host)]).await;
            assert!(status == 200 && page.contains("5tate"), "{status} {page}");
            let (status, _, arrived) = ask("/created?code=c0de&state=5tate", &[("host", host)]).await;
            assert!(status == 200 && arrived, "{status}");
        }
    }
}
