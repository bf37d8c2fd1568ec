//! The door on this machine that GitHub sends the browser back to. It serves one page, and takes one code.

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::render::app_form::note;

/// What the door knows.
#[derive(Clone)]
struct Door {
    page: String,
    /// What GitHub hands through: that the browser which comes back is the one that was sent.
    state: String,
    codes: mpsc::Sender<String>,
}

#[derive(Deserialize)]
struct Back {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
}

/// Serves the page until a code comes, and gives the code.
///
/// # Errors
/// The listener fails.
pub(super) async fn wait_for_code(listener: TcpListener, page: String, state: String) -> std::io::Result<String> {
    let (codes, mut came) = mpsc::channel(1);
    let router = Router::new().route("/", get(show)).route("/created", get(take));
    let router = router.with_state(Door { page, state, codes });
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = axum::serve(listener, router).with_graceful_shutdown(async move {
        let _ = stopped.await;
    });
    let serving = tokio::spawn(async move { serving.await });
    let code = came.recv().await;
    // The browser gets its answer before the door closes; a connection that it keeps open is not waited for.
    let _ = stop.send(());
    let _ = tokio::time::timeout(std::time::Duration::from_millis(500), serving).await;
    code.ok_or_else(|| std::io::Error::other("the door closed before a code came"))
}

async fn show(State(door): State<Door>) -> Response {
    html(StatusCode::OK, door.page)
}

async fn take(State(door): State<Door>, Query(back): Query<Back>) -> Response {
    if back.code.is_empty() || back.state != door.state {
        let text = "This is not what GitHub sends back after it has created the App that was asked for here.";
        return html(StatusCode::BAD_REQUEST, note("Nothing was taken", text));
    }
    // A second visit changes nothing.
    let _ = door.codes.try_send(back.code);
    let text = "GitHub has created the App. What comes next stands in the terminal; this page can be closed.";
    html(StatusCode::OK, note("The App is there", text))
}

fn html(status: StatusCode, body: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    (status, headers, body).into_response()
}
