//! The local web server to which GitHub sends the browser back. It serves one page and receives one code.

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

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
    let router = Router::new().route("/", get(form)).route("/created", get(created));
    let router = router.with_state(Setup { page, state, codes });
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
