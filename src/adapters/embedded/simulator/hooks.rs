//! Sending deliveries, one after the other, over plain HTTP.
//!
//! As on GitHub: one attempt each, and another only on request. If the process ends before a delivery's outcome is stored,
//! the delivery is sent after the next start.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Bytes;
use http_body_util::Full;
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jiff::Timestamp;
use tokio::task::JoinHandle;

use super::GithubSimulator;
use super::delivery::{Delivery, Outcome};
use super::refusal::Refusal;
use super::world::Hook;

/// How long GitHub waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

type Sender = Client<HttpConnector, Full<Bytes>>;

impl GithubSimulator {
    /// Starts a task that sends deliveries until it is aborted or the database fails.
    #[must_use]
    pub fn start_deliveries(&self) -> JoinHandle<()> {
        let simulator = self.clone();
        tokio::spawn(async move {
            let Err(failure) = simulator.deliver().await;
            tracing::error!(error = %failure, "stopped sending deliveries");
        })
    }

    /// Sends deliveries while it is polled. If another call does so already, waits for it to end.
    ///
    /// # Errors
    /// The outcome of a delivery could not be stored.
    pub async fn deliver(&self) -> Result<Infallible, Refusal> {
        let _only_one = self.inner.sending.lock().await;
        let client: Sender = Client::builder(TokioExecutor::new()).build_http();
        let mut changes = self.inner.changed.subscribe();
        loop {
            changes.mark_unchanged();
            let world = self.world();
            match (world.next_delivery(), &world.settings.hook) {
                (Some(delivery), Some(hook)) => {
                    let outcome = self.send(&client, delivery, hook).await;
                    self.change(|change| {
                        change.delivered(delivery.id, outcome);
                        Ok(())
                    })?;
                }
                // `self` holds the sending half, so this never fails.
                (Some(_), None) | (None, _) => changes.changed().await.unwrap_or_default(),
            }
        }
    }

    /// Returns when every delivery was sent, successfully or not. Never returns if deliveries wait and no task sends them.
    pub async fn drained(&self) {
        let mut changes = self.inner.changed.subscribe();
        loop {
            changes.mark_unchanged();
            if self.world().next_delivery().is_none() {
                return;
            }
            changes.changed().await.unwrap_or_default();
        }
    }

    async fn send(&self, client: &Sender, delivery: &Delivery, hook: &Hook) -> Outcome {
        let sent_at = self.now();
        let (status, status_code) = match request(delivery, hook) {
            Err(_) => ("failed to connect to host".to_owned(), 502),
            Ok(request) => match tokio::time::timeout(PATIENCE, client.request(request)).await {
                Err(_) => ("timed out".to_owned(), 504),
                Ok(Err(_)) => ("failed to connect to host".to_owned(), 502),
                Ok(Ok(answer)) if answer.status().is_success() => ("OK".to_owned(), answer.status().as_u16()),
                Ok(Ok(answer)) => {
                    let code = answer.status().as_u16();
                    (format!("Invalid HTTP Response: {code}"), code)
                }
            },
        };
        let took = self.now().duration_since(sent_at).as_millis();
        Outcome {
            status,
            status_code,
            delivered_at: Timestamp::from_second(sent_at.as_second()).unwrap_or(sent_at),
            duration_ms: u64::try_from(took).unwrap_or(0),
        }
    }
}

fn request(delivery: &Delivery, hook: &Hook) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    let headers = delivery.headers(hook);
    let request = Request::builder().method(Method::POST).uri(&hook.url);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
    request.body(Full::new(Bytes::from(delivery.body.clone())))
}
